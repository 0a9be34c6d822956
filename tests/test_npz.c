/* test_npz.c - arrays that numpy wrote, stored and compressed (tests/fuzz/corpus/npz), and ours. */
#include "check.h"
#include "io/npz_read.h"
#include "io/npz_write.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *corpus(const char *name)
{
    static char path[512];
    const char *root = getenv("RV_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/npz/%s", root ? root : ".", name);
    return path;
}

static const rv_npy *found(rv_npz *z, const char *name)
{
    const rv_npy *a = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_npz_find(&a, z, name, &err), err);
    return a;
}

static void check_values(const char *file)
{
    rv_npz *z = NULL;
    rv_error err = { 0 };
    float f0[2];
    CHECK_OK(rv_npz_open(&z, corpus(file), &err), err);
    const rv_npy *a = NULL;
    const rv_status st = rv_npz_find(&a, z, "f0_hz", &err);
    if (st == RV_ERR_UNSUPPORTED) { /* a build without libzip */
        rv_npz_free(z);
        return;
    }
    CHECK_OK(st, err);
    CHECK(a && a->rank == 1 && a->count == 3 && !strcmp(a->type, "f4"));
    rv_npy_read(a, 1, 2, f0);
    CHECK(f0[0] == 0 && f0[1] == 220.5F);
    CHECK(rv_npy_value(found(z, "loudness_db"), 2) == -50.5);
    CHECK(rv_npy_value(found(z, "voiced"), 0) == 1 && rv_npy_value(found(z, "voiced"), 1) == 0);
    CHECK(found(z, "sample_rate")->rank == 0 && rv_npy_value(found(z, "sample_rate"), 0) == 16000);
    CHECK(found(z, "nothing") == NULL && found(z, "f0_hz") == a);
    if (!strcmp(file, "compressed")) {
        const rv_npy *b = found(z, "a");
        CHECK(b->rank == 2 && b->shape[0] == 2 && b->shape[1] == 3);
        CHECK(rv_npy_value(b, 0) == -3 && rv_npy_value(b, 5) == 2);
    }
    rv_npz_free(z);
}

TEST(test_numpys_files)
{
    check_values("stored");
    check_values("compressed");
}

TEST(test_what_is_refused)
{
    static const struct {
        const char *file, *array, *text;
    } cases[] = {
        { "fortran", "a", "Fortran" },       { "short", "f0_hz", "shorter than its shape" },
        { "huge", "f0_hz", "damaged" },      { "object", "f0_hz", "type is not read" },
        { "big", "f0_hz", "little-endian" }, { "open", "f0_hz", "header" },
        { "structured", "f0_hz", "type" }
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rv_npz *z = NULL;
        const rv_npy *a = NULL;
        rv_error err = { 0 };
        CHECK_OK(rv_npz_open(&z, corpus(cases[i].file), &err), err);
        CHECK_MSG(rv_npz_find(&a, z, cases[i].array, &err) == RV_ERR_FORMAT &&
                      strstr(err.text, cases[i].text),
                  "%s: %s", cases[i].file, err.text);
        rv_npz_free(z);
    }
}

static rv_status give(void *ctx, size_t first, size_t n, void *out, rv_error *err)
{
    (void)err;
    memcpy(out, (const float *)ctx + 2 * first, 2 * n * sizeof(float));
    return RV_OK;
}

TEST(test_our_own_files)
{
    float values[6] = { 1, -2, 3, -4, 5, -6 };
    const rv_npz_array array = { "pairs", "<f4", 2, { 3, 2 }, give, values };
    char path[] = "/tmp/ravel-npz-XXXXXX";
    rv_npz *z = NULL;
    rv_error err = { 0 };
    const int fd = mkstemp(path);
    CHECK(fd >= 0 && close(fd) == 0);
    const rv_status st = rv_npz_write(path, &array, 1, &err);
    if (st != RV_ERR_UNSUPPORTED) { /* a build without libzip */
        CHECK_OK(st, err);
        CHECK_OK(rv_npz_open(&z, path, &err), err);
        const rv_npy *a = found(z, "pairs");
        CHECK(a->rank == 2 && a->shape[1] == 2 && rv_npy_value(a, 5) == -6);
        rv_npz_free(z);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numpys_files),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_our_own_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
