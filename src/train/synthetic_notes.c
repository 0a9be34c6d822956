/* synthetic_notes.c - notes at random whose every control is known, to learn from before any real
 * sound: J. Engel et al., "Self-supervised Pitch Detection by Inverse Audio Synthesis", 2020.
 *
 * Notes follow one another. Each goes from one amplitude, one distribution of harmonics and one
 * filter of noise to another along a curve (1 - t)^p; its pitch stands still, trembles or glides;
 * and all of it wavers a little from frame to frame. Distributions are sums of cosines along the
 * harmonics, as formants are. Ranges are those of magenta/ddsp's generate_notes_v2; glides, and
 * that silent notes have a pitch, are ours.
 *
 * Such spectra are level on the whole, up to the last harmonic, as those of few instruments are.
 * Where nothing but notes is learned from they can fall, end early, and be quieter, too. */
#include "train/synthetic_notes.h"

#include "base/rng.h"

#include <math.h>

enum { MOST_COSINES = 20 };

/* Half a turn. */
static const double pi = 3.14159265358979323846;

rv_notes_config rv_notes_defaults(void)
{
    return (rv_notes_config){ .frames = 125,
                              .n_harmonic = 100,
                              .bands = 65,
                              .sample_rate = 16000,
                              .note_min = 24,
                              .note_max = 84,
                              .shortest = 5,
                              .longest = 25,
                              .silent = 0.1,
                              .vibrato = 0.5,
                              .glide = 0.2 };
}

/* Random numbers one after the other. */
typedef struct {
    uint64_t seed, stream, at;
} dice;

static double between(dice *d, double from, double to)
{
    return from + (to - from) * rv_rng_uniform(d->seed, d->stream, d->at++);
}

static double normal(dice *d)
{
    return rv_rng_normal(d->seed, d->stream, d->at++);
}

static size_t whole_between(dice *d, size_t from, size_t to)
{
    return from + (size_t)rv_rng_below(d->seed, d->stream, d->at++, to - from + 1);
}

static int happens(dice *d, double probability)
{
    return between(d, 0, 1) < probability;
}

/* From 1 to 0 over a note, fast at first or fast at the end. */
typedef struct {
    double power;
} curve;

static curve any_curve(dice *d)
{
    return (curve){ exp2(between(d, -2, 2)) };
}

/* Frame t of n of the way from `from` to `to`. */
static double along(curve c, size_t t, size_t n, double from, double to)
{
    const double share = n > 1 ? pow(1 - (double)t / (double)(n - 1), c.power) : 1;
    return share * from + (1 - share) * to;
}

/* A sum of cosines over n places, before any scaling. */
typedef struct {
    struct {
        double level, turns, phase, last, power;
    } cosine[MOST_COSINES];
    size_t count, places;
} formants;

static formants any_formants(dice *d, size_t places, int low_pass, double phases)
{
    formants f = { .count = whole_between(d, 1, MOST_COSINES), .places = places };
    const double smooth = between(d, 1, 10);
    for (size_t i = 0; i < f.count; i++) {
        f.cosine[i].level = between(d, 0, 1);
        f.cosine[i].turns = between(d, 0, 1) * (double)places / smooth;
        f.cosine[i].phase = between(d, 0, phases);
        f.cosine[i].last = low_pass ? between(d, 0, 0.5) : 1;
        f.cosine[i].power = between(d, 0.5, 2);
    }
    return f;
}

static double formant_at(const formants *f, size_t place)
{
    const double x = f->places > 1 ? (double)place / (double)(f->places - 1) : 0;
    double sum = 0;
    for (size_t i = 0; i < f->count; i++) {
        const double tone = cos(2 * pi * (f->cosine[i].turns * x + f->cosine[i].phase));
        const double fall = 1 + x * (f->cosine[i].last - 1);
        sum += f->cosine[i].level * tone * pow(fall, f->cosine[i].power);
    }
    return sum;
}

/* From one to another. */
typedef struct {
    formants from, to;
    curve curve;
    double waver, less;
} colour;

static colour any_colour(dice *d, size_t places, double most_waver, double least, double most)
{
    const int low_pass = happens(d, 0.8);
    const double phases = between(d, 0, 0.4);
    colour c = { .from = any_formants(d, places, low_pass, phases) };
    c.to = any_formants(d, places, low_pass, phases);
    c.curve = any_curve(d);
    c.waver = between(d, 0, most_waver);
    c.less = between(d, least, most);
    return c;
}

static void colour_frames(dice *d, const colour *c, size_t frames, float *to)
{
    const size_t n = c->from.places;
    for (size_t place = 0; place < n; place++) {
        const double from = formant_at(&c->from, place), end = formant_at(&c->to, place);
        for (size_t t = 0; t < frames; t++)
            to[t * n + place] =
                (float)(along(c->curve, t, frames, from, end) + c->waver * normal(d) - c->less);
    }
}

/* Logarithms of harmonics that fall, and of which there may be few, down to a sine. */
static void thin_frames(const rv_notes_config *c, dice *d, size_t frames, float *to)
{
    const size_t n = c->n_harmonic;
    const double fall = between(d, 0, c->fall) * log(10) / 20;
    const double count = exp2(between(d, 0, log2((double)n)));
    const size_t last = happens(d, c->few) ? (size_t)count : n;
    for (size_t k = 0; k < n; k++) {
        const float less = k < last ? (float)(fall * log2((double)(k + 1))) : INFINITY;
        for (size_t t = 0; t < frames; t++)
            to[t * n + k] -= less;
    }
}

/* As the controls that a network says, see rv_scale_amplitude(). */
static double scaled(double x)
{
    return 2 * pow(1 / (1 + exp(-x)), log(10)) + 1e-7;
}

/* Softmax of one frame's harmonics below half the sample rate. */
static void share_out(const rv_notes_config *c, float *x, double f0)
{
    double most = -INFINITY, sum = 0;
    for (size_t k = 0; k < c->n_harmonic; k++)
        most = fmax(most, (double)x[k]);
    for (size_t k = 0; k < c->n_harmonic; k++) {
        const int heard = f0 * (double)(k + 1) < c->sample_rate / 2;
        x[k] = heard ? (float)exp((double)x[k] - most) : 0;
        sum += (double)x[k];
    }
    for (size_t k = 0; k < c->n_harmonic && sum > 0; k++)
        x[k] = (float)((double)x[k] / sum);
}

static void pitch_frames(const rv_notes_config *c, dice *d, size_t frames, float *f0)
{
    const double note = between(d, c->note_min, c->note_max);
    const double vibrato = happens(d, c->vibrato), glide = happens(d, c->glide);
    const double from = vibrato * between(d, 0, 1), to = vibrato * between(d, 0, 1);
    const double periods = between(d, 0, 2 * (double)frames / (double)c->shortest);
    const double way = glide * between(d, -3, 3), waver = between(d, 0, 0.1);
    const curve depth = any_curve(d), path = any_curve(d);
    for (size_t t = 0; t < frames; t++) {
        const double x = frames > 1 ? (double)t / (double)(frames - 1) : 0;
        const double tremble = along(depth, t, frames, from, to) * sin(2 * pi * periods * x);
        const double at = note + tremble + along(path, t, frames, 0, way) + waver * normal(d);
        f0[t] = (float)(440 * exp2((at - 69) / 12));
    }
}

static void level_frames(const rv_notes_config *c, dice *d, size_t frames, double less, float *to)
{
    const int silent = happens(d, c->silent);
    const double from = between(d, -1, 3), end = between(d, -1, 3), waver = between(d, 0, 0.1);
    const curve path = any_curve(d);
    for (size_t t = 0; t < frames; t++) {
        const double x = along(path, t, frames, from, end) + waver * normal(d);
        to[t] = (float)(scaled(silent ? -10 : x) / less);
    }
}

void rv_notes_fill(const rv_notes_config *c, uint64_t index, float *amplitude, float *distribution,
                   float *f0, float *magnitudes)
{
    dice d = { .seed = c->seed, .stream = index }, thinner = { .seed = c->seed, .stream = ~index };
    const double most = happens(&d, 0.2) ? between(&d, 2, 10) : 2, less = between(&d, 1, most);
    const double quiet = pow(10, between(&thinner, 0, c->quiet) / 20);
    for (size_t t = 0, n; t < c->frames; t += n) {
        n = whole_between(&d, c->shortest, c->longest);
        n = n < c->frames - t ? n : c->frames - t;
        pitch_frames(c, &d, n, f0 + t);
        level_frames(c, &d, n, less * quiet, amplitude + t);
        const colour tone = any_colour(&d, c->n_harmonic, 0.5, 0, 0);
        colour_frames(&d, &tone, n, distribution + t * c->n_harmonic);
        thin_frames(c, &thinner, n, distribution + t * c->n_harmonic);
        const colour noise = any_colour(&d, c->bands, 0.2, 1, 10);
        colour_frames(&d, &noise, n, magnitudes + t * c->bands);
    }
    for (size_t t = 0; t < c->frames; t++)
        share_out(c, distribution + t * c->n_harmonic, (double)f0[t]);
    for (size_t i = 0; i < c->frames * c->bands; i++)
        magnitudes[i] = (float)(scaled((double)magnitudes[i]) / quiet);
}
