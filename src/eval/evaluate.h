/* evaluate.h - compare estimates with the stems of a data set: the body of rv_evaluate(). */
#ifndef EVAL_EVALUATE_H
#define EVAL_EVALUATE_H

#include "ravel/eval.h"

RV_NODISCARD rv_status rv_evaluate_songs(rv_evaluation **out, const char *references,
                                         const char *estimates, const rv_eval_options *opt,
                                         rv_error *err);

#endif
