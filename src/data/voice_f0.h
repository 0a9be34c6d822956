/* voice_f0.h - fundamental frequency of clean speech. */
#ifndef DATA_VOICE_F0_H
#define DATA_VOICE_F0_H

#include "data/espeak.h"

/* What is found: 75 to 400 Hz. */
#define RV_VOICE_LOWEST  75.0
#define RV_VOICE_HIGHEST 400.0

/* f0[i] in Hz at i step seconds, i < count; 0 where the speech has no pitch. */
RV_NODISCARD rv_status rv_voice_f0(double *f0, size_t count, double step, const rv_speech *speech,
                                   rv_error *err);

#endif
