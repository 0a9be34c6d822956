/* stream_group_room.c - reverbs of a group: the response is what its nodes make, run once. */
#include "ddsp/stream_group_impl.h"
#include "ddsp/stream_reverb.h"

/* The graph of a response, until its stream has copied it. */
typedef struct room {
    nn_builder b;
    rv_group_call call;
    rv_graph *graph;
    rv_plan *plan;
    rv_node *response;
} room;

static rv_status build_room(room *r, const rv_stream_group_config *c, size_t processor,
                            const rv_alloc *mem, rv_error *err)
{
    const rv_group_processor *p = &c->group->processors[processor];
    RV_TRY(rv_graph_new(&r->graph, mem, err));
    nn_begin(&r->b, r->graph);
    r->call = group_call_of(c->group, processor, &r->b);
    for (size_t k = 1; k < p->n_inputs; k++)
        r->call.in[k] = rv_param(r->graph, c->controls[p->inputs[k].index].shape);
    nn_enter(&r->b, "%s", p->name);
    r->response = rv_output(p->kind->response(&r->call));
    RV_TRY(rv_graph_status(r->graph, err));
    const rv_plan_options options = { .mem = mem, .isa_mask = KERN_ISA_ALL };
    return rv_plan_new(&r->plan, r->graph, &options, err);
}

static rv_status fill_room(room *r, const rv_stream_group_config *c, size_t processor,
                           rv_error *err)
{
    const rv_group_processor *p = &c->group->processors[processor];
    for (size_t k = 1; k < p->n_inputs; k++)
        rv_plan_bind(r->plan, r->call.in[k], c->controls[p->inputs[k].index].data);
    for (const nn_param *param = r->b.params; param; param = param->next) {
        const float *value = c->parameter ? c->parameter(c->ctx, param->name) : NULL;
        if (!value)
            return RV_FAIL(err, RV_ERR_ARG, "there is no value for the parameter \"%s\"",
                           param->name);
        rv_plan_bind(r->plan, param->node, value);
    }
    if (r->call.noise)
        rv_noise_fill(rv_value(r->plan, r->call.noise), rv_shape_count(&r->call.noise->shape),
                      rv_group_seed(c->seed, processor), c->step);
    rv_plan_run(r->plan);
    return RV_OK;
}

static rv_status open_stream(rv_stream **out, const room *r, const rv_alloc *mem, rv_error *err)
{
    const rv_stream_reverb_config config = { .response = rv_value(r->plan, r->response),
                                             .length = rv_extent(r->response, 1),
                                             .dry = r->call.settings[RV_ROOM_DRY] > 0 };
    if (r->response->shape.rank != 2 || rv_extent(r->response, 0) != 1)
        return RV_FAIL(err, RV_ERR_SHAPE, "a stream's response has the shape [1,M]");
    return rv_stream_reverb_new(out, &config, mem, err);
}

rv_status rv_stream_group_room(rv_stream **out, const rv_stream_group_config *c, size_t processor,
                               const rv_alloc *mem, rv_error *err)
{
    room r = { .graph = NULL };
    rv_status status = build_room(&r, c, processor, mem, err);
    if (status == RV_OK)
        status = fill_room(&r, c, processor, err);
    if (status == RV_OK)
        status = open_stream(out, &r, mem, err);
    rv_plan_free(r.plan);
    rv_graph_free(r.graph);
    return status;
}
