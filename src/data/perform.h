/* perform.h - a song played otherwise: faster or slower, higher or lower, softer, by others. */
#ifndef DATA_PERFORM_H
#define DATA_PERFORM_H

#include "io/midi_file.h"

typedef struct rv_performance {
    int transposition; /* semitones; not of the drums. Notes stay within 0 to 127, by octaves */
    double tempo;      /* ratio, above 0 */
    double velocity;   /* ratio; 1 to 127 are the bounds */
    double vary;       /* probability that another program of its kind plays for one of a channel */
    uint64_t seed;     /* of that */
} rv_performance;

RV_NODISCARD rv_status rv_perform(rv_midi **out, const rv_midi *m, const rv_performance *p,
                                  rv_error *err);

#endif
