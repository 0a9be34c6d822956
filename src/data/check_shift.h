/* check_shift.h - where in a song to look for shifts of a stem, and looking there. */
#ifndef DATA_CHECK_SHIFT_H
#define DATA_CHECK_SHIFT_H

#include "data/check_input.h"

enum { RV_PARTS = 8 };

typedef struct rv_check_part {
    uint64_t start; /* frame */
    double score;
} rv_check_part;

/* Of parts of RV_ALIGN_WINDOW frames, those with the largest energy(stem)^2 / energy(mixture):
 * where the stem is loud, and little else. */
typedef struct rv_check_parts {
    rv_check_part at[RV_PARTS]; /* [n] */
    size_t n;
    double stem, mix; /* energies so far */
} rv_check_parts;

/* Start from zeros. The energies are those from the song's start to the end of the part. */
void rv_check_parts_add(rv_check_parts *p, uint64_t start, double stem, double mix);

/* Reads these parts of both. A file that cannot be read again is as if nothing was found. */
RV_NODISCARD rv_status rv_check_shift(rv_alignment *out, rv_align *align, rv_check_input *stem,
                                      rv_check_input *mix, rv_check_parts *parts, rv_error *err);

#endif
