/* check_findings.h - a growing list of findings, and what makes the numbers of a song findings. */
#ifndef DATA_CHECK_FINDINGS_H
#define DATA_CHECK_FINDINGS_H

#include "data/check_align.h"
#include "data/track_list.h"
#include "ravel/dataset.h"

typedef struct rv_findings {
    rv_check_finding *at; /* [n] stem and text are the list's, track is not */
    size_t n;
} rv_findings;

/* Severity, code, stem and value are those of `as`, its stem is copied; the text is printed. */
RV_PRINTF(4, 5)
rv_status rv_findings_add(rv_findings *f, const rv_check_finding *as, rv_error *err,
                          const char *fmt, ...);
void rv_findings_free(rv_findings *f);

/* Clipping, silence, offset and NaN of each stem and the mixture; the sum of the stems. */
RV_NODISCARD rv_status rv_find_in_track(rv_findings *f, const rv_check_track *t, size_t n_stems,
                                        const rv_check_options *opt, rv_error *err);

/* A stem that lies elsewhere, or upside down, in the mixture. */
RV_NODISCARD rv_status rv_find_shift(rv_findings *f, const rv_check_audio *stem,
                                     const rv_alignment *found, rv_error *err);

/* Audio that is in two songs, or twice in one. findings: [n] lists, of the songs. */
RV_NODISCARD rv_status rv_find_duplicates(rv_findings *findings, const rv_check_track *tracks,
                                          size_t n, size_t n_stems, rv_error *err);

/* Songs unlike most others: their rate, and that there is no mixture. */
RV_NODISCARD rv_status rv_find_odd_tracks(rv_findings *findings, const rv_check_track *tracks,
                                          size_t n, size_t n_stems, rv_error *err);

#endif
