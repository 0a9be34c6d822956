/* evaluate.h - compare methods with the stems of a data set: the body of rv_compare(). */
#ifndef EVAL_EVALUATE_H
#define EVAL_EVALUATE_H

#include "ravel/eval.h"

RV_NODISCARD rv_status rv_compare_methods(rv_comparison **out, const char *references,
                                          const rv_eval_method *methods, size_t n,
                                          const rv_eval_options *opt, rv_error *err);

#endif
