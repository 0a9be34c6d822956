/* api_models.c - body of rv_model_convert(). */
#include "infer/convert.h"

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
