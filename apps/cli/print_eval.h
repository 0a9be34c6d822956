/* print_eval.h - figures as a table. */
#ifndef CLI_PRINT_EVAL_H
#define CLI_PRINT_EVAL_H

#include <ravel/eval.h>

/* Medians of all stems and methods, then the differences from the first method. */
void print_comparison(const rv_comparison *c, const rv_eval_options *options);

#endif
