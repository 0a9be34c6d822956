/* SPDX-License-Identifier: MIT */
/**
 * @file ravel/synth.h
 * @brief Play a DDSP autoencoder: the pitch and loudness of a recording in another timbre.
 *
 * @code{.c}
 *     rv_synth_options options;
 *     rv_synth_defaults(&options);
 *     options.pitch_shift = 12;
 *     options.auto_loudness = 1;
 *     if (rv_synth_file("violin.safetensors", "voice.wav", "violin.wav", &options, NULL, &err) !=
 *         RV_OK)
 *         return fail(err.text);
 * @endcode
 */
#ifndef RV_SYNTH_H
#define RV_SYNTH_H

#include <ravel/features.h>
#include <ravel/separate.h>

RV_BEGIN_DECLS

/** How pitch is measured. Values are part of the ABI. */
typedef enum rv_synth_pitch {
    RV_SYNTH_PITCH_MODEL, /**< by the model's own encoder where it has one (RV_SYNTH_PITCH_OWN);
                               else as for its training data, pYIN in place of CREPE where `crepe`
                               is not given */
    RV_SYNTH_PITCH_YIN,
    RV_SYNTH_PITCH_PYIN,
    RV_SYNTH_PITCH_CREPE, /**< `crepe` must be given */
    RV_SYNTH_PITCH_OWN    /**< by the model's own encoder (`f0_encoder: learned`), which gives every
                               frame a pitch, and no confidence: `threshold` must be 0 */
} rv_synth_pitch;

/** Fill with rv_synth_defaults() first. Texts are borrowed for the call. */
typedef struct rv_synth_options {
    const char *config;    /**< of ddsp_pytorch's `state.pth`; NULL: config.yaml beside it */
    double pitch_shift;    /**< semitones (default 0) */
    double loudness;       /**< dB, what the model is told more than was measured (default 0) */
    int auto_loudness;     /**< 1: shift and scale loudness so that its mean and deviation are those
                                of the training data (default 0) */
    double harmonics_gain; /**< dB (default 0) */
    double noise_gain;     /**< dB (default 0) */
    int reverb;            /**< 0: without the model's room (default 1) */
    double threshold; /**< no harmonics where the confidence of f0 is lower, 0 to 1 (default 0) */
    double stretch;   /**< of time: 2 is twice as long (default 1) */
    rv_synth_pitch pitch; /**< (default RV_SYNTH_PITCH_MODEL) */
    const char *crepe;    /**< CREPE's weights, see ravel/pitch.h (default NULL) */
    const char *cache;    /**< of features, see ravel/features.h (default NULL: the user's) */
    const char *params;   /**< also write the synthesisers' controls, .npz: f0_hz, amplitude,
                               harmonic_distribution, noise_magnitudes (default NULL) */
    uint64_t seed;        /**< of the noise; equal seeds give equal output (default 0) */
    int threads;          /**< 0: one for each core (default 0) */
    int bits;             /**< 16, 24, or 32 for float (default 16) */
    rv_clip_mode clip;    /**< (default RV_CLIP_RESCALE) */
    int overwrite;        /**< 1: replace results that are there (default 0) */
    /** fraction: 0 to 1; not 0: stop. May be NULL. */
    int (*progress)(void *ctx, double fraction);
    void *progress_ctx;
    uint32_t reserved[8];
} rv_synth_options;

RV_API void rv_synth_defaults(rv_synth_options *opt);

typedef struct rv_synth_report {
    int sample_rate;     /**< Hz: the model's, of the output */
    uint64_t samples;    /**< of the output */
    uint64_t frames;     /**< of the controls */
    uint64_t voiced;     /**< of them, with harmonics */
    uint64_t parameters; /**< of the model */
    int pitch;           /**< rv_synth_pitch that was measured, never 0; 0 where features were
                              given */
    double loudness_mean, loudness_deviation; /**< dB, measured; of frames not below the loudest
                                                   by more than 60 dB */
    double pitch_mean; /**< MIDI note, before pitch_shift, of frames with harmonics; 0: none */
    double gain;       /**< that RV_CLIP_RESCALE gave */
} rv_synth_report;

/**
 * Measure the mean of a file's channels as the model's training data was measured, or take features
 * from an .npz as rv_features_file() writes it (`f0_hz`, `loudness_db`, `frame_rate`, and where
 * they are there `f0_confidence`, `voiced`, `mfcc`), and play them with the model. The output is
 * mono at the model's sample rate, as long as the input. Memory does not grow with its length, save
 * for pitch: while it is measured (docs/features.md), or 4 bytes a frame of RV_SYNTH_PITCH_OWN.
 *
 * Where f0 is 0, NaN, below the threshold or, shifted, not below half the sample rate, there are no
 * harmonics, and the model is told the pitch before.
 *
 * @param model a checkpoint that `ravel train` wrote, or ddsp_pytorch's `state.pth`; or "params",
 * which plays an .npz of parameters as they are (`f0_hz`, `amplitude`, `harmonic_distribution`,
 * `noise_magnitudes`, `sample_rate`, `frame_rate`): shifts of pitch, gains and stretching count,
 * the rest of the options is for models
 * @param in    audio, or .npz
 * @param out   format by the extension; appears when it is whole
 * @param opt   NULL for the defaults
 * @param report may be NULL
 * @retval RV_ERR_ARG         an option: which, and what is possible
 * @retval RV_ERR_UNSUPPORTED not a model that can be played: a separator, or unknown
 * @retval RV_ERR_FORMAT      a file is damaged, or lacks features
 * @retval RV_ERR_EXISTS      a result is there
 * @retval RV_ERR_CANCELLED   the callback asked to stop
 */
RV_API RV_NODISCARD rv_status rv_synth_file(const char *model, const char *in, const char *out,
                                            const rv_synth_options *opt, rv_synth_report *report,
                                            rv_error *err);

RV_END_DECLS

#endif /* RV_SYNTH_H */
