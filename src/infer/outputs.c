/* outputs.c - see outputs.h. */
#include "infer/outputs.h"

#include "base/status.h"
#include "infer/spool.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct rv_outputs {
    size_t n, channels;
    rv_clip_mode clip;
    rv_audio_writer **writers;
    char **paths;
    rv_spool *spool; /* NULL: written directly */
    float peak;
};

static bool is_float(const rv_audio_writer_options *format, const char *path)
{
    const char *end = strrchr(path, '.'), *f = format->format ? format->format : end ? end + 1 : "";
    return format->bits == 32 &&
           (strcasecmp(f, "wav") == 0 || strcasecmp(f, "aiff") == 0 || strcasecmp(f, "aif") == 0);
}

static rv_status open_all(rv_outputs *o, char *const *paths, const rv_audio_writer_options *format,
                          rv_error *err)
{
    o->writers = calloc(o->n, sizeof *o->writers);
    o->paths = calloc(o->n, sizeof *o->paths);
    if (!o->writers || !o->paths)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu outputs", o->n);
    for (size_t i = 0; i < o->n; i++) {
        o->paths[i] = strdup(paths[i]);
        if (!o->paths[i])
            return RV_FAIL(err, RV_ERR_NOMEM, "the name of an output");
        RV_TRY(rv_audio_writer_open(&o->writers[i], paths[i], format, err));
    }
    if (o->clip != RV_CLIP_RESCALE)
        return RV_OK;
    return rv_spool_new(&o->spool, paths[0], o->n * o->channels, err);
}

rv_status rv_outputs_open(rv_outputs **out, char *const *paths, size_t n,
                          const rv_audio_writer_options *format, rv_clip_mode clip, rv_error *err)
{
    rv_outputs *o = calloc(1, sizeof *o);
    if (!o)
        return RV_FAIL(err, RV_ERR_NOMEM, "outputs");
    o->n = n;
    o->channels = (size_t)format->channels;
    o->clip = is_float(format, paths[0]) ? RV_CLIP_NONE : clip;
    const rv_status st = open_all(o, paths, format, err);
    if (st != RV_OK) {
        rv_outputs_free(o);
        return st;
    }
    *out = o;
    return RV_OK;
}

void rv_outputs_free(rv_outputs *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->n; i++) {
        if (o->writers)
            rv_audio_writer_free(o->writers[i]);
        if (o->paths)
            free(o->paths[i]);
    }
    rv_spool_free(o->spool);
    free((void *)o->writers);
    free(o->paths);
    free(o);
}

static void clamp(float *x, size_t n)
{
    for (size_t t = 0; t < n; t++)
        x[t] = x[t] > 0.99F ? 0.99F : x[t] < -0.99F ? -0.99F : x[t];
}

static rv_status encode(rv_outputs *o, float *const *planes, size_t frames, rv_error *err)
{
    for (size_t i = 0; i < o->n; i++)
        RV_TRY(rv_audio_writer_write(o->writers[i], (const float *const *)planes + i * o->channels,
                                     frames, err));
    return RV_OK;
}

rv_status rv_outputs_write(rv_outputs *o, float *const *planes, size_t frames, rv_error *err)
{
    for (size_t p = 0; p < o->n * o->channels; p++) {
        if (o->clip == RV_CLIP_CLAMP)
            clamp(planes[p], frames);
        for (size_t t = 0; t < frames; t++)
            o->peak = fabsf(planes[p][t]) > o->peak ? fabsf(planes[p][t]) : o->peak;
    }
    return o->spool ? rv_spool_write(o->spool, (const float *const *)planes, frames, err)
                    : encode(o, planes, frames, err);
}

static rv_status encode_spool(rv_outputs *o, float gain, rv_outputs_watch *watch, void *ctx,
                              rv_error *err)
{
    float *const *planes;
    size_t frames;
    for (;;) {
        RV_TRY(rv_spool_read(o->spool, &planes, &frames, err));
        if (frames == 0)
            return RV_OK;
        for (size_t p = 0; gain < 1 && p < o->n * o->channels; p++)
            for (size_t t = 0; t < frames; t++)
                planes[p][t] *= gain;
        RV_TRY(encode(o, planes, frames, err));
        if (watch && watch(ctx, rv_spool_share(o->spool)))
            return RV_FAIL(err, RV_ERR_CANCELLED, "stopped on request");
    }
}

/* Give all files their names; those that have theirs are removed if a later one fails. */
static rv_status commit(rv_outputs *o, rv_error *err)
{
    for (size_t i = 0; i < o->n; i++) {
        const rv_status st = rv_audio_writer_commit(o->writers[i], err);
        if (st != RV_OK) {
            while (i-- > 0)
                unlink(o->paths[i]);
            return st;
        }
    }
    return RV_OK;
}

rv_status rv_outputs_finish(rv_outputs *o, double *gain, rv_outputs_watch *watch, void *ctx,
                            rv_error *err)
{
    *gain = 1;
    if (o->spool) {
        const float least = 1 / fmaxf(1.01F * o->peak, 1);
        *gain = (double)least;
        RV_TRY(encode_spool(o, least, watch, ctx, err));
    }
    return commit(o, err);
}
