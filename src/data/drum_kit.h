/* drum_kit.h - Hydrogen drum kits: drumkit.xml and the samples beside it. */
#ifndef DATA_DRUM_KIT_H
#define DATA_DRUM_KIT_H

#include "ravel/base.h"

typedef struct rv_drum_hit {
    double start;    /* seconds */
    int note;        /* General MIDI percussion, 27 to 87 */
    double velocity; /* 0 to 1 */
} rv_drum_hit;

typedef struct rv_drum_kit rv_drum_kit;

/* A folder with drumkit.xml. Errors name the file and where in it. Samples are read at once. */
RV_NODISCARD rv_status rv_drum_kit_open(rv_drum_kit **out, const char *folder, rv_error *err);
void rv_drum_kit_free(rv_drum_kit *k);
const char *rv_drum_kit_name(const rv_drum_kit *k);
const char *rv_drum_kit_license(const rv_drum_kit *k); /* as the kit says, "" if it does not */

/* Adds the hits to out[2][0 .. frames) at sample_rate. Notes that the kit lacks are played by the
 * nearest piece that it has (toms for toms, a cymbal for a cymbal), or left out and counted. */
RV_NODISCARD rv_status rv_drum_kit_play(const rv_drum_kit *k, float *const out[2], size_t frames,
                                        int sample_rate, const rv_drum_hit *hits, size_t n,
                                        size_t *left_out, rv_error *err);

#endif
