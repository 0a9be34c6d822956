/* window.c - computed in double, so that overlapping copies add up to float rounding. */
#include "dsp/window.h"

#include <math.h>

void rv_window_hann(float *w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        w[i] = (float)(0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)n));
}
