/* cmd_bench.c - ravel bench: how fast a network runs here, and where its time goes. */
#include "cli.h"
#include "json_text.h"
#include "options.h"

#include <ravel/bench.h>

#include <stdio.h>
#include <string.h>

static const char about[] =
    "Times one segment through a network at its published size, with random weights: seconds,\n"
    "how many times faster than the music plays, memory, and the share of what this machine's\n"
    "cores could multiply and add. --profile says which operations take the time, --layers which\n"
    "layers. The networks:";

static const char examples[] = "  ravel bench htdemucs --threads 1\n"
                               "  ravel bench htdemucs --profile --layers 20\n"
                               "  ravel bench htdemucs --precision int16\n"
                               "  ravel bench demucs_v2 --repeat 10 --json > before.json\n";

typedef struct settings {
    rv_bench_options options;
    bool profile, json;
    int layers, precision;
} settings;

enum { MAX_NETWORKS = 32 };

/* Their names, NULL behind the last. */
static void list_networks(const char **names)
{
    rv_bench_network at;
    size_t n = 0;
    for (; n < MAX_NETWORKS && rv_bench_network_at(n, &at); n++)
        names[n] = at.name;
    names[n] = NULL;
}

/* Text ------------------------------------------------------------------------------------- */

static const double giga = 1e9, mega = 1e6;

static double share(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

/* Numbers of a row: per call and second, and shares in per cent. */
static void print_row(const rv_benchmark *b, const rv_bench_row *r)
{
    const double speed = r->seconds > 0 ? r->operations / r->seconds : 0;
    printf("%6zu %9.2f ms %5.1f %%", r->calls, 1e3 * r->seconds, share(r->seconds, b->seconds));
    if (r->operations > 0)
        printf(" %8.1f %5.0f %%", speed / giga, share(speed, b->ceiling_all));
    else
        printf(" %8s %7s", "-", "-");
    printf(" %7.1f  %s\n", r->seconds > 0 ? r->bytes / r->seconds / giga : 0, r->name);
}

static void print_rows(const rv_benchmark *b, const char *what, const rv_bench_row *rows, size_t n)
{
    printf("\n%6s %12s %7s %8s %7s %7s  %s\n", "calls", "time", "share", "GFLOP/s", "ceiling",
           "GB/s", what);
    for (size_t i = 0; i < n; i++)
        print_row(b, &rows[i]);
}

static void print_text(const rv_benchmark *b, const settings *s)
{
    const double speed = b->operations / b->seconds;
    printf("%s: %.3f s for %.2f s of audio, %.2f times as fast as it plays; %d thread%s\n",
           b->network, b->seconds, b->audio_seconds, b->audio_seconds / b->seconds, b->threads,
           b->threads == 1 ? "" : "s");
    printf("processor: %.3f s of all threads together\n", b->processor_seconds);
    printf("speed:     %.1f GFLOP/s, %.0f %% of the ceiling; %.1f billion multiplications\n",
           speed / giga, share(speed, b->ceiling_all), b->operations / 2 / giga);
    printf("ceiling:   %.1f GFLOP/s one core, %.1f GFLOP/s %d thread%s\n", b->ceiling / giga,
           b->ceiling_all / giga, b->threads, b->threads == 1 ? "" : "s");
    printf("memory:    %.0f MB at most; values %.0f MB, weights %.0f MB\n",
           (double)b->peak_bytes / mega, (double)b->value_bytes / mega,
           (double)b->weight_bytes / mega);
    const size_t layers = (size_t)s->layers < b->n_layers ? (size_t)s->layers : b->n_layers;
    if (s->profile)
        print_rows(b, "operation", b->kinds, b->n_kinds);
    if (layers)
        print_rows(b, "layer", b->layers, layers);
}

/* JSON ------------------------------------------------------------------------------------- */

static void print_json_rows(const char *key, const rv_bench_row *rows, size_t n)
{
    printf(", \"%s\": [", key);
    for (size_t i = 0; i < n; i++) {
        printf("%s{\"name\": ", i ? ", " : "");
        json_text(stdout, rows[i].name);
        printf(", \"calls\": %zu, \"seconds\": %.9g, \"operations\": %.0f, \"bytes\": %.0f}",
               rows[i].calls, rows[i].seconds, rows[i].operations, rows[i].bytes);
    }
    putchar(']');
}

static void print_json(const rv_benchmark *b, const settings *s)
{
    printf("{\"network\": ");
    json_text(stdout, b->network);
    printf(", \"threads\": %d, \"audio_seconds\": %.9g, \"seconds\": %.9g, "
           "\"processor_seconds\": %.9g, \"operations\": %.0f, \"ceiling\": %.9g, "
           "\"ceiling_all\": %.9g, \"peak_bytes\": %llu, \"value_bytes\": %llu, "
           "\"weight_bytes\": %llu",
           b->threads, b->audio_seconds, b->seconds, b->processor_seconds, b->operations,
           b->ceiling, b->ceiling_all, (unsigned long long)b->peak_bytes,
           (unsigned long long)b->value_bytes, (unsigned long long)b->weight_bytes);
    if (s->profile)
        print_json_rows("kinds", b->kinds, b->n_kinds);
    if (s->layers)
        print_json_rows("layers", b->layers, b->n_layers);
    puts("}");
}

static int run(const char *network, settings *s)
{
    rv_benchmark *b = NULL;
    rv_error err = { 0 };
    s->options.profile = s->profile || s->layers;
    s->options.precision = (rv_precision)s->precision;
    if (rv_bench_run(&b, network, &s->options, &err) != RV_OK) {
        cli_complain("bench: %s", err.text);
        return EXIT_SOME_FAILED;
    }
    if (s->json)
        print_json(b, s);
    else
        print_text(b, s);
    rv_bench_free(b);
    return EXIT_OK;
}

static int parse(settings *s, const char *text, int argc, char **argv)
{
    rv_bench_options *o = &s->options;
    const option_row rows[] = {
        { 'j', "threads", OPTION_INT, &o->threads, "N", 0, 1024,
          "0: one for each core (default 0)" },
        { 's', "seconds", OPTION_NUMBER, &o->seconds, "S", 0, 3600,
          "of audio; 0: the network's own segment (default 0)" },
        { 'r', "repeat", OPTION_INT, &o->repeat, "N", 1, 1000,
          "runs after a first one that does not count; the median is shown (default 3)" },
        { 0, "precision", OPTION_CHOICE, &s->precision, "float32|int16", 0, 0,
          "of matrix products (default float32)" },
        { 'p', "profile", OPTION_FLAG, &s->profile, NULL, 0, 0,
          "time, speed, share of the ceiling and memory traffic by operation" },
        { 0, "layers", OPTION_INT, &s->layers, "N", 0, 100000,
          "the same for the N slowest layers (default 0)" },
        { 0, "json", OPTION_FLAG, &s->json, NULL, 0, 0, "one line of JSON, of seconds and bytes" },
        { 0 },
    };
    const option_table table = { "bench", "NETWORK", text, examples, rows };
    return options_parse(&table, argc, argv);
}

static int no_such_network(const char *word, const char *const *names)
{
    const char *near = cli_nearest(word, names);
    if (near)
        cli_complain("bench: unknown network '%s'; did you mean '%s'?", word, near);
    else
        cli_complain("bench: unknown network '%s'; see ravel bench --help", word);
    return EXIT_USAGE;
}

static bool is_known(const char *word, const char *const *names)
{
    while (*names && strcmp(*names, word) != 0)
        names++;
    return *names != NULL;
}

int cmd_bench(int argc, char **argv)
{
    settings s = { 0 };
    const char *names[MAX_NETWORKS + 1];
    char text[1200];
    rv_bench_defaults(&s.options);
    list_networks(names);
    size_t at = (size_t)snprintf(text, sizeof text, "%s", about);
    for (size_t i = 0; names[i] && at < sizeof text; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? ", " : "\n", names[i]);
    const int n = parse(&s, text, argc, argv);
    if (n < 0)
        return n == -1 ? EXIT_OK : EXIT_USAGE;
    if (n != 1) {
        cli_complain("bench: one network was expected; see ravel bench --help");
        return EXIT_USAGE;
    }
    return is_known(argv[1], names) ? run(argv[1], &s) : no_such_network(argv[1], names);
}
