/* wiener_stream.h - stems of a stream made better by models of their sources, by the Wiener filter,
 * or both: window by window, in memory that does not grow with the track. */
#ifndef INFER_WIENER_STREAM_H
#define INFER_WIENER_STREAM_H

#include "infer/source_fit.h"

typedef struct rv_wiener_stream rv_wiener_stream;

typedef struct rv_wiener_options {
    size_t channels, stems, sample_rate;
    size_t iterations;  /* of the Wiener filter; 0: it is left out */
    rv_pool *pool;      /* borrowed */
    rv_source_fit *fit; /* borrowed; NULL: left out */
} rv_wiener_options;

/* Samples of a frame; there is one every quarter. */
enum { RV_WIENER_OVERLAP = 4 };
size_t rv_wiener_stream_frame(size_t sample_rate);

RV_NODISCARD rv_status rv_wiener_stream_new(rv_wiener_stream **out, const rv_wiener_options *o,
                                            rv_error *err);
void rv_wiener_stream_free(rv_wiener_stream *s); /* NULL is allowed */

/* mix[channel][frames], stems[stem * channels + channel][frames]: the mix must be ahead. */
RV_NODISCARD rv_status rv_wiener_stream_mix(rv_wiener_stream *s, const float *const *mix,
                                            size_t frames, rv_error *err);
RV_NODISCARD rv_status rv_wiener_stream_stems(rv_wiener_stream *s, const float *const *stems,
                                              size_t frames, rv_error *err);

/* There are no more stems, which are as long as the mix. */
void rv_wiener_stream_finish(rv_wiener_stream *s);

/* Up to `room` frames into stems; *made is 0 when more stems are needed, or after the end. */
RV_NODISCARD rv_status rv_wiener_stream_pull(rv_wiener_stream *s, float *const *stems, size_t room,
                                             size_t *made, rv_error *err);

/* Ready for another track, as if new. */
void rv_wiener_stream_reset(rv_wiener_stream *s);

/* Most frames of stems that go in before the first comes out. */
size_t rv_wiener_stream_latency(const rv_wiener_stream *s);

#endif
