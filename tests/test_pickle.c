/* test_pickle.c - the unpickler: what it builds, what it refuses, and that it runs nothing. */
#include "check.h"

#include "io/pickle.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A pickle as a C string; its size is that of the literal. */
#define PICKLE(text) (const unsigned char *)(text), sizeof(text) - 1

static rv_arena arena;

static rv_value *unpickle(const unsigned char *bytes, size_t n)
{
    rv_error err;
    rv_value *v = NULL;
    size_t used = 0;
    CHECK_OK(rv_unpickle(&v, &arena, "test", bytes, n, &used, NULL, &err), err);
    CHECK(used == n);
    return v;
}

static void check_refused(const unsigned char *bytes, size_t n, rv_status status, const char *part)
{
    rv_error err;
    rv_value *v;
    const rv_status got = rv_unpickle(&v, &arena, "test", bytes, n, NULL, NULL, &err);
    CHECK_MSG(got != RV_OK && strstr(err.text, part), "\"%s\" does not say \"%s\"", err.text, part);
    CHECK_MSG(got == status, "%s", err.text);
}

static void check_json(const rv_value *v, const char *want)
{
    rv_error err;
    json_t *json = NULL, *wanted = json_loads(want, JSON_DECODE_ANY, NULL);
    size_t budget = RV_JSON_BUDGET;
    CHECK_OK(rv_value_json(&json, v, "test", &budget, &err), err);
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
    CHECK_MSG(wanted && json_equal(json, wanted), "%s, not %s", text, want);
    free(text);
    json_decref(json);
    json_decref(wanted);
}

TEST(test_values_of_protocol_0)
{
    check_json(unpickle(PICKLE("(lp0\nI1\naL-2L\naF0.5\naI01\naI00\naVtext\nag0\na0(dp1\n.")),
               "{}");
    check_json(unpickle(PICKLE("(I1\nL-2L\nF0.5\nI01\nVtext\nNl.")),
               "[1, -2, 0.5, true, \"text\", null]");
    check_json(unpickle(PICKLE("(Va\nI1\nVb\nI2\nd.")), "{\"a\": 1, \"b\": 2}");
}

TEST(test_numbers)
{
    check_json(unpickle(PICKLE("\200\002(K\377M\377\377J\376\377\377\377t.")), "[255, 65535, -2]");
    check_json(unpickle(PICKLE("\200\002(\212\000\212\001\200\212\002\000\001t.")),
               "[0, -128, 256]");
    check_json(unpickle(PICKLE("\200\002\213\003\000\000\000\000\000\001.")), "65536");
    check_json(unpickle(PICKLE("\200\002\212\011\000\000\000\000\000\000\000\000\001.")),
               "18446744073709551616.0");
    check_json(unpickle(PICKLE("\200\002G\077\300\000\000\000\000\000\000.")), "0.125");
    check_json(unpickle(PICKLE("\200\002G\177\370\000\000\000\000\000\000.")), "\"NaN\"");
}

TEST(test_containers)
{
    check_json(unpickle(PICKLE("\200\004\217(K\001K\002\220.")), "[1, 2]");
    check_json(unpickle(PICKLE("\200\004(K\001\221.")), "[1]");
    check_json(unpickle(PICKLE("\200\002K\001\205K\001K\002\206K\001K\002K\003\207\207.")),
               "[[1], [1, 2], [1, 2, 3]]");
    check_json(unpickle(PICKLE("\200\002](K\001K\002eK\003a.")), "[1, 2, 3]");
    check_json(unpickle(PICKLE("\200\002}U\001aK\001sU\001aK\002s.")), "{\"a\": 2}");
    check_json(unpickle(PICKLE("K\003(K\001K\0021N0.")), "3");
}

TEST(test_memo)
{
    check_json(unpickle(PICKLE("\200\002U\001xq\005h\005\206.")), "[\"x\", \"x\"]");
    check_json(unpickle(PICKLE("\200\004\214\001x\224h\000\206.")), "[\"x\", \"x\"]");
    check_refused(PICKLE("\200\002h\000."), RV_ERR_FORMAT, "entry 0 of the memo");
    check_refused(PICKLE("\200\002Nr\377\377\377\377."), RV_ERR_FORMAT, "LONG_BINPUT");
    check_refused(PICKLE("Np-1\n."), RV_ERR_FORMAT, "no entry of the memo");
}

/* Nothing of this may run; it all becomes inert. */
TEST(test_code_is_not_run)
{
    remove("/tmp/ravel-test-pickle-ran");
    check_json(unpickle(PICKLE("cos\nsystem\n(U!touch /tmp/ravel-test-pickle-ran tR.")),
               "{\"__class__\": \"os.system\"}");
    check_json(unpickle(PICKLE("\200\004\214\002os\214\006system\223\214\001x\205\201}b.")),
               "{\"__class__\": \"os.system\"}");
    check_json(unpickle(PICKLE("c__builtin__\neval\n(U\0031+1tR.")),
               "{\"__class__\": \"__builtin__.eval\"}");
    CHECK(access("/tmp/ravel-test-pickle-ran", F_OK) != 0);
}

TEST(test_calls_of_the_table)
{
    check_json(unpickle(PICKLE("cfractions\nFraction\n(U\00439/5tR.")), "7.8");
    check_json(unpickle(PICKLE("cfractions\nFraction\n(K\047K\005tR.")), "7.8");
    check_json(unpickle(PICKLE("cfractions\nFraction\n(K\001K\000tR.")),
               "{\"__class__\": \"fractions.Fraction\"}");
    check_json(unpickle(PICKLE("ccollections\nOrderedDict\n)R.")), "{}");
    check_json(unpickle(PICKLE("ccollections\nOrderedDict\n(((U\001aK\001lltR.")), "{\"a\": 1}");
    check_json(unpickle(PICKLE("cpathlib\nPosixPath\n(U\001/U\001aU\001btR.")), "\"/a/b\"");
    check_json(unpickle(PICKLE("ctorch\nSize\n((K\002K\003ttR.")), "[2, 3]");
    check_json(unpickle(PICKLE("cargparse\nNamespace\n)R}U\002lrK\001sb.")), "{\"lr\": 1}");
}

TEST(test_tensors_need_sound_arguments)
{
    check_refused(PICKLE("ctorch._utils\n_rebuild_tensor_v2\n(K\001K\002tR."), RV_ERR_FORMAT,
                  "a tensor needs a storage");
    check_refused(PICKLE("(U\007storagectorch\nFloatStorage\nU\0010U\003cpuJ\377\377\377\377tQ."),
                  RV_ERR_FORMAT, "a storage is not");
    check_refused(PICKLE("(U\007storagectorch\nQInt8Storage\nU\0010U\003cpuK\001tQ."),
                  RV_ERR_UNSUPPORTED, "torch.QInt8Storage are not supported");
    check_refused(PICKLE("U\007unknownQ."), RV_ERR_FORMAT, "persistent id");
}

TEST(test_refused_opcodes_are_named)
{
    check_refused(PICKLE("\200\002\202\001."), RV_ERR_UNSUPPORTED, "byte 2, EXT1");
    check_refused(PICKLE("(ios\nsystem\n."), RV_ERR_UNSUPPORTED, "byte 1, INST");
    check_refused(PICKLE("(cos\nsystem\no."), RV_ERR_UNSUPPORTED, "OBJ");
    check_refused(PICKLE("Pname\n."), RV_ERR_UNSUPPORTED, "PERSID");
    check_refused(PICKLE("\200\005\227."), RV_ERR_UNSUPPORTED, "NEXT_BUFFER");
    check_refused(PICKLE("\200\002\377."), RV_ERR_FORMAT, "0xff is no opcode");
    check_refused(PICKLE("\200\011N."), RV_ERR_UNSUPPORTED, "protocol 9");
}

TEST(test_stack_and_marks)
{
    check_refused(PICKLE("."), RV_ERR_FORMAT, "0 values are left");
    check_refused(PICKLE("NN."), RV_ERR_FORMAT, "2 values are left");
    check_refused(PICKLE("R."), RV_ERR_FORMAT, "too few values");
    check_refused(PICKLE("N(\205."), RV_ERR_FORMAT, "too few values");
    check_refused(PICKLE("Nt."), RV_ERR_FORMAT, "no mark");
    check_refused(PICKLE("N(."), RV_ERR_FORMAT, "values are left");
    check_refused(PICKLE("(U\001ad."), RV_ERR_FORMAT, "has no value");
    check_refused(PICKLE("K\001K\002a."), RV_ERR_FORMAT, "do not fit");
    check_refused(PICKLE("NNR."), RV_ERR_FORMAT, "no tuple");
}

TEST(test_sizes_are_checked_against_the_file)
{
    check_refused(PICKLE("X\377\377\377\377abc."), RV_ERR_FORMAT, "4294967295 bytes are needed");
    check_refused(PICKLE("\216\377\377\377\377\377\377\377\377abc."), RV_ERR_FORMAT, "are needed");
    check_refused(PICKLE("\213\377\377\377\377abc."), RV_ERR_FORMAT, "are needed");
    check_refused(PICKLE("Vno end"), RV_ERR_FORMAT, "a line does not end");
    check_refused(PICKLE("N"), RV_ERR_FORMAT, "truncated");
}

/* Millions of dicts from one byte each. */
TEST(test_bomb_of_values)
{
    const size_t n = 5 << 20;
    unsigned char *bytes = malloc(2 * n);
    CHECK(bytes);
    for (size_t i = 0; i < n; i++)
        memcpy(bytes + 2 * i, "}0", 2);
    check_refused(bytes, 2 * n, RV_ERR_FORMAT, "128 MB");
    memset(bytes, '(', n);
    check_refused(bytes, n, RV_ERR_FORMAT, "entries");
    free(bytes);
}

/* A tuple of two tuples of two tuples ...: 40 bytes that stand for 2^40 values. */
TEST(test_bomb_of_shared_parts)
{
    char bytes[128] = "N";
    for (int i = 0; i < 40; i++)
        strcat(bytes, "2\206");
    strcat(bytes, ".");
    const rv_value *v = unpickle((const unsigned char *)bytes, strlen(bytes));
    rv_error err;
    json_t *json;
    size_t budget = RV_JSON_BUDGET;
    CHECK(rv_value_json(&json, v, "test", &budget, &err) == RV_ERR_FORMAT);
    CHECK(strstr(err.text, "take too much"));
}

TEST(test_value_that_contains_itself)
{
    const rv_value *v = unpickle(PICKLE("]2a."));
    rv_error err;
    json_t *json;
    size_t budget = RV_JSON_BUDGET;
    CHECK(v->list.items[0] == v);
    CHECK(rv_value_json(&json, v, "test", &budget, &err) == RV_ERR_FORMAT);
    CHECK(strstr(err.text, "nested deeper"));
}

static int begin(void **state)
{
    (void)state;
    rv_arena_init(&arena, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    rv_arena_fini(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values_of_protocol_0, begin, end),
        cmocka_unit_test_setup_teardown(test_numbers, begin, end),
        cmocka_unit_test_setup_teardown(test_containers, begin, end),
        cmocka_unit_test_setup_teardown(test_memo, begin, end),
        cmocka_unit_test_setup_teardown(test_code_is_not_run, begin, end),
        cmocka_unit_test_setup_teardown(test_calls_of_the_table, begin, end),
        cmocka_unit_test_setup_teardown(test_tensors_need_sound_arguments, begin, end),
        cmocka_unit_test_setup_teardown(test_refused_opcodes_are_named, begin, end),
        cmocka_unit_test_setup_teardown(test_stack_and_marks, begin, end),
        cmocka_unit_test_setup_teardown(test_sizes_are_checked_against_the_file, begin, end),
        cmocka_unit_test_setup_teardown(test_bomb_of_values, begin, end),
        cmocka_unit_test_setup_teardown(test_bomb_of_shared_parts, begin, end),
        cmocka_unit_test_setup_teardown(test_value_that_contains_itself, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
