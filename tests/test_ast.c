/* test_ast.c - the Audio Spectrogram Transformer and the heads of AST-DDSP against their authors'
 * code (tools/make_golden_ast.py), and the sizes of the transformers. */
#include "crepe_formula.h"
#include "ddsp_case.h"
#include "models/ast.h"
#include "models/ast_heads.h"
#include "models/ast_spectrogram.h"
#include "models/model.h"

#include <string.h>

enum { SHOWN = 24 };

static void fill_parameter(const nn_param *p, real *to)
{
    const rv_shape *s = &p->node->shape;
    const size_t n = rv_shape_count(s), length = strlen(p->name);
    const bool weight = length > 6 && !strcmp(p->name + length - 6, "weight");
    if (weight && strstr(p->name, "norm"))
        crepe_formula(to, n, p->name, 0.3, 1);
    else
        crepe_formula(to, n, p->name, weight ? 1.7 / sqrt((double)(n / s->d[0])) : 0.3, 0);
}

/* Transformer ---------------------------------------------------------------------------- */

static void check_transformer(const char *name, const rv_ast_config *config)
{
    rv_error err = { 0 };
    rv_plan *plan;
    nn_builder b;
    ddsp_case c = ddsp_open("ast", name);
    nn_begin(&b, c.graph);
    const rv_ast_tokens y = rv_ast(&b, config, ddsp_input(&c, "x"));
    const size_t n = rv_extent(y.patches, 1) * rv_extent(y.patches, 2);
    rv_node *all = rv_reshape(y.patches, RV_SHAPE(rv_extent(y.patches, 0), n, config->width));
    rv_node *last = rv_output(rv_slice(all, 1, n - SHOWN, SHOWN));
    rv_output(y.pooled);
    CHECK_OK(rv_graph_status(c.graph, &err), err);
    CHECK_OK(rv_plan_new(&plan, c.graph, NULL, &err), err);
    real *values = malloc(nn_count(&b) * sizeof *values), *at = values;
    for (const nn_param *p = b.params; p; p = p->next) {
        fill_parameter(p, at);
        rv_plan_bind(plan, p->node, at);
        at += rv_shape_count(&p->node->shape);
    }
    ddsp_fill(&c, plan);
    rv_plan_run(plan);
    ddsp_compare(&c, plan, "pooled", y.pooled);
    ddsp_compare(&c, plan, "patches", last);
    rv_plan_free(plan);
    free(values);
    ddsp_close(&c);
}

TEST(test_transformer)
{
    const rv_ast_config config = rv_ast_sized("tiny");
    check_transformer("plain", &config);
}

/* DeiT's positions of 14 x 14 patches, and its weights for colours */
TEST(test_positions_of_another_size)
{
    rv_ast_config config = rv_ast_sized("tiny");
    config.grid_frequency = config.grid_time = 14;
    config.colours = 3;
    check_transformer("cut", &config);
    check_transformer("stretched", &config);
}

static size_t size_of(rv_ast_config config)
{
    rv_error err = { 0 };
    rv_graph *g;
    nn_builder b;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    nn_begin(&b, g);
    rv_ast(&b, &config, rv_input(g, RV_SHAPE(1, 1024, 128)));
    CHECK_OK(rv_graph_status(g, &err), err);
    const size_t n = nn_count(&b);
    rv_graph_free(g);
    return n;
}

/* As published for images; and AST's own, for ten seconds of AudioSet, without its classifiers. */
TEST(test_sizes)
{
    static const struct {
        const char *size;
        size_t images, audio;
    } known[] = { { "tiny", 5524800, 5621568 },
                  { "small", 21666432, 21859968 },
                  { "base", 85800192, 86187264 } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        rv_ast_config config = rv_ast_sized(known[i].size);
        CHECK(size_of(config) == known[i].audio);
        config.grid_frequency = config.grid_time = 14;
        config.colours = 3;
        CHECK(size_of(config) == known[i].images);
    }
    CHECK(rv_ast_sized("huge").width == 0);
}

TEST(test_too_short)
{
    rv_error err = { 0 };
    rv_graph *g;
    nn_builder b;
    const rv_ast_config config = rv_ast_sized("tiny");
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    nn_begin(&b, g);
    rv_ast(&b, &config, rv_input(g, RV_SHAPE(1, 15, 128)));
    CHECK(rv_graph_status(g, &err) == RV_ERR_SHAPE && strstr(err.text, "15 frames"));
    rv_graph_free(g);
}

/* Spectrogram and heads ------------------------------------------------------------------ */

TEST(test_spectrogram)
{
    const rv_ast_spectrogram_config config = { 8000, 2048, 512, 128, 20, false };
    ddsp_case c = ddsp_open("ast", "mel");
    ddsp_check(&c, rv_ast_spectrogram(&config, ddsp_input(&c, "audio")));
}

static const rv_ast_head_config head = { 8000, 5, 4, 9, 20, 6, false };

TEST(test_clip_head)
{
    ddsp_case c = ddsp_open("ast", "clip");
    rv_node *x = ddsp_input(&c, "x");
    ddsp_check(&c, rv_ast_clip_audio(&head, x, ddsp_input(&c, "noise")));
}

TEST(test_step_head)
{
    ddsp_case c = ddsp_open("ast", "steps");
    rv_node *x = ddsp_input(&c, "x");
    ddsp_check(&c, rv_ast_steps_audio(&head, x, ddsp_input(&c, "noise")));
}

/* As long as published, with other numbers from the formula and the reference's frequencies. */
enum { LONG_STEPS = 64, LONG = 16000, EVERY = 25 };
static const rv_ast_head_config long_head = { 8000, 20, 4, 9, 20, LONG_STEPS, false };
typedef rv_ast_controls controls_fn(const rv_ast_head_config *c, rv_node *x);
typedef rv_node *signal_fn(const rv_ast_head_config *c, const rv_ast_controls *from,
                           rv_node *noise);

static void check_long(const char *name, rv_shape shape, double offset, controls_fn *controls_of,
                       signal_fn *signal_of)
{
    rv_error err = { 0 };
    rv_plan *plan = NULL;
    ddsp_case c = ddsp_open("ast", name);
    rv_node *x = rv_input(c.graph, shape), *noise = rv_input(c.graph, RV_SHAPE(1, LONG));
    rv_ast_controls controls = controls_of(&long_head, x);
    rv_node *hz = rv_output(controls.hz);
    controls.hz = ddsp_input(&c, "hz");
    rv_node *y = rv_output(ddsp_each(signal_of(&long_head, &controls, noise), EVERY));
    CHECK_OK(rv_graph_status(c.graph, &err), err);
    CHECK_OK(rv_plan_new(&plan, c.graph, NULL, &err), err);
    crepe_formula(rv_value(plan, x), rv_shape_count(&shape), name, 2, offset);
    crepe_formula(rv_value(plan, noise), LONG, "noise", 1, 0);
    ddsp_fill(&c, plan);
    rv_plan_run(plan);
    ddsp_compare(&c, plan, "hz", hz);
    ddsp_compare(&c, plan, "out", y);
    rv_plan_free(plan);
    ddsp_close(&c);
}

TEST(test_long_heads)
{
    check_long("clip_long", RV_SHAPE(1, rv_ast_clip_size(&long_head)), -1, rv_ast_clip_controls,
               rv_ast_clip_signal);
    check_long("steps_long", RV_SHAPE(1, LONG_STEPS, rv_ast_step_size(&long_head)), 0,
               rv_ast_steps_controls, rv_ast_steps_signal);
}

/* As published: 2 s in 64 steps, 100 sinusoids of depth 64, 65 bands. */
TEST(test_head_sizes)
{
    const rv_ast_head_config published = { 8000, 100, 64, 65, 20, 64, false };
    CHECK(rv_ast_clip_size(&published) == 416066);
    CHECK(rv_ast_step_size(&published) == 6566);
}

/* Models --------------------------------------------------------------------------------- */

#define NUMBER(key, value)                                  \
    {                                                       \
        .name = key, .kind = RV_ARG_NUMBER, .number = value \
    }

static const rv_arg stems[] = { { .kind = RV_ARG_TEXT, .text = "bass" },
                                { .kind = RV_ARG_TEXT, .text = "drums" } };
static const rv_arg pair[] = { NUMBER(NULL, 12), NUMBER(NULL, 101) };

#define STEMS(n)                                                            \
    {                                                                       \
        .name = "sources", .kind = RV_ARG_LIST, .number = n, .items = stems \
    }
#define MONO NUMBER("audio_channels", 1), NUMBER("samplerate", 8000)

typedef struct {
    rv_graph *graph;
    nn_builder nn;
    rv_model_info info;
    rv_node *out;
    size_t valid; /* for the length asked for */
} model;

static model open_model(const char *name, const rv_arg *arg, size_t n, size_t length)
{
    rv_error err = { 0 };
    model m = { 0 };
    const rv_model_def *def = rv_model_find(name);
    CHECK_OK(rv_graph_new(&m.graph, NULL, &err), err);
    void *config = rv_graph_take(m.graph, def->config_size);
    CHECK_OK(def->configure(config, &m.info, &(rv_args){ arg, n }, &err), err);
    nn_begin(&m.nn, m.graph);
    m.valid = def->valid_length(config, &m.info, length);
    if (m.valid)
        m.out = def->build(&m.nn, config, &m.info, rv_input(m.graph, RV_SHAPE(1, m.valid, 1)));
    CHECK_OK(rv_graph_status(m.graph, &err), err);
    return m;
}

static void check_shape(const model *m, const char *name, rv_shape shape)
{
    const rv_node *p = nn_find(&m->nn, name);
    CHECK_MSG(p && rv_shape_equal(&p->shape, &shape), "%s", name);
}

/* The published one: 24 patches in 2 s, and a head of 320 million numbers. */
TEST(test_paper)
{
    const rv_arg args[] = { STEMS(1), MONO };
    model m = open_model("ast_ddsp_paper", args, 3, 15000);
    CHECK(m.valid == 16000 && rv_extent(m.out, 1) == 16000 && rv_extent(m.out, 2) == 1);
    check_shape(&m, "v.pos_embed", RV_SHAPE(1, 26, 768));
    check_shape(&m, "v.blocks.11.attn.qkv.weight", RV_SHAPE(2304, 768));
    check_shape(&m, "mlp_head.0.weight", RV_SHAPE(768));
    check_shape(&m, "mlp_head.2.weight", RV_SHAPE(416066, 768));
    rv_graph_free(m.graph);
    m = open_model("ast_ddsp_paper", args, 3, 16001);
    CHECK(m.valid == 0);
    rv_graph_free(m.graph);
}

/* 32 steps in 2 s, any length, and positions of AudioSet. */
TEST(test_steps)
{
    const rv_arg args[] = { STEMS(2),
                            MONO,
                            { .name = "size", .kind = RV_ARG_TEXT, .text = "tiny" },
                            { .name = "grid", .kind = RV_ARG_LIST, .number = 2, .items = pair } };
    model m = open_model("ast_ddsp", args, 4, 16000);
    CHECK(m.valid == 16000 && rv_extent(m.out, 1) == 16000 && rv_extent(m.out, 2) == 2);
    check_shape(&m, "step.2.weight", RV_SHAPE(2 * 6566, 192));
    rv_graph_free(m.graph);
    m = open_model("ast_ddsp", args, 5, 24001);
    CHECK(m.valid == 24500);
    check_shape(&m, "v.pos_embed", RV_SHAPE(1, 2 + 12 * 101, 192));
    check_shape(&m, "column.2.weight", RV_SHAPE(192, 12 * 192));
    rv_graph_free(m.graph);
}

static void check_refused(const char *name, rv_arg arg, const char *said)
{
    rv_error err = { 0 };
    rv_model_info info;
    double config[100];
    const rv_model_def *def = rv_model_find(name);
    const rv_arg args[] = { STEMS(1), MONO, arg };
    CHECK(def->config_size <= sizeof config);
    CHECK(def->configure(config, &info, &(rv_args){ args, 4 }, &err) != RV_OK);
    CHECK_MSG(strstr(err.text, said) != NULL, "%s", err.text);
}

TEST(test_arguments)
{
    const rv_arg stereo[] = { STEMS(1) };
    rv_error err = { 0 };
    rv_model_info info;
    double config[100];
    CHECK(rv_model_find("ast_ddsp")->configure(config, &info, &(rv_args){ stereo, 1 }, &err) ==
          RV_ERR_UNSUPPORTED);
    check_refused("ast_ddsp", (rv_arg){ "size", RV_ARG_TEXT, 0, "huge", NULL }, "size is huge");
    check_refused("ast_ddsp", (rv_arg)NUMBER("heads", 7), "multiple of the 7 heads");
    check_refused("ast_ddsp", (rv_arg)NUMBER("steps", 7), "steps is not known");
    check_refused("ast_ddsp", (rv_arg){ "grid", RV_ARG_LIST, 1, NULL, pair }, "grid must list");
    check_refused("ast_ddsp_paper", (rv_arg)NUMBER("segment", 0.1), "too short");
    check_refused("ast_ddsp_paper", (rv_arg)NUMBER("hop", 4096), "16 at least");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transformer), cmocka_unit_test(test_positions_of_another_size),
        cmocka_unit_test(test_sizes),       cmocka_unit_test(test_too_short),
        cmocka_unit_test(test_spectrogram), cmocka_unit_test(test_clip_head),
        cmocka_unit_test(test_step_head),   cmocka_unit_test(test_head_sizes),
        cmocka_unit_test(test_long_heads),  cmocka_unit_test(test_paper),
        cmocka_unit_test(test_steps),       cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
