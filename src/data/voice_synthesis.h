/* voice_synthesis.h - from controls to sound. */
#ifndef DATA_VOICE_SYNTHESIS_H
#define DATA_VOICE_SYNTHESIS_H

#include "data/voice_score.h"

/* out[frames] is overwritten. n_control: up to the last that is needed,
 * frames / rate / RV_VOICE_STEP + 2. */
RV_NODISCARD rv_status rv_voice_synthesise(float *out, size_t frames, int rate,
                                           const rv_voice_control *control, size_t n_control,
                                           const rv_voice_take *take, rv_error *err);

#endif
