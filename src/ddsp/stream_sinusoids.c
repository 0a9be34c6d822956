/* stream_sinusoids.c - as core/ops/sinusoids.c, whose header has the formulas. */
#include "ddsp/stream_sinusoids.h"

#include "base/status.h"
#include "ddsp/stream_controls.h"
#include "kern/kern.h"

enum { LARGEST = 1 << 20 };

struct rv_stream_sinusoids {
    const rv_alloc *mem;
    kern_table kern;
    stream_controls controls; /* amplitudes [K], frequencies [K] */
    size_t count;
    double *end;         /* [K]: phases at the next frame, less whole turns */
    kern_chirp chirps[]; /* [K]: from the next sample on */
};

rv_status rv_stream_sinusoids_new(rv_stream_sinusoids **out,
                                  const rv_stream_sinusoids_config *config, const rv_alloc *mem,
                                  rv_error *err)
{
    const size_t hop = config->hop, count = config->n_sinusoid;
    mem = mem ? mem : &rv_alloc_default;
    if (hop - 1 >= LARGEST || count - 1 >= LARGEST)
        return RV_FAIL(err, RV_ERR_ARG,
                       "stream of sinusoids: hop %zu, %zu of them; both from 1 to %d", hop, count,
                       LARGEST);
    const size_t size = count * (sizeof(kern_chirp) + sizeof(double)) +
                        stream_controls_floats(hop, 2 * count) * sizeof(float);
    rv_stream_sinusoids *s = mem->alloc(mem->ctx, sizeof *s + size, _Alignof(rv_stream_sinusoids));
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "stream of %zu sinusoids", count);
    *s = (rv_stream_sinusoids){ .mem = mem, .count = count };
    kern_table_init(&s->kern, KERN_ISA_ALL);
    s->end = (double *)(s->chirps + count);
    stream_controls_init(&s->controls, hop, 2 * count, config->mode, (float *)(s->end + count));
    rv_stream_sinusoids_reset(s);
    *out = s;
    return RV_OK;
}

void rv_stream_sinusoids_free(rv_stream_sinusoids *s)
{
    if (s)
        s->mem->free(s->mem->ctx, s);
}

void rv_stream_sinusoids_reset(rv_stream_sinusoids *s)
{
    stream_controls_reset(&s->controls);
    memset(s->end, 0, s->count * sizeof *s->end);
}

/* The chirps from `here` to `next`, and where they end. */
static void start_chirps(rv_stream_sinusoids *s)
{
    const stream_controls *c = &s->controls;
    const float *frequency = c->here + s->count, *next = c->next + s->count;
    const double hop = (double)c->hop;
    for (size_t k = 0; k < s->count; k++) {
        const double u = (double)frequency[k], v = ((double)next[k] - u) / hop;
        s->chirps[k] = (kern_chirp){ s->end[k] + u, u + v, v, c->here[k], c->next[k] };
        const double turns = s->end[k] + hop * u + hop * (hop - 1) / 2 * v;
        s->end[k] = turns - rint(turns);
    }
}

bool rv_stream_sinusoids_give(rv_stream_sinusoids *s, const float *frequencies,
                              const float *amplitudes)
{
    stream_controls *c = &s->controls;
    if (!stream_controls_turn(c))
        return false;
    memcpy(c->next, amplitudes, s->count * sizeof *amplitudes);
    memcpy(c->next + s->count, frequencies, s->count * sizeof *frequencies);
    if (c->begun)
        start_chirps(s);
    stream_controls_filled(c);
    return true;
}

static void advance_chirps(rv_stream_sinusoids *s, size_t samples)
{
    const double n = (double)samples;
    for (size_t k = 0; k < s->count; k++) {
        kern_chirp *c = &s->chirps[k];
        c->phase += n * c->step + n * (n - 1) / 2 * c->bend;
        c->step += n * c->bend;
    }
}

size_t rv_stream_sinusoids_process(rv_stream_sinusoids *s, float *out, size_t n)
{
    stream_controls *c = &s->controls;
    const size_t some = stream_controls_some(c, n, n);
    s->kern.chirps(out, s->chirps, s->count, c->share + c->at, some);
    advance_chirps(s, some);
    c->at += some;
    return some;
}
