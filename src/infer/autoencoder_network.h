/* autoencoder_network.h - a DDSP autoencoder with its weights, and the pieces of it that are run.
 */
#ifndef INFER_AUTOENCODER_NETWORK_H
#define INFER_AUTOENCODER_NETWORK_H

#include "base/pool.h"
#include "models/ddsp_autoencoder.h"

typedef struct rv_autoencoder_network rv_autoencoder_network;

/* A checkpoint of class RV_AUTOENCODER_CLASS; or what ddsp_pytorch's training writes: state.pth
 * and, as `config` (NULL: config.yaml beside it), its configuration. */
RV_NODISCARD rv_status rv_autoencoder_network_open(rv_autoencoder_network **out, const char *path,
                                                   const char *config, rv_error *err);
void rv_autoencoder_network_free(rv_autoencoder_network *n);

const rv_autoencoder_config *rv_autoencoder_network_config(const rv_autoencoder_network *n);
size_t rv_autoencoder_network_parameters(const rv_autoencoder_network *n);

/* What the room makes of one sample, the direct sound included, [*n], to be freed; NULL where the
 * model has no room. Its noise is a function of the seed. */
RV_NODISCARD rv_status rv_autoencoder_room(const rv_autoencoder_network *n, uint64_t seed,
                                           float **taps, size_t *n_taps, rv_error *err);

/* The decoder and the synthesisers for so many frames. The network must outlive it. */
typedef struct rv_autoencoder_block {
    size_t frames;
    /* to be filled before each run: [frames], z [frames,z], noise [frames hop], state [hidden] */
    float *f0, *loudness, *voice, *z, *noise, *phase, *state;
    /* until the next run: [frames hop]; the rest as in rv_autoencoder_signals */
    const float *harmonic_audio, *noise_audio;
    const float *amplitude, *distribution, *magnitudes, *states;
    struct rv_autoencoder_piece *piece;
} rv_autoencoder_block;
RV_NODISCARD rv_status rv_autoencoder_block_init(rv_autoencoder_block *b,
                                                 const rv_autoencoder_network *n, size_t frames,
                                                 rv_pool *pool, rv_error *err);

/* The encoder of timbre: mfcc [rows,30] -> z [frames,z]. */
typedef struct rv_autoencoder_timbre {
    size_t rows, frames;
    float *mfcc;
    const float *z;
    struct rv_autoencoder_piece *piece;
} rv_autoencoder_timbre;
RV_NODISCARD rv_status rv_autoencoder_timbre_init(rv_autoencoder_timbre *t,
                                                  const rv_autoencoder_network *n, size_t rows,
                                                  size_t frames, rv_pool *pool, rv_error *err);

/* The encoder of pitch, of a model that has one: audio [frames hop] -> f0 [frames] Hz. */
typedef struct rv_autoencoder_pitch {
    size_t frames;
    float *audio; /* to be filled before each run */
    const float *f0;
    struct rv_autoencoder_piece *piece;
} rv_autoencoder_pitch;
RV_NODISCARD rv_status rv_autoencoder_pitch_init(rv_autoencoder_pitch *f,
                                                 const rv_autoencoder_network *n, size_t frames,
                                                 rv_pool *pool, rv_error *err);

void rv_autoencoder_piece_run(struct rv_autoencoder_piece *p);
void rv_autoencoder_piece_free(struct rv_autoencoder_piece *p); /* NULL is allowed */

#endif
