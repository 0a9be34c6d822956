/* feature_pyin.c - pYIN (Mauch & Dixon, "pYIN: a fundamental frequency estimator using
 * probabilistic threshold distributions", 2014), with the choices of librosa 0.11.
 *
 * YIN is run for 100 thresholds at once. A threshold s has the probability that a beta distribution
 * B(2, 18) gives it; of n troughs below it the k-th (from 0, shortest period first) is the period
 * with probability
 *
 *     (1 - e^-2) e^(-2k) / (1 - e^(-2n))
 *
 * and where there is none, the deepest trough with 0.01. The troughs are candidates for the path
 * (dsp/feature_pyin_path.h) through pitches of 10 cents. */
#include "dsp/feature_kind.h"

#include "base/status.h"
#include "dsp/feature_pyin_path.h"
#include "dsp/feature_yin.h"

#include <math.h>
#include <stdlib.h>

enum { THRESHOLDS = 100, BINS_PER_OCTAVE = 120 };
static const double no_trough = 0.01, octaves_per_second = 35.92;

/* Less cannot decide anything: troughs beyond the tenth or so, which would be most of the memory */
static const double negligible = 1e-12;

typedef struct pyin {
    const rv_feature_spec *spec;
    rv_yin yin;
    rv_pyin_path path;
    double prior[THRESHOLDS];
    size_t *trough;                 /* [lags]: indices of lags */
    double *probability;            /* [lags], of a trough */
    rv_pitch_candidate *candidates; /* [lags] */
} pyin;

static size_t width(const rv_feature_spec *spec)
{
    (void)spec;
    return 3;
}

static void destroy(void *state)
{
    pyin *p = state;
    rv_yin_fini(&p->yin);
    rv_pyin_path_fini(&p->path);
    free(p->trough);
    free(p->probability);
    free(p->candidates);
    free(p);
}

/* P(B(2, 18) <= x) */
static double beta(double x)
{
    return 1 - pow(1 - x, 18) * (1 + 18 * x);
}

static rv_status init(pyin *p, rv_error *err)
{
    const rv_feature_spec *s = p->spec;
    const double octaves = log2(s->f0_max / s->f0_min);
    const size_t bins = (size_t)floor(BINS_PER_OCTAVE * octaves) + 1;
    const double semitones = rint(octaves_per_second * 12 / s->frame_rate);
    const size_t reach = (size_t)fmin(semitones * BINS_PER_OCTAVE / 24, (double)bins);
    for (int i = 0; i < THRESHOLDS; i++)
        p->prior[i] = beta((i + 1) * 0.01) - beta(i * 0.01);
    RV_TRY(rv_yin_init(&p->yin, s, err));
    RV_TRY(rv_pyin_path_init(&p->path, bins, reach, err));
    p->trough = calloc(p->yin.lags, sizeof *p->trough);
    p->probability = calloc(p->yin.lags, sizeof *p->probability);
    p->candidates = calloc(p->yin.lags, sizeof *p->candidates);
    return p->trough && p->probability && p->candidates
               ? RV_OK
               : RV_FAIL(err, RV_ERR_NOMEM, "f0: %zu lags", p->yin.lags);
}

static rv_status create(void **state, const rv_feature_input *input, rv_error *err)
{
    pyin *p = calloc(1, sizeof *p);
    if (!p)
        return RV_FAIL(err, RV_ERR_NOMEM, "f0");
    p->spec = input->spec;
    const rv_status st = init(p, err);
    if (st != RV_OK) {
        destroy(p);
        return st;
    }
    *state = p;
    return RV_OK;
}

static size_t find_troughs(pyin *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->yin.lags; i++)
        if (rv_yin_trough(&p->yin, i))
            p->trough[n++] = i;
    return n;
}

/* What one threshold adds to the n troughs' probabilities. */
static void add_threshold(pyin *p, size_t n, double threshold, double prior)
{
    const double *d = p->yin.difference;
    size_t below = 0, deepest = 0;
    for (size_t i = 0; i < n; i++) {
        below += d[p->trough[i]] < threshold;
        deepest = d[p->trough[i]] < d[p->trough[deepest]] ? i : deepest;
    }
    if (below == 0) {
        p->probability[deepest] += no_trough * prior;
        return;
    }
    double part = prior * (1 - exp(-2)) / (1 - exp(-2.0 * (double)below));
    for (size_t i = 0; i < n; i++)
        if (d[p->trough[i]] < threshold) {
            p->probability[i] += part;
            part *= exp(-2);
        }
}

/* Several troughs may share a pitch: the likeliest counts; in librosa the longest period. */
static size_t add_candidate(pyin *p, size_t n, double bin, double probability, double hz)
{
    const rv_pitch_candidate c = { (uint16_t)fmax(bin, 0), (float)probability, (float)hz };
    for (size_t i = 0; i < n; i++)
        if (p->candidates[i].bin == c.bin) {
            if (p->spec->f0_librosa || c.probability > p->candidates[i].probability)
                p->candidates[i] = c;
            return n;
        }
    p->candidates[n] = c;
    return n + 1;
}

static size_t find_candidates(pyin *p, size_t n_troughs)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < n_troughs; i++) {
        const double hz = rv_yin_hz(&p->yin, p->trough[i]);
        const double bin = rint(BINS_PER_OCTAVE * log2(hz / p->spec->f0_min));
        if (p->probability[i] > 0 && bin < (double)p->path.bins)
            n = add_candidate(p, n, bin, p->probability[i], hz);
    }
    for (size_t i = 0; i < n; i++)
        if ((double)p->candidates[i].probability > negligible)
            p->candidates[kept++] = p->candidates[i];
    return kept;
}

static rv_status collect(void *state, const float *window, rv_error *err)
{
    pyin *p = state;
    double voiced = 0;
    rv_yin_measure(&p->yin, window);
    const size_t n = find_troughs(p);
    for (size_t i = 0; i < n; i++)
        p->probability[i] = 0;
    for (int s = 0; n > 0 && s < THRESHOLDS; s++)
        add_threshold(p, n, (s + 1) * 0.01, p->prior[s]);
    const size_t n_candidates = find_candidates(p, n);
    for (size_t i = 0; i < n_candidates; i++)
        voiced += (double)p->candidates[i].probability;
    return rv_pyin_path_add(&p->path, p->candidates, n_candidates, fmin(voiced, 1), err);
}

static rv_status finish(void *state, rv_error *err)
{
    pyin *p = state;
    return rv_pyin_path_decode(&p->path, err);
}

static void row(void *state, size_t frame, float *out)
{
    const pyin *p = state;
    const size_t s = p->path.state[frame], bin = s % p->path.bins;
    const rv_pitch_candidate *found = rv_pyin_path_find(&p->path, frame, bin);
    const bool grid = p->spec->f0_librosa || s >= p->path.bins || !found;
    out[0] = grid ? (float)(p->spec->f0_min * exp2((double)bin / BINS_PER_OCTAVE)) : found->hz;
    out[1] = p->path.voiced[frame];
    out[2] = s < p->path.bins;
}

const rv_feature_kind rv_feature_pyin = { .width = width,
                                          .create = create,
                                          .destroy = destroy,
                                          .collect = collect,
                                          .finish = finish,
                                          .row = row };
