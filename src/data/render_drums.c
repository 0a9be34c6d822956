/* render_drums.c - drum kits play a part: one kit all of it, or, mixed, each group of drums a kit
 * and a way of its own, so that there are more sounds than kits. */
#include "base/status.h"
#include "data/render_impl.h"

#include <stdlib.h>

/* The first kit from `first` on, around the list, that has a note, exactly or by another piece;
 * their number: none. */
static size_t kit_with(const rv_render *run, size_t first, int note, bool exactly)
{
    const size_t n = run->opt->n_drum_kits;
    for (size_t i = 0; i < n; i++) {
        const size_t kit = (first + i) % n;
        int exact = 0;
        if (rv_drum_kit_piece(run->kits[kit], note, &exact) && (exact || !exactly))
            return kit;
    }
    return n;
}

static size_t kit_for(const rv_render *run, size_t first, int note)
{
    const size_t kit = kit_with(run, first, note, true);
    return kit < run->opt->n_drum_kits ? kit : kit_with(run, first, note, false);
}

typedef struct drum_part {
    rv_track_work *track;
    rv_stem *stem;
    rv_drum_hit *hits, *some; /* [n]; those of one group */
    bool *silent;             /* [n] of `some` */
    size_t n;
} drum_part;

/* What a kit plays of a group. The hits that are another kit's end its sounds, too: an open hi-hat
 * is closed by the pedal of any kit. */
static rv_status play_group(drum_part *p, int group, size_t kit, rv_error *err)
{
    const rv_render *run = p->track->worker->run;
    const size_t first = p->track->drums.group[group].kit;
    rv_drum_way way = p->track->drums.group[group].way;
    size_t n = 0, sounding = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (rv_drum_group(p->hits[i].note) != group)
            continue;
        const bool own = kit_for(run, first, p->hits[i].note) == kit;
        sounding += own;
        p->silent[n] = !own;
        p->some[n++] = p->hits[i];
    }
    if (!sounding)
        return RV_OK;
    way.silent = p->silent;
    p->stem->kits[kit] = true;
    return rv_drum_kit_play_as(run->kits[kit], &way, p->stem->audio, p->track->frames,
                               run->opt->sample_rate, p->some, n, NULL, err);
}

static rv_status play_mixed(drum_part *p, bool *played, rv_error *err)
{
    const size_t kits = p->track->worker->run->opt->n_drum_kits;
    for (int group = 0; group < RV_DRUM_GROUPS; group++) {
        for (size_t kit = 0; kit < kits; kit++)
            RV_TRY(play_group(p, group, kit, err));
    }
    for (size_t kit = 0; kit < kits; kit++)
        *played |= p->stem->kits[kit];
    return RV_OK;
}

static rv_status play_one(drum_part *p, bool *played, rv_error *err)
{
    const rv_render *run = p->track->worker->run;
    const size_t kit = p->track->plan.drum_kit;
    size_t left_out = 0;
    RV_TRY(rv_drum_kit_play(run->kits[kit], p->stem->audio, p->track->frames, run->opt->sample_rate,
                            p->hits, p->n, &left_out, err));
    p->stem->kits[kit] = *played = left_out < p->n;
    return RV_OK;
}

static void collect(drum_part *p, size_t part, rv_part_note *notes)
{
    rv_parts_notes(p->track->parts, part, notes);
    for (size_t i = 0; i < p->n; i++)
        p->hits[i] = (rv_drum_hit){ notes[i].start, notes[i].key, notes[i].velocity / 127.0 };
}

rv_status rv_render_kits(rv_track_work *w, size_t part, bool *played, rv_error *err)
{
    const size_t n = w->parts->items[part].notes;
    rv_stem *stem = &w->stems[part];
    rv_part_note *notes = calloc(n, sizeof *notes);
    drum_part p = { .track = w,
                    .stem = stem,
                    .hits = calloc(n, sizeof *p.hits),
                    .some = calloc(n, sizeof *p.some),
                    .silent = calloc(n, sizeof *p.silent),
                    .n = n };
    stem->kits = calloc(w->worker->run->opt->n_drum_kits, sizeof *stem->kits);
    rv_status status = RV_FAIL(err, RV_ERR_NOMEM, "out of memory for %zu notes", n);
    if (notes && p.hits && p.some && p.silent && stem->kits) {
        collect(&p, part, notes);
        status = w->worker->run->opt->mix_drums ? play_mixed(&p, played, err)
                                                : play_one(&p, played, err);
    }
    free(notes);
    free(p.hits);
    free(p.some);
    free(p.silent);
    return status;
}
