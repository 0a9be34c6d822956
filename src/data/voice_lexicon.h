/* voice_lexicon.h - the syllables of a song, each spoken and analysed once. */
#ifndef DATA_VOICE_LEXICON_H
#define DATA_VOICE_LEXICON_H

#include "data/sing.h"
#include "data/voice_analysis.h"

typedef struct rv_voice_lexicon rv_voice_lexicon;

/* A first note without a syllable is sung on "ah". */
RV_NODISCARD rv_status rv_voice_lexicon_new(rv_voice_lexicon **out, const char *voice,
                                            const rv_sung_note *notes, size_t n, rv_error *err);
void rv_voice_lexicon_free(rv_voice_lexicon *l);

/* [n]: of each note; NULL where the syllable before goes on. */
const rv_voice_sound *const *rv_voice_lexicon_sounds(const rv_voice_lexicon *l);

#endif
