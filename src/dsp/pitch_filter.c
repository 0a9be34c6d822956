/* pitch_filter.c - running mean and median of a pitch contour without its NaN, as torchcrepe's
 * filter.mean and filter.median. */
#include "base/status.h"
#include "ravel/pitch.h"

#include <math.h>
#include <stdlib.h>

/* Values around i, [first, end). */
static void window(size_t i, size_t n, size_t width, size_t *first, size_t *end)
{
    const size_t half = width / 2;
    *first = i > half ? i - half : 0;
    *end = half < n - i ? i + half + 1 : n;
}

void rv_pitch_mean(float *y, const float *x, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++) {
        size_t first, end, count = 0;
        double sum = 0;
        window(i, n, width, &first, &end);
        for (size_t k = first; k < end; k++)
            if (!isnan(x[k])) {
                sum += (double)x[k];
                count++;
            }
        y[i] = count ? (float)(sum / (double)count) : NAN;
    }
}

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

rv_status rv_pitch_median(float *y, const float *x, size_t n, size_t width, rv_error *err)
{
    float *sorted = malloc((n < width ? n : width) * sizeof *sorted + 1);
    if (!sorted)
        return RV_FAIL(err, RV_ERR_NOMEM, "a median of %zu values", width);
    for (size_t i = 0; i < n; i++) {
        size_t first, end, count = 0;
        window(i, n, width, &first, &end);
        for (size_t k = first; k < end; k++)
            if (!isnan(x[k]))
                sorted[count++] = x[k];
        qsort(sorted, count, sizeof *sorted, compare);
        y[i] = count ? sorted[(count - 1) / 2] : NAN;
    }
    free(sorted);
    return RV_OK;
}
