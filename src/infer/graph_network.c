/* graph_network.c - a network from a checkpoint: configuration, graph, weights, plan.
 *
 * The configuration (the reference's class and constructor arguments) says which graph to build;
 * opening builds one to compare its parameters with the tensors of the file. A runner builds the
 * graph for its own length and plans it with frozen weights. Those that are only packed are read
 * one by one for that and then left; the others, few and small, are read to one block. */
#include "base/status.h"
#include "infer/arguments.h"
#include "infer/network.h"
#include "infer/quantized.h"
#include "infer/unmix_folder.h"
#include "io/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    rv_network base;
    rv_model_info info;
    const rv_model_def *def;
    void *config;
    rv_checkpoint *checkpoint;
    rv_arena arena;
    const rv_tensor **tensor; /* of each parameter, in the order of building */
    size_t n_params;
} graph_network;

typedef struct {
    rv_runner base;
    const graph_network *network;
    rv_graph *graph; /* NULL if that of another runner of this length is used */
    rv_plan *plan;
    rv_node *in, *out;
    const nn_param *params; /* in the graph */
    float *values;          /* that runs read */
} graph_runner;

/* Building ------------------------------------------------------------------------- */

static rv_status build(rv_graph **graph, nn_builder *b, rv_node **in, rv_node **out,
                       const graph_network *n, size_t frames, rv_error *err)
{
    RV_TRY(rv_graph_new(graph, &rv_alloc_default, err));
    nn_begin(b, *graph);
    *in = rv_input(*graph, RV_SHAPE(1, frames, n->info.channels));
    *out = rv_output(n->def->build(b, n->config, &n->info, *in));
    RV_TRY(rv_graph_status(*graph, err));
    if (rv_extent(*out, 1) != frames || rv_extent(*out, 2) != n->info.n_stems * n->info.channels)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s gives %zu frames of %zu channels", n->def->name,
                       rv_extent(*out, 1), rv_extent(*out, 2));
    return RV_OK;
}

static size_t graph_valid_length(const rv_network *n, size_t frames)
{
    const graph_network *g = (const graph_network *)(const void *)n;
    return g->def->valid_length(g->config, &g->info, frames);
}

/* Running -------------------------------------------------------------------------- */

static void run(rv_runner *r)
{
    rv_plan_run(((graph_runner *)(void *)r)->plan);
}

/* A value [1,frames,planes] as planes. */
static rv_planes_view planes_of(const rv_plan *plan, const rv_node *value)
{
    return (rv_planes_view){ rv_value(plan, value), 1, rv_extent(value, 2) };
}

static void runner_free(rv_runner *r)
{
    graph_runner *g = (graph_runner *)(void *)r;
    rv_plan_free(g->plan);
    rv_graph_free(g->graph);
    free(g->values);
    free(g);
}

/* Values of parameters ------------------------------------------------------------- */

/* Those that runs read are put one behind the other. */
static rv_status bind_values(graph_runner *g, rv_error *err)
{
    const graph_network *n = g->network;
    size_t room = 0, i = 0;
    for (const nn_param *p = g->params; p; p = p->next, i++)
        room += rv_plan_reads(g->plan, p->node) ? n->tensor[i]->count : 0;
    float *at = g->values = malloc((room + 1) * sizeof *at);
    if (!at)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu parameters", room);
    i = 0;
    for (const nn_param *p = g->params; p; p = p->next, i++) {
        if (!rv_plan_reads(g->plan, p->node))
            continue;
        RV_TRY(rv_checkpoint_read(n->checkpoint, n->tensor[i], at, err));
        rv_plan_bind(g->plan, p->node, at);
        at += n->tensor[i]->count;
    }
    return RV_OK;
}

/* The weights of one operation, read for it. */
typedef struct {
    const graph_runner *runner;
    float *value[RV_MAX_IN];
    int n;
} weight_source;

static const real *bring_weight(void *ctx, const rv_node *param, rv_error *err)
{
    weight_source *s = ctx;
    const graph_network *n = s->runner->network;
    size_t i = 0;
    for (const nn_param *p = s->runner->params; p->node != param; p = p->next)
        i++;
    const float *in_file = rv_checkpoint_view(n->checkpoint, n->tensor[i]);
    if (in_file)
        return in_file;
    float *x = s->value[s->n++] = malloc((n->tensor[i]->count + 1) * sizeof *x);
    if (!x)
        (void)RV_FAIL(err, RV_ERR_NOMEM, "%zu parameters", n->tensor[i]->count);
    else if (rv_checkpoint_read(n->checkpoint, n->tensor[i], x, err) != RV_OK)
        x = NULL;
    rv_checkpoint_unload(n->checkpoint);
    return x;
}

static void drop_weights(void *ctx)
{
    weight_source *s = ctx;
    while (s->n > 0)
        free(s->value[--s->n]);
    rv_checkpoint_unload(s->runner->network->checkpoint);
}

static rv_status take_weights(graph_runner *g, rv_error *err)
{
    weight_source weights = { .runner = g };
    const rv_plan_source source = { &weights, bring_weight, drop_weights };
    RV_TRY(bind_values(g, err));
    return rv_plan_prepare_from(g->plan, &source, err);
}

static rv_status runner_init(graph_runner *g, size_t frames, const rv_runner_options *o,
                             rv_error *err)
{
    const graph_runner *share = (const graph_runner *)(const void *)o->share;
    nn_builder b = { 0 };
    const bool alike = share && share->base.frames == frames;
    rv_graph *graph = alike ? share->graph : NULL;
    if (alike) {
        g->in = share->in;
        g->out = share->out;
        g->params = share->params;
    } else {
        RV_TRY(build(&g->graph, &b, &g->in, &g->out, g->network, frames, err));
        graph = g->graph;
        g->params = b.params;
    }
    const rv_plan_options options = { .pool = o->pool,
                                      .isa_mask = KERN_ISA_ALL,
                                      .frozen = true,
                                      .share = share ? share->plan : NULL,
                                      .precision = o->precision };
    RV_TRY(rv_plan_new(&g->plan, graph, &options, err));
    g->base.mix = planes_of(g->plan, g->in);
    g->base.stems = planes_of(g->plan, g->out);
    RV_TRY(take_weights(g, err));
    g->base.bytes = rv_plan_bytes(g->plan) + rv_plan_prepared_bytes(g->plan);
    return RV_OK;
}

static rv_status runner_new(rv_runner **out, const rv_network *n, size_t frames,
                            const rv_runner_options *options, rv_error *err)
{
    graph_runner *g = calloc(1, sizeof *g);
    if (!g)
        return RV_FAIL(err, RV_ERR_NOMEM, "a runner");
    g->base = (rv_runner){ .frames = frames, .run = run, .free = runner_free };
    g->network = (const graph_network *)(const void *)n;
    const rv_status st = runner_init(g, frames, options, err);
    if (st != RV_OK) {
        runner_free(&g->base);
        return st;
    }
    *out = &g->base;
    return RV_OK;
}

/* Opening -------------------------------------------------------------------------- */

static void network_free(rv_network *n)
{
    graph_network *g = (graph_network *)(void *)n;
    rv_checkpoint_free(g->checkpoint);
    rv_arena_fini(&g->arena);
    free((void *)g->tensor);
    free(g->config);
    free(g);
}

static const rv_network_class graph_class = { graph_valid_length, runner_new, network_free };

static rv_status find_model(graph_network *g, const json_t *config, const char *path, rv_error *err)
{
    const char *class = json_string_value(json_object_get(config, "class"));
    if (!class)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "%s: holds weights but does not say of which model; write its class and "
                       "arguments to a JSON file, {\"class\": ..., \"kwargs\": {...}}, and run "
                       "`ravel models convert FILE OUT.safetensors --config FILE.json`",
                       path);
    g->def = rv_model_find(class);
    if (!g->def)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: holds a model of the unknown class '%.100s'",
                       path, class);
    return RV_OK;
}

/* Put the file's name before a message that lacks it. */
static rv_status name_file(rv_status st, const char *path, rv_error *err)
{
    if (st == RV_OK || !err || strncmp(err->text, path, strlen(path)) == 0)
        return st;
    const rv_error was = *err;
    return rv_fail(err, st, was.where, "%s: %s", path, was.text);
}

static rv_status configure(graph_network *g, double segment, const json_t *config, rv_error *err)
{
    rv_args args;
    RV_TRY(rv_arguments_read(&args, config, g->def->positional, &g->arena, err));
    g->config = calloc(1, g->def->config_size + 1);
    if (!g->config)
        return RV_FAIL(err, RV_ERR_NOMEM, "the model's configuration");
    RV_TRY(g->def->configure(g->config, &g->info, &args, err));
    rv_model_info *info = &g->info;
    const bool fixed = info->n_audio > 1 && graph_valid_length(&g->base, 1) == info->n_audio;
    if (segment > 0 && !(fixed && segment > info->segment)) {
        info->segment = segment;
        info->n_audio = (size_t)((double)info->sample_rate * segment);
    }
    g->base.channels = info->channels;
    g->base.n_stems = info->n_stems;
    g->base.sample_rate = info->sample_rate;
    g->base.segment = info->n_audio;
    g->base.fixed = fixed ? info->n_audio : 0;
    if (info->n_audio == 0)
        return RV_FAIL(err, RV_ERR_FORMAT, "the model's segment is empty");
    return RV_OK;
}

/* Wrappers around a model leave their name before all of its tensors' names. */
static const char *find_prefix(const graph_network *g, const nn_param *first)
{
    static const char *const prefixes[] = { "module.", "model.", "_orig_mod." };
    for (size_t i = 0; first && i < sizeof prefixes / sizeof *prefixes; i++) {
        char name[400];
        if (snprintf(name, sizeof name, "%s%s", prefixes[i], first->name) < (int)sizeof name &&
            rv_checkpoint_find(g->checkpoint, name))
            return prefixes[i];
    }
    return "";
}

/* The name a parameter has in the file: with the prefix, and in older files an older one. */
static const char *name_in_file(const graph_network *g, const char *prefix, const char *name,
                                rv_arena *arena)
{
    const size_t size = strlen(prefix) + strlen(name) + 1;
    char *full = rv_arena_take(arena, size), older[300];
    if (!full)
        return NULL;
    snprintf(full, size, "%s%s", prefix, name);
    if (rv_checkpoint_find(g->checkpoint, full) || !g->def->old_name ||
        !g->def->old_name(name, older, sizeof older))
        return full;
    const size_t old_size = strlen(prefix) + strlen(older) + 1;
    char *old = rv_arena_take(arena, old_size);
    if (!old)
        return NULL;
    snprintf(old, old_size, "%s%s", prefix, older);
    return rv_checkpoint_find(g->checkpoint, old) ? old : full;
}

static rv_status list_expected(rv_expected *want, const graph_network *g, const nn_param *p,
                               rv_arena *arena, rv_error *err)
{
    const char *prefix = find_prefix(g, p);
    for (; p; p = p->next, want++) {
        *want = (rv_expected){ .name = name_in_file(g, prefix, p->name, arena),
                               .rank = p->node->shape.rank };
        if (!want->name)
            return RV_FAIL(err, RV_ERR_NOMEM, "the names of the parameters");
        memcpy(want->shape, p->node->shape.d, sizeof p->node->shape.d);
    }
    return RV_OK;
}

static rv_status match_weights(graph_network *g, rv_network_card *card, rv_error *err)
{
    nn_builder b;
    rv_node *in, *out;
    rv_graph *graph = NULL;
    rv_arena names;
    rv_arena_init(&names, NULL);
    const size_t frames = graph_valid_length(&g->base, g->info.n_audio);
    rv_status st = build(&graph, &b, &in, &out, g, frames, err);
    rv_expected *want = NULL;
    if (st == RV_OK) {
        g->n_params = b.n_params;
        card->parameters = nn_count(&b);
        g->tensor = calloc(b.n_params + 1, sizeof *g->tensor);
        want = rv_arena_take(&names, (b.n_params + 1) * sizeof *want);
        st = g->tensor && want ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu parameters", b.n_params);
    }
    if (st == RV_OK)
        st = list_expected(want, g, b.params, &names, err);
    if (st == RV_OK)
        st = rv_name_quantized(g->checkpoint, want, g->n_params, err);
    if (st == RV_OK)
        st = rv_checkpoint_match(g->checkpoint, want, g->n_params, err);
    for (size_t i = 0; st == RV_OK && i < g->n_params; i++)
        g->tensor[i] = rv_checkpoint_find(g->checkpoint, want[i].name);
    rv_graph_free(graph);
    rv_arena_fini(&names);
    return st;
}

static void copy_text(char *dst, size_t size, const json_t *config, const char *key)
{
    const char *text = json_string_value(json_object_get(config, key));
    snprintf(dst, size, "%s", text ? text : "");
}

/* Weights of the reference projects do not say: their programs normalise for all of them. */
static rv_status read_level(graph_network *g, const json_t *config, rv_error *err)
{
    const json_t *v = json_object_get(config, "normalise");
    const char *name = v ? json_string_value(v) : "track";
    g->base.level = name && strcmp(name, "track") == 0 && !g->def->features;
    g->base.adds_up = g->def->adds_up;
    if (!g->def->features && !g->base.level && (!name || strcmp(name, "none") != 0))
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "normalise is '%.50s'; expected none or track",
                       name ? name : "");
    return RV_OK;
}

static rv_status open_network(graph_network *g, rv_network_card *card, const char *path,
                              double segment, const json_t *config, rv_error *err)
{
    RV_TRY(rv_unmix_folder_is(path) ? rv_unmix_folder_open(&g->checkpoint, path, err)
                                    : rv_checkpoint_open(&g->checkpoint, path, err));
    config = config ? config : rv_checkpoint_config(g->checkpoint);
    RV_TRY(find_model(g, config, path, err));
    RV_TRY(configure(g, segment, config, err));
    RV_TRY(read_level(g, config, err));
    RV_TRY(match_weights(g, card, err));
    card->def = g->def;
    card->info = g->info;
    copy_text(card->license, sizeof card->license, config, "license");
    copy_text(card->provenance, sizeof card->provenance, config, "provenance");
    return RV_OK;
}

const void *rv_network_config(const rv_network *n)
{
    return ((const graph_network *)(const void *)n)->config;
}

const rv_checkpoint *rv_network_checkpoint(const rv_network *n)
{
    return ((const graph_network *)(const void *)n)->checkpoint;
}

rv_status rv_network_open(rv_network **out, rv_network_card *card, const char *path, double segment,
                          const json_t *config, rv_error *err)
{
    graph_network *g = calloc(1, sizeof *g);
    if (!g)
        return RV_FAIL(err, RV_ERR_NOMEM, "a network");
    g->base.class = &graph_class;
    rv_arena_init(&g->arena, NULL);
    *card = (rv_network_card){ 0 };
    const rv_status st = name_file(open_network(g, card, path, segment, config, err), path, err);
    if (st != RV_OK) {
        network_free(&g->base);
        return st;
    }
    *out = &g->base;
    return RV_OK;
}
