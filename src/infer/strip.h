/* strip.h - a window that moves along a track: planes of floats, indexed by their place in it. */
#ifndef INFER_STRIP_H
#define INFER_STRIP_H

#include "ravel/base.h"

typedef struct rv_strip {
    size_t planes;
    size_t from, end; /* frames held: from <= t < end */
    size_t start;     /* index of frame `from` in each plane */
    size_t capacity;  /* frames of each plane */
    float *data;      /* [planes][capacity] */
} rv_strip;

void rv_strip_init(rv_strip *s, size_t planes);
void rv_strip_fini(rv_strip *s);

/* Hold zeros from the present end to `end`; memory grows as needed. */
RV_NODISCARD rv_status rv_strip_extend(rv_strip *s, size_t end, rv_error *err);

/* Frames x[plane] behind the present end. */
RV_NODISCARD rv_status rv_strip_append(rv_strip *s, const float *const *x, size_t frames,
                                       rv_error *err);

/* Forget the frames before `from`, which must not be beyond the end. */
void rv_strip_drop(rv_strip *s, size_t from);

/* Forget all and begin again at frame 0; keeps the memory. */
void rv_strip_reset(rv_strip *s);

/* Where frame t of a plane is; the frames up to `end` follow it. */
float *rv_strip_at(const rv_strip *s, size_t plane, size_t t);

/* Frames first .. first + n to dst[0], dst[step] ..., zeros where the strip holds none. */
void rv_strip_copy(const rv_strip *s, size_t plane, ptrdiff_t first, size_t n, float *dst,
                   size_t step);

#endif
