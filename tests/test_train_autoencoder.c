/* test_train_autoencoder.c - whole trainings of a tiny DDSP autoencoder: it learns a generated
 * phrase by heart, goes on bit by bit after an interruption, and its file says what it was trained
 * on. */
#include "io/checkpoint.h"
#include "models/ddsp_autoencoder.h"
#include "training_runs.h"

#include <math.h>

enum { RATE = 4000, FRAMES = 8000 };

/* A slow scale of tones with four harmonics that swell and fade. */
static void write_phrase(const char *name, double hz)
{
    static float x[FRAMES];
    double phase = 0;
    for (size_t t = 0; t < FRAMES; t++) {
        const double time = (double)t / RATE, loud = 0.3 * (1.1 + sin(3 * time));
        phase += 2 * M_PI * hz * exp2(floor(2 * time) / 6) / RATE;
        x[t] = 0;
        for (int h = 1; h <= 4; h++)
            x[t] += (float)(loud * sin(h * phase) / (h * h));
    }
    write_sound(name, x, FRAMES, RATE);
}

static const char recipe[] =
    "model:\n"
    "  name: ddsp_autoencoder\n"
    "  arguments: {hidden_size: 24, layers: 1, n_harmonic: 8, n_bands: 9, hop: 40,\n"
    "              reverb_length: 400}\n"
    "data:\n"
    "  stems: [lead]\n"
    "  sample_rate: 4000\n"
    "  segment: 0.5\n"
    "  stride: 0.5\n"
    "  batch: 3\n"
    "  features: {f0_method: yin, f0_min: 80, f0_max: 800}\n"
    "loss: {terms: [{kind: spectral, n_fft: [256, 64], logmag: 1}]}\n"
    "optimiser: {lr: 1e-2, clip_norm: 3}\n"
    "train: {epochs: 3, save_every: 2, ema: [0.9], log_every: 1}\n";

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(root))
        return -1;
    setenv("XDG_CACHE_HOME", root, 1);
    write_phrase("train/a/lead.wav", 200);
    write_phrase("train/b/lead.wav", 260);
    write_phrase("valid/a/lead.wav", 200); /* it is learned by heart */
    return write_recipe(recipe);
}

TEST(test_learns_a_phrase)
{
    watcher w = { 0 };
    rv_error err = { 0 };
    rv_train_report r;
    const rv_train_options opt = options_of(&w, 2);
    CHECK_OK(train("learns", "train.epochs=150", &opt, &r, &err), err);
    printf("# loss %.3g to %.3g, loudness within %.2g dB, pitch within %.2g semitones\n", w.first,
           w.last, r.best_measures[0].value, r.best_measures[1].value);
    CHECK(r.train_songs == 2 && r.valid_songs == 1 && r.silent_songs == 0 && r.n_measures == 2);
    CHECK_MSG(w.last < 0.2 * w.first, "validation loss %g, at first %g", w.last, w.first);
    CHECK(!strcmp(r.best_measures[0].name, "loudness_l1") && r.best_measures[0].value < 2);
    CHECK(!strcmp(r.best_measures[1].name, "f0_l1") && r.best_measures[1].value < 0.5);
}

static rv_checkpoint *open_best(const char *out)
{
    char path[200], name[60];
    rv_error err = { 0 };
    rv_checkpoint *c = NULL;
    snprintf(name, sizeof name, "%s/best.safetensors", out);
    CHECK_OK(rv_checkpoint_open(&c, path_of(path, sizeof path, name), &err), err);
    return c;
}

static double argument(const rv_checkpoint *c, const char *name)
{
    const json_t *all = json_object_get(rv_checkpoint_config(c), "kwargs");
    const json_t *value = json_object_get(all, name);
    CHECK_MSG(json_is_number(value), "no argument %s", name);
    return json_number_value(value);
}

/* What it was trained on is in the file: loudness, pitch, and how these were measured. */
TEST(test_released_model)
{
    rv_checkpoint *c = open_best("learns");
    const json_t *config = rv_checkpoint_config(c);
    const json_t *all = json_object_get(config, "kwargs");
    CHECK(!strcmp(json_string_value(json_object_get(config, "class")), RV_AUTOENCODER_CLASS));
    CHECK(!strcmp(json_string_value(json_object_get(all, "f0_method")), "yin"));
    CHECK(argument(c, "sample_rate") == RATE && argument(c, "hop") == 40);
    /* From 20 log10(0.03) to 20 log10(0.63) and what the measure adds. */
    const double deviation = argument(c, "loudness_std"), mean = argument(c, "loudness_mean");
    CHECK_MSG(deviation > 3 && deviation < 12, "deviation %g dB of %g dB", deviation, mean);
    /* 200 and 260 Hz are 55.3 and 59.9; the scale's mean is 3 above them. */
    const double pitch = argument(c, "pitch_mean");
    CHECK_MSG(fabs(pitch - 60.6) < 0.5, "mean pitch %g", pitch);
    CHECK(rv_checkpoint_find(c, "gru.weight_ih_l0") && rv_checkpoint_find(c, "reverb.ir"));
    rv_checkpoint_free(c);
}

TEST(test_same_bits_for_any_number_of_threads)
{
    rv_error err = { 0 };
    rv_train_report r;
    watcher w = { 0 };
    const rv_train_options one = options_of(&w, 1), three = options_of(&w, 3);
    CHECK_OK(train("one", "data.threads=0", &one, &r, &err), err);
    CHECK_OK(train("three", "data.threads=3", &three, &r, &err), err);
    check_same_file("one", "three", "last.state");
    check_same_file("one", "three", "best.safetensors");
}

TEST(test_a_stopped_run_goes_on_exactly)
{
    rv_error err = { 0 };
    rv_train_report r;
    char cache[120];
    watcher stop = { .stop_at = 3 }, on = { 0 };
    rv_train_options opt = options_of(&stop, 1);
    CHECK(train("stop", NULL, &opt, &r, &err) == RV_ERR_CANCELLED);
    opt = options_of(&on, 2);
    snprintf(cache, sizeof cache, "data.features.cache=%s/elsewhere", root);
    CHECK_OK(train("stop", cache, &opt, &r, &err), err);
    CHECK(r.resumed_at == 3);
    check_same_file("one", "stop", "last.state");
    check_same_file("one", "stop", "best.safetensors");
    check_same_file("one", "stop", "log.jsonl");
}

/* Each kind of room and encoder: two steps. */
TEST(test_other_models)
{
    static const char *const changes[] = {
        "model.arguments.reverb=decay", "model.arguments.reverb=none",
        "model.arguments={style: ddsp_pytorch, hidden_size: 8, n_harmonic: 4, hop: 40, "
        "reverb_length: 400, n_bands: 9}",
        "model.arguments={z_encoder: mfcc_rnn, z: 4, z_hidden: 8, hidden_size: 8, hop: 40, "
        "reverb: none}",
        "model.arguments={reverb: noise, reverb_length: 400, reverb_frames: 10, hop: 40, "
        "hidden_size: 8}"
    };
    rv_error err = { 0 };
    rv_train_report r;
    rv_train_options opt;
    rv_train_defaults(&opt);
    opt.dry_run = 1;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        CHECK_OK(train("dry", changes[i], &opt, &r, &err), err);
}

static int stop_measuring(void *ctx, const rv_train_progress *p)
{
    int *seen = ctx;
    *seen += p->preparing;
    return 1;
}

TEST(test_measuring_can_be_stopped)
{
    rv_error err = { 0 };
    rv_train_report r;
    rv_train_options opt;
    int seen = 0;
    rv_train_defaults(&opt);
    opt.progress = stop_measuring;
    opt.progress_ctx = &seen;
    CHECK(train("never", "data.features.f0_max=801", &opt, &r, &err) == RV_ERR_CANCELLED);
    CHECK(seen > 0);
}

TEST(test_bad_recipes)
{
    check_fails("data.stems=[lead, bass]", RV_ERR_ARG, "data.stems: 2 stems, one");
    check_fails("data.channels=2", RV_ERR_FORMAT, "data.channels");
    check_fails("data.augment.gain=1", RV_ERR_FORMAT, "data.augment");
    check_fails("data.features.f0_methd=yin", RV_ERR_FORMAT, "data.features.f0_method");
    check_fails("model.arguments.hiden_size=8", RV_ERR_UNSUPPORTED, "hiden_size");
    check_fails("model.arguments.f0_encoder=learned", RV_ERR_UNSUPPORTED, "f0_encoder");
    check_fails("data.features.f0_max=20", RV_ERR_ARG, "f0_m");
    check_fails("data.batch=1000", RV_ERR_ARG, "1000");
    check_fails("data.stems=[flute]", RV_ERR_IO, "no songs of these stems");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns_a_phrase),
        cmocka_unit_test(test_released_model),
        cmocka_unit_test(test_same_bits_for_any_number_of_threads),
        cmocka_unit_test(test_a_stopped_run_goes_on_exactly),
        cmocka_unit_test(test_other_models),
        cmocka_unit_test(test_measuring_can_be_stopped),
        cmocka_unit_test(test_bad_recipes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
