/* test_wiener.c - the Wiener filter against values of Open-Unmix' filter, computed in double. */
#include "check.h"
#include "core/ops.h"

enum { FRAMES = 3, BINS = 2, AUDIO = 2, STEMS = 2, OUT = FRAMES * BINS * STEMS * AUDIO * 2 };

/* A mix with a bin of zeros, and magnitudes, both by rule. */
static void fill(real *mix, real *magnitude)
{
    for (int i = 0; i < FRAMES * BINS * AUDIO * 2; i++)
        mix[i] = (real)(((i * 7 + 3) % 11 - 5) * 4);
    mix[8] = mix[9] = 0;
    for (int i = 0; i < FRAMES * BINS * STEMS * AUDIO; i++)
        magnitude[i] = (real)((i * 5 + 2) % 9 * 0.5);
}

static void check_filter(size_t iterations, bool residual, const double *want)
{
    rv_error err = { 0 };
    rv_graph *g;
    rv_plan *p;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_node *mix = rv_input(g, RV_SHAPE(1, FRAMES, BINS, 2 * AUDIO));
    rv_node *magnitude = rv_input(g, RV_SHAPE(1, FRAMES, BINS, STEMS * AUDIO));
    rv_node *y = rv_output(rv_wiener(magnitude, mix, iterations, residual, 300));
    CHECK_OK(rv_graph_status(g, &err), err);
    CHECK_OK(rv_plan_new(&p, g, NULL, &err), err);
    fill(rv_value(p, mix), rv_value(p, magnitude));
    rv_plan_run(p);
    for (size_t i = 0; i < OUT; i++)
        CHECK_CLOSE(rv_value(p, y)[i], want[i], 2e-6);
    rv_plan_free(p);
    rv_graph_free(g);
}

TEST(test_phase_of_the_mix)
{
    static const double want[OUT] = {
        -0.371390676,
        0.928476691,
        1.10679718,
        -3.32039154,
        -0.557086015,
        1.39271504,
        1.26491106,
        -3.79473319,
        2,
        0,
        0,
        0,
        2.5,
        0,
        -0.4,
        0.3,
        3,
        0,
        0.707106781,
        -0.707106781,
        3.5,
        0,
        1.06066017,
        -1.06066017,
        3.9223227,
        0.784464541,
        -1.2,
        1.6,
        0,
        0,
        -1.5,
        2,
        0,
        -0.5,
        2.84604989,
        -0.948683298,
        0,
        -1,
        3.32039154,
        -1.10679718,
        -1.39271504,
        0.557086015,
        -1.48556271,
        3.71390676,
        -1.85695338,
        0.742781353,
        0,
        0,
    };
    check_filter(0, false, want);
}

TEST(test_two_iterations_with_a_residual)
{
    static const double want[OUT] = {
        0.0146339381,    0.0148781809,   0.158110289,     -0.0929223594,   0.0268007928,
        0.0205907574,    0.276201132,    -0.1603402,      0.000853596595,  0.000117714044,
        -0.000301420264, 0.000417048089, 0.00489063433,   -0.000210201517, -0.00200983115,
        0.00167637846,   0.320743069,    0.163376648,     2.23323041,      -2.32338867,
        0.623389913,     0.205288593,    4.39347823,      -4.50763708,     0.0364086229,
        0.0139811,       -0.00462160216, 0.0191512009,    0.00588537912,   0.000613772097,
        -0.00229675313,  0.00185414238,  0.0460195413,    0.0187758323,    0.29218093,
        -0.341970118,    0.0885171878,   0.0204310293,    0.575818005,     -0.663880567,
        -0.0362403727,   0.0218024962,   -0.0149875188,   0.0138970197,    -0.00150767827,
        0.000363032759,  0.000230440298, -0.000127897981,
    };
    check_filter(2, true, want);
}

/* Three stems of three channels: magnitudes only take on the phase, they are not filtered. */
TEST(test_more_than_two_channels_are_refused)
{
    rv_error err = { 0 };
    rv_graph *g;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_node *mix = rv_input(g, RV_SHAPE(1, 1, 1, 6)), *y = rv_input(g, RV_SHAPE(1, 1, 1, 9));
    rv_wiener(y, mix, 0, false, 300);
    CHECK_OK(rv_graph_status(g, &err), err);
    rv_wiener(y, mix, 1, false, 300);
    CHECK(rv_graph_status(g, &err) == RV_ERR_SHAPE);
    rv_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phase_of_the_mix),
        cmocka_unit_test(test_two_iterations_with_a_residual),
        cmocka_unit_test(test_more_than_two_channels_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
