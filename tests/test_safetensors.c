/* test_safetensors.c - written and read again; the rounding of 16-bit floats; broken headers. */
#include "checkpoint_files.h"

#include "io/half.h"
#include "io/safetensors.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const float values[] = { 0,     -0.0f,    1,        -2.5f,  65504, 65519.9f,
                                65520, 0x1p-24f, 0x1p-25f, 1e-20f, 3e38f, 0.1f };

enum { VALUES = sizeof values / sizeof *values };

TEST(test_every_half_survives)
{
    for (uint32_t h = 0; h <= UINT16_MAX; h++) {
        const float half = rv_half_to_float((uint16_t)h), bfloat = rv_bfloat_to_float((uint16_t)h);
        CHECK(isnan(half) ? isnan(rv_half_to_float(rv_float_to_half(half)))
                          : rv_float_to_half(half) == h);
        CHECK(isnan(bfloat) ? isnan(rv_bfloat_to_float(rv_float_to_bfloat(bfloat)))
                            : rv_float_to_bfloat(bfloat) == h);
    }
}

/* Between two neighbours the nearest is taken, in the middle the even one. */
TEST(test_rounding_of_halves)
{
    for (uint16_t h = 0; h < 0x7bff; h++) {
        const float low = rv_half_to_float(h), high = rv_half_to_float((uint16_t)(h + 1));
        const float middle = low + (high - low) / 2;
        CHECK(rv_float_to_half(middle) == (h % 2 ? h + 1 : h));
        CHECK(rv_float_to_half(nextafterf(middle, 0)) == h || middle == 0);
        CHECK(rv_float_to_half(-nextafterf(middle, 1e9f)) == (0x8000 | (h + 1)));
    }
    CHECK(rv_float_to_half(65519.9f) == 0x7bff && rv_float_to_half(65520) == 0x7c00);
    CHECK(rv_float_to_bfloat(1.00390625f) == 0x3f80 && rv_float_to_bfloat(1.01171875f) == 0x3f82);
}

static const rv_tensor_source sources[] = {
    { "half", RV_F16, 1, { 3 }, values },
    { "encoder.0.weight", RV_F32, 2, { 3, 4 }, values },
    { "brain", RV_BF16, 2, { VALUES, 1 }, values },
    { "scalar", RV_F32, 0, { 0 }, values + 3 },
    { "empty", RV_F32, 2, { 0, 7 }, values },
};

enum { SOURCES = sizeof sources / sizeof *sources };

static const char config_text[] =
    "{\"class\": \"demucs.htdemucs.HTDemucs\", \"args\": [[\"drums\", \"b\\u00e4ss\"]],"
    " \"kwargs\": {\"segment\": 7.8, \"channels\": 48}, \"format_version\": 1,"
    " \"license\": \"MIT\"}";

static void write_sources(const char *path)
{
    rv_error err;
    json_t *config = json_loads(config_text, 0, NULL);
    CHECK_OK(rv_safetensors_write(path, sources, SOURCES, config, &err), err);
    json_decref(config);
}

TEST(test_round_trip)
{
    const path_text folder = make_folder(), path = in_folder(&folder, "gewichte-ü.safetensors");
    rv_error err;
    rv_checkpoint *c = NULL;
    write_sources(path.text);
    write_sources(path.text); /* replaces */
    CHECK_OK(rv_checkpoint_open(&c, path.text, &err), err);
    CHECK(rv_checkpoint_count(c) == SOURCES);
    json_t *config = json_loads(config_text, 0, NULL);
    CHECK(json_equal(rv_checkpoint_config(c), config));
    json_decref(config);
    for (size_t s = 0; s < SOURCES; s++) {
        const rv_tensor_source *want = &sources[s];
        const rv_tensor *t = rv_checkpoint_find(c, want->name);
        float x[VALUES];
        CHECK(t && t->dtype == want->dtype && t->rank == want->rank && t->count <= VALUES);
        CHECK_OK(rv_checkpoint_read(c, t, x, &err), err);
        CHECK(!rv_checkpoint_view(c, t) == (t->dtype != RV_F32));
        for (size_t i = 0; i < t->count; i++) {
            const float v = want->data[i];
            CHECK(x[i] == (t->dtype == RV_F32   ? v
                           : t->dtype == RV_F16 ? rv_half_to_float(rv_float_to_half(v))
                                                : rv_bfloat_to_float(rv_float_to_bfloat(v))));
        }
    }
    rv_checkpoint_free(c);
    CHECK(remove_folder(&folder) == 1); /* no temporary file is left */
}

/* More than one piece of the writer, and an odd number of halves before the end. */
TEST(test_large_narrow_tensor)
{
    enum { N = 100001 };
    const path_text folder = make_folder(), path = in_folder(&folder, "large");
    rv_error err;
    rv_checkpoint *c = NULL;
    float *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    json_t *config = json_object();
    CHECK(x && y);
    for (int i = 0; i < N; i++)
        x[i] = (float)(i % 2048) / 64;
    const rv_tensor_source source = { "w", RV_F16, 1, { N }, x };
    CHECK_OK(rv_safetensors_write(path.text, &source, 1, config, &err), err);
    CHECK_OK(rv_checkpoint_open(&c, path.text, &err), err);
    CHECK_OK(rv_checkpoint_read(c, rv_checkpoint_tensor(c, 0), y, &err), err);
    for (int i = 0; i < N; i++)
        CHECK(x[i] == y[i]);
    rv_checkpoint_free(c);
    json_decref(config);
    free(x);
    free(y);
    remove_folder(&folder);
}

TEST(test_writing_fails_cleanly)
{
    const path_text folder = make_folder(), path = in_folder(&folder, "x");
    rv_error err;
    json_t *config = json_object();
    const rv_tensor_source twice[] = { sources[0], sources[0] };
    const rv_tensor_source wrong = { "w", RV_I32, 1, { 1 }, values };
    CHECK(rv_safetensors_write(path.text, twice, 2, config, &err) == RV_ERR_ARG);
    CHECK(rv_safetensors_write(path.text, &wrong, 1, config, &err) == RV_ERR_ARG);
    CHECK(rv_safetensors_write("/nonexistent/x", sources, 1, config, &err) == RV_ERR_IO);
    CHECK(strstr(err.text, "/nonexistent/x: cannot be created: No such file"));
    CHECK(rv_safetensors_write("/dev/full/x", sources, 1, config, &err) == RV_ERR_IO);
    CHECK(mkdir(path.text, 0777) == 0);
    CHECK(rv_safetensors_write(path.text, sources, 1, config, &err) == RV_ERR_IO);
    CHECK(strstr(err.text, "renamed"));
    rmdir(path.text);
    json_decref(config);
    CHECK(remove_folder(&folder) == 0);
}

/* A disk that is full, as a limit on the size of files shows it. */
TEST(test_full_disk)
{
    const path_text folder = make_folder(), path = in_folder(&folder, "x");
    static const float zeros[4096];
    const rv_tensor_source source = { "w", RV_F32, 1, { 4096 }, zeros };
    struct rlimit before, small;
    rv_error err;
    json_t *config = json_object();
    signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small = before;
    small.rlim_cur = 1000;
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    const rv_status status = rv_safetensors_write(path.text, &source, 1, config, &err);
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(status == RV_ERR_IO && strstr(err.text, "x: cannot be written: "));
    json_decref(config);
    CHECK(remove_folder(&folder) == 0);
}

/* Headers */

static rv_status open_header(const char *header, size_t data, rv_error *err)
{
    unsigned char bytes[1024] = { 0 };
    const uint64_t n = strlen(header);
    rv_checkpoint *c = NULL;
    CHECK(8 + n + data <= sizeof bytes);
    memcpy(bytes, &n, 8);
    memcpy(bytes + 8, header, n);
    const rv_status status = rv_checkpoint_open_memory(&c, bytes, 8 + n + data, "file", err);
    rv_checkpoint_free(c);
    return status;
}

TEST(test_broken_headers)
{
    static const struct {
        const char *header, *part;
    } cases[] = {
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,9]}}", "outside" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", "outside" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,-8]}}", "outside" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", "outside" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", "do not fit" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", "claims more" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}",
          "claims more" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,0],\"data_offsets\":[0,0]}}",
          "claims more" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "shape" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}",
          "shape" },
        { "{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,8]}}", "dtype" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
          "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
          "duplicate" },
        { "{\"a\":5}", "dtype" },
        { "{\"a\":{\"dtype\":", "line 1 column" },
        { "{\"__metadata__\":{\"ravel\":\"[1]\"}}", "configuration" },
        { "{\"__metadata__\":{\"ravel\":\"{\"}}", "configuration" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rv_error err = { .text = "" };
        CHECK_MSG(open_header(cases[i].header, 8, &err) == RV_ERR_FORMAT, "%s", cases[i].header);
        CHECK_MSG(strstr(err.text, cases[i].part), "\"%s\" does not say \"%s\"", err.text,
                  cases[i].part);
    }
}

TEST(test_sound_header)
{
    rv_error err;
    CHECK_OK(
        open_header("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}  ", 8, &err),
        err);
}

/* A header that claims more than the file and the limit hold. */
TEST(test_length_of_the_header)
{
    unsigned char bytes[64] = { 0 };
    rv_error err;
    rv_checkpoint *c;
    const uint64_t claims[] = { 57, 1 << 30, UINT64_MAX };
    for (size_t i = 0; i < 3; i++) {
        memcpy(bytes, &claims[i], 8);
        bytes[8] = '{';
        CHECK(rv_checkpoint_open_memory(&c, bytes, sizeof bytes, "f", &err) == RV_ERR_FORMAT);
        CHECK(strstr(err.text, "the header claims"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_half_survives),
        cmocka_unit_test(test_rounding_of_halves),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_large_narrow_tensor),
        cmocka_unit_test(test_writing_fails_cleanly),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_broken_headers),
        cmocka_unit_test(test_sound_header),
        cmocka_unit_test(test_length_of_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
