/* method.c - see method.h. */
#include "eval/method.h"

#include "base/status.h"
#include "eval/oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names ------------------------------------------------------------------------------------- */

/* "separated/htdemucs/" -> "htdemucs"; "weights/a.b.safetensors" -> "a.b" for a model */
static char *last_part(const char *source, bool model)
{
    size_t end = strlen(source), from;
    while (end > 1 && source[end - 1] == '/')
        end--;
    for (from = end; from > 0 && source[from - 1] != '/'; from--)
        ;
    const char *dot = model ? memrchr(source + from, '.', end - from) : NULL;
    if (dot && dot > source + from)
        end = (size_t)(dot - source);
    return strndup(source + from, end - from);
}

/* "classic+weights/a.th" -> "classic+a" */
static char *name_of_models(const char *source)
{
    char *words = strdup(source), *name = calloc(1, strlen(source) + 1), *rest = NULL;
    if (!words || !name) {
        free(words);
        free(name);
        return NULL;
    }
    const char *first = strtok_r(words, "+", &rest);
    for (const char *w = first; w; w = strtok_r(NULL, "+", &rest)) {
        char *part = last_part(w, true);
        if (!part) {
            free(name);
            name = NULL;
            break;
        }
        strcat(w == first ? name : strcat(name, "+"), part);
        free(part);
    }
    free(words);
    return name;
}

static char *plain_name(const rv_eval_method *what)
{
    if (what->name)
        return strdup(what->name);
    return what->kind == RV_METHOD_MODEL ? name_of_models(what->source)
                                         : last_part(what->source, false);
}

static char *name_of(const rv_eval_method *what)
{
    char *plain = plain_name(what);
    const size_t room = plain ? strlen(plain) + 32 : 0;
    if (!plain || what->wiener == 0)
        return plain;
    char *name = malloc(room);
    if (name)
        snprintf(name, room, "%s-wiener%d", plain, what->wiener);
    free(plain);
    return name;
}

/* A name becomes a folder. */
static rv_status check_name(const char *name, rv_error *err)
{
    if (!name[0] || name[0] == '.' || strchr(name, '/'))
        return RV_FAIL(err, RV_ERR_ARG,
                       "'%s' names no method; expected a name without '/' that does not begin with "
                       "a dot",
                       name);
    return RV_OK;
}

/* Kinds ------------------------------------------------------------------------------------- */

static rv_status open_folder(rv_method *m, rv_error *err)
{
    if (!rv_is_folder(m->source))
        return RV_FAIL(err, RV_ERR_IO, "%s: not a folder; expected estimates, SONG/STEM.wav",
                       m->source);
    return RV_OK;
}

static rv_status open_model(rv_method *m, rv_error *err)
{
    return rv_model_open(&m->model, m->source, err);
}

static rv_status open_oracle(rv_method *m, rv_error *err)
{
    return rv_oracle_find(&m->oracle, m->source, err);
}

static rv_status read_folder(const rv_method *m, const rv_song_audio *a, const rv_track_cache *c,
                             size_t track, rv_error *err)
{
    const rv_track *t = &c->list->tracks[track];
    char *folder = NULL;
    RV_TRY(rv_estimates_folder(&folder, m->source, t, err));
    const rv_status status =
        folder ? rv_song_audio_estimates(a, c, track, folder, err)
               : RV_FAIL(err, RV_ERR_IO, "%s: the folder of song '%s' is gone", m->source, t->name);
    free(folder);
    return status;
}

static rv_status run_model(const rv_method *m, const rv_song_audio *a, const rv_track_cache *c,
                           size_t track, rv_error *err)
{
    (void)track;
    return rv_method_run_model(m, a, c->list->stems, err);
}

static rv_status ask_oracle(const rv_method *m, const rv_song_audio *a, const rv_track_cache *c,
                            size_t track, rv_error *err)
{
    (void)track;
    return rv_oracle_estimate(m->oracle, a, c->list->stems, m->stop, m->stop_ctx, err);
}

static const struct {
    rv_status (*open)(rv_method *m, rv_error *err);
    rv_status (*estimate)(const rv_method *m, const rv_song_audio *a, const rv_track_cache *c,
                          size_t track, rv_error *err);
} kinds[RV_METHOD_KINDS] = {
    [RV_METHOD_ESTIMATES] = { open_folder, read_folder },
    [RV_METHOD_MODEL] = { open_model, run_model },
    [RV_METHOD_ORACLE] = { open_oracle, ask_oracle },
};

/* ------------------------------------------------------------------------------------------- */

rv_status rv_method_open(rv_method *m, const rv_eval_method *what, rv_error *err)
{
    *m = (rv_method){ .kind = what->kind, .source = what->source, .wiener = what->wiener };
    if ((unsigned)what->kind >= RV_METHOD_KINDS || !what->source)
        return RV_FAIL(err, RV_ERR_ARG, "a method of kind %d", (int)what->kind);
    if (what->wiener && what->kind != RV_METHOD_MODEL)
        return RV_FAIL(err, RV_ERR_ARG, "%s: only the stems of a model are filtered", what->source);
    if (!(m->name = name_of(what)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", what->source);
    RV_TRY(check_name(m->name, err));
    return kinds[m->kind].open(m, err);
}

void rv_method_close(rv_method *m)
{
    rv_model_free(m->model);
    free(m->name);
    *m = (rv_method){ 0 };
}

bool rv_method_wants_mixture(const rv_method *m)
{
    return m->kind == RV_METHOD_MODEL ||
           (m->kind == RV_METHOD_ORACLE && rv_oracle_wants_mixture(m->oracle));
}

rv_status rv_method_estimate(const rv_method *m, const rv_song_audio *a, const rv_track_cache *c,
                             size_t track, rv_error *err)
{
    return kinds[m->kind].estimate(m, a, c, track, err);
}
