/* test_checkpoint.c - weights that PyTorch, demucs and safetensors wrote, and damaged ones.
 *
 * The fixtures are made by tools/make_checkpoint_fixtures.py; their elements are exact. */
#include "checkpoint_files.h"

#include "base/rng.h"

static rv_checkpoint *open_fixture(const char *name)
{
    rv_error err;
    rv_checkpoint *c = NULL;
    CHECK_OK(rv_checkpoint_open(&c, fixture(name).text, &err), err);
    return c;
}

/* False in a build without libzip. */
static bool can_inflate(void)
{
    rv_checkpoint *c = NULL;
    const rv_status status = rv_checkpoint_open(&c, fixture("deflated.pt").text, NULL);
    rv_checkpoint_free(c);
    return status != RV_ERR_UNSUPPORTED;
}

/* Element i of the fixtures' ramps. */
static float ramp(size_t i)
{
    return (float)i / 4 - 8;
}

static float whole(size_t i)
{
    return (float)i;
}

static float is_even(size_t i)
{
    return i % 2 ? 0.0f : 1.0f;
}

/* base [6,4] is a ramp: its transpose [4,6], and rows 1 and 3, columns 1 to 3. */
static float transposed(size_t i)
{
    return ramp(i % 6 * 4 + i / 6);
}

static float sliced(size_t i)
{
    return ramp((1 + i / 3 * 2) * 4 + 1 + i % 3);
}

static float expanded(size_t i)
{
    return ramp(i / 4);
}

static float answer(size_t i)
{
    (void)i;
    return 42;
}

typedef struct expected {
    const char *name;
    rv_dtype dtype;
    int rank;
    size_t shape[3];
    float (*element)(size_t i);
} expected;

static const expected weights[] = {
    { "encoder.0.weight", RV_F32, 3, { 2, 3, 4 }, ramp },
    { "encoder.0.half", RV_F16, 2, { 5, 3 }, ramp },
    { "encoder.0.brain", RV_BF16, 1, { 7 }, ramp },
    { "encoder.0.double", RV_F64, 2, { 3, 2 }, ramp },
    { "count", RV_I64, 0, { 0 }, answer },
    { "int32", RV_I32, 1, { 4 }, whole },
    { "int16", RV_I16, 1, { 4 }, whole },
    { "int8", RV_I8, 1, { 4 }, whole },
    { "uint8", RV_U8, 1, { 4 }, whole },
    { "bool", RV_BOOL, 1, { 3 }, is_even },
    { "base", RV_F32, 2, { 6, 4 }, ramp },
    { "transposed", RV_F32, 2, { 4, 6 }, transposed },
    { "sliced", RV_F32, 2, { 2, 3 }, sliced },
    { "expanded", RV_F32, 2, { 3, 4 }, expanded },
    { "empty", RV_F32, 2, { 0, 3 }, ramp },
    { "parameter", RV_F32, 1, { 3 }, ramp },
};

enum { WEIGHTS = sizeof weights / sizeof *weights };

static void check_tensor(const rv_checkpoint *c, const expected *want)
{
    rv_error err;
    float x[24];
    const rv_tensor *t = rv_checkpoint_find(c, want->name);
    CHECK_MSG(t, "%s is missing", want->name);
    CHECK(t->dtype == want->dtype && t->rank == want->rank && t->count <= 24);
    for (int i = 0; i < t->rank; i++)
        CHECK(t->shape[i] == want->shape[i]);
    CHECK_OK(rv_checkpoint_read(c, t, x, &err), err);
    const float *view = rv_checkpoint_view(c, t);
    for (size_t i = 0; i < t->count; i++) {
        CHECK_MSG(x[i] == want->element(i), "%s[%zu] is %g, not %g", want->name, i, (double)x[i],
                  (double)want->element(i));
        CHECK(!view || view[i] == x[i]);
    }
}

static void check_state(const char *name, const char *kind)
{
    rv_checkpoint *c = open_fixture(name);
    assert_string_equal(rv_checkpoint_kind(c), kind);
    CHECK(rv_checkpoint_count(c) == WEIGHTS);
    for (size_t i = 0; i < WEIGHTS; i++)
        check_tensor(c, &weights[i]);
    CHECK(!rv_checkpoint_find(c, "encoder.0"));
    CHECK(!json_object_get(rv_checkpoint_config(c), "class"));
    rv_checkpoint_free(c);
}

TEST(test_every_container_gives_the_same)
{
    check_state("zip.pt", "PyTorch zip");
    check_state("legacy.pt", "PyTorch legacy");
    check_state("plain.safetensors", "safetensors");
    if (can_inflate())
        check_state("deflated.pt", "PyTorch zip");
}

TEST(test_order_is_that_of_the_file)
{
    rv_checkpoint *c = open_fixture("zip.pt");
    for (size_t i = 0; i < WEIGHTS; i++)
        assert_string_equal(rv_checkpoint_tensor(c, i)->name, weights[i].name);
    rv_checkpoint_free(c);
}

TEST(test_views)
{
    rv_checkpoint *c = open_fixture("zip.pt");
    CHECK(rv_checkpoint_view(c, rv_checkpoint_find(c, "base")));
    CHECK(rv_checkpoint_view(c, rv_checkpoint_find(c, "encoder.0.weight")));
    CHECK(!rv_checkpoint_view(c, rv_checkpoint_find(c, "transposed")));
    CHECK(!rv_checkpoint_view(c, rv_checkpoint_find(c, "encoder.0.half")));
    rv_checkpoint_free(c);
}

TEST(test_protocols)
{
    static const char *const names[] = { "zip-protocol1.pt", "zip-protocol3.pt", "zip-protocol4.pt",
                                         "zip-protocol5.pt", "legacy-protocol4.pt" };
    static const expected w = { "w", RV_F32, 2, { 2, 3 }, ramp };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        rv_checkpoint *c = open_fixture(names[i]);
        check_tensor(c, &w);
        rv_checkpoint_free(c);
    }
}

/* Configurations */

static void check_json(const json_t *got, const char *want)
{
    json_t *expected_json = json_loads(want, JSON_DECODE_ANY, NULL);
    CHECK(expected_json);
    char *text = json_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    CHECK_MSG(json_equal(got, expected_json), "%s, not %s", text ? text : "nothing", want);
    free(text);
    json_decref(expected_json);
}

TEST(test_demucs_package)
{
    rv_checkpoint *c = open_fixture("demucs-9f8c71a5.th");
    const json_t *config = rv_checkpoint_config(c), *kwargs = json_object_get(config, "kwargs");
    check_json(json_object_get(config, "class"), "\"demucs.htdemucs.HTDemucs\"");
    check_json(json_object_get(config, "format_version"), "1");
    check_json(json_object_get(config, "args"), "[[\"drums\", \"bass\"]]");
    CHECK(json_real_value(json_object_get(kwargs, "segment")) == 7.8);
    check_json(json_object_get(kwargs, "t_layers"), "0");
    check_json(json_object_get(config, "training_args"),
               "{\"batch_size\": 4, \"optim\": {\"lr\": 3e-4}, \"dset\": {\"musdb\": null}}");
    CHECK(!json_object_get(config, "extra"));
    CHECK(rv_checkpoint_count(c) > 4);
    for (size_t i = 0; i < rv_checkpoint_count(c); i++) {
        const rv_tensor *t = rv_checkpoint_tensor(c, i);
        float x[512];
        rv_error err;
        CHECK(t->dtype == RV_F16 && t->count <= 512);
        CHECK_OK(rv_checkpoint_read(c, t, x, &err), err);
        for (size_t e = 0; e < t->count; e++)
            CHECK_CLOSE(x[e], ramp(e), 0);
    }
    rv_checkpoint_free(c);
}

TEST(test_nested_state)
{
    rv_checkpoint *c = open_fixture("nested.pt");
    CHECK(rv_checkpoint_count(c) == 2);
    CHECK(rv_checkpoint_find(c, "a.b.c")->count == 2 && rv_checkpoint_find(c, "d")->count == 3);
    check_json(rv_checkpoint_config(c), "{\"format_version\": 1, \"class\": \"ConvTasNet\","
                                        " \"kwargs\": {\"n_src\": 2}}");
    rv_checkpoint_free(c);
}

TEST(test_state_with_other_items)
{
    rv_checkpoint *c = open_fixture("mixed.pt");
    CHECK(rv_checkpoint_count(c) == 2);
    CHECK(rv_checkpoint_find(c, "a")->count == 2 && rv_checkpoint_find(c, "b.c")->count == 3);
    check_json(rv_checkpoint_config(c), "{\"format_version\": 1, \"extra\": {\"version\": 3}}");
    rv_checkpoint_free(c);
}

TEST(test_settings_become_plain_data)
{
    rv_checkpoint *c = open_fixture("settings.pt");
    const json_t *extra = json_object_get(rv_checkpoint_config(c), "extra");
    check_json(json_object_get(extra, "settings"),
               "{\"text\": \"gr\\u00fcn\", \"none\": null, \"yes\": true, \"number\": -3,"
               " \"large\": 1099511627776, \"huge\": 1180591620717411303424.0, \"real\": 0.1,"
               " \"infinite\": \"Infinity\", \"tuple\": [1, [2, 3]], \"list\": [1, \"a\"],"
               " \"set\": [5], \"fraction\": 7.8, \"path\": \"/a/b\", \"numpy_real\": 0.1,"
               " \"numpy_single\": 0.5, \"numpy_int\": -7,"
               " \"bytes\": {\"__class__\": \"builtins.bytes\"},"
               " \"dtype\": {\"__class__\": \"torch.float32\"},"
               " \"module\": {\"__class__\": \"torch.nn.modules.linear.Linear\"},"
               " \"3\": \"three\"}");
    rv_checkpoint_free(c);
}

TEST(test_omegaconf_settings)
{
    rv_checkpoint *c = open_fixture("omegaconf.pt");
    check_json(json_object_get(rv_checkpoint_config(c), "extra"),
               "{\"args\": {\"batch_size\": 4, \"optim\": {\"lr\": 3e-4},"
               " \"dset\": {\"musdb\": null}}}");
    rv_checkpoint_free(c);
}

TEST(test_module_state_dict)
{
    rv_checkpoint *c = open_fixture("module.pt");
    CHECK(rv_checkpoint_find(c, "weight")->count == 4 && rv_checkpoint_find(c, "bias")->count == 2);
    check_json(rv_checkpoint_config(c), "{\"format_version\": 1}");
    rv_checkpoint_free(c);
}

TEST(test_foreign_metadata)
{
    rv_checkpoint *c = open_fixture("plain.safetensors");
    check_json(rv_checkpoint_config(c), "{\"format_version\": 1,"
                                        " \"extra\": {\"format\": \"pt\", \"note\": \"made\"}}");
    rv_checkpoint_free(c);
}

/* Errors */

static void check_error(const void *bytes, size_t size, rv_status status, const char *part)
{
    rv_error err;
    rv_checkpoint *c = NULL;
    const rv_status got = rv_checkpoint_open_memory(&c, bytes, size, "file.th", &err);
    CHECK(got == status && !c);
    CHECK_MSG(strstr(err.text, "file.th") == err.text && strstr(err.text, part),
              "\"%s\" does not say \"%s\"", err.text, part);
}

TEST(test_quantized_weights_of_nothing)
{
    size_t size;
    unsigned char *bytes = load_file(fixture("quantized.pt").text, &size);
    check_error(bytes, size, RV_ERR_FORMAT, "DiffQ: there are no parameters");
    free(bytes);
}

TEST(test_what_is_no_weights)
{
    char tar[1024] = "storages";
    memcpy(tar + 257, "ustar", 5);
    check_error("", 0, RV_ERR_FORMAT, "empty");
    check_error("hello, world\n", 13, RV_ERR_FORMAT, "not a file of weights");
    check_error("RIFF....WAVEfmt ", 16, RV_ERR_FORMAT, "not a file of weights");
    check_error(tar, sizeof tar, RV_ERR_UNSUPPORTED, "tar");
    check_error("PK\3\4 and then nothing at all...", 30, RV_ERR_FORMAT, "truncated");
    check_error("\200\002K\005.", 5, RV_ERR_FORMAT, "torch.save");
}

TEST(test_missing_file_and_folder)
{
    rv_error err;
    rv_checkpoint *c;
    CHECK(rv_checkpoint_open(&c, "/nonexistent/x.th", &err) == RV_ERR_IO);
    CHECK(strstr(err.text, "/nonexistent/x.th: No such file"));
    CHECK(rv_checkpoint_open(&c, "/", &err) == RV_ERR_IO);
    CHECK(strstr(err.text, "regular file"));
}

/* A zip with data.pkl, to be changed in place. */
static unsigned char *find_bytes(unsigned char *bytes, size_t size, const void *what, size_t n)
{
    unsigned char *p = memmem(bytes, size, what, n);
    CHECK(p);
    return p;
}

TEST(test_huge_claims)
{
    size_t size;
    unsigned char *bytes = load_file(fixture("module.pt").text, &size);
    /* the shape of the weight: BININT1 2, BININT1 2, TUPLE2 */
    unsigned char *shape = find_bytes(bytes, size, "K\2K\2\206", 5);
    shape[1] = shape[3] = 255;
    check_error(bytes, size, RV_ERR_FORMAT, "\"weight\" claims more elements");
    shape[1] = shape[3] = 2;
    /* its storage: "cpu" then BININT1 4 */
    unsigned char *count = find_bytes(bytes, size, "K\4t", 3);
    count[1] = 200;
    check_error(bytes, size, RV_ERR_FORMAT, "storage of 200 elements of F32 does not fit the 16");
    free(bytes);
}

TEST(test_big_endian_is_refused)
{
    size_t size;
    unsigned char *bytes = load_file(fixture("legacy.pt").text, &size);
    unsigned char *p = find_bytes(bytes, size, "little_endian", 13);
    while (*p != 0x88)
        p++;
    *p = 0x89;
    check_error(bytes, size, RV_ERR_UNSUPPORTED, "big-endian");
    free(bytes);
}

/* The central record of a compressed entry claims ten times as much, or all that deflate can. */
TEST(test_zip_bombs)
{
    size_t size;
    if (!can_inflate())
        skip();
    unsigned char *bytes = load_file(fixture("deflated.pt").text, &size);
    unsigned char *record = find_bytes(bytes, size, "PK\1\2", 4);
    uint32_t claimed, packed;
    memcpy(&claimed, record + 24, 4);
    memcpy(&packed, record + 20, 4);
    const uint32_t more = 10 * claimed, most = packed * 100000;
    memcpy(record + 24, &more, 4);
    check_error(bytes, size, RV_ERR_FORMAT, "data.pkl\" of the zip archive is damaged or shorter");
    memcpy(record + 24, &most, 4);
    check_error(bytes, size, RV_ERR_FORMAT, "claims to inflate to more than it can");
    const uint32_t less = claimed / 2;
    memcpy(record + 24, &less, 4);
    check_error(bytes, size, RV_ERR_FORMAT, "data.pkl\" of the zip archive is damaged or longer");
    free(bytes);
}

static const char *const fixtures[] = { "zip.pt",          "legacy.pt",
                                        "deflated.pt",     "plain.safetensors",
                                        "settings.pt",     "legacy-protocol4.pt",
                                        "zip-protocol1.pt" };

/* No prefix of a file is a file, and none does harm. An exact copy of each lets the sanitizer see
 * a single byte read behind the end. */
TEST(test_truncation_anywhere)
{
    for (size_t f = 0; f < sizeof fixtures / sizeof *fixtures; f++) {
        size_t size;
        unsigned char *bytes = load_file(fixture(fixtures[f]).text, &size);
        for (size_t n = 0; n < size; n++) {
            unsigned char *copy = malloc(n ? n : 1);
            CHECK(copy);
            memcpy(copy, bytes, n);
            rv_error err;
            rv_checkpoint *c;
            CHECK(rv_checkpoint_open_memory(&c, copy, n, "cut", &err) != RV_OK);
            free(copy);
        }
        free(bytes);
    }
}

TEST(test_flipped_bits)
{
    for (size_t f = 0; f < sizeof fixtures / sizeof *fixtures; f++) {
        size_t size;
        unsigned char *bytes = load_file(fixture(fixtures[f]).text, &size);
        for (uint64_t i = 0; i < 500; i++) {
            const uint64_t at = rv_rng_below(f, 1, i, size), bit = rv_rng_below(f, 2, i, 8);
            bytes[at] ^= (unsigned char)(1u << bit);
            use_checkpoint(bytes, size);
            bytes[at] ^= (unsigned char)(1u << bit);
        }
        free(bytes);
    }
}

/* Comparing with a model */

TEST(test_match)
{
    rv_error err;
    rv_checkpoint *c = open_fixture("module.pt");
    const rv_expected fits[] = { { "bias", 1, { 2 } }, { "weight", 2, { 2, 2 } } };
    const rv_expected wrong[] = { { "bias", 1, { 3 } }, { "scale", 1, { 7 } } };
    CHECK_OK(rv_checkpoint_match(c, fits, 2, &err), err);
    CHECK(rv_checkpoint_match(c, wrong, 2, &err) == RV_ERR_SHAPE);
    CHECK_MSG(strstr(err.text, "module.pt: the tensors do not fit the model: missing scale [7]; "
                               "extra weight [2,2]; misshapen bias (expected [3], found [2])") ||
                  strstr(err.text, "..."),
              "%s", err.text);
    rv_checkpoint_free(c);
}

/* A value without axes is [1], and the reverse; nothing else is. */
TEST(test_match_of_single_values)
{
    static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                                 "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}";
    unsigned char bytes[8 + sizeof header - 1 + 8] = { sizeof header - 1 };
    const rv_expected fits[] = { { "a", 1, { 1 } }, { "b", 0, { 0 } } };
    const rv_expected wrong[][2] = { { { "a", 1, { 2 } }, { "b", 0, { 0 } } },
                                     { { "a", 0, { 0 } }, { "b", 2, { 1, 1 } } },
                                     { { "a", 2, { 1, 1 } }, { "b", 1, { 1 } } } };
    rv_error err;
    rv_checkpoint *c = NULL;
    memcpy(bytes + 8, header, sizeof header - 1);
    CHECK_OK(rv_checkpoint_open_memory(&c, bytes, sizeof bytes, "values", &err), err);
    CHECK_OK(rv_checkpoint_match(c, fits, 2, &err), err);
    for (size_t i = 0; i < 3; i++)
        CHECK(rv_checkpoint_match(c, wrong[i], 2, &err) == RV_ERR_SHAPE);
    rv_checkpoint_free(c);
}

/* Counters of batch norms are no weights. */
TEST(test_match_ignores_counters)
{
    static const char header[] =
        "{\"bn.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}";
    unsigned char bytes[8 + sizeof header - 1 + 8] = { sizeof header - 1 };
    rv_error err;
    rv_checkpoint *c = NULL;
    memcpy(bytes + 8, header, sizeof header - 1);
    CHECK_OK(rv_checkpoint_open_memory(&c, bytes, sizeof bytes, "counter", &err), err);
    CHECK_OK(rv_checkpoint_match(c, NULL, 0, &err), err);
    rv_checkpoint_free(c);
}

TEST(test_match_lists_what_fits)
{
    enum { MANY = 500 };
    rv_error err;
    static rv_expected want[MANY];
    static char names[MANY][32];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "layer.%zu.weight", i);
        want[i] = (rv_expected){ names[i], 2, { i, 3 } };
    }
    rv_checkpoint *c = open_fixture("module.pt");
    CHECK(rv_checkpoint_match(c, want, MANY, &err) == RV_ERR_SHAPE);
    size_t listed = 0, more = 0;
    for (const char *p = err.text; (p = strstr(p, "layer.")); p++)
        listed++;
    const char *end = strstr(err.text, "... and ");
    CHECK(end && sscanf(end, "... and %zu more", &more) == 1);
    CHECK(listed > 20 && listed + more == MANY + 2); /* and two that are extra */
    rv_checkpoint_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_container_gives_the_same),
        cmocka_unit_test(test_order_is_that_of_the_file),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_protocols),
        cmocka_unit_test(test_demucs_package),
        cmocka_unit_test(test_nested_state),
        cmocka_unit_test(test_state_with_other_items),
        cmocka_unit_test(test_settings_become_plain_data),
        cmocka_unit_test(test_omegaconf_settings),
        cmocka_unit_test(test_module_state_dict),
        cmocka_unit_test(test_foreign_metadata),
        cmocka_unit_test(test_quantized_weights_of_nothing),
        cmocka_unit_test(test_what_is_no_weights),
        cmocka_unit_test(test_missing_file_and_folder),
        cmocka_unit_test(test_huge_claims),
        cmocka_unit_test(test_big_endian_is_refused),
        cmocka_unit_test(test_zip_bombs),
        cmocka_unit_test(test_truncation_anywhere),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_match_of_single_values),
        cmocka_unit_test(test_match_ignores_counters),
        cmocka_unit_test(test_match_lists_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
