/* mono.h - what figures of one voice look at: the mean of the channels. */
#ifndef EVAL_MONO_H
#define EVAL_MONO_H

#include <stddef.h>

/* x [count]: frames from .. from + count of the mean of planes [channels]. */
static inline void rv_mono(float *x, const float *const *planes, size_t channels, size_t from,
                           size_t count)
{
    for (size_t t = 0; t < count; t++) {
        double sum = 0;
        for (size_t c = 0; c < channels; c++)
            sum += (double)planes[c][from + t];
        x[t] = (float)(sum / (double)channels);
    }
}

#endif
