/* effects.h - what a mixing engineer does to a stem: equaliser, compressor, distortion, chorus,
 * reverb, pan. A chain of them works in place on stereo blocks of any length; the result does not
 * depend on how the signal is cut. No allocation after rv_effects_new(). */
#ifndef DSP_EFFECTS_H
#define DSP_EFFECTS_H

#include "ravel/base.h"

/* Values and their ranges. Frequencies reach to 0.49 of the sample rate. A share is that of the
 * effect in the output, the rest is the signal as it came. */
typedef enum {
    RV_EFFECT_HIGHPASS,   /* from 10 Hz, Q 0.1 to 40 */
    RV_EFFECT_LOWPASS,    /* from 10 Hz, Q 0.1 to 40 */
    RV_EFFECT_LOW_SHELF,  /* from 10 Hz, Q 0.1 to 40, -60 to 60 dB */
    RV_EFFECT_HIGH_SHELF, /* from 10 Hz, Q 0.1 to 40, -60 to 60 dB */
    RV_EFFECT_PEAK,       /* from 10 Hz, Q 0.1 to 40, -60 to 60 dB */
    RV_EFFECT_COMPRESSOR, /* threshold -100 to 0 dB, ratio 1 to 1000, attack 0 to 1000 ms, release
                             0 to 10000 ms, make-up -60 to 60 dB */
    RV_EFFECT_DISTORTION, /* drive -20 to 60 dB, tone from 10 Hz (low-pass after it), share */
    RV_EFFECT_CHORUS,     /* rate 0.01 to 20 Hz, depth 0 to 20 ms, share */
    RV_EFFECT_REVERB,     /* 0.05 to 30 seconds to fall by 60 dB, damping from 100 Hz (where it
                             falls twice as fast), share */
    RV_EFFECT_PAN,        /* -1 left to 1 right, constant power; 0 changes nothing */
    RV_EFFECT_GAIN,       /* -120 to 60 dB */
    RV_EFFECT_N
} rv_effect_kind;

typedef struct rv_effect {
    rv_effect_kind kind;
    double value[5]; /* in the order above */
} rv_effect;

typedef struct rv_effects rv_effects;

/* A value out of its range is an error that names the effect, counted from 1, and the value. */
RV_NODISCARD rv_status rv_effects_new(rv_effects **out, const rv_effect *chain, size_t n,
                                      int sample_rate, rv_error *err);
void rv_effects_free(rv_effects *e);

/* The samples must be finite. */
void rv_effects_process(rv_effects *e, float *const stereo[2], size_t frames);

/* Frames by which the output is late (48 for each distortion): to align, go on with that many
 * zeros at the end and drop as many frames at the start. */
size_t rv_effects_latency(const rv_effects *e);

/* Integrated loudness in LUFS (ITU-R BS.1770-4, by libebur128); -HUGE_VAL for silence and for
 * less than the 0.4 s of one measurement. Five channels and more: in the order of libebur128. */
RV_NODISCARD rv_status rv_loudness_lufs(double *out, const float *const *planar, int channels,
                                        size_t frames, int sample_rate, rv_error *err);

#endif
