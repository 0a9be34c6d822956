/* repitch_none.c - stands for repitch.c in a build without Rubber Band. */
#include "base/status.h"
#include "train/repitch.h"

bool rv_repitch_present(void)
{
    return false;
}

rv_status rv_repitch_clip(const rv_repitch *r, float *const *x, size_t n, size_t n_out,
                          rv_error *err)
{
    (void)r;
    (void)x;
    (void)n;
    (void)n_out;
    return RV_FAIL(err, RV_ERR_UNSUPPORTED, "this Ravel was built without Rubber Band");
}
