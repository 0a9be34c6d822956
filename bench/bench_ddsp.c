/* bench_ddsp.c - the synthesisers: 8 sounds of 4 s at 16 kHz from 250 frames a second, 100
 * harmonics or as many sinusoids with their own frequencies; and the multi-scale spectral loss of
 * such sounds. With "_grad" the gradients of all controls, or of the sound, too. And streams
 * (ddsp_streams.c): least user's processor seconds, samples per second, in blocks of several sizes.
 *
 *   bench_ddsp [--threads N] [--repeat N] [--seconds S] [SYNTHESISER...]
 *
 * Prints a JSON line for each: median seconds, user's processor seconds, samples (of all
 * oscillators) per processor second, memory. bench/peer_ddsp.py does the same work in PyTorch;
 * bench/compare.py puts its figures beside these. */
#include "core/ops.h"
#include "ddsp_streams.h"
#include "train/loss.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { BATCH = 8, RATE = 16000, FRAME_RATE = 250, OSCILLATORS = 100, MOST_REPEATS = 99 };

static const char *const names[] = { "harmonic",       "harmonic_grad", "sinusoids",
                                     "sinusoids_grad", "spectral_loss", "spectral_loss_grad" };
enum { NAMES = sizeof names / sizeof *names };

typedef struct {
    rv_pool *pool;
    rv_graph *graph;
    rv_plan *plan;
    float *values[2]; /* frequencies and amplitudes, or sound and what it should be */
    double samples;   /* of all oscillators */
} work;

static void check(rv_status status, const rv_error *err)
{
    if (status != RV_OK) {
        fprintf(stderr, "bench_ddsp: %s\n", err->text);
        exit(1);
    }
}

static float *uniform(size_t n, double low, double high)
{
    float *x = malloc(n * sizeof *x);
    if (!x) {
        fprintf(stderr, "bench_ddsp: no memory for %zu values\n", n);
        exit(1);
    }
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(low + (high - low) * rand() / RAND_MAX);
    return x;
}

/* As ddsp_pytorch: controls are held from frame to frame. */
static rv_node *harmonic(rv_node *f0, rv_node *amplitudes, size_t samples)
{
    rv_node *frequency = rv_upsample(f0, samples, RV_UPSAMPLE_HOLD);
    rv_node *phase = rv_phase(rv_reshape(frequency, RV_SHAPE(BATCH, samples)));
    return rv_harmonic(phase, amplitudes, RV_UPSAMPLE_HOLD);
}

static float *bind_uniform(work *w, rv_node *node, double low, double high)
{
    float *values = uniform(rv_shape_count(&node->shape), low, high);
    rv_plan_bind(w->plan, node, values);
    return values;
}

/* The output, of inputs whose shapes depend on the name. */
static rv_node *build(work *w, const char *name, size_t seconds, rv_node **in)
{
    const size_t frames = seconds * FRAME_RATE, samples = seconds * RATE;
    const size_t each = strncmp(name, "harmonic", 8) ? OSCILLATORS : 1;
    w->samples = (double)(BATCH * samples);
    if (!strncmp(name, "spectral", 8)) {
        rv_spectral_options loss = rv_spectral_defaults();
        loss.logmag = 1;
        in[0] = rv_param(w->graph, RV_SHAPE(BATCH, samples, 1));
        in[1] = rv_param(w->graph, RV_SHAPE(BATCH, samples, 1));
        return rv_loss_spectral(in[0], in[1], RATE, &loss);
    }
    w->samples *= OSCILLATORS;
    in[0] = rv_param(w->graph, RV_SHAPE(BATCH, frames, each));
    in[1] = rv_param(w->graph, RV_SHAPE(BATCH, frames, OSCILLATORS));
    return each == 1 ? harmonic(in[0], in[1], samples)
                     : rv_sinusoids(in[0], in[1], samples, RV_UPSAMPLE_LINEAR);
}

static void open_work(work *w, const char *name, size_t seconds, int threads)
{
    rv_error err = { 0 };
    rv_node *in[2], *slopes[2];
    const bool loss = !strncmp(name, "spectral", 8);
    check(rv_pool_new(&w->pool, threads, NULL, &err), &err);
    check(rv_graph_new(&w->graph, NULL, &err), &err);
    rv_node *y = rv_output(build(w, name, seconds, in));
    if (strstr(name, "_grad"))
        rv_grad(loss ? y : rv_output(rv_mean(rv_mul(y, y))), in, slopes, loss ? 1 : 2);
    const rv_plan_options opt = { .isa_mask = KERN_ISA_ALL, .pool = w->pool };
    check(rv_plan_new(&w->plan, w->graph, &opt, &err), &err);
    w->values[0] = bind_uniform(w, in[0], loss ? -0.5 : 60.0 / RATE, loss ? 0.5 : 600.0 / RATE);
    w->values[1] = bind_uniform(w, in[1], loss ? -0.5 : 0, loss ? 0.5 : 0.02);
}

static void close_work(work *w)
{
    rv_plan_free(w->plan);
    rv_graph_free(w->graph);
    rv_pool_free(w->pool);
    free(w->values[0]);
    free(w->values[1]);
}

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double user(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)use.ru_utime.tv_sec + 1e-6 * (double)use.ru_utime.tv_usec;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, by_value);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

static void bench(const char *name, size_t seconds, int threads, int repeat)
{
    double times[MOST_REPEATS], processor[MOST_REPEATS];
    struct rusage use;
    work w;
    open_work(&w, name, seconds, threads);
    rv_plan_run(w.plan);
    for (int i = 0; i < repeat; i++) {
        const double start = wall(), before = user();
        rv_plan_run(w.plan);
        times[i] = wall() - start;
        processor[i] = user() - before;
    }
    getrusage(RUSAGE_SELF, &use);
    const double cpu = median(processor, repeat);
    printf("{\"model\": \"%s\", \"threads\": %d, \"batch\": %d, \"seconds\": %.4f, "
           "\"processor_seconds\": %.4f, \"samples_per_second\": %.3g, "
           "\"plan_mb\": %.1f, \"peak_rss_mb\": %.0f}\n",
           name, threads, BATCH, median(times, repeat), cpu, w.samples / cpu,
           1e-6 * (double)rv_plan_bytes(w.plan), (double)use.ru_maxrss / 1024);
    fflush(stdout);
    close_work(&w);
}

static long option(int *argc, char **argv, const char *name, long otherwise, long most)
{
    for (int i = 1; i + 1 < *argc; i++)
        if (!strcmp(argv[i], name)) {
            const long value = strtol(argv[i + 1], NULL, 10);
            *argc -= 2;
            for (int k = i; k < *argc; k++)
                argv[k] = argv[k + 2];
            return value < 1 ? 1 : value > most ? most : value;
        }
    return otherwise;
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    bool wanted = argc == 1;
    for (int k = 1; k < argc; k++)
        wanted = wanted || !strcmp(argv[k], name);
    return wanted;
}

int main(int argc, char **argv)
{
    const int threads = (int)option(&argc, argv, "--threads", 1, 256);
    const int repeat = (int)option(&argc, argv, "--repeat", 5, MOST_REPEATS);
    const size_t seconds = (size_t)option(&argc, argv, "--seconds", 4, 3600);
    for (size_t i = 0; i < NAMES; i++)
        if (is_wanted(names[i], argc, argv))
            bench(names[i], seconds, threads, repeat);
    for (size_t i = 0; bench_stream_name(i); i++)
        if (is_wanted(bench_stream_name(i), argc, argv))
            bench_stream(bench_stream_name(i), seconds, repeat);
    return 0;
}
