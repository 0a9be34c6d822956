/* frame_powers.h - powers of the spectra of a stem and its estimate, frame by frame, so that a
 * track of any length takes the memory of two frames. */
#ifndef EVAL_FRAME_POWERS_H
#define EVAL_FRAME_POWERS_H

#include "dsp/fft_double.h"

#include <stdbool.h>

typedef struct rv_frame_size {
    size_t n_fft, hop, window; /* samples; periodic Hann window in the middle of the frame */
    bool centred; /* frame f is centred at f hop, the ends reflected, as torch.stft; else it begins
                     there, zeros follow the end, as tf.signal.stft with pad_end */
} rv_frame_size;

typedef struct rv_frame_powers {
    rv_frame_size size;
    rv_fft_double *fft;
    double *window;               /* [n_fft] */
    double *rows;                 /* [2][row] */
    double *reference, *estimate; /* [n_fft/2+1] of the frame that was made last */
} rv_frame_powers;

RV_NODISCARD rv_status rv_frame_powers_open(rv_frame_powers *p, const rv_frame_size *size,
                                            rv_error *err);
void rv_frame_powers_close(rv_frame_powers *p);

/* Frames of so many samples; 0 where there are too few to be reflected. */
size_t rv_frame_powers_count(const rv_frame_powers *p, size_t samples);
size_t rv_frame_powers_bins(const rv_frame_powers *p);

/* Make a frame of s and e [samples]. */
void rv_frame_powers_make(rv_frame_powers *p, const float *s, const float *e, size_t samples,
                          size_t frame);

#endif
