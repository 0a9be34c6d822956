/* track_read.c - seek, read with a margin, add sources, join channels, resample, cut.
 *
 * Rates in lowest terms are `in_unit` : `out_unit`; every in_unit-th frame of the file lies on a
 * frame of the output. The part read starts at such a frame, so that the resampler, started there,
 * makes its frames at the same times as one started at the beginning. */
#include "data/track_read.h"

#include "base/status.h"
#include "data/layout.h"
#include "data/track_level.h"
#include "dsp/resample.h"
#include "io/audio_read.h"

#include <stdlib.h>
#include <string.h>

enum { MARGIN = 1024 }; /* frames at the lower rate around a part: the resampler's filter, twice */

/* Frames of the file that are read, and those of the result before the part. */
typedef struct window {
    int64_t from;
    size_t n, skip;
} window;

size_t rv_track_length(const rv_track_info *t, int sample_rate)
{
    return rv_resampled_length((size_t)t->frames, t->sample_rate, sample_rate);
}

rv_status rv_track_check_channels(const rv_track_cache *c, size_t track, int channels,
                                  rv_error *err)
{
    const int has = c->tracks[track].channels;
    if (has != 1 && has < channels)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %d channels; expected 1, or %d or more",
                       rv_track_path(c->list, &c->list->tracks[track]), has, channels);
    return RV_OK;
}

static int64_t greatest_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static window find_window(const rv_track_info *t, const rv_track_part *part)
{
    const int64_t in = t->sample_rate, out = part->sample_rate, g = greatest_divisor(in, out);
    const int64_t margin = in == out ? 0 : MARGIN * (in > out ? (in + out - 1) / out : 1);
    int64_t unit = part->start / (out / g) - (margin + in / g - 1) / (in / g);
    unit = unit < 0 ? 0 : unit;
    int64_t end = ((part->start + (int64_t)part->frames) * in + out - 1) / out + margin;
    end = end > t->frames ? t->frames : end;
    const int64_t from = unit * (in / g);
    return (window){ from, from < end ? (size_t)(end - from) : 0,
                     (size_t)(part->start - unit * (out / g)) };
}

/* Whether the file is still as it was when its header was read. */
static rv_status check_unchanged(const rv_track_cache *c, const rv_track_info *t,
                                 const rv_track_source *s, const rv_audio_info *info, rv_error *err)
{
    const rv_layout *layout = c->list->layout;
    const int channels = s->channel == RV_ALL_CHANNELS ? info->channels : 1;
    const bool length = info->frames < 0 || layout->slack > 0 ? info->frames <= t->frames
                                                              : info->frames == t->frames;
    const bool count = channels == t->channels || (channels == 1 && layout->mixed_channels);
    if (length && count && info->sample_rate == t->sample_rate && s->channel < info->channels)
        return RV_OK;
    return RV_FAIL(err, RV_ERR_IO, "%s: the file has changed during training", s->path);
}

/* The part [from, from + n) of the file, which may end before: x[channel of the file][n] */
static rv_status read_part(rv_audio_reader *r, const char *path, const window *w, float **x,
                           rv_error *err)
{
    const int64_t frames = rv_audio_reader_info(r)->frames, left = frames - w->from;
    const bool whole = frames < 0 || left >= (int64_t)w->n;
    const size_t n = whole ? w->n : left > 0 ? (size_t)left : 0;
    size_t got = 0;
    if (n == 0)
        return RV_OK;
    RV_TRY(rv_audio_reader_seek(r, w->from, err));
    RV_TRY(rv_audio_reader_read(r, x, n, &got, err));
    if (got < n && frames >= 0)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: ends at frame %lld", path,
                       (long long)w->from + (long long)got);
    return RV_OK;
}

/* planes[channels of the song][n] += what the source has of it; one channel sounds on all */
static rv_status add_read(const rv_track_info *t, const rv_track_source *s, rv_audio_reader *r,
                          const window *w, float *const *planes, rv_error *err)
{
    const int channels = rv_audio_reader_info(r)->channels;
    float *x[RV_AUDIO_CHANNELS_MAX], *block = calloc((size_t)channels, w->n * sizeof *block);
    if (!block)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu frames", s->path, w->n);
    for (int i = 0; i < channels; i++)
        x[i] = block + (size_t)i * w->n;
    const rv_status status = read_part(r, s->path, w, x, err);
    for (int i = 0; i < t->channels && status == RV_OK; i++) {
        const float *from = s->channel != RV_ALL_CHANNELS ? x[s->channel]
                            : channels == 1               ? x[0]
                                                          : x[i];
        for (size_t k = 0; k < w->n; k++)
            planes[i][k] += from[k];
    }
    free(block);
    return status;
}

static rv_status add_source(const rv_track_cache *c, const rv_track_info *t,
                            const rv_track_source *s, const window *w, float *const *planes,
                            rv_error *err)
{
    rv_audio_reader *r = NULL;
    RV_TRY(rv_audio_reader_open(&r, s->path, s->stream, err));
    rv_status status = check_unchanged(c, t, s, rv_audio_reader_info(r), err);
    if (status == RV_OK)
        status = add_read(t, s, r, w, planes, err);
    rv_audio_reader_free(r);
    return status;
}

/* planes[max(from, to)][n]: the first `to` become what is wanted. */
static void join_channels(float *const *planes, int from, int to, size_t n)
{
    for (int c = 1; c < to && from == 1; c++)
        memcpy(planes[c], planes[0], n * sizeof(float));
    if (to != 1 || from == 1)
        return;
    for (size_t t = 0; t < n; t++) {
        double sum = 0;
        for (int c = 0; c < from; c++)
            sum += (double)planes[c][t];
        planes[0][t] = (float)(sum / from);
    }
}

/* What lies from `skip` on in x[channel][n] -> out[channel][frames], then zeros */
static void cut(const float *x, size_t n, size_t skip, float *out, size_t frames)
{
    const size_t left = n > skip ? n - skip : 0, m = left < frames ? left : frames;
    if (m > 0)
        memcpy(out, x + skip, m * sizeof *out);
    memset(out + m, 0, (frames - m) * sizeof *out);
}

static rv_status resample_part(const rv_track_part *part, int in_rate, const window *w,
                               float *const *planes, float *const *out, rv_error *err)
{
    const size_t length = rv_resampled_length(w->n, in_rate, part->sample_rate);
    float *y[RV_AUDIO_CHANNELS_MAX],
        *block = calloc((size_t)part->channels, length * sizeof *block);
    if (!block)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu frames to resample", length);
    for (int c = 0; c < part->channels; c++)
        y[c] = block + (size_t)c * length;
    const rv_status status = rv_resample_planes(y, (const float *const *)planes, w->n,
                                                part->channels, in_rate, part->sample_rate, err);
    for (int c = 0; c < part->channels && status == RV_OK; c++)
        cut(y[c], length, w->skip, out[c], part->frames);
    free(block);
    return status;
}

static rv_status read_window(const rv_track_cache *c, const rv_track_part *part, const window *w,
                             float *const *planes, float *const *out, rv_error *err)
{
    const rv_track *track = &c->list->tracks[part->track];
    const rv_track_info *t = &c->tracks[part->track];
    const bool mixture = part->stem == c->list->n_stems;
    const rv_track_sources *sources = mixture ? &track->mixture : &track->stems[part->stem];
    for (size_t i = 0; i < sources->n; i++)
        RV_TRY(add_source(c, t, &sources->at[i], w, planes, err));
    join_channels(planes, t->channels, part->channels, w->n);
    if (t->sample_rate != part->sample_rate)
        return resample_part(part, t->sample_rate, w, planes, out, err);
    for (int i = 0; i < part->channels; i++)
        cut(planes[i], w->n, w->skip, out[i], part->frames);
    return RV_OK;
}

rv_status rv_track_read(const rv_track_cache *c, const rv_track_part *part, float *const *out,
                        rv_error *err)
{
    const rv_track_info *t = &c->tracks[part->track];
    RV_TRY(rv_track_check_channels(c, part->track, part->channels, err));
    const window w = find_window(t, part);
    if (w.n == 0) {
        for (int i = 0; i < part->channels; i++)
            memset(out[i], 0, part->frames * sizeof *out[i]);
        return RV_OK;
    }
    const int most = t->channels > part->channels ? t->channels : part->channels;
    float *planes[RV_AUDIO_CHANNELS_MAX], *block = calloc((size_t)most, w.n * sizeof *block);
    if (!block)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu frames", c->list->tracks[part->track].name, w.n);
    for (int i = 0; i < most; i++)
        planes[i] = block + (size_t)i * w.n;
    const rv_status status = read_window(c, part, &w, planes, out, err);
    if (status == RV_OK && c->normalised)
        rv_track_level_apply(t, part, out);
    free(block);
    return status;
}
