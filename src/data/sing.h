/* sing.h - a voice that sings a melody: syllables spoken by espeak-ng, put to pitch and length.
 *
 * As singers do, vowels begin at the notes' starts and consonants before them; notes less than 60
 * ms apart are sung on one breath and joined by a glide; long notes grow a vibrato. The program
 * espeak-ng is run once for each different syllable. */
#ifndef DATA_SING_H
#define DATA_SING_H

#include "ravel/base.h"

typedef struct rv_sung_note {
    double start, duration; /* seconds; notes are in the order of time and do not overlap */
    double pitch;           /* MIDI note number, 24 to 96, also between */
    double velocity;        /* 0 to 1 */
    const char *syllable;   /* UTF-8, of which letters, digits and apostrophes count; none of them,
                             * or NULL: the one before goes on (melisma) */
} rv_sung_note;

typedef struct rv_voice_options {
    uint64_t seed; /* vibrato, timing and breath differ with it; choice of what is not set below */
    const char *espeak_voice; /* "en-us+f3"; NULL: chosen by the seed */
    double formant_shift;     /* ratio, 0.8 (larger head) to 1.3; 0: chosen by the seed */
    double breath;            /* 0 to 1; negative: chosen by the seed */
    int doubles;              /* further voices sung along, 0 to 3, a little late and out of tune */
} rv_voice_options;

/* 1: the program espeak-ng was found. */
int rv_sing_available(void);

/* out[channel][0 .. frames) at sample_rate (8000 to 192000): two channels. One voice is in the
 * middle, so both are equal; doubles are at the sides. The peak is 0.5; what would be sung after
 * `frames` is left out. Equal bits for equal arguments; any number of threads may sing at a time.
 * RV_ERR_UNSUPPORTED: there is no espeak-ng; the message says what to install. */
RV_NODISCARD rv_status rv_sing(float *const out[2], size_t frames, int sample_rate,
                               const rv_sung_note *notes, size_t n, const rv_voice_options *opt,
                               rv_error *err);

#endif
