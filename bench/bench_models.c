/* bench_models.c - one segment through each network at its published size,
 * random weights.
 *
 *   bench_models [--threads N] [--repeat N] [--seconds S] [--profile]
 * [NETWORK...]
 *
 * Prints a JSON line for each: median seconds, GFLOP/s (two for each
 * multiplication of a matrix product), memory of values and weights, peak of
 * the process. --profile adds time and GFLOP/s by operation. bench/compare.py
 * puts the peer's figures beside them; ravel bench shows more of one. */
#include <ravel/bench.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_profile(const rv_benchmark *b)
{
    for (size_t i = 0; i < b->n_kinds; i++)
        fprintf(stderr, "  %-16s %8.3f s %8.1f GFLOP/s\n", b->kinds[i].name, b->kinds[i].seconds,
                1e-9 * b->kinds[i].operations / b->kinds[i].seconds);
}

static void run_bench(const char *network, const rv_bench_options *opt)
{
    rv_error err = { 0 };
    rv_benchmark *b;
    if (rv_bench_run(&b, network, opt, &err) != RV_OK) {
        fprintf(stderr, "bench_models: %s\n", err.text);
        exit(1);
    }
    printf("{\"model\": \"%s\", \"threads\": %d, \"seconds\": %.4f, "
           "\"processor_seconds\": %.4f, "
           "\"gflops\": %.1f, \"ceiling_gflops\": %.1f, \"gmac\": %.1f, "
           "\"values_mb\": %.0f, \"weights_mb\": %.0f, \"peak_rss_mb\": %.0f}\n",
           b->network, b->threads, b->seconds, b->processor_seconds,
           1e-9 * b->operations / b->seconds, 1e-9 * b->ceiling_all, 0.5e-9 * b->operations,
           1e-6 * (double)b->value_bytes, 1e-6 * (double)b->weight_bytes,
           (double)b->peak_bytes / (1 << 20));
    fflush(stdout);
    print_profile(b);
    rv_bench_free(b);
}

static bool wanted(const char *name, int argc, char **argv)
{
    bool any = false;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], name))
            return true;
        if (argv[i][0] == '-')
            i += strcmp(argv[i], "--profile") != 0;
        else
            any = true;
    }
    return !any;
}

int main(int argc, char **argv)
{
    rv_bench_options opt;
    rv_bench_network network;
    rv_bench_defaults(&opt);
    opt.threads = 1;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--profile"))
            opt.profile = 1;
        else if (!strcmp(argv[i], "--threads") && i + 1 < argc)
            opt.threads = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--repeat") && i + 1 < argc)
            opt.repeat = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--seconds") && i + 1 < argc)
            opt.seconds = atof(argv[++i]);
    }
    for (size_t i = 0; rv_bench_network_at(i, &network); i++)
        if (wanted(network.name, argc, argv))
            run_bench(network.name, &opt);
    return 0;
}
