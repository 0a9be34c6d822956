/* f0_notes.h - a pitch curve as notes, and these as MIDI.
 *
 * A note lasts while the pitch is voiced and stays within 0.7 semitones of the note's mean so far;
 * excursions and gaps below 50 ms belong to it, and what is shorter than 50 ms is no note. */
#ifndef DATA_F0_NOTES_H
#define DATA_F0_NOTES_H

#include "ravel/base.h"

typedef struct rv_f0_curve {
    const float *hz;    /* [n]; 0: unvoiced */
    const float *level; /* [n]: RMS of the samples, for velocities; or NULL */
    size_t n;
    double frame_rate;
} rv_f0_curve;

typedef struct rv_f0_note {
    size_t begin, end; /* frames */
    int key;           /* MIDI's number of the mean pitch, 0 to 127 */
    int velocity;      /* 1 to 127: -54 dB to 0 dB of the loudest frame; 96 without levels */
} rv_f0_note;

/* *out [*n]; free() it. */
RV_NODISCARD rv_status rv_f0_notes(rv_f0_note **out, size_t *n, const rv_f0_curve *curve,
                                   rv_error *err);

/* One track at 960 ticks a second; the curve itself as pitch bends of +-2 semitones, a cent fine.
 */
RV_NODISCARD rv_status rv_f0_midi(const rv_f0_curve *curve, const rv_f0_note *notes, size_t n,
                                  const char *path, rv_error *err);

#endif
