/* test_training.c - training against PyTorch's: losses of ten steps of Adam on a fixed batch, and
 * the gradients of the first (tools/make_golden_training.py); equal bits for any number of
 * threads; and every model learns an example by heart. */
#include "model_case.h"
#include "train/loss.h"
#include "train/optimiser.h"
#include "train/separation.h"

/* A learner, the case whose model it trains, and a batch of examples. */
typedef struct {
    model_case model;
    rv_learner *learner;
    rv_pool *pool;
    size_t frames, scored, batch;
    double lr;
    bool recompute;
    float *mix, *target; /* [batch,frames,C], [batch,frames,S C] */
    rv_optimiser *optimiser;
} training;

static rv_node *mean_absolute_error(void *ctx, rv_node *estimate, rv_node *target)
{
    (void)ctx;
    return rv_loss_l1(estimate, target);
}

static char *golden_path(char path[512], const char *name)
{
    const char *root = getenv("RV_TEST_SOURCE");
    snprintf(path, 512, "%s/tests/golden%s", root ? root : ".", name);
    return path;
}

static void open_training(training *t, const char *name, size_t batch)
{
    char path[512];
    *t = (training){ .batch = batch };
    open_case(&t->model, golden_path(path, ""), name);
    configure_case(&t->model);
}

static void start(training *t, int threads)
{
    rv_error err = { 0 };
    CHECK_OK(rv_pool_new(&t->pool, threads, NULL, &err), err);
    const rv_separation separation = {
        .def = t->model.def,
        .config = t->model.config,
        .info = &t->model.info,
        .frames = t->frames,
        .scored = t->scored,
        .loss = mean_absolute_error,
    };
    CHECK_OK(rv_separation_learner(&t->learner, &separation, t->batch, t->recompute, t->pool, &err),
             err);
    const rv_optimiser_config adam = rv_optimiser_defaults(RV_ADAM);
    const rv_span all = { .name = "all", .count = rv_learner_count(t->learner) };
    CHECK_OK(rv_optimiser_new(&t->optimiser, &adam, &all, 1, NULL, &err), err);
}

static void stop(training *t)
{
    rv_optimiser_free(t->optimiser);
    rv_learner_free(t->learner);
    rv_pool_free(t->pool);
    t->optimiser = NULL;
    t->learner = NULL;
    t->pool = NULL;
}

static void close_training(training *t)
{
    stop(t);
    close_case(&t->model);
    free(t->mix);
    free(t->target);
}

static void read_start(training *t)
{
    rv_error err = { 0 };
    real *at = rv_learner_values(t->learner);
    for (const nn_param *p = rv_learner_params(t->learner); p; p = p->next) {
        const rv_tensor *w = find_weights(&t->model, p->name);
        check_shape(p, w);
        CHECK_OK(rv_checkpoint_read(t->model.weights, w, at, &err), err);
        at += w->count;
    }
}

static double step(training *t)
{
    return rv_learner_step(t->learner, (const float *[]){ t->mix, t->target }, true, 1);
}

static void descend(training *t, double lr)
{
    CHECK(rv_optimiser_step(t->optimiser, rv_learner_values(t->learner),
                            rv_learner_gradients(t->learner), lr, t->pool, NULL));
}

/* planar [batch,rows,frames] -> [batch,frames,rows] */
static float *read_batch(const rv_checkpoint *c, const char *name, size_t batch, size_t rows,
                         size_t *frames)
{
    float *planar = read_tensor(c, name, frames);
    const size_t n = *frames, all = batch * rows * n;
    float *out = malloc(all * sizeof *out);
    CHECK(rv_checkpoint_find(c, name)->count == all);
    for (size_t i = 0; i < all; i++)
        out[(i / (rows * n) * n + i % n) * rows + i / n % rows] = planar[i];
    free(planar);
    return out;
}

static void read_settings(training *t, const char *name)
{
    char path[512], file[80];
    snprintf(file, sizeof file, "/training_%s.json", name);
    json_t *json = json_load_file(golden_path(path, file), 0, NULL);
    t->lr = json_number_value(json_object_get(json, "lr"));
    t->scored = (size_t)json_integer_value(json_object_get(json, "scored"));
    CHECK_MSG(t->lr > 0 && t->scored > 0, "no rate or length in %s", path);
    json_decref(json);
}

/* The golden case and its batch. */
static rv_checkpoint *open_golden(training *t, const char *name)
{
    char path[512], file[80];
    rv_error err = { 0 };
    rv_checkpoint *golden = NULL;
    open_training(t, name, 2);
    read_settings(t, name);
    snprintf(file, sizeof file, "/training_%s.safetensors", name);
    CHECK_OK(rv_checkpoint_open(&golden, golden_path(path, file), &err), err);
    const rv_model_info *info = &t->model.info;
    t->mix = read_batch(golden, "mix", t->batch, info->channels, &t->frames);
    t->target = read_batch(golden, "target", t->batch, info->n_stems * info->channels, &t->frames);
    return golden;
}

/* The reference's gradients one after the other, in the learner's order. */
static float *read_gradients(const training *t, const rv_checkpoint *golden)
{
    char name[300];
    rv_error err = { 0 };
    float *all = malloc(rv_learner_count(t->learner) * sizeof *all), *at = all;
    for (const nn_param *p = rv_learner_params(t->learner); p; p = p->next) {
        snprintf(name, sizeof name, "gradient.%s", p->name);
        const rv_tensor *w = rv_checkpoint_find(golden, name);
        check_shape(p, w);
        CHECK_OK(rv_checkpoint_read(golden, w, at, &err), err);
        at += w->count;
    }
    return all;
}

static double largest(const float *x, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)x[i]));
    return most;
}

/* max |a - b|; NaN if there is one */
static double difference(const real *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        most = d <= most ? most : d;
    }
    return most;
}

/* max |g - want| / max |want| of the parameter for which that is worst. A gradient whose elements
 * are all below a millionth of the model's largest is zero but for rounding (of a bias before a
 * norm, of the keys' before a softmax): ours must be as small. */
static double gradient_error(const training *t, const float *want, const char **worst)
{
    const real *g = rv_learner_gradients(t->learner);
    const double floor = 1e-6 * largest(want, rv_learner_count(t->learner));
    double most = 0;
    for (const nn_param *p = rv_learner_params(t->learner); p; p = p->next) {
        const size_t n = rv_shape_count(&p->node->shape);
        const double most_wanted = largest(want, n), off = difference(g, want, n);
        const double error = off / most_wanted;
        if (most_wanted < floor)
            CHECK_MSG(off <= floor, "the gradient of %s is %.2e, not zero", p->name, off);
        else if (!(error <= most)) {
            most = error;
            *worst = p->name;
        }
        g += n;
        want += n;
    }
    return most;
}

static void check_golden(const char *name)
{
    training t;
    size_t n;
    const char *worst = "";
    rv_checkpoint *golden = open_golden(&t, name);
    float *losses = read_tensor(golden, "losses", &n);
    double off = 0, gradient_off = 0;
    start(&t, 1);
    read_start(&t);
    float *want = read_gradients(&t, golden);
    for (size_t i = 0; i < n; i++) {
        off = fmax(off, fabs(step(&t) / (double)losses[i] - 1));
        if (i == 0)
            gradient_off = gradient_error(&t, want, &worst);
        descend(&t, t.lr);
    }
    printf("# %s: losses of %zu steps within %.1e, gradients within %.1e (%s)\n", name, n, off,
           gradient_off, worst);
    CHECK(n == 10 && (double)losses[9] < 0.5 * (double)losses[0]);
    CHECK_MSG(off <= 3e-5, "%s: a loss is off by %.2e", name, off);
    CHECK_MSG(gradient_off <= 1e-4, "%s: the gradient of %s is off by %.2e", name, worst,
              gradient_off);
    free(losses);
    free(want);
    rv_checkpoint_free(golden);
    close_training(&t);
}

TEST(test_conv_tasnet_as_pytorch)
{
    check_golden("conv_tasnet");
}

TEST(test_htdemucs_as_pytorch)
{
    check_golden("htdemucs");
}

TEST(test_demucs_v2_as_pytorch)
{
    check_golden("demucs_v2");
}

static void check_threads(const char *name)
{
    training t;
    float *first = NULL;
    rv_checkpoint *golden = open_golden(&t, name);
    double loss = 0;
    for (int threads = 1; threads <= 3; threads++) {
        start(&t, threads);
        read_start(&t);
        const double now = step(&t);
        const size_t bytes = rv_learner_count(t.learner) * sizeof *first;
        if (threads == 1) {
            first = memcpy(malloc(bytes), rv_learner_gradients(t.learner), bytes);
            loss = now;
        }
        CHECK_MSG(now == loss && !memcmp(first, rv_learner_gradients(t.learner), bytes),
                  "%s: %d threads differ", name, threads);
        stop(&t);
    }
    free(first);
    rv_checkpoint_free(golden);
    close_training(&t);
}

TEST(test_equal_bits_for_any_threads)
{
    check_threads("conv_tasnet");
    check_threads("htdemucs");
}

/* A batch in two halves of the weight 1/2, added up, is the batch. */
TEST(test_gradients_accumulate)
{
    training t;
    rv_checkpoint *golden = open_golden(&t, "conv_tasnet");
    start(&t, 1);
    read_start(&t);
    const double loss = step(&t);
    const size_t bytes = rv_learner_count(t.learner) * sizeof(real);
    real *whole = memcpy(malloc(bytes), rv_learner_gradients(t.learner), bytes);
    stop(&t);
    t.batch = 1;
    start(&t, 1);
    read_start(&t);
    const rv_model_info *info = &t.model.info;
    const float *mix = t.mix + t.frames * info->channels;
    const float *target = t.target + t.frames * info->channels * info->n_stems;
    const double halves =
        rv_learner_step(t.learner, (const float *[]){ t.mix, t.target }, true, 0.5) +
        rv_learner_step(t.learner, (const float *[]){ mix, target }, false, 0.5);
    CHECK_CLOSE(halves / 2, loss, 1e-12);
    CHECK(!memcmp(whole, rv_learner_gradients(t.learner), bytes));
    free(whole);
    rv_checkpoint_free(golden);
    close_training(&t);
}

/* Stem s of channel c: a note that dies away, and the mix is their sum. */
static void make_example(training *t)
{
    const size_t stems = t->model.info.n_stems, channels = t->model.info.channels;
    t->mix = calloc(t->frames * channels, sizeof *t->mix);
    t->target = calloc(t->frames * channels * stems, sizeof *t->target);
    for (size_t i = 0; i < t->frames * channels * stems; i++) {
        const double time = (double)(i / (channels * stems)) / (double)t->frames;
        const size_t s = i / channels % stems, c = i % channels;
        const double pitch = 10 * pow(2.7, (double)s);
        t->target[i] = (float)(0.5 * exp(-time) * sin(6.2831853 * pitch * time + (double)(s + c)));
        t->mix[i / (channels * stems) * channels + c] += t->target[i];
    }
}

/* The losses of two steps and the weights after them, with and without. */
static void check_recompute(const char *name, size_t frames, double factor)
{
    training t;
    double losses[2][2];
    size_t bytes[2], n;
    real *weights[2];
    open_training(&t, name, 1);
    t.scored = frames;
    t.frames = t.model.def->valid_length(t.model.config, &t.model.info, frames);
    make_example(&t);
    for (int with = 0; with < 2; with++) {
        t.recompute = with;
        start(&t, 1 + with);
        rv_learner_initialise(t.learner, 1);
        n = rv_learner_count(t.learner) * sizeof(real);
        bytes[with] = rv_learner_bytes(t.learner);
        for (int i = 0; i < 2; i++) {
            losses[with][i] = step(&t);
            descend(&t, 1e-2);
        }
        weights[with] = memcpy(malloc(n), rv_learner_values(t.learner), n);
        stop(&t);
    }
    const double less = (double)bytes[0] / (double)bytes[1];
    printf("# %-12s memory less by a factor of %.2f\n", name, less);
    CHECK_MSG(!memcmp(losses[0], losses[1], sizeof losses[0]), "%s: other losses", name);
    CHECK_MSG(!memcmp(weights[0], weights[1], n), "%s: other weights", name);
    CHECK_MSG(less > factor, "%s: %zu bytes, %zu without", name, bytes[1], bytes[0]);
    free(weights[0]);
    free(weights[1]);
    close_training(&t);
}

TEST(test_equal_bits_with_values_computed_again)
{
    check_recompute("conv_tasnet", 4000, 1.4);
    check_recompute("conv_tasnet_skip", 4000, 1.7);
    check_recompute("demucs_v2", 4000, 1.1);
    check_recompute("demucs_v3", 4000, 1.5);
    check_recompute("hdemucs", 4000, 1.2);
    check_recompute("htdemucs", 975, 1.4);
}

/* The loss after so many steps from the model's usual start is a factor below the first. */
static void check_overfit(const char *name, size_t frames, int steps, double lr, double factor)
{
    training t;
    double first = 0, last = 0;
    open_training(&t, name, 1);
    t.scored = frames;
    t.frames = t.model.def->valid_length(t.model.config, &t.model.info, frames);
    make_example(&t);
    start(&t, 2);
    rv_learner_initialise(t.learner, 1);
    for (int i = 0; i < steps; i++) {
        last = step(&t);
        first = i ? first : last;
        descend(&t, i < steps / 2 ? lr : lr * 2 * (steps - i) / steps);
    }
    printf("# %-12s loss %.4f to %.4f in %d steps, a factor of %.1f\n", name, first, last, steps,
           first / last);
    CHECK_MSG(last * factor <= first, "%s: loss %.4g to %.4g", name, first, last);
    close_training(&t);
}

TEST(test_models_learn_an_example_by_heart)
{
    check_overfit("conv_tasnet", 500, 200, 3e-2, 20);
    check_overfit("demucs_v2", 500, 300, 3e-2, 5);
    check_overfit("demucs_v3", 1000, 100, 3e-2, 20);
    check_overfit("hdemucs", 800, 100, 3e-2, 20);
    check_overfit("htdemucs", 975, 200, 3e-2, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv_tasnet_as_pytorch),
        cmocka_unit_test(test_demucs_v2_as_pytorch),
        cmocka_unit_test(test_htdemucs_as_pytorch),
        cmocka_unit_test(test_equal_bits_for_any_threads),
        cmocka_unit_test(test_gradients_accumulate),
        cmocka_unit_test(test_equal_bits_with_values_computed_again),
        cmocka_unit_test(test_models_learn_an_example_by_heart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
