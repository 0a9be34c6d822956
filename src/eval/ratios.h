/* ratios.h - ratios of energies of a stem and its estimate over the whole track, in dB.
 *
 * Planes are [channels][frames]. NaN where the reference is silent. Sums in double.
 *
 *   SNR        10 log10(sum s^2 / sum (s - e)^2) over all channels; "plain SDR"
 *   SDR-MDX21  10 log10((sum s^2 + 1e-7) / (sum (s - e)^2 + 1e-7)): Mitsufuji et al. 2022, "Music
 *              Demixing Challenge 2021"
 *   SI-SDR     Le Roux et al. 2019, "SDR - half-baked or well done?", with means taken away and the
 *              guards of asteroid (SingleSrcNegSDR) and auraloss (SISDRLoss), for each channel;
 *              their mean, over the channels in which the reference is not silent:
 *              t = s (<e,s> / (<s,s> + 1e-8)),
 *              10 log10(sum t^2 / (sum (e - t)^2 + 1e-8) + 1e-8)
 *   SDR-MCTN   as the report on MCTN + DDSP (Skverer & Zukier 2020) has it, to compare with its
 *              numbers alone: of the means over the channels, with a projection that lacks one
 *              division by |s| and norms instead of energies,
 *              t = s <e,s> / |s|,  10 log10(|t| / |e - t|)
 *              It is no SDR: it depends on the level of the stem. What was meant is SI-SDR. */
#ifndef EVAL_RATIOS_H
#define EVAL_RATIOS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct rv_stem_pair {
    const float *const *reference, *const *estimate; /* [channels][frames] */
    size_t channels, frames;
} rv_stem_pair;

double rv_snr(const rv_stem_pair *p);
double rv_sdr_mdx21(const rv_stem_pair *p);
double rv_si_sdr(const rv_stem_pair *p);
double rv_sdr_mctn(const rv_stem_pair *p);

/* Whether all samples are 0. */
bool rv_is_silent(const float *const *planes, size_t channels, size_t frames);

#endif
