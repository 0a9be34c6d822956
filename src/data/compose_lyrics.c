/* compose_lyrics.c - lines of simple words with as many syllables as a phrase has notes.
 *
 * A line walks through kinds of words (who, does, what, where), and ends with a word of its rhyme.
 * Syllables of a word are divided by '-' in the lists and written so that they can be said alone.
 */
#include "data/compose_impl.h"

#include <string.h>

enum { WHO, DOES, MY, HOW, THING, WHERE, AND, WORD_KINDS, WORDS_MAX = 24 };

static const char *const words[WORD_KINDS][WORDS_MAX] = {
    [WHO] = { "I", "you", "we", "they", "she", "he", "no one", "some-one", "peo-ple", "the wind" },
    [DOES] = { "run",        "know",    "feel",        "see",          "hold",
               "need",       "want",    "call",        "hear",         "find",
               "leave",      "fol-low", "re-mem-ber",  "for-get",      "be-lieve",
               "dis-co-ver", "car-ry",  "ne-ver lose", "al-ways love", "keep" },
    [MY] = { "the", "my", "your", "a", "this", "our", "that", "ev-ry" },
    [HOW] = { "long", "blue", "cold", "sweet", "old", "bright", "gold-en", "si-lent", "lone-ly",
              "bro-ken", "wild", "hid-den", "bur-ning", "warm" },
    [THING] = { "road",     "fire",   "heart",    "song",    "dream",   "home",
                "star",     "ri-ver", "morn-ing", "win-dow", "sha-dow", "moun-tain",
                "me-mo-ry", "o-cean", "sto-ry",   "sum-mer", "voice",   "door",
                "ci-ty",    "hand",   "mo-ther",  "mir-ror" },
    [WHERE] = { "in", "through", "on", "by", "with", "for", "un-der", "o-ver", "in-to", "be-yond",
                "from", "a-cross" },
    [AND] = { "and", "but", "so", "then", "when", "while", "oh", "yes" },
};

static const uint8_t follows[WORD_KINDS][WORD_KINDS] = {
    /*          WHO DOES MY HOW THING WHERE AND */
    [WHO] = { 0, 100, 0, 0, 0, 0, 0 },   [DOES] = { 0, 0, 65, 0, 0, 30, 5 },
    [MY] = { 0, 0, 0, 35, 65, 0, 0 },    [HOW] = { 0, 0, 0, 0, 100, 0, 0 },
    [THING] = { 0, 0, 0, 0, 0, 55, 45 }, [WHERE] = { 0, 0, 100, 0, 0, 0, 0 },
    [AND] = { 90, 0, 10, 0, 0, 0, 0 },
};

/* Words of a line rhyme with each other; all have one syllable. */
static const char *const rhymes[][8] = {
    { "day", "way", "say", "stay", "play", "a-way", "to-day", "gray" },
    { "night", "light", "right", "sight", "fight", "to-night", "bright", "flight" },
    { "rain", "train", "pain", "chain", "a-gain", "plain", "lane", "re-main" },
    { "me", "free", "sea", "be", "see", "tree", "key", "mel-o-dy" },
    { "go", "know", "slow", "snow", "show", "be-low", "glow", "a-go" },
    { "you", "true", "through", "blue", "new", "view", "a-new", "do" },
    { "time", "rhyme", "climb", "line", "mine", "shine", "fine", "sign" },
    { "sky", "high", "fly", "why", "by", "good-bye", "cry", "try" },
    { "heart", "start", "part", "a-part", "art", "dark", "park", "mark" },
    { "fall", "call", "all", "wall", "small", "hall", "tall", "re-call" },
    { "ground", "sound", "found", "round", "a-round", "down", "town", "crown" },
    { "sun", "run", "one", "done", "be-gun", "fun", "come", "un-done" },
    { "mind", "find", "kind", "be-hind", "blind", "wind", "un-wind", "signed" },
    { "stone", "home", "a-lone", "known", "phone", "grown", "own", "roam" },
};

enum { N_RHYMES = sizeof rhymes / sizeof *rhymes };

static int syllables(const char *word)
{
    int n = 1;
    for (; *word; word++)
        n += *word == '-' || *word == ' ';
    return n;
}

/* A word of a kind with at most so many syllables. */
static const char *choose(rv_dice *d, int kind, int most)
{
    const char *found = words[kind][0];
    for (int i = 0, n = 0; i < WORDS_MAX && words[kind][i]; i++)
        if (syllables(words[kind][i]) <= most && rv_dice_roll(d, ++n) == 0)
            found = words[kind][i];
    return found;
}

static const char *choose_rhyme(rv_dice *d, int rhyme, int most)
{
    const char *found = "oh";
    for (int i = 0, n = 0; i < 8; i++)
        if (syllables(rhymes[rhyme % N_RHYMES][i]) <= most && rv_dice_roll(d, ++n) == 0)
            found = rhymes[rhyme % N_RHYMES][i];
    return found;
}

typedef struct line {
    rv_note *notes;
    size_t n, at;
} line;

/* The next syllables of the line are those of a word. */
static void say(line *l, const char *word)
{
    while (*word && l->at < l->n) {
        const size_t length = strcspn(word, "- ");
        while (l->at < l->n && l->notes[l->at].text)
            l->at++;
        if (l->at == l->n)
            return;
        l->notes[l->at].text = word;
        l->notes[l->at].text_length = (int)length;
        word += length + (word[length] != '\0');
    }
}

void rv_write_line(rv_dice *d, rv_note *notes, size_t n, int rhyme)
{
    line l = { .notes = notes, .n = n };
    int left = 0;
    for (size_t i = 0; i < n; i++)
        left += !notes[i].text;
    const char *end = choose_rhyme(d, rhyme, left < 3 ? left : 3);
    left -= syllables(end);
    int kind = rv_dice_chance(d, 25) ? AND : rv_dice_chance(d, 70) ? WHO : WHERE;
    while (left > 0) {
        const char *word = choose(d, kind, left);
        left -= syllables(word);
        say(&l, word);
        kind = rv_dice_weighted(d, follows[kind], WORD_KINDS);
    }
    say(&l, end);
}
