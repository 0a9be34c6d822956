/* test_compose.c - songs from seeds: valid, whole, in key, sung, and never two alike. */
#include "data/compose_grooves.h"
#include "data/compose_patterns.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

enum { SEEDS = 20, DRUMS = 9, BARS = 2048, TRACKS = 20 };

/* ---- an allocation that fails (the linker puts these in the place of the library's) ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static long allocations_left = -1; /* negative: no limit */

static bool may_allocate(void)
{
    return allocations_left < 0 || allocations_left-- > 0;
}

void *__wrap_malloc(size_t size)
{
    return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return may_allocate() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t size)
{
    return may_allocate() ? __real_realloc(p, size) : NULL;
}

/* ---- a song, note by note ---- */

typedef struct tone {
    uint32_t start, end;
    int pitch, track;
    bool open;
} tone;

typedef struct song {
    rv_midi *midi;
    double seconds;
    const char *names[TRACKS];
    int channels[TRACKS];
    uint32_t bar_ticks, end;
    tone *tones;
    size_t n;
} song;

static rv_midi *compose(const char *style, uint64_t seed, double seconds, bool vocals)
{
    const rv_compose_options opt = {
        .seed = seed, .style = style, .seconds = seconds, .vocals = vocals
    };
    rv_error err = { 0 };
    rv_midi *midi = NULL;
    CHECK_OK(rv_compose(&midi, &opt, &err), err);
    return midi;
}

static bool is_meta(const rv_midi_event *e, int kind)
{
    return e->status == 0xFF && e->data[0] == kind;
}

static tone *open_tone(song *s, int track, int pitch)
{
    for (size_t i = s->n; i-- > 0;)
        if (s->tones[i].open && s->tones[i].track == track && s->tones[i].pitch == pitch)
            return &s->tones[i];
    return NULL;
}

static void take_note(song *s, const rv_midi_event *e)
{
    const bool on = (e->status & 0xF0) == 0x90;
    tone *open = open_tone(s, e->track, e->data[0]);
    CHECK(e->data[0] < 128 && e->data[1] < 128 && (!on || e->data[1] > 0));
    CHECK_MSG(on ? !open : open != NULL, "track %d, tick %u: pitch %d %s", e->track, e->tick,
              e->data[0], on ? "begins twice" : "ends that did not begin");
    s->channels[e->track] = e->status & 15;
    if (on) {
        s->tones[s->n++] =
            (tone){ .start = e->tick, .pitch = e->data[0], .track = e->track, .open = true };
        return;
    }
    open->end = e->tick;
    open->open = false;
    CHECK(open->end > open->start);
}

static void take_events(song *s)
{
    uint32_t before = 0;
    for (size_t i = 0; i < s->midi->n; i++) {
        const rv_midi_event *e = &s->midi->events[i];
        CHECK(e->tick >= before && e->track < s->midi->n_tracks && e->track < TRACKS);
        before = s->end = e->tick;
        if (is_meta(e, RV_MIDI_TRACK_NAME))
            s->names[e->track] = (const char *)e->bytes;
        if (is_meta(e, 0x58))
            s->bar_ticks = 4u * 480 * e->bytes[0] >> e->bytes[1];
        if ((e->status & 0xE0) == 0x80)
            take_note(s, e);
    }
}

static song read_song(rv_midi *midi)
{
    song s = { .midi = midi };
    double *seconds = malloc(midi->n * sizeof *seconds);
    s.tones = malloc(midi->n * sizeof *s.tones);
    CHECK(seconds && s.tones && midi->ticks_per_quarter == 480);
    take_events(&s);
    rv_midi_times(midi, seconds);
    s.seconds = seconds[midi->n - 1];
    for (size_t i = 0; i < s.n; i++)
        CHECK(!s.tones[i].open);
    free(seconds);
    return s;
}

static void free_song(song *s)
{
    rv_midi_free(s->midi);
    free(s->tones);
}

static bool is_track(const song *s, int track, const char *name)
{
    const size_t n = strlen(name);
    return s->names[track] && !strncmp(s->names[track], name, n);
}

static int find_track(const song *s, const char *name)
{
    for (int i = 0; i < s->midi->n_tracks; i++)
        if (is_track(s, i, name))
            return i;
    return -1;
}

/* ---- properties ---- */

/* The share of bars in which a track begins a note. */
static double presence(const song *s, const char *name)
{
    static bool bars[BARS];
    memset(bars, 0, sizeof bars);
    const int track = find_track(s, name);
    int n = 0, total = (int)((s->end + s->bar_ticks / 2) / s->bar_ticks);
    for (size_t i = 0; i < s->n; i++)
        if (s->tones[i].track == track && (int)(s->tones[i].start / s->bar_ticks) < BARS)
            bars[s->tones[i].start / s->bar_ticks] = true;
    for (int i = 0; i < total; i++)
        n += bars[i];
    return (double)n / (total > 0 ? total : 1);
}

/* The major scale of the key signature in force. */
static bool in_key(const song *s, const tone *t)
{
    static const bool major[12] = { 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1 };
    int sharps = 0;
    for (size_t i = 0; i < s->midi->n && s->midi->events[i].tick <= t->start + 60; i++)
        if (is_meta(&s->midi->events[i], 0x59))
            sharps = (int8_t)s->midi->events[i].bytes[0];
    return major[(t->pitch + 120 - sharps * 7) % 12];
}

static double share_in_key(const song *s, const char *name)
{
    const int track = find_track(s, name);
    int n = 0, in = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->tones[i].track == track) {
            n++;
            in += in_key(s, &s->tones[i]);
        }
    return n ? (double)in / n : 1;
}

static void check_ranges(const song *s)
{
    static const struct {
        const char *name;
        int low, high;
    } ranges[] = { { "Drums", 35, 82 },   { "Bass", 28, 60 },  { "Vocals", 48, 84 },
                   { "Lead", 55, 89 },    { "Power", 40, 76 }, { "Rhythm", 40, 80 },
                   { "Strings", 48, 91 }, { "Keys", 36, 96 },  { "Backing", 48, 84 } };
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++)
            CHECK_MSG(
                !is_track(s, s->tones[i].track, ranges[k].name) ||
                    (s->tones[i].pitch >= ranges[k].low && s->tones[i].pitch <= ranges[k].high),
                "%s plays %d", ranges[k].name, s->tones[i].pitch);
}

/* Drums are on channel 10, everybody else on a channel of their own. */
static void check_channels(const song *s)
{
    unsigned taken = 0;
    for (int i = 1; i < s->midi->n_tracks; i++) {
        CHECK(!(taken >> s->channels[i] & 1));
        CHECK((s->channels[i] == DRUMS) == is_track(s, i, "Drums"));
        taken |= 1u << s->channels[i];
    }
}

static const rv_midi_event *lyric_at(const song *s, uint32_t tick, int track)
{
    for (size_t i = 0; i < s->midi->n && s->midi->events[i].tick <= tick; i++) {
        const rv_midi_event *e = &s->midi->events[i];
        if (e->tick == tick && e->track == track && is_meta(e, RV_MIDI_LYRIC))
            return e;
    }
    return NULL;
}

/* One note at a time, each with a syllable; the first of all is no continuation. */
static void check_sung(const song *s, const char *name)
{
    const int track = find_track(s, name);
    uint32_t free_from = 0;
    int n = 0, syllables = 0;
    for (size_t i = 0; i < s->n; i++) {
        const tone *t = &s->tones[i];
        if (t->track != track)
            continue;
        const rv_midi_event *e = lyric_at(s, t->start, track);
        CHECK_MSG(t->start >= free_from, "%s: notes overlap at tick %u", name, t->start);
        CHECK_MSG(e && (n || e->n_bytes), "%s: no syllable at tick %u", name, t->start);
        free_from = t->end;
        n++;
        syllables += e->n_bytes > 0;
        for (uint32_t k = 0; k < e->n_bytes; k++)
            CHECK((e->bytes[k] >= 'a' && e->bytes[k] <= 'z') || e->bytes[k] == 'I');
    }
    CHECK_MSG(n == 0 || syllables > n * 3 / 4, "%s: %d syllables, %d notes", name, syllables, n);
}

static void check_song(const char *style, uint64_t seed)
{
    song s = read_song(compose(style, seed, 100, true));
    CHECK_MSG(fabs(s.seconds - 100) < 15, "%s %d: %g seconds, not 100", style, (int)seed,
              s.seconds);
    CHECK_MSG(presence(&s, "Drums") > 0.5 && presence(&s, "Bass") > 0.5,
              "%s %d: drums in %.2f of the bars, bass in %.2f", style, (int)seed,
              presence(&s, "Drums"), presence(&s, "Bass"));
    CHECK_MSG(share_in_key(&s, "Vocals") > 0.9 && share_in_key(&s, "Lead") > 0.8,
              "%s %d: of the vocals %.2f in key, of the lead %.2f", style, (int)seed,
              share_in_key(&s, "Vocals"), share_in_key(&s, "Lead"));
    CHECK(find_track(&s, "Vocals") > 0 && s.midi->n_tracks > 4);
    check_ranges(&s);
    check_channels(&s);
    check_sung(&s, "Vocals");
    check_sung(&s, "Backing");
    free_song(&s);
}

TEST(test_all_styles)
{
    const char *const *styles = rv_compose_styles();
    int n = 0;
    for (; styles[n]; n++)
        for (uint64_t seed = 0; seed < SEEDS; seed++)
            check_song(styles[n], seed);
    CHECK(n >= 12);
}

static bool equal(const rv_midi *a, const rv_midi *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const rv_midi_event *x = &a->events[i], *y = &b->events[i];
        if (x->tick != y->tick || x->track != y->track || x->status != y->status ||
            x->data[0] != y->data[0] || x->data[1] != y->data[1] || x->n_bytes != y->n_bytes ||
            (x->n_bytes && memcmp(x->bytes, y->bytes, x->n_bytes)))
            return false;
    }
    return true;
}

TEST(test_seeds)
{
    for (uint64_t seed = 1; seed < 6; seed++) {
        rv_midi *a = compose(NULL, seed, 0, true), *b = compose(NULL, seed, 0, true);
        rv_midi *c = compose(NULL, seed + 100, 0, true);
        CHECK(equal(a, b) && !equal(a, c));
        rv_midi_free(a);
        rv_midi_free(b);
        rv_midi_free(c);
    }
}

/* FNV-1a of all events. */
static uint64_t hash_of(const rv_midi *m)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < m->n; i++) {
        const rv_midi_event *e = &m->events[i];
        const uint32_t words[4] = { e->tick, e->track, e->status,
                                    (uint32_t)e->data[0] << 8 | e->data[1] };
        for (int k = 0; k < 4; k++)
            h = (h ^ words[k]) * 0x100000001b3u;
        for (uint32_t k = 0; k < e->n_bytes; k++)
            h = (h ^ e->bytes[k]) * 0x100000001b3u;
    }
    return h;
}

TEST(test_same_on_every_machine)
{
    rv_midi *m = compose("funk", 1, 30, true);
    CHECK_MSG(hash_of(m) == 0x7b765b711d5144c6u, "the song's hash is %#llx: has a table changed?",
              (unsigned long long)hash_of(m));
    rv_midi_free(m);
}

TEST(test_lengths)
{
    static const double lengths[] = { 20, 60, 300 };
    for (int i = 0; i < 3; i++) {
        song s = read_song(compose("pop", 3, lengths[i], false));
        CHECK_MSG(fabs(s.seconds - lengths[i]) < 8 + lengths[i] / 20, "%g, not %g", s.seconds,
                  lengths[i]);
        CHECK(find_track(&s, "Vocals") < 0 && find_track(&s, "Backing") < 0);
        free_song(&s);
    }
    for (int i = 0; i < 2; i++) { /* of 90 to 200 seconds, and of 20 */
        rv_midi *m = NULL;
        rv_error err = { 0 };
        const rv_compose_options opt = {
            .seed = 3, .style = "pop", .seconds = i ? 20 : 0, .most = 40
        };
        CHECK_OK(rv_compose(&m, &opt, &err), err);
        song s = read_song(m);
        CHECK_MSG(fabs(s.seconds - (i ? 20 : 40)) < 9, "%g seconds", s.seconds);
        free_song(&s);
    }
}

enum { WORDS = 48 };

/* The first words of the nth section of a name. */
static void words_of(char out[WORDS], const song *s, const char *name, int nth)
{
    const int track = find_track(s, "Vocals");
    size_t n = 0;
    bool inside = false;
    for (size_t i = 0; i < s->midi->n; i++) {
        const rv_midi_event *e = &s->midi->events[i];
        if (is_meta(e, 6))
            inside =
                e->n_bytes == strlen(name) && !memcmp(e->bytes, name, e->n_bytes) && nth-- == 0;
        if (!inside || e->track != track || !is_meta(e, RV_MIDI_LYRIC))
            continue;
        for (uint32_t k = 0; k < e->n_bytes && n < WORDS - 1; k++)
            out[n++] = (char)e->bytes[k];
    }
    out[n] = '\0';
}

TEST(test_choruses_repeat_their_words)
{
    for (uint64_t seed = 0; seed < 5; seed++) {
        char chorus[2][WORDS], verse[2][WORDS];
        song s = read_song(compose("country", seed, 200, true));
        for (int i = 0; i < 2; i++) {
            words_of(chorus[i], &s, "chorus", i);
            words_of(verse[i], &s, "verse", i);
        }
        CHECK_MSG(strlen(chorus[0]) > 20 && !strcmp(chorus[0], chorus[1]), "%s / %s", chorus[0],
                  chorus[1]);
        CHECK_MSG(strlen(verse[0]) > 20 && strcmp(verse[0], verse[1]), "%s / %s", verse[0],
                  verse[1]);
        free_song(&s);
    }
}

TEST(test_errors)
{
    rv_midi *midi = NULL;
    rv_error err = { 0 };
    CHECK(rv_compose(&midi, &(rv_compose_options){ .style = "polka" }, &err) == RV_ERR_ARG);
    CHECK(strstr(err.text, "'polka'") && strstr(err.text, "bl"));
    CHECK(rv_compose(&midi, &(rv_compose_options){ .seconds = -1 }, &err) == RV_ERR_ARG);
    CHECK(rv_compose(&midi, &(rv_compose_options){ .seconds = (double)NAN }, &err) == RV_ERR_ARG);
    CHECK(rv_compose(&midi, &(rv_compose_options){ .seconds = 1e9 }, &err) == RV_ERR_ARG && !midi);
}

TEST(test_failing_allocations)
{
    const rv_compose_options opt = { .seed = 1, .style = "rock", .seconds = 40, .vocals = true };
    rv_status status = RV_ERR_NOMEM;
    long n = 0;
    for (; status != RV_OK && n < 2000; n++) {
        rv_error err = { 0 };
        rv_midi *midi = NULL;
        allocations_left = n;
        status = rv_compose(&midi, &opt, &err);
        allocations_left = -1;
        CHECK(status == RV_OK ? midi != NULL : status == RV_ERR_NOMEM && !midi && err.text[0]);
        rv_midi_free(midi);
    }
    CHECK(n > 10 && status == RV_OK);
}

/* ---- tables ---- */

TEST(test_progressions)
{
    for (int i = 0; i < rv_n_progressions; i++) {
        const char *text = rv_progressions[i].chords;
        while (*text) {
            rv_chord c;
            CHECK_MSG(rv_chord_parse(&c, &text, 7), "'%s' at '%s'", rv_progressions[i].chords,
                      text);
            CHECK_MSG(!*text || *text == ' ' || *text == '-', "'%s' at '%s'",
                      rv_progressions[i].chords, text);
            text += *text != '\0';
        }
    }
    rv_chord c;
    const char *text = "bVIImaj7/3";
    CHECK(rv_chord_parse(&c, &text, 2) && c.root == 0 && c.bass == 4 && !*text);
    text = "Q7";
    CHECK(!rv_chord_parse(&c, &text, 2));
}

static void check_row(const char *row, int metre)
{
    const size_t bar = metre == METRE_44 ? 16 : 12;
    CHECK_MSG(strlen(row) % bar == 0, "'%s' has %zu steps", row, strlen(row));
}

TEST(test_patterns_fill_bars)
{
    for (int i = 0; i < rv_n_grooves; i++)
        for (int k = 0; k < GROOVE_ROWS && rv_grooves[i].rows[k].hits; k++)
            check_row(rv_grooves[i].rows[k].hits, rv_grooves[i].metre);
    for (int i = 0; i < rv_n_drum_fills; i++)
        check_row(rv_drum_fills[i].hits, rv_drum_fills[i].metre);
    for (int i = 0; i < rv_n_compings; i++)
        check_row(rv_compings[i].strokes, rv_compings[i].metre);
}

/* Every style can be played: grooves and fills in its metres; and has its name in the list. */
TEST(test_styles_are_served)
{
    for (int i = 0; i < rv_n_styles; i++) {
        const rv_style *s = &rv_styles[i];
        CHECK(!strcmp(rv_compose_styles()[i], s->name));
        for (int metre = 0; metre < METRES; metre++) {
            int grooves = 0, fills = 0;
            for (int k = 0; k < rv_n_grooves; k++)
                grooves += rv_grooves[k].metre == metre && rv_grooves[k].styles & s->bit;
            for (int k = 0; k < rv_n_drum_fills; k++)
                fills += rv_drum_fills[k].metre == metre && rv_drum_fills[k].styles & s->bit;
            CHECK_MSG(!s->metres[metre] || (grooves > 1 && fills > 1), "%s lacks drums in metre %d",
                      s->name, metre);
        }
    }
    CHECK(!rv_compose_styles()[rv_n_styles]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_styles),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_same_on_every_machine),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_choruses_repeat_their_words),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_progressions),
        cmocka_unit_test(test_patterns_fill_bars),
        cmocka_unit_test(test_styles_are_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
