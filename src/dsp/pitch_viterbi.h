/* pitch_viterbi.h - see pitch_viterbi.c */
#ifndef DSP_PITCH_VITERBI_H
#define DSP_PITCH_VITERBI_H

#include "ravel/base.h"

#include <stdbool.h>

enum { RV_PITCH_BINS = 360, RV_VITERBI_FRAMES = 4096 /* undecided at most */ };

typedef struct rv_pitch_viterbi rv_pitch_viterbi;

/* jumps: the path may leap by 12 bins and more, at a high price. */
RV_NODISCARD rv_status rv_pitch_viterbi_new(rv_pitch_viterbi **out, bool jumps, rv_error *err);
void rv_pitch_viterbi_free(rv_pitch_viterbi *v);

/* Take the natural logarithms of a frame's probabilities [RV_PITCH_BINS]. There must be fewer than
 * RV_VITERBI_FRAMES undecided frames. */
void rv_pitch_viterbi_push(rv_pitch_viterbi *v, const double *log_probability);

/* The bins of the frames that are decided by now, from the first undecided one on; returns how
 * many. Where RV_VITERBI_FRAMES are undecided, half of them are decided; at the end, all. */
size_t rv_pitch_viterbi_decide(rv_pitch_viterbi *v, unsigned short *bins, bool at_end);

#endif
