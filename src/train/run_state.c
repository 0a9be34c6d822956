/* run_state.c - see run_state.h.
 *
 * The state file holds the blocks (parameters, moments, averages) and, as JSON, all numbers beside
 * them. */
#include "train/run_state.h"

#include "base/status.h"
#include "io/safetensors.h"
#include "train/state_scalars.h"
#include "train/train_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BLOCKS = 8 };

static rv_status list_spans(rv_run_state *s, rv_error *err)
{
    size_t at = 0;
    for (const nn_param *p = rv_learner_params(s->learner); p; p = p->next)
        s->n_spans++;
    s->spans = calloc(s->n_spans + 1, sizeof *s->spans);
    if (!s->spans)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu parameters", s->n_spans);
    size_t i = 0;
    for (const nn_param *p = rv_learner_params(s->learner); p; p = p->next) {
        const size_t n = rv_shape_count(&p->node->shape);
        s->spans[i++] = (rv_span){ .name = p->name,
                                   .offset = at,
                                   .count = n,
                                   .shape = p->node->shape,
                                   .statistic = p->shown,
                                   .frozen = p->shown };
        at += n;
    }
    return RV_OK;
}

static rv_status freeze(rv_run_state *s, const rv_recipe *r, rv_error *err)
{
    const json_t *list = json_object_get(json_object_get(r->values, "train"), "freeze");
    const size_t n = json_array_size(list);
    const char *patterns[64];
    if (n > 64)
        return RV_FAIL(err, RV_ERR_ARG, "train.freeze: at most 64 patterns");
    for (size_t i = 0; i < n; i++)
        patterns[i] = json_string_value(json_array_get(list, i));
    return rv_spans_freeze(s->spans, s->n_spans, patterns, n, err);
}

static rv_status start_weights(rv_run_state *s, const rv_recipe *r, bool resumed, rv_error *err)
{
    rv_learner_initialise(s->learner, r->seed);
    if (!r->init || resumed)
        return RV_OK;
    return rv_init_load(&s->init, r->init, s->spans, s->n_spans, rv_learner_values(s->learner),
                        err);
}

static rv_status init(rv_run_state *s, const rv_recipe *r, void *work, bool resumed, rv_pool *pool,
                      rv_error *err)
{
    RV_TRY(r->task->learner(&s->learner, work, pool, err));
    RV_TRY(list_spans(s, err));
    RV_TRY(freeze(s, r, err));
    RV_TRY(start_weights(s, r, resumed, err));
    RV_TRY(rv_optimiser_new(&s->optimiser, &r->optimiser, s->spans, s->n_spans, NULL, err));
    for (s->n_averages = 0; s->n_averages < r->n_averages; s->n_averages++)
        RV_TRY(rv_average_new(&s->average[s->n_averages], r->average[s->n_averages], true,
                              rv_learner_values(s->learner), rv_learner_count(s->learner), NULL,
                              err));
    s->plateau = rv_plateau_start(&r->schedule);
    s->stopping = rv_stopping_start();
    return RV_OK;
}

rv_status rv_run_state_new(rv_run_state *s, const rv_recipe *r, void *work, bool resumed,
                           rv_pool *pool, rv_error *err)
{
    *s = (rv_run_state){ 0 };
    const rv_status st = init(s, r, work, resumed, pool, err);
    if (st != RV_OK)
        rv_run_state_fini(s);
    return st;
}

void rv_run_state_fini(rv_run_state *s)
{
    for (size_t i = 0; i < s->n_averages; i++)
        rv_average_free(s->average[i]);
    rv_optimiser_free(s->optimiser);
    rv_learner_free(s->learner);
    free(s->spans);
    *s = (rv_run_state){ 0 };
}

/* Blocks ------------------------------------------------------------------------------- */

typedef struct {
    char name[32];
    float *data;
    size_t count;
} block;

static size_t list_blocks(const rv_run_state *s, block *b)
{
    size_t n = 0;
    const char *name;
    b[n++] = (block){ "parameters", rv_learner_values(s->learner), rv_learner_count(s->learner) };
    for (size_t i = 0; rv_optimiser_state(s->optimiser, i, &name, &b[n].data, &b[n].count); i++)
        snprintf(b[n++].name, sizeof b[n].name, "%s", name);
    for (size_t i = 0; i < s->n_averages; i++) {
        b[n].data = rv_average_data(s->average[i], &b[n].count);
        snprintf(b[n++].name, sizeof b[n].name, "average%zu", i);
    }
    return n;
}

/* Numbers ------------------------------------------------------------------------------ */

/* What must not change between the sessions of a run: model, data and seed decide on its bits. */
static json_t *identity(const rv_recipe *r)
{
    return json_pack("{sOsosI}", "model", json_object_get(r->values, "model"), "data",
                     r->task->identity(r), "seed", (json_int_t)r->seed);
}

static const char *count_key(char key[48], size_t average)
{
    snprintf(key, 48, "average%zu_count", average);
    return key;
}

/* The best epoch's value of a measure of the task. */
static const char *best_key(char key[64], const rv_train_measure *measure)
{
    snprintf(key, 64, "best_%s", measure->name);
    return key;
}

static bool put_numbers(json_t *o, const rv_run_state *s, const rv_recipe *r)
{
    char key[64];
    size_t n;
    const rv_train_measure *measures = rv_task_measures(r, &n);
    bool ok = json_object_set_new(o, "recipe", identity(r)) == 0 &&
              rv_state_set_count(o, "steps", rv_optimiser_steps(s->optimiser)) &&
              rv_state_set_count(o, "epoch", s->epoch) &&
              rv_state_set_count(o, "epoch_step", s->epoch_step) &&
              rv_state_set_real(o, "epoch_loss", s->epoch_loss) &&
              rv_state_set_plateau(o, "plateau", &s->plateau) &&
              rv_state_set_stopping(o, "stopping", &s->stopping);
    for (size_t i = 0; i < n; i++)
        ok = ok && rv_state_set_real(o, best_key(key, &measures[i]), s->best[i]);
    for (size_t i = 0; i < s->n_averages; i++)
        ok = ok && rv_state_set_real(o, count_key(key, i), rv_average_count(s->average[i]));
    return ok;
}

static rv_status take_numbers(rv_run_state *s, const rv_recipe *r, const json_t *o, rv_error *err)
{
    uint64_t steps = 0;
    char key[64];
    size_t n;
    const rv_train_measure *measures = rv_task_measures(r, &n);
    RV_TRY(rv_state_get_count(o, "steps", &steps, err));
    RV_TRY(rv_state_get_count(o, "epoch", &s->epoch, err));
    RV_TRY(rv_state_get_count(o, "epoch_step", &s->epoch_step, err));
    RV_TRY(rv_state_get_real(o, "epoch_loss", &s->epoch_loss, err));
    for (size_t i = 0; i < n; i++)
        RV_TRY(rv_state_get_real(o, best_key(key, &measures[i]), &s->best[i], err));
    RV_TRY(rv_state_get_plateau(o, "plateau", &s->plateau, err));
    RV_TRY(rv_state_get_stopping(o, "stopping", &s->stopping, err));
    rv_optimiser_set_steps(s->optimiser, steps);
    for (size_t i = 0; i < s->n_averages; i++) {
        double count = 0;
        RV_TRY(rv_state_get_real(o, count_key(key, i), &count, err));
        rv_average_set_count(s->average[i], count);
    }
    return RV_OK;
}

rv_status rv_run_state_save(rv_run_state *s, const rv_recipe *r, const char *path, rv_error *err)
{
    block blocks[MAX_BLOCKS];
    rv_state_array arrays[MAX_BLOCKS];
    const size_t n = list_blocks(s, blocks);
    for (size_t i = 0; i < n; i++)
        arrays[i] = (rv_state_array){ blocks[i].name, blocks[i].data, blocks[i].count };
    json_t *numbers = json_object();
    const rv_status st = numbers && put_numbers(numbers, s, r)
                             ? rv_train_state_save(path, arrays, n, numbers, err)
                             : RV_FAIL(err, RV_ERR_NOMEM, "%s", path);
    json_decref(numbers);
    return st;
}

static rv_status take_state(rv_run_state *s, const rv_recipe *r, const rv_train_state *file,
                            const char *path, rv_error *err)
{
    block blocks[MAX_BLOCKS];
    const json_t *numbers = rv_train_state_scalars(file);
    json_t *now = identity(r);
    const bool same = json_equal(now, json_object_get(numbers, "recipe"));
    json_decref(now);
    if (!same)
        return RV_FAIL(
            err, RV_ERR_ARG,
            "%s: is of a run with another model, data or seed; choose another train.out, "
            "or remove the folder to start anew",
            path);
    const size_t n = list_blocks(s, blocks);
    for (size_t i = 0; i < n; i++)
        RV_TRY(rv_train_state_read(file, blocks[i].name, blocks[i].data, blocks[i].count, err));
    return take_numbers(s, r, numbers, err);
}

rv_status rv_run_state_load(rv_run_state *s, const rv_recipe *r, const char *path, char *warning,
                            size_t room, rv_error *err)
{
    rv_train_state *file = NULL;
    RV_TRY(rv_train_state_open(&file, path, err));
    snprintf(warning, room, "%s", rv_train_state_warning(file));
    const rv_status st = take_state(s, r, file, path, err);
    rv_train_state_free(file);
    return st;
}

/* The task's, and what is the same for all. */
static json_t *release_config(const rv_recipe *r, const void *work)
{
    json_t *config = r->task->release(work);
    json_object_set_new(config, "format_version", json_integer(1));
    json_object_set_new(config, "provenance", json_string("trained by ravel train"));
    return config;
}

rv_status rv_run_state_release(const rv_run_state *s, const rv_recipe *r, const void *work,
                               const char *path, rv_error *err)
{
    rv_tensor_source *tensors = calloc(s->n_spans + 1, sizeof *tensors);
    if (!tensors)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu tensors", s->n_spans);
    for (size_t i = 0; i < s->n_spans; i++) {
        const rv_span *span = &s->spans[i];
        tensors[i] = (rv_tensor_source){ .name = span->name,
                                         .dtype = RV_F32,
                                         .rank = span->shape.rank,
                                         .data = rv_learner_values(s->learner) + span->offset };
        memcpy(tensors[i].shape, span->shape.d, sizeof span->shape.d);
    }
    json_t *config = release_config(r, work);
    const rv_status st = config ? rv_safetensors_write(path, tensors, s->n_spans, config, err)
                                : RV_FAIL(err, RV_ERR_NOMEM, "%s", path);
    json_decref(config);
    free(tensors);
    return st;
}
