/* test_train_autoencoder.c - whole trainings of a tiny DDSP autoencoder: it learns a generated
 * phrase by heart, goes on bit by bit after an interruption, and its file says what it was trained
 * on. */
#include "crepe_files.h"
#include "infer/autoencoder_network.h"
#include "io/checkpoint.h"
#include "ravel/features.h"
#include "train/autoencoder_recipe.h"
#include "train/resynthesis.h"
#include "training_runs.h"

#include <math.h>
#include <signal.h>

enum { RATE = 4000, FRAMES = 8000, HOP = 40 };

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
    printf("# loss %.3g to %.3g, loudness within %.2g dB, pitch within %.2g semitones, "
           "%.2g %% lost\n",
           w.first, w.last, r.best_measures[0].value, r.best_measures[1].value,
           r.best_measures[2].value);
    CHECK(r.train_songs == 2 && r.valid_songs == 1 && r.silent_songs == 0 && r.n_measures == 3);
    CHECK_MSG(w.last < 0.2 * w.first, "validation loss %g, at first %g", w.last, w.first);
    CHECK(!strcmp(r.best_measures[0].name, "loudness_l1") && r.best_measures[0].value < 2);
    CHECK(!strcmp(r.best_measures[1].name, "f0_l1") && r.best_measures[1].value < 0.2);
    CHECK(!strcmp(r.best_measures[2].name, "f0_lost") && r.best_measures[2].value < 10);
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

/* At step 3, in the middle of writing nothing: the last state is that of step 2. */
static int kill_at_3(void *ctx, const rv_train_progress *p)
{
    (void)ctx;
    if (!p->preparing && p->step == 3)
        raise(SIGKILL);
    return 0;
}

TEST(test_a_killed_run_goes_on_exactly)
{
    rv_error err = { 0 };
    rv_train_report r;
    watcher on = { 0 };
    rv_train_options opt = options_of(&on, 1);
    opt.progress = kill_at_3;
    const pid_t child = fork();
    if (child == 0)
        _exit(train("killed", NULL, &opt, &r, &err) == RV_OK ? 1 : 2);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    opt = options_of(&on, 2);
    CHECK_OK(train("killed", NULL, &opt, &r, &err), err);
    CHECK_MSG(r.resumed_at == 2, "resumed at %d", (int)r.resumed_at);
    check_same_file("one", "killed", "last.state");
    check_same_file("one", "killed", "best.safetensors");
    check_same_file("one", "killed", "log.jsonl");
}

/* Kinds of models ------------------------------------------------------------------------- */

/* The graph of what a file's configuration says; its parameters are all that the file has. */
static void check_parameters(const rv_checkpoint *c, const rv_autoencoder_config *m)
{
    enum { MOST = 200 };
    rv_error err = { 0 };
    rv_graph *g;
    nn_builder b;
    rv_expected want[MOST] = { 0 };
    size_t n = 0;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    nn_begin(&b, g);
    const rv_autoencoder_inputs in = { .f0 = rv_input(g, RV_SHAPE(1, 4, 1)),
                                       .loudness = rv_input(g, RV_SHAPE(1, 4, 1)),
                                       .mfcc = rv_input(g, RV_SHAPE(1, 4, RV_AUTOENCODER_MFCC)),
                                       .noise = rv_input(g, RV_SHAPE(1, 4 * HOP)),
                                       .reverb_noise = rv_input(g, RV_SHAPE(1, m->reverb_length)) };
    rv_autoencoder(&b, m, &in);
    CHECK_OK(rv_graph_status(g, &err), err);
    for (const nn_param *p = b.params; p && n < MOST; p = p->next, n++) {
        want[n] = (rv_expected){ .name = p->name, .rank = p->node->shape.rank };
        memcpy(want[n].shape, p->node->shape.d, (size_t)want[n].rank * sizeof want[n].shape[0]);
    }
    CHECK_OK(rv_checkpoint_match(c, want, n, &err), err);
    rv_graph_free(g);
}

static rv_autoencoder_config check_release(const char *out)
{
    rv_error err = { 0 };
    rv_autoencoder_config m;
    rv_checkpoint *c = open_best(out);
    json_t *all = json_deep_copy(json_object_get(rv_checkpoint_config(c), "kwargs"));
    CHECK_OK(rv_autoencoder_from_json(&m, all, &err), err);
    check_parameters(c, &m);
    json_decref(all);
    rv_checkpoint_free(c);
    return m;
}

static rv_autoencoder_config check_learns(const char *out, const char *arguments)
{
    watcher w = { 0 };
    rv_error err = { 0 };
    rv_train_report r;
    const rv_train_options opt = options_of(&w, 1);
    const char *const more[] = { arguments, "train.epochs=12" };
    CHECK_OK(train_with(out, more, 2, &opt, &r, &err), err);
    printf("# %s: loss %.3g to %.3g\n", out, w.first, w.last);
    CHECK_MSG(w.last < 0.8 * w.first, "%s: loss %g, at first %g", out, w.last, w.first);
    return check_release(out);
}

TEST(test_ddsp_pytorch_learns)
{
    const rv_autoencoder_config m =
        check_learns("pytorch", "model.arguments={style: ddsp_pytorch, hidden_size: 24, layers: 1, "
                                "n_harmonic: 8, hop: 40, reverb_length: 400, n_bands: 9}");
    CHECK(m.style == RV_STYLE_DDSP_PYTORCH && m.reverb == RV_REVERB_WET && m.hop == HOP);
    CHECK(m.features.loudness == RV_LOUDNESS_DDSP_PYTORCH);
}

TEST(test_rooms_learn)
{
    const rv_autoencoder_config decay =
        check_learns("decay", "model.arguments={reverb: decay, hidden_size: 24, layers: 1, "
                              "n_harmonic: 8, n_bands: 9, hop: 40, reverb_length: 400}");
    const rv_autoencoder_config noise =
        check_learns("noise", "model.arguments={reverb: noise, reverb_frames: 10, hidden_size: 24, "
                              "layers: 1, n_harmonic: 8, n_bands: 9, hop: 40, reverb_length: 400}");
    CHECK(decay.reverb == RV_REVERB_DECAY && noise.reverb == RV_REVERB_NOISE);
}

TEST(test_z_learns)
{
    const rv_autoencoder_config m =
        check_learns("z", "model.arguments={z_encoder: mfcc_rnn, z: 4, z_hidden: 8, layers: 1, "
                          "hidden_size: 24, n_harmonic: 8, n_bands: 9, hop: 40, reverb: none}");
    CHECK(m.z_encoder == RV_Z_MFCC_RNN && m.decoder.z == 4 && m.reverb == RV_REVERB_NONE);
}

/* CREPE ----------------------------------------------------------------------------------- */

/* The override that names weights of this width, which are made. */
static const char *crepe_model(char *override, size_t room, const char *name, size_t width)
{
    char path[100];
    write_crepe(path_of(path, sizeof path, name), width, 0);
    snprintf(override, room,
             "data.features={f0_method: crepe, crepe_model: %s, f0_min: 80, f0_max: 800}", path);
    return override;
}

/* In the cache there is the pitch that `ravel features` finds with these weights. */
static void check_measured_by(const char *weights)
{
    char song[100], out[100], model[100];
    rv_error err = { 0 };
    rv_features_options opt;
    rv_features_report r;
    rv_features_defaults(&opt);
    opt.features = "f0";
    opt.frame_rate = (double)RATE / HOP;
    opt.f0_method = RV_F0_CREPE;
    opt.crepe.model = path_of(model, sizeof model, weights);
    opt.f0_min = 80;
    opt.f0_max = 800;
    CHECK_OK(rv_features_file(path_of(song, sizeof song, "songs/train/b/lead.wav"),
                              path_of(out, sizeof out, "features"), &opt, &r, &err),
             err);
    CHECK_MSG(r.found == 1 && r.measured == 0, "%d found", (int)r.found);
}

TEST(test_crepe_finds_pitch)
{
    char small[200], moved[200], other[200];
    watcher stop = { .stop_at = 2 }, on = { 0 };
    rv_error err = { 0 };
    rv_train_report r;
    rv_train_options opt = options_of(&stop, 2);
    crepe_model(small, sizeof small, "small.safetensors", 1);
    crepe_model(moved, sizeof moved, "moved.safetensors", 1);
    crepe_model(other, sizeof other, "other.safetensors", 2);
    CHECK(train("crepe", small, &opt, &r, &err) == RV_ERR_CANCELLED);
    check_measured_by("small.safetensors");
    opt = options_of(&on, 1);
    CHECK(train("crepe", other, &opt, &r, &err) == RV_ERR_ARG);
    CHECK_MSG(strstr(err.text, "data"), "%s", err.text);
    CHECK_OK(train("crepe", moved, &opt, &r, &err), err);
    CHECK(r.resumed_at == 2);
    CHECK(check_release("crepe").features.tracker == RV_TRACKER_CREPE);
}

/* Pitch that the model finds itself ---------------------------------------------------------- */

#define LEARNED                                                                            \
    "model.arguments={f0_encoder: learned, f0_first: 4, f0_channels: 2, f0_blocks: 1, "    \
    "f0_bins: 16, mel_rate: 25, mel_bands: 16, hidden_size: 8, layers: 1, n_harmonic: 8, " \
    "n_bands: 9, hop: 40, reverb: none}"

/* Its loss falls, and its file is a model. */
TEST(test_learns_with_its_own_pitch)
{
    static const char *const more[] = { LEARNED, "train.epochs=12" };
    watcher w = { 0 };
    rv_error err = { 0 };
    rv_train_report r;
    char path[200];
    rv_autoencoder_network *n = NULL;
    const rv_train_options opt = options_of(&w, 2);
    CHECK_OK(train_with("own", more, 2, &opt, &r, &err), err);
    CHECK_MSG(w.last < 0.8 * w.first, "validation loss %g, at first %g", w.last, w.first);
    CHECK_OK(rv_autoencoder_network_open(&n, path_of(path, sizeof path, "own/best.safetensors"),
                                         NULL, &err),
             err);
    const rv_autoencoder_config *c = rv_autoencoder_network_config(n);
    CHECK(c->f0_encoder == RV_F0_LEARNED && c->features.mel_rate == 25 && c->pitch_mean > 0);
    rv_autoencoder_network_free(n);
}

enum { OWN_FRAMES = 20, OWN_HOP = 40, OWN_SAMPLES = OWN_FRAMES * OWN_HOP };

static double largest(const nn_param *p, const real *gradient)
{
    double most = 0;
    for (size_t i = 0; i < rv_shape_count(&p->node->shape); i++)
        most = fmax(most, fabs((double)gradient[i]));
    return most;
}

/* Gradients reach the encoder of pitch, which hears the audio alone: f0 is no number here. */
TEST(test_own_pitch_hears_the_audio)
{
#define A(name_, value_)                                       \
    {                                                          \
        .name = name_, .kind = RV_ARG_NUMBER, .number = value_ \
    }
#define T(name_, value_)                                   \
    {                                                      \
        .name = name_, .kind = RV_ARG_TEXT, .text = value_ \
    }
    const rv_arg arg[] = { T("f0_encoder", "learned"), T("reverb", "none"), A("f0_first", 4),
                           A("f0_channels", 2),        A("f0_blocks", 1),   A("f0_bins", 16),
                           A("mel_rate", 25),          A("mel_bands", 16),  A("hidden_size", 8),
                           A("n_harmonic", 4),         A("n_bands", 9),     A("hop", OWN_HOP),
                           A("sample_rate", RATE) };
#undef A
#undef T
    static float audio[OWN_SAMPLES], noise[OWN_SAMPLES], loudness[OWN_FRAMES], f0[OWN_FRAMES];
    static const float none[1];
    const float *const in[RV_RESYNTHESIS_INPUTS] = { audio, loudness, f0, noise, none, NULL };
    rv_error err = { 0 };
    rv_autoencoder_config c;
    const rv_loss_config loss = { .n = 1, .term = { rv_loss_term_defaults(RV_LOSS_SPECTRAL) } };
    const rv_resynthesis r = { &c, &loss, OWN_FRAMES };
    rv_learner *l = NULL;
    CHECK_OK(rv_autoencoder_configure(&c, &(rv_args){ arg, sizeof arg / sizeof *arg }, &err), err);
    CHECK_OK(rv_resynthesis_learner(&l, &r, 1, false, NULL, &err), err);
    rv_learner_initialise(l, 1);
    for (size_t t = 0; t < OWN_SAMPLES; t++)
        audio[t] = (float)(0.3 * sin(2 * M_PI * 300 * (double)t / RATE));
    for (size_t t = 0; t < OWN_FRAMES; t++)
        f0[t] = NAN;
    const double first = rv_learner_step(l, in, true, 1);
    CHECK(isfinite(first));
    size_t of_pitch = 0, at = 0;
    for (const nn_param *p = rv_learner_params(l); p; p = p->next) {
        if (!strncmp(p->name, "f0_encoder.", 11) && strstr(p->name, "weight")) {
            of_pitch++;
            CHECK_MSG(largest(p, rv_learner_gradients(l) + at) > 0, "%s has no gradient", p->name);
        }
        at += rv_shape_count(&p->node->shape);
    }
    CHECK(of_pitch > 10);
    rv_learner_free(l);
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
    check_fails("model.arguments={f0_encoder: learned, mel_rate: 0.1}", RV_ERR_ARG, "mel_rate");
    check_fails("data.features.f0_max=20", RV_ERR_ARG, "f0_m");
    check_fails("data.features.f0_method=crepe", RV_ERR_ARG, "needs data.features.crepe_model");
    check_fails("data.features={f0_method: crepe, crepe_model: /nowhere}", RV_ERR_IO, "/nowhere");
    check_fails("data.batch=1000", RV_ERR_ARG, "1000");
    check_fails("data.stems=[flute]", RV_ERR_IO, "no songs of these stems");
    check_refuses_silence((const char *const[]){ "lead" }, 1, NULL);
}

/* What the data decides is not overwritten in silence. */
TEST(test_arguments_that_data_decides)
{
    static const char *const pairs[][2] = {
        { "f0_method=crepe", "data.features.f0_method" },
        { "f0_min=100", "data.features.f0_min" },
        { "f0_max=700", "data.features.f0_max" },
        { "loudness=ddsp1", "data.features.loudness" },
        { "sample_rate=4000", "data.sample_rate" },
        { "sampling_rate=4000", "data.sample_rate" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char override[80];
        snprintf(override, sizeof override, "model.arguments.%s", pairs[i][0]);
        check_fails(override, RV_ERR_ARG, pairs[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns_a_phrase),
        cmocka_unit_test(test_released_model),
        cmocka_unit_test(test_same_bits_for_any_number_of_threads),
        cmocka_unit_test(test_a_stopped_run_goes_on_exactly),
        cmocka_unit_test(test_a_killed_run_goes_on_exactly),
        cmocka_unit_test(test_ddsp_pytorch_learns),
        cmocka_unit_test(test_rooms_learn),
        cmocka_unit_test(test_z_learns),
        cmocka_unit_test(test_crepe_finds_pitch),
        cmocka_unit_test(test_learns_with_its_own_pitch),
        cmocka_unit_test(test_own_pitch_hears_the_audio),
        cmocka_unit_test(test_measuring_can_be_stopped),
        cmocka_unit_test(test_bad_recipes),
        cmocka_unit_test(test_arguments_that_data_decides),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
