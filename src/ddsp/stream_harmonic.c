/* stream_harmonic.c - as core/ops/harmonic.c, upsample.c and phase.c, with the same roundings. */
#include "ddsp/stream_harmonic.h"

#include "base/status.h"
#include "ddsp/stream_controls.h"
#include "kern/kern.h"

enum { BLOCK = 64, LARGEST = 1 << 20 };

struct rv_stream_harmonic {
    const rv_alloc *mem;
    kern_table kern;
    stream_controls controls; /* amplitudes [K], frequency */
    size_t n_harmonic;
    double turns;
};

rv_status rv_stream_harmonic_new(rv_stream_harmonic **out, const rv_stream_harmonic_config *config,
                                 const rv_alloc *mem, rv_error *err)
{
    const size_t hop = config->hop, count = config->n_harmonic;
    mem = mem ? mem : &rv_alloc_default;
    if (hop - 1 >= LARGEST || count - 1 >= LARGEST)
        return RV_FAIL(err, RV_ERR_ARG,
                       "harmonic stream: hop %zu, %zu harmonics; both from 1 to %d", hop, count,
                       LARGEST);
    const size_t size = stream_controls_floats(hop, count + 1) * sizeof(float);
    rv_stream_harmonic *s = mem->alloc(mem->ctx, sizeof *s + size, _Alignof(rv_stream_harmonic));
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "harmonic stream of %zu harmonics", count);
    *s = (rv_stream_harmonic){ .mem = mem, .n_harmonic = count };
    kern_table_init(&s->kern, KERN_ISA_ALL);
    stream_controls_init(&s->controls, hop, count + 1, config->mode, (float *)(s + 1));
    *out = s;
    return RV_OK;
}

void rv_stream_harmonic_free(rv_stream_harmonic *s)
{
    if (s)
        s->mem->free(s->mem->ctx, s);
}

void rv_stream_harmonic_reset(rv_stream_harmonic *s)
{
    stream_controls_reset(&s->controls);
    s->turns = 0;
}

bool rv_stream_harmonic_give(rv_stream_harmonic *s, float frequency, const float *amplitudes)
{
    if (!stream_controls_turn(&s->controls))
        return false;
    memcpy(s->controls.next, amplitudes, s->n_harmonic * sizeof *amplitudes);
    s->controls.next[s->n_harmonic] = frequency;
    stream_controls_filled(&s->controls);
    return true;
}

static void advance_phase(rv_stream_harmonic *s, float *phase, size_t n)
{
    const stream_controls *c = &s->controls;
    const float here = c->here[s->n_harmonic], next = c->next[s->n_harmonic];
    for (size_t i = 0; i < n; i++) {
        const float share = (float)((double)(c->at + i) / (double)c->hop);
        s->turns += (double)(here + share * (next - here));
        s->turns -= rint(s->turns);
        phase[i] = (float)s->turns;
    }
}

size_t rv_stream_harmonic_process(rv_stream_harmonic *s, float *out, size_t n)
{
    stream_controls *c = &s->controls;
    size_t done = 0;
    for (size_t some; done < n && c->at < c->hop; done += some, c->at += some) {
        float phase[BLOCK], next[BLOCK], *y = out + done;
        some = stream_controls_some(c, n - done, BLOCK);
        advance_phase(s, phase, some);
        s->kern.harmonics(y, next, phase, some, c->here, c->next, s->n_harmonic, false);
        for (size_t i = 0; i < some; i++)
            y[i] += c->share[c->at + i] * (next[i] - y[i]);
    }
    return done;
}
