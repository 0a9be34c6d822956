/* stream_routing.c - as ddsp/routing.c, with the same roundings. */
#include "ddsp/stream_routing.h"

#include "ddsp/stream_kind.h"

#include <math.h>
#include <string.h>

static const float least_level = 1e-12f;

static void add_make(rv_stream *s, const float *const *in, float *out, size_t n)
{
    for (size_t t = 0; t < n; t++) {
        float sum = in[0][t];
        for (size_t i = 1; i < s->inputs; i++)
            sum += in[i][t];
        out[t] = sum;
    }
}

static void multiply_make(rv_stream *s, const float *const *in, float *out, size_t n)
{
    for (size_t t = 0; t < n; t++) {
        float product = in[0][t];
        for (size_t i = 1; i < s->inputs; i++)
            product *= in[i][t];
        out[t] = product;
    }
}

static void mix_make(rv_stream *s, const float *const *in, float *out, size_t n)
{
    const float *share = s->share + s->at, here = s->here[0], change = s->next[0] - here;
    for (size_t t = 0; t < n; t++) {
        const float m = here + share[t] * change;
        const float of_b = 1 - sqrtf(fmaxf(1 - m, least_level));
        out[t] = sqrtf(fmaxf(m, least_level)) * in[0][t] + of_b * in[1][t];
    }
}

static void pass_make(rv_stream *s, const float *const *in, float *out, size_t n)
{
    (void)s;
    memmove(out, in[0], n * sizeof *out);
}

static const rv_stream_kind add_kind = { .make = add_make };
static const rv_stream_kind multiply_kind = { .make = multiply_make };
static const rv_stream_kind mix_kind = { .make = mix_make };
static const rv_stream_kind pass_kind = { .make = pass_make };

static rv_status of_inputs(rv_stream **out, const rv_stream_kind *kind, const char *name,
                           size_t inputs, const rv_alloc *mem, rv_error *err)
{
    if (inputs - 1 >= RV_STREAM_INPUTS)
        return RV_FAIL(err, RV_ERR_ARG, "%s: %zu inputs; expected 1 to %d", name, inputs,
                       RV_STREAM_INPUTS);
    const stream_request request = {
        .kind = kind, .name = name, .size = sizeof(rv_stream), .inputs = inputs
    };
    return rv_stream_create(out, &request, mem, err);
}

rv_status rv_stream_add_new(rv_stream **out, size_t inputs, const rv_alloc *mem, rv_error *err)
{
    return of_inputs(out, &add_kind, "sum of streams", inputs, mem, err);
}

rv_status rv_stream_multiply_new(rv_stream **out, size_t inputs, const rv_alloc *mem, rv_error *err)
{
    return of_inputs(out, &multiply_kind, "product of streams", inputs, mem, err);
}

rv_status rv_stream_mix_new(rv_stream **out, size_t hop, const rv_alloc *mem, rv_error *err)
{
    const stream_request request = { .kind = &mix_kind,
                                     .name = "mix of streams",
                                     .size = sizeof(rv_stream),
                                     .inputs = 2,
                                     .hop = hop,
                                     .width = 1,
                                     .mode = RV_UPSAMPLE_LINEAR };
    return rv_stream_create(out, &request, mem, err);
}

rv_status rv_stream_crop_new(rv_stream **out, size_t size, rv_crop_place place, const rv_alloc *mem,
                             rv_error *err)
{
    RV_TRY(of_inputs(out, &pass_kind, "cropped stream", 1, mem, err));
    (*out)->latency = rv_crop_front(size, place);
    return RV_OK;
}
