/* repet_sim.h - the repeating background of a magnitude spectrogram.
 *
 * Rafii & Pardo 2012, "Music/voice separation using the similarity matrix" (ISMIR): the
 * accompaniment plays a frame's chord or beat again and again, the voice does not. For each
 * frame the most similar frames are found (cosine of the magnitudes), and the median over
 * them, bin by bin, is the background. Only the rows of the similarity matrix that are in
 * work exist; what is compared are magnitudes pooled over neighbouring bins, which cost
 * an eighth and measured no worse. */
#ifndef DSP_REPET_SIM_H
#define DSP_REPET_SIM_H

#include <stddef.h>
#include <stdint.h>

enum {
    RV_REPET_MOST = 101, /* most frames of one median */
    RV_REPET_LEAST = 5,  /* fewer similar frames than this say nothing */
    RV_REPET_LANES = 64, /* bins that are sorted side by side, as vectors */
};

/* Bands of a frame's features. */
size_t rv_repet_bands(size_t bins);

/* Features of frame t as a column: v [bins] -> features[band * frames + t], of length 1, or
 * 0 in silence. */
void rv_repet_features(float *features, const float *v, size_t bins, size_t frames, size_t t);

/* Cosines of frames first .. first + count with all: features [bands][frames] ->
 * similarity [count][frames] */
void rv_repet_similarity(float *similarity, const float *features, size_t bands, size_t frames,
                         size_t first, size_t count);

/* Choose up to RV_REPET_MOST frames, the most similar first, each further than `gap` frames
 * from the others. Overwrites similarity [frames]. Returns how many, an odd number or 0. */
size_t rv_repet_choose(uint32_t *chosen, float *similarity, size_t frames, size_t gap);

/* Median over the chosen frames of v [frames][bins] -> background[k] for first <= k < end; 0 if
 * they are fewer than RV_REPET_LEAST. scratch: RV_REPET_MOST * RV_REPET_LANES floats. */
void rv_repet_background(float *background, const float *v, size_t bins, size_t first, size_t end,
                         const uint32_t *chosen, size_t count, float *scratch);

#endif
