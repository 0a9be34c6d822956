/* test_ddsp_effects.c - reverbs, filter and modulated delay against ddsp and ddsp_pytorch
 * (tools/make_golden_ddsp.py); frames through filters against a plain loop; learned responses:
 * names, shapes, and that a gradient reaches them. */
#include "base/rng.h"
#include "ddsp/fir_filter.h"
#include "ddsp/mod_delay.h"
#include "ddsp/reverb.h"
#include "ddsp/routing.h"
#include "train/partial_load.h"

#include "ddsp_case.h"

#include <string.h>

TEST(test_reverb)
{
    ddsp_case c = ddsp_open("ddsp", "reverb");
    rv_node *audio = ddsp_input(&c, "audio");
    ddsp_check(&c, rv_reverb(audio, ddsp_input(&c, "ir"), true));
    c = ddsp_open("ddsp", "reverb_long");
    audio = ddsp_input(&c, "audio");
    rv_node *first = rv_slice(ddsp_input(&c, "ir"), 0, 0, 1); /* one response for all */
    ddsp_check(&c, rv_reverb(audio, first, false));
}

TEST(test_made_reverbs)
{
    ddsp_case c = ddsp_open("ddsp", "reverb_decay");
    rv_node *audio = ddsp_input(&c, "audio"), *noise = ddsp_input(&c, "noise");
    rv_node *gain = ddsp_input(&c, "gain");
    ddsp_check(&c, rv_reverb(audio, rv_reverb_decay(noise, gain, ddsp_input(&c, "decay")), true));
    c = ddsp_open("ddsp", "reverb_noise");
    const rv_noise_config config = rv_reverb_noise_defaults();
    audio = ddsp_input(&c, "audio");
    noise = ddsp_input(&c, "noise");
    ddsp_check(
        &c, rv_reverb(audio, rv_synth_noise(&config, noise, ddsp_input(&c, "magnitudes")), true));
}

/* A response of one sample, which is the direct sound. */
TEST(test_short_reverb)
{
    for (int dry = 0; dry < 2; dry++) {
        rv_graph *g = NULL;
        rv_plan *plan = NULL;
        rv_error err = { 0 };
        CHECK_OK(rv_graph_new(&g, NULL, &err), err);
        rv_node *audio = rv_input(g, RV_SHAPE(1, 2)), *h = rv_input(g, RV_SHAPE(1, 1));
        rv_node *y = rv_output(rv_reverb(audio, h, dry));
        CHECK_OK(rv_plan_new(&plan, g, NULL, &err), err);
        rv_value(plan, audio)[0] = 3;
        rv_value(plan, audio)[1] = 4;
        rv_plan_run(plan);
        CHECK(rv_value(plan, y)[0] == (dry ? 3 : 0) && rv_value(plan, y)[1] == (dry ? 4 : 0));
        rv_plan_free(plan);
        rv_graph_free(g);
    }
}

TEST(test_fir_filter)
{
    ddsp_case c = ddsp_open("ddsp", "fir");
    rv_node *audio = ddsp_input(&c, "audio");
    ddsp_check(&c, rv_fir_filter(audio, ddsp_input(&c, "magnitudes"), 257));
}

TEST(test_mod_delay)
{
    const rv_mod_delay_config config = rv_mod_delay_defaults(2000);
    ddsp_case c = ddsp_open("ddsp", "mod_delay");
    rv_node *audio = ddsp_input(&c, "audio"), *gain = ddsp_input(&c, "gain");
    ddsp_check(&c, rv_mod_delay(&config, audio, gain, ddsp_input(&c, "phase")));
}

TEST(test_mix)
{
    ddsp_case c = ddsp_open("ddsp", "mix");
    rv_node *a = ddsp_input(&c, "a"), *b = ddsp_input(&c, "b");
    ddsp_check(&c, rv_mix(a, b, ddsp_input(&c, "level"), true));
}

TEST(test_crop)
{
    static const char *const names[] = { "crop_front", "crop_center", "crop_back" };
    for (int place = RV_CROP_FRONT; place <= RV_CROP_BACK; place++) {
        ddsp_case c = ddsp_open("ddsp", names[place]);
        ddsp_check(&c, rv_crop(ddsp_input(&c, "audio"), 31, (rv_crop_place)place));
    }
}

/* The learned response of ddsp_pytorch, from a checkpoint of it: two parameters have no axes there.
 */
TEST(test_wet_reverb)
{
    const rv_span spans[] = { { "noise", 0, 120, RV_SHAPE(120, 1), false, false },
                              { "decay", 120, 1, RV_SHAPE(1), false, false },
                              { "wet", 121, 1, RV_SHAPE(1), false, false } };
    ddsp_case c = ddsp_open("ddsp_pytorch", "reverb");
    nn_builder b;
    rv_error err = { 0 };
    rv_plan *plan = NULL;
    rv_checkpoint *weights = NULL;
    real values[122], want[500];
    char path[512];
    size_t loaded = 0;
    const char *root = getenv("RV_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/golden/ddsp_pytorch_reverb.pth", root ? root : ".");
    CHECK_OK(rv_checkpoint_open(&weights, path, &err), err);
    CHECK_OK(rv_partial_load(weights, spans, 3, values, &loaded, NULL, NULL, &err), err);
    CHECK(loaded == 3);
    nn_begin(&b, c.graph);
    rv_node *audio = ddsp_input(&c, "audio");
    rv_node *y = rv_output(rv_reverb(audio, rv_reverb_wet(&b, 120, 16000), true));
    CHECK_OK(rv_plan_new(&plan, c.graph, NULL, &err), err);
    for (size_t i = 0; i < 3; i++)
        rv_plan_bind(plan, nn_find(&b, spans[i].name), values + spans[i].offset);
    CHECK_OK(rv_checkpoint_read(c.golden, ddsp_tensor(&c, "out"), want, &err), err);
    ddsp_fill(&c, plan);
    rv_plan_run(plan);
    for (size_t i = 0; i < 500; i++)
        CHECK_CLOSE(rv_value(plan, y)[i], want[i], 1e-5);
    rv_plan_free(plan);
    rv_checkpoint_free(weights);
    ddsp_close(&c);
}

static void check_params(const nn_builder *b, const char *const *names, const rv_shape *shapes,
                         size_t n)
{
    CHECK(b->n_params == n);
    for (size_t i = 0; i < n; i++) {
        rv_node *p = nn_find(b, names[i]);
        CHECK_MSG(p && rv_shape_equal(&p->shape, &shapes[i]), "%s", names[i]);
    }
}

/* kind 0: the response itself; 1: decay; 2: filtered noise */
static rv_node *learned(nn_builder *b, int kind)
{
    const rv_noise_config config = rv_reverb_noise_defaults();
    rv_node *noise = kind ? rv_input(b->graph, RV_SHAPE(1, 40)) : NULL;
    return kind == 0   ? rv_reverb_learned(b, 40)
           : kind == 1 ? rv_reverb_decay_learned(b, noise)
                       : rv_reverb_noise_learned(b, &config, noise, 4, 5);
}

TEST(test_learned_reverbs)
{
    static const char *const names[][2] = { { "ir", "" },
                                            { "gain", "decay" },
                                            { "magnitudes", "" } };
    const rv_shape shapes[][2] = { { RV_SHAPE(40) },
                                   { RV_SHAPE(1), RV_SHAPE(1) },
                                   { RV_SHAPE(4, 5) } };
    static const size_t counts[] = { 1, 2, 1 };
    for (int kind = 0; kind < 3; kind++) {
        rv_graph *g = NULL;
        nn_builder b;
        rv_error err = { 0 };
        CHECK_OK(rv_graph_new(&g, NULL, &err), err);
        nn_begin(&b, g);
        rv_node *y = rv_reverb(rv_input(g, RV_SHAPE(3, 100)), learned(&b, kind), true);
        CHECK(rv_shape_equal(&y->shape, &RV_SHAPE(3, 100)));
        check_params(&b, names[kind], shapes[kind], counts[kind]);
        rv_node *p = b.params->node, *dp = NULL;
        rv_grad(rv_mean(y), &p, &dp, 1);
        CHECK_OK(rv_graph_status(g, &err), err);
        CHECK(rv_shape_equal(&dp->shape, &p->shape));
        rv_graph_free(g);
    }
}

/* Frames through filters ----------------------------------------------------------------- */

typedef struct {
    size_t batch, samples, frames, taps, delay;
    bool tail;
} fir_case;

static double fir_at(const fir_case *c, const real *x, const real *h, size_t b, size_t t)
{
    const size_t hop = (c->samples + c->frames - 1) / c->frames, at = t + c->delay;
    double sum = 0;
    for (size_t i = 0; i < c->samples && i <= at; i++) {
        const size_t f = i / hop;
        if (at - i < c->taps && (c->tail || at / hop == f))
            sum +=
                (double)x[b * c->samples + i] * (double)h[(b * c->frames + f) * c->taps + at - i];
    }
    return sum;
}

static void check_fir(fir_case c)
{
    rv_graph *g = NULL;
    rv_plan *plan = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_node *x = rv_input(g, RV_SHAPE(c.batch, c.samples));
    rv_node *h = rv_input(g, RV_SHAPE(c.batch, c.frames, c.taps));
    rv_node *y = rv_output(rv_filter_frames(x, h, c.delay, c.tail));
    CHECK_OK(rv_plan_new(&plan, g, NULL, &err), err);
    for (size_t i = 0; i < rv_shape_count(&x->shape); i++)
        rv_value(plan, x)[i] = (real)rv_rng_normal(5, 1, i);
    for (size_t i = 0; i < rv_shape_count(&h->shape); i++)
        rv_value(plan, h)[i] = (real)rv_rng_normal(5, 2, i);
    real *kept = malloc(c.batch * c.samples * sizeof *kept);
    real *taps = malloc(rv_shape_count(&h->shape) * sizeof *taps);
    memcpy(kept, rv_value(plan, x), c.batch * c.samples * sizeof *kept);
    memcpy(taps, rv_value(plan, h), rv_shape_count(&h->shape) * sizeof *taps);
    rv_plan_run(plan);
    for (size_t i = 0; i < c.batch * c.samples; i++) {
        const double want = fir_at(&c, kept, taps, i / c.samples, i % c.samples);
        CHECK_CLOSE(rv_value(plan, y)[i] / 30, want / 30, 3e-6);
    }
    free(kept);
    free(taps);
    rv_plan_free(plan);
    rv_graph_free(g);
}

TEST(test_frames_through_filters)
{
    for (int tail = 0; tail < 2; tail++) {
        check_fir((fir_case){ 2, 1000, 16, 127, 62, tail }); /* frames of 63 */
        check_fir((fir_case){ 1, 900, 3, 20, 0, tail });
        check_fir((fir_case){ 2, 700, 70, 333, 5, tail });
        check_fir((fir_case){ 2, 1500, 4, 300, 7, tail });
        check_fir((fir_case){ 1, 1101, 3, 450, 449, tail }); /* frames of 367 */
        check_fir((fir_case){ 1, 600, 1, 300, 400, tail });
    }
}

TEST(test_bad_shapes)
{
    rv_graph *g = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_frequency_filter(rv_input(g, RV_SHAPE(2, 10)), rv_input(g, RV_SHAPE(2, 4, 1)), 0);
    CHECK(rv_graph_status(g, &err) == RV_ERR_SHAPE);
    rv_graph_free(g);
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    /* frames of 3 samples would be 4 */
    rv_filter_frames(rv_input(g, RV_SHAPE(1, 10)), rv_input(g, RV_SHAPE(1, 5, 3)), 0, true);
    rv_filter_frames(rv_input(g, RV_SHAPE(1, 10)), rv_input(g, RV_SHAPE(1, 6, 3)), 0, true);
    CHECK(rv_graph_status(g, &err) == RV_ERR_SHAPE);
    rv_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reverb),
        cmocka_unit_test(test_made_reverbs),
        cmocka_unit_test(test_short_reverb),
        cmocka_unit_test(test_fir_filter),
        cmocka_unit_test(test_mod_delay),
        cmocka_unit_test(test_wet_reverb),
        cmocka_unit_test(test_learned_reverbs),
        cmocka_unit_test(test_frames_through_filters),
        cmocka_unit_test(test_mix),
        cmocka_unit_test(test_crop),
        cmocka_unit_test(test_bad_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
