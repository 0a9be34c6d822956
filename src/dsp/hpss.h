/* hpss.h - harmonic and percussive parts of a magnitude spectrogram by median filters.
 *
 * Fitzgerald 2010, "Harmonic/percussive separation using median filtering" (DAFx-10): a
 * steady tone is a horizontal ridge, a stroke a vertical one. A median along time keeps the
 * first and removes the second, a median along frequency does the reverse:
 *     H[t,k] = median over |d| <= r of V[t+d,k],   P[t,k] = median over |d| <= s of V[t,k+d] */
#ifndef DSP_HPSS_H
#define DSP_HPSS_H

#include <stddef.h>

/* Bytes of scratch for the call below, aligned as for float. */
size_t rv_hpss_scratch(size_t frames, size_t width);

/* H for bins first .. end of v [frames][bins] -> h [frames][bins]; width: odd, frames. */
void rv_hpss_harmonic(float *h, const float *v, size_t frames, size_t bins, size_t first,
                      size_t end, size_t width, void *scratch);

/* Share of the percussive part in each bin of one frame, a soft mask in [0, 1):
 *     share = (bias P)^2 / (H^2 + (bias P)^2)
 * bias is what Driedger, Mueller & Disch 2014 (ISMIR) call the inverse of the separation
 * factor: above 1 it favours strokes. share may be h. All [bins]. */
void rv_hpss_share(float *share, const float *h, const float *p, const float *bias, size_t bins);

#endif
