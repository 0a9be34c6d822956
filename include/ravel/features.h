/* SPDX-License-Identifier: MIT */
/**
 * @file ravel/features.h
 * @brief What is heard in audio, frame by frame: pitch, loudness, spectra.
 */
#ifndef RV_FEATURES_H
#define RV_FEATURES_H

#include <ravel/base.h>
#include <ravel/pitch.h>

RV_BEGIN_DECLS

/** The features. Values are part of the ABI: append, never renumber. */
typedef enum rv_feature_name {
    RV_FEATURE_F0,          /**< [3]: Hz, the best guess everywhere; confidence 0 to 1; 1 where
                                 voiced, else 0 */
    RV_FEATURE_LOUDNESS,    /**< [1]: A-weighted, dB */
    RV_FEATURE_RMS,         /**< [1]: root mean square of the window's samples */
    RV_FEATURE_MEL,         /**< [bands]: logarithms of mel bands */
    RV_FEATURE_MFCC,        /**< [coefficients] */
    RV_FEATURE_CENTROID,    /**< [1]: of the magnitudes, Hz; 0 in silence */
    RV_FEATURE_HARMONICITY, /**< [1]: energy at the harmonics of f0 / all energy; 0 where unvoiced
                             */
    RV_FEATURE_RESIDUAL,    /**< [1]: 1 - harmonicity */
    RV_FEATURE_STFT,        /**< [2 (window / 2 + 1)]: real, imaginary */
    RV_FEATURES
} rv_feature_name;

typedef enum rv_f0_method {
    RV_F0_YIN,   /**< de Cheveigne & Kawahara 2002 */
    RV_F0_PYIN,  /**< Mauch & Dixon 2014 */
    RV_F0_CREPE, /**< Kim et al. 2018, a network: of rv_features_file(); streams are ravel/pitch.h
                  */
    RV_F0_DDSP_INV, /**< Engel et al. 2020, a network that was trained: of rv_features_file() */
    RV_F0_METHODS
} rv_f0_method;

typedef enum rv_loudness_kind {
    RV_LOUDNESS_DDSP,         /**< magenta/ddsp from 3.0: dB of the mean weighted power */
    RV_LOUDNESS_DDSP1,        /**< magenta/ddsp before 3.0: mean of the bins' weighted dB */
    RV_LOUDNESS_DDSP_PYTORCH, /**< acids-ircam/ddsp_pytorch: mean of ln |S| + weight in dB */
    RV_LOUDNESS_KINDS
} rv_loudness_kind;

typedef enum rv_mel_scale {
    RV_MEL_SLANEY,     /**< librosa: linear below 1 kHz, bands of equal area */
    RV_MEL_HTK,        /**< librosa with htk=True: 2595 log10(1 + f/700), bands of equal area */
    RV_MEL_TENSORFLOW, /**< tf.signal: HTK's scale, triangles in mel of height 1, no DC */
    RV_MEL_SCALES
} rv_mel_scale;

/** Where frame t lies. */
typedef enum rv_frame_align {
    RV_FRAMES_CENTRED, /**< centred at t / frame_rate: samples frame_rate / sample_rate + 1 frames
                        */
    RV_FRAMES_STARTED  /**< begins at t / frame_rate: ceil(samples frame_rate / sample_rate) frames
                        */
} rv_frame_align;

/** What is to be measured, and how. Fill with rv_feature_defaults() first. */
typedef struct rv_feature_spec {
    rv_feature_name feature;
    int sample_rate;           /**< Hz, of the audio measured */
    double frame_rate;         /**< frames a second; need not divide sample_rate */
    int window;                /**< samples of a frame, even; 0: see docs/features.md (default 0) */
    rv_frame_align align;      /**< (default RV_FRAMES_CENTRED) */
    rv_f0_method f0_method;    /**< (default RV_F0_PYIN) */
    double f0_min, f0_max;     /**< Hz (default 65.406, 2093.005: C2 to C7) */
    double trough;             /**< YIN's threshold (default 0.1) */
    int f0_librosa;            /**< 1: as librosa, with its bias of some cents, and pYIN's Hz on the
                                    grid of 10 cents that its path is found on (default 0) */
    rv_loudness_kind loudness; /**< (default RV_LOUDNESS_DDSP) */
    double ref_db, range_db;   /**< loudness: dB taken off, and the lowest is -range_db (default 0
                                    and 80; DDSP1: 20.7 and 120) */
    rv_mel_scale mel_scale;    /**< (default RV_MEL_SLANEY) */
    int power;                 /**< of the magnitudes in mel bands: 1 or 2 (default 2) */
    int decibels;            /**< mel: 10 log10 max(x, floor); else ln max(x, floor) (default 1) */
    double mel_floor;        /**< (default 1e-10) */
    int bands;               /**< mel bands (default 128) */
    double mel_min, mel_max; /**< Hz; 0: half the sample rate (default 0 and 0) */
    int coefficients;        /**< of MFCC (default 30) */
    uint32_t reserved[8];
} rv_feature_spec;

/** For a feature and loudness kind at a rate; DDSP1 and DDSP_PYTORCH have other values. */
RV_API void rv_feature_defaults(rv_feature_spec *spec, rv_feature_name feature, int sample_rate,
                                double frame_rate);

/** "f0", "loudness", ...; NULL for others. */
RV_API const char *rv_feature_text(rv_feature_name feature);

/** Measures one feature of a stream. */
typedef struct rv_feature rv_feature;

/**
 * @param f0 for harmonicity and residual: [n_f0] Hz of each frame, 0 where unvoiced, copied;
 *           else NULL
 * @retval RV_ERR_ARG a value of the spec: which, and what is possible
 */
RV_API RV_NODISCARD rv_status rv_feature_new(rv_feature **out, const rv_feature_spec *spec,
                                             const float *f0, size_t n_f0, rv_error *err);
RV_API void rv_feature_free(rv_feature *f);

/** Values of a frame. */
RV_API size_t rv_feature_width(const rv_feature *f);

/** Frames of so many samples; 0 for none. */
RV_API size_t rv_feature_frames(const rv_feature_spec *spec, uint64_t samples);

/** Take mono samples, finite ones; how a stream is cut into calls does not matter. */
RV_API RV_NODISCARD rv_status rv_feature_push(rv_feature *f, const float *samples, size_t n,
                                              rv_error *err);

/** The stream is at its end. */
RV_API RV_NODISCARD rv_status rv_feature_finish(rv_feature *f, rv_error *err);

/** Up to `room` frames that are known by now: out [room, width]. pYIN knows all at the end. */
RV_API size_t rv_feature_pull(rv_feature *f, float *out, size_t room);

/** How rv_features_file() measures a file. Fill with rv_features_defaults() first. */
typedef struct rv_features_options {
    const char *features;   /**< names, with commas (default "f0,loudness,rms") */
    const char *format;     /**< "npz" (numpy) or "csv" (default "npz") */
    const char *cache;      /**< folder; NULL: $XDG_CACHE_HOME/ravel or ~/.cache/ravel (default) */
    int sample_rate;        /**< Hz that audio is brought to; 0: as it is (default 0) */
    double frame_rate;      /**< frames a second (default 250) */
    rv_frame_align align;   /**< (default RV_FRAMES_CENTRED) */
    rv_f0_method f0_method; /**< (default RV_F0_PYIN) */
    double f0_min, f0_max;  /**< Hz (default 65.406, 2093.005) */
    int f0_librosa;         /**< see rv_feature_spec (default 0) */
    int f0_everywhere;      /**< 1: f0_hz is the best guess in unvoiced frames, too, where else it
                                 is 0 (default 0) */
    rv_crepe_options crepe; /**< with f0_method RV_F0_CREPE (default of rv_crepe_defaults()) */
    rv_loudness_kind loudness; /**< with its project's reference and range (default
                                    RV_LOUDNESS_DDSP) */
    int window;                /**< samples, of all features but f0 and harmonicity; 0: see
                                    docs/features.md (default 0) */
    int bands;                 /**< of mel (default 128) */
    int coefficients;          /**< of MFCC (default 30) */
    int midi;                  /**< 1: also the notes of f0, as OUT.mid (default 0) */
    int overwrite;             /**< 1: replace results that are there (default 0) */
    /** fraction: 0 to 1 of the file; not 0: stop. May be NULL. */
    int (*progress)(void *ctx, double fraction);
    void *progress_ctx;
    const char *f0_model; /**< with f0_method RV_F0_DDSP_INV: a checkpoint of `ravel train`
                               (default NULL) */
    double f0_threshold;  /**< with it: least confidence of a voiced frame (default 0.5) */
    uint32_t reserved[4];
} rv_features_options;

RV_API void rv_features_defaults(rv_features_options *opt);

typedef struct rv_features_report {
    int sample_rate;          /**< Hz, of what was measured */
    uint64_t frames;          /**< of each feature */
    uint64_t notes;           /**< written as MIDI */
    uint64_t found, measured; /**< features: in the cache, and not */
    uint64_t damaged;         /**< files of the cache that were measured again */
} rv_features_report;

/**
 * Measure the mean of a file's channels and write OUT.npz (or OUT.csv) and OUT.mid. What was
 * measured once is kept in the cache, and comes from there. Memory does not depend on the length,
 * save for f0: see docs/features.md.
 *
 * The npz holds sample_rate, frame_rate and one array for each feature, its first axis the frames:
 * f0_hz, f0_confidence, voiced, loudness_db, rms, mel, mfcc, centroid_hz, harmonicity, residual.
 *
 * @retval RV_ERR_ARG       an option: which, and what is possible
 * @retval RV_ERR_EXISTS    a result is there
 * @retval RV_ERR_FORMAT    the file is damaged, or holds NaN
 * @retval RV_ERR_CANCELLED the callback asked to stop
 */
RV_API RV_NODISCARD rv_status rv_features_file(const char *path, const char *out,
                                               const rv_features_options *opt,
                                               rv_features_report *report, rv_error *err);

RV_END_DECLS

#endif /* RV_FEATURES_H */
