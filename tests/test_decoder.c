/* test_decoder.c - the DDSP decoder against PyTorch (tools/make_golden_decoder.py): names and
 * shapes of the parameters, the heads, the gradients of the mean absolute error, and the losses of
 * ten steps of Adam; equal bits for any number of threads; and bad features are errors. */
#include "check.h"
#include "ddsp/decoder.h"
#include "io/checkpoint.h"
#include "train/loss.h"
#include "train/optimiser.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 3, FRAMES = 40, STEPS = 10, MOST_PARAMS = 64 };

/* A decoder that learns a golden case. */
typedef struct {
    rv_checkpoint *golden;
    rv_graph *graph;
    nn_builder nn;
    rv_plan *plan;
    rv_pool *pool;
    rv_optimiser *optimiser;
    rv_node *in[4], *out, *loss, *gradient[MOST_PARAMS]; /* in: f0, loudness, z or NULL, target */
    real *values, *gradients;
    size_t count;
} decoder_case;

static const rv_decoder_config leaky = {
    .hidden_size = 12, .layers = 3, .n_harmonic = 7, .n_bands = 4, .slope = 0.01, .norm_eps = 1e-5
};
static const rv_decoder_config latent = { .hidden_size = 12,
                                          .layers = 2,
                                          .n_harmonic = 7,
                                          .n_bands = 4,
                                          .z = 3,
                                          .norm_eps = 1e-5,
                                          .pitch = RV_DECODER_MIDI };

/* The tensor `name`, or `prefix`.`name` of the shape of a parameter. */
static void read_golden(const decoder_case *c, const char *prefix, const char *name,
                        const rv_shape *shape, real *to)
{
    char full[300];
    rv_error err = { 0 };
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const rv_tensor *t = rv_checkpoint_find(c->golden, full);
    CHECK_MSG(t != NULL, "no tensor %s", full);
    bool same = t->rank == shape->rank;
    for (int i = 0; same && i < t->rank; i++)
        same = t->shape[i] == shape->d[i];
    CHECK_MSG(same, "%s has another shape", full);
    CHECK_OK(rv_checkpoint_read(c->golden, t, to, &err), err);
}

static void open_golden(decoder_case *c, const char *name)
{
    char path[512];
    rv_error err = { 0 };
    const char *root = getenv("RV_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/golden/training_decoder_%s.safetensors",
             root ? root : ".", name);
    CHECK_OK(rv_checkpoint_open(&c->golden, path, &err), err);
}

static void build(decoder_case *c, const rv_decoder_config *config)
{
    rv_error err = { 0 };
    CHECK_OK(rv_graph_new(&c->graph, NULL, &err), err);
    nn_begin(&c->nn, c->graph);
    c->in[0] = rv_input(c->graph, RV_SHAPE(BATCH, FRAMES, 1));
    c->in[1] = rv_input(c->graph, RV_SHAPE(BATCH, FRAMES, 1));
    c->in[2] = config->z ? rv_input(c->graph, RV_SHAPE(BATCH, FRAMES, config->z)) : NULL;
    const rv_decoder_heads heads = rv_decoder(&c->nn, config, c->in[0], c->in[1], c->in[2]);
    c->out = rv_output(rv_concat(2, 2, (rv_node *[]){ heads.harmonic, heads.noise }));
    c->in[3] = rv_input(c->graph, c->out->shape);
    c->loss = rv_output(rv_loss_l1(c->out, c->in[3]));
    c->count = nn_count(&c->nn);
}

static void differentiate(decoder_case *c)
{
    rv_node *wrt[MOST_PARAMS];
    rv_error err = { 0 };
    size_t i = 0;
    CHECK(c->nn.n_params <= MOST_PARAMS);
    for (const nn_param *p = c->nn.params; p; p = p->next)
        wrt[i++] = p->node;
    rv_grad(c->loss, wrt, c->gradient, i);
    CHECK_OK(rv_graph_status(c->graph, &err), err);
}

static void read_start(decoder_case *c)
{
    static const char *const names[] = { "f0", "loudness", "z", "target" };
    real *at = c->values = calloc(c->count, sizeof *c->values);
    c->gradients = calloc(c->count, sizeof *c->gradients);
    for (const nn_param *p = c->nn.params; p; p = p->next) {
        read_golden(c, "start.", p->name, &p->node->shape, at);
        rv_plan_bind(c->plan, p->node, at);
        at += rv_shape_count(&p->node->shape);
    }
    for (size_t i = 0; i < 4; i++)
        if (c->in[i])
            read_golden(c, "", names[i], &c->in[i]->shape, rv_value(c->plan, c->in[i]));
}

static void open_decoder(decoder_case *c, const char *name, const rv_decoder_config *config,
                         int threads)
{
    rv_error err = { 0 };
    *c = (decoder_case){ 0 };
    open_golden(c, name);
    build(c, config);
    differentiate(c);
    CHECK_OK(rv_pool_new(&c->pool, threads, NULL, &err), err);
    const rv_plan_options options = { .pool = c->pool, .isa_mask = KERN_ISA_ALL };
    CHECK_OK(rv_plan_new(&c->plan, c->graph, &options, &err), err);
    read_start(c);
    const rv_optimiser_config adam = rv_optimiser_defaults(RV_ADAM);
    const rv_span all = { .name = "all", .count = c->count };
    CHECK_OK(rv_optimiser_new(&c->optimiser, &adam, &all, 1, NULL, &err), err);
}

static void close_decoder(decoder_case *c)
{
    rv_optimiser_free(c->optimiser);
    rv_plan_free(c->plan);
    rv_pool_free(c->pool);
    rv_graph_free(c->graph);
    rv_checkpoint_free(c->golden);
    free(c->values);
    free(c->gradients);
}

/* Loss and gradients at the present values. */
static double run(decoder_case *c)
{
    real *at = c->gradients;
    rv_plan_run(c->plan);
    for (size_t i = 0; i < c->nn.n_params; i++) {
        const size_t n = rv_shape_count(&c->gradient[i]->shape);
        memcpy(at, rv_value(c->plan, c->gradient[i]), n * sizeof *at);
        at += n;
    }
    return (double)*rv_value(c->plan, c->loss);
}

/* max |x - want| / max |want| */
static double relative(const real *x, const real *want, size_t n)
{
    double off = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)x[i] - (double)want[i]);
        off = d <= off ? off : d; /* keeps NaN */
        most = fmax(most, fabs((double)want[i]));
    }
    return off / most;
}

static double output_error(const decoder_case *c)
{
    const size_t n = rv_shape_count(&c->out->shape);
    real *want = malloc(n * sizeof *want);
    read_golden(c, "", "output", &c->out->shape, want);
    const double off = relative(rv_value(c->plan, c->out), want, n);
    free(want);
    return off;
}

static double gradient_error(const decoder_case *c)
{
    double most = 0;
    const real *at = c->gradients;
    real *want = malloc(c->count * sizeof *want);
    for (const nn_param *p = c->nn.params; p; p = p->next) {
        const size_t n = rv_shape_count(&p->node->shape);
        read_golden(c, "gradient.", p->name, &p->node->shape, want);
        const double off = relative(at, want, n);
        most = off <= most ? most : off;
        at += n;
    }
    free(want);
    return most;
}

static void check_golden(const char *name, const rv_decoder_config *config)
{
    decoder_case c;
    real losses[STEPS];
    double off = 0, out_off = 0, gradient_off = 0;
    open_decoder(&c, name, config, 1);
    read_golden(&c, "", "losses", &RV_SHAPE(STEPS), losses);
    for (size_t i = 0; i < STEPS; i++) {
        off = fmax(off, fabs(run(&c) / (double)losses[i] - 1));
        if (i == 0) {
            out_off = output_error(&c);
            gradient_off = gradient_error(&c);
        }
        CHECK(rv_optimiser_step(c.optimiser, c.values, c.gradients, 3e-3, c.pool, NULL));
    }
    printf("# %s: losses within %.1e, heads within %.1e, gradients within %.1e\n", name, off,
           out_off, gradient_off);
    CHECK_MSG(off <= 3e-6, "%s: a loss is off by %.2e", name, off);
    CHECK_MSG(out_off <= 3e-6, "%s: the heads are off by %.2e", name, out_off);
    CHECK_MSG(gradient_off <= 3e-5, "%s: a gradient is off by %.2e", name, gradient_off);
    close_decoder(&c);
}

TEST(test_as_pytorch)
{
    check_golden("leaky", &leaky);
    check_golden("latent", &latent);
}

TEST(test_equal_bits_for_any_threads)
{
    real *first = NULL;
    for (int threads = 1; threads <= 3; threads++) {
        decoder_case c;
        open_decoder(&c, "leaky", &leaky, threads);
        const size_t bytes = c.count * sizeof *first;
        run(&c);
        if (!first)
            first = memcpy(malloc(bytes), c.gradients, bytes);
        CHECK_MSG(!memcmp(first, c.gradients, bytes), "%d threads differ", threads);
        close_decoder(&c);
    }
    free(first);
}

/* Hidden layers of 512: 2 x 3 and 3 of them, their norms, the GRU, the heads. */
TEST(test_parameters_of_the_usual_size)
{
    const rv_decoder_config config = rv_decoder_defaults();
    const size_t h = 512, square = h * h + h, norm = 2 * h;
    const size_t in = 2 * h + norm + 2 * (square + norm), out = (h + 2) * h + h + norm;
    const size_t gru = 3 * h * (2 * h + h + 2), heads = (h + 1) * (101 + 65);
    decoder_case c = { 0 };
    build(&c, &config);
    CHECK(c.count == 2 * in + gru + out + 2 * (square + norm) + heads);
    CHECK(nn_find(&c.nn, "in_mlps.1.6.weight") && nn_find(&c.nn, "gru.bias_hh_l0"));
    rv_graph_free(c.graph);
}

TEST(test_bad_features)
{
    rv_decoder_config config = leaky;
    for (int i = 0; i < 3; i++) {
        rv_error err = { 0 };
        rv_graph *g;
        nn_builder b;
        CHECK_OK(rv_graph_new(&g, NULL, &err), err);
        nn_begin(&b, g);
        rv_node *one = rv_input(g, RV_SHAPE(1, 5, 1)), *two = rv_input(g, RV_SHAPE(1, 5, 2));
        config.z = i == 2 ? 3 : 0;
        rv_decoder(&b, &config, i == 0 ? two : one, i == 1 ? two : one, i == 2 ? two : NULL);
        CHECK(rv_graph_status(g, &err) == RV_ERR_SHAPE && strstr(err.text, "features of"));
        rv_graph_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_pytorch),
        cmocka_unit_test(test_equal_bits_for_any_threads),
        cmocka_unit_test(test_parameters_of_the_usual_size),
        cmocka_unit_test(test_bad_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
