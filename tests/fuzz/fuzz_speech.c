/* fuzz_speech.c - any bytes as what espeak-ng prints: refused, or analysed to finite numbers. */
#include "data/voice_analysis.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rv_error err;
    rv_speech speech;
    rv_voice_sound sound;
    if (size > 20000 || rv_espeak_decode(&speech, data, size, &err) != RV_OK)
        return 0;
    if (rv_voice_analyse(&sound, &speech, &err) != RV_OK)
        abort();
    if (!sound.count || sound.core_begin > sound.core_end || sound.core_end > sound.count)
        abort();
    for (size_t i = 0; i < sound.count * sound.bins; i++)
        if (!isfinite(sound.envelope[i]))
            abort();
    rv_voice_sound_free(&sound);
    free(speech.samples);
    return 0;
}
