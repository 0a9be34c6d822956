/* ensemble_parts.h - of several models one, whose stems are the mean of theirs. */
#ifndef INFER_ENSEMBLE_PARTS_H
#define INFER_ENSEMBLE_PARTS_H

#include "infer/ensemble.h"

/* m->parts are open: says of m what it is, and where its stems come from. Stems are matched by
 * name: those of the first model in its order, then what others add. weights [part][n_weights], in
 * this order; NULL: 1 for each model that has the stem. `what` begins the messages. */
RV_NODISCARD rv_status rv_ensemble_join(rv_model *m, const double *weights, size_t n_weights,
                                        const char *what, rv_error *err);

#endif
