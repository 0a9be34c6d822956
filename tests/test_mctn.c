/* test_mctn.c - the feature separator against the reference (tools/make_golden_mctn.py): features,
 * loss, size; its arguments; and that it learns an example by heart. */
#include "crepe_formula.h"
#include "ddsp_case.h"
#include "train/feature_separation.h"
#include "train/optimiser.h"

#include <string.h>

#define NUMBER(key, value)                                  \
    {                                                       \
        .name = key, .kind = RV_ARG_NUMBER, .number = value \
    }
#define TEXT(key, value)                                \
    {                                                   \
        .name = key, .kind = RV_ARG_TEXT, .text = value \
    }

static rv_mctn_config config_of(const rv_arg *arg, size_t n)
{
    rv_mctn_config c;
    rv_error err = { 0 };
    CHECK_OK(rv_mctn_configure(&c, &(rv_args){ arg, n }, &err), err);
    return c;
}

static const rv_arg tiny[] = { NUMBER("sample_rate", 2000),
                               NUMBER("N", 6),
                               NUMBER("B", 5),
                               NUMBER("H", 7),
                               NUMBER("X", 3),
                               NUMBER("R", 2) };
enum { TINY = sizeof tiny / sizeof *tiny };

/* Golden values -------------------------------------------------------------------------------- */

/* Gains around 1, slopes around 0.25. */
static void fill_parameter(const nn_param *p, real *to)
{
    const rv_shape *s = &p->node->shape;
    const size_t n = rv_shape_count(s);
    const char *key = strrchr(p->name, '.') + 1, *part = key - 2;
    const bool block = strncmp(p->name, "blocks", 6) == 0, vector = s->rank == 1;
    if (!strcmp(key, "gamma"))
        crepe_formula(to, n, p->name, 0.3, 1);
    else if (vector && !strcmp(key, "weight") && block)
        crepe_formula(to, n, p->name, 0.2, 0.25);
    else if (vector && !strcmp(key, "weight") && strchr("135", *part))
        crepe_formula(to, n, p->name, 0.3, 1);
    else
        crepe_formula(to, n, p->name, vector ? 0.3 : 1.7 / sqrt((double)(n / s->d[0])), 0);
}

TEST(test_features_and_loss_of_the_reference)
{
    rv_error err = { 0 };
    rv_plan *plan = NULL;
    nn_builder b;
    const rv_mctn_config c = config_of(tiny, TINY);
    const rv_feature_loss published = { 0.1, RV_PITCH_HERTZ, 0, false };
    ddsp_case g = ddsp_open("mctn", "features");
    nn_begin(&b, g.graph);
    const rv_mctn_features f = rv_mctn(&b, &c, ddsp_input(&g, "audio"));
    rv_feature_targets target = { .f0 = ddsp_input(&g, "f0_target") };
    target.loudness = ddsp_input(&g, "loudness_target");
    rv_node *loss = rv_output(rv_loss_features(&published, &c, &f, &target));
    rv_output(f.f0), rv_output(f.loudness);
    CHECK_OK(rv_graph_status(g.graph, &err), err);
    CHECK_OK(rv_plan_new(&plan, g.graph, NULL, &err), err);
    real *values = malloc(nn_count(&b) * sizeof *values), *at = values;
    for (const nn_param *p = b.params; p; p = p->next) {
        fill_parameter(p, at);
        rv_plan_bind(plan, p->node, at);
        at += rv_shape_count(&p->node->shape);
    }
    ddsp_fill(&g, plan);
    rv_plan_run(plan);
    ddsp_compare(&g, plan, "f0", f.f0);
    ddsp_compare(&g, plan, "loudness", f.loudness);
    ddsp_compare(&g, plan, "loss", loss);
    rv_plan_free(plan);
    free(values);
    ddsp_close(&g);
}

/* Sizes ---------------------------------------------------------------------------------------- */

static size_t size_of(const rv_mctn_config *c, rv_shape *f0)
{
    rv_error err = { 0 };
    rv_graph *g;
    nn_builder b;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    nn_begin(&b, g);
    const rv_mctn_features f = rv_mctn(&b, c, rv_input(g, RV_SHAPE(2, c->segment)));
    CHECK_OK(rv_graph_status(g, &err), err);
    *f0 = f.f0->shape;
    CHECK(!memcmp(&f.loudness->shape, f0, sizeof *f0));
    const size_t n = nn_count(&b);
    rv_graph_free(g);
    return n;
}

TEST(test_published_size)
{
    rv_shape f0;
    const rv_mctn_config c = config_of(NULL, 0);
    CHECK(c.n_sources == 3 && !strcmp(c.sources[0], "bass") && !strcmp(c.sources[2], "vocals"));
    CHECK(c.hop == 64 && c.kernel == 64 && c.segment == 64000 && c.depth == 128);
    CHECK(size_of(&c, &f0) == 2512384); /* as the reference counts itself */
    CHECK(f0.rank == 3 && f0.d[0] == 2 && f0.d[1] == 1000 && f0.d[2] == 3);
}

TEST(test_long_filters_keep_the_number_of_frames)
{
    rv_shape f0;
    const rv_arg args[] = { NUMBER("N", 4), NUMBER("L", 1025), NUMBER("hop", 160),  NUMBER("B", 4),
                            NUMBER("H", 4), NUMBER("X", 2),    NUMBER("segment", 1) };
    const rv_mctn_config c = config_of(args, sizeof args / sizeof *args);
    size_of(&c, &f0);
    CHECK(f0.d[1] == 100);
}

/* Level ---------------------------------------------------------------------------------------- */

/* Of noise of that amplitude, by a network that has learned nothing. */
static float loudness_of(const rv_mctn_config *c, float amplitude)
{
    rv_error err = { 0 };
    rv_graph *g;
    rv_plan *plan;
    nn_builder b;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    nn_begin(&b, g);
    rv_node *mix = rv_input(g, RV_SHAPE(1, 10 * c->hop));
    rv_node *loudness = rv_output(rv_mctn(&b, c, mix).loudness);
    CHECK_OK(rv_plan_new(&plan, g, NULL, &err), err);
    real *values = malloc(nn_count(&b) * sizeof *values), *at = values;
    for (const nn_param *p = b.params; p; at += rv_shape_count(&p->node->shape), p = p->next) {
        rv_plan_bind(plan, p->node, at);
        nn_initialise(p, 3, at);
    }
    for (size_t t = 0; t < 10 * c->hop; t++)
        rv_value(plan, mix)[t] = amplitude * (float)sin((double)(t * t));
    rv_plan_run(plan);
    const float found = rv_value(plan, loudness)[5 * c->n_sources];
    rv_plan_free(plan);
    rv_graph_free(g);
    free(values);
    return found;
}

/* As published, how loud a sound is hardly matters. */
TEST(test_level)
{
    rv_mctn_config c = config_of(tiny, TINY);
    CHECK(fabsf(loudness_of(&c, 200) - loudness_of(&c, 100)) < 0.1F);
    c.level = true;
    CHECK_CLOSE(loudness_of(&c, 200) - loudness_of(&c, 100), 20 * log10(2), 0.1);
}

/* Arguments ------------------------------------------------------------------------------------ */

static void check_refuses(const rv_arg *arg, const char *text)
{
    rv_error err = { 0 };
    rv_mctn_config c;
    CHECK(rv_mctn_configure(&c, &(rv_args){ arg, 1 }, &err) != RV_OK);
    CHECK_MSG(strstr(err.text, text), "%s", err.text);
}

TEST(test_bad_arguments)
{
    check_refuses(&(rv_arg)NUMBER("P", 4), "argument P is 4, an odd number is expected");
    check_refuses(&(rv_arg)NUMBER("L", 32), "argument L");
    check_refuses(&(rv_arg)NUMBER("layers", 2), "layers");
    check_refuses(&(rv_arg)TEXT("encoder", "mel"), "a power of two from 4 hops (256) on");
    check_refuses(&(rv_arg)TEXT("encoder", "bark"), "one of learned, mel is expected");
    check_refuses(&(rv_arg)TEXT("pitch", "bark"), "one of midi, softmax is expected");
    check_refuses(&(rv_arg)TEXT("loudness", "sone"), "one of ddsp, ddsp1, ddsp-pytorch");
    const rv_arg names[] = { TEXT(NULL, "bass"), TEXT(NULL, "../drums") };
    check_refuses(&(rv_arg){ "sources", RV_ARG_LIST, 0, NULL, names }, "0 names");
    check_refuses(&(rv_arg){ "sources", RV_ARG_LIST, 2, NULL, names }, "no name of a source");
}

/* Learning ------------------------------------------------------------------------------------- */

enum { FRAMES = 50, HOP = 32, SOURCES = 2, STEPS = 150 };

typedef struct {
    float mix[FRAMES * HOP], f0[FRAMES * SOURCES], loudness[FRAMES * SOURCES];
    float voiced[FRAMES * SOURCES];
} example;

/* Two tones, one of which swells while the other dies away and changes its pitch in the middle. */
static example make_example(void)
{
    example e = { 0 };
    double phase[SOURCES] = { 0 };
    for (size_t t = 0; t < FRAMES * HOP; t++)
        for (size_t s = 0; s < SOURCES; s++) {
            const size_t i = t / HOP * SOURCES + s;
            const double way = (double)t / (FRAMES * HOP), swell = s ? way : 1 - way;
            e.f0[i] = s ? 400 : t < FRAMES * HOP / 2 ? 100 : 150;
            e.loudness[i] = (float)(-50 + 40 * swell);
            e.voiced[i] = 1;
            phase[s] += (double)e.f0[i] / 8000;
            e.mix[t] += (float)(pow(10, (double)e.loudness[i] / 20) * sin(2 * M_PI * phase[s]));
        }
    return e;
}

static const rv_arg learning[] = { NUMBER("sample_rate", 8000),
                                   NUMBER("N", 24),
                                   NUMBER("L", 256),
                                   NUMBER("B", 24),
                                   NUMBER("H", 32),
                                   NUMBER("X", 4),
                                   NUMBER("depth", 64),
                                   TEXT("pitch", "softmax"),
                                   NUMBER("loudness_mean", -30),
                                   NUMBER("loudness_spread", 20),
                                   { .name = "sources",
                                     .kind = RV_ARG_LIST,
                                     .number = SOURCES,
                                     .items =
                                         (const rv_arg[]){ TEXT(NULL, "a"), TEXT(NULL, "b") } } };

static double mean_distance(const float *estimate, const float *target, size_t at)
{
    double sum = 0;
    for (size_t t = 0; t < FRAMES; t++)
        for (size_t s = 0; s < SOURCES; s++)
            sum +=
                fabs((double)estimate[2 * SOURCES * t + at + s] - (double)target[SOURCES * t + s]);
    return sum / (FRAMES * SOURCES);
}

static void train(rv_learner *l, const float *const *in)
{
    rv_error err = { 0 };
    rv_optimiser *o = NULL;
    rv_optimiser_config adam = rv_optimiser_defaults(RV_ADAM);
    const size_t n = rv_learner_count(l);
    const rv_span all = { "all", 0, n, RV_SHAPE(n), false, false };
    CHECK_OK(rv_optimiser_new(&o, &adam, &all, 1, NULL, &err), err);
    rv_learner_initialise(l, 3);
    for (int i = 0; i < STEPS; i++) {
        rv_learner_step(l, in, true, 1);
        CHECK(
            rv_optimiser_step(o, rv_learner_values(l), rv_learner_gradients(l), 1e-2, NULL, NULL));
    }
    rv_optimiser_free(o);
}

/* How far the features of the example are off after learning it. */
static void check_learns(const rv_mctn_config *c, double pitch_limit, double level_limit)
{
    rv_error err = { 0 };
    rv_learner *l = NULL;
    const float *estimate;
    const example e = make_example();
    const rv_feature_separation s = { c, FRAMES, { 0.5, RV_PITCH_LIKELIHOOD, 0.5, true } };
    const float *const in[] = { e.mix, e.f0, e.loudness, e.voiced };
    CHECK_OK(rv_feature_separation_learner(&l, &s, 1, false, NULL, &err), err);
    train(l, in);
    rv_learner_estimate(l, in, &estimate);
    const double pitch = mean_distance(estimate, e.f0, 0);
    const double level = mean_distance(estimate, e.loudness, SOURCES);
    printf("# f0 L1 %.2f Hz, loudness L1 %.2f dB after %d steps\n", pitch, level, STEPS);
    CHECK(pitch < pitch_limit && level < level_limit);
    rv_learner_free(l);
}

TEST(test_learns_an_example_by_heart)
{
    rv_mctn_config c = config_of(learning, sizeof learning / sizeof *learning);
    check_learns(&c, 15, 2);
    c.encoder = RV_MCTN_MEL;
    c.level = true;
    check_learns(&c, 15, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features_and_loss_of_the_reference),
        cmocka_unit_test(test_published_size),
        cmocka_unit_test(test_long_filters_keep_the_number_of_frames),
        cmocka_unit_test(test_level),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_learns_an_example_by_heart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
