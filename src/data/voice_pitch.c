/* voice_pitch.c - how singers move from note to note, and around it (J. Sundberg, "The science of
 * the singing voice", 1987: vibrato of 5 to 7 Hz that grows in; glides of 40 to 120 ms). */
#include "base/rng.h"
#include "data/voice_score.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* Notes with less between them are sung on one breath. Share of a glide that is before the note. */
static const double legato_gap = 0.06, early = 0.4;

enum {
    GLIDE,
    SCOOP_OR_NOT,
    SCOOP,
    VIBRATO_START,
    VIBRATO_RATE,
    VIBRATO_DEPTH,
    VIBRATO_SIDE,
    DRIFT
};

static double draw(const rv_voice_take *take, uint64_t what, size_t note, double low, double high)
{
    return low + (high - low) * rv_rng_uniform(take->seed, 100 + what, note);
}

/* 0 before, 1 after, without a corner */
static double ease(double x)
{
    return x <= 0 ? 0 : x >= 1 ? 1 : 0.5 - 0.5 * cos(pi * x);
}

static double note_cents(const rv_sung_note *note)
{
    return 100 * (note->pitch - 69);
}

bool rv_voice_legato(const rv_sung_note *notes, size_t i)
{
    return i > 0 && notes[i].start - notes[i - 1].start - notes[i - 1].duration < legato_gap;
}

static double glide_length(const rv_sung_note *notes, size_t i, const rv_voice_take *take)
{
    const double far = fmin(1, fabs(notes[i].pitch - notes[i - 1].pitch) / 7);
    const double length = draw(take, GLIDE, i, 0.04, 0.08) * (1 + 0.5 * far);
    return fmin(length, 0.5 * fmin(notes[i].duration, notes[i - 1].duration));
}

/* From the note before, or from a little below. */
static double arrival(const rv_sung_note *notes, size_t i, double t, const rv_voice_take *take)
{
    const double since = t - notes[i].start;
    if (rv_voice_legato(notes, i)) {
        const double step = note_cents(&notes[i - 1]) - note_cents(&notes[i]);
        return step * (1 - ease(early + since / glide_length(notes, i, take)));
    }
    if (draw(take, SCOOP_OR_NOT, i, 0, 1) < 0.4)
        return 0;
    return -draw(take, SCOOP, i, 40, 160) * (1 - ease((since + 0.06) / 0.15));
}

static double vibrato(const rv_sung_note *note, size_t i, double t, const rv_voice_take *take)
{
    const double since = t - note->start - draw(take, VIBRATO_START, i, 0.25, 0.4);
    if (note->duration < 0.45 || since < 0)
        return 0;
    const double rate = take->vibrato_rate * draw(take, VIBRATO_RATE, i, 0.94, 1.06);
    const double depth = take->vibrato_depth * draw(take, VIBRATO_DEPTH, i, 0.5, 1.2);
    const double side = draw(take, VIBRATO_SIDE, i, -1, 1) < 0 ? -1 : 1;
    return side * depth * ease(since / 0.6) * sin(2 * pi * rate * since);
}

/* Three slow waves that never meet again; at most 5 cents. */
static double drift(double t, const rv_voice_take *take)
{
    double sum = 0;
    for (size_t i = 0; i < 3; i++) {
        const double rate = draw(take, DRIFT, 2 * i, 0.3, 1.0) * (double)(i + 1);
        sum += sin(2 * pi * (rate * t + draw(take, DRIFT, 2 * i + 1, 0, 1)));
    }
    return 5.0 / 3 * sum;
}

/* When the voice leaves note i for the next one. */
static double leaving(const rv_sung_note *notes, size_t i, const rv_voice_take *take)
{
    if (rv_voice_legato(notes, i + 1))
        return notes[i + 1].start - early * glide_length(notes, i + 1, take);
    const double end = notes[i].start + notes[i].duration;
    return end + fmin(0.15, 0.5 * (notes[i + 1].start - end));
}

/* Running mean of five steps: vibrato that ends with its note leaves no corner. */
static void round_corners(float *cents, size_t count)
{
    float before[2] = { count ? cents[0] : 0, count ? cents[0] : 0 };
    for (size_t i = 0; i < count; i++) {
        const float here = cents[i];
        const float next = cents[i + 1 < count ? i + 1 : count - 1];
        const float after = cents[i + 2 < count ? i + 2 : count - 1];
        cents[i] = (before[0] + before[1] + here + next + after) / 5;
        before[0] = before[1];
        before[1] = here;
    }
}

void rv_voice_pitch(float *cents, size_t count, const rv_sung_note *notes, size_t n,
                    const rv_voice_take *take)
{
    for (size_t step = 0, i = 0; step < count; step++) {
        const double t = (double)step * RV_VOICE_STEP;
        while (i + 1 < n && t >= leaving(notes, i, take))
            i++;
        cents[step] = (float)(note_cents(&notes[i]) + arrival(notes, i, t, take) +
                              vibrato(&notes[i], i, t, take) + drift(t, take) + take->detune);
    }
    round_corners(cents, count);
}
