/* bands.c - cut a spectrum into bands, and put bands together.
 *
 * Bark after S. Wang, A. Sekey and A. Gersho, "An objective measure for predicting subjective
 * quality of speech coders", IEEE J. Sel. Areas Commun. 10(5), 1992: Hz = 600 sinh(Bark / 6). */
#include "models/bands.h"

#include <math.h>

static size_t at_least(size_t x, size_t least)
{
    return x > least ? x : least;
}

bands bands_by_bark(size_t n, size_t bins, double rate)
{
    bands b = { .n = n };
    const double bark = 6 * asinh(rate / 2 / 600), bin = rate / 2 / (double)(bins - 1);
    for (size_t i = 1; i < n; i++) {
        const double hz = 600 * sinh(bark * (double)i / (double)n / 6);
        b.edge[i] = at_least((size_t)llround(hz / bin), b.edge[i - 1] + 1);
    }
    b.edge[n] = bins;
    for (size_t i = n; i-- > 1;) /* room for those above */
        b.edge[i] = b.edge[i] < b.edge[i + 1] ? b.edge[i] : b.edge[i + 1] - 1;
    return b;
}

rv_node *bands_take(const bands *b, rv_node *x, size_t i)
{
    return rv_slice(x, 2, b->edge[i], b->edge[i + 1] - b->edge[i]);
}

rv_node *bands_concat(int axis, size_t n, rv_node *const *x)
{
    rv_node *parts[(BANDS_MOST + RV_MAX_IN - 1) / RV_MAX_IN];
    size_t n_parts = 0;
    if (n <= RV_MAX_IN)
        return rv_concat(axis, n, x);
    for (size_t i = 0; i < n; i += RV_MAX_IN)
        parts[n_parts++] = rv_concat(axis, n - i < RV_MAX_IN ? n - i : RV_MAX_IN, x + i);
    return bands_concat(axis, n_parts, parts);
}

bands bands_by_steps(const bands_step *steps, size_t bins, double rate)
{
    bands b = { .n = 0 };
    const double bin = rate / 2 / (double)(bins - 1);
    double hz = 0;
    for (; steps->until > 0; steps++)
        while (hz < steps->until && b.n + 1 < BANDS_MOST) {
            hz += steps->width;
            const double below = ceil(hz / bin - 1e-9); /* bins below that frequency */
            if (below > (double)b.edge[b.n] && below < (double)bins)
                b.edge[++b.n] = (size_t)below;
        }
    b.edge[++b.n] = bins;
    return b;
}
