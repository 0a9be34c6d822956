/* harmonic_comb.h - what a harmonic sound looks like in magnitudes under a Hann window: one lobe
 * for each harmonic. Places and distances are in bins. */
#ifndef DSP_HARMONIC_COMB_H
#define DSP_HARMONIC_COMB_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the lobe around `centre` lies within the bins. */
bool rv_comb_fits(size_t bins, double centre);

/* Height of the lobe that is nearest to magnitude [bins], in the least squares; centre must fit. */
float rv_comb_height(const float *magnitude, double centre);

/* Add a lobe. */
void rv_comb_add(float *magnitude, double centre, float height);

#endif
