/* track_cache.c - open every file once, compare, listen for the first sound. */
#include "data/track_cache.h"

#include "base/status.h"
#include "io/audio_read.h"

#include <stdlib.h>

enum { BLOCK = 4096 };

static bool has_sound(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != 0)
            return true;
    return false;
}

static rv_status listen_to(rv_audio_reader *r, bool *silent, float *x, rv_error *err)
{
    const size_t channels = (size_t)rv_audio_reader_info(r)->channels;
    float *planes[RV_AUDIO_CHANNELS_MAX];
    for (size_t c = 0; c < channels; c++)
        planes[c] = x + c * BLOCK;
    *silent = true;
    for (size_t got = 1; *silent && got > 0;) {
        RV_TRY(rv_audio_reader_read(r, planes, BLOCK, &got, err));
        for (size_t c = 0; c < channels; c++)
            *silent &= !has_sound(planes[c], got);
    }
    return RV_OK;
}

static rv_status is_silent(rv_audio_reader *r, const char *path, bool *silent, rv_error *err)
{
    float *x = malloc(sizeof *x * BLOCK * (size_t)rv_audio_reader_info(r)->channels);
    if (!x)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    const rv_status status = listen_to(r, silent, x, err);
    free(x);
    return status;
}

static rv_status check_against(const rv_track_info *t, const rv_audio_info *i, const char *path,
                               const char *first, rv_error *err)
{
    if (i->sample_rate != t->sample_rate)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: sample rate of %d Hz; expected %d Hz as in %s",
                       path, i->sample_rate, t->sample_rate, first);
    if (i->channels != t->channels)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %d channels; expected %d as in %s", path,
                       i->channels, t->channels, first);
    if (i->frames != t->frames)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %lld frames; expected %lld as in %s", path,
                       (long long)i->frames, (long long)t->frames, first);
    return RV_OK;
}

static rv_status examine(rv_track_info *t, rv_audio_reader *r, const char *path, const char *first,
                         bool *silent, rv_error *err)
{
    const rv_audio_info *info = rv_audio_reader_info(r);
    if (info->frames < 1)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %s", path,
                       info->frames == 0 ? "holds no audio" : "does not say how long it is");
    if (t->frames == 0) {
        t->frames = info->frames;
        t->sample_rate = info->sample_rate;
        t->channels = info->channels;
    }
    RV_TRY(check_against(t, info, path, first, err));
    return silent ? is_silent(r, path, silent, err) : RV_OK;
}

/* silent NULL: do not listen. */
static rv_status examine_file(rv_track_info *t, const char *path, const char *first, bool *silent,
                              rv_error *err)
{
    rv_audio_reader *r = NULL;
    RV_TRY(rv_audio_reader_open(&r, path, 0, err));
    const rv_status status = examine(t, r, path, first, silent, err);
    rv_audio_reader_free(r);
    return status;
}

static rv_status examine_track(rv_track_cache *c, size_t at, rv_error *err)
{
    const rv_track *track = &c->list->tracks[at];
    rv_track_info *t = &c->tracks[at];
    size_t n_silent = 0;
    for (size_t s = 0; s < c->list->n_stems; s++) {
        bool silent = false;
        RV_TRY(examine_file(t, track->stems[s], track->stems[0], &silent, err));
        t->silent |= (uint32_t)silent << s;
        n_silent += silent;
    }
    if (track->mixture)
        RV_TRY(examine_file(t, track->mixture, track->stems[0], NULL, err));
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
