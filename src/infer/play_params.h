/* play_params.h - controls of synthesisers, frame by frame, to an .npz. */
#ifndef INFER_PLAY_PARAMS_H
#define INFER_PLAY_PARAMS_H

#include "infer/autoencoder_play.h"
#include "infer/spool.h"

enum { RV_PLAY_PARAMS = 5 };

/* They wait on the disk: the archive holds one array after the other. */
typedef struct rv_play_params {
    const char *path;
    size_t frames;
    double sample_rate, frame_rate;
    struct {
        rv_spool *spool;
        size_t width;
        float *const *block; /* while the archive is written: [width][in_block] */
        size_t in_block, at;
    } columns[RV_PLAY_PARAMS];
    float *planes; /* [most,width] the other way round */
    size_t most;
} rv_play_params;

RV_NODISCARD rv_status rv_play_params_init(rv_play_params *p, const char *path,
                                           const rv_autoencoder_config *c, rv_error *err);
void rv_play_params_fini(rv_play_params *p);

RV_NODISCARD rv_status rv_play_params_add(rv_play_params *p, const rv_play_controls *c,
                                          rv_error *err);
RV_NODISCARD rv_status rv_play_params_write(rv_play_params *p, rv_error *err);

#endif
