/* compose_harmony.c - chords for each half of a bar, and the scales that go with them.
 *
 * A section's chords are a common loop of its style (compose_progressions.c), or a walk through
 * tonic, subdominant and dominant functions (Riemann, "Vereinfachte Harmonielehre", 1893), with
 * substitutes for each. Chords are written as Roman numerals above the tonic's major scale:
 * "ii7 V7 Imaj7", one for a bar; "V-IV" are two in a bar, "I/3" has its third in the bass. */
#include "data/compose_impl.h"

#include <stdio.h>
#include <string.h>

/* Longer suffixes stand before their beginnings. */
const rv_chord_quality rv_chord_qualities[] = {
    { 'I', "maj9", 5, { 0, 4, 7, 11, 14 } },
    { 'I', "maj7", 4, { 0, 4, 7, 11 } },
    { 'I', "7sus4", 4, { 0, 5, 7, 10 } },
    { 'I', "7b9", 5, { 0, 4, 7, 10, 13 } },
    { 'I', "7#9", 5, { 0, 4, 7, 10, 15 } },
    { 'I', "7", 4, { 0, 4, 7, 10 } },
    { 'I', "13", 5, { 0, 4, 10, 14, 21 } },
    { 'I', "9", 5, { 0, 4, 7, 10, 14 } },
    { 'I', "69", 5, { 0, 4, 7, 9, 14 } },
    { 'I', "6", 4, { 0, 4, 7, 9 } },
    { 'I', "sus4", 3, { 0, 5, 7 } },
    { 'I', "sus2", 3, { 0, 2, 7 } },
    { 'I', "add9", 4, { 0, 4, 7, 14 } },
    { 'I', "+", 3, { 0, 4, 8 } },
    { 'I', "5", 2, { 0, 7 } },
    { 'I', "", 3, { 0, 4, 7 } },
    { 'i', "o7", 4, { 0, 3, 6, 9 } },
    { 'i', "o", 3, { 0, 3, 6 } },
    { 'i', "h7", 4, { 0, 3, 6, 10 } },
    { 'i', "7", 4, { 0, 3, 7, 10 } },
    { 'i', "9", 5, { 0, 3, 7, 10, 14 } },
    { 'i', "11", 5, { 0, 3, 7, 10, 17 } },
    { 'i', "6", 4, { 0, 3, 7, 9 } },
    { 'i', "add9", 4, { 0, 3, 7, 14 } },
    { 'i', "5", 2, { 0, 7 } },
    { 'i', "", 3, { 0, 3, 7 } },
    { 0, NULL, 0, { 0 } },
};

static const uint8_t scales[MODES][7] = {
    { 0, 2, 4, 5, 7, 9, 11 }, { 0, 2, 3, 5, 7, 8, 10 }, { 0, 2, 3, 5, 7, 9, 10 },
    { 0, 2, 4, 5, 7, 9, 10 }, { 0, 1, 3, 5, 7, 8, 10 },
};

/* The degrees of the scale that make it pentatonic. */
static const uint8_t pentatonic[MODES][5] = {
    { 0, 1, 2, 4, 5 }, { 0, 2, 3, 4, 6 }, { 0, 2, 3, 4, 6 }, { 0, 1, 2, 4, 5 }, { 0, 2, 3, 4, 6 },
};

/* ---- chords ---- */

static bool begins(const char **text, const char *word)
{
    const size_t n = strlen(word);
    if (strncmp(*text, word, n))
        return false;
    *text += n;
    return true;
}

/* Semitones above the tonic, -1: no numeral. */
static int parse_degree(const char **text, bool *small)
{
    static const char *const names[] = { "VII", "VI", "IV", "V", "III", "II", "I",
                                         "vii", "vi", "iv", "v", "iii", "ii", "i" };
    static const int above[] = { 11, 9, 5, 7, 4, 2, 0 };
    const int shift = begins(text, "b") ? -1 : begins(text, "#") ? 1 : 0;
    for (int i = 0; i < 14; i++)
        if (begins(text, names[i])) {
            *small = i >= 7;
            return (above[i % 7] + shift + 12) % 12;
        }
    return -1;
}

static int parse_quality(const char **text, bool small)
{
    const size_t length = strcspn(*text, "/- ");
    for (int i = 0; rv_chord_qualities[i].suffix; i++) {
        const rv_chord_quality *q = &rv_chord_qualities[i];
        if ((q->numeral == 'i') == small && strlen(q->suffix) == length &&
            !strncmp(*text, q->suffix, length)) {
            *text += length;
            return i;
        }
    }
    return -1;
}

/* One chord; *text moves behind it. */
bool rv_chord_parse(rv_chord *out, const char **text, int tonic)
{
    bool small = false;
    const int above = parse_degree(text, &small);
    const int quality = above < 0 ? -1 : parse_quality(text, small);
    if (quality < 0)
        return false;
    *out = (rv_chord){ .root = (tonic + above) % 12, .quality = quality };
    const rv_chord_quality *q = &rv_chord_qualities[quality];
    const int tone = begins(text, "/3") ? 1 : begins(text, "/5") ? 2 : begins(text, "/7") ? 3 : 0;
    out->bass = (out->root + q->tones[tone < q->n ? tone : 0]) % 12;
    return true;
}

bool rv_chord_equal(const rv_chord *a, const rv_chord *b)
{
    return a->root == b->root && a->quality == b->quality && a->bass == b->bass;
}

bool rv_chord_has(const rv_chord *c, int pitch)
{
    const rv_chord_quality *q = &rv_chord_qualities[c->quality];
    for (int i = 0; i < q->n; i++)
        if ((c->root + q->tones[i] - pitch) % 12 == 0)
            return true;
    return false;
}

const rv_chord *rv_song_chord(const rv_song *s, int bar, int step)
{
    bar += step / s->steps;
    bar = bar < s->n_bars ? bar : s->n_bars - 1;
    return &s->bars[bar].chord[step % s->steps >= (s->steps + 1) / 2];
}

/* The chord of the next half bar. */
const rv_chord *rv_song_chord_after(const rv_song *s, int bar, int step)
{
    const int half = s->steps / 2;
    return rv_song_chord(s, bar, (step / half + 1) * half);
}

/* ---- scales ---- */

static int degree_of(const rv_song *s, int bar, int pitch)
{
    const int above = (pitch - s->sections[s->bars[bar].section].tonic + 120) % 12;
    for (int i = 0; i < 7; i++)
        if (scales[s->mode][i] == above)
            return i;
    return -1;
}

bool rv_scale_has(const rv_song *s, int bar, int pitch)
{
    return degree_of(s, bar, pitch) >= 0;
}

static bool in_pentatonic(const rv_song *s, int degree)
{
    for (int i = 0; i < 5; i++)
        if (pentatonic[s->mode][i] == degree)
            return true;
    return false;
}

/* The pitch so many steps of the scale up (or down). */
int rv_scale_step(const rv_song *s, int bar, int pitch, int steps, bool five)
{
    const int way = steps < 0 ? -1 : 1;
    for (int left = steps * way; left > 0;) {
        pitch += way;
        const int degree = degree_of(s, bar, pitch);
        left -= degree >= 0 && (!five || in_pentatonic(s, degree));
    }
    return pitch;
}

/* The chord's tone nearest to a pitch; if asked one of the scale, if there is such a one. */
int rv_chord_nearest(const rv_song *s, int bar, int step, int pitch, bool in_scale)
{
    const rv_chord *c = rv_song_chord(s, bar, step);
    for (int away = 0; away < 7; away++)
        for (int way = -1; way <= 1; way += 2) {
            const int p = pitch + way * away;
            if (rv_chord_has(c, p) && (!in_scale || rv_scale_has(s, bar, p)))
                return p;
        }
    return pitch;
}

/* Sharps of the key's signature; flats are negative. */
int rv_signature(const rv_song *s, int tonic)
{
    static const int down[MODES] = { 0, 9, 2, 7, 4 }; /* the tonic as a degree of the major scale */
    const int major = (tonic - down[s->mode] + 12) % 12;
    const int fifths = major * 7 % 12;
    return fifths > 6 ? fifths - 12 : fifths;
}

/* ---- progressions ---- */

enum { TEXT_MAX = 256 };

typedef struct functions {
    const char *tonic[4], *subdominant[4], *dominant[4];
} functions;

static const functions walks[MODES] = {
    { { "I", "vi", "I/3", "iii" }, { "IV", "ii", "ii", "IV/3" }, { "V", "V7", "V/3", "Vsus4" } },
    { { "i", "bVI", "bIII", "i/3" }, { "iv", "bVI", "iio", "iv/3" }, { "v", "bVII", "V7", "V" } },
    { { "i", "i", "bIII", "vio" }, { "IV", "ii", "IV", "IV/3" }, { "v", "bVII", "v", "bVII/3" } },
    { { "I", "vi", "I", "I/3" }, { "IV", "ii", "IV", "IV/3" }, { "bVII", "v", "bVII", "bVII/3" } },
    { { "i", "i", "bVI", "bIII" },
      { "bII", "iv", "bII", "bII/3" },
      { "bvii", "bVII", "vo", "bvii" } },
};

/* Eight bars: a question and its answer. */
static void walk(rv_dice *d, int mode, char text[TEXT_MAX])
{
    static const char *const forms[] = { "TSTD TSDT", "TTSD TSDT", "TSDT TSDT", "STDT STDT",
                                         "TDTS TSDT", "TSSD TSDT", "TTSS TDST", "SSTT SDTT" };
    static const uint8_t choice[4] = { 50, 25, 15, 10 };
    const functions *f = &walks[mode];
    const char *form = forms[rv_dice_roll(d, 8)];
    size_t n = 0;
    for (; *form; form++) {
        if (*form == ' ')
            continue;
        const char *const *of = *form == 'T'   ? f->tonic
                                : *form == 'S' ? f->subdominant
                                               : f->dominant;
        n += (size_t)snprintf(text + n, TEXT_MAX - n, "%s%s", n ? " " : "",
                              of[rv_dice_weighted(d, choice, 4)]);
    }
}

/* A loop of the style's for this kind of section, or NULL. Each fits with the same chance. */
static const char *find_loop(const rv_song *s, rv_dice *d, int kind)
{
    const char *found = NULL;
    for (int i = 0, n = 0; i < rv_n_progressions; i++) {
        const rv_progression *p = &rv_progressions[i];
        if ((p->styles & s->style->bit) && p->mode == s->mode &&
            strchr(p->where, rv_section_letters[kind]) && rv_dice_roll(d, ++n) == 0)
            found = p->chords;
    }
    return found;
}

/* Plain chords get the seventh that the scale gives them. */
static void add_seventh(const rv_song *s, rv_chord *c, int tonic)
{
    static const struct {
        const char *plain, *seventh[2];
        char numeral;
    } richer[] = { { "", { "7", "maj7" }, 'I' },
                   { "", { "7", "7" }, 'i' },
                   { "o", { "h7", "h7" }, 'i' } };
    const rv_chord_quality *q = &rv_chord_qualities[c->quality];
    const int major_seventh = (c->root + 11 - tonic + 12) % 12;
    bool high = false;
    for (int i = 0; i < 7; i++)
        high = high || scales[s->mode][i] == major_seventh;
    for (int i = 0; i < 3; i++)
        if (q->numeral == richer[i].numeral && !strcmp(q->suffix, richer[i].plain)) {
            const char *suffix = richer[i].seventh[high];
            c->quality = parse_quality(&suffix, q->numeral == 'i');
            return;
        }
}

/* The chords of a text, over and over, to the end of a section. */
static void lay(rv_song *s, const rv_section *at, const char *text, int sevenths)
{
    const char *next = text;
    for (int bar = at->bar; bar < at->bar + at->bars; bar++) {
        rv_chord *c = s->bars[bar].chord;
        if (!rv_chord_parse(&c[0], &next, at->tonic))
            c[0] = (rv_chord){ at->tonic, at->tonic, 0 };
        c[1] = c[0];
        if (begins(&next, "-") && !rv_chord_parse(&c[1], &next, at->tonic))
            c[1] = c[0];
        next += *next == ' ';
        next = *next ? next : text;
        rv_dice d = rv_dice_for(s->seed, FOR_HARMONY, at->kind, bar - at->bar, 1);
        for (int half = 0; half < 2 && rv_dice_chance(&d, sevenths); half++)
            add_seventh(s, &c[half], at->tonic);
    }
}

static void set_chord(rv_song *s, const rv_section *at, int bar, int half, const char *numeral)
{
    rv_chord *c = s->bars[bar].chord;
    for (; half < 2; half++) {
        const char *text = numeral;
        if (!rv_chord_parse(&c[half], &text, at->tonic))
            return;
    }
}

/* Sections end on a dominant that leads on, now and then; the song ends at home. */
static void cadence(rv_song *s, const rv_section *at, bool last)
{
    static const char *const leads[MODES] = { "V7", "V7", "bVII", "bVII", "bII" };
    static const char *const homes[MODES] = { "I", "i", "i", "I", "i" };
    rv_dice d = rv_dice_for(s->seed, FOR_HARMONY, at->kind, at->nth, 2);
    const int end = at->bar + at->bars - 1;
    if (last)
        set_chord(s, at, end, 0, homes[s->mode]);
    else if (rv_dice_chance(&d, at->kind == PRECHORUS ? 60 : 25))
        set_chord(s, at, end, rv_dice_roll(&d, 2), leads[s->mode]);
}

/* A section's chords by its kind, so that it comes back with the same; intro, solo and outro
 * borrow those of verse or chorus. */
static int borrowed_kind(rv_song *s, int kind)
{
    rv_dice d = rv_dice_for(s->seed, FOR_HARMONY, kind, 0, 3);
    if (kind == INTRO || kind == OUTRO || kind == SOLO || kind == BREAK)
        return rv_dice_chance(&d, 50) ? VERSE : CHORUS;
    return kind == A_CAPPELLA ? CHORUS : kind;
}

void rv_song_harmony(rv_song *s)
{
    for (int i = 0; i < s->n_sections; i++) {
        const rv_section *at = &s->sections[i];
        const int kind = borrowed_kind(s, at->kind);
        rv_dice d = rv_dice_for(s->seed, FOR_HARMONY, kind, 0, 0);
        char walked[TEXT_MAX];
        const char *loop = find_loop(s, &d, kind);
        walk(&d, s->mode, walked);
        if (s->style->bars != 12 && rv_dice_chance(&d, 22))
            loop = NULL;
        lay(s, at, loop ? loop : walked, s->style->sevenths);
        cadence(s, at, i == s->n_sections - 1);
    }
}
