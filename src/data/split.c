/* split.c - see track_list.h for the rules.
 *
 * A drawn song depends on the seed and its own name: one that is added to the data set, or found
 * in another order, changes little. */
#include "data/split.h"

#include "base/rng.h"
#include "base/status.h"
#include "io/hash64.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAW_STREAM = 0x5b117 };

typedef struct chooser {
    const rv_song_list *l;
    const rv_layout *layout;
    const rv_track_query *q;
    bool flat;    /* no song is in a split: all count as "train" */
    bool *train;  /* [n] in train_split */
    bool *valid;  /* [n] validated on */
    bool *chosen; /* [n] */
} chooser;

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool in_split(const chooser *c, size_t song, const char *split)
{
    const char *known = rv_split_of_folder(split);
    const char *wanted = known ? known : split, *own = c->flat ? "train" : c->l->at[song].split;
    return strcmp(split, "all") == 0 || strcmp(own, wanted) == 0;
}

static size_t mark_split(const chooser *c, bool *marks, const char *split)
{
    size_t n = 0;
    for (size_t i = 0; i < c->l->n; i++)
        n += marks[i] = in_split(c, i, split);
    return n;
}

/* Songs named by the caller must be there; published ones need not, in a part of a data set. */
static rv_status mark_named(const chooser *c, rv_error *err)
{
    const rv_track_query *q = c->q;
    for (size_t k = 0; k < q->n_valid_songs; k++) {
        bool found = false;
        for (size_t i = 0; i < c->l->n; i++)
            if (strcmp(c->l->at[i].name, q->valid_songs[k]) == 0)
                found = c->valid[i] = true;
        if (!found)
            return RV_FAIL(err, RV_ERR_ARG, "%s: no song named '%s' to validate on", q->root,
                           q->valid_songs[k]);
    }
    return RV_OK;
}

static void mark_published(const chooser *c)
{
    size_t n = 0;
    while (c->layout->valid && c->layout->valid[n])
        n++;
    for (size_t i = 0; i < c->l->n; i++)
        c->valid[i] = c->train[i] && is_one_of(c->l->at[i].name, c->layout->valid, n);
}

typedef struct lot {
    uint64_t key;
    const char *name;
    size_t song;
} lot;

static int by_key(const void *a, const void *b)
{
    const lot *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return strcmp(x->name, y->name);
}

static rv_status mark_fraction(const chooser *c, size_t n_train, rv_error *err)
{
    lot *lots = calloc(n_train + 1, sizeof *lots);
    const size_t n = (size_t)fmax(1, round(c->q->valid_fraction * (double)n_train));
    if (!lots)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", c->q->root);
    for (size_t i = 0, k = 0; i < c->l->n; i++)
        if (c->train[i]) {
            const char *name = c->l->at[i].name;
            const uint64_t hash = rv_hash64(name, strlen(name), 0);
            lots[k++] = (lot){ rv_rng_bits(c->q->seed, DRAW_STREAM, hash), name, i };
        }
    qsort(lots, n_train, sizeof *lots, by_key);
    for (size_t k = 0; k < n && k < n_train; k++)
        c->valid[lots[k].song] = true;
    free(lots);
    return RV_OK;
}

static rv_status mark_valid(const chooser *c, rv_error *err)
{
    const rv_track_query *q = c->q;
    const size_t n_train = mark_split(c, c->train, q->train_split ? q->train_split : "train");
    if (!(q->valid_fraction >= 0 && q->valid_fraction < 1))
        return RV_FAIL(err, RV_ERR_ARG, "%g of the songs to validate on; expected 0 to below 1",
                       q->valid_fraction);
    if (q->n_valid_songs > 0)
        return mark_named(c, err);
    if (q->valid_fraction > 0)
        return mark_fraction(c, n_train, err);
    const char *split = q->valid_split ? q->valid_split : "valid";
    if (mark_split(c, c->valid, split) == 0 && !q->valid_split)
        mark_published(c);
    return RV_OK;
}

/* "train 80, test 20" */
static void describe(const chooser *c, char *text, size_t room)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < c->l->n && used < room; i++) {
        size_t n = 0, first = i;
        for (size_t k = 0; k < c->l->n; k++)
            if (strcmp(c->l->at[k].split, c->l->at[i].split) == 0) {
                first = k < first ? k : first;
                n++;
            }
        const char *split = c->l->at[i].split;
        if (first == i)
            used += (size_t)snprintf(text + used, room - used, "%s%zu in %.40s", used ? ", " : "",
                                     n, *split ? split : "no split");
    }
}

static rv_status check_left(const chooser *c, size_t left, rv_error *err)
{
    const rv_track_query *q = c->q;
    char splits[300];
    if (left > 0)
        return RV_OK;
    const bool asked = q->valid_split && strcmp(q->split, "valid") == 0;
    if (q->may_be_empty && !asked)
        return RV_OK;
    describe(c, splits, sizeof splits);
    if (strcmp(q->split, "train") == 0 &&
        mark_split(c, c->chosen, q->train_split ? q->train_split : "train"))
        return RV_FAIL(err, RV_ERR_ARG, "%s: no songs are left to train on, all are validated on",
                       q->root);
    return RV_FAIL(err, RV_ERR_IO, "%s: no songs in the split '%s'; there are %s", q->root,
                   asked ? q->valid_split : q->split, splits);
}

static rv_status choose(const chooser *c, rv_error *err)
{
    const char *split = c->q->split;
    RV_TRY(mark_valid(c, err));
    size_t left = 0;
    for (size_t i = 0; i < c->l->n; i++) {
        if (!split)
            c->chosen[i] = true;
        else if (strcmp(split, "train") == 0)
            c->chosen[i] = c->train[i] && !c->valid[i];
        else
            c->chosen[i] = strcmp(split, "valid") == 0 ? c->valid[i] : in_split(c, i, split);
        left += c->chosen[i];
    }
    return check_left(c, left, err);
}

static void keep_chosen(rv_song_list *l, const bool *chosen)
{
    size_t to = 0;
    for (size_t i = 0; i < l->n; i++)
        if (chosen[i])
            l->at[to++] = l->at[i];
        else
            rv_song_free(&l->at[i]);
    l->n = to;
}

rv_status rv_split_choose(rv_song_list *l, const rv_layout *layout, const rv_track_query *q,
                          rv_error *err)
{
    chooser c = { .l = l, .layout = layout, .q = q, .flat = true };
    bool *marks = calloc(3 * l->n + 1, sizeof *marks);
    if (!marks)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", q->root);
    for (size_t i = 0; i < l->n; i++)
        c.flat &= !*l->at[i].split;
    c.train = marks;
    c.valid = marks + l->n;
    c.chosen = marks + 2 * l->n;
    const rv_status status = choose(&c, err);
    if (status == RV_OK)
        keep_chosen(l, c.chosen);
    free(marks);
    return status;
}
