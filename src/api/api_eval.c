/* api_eval.c - ravel/eval.h: defaults and the comparison of a data set. */
#include "eval/evaluate.h"

void rv_eval_defaults(rv_eval_options *opt)
{
    *opt =
        (rv_eval_options){ .metrics = RV_METRIC_BIT(RV_METRIC_SDR) | RV_METRIC_BIT(RV_METRIC_ISR) |
                                      RV_METRIC_BIT(RV_METRIC_SIR) | RV_METRIC_BIT(RV_METRIC_SAR) |
                                      RV_METRIC_BIT(RV_METRIC_SI_SDR),
                           .window = 1,
                           .hop = 1,
                           .bss_version = 4 };
}

rv_status rv_evaluate(rv_evaluation **out, const char *references, const char *estimates,
                      const rv_eval_options *opt, rv_error *err)
{
    rv_eval_options defaults;
    rv_eval_defaults(&defaults);
    return rv_evaluate_songs(out, references, estimates, opt ? opt : &defaults, err);
}
