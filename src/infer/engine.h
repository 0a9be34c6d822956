/* engine.h - threads, and the runners that were made for them.
 *
 * Making a runner packs all weights of a network, so runners are kept: for each network those of
 * its usual length, one for each slot, and the last one of another length (the end of a track). */
#ifndef INFER_ENGINE_H
#define INFER_ENGINE_H

#include "infer/network.h"

typedef struct rv_engine rv_engine;

typedef struct rv_engine_options {
    int threads; /* 0: one for each core */
    rv_precision precision;
} rv_engine_options;

RV_NODISCARD rv_status rv_engine_new(rv_engine **out, const rv_engine_options *options,
                                     rv_error *err);
void rv_engine_free(rv_engine *e);

rv_pool *rv_engine_pool(const rv_engine *e);
bool rv_engine_is(const rv_engine *e, const rv_engine_options *options); /* made with these */

/* A runner, owned by the engine. alone: it uses all threads by itself; otherwise it runs in one
 * thread, beside the runners of the other slots. A runner of an unusual length lives until the next
 * such call for the same network. */
RV_NODISCARD rv_status rv_engine_runner(rv_runner **out, rv_engine *e, const rv_network *n,
                                        size_t frames, size_t slot, bool alone, rv_error *err);

/* Free the runners of a network that is about to go. */
void rv_engine_forget(rv_engine *e, const rv_network *n);

#endif
