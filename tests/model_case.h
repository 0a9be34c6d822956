/* model_case.h - run a model on a golden case: <folder>/<name>.json, .th and .safetensors.
 * Everything a case needs is kept in it; a failure fails the running test. */
#ifndef TESTS_MODEL_CASE_H
#define TESTS_MODEL_CASE_H

#include "check.h"
#include "io/checkpoint.h"
#include "models/model.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    json_t *json;
    rv_arg args[64], items[64]; /* items: of all lists, one after the other */
    rv_args given;
    rv_checkpoint *weights, *golden;
    const rv_model_def *def;
    void *config;
    rv_model_info info;
    rv_graph *graph;
    nn_builder nn;
    rv_node *mix, *out;
    rv_pool *pool;
    rv_plan *plan;
    float *data, *input, *want; /* parameters one after the other; planar audio */
    size_t length, length_out;  /* of input and of want */
} model_case;

/* "39/320" stands for a fraction where a number is meant. */
static inline rv_arg arg_of(const char *name, const json_t *value)
{
    rv_arg a = { .name = name, .kind = RV_ARG_NONE, .number = json_number_value(value) };
    long over, under;
    if (json_is_number(value))
        a.kind = RV_ARG_NUMBER;
    else if (json_is_boolean(value)) {
        a.kind = RV_ARG_BOOL;
        a.number = json_is_true(value);
    } else if (json_is_string(value)) {
        a.kind = RV_ARG_TEXT;
        a.text = json_string_value(value);
        if (sscanf(a.text, "%ld/%ld", &over, &under) == 2) {
            a.kind = RV_ARG_NUMBER;
            a.number = (double)over / (double)under;
        }
    }
    return a;
}

static inline void read_args(model_case *m, json_t *config)
{
    const char *name;
    json_t *value;
    size_t n_items = 0;
    json_object_foreach(config, name, value)
    {
        rv_arg *a = &m->args[m->given.n++];
        *a = arg_of(name, value);
        if (!json_is_array(value))
            continue;
        *a =
            (rv_arg){ name, RV_ARG_LIST, (double)json_array_size(value), NULL, m->items + n_items };
        for (size_t i = 0; i < json_array_size(value); i++)
            m->items[n_items++] = arg_of(NULL, json_array_get(value, i));
    }
    m->given.arg = m->args;
}

static inline float *read_tensor(const rv_checkpoint *c, const char *name, size_t *last)
{
    rv_error err = { 0 };
    const rv_tensor *t = rv_checkpoint_find(c, name);
    CHECK_MSG(t != NULL, "no tensor %s", name);
    float *data = malloc(t->count * sizeof *data);
    CHECK_OK(rv_checkpoint_read(c, t, data, &err), err);
    *last = t->shape[t->rank - 1];
    return data;
}

static inline void open_case(model_case *m, const char *folder, const char *name)
{
    char path[600];
    rv_error err = { 0 };
    snprintf(path, sizeof path, "%s/%s.json", folder, name);
    m->json = json_load_file(path, 0, NULL);
    CHECK_MSG(m->json != NULL, "cannot read %s", path);
    read_args(m, json_object_get(m->json, "config"));
    snprintf(path, sizeof path, "%s/%s.th", folder, name);
    CHECK_OK(rv_checkpoint_open(&m->weights, path, &err), err);
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
    CHECK_OK(rv_checkpoint_open(&m->golden, path, &err), err);
    m->input = read_tensor(m->golden, "input", &m->length);
    m->want = read_tensor(m->golden, "output", &m->length_out);
}

static inline void configure_case(model_case *m)
{
    rv_error err = { 0 };
    m->def = rv_model_find(json_string_value(json_object_get(m->json, "class")));
    CHECK(m->def != NULL);
    m->config = calloc(1, m->def->config_size);
    CHECK_OK(m->def->configure(m->config, &m->info, &m->given, &err), err);
}

static inline void build_case(model_case *m, size_t length)
{
    rv_error err = { 0 };
    CHECK_OK(rv_graph_new(&m->graph, NULL, &err), err);
    nn_begin(&m->nn, m->graph);
    m->mix = rv_input(m->graph, RV_SHAPE(1, length, m->info.channels));
    m->out = rv_output(m->def->build(&m->nn, m->config, &m->info, m->mix));
    CHECK_OK(rv_graph_status(m->graph, &err), err);
}

/* The tensor of a parameter under its name or its older name; NULL if there is none. */
static inline const rv_tensor *find_weights(const model_case *m, const char *name)
{
    char old[300];
    const rv_tensor *t = rv_checkpoint_find(m->weights, name);
    if (!t && m->def->old_name && m->def->old_name(name, old, sizeof old))
        t = rv_checkpoint_find(m->weights, old);
    return t;
}

static inline void check_shape(const nn_param *p, const rv_tensor *t)
{
    CHECK_MSG(t != NULL, "%s is not in the checkpoint", p->name);
    bool same = t->rank == p->node->shape.rank;
    for (int i = 0; same && i < t->rank; i++)
        same = t->shape[i] == p->node->shape.d[i];
    CHECK_MSG(same, "%s has another shape in the checkpoint", p->name);
}

/* Names and shapes are those of the checkpoint, none missing and none left over. */
static inline void read_weights(model_case *m)
{
    rv_error err = { 0 };
    size_t at = 0, expected = 0;
    m->data = malloc(nn_count(&m->nn) * sizeof *m->data);
    for (const nn_param *p = m->nn.params; p; p = p->next) {
        const rv_tensor *t = find_weights(m, p->name);
        check_shape(p, t);
        CHECK_OK(rv_checkpoint_read(m->weights, t, m->data + at, &err), err);
        at += t->count;
    }
    for (size_t i = 0; i < rv_checkpoint_count(m->weights); i++)
        expected += !strstr(rv_checkpoint_tensor(m->weights, i)->name, "num_batches_tracked");
    CHECK_MSG(expected == m->nn.n_params, "%zu parameters, the checkpoint has %zu", m->nn.n_params,
              expected);
}

static inline void plan_with(model_case *m, const rv_plan_options *opt)
{
    rv_error err = { 0 };
    size_t at = 0;
    CHECK_OK(rv_plan_new(&m->plan, m->graph, opt, &err), err);
    for (const nn_param *p = m->nn.params; p; p = p->next) {
        rv_plan_bind(m->plan, p->node, m->data + at);
        at += rv_shape_count(&p->node->shape);
    }
}

/* To run with weights that stay. */
static inline void plan_case(model_case *m, int threads)
{
    rv_error err = { 0 };
    if (threads > 1)
        CHECK_OK(rv_pool_new(&m->pool, threads, NULL, &err), err);
    plan_with(m, &(rv_plan_options){ .pool = m->pool, .isa_mask = KERN_ISA_ALL, .frozen = true });
    rv_plan_prepare(m->plan);
}

/* To run with weights that change between runs. */
static inline void plan_trainable(model_case *m)
{
    plan_with(m, NULL);
}

/* The golden input to the plan's layout, and a run. */
static inline void run_case(model_case *m)
{
    const size_t audio = m->info.channels;
    for (size_t t = 0; t < m->length; t++)
        for (size_t c = 0; c < audio; c++)
            rv_value(m->plan, m->mix)[t * audio + c] = m->input[c * m->length + t];
    rv_plan_run(m->plan);
}

/* max |y - want| / max |want|; the middle is compared where the reference returns less. */
static inline double relative_error(const model_case *m)
{
    const size_t rows = m->info.n_stems * m->info.channels;
    const size_t skip = (m->length - m->length_out) / 2;
    const real *y = rv_value(m->plan, m->out) + skip * rows;
    double off = 0, most = 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < m->length_out; t++) {
            const double want = (double)m->want[r * m->length_out + t];
            const double d = fabs((double)y[t * rows + r] - want);
            if (!(d <= off)) /* keeps NaN */
                off = d;
            most = fmax(most, fabs(want));
        }
    return off / most;
}

static inline void close_plan(model_case *m)
{
    rv_plan_free(m->plan);
    rv_pool_free(m->pool);
    m->plan = NULL;
    m->pool = NULL;
}

static inline void close_case(model_case *m)
{
    close_plan(m);
    rv_graph_free(m->graph);
    rv_checkpoint_free(m->weights);
    rv_checkpoint_free(m->golden);
    json_decref(m->json);
    free(m->config);
    free(m->data);
    free(m->input);
    free(m->want);
}

#endif
