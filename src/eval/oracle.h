/* oracle.h - estimates by those who know the stems, and by those who do nothing:
 *
 *   mix, silence   every stem is the mixture, or 0
 *   ibm1, ibm2     ideal binary masks of magnitudes, of powers
 *   irm1, irm2     ideal ratio masks of magnitudes, of powers
 *   mwf            multichannel Wiener filter
 *
 * (eval/oracle_filter.h). Sources are the stems; "accompaniment" or "instrumental", where there are
 * other stems beside it and the vocals, is the sum of the estimates of all but the vocals. What the
 * mixture has beside the stems is one more source where its energy is above 1 % of the mixture's:
 * else a stem compared alone would be the mixture. */
#ifndef EVAL_ORACLE_H
#define EVAL_ORACLE_H

#include "eval/song_audio.h"

/* RV_ERR_ARG, with the names there are, for one that is none of them. */
RV_NODISCARD rv_status rv_oracle_find(int *oracle, const char *name, rv_error *err);
bool rv_oracle_wants_mixture(int oracle);

/* Fills a->estimates, which are 0. */
RV_NODISCARD rv_status rv_oracle_estimate(int oracle, const rv_song_audio *a,
                                          char *const *stem_names, int (*stop)(void *),
                                          void *stop_ctx, rv_error *err);

#endif
