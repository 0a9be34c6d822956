/* track_cache.c - open every file once, compare, listen for the first sound. */
#include "data/track_cache.h"

#include "base/status.h"
#include "data/layout.h"
#include "io/audio_read.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK = 4096 };

static bool has_sound(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != 0)
            return true;
    return false;
}

/* channel: this one alone, or all of them */
static rv_status listen_to(rv_audio_reader *r, int channel, bool *silent, float *x, rv_error *err)
{
    const size_t channels = (size_t)rv_audio_reader_info(r)->channels;
    float *planes[RV_AUDIO_CHANNELS_MAX];
    for (size_t c = 0; c < channels; c++)
        planes[c] = x + c * BLOCK;
    *silent = true;
    for (size_t got = 1; *silent && got > 0;) {
        RV_TRY(rv_audio_reader_read(r, planes, BLOCK, &got, err));
        for (size_t c = 0; c < channels; c++)
            if (channel == RV_ALL_CHANNELS || (size_t)channel == c)
                *silent &= !has_sound(planes[c], got);
    }
    return RV_OK;
}

static rv_status is_silent(rv_audio_reader *r, const rv_track_source *s, bool *silent,
                           rv_error *err)
{
    float *x = malloc(sizeof *x * BLOCK * (size_t)rv_audio_reader_info(r)->channels);
    if (!x)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", s->path);
    const rv_status status = listen_to(r, s->channel, silent, x, err);
    free(x);
    return status;
}

/* What is being found out about a song, and its first file, with which the others are compared. */
typedef struct examination {
    const rv_layout *layout;
    rv_track_info *song;
    rv_track_info first;
    const char *path; /* of the first; NULL: none yet */
} examination;

static rv_status check_length(const examination *e, int64_t frames, const char *path, rv_error *err)
{
    const double off = fabs((double)(frames - e->first.frames));
    if (off <= e->layout->slack * (double)e->first.sample_rate)
        return RV_OK;
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: %lld frames; expected %lld as in %s", path,
                   (long long)frames, (long long)e->first.frames, e->path);
}

static rv_status check_against(const examination *e, const rv_audio_info *i, int channels,
                               const char *path, rv_error *err)
{
    const rv_track_info *t = &e->first;
    const bool mono = channels == 1 || e->song->channels == 1;
    if (i->sample_rate != t->sample_rate)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: sample rate of %d Hz; expected %d Hz as in %s",
                       path, i->sample_rate, t->sample_rate, e->path);
    if (channels != e->song->channels && !(mono && e->layout->mixed_channels))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %d channels; expected %d as in %s", path, channels,
                       e->song->channels, e->path);
    return check_length(e, i->frames, path, err);
}

static rv_status examine(examination *e, rv_audio_reader *r, const rv_track_source *s, bool *silent,
                         rv_error *err)
{
    const rv_audio_info *info = rv_audio_reader_info(r);
    const int channels = s->channel == RV_ALL_CHANNELS ? info->channels : 1;
    if (info->frames < 1)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %s", s->path,
                       info->frames == 0 ? "holds no audio" : "does not say how long it is");
    if (s->channel >= info->channels)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %d channels; expected %d at least", s->path,
                       info->channels, s->channel + 1);
    if (!e->path) {
        e->first = (rv_track_info){ .frames = info->frames,
                                    .sample_rate = info->sample_rate,
                                    .channels = channels };
        *e->song = e->first;
        e->path = s->path;
    }
    RV_TRY(check_against(e, info, channels, s->path, err));
    e->song->frames = info->frames > e->song->frames ? info->frames : e->song->frames;
    e->song->channels = channels > e->song->channels ? channels : e->song->channels;
    return silent ? is_silent(r, s, silent, err) : RV_OK;
}

/* *silent: all of them are; NULL: do not listen. */
static rv_status examine_sources(examination *e, const rv_track_sources *sources, bool *silent,
                                 rv_error *err)
{
    for (size_t i = 0; i < sources->n; i++) {
        const rv_track_source *s = &sources->at[i];
        rv_audio_reader *r = NULL;
        bool this_silent = true;
        RV_TRY(rv_audio_reader_open(&r, s->path, s->stream, err));
        const rv_status status = examine(e, r, s, silent && *silent ? &this_silent : NULL, err);
        rv_audio_reader_free(r);
        if (silent)
            *silent &= this_silent;
        RV_TRY(status);
    }
    return RV_OK;
}

static rv_status examine_track(rv_track_cache *c, size_t at, rv_error *err)
{
    const rv_track *track = &c->list->tracks[at];
    rv_track_info *t = &c->tracks[at];
    examination e = { .layout = c->list->layout, .song = t };
    uint32_t bits = 0;
    size_t n_silent = 0;
    for (size_t s = 0; s < c->list->n_stems; s++) {
        bool silent = true;
        RV_TRY(examine_sources(&e, &track->stems[s], &silent, err));
        bits |= (uint32_t)silent << s;
        n_silent += silent;
    }
    RV_TRY(examine_sources(&e, &track->mixture, NULL, err));
    t->silent = bits;
    t->all_silent = n_silent == c->list->n_stems;
    c->n_silent += t->all_silent;
    c->n_silent_stems += t->all_silent ? 0 : n_silent;
    return RV_OK;
}

static rv_status examine_all(rv_track_cache *c, rv_error *err)
{
    for (size_t i = 0; i < c->list->n; i++)
        RV_TRY(examine_track(c, i, err));
    if (c->n_silent == c->list->n)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: all of its %zu songs are silent", c->list->root,
                       c->list->n);
    return RV_OK;
}

rv_status rv_track_cache_new(rv_track_cache **out, const rv_track_list *list, rv_error *err)
{
    rv_track_cache *c = calloc(1, sizeof *c);
    if (!c || !(c->tracks = calloc(list->n, sizeof *c->tracks))) {
        free(c);
        return RV_FAIL(err, RV_ERR_NOMEM, "headers of %zu songs", list->n);
    }
    c->list = list;
    const rv_status status = examine_all(c, err);
    if (status == RV_OK)
        *out = c;
    else
        rv_track_cache_free(c);
    return status;
}

void rv_track_cache_free(rv_track_cache *c)
{
    if (!c)
        return;
    free(c->tracks);
    free(c);
}
