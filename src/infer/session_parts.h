/* session_parts.h - several models at work on one stream, and the mean of their stems. */
#ifndef INFER_SESSION_PARTS_H
#define INFER_SESSION_PARTS_H

#include "infer/session.h"

/* The parts of an ensemble. `engine` is borrowed, and serves all. What `o` says holds for each. */
RV_NODISCARD rv_status rv_session_parts_new(rv_session_parts **out, rv_model *m,
                                            const rv_session_options *o, rv_engine *engine,
                                            rv_error *err);
void rv_session_parts_free(rv_session_parts *p); /* NULL is allowed */

/* As those of session.h. */
RV_NODISCARD rv_status rv_session_parts_push(rv_session_parts *p, const float *const *mix,
                                             size_t frames, rv_error *err);
void rv_session_parts_finish(rv_session_parts *p);
RV_NODISCARD rv_status rv_session_parts_pull(rv_session_parts *p, float *const *stems, size_t room,
                                             size_t *made, rv_error *err);
void rv_session_parts_reset(rv_session_parts *p);
size_t rv_session_parts_latency(const rv_session_parts *p);
bool rv_session_parts_want_level(const rv_session_parts *p);
void rv_session_parts_level(rv_session_parts *p, float mean, float deviation);

#endif
