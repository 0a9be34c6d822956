/* api_eval.c - ravel/eval.h: defaults and the comparison of a data set. */
#include "eval/comparison.h"
#include "eval/evaluate.h"

void rv_eval_defaults(rv_eval_options *opt)
{
    *opt =
        (rv_eval_options){ .metrics = RV_METRIC_BIT(RV_METRIC_SDR) | RV_METRIC_BIT(RV_METRIC_ISR) |
                                      RV_METRIC_BIT(RV_METRIC_SIR) | RV_METRIC_BIT(RV_METRIC_SAR) |
                                      RV_METRIC_BIT(RV_METRIC_SI_SDR),
                           .window = 1,
                           .hop = 1,
                           .bss_version = 4,
                           .resamples = 10000 };
}

rv_status rv_compare(rv_comparison **out, const char *references, const rv_eval_method *methods,
                     size_t n_methods, const rv_eval_options *opt, rv_error *err)
{
    rv_eval_options defaults;
    rv_eval_defaults(&defaults);
    return rv_compare_methods(out, references, methods, n_methods, opt ? opt : &defaults, err);
}

rv_status rv_evaluate(rv_evaluation **out, const char *references, const char *estimates,
                      const rv_eval_options *opt, rv_error *err)
{
    const rv_eval_method method = { RV_METHOD_ESTIMATES, estimates, NULL, 0 };
    rv_comparison *c = NULL;
    RV_TRY(rv_compare(&c, references, &method, 1, opt, err));
    *out = c->methods[0];
    c->methods[0] = NULL;
    rv_comparison_free(c);
    return RV_OK;
}
