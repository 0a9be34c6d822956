/* demucs_signal.h - see demucs_signal.c */
#ifndef MODELS_DEMUCS_SIGNAL_H
#define MODELS_DEMUCS_SIGNAL_H

#include "core/ops.h"

/* Mean and standard deviation of a signal, both [1]. */
typedef struct demucs_level {
    rv_node *mean, *deviation;
} demucs_level;

/* Over all elements of x; the deviation divides by their number less one. */
demucs_level demucs_measure(rv_node *x);
rv_node *demucs_normalise(rv_node *x, const demucs_level *l); /* (x - mean) / (deviation + 1e-5) */
rv_node *demucs_restore(rv_node *x, const demucs_level *l);   /* x deviation + mean */

/* x [1,T,C] -> [1,T,1], the mean of the channels */
rv_node *demucs_mono(rv_node *x);

/* x [1,T,C] -> [1,2T,C], and [1,T,C] -> [1,floor(T/2),C] */
rv_node *demucs_double_rate(rv_node *x);
rv_node *demucs_halve_rate(rv_node *x);

/* x [1,T,C] -> [1,length,C], cut at both ends or padded there with zeros. Of an odd
 * difference the larger half lies at the end. */
rv_node *demucs_centre(rv_node *x, size_t length);

#endif
