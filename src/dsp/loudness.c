/* loudness.c - integrated loudness (ITU-R BS.1770-4) by libebur128. */
#include "base/status.h"
#include "dsp/effects.h"

#include <ebur128.h>
#include <stdbool.h>
#include <stdlib.h>

enum { BLOCK = 4096 };

static bool add(ebur128_state *state, float *block, const float *const *planar, size_t frames)
{
    const size_t channels = state->channels;
    for (size_t at = 0; at < frames; at += BLOCK) {
        const size_t n = frames - at < BLOCK ? frames - at : BLOCK;
        for (size_t i = 0; i < n * channels; i++)
            block[i] = planar[i % channels][at + i / channels];
        if (ebur128_add_frames_float(state, block, n) != EBUR128_SUCCESS)
            return false;
    }
    return true;
}

rv_status rv_loudness_lufs(double *out, const float *const *planar, int channels, size_t frames,
                           int sample_rate, rv_error *err)
{
    enum { CHANNELS_MAX = 64, RATE_MIN = 16, RATE_MAX = 2822400 };
    if (channels < 1 || channels > CHANNELS_MAX || sample_rate < RATE_MIN || sample_rate > RATE_MAX)
        return RV_FAIL(err, RV_ERR_ARG,
                       "loudness of %d channels at %d Hz; expected 1 to %d channels, %d to %d Hz",
                       channels, sample_rate, CHANNELS_MAX, RATE_MIN, RATE_MAX);
    ebur128_state *state =
        ebur128_init((unsigned)channels, (unsigned long)sample_rate, EBUR128_MODE_I);
    float *block = malloc((size_t)channels * BLOCK * sizeof *block);
    double loudness = 0;
    const bool done = state && block && add(state, block, planar, frames) &&
                      ebur128_loudness_global(state, &loudness) == EBUR128_SUCCESS;
    free(block);
    if (state)
        ebur128_destroy(&state);
    if (!done)
        return RV_FAIL(err, RV_ERR_NOMEM, "loudness of %zu frames", frames);
    *out = loudness;
    return RV_OK;
}
