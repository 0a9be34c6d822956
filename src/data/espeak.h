/* espeak.h - one syllable, spoken by the program espeak-ng. */
#ifndef DATA_ESPEAK_H
#define DATA_ESPEAK_H

#include "ravel/base.h"

#include <stdbool.h>

typedef struct rv_speech {
    float *samples; /* [count], mono, to be freed with free() */
    size_t count;
    int rate; /* Hz */
} rv_speech;

bool rv_espeak_found(void);

/* What of a lyric is spoken: letters, digits and apostrophes, in lower case (capitals would be
 * spelled). Writes at most `room` bytes with the zero; "" if nothing is left. */
void rv_espeak_clean(char *out, size_t room, const char *lyric);

/* `text` as rv_espeak_clean() makes it, in a level voice: the pitch stays where it is. The same
 * samples every time. */
RV_NODISCARD rv_status rv_espeak_speak(rv_speech *out, const char *voice, const char *text,
                                       rv_error *err);

/* A WAV stream as espeak-ng writes it to a pipe: a header of 44 bytes whose lengths are not known,
 * then 16 bit mono samples to the end. */
RV_NODISCARD rv_status rv_espeak_decode(rv_speech *out, const unsigned char *wav, size_t size,
                                        rv_error *err);

#endif
