/* stream_filter.c - each sample adds the response of its frame, times itself, to sums of which the
 * first is then done:
 *
 *     sums[t + i] += x[t] h[f][i],  i < M,  f the frame of t
 *
 * With responses of some hundred taps that takes less time than transforms of blocks so small, and
 * the same for every sample. A frame's response comes from a plan of one frame: the nodes with
 * which the whole is made. */
#include "ddsp/stream_filter.h"

#include "base/rng.h"
#include "ddsp/controls.h"
#include "ddsp/fir_filter.h"
#include "ddsp/stream_kind.h"

#include <string.h>

typedef struct filter_stream {
    rv_stream base;
    rv_graph *graph;
    rv_plan *plan;
    rv_node *magnitudes, *response; /* [1,1,K], [1,1,M] */
    size_t taps;
    float *sums; /* [size]: `first` belongs to the next sample, zeros follow after M */
    size_t size, first;
    bool cut; /* responses end with their frame */
    uint64_t seed, step, drawn;
} filter_stream;

static void filter_reset(rv_stream *base)
{
    filter_stream *s = (filter_stream *)base;
    memset(s->sums, 0, s->size * sizeof *s->sums);
    s->first = 0;
    s->drawn = 0;
}

static void filter_free(rv_stream *base)
{
    filter_stream *s = (filter_stream *)base;
    base->mem->free(base->mem->ctx, s->sums);
    rv_plan_free(s->plan);
    rv_graph_free(s->graph);
}

/* The samples up to the new frame go through the filter of the one before. */
static void filter_frame(rv_stream *base)
{
    filter_stream *s = (filter_stream *)base;
    if (!base->begun)
        return;
    memcpy(rv_value(s->plan, s->magnitudes), base->here, base->width * sizeof *base->here);
    rv_plan_run(s->plan);
    if (s->cut)
        memset(s->sums + s->first, 0, s->taps * sizeof *s->sums);
}

static void filter(filter_stream *s, const float *x, float *out, size_t n)
{
    const float *restrict h = rv_value(s->plan, s->response);
    for (size_t t = 0; t < n; t++) {
        float *restrict to = s->sums + s->first + t;
        for (size_t i = 0; i < s->taps; i++)
            to[i] += x[t] * h[i];
    }
    memcpy(out, s->sums + s->first, n * sizeof *out);
    s->first += n;
    if (s->first + s->taps + STREAM_BLOCK > s->size) {
        memmove(s->sums, s->sums + s->first, s->taps * sizeof *out);
        memset(s->sums + s->taps, 0, (s->size - s->taps) * sizeof *out);
        s->first = 0;
    }
}

static void fir_make(rv_stream *base, const float *const *in, float *out, size_t n)
{
    filter((filter_stream *)base, in[0], out, n);
}

static void noise_make(rv_stream *base, const float *const *in, float *out, size_t n)
{
    filter_stream *s = (filter_stream *)base;
    float noise[STREAM_BLOCK];
    (void)in;
    for (size_t i = 0; i < n; i++)
        noise[i] = (float)(2 * rv_rng_uniform(s->seed, s->step, s->drawn++) - 1);
    filter(s, noise, out, n);
}

static const rv_stream_kind fir_kind = {
    .frame = filter_frame, .make = fir_make, .reset = filter_reset, .free = filter_free
};
static const rv_stream_kind noise_kind = {
    .frame = filter_frame, .make = noise_make, .reset = filter_reset, .free = filter_free
};

/* The plan of one frame's response, and sums of its length. */
static rv_status plan_response(filter_stream *s, const rv_noise_config *c, rv_error *err)
{
    const rv_alloc *mem = s->base.mem;
    RV_TRY(rv_graph_new(&s->graph, mem, err));
    s->magnitudes = rv_input(s->graph, RV_SHAPE(1, 1, s->base.width));
    s->response = rv_output(rv_noise_response(c, s->magnitudes, s->base.hop));
    RV_TRY(rv_graph_status(s->graph, err));
    s->taps = rv_extent(s->response, 2);
    s->cut = c->wrapped;
    s->base.latency = s->cut ? 0 : rv_response_delay(s->taps);
    const rv_plan_options options = { .mem = mem, .isa_mask = KERN_ISA_ALL, .frozen = true };
    RV_TRY(rv_plan_new(&s->plan, s->graph, &options, err));
    rv_plan_prepare(s->plan);
    s->size = 2 * (s->taps + STREAM_BLOCK); /* moved back once in a while */
    s->sums = mem->alloc(mem->ctx, s->size * sizeof *s->sums, _Alignof(max_align_t));
    if (!s->sums)
        return RV_FAIL(err, RV_ERR_NOMEM, "filter stream: %zu taps", s->taps);
    filter_reset(&s->base);
    return RV_OK;
}

static rv_status open_filter(rv_stream **out, const stream_request *r, const rv_noise_config *c,
                             const rv_alloc *mem, rv_error *err)
{
    if (r->width - 2 > STREAM_LARGEST)
        return RV_FAIL(err, RV_ERR_ARG, "%s: %zu bands; expected 2 to %d", r->name, r->width,
                       STREAM_LARGEST);
    rv_stream *s = NULL;
    RV_TRY(rv_stream_create(&s, r, mem, err));
    const rv_status status = plan_response((filter_stream *)s, c, err);
    if (status != RV_OK) {
        rv_stream_free(s);
        return status;
    }
    *out = s;
    return RV_OK;
}

rv_status rv_stream_fir_new(rv_stream **out, const rv_stream_fir_config *config,
                            const rv_alloc *mem, rv_error *err)
{
    const stream_request request = { .kind = &fir_kind,
                                     .name = "filter stream",
                                     .size = sizeof(filter_stream),
                                     .inputs = 1,
                                     .hop = config->hop,
                                     .width = config->bands };
    const rv_noise_config response = { .scale = config->scale, .window = config->window };
    return open_filter(out, &request, &response, mem, err);
}

rv_status rv_stream_noise_new(rv_stream **out, const rv_stream_noise_config *config,
                              const rv_alloc *mem, rv_error *err)
{
    const stream_request request = { .kind = &noise_kind,
                                     .name = "noise stream",
                                     .size = sizeof(filter_stream),
                                     .hop = config->hop,
                                     .width = config->bands };
    RV_TRY(open_filter(out, &request, &config->noise, mem, err));
    filter_stream *s = (filter_stream *)*out;
    s->seed = config->seed;
    s->step = config->step;
    return RV_OK;
}
