/* synth_params.h - controls of synthesisers, frame by frame, to an .npz. */
#ifndef API_SYNTH_PARAMS_H
#define API_SYNTH_PARAMS_H

#include "infer/autoencoder_play.h"
#include "infer/spool.h"

enum { RV_SYNTH_PARAMS = 4 };

/* They wait on the disk: the archive holds one array after the other. */
typedef struct rv_synth_params {
    const char *path;
    size_t frames;
    double sample_rate, frame_rate;
    struct {
        rv_spool *spool;
        size_t width;
        float *const *block; /* while the archive is written: [width][in_block] */
        size_t in_block, at;
    } columns[RV_SYNTH_PARAMS];
    float *planes; /* [most,width] the other way round */
    size_t most;
} rv_synth_params;

RV_NODISCARD rv_status rv_synth_params_init(rv_synth_params *p, const char *path,
                                            const rv_autoencoder_config *c, rv_error *err);
void rv_synth_params_fini(rv_synth_params *p);

RV_NODISCARD rv_status rv_synth_params_add(rv_synth_params *p, const rv_play_controls *c,
                                           rv_error *err);
RV_NODISCARD rv_status rv_synth_params_write(rv_synth_params *p, rv_error *err);

#endif
