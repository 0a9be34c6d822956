/* effects.h - what a mixing engineer does to a stem: equaliser, compressor, distortion, chorus,
 * reverb, pan. A chain of them works in place on stereo blocks of any length; the result does not
 * depend on how the signal is cut. No allocation after rv_effects_new(). */
#ifndef DSP_EFFECTS_H
#define DSP_EFFECTS_H

#include "ravel/base.h"

typedef enum {
    RV_EFFECT_HIGHPASS,   /* Hz, Q */
    RV_EFFECT_LOWPASS,    /* Hz, Q */
    RV_EFFECT_LOW_SHELF,  /* Hz, Q, dB */
    RV_EFFECT_HIGH_SHELF, /* Hz, Q, dB */
    RV_EFFECT_PEAK,       /* Hz, Q, dB */
    RV_EFFECT_COMPRESSOR, /* threshold dB, ratio, attack ms, release ms, make-up dB */
    RV_EFFECT_DISTORTION, /* drive dB, tone Hz (low-pass after it), share of the output 0 to 1 */
    RV_EFFECT_CHORUS,     /* rate Hz, depth ms, share 0 to 1 */
    RV_EFFECT_REVERB,     /* seconds to fall by 60 dB, damping Hz, share 0 to 1 */
    RV_EFFECT_PAN,        /* -1 left to 1 right, constant power */
    RV_EFFECT_GAIN,       /* dB */
    RV_EFFECT_N
} rv_effect_kind;

typedef struct rv_effect {
    rv_effect_kind kind;
    double value[5]; /* in the order above */
} rv_effect;

typedef struct rv_effects rv_effects;

RV_NODISCARD rv_status rv_effects_new(rv_effects **out, const rv_effect *chain, size_t n,
                                      int sample_rate, rv_error *err);
void rv_effects_free(rv_effects *e);
void rv_effects_process(rv_effects *e, float *const stereo[2], size_t frames);

/* Integrated loudness in LUFS (ITU-R BS.1770-4, by libebur128); -HUGE_VAL for silence. */
RV_NODISCARD rv_status rv_loudness_lufs(double *out, const float *const *planar, int channels,
                                        size_t frames, int sample_rate, rv_error *err);

#endif
