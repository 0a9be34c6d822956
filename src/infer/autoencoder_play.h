/* autoencoder_play.h - see autoencoder_play.c */
#ifndef INFER_AUTOENCODER_PLAY_H
#define INFER_AUTOENCODER_PLAY_H

#include "infer/autoencoder_network.h"

enum { RV_PLAY_ENDLESS = 1 << 30 };

/* What is played: frames of the model's rate, asked for in order. */
typedef struct rv_play_source {
    size_t frames; /* one at least; RV_PLAY_ENDLESS until it is known */
    /* f0 [n] Hz, above 0 and below half the sample rate; loudness [n] dB; voice [n] from 0 to 1,
     * of the harmonics */
    rv_status (*read)(void *ctx, size_t first, size_t n, float *f0, float *loudness, float *voice,
                      rv_error *err);
    size_t mfcc_rows; /* at the model's rate of MFCC; one at least where it has z */
    rv_status (*read_mfcc)(void *ctx, size_t first, size_t n, float *mfcc, rv_error *err);
    void *ctx;
} rv_play_source;

typedef struct rv_play_controls {
    const float *f0, *loudness, *amplitude; /* [n] */
    const float *distribution, *magnitudes; /* [n,n_harmonic], [n,n_bands] */
    size_t n;
} rv_play_controls;

/* Where it goes to, in order. */
typedef struct rv_play_sink {
    rv_status (*audio)(void *ctx, float *samples, size_t n, rv_error *err); /* may change them */
    rv_status (*controls)(void *ctx, const rv_play_controls *c, rv_error *err); /* may be NULL */
    int (*watch)(void *ctx, double share); /* may be NULL; not 0: stop */
    void *ctx;
} rv_play_sink;

typedef struct rv_play_options {
    double harmonics_gain, noise_gain; /* factors */
    bool room;                         /* the model's, if it has one */
    uint64_t seed;                     /* of the noise */
    size_t samples;                    /* to be made */
    size_t block;                      /* frames at a time; 0: about a second */
    rv_pool *pool;                     /* borrowed, may be NULL */
} rv_play_options;

/* The whole of it. */
RV_NODISCARD rv_status rv_autoencoder_play(const rv_autoencoder_network *n,
                                           const rv_play_source *source, const rv_play_sink *sink,
                                           const rv_play_options *options, rv_error *err);

/* The same step by step, for who learns only on the way what is to be played, and how much of it:
 * source and options are borrowed, and their `frames` and `samples` may change between steps. */
typedef struct rv_player rv_player;
RV_NODISCARD rv_status rv_player_new(rv_player **out, const rv_autoencoder_network *n,
                                     const rv_play_source *source, const rv_play_sink *sink,
                                     const rv_play_options *options, rv_error *err);
void rv_player_free(rv_player *p);

/* Frames of the source, from the start, that the next step reads, if it has as many; and the most
 * that are read before a frame is heard. */
size_t rv_player_needs(const rv_player *p);
size_t rv_player_ahead(const rv_player *p);

bool rv_player_done(const rv_player *p); /* all samples are made */
RV_NODISCARD rv_status rv_player_step(rv_player *p, rv_error *err);
void rv_player_reset(rv_player *p); /* as if new */

#endif
