/* test_ddsp_gradients.c - gradients of all controls, synthesisers and effects in double, element by
 * element, against finite differences of a random linear form of what they make:
 *
 *     (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h
 *
 * What is straight between points (tables, delay lines) is tried with a smaller step where a point
 * lies within the first. */
#include "base/rng.h"
#include "check.h"
#include "ddsp/controls.h"
#include "ddsp/fir_filter.h"
#include "ddsp/group.h"
#include "ddsp/mod_delay.h"
#include "ddsp/reverb.h"
#include "ddsp/routing.h"
#include "ddsp/synth_harmonic.h"
#include "ddsp/synth_sinusoidal.h"
#include "ddsp/synth_wavetable.h"

#include <string.h>

enum { B = 2, F = 3, K = 4, N = 24, MOST_LEAVES = 24, MOST_VALUES = 256 };

/* Relative, to the largest slope of the leaf. */
static const double TOLERANCE = 1e-7;

/* What is differentiated: leaves with values around `centre`, `spread` to both sides. */
typedef struct {
    nn_builder nn;
    rv_node *leaf[MOST_LEAVES], *slope[MOST_LEAVES], *loss;
    rv_plan *plan;
    rv_group *group; /* NULL, or whose noise is filled before each run */
    rv_node *noise[RV_GROUP_MOST];
    double values[MOST_LEAVES][MOST_VALUES];
    size_t n;
} subject;

static rv_node *own(subject *s, rv_node *x, double centre, double spread)
{
    const size_t n = rv_shape_count(&x->shape);
    CHECK(s->n < MOST_LEAVES && n <= MOST_VALUES);
    for (size_t i = 0; i < n; i++)
        s->values[s->n][i] = centre + spread * (2 * rv_rng_uniform(7, s->n, i) - 1);
    return s->leaf[s->n++] = x;
}

static rv_node *leaf(subject *s, rv_shape shape, double centre, double spread)
{
    return own(s, rv_param(s->nn.graph, shape), centre, spread);
}

static rv_node *plain(subject *s)
{
    return leaf(s, RV_SHAPE(B, F, K), 0.3, 2);
}

static rv_node *audio(subject *s)
{
    return leaf(s, RV_SHAPE(B, N), 0, 1);
}

static rv_node *pitch(subject *s)
{
    return leaf(s, RV_SHAPE(B, F, 1), 60, 20);
}

static rv_node *fixed_noise(subject *s, size_t batch, size_t n)
{
    rv_node *x = rv_constant(s->nn.graph, RV_SHAPE(batch, n));
    rv_noise_fill(x->constant, batch * n, 2, 3);
    return x;
}

/* Controls ------------------------------------------------------------------------------- */

static rv_node *amplitude(subject *s)
{
    return rv_scale_amplitude(plain(s));
}

static rv_node *shares(subject *s)
{
    rv_node *f0 = rv_constant(s->nn.graph, RV_SHAPE(B, F, 1));
    for (size_t i = 0; i < (size_t)B * F; i++)
        f0->constant[i] = 150;
    return rv_normalise_harmonics(leaf(s, RV_SHAPE(B, F, K), 1, 0.5), f0, 1000, 1e-2);
}

static rv_node *band_limit(subject *s)
{
    rv_node *x = plain(s);
    return rv_band_limit(x, pitch(s), 150, 1, 0.2);
}

static rv_node *notes(subject *s)
{
    return rv_midi_to_unit(rv_hz_to_midi(pitch(s)), 20, 90);
}

static rv_node *hertz(subject *s)
{
    return rv_midi_to_hz(rv_unit_to_midi(plain(s), 2, 9));
}

static rv_node *units(subject *s)
{
    return rv_unit_to_hz(rv_hz_to_unit(rv_scale(pitch(s), 2, 3), 20, 80), 20, 800);
}

static rv_node *softmax(subject *s)
{
    return rv_frequencies_softmax(plain(s), 2, 20, 800);
}

static rv_node *sigmoids(subject *s)
{
    return rv_frequencies_sigmoid(plain(s), 2, 20, 800);
}

static rv_node *bands(subject *s)
{
    rv_critical_bands c = rv_critical_bands_defaults();
    c.depth = 2;
    return rv_frequencies_critical_bands(plain(s), &c);
}

/* Synthesisers --------------------------------------------------------------------------- */

static rv_node *harmonic_of(subject *s, const rv_harmonic_config *c)
{
    const rv_harmonic_controls from = { .amplitude = leaf(s, RV_SHAPE(B, F, 1), 0, 1),
                                        .distribution = plain(s),
                                        .f0 = pitch(s),
                                        .phase = leaf(s, RV_SHAPE(B, 1), 0, 0.3) };
    return rv_synth_harmonic(c, &from);
}

static rv_node *harmonic(subject *s)
{
    const rv_harmonic_config c = rv_harmonic_defaults(500, N);
    return harmonic_of(s, &c);
}

static rv_node *harmonic_held(subject *s)
{
    const rv_harmonic_config c = rv_harmonic_held(500, N);
    return harmonic_of(s, &c);
}

static rv_node *sinusoidal(subject *s)
{
    rv_sinusoidal_config c = rv_sinusoidal_defaults(500, N);
    c.hz_min = 20;
    c.hz_max = 200;
    rv_node *amplitudes = plain(s);
    return rv_synth_sinusoidal(&c, &(rv_sinusoidal_controls){ amplitudes, plain(s) });
}

static rv_node *wavetable(subject *s)
{
    const rv_wavetable_config c = rv_wavetable_defaults(500, N);
    rv_node *level = leaf(s, RV_SHAPE(B, F, 1), 0, 1), *tables = plain(s);
    return rv_synth_wavetable(&c, &(rv_wavetable_controls){ level, tables, pitch(s) });
}

static rv_node *noise(subject *s)
{
    const rv_noise_config c = rv_noise_defaults();
    return rv_synth_noise(&c, fixed_noise(s, B, N), plain(s));
}

static rv_node *noise_wrapped(subject *s)
{
    const rv_noise_config c = rv_noise_wrapped();
    return rv_synth_noise(&c, fixed_noise(s, B, N), plain(s));
}

/* Effects -------------------------------------------------------------------------------- */

static rv_node *reverb(subject *s)
{
    rv_node *x = audio(s);
    return rv_reverb(x, leaf(s, RV_SHAPE(B, 9), 0, 1), true);
}

static rv_node *reverb_decay(subject *s)
{
    rv_node *x = audio(s), *gain = leaf(s, RV_SHAPE(B, 1), 0, 1);
    rv_node *decay = leaf(s, RV_SHAPE(B, 1), 0, 1);
    return rv_reverb(x, rv_reverb_decay(fixed_noise(s, 1, 9), gain, decay), true);
}

/* The response's parameters as leaves. */
static rv_node *learned(subject *s, rv_node *response)
{
    for (const nn_param *p = s->nn.params; p; p = p->next)
        own(s, p->node, 0.5, 1);
    return rv_reverb(audio(s), response, false);
}

static rv_node *reverb_learned(subject *s)
{
    return learned(s, rv_reverb_learned(&s->nn, 9));
}

static rv_node *reverb_decay_learned(subject *s)
{
    return learned(s, rv_reverb_decay_learned(&s->nn, fixed_noise(s, 1, 9)));
}

static rv_node *reverb_noise_learned(subject *s)
{
    const rv_noise_config c = rv_reverb_noise_defaults();
    return learned(s, rv_reverb_noise_learned(&s->nn, &c, fixed_noise(s, 1, 12), F, K));
}

static rv_node *reverb_wet(subject *s)
{
    return learned(s, rv_reverb_wet(&s->nn, 9, 4000));
}

static rv_node *frequency_filter(subject *s)
{
    rv_node *x = audio(s);
    return rv_frequency_filter(x, plain(s), 5);
}

static rv_node *fir_filter(subject *s)
{
    rv_node *x = audio(s);
    return rv_fir_filter(x, plain(s), 257);
}

static rv_node *filter_frames(subject *s)
{
    rv_node *x = audio(s);
    return rv_filter_frames(x, leaf(s, RV_SHAPE(B, F, 5), 0, 1), 3, false);
}

static rv_node *mod_delay(subject *s)
{
    const rv_mod_delay_config c = rv_mod_delay_defaults(400);
    rv_node *x = audio(s), *gain = leaf(s, RV_SHAPE(B, N, 1), 0, 1);
    return rv_mod_delay(&c, x, gain, leaf(s, RV_SHAPE(B, N, 1), 0, 1));
}

static rv_node *mix(subject *s)
{
    rv_node *a = audio(s), *b = audio(s);
    return rv_mix(a, b, leaf(s, RV_SHAPE(B, F, 1), 0, 1), true);
}

static rv_node *crop(subject *s)
{
    return rv_crop(audio(s), 7, RV_CROP_CENTRE);
}

/* Groups --------------------------------------------------------------------------------- */

static void add(subject *s, const char *name, const char *kind, const char *const *inputs)
{
    rv_error err = { 0 };
    size_t n = 0;
    while (inputs[n])
        n++;
    CHECK_OK(rv_group_add(s->group, name, kind, n, inputs, &err), err);
}

#define ADD(name, kind, ...) add(s, name, kind, (const char *const[]){ __VA_ARGS__, NULL })
#define SET(...)             CHECK_OK(rv_group_set(s->group, __VA_ARGS__, &err), err)

static void add_processors(subject *s)
{
    rv_error err = { 0 };
    CHECK_OK(rv_group_new(&s->group, 500, NULL, &err), err);
    ADD("voice", "harmonic", "amplitude", "shares", "f0");
    ADD("air", "filtered_noise", "magnitudes");
    SET("air", "bias", 0);
    ADD("bells", "sinusoidal", "levels", "pitches");
    SET("bells", "hz_min", 20);
    SET("bells", "hz_max", 200);
    ADD("wave", "wavetable", "amplitude", "table", "f0");
    ADD("all", "add", "voice", "air", "wave");
    ADD("shaped", "fir_filter", "all", "formants");
    ADD("moved", "mod_delay", "shaped", "gain", "phase");
    SET("moved", "centre_ms", 12);
    ADD("blend", "mix", "moved", "bells", "level");
    ADD("ring", "multiply", "blend", "audio");
    ADD("room", "reverb", "ring", "ir");
    ADD("cave", "reverb_decay", "room", "loud", "falls");
    SET("cave", "length", 8);
    ADD("hall", "reverb_learned", "cave");
    SET("hall", "length", 6);
    ADD("cut", "crop", "hall");
    SET("cut", "size", 4);
}

static rv_node *group_control(subject *s, const rv_group_control *c)
{
    static const char *const single[] = { "amplitude", "gain", "phase", "level" };
    if (!strcmp(c->name, "f0"))
        return pitch(s);
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        if (!strcmp(c->name, single[i]))
            return leaf(s, RV_SHAPE(B, F, 1), 0.2, 1);
    return c->port == RV_GROUP_FRAMES  ? plain(s)
           : c->port == RV_GROUP_AUDIO ? audio(s)
           : strcmp(c->name, "ir")     ? leaf(s, RV_SHAPE(B, 1), 0, 1)
                                       : leaf(s, RV_SHAPE(1, 9), 0, 1);
}

/* All kinds one after the other, and all controls. */
static rv_node *group(subject *s)
{
    rv_node *controls[RV_GROUP_MOST];
    add_processors(s);
    for (size_t i = 0; i < s->group->n_controls; i++)
        controls[i] = group_control(s, &s->group->controls[i]);
    rv_node *y = rv_group_build(s->group, &s->nn, controls, N, s->noise);
    for (const nn_param *p = s->nn.params; p; p = p->next)
        own(s, p->node, 0, 1);
    return y;
}

#define SUBJECT(build) \
    {                  \
#        build, build  \
    }
static const struct {
    const char *name;
    rv_node *(*build)(subject *s);
} SUBJECTS[] = {
    SUBJECT(amplitude),
    SUBJECT(shares),
    SUBJECT(band_limit),
    SUBJECT(notes),
    SUBJECT(hertz),
    SUBJECT(units),
    SUBJECT(softmax),
    SUBJECT(sigmoids),
    SUBJECT(bands),
    SUBJECT(harmonic),
    SUBJECT(harmonic_held),
    SUBJECT(sinusoidal),
    SUBJECT(wavetable),
    SUBJECT(noise),
    SUBJECT(noise_wrapped),
    SUBJECT(reverb),
    SUBJECT(reverb_decay),
    SUBJECT(reverb_learned),
    SUBJECT(reverb_decay_learned),
    SUBJECT(reverb_noise_learned),
    SUBJECT(reverb_wet),
    SUBJECT(frequency_filter),
    SUBJECT(fir_filter),
    SUBJECT(filter_frames),
    SUBJECT(mod_delay),
    SUBJECT(mix),
    SUBJECT(crop),
    SUBJECT(group),
};

/* The check ------------------------------------------------------------------------------ */

/* sum of y times random weights */
static rv_node *linear_form(rv_node *y)
{
    rv_node *weight = rv_constant(y->graph, y->shape);
    for (size_t i = 0; weight->constant && i < rv_shape_count(&y->shape); i++)
        weight->constant[i] = rv_rng_normal(11, 1, i);
    return rv_sum(rv_mul(y, weight));
}

static void run(subject *s)
{
    if (s->group)
        rv_group_fill_noise(s->group, s->plan, s->noise, 5, 1);
    rv_plan_run(s->plan);
}

static double moved(subject *s, double *x, double by)
{
    const double was = *x;
    *x = was + by;
    run(s);
    *x = was;
    return rv_value(s->plan, s->loss)[0];
}

static double difference(subject *s, double *x, double h)
{
    const double near = moved(s, x, h) - moved(s, x, -h);
    return (8 * near - (moved(s, x, 2 * h) - moved(s, x, -2 * h))) / (12 * h);
}

static void check_leaf(subject *s, size_t leaf, const char *name)
{
    static const double steps[] = { 1e-3, 1e-4, 1e-5 };
    const size_t n = rv_shape_count(&s->leaf[leaf]->shape);
    double got[MOST_VALUES], most = 0;
    run(s);
    memcpy(got, rv_value(s->plan, s->slope[leaf]), n * sizeof *got);
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(got[i]));
    CHECK_MSG(!s->group || most > 1e-6, "%s, input %zu: no gradient arrives", name, leaf);
    most = fmax(most, 1e-3);
    for (size_t i = 0; i < n; i++) {
        double off = INFINITY, want = 0;
        for (size_t k = 0; k < 3 && !(off <= TOLERANCE * most); k++) {
            want = difference(s, &s->values[leaf][i], steps[k]);
            off = fabs(got[i] - want);
        }
        CHECK_MSG(off <= TOLERANCE * most, "%s, input %zu, element %zu: slope %.12g, not %.12g",
                  name, leaf, i, got[i], want);
    }
}

static void check_subject(subject *s, rv_node *y, const char *name)
{
    rv_error err = { 0 };
    s->loss = rv_output(linear_form(y));
    rv_grad(s->loss, s->leaf, s->slope, s->n);
    CHECK_OK(rv_graph_status(s->nn.graph, &err), err);
    CHECK_OK(rv_plan_new(&s->plan, s->nn.graph, NULL, &err), err);
    for (size_t i = 0; i < s->n; i++)
        rv_plan_bind(s->plan, s->leaf[i], s->values[i]);
    for (size_t i = 0; i < s->n; i++)
        check_leaf(s, i, name);
    rv_plan_free(s->plan);
}

TEST(test_gradients)
{
    for (size_t i = 0; i < sizeof SUBJECTS / sizeof *SUBJECTS; i++) {
        rv_error err = { 0 };
        rv_graph *g = NULL;
        subject s = { 0 };
        CHECK_OK(rv_graph_new(&g, NULL, &err), err);
        nn_begin(&s.nn, g);
        rv_node *y = SUBJECTS[i].build(&s);
        check_subject(&s, y, SUBJECTS[i].name);
        rv_group_free(s.group);
        rv_graph_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_gradients) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
