/* stream_wavetable.c - as core/ops/wavetable.c, with the same roundings. */
#include "ddsp/stream_wavetable.h"

#include "ddsp/stream_kind.h"

#include <math.h>

typedef struct wavetable_stream {
    rv_stream base;
    stream_oscillator oscillator;
    size_t length;
    float *frequency, *amplitude; /* [hop]: shares of the next; those of the tables: base.share */
} wavetable_stream;

enum { F0, AMPLITUDE, TABLE }; /* in a frame */

static void wavetable_reset(rv_stream *base)
{
    ((wavetable_stream *)base)->oscillator.turns = 0;
}

/* Point i of the mix of two tables */
static float mixed(const rv_stream *s, float share, size_t i)
{
    const float here = s->here[TABLE + i];
    return here + share * (s->next[TABLE + i] - here);
}

/* A phase that is no number reads point 0, and the result says so. */
static float looked_up(const wavetable_stream *s, float share, float phase)
{
    const float turn = phase - (float)floor((double)phase), at = turn * (float)s->length;
    const bool inside = at >= 0 && at < (float)s->length;
    const size_t point = inside ? (size_t)at : 0, next = point + 1 < s->length ? point + 1 : 0;
    const float between = at < (float)s->length ? at - (float)point : turn - turn;
    const float first = mixed(&s->base, share, point);
    return first + between * (mixed(&s->base, share, next) - first);
}

static void wavetable_make(rv_stream *base, const float *const *in, float *out, size_t n)
{
    wavetable_stream *s = (wavetable_stream *)base;
    const float *here = base->here, *next = base->next;
    const size_t at = base->at;
    float phase[STREAM_BLOCK];
    (void)in;
    rv_stream_advance(&s->oscillator, phase, here[F0], next[F0], s->frequency + at, n);
    for (size_t i = 0; i < n; i++) {
        const float change = next[AMPLITUDE] - here[AMPLITUDE];
        out[i] = looked_up(s, base->share[at + i], phase[i]) *
                 (here[AMPLITUDE] + s->amplitude[at + i] * change);
    }
}

static const rv_stream_kind wavetable_kind = { .make = wavetable_make, .reset = wavetable_reset };

rv_status rv_stream_wavetable_new(rv_stream **out, const rv_stream_wavetable_config *config,
                                  const rv_alloc *mem, rv_error *err)
{
    const stream_request request = { .kind = &wavetable_kind,
                                     .name = "wavetable stream",
                                     .size = sizeof(wavetable_stream),
                                     .hop = config->hop,
                                     .width = TABLE + config->length,
                                     .floats = 2 * config->hop,
                                     .mode = config->synth.table };
    if (config->length - 1 >= STREAM_LARGEST || !(config->synth.sample_rate > 0))
        return RV_FAIL(err, RV_ERR_ARG, "wavetable stream: %zu points at %g Hz; expected 1 to %d",
                       config->length, config->synth.sample_rate, STREAM_LARGEST);
    RV_TRY(rv_stream_create(out, &request, mem, err));
    wavetable_stream *s = (wavetable_stream *)*out;
    s->oscillator = (stream_oscillator){ .rate = config->synth.sample_rate, .before = true };
    s->length = config->length;
    s->frequency = s->base.memory;
    s->amplitude = s->frequency + config->hop;
    rv_stream_shares(s->frequency, config->hop, config->synth.frequency);
    rv_stream_shares(s->amplitude, config->hop, config->synth.amplitude);
    return RV_OK;
}
