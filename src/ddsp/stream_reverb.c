/* stream_reverb.c - a convolution whose first tap is the direct sound. */
#include "ddsp/stream_reverb.h"

#include "ddsp/stream_kind.h"
#include "dsp/stream_convolution.h"

#include <string.h>

enum { MOST_SAMPLES = 1 << 24, LEAST_PARTITION = 64, MOST_PARTITION = 1 << 12 };

typedef struct reverb_stream {
    rv_stream base;
    rv_stream_convolution *convolution;
} reverb_stream;

static void reverb_make(rv_stream *base, const float *const *in, float *out, size_t n)
{
    rv_stream_convolution_process(((reverb_stream *)base)->convolution, in[0], out, n);
}

static void reverb_reset(rv_stream *base)
{
    rv_stream_convolution_reset(((reverb_stream *)base)->convolution);
}

static void reverb_free(rv_stream *base)
{
    rv_stream_convolution_free(((reverb_stream *)base)->convolution);
}

static const rv_stream_kind reverb_kind = { .make = reverb_make,
                                            .reset = reverb_reset,
                                            .free = reverb_free };

/* Work for a sample: a sum over a partition, and of spectra over all partitions. These sizes keep
 * both about equal. */
static size_t partition_of(size_t length)
{
    size_t p = LEAST_PARTITION;
    while (p < MOST_PARTITION && p * p < 2 * length)
        p *= 2;
    return p;
}

static rv_status prepare(reverb_stream *s, const rv_stream_reverb_config *config, rv_error *err)
{
    const rv_alloc *mem = s->base.mem;
    float *taps = mem->alloc(mem->ctx, config->length * sizeof *taps, _Alignof(float));
    if (!taps)
        return RV_FAIL(err, RV_ERR_NOMEM, "reverb stream: %zu samples", config->length);
    memcpy(taps, config->response, config->length * sizeof *taps);
    taps[0] = config->dry ? 1 : 0;
    const rv_stream_convolution_config convolution = { .taps = taps,
                                                       .n_taps = config->length,
                                                       .partition = partition_of(config->length) };
    const rv_status status = rv_stream_convolution_new(&s->convolution, &convolution, mem, err);
    mem->free(mem->ctx, taps);
    return status;
}

rv_status rv_stream_reverb_new(rv_stream **out, const rv_stream_reverb_config *config,
                               const rv_alloc *mem, rv_error *err)
{
    const stream_request request = {
        .kind = &reverb_kind, .name = "reverb stream", .size = sizeof(reverb_stream), .inputs = 1
    };
    if (config->length - 1 >= MOST_SAMPLES)
        return RV_FAIL(err, RV_ERR_ARG, "reverb stream: %zu samples; expected 1 to %d",
                       config->length, MOST_SAMPLES);
    rv_stream *s = NULL;
    RV_TRY(rv_stream_create(&s, &request, mem, err));
    const rv_status status = prepare((reverb_stream *)s, config, err);
    if (status != RV_OK) {
        rv_stream_free(s);
        return status;
    }
    *out = s;
    return RV_OK;
}
