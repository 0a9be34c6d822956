/* cmd_eval.c - ravel eval --references DIR --estimates DIR --model NAME --oracles NAME. */
#include "cli.h"
#include "json_text.h"
#include "options.h"
#include "print_eval.h"
#include "progress.h"

#include <ravel/eval.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char about[] =
    "Compares separated stems with the true ones: those in folders of estimates, those that "
    "models\n"
    "make of the mixtures now, and those of oracles, which know the stems. Estimates lie as ravel\n"
    "separate writes them: ESTIMATES/SONG/STEM.wav (or .flac). Prints the median over the songs "
    "for\n"
    "each stem, and of several methods the differences from the first one.";

static const char examples[] =
    "  ravel eval --references musdb18hq --split test --estimates separated/htdemucs\n"
    "  ravel eval --references songs --model classic --oracles mix irm1\n"
    "  ravel eval --references songs --model new.safetensors old.safetensors --json figures.json\n"
    "  ravel eval --references songs --model classic --wiener 0 1\n"
    "  ravel eval --references songs --estimates old=runs/1/out new=runs/2/out --stems vocals\n"
    "  ravel eval --references songs --model classic --keep stems --metrics all --csv "
    "figures.csv\n";

typedef struct settings {
    rv_eval_options options;
    const char *references, *json, *csv;
    option_texts stems, metrics;
    option_texts wiener;                   /* iterations, each for all models; none: 0 */
    option_texts sources[RV_METHOD_KINDS]; /* of methods */
    rv_eval_method *methods;               /* [n_methods] */
    size_t n_methods;
    char *words; /* what the methods' texts point into */
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

/* Methods ------------------------------------------------------------------------------------- */

/* "NAME=SOURCE", or the source alone. */
static rv_eval_method method_of(rv_method_kind kind, char *word)
{
    char *equals = strchr(word, '=');
    const char *slash = strchr(word, '/');
    if (!equals || equals == word || (slash && slash < equals))
        return (rv_eval_method){ .kind = kind, .source = word };
    *equals = '\0';
    return (rv_eval_method){ .kind = kind, .source = equals + 1, .name = word };
}

/* Of the i-th filter for models; -1: no such number, as was said. */
static int iterations(const settings *s, size_t i)
{
    if (s->wiener.n == 0)
        return 0;
    char *end;
    const long n = strtol(s->wiener.items[i], &end, 10);
    if (end != s->wiener.items[i] && !*end && n >= 0 && n <= 1000)
        return (int)n;
    cli_complain("--wiener: '%s' is no number from 0 to 1000", s->wiener.items[i]);
    return -1;
}

/* One for each filter. */
static bool add_model(settings *s, char *word)
{
    const rv_eval_method plain = method_of(RV_METHOD_MODEL, word);
    for (size_t i = 0; i < (s->wiener.n ? s->wiener.n : 1); i++) {
        rv_eval_method *m = &s->methods[s->n_methods++];
        *m = plain;
        if ((m->wiener = iterations(s, i)) < 0)
            return false;
    }
    return true;
}

/* Oracles may be given with commas. Adds to `methods`; copies the word to *to. */
static bool add_methods(settings *s, rv_method_kind kind, const char *word, char **to)
{
    char *copy = *to, *rest = NULL;
    *to = stpcpy(copy, word) + 1;
    if (kind == RV_METHOD_MODEL)
        return add_model(s, copy);
    if (kind != RV_METHOD_ORACLE) {
        s->methods[s->n_methods++] = method_of(kind, copy);
        return true;
    }
    for (char *w = strtok_r(copy, ",", &rest); w; w = strtok_r(NULL, ",", &rest))
        s->methods[s->n_methods++] = (rv_eval_method){ .kind = kind, .source = w };
    return true;
}

static bool list_methods(settings *s)
{
    size_t most = 1, bytes = 1;
    for (size_t k = 0; k < RV_METHOD_KINDS; k++)
        for (size_t i = 0; i < s->sources[k].n; i++) {
            bytes += strlen(s->sources[k].items[i]) + 1;
            most += strlen(s->sources[k].items[i]);
        }
    most += s->sources[RV_METHOD_MODEL].n * s->wiener.n;
    s->words = malloc(bytes);
    s->methods = calloc(most, sizeof *s->methods);
    if (!s->words || !s->methods) {
        cli_complain("eval: out of memory");
        return false;
    }
    char *to = s->words;
    for (int k = 0; k < RV_METHOD_KINDS; k++)
        for (size_t i = 0; i < s->sources[k].n; i++)
            if (!add_methods(s, (rv_method_kind)k, s->sources[k].items[i], &to))
                return false;
    return true;
}

/* Work ---------------------------------------------------------------------------------------- */

static int update(void *ctx, const rv_eval_progress *now)
{
    const settings *s = ctx;
    if (s->mode == PROGRESS_JSON) {
        fputs("{\"song\":", stderr);
        json_text(stderr, now->song);
        fputs(",\"method\":", stderr);
        json_text(stderr, now->method);
        fprintf(stderr, ",\"done\":%llu,\"of\":%llu}\n", (unsigned long long)now->songs_done,
                (unsigned long long)now->songs_total);
    } else if (s->mode == PROGRESS_AUTO && isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K%llu/%llu %.50s %.25s", (unsigned long long)now->songs_done + 1,
                (unsigned long long)now->songs_total, now->song, now->method);
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
    rv_comparison *c = NULL;
    rv_error err = { 0 };
    s->options.bss_version = s->version ? 3 : 4;
    s->options.progress = update;
    s->options.progress_ctx = s;
    cli_catch_interrupt();
    rv_status status = rv_compare(&c, s->references, s->methods, s->n_methods, &s->options, &err);
    if (s->mode == PROGRESS_AUTO && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (status != RV_OK)
        return fail(&err, status);
    print_comparison(c, &s->options);
    if (s->json)
        status = rv_comparison_write_json(c, s->json, &err);
    if (status == RV_OK && s->csv)
        status = rv_comparison_write_csv(c, s->csv, &err);
    rv_comparison_free(c);
    return status == RV_OK ? EXIT_OK : fail(&err, status);
}

static int parse(settings *s, int argc, char **argv)
{
    rv_eval_options *o = &s->options;
    const option_row rows[] = {
        { 'r', "references", OPTION_TEXT, &s->references, "DIR", 0, 0,
          "data set with the true stems, in any layout" },
        { 'e', "estimates", OPTION_TEXTS, &s->sources[RV_METHOD_ESTIMATES], "DIR...", 0, 0,
          "folders of SONG/STEM.wav, or SPLIT/SONG/STEM.wav; NAME=DIR gives one a name" },
        { 'n', "model", OPTION_TEXTS, &s->sources[RV_METHOD_MODEL], "NAME...", 0, 0,
          "models to separate the mixtures with, as ravel separate takes them" },
        { 0, "wiener", OPTION_TEXTS, &s->wiener, "N...", 0, 0,
          "iterations of the Wiener filter of ravel separate; of several, each model is run with "
          "each (default 0)" },
        { 0, "oracles", OPTION_TEXTS, &s->sources[RV_METHOD_ORACLE], "NAME...", 0, 0,
          "mix and silence as estimates; ibm1, ibm2, irm1, irm2, mwf: ideal binary and ratio "
          "masks, "
          "multichannel Wiener filter" },
        { 0, "keep", OPTION_TEXT, &o->keep, "DIR", 0, 0,
          "write what models and oracles make to DIR/METHOD/SONG/STEM.wav" },
        { 0, "layout", OPTION_TEXT, &o->layout, "NAME", 0, 0,
          "of the references (default: found out)" },
        { 0, "split", OPTION_TEXT, &o->split, "NAME", 0, 0,
          "train, valid or test (default: all songs)" },
        { 0, "stems", OPTION_TEXTS, &s->stems, "STEM...", 0, 0,
          "which to compare (default: those usual for the layout)" },
        { 'm', "metrics", OPTION_TEXTS, &s->metrics, "NAME...", 0, 0,
          "SDR, ISR, SIR, SAR or bss for the four, SI-SDR, SI-SDRi, SDR-MDX21, SNR, SC, LSD, "
          "SDR-MCTN, MR-STFT, MSS, LD-L1, F0-L1, RPA, logWMSE or all (default bss SI-SDR)" },
        { 0, "window", OPTION_NUMBER, &o->window, "S", 0.01, 1e6,
          "seconds of a frame of BSS Eval (default 1)" },
        { 0, "hop", OPTION_NUMBER, &o->hop, "S", 0.01, 1e6, "seconds between frames (default 1)" },
        { 0, "bss-eval", OPTION_CHOICE, &s->version, "v4|v3", 0, 0,
          "filters of the whole track, as museval, or of each frame (default v4)" },
        { 0, "resamples", OPTION_INT, &o->resamples, "N", 100, 1000000,
          "of the songs, for intervals of differences (default 10000)" },
        { 0, "seed", OPTION_SEED, &o->seed, "N", 0, 0, "of these (default 0)" },
        { 'j', "threads", OPTION_INT, &o->threads, "N", 0, 1024,
          "worker threads (default 0: one for each core)" },
        { 0, "json", OPTION_TEXT, &s->json, "FILE", 0, 0,
          "write all figures, for each song as museval does" },
        { 0, "csv", OPTION_TEXT, &s->csv, "FILE", 0, 0,
          "write a table with a row for each method, song and stem" },
        { 0, "progress", OPTION_CHOICE, &s->mode, "auto|json|none", 0, 0,
          "a line on a terminal, JSON lines, or nothing (default auto)" },
        { 0 },
    };
    const option_table table = { "eval", "--references DIR --estimates DIR", about, examples,
                                 rows };
    return options_parse(&table, argc, argv);
}

/* n: words that are no options. */
static int start(settings *s, int n, const char *word)
{
    size_t sources = 0;
    for (size_t k = 0; k < RV_METHOD_KINDS; k++)
        sources += s->sources[k].n;
    if (n > 0 || !s->references || sources == 0) {
        cli_complain("eval: --references DIR and --estimates DIR, --model NAME or --oracles NAME "
                     "were expected%s%s; see ravel eval --help",
                     n > 0 ? ", not " : "", n > 0 ? word : "");
        return EXIT_USAGE;
    }
    return choose_metrics(s) && list_methods(s) ? evaluate(s) : EXIT_USAGE;
}

int cmd_eval(int argc, char **argv)
{
    settings s = { 0 };
    rv_eval_defaults(&s.options);
    const int n = parse(&s, argc, argv);
    int code = n == -1 ? EXIT_OK : EXIT_USAGE;
    s.options.stems = s.stems.items;
    s.options.n_stems = s.stems.n;
    if (n >= 0)
        code = start(&s, n, argv[1]);
    for (size_t k = 0; k < RV_METHOD_KINDS; k++)
        free((void *)s.sources[k].items);
    free((void *)s.stems.items);
    free((void *)s.metrics.items);
    free((void *)s.wiener.items);
    free(s.methods);
    free(s.words);
    return code;
}
