/* print_eval.c - see print_eval.h. */
#include "print_eval.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef struct table {
    const rv_comparison *c;
    rv_eval_report report; /* of the first method */
    size_t n;              /* methods */
    int stem, method;      /* widths */
} table;

static bool wants(const table *t, int metric)
{
    return (t->report.metrics & RV_METRIC_BIT(metric)) != 0;
}

static int wider(int width, const char *text)
{
    const int length = (int)strlen(text);
    return length > width ? length : width;
}

static table measure(const rv_comparison *c)
{
    table t = { .c = c, .n = rv_comparison_methods(c), .stem = 8, .method = 6 };
    const rv_evaluation *first = rv_comparison_of(c, 0);
    rv_evaluation_report(first, &t.report);
    for (size_t s = 0; s < t.report.stems; s++)
        t.stem = wider(t.stem, rv_evaluation_stem(first, s));
    for (size_t i = 0; i < t.n; i++)
        t.method = wider(t.method, rv_evaluation_method(rv_comparison_of(c, i)));
    return t;
}

static void print_names(const table *t, const char *stem, const char *method)
{
    printf("%-*s", t->stem, stem);
    if (t->n > 1)
        printf("  %-*s", t->method, method);
}

/* Medians ------------------------------------------------------------------------------------- */

static void print_heads(const table *t)
{
    print_names(t, "stem", "method");
    for (int m = 0; m < RV_METRICS; m++)
        if (wants(t, m))
            printf("%10s", rv_metric_name(m));
    printf("%8s\n", "songs");
}

/* One row; its number of songs: the most that any of its figures comes from. */
static void print_row(const table *t, size_t stem, size_t method)
{
    const rv_evaluation *e = rv_comparison_of(t->c, method);
    size_t most = 0;
    print_names(t, method == 0 ? rv_evaluation_stem(e, stem) : "", rv_evaluation_method(e));
    for (int m = 0; m < RV_METRICS; m++) {
        size_t n = 0;
        const double value = rv_evaluation_median(e, stem, (rv_metric)m, &n);
        if (!wants(t, m))
            continue;
        if (isfinite(value))
            printf("%10.3f", value);
        else
            printf("%10s", "-");
        most = n > most ? n : most;
    }
    printf("%8zu\n", most);
}

static void print_legend(const table *t)
{
    printf("\nmedian over %zu song%s\n", t->report.songs, t->report.songs == 1 ? "" : "s");
    for (int m = 0; m < RV_METRICS; m++)
        if (wants(t, m))
            printf("  %-10s %s%s%s\n", rv_metric_name(m), rv_metric_about(m),
                   rv_metric_unit(m)[0] ? ", " : "", rv_metric_unit(m));
}

/* Counts -------------------------------------------------------------------------------------- */

static void print_counts(const table *t)
{
    if (t->report.without_estimates)
        printf("%zu songs were left out because they have no estimates\n",
               t->report.without_estimates);
    if (t->report.without_reference)
        printf("%zu stems of songs have no figures: the reference is missing or silent\n",
               t->report.without_reference);
    for (size_t i = 0; i < t->n; i++) {
        const rv_evaluation *e = rv_comparison_of(t->c, i);
        rv_eval_report r;
        rv_evaluation_report(e, &r);
        if (r.silent_estimates)
            printf("%zu estimates%s%s are silent, and their references are not\n",
                   r.silent_estimates, t->n > 1 ? " of " : "",
                   t->n > 1 ? rv_evaluation_method(e) : "");
    }
}

/* Differences --------------------------------------------------------------------------------- */

static void print_difference(const table *t, size_t stem, size_t method, int metric)
{
    const rv_evaluation *first = rv_comparison_of(t->c, 0), *e = rv_comparison_of(t->c, method);
    const rv_eval_difference d = rv_comparison_difference(t->c, method, 0, stem, (rv_metric)metric);
    if (d.songs < 2)
        return;
    print_names(t, rv_evaluation_stem(e, stem), rv_evaluation_method(e));
    printf("  %-10s%+10.3f%+10.3f  [%+.3f, %+.3f]  %s\n", rv_metric_name(metric), d.median, d.mean,
           d.low, d.high,
           d.better == 0 ? "undecided" : rv_evaluation_method(d.better > 0 ? e : first));
}

static void print_differences(const table *t, const rv_eval_options *options)
{
    printf("\ndifference from %s: median and mean over songs, 95 %% interval of the mean "
           "(bootstrap over "
           "songs, %d resamples, seed %llu), which is better\n",
           rv_evaluation_method(rv_comparison_of(t->c, 0)), options->resamples,
           (unsigned long long)options->seed);
    for (size_t s = 0; s < t->report.stems; s++)
        for (size_t i = 1; i < t->n; i++)
            for (int m = 0; m < RV_METRICS; m++)
                if (wants(t, m))
                    print_difference(t, s, i, m);
}

void print_comparison(const rv_comparison *c, const rv_eval_options *options)
{
    const table t = measure(c);
    print_heads(&t);
    for (size_t s = 0; s < t.report.stems; s++)
        for (size_t i = 0; i < t.n; i++)
            print_row(&t, s, i);
    print_legend(&t);
    print_counts(&t);
    if (t.n > 1 && t.report.songs > 1)
        print_differences(&t, options);
}
