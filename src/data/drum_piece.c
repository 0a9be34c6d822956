/* drum_piece.c - which instrument of a kit plays which note of General MIDI percussion.
 *
 * Names are compared as lower-case words, without what stands in brackets; a digit begins a word.
 * The first rule that fits decides: of each group of words, "a|b", one must be there, a word of up
 * to three letters as a whole and a longer one anywhere. A family's instruments take its notes in
 * their order (two crashes: 49, 57); those of weak rules come after those of strong ones. */
#include "data/drum_kit_impl.h"

#include <string.h>

enum { NAME_MAX_LENGTH = 255, FAMILY_MAX = 4, NEAREST_MAX = 6, TOM = -1, TOM_NOTES = 6 };

static const int tom_notes[TOM_NOTES] = { 41, 43, 45, 47, 48, 50 }; /* from low to high */

typedef struct rule {
    const char *words[2]; /* groups; NULL: none */
    bool weak;
    int notes[FAMILY_MAX]; /* 0: no more. TOM: by pitch */
} rule;

#define HAT "hat|hihat|hats|hh|charley"

static const rule rules[] = {
    { { "cowbell|cow bell", NULL }, false, { 56 } },
    { { "jingle|sleigh", NULL }, false, { 83 } },
    { { "bell tree|belltree|chime", NULL }, false, { 84 } },
    { { "tamb|tamburin", NULL }, false, { 54 } },
    { { "vibraslap|vibra slap", NULL }, false, { 58 } },
    { { "agogo", "hi|high|1" }, false, { 67 } },
    { { "agogo", "lo|low|2" }, false, { 68 } },
    { { "agogo", NULL }, false, { 67, 68 } },
    { { "bongo", "hi|high" }, false, { 60 } },
    { { "bongo", "lo|low" }, false, { 61 } },
    { { "bongo", NULL }, false, { 60, 61 } },
    { { "conga|tumba|quinto", "mute|slap|closed" }, false, { 62 } },
    { { "conga|tumba|quinto", "lo|low|tumba" }, false, { 64 } },
    { { "conga|tumba|quinto", NULL }, false, { 63, 64, 62 } },
    { { "djembe", "slap" }, true, { 62 } },
    { { "djembe", "bass" }, true, { 64 } },
    { { "djembe", NULL }, true, { 63 } },
    { { "timbale", "lo|low" }, false, { 66 } },
    { { "timbale", NULL }, false, { 65, 66 } },
    { { "wood block|woodblock|temple block", "lo|low" }, false, { 77 } },
    { { "wood block|woodblock|temple block", NULL }, false, { 76, 77 } },
    { { "clave", NULL }, false, { 75 } },
    { { "maraca", NULL }, false, { 70 } },
    { { "cabasa|afuche", NULL }, false, { 69 } },
    { { "shaker|egg|caxixi", NULL }, false, { 82 } },
    { { "castanet", NULL }, false, { 85 } },
    { { "surdo", "mute" }, false, { 86 } },
    { { "surdo", NULL }, false, { 87, 86 } },
    { { "guiro", "short" }, false, { 73 } },
    { { "guiro", NULL }, false, { 74, 73 } },
    { { "cuica", NULL }, false, { 79, 78 } },
    { { "triangle", "mute|closed" }, false, { 80 } },
    { { "triangle", NULL }, false, { 81, 80 } },
    { { "whistle", NULL }, false, { 71, 72 } },
    { { "metronome", "bell" }, false, { 34 } },
    { { "metronome", NULL }, false, { 33 } },
    { { "scratch", NULL }, false, { 29, 30 } },
    { { HAT, "pedal|pd|ped|foot" }, false, { 44 } },
    { { HAT, "half|semi|swish|slosh|free|loose|sizzle" }, true, { 46 } },
    { { HAT, "open|op|opn" }, false, { 46 } },
    { { HAT, "closed|close|cl|tight" }, false, { 42 } },
    { { "ohh|hho|oh|openhat|openhh", NULL }, false, { 46 } },
    { { "chh|hhc|ch|closedhat|closehh", NULL }, false, { 42 } },
    { { "phh|hhp|hhf", NULL }, false, { 44 } },
    { { HAT, NULL }, true, { 42 } },
    { { "side stick|sidestick|cross stick|crossstick|rim click|rimclick|xstick", NULL },
      false,
      { 37 } },
    { { "snare|sd|snr", "roll|flam|brush|rim|rimshot|drag|ghost|ring" }, true, { 38, 40 } },
    { { "snare|sd|snr|caixa", NULL }, false, { 38, 40 } },
    { { "rim", NULL }, false, { 37 } },
    { { "rimshot", NULL }, true, { 37 } },
    { { "sticks", NULL }, false, { 31 } },
    { { "stick", NULL }, true, { 37, 31 } },
    { { "kick|bass drum|bassdrum|bd|bombo", NULL }, false, { 36, 35 } },
    { { "cajon", "thump|bass|low" }, true, { 36 } },
    { { "cajon", NULL }, true, { 38 } },
    { { "clap", NULL }, false, { 39 } },
    { { "snap", NULL }, true, { 39 } },
    { { "tom|floor|rack", NULL }, false, { TOM } },
    { { "tomhi|tomlo|tommid|tomlow|hitom|lowtom|midtom|floortom", NULL }, false, { TOM } },
    { { "ride", "bell|cup" }, false, { 53 } },
    { { "crash", "bell|cup" }, true, { 53 } },
    { { "crash", "ride" }, true, { 59, 51 } },
    { { "ride", NULL }, false, { 51, 59 } },
    { { "china|chinese", NULL }, false, { 52 } },
    { { "splash", NULL }, false, { 55 } },
    { { "crash", NULL }, false, { 49, 57 } },
    { { "cymbal|cym", NULL }, true, { 49, 57 } },
    { { "bell", NULL }, true, { 53 } },
    { { "drum", NULL }, true, { TOM } },
};

/* Where a note is not there: what comes nearest, best first. */
static const struct {
    int note, nearest[NEAREST_MAX];
} substitutes[] = {
    { 31, { 37, 75 } },
    { 35, { 36 } },
    { 36, { 35 } },
    { 37, { 38, 40 } },
    { 38, { 40 } },
    { 39, { 38, 40 } },
    { 40, { 38 } },
    { 42, { 44, 46 } },
    { 44, { 42, 46 } },
    { 46, { 42, 44 } },
    { 49, { 57, 52, 55, 59, 51 } },
    { 51, { 59, 53, 57, 49, 52 } },
    { 52, { 57, 49, 55, 59, 51 } },
    { 53, { 51, 59, 57, 49 } },
    { 54, { 83, 82, 70 } },
    { 55, { 57, 49, 52, 59, 51 } },
    { 56, { 67, 68 } },
    { 57, { 49, 52, 55, 59, 51 } },
    { 59, { 51, 53, 57, 49, 52 } },
    { 60, { 61, 63, 64, 62 } },
    { 61, { 60, 64, 63 } },
    { 62, { 63, 64, 60, 61 } },
    { 63, { 64, 62, 60, 61 } },
    { 64, { 63, 61, 60 } },
    { 65, { 66, 50 } },
    { 66, { 65, 47 } },
    { 67, { 68, 56 } },
    { 68, { 67, 56 } },
    { 69, { 82, 70 } },
    { 70, { 82, 69 } },
    { 71, { 72 } },
    { 72, { 71 } },
    { 73, { 74 } },
    { 74, { 73 } },
    { 75, { 76, 77 } },
    { 76, { 77, 75 } },
    { 77, { 76, 75 } },
    { 78, { 79 } },
    { 79, { 78 } },
    { 80, { 81 } },
    { 81, { 80 } },
    { 82, { 70, 69 } },
    { 83, { 54 } },
    { 85, { 75, 76 } },
    { 86, { 87 } },
    { 87, { 86 } },
};

/* " closed hh 1 ": words with spaces around them. */
static void normalise(char out[2 * NAME_MAX_LENGTH + 3], const char *name)
{
    size_t n = 0;
    int depth = 0;
    out[n++] = ' ';
    for (size_t i = 0; name[i] && i < NAME_MAX_LENGTH; i++) {
        const unsigned char c = (unsigned char)name[i];
        const bool letter = (c | 32) >= 'a' && (c | 32) <= 'z', digit = c >= '0' && c <= '9';
        depth += (c == '(' || c == '[') - ((c == ')' || c == ']') && depth > 0);
        const bool fresh = digit != (out[n - 1] >= '0' && out[n - 1] <= '9');
        if (out[n - 1] != ' ' && (depth > 0 || !(letter || digit) || fresh))
            out[n++] = ' ';
        if (depth == 0 && (letter || digit))
            out[n++] = (char)(letter ? c | 32 : c);
    }
    if (out[n - 1] != ' ')
        out[n++] = ' ';
    out[n] = 0;
}

static bool has_word(const char *name, const char *word, size_t n)
{
    for (const char *at = name; (at = strchr(at, *word)); at++) {
        if (strncmp(at, word, n) == 0 && (n > 3 || (at[-1] == ' ' && at[n] == ' ')))
            return true;
    }
    return false;
}

/* One of "a|b|c"; no group is always there. */
static bool has_any(const char *name, const char *words)
{
    for (const char *word = words; word; word = strchr(word, '|')) {
        word += *word == '|';
        if (has_word(name, word, strcspn(word, "|")))
            return true;
    }
    return !words;
}

static const rule *find_rule(const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (has_any(name, rules[i].words[0]) && has_any(name, rules[i].words[1]))
            return &rules[i];
    }
    return NULL;
}

/* Higher for higher toms: by a word, then a number, where the first is the highest. */
static int tom_pitch(const char *name)
{
    const char *digit = strpbrk(name, "0123456789");
    const int number = digit ? *digit - '0' : 0;
    if (has_any(name, "floor"))
        return -number;
    if (has_any(name, "low|lo|tomlo|tomlow|lowtom"))
        return 100 - number;
    if (has_any(name, "high|hi|tomhi|hitom"))
        return 300 - number;
    return 200 - number;
}

static void take_first_free(rv_drum_kit *k, const int notes[FAMILY_MAX], size_t instrument)
{
    for (int i = 0; i < FAMILY_MAX && notes[i] > 0; i++) {
        if (k->piece[notes[i]] < 0) {
            k->piece[notes[i]] = (int)instrument;
            return;
        }
    }
}

typedef struct tom_list {
    int piece[TOM_NOTES], pitch[TOM_NOTES];
    int n;
} tom_list;

/* Into the list, from low to high; of equal ones the earlier in the kit is the higher. */
static void insert_tom(tom_list *toms, int piece, int pitch)
{
    if (toms->n == TOM_NOTES)
        return;
    int at = toms->n++;
    for (; at > 0 && toms->pitch[at - 1] >= pitch; at--) {
        toms->pitch[at] = toms->pitch[at - 1];
        toms->piece[at] = toms->piece[at - 1];
    }
    toms->pitch[at] = pitch;
    toms->piece[at] = piece;
}

static bool is_playable(const drum_instrument *instrument)
{
    return instrument->layers > 0 && !instrument->muted;
}

static void find_by_name(rv_drum_kit *k, tom_list *toms, bool weak)
{
    if (weak && toms->n > 0)
        toms = NULL; /* a kit with toms needs no other drums for them */
    for (size_t i = 0; i < k->instruments; i++) {
        char name[2 * NAME_MAX_LENGTH + 3];
        if (!is_playable(&k->instrument[i]) || !k->instrument[i].name)
            continue;
        normalise(name, k->instrument[i].name);
        const rule *found = find_rule(name);
        if (!found || found->weak != weak)
            continue;
        if (found->notes[0] != TOM)
            take_first_free(k, found->notes, i);
        else if (toms)
            insert_tom(toms, (int)i, tom_pitch(name));
    }
}

/* n toms are spread over the six notes. */
static void spread_toms(rv_drum_kit *k, const tom_list *toms)
{
    for (int i = 0; i < TOM_NOTES && toms->n > 0; i++)
        k->piece[tom_notes[i]] = toms->piece[i * toms->n / TOM_NOTES];
}

static bool has_numbers(const rv_drum_kit *k)
{
    for (size_t i = 1; i < k->instruments; i++) {
        if (k->instrument[i].note != k->instrument[0].note)
            return true;
    }
    return false;
}

static bool is_named(const drum_instrument *instrument)
{
    char name[2 * NAME_MAX_LENGTH + 3];
    if (!instrument->name)
        return false;
    normalise(name, instrument->name);
    return find_rule(name);
}

static void find_by_number(rv_drum_kit *k)
{
    for (size_t i = 0; i < k->instruments; i++) {
        const double note = k->instrument[i].note;
        if (is_playable(&k->instrument[i]) && !is_named(&k->instrument[i]) &&
            note >= DRUM_NOTE_FIRST && note <= DRUM_NOTE_LAST && k->piece[(int)note] < 0)
            k->piece[(int)note] = (int)i;
    }
}

void rv_drum_pieces_find(rv_drum_kit *k)
{
    tom_list toms = { .n = 0 };
    for (int note = 0; note < DRUM_NOTES; note++)
        k->piece[note] = -1;
    find_by_name(k, &toms, false);
    find_by_name(k, &toms, true);
    spread_toms(k, &toms);
    if (has_numbers(k))
        find_by_number(k);
}

int rv_drum_piece_for(const rv_drum_kit *k, int note)
{
    if (note < DRUM_NOTE_FIRST || note > DRUM_NOTE_LAST)
        return -1;
    int piece = k->piece[note];
    for (size_t i = 0; i < sizeof substitutes / sizeof *substitutes && piece < 0; i++) {
        for (int s = 0; substitutes[i].note == note && s < NEAREST_MAX && piece < 0; s++)
            piece = substitutes[i].nearest[s] > 0 ? k->piece[substitutes[i].nearest[s]] : -1;
    }
    return piece;
}
