/* session.h - a model at work on audio of one format: its segments, and the threads for them. */
#ifndef INFER_SESSION_H
#define INFER_SESSION_H

#include "infer/ensemble.h"
#include "infer/segments.h"
#include "infer/stem_players.h"
#include "infer/wiener_stream.h"

enum { RV_SESSION_BLOCK = 16384 };

typedef struct rv_session_parts rv_session_parts; /* see session_parts.h */

typedef struct rv_session {
    rv_model *model;
    rv_engine *engine;
    bool borrowed;           /* the engine is another's */
    rv_session_parts *parts; /* of an ensemble; NULL: segments */
    rv_network *classic;     /* made for this format; NULL for trained networks */
    rv_segments *segments;
    rv_stem_players *players;  /* of a model with decoders; NULL: segments give sound */
    float **features;          /* for them [2 stems][RV_SESSION_BLOCK] */
    bool finished, played_out; /* no more is pushed; the players know it */
    rv_source_fit *fit;        /* models of the sources; NULL: not wanted */
    rv_wiener_stream *wiener;  /* makes the stems better; NULL: they are as they are */
    float **estimates;         /* for it [planes][RV_SESSION_BLOCK] */
    bool filtered_out;         /* it knows that no more comes */
} rv_session;

typedef struct rv_session_options {
    size_t channels, sample_rate;
    const rv_separate_options *separate;
    rv_engine *engine;     /* borrowed; NULL: one of the model's */
    const size_t *offsets; /* of the shifts, see segments.h; NULL: random */
    rv_segments_watch *watch;
    void *watch_ctx;
    /* What synthesisers of the stems are told: by decoders, or by the models of sources that refine
     * the stems of a model without; may be NULL. */
    rv_status (*controls)(void *ctx, size_t stem, const rv_play_controls *c, rv_error *err);
    void *controls_ctx;
} rv_session_options;

/* The model must outlive the session. Nothing is to be closed after a failure. */
RV_NODISCARD rv_status rv_session_open(rv_session *s, rv_model *m, const rv_session_options *o,
                                       rv_error *err);
void rv_session_close(rv_session *s); /* of zeros is allowed */

/* As those of segments.h, whoever makes the sound. */
RV_NODISCARD rv_status rv_session_push(rv_session *s, const float *const *mix, size_t frames,
                                       rv_error *err);
void rv_session_finish(rv_session *s);
RV_NODISCARD rv_status rv_session_pull(rv_session *s, float *const *stems, size_t room,
                                       size_t *made, rv_error *err);
void rv_session_reset(rv_session *s);
size_t rv_session_latency(const rv_session *s);

/* Planes of RV_SESSION_BLOCK frames. */
RV_NODISCARD rv_status rv_session_planes_new(float ***out, size_t planes, rv_error *err);
void rv_session_planes_free(float **planes);

/* True if the model wants normalised audio; and what it is told then, see rv_segments_level(). */
bool rv_session_wants_level(const rv_session *s);
void rv_session_level(rv_session *s, float mean, float deviation);

#endif
