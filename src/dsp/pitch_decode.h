/* pitch_decode.h - see pitch_decode.c */
#ifndef DSP_PITCH_DECODE_H
#define DSP_PITCH_DECODE_H

#include "dsp/pitch_viterbi.h"
#include "ravel/pitch.h"

typedef struct rv_pitch_decoder rv_pitch_decoder;

/* Pitches below `low` and above `high` Hz are left out. */
RV_NODISCARD rv_status rv_pitch_decoder_new(rv_pitch_decoder **out, rv_pitch_path path,
                                            rv_pitch_average average, double low, double high,
                                            rv_error *err);
void rv_pitch_decoder_free(rv_pitch_decoder *d);

/* Take frames of activations [n, RV_PITCH_BINS], 0 to 1. */
RV_NODISCARD rv_status rv_pitch_decoder_push(rv_pitch_decoder *d, const float *activation, size_t n,
                                             rv_error *err);
RV_NODISCARD rv_status rv_pitch_decoder_finish(rv_pitch_decoder *d, rv_error *err);

/* See rv_pitch_pull(). */
size_t rv_pitch_decoder_pull(rv_pitch_decoder *d, float *f0, float *periodicity, size_t room);

/* Hz of a place among the bins, which need not be whole. */
double rv_pitch_hertz(double bin);

#endif
