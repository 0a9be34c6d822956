/* wiener_em.h - the Wiener filter of core/ops/wiener.c on plain arrays, for estimates that are
 * there already, one frequency at a time. */
#ifndef CORE_WIENER_EM_H
#define CORE_WIENER_EM_H

#include "core/graph.h"

enum { RV_WIENER_STEMS = 17, RV_WIENER_AUDIO = 2 }; /* most stems, most channels */

typedef struct rv_wiener_size {
    size_t frames, stems, audio;
} rv_wiener_size;

/* One iteration of expectation maximisation after the other, in place:
 * estimates y [frames,stems,audio,2] of the stems, mix x [frames,audio,2]. */
void rv_wiener_improve(real *y, const real *x, rv_wiener_size size, size_t iterations);

#endif
