/* session.h - a model at work on audio of one format: its segments, and the threads for them. */
#ifndef INFER_SESSION_H
#define INFER_SESSION_H

#include "infer/ensemble.h"
#include "infer/segments.h"

typedef struct rv_session {
    rv_model *model;
    rv_engine *engine;
    rv_network *classic; /* made for this format; NULL for trained networks */
    rv_segments *segments;
} rv_session;

typedef struct rv_session_options {
    size_t channels, sample_rate;
    const rv_separate_options *separate;
    const size_t *offsets; /* of the shifts, see segments.h; NULL: random */
    rv_segments_watch *watch;
    void *watch_ctx;
} rv_session_options;

/* The model must outlive the session. Nothing is to be closed after a failure. */
RV_NODISCARD rv_status rv_session_open(rv_session *s, rv_model *m, const rv_session_options *o,
                                       rv_error *err);
void rv_session_close(rv_session *s); /* of zeros is allowed */

/* True if the model wants normalised audio, see rv_segments_level(). */
bool rv_session_wants_level(const rv_session *s);

#endif
