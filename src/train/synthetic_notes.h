/* synthetic_notes.h - see synthetic_notes.c */
#ifndef TRAIN_SYNTHETIC_NOTES_H
#define TRAIN_SYNTHETIC_NOTES_H

#include <stddef.h>
#include <stdint.h>

typedef struct rv_notes_config {
    size_t frames, n_harmonic, bands;
    double sample_rate;
    double note_min, note_max;     /* MIDI notes of the fundamental */
    size_t shortest, longest;      /* frames of a note */
    double silent, vibrato, glide; /* probabilities for a note */
    double fall;                   /* dB an octave that harmonics fall at most, beyond formants */
    double few;                    /* probability of a note that is only its first harmonics */
    double quiet;                  /* dB that an example is quieter at most */
    uint64_t seed;
} rv_notes_config;

/* MIDI notes 24 to 84, 5 to 25 frames of 125, 100 harmonics, 65 bands, 16 kHz; one of ten silent,
 * half with vibrato, a fifth gliding; spectra do not fall, nothing is quieter; seed 0. */
rv_notes_config rv_notes_defaults(void);

/* Controls of one example, ready for synthesis: amplitude [F], distribution [F,K] (adds up to 1,
 * nothing from half the sample rate on), f0 [F] in Hz, magnitudes of noise [F,bands]. A function of
 * the configuration and `index`. */
void rv_notes_fill(const rv_notes_config *c, uint64_t index, float *amplitude, float *distribution,
                   float *f0, float *magnitudes);

#endif
