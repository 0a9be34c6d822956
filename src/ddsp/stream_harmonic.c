/* stream_harmonic.c - as core/ops/harmonic.c, upsample.c and phase.c, with the same roundings. */
#include "ddsp/stream_harmonic.h"

#include "ddsp/stream_kind.h"

typedef struct harmonic_stream {
    rv_stream base;
    kern_table kern;
    stream_oscillator oscillator;
    float *share; /* [hop]: of the next frequency */
} harmonic_stream;

static void harmonic_reset(rv_stream *base)
{
    ((harmonic_stream *)base)->oscillator.turns = 0;
}

static void harmonic_make(rv_stream *base, const float *const *in, float *out, size_t n)
{
    harmonic_stream *s = (harmonic_stream *)base;
    const float *here = base->here, *following = base->next;
    float phase[STREAM_BLOCK], next[STREAM_BLOCK];
    (void)in;
    rv_stream_advance(&s->oscillator, phase, here[0], following[0], s->share + base->at, n);
    s->kern.harmonics(out, next, phase, n, here + 1, following + 1, base->width - 1, false);
    for (size_t i = 0; i < n; i++)
        out[i] += base->share[base->at + i] * (next[i] - out[i]);
}

static const rv_stream_kind harmonic_kind = { .make = harmonic_make, .reset = harmonic_reset };

rv_status rv_stream_harmonic_new(rv_stream **out, const rv_stream_harmonic_config *config,
                                 const rv_alloc *mem, rv_error *err)
{
    const stream_request request = { .kind = &harmonic_kind,
                                     .name = "harmonic stream",
                                     .size = sizeof(harmonic_stream),
                                     .hop = config->hop,
                                     .width = 1 + config->n_harmonic,
                                     .floats = config->hop,
                                     .mode = config->amplitude };
    if (config->n_harmonic - 1 >= STREAM_LARGEST || !(config->sample_rate > 0))
        return RV_FAIL(err, RV_ERR_ARG, "harmonic stream: %zu harmonics at %g Hz; expected 1 to %d",
                       config->n_harmonic, config->sample_rate, STREAM_LARGEST);
    RV_TRY(rv_stream_create(out, &request, mem, err));
    harmonic_stream *s = (harmonic_stream *)*out;
    kern_table_init(&s->kern, KERN_ISA_ALL);
    s->oscillator.rate = config->sample_rate;
    s->share = s->base.memory;
    rv_stream_shares(s->share, config->hop, config->frequency);
    return RV_OK;
}
