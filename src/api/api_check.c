/* api_check.c - checks of data sets, of ravel/dataset.h. */
#include "data/check_dataset.h"

void rv_check_defaults(rv_check_options *opt)
{
    *opt = (rv_check_options){ .residual = -40, .residual_lossy = -15 };
}

rv_status rv_dataset_check(rv_check_report **out, const char *root, const rv_check_options *opt,
                           rv_error *err)
{
    rv_check_options defaults;
    rv_check_defaults(&defaults);
    return rv_check_run(out, root, opt ? opt : &defaults, err);
}
