/* diffq_impl.h - from the lists of a quantised state (diffq.c) to values (diffq_decode.c). */
#ifndef IO_DIFFQ_IMPL_H
#define IO_DIFFQ_IMPL_H

#include "io/diffq.h"

enum { RV_DIFFQ_BITS = 15 }; /* the most that a weight is coded in */

/* One quantised parameter. value = code / (2^bits - 1) (high - low) + low. */
typedef struct rv_coded {
    rv_tensor codes[RV_DIFFQ_BITS]; /* packed: [b - 1] has those of b bits; else [0] has all */
    rv_tensor bits;                 /* of each group; not used if uniform */
    float low, range;
} rv_coded;

struct rv_quantized {
    bool uniform;       /* one number of bits for all; else one for each group of weights */
    bool packed;        /* codes as planes of bits */
    float uniform_bits; /* if uniform */
    float least_bits;   /* added to the packed bits of a group */
    size_t group;       /* weights in a group, if packed and not uniform */
    rv_coded *coded;    /* in the order of registration, as are */
    rv_tensor *plain;   /* those that are not quantised */
    size_t n_coded, n_plain;
};

/* Write the n values of a parameter; `name` stands in messages. */
RV_NODISCARD rv_status rv_diffq_decode(const rv_checkpoint *c, const rv_coded *p, const char *name,
                                       float *dst, size_t n, rv_error *err);

#endif
