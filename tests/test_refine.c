/* test_refine.c - the networks that make a separated stem anew, against DDSP-Demucs
 * (tools/make_golden_refine.py); their sizes, arguments and inputs. */
#include "ddsp_case.h"
#include "models/mask_eq.h"
#include "models/stem_decoder.h"
#include "train/loss.h"

#include <string.h>

#define NUMBER(key, value)                                  \
    {                                                       \
        .name = key, .kind = RV_ARG_NUMBER, .number = value \
    }
#define ITEM(value)                            \
    {                                          \
        .kind = RV_ARG_NUMBER, .number = value \
    }
#define LIST(key, n, of)                                           \
    {                                                              \
        .name = key, .kind = RV_ARG_LIST, .number = n, .items = of \
    }
#define ARGS(...)                                                                                 \
    &(rv_args)                                                                                    \
    {                                                                                             \
        (const rv_arg[]){ __VA_ARGS__ }, sizeof((const rv_arg[]){ __VA_ARGS__ }) / sizeof(rv_arg) \
    }

static rv_stem_decoder_config decoder_of(const rv_args *args)
{
    rv_stem_decoder_config c;
    rv_error err = { 0 };
    CHECK_OK(rv_stem_decoder_configure(&c, args, &err), err);
    return c;
}

static rv_mask_eq_config equaliser_of(const rv_args *args)
{
    rv_mask_eq_config c;
    rv_error err = { 0 };
    CHECK_OK(rv_mask_eq_configure(&c, args, &err), err);
    return c;
}

static const rv_arg small_layers[] = { ITEM(8), ITEM(5) };

static rv_stem_decoder_config small_decoder(void)
{
    return decoder_of(ARGS(NUMBER("sample_rate", 5000), NUMBER("n_harmonics", 7),
                           NUMBER("n_noise_bands", 9), NUMBER("rnn_units", 6),
                           NUMBER("reverb_length", 50), LIST("mlp_units", 2, small_layers)));
}

/* Golden values ------------------------------------------------------------------------ */

static size_t tensors_under(const ddsp_case *c)
{
    char prefix[64];
    size_t n = 0;
    const size_t length = (size_t)snprintf(prefix, sizeof prefix, "%s.weights.", c->name);
    for (size_t i = 0; i < rv_checkpoint_count(c->golden); i++)
        n += strncmp(rv_checkpoint_tensor(c->golden, i)->name, prefix, length) == 0;
    return n;
}

/* All of the reference's weights have their place, and no other parameter is there. */
static real *read_weights(const ddsp_case *c, const nn_builder *nn, rv_plan *plan)
{
    real *values = malloc(nn_count(nn) * sizeof *values), *at = values;
    rv_error err = { 0 };
    for (const nn_param *p = nn->params; p; p = p->next) {
        char name[80];
        snprintf(name, sizeof name, "weights.%s", p->name);
        const rv_tensor *t = ddsp_tensor(c, name);
        CHECK_MSG(t->count == rv_shape_count(&p->node->shape), "%s: another size", name);
        CHECK_OK(rv_checkpoint_read(c->golden, t, at, &err), err);
        rv_plan_bind(plan, p->node, at);
        at += t->count;
    }
    CHECK(tensors_under(c) == nn->n_params);
    return values;
}

static void check_network(ddsp_case *c, const nn_builder *nn, rv_node *y)
{
    rv_error err = { 0 };
    rv_plan *plan = NULL;
    rv_output(y);
    CHECK_OK(rv_graph_status(c->graph, &err), err);
    CHECK_OK(rv_plan_new(&plan, c->graph, NULL, &err), err);
    real *weights = read_weights(c, nn, plan);
    ddsp_fill(c, plan);
    rv_plan_run(plan);
    ddsp_compare(c, plan, "out", y);
    rv_plan_free(plan);
    free(weights);
    ddsp_close(c);
}

static void check_decoder(const char *name, bool gate)
{
    const rv_stem_decoder_config config = small_decoder();
    ddsp_case c = ddsp_open("refine", name);
    nn_builder nn;
    nn_begin(&nn, c.graph);
    const rv_stem_decoder_inputs in = { .f0 = ddsp_input(&c, "f0"),
                                        .loudness = ddsp_input(&c, "loudness"),
                                        .noise = ddsp_input(&c, "noise"),
                                        .stem = gate ? ddsp_input(&c, "stem") : NULL };
    check_network(&c, &nn, rv_stem_decoder(&nn, &config, &in));
}

TEST(test_decoder_as_the_reference)
{
    check_decoder("decoder", false);
}

TEST(test_residual_as_the_reference)
{
    check_decoder("residual", true);
}

static rv_mask_eq_config small_equaliser(void)
{
    return equaliser_of(ARGS(NUMBER("mel_bins", 8), NUMBER("n_bands", 9), NUMBER("enc_units", 6),
                             NUMBER("sample_rate", 5000), NUMBER("window_size", 30)));
}

TEST(test_mask_as_the_reference)
{
    const rv_mask_eq_config config = small_equaliser();
    ddsp_case c = ddsp_open("refine", "eq");
    nn_builder nn;
    nn_begin(&nn, c.graph);
    rv_node *stem = ddsp_input(&c, "stem"), *mel = ddsp_input(&c, "mel");
    check_network(&c, &nn, rv_mask_eq(&nn, &config, stem, mel, ddsp_input(&c, "loudness")));
}

TEST(test_mel_as_the_reference)
{
    const rv_mask_eq_config config = small_equaliser();
    ddsp_case c = ddsp_open("refine", "mel");
    ddsp_check(&c, rv_mask_eq_mel(ddsp_input(&c, "stem"), &config, 256));
}

static void check_loss(const char *name, const rv_loss_term *term)
{
    const rv_loss_config config = { .n = 1, .term = { *term } };
    ddsp_case c = ddsp_open("refine", "losses");
    rv_error err = { 0 };
    rv_plan *plan = NULL;
    rv_node *estimate = ddsp_input(&c, "estimate"), *target = ddsp_input(&c, "target");
    rv_node *loss = rv_output(rv_loss_build(&config, estimate, target, 1, 5000));
    CHECK_OK(rv_graph_status(c.graph, &err), err);
    CHECK_OK(rv_plan_new(&plan, c.graph, NULL, &err), err);
    ddsp_fill(&c, plan);
    rv_plan_run(plan);
    ddsp_compare(&c, plan, name, loss);
    rv_plan_free(plan);
    ddsp_close(&c);
}

TEST(test_losses_as_the_reference)
{
    rv_loss_term mel = rv_loss_term_defaults(RV_LOSS_MEL);
    mel.options.mel = (rv_mel_options){
        .n_fft = 1024, .bands = 64, .lowest = 50, .highest = 2250, .eps = 1e-5, .added = true
    };
    rv_loss_term sdr = rv_loss_term_defaults(RV_LOSS_SI_SDR);
    sdr.options.si_sdr.eps = 1e-8;
    const rv_loss_term centroid = rv_loss_term_defaults(RV_LOSS_MEAN_CENTROID);
    check_loss("mel", &mel);
    check_loss("centroid", &centroid);
    check_loss("sisdr", &sdr);
}

/* The distance of noise of that level from silence, of bands far below eps 1 */
static float distance_from_silence(float level, bool added)
{
    const rv_mel_options o = { .n_fft = 64, .bands = 5, .eps = 1, .added = added };
    rv_graph *g = NULL;
    rv_plan *plan = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_node *x = rv_input(g, RV_SHAPE(1, 300, 1)), *silence = rv_input(g, RV_SHAPE(1, 300, 1));
    rv_node *loss = rv_output(rv_loss_mel(x, silence, 5000, &o));
    CHECK_OK(rv_plan_new(&plan, g, NULL, &err), err);
    for (size_t t = 0; t < 300; t++)
        rv_value(plan, x)[t] = t % 7 ? level : -level;
    rv_plan_run(plan);
    const float found = *rv_value(plan, loss);
    rv_plan_free(plan);
    rv_graph_free(g);
    return found;
}

/* What lies below the floor does not count, unless it is added: then it counts by its size. */
TEST(test_floor_of_mel)
{
    CHECK(distance_from_silence(1e-4F, false) == 0);
    const float once = distance_from_silence(1e-4F, true),
                twice = distance_from_silence(2e-4F, true);
    CHECK(once > 1e-5F);
    CHECK_CLOSE(twice / once, 2, 0.01);
}

/* What the names promise --------------------------------------------------------------- */

/* A graph with a network whose parameters have their starting values. */
typedef struct {
    rv_graph *graph;
    nn_builder nn;
    rv_plan *plan;
    real *values;
} network;

static void network_begin(network *n)
{
    rv_error err = { 0 };
    *n = (network){ 0 };
    CHECK_OK(rv_graph_new(&n->graph, NULL, &err), err);
    nn_begin(&n->nn, n->graph);
}

static void network_plan(network *n)
{
    rv_error err = { 0 };
    CHECK_OK(rv_graph_status(n->graph, &err), err);
    CHECK_OK(rv_plan_new(&n->plan, n->graph, NULL, &err), err);
    real *at = n->values = malloc(nn_count(&n->nn) * sizeof *n->values);
    for (const nn_param *p = n->nn.params; p; p = p->next) {
        rv_plan_bind(n->plan, p->node, at);
        nn_initialise(p, 3, at);
        at += rv_shape_count(&p->node->shape);
    }
}

static void network_free(network *n)
{
    rv_plan_free(n->plan);
    rv_graph_free(n->graph);
    free(n->values);
}

static size_t count_of(rv_node *(*build)(nn_builder *b))
{
    rv_error err = { 0 };
    network n;
    network_begin(&n);
    build(&n.nn);
    CHECK_OK(rv_graph_status(n.graph, &err), err);
    const size_t count = nn_count(&n.nn);
    network_free(&n);
    return count;
}

static rv_stem_decoder_inputs decoder_inputs(rv_graph *g)
{
    return (rv_stem_decoder_inputs){ .f0 = rv_input(g, RV_SHAPE(1, 5, 1)),
                                     .loudness = rv_input(g, RV_SHAPE(1, 5, 1)),
                                     .noise = rv_input(g, RV_SHAPE(1, 440)),
                                     .stem = rv_input(g, RV_SHAPE(1, 440)) };
}

static rv_node *published_decoder(nn_builder *b)
{
    const rv_stem_decoder_config c = decoder_of(&(rv_args){ 0 });
    const rv_stem_decoder_inputs in = decoder_inputs(b->graph);
    return rv_stem_decoder(b, &c, &in);
}

static rv_node *published_equaliser(nn_builder *b)
{
    const rv_mask_eq_config c = equaliser_of(&(rv_args){ 0 });
    return rv_mask_eq(b, &c, rv_input(b->graph, RV_SHAPE(1, 440)),
                      rv_input(b->graph, RV_SHAPE(1, 5, 64)),
                      rv_input(b->graph, RV_SHAPE(1, 5, 1)));
}

/* The notebooks count 41,761 of the mask's. Of the decoder: pre, gru, post, heads, response, gate.
 */
TEST(test_sizes)
{
    CHECK(count_of(published_equaliser) == 41761);
    const size_t pre = 384, gru = 3 * 256 * (128 + 256 + 2), post = 256 * 257 + 128 * 257;
    CHECK(count_of(published_decoder) == pre + gru + post + 129 * (1 + 64 + 65) + 48000 + 1);
}

/* With the gate shut the stem does not count; wide open, it is all that is left. */
TEST(test_gate)
{
    static const double logits[] = { -30, 30 };
    for (int i = 0; i < 2; i++) {
        rv_stem_decoder_config c = small_decoder();
        c.dry_logit = logits[i];
        network n;
        network_begin(&n);
        const rv_stem_decoder_inputs in = decoder_inputs(n.graph);
        rv_node *y = rv_output(rv_stem_decoder(&n.nn, &c, &in));
        network_plan(&n);
        for (size_t t = 0; t < 440; t++)
            rv_value(n.plan, in.stem)[t] = 100;
        rv_plan_run(n.plan);
        for (size_t t = 0; t < 440; t++)
            CHECK(i == 0 ? fabsf(rv_value(n.plan, y)[t]) < 10
                         : fabsf(rv_value(n.plan, y)[t] - 100) < 1e-3F);
        network_free(&n);
    }
}

/* Amplitude heads at -20: silence, where ranges are open; a tone of 0.4 of full scale and more,
 * where they are the reference's. */
static float peak_of_quiet(bool twice)
{
    rv_stem_decoder_config c = small_decoder();
    c.scale_twice = twice;
    network n;
    network_begin(&n);
    rv_stem_decoder_inputs in = decoder_inputs(n.graph);
    in.stem = NULL;
    rv_node *y = rv_output(rv_stem_decoder(&n.nn, &c, &in));
    network_plan(&n);
    for (size_t f = 0; f < 5; f++)
        rv_value(n.plan, in.f0)[f] = 200;
    real *at = n.values;
    for (const nn_param *p = n.nn.params; p; at += rv_shape_count(&p->node->shape), p = p->next)
        if (!strcmp(p->name, "amp_head.bias"))
            *at = -20;
    rv_plan_run(n.plan);
    float peak = 0;
    for (size_t t = 0; t < 440; t++)
        peak = fmaxf(peak, fabsf(rv_value(n.plan, y)[t]));
    network_free(&n);
    return peak;
}

TEST(test_ranges)
{
    CHECK(peak_of_quiet(false) < 1e-3F);
    CHECK(peak_of_quiet(true) > 0.1F);
}

/* What comes out of an equaliser without training, for an impulse at 200 of 440. */
static void equalise_impulse(const rv_args *args, float *out)
{
    const rv_mask_eq_config c = equaliser_of(args);
    network n;
    network_begin(&n);
    rv_node *stem = rv_input(n.graph, RV_SHAPE(1, 440));
    rv_node *y = rv_output(rv_mask_eq(&n.nn, &c, stem, rv_input(n.graph, RV_SHAPE(1, 5, 64)),
                                      rv_input(n.graph, RV_SHAPE(1, 5, 1))));
    network_plan(&n);
    rv_value(n.plan, stem)[200] = 1;
    rv_plan_run(n.plan);
    memcpy(out, rv_value(n.plan, y), 440 * sizeof *out);
    network_free(&n);
}

/* With a mask of 1 the reference's filters give the stem two samples late; identity_start gives it
 * as it is, bit by bit, whatever alpha. */
TEST(test_what_an_equaliser_starts_as)
{
    static const rv_arg start = { .name = "identity_start", .kind = RV_ARG_BOOL, .number = 1 };
    float late[440], same[440];
    equalise_impulse(ARGS(NUMBER("alpha", 0)), late);
    equalise_impulse(ARGS(start, NUMBER("alpha", 1)), same);
    for (size_t t = 0; t < 440; t++) {
        CHECK(fabsf(late[t] - (t == 202 ? 1.F : 0.F)) < 1e-5F);
        CHECK(same[t] == (t == 200 ? 1.F : 0.F));
    }
}

/* Noise through an equaliser as the seed left it, which is told mel and loudness. */
static void equalise_noise(bool scaled, float mel, float loudness, float *out)
{
    rv_mask_eq_config c = small_equaliser();
    c.scaled = scaled;
    network n;
    network_begin(&n);
    rv_node *stem = rv_input(n.graph, RV_SHAPE(1, 440));
    rv_node *bands = rv_input(n.graph, RV_SHAPE(1, 5, 8));
    rv_node *levels = rv_input(n.graph, RV_SHAPE(1, 5, 1));
    rv_node *y = rv_output(rv_mask_eq(&n.nn, &c, stem, bands, levels));
    network_plan(&n);
    for (size_t t = 0; t < 440; t++)
        rv_value(n.plan, stem)[t] = (float)sin((double)(t * t));
    for (size_t i = 0; i < 40; i++)
        rv_value(n.plan, bands)[i] = mel;
    for (size_t f = 0; f < 5; f++)
        rv_value(n.plan, levels)[f] = loudness;
    rv_plan_run(n.plan);
    memcpy(out, rv_value(n.plan, y), 440 * sizeof *out);
    network_free(&n);
}

/* Log mel bands of -1 and a loudness of -20 dB are a deviation above what is usual. */
TEST(test_scaled_inputs)
{
    float scaled[440], same[440], other[440];
    equalise_noise(true, -1, -20, scaled);
    equalise_noise(false, 1, 1, same);
    equalise_noise(false, -1, -20, other);
    double near = 0, far = 0;
    for (size_t t = 0; t < 440; t++) {
        near = fmax(near, fabs((double)scaled[t] - (double)same[t]));
        far = fmax(far, fabs((double)scaled[t] - (double)other[t]));
    }
    CHECK(near < 1e-6);
    CHECK(far > 1e-3);
}

TEST(test_residual_that_starts_as_the_stem)
{
    rv_stem_decoder_config c = small_decoder();
    c.identity_start = true;
    network n;
    network_begin(&n);
    const rv_stem_decoder_inputs in = decoder_inputs(n.graph);
    rv_node *y = rv_output(rv_stem_decoder(&n.nn, &c, &in));
    network_plan(&n);
    float was[440];
    for (size_t t = 0; t < 440; t++)
        was[t] = rv_value(n.plan, in.stem)[t] = (float)sin((double)t);
    for (size_t f = 0; f < 5; f++)
        rv_value(n.plan, in.f0)[f] = 200;
    rv_plan_run(n.plan);
    for (size_t t = 0; t < 440; t++)
        CHECK(rv_value(n.plan, y)[t] == was[t]);
    network_free(&n);
}

/* Refused ------------------------------------------------------------------------------ */

static void decoder_refuses(const rv_args *args, const char *text)
{
    rv_stem_decoder_config c;
    rv_error err = { 0 };
    CHECK(rv_stem_decoder_configure(&c, args, &err) != RV_OK);
    CHECK_MSG(strstr(err.text, text) != NULL, "%s: expected %s", err.text, text);
}

static void equaliser_refuses(const rv_args *args, const char *text)
{
    rv_mask_eq_config c;
    rv_error err = { 0 };
    CHECK(rv_mask_eq_configure(&c, args, &err) != RV_OK);
    CHECK_MSG(strstr(err.text, text) != NULL, "%s: expected %s", err.text, text);
}

TEST(test_bad_arguments)
{
    static const rv_arg layers[] = { ITEM(4), ITEM(2.5), ITEM(0) },
                        notes[] = { ITEM(60), ITEM(40) };
    static const rv_arg many[RV_STEM_DECODER_LAYERS + 1] = { ITEM(1) };
    decoder_refuses(ARGS(NUMBER("n_harmonics", 0)), "n_harmonics is 0");
    decoder_refuses(ARGS(NUMBER("units", 1)), "units is not known");
    decoder_refuses(ARGS(LIST("mlp_units", 2, layers)), "mlp_units has item 1 that is no whole");
    decoder_refuses(ARGS(LIST("mlp_units", 3, layers)), "mlp_units has item");
    decoder_refuses(ARGS(LIST("mlp_units", RV_STEM_DECODER_LAYERS + 1, many)), "at most 8");
    decoder_refuses(ARGS(LIST("f0_midi_range", 2, notes)), "f0_midi_range has item 1");
    decoder_refuses(ARGS(LIST("f0_midi_range", 1, notes)), "2 are expected");
    equaliser_refuses(ARGS(NUMBER("alpha", 0.2)), "alpha is 0.2");
    equaliser_refuses(ARGS(NUMBER("window_size", 175)), "an even number");
}

TEST(test_bad_inputs)
{
    static const char *const expected[] = { "f0", "loudness", "noise", "stem" };
    const rv_stem_decoder_config c = small_decoder();
    const rv_mask_eq_config eq = small_equaliser();
    for (size_t i = 0; i < 4; i++) {
        rv_error err = { 0 };
        network n;
        network_begin(&n);
        rv_stem_decoder_inputs in = decoder_inputs(n.graph);
        rv_node **const which[] = { &in.f0, &in.loudness, &in.noise, &in.stem };
        *which[i] = i == 3 ? rv_input(n.graph, RV_SHAPE(1, 7)) : NULL;
        rv_stem_decoder(&n.nn, &c, &in);
        CHECK(rv_graph_status(n.graph, &err) == RV_ERR_SHAPE && strstr(err.text, expected[i]));
        network_free(&n);
    }
    network n;
    network_begin(&n);
    rv_error err = { 0 };
    rv_mask_eq(&n.nn, &eq, rv_input(n.graph, RV_SHAPE(1, 9)), rv_input(n.graph, RV_SHAPE(1, 2, 8)),
               rv_input(n.graph, RV_SHAPE(1, 3, 1)));
    CHECK(rv_graph_status(n.graph, &err) == RV_ERR_SHAPE && strstr(err.text, "loudness"));
    network_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decoder_as_the_reference),
        cmocka_unit_test(test_residual_as_the_reference),
        cmocka_unit_test(test_mask_as_the_reference),
        cmocka_unit_test(test_mel_as_the_reference),
        cmocka_unit_test(test_losses_as_the_reference),
        cmocka_unit_test(test_floor_of_mel),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_gate),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_what_an_equaliser_starts_as),
        cmocka_unit_test(test_scaled_inputs),
        cmocka_unit_test(test_residual_that_starts_as_the_stem),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_bad_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
