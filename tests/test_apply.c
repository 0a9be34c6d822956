/* test_apply.c - whole tracks as the reference separates them: golden cases apply_*. */
#include "check.h"
#include "dsp/level.h"
#include "infer/segments.h"
#include "io/checkpoint.h"
#include "ravel/separate.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4 };

typedef struct {
    json_t *json;
    rv_network *networks[MOST];
    double weights[MOST * RV_MAX_STEMS];
    size_t offsets[64];
    rv_segments_options options;
    float *input, *want;
    size_t frames, planes;
} apply_case;

static const char *golden(char *path, const char *name, const char *end)
{
    snprintf(path, 600, "%s/tests/golden/%s%s", getenv("RV_TEST_SOURCE"), name, end);
    return path;
}

static float *read_tensor(const rv_checkpoint *c, const char *name)
{
    rv_error err = { 0 };
    const rv_tensor *t = rv_checkpoint_find(c, name);
    CHECK(t != NULL);
    float *data = malloc(t->count * sizeof *data);
    CHECK_OK(rv_checkpoint_read(c, t, data, &err), err);
    return data;
}

static void open_networks(apply_case *a)
{
    char path[600];
    rv_error err = { 0 };
    const json_t *models = json_object_get(a->json, "models");
    const json_t *weights = json_object_get(a->json, "weights");
    const double segment = json_number_value(json_object_get(a->json, "segment"));
    rv_network_card card;
    a->options.n_networks = json_array_size(models);
    for (size_t i = 0; i < a->options.n_networks; i++) {
        golden(path, json_string_value(json_array_get(models, i)), ".th");
        CHECK_OK(rv_network_open(&a->networks[i], &card, path, segment, NULL, &err), err);
        const json_t *row = json_array_get(weights, i);
        for (size_t k = 0; k < json_array_size(row); k++)
            a->weights[i * card.info.n_stems + k] = json_number_value(json_array_get(row, k));
    }
    a->options.networks = (const rv_network *const *)a->networks;
    a->options.weights = json_is_array(weights) ? a->weights : NULL;
    a->planes = card.info.n_stems * card.info.channels;
}

static void open_case(apply_case *a, const char *name)
{
    char path[600];
    rv_error err = { 0 };
    rv_checkpoint *c = NULL;
    *a = (apply_case){ .json = json_load_file(golden(path, name, ".json"), 0, NULL) };
    CHECK_MSG(a->json != NULL, "cannot read %s", path);
    open_networks(a);
    const json_t *offsets = json_object_get(a->json, "offsets");
    for (size_t i = 0; i < json_array_size(offsets); i++)
        a->offsets[i] = (size_t)json_integer_value(json_array_get(offsets, i));
    a->options.offsets = a->offsets;
    a->options.shifts = (size_t)json_integer_value(json_object_get(a->json, "shifts"));
    a->options.overlap = json_number_value(json_object_get(a->json, "overlap"));
    CHECK_OK(rv_checkpoint_open(&c, golden(path, name, ".safetensors"), &err), err);
    a->frames = rv_checkpoint_find(c, "input")->shape[2];
    a->input = read_tensor(c, "input");
    a->want = read_tensor(c, "output");
    rv_checkpoint_free(c);
}

static void close_case(apply_case *a)
{
    for (size_t i = 0; i < a->options.n_networks; i++)
        rv_network_free(a->networks[i]);
    json_decref(a->json);
    free(a->input);
    free(a->want);
}

/* Separate in blocks of `block` frames with `threads`; the caller frees the result. */
static float *separate(apply_case *a, int threads, size_t side_by_side, size_t block)
{
    rv_error err = { 0 };
    rv_engine *engine = NULL;
    rv_segments *s = NULL;
    rv_level level = { 0 };
    float mean, deviation, *out = calloc(a->planes * a->frames, sizeof *out);
    const float *in[2] = { a->input, a->input + a->frames };
    rv_level_add(&level, in, 2, a->frames);
    rv_level_result(&level, &mean, &deviation);
    CHECK_OK(rv_engine_new(&engine, &(rv_engine_options){ .threads = threads }, &err), err);
    a->options.engine = engine;
    a->options.side_by_side = side_by_side;
    CHECK_OK(rv_segments_new(&s, &a->options, &err), err);
    rv_segments_level(s, mean, deviation);
    for (size_t at = 0, done = 0, made; at < a->frames || done < a->frames;) {
        const size_t n = a->frames - at < block ? a->frames - at : block;
        const float *from[2] = { in[0] + at, in[1] + at };
        if (n > 0)
            CHECK_OK(rv_segments_push(s, from, n, &err), err);
        else
            rv_segments_finish(s);
        at += n;
        float *to[64];
        do {
            for (size_t p = 0; p < a->planes; p++)
                to[p] = out + p * a->frames + done;
            CHECK_OK(rv_segments_pull(s, to, a->frames - done, &made, &err), err);
            done += made;
        } while (made > 0);
    }
    rv_segments_free(s);
    rv_engine_free(engine);
    return out;
}

static void check_case(const char *name)
{
    apply_case a;
    open_case(&a, name);
    const size_t n = a.planes * a.frames;
    float *out = separate(&a, 1, 1, 333);
    double worst = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs((double)out[i] - (double)a.want[i]));
        most = fmax(most, fabs((double)a.want[i]));
    }
    print_message("# %s: relative error %.2g\n", name, worst / most);
    CHECK_CLOSE(worst / most, 0, json_number_value(json_object_get(a.json, "tolerance")));
    float *again = separate(&a, 3, 1, a.frames);
    CHECK(memcmp(out, again, n * sizeof *out) == 0);
    free(again);
    again = separate(&a, 2, 3, 100);
    CHECK(memcmp(out, again, n * sizeof *out) == 0);
    free(again);
    free(out);
    close_case(&a);
}

TEST(test_htdemucs)
{
    check_case("apply_htdemucs");
}

TEST(test_htdemucs_with_shifts)
{
    check_case("apply_htdemucs_shifts");
}

TEST(test_hdemucs_with_shifts)
{
    check_case("apply_hdemucs");
}

TEST(test_demucs)
{
    check_case("apply_demucs_v3");
}

TEST(test_bag_with_shift_and_segment)
{
    check_case("apply_bag");
}

/* The bag's file is read with its weights and segment. */
TEST(test_bag_file)
{
    char path[600];
    rv_error err = { 0 };
    rv_model *model = NULL;
    CHECK_OK(rv_model_open(&model, golden(path, "apply_bag", ".yaml"), &err), err);
    const rv_model_card *card = rv_model_about(model);
    CHECK(card->n_networks == 2 && card->n_stems == 2 && card->sample_rate == 8000);
    CHECK_CLOSE(card->segment, 0.11, 1e-12);
    CHECK(strcmp(card->name, "apply_bag") == 0 && strcmp(card->stems[1], "vocals") == 0);
    rv_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_htdemucs),
        cmocka_unit_test(test_htdemucs_with_shifts),
        cmocka_unit_test(test_hdemucs_with_shifts),
        cmocka_unit_test(test_demucs),
        cmocka_unit_test(test_bag_with_shift_and_segment),
        cmocka_unit_test(test_bag_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
