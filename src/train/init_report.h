/* init_report.h - starting from another checkpoint, and what of it was taken: for people and for
 * the log. */
#ifndef TRAIN_INIT_REPORT_H
#define TRAIN_INIT_REPORT_H

#include "ravel/train.h"
#include "train/partial_load.h"

enum { RV_INIT_SHOWN = 4, RV_INIT_TEXT = 256 };

typedef struct rv_init_report {
    size_t tensors, loaded; /* of the model; and those that were taken */
    size_t count[RV_PARTIAL_KINDS];
    char first[RV_PARTIAL_KINDS][RV_INIT_SHOWN][RV_INIT_TEXT]; /* names, or lines for misfits */
} rv_init_report;

/* Open the checkpoint and copy what fits into `parameters`. Nothing that fits is an error. */
RV_NODISCARD rv_status rv_init_load(rv_init_report *out, const char *path, const rv_span *spans,
                                    size_t n, float *parameters, rv_error *err);

/* One line for what was taken, and one for each kind of what was not. */
void rv_init_tell(const rv_init_report *r, const char *path, rv_train_note_fn *note, void *ctx);

/* A line of the log, {"kind": "init", ...}; NULL without memory. */
json_t *rv_init_json(const rv_init_report *r, const char *path);

#endif
