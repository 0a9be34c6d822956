/* voice_score.c - where in its syllable the voice is. As singers do, the vowel begins on the beat:
 * consonants before it are sung before the note's start, those after it before the note's end, both
 * as long as spoken. The vowel's beginning and end (where it glides to the next sound) keep their
 * speed, too; its middle lasts as long as the note wants. */
#include "data/voice_score.h"

#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846;

/* Shares of the vowel before and after the part that is stretched. */
static const double vowel_head = 0.4, vowel_tail = 0.35;

/* Seconds; a short rest is no time to breathe. */
static const double longest_onset = 0.22, longest_coda = 0.3, shortest_breath_rest = 0.4;

enum { BREATH_OR_NOT = 200, BREATH_LENGTH, WANDER };

/* The notes of one syllable; in seconds: */
typedef struct sung {
    const rv_voice_sound *sound;
    size_t first, last; /* note, note */
    double begin, vowel, coda, end;
    double from, to; /* frames of the sound that are used */
    bool legato_in, legato_out;
} sung;

typedef struct scorer {
    rv_voice_control *control;
    size_t count;
    const rv_sung_note *notes;
    const rv_voice_take *take;
    sung *all;
    size_t n;
} scorer;

static double note_end(const rv_sung_note *note)
{
    return note->start + note->duration;
}

/* One syllable per note that has a sound; a note without one after a rest repeats the vowel. */
static void gather(scorer *s, const rv_voice_sound *const *sounds, size_t n)
{
    const rv_voice_sound *now = NULL;
    for (size_t i = 0; i < n; i++) {
        const bool legato = rv_voice_legato(s->notes, i);
        now = sounds[i] ? sounds[i] : now;
        if (!now)
            continue;
        if (!sounds[i] && legato && s->n > 0) {
            s->all[s->n - 1].last = i;
            continue;
        }
        s->all[s->n] =
            (sung){ .sound = now, .first = i, .last = i, .legato_in = legato && s->n > 0 };
        s->all[s->n].from = sounds[i] ? 0 : (double)now->core_begin;
        s->all[s->n].to = (double)now->count;
        if (s->n > 0)
            s->all[s->n - 1].legato_out = s->all[s->n].legato_in;
        s->n++;
    }
}

/* Where syllables touch, the voice does not fade as at the ends of speech. */
static bool faded(const rv_voice_sound *sound, size_t frame)
{
    return sound->frames[frame].noise[0] < 0.5f &&
           sound->frames[frame].level < sound->core_level - 2.8f;
}

static void trim(sung *g)
{
    while (g->legato_in && g->from < (double)g->sound->core_begin &&
           faded(g->sound, (size_t)g->from))
        g->from++;
    while (g->legato_out && g->to > (double)g->sound->core_end &&
           faded(g->sound, (size_t)g->to - 1))
        g->to--;
}

/* Consonants take their time from the rest or the vowel before. */
static void place(scorer *s, size_t i)
{
    sung *g = &s->all[i], *before = i > 0 ? g - 1 : NULL;
    const double start = s->notes[g->first].start;
    trim(g);
    double room = start;
    if (before)
        room = g->legato_in ? 0.45 * (start - before->vowel) : start - before->end;
    const double onset = ((double)g->sound->core_begin - g->from) * RV_VOICE_STEP;
    g->vowel = start;
    g->begin = start - fmin(fmin(onset, longest_onset), fmax(room, 0));
    g->end = note_end(&s->notes[g->last]);
    if (g->legato_in) {
        const double length = before->end - before->coda;
        before->end = g->begin;
        before->coda = fmax(before->vowel, before->end - length);
    }
    const double coda = (g->to - (double)g->sound->core_end) * RV_VOICE_STEP;
    g->coda = g->end - fmin(fmin(coda, longest_coda), 0.45 * (g->end - g->vowel));
}

/* Frames of the vowel from its beginning, `t` seconds after its beginning in a vowel of `length`.
 */
static double vowel_position(double frames, double t, double length)
{
    const double natural = frames * RV_VOICE_STEP;
    if (length <= natural)
        return frames * t / length;
    const double head = vowel_head * natural, tail = vowel_tail * natural;
    if (t < head)
        return t / RV_VOICE_STEP;
    if (t > length - tail)
        return frames - (length - t) / RV_VOICE_STEP;
    const double x = (t - head) / (length - head - tail);
    return (vowel_head + (1 - vowel_head - vowel_tail) * x) * frames;
}

static double ratio(double t, double from, double to)
{
    return to > from ? (t - from) / (to - from) : 1;
}

static double position(const scorer *s, const sung *g, double t)
{
    const double core_begin = (double)g->sound->core_begin, core_end = (double)g->sound->core_end;
    if (t < g->vowel)
        return g->from + ratio(t, g->begin, g->vowel) * (core_begin - g->from);
    if (t >= g->coda)
        return core_end + ratio(t, g->coda, g->end) * (g->to - core_end);
    const double frames = core_end - core_begin, length = g->coda - g->vowel;
    const double still = vowel_position(frames, t - g->vowel, length);
    /* A held vowel is never quite still. */
    const double phase = rv_rng_uniform(s->take->seed, WANDER, g->first);
    const double wander =
        0.06 * frames * sin(2 * pi * (1.3 * t + phase)) * fmin(1, fmin(t - g->vowel, g->coda - t));
    return core_begin + fmin(fmax(still + wander, 0), frames);
}

static double ease(double x)
{
    return x <= 0 ? 0 : x >= 1 ? 1 : 0.5 - 0.5 * cos(pi * x);
}

/* Attack and release where nothing is sung before or after; a long note swells a little. */
static double shape(const sung *g, double t)
{
    const double length = g->end - g->begin;
    double gain = 1 + 0.12 * fmin(1, length) * sin(pi * ratio(t, g->begin, g->end));
    if (!g->legato_in)
        gain *= ease((t - g->begin + RV_VOICE_STEP) / fmin(0.03, 0.2 * length));
    if (!g->legato_out)
        gain *= ease((g->end - t) / fmin(0.09, 0.3 * length));
    return gain;
}

static double velocity_at(const scorer *s, const sung *g, double t)
{
    size_t i = g->first;
    while (i < g->last && t >= s->notes[i + 1].start)
        i++;
    if (i == g->first)
        return s->notes[i].velocity;
    const double x = ease((t - s->notes[i].start) / 0.06);
    return s->notes[i - 1].velocity + x * (s->notes[i].velocity - s->notes[i - 1].velocity);
}

static void sing(scorer *s, const sung *g)
{
    const size_t from = (size_t)fmax(ceil(g->begin / RV_VOICE_STEP), 0);
    for (size_t i = from; i < s->count && (double)i * RV_VOICE_STEP < g->end; i++) {
        const double t = (double)i * RV_VOICE_STEP, velocity = velocity_at(s, g, t);
        rv_voice_control *c = &s->control[i];
        c->sound = g->sound;
        c->position = (float)position(s, g, t);
        c->strength = (float)velocity;
        c->gain = (float)(shape(g, t) * (0.25 + 0.75 * velocity) *
                          exp(-0.5 * (double)g->sound->core_level));
        c->air = 0;
    }
}

/* Breath is drawn in before a phrase: through the shape of the mouth that will sing. */
static void breathe(scorer *s, size_t i)
{
    const sung *g = &s->all[i];
    const double rest = g->begin - (i > 0 ? g[-1].end : 0);
    if (rest < shortest_breath_rest || s->take->breath <= 0 ||
        rv_rng_uniform(s->take->seed, BREATH_OR_NOT, g->first) < 0.25)
        return;
    const double wanted = 0.18 + 0.25 * rv_rng_uniform(s->take->seed, BREATH_LENGTH, g->first);
    const double length = fmin(wanted, rest - 0.15), from = g->begin - 0.06 - length;
    for (size_t k = (size_t)ceil(from / RV_VOICE_STEP); k < s->count; k++) {
        const double x = ((double)k * RV_VOICE_STEP - from) / length;
        if (x >= 1)
            return;
        const double gain = ease(x / 0.7) * ease((1 - x) / 0.25);
        s->control[k] = (rv_voice_control){
            .sound = g->sound,
            .position = (float)(0.5 * (double)(g->sound->core_begin + g->sound->core_end)),
            .gain = (float)(gain * s->take->breath * exp(-0.5 * (double)g->sound->core_level)),
            .air = 1,
        };
    }
}

rv_status rv_voice_score(rv_voice_control *control, size_t count, const rv_sung_note *notes,
                         const rv_voice_sound *const *sounds, size_t n, const rv_voice_take *take,
                         rv_error *err)
{
    scorer s = { .control = control, .count = count, .notes = notes, .take = take };
    s.all = malloc((n + 1) * sizeof *s.all);
    float *cents = malloc((count + 1) * sizeof *cents);
    if (!s.all || !cents) {
        free(s.all);
        free(cents);
        return RV_FAIL(err, RV_ERR_NOMEM, "score of %zu notes", n);
    }
    for (size_t i = 0; i < count; i++)
        control[i] = (rv_voice_control){ 0 };
    gather(&s, sounds, n);
    for (size_t i = 0; i < s.n; i++)
        place(&s, i);
    for (size_t i = 0; i < s.n; i++) {
        breathe(&s, i);
        sing(&s, &s.all[i]);
    }
    rv_voice_pitch(cents, count, notes, n, take);
    for (size_t i = 0; i < count; i++)
        control[i].hertz = (float)(440 * exp2((double)cents[i] / 1200));
    free(s.all);
    free(cents);
    return RV_OK;
}
