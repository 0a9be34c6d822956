/* output_plan.h - which files a track becomes, and which stems go into each. */
#ifndef INFER_OUTPUT_PLAN_H
#define INFER_OUTPUT_PLAN_H

#include "infer/ensemble.h"

typedef struct rv_output_plan {
    size_t n;
    char *paths[RV_MAX_STEMS];
    uint32_t stems[RV_MAX_STEMS]; /* bit k: stem k is added to this file */
    size_t n_present;             /* files that are there already */
} rv_output_plan;

/* `opt` must be checked; fails for unknown stems and templates that give one name twice. */
RV_NODISCARD rv_status rv_output_plan_make(rv_output_plan *p, const rv_model *m, const char *path,
                                           const rv_file_options *opt, rv_error *err);
void rv_output_plan_fini(rv_output_plan *p);

#endif
