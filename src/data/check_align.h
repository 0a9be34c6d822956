/* check_align.h - by how many samples a mixture holds a stem later than the stem's file does.
 *
 * Smoothed coherence transform (G. C. Carter, A. H. Nuttall, P. G. Cable 1973, "The smoothed
 * coherence transform"): cross spectra and power spectra are summed over windows, and
 *
 *     r = F^-1 [ sum conj(S) M / sqrt(sum |S|^2  sum |M|^2) ]
 *
 * has a peak at the shift, as sharp as that of white noise: music's own periods are levelled out.
 */
#ifndef DATA_CHECK_ALIGN_H
#define DATA_CHECK_ALIGN_H

#include "ravel/base.h"

#include <stdbool.h>

/* Frames of a window, and the largest shift that is looked for. */
enum { RV_ALIGN_WINDOW = 1 << 17, RV_ALIGN_MOST = RV_ALIGN_WINDOW / 4 };

typedef struct rv_align rv_align;

typedef struct rv_alignment {
    bool found;      /* a peak stands out */
    int lag;         /* x[t - lag] lies in y[t] */
    double peak;     /* r there, signed */
    double in_place; /* |r| at lag 0 */
} rv_alignment;

RV_NODISCARD rv_status rv_align_new(rv_align **out, rv_error *err);
void rv_align_free(rv_align *a);

void rv_align_begin(rv_align *a); /* forget the windows */
/* x and y [n], n <= RV_ALIGN_WINDOW */
void rv_align_add(rv_align *a, const float *x, const float *y, size_t n);
rv_alignment rv_align_result(rv_align *a);

#endif
