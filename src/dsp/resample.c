/* resample.c - libsoxr with its output cut or filled to the exact length.
 *
 * SOXR_ROLLOFF_NONE keeps the passband flat up to 0.91 of the lower Nyquist frequency: with the
 * default roll-off (0.01 dB) a sine of 19 kHz comes out of 44.1 to 48 kHz at an SNR of 69 dB, with
 * none at 150 dB. */
#include "dsp/resample.h"

#include "base/status.h"

#include <soxr.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct rv_resampler {
    soxr_t soxr; /* NULL: equal rates */
    size_t channels;
    int in_rate, out_rate;
    size_t taken, made; /* frames since the start */
    bool ended;
    float **at; /* [channels] where to write */
};

size_t rv_resampled_length(size_t frames, int in_rate, int out_rate)
{
    /* frames = a in_rate + b: the product with b fits 64 bits, the one with a is checked */
    const size_t in = (size_t)in_rate, out = (size_t)out_rate;
    const size_t a = frames / in, b = frames % in;
    const size_t tail = (size_t)(((uint64_t)b * out + in - 1) / in);
    size_t whole, sum;
    if (__builtin_mul_overflow(a, out, &whole) || __builtin_add_overflow(whole, tail, &sum))
        return SIZE_MAX;
    return sum;
}

static rv_status create_soxr(rv_resampler *r, rv_error *err)
{
    const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_S, SOXR_FLOAT32_S);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, SOXR_ROLLOFF_NONE);
    const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
    soxr_error_t failed = NULL;
    r->soxr = soxr_create(r->in_rate, r->out_rate, (unsigned)r->channels, &failed, &io, &quality,
                          &runtime);
    if (failed)
        return RV_FAIL(err, RV_ERR_NOMEM, "resampler from %d to %d Hz: %s", r->in_rate, r->out_rate,
                       failed);
    return RV_OK;
}

rv_status rv_resampler_new(rv_resampler **out, int channels, int in_rate, int out_rate,
                           rv_error *err)
{
    enum { RATE_MAX = 10000000, CHANNELS_MAX = 65536 };
    if (channels < 1 || channels > CHANNELS_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "resampler of %d channels; expected 1 to %d", channels,
                       CHANNELS_MAX);
    if (in_rate < 1 || out_rate < 1 || in_rate > RATE_MAX || out_rate > RATE_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "resampler from %d to %d Hz; expected 1 to %d", in_rate,
                       out_rate, RATE_MAX);
    rv_resampler *r = calloc(1, sizeof *r);
    if (!r || !(r->at = calloc((size_t)channels, sizeof *r->at))) {
        free(r);
        return RV_FAIL(err, RV_ERR_NOMEM, "resampler of %d channels", channels);
    }
    r->channels = (size_t)channels;
    r->in_rate = in_rate;
    r->out_rate = out_rate;
    const rv_status status = in_rate == out_rate ? RV_OK : create_soxr(r, err);
    if (status == RV_OK)
        *out = r;
    else
        rv_resampler_free(r);
    return status;
}

void rv_resampler_free(rv_resampler *r)
{
    if (!r)
        return;
    soxr_delete(r->soxr);
    free(r->at);
    free(r);
}

rv_status rv_resampler_reset(rv_resampler *r, rv_error *err)
{
    r->taken = r->made = 0;
    r->ended = false;
    soxr_delete(r->soxr);
    r->soxr = NULL;
    return r->in_rate == r->out_rate ? RV_OK : create_soxr(r, err);
}

static void copy(rv_resampler *r, const float *const *in, size_t n_in, size_t *used,
                 float *const *out, size_t room, size_t *made)
{
    const size_t n = !in ? 0 : n_in < room ? n_in : room;
    for (size_t c = 0; c < r->channels && n > 0; c++)
        memcpy(out[c], in[c], n * sizeof(float));
    *used = *made = n;
}

/* What is still missing at the end, up to `room`: from soxr, then zeros. */
static rv_status flush(rv_resampler *r, float *const *out, size_t room, size_t *made, rv_error *err)
{
    const size_t total = rv_resampled_length(r->taken, r->in_rate, r->out_rate);
    const size_t left = total > r->made ? total - r->made : 0;
    const size_t want = left < room ? left : room;
    size_t done = 0, n = 1;
    while (done < want && n > 0 && r->taken > 0) {
        for (size_t c = 0; c < r->channels; c++)
            r->at[c] = out[c] + done;
        const soxr_error_t failed = soxr_process(r->soxr, NULL, 0, NULL, r->at, want - done, &n);
        if (failed)
            return RV_FAIL(err, RV_ERR_NOMEM, "resampler: %s", failed);
        done += n;
    }
    for (size_t c = 0; c < r->channels && done < want; c++)
        memset(out[c] + done, 0, (want - done) * sizeof(float));
    *made = want;
    return RV_OK;
}

static rv_status convert(rv_resampler *r, const float *const *in, size_t n_in, size_t *used,
                         float *const *out, size_t room, size_t *made, rv_error *err)
{
    const soxr_error_t failed = soxr_process(r->soxr, in, n_in, used, (soxr_out_t)out, room, made);
    if (failed)
        return RV_FAIL(err, RV_ERR_NOMEM, "resampler: %s", failed);
    return RV_OK;
}

rv_status rv_resampler_process(rv_resampler *r, const float *const *in, size_t n_in, size_t *used,
                               float *const *out, size_t room, size_t *made, rv_error *err)
{
    if (room == 0)
        return RV_FAIL(err, RV_ERR_ARG, "resampler: no room for output");
    if (in && r->ended)
        return RV_FAIL(err, RV_ERR_ARG, "resampler: input after its end; reset it first");
    size_t took = 0, gave = 0;
    if (in == NULL)
        r->ended = true;
    if (!r->soxr)
        copy(r, in, n_in, &took, out, room, &gave);
    else if (in)
        RV_TRY(convert(r, in, n_in, &took, out, room, &gave, err));
    else
        RV_TRY(flush(r, out, room, &gave, err));
    r->taken += took;
    r->made += gave;
    if (used)
        *used = took;
    *made = gave;
    return RV_OK;
}

static rv_status process_all(rv_resampler *r, float *const *out, size_t length,
                             const float *const *in, size_t n, const float **from, float **to,
                             rv_error *err)
{
    size_t taken = 0;
    for (size_t done = 0; done < length;) {
        size_t used = 0, made = 0;
        for (size_t c = 0; c < r->channels; c++) {
            from[c] = in[c] + taken;
            to[c] = out[c] + done;
        }
        const bool ended = taken == n;
        RV_TRY(rv_resampler_process(r, ended ? NULL : from, n - taken, &used, to, length - done,
                                    &made, err));
        taken += used;
        done += made;
        if (ended && made == 0)
            break;
    }
    return RV_OK;
}

rv_status rv_resample_planes(float *const *out, const float *const *in, size_t n, int channels,
                             int in_rate, int out_rate, rv_error *err)
{
    rv_resampler *r = NULL;
    RV_TRY(rv_resampler_new(&r, channels, in_rate, out_rate, err));
    const float **from = calloc(r->channels, sizeof *from);
    float **to = calloc(r->channels, sizeof *to);
    const size_t length = rv_resampled_length(n, in_rate, out_rate);
    const rv_status status = from && to ? process_all(r, out, length, in, n, from, to, err)
                                        : RV_FAIL(err, RV_ERR_NOMEM, "%d channels", channels);
    free((void *)from);
    free(to);
    rv_resampler_free(r);
    return status;
}
