/* stem_players.h - decoders that play the sources whose pitch and loudness a network hears in a mix
 * (models/mctn.h), as a stream: features in, stems out.
 *
 * Decoders go on from block to block, so that nothing clicks at the segments in which the features
 * were found. Memory: about two seconds of features and sound of each stem. The output does not
 * depend on how the features are cut into blocks, nor on the number of threads, bit for bit. */
#ifndef INFER_STEM_PLAYERS_H
#define INFER_STEM_PLAYERS_H

#include "infer/autoencoder_play.h"

typedef struct rv_stem_players rv_stem_players;

typedef struct rv_stem_players_options {
    rv_autoencoder_network *const *decoders; /* [n] borrowed; of equal sample rate and hop */
    size_t n;
    rv_pool *pool; /* borrowed, may be NULL */
    uint64_t seed; /* of the noise */
    /* May be NULL: what the synthesisers of a stem are told. */
    rv_status (*controls)(void *ctx, size_t stem, const rv_play_controls *c, rv_error *err);
    void *ctx;
} rv_stem_players_options;

RV_NODISCARD rv_status rv_stem_players_new(rv_stem_players **out,
                                           const rv_stem_players_options *options, rv_error *err);
void rv_stem_players_free(rv_stem_players *p); /* NULL is allowed */

/* Take features[2 stem] (MIDI notes) and features[2 stem + 1] (dB), with a value for each sample of
 * audio, of which the first of each frame counts. */
RV_NODISCARD rv_status rv_stem_players_push(rv_stem_players *p, const float *const *features,
                                            size_t samples, rv_error *err);

/* There are no more; pull the rest. */
void rv_stem_players_finish(rv_stem_players *p);

/* Up to `room` samples into stems[stem]; *made is 0 when more features are needed, or after the
 * end. As many samples come out in all as went in. */
RV_NODISCARD rv_status rv_stem_players_pull(rv_stem_players *p, float *const *stems, size_t room,
                                            size_t *made, rv_error *err);

void rv_stem_players_reset(rv_stem_players *p); /* as if new */

/* Most samples of features pushed before the first one can be pulled. */
size_t rv_stem_players_latency(const rv_stem_players *p);

#endif
