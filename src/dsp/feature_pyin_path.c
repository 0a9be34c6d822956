/* feature_pyin_path.c - see feature_pyin_path.h. */
#include "dsp/feature_pyin_path.h"

#include "base/status.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double change = 0.01; /* probability that voicing changes */

/* Items with room for one more than `n`, doubling; NULL: out of memory, and they are as before. */
static void *grown(void *items, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return items;
    const size_t more = *room ? *room * 2 : 64;
    void *larger = more < SIZE_MAX / 2 / size ? realloc(items, more * size) : NULL;
    *room = larger ? more : *room;
    return larger;
}

static void fill_shape(rv_pyin_path *p)
{
    const double half = (double)p->reach + 1;
    for (size_t d = 0; d <= p->reach; d++)
        p->log_shape[d] = log(1 - (double)d / half);
    for (size_t i = 0; i < p->bins; i++) {
        double sum = 0;
        for (size_t d = 0; d <= p->reach; d++) {
            const int sides = (int)(d <= i) + (int)(d > 0 && i + d < p->bins);
            sum += sides * (1 - (double)d / half);
        }
        p->log_sum[i] = log(sum);
    }
}

rv_status rv_pyin_path_init(rv_pyin_path *p, size_t bins, size_t reach, rv_error *err)
{
    p->bins = bins;
    p->reach = reach < bins ? reach : bins - 1;
    p->log_shape = calloc(p->reach + 1, sizeof *p->log_shape);
    p->log_sum = calloc(bins, sizeof *p->log_sum);
    p->value = calloc(2 * bins, sizeof *p->value);
    p->next = calloc(2 * bins, sizeof *p->next);
    p->best = calloc(2 * bins, sizeof *p->best);
    p->from = calloc(2 * bins, sizeof *p->from);
    p->observed = calloc(2 * bins, sizeof *p->observed);
    if (!p->log_shape || !p->log_sum || !p->value || !p->next || !p->best || !p->from ||
        !p->observed)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu pitches", bins);
    fill_shape(p);
    return RV_OK;
}

void rv_pyin_path_fini(rv_pyin_path *p)
{
    void *const all[] = { p->log_shape, p->log_sum,    p->value, p->next,   p->best, p->from,
                          p->observed,  p->candidates, p->first, p->voiced, p->kept, p->state };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void observe(rv_pyin_path *p, size_t frame)
{
    const size_t end = frame + 1 < p->n ? p->first[frame + 1] : p->n_candidates;
    const double unvoiced = log((1 - (double)p->voiced[frame]) / (double)p->bins + DBL_MIN);
    for (size_t i = 0; i < p->bins; i++) {
        p->observed[i] = log(DBL_MIN);
        p->observed[p->bins + i] = unvoiced;
    }
    for (size_t c = p->first[frame]; c < end; c++)
        p->observed[p->candidates[c].bin] = log((double)p->candidates[c].probability + DBL_MIN);
}

/* For every pitch, the best predecessor within reach among the states of one voicing. */
static void look_back(rv_pyin_path *p, size_t voicing)
{
    const double *value = p->value + voicing * p->bins;
    double *best = p->best + voicing * p->bins, *from = p->from + voicing * p->bins;
    const size_t n = p->bins;
    for (size_t i = 0; i < n; i++)
        best[i] = -INFINITY;
    for (size_t d = 0; d <= 2 * p->reach; d++) { /* from pitch i + d - reach */
        const size_t lead = d < p->reach ? p->reach - d : 0, lag = d > p->reach ? d - p->reach : 0;
        const double shape = p->log_shape[lead + lag];
        for (size_t i = lead; i + lag < n; i++) {
            const size_t source = i + lag - lead;
            const double v = value[source] - p->log_sum[source] + shape;
            const int better = v > best[i];
            best[i] = better ? v : best[i];
            from[i] = better ? (double)source : from[i];
        }
    }
}

/* One frame further; back [2, bins] gets the predecessors if it is not NULL. */
static void step(rv_pyin_path *p, size_t frame, uint16_t *back)
{
    const double stay = log(1 - change), turn = log(change);
    size_t top = 0;
    observe(p, frame);
    look_back(p, 0);
    look_back(p, 1);
    for (size_t s = 1; s < 2 * p->bins; s++)
        top = p->value[s] > p->value[top] ? s : top;
    const double jump = p->value[top] + log(DBL_MIN);
    for (size_t s = 0; s < 2 * p->bins; s++) {
        const size_t i = s % p->bins;
        const bool voiced = s < p->bins;
        const double a = p->best[i] + (voiced ? stay : turn);
        const double b = p->best[p->bins + i] + (voiced ? turn : stay);
        const double near = a >= b ? a : b;
        const size_t source = a >= b ? (size_t)p->from[i] : p->bins + (size_t)p->from[p->bins + i];
        p->next[s] = p->observed[s] + (jump > near ? jump : near);
        if (back)
            back[s] = (uint16_t)(jump > near ? top : source);
    }
    double *const old = p->value;
    p->value = p->next;
    p->next = old;
}

static void start(rv_pyin_path *p)
{
    observe(p, 0);
    for (size_t s = 0; s < 2 * p->bins; s++)
        p->value[s] = p->observed[s] - log(2.0 * (double)p->bins);
}

static rv_status keep(rv_pyin_path *p, rv_error *err)
{
    const size_t bytes = 2 * p->bins * sizeof *p->kept;
    double *kept = grown(p->kept, p->n_kept, &p->room_kept, bytes);
    if (!kept)
        return RV_FAIL(err, RV_ERR_NOMEM, "pitch of %zu frames", p->n);
    p->kept = kept;
    memcpy(p->kept + 2 * p->bins * p->n_kept++, p->value, bytes);
    return RV_OK;
}

static bool grow_frames(rv_pyin_path *p)
{
    size_t room = p->room;
    size_t *first = grown(p->first, p->n, &room, sizeof *first);
    p->first = first ? first : p->first;
    float *voiced = first ? grown(p->voiced, p->n, &p->room, sizeof *voiced) : NULL;
    p->voiced = voiced ? voiced : p->voiced;
    return first && voiced;
}

static bool add_candidate(rv_pyin_path *p, const rv_pitch_candidate *candidate)
{
    rv_pitch_candidate *all =
        grown(p->candidates, p->n_candidates, &p->room_candidates, sizeof *all);
    if (!all)
        return false;
    p->candidates = all;
    all[p->n_candidates++] = *candidate;
    return true;
}

rv_status rv_pyin_path_add(rv_pyin_path *p, const rv_pitch_candidate *candidates, size_t count,
                           double voiced, rv_error *err)
{
    if (!grow_frames(p))
        return RV_FAIL(err, RV_ERR_NOMEM, "pitch of %zu frames", p->n);
    p->first[p->n] = p->n_candidates;
    p->voiced[p->n] = (float)voiced;
    for (size_t i = 0; i < count; i++)
        if (!add_candidate(p, &candidates[i]))
            return RV_FAIL(err, RV_ERR_NOMEM, "pitch of %zu frames", p->n);
    p->n++;
    if (p->n == 1)
        start(p);
    else
        step(p, p->n - 1, NULL);
    return (p->n - 1) % RV_PATH_BLOCK == 0 ? keep(p, err) : RV_OK;
}

/* Frames first + 1 .. end once more, remembering; back [frames, 2, bins]. Then their states from
 * that of frame end - 1 on. */
static void decode_block(rv_pyin_path *p, size_t block, size_t end, uint16_t *back)
{
    const size_t first = block * RV_PATH_BLOCK, row = 2 * p->bins;
    memcpy(p->value, p->kept + row * block, row * sizeof *p->value);
    for (size_t t = first + 1; t < end; t++)
        step(p, t, back + (t - first - 1) * row);
    for (size_t t = end - 1; t > first; t--)
        p->state[t - 1] = back[(t - first - 1) * row + p->state[t]];
}

rv_status rv_pyin_path_decode(rv_pyin_path *p, rv_error *err)
{
    if (p->n == 0)
        return RV_OK;
    uint16_t *back = calloc((RV_PATH_BLOCK + 1) * 2 * p->bins, sizeof *back);
    p->state = calloc(p->n, sizeof *p->state);
    if (!back || !p->state) {
        free(back);
        return RV_FAIL(err, RV_ERR_NOMEM, "pitch of %zu frames", p->n);
    }
    size_t top = 0;
    for (size_t s = 1; s < 2 * p->bins; s++)
        top = p->value[s] > p->value[top] ? s : top;
    p->state[p->n - 1] = (uint16_t)top;
    for (size_t block = p->n_kept; block-- > 0;) {
        const size_t next = (block + 1) * RV_PATH_BLOCK + 1; /* reaches the next block's first */
        decode_block(p, block, next < p->n ? next : p->n, back);
    }
    free(back);
    return RV_OK;
}

const rv_pitch_candidate *rv_pyin_path_find(const rv_pyin_path *p, size_t frame, size_t bin)
{
    const size_t end = frame + 1 < p->n ? p->first[frame + 1] : p->n_candidates;
    for (size_t c = p->first[frame]; c < end; c++)
        if (p->candidates[c].bin == bin)
            return &p->candidates[c];
    return NULL;
}
