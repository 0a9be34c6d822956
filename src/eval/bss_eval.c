/* bss_eval.c - windows, ratios and the order of estimates; see bss_eval.h. */
#include "eval/bss_eval.h"

#include "base/status.h"
#include "eval/bss_projection.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 16, PERMUTED_MAX = 8, SOURCES_MAX = 64 };

typedef struct evaluator {
    const rv_bss_input *in;
    const rv_bss_options *opt;
    rv_bss_space space;
    rv_bss_filters filters; /* of the whole */
    rv_bss_pair *pairs;
    size_t windows, first;     /* of the batch */
    double *ratios;            /* [RV_BSS_RATIOS][n_pairs][windows] */
    double *scratch;           /* [threads][...] */
    rv_bss_energies *energies; /* [threads][n_pairs] */
    rv_status status[BATCH];
    rv_error *errors; /* [BATCH] */
} evaluator;

size_t rv_bss_windows(size_t frames, size_t window, size_t hop)
{
    return window > 0 && window < frames ? (frames - window + hop) / hop : 1;
}

/* One window -------------------------------------------------------------------------------- */

/* As the references decide it: channels add up to nothing. */
static bool is_silent(const float *const *planes, size_t channels, size_t from, size_t frames)
{
    for (size_t t = from; t < from + frames; t++) {
        double sum = 0;
        for (size_t c = 0; c < channels; c++)
            sum += (double)planes[c][t];
        if (sum != 0)
            return false;
    }
    return true;
}

static bool any_silent(const rv_bss_input *in, size_t from, size_t frames)
{
    for (size_t s = 0; s < in->sources; s++)
        if (is_silent(in->references + s * in->channels, in->channels, from, frames) ||
            is_silent(in->estimates + s * in->channels, in->channels, from, frames))
            return true;
    return false;
}

static double decibels(double energy, double divisor)
{
    return divisor == 0 ? HUGE_VAL : 10 * log10(energy / divisor);
}

static void set_ratios(const evaluator *e, size_t window, const rv_bss_energies *x, bool silent)
{
    const size_t n = e->space.n_pairs;
    for (size_t p = 0; p < n; p++) {
        double *to = e->ratios + p * e->windows + window;
        const size_t step = n * e->windows;
        const bool sources = e->opt->sources;
        to[RV_BSS_SDR * step] =
            sources ? decibels(x[p].own, x[p].own_error) : decibels(x[p].source, x[p].error);
        to[RV_BSS_ISR * step] = sources ? (double)NAN : decibels(x[p].source, x[p].spatial);
        to[RV_BSS_SIR * step] = decibels(x[p].own, x[p].interference);
        to[RV_BSS_SAR * step] = decibels(x[p].all, x[p].artifacts);
        for (size_t r = 0; r < RV_BSS_RATIOS && silent; r++)
            to[r * step] = (double)NAN;
    }
}

static rv_status evaluate_window(evaluator *e, size_t window, int worker, rv_error *err)
{
    const size_t from = window * e->opt->hop, left = e->in->frames - from;
    const bool whole = e->opt->window == 0 || e->opt->window > left;
    const size_t frames = whole ? left : e->opt->window;
    const bool silent = any_silent(e->in, from, frames);
    rv_bss_energies *energies = e->energies + (size_t)worker * e->space.n_pairs;
    double *scratch =
        e->scratch + (size_t)worker * rv_bss_scratch(&e->space) * rv_fft_double_row(e->space.fft);
    rv_bss_filters own = { 0 };
    if (!silent && e->opt->window_filters)
        RV_TRY(rv_bss_filters_new(&own, &e->space, from, frames, NULL, err));
    if (!silent)
        rv_bss_measure(energies, &e->space, own.all ? &own : &e->filters, from, frames, scratch);
    set_ratios(e, window, energies, silent);
    rv_bss_filters_free(&own);
    return RV_OK;
}

static void window_task(void *job, size_t i, int worker)
{
    evaluator *e = job;
    e->status[i] = evaluate_window(e, e->first + i, worker, &e->errors[i]);
}

/* All windows ------------------------------------------------------------------------------- */

static rv_status check_stop(const evaluator *e, rv_error *err)
{
    if (e->opt->stop && e->opt->stop(e->opt->stop_ctx))
        return RV_FAIL(err, RV_ERR_CANCELLED, "stopped");
    return RV_OK;
}

static rv_status evaluate_windows(evaluator *e, rv_error *err)
{
    for (e->first = 0; e->first < e->windows; e->first += BATCH) {
        const size_t left = e->windows - e->first, n = left < BATCH ? left : BATCH;
        RV_TRY(check_stop(e, err));
        rv_pool_run(e->opt->pool, n, window_task, e);
        for (size_t i = 0; i < n; i++)
            if (e->status[i] != RV_OK)
                return RV_FAIL(err, e->status[i], "%s", e->errors[i].text);
    }
    return RV_OK;
}

/* Pairs are ordered by estimate, so that its projection on all sources is made once. */
static rv_status list_pairs(evaluator *e, rv_error *err)
{
    const size_t n = e->in->sources;
    if (!(e->pairs = calloc(n * n, sizeof *e->pairs)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu sources", n);
    for (size_t estimate = 0; estimate < n; estimate++)
        for (size_t source = 0; source < n; source++)
            if (e->opt->permute || source == estimate)
                e->pairs[e->space.n_pairs++] = (rv_bss_pair){ source, estimate };
    e->space.pairs = e->pairs;
    return RV_OK;
}

static rv_status begin(evaluator *e, rv_error *err)
{
    const size_t threads = (size_t)rv_pool_threads(e->opt->pool);
    e->windows = rv_bss_windows(e->in->frames, e->opt->window, e->opt->hop);
    e->space.in = e->in;
    e->space.taps = e->opt->taps;
    RV_TRY(list_pairs(e, err));
    RV_TRY(rv_bss_space_open(&e->space, err));
    const size_t n = e->space.n_pairs;
    e->ratios = calloc(RV_BSS_RATIOS * n, e->windows * sizeof *e->ratios);
    e->energies = calloc(threads * n, sizeof *e->energies);
    e->errors = calloc(BATCH, sizeof *e->errors);
    e->scratch = rv_fft_double_rows(e->space.fft, threads * rv_bss_scratch(&e->space));
    if (!e->ratios || !e->energies || !e->errors || !e->scratch)
        return RV_FAIL(err, RV_ERR_NOMEM, "figures of %zu windows", e->windows);
    return RV_OK;
}

static void end(evaluator *e)
{
    rv_bss_filters_free(&e->filters);
    rv_fft_double_drop(e->scratch);
    rv_bss_space_close(&e->space);
    free(e->ratios);
    free(e->energies);
    free(e->errors);
    free(e->pairs);
}

/* Order ------------------------------------------------------------------------------------- */

static size_t pair_of(const evaluator *e, size_t source, size_t estimate)
{
    return e->opt->permute ? estimate * e->in->sources + source : source;
}

static void swap(size_t *a, size_t *b)
{
    const size_t keep = *a;
    *a = *b;
    *b = keep;
}

/* The next one in the order of words; false after the last. */
static bool next_order(size_t *order, size_t n)
{
    size_t i = n - 1, k = n - 1;
    while (i > 0 && order[i - 1] > order[i])
        i--;
    if (i == 0)
        return false;
    while (order[k] < order[i - 1])
        k--;
    swap(&order[i - 1], &order[k]);
    for (size_t last = n - 1; i < last; i++, last--)
        swap(&order[i], &order[last]);
    return true;
}

/* The mean, times a constant. */
static double mean_sir(const evaluator *e, const size_t *order, size_t from, size_t windows)
{
    const double *sir = e->ratios + RV_BSS_SIR * e->space.n_pairs * e->windows;
    double sum = 0;
    for (size_t s = 0; s < e->in->sources; s++)
        for (size_t w = from; w < from + windows; w++)
            sum += sir[pair_of(e, s, order[s]) * e->windows + w];
    return sum;
}

/* best [sources]: the order with the highest mean SIR in the windows, the first one of several. */
static void find_order(const evaluator *e, size_t *best, size_t from, size_t windows)
{
    size_t order[SOURCES_MAX];
    const size_t n = e->in->sources;
    for (size_t s = 0; s < n; s++)
        best[s] = order[s] = s;
    if (!e->opt->permute)
        return;
    double most = mean_sir(e, order, from, windows);
    while (next_order(order, n)) {
        const double sir = mean_sir(e, order, from, windows);
        if (sir > most) {
            most = sir;
            memcpy(best, order, n * sizeof *best);
        }
    }
}

static void choose(const evaluator *e, rv_bss_result *r)
{
    size_t order[SOURCES_MAX];
    const size_t n = e->in->sources, pairs = e->space.n_pairs;
    for (size_t w = 0; w < e->windows; w++) {
        if (e->opt->window_filters)
            find_order(e, order, w, 1);
        else if (w == 0)
            find_order(e, order, 0, e->windows);
        for (size_t s = 0; s < n; s++) {
            r->order[s * e->windows + w] = order[s];
            for (size_t k = 0; k < RV_BSS_RATIOS; k++)
                r->values[(k * n + s) * e->windows + w] =
                    e->ratios[(k * pairs + pair_of(e, s, order[s])) * e->windows + w];
        }
    }
}

/* ------------------------------------------------------------------------------------------- */

static rv_status check(const rv_bss_input *in, const rv_bss_options *opt, rv_error *err)
{
    const size_t most = opt->permute ? PERMUTED_MAX : SOURCES_MAX;
    if (in->sources < 1 || in->sources > most || in->channels < 1 || in->frames < 1)
        return RV_FAIL(err, RV_ERR_ARG,
                       "%zu sources, %zu channels, %zu frames; expected 1 to %zu sources, and at "
                       "least 1 channel and frame",
                       in->sources, in->channels, in->frames, most);
    if (opt->window > 0 && opt->hop < 1)
        return RV_FAIL(err, RV_ERR_ARG, "a hop of %zu frames", opt->hop);
    return RV_OK;
}

static rv_status result_new(rv_bss_result *r, const evaluator *e, rv_error *err)
{
    r->sources = e->in->sources;
    r->windows = e->windows;
    r->values = calloc(RV_BSS_RATIOS * r->sources, r->windows * sizeof *r->values);
    r->order = calloc(r->sources, r->windows * sizeof *r->order);
    return r->values && r->order ? RV_OK
                                 : RV_FAIL(err, RV_ERR_NOMEM, "figures of %zu windows", e->windows);
}

rv_status rv_bss_eval(rv_bss_result *out, const rv_bss_input *in, const rv_bss_options *opt,
                      rv_error *err)
{
    evaluator e = { .in = in, .opt = opt };
    rv_bss_result result = { 0 };
    RV_TRY(check(in, opt, err));
    rv_status status = begin(&e, err);
    if (status == RV_OK)
        status = result_new(&result, &e, err);
    if (status == RV_OK && !opt->window_filters)
        status = rv_bss_filters_new(&e.filters, &e.space, 0, in->frames, opt->pool, err);
    if (status == RV_OK)
        status = evaluate_windows(&e, err);
    if (status == RV_OK)
        choose(&e, &result);
    end(&e);
    if (status == RV_OK)
        *out = result;
    else
        rv_bss_result_free(&result);
    return status;
}

void rv_bss_result_free(rv_bss_result *r)
{
    free(r->values);
    free(r->order);
    *r = (rv_bss_result){ 0 };
}
