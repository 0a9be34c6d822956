/* loudness_none.c - stands for loudness.c in a build without libebur128. */
#include "base/status.h"
#include "dsp/effects.h"

rv_status rv_loudness_lufs(double *out, const float *const *planar, int channels, size_t frames,
                           int sample_rate, rv_error *err)
{
    (void)out;
    (void)planar;
    (void)channels;
    (void)frames;
    (void)sample_rate;
    return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                   "this Ravel was built without libebur128, which measures loudness: install "
                   "libebur128-dev and build again");
}
