/* stream_sinusoids.c - as core/ops/sinusoids.c, whose header has the formulas. */
#include "ddsp/stream_sinusoids.h"

#include "ddsp/stream_kind.h"

#include <math.h>
#include <string.h>

typedef struct sinusoids_stream {
    rv_stream base;
    kern_table kern;
    double rate;
    size_t count;
    kern_chirp *chirps; /* [K]: from the next sample on */
    double *end;        /* [K]: phases at the next frame, less whole turns */
} sinusoids_stream;

static void sinusoids_reset(rv_stream *base)
{
    sinusoids_stream *s = (sinusoids_stream *)base;
    memset(s->end, 0, s->count * sizeof *s->end);
}

/* The chirps from `here` to `next`, and where they end. */
static void sinusoids_frame(rv_stream *base)
{
    sinusoids_stream *s = (sinusoids_stream *)base;
    const float *here = base->here, *next = base->next;
    const double hop = (double)base->hop;
    for (size_t k = 0; base->begun && k < s->count; k++) {
        const double u = (double)here[k] / s->rate, v = ((double)next[k] / s->rate - u) / hop;
        s->chirps[k] =
            (kern_chirp){ s->end[k] + u, u + v, v, here[s->count + k], next[s->count + k] };
        const double turns = s->end[k] + hop * u + hop * (hop - 1) / 2 * v;
        s->end[k] = turns - rint(turns);
    }
}

static void advance_chirps(sinusoids_stream *s, size_t samples)
{
    const double n = (double)samples;
    for (size_t k = 0; k < s->count; k++) {
        kern_chirp *c = &s->chirps[k];
        c->phase += n * c->step + n * (n - 1) / 2 * c->bend;
        c->step += n * c->bend;
    }
}

static void sinusoids_make(rv_stream *base, const float *const *in, float *out, size_t n)
{
    sinusoids_stream *s = (sinusoids_stream *)base;
    (void)in;
    s->kern.chirps(out, s->chirps, s->count, base->share + base->at, n);
    advance_chirps(s, n);
}

static const rv_stream_kind sinusoids_kind = { .frame = sinusoids_frame,
                                               .make = sinusoids_make,
                                               .reset = sinusoids_reset };

rv_status rv_stream_sinusoids_new(rv_stream **out, const rv_stream_sinusoids_config *config,
                                  const rv_alloc *mem, rv_error *err)
{
    const size_t count = config->n_sinusoid;
    const size_t bytes = count * (sizeof(kern_chirp) + sizeof(double));
    if (count - 1 >= STREAM_LARGEST || !(config->sample_rate > 0))
        return RV_FAIL(err, RV_ERR_ARG, "stream of %zu sinusoids at %g Hz; expected 1 to 2^20",
                       count, config->sample_rate);
    const stream_request request = { .kind = &sinusoids_kind,
                                     .name = "stream of sinusoids",
                                     .size = sizeof(sinusoids_stream),
                                     .hop = config->hop,
                                     .width = 2 * count,
                                     .floats = bytes / sizeof(float),
                                     .mode = config->mode };
    RV_TRY(rv_stream_create(out, &request, mem, err));
    sinusoids_stream *s = (sinusoids_stream *)*out;
    kern_table_init(&s->kern, KERN_ISA_ALL);
    s->rate = config->sample_rate;
    s->count = count;
    s->chirps = (kern_chirp *)(void *)s->base.memory;
    s->end = (double *)(void *)(s->chirps + count);
    return RV_OK;
}
