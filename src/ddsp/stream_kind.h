/* stream_kind.h - what a kind of stream is to stream.c, which keeps the frames: what it does with a
 * new frame, and samples that lie between two frames. Its struct begins with a rv_stream. */
#ifndef DDSP_STREAM_KIND_H
#define DDSP_STREAM_KIND_H

#include "base/status.h"
#include "core/ops.h"
#include "ddsp/stream.h"

enum {
    STREAM_BLOCK = 256,      /* samples that are asked for at once, at most */
    STREAM_LARGEST = 1 << 20 /* hop, and number of oscillators, bands, points */
};

typedef struct rv_stream_kind {
    /* A frame was put into `next`; `here` is the one before it, if `begun`. NULL: nothing to do. */
    void (*frame)(rv_stream *s);
    /* n samples from `at` on, at most STREAM_BLOCK */
    void (*make)(rv_stream *s, const float *const *in, float *out, size_t n);
    void (*reset)(rv_stream *s); /* NULL: nothing to forget */
    void (*free)(rv_stream *s);  /* what it holds beside its memory; NULL: nothing */
} rv_stream_kind;

struct rv_stream {
    const rv_stream_kind *kind;
    const rv_alloc *mem;
    size_t inputs, latency;
    size_t hop, width;  /* samples from frame to frame; controls of a frame */
    size_t at;          /* samples made since `here` */
    bool begun;         /* there was a frame */
    float *here, *next; /* [width] each */
    float *share;       /* [hop]: of `next` in a sample */
    float *memory;      /* the kind's own */
};

typedef struct stream_request {
    const rv_stream_kind *kind;
    const char *name;      /* for messages */
    size_t size;           /* of the kind's struct */
    size_t inputs;         /* at most RV_STREAM_INPUTS */
    size_t hop, width;     /* width 0: no frames, and the hop is not looked at */
    size_t floats;         /* of memory */
    rv_upsample_mode mode; /* of the shares */
} stream_request;

/* Zeroed, without frames. mem NULL: malloc. A hop of zero or above STREAM_LARGEST: RV_ERR_ARG. */
RV_NODISCARD rv_status rv_stream_create(rv_stream **out, const stream_request *r,
                                        const rv_alloc *mem, rv_error *err);

/* share [hop]: of the next frame, for each sample of a hop */
void rv_stream_shares(float *share, size_t hop, rv_upsample_mode mode);

/* An oscillator's phase in turns at n samples: the running sum of the frequency in Hz, which goes
 * from `here` to `next` by the shares; `before`: a sample's own frequency comes after it. As
 * core/ops/phase.c, with the same roundings. */
typedef struct stream_oscillator {
    double rate, turns;
    bool before;
} stream_oscillator;

void rv_stream_advance(stream_oscillator *o, float *phase, float here, float next,
                       const float *share, size_t n);

#endif
