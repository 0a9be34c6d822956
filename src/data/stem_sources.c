/* stem_sources.c - a stem takes the pieces of its classes and programs, or what is left over. */
#include "data/stem_sources.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* A stem that the recipe defines is just that, whatever its name. */
static bool is_rest(const rv_layout *layout, const rv_submix *s)
{
    if (layout->rest == RV_REST_NONE || s->n_classes != 1 || s->programs[0] || s->programs[1] ||
        s->classes[0] != s->stem)
        return false;
    return rv_label_equal(s->stem, "accompaniment") || rv_label_equal(s->stem, "instrumental") ||
           (layout->rest == RV_REST_OTHER && rv_label_equal(s->stem, "other"));
}

static bool is_taken(const rv_wanted *w, const rv_piece *p)
{
    for (size_t i = 0; i < w->n_stems; i++)
        if (rv_submix_takes(&w->stems[i], p->label, p->program))
            return true;
    return false;
}

static rv_status fill_stem(rv_track_sources *out, const rv_submix *stem, const rv_song *song,
                           const rv_layout *layout, const rv_wanted *w, rv_error *err)
{
    const bool rest = is_rest(layout, stem);
    for (size_t i = 0; i < song->n; i++) {
        const rv_piece *p = &song->pieces[i];
        if (!rv_submix_takes(stem, p->label, p->program) && !(rest && !is_taken(w, p)))
            continue;
        char *path = strdup(p->source.path);
        if (!path)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", song->path);
        RV_TRY(rv_sources_add(out, path, p->source.stream, p->source.channel, err));
    }
    return RV_OK;
}

rv_status rv_stem_sources(rv_track *track, const char **lacks, rv_song *song,
                          const rv_layout *layout, const rv_wanted *wanted, rv_error *err)
{
    *lacks = NULL;
    track->mixture = song->mixture;
    song->mixture = (rv_track_sources){ 0 };
    for (size_t i = 0; i < wanted->n_stems; i++) {
        RV_TRY(fill_stem(&track->stems[i], &wanted->stems[i], song, layout, wanted, err));
        if (track->stems[i].n == 0 && !*lacks)
            *lacks = wanted->stems[i].stem;
    }
    return RV_OK;
}

rv_status rv_stem_sources_check(const rv_layout *layout, const rv_wanted *wanted, rv_error *err)
{
    const char *first = NULL;
    for (size_t i = 0; i < wanted->n_stems; i++) {
        if (!is_rest(layout, &wanted->stems[i]))
            continue;
        if (first)
            return RV_FAIL(err, RV_ERR_ARG,
                           "stems '%s' and '%s' would both be all that no other stem takes; name "
                           "one of them only, or define it as a submix",
                           first, wanted->stems[i].stem);
        first = wanted->stems[i].stem;
    }
    return RV_OK;
}
