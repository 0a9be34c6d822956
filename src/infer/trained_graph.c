/* trained_graph.c - see trained_graph.h. */
#include "infer/trained_graph.h"

#include "base/status.h"

static void release_graph(rv_trained_graph *t)
{
    rv_plan_free(t->plan);
    rv_graph_free(t->graph);
    t->plan = NULL;
    t->graph = NULL;
}

void rv_trained_graph_release(rv_trained_graph *t)
{
    release_graph(t);
    rv_weights_free(&t->weights);
    rv_checkpoint_free(t->checkpoint);
    *t = (rv_trained_graph){ 0 };
}

const char *rv_trained_graph_class(const rv_trained_graph *t)
{
    const json_t *config = rv_checkpoint_config(t->checkpoint);
    const char *class = json_string_value(json_object_get(config, "class"));
    return class ? class : "";
}

rv_status rv_trained_graph_configure(const rv_trained_graph *t, const char *path,
                                     rv_configure_fn *configure, void *to, rv_error *err)
{
    rv_args args;
    rv_arena arena;
    rv_error why = { 0 };
    rv_arena_init(&arena, NULL);
    rv_status st =
        rv_arguments_read(&args, rv_checkpoint_config(t->checkpoint), NULL, &arena, &why);
    if (st == RV_OK)
        st = configure(to, &args, &why);
    rv_arena_fini(&arena);
    return st == RV_OK ? RV_OK : RV_FAIL(err, st, "%s: %s", path, why.text);
}

rv_status rv_trained_graph_begin(rv_trained_graph *t, rv_error *err)
{
    release_graph(t);
    RV_TRY(rv_graph_new(&t->graph, NULL, err));
    nn_begin(&t->nn, t->graph);
    return RV_OK;
}

rv_status rv_trained_graph_take(rv_trained_graph *t, const char *path, rv_error *err)
{
    return rv_weights_take(&t->weights, t->checkpoint, &t->nn, path, err);
}

rv_status rv_trained_graph_plan(rv_trained_graph *t, rv_pool *pool, rv_error *err)
{
    const rv_plan_options options = { .pool = pool, .isa_mask = KERN_ISA_ALL, .frozen = true };
    size_t i = 0;
    RV_TRY(rv_plan_new(&t->plan, t->graph, &options, err));
    for (const nn_param *p = t->nn.params; p; p = p->next)
        rv_plan_bind(t->plan, p->node, t->weights.value[i++]);
    rv_plan_prepare(t->plan);
    return RV_OK;
}
