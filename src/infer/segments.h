/* segments.h - a whole track through networks that see one segment at a time, as a stream.
 *
 * What Demucs' apply_model computes (Defossez 2021, arXiv:2111.03600), without holding the track:
 *
 *   - a track is cut into segments every (1 - overlap) segment; the network sees each with the
 * audio around it, where it wants more than a segment (zeros outside of the track);
 *   - segments are joined by a weighted mean with triangular weights;
 *   - `shifts`: the same with the track delayed by a random part of half a second, and the mean;
 *   - several networks (a bag): the weighted mean of what they say of each stem.
 *
 * Memory: about two segments of input and output for each network and shift. The output does not
 * depend on the number of threads or on how the input is cut into blocks, bit for bit. */
#ifndef INFER_SEGMENTS_H
#define INFER_SEGMENTS_H

#include "infer/engine.h"

typedef struct rv_segments rv_segments;

/* Called between segments with the frames done so far; not 0: stop with RV_ERR_CANCELLED. */
typedef int rv_segments_watch(void *ctx, double frames);

typedef struct rv_segments_options {
    rv_engine *engine;                 /* borrowed */
    const rv_network *const *networks; /* borrowed; equal channels, stems, sample rate */
    size_t n_networks;
    const double *weights; /* [network][stem], or NULL: all 1 */
    double overlap;        /* [0, 0.95] */
    double segment;        /* seconds; 0: what each network wants */
    size_t shifts;
    const size_t *offsets; /* [network][shift], each at most half a second; NULL: by `seed` */
    uint64_t seed;
    size_t side_by_side; /* segments at a time, each in one thread; 0 or 1: one in all threads */
    rv_segments_watch *watch;
    void *watch_ctx;
} rv_segments_options;

RV_NODISCARD rv_status rv_segments_new(rv_segments **out, const rv_segments_options *options,
                                       rv_error *err);
void rv_segments_free(rv_segments *s);

/* Frames are normalised to (x - mean) / deviation, and stems scaled back; until the first push.
 * Each stem gets the mean back, as in Demucs; where the stems add up to the mix, its share of it.
 */
void rv_segments_level(rv_segments *s, float mean, float deviation);

/* Take mix[channel][frames]. Then pull until nothing comes: input is kept until it is used. */
RV_NODISCARD rv_status rv_segments_push(rv_segments *s, const float *const *mix, size_t frames,
                                        rv_error *err);

/* There is no more input; pull the rest. */
void rv_segments_finish(rv_segments *s);

/* Up to `room` frames into stems[stem * channels + channel]; *made is 0 when more input is needed,
 * or after the end. As many frames come out in all as went in. */
RV_NODISCARD rv_status rv_segments_pull(rv_segments *s, float *const *stems, size_t room,
                                        size_t *made, rv_error *err);

/* Ready for another track, as if new. */
void rv_segments_reset(rv_segments *s);

/* Most frames pushed before the first one can be pulled. */
size_t rv_segments_latency(const rv_segments *s);

#endif
