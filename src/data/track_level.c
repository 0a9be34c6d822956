/* track_level.c - see track_level.h. */
#include "data/track_level.h"

#include "base/status.h"
#include "dsp/level.h"
#include "io/audio_read.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 65536, LONG_BLOCK = 1 << 21 }; /* LONG_BLOCK: where seeking is slow */

void rv_track_level_apply(const rv_track_info *t, const rv_track_part *part, float *const *out)
{
    const int64_t left = (int64_t)rv_track_length(t, part->sample_rate) - part->start;
    const size_t song = left > 0 ? (size_t)left : 0, n = song < part->frames ? song : part->frames;
    for (int c = 0; c < part->channels; c++)
        for (size_t i = 0; i < n; i++)
            out[c][i] = (out[c][i] - t->mean) / t->deviation;
}

/* planes[channel][frames] in one block, to be freed. */
static rv_status take_planes(float **block, float **planes, const rv_track_part *part,
                             rv_error *err)
{
    *block = calloc((size_t)part->channels, part->frames * sizeof **block);
    if (!*block)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu frames of a mixture", part->frames);
    for (int c = 0; c < part->channels; c++)
        planes[c] = *block + (size_t)c * part->frames;
    return RV_OK;
}

static rv_status add_stems(const rv_track_cache *c, const rv_track_part *part, float *const *out,
                           float *const *stem, rv_error *err)
{
    rv_track_part p = *part;
    for (int k = 0; k < part->channels; k++)
        memset(out[k], 0, part->frames * sizeof *out[k]);
    for (p.stem = 0; p.stem < c->list->n_stems; p.stem++) {
        RV_TRY(rv_track_read(c, &p, stem, err));
        for (int k = 0; k < part->channels; k++)
            for (size_t i = 0; i < part->frames; i++)
                out[k][i] += stem[k][i];
    }
    return RV_OK;
}

static rv_status read_raw_mixture(const rv_track_cache *c, const rv_track_part *part,
                                  float *const *out, rv_error *err)
{
    rv_track_cache raw = *c;
    rv_track_part p = *part;
    float *block, *stem[RV_AUDIO_CHANNELS_MAX];
    raw.normalised = false;
    p.stem = c->list->n_stems;
    if (c->list->tracks[part->track].mixture.n > 0)
        return rv_track_read(&raw, &p, out, err);
    RV_TRY(take_planes(&block, stem, part, err));
    const rv_status st = add_stems(&raw, &p, out, stem, err);
    free(block);
    return st;
}

rv_status rv_track_read_mixture(const rv_track_cache *c, const rv_track_part *part,
                                float *const *out, rv_error *err)
{
    RV_TRY(read_raw_mixture(c, part, out, err));
    if (c->normalised)
        rv_track_level_apply(&c->tracks[part->track], part, out);
    return RV_OK;
}

static rv_status measure(rv_track_cache *c, rv_track_part *part, float *const *planes,
                         rv_error *err)
{
    rv_track_info *t = &c->tracks[part->track];
    rv_level level = { 0 };
    const size_t block = part->frames;
    for (part->start = 0; part->start < t->frames; part->start += (int64_t)block) {
        const int64_t left = t->frames - part->start;
        part->frames = left < (int64_t)block ? (size_t)left : block;
        RV_TRY(read_raw_mixture(c, part, planes, err));
        rv_level_add(&level, (const float *const *)planes, (size_t)part->channels, part->frames);
    }
    rv_level_result(&level, &t->mean, &t->deviation);
    return RV_OK;
}

static rv_status measure_track(rv_track_cache *c, size_t track, rv_error *err)
{
    const rv_track_info *t = &c->tracks[track];
    rv_track_part part = { .track = track,
                           .sample_rate = t->sample_rate,
                           .channels = t->channels,
                           .frames = t->slow_seek ? LONG_BLOCK : BLOCK };
    float *block, *planes[RV_AUDIO_CHANNELS_MAX];
    RV_TRY(take_planes(&block, planes, &part, err));
    const rv_status st = measure(c, &part, planes, err);
    free(block);
    return st;
}

rv_status rv_track_normalise(rv_track_cache *c, rv_error *err)
{
    for (size_t i = 0; i < c->list->n; i++) {
        c->tracks[i].deviation = 1;
        if (!c->tracks[i].all_silent)
            RV_TRY(measure_track(c, i, err));
    }
    c->normalised = true;
    return RV_OK;
}
