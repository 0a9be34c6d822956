/* check_compare.c - findings between songs: the same audio twice, odd rates, missing mixtures. */
#include "data/check_findings.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Duplicates */

typedef struct entry {
    uint64_t hash;
    size_t track, stem;
} entry;

static int by_hash(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->track != y->track)
        return x->track < y->track ? -1 : 1;
    return x->stem < y->stem ? -1 : x->stem > y->stem;
}

typedef struct comparison {
    rv_findings *findings;
    const rv_check_track *tracks;
    size_t n_stems;
    entry *entries; /* [n] what sounds, by hash */
    size_t n;
    /* [tracks * (n_stems + 1)] the earlier entry that is the same; .hash 0: there is none */
    entry *twins;
} comparison;

static bool sounds(const rv_check_audio *a)
{
    return a->readable && a->peak > 0;
}

/* For entry `at` the earlier one that matters most: of another split, of another song, any. */
static void choose_twin(const comparison *c, size_t first, size_t at)
{
    const entry *e = &c->entries[at], *best = NULL;
    int best_rank = -1;
    for (size_t i = first; i < at; i++) {
        const entry *o = &c->entries[i];
        const bool other = o->track != e->track;
        const bool leak =
            other && strcmp(c->tracks[o->track].split, c->tracks[e->track].split) != 0;
        const int rank = other + leak;
        if (rank > best_rank) {
            best_rank = rank;
            best = o;
        }
    }
    if (best)
        c->twins[e->track * (c->n_stems + 1) + e->stem] = (entry){ 1, best->track, best->stem };
}

static void find_twins(const comparison *c)
{
    for (size_t i = 0, first = 0; i < c->n; i++) {
        if (c->entries[i].hash != c->entries[first].hash)
            first = i;
        choose_twin(c, first, i);
    }
}

static rv_status report_within(const comparison *c, size_t track, size_t stem, size_t twin,
                               rv_error *err)
{
    const rv_check_audio *audio = c->tracks[track].audio;
    const bool mixture = stem == c->n_stems;
    return rv_findings_add(&c->findings[track],
                           &(rv_check_finding){ mixture ? RV_CHECK_NOTE : RV_CHECK_WARNING,
                                                "duplicate", NULL, audio[stem].name, NULL, 0 },
                           err, "the same audio as %s of this song, %s", audio[twin].name,
                           mixture ? "fine if the song is nothing else"
                                   : "one of them is a wrong file");
}

static rv_status report_between(const comparison *c, size_t track, size_t other, const char *stems,
                                rv_error *err)
{
    const rv_check_track *a = &c->tracks[track], *b = &c->tracks[other];
    const bool leak = strcmp(a->split, b->split) != 0;
    return rv_findings_add(&c->findings[track],
                           &(rv_check_finding){ leak ? RV_CHECK_ERROR : RV_CHECK_WARNING,
                                                leak ? "leak" : "duplicate", NULL, stems, NULL, 0 },
                           err, "the same audio as in %s%s%s%s, take one of them out", b->split,
                           *b->split ? "/" : "", b->name,
                           leak ? ", of another split: scores would be too good" : "");
}

/* One line for all stems that are those of the same other song. */
static rv_status report_pair(const comparison *c, size_t track, size_t other, rv_error *err)
{
    const size_t width = c->n_stems + 1;
    size_t size = 1, used = 0;
    for (size_t s = 0; s < width; s++)
        size += strlen(c->tracks[track].audio[s].name) + 2;
    char *names = calloc(1, size);
    if (!names)
        return RV_FAIL(err, RV_ERR_NOMEM, "names of stems");
    for (size_t s = 0; s < width; s++) {
        entry *twin = &c->twins[track * width + s];
        if (twin->hash == 0 || twin->track != other)
            continue;
        used += (size_t)snprintf(names + used, size - used, "%s%s", used ? ", " : "",
                                 c->tracks[track].audio[s].name);
        twin->hash = 0;
    }
    const rv_status status = report_between(c, track, other, names, err);
    free(names);
    return status;
}

static rv_status report_twins(const comparison *c, size_t track, rv_error *err)
{
    const size_t width = c->n_stems + 1;
    for (size_t s = 0; s < width; s++) {
        const entry *twin = &c->twins[track * width + s];
        if (twin->hash == 0)
            continue;
        if (twin->track == track)
            RV_TRY(report_within(c, track, s, twin->stem, err));
        else
            RV_TRY(report_pair(c, track, twin->track, err));
    }
    return RV_OK;
}

rv_status rv_find_duplicates(rv_findings *findings, const rv_check_track *tracks, size_t n,
                             size_t n_stems, rv_error *err)
{
    const size_t width = n_stems + 1;
    comparison c = { .findings = findings, .tracks = tracks, .n_stems = n_stems };
    c.entries = calloc(n * width + 1, sizeof *c.entries);
    c.twins = calloc(n * width + 1, sizeof *c.twins);
    rv_status status = RV_OK;
    if (!c.entries || !c.twins)
        status = RV_FAIL(err, RV_ERR_NOMEM, "hashes of %zu songs", n);
    for (size_t i = 0; i < n * width && status == RV_OK; i++)
        if (sounds(&tracks[i / width].audio[i % width]))
            c.entries[c.n++] =
                (entry){ tracks[i / width].audio[i % width].hash, i / width, i % width };
    if (status == RV_OK) {
        qsort(c.entries, c.n, sizeof *c.entries, by_hash);
        find_twins(&c);
    }
    for (size_t i = 0; i < n && status == RV_OK; i++)
        status = report_twins(&c, i, err);
    free(c.entries);
    free(c.twins);
    return status;
}

/* Odd ones */

static int rate_of(const rv_check_track *t, size_t n_stems)
{
    for (size_t s = 0; s <= n_stems; s++)
        if (t->audio[s].sample_rate > 0)
            return t->audio[s].sample_rate;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    const int *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The most frequent of values[n], which become sorted; 0 where there are none. */
static int most_frequent(int *values, size_t n)
{
    int best = 0;
    size_t most = 0;
    qsort(values, n, sizeof *values, by_value);
    for (size_t i = 0, run = 0; i < n; i++) {
        run = i > 0 && values[i] == values[i - 1] ? run + 1 : 1;
        if (values[i] != 0 && run > most) {
            most = run;
            best = values[i];
        }
    }
    return best;
}

static rv_status find_odd(rv_findings *f, const rv_check_track *t, size_t n_stems, int rate,
                          bool mixtures, rv_error *err)
{
    const int own = rate_of(t, n_stems);
    if (own != 0 && own != rate)
        RV_TRY(rv_findings_add(f, &(rv_check_finding){ RV_CHECK_NOTE, "rate", NULL, "", NULL, own },
                               err, "%d Hz; most songs are of %d Hz, training resamples it", own,
                               rate));
    if (mixtures && t->audio[n_stems].files == 0)
        RV_TRY(rv_findings_add(
            f, &(rv_check_finding){ RV_CHECK_NOTE, "missing", NULL, "mixture", NULL, 0 }, err,
            "no file, unlike in other songs; the sum of the stems is taken"));
    return RV_OK;
}

rv_status rv_find_odd_tracks(rv_findings *findings, const rv_check_track *tracks, size_t n,
                             size_t n_stems, rv_error *err)
{
    int *rates = calloc(n + 1, sizeof *rates);
    bool mixtures = false;
    if (!rates)
        return RV_FAIL(err, RV_ERR_NOMEM, "rates of %zu songs", n);
    for (size_t i = 0; i < n; i++) {
        rates[i] = rate_of(&tracks[i], n_stems);
        mixtures |= tracks[i].audio[n_stems].files > 0;
    }
    const int rate = most_frequent(rates, n);
    free(rates);
    for (size_t i = 0; i < n; i++)
        RV_TRY(find_odd(&findings[i], &tracks[i], n_stems, rate, mixtures, err));
    return RV_OK;
}
