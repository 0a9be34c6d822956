/* bench_train.c - a step of training: forward, backward and Adam, random weights and data. Models
 * run in a learner; those of the DDSP family have the examples of a batch side by side in one
 * graph.
 *
 *   bench_train [--threads N] [--repeat N] [--batch N] [--seconds S] [--recompute 1] [MODEL...]
 *
 * Prints a JSON line for each model: median seconds of a step, processor seconds, memory of the
 * learner, peak of the process. bench/peer_train.py does the same work in PyTorch;
 * bench/compare.py puts its figures beside these. */
#include "train/loss.h"
#include "train/optimiser.h"
#include "train/separation.h"
#include "train_ddsp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define NUMBER(key, value)                                  \
    {                                                       \
        .name = key, .kind = RV_ARG_NUMBER, .number = value \
    }
#define STEM(value)                        \
    {                                      \
        .kind = RV_ARG_TEXT, .text = value \
    }

static const rv_arg stems[] = { STEM("speaker1"), STEM("speaker2") };
static const rv_arg conv_tasnet[] = {
    { .name = "sources", .kind = RV_ARG_LIST, .number = 2, .items = stems },
    NUMBER("N", 128),
    NUMBER("L", 16),
    NUMBER("B", 256),
    NUMBER("H", 512),
    NUMBER("P", 3),
    NUMBER("X", 8),
    NUMBER("R", 1),
    NUMBER("audio_channels", 1),
    NUMBER("samplerate", 16000),
};

typedef rv_status ddsp_fn(rv_learner **out, ddsp_data *data, size_t batch, double seconds,
                          bool recompute, rv_pool *pool, rv_error *err);

static const struct {
    const char *name;
    const char *model; /* NULL: one of these */
    rv_args args;
    ddsp_fn *ddsp;
    double seconds; /* of an example */
    int batch;
} benches[] = {
    { "conv_tasnet",
      "conv_tasnet",
      { conv_tasnet, sizeof conv_tasnet / sizeof *conv_tasnet },
      NULL,
      4,
      4 },
    { .name = "ddsp_decoder", .ddsp = ddsp_decoder, .seconds = 4, .batch = 8 },
    { .name = "ddsp_autoencoder", .ddsp = ddsp_autoencoder, .seconds = 4, .batch = 16 },
};

typedef struct {
    int threads, repeat, batch, recompute;
    double seconds;
} bench_options;

/* What a step needs. */
typedef struct {
    void *config;
    rv_model_info info;
    rv_pool *pool;
    rv_learner *learner;
    rv_optimiser *optimiser;
    ddsp_data data;
    size_t batch;
} work;

static void check(rv_status st, const rv_error *err)
{
    if (st != RV_OK) {
        fprintf(stderr, "bench_train: %s\n", err->text);
        exit(1);
    }
}

static double now(clockid_t clock_id)
{
    struct timespec t;
    clock_gettime(clock_id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static rv_node *l1(void *ctx, rv_node *estimate, rv_node *target)
{
    (void)ctx;
    return rv_loss_l1(estimate, target);
}

static float *noise(size_t n)
{
    float *x = malloc(n * sizeof *x);
    if (!x) {
        fprintf(stderr, "bench_train: no memory for %zu samples\n", n);
        exit(1);
    }
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(rand() / (double)RAND_MAX - 0.5);
    return x;
}

static void open_separator(work *w, size_t bench, double seconds, int recompute)
{
    rv_error err = { 0 };
    const rv_model_def *def = rv_model_find(benches[bench].model);
    w->config = calloc(1, def->config_size);
    check(def->configure(w->config, &w->info, &benches[bench].args, &err), &err);
    const size_t segment = (size_t)(seconds * (double)w->info.sample_rate);
    const rv_separation separation = {
        .def = def,
        .config = w->config,
        .info = &w->info,
        .frames = def->valid_length(w->config, &w->info, segment),
        .scored = segment,
        .loss = l1,
    };
    check(rv_separation_learner(&w->learner, &separation, w->batch, recompute, w->pool, &err),
          &err);
    const size_t samples = w->batch * separation.frames * w->info.channels;
    w->data.in[0] = noise(samples);
    w->data.in[1] = noise(samples * w->info.n_stems);
}

static void open_work(work *w, size_t bench, const bench_options *opt)
{
    rv_error err = { 0 };
    const double seconds = opt->seconds > 0 ? opt->seconds : benches[bench].seconds;
    w->batch = (size_t)(opt->batch > 0 ? opt->batch : benches[bench].batch);
    check(rv_pool_new(&w->pool, opt->threads, NULL, &err), &err);
    if (benches[bench].model)
        open_separator(w, bench, seconds, opt->recompute);
    else
        check(benches[bench].ddsp(&w->learner, &w->data, w->batch, seconds, opt->recompute, w->pool,
                                  &err),
              &err);
    rv_learner_initialise(w->learner, 1);
    const rv_optimiser_config adam = rv_optimiser_defaults(RV_ADAM);
    const rv_span all = { .name = "all", .count = rv_learner_count(w->learner) };
    check(rv_optimiser_new(&w->optimiser, &adam, &all, 1, NULL, &err), &err);
}

static void close_work(work *w)
{
    rv_optimiser_free(w->optimiser);
    rv_learner_free(w->learner);
    rv_pool_free(w->pool);
    free(w->config);
    for (size_t i = 0; i < RV_LEARNER_INPUTS; i++)
        free(w->data.in[i]);
}

static double step(work *w)
{
    const double loss = rv_learner_step(w->learner, (const float *const *)w->data.in, true, 1);
    if (!rv_optimiser_step(w->optimiser, rv_learner_values(w->learner),
                           rv_learner_gradients(w->learner), 1e-3, w->pool, NULL)) {
        fprintf(stderr, "bench_train: a gradient is no finite number\n");
        exit(1);
    }
    return loss;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, by_value);
    return x[n / 2];
}

static void run_bench(size_t bench, const bench_options *opt)
{
    work w = { 0 };
    double times[64], processor[64], loss = 0;
    open_work(&w, bench, opt);
    step(&w); /* warm up */
    for (int i = 0; i < opt->repeat; i++) {
        const double start = now(CLOCK_MONOTONIC), busy = now(CLOCK_PROCESS_CPUTIME_ID);
        loss = step(&w);
        times[i] = now(CLOCK_MONOTONIC) - start;
        processor[i] = now(CLOCK_PROCESS_CPUTIME_ID) - busy;
    }
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    const double seconds = median(times, opt->repeat);
    printf("{\"model\": \"%s\", \"threads\": %d, \"batch\": %zu, \"parameters\": %zu, "
           "\"seconds\": %.4f, \"steps_per_second\": %.3f, \"processor_seconds\": %.4f, "
           "\"loss\": %.4f, \"learner_mb\": %.0f, \"peak_rss_mb\": %.0f}\n",
           benches[bench].name, rv_pool_threads(w.pool), w.batch, rv_learner_count(w.learner),
           seconds, 1 / seconds, median(processor, opt->repeat), loss,
           1e-6 * (double)rv_learner_bytes(w.learner), (double)use.ru_maxrss / 1024);
    fflush(stdout);
    close_work(&w);
}

static bool wanted(const char *name, int argc, char **argv)
{
    bool any = false;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-')
            i++; /* every option has a value */
        else if (!strcmp(argv[i], name))
            return true;
        else
            any = true;
    }
    return !any;
}

int main(int argc, char **argv)
{
    bench_options opt = { .threads = 1, .repeat = 3 };
    for (int i = 1; i + 1 < argc; i++) {
        if (!strcmp(argv[i], "--threads"))
            opt.threads = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--repeat"))
            opt.repeat = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--batch"))
            opt.batch = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--recompute"))
            opt.recompute = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--seconds"))
            opt.seconds = atof(argv[++i]);
    }
    opt.repeat = opt.repeat < 1 ? 1 : opt.repeat > 64 ? 64 : opt.repeat;
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++)
        if (wanted(benches[i].name, argc, argv))
            run_bench(i, &opt);
    return 0;
}
