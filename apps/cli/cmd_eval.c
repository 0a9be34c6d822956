/* cmd_eval.c - ravel eval --references DIR --estimates DIR. */
#include "cli.h"
#include "json_text.h"
#include "options.h"
#include "progress.h"

#include <ravel/eval.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char about[] =
    "Compares separated stems with the true ones. Estimates lie as ravel separate writes them:\n"
    "ESTIMATES/SONG/STEM.wav (or .flac). Prints the median over the songs for each stem.";

static const char examples[] =
    "  ravel eval --references musdb18hq --split test --estimates separated/htdemucs\n"
    "  ravel eval --references songs --estimates separated/classic --stems vocals drums\n"
    "  ravel eval --references songs --estimates out --metrics si-sdr sc --csv figures.csv\n"
    "  ravel eval --references songs --estimates out --metrics all --json figures.json\n";

typedef struct settings {
    rv_eval_options options;
    const char *references, *estimates, *json, *csv;
    option_texts stems, metrics;
    int mode;    /* progress_mode */
    int version; /* of BSS Eval: 0 is v4, 1 is v3 */
} settings;

/* Metrics ----------------------------------------------------------------------------------- */

/* Words for several metrics at once. */
static const struct {
    const char *word;
    uint32_t bits;
} groups[] = { { "all", RV_METRIC_BIT(RV_METRICS) - 1 },
               { "bss", RV_METRIC_BIT(RV_METRIC_SI_SDR) - 1 } };
enum { GROUPS = sizeof groups / sizeof *groups };

static bool metric_unknown(const char *word)
{
    const char *names[RV_METRICS + GROUPS + 1] = { 0 };
    char list[400] = "";
    for (size_t i = 0; i < RV_METRICS + GROUPS; i++) {
        names[i] = i < RV_METRICS ? rv_metric_name((int)i) : groups[i - RV_METRICS].word;
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = cli_nearest(word, names);
    if (near)
        cli_complain("there is no metric '%s'; did you mean %s?", word, near);
    else
        cli_complain("there is no metric '%s'; there are %s", word, list);
    return false;
}

static uint32_t metric_bits(const char *word)
{
    for (int m = 0; m < RV_METRICS; m++)
        if (strcasecmp(word, rv_metric_name(m)) == 0)
            return RV_METRIC_BIT(m);
    for (size_t g = 0; g < GROUPS; g++)
        if (strcasecmp(word, groups[g].word) == 0)
            return groups[g].bits;
    return 0;
}

static bool choose_metrics(settings *s)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < s->metrics.n; i++) {
        const uint32_t more = metric_bits(s->metrics.items[i]);
        if (!more)
            return metric_unknown(s->metrics.items[i]);
        bits |= more;
    }
    s->options.metrics = bits ? bits : s->options.metrics;
    return true;
}

/* Table --------------------------------------------------------------------------------------- */

static void print_heads(const rv_eval_report *r, int width)
{
    printf("%-*s", width, "stem");
    for (int m = 0; m < RV_METRICS; m++)
        if (r->metrics & RV_METRIC_BIT(m))
            printf("%10s", rv_metric_name(m));
    printf("%8s\n", "songs");
}

/* One row; n: the most songs that any of its figures comes from. */
static void print_stem(const rv_evaluation *e, const rv_eval_report *r, size_t stem, int width)
{
    size_t most = 0;
    printf("%-*s", width, rv_evaluation_stem(e, stem));
    for (int m = 0; m < RV_METRICS; m++) {
        size_t n = 0;
        const double value = rv_evaluation_median(e, stem, (rv_metric)m, &n);
        if (!(r->metrics & RV_METRIC_BIT(m)))
            continue;
        if (isfinite(value))
            printf("%10.3f", value);
        else
            printf("%10s", "-");
        most = n > most ? n : most;
    }
    printf("%8zu\n", most);
}

static void print_table(const rv_evaluation *e)
{
    rv_eval_report r;
    int width = 8;
    rv_evaluation_report(e, &r);
    for (size_t s = 0; s < r.stems; s++) {
        const int length = (int)strlen(rv_evaluation_stem(e, s));
        width = length > width ? length : width;
    }
    print_heads(&r, width);
    for (size_t s = 0; s < r.stems; s++)
        print_stem(e, &r, s, width);
    printf("\nmedian over %zu song%s\n", r.songs, r.songs == 1 ? "" : "s");
    for (int m = 0; m < RV_METRICS; m++)
        if (r.metrics & RV_METRIC_BIT(m))
            printf("  %-10s %s\n", rv_metric_name(m), rv_metric_about(m));
    if (r.without_estimates)
        printf("%zu songs were left out because they have no estimates\n", r.without_estimates);
    if (r.without_reference)
        printf("%zu stems of songs have no figures: the reference is missing or silent\n",
               r.without_reference);
    if (r.silent_estimates)
        printf("%zu estimates are silent, and their references are not\n", r.silent_estimates);
}

/* Work ---------------------------------------------------------------------------------------- */

static int update(void *ctx, const rv_eval_progress *now)
{
    const settings *s = ctx;
    if (s->mode == PROGRESS_JSON) {
        fputs("{\"song\":", stderr);
        json_text(stderr, now->song);
        fprintf(stderr, ",\"done\":%llu,\"of\":%llu}\n", (unsigned long long)now->songs_done,
                (unsigned long long)now->songs_total);
    } else if (s->mode == PROGRESS_AUTO && isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K%llu/%llu %.60s", (unsigned long long)now->songs_done + 1,
                (unsigned long long)now->songs_total, now->song);
    }
    return cli_interrupted();
}

static int fail(const rv_error *err, rv_status status)
{
    cli_complain("%s", err->text);
    return status == RV_ERR_CANCELLED ? EXIT_INTERRUPTED : EXIT_SOME_FAILED;
}

static int evaluate(settings *s)
{
    rv_evaluation *e = NULL;
    rv_error err = { 0 };
    s->options.bss_version = s->version ? 3 : 4;
    s->options.progress = update;
    s->options.progress_ctx = s;
    cli_catch_interrupt();
    rv_status status = rv_evaluate(&e, s->references, s->estimates, &s->options, &err);
    if (s->mode == PROGRESS_AUTO && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (status != RV_OK)
        return fail(&err, status);
    print_table(e);
    if (s->json)
        status = rv_evaluation_write_json(e, s->json, &err);
    if (status == RV_OK && s->csv)
        status = rv_evaluation_write_csv(e, s->csv, &err);
    rv_evaluation_free(e);
    return status == RV_OK ? EXIT_OK : fail(&err, status);
}

static int parse(settings *s, int argc, char **argv)
{
    rv_eval_options *o = &s->options;
    const option_row rows[] = {
        { 'r', "references", OPTION_TEXT, &s->references, "DIR", 0, 0,
          "data set with the true stems, in any layout" },
        { 'e', "estimates", OPTION_TEXT, &s->estimates, "DIR", 0, 0,
          "folder of SONG/STEM.wav, or SPLIT/SONG/STEM.wav" },
        { 0, "layout", OPTION_TEXT, &o->layout, "NAME", 0, 0,
          "of the references (default: found out)" },
        { 0, "split", OPTION_TEXT, &o->split, "NAME", 0, 0,
          "train, valid or test (default: all songs)" },
        { 0, "stems", OPTION_TEXTS, &s->stems, "STEM...", 0, 0,
          "which to compare (default: those usual for the layout)" },
        { 'm', "metrics", OPTION_TEXTS, &s->metrics, "NAME...", 0, 0,
          "SDR, ISR, SIR, SAR or bss for the four, SI-SDR, SI-SDRi, SDR-MDX21, SNR, SC, LSD or all "
          "(default bss SI-SDR)" },
        { 0, "window", OPTION_NUMBER, &o->window, "S", 0.01, 1e6,
          "seconds of a frame of BSS Eval (default 1)" },
        { 0, "hop", OPTION_NUMBER, &o->hop, "S", 0.01, 1e6, "seconds between frames (default 1)" },
        { 0, "bss-eval", OPTION_CHOICE, &s->version, "v4|v3", 0, 0,
          "filters of the whole track, as museval, or of each frame (default v4)" },
        { 'j', "threads", OPTION_INT, &o->threads, "N", 0, 1024,
          "worker threads (default 0: one for each core)" },
        { 0, "json", OPTION_TEXT, &s->json, "FILE", 0, 0,
          "write all figures, for each song as museval does" },
        { 0, "csv", OPTION_TEXT, &s->csv, "FILE", 0, 0,
          "write a table with a row for each stem of each song" },
        { 0, "progress", OPTION_CHOICE, &s->mode, "auto|json|none", 0, 0,
          "a line on a terminal, JSON lines, or nothing (default auto)" },
        { 0 },
    };
    const option_table table = { "eval", "--references DIR --estimates DIR", about, examples,
                                 rows };
    return options_parse(&table, argc, argv);
}

int cmd_eval(int argc, char **argv)
{
    settings s = { 0 };
    rv_eval_defaults(&s.options);
    const int n = parse(&s, argc, argv);
    int code = n == -1 ? EXIT_OK : EXIT_USAGE;
    s.options.stems = s.stems.items;
    s.options.n_stems = s.stems.n;
    if (n == 0 && s.references && s.estimates && choose_metrics(&s))
        code = evaluate(&s);
    else if (n >= 0 && (n > 0 || !s.references || !s.estimates))
        cli_complain("eval: --references DIR and --estimates DIR were expected%s%s; see ravel eval "
                     "--help",
                     n > 0 ? ", not " : "", n > 0 ? argv[1] : "");
    free((void *)s.stems.items);
    free((void *)s.metrics.items);
    return code;
}
