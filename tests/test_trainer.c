/* test_trainer.c - whole trainings of a tiny model on generated songs: it learns, it goes on bit by
 * bit after any interruption, and it explains bad input. */
#include "base/rng.h"
#include "io/checkpoint.h"
#include "ravel/separate.h"
#include "training_runs.h"

#include <sys/stat.h>

enum { RATE = 8000, FRAMES = 12000 };

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
        char name[80];
        snprintf(name, sizeof name, "%s/song%zu/%s.wav", set, song, names[s]);
        for (size_t t = 0; t < FRAMES; t++)
            x[t] = sample(s, song, t);
        write_sound(name, x, FRAMES, RATE);
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
    if (!mkdtemp(root))
        return -1;
    write_song("train", 0);
    write_song("train", 1);
    write_song("valid", 2);
    return write_recipe(recipe);
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
    CHECK(report.n_measures == 1 && !strcmp(report.best_measures[0].name, "si_sdr"));
    CHECK_MSG(report.best_measures[0].value > 4, "SI-SDR %g dB", report.best_measures[0].value);
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

/* Whether two runs' models agree in a tensor, but for rounding in the averages. */
static void check_same_tensor(const char *a, const char *b, const char *tensor, bool same)
{
    const char *const runs[2] = { a, b };
    float *data[2];
    size_t n = 0, differ = 0;
    for (size_t i = 0; i < 2; i++) {
        char path[200], name[60];
        rv_error err = { 0 };
        rv_checkpoint *c = NULL;
        snprintf(name, sizeof name, "%s/best.safetensors", runs[i]);
        CHECK_OK(rv_checkpoint_open(&c, path_of(path, sizeof path, name), &err), err);
        const rv_tensor *t = rv_checkpoint_find(c, tensor);
        CHECK_MSG(t, "no tensor %s", tensor);
        n = t->count;
        data[i] = malloc(n * sizeof *data[i]);
        CHECK_OK(rv_checkpoint_read(c, t, data[i], &err), err);
        rv_checkpoint_free(c);
    }
    for (size_t i = 0; i < n; i++)
        differ += fabs((double)(data[0][i] - data[1][i])) > 1e-6;
    CHECK_MSG((differ == 0) == same, "%s of %s and %s: %zu of %zu differ", tensor, a, b, differ, n);
    free(data[0]);
    free(data[1]);
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

/* The middle of this song is silent: little error there, and nothing that has an SI-SDR. */
TEST(test_validates_the_middle)
{
    static float x[FRAMES];
    watcher w = { 0 };
    rv_error err = { 0 };
    rv_train_report whole, middle, longer;
    const rv_train_options opt = options_of(&w, 1);
    for (size_t t = 0; t < FRAMES; t++)
        x[t] = t < 4000 || t >= 8000 ? sample(1, 2, t) : 0;
    write_sound("test/song/drums.wav", x, FRAMES, RATE);
    write_sound("test/song/bass.wav", x, FRAMES, RATE);
    const char *split = "data.valid_split=test";
    CHECK_OK(train_with("whole", (const char *[]){ split }, 1, &opt, &whole, &err), err);
    CHECK_OK(train_with("half", (const char *[]){ split, "data.valid_seconds=0.5" }, 2, &opt,
                        &middle, &err),
             err);
    CHECK_OK(train_with("long", (const char *[]){ split, "data.valid_seconds=2" }, 2, &opt, &longer,
                        &err),
             err);
    CHECK(longer.best_loss == whole.best_loss);
    CHECK(whole.best_measures[0].value != 0 && middle.best_measures[0].value == 0);
    CHECK_MSG(middle.best_loss < 0.1 * whole.best_loss, "loss of the middle %g, of all %g",
              middle.best_loss, whole.best_loss);
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

/* Memory is a matter of the machine: a run may go on with or without. */
TEST(test_same_bits_with_values_computed_again)
{
    rv_error err = { 0 };
    rv_train_report report, plain;
    watcher stop = { .stop_at = 3 }, on = { 0 };
    rv_train_options opt = options_of(&stop, 1);
    CHECK(train("again", NULL, &opt, &plain, &err) == RV_ERR_CANCELLED);
    opt = options_of(&on, 1);
    CHECK_OK(train("again", "train.recompute=true", &opt, &report, &err), err);
    CHECK(report.resumed_at == 3 && report.memory < plain.memory);
    check_same_file("one", "again", "last.state");
    check_same_file("one", "again", "best.safetensors");
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
    check_refuses_silence((const char *const[]){ "drums", "bass" }, 2, NULL);
}

static void collect_note(void *ctx, const char *line)
{
    strcat(strcat(ctx, line), "\n");
}

/* The first line of a run's log. */
static json_t *first_line(const char *out)
{
    size_t size;
    char *text = read_file(out, "log.jsonl", &size);
    text[strcspn(text, "\n")] = '\0';
    json_t *line = json_loads(text, 0, NULL);
    free(text);
    CHECK(line != NULL);
    return line;
}

static void check_count(const json_t *line, const char *key, long long want)
{
    const long long got = json_integer_value(json_object_get(line, key));
    CHECK_MSG(got == want, "%s is %lld, not %lld", key, got, want);
}

/* From the model of another run into one with wider blocks and one block less: what is taken and
 * what is left is said before the first step, and stands in the log. What is frozen stays. */
TEST(test_fine_tuning)
{
    rv_error err = { 0 };
    rv_train_report report;
    rv_train_options opt;
    char notes[4000] = "", init[300], path[200];
    rv_train_defaults(&opt);
    opt.note = collect_note;
    opt.progress_ctx = notes;
    snprintf(init, sizeof init, "train.init=%s",
             path_of(path, sizeof path, "one/best.safetensors"));
    CHECK_OK(train_with("tuned", (const char *[]){ init, "train.freeze=[encoder.*]" }, 2, &opt,
                        &report, &err),
             err);
    CHECK_MSG(strstr(notes, "one/best.safetensors: ") && strstr(notes, "tensors taken"), "%s",
              notes);
    CHECK_MSG(!strstr(notes, "shape") && strstr(notes, "train.freeze: 1 of "), "%s", notes);
    json_t *line = first_line("tuned");
    check_count(line, "missing", 0);
    check_count(line, "loaded", json_integer_value(json_object_get(line, "tensors")));
    json_decref(line);
    check_same_tensor("one", "tuned", "encoder.conv1d_U.weight", true);
    /* A run that goes on does not need the file any more, and does not say that it does. */
    *notes = '\0';
    CHECK_OK(train_with("tuned", (const char *[]){ "train.init=/gone", "train.freeze=[encoder.*]" },
                        2, &opt, &report, &err),
             err);
    CHECK(report.resumed_at > 0 && !*notes);
    check_same_tensor("one", "tuned", "decoder.basis_signals.weight", false);
}

TEST(test_partial_start)
{
    rv_error err = { 0 };
    rv_train_report report;
    rv_train_options opt;
    char notes[4000] = "", init[300], path[200];
    rv_train_defaults(&opt);
    opt.dry_run = 1;
    opt.note = collect_note;
    opt.progress_ctx = notes;
    snprintf(init, sizeof init, "train.init=%s",
             path_of(path, sizeof path, "one/best.safetensors"));
    CHECK_OK(train_with("part", (const char *[]){ init, "model.arguments.H=20" }, 2, &opt, &report,
                        &err),
             err);
    CHECK_MSG(strstr(notes, "have another shape: \"") && strstr(notes, " and ") &&
                  strstr(notes, "in the model"),
              "%s", notes);
    *notes = '\0';
    CHECK_OK(
        train_with("part", (const char *[]){ init, "model.arguments.X=1" }, 2, &opt, &report, &err),
        err);
    CHECK_MSG(strstr(notes, "of its own are left: ") && !strstr(notes, "shape"), "%s", notes);
    *notes = '\0';
    CHECK_OK(
        train_with("part", (const char *[]){ init, "model.arguments.X=3" }, 2, &opt, &report, &err),
        err);
    CHECK_MSG(strstr(notes, "are not in it: ") && !strstr(notes, "left"), "%s", notes);
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
        cmocka_unit_test(test_validates_the_middle),
        cmocka_unit_test(test_same_bits_for_any_number_of_threads),
        cmocka_unit_test(test_same_bits_with_values_computed_again),
        cmocka_unit_test(test_stopped_and_killed_runs_go_on_exactly),
        cmocka_unit_test(test_a_cut_state_is_not_taken),
        cmocka_unit_test(test_dry_run_writes_nothing),
        cmocka_unit_test(test_bad_recipes),
        cmocka_unit_test(test_fine_tuning),
        cmocka_unit_test(test_partial_start),
        cmocka_unit_test(test_divergence_keeps_the_last_good_state),
        cmocka_unit_test(test_another_model_in_the_folder_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
