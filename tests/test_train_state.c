/* test_train_state.c - the state of a run: every bit comes back; cut or damaged files are never
 * taken; saves that are killed, or fail, leave a complete state. */
#include "checkpoint_files.h"

#include "io/hash64.h"
#include "io/safetensors.h"
#include "train/average.h"
#include "train/optimiser.h"
#include "train/partial_load.h"
#include "train/state_scalars.h"
#include "train/train_state.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { N = 19 };

static const char name_of_state[] = "last.safetensors";

TEST(test_hash_has_the_published_values)
{
    unsigned char bytes[101];
    CHECK(rv_hash64("", 0, 0) == 0xEF46DB3751D8E999);
    CHECK(rv_hash64("abc", 3, 0) == 0x44BC2CF5AD770999);
    CHECK(rv_hash64("Nobody inspects the spammish repetition", 39, 0) == 0xFBCEA83C8A378BF1);
    CHECK(rv_hash64("xxhash", 6, 20141025) == 0xB559B98D844E0635);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    const uint64_t before = rv_hash64(bytes, sizeof bytes, 1);
    for (size_t i = 0; i < 8 * sizeof bytes; i++) {
        bytes[i / 8] ^= (unsigned char)(1 << i % 8);
        CHECK(rv_hash64(bytes, sizeof bytes, 1) != before);
        bytes[i / 8] ^= (unsigned char)(1 << i % 8);
    }
}

/* A state whose content is a function of `step`. */
static void fill(float *x, uint64_t step)
{
    const uint32_t odd[] = { 0x80000000, 0x7fc12345, 0xff800000, 1, 0x7f7fffff };
    memcpy(x, odd, sizeof odd);
    for (int i = 5; i < N; i++)
        x[i] = (float)step * 1.37f + (float)i / 3;
}

static rv_status save(const char *path, uint64_t step, rv_error *err)
{
    float x[N], y[3] = { (float)step, 0, -1 };
    fill(x, step);
    json_t *scalars = json_object();
    CHECK(rv_state_set_count(scalars, "step", step));
    CHECK(rv_state_set_real(scalars, "best", step ? 0.1 * (double)step : (double)INFINITY));
    const rv_state_array arrays[] = { { "parameters", x, N }, { "none", x, 0 }, { "m", y, 3 } };
    const rv_status status = rv_train_state_save(path, arrays, 3, scalars, err);
    json_decref(scalars);
    return status;
}

static void save_ok(const path_text *path, uint64_t step)
{
    rv_error err;
    CHECK_OK(save(path->text, step, &err), err);
}

/* The step of the state that is read, when its content is exactly that of the step. */
static uint64_t step_in(const rv_train_state *s)
{
    float x[N], want[N], y[3];
    uint64_t step = UINT64_MAX;
    double best = 0;
    rv_error err;
    CHECK_OK(rv_state_get_count(rv_train_state_scalars(s), "step", &step, &err), err);
    CHECK_OK(rv_state_get_real(rv_train_state_scalars(s), "best", &best, &err), err);
    CHECK_OK(rv_train_state_read(s, "parameters", x, N, &err), err);
    CHECK_OK(rv_train_state_read(s, "m", y, 3, &err), err);
    CHECK_OK(rv_train_state_read(s, "none", y, 0, &err), err);
    fill(want, step);
    CHECK(!memcmp(x, want, sizeof x) && y[0] == (float)step && y[2] == -1);
    CHECK(best == (step ? 0.1 * (double)step : (double)INFINITY));
    return step;
}

/* Opens and checks the state; its warning must hold `part`. */
static uint64_t load(const path_text *path, const char *part)
{
    rv_error err;
    rv_train_state *s = NULL;
    CHECK_OK(rv_train_state_open(&s, path->text, &err), err);
    const char *warning = rv_train_state_warning(s);
    CHECK_MSG(part[0] ? strstr(warning, part) != NULL : !warning[0], "warning \"%s\"", warning);
    const uint64_t step = step_in(s);
    rv_train_state_free(s);
    return step;
}

TEST(test_every_bit_comes_back)
{
    const path_text folder = make_folder(), path = in_folder(&folder, name_of_state);
    rv_error err;
    rv_train_state *s = NULL;
    float x[N];
    CHECK(!rv_train_state_exists(path.text));
    for (uint64_t step = 0; step < 4; step++) {
        save_ok(&path, step);
        CHECK(load(&path, "") == step && rv_train_state_exists(path.text));
    }
    CHECK_OK(rv_train_state_open(&s, path.text, &err), err);
    CHECK(rv_train_state_read(s, "x", x, N, &err) == RV_ERR_SHAPE && strstr(err.text, "\"x\""));
    CHECK(rv_train_state_read(s, "m", x, N, &err) == RV_ERR_SHAPE);
    CHECK(strstr(err.text, "\"m\" of the state has 3 elements, the run has 19"));
    rv_train_state_free(s);
    CHECK(remove_folder(&folder) == 2); /* the last and the previous one */
}

TEST(test_scalars)
{
    const rv_plateau p = { 0x1.23456789abcdfp-7, (double)INFINITY, 3, 4 };
    const rv_stopping stopping = { -1.0 / 3, UINT64_MAX - 5 };
    json_t *o = json_object();
    rv_plateau p2;
    rv_stopping stopping2;
    double x;
    rv_error err;
    CHECK(rv_state_set_plateau(o, "plateau", &p) && rv_state_set_stopping(o, "stop", &stopping));
    CHECK(rv_state_set_real(o, "nan", (double)NAN) && rv_state_set_real(o, "low", -1.0 / 0.0));
    char *text = json_dumps(o, JSON_REAL_PRECISION(17));
    json_decref(o);
    CHECK((o = json_loads(text, 0, NULL)));
    CHECK_OK(rv_state_get_plateau(o, "plateau", &p2, &err), err);
    CHECK_OK(rv_state_get_stopping(o, "stop", &stopping2, &err), err);
    CHECK(p.lr == p2.lr && p.best == p2.best && p.bad == p2.bad && p.cooldown == p2.cooldown);
    CHECK(stopping.best == stopping2.best && stopping.bad == stopping2.bad);
    CHECK(rv_state_get_real(o, "nan", &x, &err) == RV_OK && isnan(x));
    CHECK(rv_state_get_real(o, "low", &x, &err) == RV_OK && x < 0 && isinf(x));
    CHECK(rv_state_get_real(o, "stop", &x, &err) == RV_ERR_FORMAT && strstr(err.text, "\"stop\""));
    CHECK(rv_state_get_plateau(o, "none", &p2, &err) == RV_ERR_FORMAT);
    json_decref(o);
    free(text);
}

/* Cut at any length, the file is refused and the previous state taken. */
TEST(test_truncated)
{
    const path_text folder = make_folder(), path = in_folder(&folder, name_of_state);
    size_t size;
    save_ok(&path, 1);
    save_ok(&path, 2);
    unsigned char *bytes = load_file(path.text, &size);
    for (size_t length = 0; length < size; length++) {
        store_file(path.text, bytes, length);
        CHECK(load(&path, name_of_state) == 1);
    }
    store_file(path.text, bytes, size);
    CHECK(load(&path, "") == 2);
    free(bytes);
    remove_folder(&folder);
}

/* Any byte damaged: refused, or (in the padding, or "format") of no effect. */
TEST(test_damaged)
{
    const path_text folder = make_folder(), path = in_folder(&folder, name_of_state);
    size_t size, refused = 0;
    rv_error err;
    save_ok(&path, 2);
    unsigned char *bytes = load_file(path.text, &size);
    for (size_t i = 0; i < 3 * size; i++) {
        const unsigned char kept = bytes[i / 3];
        rv_train_state *s = NULL;
        bytes[i / 3] ^= (unsigned char[]){ 1, 4, 0x80 }[i % 3];
        store_file(path.text, bytes, size);
        const rv_status status = rv_train_state_open(&s, path.text, &err);
        CHECK(status == RV_OK ? step_in(s) == 2 : strstr(err.text, name_of_state) != NULL);
        refused += status != RV_OK;
        rv_train_state_free(s);
        bytes[i / 3] = kept;
    }
    print_message("# %zu of %zu damaged files refused\n", refused, 3 * size);
    CHECK(refused > 3 * size - 60);
    bytes[size - 1] ^= 1;
    store_file(path.text, bytes, size);
    CHECK(rv_train_state_open(&(rv_train_state *){ NULL }, path.text, &err) == RV_ERR_FORMAT);
    CHECK(strstr(err.text, "checksum"));
    free(bytes);
    remove_folder(&folder);
}

static void copy_file(const path_text *from, const path_text *to)
{
    size_t size;
    unsigned char *bytes = load_file(from->text, &size);
    store_file(to->text, bytes, size);
    free(bytes);
}

/* The folder as a kill leaves it after each action of a save. */
TEST(test_killed_between_the_actions)
{
    const path_text folder = make_folder(), path = in_folder(&folder, name_of_state);
    const path_text fresh = in_folder(&folder, "last.safetensors.new");
    const path_text previous = in_folder(&folder, "last.safetensors.previous");
    const path_text part = in_folder(&folder, "last.safetensors.new.part-999999999-0");
    save_ok(&path, 1);
    save_ok(&path, 2);
    store_file(part.text, "half", 4); /* while writing */
    CHECK(load(&path, "") == 2);
    save_ok(&path, 3);
    CHECK(access(part.text, F_OK) != 0); /* the next save cleans up */
    copy_file(&previous, &fresh);        /* complete and named, nothing moved yet */
    CHECK(load(&path, "") == 3);
    CHECK(rename(path.text, previous.text) == 0); /* the last one moved away */
    CHECK(load(&path, "No such file") == 2);      /* what is in .new */
    save_ok(&path, 4);
    CHECK(load(&path, "") == 4);
    store_file(path.text, "damaged", 7); /* moved to .previous by the next save */
    copy_file(&previous, &fresh);
    CHECK(rename(path.text, previous.text) == 0);
    CHECK(load(&path, "No such file") == 3);
    CHECK(unlink(fresh.text) == 0);
    rv_error err;
    CHECK(rv_train_state_open(&(rv_train_state *){ NULL }, path.text, &err) == RV_ERR_FORMAT);
    CHECK(strstr(err.text, "No such file") && strstr(err.text, "previous"));
    remove_folder(&folder);
}

static void save_until_killed(const path_text *path)
{
    rv_error err;
    for (uint64_t step = 1;; step++)
        if (save(path->text, step, &err) != RV_OK)
            _exit(1);
}

TEST(test_killed_at_any_moment)
{
    const path_text folder = make_folder(), path = in_folder(&folder, name_of_state);
    save_ok(&path, 0);
    for (int i = 0; i < 12; i++) {
        int how = 0;
        rv_error err;
        rv_train_state *s = NULL;
        const pid_t child = fork();
        CHECK(child >= 0);
        if (!child)
            save_until_killed(&path);
        usleep((useconds_t)(500 + 1700 * i));
        CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &how, 0) == child && WIFSIGNALED(how));
        CHECK_OK(rv_train_state_open(&s, path.text, &err), err);
        step_in(s);
        rv_train_state_free(s);
    }
    save_ok(&path, 5);
    CHECK(load(&path, "") == 5);
    CHECK(remove_folder(&folder) == 2); /* nothing is left of the killed */
}

static rv_status save_on_small_disk(const path_text *path, rlim_t room, rv_error *err)
{
    struct rlimit before, small;
    signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small = before;
    small.rlim_cur = room;
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    const rv_status status = save(path->text, 3, err);
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    return status;
}

TEST(test_failing_saves)
{
    const path_text folder = make_folder(), path = in_folder(&folder, name_of_state);
    const path_text blocked = in_folder(&folder, "last.safetensors.previous");
    size_t size;
    rv_error err;
    save_ok(&path, 1);
    save_ok(&path, 2);
    free(load_file(path.text, &size));
    for (rlim_t room = 0; room < size; room += 61) {
        CHECK(save_on_small_disk(&path, room, &err) == RV_ERR_IO);
        CHECK(strstr(err.text, "cannot be written: ") && load(&path, "") == 2);
    }
    CHECK(unlink(blocked.text) == 0 && mkdir(blocked.text, 0777) == 0);
    CHECK(save(path.text, 3, &err) == RV_ERR_IO && strstr(err.text, "cannot be renamed"));
    CHECK(load(&path, "") == 2 && rmdir(blocked.text) == 0);
    CHECK(save("/nonexistent/x", 3, &err) == RV_ERR_IO && strstr(err.text, "No such file"));
    CHECK(rv_train_state_save(path.text, NULL, 0, NULL, &err) == RV_ERR_ARG);
    remove_folder(&folder);
}

TEST(test_weights_are_no_state)
{
    const path_text folder = make_folder(), path = in_folder(&folder, name_of_state);
    const float x[2] = { 1, 2 };
    const rv_tensor_source source = { "w", RV_F32, 1, { 2 }, x };
    json_t *config = json_object();
    rv_error err;
    CHECK_OK(rv_safetensors_write(path.text, &source, 1, config, &err), err);
    json_decref(config);
    CHECK(rv_train_state_open(&(rv_train_state *){ NULL }, path.text, &err) == RV_ERR_FORMAT);
    CHECK(strstr(err.text, "is no state of a run"));
    remove_folder(&folder);
}

/* A run in small: fit w to a target, with an optimiser, an average and a plateau. */
typedef struct small_run {
    float w[N];
    rv_optimiser *optimiser;
    rv_average *average;
    rv_schedule_config schedule;
    rv_plateau plateau;
} small_run;

static void start_run(small_run *r)
{
    const rv_span span = { "w", 0, N, { 1, { N } }, .frozen = false };
    rv_optimiser_config c = rv_optimiser_defaults(RV_ADAMW);
    rv_error err;
    *r = (small_run){ .schedule = rv_schedule_defaults(RV_RATE_PLATEAU, 0.3) };
    r->schedule.patience = 1;
    r->schedule.warmup_steps = 5;
    r->plateau = rv_plateau_start(&r->schedule);
    c.clip_norm = 2;
    CHECK_OK(rv_optimiser_new(&r->optimiser, &c, &span, 1, NULL, &err), err);
    CHECK_OK(rv_average_new(&r->average, 0.9, true, r->w, N, NULL, &err), err);
}

static void run_steps(small_run *r, int n)
{
    for (int k = 0; k < n; k++) {
        const uint64_t step = rv_optimiser_steps(r->optimiser);
        float g[N];
        double loss = 0;
        for (int i = 0; i < N; i++) {
            g[i] = r->w[i] - (float)(i % 5);
            loss += (double)(g[i] * g[i]);
        }
        CHECK(rv_optimiser_step(r->optimiser, r->w, g,
                                rv_schedule_lr(&r->schedule, &r->plateau, step), NULL, NULL));
        rv_average_update(r->average, r->w, NULL);
        rv_plateau_update(&r->schedule, &r->plateau, loss);
    }
}

static void end_run(small_run *r)
{
    rv_optimiser_free(r->optimiser);
    rv_average_free(r->average);
}

enum { ARRAYS = 4 };

static void list_arrays(small_run *r, rv_state_array *list, float **data)
{
    size_t n;
    data[0] = r->w;
    data[1] = rv_average_data(r->average, &n);
    list[0] = (rv_state_array){ "parameters", data[0], N };
    list[1] = (rv_state_array){ "average", data[1], n };
    for (size_t i = 0; rv_optimiser_state(r->optimiser, i, &list[2 + i].name, &data[2 + i], &n);
         i++)
        list[2 + i] = (rv_state_array){ list[2 + i].name, data[2 + i], n };
}

static void save_run(small_run *r, const path_text *path)
{
    rv_state_array list[ARRAYS];
    float *data[ARRAYS];
    rv_error err;
    json_t *o = json_object();
    list_arrays(r, list, data);
    CHECK(rv_state_set_count(o, "step", rv_optimiser_steps(r->optimiser)) &&
          rv_state_set_real(o, "average", rv_average_count(r->average)) &&
          rv_state_set_plateau(o, "plateau", &r->plateau));
    CHECK_OK(rv_train_state_save(path->text, list, ARRAYS, o, &err), err);
    json_decref(o);
}

static void load_run(small_run *r, const path_text *path)
{
    rv_state_array list[ARRAYS];
    float *data[ARRAYS];
    rv_train_state *s = NULL;
    uint64_t step = 0;
    double count = 0;
    rv_error err;
    list_arrays(r, list, data);
    CHECK_OK(rv_train_state_open(&s, path->text, &err), err);
    for (int i = 0; i < ARRAYS; i++)
        CHECK_OK(rv_train_state_read(s, list[i].name, data[i], N, &err), err);
    const json_t *o = rv_train_state_scalars(s);
    CHECK_OK(rv_state_get_count(o, "step", &step, &err), err);
    CHECK_OK(rv_state_get_real(o, "average", &count, &err), err);
    CHECK_OK(rv_state_get_plateau(o, "plateau", &r->plateau, &err), err);
    rv_optimiser_set_steps(r->optimiser, step);
    rv_average_set_count(r->average, count);
    rv_train_state_free(s);
}

/* Stopped and resumed at any step: the same bits as never stopped. */
TEST(test_exact_resume)
{
    enum { ALL = 40 };
    const path_text folder = make_folder(), path = in_folder(&folder, name_of_state);
    small_run whole, part;
    size_t n;
    start_run(&whole);
    run_steps(&whole, ALL);
    CHECK(whole.plateau.lr < 0.1); /* the plateau took part */
    for (int stop = 0; stop <= ALL; stop += 4) {
        start_run(&part);
        run_steps(&part, stop);
        save_run(&part, &path);
        end_run(&part);
        start_run(&part);
        load_run(&part, &path);
        run_steps(&part, ALL - stop);
        CHECK(!memcmp(whole.w, part.w, sizeof whole.w));
        CHECK(!memcmp(rv_average_data(whole.average, &n), rv_average_data(part.average, &n),
                      sizeof whole.w));
        CHECK(whole.plateau.lr == part.plateau.lr && whole.plateau.best == part.plateau.best);
        end_run(&part);
    }
    end_run(&whole);
    remove_folder(&folder);
}

static void collect(void *ctx, rv_partial_kind kind, const char *name, const char *why)
{
    char *text = ctx;
    CHECK(strchr(kind == RV_PARTIAL_MISFIT ? "b" : kind == RV_PARTIAL_MISSING ? "n" : "m", *name));
    CHECK(strstr(why, name));
    strcat(strcat(text, why), "\n");
}

TEST(test_partial_load)
{
    const path_text folder = make_folder(), path = in_folder(&folder, "other");
    const float x[6] = { 1, 2, 3, 4, 5, 6 };
    const rv_tensor_source sources[] = { { "a", RV_F32, 2, { 2, 3 }, x },
                                         { "b", RV_F32, 1, { 2 }, x },
                                         { "more", RV_F32, 1, { 2 }, x } };
    const rv_span spans[] = { { "b", 0, 3, { 1, { 3 } }, .frozen = false },
                              { "a", 3, 6, { 2, { 2, 3 } }, .frozen = false },
                              { "new", 9, 1, { 1, { 1 } }, .frozen = false } };
    float w[10] = { 9, 9, 9, 0, 0, 0, 0, 0, 0, 9 };
    char text[2000] = "";
    size_t loaded = 0;
    rv_error err;
    rv_checkpoint *c = NULL;
    json_t *config = json_object();
    CHECK_OK(rv_safetensors_write(path.text, sources, 3, config, &err), err);
    json_decref(config);
    CHECK_OK(rv_checkpoint_open(&c, path.text, &err), err);
    CHECK_OK(rv_partial_load(c, spans, 3, w, &loaded, collect, text, &err), err);
    CHECK(loaded == 1 && !memcmp(w + 3, x, sizeof x) && w[0] == 9 && w[2] == 9 && w[9] == 9);
    assert_string_equal(text, "\"b\" is [2] in the checkpoint, [3] in the model\n"
                              "\"new\" is not in the checkpoint\n"
                              "\"more\" of the checkpoint is not in the model\n");
    CHECK_OK(rv_partial_load(c, spans, 3, w, &loaded, NULL, NULL, &err), err);
    rv_checkpoint_free(c);
    remove_folder(&folder);
}

/* Whether both tensors of a transformer are found under these names, and the third is not. */
static void check_names(const char *class_token, const char *weight)
{
    const path_text folder = make_folder(), path = in_folder(&folder, "names");
    const float x[2] = { 1, 2 };
    const rv_tensor_source sources[] = { { class_token, RV_F32, 1, { 2 }, x },
                                         { weight, RV_F32, 1, { 2 }, x },
                                         { "more", RV_F32, 1, { 2 }, x } };
    const rv_span spans[] = { { "new", 0, 1, { 1, { 1 } }, .frozen = false },
                              { "v.cls_token", 1, 2, { 1, { 2 } }, .frozen = false },
                              { "v.blocks.0.weight", 3, 2, { 1, { 2 } }, .frozen = false } };
    float w[5] = { 0 };
    char text[2000] = "";
    size_t loaded = 0;
    rv_error err;
    rv_checkpoint *c = NULL;
    json_t *config = json_object();
    CHECK_OK(rv_safetensors_write(path.text, sources, 3, config, &err), err);
    json_decref(config);
    CHECK_OK(rv_checkpoint_open(&c, path.text, &err), err);
    CHECK_OK(rv_partial_load(c, spans, 3, w, &loaded, collect, text, &err), err);
    CHECK(loaded == 2 && !memcmp(w + 1, x, sizeof x) && !memcmp(w + 3, x, sizeof x) && w[0] == 0);
    assert_string_equal(text, "\"new\" is not in the checkpoint\n"
                              "\"more\" of the checkpoint is not in the model\n");
    rv_checkpoint_free(c);
    remove_folder(&folder);
}

TEST(test_partial_load_under_other_names)
{
    check_names("v.cls_token", "v.blocks.0.weight");
    check_names("module.v.cls_token", "module.v.blocks.0.weight");
    check_names("cls_token", "blocks.0.weight");
    check_names("module.cls_token", "module.blocks.0.weight");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_has_the_published_values),
        cmocka_unit_test(test_every_bit_comes_back),
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_killed_between_the_actions),
        cmocka_unit_test(test_killed_at_any_moment),
        cmocka_unit_test(test_failing_saves),
        cmocka_unit_test(test_weights_are_no_state),
        cmocka_unit_test(test_exact_resume),
        cmocka_unit_test(test_partial_load),
        cmocka_unit_test(test_partial_load_under_other_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
