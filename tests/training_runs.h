/* training_runs.h - whole trainings in a folder of their own: its songs in songs/, the recipe in
 * recipe.yaml, each run in a folder beside them. */
#ifndef TESTS_TRAINING_RUNS_H
#define TESTS_TRAINING_RUNS_H

#include "check.h"
#include "io/audio_write.h"
#include "ravel/train.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[64] = "/tmp/ravel-trainer-XXXXXX";

static inline char *path_of(char *path, size_t room, const char *name)
{
    snprintf(path, room, "%s/%s", root, name);
    return path;
}

/* songs/NAME, mono in float. */
static inline void write_sound(const char *name, const float *x, size_t frames, int rate)
{
    char path[400];
    rv_error err = { 0 };
    rv_audio_writer *w = NULL;
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    opt.channels = 1;
    opt.sample_rate = rate;
    opt.bits = 32;
    snprintf(path, sizeof path, "%s/songs/%s", root, name);
    CHECK_OK(rv_audio_writer_open(&w, path, &opt, &err), err);
    CHECK_OK(rv_audio_writer_write(w, (const float *const[]){ x }, frames, &err), err);
    CHECK_OK(rv_audio_writer_commit(w, &err), err);
    rv_audio_writer_free(w);
}

static inline int write_recipe(const char *text)
{
    char path[200];
    FILE *f = fopen(path_of(path, sizeof path, "recipe.yaml"), "w");
    fputs(text, f);
    return fclose(f);
}

static inline int tear_down(void **state)
{
    (void)state;
    char command[120];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

/* Train into folder `out`, with n further overrides (at most 2). */
static inline rv_status train_with(const char *out, const char *const *more, size_t n,
                                   const rv_train_options *opt, rv_train_report *report,
                                   rv_error *err)
{
    char path[200], data[200], folder[200];
    snprintf(data, sizeof data, "data.root=%s/songs", root);
    snprintf(folder, sizeof folder, "train.out=%s/%s", root, out);
    const char *const overrides[] = { data, folder, n > 0 ? more[0] : NULL,
                                      n > 1 ? more[1] : NULL };
    return rv_train(path_of(path, sizeof path, "recipe.yaml"), overrides, n + 2, opt, report, err);
}

/* `more`: one further override, or NULL. */
static inline rv_status train(const char *out, const char *more, const rv_train_options *opt,
                              rv_train_report *report, rv_error *err)
{
    return train_with(out, &more, more ? 1 : 0, opt, report, err);
}

static inline char *read_file(const char *folder, const char *name, size_t *size)
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

static inline void check_same_file(const char *a, const char *b, const char *name)
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

static inline int watch(void *ctx, const rv_train_progress *p)
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

static inline rv_train_options options_of(watcher *w, int threads)
{
    rv_train_options opt;
    rv_train_defaults(&opt);
    opt.threads = threads;
    opt.progress = watch;
    opt.progress_ctx = w;
    return opt;
}

static inline void check_fails(const char *override, rv_status status, const char *text)
{
    rv_error err = { 0 };
    const rv_status st = train("bad", override, NULL, NULL, &err);
    CHECK_MSG(st == status && strstr(err.text, text), "%s: status %d, %s", override, st, err.text);
}

/* There is nothing to learn from silence; `more`: a further override, or NULL. */
static inline void check_refuses_silence(const char *const *stems, size_t n, const char *more)
{
    static const float silence[8000];
    char data[200];
    const char *const overrides[] = { data, more };
    rv_error err = { 0 };
    for (size_t s = 0; s < n; s++) {
        snprintf(data, sizeof data, "../silence/train/a/%s.wav", stems[s]);
        write_sound(data, silence, 8000, 8000);
    }
    snprintf(data, sizeof data, "data.root=%s/silence", root);
    CHECK(train_with("bad", overrides, more ? 2 : 1, NULL, NULL, &err) == RV_ERR_FORMAT);
    CHECK_MSG(strstr(err.text, "silence: all of its 1 songs are silent"), "%s", err.text);
}

#endif
