/* api_models.c - body of rv_model_convert(). */
#include "infer/convert.h"
#include "models/model.h"
#include "models/refiner.h"

void rv_convert_defaults(rv_convert_options *opt)
{
    *opt = (rv_convert_options){ .half = 0 };
}

rv_status rv_model_convert(const char *in, const char *out, const rv_convert_options *opt,
                           rv_error *err)
{
    rv_convert_options defaults;
    rv_convert_defaults(&defaults);
    return rv_convert(in, out, opt ? opt : &defaults, err);
}

int rv_architecture_at(size_t i, rv_architecture *entry)
{
    size_t n = 0;
    while (rv_models[n])
        n++;
    if (i >= n + RV_REFINER_KINDS)
        return 0;
    if (i >= n) {
        const rv_refiner_def *d = &rv_refiner_defs[i - n];
        *entry = (rv_architecture){ .name = d->name, .citation = d->citation };
        return 1;
    }
    *entry = (rv_architecture){ .name = rv_models[i]->name, .citation = rv_models[i]->citation };
    return 1;
}
