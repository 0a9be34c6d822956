/* test_diffq.c - weights quantised by DiffQ: values as diffq gives them back, the order of
 * parameters, a whole model, and damaged files. */
#include "checkpoint_files.h"
#include "infer/convert.h"
#include "infer/network.h"
#include "infer/quantized.h"
#include "models/registration.h"

#include <math.h>

enum { MOST = 400 };

typedef struct quantized_case {
    rv_checkpoint *file, *golden; /* golden: the restored values, by name */
    rv_expected want[MOST];
    size_t n;
} quantized_case;

static rv_checkpoint *open_part(const char *name, const char *end)
{
    char file[100];
    rv_error err = { 0 };
    rv_checkpoint *c = NULL;
    snprintf(file, sizeof file, "%s%s", name, end);
    CHECK_OK(rv_checkpoint_open(&c, fixture(file).text, &err), err);
    return c;
}

static void open_quantized(quantized_case *q, const char *name)
{
    q->file = open_part(name, ".pt");
    q->golden = open_part(name, ".safetensors");
    q->n = rv_checkpoint_count(q->golden);
    CHECK(q->n <= MOST);
    for (size_t i = 0; i < q->n; i++) {
        const rv_tensor *t = rv_checkpoint_tensor(q->golden, i);
        q->want[i] = (rv_expected){ .name = t->name, .rank = t->rank };
        memcpy(q->want[i].shape, t->shape, sizeof t->shape);
    }
}

static void close_quantized(quantized_case *q)
{
    rv_checkpoint_free(q->file);
    rv_checkpoint_free(q->golden);
}

/* Values are equal to the last bit. */
static void check_values(const rv_checkpoint *c, const rv_checkpoint *golden)
{
    rv_error err = { 0 };
    for (size_t i = 0; i < rv_checkpoint_count(golden); i++) {
        const rv_tensor *g = rv_checkpoint_tensor(golden, i), *t = rv_checkpoint_find(c, g->name);
        CHECK_MSG(t && t->count == g->count && t->rank == g->rank, "%s", g->name);
        float *got = malloc(t->count * sizeof *got), *want = malloc(t->count * sizeof *want);
        CHECK_OK(rv_checkpoint_read(c, t, got, &err), err);
        CHECK_OK(rv_checkpoint_read(golden, g, want, &err), err);
        for (size_t k = 0; k < t->count; k++)
            CHECK_MSG(got[k] == want[k], "%s[%zu]: %.9g, not %.9g", g->name, k, (double)got[k],
                      (double)want[k]);
        free(got);
        free(want);
    }
}

static void check_restored(const char *name)
{
    quantized_case q;
    rv_error err = { 0 };
    open_quantized(&q, name);
    CHECK(rv_checkpoint_is_quantized(q.file) && !rv_checkpoint_is_quantized(q.golden));
    CHECK(rv_checkpoint_count(q.file) == 0);
    CHECK_OK(rv_name_quantized(q.file, q.want, q.n, &err), err);
    CHECK_OK(rv_checkpoint_match(q.file, q.want, q.n, &err), err);
    check_values(q.file, q.golden);
    close_quantized(&q);
}

TEST(test_groups_as_demucs_packs_them)
{
    check_restored("diffq-packed");
}

/* All of the fewest bits, which then take no planes. */
TEST(test_groups_of_least_bits)
{
    check_restored("diffq-least");
}

TEST(test_groups_that_are_not_packed)
{
    check_restored("diffq-plain");
}

TEST(test_compressed_as_demucs_2_does)
{
    check_restored("diffq-v2");
}

TEST(test_groups_packed_for_torchscript)
{
    check_restored("diffq-torch");
}

TEST(test_uniform_beside_half_precision)
{
    check_restored("diffq-uniform");
}

TEST(test_weights_of_another_model)
{
    quantized_case q;
    rv_error err = { 0 };
    open_quantized(&q, "diffq-plain");
    CHECK(rv_name_quantized(q.file, q.want, q.n - 1, &err) == RV_ERR_SHAPE);
    CHECK(strstr(err.text, "4 parameters, but the model has 3"));
    q.want[0].shape[0]++;
    CHECK(rv_name_quantized(q.file, q.want, q.n, &err) == RV_ERR_SHAPE);
    CHECK(rv_checkpoint_count(q.file) == 0 && !rv_checkpoint_find(q.file, "0.bias"));
    q.want[0].name = "0.surprise";
    CHECK(rv_name_quantized(q.file, q.want, q.n, &err) == RV_ERR_UNSUPPORTED);
    CHECK(strstr(err.text, "0.surprise"));
    close_quantized(&q);
}

/* Order: the state dicts that the reference wrote are in the order of registration. */

static int by_registration(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return rv_registration_compare(*x, *y);
}

static void check_order(const char *name)
{
    char path[1100];
    rv_error err = { 0 };
    rv_checkpoint *c;
    const char *names[MOST];
    snprintf(path, sizeof path, "%s/tests/golden/%s.th", getenv("RV_TEST_SOURCE"), name);
    CHECK_OK(rv_checkpoint_open(&c, path, &err), err);
    const size_t n = rv_checkpoint_count(c);
    CHECK(n > 20 && n <= MOST);
    for (size_t i = 0; i < n; i++)
        names[(i * 7919) % n] = rv_checkpoint_tensor(c, i)->name;
    qsort(names, n, sizeof *names, by_registration);
    for (size_t i = 0; i < n; i++) {
        CHECK_MSG(rv_registration_knows(names[i]), "%s: %s", name, names[i]);
        CHECK_MSG(!strcmp(names[i], rv_checkpoint_tensor(c, i)->name), "%s: %zu: %s, not %s", name,
                  i, names[i], rv_checkpoint_tensor(c, i)->name);
    }
    rv_checkpoint_free(c);
}

TEST(test_order_of_registration)
{
    static const char *const names[] = {
        "demucs_v2",   "demucs_v2_legacy",   "demucs_v3",       "demucs_v3_lstm", "demucs_v3_plain",
        "hdemucs",     "hdemucs_multi",      "hdemucs_wiener",  "htdemucs",       "htdemucs_6s",
        "conv_tasnet", "conv_tasnet_causal", "conv_tasnet_mono"
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_order(names[i]);
    CHECK(!rv_registration_knows("encoder.0.surprise") && !rv_registration_knows("weight_ih_lx"));
    CHECK(rv_registration_compare("lstm.weight_hh_l0", "lstm.weight_ih_l0_reverse") < 0);
    CHECK(rv_registration_compare("lstm.weight_ih_l10", "lstm.bias_hh_l9_reverse") > 0);
}

/* A package as the reference writes it, from opening to the audio. */

TEST(test_whole_model)
{
    char path[1100];
    rv_error err = { 0 };
    rv_network *network = NULL;
    rv_network_card card;
    rv_runner *runner = NULL;
    rv_checkpoint *golden;
    snprintf(path, sizeof path, "%s/tests/golden/demucs_v3_diffq.th", getenv("RV_TEST_SOURCE"));
    CHECK_OK(rv_network_open(&network, &card, path, 0, NULL, &err), err);
    snprintf(path, sizeof path, "%s/tests/golden/demucs_v3_diffq.safetensors",
             getenv("RV_TEST_SOURCE"));
    CHECK_OK(rv_checkpoint_open(&golden, path, &err), err);
    const float *mix = rv_checkpoint_view(golden, rv_checkpoint_find(golden, "input"));
    const float *want = rv_checkpoint_view(golden, rv_checkpoint_find(golden, "output"));
    enum { FRAMES = 500, PLANES = 4 };
    CHECK(mix && want && rv_checkpoint_find(golden, "output")->count == PLANES * FRAMES);
    CHECK(card.parameters == 3640);
    CHECK_OK(network->class->runner_new(&runner, network, FRAMES, &(rv_runner_options){ 0 }, &err),
             err);
    for (size_t i = 0; i < network->channels * FRAMES; i++)
        *rv_planes_at(&runner->mix, i / FRAMES, i % FRAMES) = mix[i];
    runner->run(runner);
    double worst = 0, peak = 0;
    for (size_t i = 0; i < PLANES * FRAMES; i++) {
        const float got = *rv_planes_at(&runner->stems, i / FRAMES, i % FRAMES);
        worst = fmax(worst, fabs((double)got - (double)want[i]));
        peak = fmax(peak, fabs((double)want[i]));
    }
    printf("# relative error %.1e\n", worst / peak);
    CHECK(worst <= 1e-5 * peak);
    rv_runner_free(runner);
    rv_network_free(network);
    rv_checkpoint_free(golden);
}

/* Converted weights have names and the values of the first file. */
TEST(test_conversion)
{
    char path[1100];
    rv_error err = { 0 };
    rv_network *first = NULL, *second = NULL;
    rv_network_card card;
    const rv_convert_options options = { 0 };
    const path_text folder = make_folder(), out = in_folder(&folder, "named.safetensors");
    snprintf(path, sizeof path, "%s/tests/golden/demucs_v3_diffq.th", getenv("RV_TEST_SOURCE"));
    CHECK_OK(rv_convert(path, out.text, &options, &err), err);
    CHECK_OK(rv_network_open(&first, &card, path, 0, NULL, &err), err);
    CHECK_OK(rv_network_open(&second, &card, out.text, 0, NULL, &err), err);
    CHECK(rv_checkpoint_count(rv_network_checkpoint(first)) == 44);
    check_values(rv_network_checkpoint(second), rv_network_checkpoint(first));
    rv_network_free(first);
    rv_network_free(second);
    CHECK(remove_folder(&folder) == 1);
}

/* Damaged files: an error or wrong values, never a fault. */

static void try_bytes(const quantized_case *q, const unsigned char *bytes, size_t size)
{
    rv_error err;
    rv_checkpoint *c = NULL;
    if (rv_checkpoint_open_memory(&c, bytes, size, "file.th", &err) != RV_OK)
        return;
    const rv_status status = rv_name_quantized(c, q->want, q->n, &err);
    CHECK(status == RV_OK || !strncmp(err.text, "file.th: ", 9));
    rv_checkpoint_free(c);
}

static unsigned char *find_bytes(unsigned char *bytes, size_t size, const void *part, size_t n)
{
    for (size_t i = 0; i + n <= size; i++)
        if (!memcmp(bytes + i, part, n))
            return bytes + i;
    return NULL;
}

/* Every byte of the pickle, and so every size, kind and setting, in turn. */
static void check_damaged(const char *name)
{
    quantized_case q;
    size_t size;
    open_quantized(&q, name);
    char file[100];
    snprintf(file, sizeof file, "%s.pt", name);
    unsigned char *bytes = load_file(fixture(file).text, &size);
    unsigned char *pickle = find_bytes(bytes, size, "data.pkl", 8);
    CHECK(pickle);
    const size_t begin = (size_t)(pickle - bytes), end = begin + 6000 < size ? begin + 6000 : size;
    static const unsigned char values[] = { 0, 1, 0x7f, 0xff, 'N', ')' };
    for (size_t i = begin; i < end; i++) {
        const unsigned char was = bytes[i];
        bytes[i] = values[i % sizeof values];
        try_bytes(&q, bytes, size);
        bytes[i] = was;
    }
    free(bytes);
    close_quantized(&q);
}

TEST(test_damaged_files)
{
    check_damaged("diffq-plain");
    check_damaged("diffq-v2");
    check_damaged("diffq-torch");
    check_damaged("diffq-uniform");
}

/* Put the pickled small integer `value` behind the text `key` of a setting. */
static void set_number(unsigned char *bytes, size_t size, const char *key, unsigned char value)
{
    unsigned char *at = find_bytes(bytes, size, key, strlen(key));
    CHECK(at);
    while (*at != 'K') /* BININT1 */
        at++;
    at[1] = value;
}

static void check_setting(const char *file, const char *key, unsigned char value, const char *part)
{
    quantized_case q;
    size_t size;
    rv_error err = { 0 };
    rv_checkpoint *c = NULL;
    open_quantized(&q, file);
    char name[100];
    snprintf(name, sizeof name, "%s.pt", file);
    unsigned char *bytes = load_file(fixture(name).text, &size);
    set_number(bytes, size, key, value);
    rv_status status = rv_checkpoint_open_memory(&c, bytes, size, "file.th", &err);
    if (status == RV_OK)
        status = rv_name_quantized(c, q.want, q.n, &err);
    CHECK_MSG(status == RV_ERR_FORMAT && strstr(err.text, part), "%d: %s", status, err.text);
    rv_checkpoint_free(c);
    free(bytes);
    close_quantized(&q);
}

TEST(test_hostile_settings)
{
    check_setting("diffq-torch", "group_size", 0, "group_size must be a number from 1");
    check_setting("diffq-torch", "group_size", 7, "do not divide into groups");
    check_setting("diffq-torch", "group_size", 1, "too few");
    check_setting("diffq-packed", "group_size", 4, "codes are missing");
    check_setting("diffq-uniform", "bits", 33, "bits must be a number from 1 to 15");
    check_setting("diffq-uniform", "bits", 0, "bits must be a number from 1 to 15");
}

/* The only place in the file with the bits of 24 groups, which are from 4 to 13. */
static unsigned char *find_bits(unsigned char *bytes, size_t size)
{
    size_t run = 0;
    for (size_t i = 0; i < size; i++) {
        run = bytes[i] >= 4 && bytes[i] <= 13 ? run + 1 : 0;
        if (run == 24)
            return bytes + i;
    }
    return NULL;
}

TEST(test_hostile_bits)
{
    quantized_case q;
    size_t size;
    rv_error err = { 0 };
    open_quantized(&q, "diffq-plain");
    unsigned char *bytes = load_file(fixture("diffq-plain.pt").text, &size);
    unsigned char *bits = find_bits(bytes, size);
    CHECK(bits);
    for (int value = 0; value < 256; value += value < 14 ? 1 : 60) {
        rv_checkpoint *c = NULL;
        *bits = (unsigned char)value;
        CHECK_OK(rv_checkpoint_open_memory(&c, bytes, size, "file.th", &err), err);
        const rv_status status = rv_name_quantized(c, q.want, q.n, &err);
        CHECK(status == (value >= 1 && value <= 15 ? RV_OK : RV_ERR_FORMAT));
        CHECK(status == RV_OK || strstr(err.text, "bits of a group"));
        rv_checkpoint_free(c);
    }
    free(bytes);
    close_quantized(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_as_demucs_packs_them),
        cmocka_unit_test(test_groups_of_least_bits),
        cmocka_unit_test(test_groups_that_are_not_packed),
        cmocka_unit_test(test_compressed_as_demucs_2_does),
        cmocka_unit_test(test_groups_packed_for_torchscript),
        cmocka_unit_test(test_uniform_beside_half_precision),
        cmocka_unit_test(test_weights_of_another_model),
        cmocka_unit_test(test_order_of_registration),
        cmocka_unit_test(test_whole_model),
        cmocka_unit_test(test_conversion),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_hostile_settings),
        cmocka_unit_test(test_hostile_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
