/* stream.c - frames of controls, and blocks that end where they do. */
#include "ddsp/stream.h"

#include "core/ops/upsample.h"
#include "ddsp/stream_kind.h"

#include <string.h>

enum { MOST_FLOATS = 1 << 28 };

/* A kind's struct is followed by floats from here on. */
static size_t padded(size_t size)
{
    const size_t unit = _Alignof(max_align_t);
    return (size + unit - 1) / unit * unit;
}

static rv_status check_request(const stream_request *r, rv_error *err)
{
    if (r->width && (r->hop - 1 >= STREAM_LARGEST || r->width > 2 * (STREAM_LARGEST + 1)))
        return RV_FAIL(err, RV_ERR_ARG, "%s: hop %zu, %zu controls; expected 1 to %d", r->name,
                       r->hop, r->width, STREAM_LARGEST);
    if (r->floats > MOST_FLOATS)
        return RV_FAIL(err, RV_ERR_ARG, "%s: more than %d floats of memory", r->name, MOST_FLOATS);
    return RV_OK;
}

rv_status rv_stream_create(rv_stream **out, const stream_request *r, const rv_alloc *mem,
                           rv_error *err)
{
    RV_TRY(check_request(r, err));
    const size_t hop = r->width ? r->hop : 0, first = padded(r->size);
    const size_t size = first + (r->floats + hop + 2 * r->width) * sizeof(float);
    mem = mem ? mem : &rv_alloc_default;
    rv_stream *s = mem->alloc(mem->ctx, size, _Alignof(max_align_t));
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu bytes", r->name, size);
    memset(s, 0, size);
    *s = (rv_stream){ .kind = r->kind, .mem = mem, .inputs = r->inputs, .width = r->width };
    s->hop = hop;
    s->memory = (float *)(void *)((char *)s + first); /* first: all that needs alignment */
    s->share = s->memory + r->floats;
    s->here = s->share + hop;
    s->next = s->here + r->width;
    s->at = hop;
    rv_stream_shares(s->share, hop, r->mode);
    *out = s;
    return RV_OK;
}

void rv_stream_shares(float *share, size_t hop, rv_upsample_mode mode)
{
    for (size_t i = 0; i < hop; i++)
        share[i] = (float)upsample_share(mode, (double)i / (double)hop);
}

void rv_stream_advance(stream_oscillator *o, float *phase, float here, float next,
                       const float *share, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double before = o->turns;
        o->turns += (double)(here + share[i] * (next - here)) / o->rate;
        o->turns -= rint(o->turns);
        phase[i] = (float)(o->before ? before : o->turns);
    }
}

void rv_stream_free(rv_stream *s)
{
    if (!s)
        return;
    if (s->kind->free)
        s->kind->free(s);
    s->mem->free(s->mem->ctx, s);
}

void rv_stream_reset(rv_stream *s)
{
    s->at = s->hop;
    s->begun = false;
    if (s->kind->reset)
        s->kind->reset(s);
}

bool rv_stream_give(rv_stream *s, const float *frame)
{
    if (s->at < s->hop || !s->width)
        return false;
    float *spare = s->here;
    s->here = s->next;
    s->next = spare;
    memcpy(s->next, frame, s->width * sizeof *frame);
    if (s->kind->frame)
        s->kind->frame(s);
    s->at = s->begun ? 0 : s->hop;
    s->begun = true;
    return true;
}

/* Samples that can be made at once. */
static size_t at_once(const rv_stream *s, size_t n)
{
    n = n < STREAM_BLOCK ? n : STREAM_BLOCK;
    return !s->width || n < s->hop - s->at ? n : s->hop - s->at;
}

size_t rv_stream_process(rv_stream *s, const float *const *in, float *out, size_t n)
{
    size_t done = 0;
    for (size_t some; done < n && (some = at_once(s, n - done)) > 0; done += some) {
        const float *from[RV_STREAM_INPUTS];
        for (size_t i = 0; i < s->inputs; i++)
            from[i] = in[i] + done;
        s->kind->make(s, from, out + done, some);
        s->at += s->width ? some : 0;
    }
    return done;
}

size_t rv_stream_width(const rv_stream *s)
{
    return s->width;
}

size_t rv_stream_inputs(const rv_stream *s)
{
    return s->inputs;
}

size_t rv_stream_latency(const rv_stream *s)
{
    return s->latency;
}
