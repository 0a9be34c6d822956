/* test_train_mctn.c - mixes with the features of their sources, and whole trainings of a tiny
 * feature separator on them: it learns, goes on bit by bit after an interruption, and its file says
 * what it is. */
#include "data/track_read.h"
#include "io/checkpoint.h"
#include "models/mctn.h"
#include "train/feature_mixes.h"
#include "training_runs.h"

#include <math.h>

enum { RATE = 4000, SAMPLES = 8000, HOP = 40, STEMS = 2 };

static const char *const stems[STEMS] = { "low", "high" };

/* Tones of half a second, which swell or fade. */
static void write_tones(const char *name, double hz, bool swells)
{
    static float x[SAMPLES];
    double phase = 0;
    for (size_t t = 0; t < SAMPLES; t++) {
        const double time = (double)t / RATE, way = time / 2;
        phase += 2 * M_PI * hz * exp2(floor(2 * time) / 6) / RATE;
        x[t] = (float)(0.4 * pow(10, -(swells ? 1 - way : way)) * sin(phase));
    }
    write_sound(name, x, SAMPLES, RATE);
}

static const char recipe[] =
    "model:\n"
    "  name: mctn\n"
    "  arguments: {hop: 40, L: 200, N: 16, B: 12, H: 16, X: 3, depth: 32, f0_min: 60,\n"
    "              pitch: softmax, loudness_mean: -30, loudness_spread: 20}\n"
    "data:\n"
    "  stems: [low, high]\n"
    "  sample_rate: 4000\n"
    "  segment: 0.5\n"
    "  stride: 0.25\n"
    "  batch: 3\n"
    "  features: {f0_method: yin, f0_min: 80, f0_max: 1000}\n"
    "loss: {f0_weight: 0.5, f0: likelihood, voiced: true}\n"
    "optimiser: {lr: 1e-2}\n"
    "train: {epochs: 2, save_every: 3, ema: [0.5], log_every: 1}\n";

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(root))
        return -1;
    setenv("XDG_CACHE_HOME", root, 1);
    static const float silence[SAMPLES];
    write_tones("train/a/low.wav", 110, true);
    write_tones("train/a/high.wav", 400, false);
    write_tones("train/b/low.wav", 130, false);
    write_sound("train/b/high.wav", silence, SAMPLES, RATE);
    write_tones("valid/a/low.wav", 110, true); /* it is learned by heart */
    write_tones("valid/a/high.wav", 400, false);
    return write_recipe(recipe);
}

/* Mixes ---------------------------------------------------------------------------------------- */

enum { T = 2000, F = 50, B = 3 };

typedef struct {
    float mix[B * T], f0[B * F * STEMS], loudness[B * F * STEMS], voiced[B * F * STEMS];
} batch;

typedef struct {
    rv_track_list *list;
    rv_feature_cache *cache;
    rv_feature_mixes *mixes;
} set;

static set open_set(double remix, double gain, int threads)
{
    char path[200], cache[200];
    rv_error err = { 0 };
    set s = { 0 };
    rv_feature_mixes_config c = { .phrases = rv_phrases_defaults(), .remix = remix, .gain = gain };
    c.phrases.sample_rate = RATE;
    c.phrases.segment = T;
    c.phrases.stride = T / 2;
    c.phrases.frame_rate = RATE / HOP;
    c.phrases.batch = B;
    c.phrases.seed = 7;
    c.phrases.f0_method = RV_F0_YIN;
    c.phrases.f0_min = 80;
    c.phrases.f0_max = 1000;
    const rv_track_query query = { .root = path_of(path, sizeof path, "songs"),
                                   .stems = stems,
                                   .n_stems = STEMS,
                                   .split = "train" };
    CHECK_OK(rv_track_list_find(&s.list, &query, &err), err);
    CHECK_OK(rv_feature_cache_open(&s.cache, path_of(cache, sizeof cache, "cache"), &err), err);
    CHECK_OK(rv_feature_mixes_new(&s.mixes, &c, s.list, s.cache, threads, NULL, &err), err);
    return s;
}

static void close_set(set *s)
{
    rv_feature_mixes_free(s->mixes);
    rv_feature_cache_free(s->cache);
    rv_track_list_free(s->list);
}

static batch *fill(const set *s, uint64_t step)
{
    rv_error err = { 0 };
    batch *b = calloc(1, sizeof *b);
    const rv_feature_mix to = { b->mix, b->f0, b->loudness, b->voiced };
    CHECK_OK(rv_feature_mixes_fill(s->mixes, step, &to, &err), err);
    return b;
}

TEST(test_an_example_holds_the_sum_and_the_features_of_its_stems)
{
    rv_error err = { 0 };
    batch *b = calloc(1, sizeof *b);
    set s = open_set(0.5, 6, 0);
    const rv_feature_mix to = { b->mix, b->f0, b->loudness, b->voiced };
    CHECK_OK(rv_feature_mixes_example(s.mixes, 0, &to, &err), err);
    for (size_t t = 0; t < T; t++) {
        const double way = (double)t / SAMPLES, time = (double)t / RATE;
        const double low = 0.4 * pow(10, way - 1) * sin(2 * M_PI * 110 * (time + 1.0 / RATE));
        const double high = 0.4 * pow(10, -way) * sin(2 * M_PI * 400 * (time + 1.0 / RATE));
        CHECK_CLOSE(b->mix[t], low + high, 1e-5);
    }
    const size_t middle = F / 2 * STEMS;
    CHECK(b->voiced[middle] == 1 && b->voiced[middle + 1] == 1);
    CHECK(fabs((double)b->f0[middle] - 110) < 1 && fabs((double)b->f0[middle + 1] - 400) < 4);
    CHECK(b->loudness[middle] < b->loudness[middle + 1]);
    close_set(&s);
    free(b);
}

/* Song b has silence for `high`: its loudness is the lowest there is, and nothing is voiced. */
TEST(test_a_silent_stem_is_quiet_and_unvoiced)
{
    rv_error err = { 0 };
    batch *b = calloc(1, sizeof *b);
    set s = open_set(0, 0, 0);
    const rv_feature_mix to = { b->mix, b->f0, b->loudness, b->voiced };
    const size_t last = rv_feature_mixes_count(s.mixes) - 1;
    CHECK_OK(rv_feature_mixes_example(s.mixes, last, &to, &err), err);
    for (size_t t = 0; t < F; t++) {
        CHECK(b->voiced[2 * t + 1] == 0 && b->f0[2 * t + 1] > 0);
        CHECK(b->loudness[2 * t + 1] == b->loudness[1] && b->loudness[1] <= -79);
        CHECK(b->loudness[2 * t] > b->loudness[1]);
    }
    CHECK(rv_feature_mixes_example(s.mixes, last + 1, &to, &err) == RV_ERR_ARG);
    close_set(&s);
    free(b);
}

TEST(test_batches_are_functions_of_their_step)
{
    set one = open_set(1, 6, 0), three = open_set(1, 6, 3), plain = open_set(0, 0, 0);
    for (uint64_t step = 0; step < 4; step++) {
        batch *a = fill(&one, step), *b = fill(&three, step), *c = fill(&plain, step);
        CHECK(!memcmp(a, b, sizeof *a) && memcmp(a, c, sizeof *a) != 0);
        free(a), free(b), free(c);
    }
    batch *late = fill(&one, 1), *again = fill(&three, 1);
    CHECK(!memcmp(late, again, sizeof *late));
    free(late), free(again);
    close_set(&one), close_set(&three), close_set(&plain);
}

/* Trainings ------------------------------------------------------------------------------------ */

TEST(test_learns_the_features_of_a_mix)
{
    watcher w = { 0 };
    rv_error err = { 0 };
    rv_train_report r;
    const rv_train_options opt = options_of(&w, 2);
    CHECK_OK(train("learns", "train.epochs=60", &opt, &r, &err), err);
    CHECK(r.train_songs == 2 && r.valid_songs == 1 && r.n_measures == 6);
    const rv_train_measure *m = r.best_measures;
    for (int i = 0; i < r.n_measures; i++)
        printf("# %s %.3g %s\n", m[i].label, m[i].value, m[i].unit);
    CHECK(!strcmp(m[0].name, "loudness_l1") && m[0].value < 5);
    CHECK(!strcmp(m[1].name, "f0_l1") && m[1].value < 40);
    CHECK(!strcmp(m[2].name, "low_loudness_l1") && !strcmp(m[5].name, "high_f0_l1"));
    CHECK_CLOSE((m[2].value + m[4].value) / 2, m[0].value, 1e-9);
    CHECK_MSG(w.last < w.first, "validation loss %g, at first %g", w.last, w.first);
}

TEST(test_released_model)
{
    char path[200];
    rv_error err = { 0 };
    rv_checkpoint *c = NULL;
    path_of(path, sizeof path, "learns/best.safetensors");
    CHECK_OK(rv_checkpoint_open(&c, path, &err), err);
    const json_t *config = rv_checkpoint_config(c);
    const json_t *all = json_object_get(config, "kwargs");
    CHECK(!strcmp(json_string_value(json_object_get(config, "class")), RV_MCTN_CLASS));
    CHECK(!strcmp(json_string_value(json_array_get(json_object_get(all, "sources"), 1)), "high"));
    CHECK(!strcmp(json_string_value(json_object_get(all, "loudness")), "ddsp"));
    CHECK(json_integer_value(json_object_get(all, "sample_rate")) == RATE);
    CHECK(rv_checkpoint_find(c, "blocks.2.3.weight") && rv_checkpoint_find(c, "loudness.4.weight"));
    rv_checkpoint_free(c);
}

TEST(test_a_stopped_run_goes_on_exactly_with_any_threads)
{
    rv_error err = { 0 };
    rv_train_report r;
    watcher w = { 0 }, stops = { .stop_at = 4 };
    const rv_train_options one = options_of(&w, 1), cut = options_of(&stops, 3);
    const char *const more[] = { "data.augment={remix: 0.5, gain: 3}", "data.threads=2" };
    CHECK_OK(train("whole", more[0], &one, &r, &err), err);
    CHECK(train_with("cut", more, 2, &cut, &r, &err) == RV_ERR_CANCELLED);
    CHECK_OK(train("cut", more[0], &one, &r, &err), err);
    CHECK(r.resumed_at == 4);
    check_same_file("whole", "cut", "last.state");
    check_same_file("whole", "cut", "best.safetensors");
}

TEST(test_bad_recipes)
{
    check_fails("model.arguments={pitch: midi}", RV_ERR_ARG, "likelihood needs");
    check_fails("model.arguments={sources: [a]}", RV_ERR_ARG, "data.stems decides on it");
    check_fails("model.arguments={width: 3}", RV_ERR_UNSUPPORTED, "width");
    check_fails("data.segment=10", RV_ERR_ARG, "too small");
    check_fails("data.features.f0_method=crepe", RV_ERR_ARG, "needs data.features.crepe_model");
    check_refuses_silence(stems, STEMS, NULL);
}

#define BOTH "data.stems=[low, high]"
#define YIN  "data.features.f0_method=yin"

/* The recipes that are shipped, with small networks and a moment of sound; `own`: n overrides. */
static void check_recipe(const char *name, const char *const *own, size_t n)
{
    char path[400], data[200], out[200];
    rv_error err = { 0 };
    rv_train_report r;
    watcher w = { 0 };
    const rv_train_options opt = options_of(&w, 2);
    const char *from = getenv("RV_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/configs/%s.yaml", from ? from : ".", name);
    snprintf(data, sizeof data, "data.root=%s/songs", root);
    snprintf(out, sizeof out, "train.out=%s/%s", root, name);
    const char *overrides[20] = { data,
                                  out,
                                  "data.segment=0.5",
                                  "data.stride=0.5",
                                  "data.batch=2",
                                  "train.steps=2",
                                  "train.epochs=1" };
    CHECK(n <= 13);
    memcpy(overrides + 7, own, n * sizeof *own);
    CHECK_OK(rv_train(path, overrides, 7 + n, &opt, &r, &err), err);
    CHECK(r.steps == 2 && isfinite(r.best_loss) && r.valid_songs == 1);
}

#define CHECK_RECIPE(name, ...)                            \
    do {                                                   \
        const char *const own[] = { __VA_ARGS__ };         \
        check_recipe(name, own, sizeof own / sizeof *own); \
    } while (0)
#define BOTH          "data.stems=[low, high]"
#define YIN           "data.features.f0_method=yin"
#define SMALL         "model.arguments.N=8", "model.arguments.B=8", "model.arguments.H=8"
#define SMALL_DECODER "model.arguments.hidden_size=8", "model.arguments.layers=1"

TEST(test_shipped_recipes)
{
    char init[200];
    CHECK_RECIPE("mctn", BOTH, YIN, SMALL);
    CHECK_RECIPE("mctn_small", BOTH, YIN, SMALL);
    CHECK_RECIPE("mctn_decoder", "data.stems=[low]", YIN, SMALL_DECODER);
    CHECK_RECIPE("mctn_decoder_small", "data.stems=[low]", YIN, SMALL_DECODER);
    snprintf(init, sizeof init, "train.init=%s/mctn/best.safetensors", root);
    CHECK_RECIPE("mctn_ddsp", BOTH, SMALL, SMALL_DECODER, init);
    snprintf(init, sizeof init, "train.init=%s/mctn_small/best.safetensors", root);
    CHECK_RECIPE("mctn_ddsp_small", BOTH, SMALL, SMALL_DECODER, init);
}

/* All of the feature separator that is in the file is in the whole that starts from it. */
TEST(test_end_to_end_starts_from_a_feature_separator)
{
    char path[200];
    rv_error err = { 0 };
    rv_checkpoint *part = NULL, *whole = NULL;
    path_of(path, sizeof path, "mctn/best.safetensors");
    CHECK_OK(rv_checkpoint_open(&part, path, &err), err);
    path_of(path, sizeof path, "mctn_ddsp/best.safetensors");
    CHECK_OK(rv_checkpoint_open(&whole, path, &err), err);
    for (size_t i = 0; i < rv_checkpoint_count(part); i++) {
        const rv_tensor *t = rv_checkpoint_tensor(part, i);
        CHECK_MSG(rv_checkpoint_find(whole, t->name), "%s is missing", t->name);
    }
    const rv_tensor *a = rv_checkpoint_find(part, "f0.0.weight");
    const rv_tensor *b = rv_checkpoint_find(whole, "f0.0.weight");
    CHECK(!memcmp(rv_checkpoint_view(part, a), rv_checkpoint_view(whole, b),
                  a->count * sizeof(float))); /* no gradient reaches it */
    rv_checkpoint_free(part);
    rv_checkpoint_free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_example_holds_the_sum_and_the_features_of_its_stems),
        cmocka_unit_test(test_a_silent_stem_is_quiet_and_unvoiced),
        cmocka_unit_test(test_batches_are_functions_of_their_step),
        cmocka_unit_test(test_learns_the_features_of_a_mix),
        cmocka_unit_test(test_released_model),
        cmocka_unit_test(test_a_stopped_run_goes_on_exactly_with_any_threads),
        cmocka_unit_test(test_bad_recipes),
        cmocka_unit_test(test_shipped_recipes),
        cmocka_unit_test(test_end_to_end_starts_from_a_feature_separator),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
