/* synth_features.h - what is to be played, as it was measured or given: rows at some rate. */
#ifndef API_SYNTH_FEATURES_H
#define API_SYNTH_FEATURES_H

#include "data/feature_cache.h"
#include "infer/autoencoder_network.h"
#include "io/npz_read.h"
#include "models/ddsp_autoencoder.h"
#include "ravel/synth.h"

typedef struct rv_raw_frame {
    float f0; /* Hz; 0: none */
    float confidence;
    float loudness; /* dB */
} rv_raw_frame;

typedef struct rv_synth_features {
    const char *path;
    size_t frames, mfcc_rows; /* mfcc_rows 0: no MFCC */
    double rate, mfcc_rate;   /* Hz */
    double seconds;           /* of the input */
    rv_synth_pitch pitch;     /* how it was measured; MODEL: it was given */
    /* measured */
    rv_feature_cache *cache;
    rv_feature_rows *f0_rows, *loudness_rows, *mfcc_rows_of;
    float *f0;         /* [frames] by CREPE or the model, which the cache does not keep, or NULL */
    float *confidence; /* [frames] likewise; NULL: 1 */
    /* given */
    rv_npz *npz;
    const rv_npy *f0_given, *confidence_given, *loudness_given, *mfcc_given;
} rv_synth_features;

/* Of an audio file, as the model wants them. watch: of all. */
RV_NODISCARD rv_status rv_synth_features_measure(rv_synth_features *f, const char *path,
                                                 const rv_autoencoder_network *n,
                                                 const rv_synth_options *o,
                                                 const rv_feature_watch *watch, rv_error *err);
/* Of an .npz. */
RV_NODISCARD rv_status rv_synth_features_open(rv_synth_features *f, const char *path,
                                              const rv_autoencoder_config *c,
                                              const rv_synth_options *o, rv_error *err);
void rv_synth_features_close(rv_synth_features *f);

/* Rows first .. first + n, which are there. Values that are no numbers are errors, save of f0,
 * where they are 0. */
RV_NODISCARD rv_status rv_synth_features_read(rv_synth_features *f, size_t first, size_t n,
                                              rv_raw_frame *out, rv_error *err);
RV_NODISCARD rv_status rv_synth_features_mfcc(rv_synth_features *f, size_t row, float *out,
                                              rv_error *err);

#endif
