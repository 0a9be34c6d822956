/* comparison.c - pairs of methods; see comparison.h. */
#include "eval/comparison.h"

#include "dsp/median.h"

#include <math.h>
#include <stdlib.h>

rv_status rv_comparison_new(rv_comparison **out, size_t n, rv_error *err)
{
    rv_comparison *c = calloc(1, sizeof *c);
    if (c)
        c->methods = calloc(n, sizeof *c->methods);
    if (!c || !c->methods) {
        free(c);
        return RV_FAIL(err, RV_ERR_NOMEM, "figures of %zu methods", n);
    }
    c->n = n;
    *out = c;
    return RV_OK;
}

void rv_comparison_free(rv_comparison *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        rv_evaluation_free(c->methods[i]);
    free(c->methods);
    free(c->differences);
    free(c);
}

size_t rv_comparison_methods(const rv_comparison *c)
{
    return c->n;
}

const rv_evaluation *rv_comparison_of(const rv_comparison *c, size_t method)
{
    return c->methods[method];
}

/* Differences ------------------------------------------------------------------------------- */

static size_t cell_of(const rv_comparison *c, size_t first, size_t second, size_t stem,
                      size_t metric)
{
    return ((first * c->n + second) * c->methods[0]->n_stems + stem) * RV_METRICS + metric;
}

typedef struct pairing {
    rv_comparison *c;
    double *scratch; /* [threads][songs + resamples] */
} pairing;

static void compare(const pairing *p, size_t first, size_t second, size_t stem, rv_metric metric,
                    double *scratch)
{
    const rv_comparison *c = p->c;
    const rv_evaluation *a = c->methods[first], *b = c->methods[second];
    size_t n = 0;
    for (size_t i = 0; i < a->n_songs; i++) {
        const double x = rv_evaluation_value(a, i, stem, metric);
        const double y = rv_evaluation_value(b, i, stem, metric);
        if (isfinite(x) && isfinite(y))
            scratch[n++] = x - y;
    }
    rv_eval_difference d = {
        .mean = (double)NAN, .low = (double)NAN, .high = (double)NAN, .median = (double)NAN
    };
    if (n > 0) {
        d = rv_bootstrap(scratch, n, c->resamples, c->seed, scratch + a->n_songs);
        d.median = rv_median_sort(scratch, n);
    }
    if (d.low > 0 || d.high < 0)
        d.better = (d.low > 0 ? 1 : -1) * rv_metric_better(metric);
    c->differences[cell_of(c, first, second, stem, metric)] = d;
}

static void compare_task(void *job, size_t task, int worker)
{
    const pairing *p = job;
    const rv_comparison *c = p->c;
    const rv_evaluation *e = c->methods[0];
    const size_t metric = task % RV_METRICS, stem = task / RV_METRICS % e->n_stems;
    const size_t pair = task / RV_METRICS / e->n_stems, first = pair / c->n, second = pair % c->n;
    const size_t room = e->n_songs + (size_t)c->resamples;
    if (first < second && rv_eval_wants(e->metrics, (rv_metric)metric))
        compare(p, first, second, stem, (rv_metric)metric, p->scratch + (size_t)worker * room);
}

rv_status rv_comparison_finish(rv_comparison *c, rv_pool *pool, rv_error *err)
{
    const rv_evaluation *e = c->methods[0];
    const size_t n = c->n * c->n * e->n_stems * RV_METRICS;
    const size_t room = e->n_songs + (size_t)c->resamples;
    pairing p = { c, calloc((size_t)rv_pool_threads(pool), room * sizeof *p.scratch) };
    c->differences = calloc(n, sizeof *c->differences);
    if (p.scratch && c->differences)
        rv_pool_run(pool, n, compare_task, &p);
    const bool fits = p.scratch && c->differences;
    free(p.scratch);
    return fits ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "differences of %zu methods", c->n);
}

rv_eval_difference rv_comparison_difference(const rv_comparison *c, size_t first, size_t second,
                                            size_t stem, rv_metric metric)
{
    if (first <= second)
        return c->differences[cell_of(c, first, second, stem, metric)];
    const rv_eval_difference d = c->differences[cell_of(c, second, first, stem, metric)];
    return (rv_eval_difference){ d.songs, -d.mean, -d.high, -d.low, -d.better, -d.median };
}
