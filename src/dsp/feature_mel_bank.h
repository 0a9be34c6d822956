/* feature_mel_bank.h - triangular filters on a mel scale.
 *
 *     slaney      mel = 3 f / 200 below 1 kHz, 15 + 27 ln(f / 1000) / ln 6.4 above (M. Slaney,
 *                 Auditory Toolbox, 1998)
 *     htk         mel = 2595 log10(1 + f / 700)
 *
 * bands + 2 edges equally far apart in mel; band b rises from edge b to b + 1 and falls to b + 2,
 * linearly in Hz and with area 1 as in librosa, or linearly in mel and with height 1 as in
 * TensorFlow. */
#ifndef DSP_FEATURE_MEL_BANK_H
#define DSP_FEATURE_MEL_BANK_H

#include "ravel/features.h"

typedef struct rv_mel_bank {
    size_t bands, bins;
    size_t *first, *count; /* [bands]: the bins of a band */
    float *weight;         /* [bands, bins]; those of band b from 0 to count[b] */
} rv_mel_bank;

/* From zeros; after a failure rv_mel_bank_fini() is still due. */
RV_NODISCARD rv_status rv_mel_bank_init(rv_mel_bank *m, const rv_feature_spec *spec, rv_error *err);
void rv_mel_bank_fini(rv_mel_bank *m);

/* power [bins] -> out [bands]: of the powers or (spec->power 1) their square roots, which takes the
 * place of power, and in logarithms. */
void rv_mel_bank_measure(const rv_mel_bank *m, const rv_feature_spec *spec, float *power,
                         double *out);

#endif
