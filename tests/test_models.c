/* test_models.c - every model against its reference implementation: the output for small random
 * weights, names and shapes of the parameters, and the counts of the full configurations. */
#include "model_case.h"

static char *folder(char path[512])
{
    const char *root = getenv("RV_TEST_SOURCE");
    snprintf(path, 512, "%s/tests/golden", root ? root : ".");
    return path;
}

static void check_case(const char *name)
{
    char path[512];
    model_case m = { 0 };
    open_case(&m, folder(path), name);
    configure_case(&m);
    CHECK(m.def->valid_length(m.config, &m.info, m.length) >= m.length);
    build_case(&m, m.length);
    read_weights(&m);
    plan_case(&m, 1);
    run_case(&m);
    const double off = relative_error(&m);
    printf("# %-20s relative error %.1e, %zu parameters, %zu bytes of values\n", name, off,
           nn_count(&m.nn), rv_plan_bytes(m.plan));
    CHECK_MSG(off <= 1e-5, "%s: relative error %.2e", name, off);
    CHECK((double)nn_count(&m.nn) == json_number_value(json_object_get(m.json, "parameters")));
    close_case(&m);
}

#define CASE(name)         \
    TEST(test_##name)      \
    {                      \
        check_case(#name); \
    }
CASE(conv_tasnet)
CASE(conv_tasnet_causal)
CASE(conv_tasnet_mono)
CASE(demucs_v2)
CASE(demucs_v2_legacy)
CASE(demucs_v3)
CASE(demucs_v3_lstm)
CASE(demucs_v3_plain)
CASE(hdemucs)
CASE(hdemucs_multi)
CASE(hdemucs_wiener)
CASE(htdemucs)
CASE(htdemucs_6s)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv_tasnet),      cmocka_unit_test(test_conv_tasnet_causal),
        cmocka_unit_test(test_conv_tasnet_mono), cmocka_unit_test(test_demucs_v2),
        cmocka_unit_test(test_demucs_v2_legacy), cmocka_unit_test(test_demucs_v3),
        cmocka_unit_test(test_demucs_v3_lstm),   cmocka_unit_test(test_demucs_v3_plain),
        cmocka_unit_test(test_hdemucs),          cmocka_unit_test(test_hdemucs_multi),
        cmocka_unit_test(test_hdemucs_wiener),   cmocka_unit_test(test_htdemucs),
        cmocka_unit_test(test_htdemucs_6s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
