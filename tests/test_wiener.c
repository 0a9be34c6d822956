/* test_wiener.c - the Wiener filter and its gradient against values of Open-Unmix' filter, computed
 * in double (tools/make_golden_wiener.py). */
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

/* d(sum of spectra by fixed numbers) / d magnitudes */
static void check_gradient(size_t iterations, bool residual, const double *want)
{
    rv_error err = { 0 };
    rv_graph *g;
    rv_plan *p;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_node *mix = rv_input(g, RV_SHAPE(1, FRAMES, BINS, 2 * AUDIO));
    rv_node *magnitude = rv_input(g, RV_SHAPE(1, FRAMES, BINS, STEMS * AUDIO));
    rv_node *slopes = rv_input(g, RV_SHAPE(1, FRAMES, BINS, STEMS * AUDIO * 2));
    rv_node *y = rv_wiener(magnitude, mix, iterations, residual, 300), *gradient;
    rv_grad(rv_sum(rv_mul(y, slopes)), &magnitude, &gradient, 1);
    rv_output(gradient);
    CHECK_OK(rv_graph_status(g, &err), err);
    CHECK_OK(rv_plan_new(&p, g, NULL, &err), err);
    fill(rv_value(p, mix), rv_value(p, magnitude));
    for (int i = 0; i < OUT; i++)
        rv_value(p, slopes)[i] = (real)((i * 3 + 1) % 7 - 3);
    rv_plan_run(p);
    for (size_t i = 0; i < OUT / 2; i++)
        CHECK_CLOSE(rv_value(p, gradient)[i], want[i], 2e-6);
    rv_plan_free(p);
    rv_graph_free(g);
}

TEST(test_gradient)
{
    static const double phase[OUT / 2] = { 1.67125817,  -0.948683298, -2.04264893, 2.52982213,
                                           1,           1.79999979,   -1,          2.20000003,
                                           -3,          2.82842712,   2,           2.82842712,
                                           0.588348405, 2.19999997,   -1.76504522, 1.80000021,
                                           0.999999869, 2.52982213,   2.99999996,  -0.948683298,
                                           1.67125791,  1.67125817,   2.78543017,  -2.04264893 };
    static const double one[OUT / 2] = { -6.32338794, 0.826677811, 5.51137439,  0.132474191,
                                         4.01206522,  0.570005553, -3.69451787, 0.511868702,
                                         3.24951468,  -1.12671513, -1.90195434, 0.62250791,
                                         4.02105872,  4.33880813,  -2.10170574, -7.38519231,
                                         12.2431008,  2.97262902,  -10.6579761, -3.61329582,
                                         -1.33297099, 1.26542717,  -4.20168351, -0.0128423048 };
    static const double two[OUT / 2] = {
        -0.34594862,    0.818654304,    -2.41198321,   0.453619264,   -0.00557140246, -0.0351968619,
        -0.00808248129, -0.00641522055, -1.78937636,   1.92789614,    3.57991695,     6.06631513,
        0.0597583747,   0.00530440243,  0.00579665339, 0.00277505461, 1.01161872,     4.04735155,
        -0.46697559,    0.116694933,    0.118693522,   0.145456286,   0.0319048347,   0.0228384383
    };
    check_gradient(0, false, phase);
    check_gradient(0, true, phase);
    check_gradient(1, false, one);
    check_gradient(2, true, two);
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
        cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_more_than_two_channels_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
