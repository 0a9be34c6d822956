/* voice_score.h - notes and syllables become what the voice does every 5 ms. */
#ifndef DATA_VOICE_SCORE_H
#define DATA_VOICE_SCORE_H

#include "data/sing.h"
#include "data/voice_analysis.h"

/* One singer's manner, in one take. */
typedef struct rv_voice_take {
    uint64_t seed;
    double detune;                      /* cents */
    double breath;                      /* 0 to 1 */
    double formant;                     /* ratio */
    double vibrato_rate, vibrato_depth; /* Hz, cents */
} rv_voice_take;

typedef struct rv_voice_control {
    const rv_voice_sound *sound; /* NULL: silence */
    float position;              /* frame of the sound */
    float hertz;
    float gain;     /* amplitude */
    float strength; /* velocity, 0 to 1: brightness */
    float air;      /* 1: breath, no tone */
} rv_voice_control;

/* control[i] at i RV_VOICE_STEP seconds, i < count. sounds[n]: of each note's syllable; NULL where
 * the note before goes on. */
RV_NODISCARD rv_status rv_voice_score(rv_voice_control *control, size_t count,
                                      const rv_sung_note *notes,
                                      const rv_voice_sound *const *sounds, size_t n,
                                      const rv_voice_take *take, rv_error *err);

/* Note i follows the one before it without a rest. */
bool rv_voice_legato(const rv_sung_note *notes, size_t i);

/* Cents from note 69 at every step: glides between notes, scoops, vibrato, drift.
 * Exactly the notes' pitches plus at most 5 cents of drift, the take's detune and vibrato, but for
 * 0.15 s after a note's start. Rests have the pitch of what comes next. */
void rv_voice_pitch(float *cents, size_t count, const rv_sung_note *notes, size_t n,
                    const rv_voice_take *take);

#endif
