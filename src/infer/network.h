/* network.h - what takes one segment apart: a trained network, or signal processing.
 *
 * A network is immutable and may serve many runners; a runner has the memory for segments of one
 * length and serves one thread at a time. segments.c cuts tracks into segments and joins them. */
#ifndef INFER_NETWORK_H
#define INFER_NETWORK_H

#include "base/pool.h"
#include "io/checkpoint.h"
#include "models/model.h"

#include <jansson.h>

typedef struct rv_network rv_network;
typedef struct rv_runner rv_runner;

typedef struct rv_runner_options {
    rv_pool *pool;          /* borrowed; NULL: the calling thread alone */
    const rv_runner *share; /* of the same network and precision, outliving this one, whose weights
                               are used; or NULL */
    rv_precision precision; /* of a trained network */
} rv_runner_options;

typedef struct rv_network_class {
    /* Shortest length >= frames that it takes; 0 if frames is more than it can take. */
    size_t (*valid_length)(const rv_network *n, size_t frames);
    /* A runner for exactly `frames` (a valid length). */
    rv_status (*runner_new)(rv_runner **out, const rv_network *n, size_t frames,
                            const rv_runner_options *options, rv_error *err);
    void (*free)(rv_network *n);
} rv_network_class;

struct rv_network {
    const rv_network_class *class;
    size_t channels, n_stems;
    size_t sample_rate; /* Hz */
    size_t segment;     /* frames, the length it wants; the last one of a track is shorter */
    size_t fixed;       /* every segment is padded to this many frames; 0: any length goes */
    bool level;         /* wants tracks without their mean and deviation, see rv_segments_level() */
    bool adds_up;       /* its stems' sum is the mix */
};

/* Planes of audio in memory, side by side or one behind the other. */
typedef struct rv_planes_view {
    float *at;
    size_t plane, frame; /* from a plane to the next, from a frame to the next */
} rv_planes_view;

static inline float *rv_planes_at(const rv_planes_view *v, size_t plane, size_t frame)
{
    return v->at + plane * v->plane + frame * v->frame;
}

/* What goes in and what comes out lies in the runner's memory, where a network wants it. */
struct rv_runner {
    size_t frames;
    rv_planes_view mix;   /* [channel][frames], to be written before a run */
    rv_planes_view stems; /* [stem * channels + channel][frames], valid after it */
    void (*run)(rv_runner *r);
    void (*free)(rv_runner *r);
    size_t bytes; /* of memory, about */
};

void rv_network_free(rv_network *n); /* NULL is allowed */
void rv_runner_free(rv_runner *r);

/* Point the views of a runner of n->channels and n->n_stems at planes of its length that follow
 * each other. Returns them, to be freed with the runner, or NULL. */
float *rv_runner_planes(rv_runner *r, const rv_network *n);

/* A trained network from a checkpoint, and what its file says about it. */
typedef struct rv_network_card {
    const rv_model_def *def;
    rv_model_info info;
    size_t parameters;
    char license[128], provenance[512];
} rv_network_card;

/* `segment` > 0 stands for the trained length in seconds (bags); longer than a network of fixed
 * length was trained on, it is ignored. `config` stands for what the file says of its model, unless
 * it is NULL. */
RV_NODISCARD rv_status rv_network_open(rv_network **out, rv_network_card *card, const char *path,
                                       double segment, const json_t *config, rv_error *err);

/* What it was configured to, of the type of its rv_model_def. */
const void *rv_network_config(const rv_network *n);

/* The file that rv_network_open() opened, as long as the network lives. */
const rv_checkpoint *rv_network_checkpoint(const rv_network *n);

/* The built-in `classic`, for any sample rate and number of channels. */
RV_NODISCARD rv_status rv_network_classic(rv_network **out, size_t channels, size_t sample_rate,
                                          rv_error *err);

#endif
