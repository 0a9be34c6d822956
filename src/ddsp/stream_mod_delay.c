/* stream_mod_delay.c - as core/ops/delay.c, whose header has the formula, on a line that moves. */
#include "ddsp/stream_mod_delay.h"

#include "ddsp/stream_kind.h"

#include <string.h>

enum { MOST_SAMPLES = 1 << 24 };

typedef struct delay_stream {
    rv_stream base;
    rv_mod_delay_line line;
    bool dry;
    size_t size, at; /* of past; where the next sample goes */
    float *past;     /* at least length + 1 samples lie before `at`, a block has room after it */
} delay_stream;

static size_t kept(const delay_stream *s)
{
    return s->line.length + 1;
}

static void delay_reset(rv_stream *base)
{
    delay_stream *s = (delay_stream *)base;
    s->at = kept(s);
    memset(s->past, 0, kept(s) * sizeof *s->past);
}

/* The sample before *x by `position` of the line. */
static float read_line(const delay_stream *s, const float *x, float position)
{
    const double length = (double)s->line.length;
    const double delay = !(position > 0) ? 0 : position > 1 ? length : length * (double)position;
    const size_t whole = (size_t)delay;
    const double first = (double)x[-(ptrdiff_t)whole], before = (double)x[-(ptrdiff_t)whole - 1];
    return (float)(first + (delay - (double)whole) * (before - first));
}

static void delay_make(rv_stream *base, const float *const *in, float *out, size_t n)
{
    delay_stream *s = (delay_stream *)base;
    const float *here = base->here, *next = base->next;
    const float depth = (float)s->line.depth, centre = (float)s->line.centre;
    float *x = s->past + s->at;
    memcpy(x, in[0], n * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        const float share = base->share[base->at + i];
        const float gain = here[0] + share * (next[0] - here[0]);
        const float phase = here[1] + share * (next[1] - here[1]);
        out[i] = gain * read_line(s, x + i, depth * phase + centre) + (s->dry ? x[i] : 0);
    }
    s->at += n;
    if (s->at + STREAM_BLOCK > s->size) {
        memmove(s->past, s->past + s->at - kept(s), kept(s) * sizeof *x);
        s->at = kept(s);
    }
}

static const rv_stream_kind delay_kind = { .make = delay_make, .reset = delay_reset };

rv_status rv_stream_mod_delay_new(rv_stream **out, const rv_stream_mod_delay_config *config,
                                  const rv_alloc *mem, rv_error *err)
{
    const rv_mod_delay_config *c = &config->delay;
    const double samples = c->sample_rate / 1000 * (c->centre_ms + c->depth_ms);
    if (!rv_mod_delay_is_valid(c) || samples > MOST_SAMPLES)
        return RV_FAIL(err, RV_ERR_ARG, "mod_delay stream: %g + %g ms at %g Hz; at most %d samples",
                       c->centre_ms, c->depth_ms, c->sample_rate, MOST_SAMPLES);
    const rv_mod_delay_line line = rv_mod_delay_line_of(c);
    const size_t size = 2 * (line.length + 1 + STREAM_BLOCK); /* moved back once in a while */
    const stream_request request = { .kind = &delay_kind,
                                     .name = "mod_delay stream",
                                     .size = sizeof(delay_stream),
                                     .inputs = 1,
                                     .hop = config->hop,
                                     .width = 2,
                                     .floats = size,
                                     .mode = config->mode };
    RV_TRY(rv_stream_create(out, &request, mem, err));
    delay_stream *s = (delay_stream *)*out;
    s->line = line;
    s->dry = c->dry;
    s->size = size;
    s->past = s->base.memory;
    delay_reset(*out);
    return RV_OK;
}
