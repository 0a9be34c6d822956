/* sinusoids.h - rv_sinusoids() of frequencies in Hz at a sample rate, see sinusoids.c */
#ifndef CORE_OPS_SINUSOIDS_H
#define CORE_OPS_SINUSOIDS_H

#include "core/ops.h"

rv_node *rv_sinusoids_of(rv_node *hz, double rate, rv_node *amplitudes, size_t samples,
                         rv_upsample_mode mode);

#endif
