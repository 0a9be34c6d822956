/* data_streams.h - streams of random numbers (base/rng.h) that training data draw from.
 *
 * One for each kind of choice, so that switching one on leaves the others as they were. */
#ifndef TRAIN_DATA_STREAMS_H
#define TRAIN_DATA_STREAMS_H

#include <stdint.h>

#define RV_DATA_STREAM(kind) (UINT64_C(0x64617461) << 32 | (uint64_t)(kind))

enum {
    DATA_ORDER,   /* permutation of an epoch's examples */
    DATA_SHIFT,   /* offset of a stem */
    DATA_SWAP,    /* left and right */
    DATA_SIGN,    /* times -1 */
    DATA_SCALED,  /* whether a batch has gains */
    DATA_GAIN,    /* gain of a stem */
    DATA_REMIXED, /* whether a batch is remixed */
    DATA_REMIX,   /* permutation of a stem in a group */
    DATA_SILENCE, /* whether a stem is silenced */
    DATA_REPITCH, /* whether an example changes pitch and tempo */
    DATA_PITCH,   /* by how many semitones */
    DATA_TEMPO,   /* by how many percent */
    DATA_BORROW,  /* whether a stem that a song lacks is another song's */
    DATA_LENDER,  /* which example lends it */
    DATA_EFFECTS, /* whether a stem gets effects */
    DATA_RETOUCH, /* which effects, and their values */
};

#endif
