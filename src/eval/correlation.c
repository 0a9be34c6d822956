/* correlation.c - see correlation.h.
 *
 * A block of `step` frames of x_a, and the same frames of x_b with taps - 1 more on both sides, are
 * transformed; conj(A) B is the correlation at lags from -(taps - 1) on. Blocks are taken in
 * groups, so that the tasks of a group are transforms, and then pairs of signals, each of which
 * adds its blocks in order. */
#include "eval/correlation.h"

#include "base/status.h"
#include "dsp/fft_double.h"
#include "eval/complex_sums.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE = 8192, GROUP = 8, TAPS_MAX = 2048 };

typedef struct correlator {
    const rv_signals *signals;
    rv_correlations *out;
    rv_fft_double *fft;
    size_t row, step, n_views, n_pairs;
    size_t first, n_blocks; /* of the group */
    double *spectra;        /* [n_views][GROUP][row]: inputs, inputs and targets with margins */
    double *sums;           /* [n_pairs][row]: inputs a <= b, then inputs with targets */
    size_t (*pairs)[2];     /* [n_pairs] views */
} correlator;

static const float *signal_of(const correlator *c, size_t view)
{
    const rv_signals *s = c->signals;
    return view < 2 * s->n_inputs ? s->inputs[view % s->n_inputs]
                                  : s->targets[view - 2 * s->n_inputs];
}

static void transform(void *job, size_t task, int worker)
{
    const correlator *c = job;
    const size_t view = task / c->n_blocks, block = task % c->n_blocks;
    const ptrdiff_t margin = view < c->signals->n_inputs ? 0 : (ptrdiff_t)c->out->taps - 1;
    const ptrdiff_t begin = (ptrdiff_t)((c->first + block) * c->step) - margin;
    const ptrdiff_t end = begin + (ptrdiff_t)c->step + 2 * margin;
    const ptrdiff_t frames = (ptrdiff_t)c->signals->frames, last = end < frames ? end : frames;
    const float *x = signal_of(c, view) + c->signals->from;
    double *row = c->spectra + (view * GROUP + block) * c->row;
    (void)worker;
    memset(row, 0, c->row * sizeof *row);
    for (ptrdiff_t t = begin > 0 ? begin : 0; t < last; t++)
        row[t - begin] = (double)x[t];
    rv_fft_double_forward(c->fft, row);
}

static void add_pair(void *job, size_t pair, int worker)
{
    const correlator *c = job;
    const double *a = c->spectra + c->pairs[pair][0] * GROUP * c->row;
    const double *b = c->spectra + c->pairs[pair][1] * GROUP * c->row;
    (void)worker;
    for (size_t k = 0; k < c->n_blocks; k++)
        rv_add_conjugate_product(c->sums + pair * c->row, a + k * c->row, b + k * c->row,
                                 SIZE / 2 + 1);
}

/* The sum of a pair as numbers, lag -(taps - 1) first. */
static void finish_pair(const correlator *c, size_t pair)
{
    const size_t n = c->signals->n_inputs, taps = c->out->taps, lags = 2 * taps - 1;
    const size_t a = c->pairs[pair][0], b = c->pairs[pair][1] - n;
    double *sum = c->sums + pair * c->row;
    rv_fft_double_inverse(c->fft, sum);
    for (size_t l = 0; l < lags; l++)
        sum[l] /= SIZE;
    if (b >= n) {
        memcpy(c->out->with + (a * c->signals->n_targets + b - n) * taps, sum + taps - 1,
               taps * sizeof *sum);
        return;
    }
    double *there = c->out->between + (a * n + b) * lags,
           *back = c->out->between + (b * n + a) * lags;
    for (size_t l = 0; l < lags; l++) {
        there[l] = sum[l];
        back[lags - 1 - l] = sum[l];
    }
}

static void list_pairs(correlator *c)
{
    const size_t n = c->signals->n_inputs;
    size_t k = 0;
    for (size_t a = 0; a < n; a++)
        for (size_t b = n + a; b < c->n_views; b++) {
            c->pairs[k][0] = a;
            c->pairs[k++][1] = b;
        }
    c->n_pairs = k;
}

static rv_status begin(correlator *c, rv_error *err)
{
    const rv_signals *s = c->signals;
    const size_t n = s->n_inputs, taps = c->out->taps;
    RV_TRY(rv_fft_double_new(&c->fft, SIZE, err));
    c->row = rv_fft_double_row(c->fft);
    c->step = SIZE - 2 * (taps - 1);
    c->n_views = 2 * n + s->n_targets;
    c->pairs = calloc(n * c->n_views + 1, sizeof *c->pairs);
    c->spectra = rv_fft_double_rows(c->fft, c->n_views * GROUP);
    c->sums = rv_fft_double_rows(c->fft, n * c->n_views);
    c->out->between = calloc(n * n, (2 * taps - 1) * sizeof(double));
    c->out->with = calloc(n * s->n_targets + 1, taps * sizeof(double));
    if (!c->pairs || !c->spectra || !c->sums || !c->out->between || !c->out->with)
        return RV_FAIL(err, RV_ERR_NOMEM, "correlations of %zu signals", n + s->n_targets);
    list_pairs(c);
    return RV_OK;
}

static void run(correlator *c, rv_pool *pool)
{
    const size_t blocks = (c->signals->frames + c->step - 1) / c->step;
    for (c->first = 0; c->first < blocks; c->first += GROUP) {
        c->n_blocks = blocks - c->first < GROUP ? blocks - c->first : GROUP;
        rv_pool_run(pool, c->n_views * c->n_blocks, transform, c);
        rv_pool_run(pool, c->n_pairs, add_pair, c);
    }
    for (size_t pair = 0; pair < c->n_pairs; pair++)
        finish_pair(c, pair);
}

rv_status rv_correlate(rv_correlations *out, const rv_signals *s, size_t taps, rv_pool *pool,
                       rv_error *err)
{
    rv_correlations result = { .n_inputs = s->n_inputs, .n_targets = s->n_targets, .taps = taps };
    correlator c = { .signals = s, .out = &result };
    if (taps < 1 || taps > TAPS_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "%zu taps; expected 1 to %d", taps, TAPS_MAX);
    const rv_status status = begin(&c, err);
    if (status == RV_OK)
        run(&c, pool);
    rv_fft_double_drop(c.spectra);
    rv_fft_double_drop(c.sums);
    rv_fft_double_free(c.fft);
    free(c.pairs);
    if (status == RV_OK)
        *out = result;
    else
        rv_correlations_free(&result);
    return status;
}

void rv_correlations_free(rv_correlations *c)
{
    free(c->between);
    free(c->with);
    *c = (rv_correlations){ 0 };
}
