/* group.c - see group.h. Processors stand in an order in which what feeds one comes before it, so a
 * group has no circles. */
#include "ddsp/group.h"

#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

rv_status rv_group_new(rv_group **out, double sample_rate, const rv_alloc *mem, rv_error *err)
{
    mem = mem ? mem : &rv_alloc_default;
    if (!(sample_rate > 0 && sample_rate < 1e9))
        return RV_FAIL(err, RV_ERR_ARG, "group of processors: a sample rate of %g Hz", sample_rate);
    rv_group *g = mem->alloc(mem->ctx, sizeof *g, _Alignof(rv_group));
    if (!g)
        return RV_FAIL(err, RV_ERR_NOMEM, "group of processors");
    memset(g, 0, sizeof *g);
    g->mem = mem;
    g->sample_rate = sample_rate;
    *out = g;
    return RV_OK;
}

void rv_group_free(rv_group *g)
{
    if (g)
        g->mem->free(g->mem->ctx, g);
}

size_t rv_group_find(const rv_group *g, const char *name)
{
    for (size_t i = 0; i < g->n_processors; i++)
        if (!strcmp(g->processors[i].name, name))
            return i;
    return SIZE_MAX;
}

size_t rv_group_find_control(const rv_group *g, const char *name)
{
    for (size_t i = 0; i < g->n_controls; i++)
        if (!strcmp(g->controls[i].name, name))
            return i;
    return SIZE_MAX;
}

/* Adding ------------------------------------------------------------------------------- */

static const char *const port_text[] = { [RV_GROUP_AUDIO] = "audio",
                                         [RV_GROUP_FRAMES] = "frames of controls",
                                         [RV_GROUP_FIXED] = "a response or what makes one" };

static bool is_name(const char *name)
{
    const size_t n = strlen(name);
    return n > 0 && n < RV_GROUP_NAME && strcspn(name, ". \t\n/\"") == n;
}

/* "2 inputs (audio, response)", "1 or 3 inputs (...)", "2 to 8 inputs (...)" */
typedef struct inputs_text {
    char text[160];
} inputs_text;

static inputs_text show_inputs(const rv_group_kind *kind)
{
    inputs_text t;
    size_t n;
    if (kind->least == kind->most)
        n = (size_t)snprintf(t.text, sizeof t.text, "%zu", kind->least);
    else
        n = (size_t)snprintf(t.text, sizeof t.text, "%zu %s %zu", kind->least,
                             kind->any ? "to" : "or", kind->most);
    n += (size_t)snprintf(t.text + n, sizeof t.text - n, kind->most == 1 ? " input" : " inputs");
    for (size_t i = 0; i < (kind->any ? 1 : kind->most); i++)
        n += (size_t)snprintf(t.text + n, sizeof t.text - n, "%s%s", i ? ", " : " (",
                              kind->inputs[i].name);
    snprintf(t.text + n, sizeof t.text - n, ")");
    return t;
}

static rv_status check_processor(const rv_group *g, const char *name, const char *kind,
                                 const rv_group_kind *found, size_t n_inputs, rv_error *err)
{
    if (!is_name(name))
        return RV_FAIL(err, RV_ERR_ARG,
                       "processor \"%.64s\": names have 1 to %d characters, without dots, slashes, "
                       "quotes and spaces",
                       name, RV_GROUP_NAME - 1);
    if (rv_group_find(g, name) != SIZE_MAX || rv_group_find_control(g, name) != SIZE_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "processor \"%s\": the name is taken", name);
    if (!found)
        return RV_FAIL(err, RV_ERR_ARG, "processor \"%s\": unknown kind \"%.64s\"", name, kind);
    if (n_inputs < found->least || n_inputs > found->most ||
        (!found->any && n_inputs != found->least && n_inputs != found->most))
        return RV_FAIL(err, RV_ERR_ARG, "processor \"%s\": %s takes %s, not %zu", name, kind,
                       show_inputs(found).text, n_inputs);
    if (g->n_processors == RV_GROUP_MOST)
        return RV_FAIL(err, RV_ERR_ARG, "processor \"%s\": a group has at most %d", name,
                       RV_GROUP_MOST);
    return RV_OK;
}

/* The control of that name, made if there is none. */
static rv_status find_control(rv_group *g, const char *name, rv_group_port port, size_t *index,
                              rv_error *err)
{
    *index = rv_group_find_control(g, name);
    if (*index != SIZE_MAX)
        return g->controls[*index].port == port
                   ? RV_OK
                   : RV_FAIL(err, RV_ERR_ARG, "control \"%s\" is %s and %s", name,
                             port_text[g->controls[*index].port], port_text[port]);
    if (!is_name(name) || g->n_controls == RV_GROUP_MOST)
        return RV_FAIL(err, RV_ERR_ARG,
                       "input \"%.64s\": names have 1 to %d characters, without dots, slashes, "
                       "quotes and spaces, and a group has at most %d controls",
                       name, RV_GROUP_NAME - 1, RV_GROUP_MOST);
    *index = g->n_controls++;
    g->controls[*index].port = port;
    memcpy(g->controls[*index].name, name, strlen(name) + 1);
    return RV_OK;
}

static rv_status find_source(rv_group *g, const char *name, const rv_group_kind *kind, size_t i,
                             rv_group_source *out, rv_error *err)
{
    const rv_group_port port = kind->inputs[i].port;
    *out = (rv_group_source){ true, rv_group_find(g, name) };
    if (out->index == SIZE_MAX) {
        out->is_processor = false;
        return find_control(g, name, port, &out->index, err);
    }
    if (port == RV_GROUP_AUDIO)
        return RV_OK;
    return RV_FAIL(err, RV_ERR_ARG,
                   "input %zu of %s (%s) takes %s, a control; \"%s\" is a processor", i + 1,
                   kind->name, kind->inputs[i].name, port_text[port], name);
}

rv_status rv_group_add(rv_group *g, const char *name, const char *kind, size_t n_inputs,
                       const char *const *inputs, rv_error *err)
{
    const rv_group_kind *found = rv_group_find_kind(kind);
    RV_TRY(check_processor(g, name, kind, found, n_inputs, err));
    rv_group_processor p = { .kind = found, .n_inputs = n_inputs };
    memcpy(p.name, name, strlen(name) + 1);
    for (size_t i = 0; i < found->n_settings; i++)
        p.settings[i] = found->settings[i].standard;
    const size_t before = g->n_controls;
    for (size_t i = 0; i < n_inputs; i++) {
        const rv_status status = find_source(g, inputs[i], found, i, &p.inputs[i], err);
        if (status != RV_OK) {
            g->n_controls = before;
            return status;
        }
    }
    if (rv_group_find_control(g, name) != SIZE_MAX) {
        g->n_controls = before;
        return RV_FAIL(err, RV_ERR_ARG, "processor \"%s\" feeds itself", name);
    }
    g->output = g->n_processors++;
    g->processors[g->output] = p;
    return RV_OK;
}

static size_t n_choices(const char *choices)
{
    size_t n = 1;
    for (; *choices; choices++)
        n += *choices == '|';
    return n;
}

rv_status rv_group_set(rv_group *g, const char *name, const char *setting, double value,
                       rv_error *err)
{
    const size_t at = rv_group_find(g, name);
    if (at == SIZE_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "there is no processor \"%.64s\"", name);
    const rv_group_kind *kind = g->processors[at].kind;
    for (size_t i = 0; i < kind->n_settings; i++) {
        const rv_group_setting *s = &kind->settings[i];
        if (strcmp(s->name, setting))
            continue;
        const double most = s->choices ? (double)n_choices(s->choices) - 1 : s->most;
        const bool whole = s->kind == RV_GROUP_NUMBER || !(value - floor(value) > 0);
        if (!(value >= s->least && value <= most && whole))
            return RV_FAIL(err, RV_ERR_ARG, "processor \"%s\": %s of %g; expected %g to %g%s", name,
                           setting, value, s->least, most, whole ? "" : ", whole");
        g->processors[at].settings[i] = value;
        return RV_OK;
    }
    return RV_FAIL(err, RV_ERR_ARG, "processor \"%s\": %s has no setting \"%.64s\"", name,
                   kind->name, setting);
}

rv_status rv_group_set_output(rv_group *g, const char *name, rv_error *err)
{
    const size_t at = rv_group_find(g, name);
    if (at == SIZE_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "output \"%.64s\": there is no such processor", name);
    g->output = at;
    return RV_OK;
}

/* Building ----------------------------------------------------------------------------- */

static bool check_controls(const rv_group *g, rv_graph *graph, rv_node *const *controls)
{
    for (size_t i = 0; i < g->n_controls; i++) {
        const rv_group_port port = g->controls[i].port;
        const int rank = port == RV_GROUP_AUDIO ? 2 : 3;
        if (controls[i]->shape.rank == rank || port == RV_GROUP_FIXED)
            continue;
        rv_poison(graph, RV_ERR_SHAPE, __func__, "group: control \"%s\" has %d axes; expected %s",
                  g->controls[i].name, controls[i]->shape.rank,
                  port == RV_GROUP_AUDIO ? "audio [B,N]" : "frames [B,F,K]");
        return false;
    }
    return g->n_processors > 0;
}

rv_node *rv_group_build(const rv_group *g, nn_builder *b, rv_node *const *controls, size_t samples,
                        rv_node **noise)
{
    rv_node *out[RV_GROUP_MOST];
    if (!check_controls(g, b->graph, controls))
        return rv_poison(b->graph, RV_ERR_ARG, __func__, "group: no processors");
    for (size_t i = 0; i < g->n_processors; i++) {
        const rv_group_processor *p = &g->processors[i];
        rv_group_call call = { .b = b,
                               .settings = p->settings,
                               .sample_rate = g->sample_rate,
                               .samples = samples,
                               .n_inputs = p->n_inputs };
        for (size_t k = 0; k < p->n_inputs; k++)
            call.in[k] =
                p->inputs[k].is_processor ? out[p->inputs[k].index] : controls[p->inputs[k].index];
        const size_t mark = nn_enter(b, "%s", p->name);
        out[i] = p->kind->build(&call);
        nn_leave(b, mark);
        if (noise)
            noise[i] = call.noise;
    }
    return out[g->output];
}

uint64_t rv_group_seed(uint64_t seed, size_t processor)
{
    return rv_rng_bits(seed, processor, 0);
}

void rv_group_fill_noise(const rv_group *g, const rv_plan *plan, rv_node *const *noise,
                         uint64_t seed, uint64_t step)
{
    for (size_t i = 0; i < g->n_processors; i++)
        if (noise[i] && rv_value(plan, noise[i]))
            rv_noise_fill(rv_value(plan, noise[i]), rv_shape_count(&noise[i]->shape),
                          rv_group_seed(seed, i), step);
}
