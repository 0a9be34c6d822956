/* spectral_pitch.h - see spectral_pitch.c */
#ifndef DSP_SPECTRAL_PITCH_H
#define DSP_SPECTRAL_PITCH_H

#include "base/arena.h"
#include "ravel/base.h"

typedef struct rv_spectral_pitch rv_spectral_pitch;

/* size: samples of the frames, even */
RV_NODISCARD rv_status rv_spectral_pitch_new(rv_spectral_pitch **out, size_t size,
                                             const rv_alloc *mem, rv_error *err);
void rv_spectral_pitch_free(rv_spectral_pitch *p);

/* Floats of scratch, aligned to RV_FFT_ALIGN bytes, for each thread. */
size_t rv_spectral_pitch_scratch(const rv_spectral_pitch *p);

typedef struct rv_pitch_range {
    size_t shortest, longest; /* period in samples: from 2, below size / 2 - 1 */
} rv_pitch_range;

/* power [size/2+1] under a Hann window -> period in samples, 0 if there is none; *clarity: 1 for a
 * periodic frame, about 0 for noise. */
double rv_spectral_pitch_period(const rv_spectral_pitch *p, const float *power,
                                rv_pitch_range range, float *scratch, double *clarity);

#endif
