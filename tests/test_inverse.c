/* test_inverse.c - pitch detection by inverse synthesis against ddsp
 * (tools/make_golden_inverse.py): spectra, encoders, their sizes, audio, and the losses. */
#include "crepe_formula.h"
#include "ddsp_case.h"
#include "train/loss_inverse.h"

#include <string.h>

enum { SINUSOIDS = 5, DEPTH = 4, BANDS = 3, HARMONICS = 9 };

/* A plan of a case and parameters by the formula. */
typedef struct {
    ddsp_case c;
    nn_builder nn;
    rv_plan *plan;
    real *values;
} encoder_case;

static void open_encoder(encoder_case *e, const char *name)
{
    *e = (encoder_case){ .c = ddsp_open("ddsp_inverse", name) };
    nn_begin(&e->nn, e->c.graph);
}

static void fill_parameter(const nn_param *p, real *to)
{
    const rv_shape *s = &p->node->shape;
    const size_t n = rv_shape_count(s), length = strlen(p->name);
    if (strstr(p->name, "norm") && !strcmp(p->name + length - 6, "weight"))
        crepe_formula(to, n, p->name, 0.3, 1);
    else
        crepe_formula(to, n, p->name, s->rank > 1 ? 1.7 / sqrt((double)(n / s->d[0])) : 0.3, 0);
}

static void run_encoder(encoder_case *e)
{
    rv_error err = { 0 };
    CHECK_OK(rv_graph_status(e->c.graph, &err), err);
    CHECK_OK(rv_plan_new(&e->plan, e->c.graph, NULL, &err), err);
    real *at = e->values = malloc(nn_count(&e->nn) * sizeof *at);
    for (const nn_param *p = e->nn.params; p; p = p->next) {
        fill_parameter(p, at);
        rv_plan_bind(e->plan, p->node, at);
        at += rv_shape_count(&p->node->shape);
    }
    ddsp_fill(&e->c, e->plan);
    rv_plan_run(e->plan);
}

static void close_encoder(encoder_case *e)
{
    rv_plan_free(e->plan);
    free(e->values);
    ddsp_close(&e->c);
}

TEST(test_log_mel)
{
    const rv_sinusoidal_encoder_config config = rv_sinusoidal_encoder_defaults();
    ddsp_case c = ddsp_open("ddsp_inverse", "log_mel");
    ddsp_check(&c, rv_log_mel(ddsp_input(&c, "audio"), &config.mel));
}

/* A click at the beginning of frame 3 is in the middle of that frame. */
TEST(test_centred_log_mel)
{
    enum { HOP = 64, FRAMES = 7, MEL_BANDS = 12 };
    const rv_mel_config config = { 8000, 4 * HOP, HOP, MEL_BANDS, 0, 4000 };
    rv_error err = { 0 };
    rv_graph *g;
    rv_plan *plan;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_node *x = rv_input(g, RV_SHAPE(1, FRAMES * HOP - 5));
    rv_node *y = rv_output(rv_log_mel_centred(x, &config));
    CHECK_OK(rv_plan_new(&plan, g, NULL, &err), err);
    CHECK(rv_extent(y, 1) == FRAMES && rv_extent(y, 2) == MEL_BANDS);
    memset(rv_value(plan, x), 0, (FRAMES * HOP - 5) * sizeof(real));
    rv_value(plan, x)[3 * HOP] = 1;
    rv_plan_run(plan);
    const real *at = rv_value(plan, y);
    for (size_t b = 0; b < MEL_BANDS; b++) {
        CHECK_CLOSE(at[2 * MEL_BANDS + b], at[4 * MEL_BANDS + b], 1e-5);
        CHECK(at[3 * MEL_BANDS + b] > at[2 * MEL_BANDS + b] + (real)0.5);
        CHECK_CLOSE(at[b], log(1e-5), 1e-6);
    }
    rv_plan_free(plan);
    rv_graph_free(g);
}

TEST(test_sinusoidal_encoder)
{
    rv_sinusoidal_encoder_config config = rv_sinusoidal_encoder_defaults();
    config.sinusoids = SINUSOIDS;
    config.depth = DEPTH;
    config.bands = BANDS;
    encoder_case e;
    open_encoder(&e, "sinusoidal");
    const rv_sinusoids_and_noise y =
        rv_sinusoidal_encoder(&e.nn, &config, ddsp_input(&e.c, "audio"));
    rv_output(y.sinusoids.frequencies), rv_output(y.sinusoids.amplitudes), rv_output(y.magnitudes);
    run_encoder(&e);
    ddsp_compare(&e.c, e.plan, "frequencies", y.sinusoids.frequencies);
    ddsp_compare(&e.c, e.plan, "amplitudes", y.sinusoids.amplitudes);
    ddsp_compare(&e.c, e.plan, "magnitudes", y.magnitudes);
    close_encoder(&e);
}

TEST(test_harmonic_encoder)
{
    const rv_harmonic_encoder_config config = { 16000, 6, 2, 5, HARMONICS, DEPTH, 20, 3000 };
    encoder_case e;
    open_encoder(&e, "harmonic");
    rv_sinusoidal_controls from = { .frequencies = ddsp_input(&e.c, "hz") };
    from.amplitudes = ddsp_input(&e.c, "amplitudes");
    const rv_harmonic_controls y = rv_harmonic_encoder(&e.nn, &config, &from, NULL);
    const rv_sinusoidal_controls partials = rv_harmonic_to_sinusoids(&y, config.sample_rate);
    rv_output(y.amplitude), rv_output(y.distribution), rv_output(y.f0);
    rv_output(partials.frequencies), rv_output(partials.amplitudes);
    run_encoder(&e);
    ddsp_compare(&e.c, e.plan, "amplitude", y.amplitude);
    ddsp_compare(&e.c, e.plan, "distribution", y.distribution);
    ddsp_compare(&e.c, e.plan, "f0", y.f0);
    ddsp_compare(&e.c, e.plan, "partials", partials.frequencies);
    ddsp_compare(&e.c, e.plan, "levels", partials.amplitudes);
    close_encoder(&e);
}

TEST(test_audio)
{
    ddsp_case c = ddsp_open("ddsp_inverse", "audio");
    const rv_sinusoidal_controls sinusoids = { .frequencies = ddsp_input(&c, "hz"),
                                               .amplitudes = ddsp_input(&c, "amplitudes") };
    rv_node *magnitudes = ddsp_input(&c, "magnitudes");
    ddsp_check(&c, rv_inverse_audio(&sinusoids, magnitudes, ddsp_input(&c, "noise"), 16384));
}

/* Sizes, as Keras counts them ------------------------------------------------------------------ */

static size_t sinusoidal_size(rv_resnet_config resnet)
{
    rv_error err = { 0 };
    rv_graph *g;
    nn_builder b;
    rv_sinusoidal_encoder_config config = rv_sinusoidal_encoder_defaults();
    config.resnet = resnet;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    nn_begin(&b, g);
    const rv_sinusoids_and_noise y =
        rv_sinusoidal_encoder(&b, &config, rv_input(g, RV_SHAPE(1, 64000)));
    CHECK_OK(rv_graph_status(g, &err), err);
    CHECK(rv_extent(y.sinusoids.frequencies, 1) == 125 &&
          rv_extent(y.sinusoids.frequencies, 2) == 100);
    const size_t n = nn_count(&b);
    rv_graph_free(g);
    return n;
}

TEST(test_sizes)
{
    rv_error err = { 0 };
    rv_graph *g;
    nn_builder b;
    CHECK(sinusoidal_size(rv_resnet_sized("small")) == 59043365);
    CHECK(sinusoidal_size(rv_resnet_sized("medium")) == 59693797);
    CHECK(sinusoidal_size(rv_resnet_sized("large")) == 131090213);
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    nn_begin(&b, g);
    const rv_harmonic_encoder_config config = rv_harmonic_encoder_defaults();
    rv_node *x = rv_input(g, RV_SHAPE(1, 2, 100));
    rv_harmonic_encoder(&b, &config, &(rv_sinusoidal_controls){ x, x }, NULL);
    CHECK_OK(rv_graph_status(g, &err), err);
    CHECK(nn_count(&b) == 1541541);
    rv_graph_free(g);
}

/* Losses --------------------------------------------------------------------------------------- */

static void check_kde(const char *name, const rv_kde_options *o)
{
    ddsp_case c = ddsp_open("ddsp_inverse", name);
    const rv_sinusoidal_controls a = { .frequencies = ddsp_input(&c, "a_hz"),
                                       .amplitudes = ddsp_input(&c, "a_amplitudes") };
    const rv_sinusoidal_controls b = { .frequencies = ddsp_input(&c, "b_hz"),
                                       .amplitudes = ddsp_input(&c, "b_amplitudes") };
    ddsp_check(&c, rv_loss_kde(&a, &b, o));
}

TEST(test_kde)
{
    const rv_kde_options usual = rv_kde_defaults(), wide = { 0.3, 0.7, 2, 1.5, 0.5 };
    check_kde("kde", &usual);
    check_kde("kde_wide", &wide);
}

TEST(test_mismatch)
{
    const rv_mismatch_options o = rv_mismatch_defaults();
    for (int costs = 0; costs < 2; costs++) {
        rv_error err = { 0 };
        rv_plan *plan;
        ddsp_case c = ddsp_open("ddsp_inverse", "mismatch");
        rv_node *candidates = ddsp_input(&c, "candidates");
        const rv_sinusoidal_controls s = { .frequencies = ddsp_input(&c, "hz"),
                                           .amplitudes = ddsp_input(&c, "amplitudes") };
        rv_node *y = rv_output(costs ? rv_mismatch_costs(candidates, &s, &o)
                                     : rv_loss_mismatch(candidates, &s, &o));
        CHECK_OK(rv_plan_new(&plan, c.graph, NULL, &err), err);
        ddsp_fill(&c, plan);
        rv_plan_run(plan);
        ddsp_compare(&c, plan, costs ? "costs" : "out", y);
        rv_plan_free(plan);
        ddsp_close(&c);
    }
}

TEST(test_harmonic_consistency)
{
    ddsp_case c = ddsp_open("ddsp_inverse", "consistency");
    const rv_harmonic_controls estimate = { .amplitude = ddsp_input(&c, "amplitude"),
                                            .distribution = ddsp_input(&c, "distribution"),
                                            .f0 = ddsp_input(&c, "f0") };
    const rv_harmonic_controls target = { .amplitude = ddsp_input(&c, "target_amplitude"),
                                          .distribution = ddsp_input(&c, "target_distribution"),
                                          .f0 = ddsp_input(&c, "target_f0") };
    const rv_harmonic_losses y = rv_loss_harmonic(&estimate, &target, 1e-4);
    ddsp_check(&c, rv_concat(0, 3, (rv_node *[]){ y.amplitude, y.distribution, y.f0 }));
}

/* Pitches an octave apart: f0 on the second, three quarters of the way to the third, and beside
 * all of them; one that does not count. */
TEST(test_pitch_shares)
{
    static const real shares[] = { 0.1F, 0.2F, 0.7F, 0.5F, 0.25F, 0.25F,
                                   0.3F, 0.3F, 0.4F, 0.9F, 0.05F, 0.05F };
    static const real hz[] = { 200, 336.358566F, 900, 100 }, counts[] = { 1, 1, 1, 0 };
    const double wanted = -(log(0.2) + 0.25 * log(0.25) + 0.75 * log(0.25)) / 4;
    rv_error err = { 0 };
    rv_graph *g;
    rv_plan *plan;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_node *p = rv_input(g, RV_SHAPE(1, 4, 3)), *f0 = rv_input(g, RV_SHAPE(1, 4, 1)),
            *weights = rv_input(g, RV_SHAPE(1, 4, 1));
    rv_node *y = rv_output(rv_loss_pitch_shares(p, f0, weights, 100, 400));
    CHECK_OK(rv_plan_new(&plan, g, NULL, &err), err);
    memcpy(rv_value(plan, p), shares, sizeof shares);
    memcpy(rv_value(plan, f0), hz, sizeof hz);
    memcpy(rv_value(plan, weights), counts, sizeof counts);
    rv_plan_run(plan);
    CHECK_CLOSE(*rv_value(plan, y), wanted, 1e-6);
    rv_plan_free(plan);
    rv_loss_pitch_shares(p, p, NULL, 100, 400);
    CHECK(rv_graph_status(g, &err) == RV_ERR_SHAPE);
    rv_graph_free(g);
}

TEST(test_parameters)
{
    ddsp_case c = ddsp_open("ddsp_inverse", "parameters");
    rv_node *x = ddsp_input(&c, "x"), *y = ddsp_input(&c, "y"), *w = ddsp_input(&c, "weights");
    rv_node *all[] = { rv_loss_parameters(x, y, NULL, RV_DISTANCE_L1),
                       rv_loss_parameters(x, y, w, RV_DISTANCE_L1),
                       rv_loss_parameters(x, y, w, RV_DISTANCE_L2) };
    ddsp_check(&c, rv_concat(0, 3, all));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_mel),
        cmocka_unit_test(test_centred_log_mel),
        cmocka_unit_test(test_sinusoidal_encoder),
        cmocka_unit_test(test_harmonic_encoder),
        cmocka_unit_test(test_audio),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_kde),
        cmocka_unit_test(test_mismatch),
        cmocka_unit_test(test_harmonic_consistency),
        cmocka_unit_test(test_pitch_shares),
        cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
