/* drain.c - see drain.h. */
#include "infer/drain.h"

#include "base/status.h"
#include "dsp/resample.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16384 };

struct rv_drain {
    rv_source_format format;
    size_t n_stems, channels, planes; /* channels of a file, planes of all files */
    const rv_output_plan *plan;
    rv_outputs *outputs;
    rv_resampler *resampler; /* NULL: equal rates */
    float *memory;
    float **sum, **out; /* [planes][BLOCK] */
    const float **rest; /* [planes] */
    uint64_t written;
};

size_t rv_drain_channels(const rv_source_format *format)
{
    return format->file_channels == 1 ? 1 : format->channels;
}

static rv_status init(rv_drain *d, rv_error *err)
{
    d->memory = malloc(2 * d->planes * BLOCK * sizeof *d->memory);
    d->sum = calloc(2 * d->planes, sizeof *d->sum);
    d->rest = calloc(d->planes, sizeof *d->rest);
    if (!d->memory || !d->sum || !d->rest)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu planes of audio", d->planes);
    d->out = d->sum + d->planes;
    for (size_t p = 0; p < 2 * d->planes; p++)
        d->sum[p] = d->memory + p * BLOCK;
    if (d->format.rate == d->format.file_rate)
        return RV_OK;
    return rv_resampler_new(&d->resampler, (int)d->planes, d->format.rate, d->format.file_rate,
                            err);
}

rv_status rv_drain_new(rv_drain **out, const rv_source_format *format, size_t n_stems,
                       const rv_output_plan *plan, rv_outputs *outputs, rv_error *err)
{
    rv_drain *d = calloc(1, sizeof *d);
    if (!d)
        return RV_FAIL(err, RV_ERR_NOMEM, "a drain");
    d->format = *format;
    d->n_stems = n_stems;
    d->channels = rv_drain_channels(format);
    d->planes = d->channels * plan->n;
    d->plan = plan;
    d->outputs = outputs;
    const rv_status st = init(d, err);
    if (st != RV_OK) {
        rv_drain_free(d);
        return st;
    }
    *out = d;
    return RV_OK;
}

void rv_drain_free(rv_drain *d)
{
    if (!d)
        return;
    rv_resampler_free(d->resampler);
    free(d->memory);
    free((void *)d->sum);
    free((void *)d->rest);
    free(d);
}

static void add(float *sum, const float *x, float scale, size_t n)
{
    for (size_t t = 0; t < n; t++)
        sum[t] += scale * x[t];
}

/* The stems of each file, and all of the model's channels for a mono file. */
static void mix(rv_drain *d, const float *const *stems, size_t first, size_t n)
{
    const size_t fold = d->format.channels / d->channels;
    for (size_t p = 0; p < d->planes; p++) {
        const size_t file = p / d->channels, channel = p % d->channels;
        memset(d->sum[p], 0, n * sizeof *d->sum[p]);
        for (size_t k = 0; k < d->n_stems; k++)
            for (size_t i = 0; d->plan->stems[file] >> k & 1 && i < fold; i++)
                add(d->sum[p], stems[k * d->format.channels + channel + i] + first, 1 / (float)fold,
                    n);
    }
}

/* Resample the n frames of `sum`; n 0: what the resampler still holds, up to `most` in all. */
static rv_status resample(rv_drain *d, size_t n, uint64_t most, rv_error *err)
{
    size_t done = 0, made = 0;
    do {
        size_t used = 0;
        for (size_t p = 0; p < d->planes; p++)
            d->rest[p] = d->sum[p] + done;
        RV_TRY(rv_resampler_process(d->resampler, n ? d->rest : NULL, n - done, &used, d->out,
                                    BLOCK, &made, err));
        done += used;
        const uint64_t room = most - d->written;
        const size_t kept = made < room ? made : (size_t)room;
        if (kept > 0)
            RV_TRY(rv_outputs_write(d->outputs, d->out, kept, err));
        d->written += kept;
    } while (n ? done < n : made > 0);
    return RV_OK;
}

rv_status rv_drain_write(rv_drain *d, const float *const *stems, size_t frames, rv_error *err)
{
    for (size_t done = 0; done < frames;) {
        const size_t n = frames - done < BLOCK ? frames - done : BLOCK;
        mix(d, stems, done, n);
        done += n;
        if (d->resampler) {
            RV_TRY(resample(d, n, UINT64_MAX, err));
        } else {
            RV_TRY(rv_outputs_write(d->outputs, d->sum, n, err));
            d->written += n;
        }
    }
    return RV_OK;
}

rv_status rv_drain_finish(rv_drain *d, uint64_t frames, rv_error *err)
{
    if (d->resampler)
        RV_TRY(resample(d, 0, frames, err));
    if (d->written != frames)
        return RV_FAIL(err, RV_ERR_IO, "%llu frames came out of %llu",
                       (unsigned long long)d->written, (unsigned long long)frames);
    return RV_OK;
}
