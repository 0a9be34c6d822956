/* test_ddsp_operations.c - the operations beneath synthesisers and effects against functions of
 * ddsp and of PyTorch (tools/make_golden_ddsp.py). */
#include "ddsp/fir_filter.h"

#include "ddsp_case.h"

TEST(test_upsample)
{
    ddsp_case c = ddsp_open("ddsp", "upsample_linear");
    ddsp_check(&c, rv_upsample(ddsp_input(&c, "x"), 256, RV_UPSAMPLE_LINEAR));
    c = ddsp_open("ddsp", "upsample_hann");
    ddsp_check(&c, rv_upsample(ddsp_input(&c, "x"), 256, RV_UPSAMPLE_HANN));
}

TEST(test_convolve)
{
    ddsp_case c = ddsp_open("ddsp", "convolve");
    rv_node *x = ddsp_input(&c, "x");
    ddsp_check(&c, rv_fft_convolve(x, ddsp_input(&c, "h")));
}

TEST(test_correlate)
{
    ddsp_case c = ddsp_open("ddsp_pytorch", "correlate");
    rv_node *x = ddsp_input(&c, "x");
    ddsp_check(&c, rv_fft_correlate(x, ddsp_input(&c, "h")));
}

TEST(test_phase)
{
    ddsp_case c = ddsp_open("ddsp_pytorch", "phase");
    ddsp_check(&c, rv_phase_of(ddsp_input(&c, "hz"), 44100));
}

TEST(test_delay)
{
    ddsp_case c = ddsp_open("ddsp", "delay");
    rv_node *x = ddsp_input(&c, "x"), *position = ddsp_input(&c, "position");
    ddsp_check(&c, rv_delay(x, rv_reshape(position, x->shape), 30));
}

TEST(test_filter_frames)
{
    ddsp_case c = ddsp_open("ddsp", "frames");
    rv_node *x = ddsp_input(&c, "x");
    ddsp_check(&c, rv_filter_frames(x, ddsp_input(&c, "h"), 7, true));
}

TEST(test_impulse_response)
{
    ddsp_case c = ddsp_open("ddsp", "impulse_0");
    ddsp_check(&c, rv_impulse_response(ddsp_input(&c, "magnitudes"), 0));
    c = ddsp_open("ddsp", "impulse_11");
    ddsp_check(&c, rv_impulse_response(ddsp_input(&c, "magnitudes"), 11));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upsample),
        cmocka_unit_test(test_convolve),
        cmocka_unit_test(test_correlate),
        cmocka_unit_test(test_phase),
        cmocka_unit_test(test_delay),
        cmocka_unit_test(test_filter_frames),
        cmocka_unit_test(test_impulse_response),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
