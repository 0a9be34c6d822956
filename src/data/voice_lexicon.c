/* voice_lexicon.c - syllables sorted by their text, so that equal ones stand together. */
#include "data/voice_lexicon.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 64 }; /* bytes of a syllable */

typedef struct entry {
    char text[ROOM];
    size_t note;
} entry;

struct rv_voice_lexicon {
    rv_voice_sound *sounds; /* [n], the first `count` in use */
    size_t count;
    const rv_voice_sound **of_note; /* [n] */
};

static int by_text(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->text, ((const entry *)b)->text);
}

static rv_status speak(rv_voice_sound *out, const char *voice, const char *text, rv_error *err)
{
    rv_speech speech = { 0 };
    RV_TRY(rv_espeak_speak(&speech, voice, text, err));
    const rv_status status = rv_voice_analyse(out, &speech, err);
    free(speech.samples);
    return status;
}

static rv_status speak_all(rv_voice_lexicon *l, entry *all, size_t n, const char *voice,
                           rv_error *err)
{
    qsort(all, n, sizeof *all, by_text);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(all[i].text, all[i - 1].text) != 0) {
            RV_TRY(speak(&l->sounds[l->count], voice, all[i].text, err));
            l->count++;
        }
        l->of_note[all[i].note] = &l->sounds[l->count - 1];
    }
    return RV_OK;
}

rv_status rv_voice_lexicon_new(rv_voice_lexicon **out, const char *voice, const rv_sung_note *notes,
                               size_t n, rv_error *err)
{
    rv_voice_lexicon *l = calloc(1, sizeof *l);
    entry *all = calloc(n + 1, sizeof *all);
    size_t used = 0;
    rv_status status = RV_OK;
    if (l) {
        l->sounds = calloc(n + 1, sizeof *l->sounds);
        l->of_note = calloc(n + 1, sizeof *l->of_note);
    }
    if (!l || !all || !l->sounds || !l->of_note)
        status = RV_FAIL(err, RV_ERR_NOMEM, "syllables of %zu notes", n);
    for (size_t i = 0; status == RV_OK && i < n; i++) {
        rv_espeak_clean(all[used].text, ROOM, notes[i].syllable);
        if (i == 0 && !*all[used].text)
            strcpy(all[used].text, "ah");
        all[used].note = i;
        used += *all[used].text != '\0';
    }
    if (status == RV_OK)
        status = speak_all(l, all, used, voice, err);
    free(all);
    if (status != RV_OK) {
        rv_voice_lexicon_free(l);
        return status;
    }
    *out = l;
    return RV_OK;
}

void rv_voice_lexicon_free(rv_voice_lexicon *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->count; i++)
        rv_voice_sound_free(&l->sounds[i]);
    free(l->sounds);
    free(l->of_note);
    free(l);
}

const rv_voice_sound *const *rv_voice_lexicon_sounds(const rv_voice_lexicon *l)
{
    return l->of_note;
}
