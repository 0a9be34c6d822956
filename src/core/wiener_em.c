/* wiener_em.c - see wiener_em.h; the formula is in core/ops/wiener.c. */
#include "core/wiener_em.h"

#include "core/ops/wiener_filter.h"

_Static_assert((int)MOST_STEMS == RV_WIENER_STEMS && (int)MOST_AUDIO == RV_WIENER_AUDIO,
               "of the filter");

void rv_wiener_improve(real *y, const real *x, rv_wiener_size size, size_t iterations)
{
    const job j = { .mix = x,
                    .frames = size.frames,
                    .bins = 1,
                    .audio = size.audio,
                    .given = size.stems,
                    .stems = size.stems,
                    .scale = 1,
                    .zeros = true };
    for (size_t i = 0; i < iterations; i++)
        iterate(&j, 0, y, y);
}
