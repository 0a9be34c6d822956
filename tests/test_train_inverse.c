/* test_train_inverse.c - synthetic notes, which are functions of seed and number, and whole
 * trainings of a tiny DDSP-inv on them: it finds pitches of notes that it has not seen, goes on bit
 * by bit after an interruption, and takes real sound beside them. */
#include "io/checkpoint.h"
#include "models/ddsp_inverse.h"
#include "train/synthetic_notes.h"
#include "training_runs.h"

#include <math.h>

enum { RATE = 4000, SAMPLES = 6000 };

static const char recipe[] =
    "model:\n"
    "  name: ddsp_inv\n"
    "  arguments: {n_fft: 256, hop: 128, mel_bands: 48, first: 8, channels: 2, blocks: 1,\n"
    "              sinusoids: 6, depth: 16, n_bands: 5, hidden_size: 24, layers: 1, gru: 16,\n"
    "              n_harmonic: 8, f0_depth: 16, f0_min: 60, through: true}\n"
    "data:\n"
    "  stems: [lead]\n"
    "  sample_rate: 4000\n"
    "  segment: 0.4\n"
    "  batch: 4\n"
    "  notes: {lowest: 48, highest: 72, shortest: 0.1, longest: 0.4, valid: 16}\n"
    "loss: {deviation: 2, consistency: 0.1}\n"
    "optimiser: {lr: 1e-2, clip_norm: 1}\n"
    "train: {epochs: 2, steps: 4, save_every: 3, ema: [0.5], log_every: 1}\n";

static int set_up(void **state)
{
    static float x[SAMPLES];
    (void)state;
    if (!mkdtemp(root))
        return -1;
    for (size_t t = 0; t < SAMPLES; t++)
        x[t] = (float)(0.3 * sin(2 * M_PI * 220 * (double)t / RATE));
    write_sound("train/a/lead.wav", x, SAMPLES, RATE);
    return write_recipe(recipe);
}

/* Notes ---------------------------------------------------------------------------------------- */

enum { FRAMES = 40, HARMONICS = 12, BANDS = 7 };

typedef struct {
    float amplitude[FRAMES], distribution[FRAMES * HARMONICS], f0[FRAMES];
    float magnitudes[FRAMES * BANDS];
} notes;

static notes notes_of(uint64_t seed, uint64_t index)
{
    notes n;
    rv_notes_config c = rv_notes_defaults();
    c.frames = FRAMES;
    c.n_harmonic = HARMONICS;
    c.bands = BANDS;
    c.seed = seed;
    rv_notes_fill(&c, index, n.amplitude, n.distribution, n.f0, n.magnitudes);
    return n;
}

TEST(test_notes_are_functions_of_seed_and_number)
{
    const notes a = notes_of(3, 5), b = notes_of(3, 5), c = notes_of(3, 6), d = notes_of(4, 5);
    CHECK(!memcmp(&a, &b, sizeof a) && memcmp(&a, &c, sizeof a) && memcmp(&a, &d, sizeof a));
}

TEST(test_notes_are_controls)
{
    size_t silent = 0;
    double lowest = INFINITY, highest = 0;
    for (uint64_t i = 0; i < 50; i++) {
        const notes n = notes_of(1, i);
        for (size_t t = 0; t < FRAMES; t++) {
            double sum = 0;
            for (size_t k = 0; k < HARMONICS; k++) {
                const double x = (double)n.distribution[t * HARMONICS + k];
                CHECK(x >= 0 && (x == 0 || (double)n.f0[t] * (double)(k + 1) < 8000));
                sum += x;
            }
            CHECK_CLOSE(sum, 1, 1e-5);
            CHECK((double)n.amplitude[t] > 0 && (double)n.amplitude[t] <= 2.0001);
            silent += (double)n.amplitude[t] < 1e-4;
            lowest = fmin(lowest, (double)n.f0[t]);
            highest = fmax(highest, (double)n.f0[t]);
        }
        for (size_t k = 0; k < FRAMES * BANDS; k++)
            CHECK((double)n.magnitudes[k] > 0 && (double)n.magnitudes[k] <= 2.0001);
    }
    /* 24 is 32.7 Hz, 84 is 1046.5 Hz; vibrato, glides and wavering go beyond. */
    CHECK(lowest > 25 && lowest < 40 && highest > 850 && highest < 1400);
    CHECK_MSG(silent > 50 * FRAMES / 20 && silent < 50 * FRAMES / 5, "%zu silent frames", silent);
}

/* Spectra that fall, sines, quiet examples; what else there is stays as it was. */
TEST(test_notes_that_fall)
{
    notes n, level;
    size_t sines = 0, full = 0;
    double high = 0, high_level = 0, quietest = 1;
    rv_notes_config c = rv_notes_defaults();
    c.frames = FRAMES;
    c.n_harmonic = HARMONICS;
    c.bands = BANDS;
    c.silent = 0;
    for (uint64_t i = 0; i < 50; i++) {
        c.fall = c.quiet = c.few = 0;
        rv_notes_fill(&c, i, level.amplitude, level.distribution, level.f0, level.magnitudes);
        c.fall = 24;
        c.quiet = 40;
        c.few = 0.5;
        rv_notes_fill(&c, i, n.amplitude, n.distribution, n.f0, n.magnitudes);
        CHECK(!memcmp(n.f0, level.f0, sizeof n.f0));
        const double quiet = (double)(n.amplitude[0] / level.amplitude[0]);
        quietest = fmin(quietest, quiet);
        for (size_t t = 0; t < FRAMES; t++) {
            const float *d = n.distribution + t * HARMONICS;
            CHECK_CLOSE(n.amplitude[t] / level.amplitude[t], quiet, 1e-5);
            CHECK_CLOSE(n.magnitudes[t] / level.magnitudes[t], quiet, 1e-5);
            CHECK(d[0] > 0);
            sines += d[1] == 0;
            full += d[HARMONICS - 1] > 0;
            high += (double)d[HARMONICS / 2];
            high_level += (double)level.distribution[t * HARMONICS + HARMONICS / 2];
        }
    }
    CHECK_MSG(sines > 50 * FRAMES / 20 && full > 50 * FRAMES / 4, "%zu sines, %zu full", sines,
              full);
    CHECK(high < high_level / 2);
    CHECK(quietest < 0.03 && quietest >= 0.01);
}

/* Trainings ------------------------------------------------------------------------------------ */

/* On notes alone; where there is more to say, for four epochs. */
static rv_status train_notes(const char *out, const char *more, const rv_train_options *opt,
                             rv_train_report *report, rv_error *err)
{
    char path[200], folder[200];
    snprintf(folder, sizeof folder, "train.out=%s/%s", root, out);
    const char *const overrides[] = { folder, more, "train.epochs=4" };
    return rv_train(path_of(path, sizeof path, "recipe.yaml"), overrides, more ? 3 : 1, opt, report,
                    err);
}

TEST(test_finds_pitches_of_notes_it_has_not_seen)
{
    watcher w = { 0 };
    rv_error err = { 0 };
    rv_train_report r;
    rv_checkpoint *c = NULL;
    char path[200];
    const rv_train_options opt = options_of(&w, 2);
    CHECK_OK(train_notes("learns", "train.steps=100", &opt, &r, &err), err);
    printf("# loss %.3g to %.3g, %.1f %% of pitches\n", w.first, w.last, r.best_measures[0].value);
    CHECK(!strcmp(r.layout, "notes") && r.train_songs == 0 && r.steps == 400);
    CHECK_MSG(w.last < 0.8 * w.first, "validation loss %g, at first %g", w.last, w.first);
    /* A semitone of 24 that one could guess is 4 %. */
    CHECK(!strcmp(r.best_measures[0].name, "raw_pitch") && r.best_measures[0].value > 16);
    path_of(path, sizeof path, "learns/best.safetensors");
    CHECK_OK(rv_checkpoint_open(&c, path, &err), err);
    const json_t *config = rv_checkpoint_config(c);
    const json_t *arguments = json_object_get(config, "kwargs");
    CHECK(!strcmp(json_string_value(json_object_get(config, "class")), RV_INVERSE_CLASS));
    CHECK(json_integer_value(json_object_get(arguments, "sample_rate")) == RATE);
    CHECK(rv_checkpoint_find(c, "harmonic_encoder.gru.weight_ih_l0"));
    rv_checkpoint_free(c);
}

TEST(test_a_stopped_run_goes_on_exactly_with_any_threads)
{
    rv_error err = { 0 };
    rv_train_report r;
    watcher w = { 0 }, stops = { .stop_at = 5 };
    const rv_train_options one = options_of(&w, 1), cut = options_of(&stops, 3);
    CHECK_OK(train_notes("whole", NULL, &one, &r, &err), err);
    CHECK(train_notes("cut", NULL, &cut, &r, &err) == RV_ERR_CANCELLED);
    CHECK_OK(train_notes("cut", NULL, &one, &r, &err), err);
    CHECK(r.resumed_at > 0);
    check_same_file("whole", "cut", "last.state");
    check_same_file("whole", "cut", "best.safetensors");
}

TEST(test_real_sound_beside_notes)
{
    rv_error err = { 0 };
    rv_train_report r;
    watcher w = { 0 };
    const rv_train_options opt = options_of(&w, 2);
    const char *const more[] = {
        "loss={audio: 1, terms: [{kind: spectral, n_fft: [256, 64], logmag: 1}]}",
        "data.stride=0.2",
    };
    CHECK_OK(train_with("real", more, 2, &opt, &r, &err), err);
    CHECK(r.train_songs == 1 && r.steps > 0 && isfinite(w.last));
}

TEST(test_bad_recipes)
{
    rv_error err = { 0 };
    CHECK(train_notes("bad", "data.segment=0.02", NULL, NULL, &err) == RV_ERR_ARG);
    CHECK_MSG(strstr(err.text, "data.segment: 80 frames"), "%s", err.text);
    CHECK(train_notes("bad", "data.notes={lowest: 80, highest: 40}", NULL, NULL, &err) ==
          RV_ERR_ARG);
    CHECK_MSG(strstr(err.text, "lowest above highest"), "%s", err.text);
    CHECK(train_notes("bad", "model.arguments={size: huge}", NULL, NULL, &err) == RV_ERR_ARG);
    CHECK_MSG(strstr(err.text, "size is huge"), "%s", err.text);
    CHECK(train_notes("bad", "data.stems=[a, b]", NULL, NULL, &err) == RV_ERR_ARG);
    CHECK_MSG(strstr(err.text, "2 stems, one is expected"), "%s", err.text);
    check_refuses_silence((const char *const[]){ "lead" }, 1,
                          "loss={audio: 1, terms: [{kind: spectral, n_fft: [256]}]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notes_are_functions_of_seed_and_number),
        cmocka_unit_test(test_notes_are_controls),
        cmocka_unit_test(test_notes_that_fall),
        cmocka_unit_test(test_finds_pitches_of_notes_it_has_not_seen),
        cmocka_unit_test(test_a_stopped_run_goes_on_exactly_with_any_threads),
        cmocka_unit_test(test_real_sound_beside_notes),
        cmocka_unit_test(test_bad_recipes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
