/* SPDX-License-Identifier: MIT */
/**
 * @file ravel/pitch.h
 * @brief Pitch of one voice by CREPE, and what makes a clean contour of it.
 *
 * @code{.c}
 *     rv_pitch_options options;
 *     rv_pitch_defaults(&options, 44100);
 *     rv_pitch *pitch = NULL;
 *     if (rv_pitch_open(&pitch, "full.pth", &options, &err) != RV_OK)
 *         return fail(err.text);
 *     while ((n = read(samples)) > 0 && rv_pitch_push(pitch, samples, n, &err) == RV_OK)
 *         n_frames += rv_pitch_pull(pitch, f0 + n_frames, periodicity + n_frames, room - n_frames);
 * @endcode
 *
 * A frame without pitch is NaN in f0, as in torchcrepe. Results are equal bit for bit for any
 * number of threads, and for any way to cut a stream into calls.
 */
#ifndef RV_PITCH_H
#define RV_PITCH_H

#include <ravel/base.h>

RV_BEGIN_DECLS

/** Which bin of 20 cents a frame's pitch lies in. Values are part of the ABI. */
typedef enum rv_pitch_path {
    RV_PITCH_ARGMAX,            /**< the most probable, each frame on its own */
    RV_PITCH_VITERBI,           /**< a path along these, by at most 11 bins a frame, as CREPE's */
    RV_PITCH_VITERBI_TORCHCREPE /**< torchcrepe's `viterbi`, which sees only faint differences of
                                     bins and often stays at the ends of the range */
} rv_pitch_path;

/** And where in it. Values are part of the ABI. */
typedef enum rv_pitch_average {
    RV_PITCH_BIN,             /**< its centre; torchcrepe's `argmax` and `viterbi` without dither */
    RV_PITCH_LOCAL,           /**< mean of 9 bins weighted by the network's output, as CREPE */
    RV_PITCH_LOCAL_TORCHCREPE /**< weighted by the sigmoid of that, torchcrepe's `weighted_argmax`
                               */
} rv_pitch_average;

/** Called with the frames done so far; not 0: stop with RV_ERR_CANCELLED. */
typedef int rv_pitch_watch(void *ctx, uint64_t frames);

/** Fill with rv_pitch_defaults() first. */
typedef struct rv_pitch_options {
    int sample_rate;          /**< Hz, of the audio pushed */
    double frame_rate;        /**< frames a second (default 100) */
    rv_pitch_path path;       /**< (default RV_PITCH_VITERBI) */
    rv_pitch_average average; /**< (default RV_PITCH_LOCAL) */
    double f0_min, f0_max;    /**< Hz; pitches outside are never found (default 50 and 2006) */
    int pad;                  /**< 1: frame t is centred at t / frame_rate; 0: it begins there, and
                                   only whole frames count (default 1) */
    int threads;              /**< 0: one for each core (default 0) */
    rv_pitch_watch *watch;    /**< may be NULL (default) */
    void *watch_ctx;
    uint32_t reserved[8];
} rv_pitch_options;

RV_API void rv_pitch_defaults(rv_pitch_options *options, int sample_rate);

typedef struct rv_pitch rv_pitch; /**< tracks one stream */

/**
 * @param model a file with CREPE's weights of any capacity under torchcrepe's names: `tiny.pth`,
 *              `full.pth`, or safetensors
 * @retval RV_ERR_ARG   an option: which, and what is possible
 * @retval RV_ERR_SHAPE the file holds other weights
 */
RV_API RV_NODISCARD rv_status rv_pitch_open(rv_pitch **out, const char *model,
                                            const rv_pitch_options *options, rv_error *err);
RV_API void rv_pitch_free(rv_pitch *p);

/** "tiny", "small", "medium", "large", "full" or "custom". */
RV_API const char *rv_pitch_capacity(const rv_pitch *p);

/** Frames of so many samples; 0 for none. */
RV_API uint64_t rv_pitch_frames(const rv_pitch_options *options, uint64_t samples);

/** Take mono samples, finite ones. */
RV_API RV_NODISCARD rv_status rv_pitch_push(rv_pitch *p, const float *samples, size_t n,
                                            rv_error *err);

/** The stream is at its end. */
RV_API RV_NODISCARD rv_status rv_pitch_finish(rv_pitch *p, rv_error *err);

/**
 * Up to `room` frames that are known by now, all after rv_pitch_finish(). A Viterbi path is known
 * up to where all of its continuations meet; it is cut where they have not met for 4096 frames.
 *
 * @param[out] f0          Hz in every frame, voiced or not
 * @param[out] periodicity the network's output for the bin, 0 to 1; may be NULL
 */
RV_API size_t rv_pitch_pull(rv_pitch *p, float *f0, float *periodicity, size_t room);

/* Contours [n], as torchcrepe's filters and thresholds; NaN is left out of means and medians.
 * Results may not overlap what they are made of, but for thresholds, which work in place. */

/** Mean of the `width` (odd) values around each; NaN where there is none. */
RV_API void rv_pitch_mean(float *y, const float *x, size_t n, size_t width);

/** Median of the `width` (odd) values around each that lie in the contour, the lower middle one of
 *  an even number; NaN where there is none. */
RV_API RV_NODISCARD rv_status rv_pitch_median(float *y, const float *x, size_t n, size_t width,
                                              rv_error *err);

/** f0 becomes NaN where the periodicity is below `least`. */
RV_API void rv_pitch_at(float *f0, const float *periodicity, size_t n, double least);

/** Fill with rv_pitch_hysteresis_defaults() first. */
typedef struct rv_pitch_hysteresis_options {
    double lower; /**< least periodicity of a voiced frame (default 0.19) */
    double upper; /**< and of one frame at least in each stretch of them (default 0.31) */
    double width; /**< growth of the former with the distance from the mean pitch (default 0.2) */
    double deviations; /**< beyond so many standard deviations of log f0 (default 1.7) */
} rv_pitch_hysteresis_options;
RV_API void rv_pitch_hysteresis_defaults(rv_pitch_hysteresis_options *options);

/** f0 becomes NaN where the periodicity is too low, see the options (NULL: defaults). */
RV_API RV_NODISCARD rv_status rv_pitch_hysteresis(float *f0, const float *periodicity, size_t n,
                                                  const rv_pitch_hysteresis_options *options,
                                                  rv_error *err);

/** Periodicity becomes 0 where the A-weighted loudness of audio at 16 kHz, frames centred `hop`
 *  samples apart, is below `least` dB (torchcrepe: -60). Loudness is relative to the loudest
 *  moment, so that all samples must be there. */
RV_API RV_NODISCARD rv_status rv_pitch_silence(float *periodicity, size_t n, const float *audio,
                                               size_t samples, size_t hop, double least,
                                               rv_error *err);

/** How the contour of a whole recording is made with CREPE: of the frames' pitch and periodicity
 *  the latter is filtered by a median, set to 0 in silence, f0 is removed where it is low, and what
 *  is left is filtered by a mean, in this order as torchcrepe's users do it. Fill with
 *  rv_crepe_defaults() first. */
typedef struct rv_crepe_options {
    const char *model;        /**< see rv_pitch_open() (default NULL) */
    rv_pitch_path path;       /**< (default RV_PITCH_VITERBI) */
    rv_pitch_average average; /**< (default RV_PITCH_LOCAL) */
    int median;               /**< frames, odd; 1: as it is (default 1) */
    int mean;                 /**< frames, odd; 1: as it is (default 1) */
    double silence;           /**< dB, see rv_pitch_silence(); -INFINITY: not so (default). Needs
                                   frames that are centred, a whole number of samples apart at 16
                                   kHz */
    double threshold;         /**< least periodicity of a voiced frame (default 0.21) */
    int hysteresis;           /**< 1: rv_pitch_hysteresis() rather than the threshold (default 0) */
    int threads;              /**< 0: one for each core (default 0) */
    uint32_t reserved[8];
} rv_crepe_options;

RV_API void rv_crepe_defaults(rv_crepe_options *options);

RV_END_DECLS

#endif /* RV_PITCH_H */
