/* bss_projection.c - see bss_projection.h. Convolutions by overlap-save in short blocks: spectra of
 * the filters stay in the cache, and the sources' blocks are transformed once for all estimates. */
#include "eval/bss_projection.h"

#include "base/status.h"
#include "eval/complex_sums.h"
#include "eval/toeplitz.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE = 4096, BINS = SIZE / 2 + 1 };

rv_status rv_bss_space_open(rv_bss_space *s, rv_error *err)
{
    if (s->taps < 1 || s->taps > SIZE / 2)
        return RV_FAIL(err, RV_ERR_ARG, "%zu taps; expected 1 to %d", s->taps, SIZE / 2);
    return rv_fft_double_new(&s->fft, SIZE, err);
}

void rv_bss_space_close(rv_bss_space *s)
{
    rv_fft_double_free(s->fft);
    s->fft = NULL;
}

/* Filters ----------------------------------------------------------------------------------- */

/* System 0: all sources; system 1 + j: source j alone. Estimates are targets in both. */
typedef struct solving {
    const rv_bss_space *space;
    rv_correlations correlations;
    double **filters; /* [1 + sources], each [targets][inputs][taps] */
    rv_status *status;
    rv_error *errors;
} solving;

/* A single pair needs only its own estimate. */
static rv_filter_system system_of(const solving *s, size_t i)
{
    const rv_bss_input *in = s->space->in;
    const size_t channels = in->channels, all = in->sources * channels;
    const bool one = i > 0 && s->space->n_pairs == in->sources;
    return (rv_filter_system){ .correlations = &s->correlations,
                               .first_input = i > 0 ? (i - 1) * channels : 0,
                               .n_inputs = i > 0 ? channels : all,
                               .first_target = one ? (i - 1) * channels : 0,
                               .n_targets = one ? channels : all };
}

static void solve_one(void *job, size_t i, int worker)
{
    solving *s = job;
    const rv_filter_system system = system_of(s, i);
    (void)worker;
    s->filters[i] = calloc(system.n_inputs * system.n_targets, s->space->taps * sizeof(double));
    s->status[i] = s->filters[i] ? rv_solve_filters(s->filters[i], &system, &s->errors[i])
                                 : RV_FAIL(&s->errors[i], RV_ERR_NOMEM, "filters of %zu signals",
                                           system.n_inputs);
}

static rv_status solve_all(solving *s, rv_pool *pool, rv_error *err)
{
    const size_t n = s->space->in->sources + 1;
    s->filters = calloc(n, sizeof *s->filters);
    s->status = calloc(n, sizeof *s->status);
    s->errors = calloc(n, sizeof *s->errors);
    if (!s->filters || !s->status || !s->errors)
        return RV_FAIL(err, RV_ERR_NOMEM, "filters of %zu sources", n - 1);
    rv_pool_run(pool, n, solve_one, s);
    for (size_t i = 0; i < n; i++)
        if (s->status[i] != RV_OK)
            return RV_FAIL(err, s->status[i], "%s", s->errors[i].text);
    return RV_OK;
}

static void free_solving(solving *s)
{
    for (size_t i = 0; s->filters && i <= s->space->in->sources; i++)
        free(s->filters[i]);
    free((void *)s->filters);
    free(s->status);
    free(s->errors);
    rv_correlations_free(&s->correlations);
}

static void transform(const rv_bss_space *s, double *row, const double *taps)
{
    for (size_t t = 0; t < s->taps; t++)
        row[t] = taps[t] / SIZE;
    rv_fft_double_forward(s->fft, row);
}

static rv_status transform_all(rv_bss_filters *out, const solving *from, rv_error *err)
{
    const rv_bss_space *s = from->space;
    const size_t channels = s->in->channels, inputs = s->in->sources * channels;
    const size_t row = rv_fft_double_row(s->fft), square = channels * channels;
    const bool one = s->n_pairs == s->in->sources;
    out->all = rv_fft_double_rows(s->fft, inputs * inputs);
    out->own = rv_fft_double_rows(s->fft, s->n_pairs * square);
    if (!out->all || !out->own)
        return RV_FAIL(err, RV_ERR_NOMEM, "filters of %zu signals", inputs);
    for (size_t i = 0; i < inputs * inputs; i++)
        transform(s, out->all + i * row, from->filters[0] + i * s->taps);
    for (size_t p = 0; p < s->n_pairs; p++) {
        const double *filters = from->filters[1 + s->pairs[p].source];
        filters += one ? 0 : s->pairs[p].estimate * square * s->taps;
        for (size_t i = 0; i < square; i++)
            transform(s, out->own + (p * square + i) * row, filters + i * s->taps);
    }
    return RV_OK;
}

rv_status rv_bss_filters_new(rv_bss_filters *out, const rv_bss_space *s, size_t from, size_t frames,
                             rv_pool *pool, rv_error *err)
{
    const size_t planes = s->in->sources * s->in->channels;
    const rv_signals signals = { .inputs = s->in->references,
                                 .targets = s->in->estimates,
                                 .n_inputs = planes,
                                 .n_targets = planes,
                                 .from = from,
                                 .frames = frames };
    solving work = { .space = s };
    *out = (rv_bss_filters){ 0 };
    rv_status status = rv_correlate(&work.correlations, &signals, s->taps, pool, err);
    if (status == RV_OK)
        status = solve_all(&work, pool, err);
    if (status == RV_OK)
        status = transform_all(out, &work, err);
    free_solving(&work);
    if (status != RV_OK)
        rv_bss_filters_free(out);
    return status;
}

void rv_bss_filters_free(rv_bss_filters *f)
{
    rv_fft_double_drop(f->all);
    rv_fft_double_drop(f->own);
    *f = (rv_bss_filters){ 0 };
}

/* Energies ---------------------------------------------------------------------------------- */

/* A block of the output: frames at .. at + n of the part, its tail included. */
typedef struct block {
    size_t from, frames; /* of the part */
    size_t at, n;
    double *inputs;    /* [sources * channels][row] */
    double *all, *own; /* [channels][row] */
} block;

size_t rv_bss_scratch(const rv_bss_space *s)
{
    return (s->in->sources + 2) * s->in->channels;
}

/* The sources' frames that the block's output depends on. */
static void load(const rv_bss_space *s, const block *b)
{
    const ptrdiff_t begin = (ptrdiff_t)b->at - (ptrdiff_t)s->taps + 1;
    const ptrdiff_t end = begin + SIZE < (ptrdiff_t)b->frames ? begin + SIZE : (ptrdiff_t)b->frames;
    const size_t row = rv_fft_double_row(s->fft);
    for (size_t p = 0; p < s->in->sources * s->in->channels; p++) {
        double *to = b->inputs + p * row;
        memset(to, 0, row * sizeof *to);
        for (ptrdiff_t t = begin > 0 ? begin : 0; t < end; t++)
            to[t - begin] = (double)s->in->references[p][b->from + (size_t)t];
        rv_fft_double_forward(s->fft, to);
    }
}

/* y = sum of inputs through filters [n][row]; its first taps - 1 samples mean nothing. */
static void filter(const rv_bss_space *s, double *y, const double *inputs, const double *filters,
                   size_t n)
{
    const size_t row = rv_fft_double_row(s->fft);
    memset(y, 0, row * sizeof *y);
    for (size_t i = 0; i < n; i++)
        rv_add_product(y, inputs + i * row, filters + i * row, BINS);
    rv_fft_double_inverse(s->fft, y);
}

static void add_energies(rv_bss_energies *sum, const rv_bss_space *s, const block *b,
                         const rv_bss_pair *pair, size_t channel)
{
    const size_t row = rv_fft_double_row(s->fft), channels = s->in->channels;
    const float *source = s->in->references[pair->source * channels + channel] + b->from;
    const float *estimate = s->in->estimates[pair->estimate * channels + channel] + b->from;
    const double *all = b->all + channel * row + s->taps - 1;
    const double *own = b->own + channel * row + s->taps - 1;
    for (size_t k = 0; k < b->n; k++) {
        const bool inside = b->at + k < b->frames;
        const double x = inside ? (double)source[b->at + k] : 0;
        const double e = inside ? (double)estimate[b->at + k] : 0;
        sum->source += x * x;
        sum->error += (e - x) * (e - x);
        sum->spatial += (own[k] - x) * (own[k] - x);
        sum->own += own[k] * own[k];
        sum->own_error += (e - own[k]) * (e - own[k]);
        sum->interference += (all[k] - own[k]) * (all[k] - own[k]);
        sum->all += all[k] * all[k];
        sum->artifacts += (e - all[k]) * (e - all[k]);
    }
}

static void measure_block(rv_bss_energies *energies, const rv_bss_space *s, const rv_bss_filters *f,
                          const block *b)
{
    const size_t channels = s->in->channels, inputs = s->in->sources * channels;
    const size_t row = rv_fft_double_row(s->fft);
    size_t ready = s->in->sources; /* the estimate whose projection b->all holds */
    load(s, b);
    for (size_t p = 0; p < s->n_pairs; p++) {
        const rv_bss_pair *pair = &s->pairs[p];
        for (size_t c = 0; c < channels; c++) {
            const double *own = f->own + (p * channels + c) * channels * row;
            const double *all = f->all + (pair->estimate * channels + c) * inputs * row;
            if (pair->estimate != ready)
                filter(s, b->all + c * row, b->inputs, all, inputs);
            filter(s, b->own + c * row, b->inputs + pair->source * channels * row, own, channels);
            add_energies(&energies[p], s, b, pair, c);
        }
        ready = pair->estimate;
    }
}

void rv_bss_measure(rv_bss_energies *energies, const rv_bss_space *s, const rv_bss_filters *f,
                    size_t from, size_t frames, double *scratch)
{
    const size_t row = rv_fft_double_row(s->fft), channels = s->in->channels;
    const size_t step = SIZE - s->taps + 1, end = frames + s->taps - 1;
    block b = { .from = from, .frames = frames, .inputs = scratch };
    b.all = scratch + s->in->sources * channels * row;
    b.own = b.all + channels * row;
    memset(energies, 0, s->n_pairs * sizeof *energies);
    for (; b.at < end; b.at += step) {
        b.n = end - b.at < step ? end - b.at : step;
        measure_block(energies, s, f, &b);
    }
}
