/* test_learn_frequency.c - gradient descent that must move a sinusoid by an octave. Differences of
 * spectra alone cannot: where two partials do not overlap, they have no slope that leads from one
 * to the other. What can: powers of a complex number instead of a sinusoid, running sums of spectra
 * along frequency, and optimal transport. */
#include "check.h"
#include "core/ops.h"
#include "train/loss.h"
#include "train/optimiser.h"

enum { SAMPLES = 2048, GRAIN = 1024, STEPS = 400 };
static const double START = 0.0321, TARGET = 0.0642; /* turns per sample */

typedef struct {
    rv_graph *graph;
    rv_plan *plan;
    rv_node *parameter, *target, *loss, *gradient;
} problem;

static void begin(problem *p, rv_shape shape)
{
    rv_error err = { 0 };
    *p = (problem){ 0 };
    CHECK_OK(rv_graph_new(&p->graph, NULL, &err), err);
    p->parameter = rv_param(p->graph, shape);
    p->target = rv_input(p->graph, RV_SHAPE(1, SAMPLES, 1));
}

static void open_plan(problem *p, rv_node *loss, const real *values)
{
    rv_error err = { 0 };
    p->loss = rv_output(loss);
    rv_grad(p->loss, &p->parameter, &p->gradient, 1);
    CHECK_OK(rv_plan_new(&p->plan, p->graph, NULL, &err), err);
    rv_plan_bind(p->plan, p->parameter, values);
}

/* Amplitudes of a grain in the middle of silence: where frames meet an edge or a mirror image of
 * the signal, losses depend on phases, whose slopes say nothing of the frequency. */
static double envelope(size_t t)
{
    const double at = (double)t - (SAMPLES - GRAIN) / 2;
    return at < 0 || at > GRAIN ? 0 : 0.5 - 0.5 * cos(2 * M_PI * at / GRAIN);
}

/* STEPS of Adam, at a rate that falls to a hundredth. */
static void descend(problem *p, real *values, size_t n, double lr)
{
    rv_error err = { 0 };
    rv_optimiser *o = NULL;
    const rv_optimiser_config config = rv_optimiser_defaults(RV_ADAM);
    const rv_span span = { .name = "x", .count = n, .shape = RV_SHAPE(n) };
    CHECK_OK(rv_optimiser_new(&o, &config, &span, 1, NULL, &err), err);
    for (int i = 0; i < STEPS; i++) {
        rv_plan_run(p->plan);
        CHECK(rv_optimiser_step(o, values, rv_value(p->plan, p->gradient),
                                lr * pow(0.01, (double)i / STEPS), NULL, NULL));
    }
    rv_optimiser_free(o);
    rv_plan_free(p->plan);
    rv_graph_free(p->graph);
}

/* Where a sinusoid with one frequency, learnt in units of START, ends up under this loss. */
static double learnt(rv_loss_term term)
{
    problem p;
    real octave = 1;
    begin(&p, RV_SHAPE(1, 1, 1));
    rv_node *one = rv_constant(p.graph, RV_SHAPE(1, 1, 1));
    one->constant[0] = 1;
    rv_node *y = rv_sinusoids(rv_scale(p.parameter, START, 0), one, SAMPLES, RV_UPSAMPLE_LINEAR);
    rv_node *grain = rv_constant(p.graph, RV_SHAPE(1, SAMPLES));
    for (size_t t = 0; t < SAMPLES; t++)
        grain->constant[t] = (real)envelope(t);
    y = rv_reshape(rv_mul(y, grain), RV_SHAPE(1, SAMPLES, 1));
    const rv_loss_config config = { .n = 1, .term = { term } };
    open_plan(&p, rv_loss_build(&config, y, p.target, 1, 16000), &octave);
    for (size_t t = 0; t < SAMPLES; t++)
        rv_value(p.plan, p.target)[t] =
            (real)(envelope(t) * sin(2 * M_PI * TARGET * (double)(t + 1)));
    descend(&p, &octave, 1, 0.02);
    printf("# %s: from %.4f to %.4f, wanted %.4f\n", rv_loss_name(term.kind), START,
           START * (double)octave, TARGET);
    return START * (double)octave;
}

TEST(test_multi_resolution_stft_does_not_find_it)
{
    rv_loss_term t = rv_loss_term_defaults(RV_LOSS_MRSTFT);
    for (size_t i = 0; i < 3; i++)
        t.options.mrstft.size[i] = (rv_stft_size){ 512 >> i, 128 >> i, 512 >> i };
    CHECK(fabs(learnt(t) / TARGET - 1) > 0.3);
}

/* Squares, as the sums are not scaled: a spectrum's sum rises and falls by 2 % from one bin to the
 * next, in all bins above the sinusoid, which outweighs the few bins to go. */
TEST(test_running_sums_of_spectra_find_it)
{
    rv_loss_term t = rv_loss_term_defaults(RV_LOSS_SPECTRAL);
    t.options.spectral.n = 2;
    t.options.spectral.n_fft[0] = 512;
    t.options.spectral.n_fft[1] = 256;
    t.options.spectral.distance = RV_DISTANCE_L2;
    t.options.spectral.mag = 0;
    t.options.spectral.cumsum_freq = 1;
    CHECK_CLOSE(learnt(t), TARGET, 2e-4);
}

TEST(test_transport_finds_it)
{
    rv_loss_term t = rv_loss_term_defaults(RV_LOSS_TRANSPORT);
    t.options.stft = (rv_stft_size){ 512, 128, 512 };
    CHECK_CLOSE(learnt(t), TARGET, 2e-4);
}

/* z^t against the waveform itself; how far from the angle wanted, in turns. */
static double learnt_angle(bool normalise)
{
    problem p;
    real z[2] = { (real)cos(2 * M_PI * START), (real)sin(2 * M_PI * START) };
    begin(&p, RV_SHAPE(1, 1, 2));
    rv_node *y = rv_damped_sinusoids(p.parameter, SAMPLES, normalise);
    rv_node *d = rv_sub(rv_reshape(y, p.target->shape), p.target);
    open_plan(&p, rv_mean(rv_mul(d, d)), z);
    for (size_t t = 0; t < SAMPLES; t++)
        rv_value(p.plan, p.target)[t] = (real)cos(2 * M_PI * TARGET * (double)t);
    descend(&p, z, 2, 0.01);
    const double angle = fabs(atan2((double)z[1], (double)z[0])) / (2 * M_PI);
    printf("# z: from %.4f to %.4f, |z| %.6f, wanted %.4f\n", START, angle,
           hypot((double)z[0], (double)z[1]), TARGET);
    return angle;
}

TEST(test_a_complex_number_finds_it)
{
    CHECK_CLOSE(learnt_angle(true), TARGET, 2e-4);
}

/* The gradient of the mean square of y at z, as (re, im). */
static void slope_at(double re, double im, bool normalise, double slope[2])
{
    problem p;
    const real z[2] = { (real)re, (real)im };
    begin(&p, RV_SHAPE(1, 1, 2));
    rv_node *y = rv_damped_sinusoids(p.parameter, SAMPLES, normalise);
    open_plan(&p, rv_add(rv_mean(rv_mul(y, y)), rv_scale(rv_mean(p.target), 0, 0)), z);
    rv_plan_run(p.plan);
    for (size_t i = 0; i < 2; i++)
        slope[i] = (double)rv_value(p.plan, p.gradient)[i];
    rv_plan_free(p.plan);
    rv_graph_free(p.graph);
}

TEST(test_slopes_keep_their_direction_and_get_length_one)
{
    double whole[2], unit[2];
    slope_at(0.6, 0.7, false, whole);
    slope_at(0.6, 0.7, true, unit);
    const double size = hypot(whole[0], whole[1]);
    CHECK(size < 0.5);
    for (size_t i = 0; i < 2; i++)
        CHECK_CLOSE(unit[i], whole[i] / size, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_multi_resolution_stft_does_not_find_it),
        cmocka_unit_test(test_running_sums_of_spectra_find_it),
        cmocka_unit_test(test_transport_finds_it),
        cmocka_unit_test(test_a_complex_number_finds_it),
        cmocka_unit_test(test_slopes_keep_their_direction_and_get_length_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
