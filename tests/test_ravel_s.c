/* test_ravel_s.c - what the small network promises: its size and work, stems that add up to the
 * mix, silence for silence, and in its one-directional form no look ahead. */
#include "base/rng.h"
#include "check.h"
#include "core/graph_impl.h"
#include "core/op.h"
#include "models/model.h"

#include <stdlib.h>
#include <string.h>

#define STEM(value)                        \
    {                                      \
        .kind = RV_ARG_TEXT, .text = value \
    }
static const rv_arg stems[] = { STEM("drums"), STEM("bass"), STEM("vocals"), STEM("other") };

#define STEMS                                                               \
    {                                                                       \
        .name = "sources", .kind = RV_ARG_LIST, .number = 4, .items = stems \
    }
#define NUMBER(key, value)                                  \
    {                                                       \
        .name = key, .kind = RV_ARG_NUMBER, .number = value \
    }
#define TEXT(key, value)                                \
    {                                                   \
        .name = key, .kind = RV_ARG_TEXT, .text = value \
    }

typedef struct {
    rv_graph *graph;
    nn_builder nn;
    rv_model_info info;
    rv_node *mix, *out;
    rv_plan *plan;
    real *values;
} network;

/* length 0: the segment's */
static void open_network(network *n, const rv_arg *arg, size_t n_arg, size_t length)
{
    rv_error err = { 0 };
    const rv_model_def *def = rv_model_find("ravel_s");
    *n = (network){ 0 };
    CHECK_OK(rv_graph_new(&n->graph, NULL, &err), err);
    void *config = rv_graph_take(n->graph, def->config_size);
    CHECK_OK(def->configure(config, &n->info, &(rv_args){ arg, n_arg }, &err), err);
    nn_begin(&n->nn, n->graph);
    n->mix = rv_input(n->graph, RV_SHAPE(1, length ? length : n->info.n_audio, n->info.channels));
    n->out = rv_output(def->build(&n->nn, config, &n->info, n->mix));
    CHECK_OK(rv_graph_status(n->graph, &err), err);
}

static void plan_network(network *n)
{
    rv_error err = { 0 };
    CHECK_OK(rv_plan_new(&n->plan, n->graph, NULL, &err), err);
    real *at = n->values = malloc(nn_count(&n->nn) * sizeof *at);
    for (const nn_param *p = n->nn.params; p; p = p->next) {
        nn_initialise(p, 1, at);
        rv_plan_bind(n->plan, p->node, at);
        at += rv_shape_count(&p->node->shape);
    }
}

static void close_network(network *n)
{
    rv_plan_free(n->plan);
    rv_graph_free(n->graph);
    free(n->values);
}

/* Multiplications by weights: of each input row of a linear layer, of each step of a GRU, and of
 * each frame and stem by the masks' basis. */
static double products(const rv_node *n)
{
    const double rows = (double)(rv_shape_count(&n->shape) / rv_extent(n, -1));
    if (!strcmp(n->op->name, "linear"))
        return rows * (double)rv_shape_count(&n->in[1]->shape);
    if (!strcmp(n->op->name, "band_masks"))
        return (double)(n->in[0]->shape.d[1] * n->in[0]->shape.d[2]) *
               (double)rv_shape_count(&n->in[1]->shape);
    double sum = 0;
    for (int i = 1; !strcmp(n->op->name, "gru") && i < n->n_in; i++)
        sum += n->in[i]->shape.rank == 2 ? rows * (double)rv_shape_count(&n->in[i]->shape) : 0;
    return sum;
}

static void check_size(bool mid_side, size_t parameters)
{
    const rv_arg args[] = { STEMS, NUMBER("mid_side", mid_side) };
    network n;
    double sum = 0;
    open_network(&n, args, 2, 0);
    for (const rv_node *v = n.graph->first; v; v = v->next)
        sum += v->op ? products(v) : 0;
    sum /= n.info.segment;
    printf("# ravel_s: %zu parameters, %.3f billion multiplications for a second of audio\n",
           nn_count(&n.nn), sum / 1e9);
    CHECK(nn_count(&n.nn) == parameters);
    CHECK(sum > 0.3e9 && sum < 1e9);
    close_network(&n);
}

TEST(test_size_and_work)
{
    check_size(false, 2223136);
    check_size(true, 2485408);
}

TEST(test_mid_side_is_for_stereo)
{
    const rv_arg args[] = { STEMS, NUMBER("mid_side", 1), NUMBER("audio_channels", 1) };
    const rv_model_def *def = rv_model_find("ravel_s");
    rv_model_info info = { 0 };
    rv_error err = { 0 };
    void *config = calloc(1, def->config_size);
    CHECK(def->configure(config, &info, &(rv_args){ args, 3 }, &err) == RV_ERR_ARG);
    CHECK_MSG(strstr(err.text, "mid_side is true; it needs two channels, not 1"), "%s", err.text);
    free(config);
}

static double sample(size_t i)
{
    return 2 * rv_rng_uniform(5, 0, i) - 1;
}

#define SMALL                                                                                   \
    STEMS, NUMBER("n_fft", 256), NUMBER("hop", 64), NUMBER("bands", 9), NUMBER("features", 12), \
        NUMBER("blocks", 2), NUMBER("samplerate", 8000)
enum { LENGTH = 1777 };

/* Of each sample and channel, how far the stems' sum is from the mix. */
static void check_sum(const char *mask, bool mid_side)
{
    const rv_arg args[] = { SMALL, TEXT("mask", mask), NUMBER("mid_side", mid_side) };
    network n;
    open_network(&n, args, sizeof args / sizeof *args, LENGTH);
    plan_network(&n);
    real *x = rv_value(n.plan, n.mix);
    for (size_t i = 0; i < 2 * LENGTH; i++)
        x[i] = (real)sample(i);
    rv_plan_run(n.plan);
    const real *y = rv_value(n.plan, n.out);
    double off = 0, size = 0;
    for (size_t i = 0; i < 2 * LENGTH; i++) {
        double sum = 0;
        for (size_t s = 0; s < 4; s++) {
            const double part = (double)y[(i / 2 * 4 + s) * 2 + i % 2];
            sum += part;
            size = fmax(size, fabs(part));
        }
        off = fmax(off, fabs(sum - sample(i)));
    }
    printf("# %s masks: the sum is off by %.1e, the largest sample of a stem is %.2f\n", mask, off,
           size);
    CHECK(size > 0.1 && off < 1e-5);
    close_network(&n);
}

TEST(test_stems_add_up_to_the_mix)
{
    check_sum("complex", false);
    check_sum("complex", true);
    check_sum("real", false);
    check_sum("real", true);
}

TEST(test_silence_stays_silent)
{
    static const rv_arg args[] = { SMALL };
    network n;
    open_network(&n, args, sizeof args / sizeof *args, LENGTH);
    plan_network(&n);
    memset(rv_value(n.plan, n.mix), 0, (size_t)2 * LENGTH * sizeof(real));
    rv_plan_run(n.plan);
    for (size_t i = 0; i < rv_shape_count(&n.out->shape); i++)
        CHECK(rv_value(n.plan, n.out)[i] == 0);
    close_network(&n);
}

/* A change from sample `change` on: the first sample of the output that notices. */
static size_t first_change(bool both)
{
    const rv_arg args[] = { SMALL, NUMBER("bidirectional", both) };
    const size_t change = 1000, count = (size_t)8 * LENGTH;
    network n;
    open_network(&n, args, sizeof args / sizeof *args, LENGTH);
    plan_network(&n);
    real *before = malloc(count * sizeof *before);
    for (int changed = 0; changed < 2; changed++) {
        for (size_t i = 0; i < 2 * LENGTH; i++)
            rv_value(n.plan, n.mix)[i] =
                (real)(i >= 2 * change && changed ? -sample(i + 9) : sample(i));
        rv_plan_run(n.plan);
        if (!changed)
            memcpy(before, rv_value(n.plan, n.out), count * sizeof *before);
    }
    size_t i = 0;
    while (i < count && before[i] == rv_value(n.plan, n.out)[i])
        i++;
    free(before);
    close_network(&n);
    return i / 8;
}

TEST(test_one_direction_does_not_look_ahead)
{
    const size_t first = first_change(false);
    printf("# a change at sample 1000 shows from sample %zu on\n", first);
    CHECK(first + 256 > 1000); /* a frame's length: the frames that hold it */
    CHECK(first_change(true) < 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_and_work),
        cmocka_unit_test(test_mid_side_is_for_stereo),
        cmocka_unit_test(test_stems_add_up_to_the_mix),
        cmocka_unit_test(test_silence_stays_silent),
        cmocka_unit_test(test_one_direction_does_not_look_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
