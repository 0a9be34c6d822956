/* test_trainer.c - whole trainings of a tiny model on generated songs: it learns, it goes on bit by
 * bit after any interruption, and it explains bad input. */
#include "base/rng.h"
#include "check.h"
#include "io/audio_write.h"
#include "io/checkpoint.h"
#include "ravel/separate.h"
#include "ravel/train.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RATE = 8000, FRAMES = 12000 };

static char root[64] = "/tmp/ravel-trainer-XXXXXX";

static char *path_of(char *path, size_t room, const char *name)
{
    snprintf(path, room, "%s/%s", root, name);
    return path;
}

/* Drums: bursts of noise; bass: a low tone, another for each song. */
static float sample(size_t stem, size_t song, size_t t)
{
    const double time = (double)t / RATE;
    if (stem == 0)
        return t % 2000 < 300 ? (float)(0.3 * (2 * rv_rng_uniform(1, song, t) - 1)) : 0;
    return (float)(0.4 * sin(6.283185307 * (80 + 15 * (double)song) * time));
}

static void write_song(const char *set, size_t song)
{
    static const char *const names[] = { "drums", "bass" };
    static float x[FRAMES];
    for (size_t s = 0; s < 2; s++) {
        char path[200];
        rv_error err = { 0 };
        rv_audio_writer *w = NULL;
        rv_audio_writer_options opt = rv_audio_writer_defaults();
        const float *const planar[] = { x };
        opt.channels = 1;
        opt.sample_rate = RATE;
        opt.bits = 32;
        snprintf(path, sizeof path, "%s/songs/%s/song%zu/%s.wav", root, set, song, names[s]);
        for (size_t t = 0; t < FRAMES; t++)
            x[t] = sample(s, song, t);
        CHECK_OK(rv_audio_writer_open(&w, path, &opt, &err), err);
        CHECK_OK(rv_audio_writer_write(w, planar, FRAMES, &err), err);
        CHECK_OK(rv_audio_writer_commit(w, &err), err);
        rv_audio_writer_free(w);
    }
}

static const char recipe[] =
    "model: {name: conv_tasnet, arguments: {N: 16, L: 16, B: 8, H: 16, P: 3, X: 2, R: 1}}\n"
    "data:\n"
    "  stems: [drums, bass]\n"
    "  sample_rate: 8000\n"
    "  channels: 1\n"
    "  segment: 0.25\n"
    "  stride: 0.25\n"
    "  batch: 3\n"
    "  augment: {remix: 1, gain: 1, flip_sign: true}\n"
    "loss: {terms: [{kind: mse}]}\n"
    "optimiser: {lr: 1e-2, clip_norm: 5}\n"
    "train: {epochs: 3, save_every: 2, ema: [0.9], log_every: 1}\n";

static int set_up(void **state)
{
    (void)state;
    char path[200];
    if (!mkdtemp(root))
        return -1;
    write_song("train", 0);
    write_song("train", 1);
    write_song("valid", 2);
    FILE *f = fopen(path_of(path, sizeof path, "recipe.yaml"), "w");
    fputs(recipe, f);
    return fclose(f);
}

static int tear_down(void **state)
{
    (void)state;
    char command[120];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

/* Train into folder `out`; `more`: one further override, or NULL. */
static rv_status train(const char *out, const char *more, const rv_train_options *opt,
                       rv_train_report *report, rv_error *err)
{
    char path[200], data[200], folder[200];
    snprintf(data, sizeof data, "data.root=%s/songs", root);
    snprintf(folder, sizeof folder, "train.out=%s/%s", root, out);
    const char *const overrides[] = { data, folder, more };
    return rv_train(path_of(path, sizeof path, "recipe.yaml"), overrides, more ? 3 : 2, opt, report,
                    err);
}

static char *read_file(const char *folder, const char *name, size_t *size)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s/%s", root, folder, name);
    FILE *f = fopen(path, "rb");
    CHECK_MSG(f, "%s is missing", path);
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    char *data = malloc(*size + 1);
    CHECK(fread(data, 1, *size, f) == *size);
    fclose(f);
    return data;
}

static void check_same_file(const char *a, const char *b, const char *name)
{
    size_t n, m;
    char *x = read_file(a, name, &n), *y = read_file(b, name, &m);
    CHECK_MSG(n == m && !memcmp(x, y, n), "%s of %s and %s differ", name, a, b);
    free(x);
    free(y);
}

typedef struct {
    double first, last;
    uint64_t stop_at; /* step; 0: never */
    bool die;         /* as kill -9 does */
} watcher;

static int watch(void *ctx, const rv_train_progress *p)
{
    watcher *w = ctx;
    if (p->validated) {
        w->first = p->epoch == 0 ? p->valid_loss : w->first;
        w->last = p->valid_loss;
    }
    if (w->stop_at && p->step == w->stop_at && !p->validated) {
        if (w->die)
            _exit(9);
        return 1;
    }
    return 0;
}

static rv_train_options options_of(watcher *w, int threads)
{
    rv_train_options opt;
    rv_train_defaults(&opt);
    opt.threads = threads;
    opt.progress = watch;
    opt.progress_ctx = w;
    return opt;
}

TEST(test_learns_and_releases_a_model)
{
    watcher w = { 0 };
    rv_error err = { 0 };
    rv_train_report report;
    rv_model *model = NULL;
    char path[200];
    const rv_train_options opt = options_of(&w, 1);
    CHECK_OK(train("learns", "train.epochs=40", &opt, &report, &err), err);
    CHECK_MSG(w.last < 0.6 * w.first, "validation loss %g, at first %g", w.last, w.first);
    CHECK(report.train_songs == 2 && report.valid_songs == 1 && report.resumed_at == 0);
    CHECK(report.steps == 40 * report.steps_per_epoch);
    CHECK_MSG(report.best_si_sdr > 4, "SI-SDR %g dB", report.best_si_sdr);
    CHECK_OK(rv_model_open(&model, path_of(path, sizeof path, "learns/best.safetensors"), &err),
             err);
    CHECK(rv_model_about(model)->parameters == report.parameters);
    CHECK(!strcmp(rv_model_about(model)->stems[1], "bass"));
    rv_model_free(model);
}

/* Of the model that run `out` made. */
static void check_normalise(const char *out, const char *expected)
{
    char path[200], name[60];
    rv_error err = { 0 };
    rv_checkpoint *c = NULL;
    snprintf(name, sizeof name, "%s/best.safetensors", out);
    CHECK_OK(rv_checkpoint_open(&c, path_of(path, sizeof path, name), &err), err);
    const char *is = json_string_value(json_object_get(rv_checkpoint_config(c), "normalise"));
    CHECK_MSG(is && strcmp(is, expected) == 0, "%s: normalise is %s", out, is ? is : "missing");
    rv_checkpoint_free(c);
}

/* Songs at another level are then the same songs, and the model says so to who uses it. */
TEST(test_normalised_songs)
{
    watcher w = { 0 };
    rv_error err = { 0 };
    rv_train_report raw, level;
    const rv_train_options opt = options_of(&w, 1);
    CHECK_OK(train("raw", "data.normalise=none", &opt, &raw, &err), err);
    CHECK_OK(train("level", "data.normalise=track", &opt, &level, &err), err);
    /* The deviation of the validation song is about 0.29, and the error is squared. */
    CHECK_MSG(level.best_loss > 4 * raw.best_loss, "loss %g, raw %g", level.best_loss,
              raw.best_loss);
    check_normalise("raw", "none");
    check_normalise("level", "track");
}

TEST(test_same_bits_for_any_number_of_threads)
{
    rv_error err = { 0 };
    rv_train_report report;
    watcher w = { 0 };
    const rv_train_options one = options_of(&w, 1), three = options_of(&w, 3);
    CHECK_OK(train("one", "data.threads=0", &one, &report, &err), err);
    CHECK_OK(train("three", "data.threads=3", &three, &report, &err), err);
    check_same_file("one", "three", "last.state");
    check_same_file("one", "three", "best.safetensors");
}

TEST(test_stopped_and_killed_runs_go_on_exactly)
{
    rv_error err = { 0 };
    rv_train_report report;
    for (uint64_t at = 1; at <= 5; at += 2) {
        watcher stop = { .stop_at = at }, die = { .stop_at = at + 1, .die = true }, on = { 0 };
        char out[20];
        snprintf(out, sizeof out, "stop%d", (int)at);
        rv_train_options opt = options_of(&stop, 1);
        CHECK(train(out, NULL, &opt, &report, &err) == RV_ERR_CANCELLED);
        const pid_t child = fork();
        if (child == 0) {
            opt = options_of(&die, 1);
            _exit(train(out, NULL, &opt, &report, &err) == RV_OK ? 1 : 2);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 9);
        opt = options_of(&on, 1);
        CHECK_OK(train(out, NULL, &opt, &report, &err), err);
        CHECK(report.resumed_at >= at);
        check_same_file("one", out, "last.state");
        check_same_file("one", out, "best.safetensors");
        check_same_file("one", out, "log.jsonl");
    }
}

TEST(test_a_cut_state_is_not_taken)
{
    rv_error err = { 0 };
    rv_train_report report;
    char path[200];
    watcher stop = { .stop_at = 5 }, on = { 0 };
    rv_train_options opt = options_of(&stop, 1);
    CHECK(train("cut", NULL, &opt, &report, &err) == RV_ERR_CANCELLED);
    CHECK(truncate(path_of(path, sizeof path, "cut/last.state"), 1000) == 0);
    opt = options_of(&on, 1);
    CHECK_OK(train("cut", NULL, &opt, &report, &err), err);
    CHECK_MSG(strstr(report.warning, "last.state"), "warning: %s", report.warning);
    CHECK(report.resumed_at > 0 && report.resumed_at < 5);
    check_same_file("one", "cut", "best.safetensors");
}

TEST(test_dry_run_writes_nothing)
{
    rv_error err = { 0 };
    rv_train_report report;
    rv_train_options opt;
    struct stat st;
    char path[200];
    rv_train_defaults(&opt);
    opt.dry_run = 1;
    CHECK_OK(train("dry", NULL, &opt, &report, &err), err);
    CHECK(report.parameters > 1000 && report.memory > 4 * report.parameters);
    CHECK(report.seconds_per_step > 0 && report.steps_per_epoch > 1);
    CHECK(stat(path_of(path, sizeof path, "dry"), &st) != 0);
}

static void check_fails(const char *override, rv_status status, const char *text)
{
    rv_error err = { 0 };
    const rv_status st = train("bad", override, NULL, NULL, &err);
    CHECK_MSG(st == status && strstr(err.text, text), "%s: status %d, %s", override, st, err.text);
}

TEST(test_bad_recipes)
{
    check_fails("optimiser.rl=1", RV_ERR_FORMAT, "optimiser.lr");
    check_fails("optimiser.lr=fast", RV_ERR_FORMAT, "optimiser.lr");
    check_fails("model.name=resnet", RV_ERR_ARG, "resnet");
    check_fails("model.arguments.NN=3", RV_ERR_UNSUPPORTED, "NN");
    check_fails("loss.terms=[{kind: l3}]", RV_ERR_FORMAT, "l3");
    check_fails("loss.terms=[{kind: mel, band: 3}]", RV_ERR_FORMAT, "loss.terms.0.bands");
    check_fails("data.root=/nowhere", RV_ERR_IO, "/nowhere");
    check_fails("data.batch=1000", RV_ERR_ARG, "1000");
    check_fails("data.stems=[drums, flute]", RV_ERR_IO, "flute");
    check_fails("train.out=/dev/null/run", RV_ERR_IO, "/dev/null");
    check_fails("train.freeze=[encodr.*]", RV_ERR_ARG, "encodr");
}

TEST(test_divergence_keeps_the_last_good_state)
{
    rv_error err = { 0 };
    rv_train_report report;
    const char *const lr = "optimiser={kind: sgd, lr: 100, momentum: 0.9}";
    CHECK(train("diverges", lr, NULL, &report, &err) == RV_ERR_DIVERGED);
    CHECK_MSG(strstr(err.text, "last.state"), "%s", err.text);
}

TEST(test_another_model_in_the_folder_is_an_error)
{
    rv_error err = { 0 };
    CHECK(train("one", "model.arguments.N=20", NULL, NULL, &err) == RV_ERR_ARG);
    CHECK_MSG(strstr(err.text, "another model"), "%s", err.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns_and_releases_a_model),
        cmocka_unit_test(test_normalised_songs),
        cmocka_unit_test(test_same_bits_for_any_number_of_threads),
        cmocka_unit_test(test_stopped_and_killed_runs_go_on_exactly),
        cmocka_unit_test(test_a_cut_state_is_not_taken),
        cmocka_unit_test(test_dry_run_writes_nothing),
        cmocka_unit_test(test_bad_recipes),
        cmocka_unit_test(test_divergence_keeps_the_last_good_state),
        cmocka_unit_test(test_another_model_in_the_folder_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
