/* pitch_viterbi.c - the most probable path of pitch bins.
 *
 *     v[0,j] = log p[0,j] / 360,   v[t,j] = log p[t,j] + max over i of (v[t-1,i] + log a[i,j])
 *     a[i,j] = max(12 - |i - j|, 0) / (sum of the row)
 *
 * as CREPE and torchcrepe set it up. Where there may be jumps, log 0 is the logarithm of the least
 * normal float as in librosa, which torchcrepe uses: a jump of 12 bins and more has a price that
 * does not depend on its length, so that the best one comes from the best state. Among equals the
 * lowest bin wins.
 *
 * The path is emitted up to the last frame through which the best paths to all states go: nothing
 * that comes can change it. Where there is no such frame for too long (silence), the older half of
 * the best path is emitted, and memory stays bounded. */
#include "dsp/pitch_viterbi.h"

#include "base/status.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = RV_PITCH_BINS, REACH = 11 };

struct rv_pitch_viterbi {
    double score[BINS];
    double log_step[BINS][2 * REACH + 1]; /* log a[i, i - REACH + k] */
    double log_jump;
    unsigned short (*from)[BINS]; /* [RV_VITERBI_FRAMES]: best bin before, of undecided frames */
    size_t undecided;
    bool started;
};

static void fill_steps(rv_pitch_viterbi *v)
{
    for (int i = 0; i < BINS; i++) {
        double sum = 0;
        for (int j = i - REACH; j <= i + REACH; j++)
            sum += j >= 0 && j < BINS ? REACH + 1 - abs(i - j) : 0;
        for (int j = i - REACH; j <= i + REACH; j++)
            v->log_step[i][j - i + REACH] = log((REACH + 1 - abs(i - j)) / sum + (double)FLT_MIN);
    }
}

rv_status rv_pitch_viterbi_new(rv_pitch_viterbi **out, bool jumps, rv_error *err)
{
    rv_pitch_viterbi *v = calloc(1, sizeof *v);
    if (v)
        v->from = malloc(RV_VITERBI_FRAMES * sizeof *v->from);
    if (!v || !v->from) {
        free(v);
        return RV_FAIL(err, RV_ERR_NOMEM, "a path of pitches");
    }
    fill_steps(v);
    v->log_jump = jumps ? log((double)FLT_MIN) : -HUGE_VAL;
    *out = v;
    return RV_OK;
}

void rv_pitch_viterbi_free(rv_pitch_viterbi *v)
{
    if (!v)
        return;
    free(v->from);
    free(v);
}

static size_t best_state(const rv_pitch_viterbi *v)
{
    size_t best = 0;
    for (size_t i = 1; i < BINS; i++)
        best = v->score[i] > v->score[best] ? i : best;
    return best;
}

/* The best state before j, and the score on arrival. */
static size_t best_before(const rv_pitch_viterbi *v, int j, size_t best, double *score)
{
    const int first = j > REACH ? j - REACH : 0, last = j + REACH < BINS ? j + REACH : BINS - 1;
    size_t from = best;
    double most = -HUGE_VAL;
    for (int i = first; i <= last; i++) {
        const double here = v->score[i] + v->log_step[i][j - i + REACH];
        if (here > most) {
            most = here;
            from = (size_t)i;
        }
    }
    const double jump = v->score[best] + v->log_jump;
    if (jump > most || (jump == most && best < from)) {
        most = jump;
        from = best;
    }
    *score = most;
    return from;
}

void rv_pitch_viterbi_push(rv_pitch_viterbi *v, const double *log_probability)
{
    unsigned short *from = v->from[v->undecided++];
    double next[BINS];
    const size_t best = best_state(v);
    for (int j = 0; j < BINS; j++) {
        double score = -log(BINS); /* any bin may be the first */
        from[j] = v->started ? (unsigned short)best_before(v, j, best, &score) : 0;
        next[j] = score + log_probability[j];
    }
    memcpy(v->score, next, sizeof next);
    v->started = true;
}

/* Undecided frames up to the last one through which all best paths go; its bin. */
static size_t common(const rv_pitch_viterbi *v, unsigned short *bin)
{
    unsigned short at[BINS];
    size_t n = BINS;
    for (size_t i = 0; i < BINS; i++)
        at[i] = (unsigned short)i;
    for (size_t t = v->undecided; t-- > 1;) {
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) { /* equal ones are neighbours, but for jumps */
            const unsigned short before = v->from[t][at[i]];
            if (kept == 0 || at[kept - 1] != before)
                at[kept++] = before;
        }
        n = kept;
        if (n == 1) {
            *bin = at[0];
            return t;
        }
    }
    return 0;
}

/* Bins of the first `count` frames, on the way that ends with `bin` in frame `last`. */
static void trace(const rv_pitch_viterbi *v, unsigned short *bins, size_t count, size_t last,
                  unsigned short bin)
{
    for (size_t t = last; t != (size_t)-1; t--) {
        if (t < count)
            bins[t] = bin;
        bin = v->from[t][bin];
    }
}

size_t rv_pitch_viterbi_decide(rv_pitch_viterbi *v, unsigned short *bins, bool at_end)
{
    unsigned short bin = (unsigned short)best_state(v);
    size_t count = at_end ? v->undecided : common(v, &bin);
    size_t last = count - 1;
    if (count == 0 && v->undecided == RV_VITERBI_FRAMES) {
        count = RV_VITERBI_FRAMES / 2;
        last = v->undecided - 1;
    }
    if (count == 0)
        return 0;
    trace(v, bins, count, last, bin);
    v->undecided -= count;
    memmove(v->from, v->from + count, v->undecided * sizeof *v->from);
    return count;
}
