/* quantized.h - give the weights of DiffQ, which are known by their order only, their names. */
#ifndef INFER_QUANTIZED_H
#define INFER_QUANTIZED_H

#include "io/checkpoint.h"

/* `want`: all parameters of the model, in any order. Nothing to do for files with names. */
RV_NODISCARD rv_status rv_name_quantized(rv_checkpoint *c, const rv_expected *want, size_t n,
                                         rv_error *err);

#endif
