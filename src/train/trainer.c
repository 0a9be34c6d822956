/* trainer.c - the loop.
 *
 * A step: `accumulate` batches, one step of the optimiser, the averages. An epoch: its steps, then
 * a validation with the first average in place of the weights, the schedule, the state on disk, and
 * the model if it is the best so far. All that decides on the result is a function of the recipe
 * and the step, or in the state: so a run that goes on is the run that never stopped. */
#include "train/trainer.h"

#include "base/status.h"
#include "io/audio_sink.h"
#include "io/config.h"
#include "io/event_file.h"
#include "io/json_log.h"
#include "train/run_state.h"
#include "train/train_state.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { PATH_ROOM = 4096 };

typedef struct {
    const rv_recipe *recipe;
    const rv_train_options *options;
    rv_train_report *report;
    void *work; /* of the task */
    rv_pool *pool;
    rv_run_state state;
    rv_json_log *log;
    rv_event_file *events;
    double lr, norm;
    uint64_t session_steps;
    double session_seconds;
} run;

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void path_in(const run *r, char path[PATH_ROOM], const char *name)
{
    snprintf(path, PATH_ROOM, "%.3900s/%s", r->recipe->out, name);
}

/* Steps of the optimiser in an epoch. */
static uint64_t steps_per_epoch(const run *r)
{
    const uint64_t batches = r->recipe->task->batches(r->work);
    const uint64_t steps = batches / r->recipe->accumulate;
    const uint64_t all = steps ? steps : 1;
    return r->recipe->steps && r->recipe->steps < all ? r->recipe->steps : all;
}

/* Batch `k` of the step that is next. Epochs that are cut short still begin where the data's do. */
static uint64_t batch_index(const run *r, uint64_t k)
{
    const rv_run_state *s = &r->state;
    const uint64_t batches = r->recipe->task->batches(r->work);
    return s->epoch * batches + (s->epoch_step * r->recipe->accumulate + k) % batches;
}

/* Outputs ---------------------------------------------------------------------------------- */

static rv_status make_folder(const char *path, rv_error *err)
{
    char part[PATH_ROOM];
    for (size_t n = 1; path[n - 1]; n++)
        if (path[n] == '/' || path[n] == '\0') {
            snprintf(part, sizeof part, "%.*s", (int)n, path);
            if (mkdir(part, 0777) != 0 && errno != EEXIST)
                return RV_FAIL(err, RV_ERR_IO, "%s: %s", part, strerror(errno));
        }
    return RV_OK;
}

static rv_status write_recipe(const run *r, rv_error *err)
{
    char path[PATH_ROOM], *text = NULL;
    path_in(r, path, "recipe.yaml");
    RV_TRY(rv_config_dump(&text, r->recipe->values, err));
    const rv_status status = rv_sink_store(path, text, strlen(text), err);
    free(text);
    return status;
}

/* What the recipe took from elsewhere, and what it holds fast: not of a run that goes on. */
static void tell_start(const run *r)
{
    const rv_run_state *s = &r->state;
    const rv_train_options *o = r->options;
    char line[100];
    size_t frozen = 0;
    for (size_t i = 0; i < s->n_spans; i++)
        frozen += s->spans[i].frozen && !s->spans[i].statistic;
    snprintf(line, sizeof line, "train.freeze: %zu of %zu tensors stay as they are", frozen,
             s->n_spans);
    if (o->note && r->recipe->init)
        rv_init_tell(&s->init, r->recipe->init, o->note, o->progress_ctx);
    if (o->note && frozen)
        o->note(o->progress_ctx, line);
}

static rv_status log_start(run *r, rv_error *err)
{
    if (!r->recipe->init)
        return RV_OK;
    json_t *line = rv_init_json(&r->state.init, r->recipe->init);
    const rv_status st = line ? rv_json_log_write(r->log, line, err)
                              : RV_FAIL(err, RV_ERR_NOMEM, "a line of the log");
    json_decref(line);
    return st;
}

static rv_status open_logs(run *r, bool resumed, rv_error *err)
{
    char path[PATH_ROOM];
    const int64_t step = (int64_t)rv_optimiser_steps(r->state.optimiser);
    path_in(r, path, "log.jsonl");
    RV_TRY(rv_json_log_open(&r->log, path, resumed ? step : -1, err));
    RV_TRY(rv_event_file_open(&r->events, r->recipe->out, now(CLOCK_REALTIME), err));
    if (resumed)
        RV_TRY(rv_event_file_resume(r->events, step + 1, now(CLOCK_REALTIME), err));
    else
        RV_TRY(log_start(r, err));
    return write_recipe(r, err);
}

static rv_status log_values(run *r, const char *kind, const char *const *names,
                            const double *values, size_t n, rv_error *err)
{
    const uint64_t step = rv_optimiser_steps(r->state.optimiser);
    json_t *line = json_pack("{sssIsI}", "kind", kind, "step", (json_int_t)step, "epoch",
                             (json_int_t)r->state.epoch);
    rv_status st = line ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "a line of the log");
    for (size_t i = 0; i < n && st == RV_OK; i++) {
        char tag[80];
        snprintf(tag, sizeof tag, "%s/%s", kind, names[i]);
        json_object_set_new(line, names[i], json_real(values[i]));
        st = rv_event_file_scalar(r->events, tag, (int64_t)step, values[i], now(CLOCK_REALTIME),
                                  err);
    }
    if (st == RV_OK)
        st = rv_json_log_write(r->log, line, err);
    json_decref(line);
    return st;
}

static rv_status save(run *r, rv_error *err)
{
    char path[PATH_ROOM];
    path_in(r, path, "last.state");
    RV_TRY(rv_event_file_flush(r->events, err));
    return rv_run_state_save(&r->state, r->recipe, path, err);
}

/* Progress ----------------------------------------------------------------------------------- */

static rv_train_progress progress_of(const run *r)
{
    const rv_run_state *s = &r->state;
    const uint64_t per_epoch = steps_per_epoch(r);
    return (rv_train_progress){
        .epoch = s->epoch,
        .step = rv_optimiser_steps(s->optimiser),
        .steps_per_epoch = per_epoch,
        .last_step = per_epoch * r->recipe->epochs,
        .loss = s->epoch_step ? s->epoch_loss / (double)s->epoch_step : 0,
        .lr = r->lr,
        .gradient_norm = r->norm,
        .seconds_per_step = r->session_steps ? r->session_seconds / (double)r->session_steps : 0,
    };
}

/* The caller may want to stop: what is done is kept. */
static rv_status tell(run *r, const rv_train_progress *p, rv_error *err)
{
    if (!r->options->progress || !r->options->progress(r->options->progress_ctx, p))
        return RV_OK;
    RV_TRY(save(r, err));
    return RV_FAIL(err, RV_ERR_CANCELLED,
                   "stopped at step %llu; the same command goes on from there",
                   (unsigned long long)p->step);
}

/* Steps -------------------------------------------------------------------------------------- */

static rv_status take_gradient(run *r, double *loss, rv_error *err)
{
    const float *const *in;
    const uint64_t n = r->recipe->accumulate;
    *loss = 0;
    for (uint64_t k = 0; k < n; k++) {
        RV_TRY(r->recipe->task->fill(r->work, batch_index(r, k), &in, err));
        *loss += rv_learner_step(r->state.learner, in, k == 0, 1 / (double)n) / (double)n;
    }
    return RV_OK;
}

static rv_status diverged(const run *r, double loss, rv_error *err)
{
    return RV_FAIL(
        err, RV_ERR_DIVERGED,
        "step %llu: the loss is %g, the norm of the gradient %g; the last good state is in "
        "%s/last.state: try a lower optimiser.lr, or optimiser.clip_norm",
        (unsigned long long)rv_optimiser_steps(r->state.optimiser), loss, r->norm, r->recipe->out);
}

static rv_status take_step(run *r, rv_error *err)
{
    rv_run_state *s = &r->state;
    const double start = now(CLOCK_MONOTONIC);
    double loss = 0;
    RV_TRY(take_gradient(r, &loss, err));
    r->lr = rv_schedule_lr(&r->recipe->schedule, &s->plateau, rv_optimiser_steps(s->optimiser));
    if (!isfinite(loss) ||
        !rv_optimiser_step(s->optimiser, rv_learner_values(s->learner),
                           rv_learner_gradients(s->learner), r->lr, r->pool, &r->norm))
        return diverged(r, loss, err);
    for (size_t i = 0; i < s->n_averages; i++)
        rv_average_update(s->average[i], rv_learner_values(s->learner), r->pool);
    s->epoch_loss += loss;
    s->epoch_step++;
    r->session_steps++;
    r->session_seconds += now(CLOCK_MONOTONIC) - start;
    return RV_OK;
}

static rv_status after_step(run *r, rv_error *err)
{
    static const char *const names[] = { "loss", "lr", "gradient_norm" };
    const rv_train_progress p = progress_of(r);
    if (p.step % r->recipe->log_every == 0)
        RV_TRY(log_values(r, "train", names, (double[]){ p.loss, p.lr, p.gradient_norm }, 3, err));
    if (r->recipe->save_every && p.step % r->recipe->save_every == 0)
        RV_TRY(save(r, err));
    return tell(r, &p, err);
}

/* Epochs ------------------------------------------------------------------------------------- */

/* What came of a validation; without data for it, the mean loss of the epoch. */
typedef struct {
    double loss, value[RV_TRAIN_MEASURES];
} validation;

static rv_status validate(run *r, validation *v, rv_error *err)
{
    const rv_task *task = r->recipe->task;
    *v = (validation){ .loss = r->state.epoch_loss / (double)r->state.epoch_step };
    return task->can_validate(r->work)
               ? task->validate(r->work, r->state.learner, &v->loss, v->value, err)
               : RV_OK;
}

/* With the first average in place of the weights, as it would be released. */
static rv_status validate_and_release(run *r, validation *v, bool *stop, bool *best, rv_error *err)
{
    rv_run_state *s = &r->state;
    real *weights = rv_learner_values(s->learner);
    char path[PATH_ROOM];
    if (s->n_averages)
        rv_average_swap(s->average[0], weights, r->pool);
    rv_status st = validate(r, v, err);
    *best = false;
    if (st == RV_OK) {
        *stop = rv_stopping_update(&r->recipe->stopping, &s->stopping, v->loss);
        rv_plateau_update(&r->recipe->schedule, &s->plateau, v->loss);
        *best = s->stopping.bad == 0;
        path_in(r, path, "best.safetensors");
        if (*best)
            st = rv_run_state_release(s, r->recipe, r->work, path, err);
    }
    if (s->n_averages)
        rv_average_swap(s->average[0], weights, r->pool);
    return st;
}

static rv_status log_validation(run *r, const validation *v, rv_error *err)
{
    const char *names[1 + RV_TRAIN_MEASURES] = { "loss" };
    double values[1 + RV_TRAIN_MEASURES] = { v->loss };
    size_t n;
    const rv_train_measure *measures = rv_task_measures(r->recipe, &n);
    for (size_t i = 0; i < n; i++) {
        names[1 + i] = measures[i].name;
        values[1 + i] = v->value[i];
    }
    n = r->recipe->task->can_validate(r->work) ? 1 + n : 1;
    return log_values(r, "valid", names, values, n, err);
}

/* The task's measures, with these values -> to; how many. */
static int give_measures(const run *r, rv_train_measure *to, const double *value)
{
    size_t n;
    const rv_train_measure *measures = rv_task_measures(r->recipe, &n);
    for (size_t i = 0; i < n; i++) {
        to[i] = measures[i];
        to[i].value = value[i];
    }
    return (int)n;
}

static rv_status end_epoch(run *r, bool *stop, rv_error *err)
{
    rv_run_state *s = &r->state;
    validation v;
    bool best;
    RV_TRY(validate_and_release(r, &v, stop, &best, err));
    if (best)
        memcpy(s->best, v.value, sizeof s->best);
    RV_TRY(log_validation(r, &v, err));
    rv_train_progress p = progress_of(r);
    p.validated = 1;
    p.valid_loss = v.loss;
    p.n_measures = give_measures(r, p.measures, v.value);
    p.best = best;
    s->epoch++;
    s->epoch_step = 0;
    s->epoch_loss = 0;
    RV_TRY(save(r, err));
    return tell(r, &p, err);
}

static rv_status loop(run *r, rv_error *err)
{
    rv_run_state *s = &r->state;
    bool stop = false;
    while (s->epoch < r->recipe->epochs && !stop) {
        while (s->epoch_step < steps_per_epoch(r)) {
            RV_TRY(take_step(r, err));
            RV_TRY(after_step(r, err));
        }
        RV_TRY(end_epoch(r, &stop, err));
    }
    return RV_OK;
}

/* Runs ---------------------------------------------------------------------------------------- */

static void fill_report(run *r)
{
    rv_train_report *p = r->report;
    const rv_run_state *s = &r->state;
    p->parameters = rv_learner_count(s->learner);
    p->steps_per_epoch = steps_per_epoch(r);
    p->memory = rv_learner_bytes(s->learner) +
                (2 + s->n_averages) * rv_learner_count(s->learner) * sizeof(real);
    p->steps = rv_optimiser_steps(s->optimiser);
    p->seconds_per_step = r->session_steps ? r->session_seconds / (double)r->session_steps : 0;
    p->best_loss = s->stopping.best;
    p->n_measures = give_measures(r, p->best_measures, s->best);
}

/* The first step starts threads and touches memory; the second is the usual one. */
static rv_status time_steps(run *r, rv_error *err)
{
    tell_start(r);
    RV_TRY(take_step(r, err));
    r->session_steps = 0;
    r->session_seconds = 0;
    return take_step(r, err);
}

static rv_status go_on(run *r, const char *path, bool resumed, rv_error *err)
{
    RV_TRY(make_folder(r->recipe->out, err));
    if (resumed)
        RV_TRY(rv_run_state_load(&r->state, r->recipe, path, r->report->warning,
                                 sizeof r->report->warning, err));
    else
        tell_start(r);
    r->report->resumed_at = rv_optimiser_steps(r->state.optimiser);
    RV_TRY(open_logs(r, resumed, err));
    return loop(r, err);
}

static rv_status start(run *r, rv_error *err)
{
    const bool dry_run = r->options->dry_run;
    char path[PATH_ROOM];
    path_in(r, path, "last.state");
    const bool resumed = !dry_run && rv_train_state_exists(path);
    if (!(r->work = calloc(1, r->recipe->task->work_size)))
        return RV_FAIL(err, RV_ERR_NOMEM, "training data");
    RV_TRY(r->recipe->task->open(r->work, r->recipe, r->options, r->report, err));
    RV_TRY(rv_pool_new(&r->pool, r->options->threads, NULL, err));
    RV_TRY(rv_run_state_new(&r->state, r->recipe, r->work, resumed, r->pool, err));
    const rv_status st = dry_run ? time_steps(r, err) : go_on(r, path, resumed, err);
    fill_report(r);
    return st;
}

static void finish(run *r)
{
    rv_event_file_close(r->events, NULL);
    rv_json_log_free(r->log);
    rv_run_state_fini(&r->state);
    rv_pool_free(r->pool);
    if (r->work)
        r->recipe->task->close(r->work);
    free(r->work);
}

rv_status rv_trainer_run(const rv_recipe *recipe, const rv_train_options *options,
                         rv_train_report *report, rv_error *err)
{
    run r = { .recipe = recipe, .options = options, .report = report };
    *report = (rv_train_report){ .best_loss = INFINITY };
    const rv_status st = start(&r, err);
    finish(&r);
    return st;
}
