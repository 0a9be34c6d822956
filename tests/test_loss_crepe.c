/* test_loss_crepe.c - distance of what CREPE hears: as magenta/ddsp's loss by torchcrepe's module
 * (tools/make_golden_crepe.py), in recipes, and in silence. Gradients: test_loss_crepe_gradient.c.
 */
#include "crepe_files.h"
#include "models/crepe.h"
#include "train/crepe_weights.h"
#include "train/loss_recipe.h"

#include <unistd.h>

enum { SIGNALS = 2, T = 2500 };

static char folder[] = "/tmp/rv_test_loss_crepe_XXXXXX";
static char weights[100];

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(weights, sizeof weights, "%s/weights.safetensors", folder);
    write_crepe(weights, 1, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(weights);
    return rmdir(folder);
}

/* A graph of the loss of two sounds [1,T,SIGNALS], and of what moves the first. */
typedef struct {
    rv_graph *graph;
    rv_plan *plan;
    rv_node *estimate, *target, *loss, *gradient;
} subject;

static subject subject_of(const rv_crepe_loss_options *o, double sample_rate)
{
    subject s = { 0 };
    rv_error err = { 0 };
    CHECK_OK(rv_graph_new(&s.graph, NULL, &err), err);
    s.estimate = rv_input(s.graph, RV_SHAPE(1, T, SIGNALS));
    s.target = rv_input(s.graph, RV_SHAPE(1, T, SIGNALS));
    s.loss = rv_output(rv_loss_crepe(s.estimate, s.target, sample_rate, o));
    rv_grad(s.loss, &s.estimate, &s.gradient, 1);
    if (rv_graph_status(s.graph, &err) == RV_OK)
        CHECK_OK(rv_plan_new(&s.plan, s.graph, NULL, &err), err);
    return s;
}

static void free_subject(subject *s)
{
    rv_plan_free(s->plan);
    rv_graph_free(s->graph);
}

/* Signals one after the other -> channels last */
static void fill(const subject *s, rv_node *x, const char *name)
{
    float rows[SIGNALS * T];
    crepe_formula(rows, (size_t)SIGNALS * T, name, 0.5, 0);
    for (size_t i = 0; i < SIGNALS; i++)
        for (size_t t = 0; t < T; t++)
            rv_value(s->plan, x)[t * SIGNALS + i] = rows[i * T + t];
}

static double run(const subject *s)
{
    rv_plan_run(s->plan);
    return (double)*rv_value(s->plan, s->loss);
}

TEST(test_as_magenta)
{
    float want[RV_CREPE_LAYERS];
    rv_crepe_weights *w = NULL;
    rv_error err = { 0 };
    crepe_golden("distances", want, RV_CREPE_LAYERS);
    CHECK_OK(rv_crepe_weights_add(&w, weights, &err), err);
    for (size_t layer = 0; layer < RV_CREPE_LAYERS; layer++) {
        rv_crepe_loss_options o = rv_crepe_loss_defaults();
        CHECK(o.layer == RV_CREPE_LAYERS - 1);
        o.layer = layer;
        rv_crepe_weights_give(w, &o);
        subject s = subject_of(&o, 16000);
        fill(&s, s.estimate, "estimate");
        fill(&s, s.target, "target");
        printf("# %s: %g, not %g\n", rv_crepe_layer_name(layer), run(&s), (double)want[layer]);
        /* what the classifier says of the two differs by 1e-4 of itself */
        CHECK_CLOSE(run(&s) / (double)want[layer], 1, layer + 1 < RV_CREPE_LAYERS ? 1e-5 : 1e-4);
        free_subject(&s);
    }
    rv_crepe_weights_free(w);
}

/* Digital silence has no deviation to divide by; equal sounds are at a kink. */
TEST(test_silence)
{
    rv_crepe_weights *w = NULL;
    rv_error err = { 0 };
    rv_crepe_loss_options o = rv_crepe_loss_defaults();
    CHECK_OK(rv_crepe_weights_add(&w, weights, &err), err);
    rv_crepe_weights_give(w, &o);
    subject s = subject_of(&o, 16000);
    for (int heard = 0; heard < 3; heard++) {
        memset(rv_value(s.plan, s.estimate), 0, SIGNALS * T * sizeof(real));
        memset(rv_value(s.plan, s.target), 0, SIGNALS * T * sizeof(real));
        if (heard > 0)
            fill(&s, s.target, "target");
        if (heard > 1)
            fill(&s, s.estimate, "target");
        CHECK((run(&s) > 0) == (heard == 1));
        for (size_t i = 0; i < SIGNALS * T; i++)
            CHECK(isfinite((double)rv_value(s.plan, s.gradient)[i]));
    }
    free_subject(&s);
    rv_crepe_weights_free(w);
}

/* Recipes ------------------------------------------------------------------------------------- */

static rv_status read_terms(rv_loss_config *c, const char *model, const char *more, rv_error *err)
{
    json_t *values =
        json_pack("{s:{s:[{s:s, s:s}, {s:s, s:s}], s:[]}}", "loss", "terms", "kind", "crepe",
                  "model", model, "kind", "crepe", "model", model, "stem_weights");
    json_t *term = json_array_get(json_object_get(json_object_get(values, "loss"), "terms"), 1);
    if (more)
        json_object_set_new(term, "layer", json_string(more));
    json_object_set_new(term, "distance", json_string("l2"));
    const rv_status st = rv_loss_read(c, values, NULL, 1, err);
    json_decref(values);
    return st;
}

TEST(test_recipe)
{
    rv_loss_config c;
    rv_error err = { 0 };
    CHECK_OK(read_terms(&c, weights, "conv5-maxpool", &err), err);
    CHECK(c.n == 2 && c.term[0].kind == RV_LOSS_CREPE && c.term[0].options.crepe.layer == 12 &&
          c.term[0].options.crepe.distance == RV_DISTANCE_L1);
    CHECK(c.term[1].options.crepe.layer == 9 && c.term[1].options.crepe.distance == RV_DISTANCE_L2);
    CHECK(c.term[1].options.crepe.weights && c.term[1].options.crepe.width == 1);
    rv_loss_release(&c);
    CHECK(!c.crepe);
    rv_loss_release(&c);
}

TEST(test_what_is_refused)
{
    rv_loss_config c;
    rv_error err = { 0 };
    const struct {
        const char *model, *layer, *word;
        rv_status status;
    } bad[] = {
        { "", "classifier", "loss.terms: crepe needs `model`", RV_ERR_ARG },
        { "/nowhere.pth", "classifier", "/nowhere.pth", RV_ERR_IO },
        { weights, "conv7-BN", "conv7-BN", RV_ERR_FORMAT },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(read_terms(&c, bad[i].model, bad[i].layer, &err) == bad[i].status);
        CHECK_MSG(strstr(err.text, bad[i].word), "%s", err.text);
        rv_loss_release(&c);
    }
    rv_crepe_loss_options o = rv_crepe_loss_defaults();
    subject s = subject_of(&o, 16000);
    CHECK(rv_graph_status(s.graph, &err) == RV_ERR_ARG && strstr(err.text, "no weights"));
    free_subject(&s);
    o.weights = &(const float *){ NULL };
    s = subject_of(&o, 44100);
    CHECK(rv_graph_status(s.graph, &err) == RV_ERR_ARG);
    CHECK_MSG(strstr(err.text, "audio at 44100 Hz, CREPE hears it at 16000"), "%s", err.text);
    free_subject(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_magenta),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_recipe),
        cmocka_unit_test(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
