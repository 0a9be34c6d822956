/* stream_group.c - each processor is a stream. A plan of one frame makes their frames from the
 * controls, with the nodes with which the whole is made.
 *
 * A processor whose inputs are late by `offset` samples starts that much later, and takes its
 * frames that much later, from a queue; an input that is less late than the others waits in a line.
 */
#include "ddsp/stream_group.h"

#include "ddsp/stream_filter.h"
#include "ddsp/stream_group_impl.h"
#include "ddsp/stream_harmonic.h"
#include "ddsp/stream_mod_delay.h"
#include "ddsp/stream_reverb.h"
#include "ddsp/stream_routing.h"
#include "ddsp/stream_sinusoids.h"
#include "ddsp/stream_wavetable.h"

#include <string.h>

/* Running ------------------------------------------------------------------------------ */

static void put_frame(group_member *m, const float *frame)
{
    const size_t width = rv_stream_width(m->stream);
    const size_t at = (m->first + m->queued) % m->capacity;
    memcpy(m->queue + at * width, frame, width * sizeof *frame);
    m->queued++;
}

static bool give_frame(group_member *m)
{
    if (!m->queued)
        return false;
    if (!rv_stream_give(m->stream, m->queue + m->first * rv_stream_width(m->stream)))
        return false;
    m->first = (m->first + 1) % m->capacity;
    m->queued--;
    return true;
}

static void group_frame(rv_stream *base)
{
    group_stream *s = (group_stream *)base;
    const float *from = base->next;
    for (size_t i = 0; i < s->n_controls; i++)
        if (s->controls[i]) {
            const size_t width = rv_extent(s->controls[i], 2);
            memcpy(rv_value(s->plan, s->controls[i]), from, width * sizeof *from);
            from += width;
        }
    if (s->plan)
        rv_plan_run(s->plan);
    for (size_t i = 0; i < s->n; i++)
        if (s->members[i].frame)
            put_frame(&s->members[i], rv_value(s->plan, s->members[i].frame));
}

/* n samples of an input, as late as the latest. */
static const float *delayed(const group_input *in, const float *x, size_t n)
{
    if (!in->delay)
        return x;
    memcpy(in->line + in->delay, x, n * sizeof *x);
    return in->line;
}

static void run_member(group_member *m, const float *const *audio, size_t n)
{
    const float *in[RV_STREAM_INPUTS];
    const size_t silent = m->waiting < n ? m->waiting : n;
    for (size_t i = 0; i < m->n_inputs; i++) {
        const group_input *input = &m->inputs[i];
        const float *x = input->member ? input->member->out : audio[input->audio];
        in[i] = delayed(input, x, n) + silent;
    }
    memset(m->out, 0, silent * sizeof *m->out);
    m->waiting -= silent;
    for (size_t done = silent; done < n;) {
        const size_t made = rv_stream_process(m->stream, in, m->out + done, n - done);
        for (size_t i = 0; i < m->n_inputs; i++)
            in[i] += made;
        done += made;
        if (done < n && !give_frame(m))
            break;
    }
    for (size_t i = 0; i < m->n_inputs; i++)
        if (m->inputs[i].delay)
            memmove(m->inputs[i].line, m->inputs[i].line + n,
                    m->inputs[i].delay * sizeof *m->inputs[i].line);
}

static void group_make(rv_stream *base, const float *const *in, float *out, size_t n)
{
    group_stream *s = (group_stream *)base;
    for (size_t i = 0; i < s->n; i++)
        run_member(&s->members[i], in, n);
    memcpy(out, s->members[s->output].out, n * sizeof *out);
}

static void group_reset(rv_stream *base)
{
    group_stream *s = (group_stream *)base;
    for (size_t i = 0; i < s->n; i++) {
        group_member *m = &s->members[i];
        rv_stream_reset(m->stream);
        m->first = m->queued = 0;
        m->waiting = m->offset;
        for (size_t k = 0; k < m->n_inputs; k++)
            if (m->inputs[k].delay)
                memset(m->inputs[k].line, 0, m->inputs[k].delay * sizeof(float));
    }
}

static void group_free(rv_stream *base)
{
    group_stream *s = (group_stream *)base;
    for (size_t i = 0; i < s->n; i++)
        rv_stream_free(s->members[i].stream);
    rv_plan_free(s->plan);
    rv_graph_free(s->graph);
    rv_arena_fini(&s->arena);
}

static const rv_stream_kind group_kind = {
    .frame = group_frame, .make = group_make, .reset = group_reset, .free = group_free
};

/* Making ------------------------------------------------------------------------------- */

static void *take(group_stream *s, size_t n, rv_error *err)
{
    void *p = rv_arena_take(&s->arena, n * sizeof(float));
    if (!p)
        (void)RV_FAIL(err, RV_ERR_NOMEM, "stream of a group: %zu floats", n);
    return p;
}

/* The controls' nodes and, of them, the members' frames. */
static rv_status plan_frames(group_stream *s, const rv_stream_group_config *c, rv_error *err)
{
    const rv_group *g = c->group;
    nn_builder b;
    RV_TRY(rv_graph_new(&s->graph, s->base.mem, err));
    nn_begin(&b, s->graph);
    for (size_t i = 0; i < g->n_controls; i++)
        if (g->controls[i].port == RV_GROUP_FRAMES)
            s->controls[i] = rv_input(s->graph, RV_SHAPE(1, 1, c->controls[i].width));
    for (size_t i = 0; i < s->n; i++) {
        const rv_group_processor *p = &g->processors[i];
        rv_group_call call = group_call_of(g, i, &b);
        for (size_t k = 0; k < p->n_inputs; k++)
            call.in[k] = p->inputs[k].is_processor ? NULL : s->controls[p->inputs[k].index];
        if (p->kind->frame)
            s->members[i].frame = rv_output(p->kind->frame(&call));
    }
    RV_TRY(rv_graph_status(s->graph, err));
    if (!s->base.width)
        return RV_OK;
    const rv_plan_options options = { .mem = s->base.mem, .isa_mask = KERN_ISA_ALL };
    return rv_plan_new(&s->plan, s->graph, &options, err);
}

static rv_status open_noise(rv_stream **out, const rv_stream_group_config *c, size_t i,
                            size_t bands, const rv_alloc *mem, rv_error *err)
{
    const rv_group_call call = group_call_of(c->group, i, NULL);
    const rv_stream_noise_config config = { c->hop, bands, rv_group_noise(&call),
                                            rv_group_seed(c->seed, i), c->step };
    return rv_stream_noise_new(out, &config, mem, err);
}

static rv_status open_synth(rv_stream **out, const rv_stream_group_config *c, size_t i,
                            size_t width, const rv_alloc *mem, rv_error *err)
{
    const rv_group_call call = group_call_of(c->group, i, NULL);
    const rv_harmonic_config h = rv_group_harmonic(&call);
    const rv_sinusoidal_config s = rv_group_sinusoidal(&call);
    switch (c->group->processors[i].kind->id) {
    case RV_GROUP_HARMONIC:
        return rv_stream_harmonic_new(out,
                                      &(rv_stream_harmonic_config){ h.sample_rate, c->hop,
                                                                    width - 1, h.frequency,
                                                                    h.amplitude },
                                      mem, err);
    case RV_GROUP_SINUSOIDAL:
        return rv_stream_sinusoids_new(
            out, &(rv_stream_sinusoids_config){ s.sample_rate, c->hop, width / 2, s.amplitude },
            mem, err);
    case RV_GROUP_WAVETABLE:
        return rv_stream_wavetable_new(
            out, &(rv_stream_wavetable_config){ c->hop, width - 2, rv_group_wavetable(&call) }, mem,
            err);
    default:
        return open_noise(out, c, i, width, mem, err);
    }
}

static rv_status open_effect(rv_stream **out, const rv_stream_group_config *c, size_t i,
                             size_t width, const rv_alloc *mem, rv_error *err)
{
    const rv_group_call call = group_call_of(c->group, i, NULL);
    const double *s = call.settings;
    switch (c->group->processors[i].kind->id) {
    case RV_GROUP_ADD:
        return rv_stream_add_new(out, call.n_inputs, mem, err);
    case RV_GROUP_MULTIPLY:
        return rv_stream_multiply_new(out, call.n_inputs, mem, err);
    case RV_GROUP_MIX:
        return rv_stream_mix_new(out, c->hop, mem, err);
    case RV_GROUP_CROP:
        return rv_stream_crop_new(out, (size_t)s[RV_CROP_SIZE], (rv_crop_place)s[RV_CROP_PLACE],
                                  mem, err);
    case RV_GROUP_FIR:
        return rv_stream_fir_new(
            out,
            &(rv_stream_fir_config){ c->hop, width, (size_t)s[RV_FIR_WINDOW], s[RV_FIR_SCALE] > 0 },
            mem, err);
    case RV_GROUP_MOD_DELAY:
        return rv_stream_mod_delay_new(
            out,
            &(rv_stream_mod_delay_config){ c->hop, RV_UPSAMPLE_LINEAR, rv_group_mod_delay(&call) },
            mem, err);
    default:
        return rv_stream_group_room(out, c, i, mem, err);
    }
}

static rv_status open_member(group_stream *s, const rv_stream_group_config *c, size_t i,
                             rv_error *err)
{
    const rv_group_processor *p = &c->group->processors[i];
    group_member *m = &s->members[i];
    const size_t width = m->frame ? rv_extent(m->frame, 2) : 0;
    const bool synth = p->kind->inputs[0].port == RV_GROUP_FRAMES;
    RV_TRY((synth ? open_synth : open_effect)(&m->stream, c, i, width, s->base.mem, err));
    m->out = take(s, STREAM_BLOCK, err);
    return m->out ? RV_OK : RV_ERR_NOMEM;
}

/* By how much the signal of a source is late. */
static size_t latency_of(const group_input *in)
{
    return in->member ? in->member->offset + rv_stream_latency(in->member->stream) : 0;
}

/* Number of audio controls before control `index`. */
static size_t audio_before(const rv_group *g, size_t index)
{
    size_t n = 0;
    for (size_t i = 0; i < index; i++)
        n += g->controls[i].port == RV_GROUP_AUDIO;
    return n;
}

static rv_status connect_member(group_stream *s, const rv_group *g, size_t i, rv_error *err)
{
    const rv_group_processor *p = &g->processors[i];
    group_member *m = &s->members[i];
    m->n_inputs = rv_stream_inputs(m->stream);
    for (size_t k = 0; k < m->n_inputs; k++) {
        const rv_group_source *from = &p->inputs[k];
        group_input *in = &m->inputs[k];
        in->member = from->is_processor ? &s->members[from->index] : NULL;
        in->audio = from->is_processor ? 0 : audio_before(g, from->index);
        if (in->member && g->processors[from->index].kind->id == RV_GROUP_CROP)
            return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                           "processor \"%s\" cannot stream after a crop; a crop streams as the "
                           "output",
                           p->name);
        m->offset = latency_of(in) > m->offset ? latency_of(in) : m->offset;
    }
    m->waiting = m->offset;
    for (size_t k = 0; k < m->n_inputs; k++) {
        group_input *in = &m->inputs[k];
        in->delay = m->offset - latency_of(in);
        if (in->delay && !(in->line = take(s, in->delay + STREAM_BLOCK, err)))
            return RV_ERR_NOMEM;
    }
    /* those that came while it waited, two that it may hold, and one more on the way */
    m->capacity = s->base.hop ? m->offset / s->base.hop + 4 : 0;
    const size_t floats = m->capacity * rv_stream_width(m->stream);
    return !floats || (m->queue = take(s, floats, err)) ? RV_OK : RV_ERR_NOMEM;
}

static rv_status open_group(group_stream *s, const rv_stream_group_config *c, rv_error *err)
{
    const rv_group *g = c->group;
    rv_arena_init(&s->arena, s->base.mem);
    s->n = g->n_processors;
    s->n_controls = g->n_controls;
    s->output = g->output;
    RV_TRY(plan_frames(s, c, err));
    for (size_t i = 0; i < s->n; i++) {
        RV_TRY(open_member(s, c, i, err));
        RV_TRY(connect_member(s, g, i, err));
    }
    s->base.latency =
        s->members[s->output].offset + rv_stream_latency(s->members[s->output].stream);
    return RV_OK;
}

/* All that a frame holds; 0 where a control has no width. */
static rv_status count_controls(const rv_stream_group_config *c, size_t *width, size_t *inputs,
                                rv_error *err)
{
    const rv_group *g = c->group;
    *width = *inputs = 0;
    for (size_t i = 0; i < g->n_controls; i++) {
        const rv_stream_group_value *v = &c->controls[i];
        const rv_group_port port = g->controls[i].port;
        if (port == RV_GROUP_FRAMES && v->width - 1 >= STREAM_LARGEST)
            return RV_FAIL(err, RV_ERR_ARG,
                           "control \"%s\": %zu values in a frame; expected 1 to %d",
                           g->controls[i].name, v->width, STREAM_LARGEST);
        if (port == RV_GROUP_FIXED && !v->data)
            return RV_FAIL(err, RV_ERR_ARG, "control \"%s\": its value is expected",
                           g->controls[i].name);
        *width += port == RV_GROUP_FRAMES ? v->width : 0;
        *inputs += port == RV_GROUP_AUDIO;
    }
    if (*inputs > RV_STREAM_INPUTS || !g->n_processors)
        return RV_FAIL(err, RV_ERR_ARG,
                       "stream of a group: %zu processors, %zu signals in; at most %d",
                       g->n_processors, *inputs, RV_STREAM_INPUTS);
    return RV_OK;
}

rv_status rv_stream_group_new(rv_stream **out, const rv_stream_group_config *config,
                              const rv_alloc *mem, rv_error *err)
{
    stream_request request = { .kind = &group_kind,
                               .name = "stream of a group",
                               .size = sizeof(group_stream),
                               .hop = config->hop };
    RV_TRY(count_controls(config, &request.width, &request.inputs, err));
    rv_stream *s = NULL;
    RV_TRY(rv_stream_create(&s, &request, mem, err));
    const rv_status status = open_group((group_stream *)s, config, err);
    if (status != RV_OK) {
        rv_stream_free(s);
        return status;
    }
    *out = s;
    return RV_OK;
}
