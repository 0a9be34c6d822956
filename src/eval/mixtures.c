/* mixtures.c - see mixtures.h.
 *
 * Where stems were chosen and songs have no mixture, the songs are looked for again, with the stems
 * that they have when none are chosen. */
#include "eval/mixtures.h"

#include "base/status.h"
#include "data/layout.h"
#include "eval/stem_names.h"

#include <stdlib.h>

static bool needs_all_stems(const rv_track_cache *songs, const rv_track_query *query)
{
    const rv_track_list *l = songs->list;
    bool lacking = false;
    for (size_t i = 0; i < l->n; i++)
        lacking |= l->tracks[i].mixture.n == 0;
    return lacking && query->n_stems > 0;
}

static rv_status find(rv_mixtures *m, const rv_track_query *query, rv_error *err)
{
    rv_track_query q = *query;
    q.layout = m->songs->list->layout->name;
    q.n_stems = 0;
    RV_TRY(rv_track_list_find(&m->list, &q, err));
    return rv_track_cache_new(&m->cache, m->list, err);
}

rv_status rv_mixtures_open(rv_mixtures *m, const rv_track_cache *songs, const rv_track_query *query,
                           rv_error *err)
{
    *m = (rv_mixtures){ .songs = songs };
    const rv_status status = needs_all_stems(songs, query) ? find(m, query, err) : RV_OK;
    if (status != RV_OK)
        rv_mixtures_close(m);
    return status;
}

void rv_mixtures_close(rv_mixtures *m)
{
    rv_track_cache_free(m->cache);
    rv_track_list_free(m->list);
    *m = (rv_mixtures){ 0 };
}

/* The song in the second list; the first list's where there is none. */
static const rv_track_cache *look_up(const rv_mixtures *m, size_t *track)
{
    const rv_track *t = &m->songs->list->tracks[*track];
    for (size_t i = 0; m->list && i < m->list->n; i++)
        if (strcmp(m->list->tracks[i].name, t->name) == 0 &&
            strcmp(m->list->tracks[i].split, t->split) == 0) {
            *track = i;
            return m->cache;
        }
    return m->songs;
}

static rv_status add_stem(const rv_track_cache *c, const rv_track_part *part, float *const *planes,
                          float *const *scratch, rv_error *err)
{
    RV_TRY(rv_track_read(c, part, scratch, err));
    for (int i = 0; i < part->channels; i++)
        for (size_t t = 0; t < part->frames; t++)
            planes[i][t] += scratch[i][t];
    return RV_OK;
}

static rv_status add_stems(const rv_track_cache *c, rv_track_part part, float *const *planes,
                           rv_error *err)
{
    const size_t channels = (size_t)part.channels;
    float **scratch = calloc(channels, sizeof *scratch);
    float *memory = calloc(channels, part.frames * sizeof *memory);
    rv_status status =
        scratch && memory ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu frames", part.frames);
    for (size_t i = 0; i < channels && status == RV_OK; i++)
        scratch[i] = memory + i * part.frames;
    const size_t sum = rv_stem_sum((const char *const *)c->list->stems, c->list->n_stems);
    for (part.stem = 0; part.stem < c->list->n_stems && status == RV_OK; part.stem++)
        if (c->list->tracks[part.track].stems[part.stem].n > 0 && part.stem != sum)
            status = add_stem(c, &part, planes, scratch, err);
    free(scratch);
    free(memory);
    return status;
}

rv_status rv_mixtures_read(const rv_mixtures *m, const rv_track_part *part, float *const *planes,
                           rv_error *err)
{
    rv_track_part p = *part;
    p.stem = m->songs->list->n_stems;
    if (m->songs->list->tracks[p.track].mixture.n > 0)
        return rv_track_read(m->songs, &p, planes, err);
    const rv_track_cache *c = look_up(m, &p.track);
    for (int i = 0; i < p.channels; i++)
        memset(planes[i], 0, p.frames * sizeof(float));
    return add_stems(c, p, planes, err);
}
