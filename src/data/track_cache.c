/* track_cache.c - open every file once, compare, listen for the first sound. */
#include "data/track_cache.h"

#include "base/status.h"
#include "data/layout.h"
#include "io/audio_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096 };

static bool has_sound(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != 0)
            return true;
    return false;
}

/* What is heard of a file. */
typedef struct heard {
    bool silent;
    int64_t frames; /* so far */
} heard;

/* Listen to one channel or all of them: to the end, or up to the first sound. */
static rv_status listen_to(rv_audio_reader *r, int channel, bool to_end, heard *h, float *x,
                           rv_error *err)
{
    const size_t channels = (size_t)rv_audio_reader_info(r)->channels;
    float *planes[RV_AUDIO_CHANNELS_MAX];
    for (size_t c = 0; c < channels; c++)
        planes[c] = x + c * BLOCK;
    for (size_t got = 1; (h->silent || to_end) && got > 0; h->frames += (int64_t)got) {
        RV_TRY(rv_audio_reader_read(r, planes, BLOCK, &got, err));
        for (size_t c = 0; c < channels; c++)
            if (channel == RV_ALL_CHANNELS || (size_t)channel == c)
                h->silent &= !has_sound(planes[c], got);
    }
    return RV_OK;
}

static rv_status listen(rv_audio_reader *r, const rv_track_source *s, bool to_end, heard *h,
                        rv_error *err)
{
    float *x = malloc(sizeof *x * BLOCK * (size_t)rv_audio_reader_info(r)->channels);
    if (!x)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", s->path);
    *h = (heard){ .silent = true };
    const rv_status status = listen_to(r, s->channel, to_end, h, x, err);
    free(x);
    return status;
}

/* What is being found out about a song, and its first file, with which the others are compared. */
typedef struct examination {
    const rv_layout *layout;
    rv_track_info *song;
    rv_track_info first;
    const char *path;    /* of the first; NULL: none yet */
    const char *counted; /* path of the last file that did not say how long it is, and its length */
    int64_t count;
    bool slow_seek; /* formats that do not say how long they are cannot seek, either */
} examination;

static rv_status check_length(const examination *e, int64_t frames, const char *path, rv_error *err)
{
    const double off = fabs((double)(frames - e->first.frames));
    if (off <= e->layout->slack * (double)e->first.sample_rate)
        return RV_OK;
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: %lld frames; expected %lld as in %s", path,
                   (long long)frames, (long long)e->first.frames, e->path);
}

static rv_status check_against(const examination *e, int rate, int64_t frames, int channels,
                               const char *path, rv_error *err)
{
    const rv_track_info *t = &e->first;
    const bool mono = channels == 1 || e->song->channels == 1;
    if (rate != t->sample_rate)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: sample rate of %d Hz; expected %d Hz as in %s",
                       path, rate, t->sample_rate, e->path);
    if (channels != e->song->channels && !(mono && e->layout->mixed_channels))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %d channels; expected %d as in %s", path, channels,
                       e->song->channels, e->path);
    return check_length(e, frames, path, err);
}

static rv_status check_source(const rv_audio_info *info, const rv_track_source *s, rv_error *err)
{
    if (info->frames == 0)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: holds no audio", s->path);
    if (s->channel >= info->channels)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %d channels; expected %d at least", s->path,
                       info->channels, s->channel + 1);
    return RV_OK;
}

/* Some formats (MPEG-4) must be read to the end to know their length; for a file of several streams
 * that is done once, they are equally long. */
static rv_status find_length(examination *e, rv_audio_reader *r, const rv_track_source *s,
                             bool *silent, int64_t *frames, rv_error *err)
{
    *frames = rv_audio_reader_info(r)->frames;
    if (*frames < 0 && e->counted && strcmp(e->counted, s->path) == 0)
        *frames = e->count;
    const bool to_end = *frames < 0;
    heard h = { 0 };
    if (!to_end && !silent)
        return RV_OK;
    RV_TRY(listen(r, s, to_end, &h, err));
    if (silent)
        *silent = h.silent;
    if (!to_end)
        return RV_OK;
    if (h.frames == 0)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: holds no audio", s->path);
    *frames = e->count = h.frames;
    e->slow_seek = true;
    e->counted = s->path;
    return RV_OK;
}

/* silent NULL: do not listen. */
static rv_status examine(examination *e, rv_audio_reader *r, const rv_track_source *s, bool *silent,
                         rv_error *err)
{
    const rv_audio_info *info = rv_audio_reader_info(r);
    const int channels = s->channel == RV_ALL_CHANNELS ? info->channels : 1;
    int64_t frames = 0;
    RV_TRY(check_source(info, s, err));
    RV_TRY(find_length(e, r, s, silent, &frames, err));
    if (!e->path) {
        e->first = (rv_track_info){ .frames = frames,
                                    .sample_rate = info->sample_rate,
                                    .channels = channels };
        *e->song = e->first;
        e->path = s->path;
    }
    RV_TRY(check_against(e, info->sample_rate, frames, channels, s->path, err));
    e->song->frames = frames > e->song->frames ? frames : e->song->frames;
    e->song->channels = channels > e->song->channels ? channels : e->song->channels;
    return RV_OK;
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
    t->slow_seek = e.slow_seek;
    t->all_silent = n_silent == c->list->n_stems;
    c->n_silent += t->all_silent;
    c->n_silent_stems += t->all_silent ? 0 : n_silent;
    return RV_OK;
}

static rv_status examine_all(rv_track_cache *c, rv_error *err)
{
    for (size_t i = 0; i < c->list->n; i++)
        RV_TRY(examine_track(c, i, err));
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

rv_status rv_track_cache_check_sound(const rv_track_cache *c, rv_error *err)
{
    if (c->n_silent < c->list->n)
        return RV_OK;
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: all of its %zu songs are silent", c->list->root,
                   c->list->n);
}

void rv_track_cache_free(rv_track_cache *c)
{
    if (!c)
        return;
    free(c->tracks);
    free(c);
}
