/* bag.h - several models that work as one: demucs' bags, small YAML files.
 *
 *     models: ['f7e0c4bc', 'd12395a8']      signatures, or names of files
 *     weights: [[1., 0.], [0., 1.]]         optional: of each model, for each source
 *     segment: 44                           optional: seconds */
#ifndef IO_BAG_H
#define IO_BAG_H

#include "base/status.h"

typedef struct rv_bag {
    size_t n_models;
    char **models;
    double *weights;  /* [n_models, n_sources], or NULL: all alike */
    size_t n_sources; /* 0 without weights */
    double segment;   /* seconds; 0 if absent */
} rv_bag;

/* Read a bag. Errors name the file and the line. Other keys of the file are ignored. */
RV_NODISCARD rv_status rv_bag_open(rv_bag **out, const char *path, rv_error *err);
void rv_bag_free(rv_bag *bag);

#endif
