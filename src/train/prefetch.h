/* prefetch.h - have the next steps' data ready: threads fill a bounded number of slots ahead.
 *
 * The window first .. first + slots of steps is in memory or being made; step k lives in slot
 * k mod slots. Taking step k moves the window to k, so steps may also be asked for out of order (to
 * resume a run); what the old and the new window share is kept. Which thread makes a step does not
 * matter as long as the producer is a function of the step. */
#ifndef TRAIN_PREFETCH_H
#define TRAIN_PREFETCH_H

#include "ravel/base.h"

#include <stdatomic.h>

typedef struct rv_prefetch rv_prefetch;

/* Makes `step` in data. worker is in [0, max(1, threads)) and selects scratch memory. *stop becomes
 * true when the result is not needed any more: return RV_ERR_CANCELLED soon. */
typedef rv_status rv_produce_fn(void *user, uint64_t step, void *data, int worker,
                                const atomic_bool *stop, rv_error *err);

typedef struct rv_prefetch_options {
    int threads;       /* 0: steps are made by the caller, when they are asked for */
    size_t slots;      /* steps in memory at a time, above 0 */
    size_t slot_bytes; /* above 0 */
    rv_produce_fn *produce;
    void *user;
} rv_prefetch_options;

RV_NODISCARD rv_status rv_prefetch_new(rv_prefetch **out, const rv_prefetch_options *opt,
                                       rv_error *err);

/* Waits at most for the steps that are being made, which are told to stop. */
void rv_prefetch_free(rv_prefetch *p);

/* Waits for `step`. *data stays valid until rv_prefetch_give_back(), which must come before the
 * next step is taken. A step whose producer failed fails here, with the producer's error, again if
 * asked again. One caller at a time. */
RV_NODISCARD rv_status rv_prefetch_take(rv_prefetch *p, uint64_t step, const void **data,
                                        rv_error *err);
void rv_prefetch_give_back(rv_prefetch *p);

#endif
