/* convert.h - rv_model_convert() of ravel/separate.h. */
#ifndef INFER_CONVERT_H
#define INFER_CONVERT_H

#include "ravel/separate.h"

RV_NODISCARD rv_status rv_convert(const char *in, const char *out, const rv_convert_options *opt,
                                  rv_error *err);

#endif
