/* test_ddsp_controls.c - scales of amplitudes, shares of harmonics, pitch and frequencies against
 * ddsp (tools/make_golden_ddsp.py); what is not a multiple of the depth is an error. */
#include "ddsp/controls.h"

#include "ddsp_case.h"

TEST(test_amplitude)
{
    ddsp_case c = ddsp_open("ddsp", "scale");
    ddsp_check(&c, rv_scale_amplitude(ddsp_input(&c, "x")));
}

TEST(test_shares)
{
    ddsp_case c = ddsp_open("ddsp", "normalise");
    ddsp_check(&c, rv_normalise_harmonics(ddsp_input(&c, "x"), ddsp_input(&c, "f0"), 16000, 0));
}

/* A frame whose harmonics all lie above Nyquist's frequency is silent, not undefined. */
TEST(test_no_share)
{
    rv_graph *g = NULL;
    rv_plan *plan = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_node *x = rv_input(g, RV_SHAPE(1, 1, 3)), *f0 = rv_input(g, RV_SHAPE(1, 1, 1));
    rv_node *y = rv_output(rv_normalise_harmonics(x, f0, 100, 0));
    CHECK_OK(rv_plan_new(&plan, g, NULL, &err), err);
    for (size_t i = 0; i < 3; i++)
        rv_value(plan, x)[i] = 1;
    *rv_value(plan, f0) = 60;
    rv_plan_run(plan);
    for (size_t i = 0; i < 3; i++)
        CHECK(rv_value(plan, y)[i] == 0);
    rv_plan_free(plan);
    rv_graph_free(g);
}

TEST(test_pitch)
{
    ddsp_case c = ddsp_open("ddsp", "hz_to_unit");
    ddsp_check(&c, rv_hz_to_unit(ddsp_input(&c, "x"), 20, 8000));
    c = ddsp_open("ddsp", "unit_to_hz");
    ddsp_check(&c, rv_unit_to_hz(ddsp_input(&c, "x"), 20, 8000));
}

TEST(test_scales_of_pitch)
{
    ddsp_case c = ddsp_open("ddsp", "hz_to_midi");
    ddsp_check(&c, rv_hz_to_midi(ddsp_input(&c, "x")));
    c = ddsp_open("ddsp", "midi_to_hz");
    ddsp_check(&c, rv_midi_to_hz(ddsp_input(&c, "x")));
    c = ddsp_open("ddsp", "midi_to_unit");
    ddsp_check(&c, rv_midi_to_unit(ddsp_input(&c, "x"), 20, 90));
    c = ddsp_open("ddsp", "unit_to_midi");
    ddsp_check(&c, rv_unit_to_midi(ddsp_input(&c, "x"), 20, 90));
}

TEST(test_band_limit)
{
    ddsp_case c = ddsp_open("ddsp", "band_limit");
    rv_node *x = ddsp_input(&c, "x");
    ddsp_check(&c, rv_band_limit(x, ddsp_input(&c, "frequencies"), 8000, 1, 0));
}

TEST(test_frequencies)
{
    ddsp_case c = ddsp_open("ddsp", "softmax");
    ddsp_check(&c, rv_frequencies_softmax(ddsp_input(&c, "x"), 4, 20, 8000));
    c = ddsp_open("ddsp", "sigmoid");
    ddsp_check(&c, rv_frequencies_sigmoid(ddsp_input(&c, "x"), 3, 0, 8000));
    c = ddsp_open("ddsp", "sigmoid_1");
    ddsp_check(&c, rv_frequencies_sigmoid(ddsp_input(&c, "x"), 1, 40, 8000));
}

TEST(test_critical_bands)
{
    rv_critical_bands bands = rv_critical_bands_defaults();
    bands.depth = 2;
    ddsp_case c = ddsp_open("ddsp", "critical_bark");
    ddsp_check(&c, rv_frequencies_critical_bands(ddsp_input(&c, "x"), &bands));
    bands.mel = true;
    c = ddsp_open("ddsp", "critical_mel");
    ddsp_check(&c, rv_frequencies_critical_bands(ddsp_input(&c, "x"), &bands));
}

TEST(test_bad_depth)
{
    for (size_t depth = 0; depth < 6; depth += 5) {
        rv_error err = { 0 };
        ddsp_case c = ddsp_open("ddsp", "softmax");
        rv_node *x = ddsp_input(&c, "x");
        const rv_critical_bands bands = { .depth = depth, .hz_min = 20, .hz_max = 8000 };
        rv_frequencies_softmax(x, depth, 20, 8000);
        CHECK(rv_graph_status(c.graph, &err) == RV_ERR_SHAPE);
        rv_frequencies_sigmoid(x, depth, 20, 8000);
        rv_frequencies_critical_bands(x, &bands);
        ddsp_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amplitude),   cmocka_unit_test(test_shares),
        cmocka_unit_test(test_no_share),    cmocka_unit_test(test_pitch),
        cmocka_unit_test(test_frequencies), cmocka_unit_test(test_critical_bands),
        cmocka_unit_test(test_bad_depth),   cmocka_unit_test(test_scales_of_pitch),
        cmocka_unit_test(test_band_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
