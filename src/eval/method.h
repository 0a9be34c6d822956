/* method.h - where the estimates of a song come from: a folder, a model, an oracle. */
#ifndef EVAL_METHOD_H
#define EVAL_METHOD_H

#include "eval/song_audio.h"
#include "ravel/eval.h"
#include "ravel/separate.h"

typedef struct rv_method {
    rv_method_kind kind;
    const char *source; /* borrowed */
    char *name;
    rv_model *model;     /* of a model */
    int oracle;          /* of an oracle */
    int threads;         /* 0: one for each core */
    int wiener;          /* iterations over the stems of a model */
    int (*stop)(void *); /* asked now and then while estimates are made; may be NULL */
    void *stop_ctx;
} rv_method;

/* Opens the model, finds the oracle. rv_method_close() also after a failure. */
RV_NODISCARD rv_status rv_method_open(rv_method *m, const rv_eval_method *what, rv_error *err);
void rv_method_close(rv_method *m);

bool rv_method_wants_mixture(const rv_method *m);

/* Fill a->estimates, which are 0, for a song of c. */
RV_NODISCARD rv_status rv_method_estimate(const rv_method *m, const rv_song_audio *a,
                                          const rv_track_cache *c, size_t track, rv_error *err);

/* The model's part of that. A stem that the model does not have is an error, except for
 * "accompaniment" and "instrumental": the sum of its stems but the vocals. */
RV_NODISCARD rv_status rv_method_run_model(const rv_method *m, const rv_song_audio *a,
                                           char *const *stem_names, rv_error *err);

#endif
