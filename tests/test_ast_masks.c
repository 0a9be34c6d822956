/* test_ast_masks.c - AST-DDSP's sinusoids that begin spread out, and its stems as shares of the
 * mix. */
#include "check.h"
#include "ddsp/controls.h"
#include "ddsp/synth_noise.h"
#include "models/ast_masks.h"
#include "models/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 8000, STEP = 500, STEPS = 64, SAMPLES = STEP * STEPS, BANDS = 9 };

static rv_plan *planned(rv_graph *g)
{
    rv_error err = { 0 };
    rv_plan *plan = NULL;
    CHECK_OK(rv_graph_status(g, &err), err);
    CHECK_OK(rv_plan_new(&plan, g, NULL, &err), err);
    return plan;
}

static rv_graph *new_graph(void)
{
    rv_error err = { 0 };
    rv_graph *g = NULL;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    return g;
}

/* Sinusoids --------------------------------------------------------------------------------- */

enum { SINUSOIDS = 80, DEPTH = 48 };

/* notes of the sinusoids of a network that says 0 */
static void begin(bool spread, double *note)
{
    const rv_ast_head_config head = { RATE, SINUSOIDS, DEPTH, BANDS, 20, 0, spread };
    rv_graph *g = new_graph();
    rv_node *x = rv_input(g, RV_SHAPE(1, 1, rv_ast_step_size(&head)));
    rv_node *hz = rv_output(rv_ast_steps_controls(&head, x).hz);
    rv_plan *plan = planned(g);
    memset(rv_value(plan, x), 0, rv_ast_step_size(&head) * sizeof(real));
    rv_plan_run(plan);
    for (size_t i = 0; i < SINUSOIDS; i++)
        note[i] = rv_note_of((double)rv_value(plan, hz)[i]);
    rv_plan_free(plan);
    rv_graph_free(g);
}

TEST(test_spread)
{
    double note[SINUSOIDS];
    begin(false, note);
    CHECK(fabs(note[SINUSOIDS - 1] - note[0]) < 1e-3);
    begin(true, note);
    const double low = rv_note_of(20), gap = (rv_note_of(RATE / 2.) - low) / (SINUSOIDS - 1);
    for (size_t i = 2; i < SINUSOIDS - 2; i++)
        CHECK_MSG(fabs(note[i] - low - gap * (double)i) < 0.3 * gap, "%zu: %g", i, note[i]);
}

/* Noise ------------------------------------------------------------------------------------- */

/* The same filter in all steps, louder towards high frequencies. */
static void fill_magnitudes(real *to)
{
    for (size_t i = 0; i < STEPS * BANDS; i++)
        to[i] = (real)(4 + 0.3 * (double)(i % BANDS));
}

/* Means over the frames of |STFT|^2 of noise that is drawn, and of what is expected. */
TEST(test_noise_power)
{
    const spectrum_config c = { 256, 64 };
    const rv_noise_config noise = rv_noise_defaults();
    const size_t frames = 1 + SAMPLES / c.hop, bins = c.n_fft / 2 + 1;
    rv_graph *g = new_graph();
    rv_node *x = rv_input(g, RV_SHAPE(1, SAMPLES));
    rv_node *magnitudes = rv_input(g, RV_SHAPE(1, STEPS, BANDS));
    rv_node *expected = rv_output(rv_ast_noise_power(&c, magnitudes, STEP, frames));
    rv_node *y = rv_reshape(rv_synth_noise(&noise, x, magnitudes), RV_SHAPE(1, SAMPLES, 1));
    rv_node *z = rv_output(spectrum_parts(&c, y));
    CHECK(rv_extent(z, 1) == frames && rv_extent(expected, 1) == frames);
    rv_plan *plan = planned(g);
    rv_noise_fill(rv_value(plan, x), SAMPLES, 0, 0);
    fill_magnitudes(rv_value(plan, magnitudes));
    rv_plan_run(plan);
    for (size_t low = 8; low + 16 < bins; low += 16) { /* bins around a band's middle */
        double want = 0, have = 0;
        for (size_t t = 8; t + 8 < frames; t++)
            for (size_t k = low; k < low + 16; k++) {
                const real *at = rv_value(plan, z) + 2 * (t * bins + k);
                want += (double)(at[0] * at[0] + at[1] * at[1]);
                have += (double)rv_value(plan, expected)[t * bins + k];
            }
        CHECK_MSG(fabs(10 * log10(have / want)) < 0.5, "bins from %zu: %g of %g", low, have, want);
    }
    rv_plan_free(plan);
    rv_graph_free(g);
}

/* Masks ------------------------------------------------------------------------------------- */

enum { N_STEMS = 2, TONE_STEPS = 16, TONE_SAMPLES = STEP * TONE_STEPS };

typedef struct {
    rv_graph *graph;
    rv_plan *plan;
    rv_node *out;
    float mix[TONE_SAMPLES];
} masked;

/* The first stem says that it is a tone of 500 Hz, the second one of 1500 Hz; the mix is both. */
static masked mask_two_tones(void)
{
    static const rv_ast_head_config head = { RATE, 1, 2, BANDS, 20, 0, false };
    const spectrum_config c = { 256, 64 };
    masked m = { .graph = new_graph() };
    rv_node *mix = rv_input(m.graph, RV_SHAPE(1, TONE_SAMPLES, 1));
    rv_node *hz = rv_input(m.graph, RV_SHAPE(N_STEMS, TONE_STEPS, 1));
    rv_node *amplitudes = rv_input(m.graph, RV_SHAPE(N_STEMS, TONE_STEPS, 1));
    rv_node *magnitudes = rv_input(m.graph, RV_SHAPE(N_STEMS, TONE_STEPS, BANDS));
    const rv_ast_controls controls = { .hz = hz,
                                       .amplitudes = amplitudes,
                                       .magnitudes = magnitudes };
    m.out = rv_output(rv_ast_masked(&c, &head, &controls, mix));
    m.plan = planned(m.graph);
    for (size_t i = 0; i < N_STEMS * TONE_STEPS; i++) {
        rv_value(m.plan, hz)[i] = i < TONE_STEPS ? 500 : 1500;
        rv_value(m.plan, amplitudes)[i] = 0.3F;
    }
    for (size_t i = 0; i < N_STEMS * TONE_STEPS * BANDS; i++)
        rv_value(m.plan, magnitudes)[i] = -10;
    for (size_t i = 0; i < TONE_SAMPLES; i++)
        rv_value(m.plan, mix)[i] = m.mix[i] =
            (float)(0.3 * cos(0.7 + 2 * M_PI * 500 * (double)i / RATE) +
                    0.3 * sin(2 * M_PI * 1500 * (double)i / RATE));
    rv_plan_run(m.plan);
    return m;
}

/* Phases are the mix's, whatever the synthesiser's: 500 Hz has another one there. */
TEST(test_masks)
{
    masked m = mask_two_tones();
    const real *y = rv_value(m.plan, m.out);
    double off = 0, worst = 0;
    CHECK(rv_extent(m.out, 1) == TONE_SAMPLES && rv_extent(m.out, 2) == N_STEMS);
    for (size_t i = 0; i < TONE_SAMPLES; i++)
        worst = fmax(worst, fabs((double)(y[2 * i] + y[2 * i + 1] - m.mix[i])));
    for (size_t i = 500; i + 500 < TONE_SAMPLES; i++) {
        const double tone = 0.3 * cos(0.7 + 2 * M_PI * 500 * (double)i / RATE);
        off = fmax(off, fabs((double)y[2 * i] - tone));
    }
    CHECK_MSG(worst < 1e-6, "the stems do not add up to the mix: %g", worst);
    CHECK_MSG(off < 0.003, "off by %g", off);
    rv_plan_free(m.plan);
    rv_graph_free(m.graph);
}

/* Model ------------------------------------------------------------------------------------- */

static rv_status configure(double n_stems, double n_fft, rv_model_info *info, void *config,
                           rv_error *err)
{
    static const rv_arg names[] = { { .kind = RV_ARG_TEXT, .text = "bass" },
                                    { .kind = RV_ARG_TEXT, .text = "drums" } };
    const rv_arg args[] = {
        { .name = "sources", .kind = RV_ARG_LIST, .number = n_stems, .items = names },
        { .name = "audio_channels", .kind = RV_ARG_NUMBER, .number = 1 },
        { .name = "samplerate", .kind = RV_ARG_NUMBER, .number = RATE },
        { .name = "size", .kind = RV_ARG_TEXT, .text = "tiny" },
        { .name = "mask_n_fft", .kind = RV_ARG_NUMBER, .number = n_fft },
    };
    return rv_model_find("ast_ddsp")->configure(config, info, &(rv_args){ args, 5 }, err);
}

TEST(test_model)
{
    rv_error err = { 0 };
    rv_model_info info = { 0 };
    const rv_model_def *def = rv_model_find("ast_ddsp");
    void *config = calloc(1, def->config_size);
    CHECK(configure(2, 20, &info, config, &err) == RV_ERR_ARG && strstr(err.text, "multiple of 8"));
    CHECK(configure(1, 1024, &info, config, &err) == RV_ERR_ARG &&
          strstr(err.text, "two at least"));
    CHECK_OK(configure(2, 1024, &info, config, &err), err);
    CHECK(def->valid_length(config, &info, 100) == 2 * STEP);
    rv_graph *g = new_graph();
    nn_builder nn;
    nn_begin(&nn, g);
    rv_node *y = def->build(&nn, config, &info, rv_input(g, RV_SHAPE(1, 4 * STEP, 1)));
    CHECK_OK(rv_graph_status(g, &err), err);
    CHECK(rv_extent(y, 1) == 4 * STEP && rv_extent(y, 2) == 2);
    rv_graph_free(g);
    free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_noise_power),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
