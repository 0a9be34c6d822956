/* timbre_stream.h - see timbre_stream.c */
#ifndef INFER_TIMBRE_STREAM_H
#define INFER_TIMBRE_STREAM_H

#include "infer/autoencoder_play.h"

typedef struct rv_timbre_stream rv_timbre_stream;

/* All is borrowed. */
RV_NODISCARD rv_status rv_timbre_stream_new(rv_timbre_stream **out, const rv_autoencoder_network *n,
                                            const rv_play_source *source, rv_pool *pool,
                                            rv_error *err);
void rv_timbre_stream_free(rv_timbre_stream *s);

/* The next frames: out [n,z] */
RV_NODISCARD rv_status rv_timbre_stream_read(rv_timbre_stream *s, size_t n, float *out,
                                             rv_error *err);

#endif
