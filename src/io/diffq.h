/* diffq.h - weights quantised by DiffQ (Defossez, Adi, Synnaeve 2021, arXiv:2104.09987).
 *
 * A state of DiffQ has no names: three lists hold the parameters in the order in which the model's
 * modules registered them, those above a size ("quantized") apart from the others, which keep their
 * elements. Reading therefore takes two steps: the lists when the file is opened, and names, shapes
 * and values when the model is known, see rv_checkpoint_name_quantized(). */
#ifndef IO_DIFFQ_H
#define IO_DIFFQ_H

#include "io/pytorch_package.h"

/* Is this state one of DiffQ's? */
bool rv_diffq_is(const rv_value *state);

/* Keep the lists of `state` in c->quantized. */
RV_NODISCARD rv_status rv_diffq_collect(rv_checkpoint *c, const rv_value *state,
                                        rv_locate_fn *locate, void *ctx, rv_error *err);

#endif
