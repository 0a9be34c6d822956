/* synth_params.c - parameters of a sound played as they are, by no model: f0_hz [F], amplitude [F]
 * and harmonic_distribution [F,K] by the harmonic synthesiser, noise_magnitudes [F,B] by the noise
 * synthesiser, at the file's sample_rate and frame_rate. As `ravel separate --params` and `ravel
 * synth --params` write them.
 *
 * Pitch and time are changed where they stand: f0 is multiplied, frames lie further apart. Where f0
 * is 0 or NaN there are no harmonics, and the phase goes on at the pitch before. */
#include "api/synth_params.h"

#include "base/status.h"
#include "ddsp/stream_filter.h"
#include "ddsp/stream_harmonic.h"
#include "io/npz_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8192, MOST_COLUMNS = 4096, MOST_HOP = 1 << 20 };

typedef struct voice {
    rv_stream *stream;
    float *frame; /* its controls */
    size_t given; /* frames */
    float *audio; /* [BLOCK] */
} voice;

struct rv_synth_params {
    const char *path;
    const rv_synth_options *options;
    rv_npz *npz;
    const rv_npy *f0, *amplitude, *distribution, *magnitudes;
    double sample_rate;
    size_t frames, hop, n_harmonic, n_bands;
    voice harmonics, noise;
    float held; /* f0 before, Hz, shifted */
};

/* Reading ---------------------------------------------------------------------------------- */

static rv_status find(const rv_npy **out, const rv_synth_params *p, const char *name, int rank,
                      rv_error *err)
{
    RV_TRY(rv_npz_find(out, p->npz, name, err));
    const rv_npy *a = *out;
    const char *shape = rank == 0 ? "a number" : rank == 1 ? "[frames]" : "[frames, columns]";
    if (!a || (rank == 0 ? a->count != 1 : a->rank != rank) || a->count == 0)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %s, %s, is expected to play it without a model",
                       p->path, name, shape);
    if (rank > 0 && p->frames > 0 && a->shape[0] != p->frames)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %s has %zu frames, f0_hz %zu", p->path, name,
                       a->shape[0], p->frames);
    return RV_OK;
}

static rv_status find_rates(rv_synth_params *p, rv_error *err)
{
    const rv_npy *rate, *frame_rate;
    RV_TRY(find(&rate, p, "sample_rate", 0, err));
    RV_TRY(find(&frame_rate, p, "frame_rate", 0, err));
    p->sample_rate = rv_npy_value(rate, 0);
    const double hop = p->sample_rate / rv_npy_value(frame_rate, 0) * p->options->stretch;
    if (!(p->sample_rate >= 1000 && p->sample_rate <= 768000) || !(hop >= 1 && hop <= MOST_HOP))
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: sample_rate %g, frame_rate %g: 1000 to 768000 Hz and 1 to %d samples a "
                       "frame are possible",
                       p->path, p->sample_rate, rv_npy_value(frame_rate, 0), MOST_HOP);
    p->hop = (size_t)floor(hop + 0.5);
    return RV_OK;
}

static rv_status find_all(rv_synth_params *p, rv_error *err)
{
    RV_TRY(find_rates(p, err));
    RV_TRY(find(&p->f0, p, "f0_hz", 1, err));
    p->frames = p->f0->count;
    RV_TRY(find(&p->amplitude, p, "amplitude", 1, err));
    RV_TRY(find(&p->distribution, p, "harmonic_distribution", 2, err));
    RV_TRY(find(&p->magnitudes, p, "noise_magnitudes", 2, err));
    p->n_harmonic = p->distribution->shape[1];
    p->n_bands = p->magnitudes->shape[1];
    if (p->n_harmonic > MOST_COLUMNS || p->n_bands > MOST_COLUMNS || p->n_bands < 2)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: %zu harmonics, %zu bands of noise: up to %d, and 2 bands at least",
                       p->path, p->n_harmonic, p->n_bands, MOST_COLUMNS);
    return RV_OK;
}

static rv_status read_row(const rv_synth_params *p, const rv_npy *a, const char *name, size_t row,
                          float *out, size_t n, rv_error *err)
{
    rv_npy_read(a, row * n, n, out);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(out[i]))
            return RV_FAIL(err, RV_ERR_FORMAT, "%s: %s of frame %zu is %g", p->path, name, row,
                           (double)out[i]);
    return RV_OK;
}

static double hertz(const rv_synth_params *p, size_t row)
{
    const double hz = rv_npy_value(p->f0, row) * exp2(p->options->pitch_shift / 12);
    return hz > 0 && hz < p->sample_rate / 2 ? hz : 0; /* 0 for NaN, too */
}

/* Frames ----------------------------------------------------------------------------------- */

/* f0, and the amplitude of each harmonic below half the sample rate; the last frame stays. */
static rv_status next_harmonics(rv_synth_params *p, rv_error *err)
{
    voice *v = &p->harmonics;
    float amplitude, *shares = v->frame + 1;
    const size_t row = v->given < p->frames ? v->given : p->frames - 1;
    const double hz = hertz(p, row), gain = pow(10, p->options->harmonics_gain / 20);
    RV_TRY(read_row(p, p->amplitude, "amplitude", row, &amplitude, 1, err));
    RV_TRY(read_row(p, p->distribution, "harmonic_distribution", row, shares, p->n_harmonic, err));
    p->held = hz > 0 ? (float)hz : p->held;
    v->frame[0] = p->held;
    for (size_t k = 0; k < p->n_harmonic; k++) {
        const bool sounds = hz > 0 && (double)(k + 1) * hz < p->sample_rate / 2;
        shares[k] = sounds ? (float)((double)(amplitude * shares[k]) * gain) : 0;
    }
    v->given++;
    return RV_OK;
}

/* Nothing after the last one. */
static rv_status next_noise(rv_synth_params *p, rv_error *err)
{
    voice *v = &p->noise;
    const size_t row = v->given++;
    const float gain = (float)pow(10, p->options->noise_gain / 20);
    memset(v->frame, 0, p->n_bands * sizeof *v->frame);
    if (row < p->frames)
        RV_TRY(read_row(p, p->magnitudes, "noise_magnitudes", row, v->frame, p->n_bands, err));
    for (size_t b = 0; b < p->n_bands; b++)
        v->frame[b] *= gain;
    return RV_OK;
}

/* Playing ---------------------------------------------------------------------------------- */

static rv_status make(rv_synth_params *p, voice *v, size_t n, rv_error *err)
{
    for (size_t made = 0; made < n;) {
        made += rv_stream_process(v->stream, NULL, v->audio + made, n - made);
        if (made < n) {
            RV_TRY(v == &p->noise ? next_noise(p, err) : next_harmonics(p, err));
            rv_stream_give(v->stream, v->frame);
        }
    }
    return RV_OK;
}

rv_status rv_synth_params_play(rv_synth_params *p, const rv_play_sink *sink, rv_error *err)
{
    const size_t all = p->frames * p->hop;
    RV_TRY(make(p, &p->noise, rv_stream_latency(p->noise.stream), err));
    for (size_t at = 0; at < all; at += BLOCK) {
        const size_t n = all - at < BLOCK ? all - at : BLOCK;
        RV_TRY(make(p, &p->harmonics, n, err));
        RV_TRY(make(p, &p->noise, n, err));
        for (size_t t = 0; t < n; t++)
            p->noise.audio[t] += p->harmonics.audio[t];
        RV_TRY(sink->audio(sink->ctx, p->noise.audio, n, err));
        if (sink->watch && sink->watch(sink->ctx, (double)(at + n) / (double)all))
            return RV_FAIL(err, RV_ERR_CANCELLED, "stopped on request");
    }
    return RV_OK;
}

/* Opening ---------------------------------------------------------------------------------- */

static rv_status open_streams(rv_synth_params *p, rv_error *err)
{
    const rv_stream_harmonic_config harmonic = { .sample_rate = p->sample_rate,
                                                 .hop = p->hop,
                                                 .n_harmonic = p->n_harmonic,
                                                 .frequency = RV_UPSAMPLE_LINEAR,
                                                 .amplitude = RV_UPSAMPLE_HANN };
    rv_stream_noise_config noise = {
        .hop = p->hop, .bands = p->n_bands, .noise = rv_noise_defaults(), .seed = p->options->seed
    };
    noise.noise.scale = false;
    RV_TRY(rv_stream_harmonic_new(&p->harmonics.stream, &harmonic, NULL, err));
    RV_TRY(rv_stream_noise_new(&p->noise.stream, &noise, NULL, err));
    p->harmonics.frame = calloc(p->n_harmonic + 1, sizeof(float));
    p->harmonics.audio = calloc(BLOCK, sizeof(float));
    p->noise.frame = calloc(p->n_bands, sizeof(float));
    p->noise.audio = calloc(BLOCK, sizeof(float));
    if (!p->harmonics.frame || !p->harmonics.audio || !p->noise.frame || !p->noise.audio ||
        rv_stream_latency(p->noise.stream) > BLOCK)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", p->path);
    return RV_OK;
}

/* The pitch before the first one with harmonics. */
static void hold_first(rv_synth_params *p)
{
    for (size_t i = 0; i < p->frames && !(p->held > 0); i++)
        p->held = (float)hertz(p, i);
}

rv_status rv_synth_params_open(rv_synth_params **out, const char *path, const rv_synth_options *o,
                               rv_error *err)
{
    rv_synth_params *p = calloc(1, sizeof *p);
    if (!p)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    p->path = path;
    p->options = o;
    rv_status st = rv_npz_open(&p->npz, path, err);
    if (st == RV_OK)
        st = find_all(p, err);
    if (st == RV_OK)
        st = open_streams(p, err);
    if (st != RV_OK) {
        rv_synth_params_close(p);
        return st;
    }
    hold_first(p);
    *out = p;
    return RV_OK;
}

static void close_voice(voice *v)
{
    rv_stream_free(v->stream);
    free(v->frame);
    free(v->audio);
}

void rv_synth_params_close(rv_synth_params *p)
{
    if (!p)
        return;
    close_voice(&p->harmonics);
    close_voice(&p->noise);
    rv_npz_free(p->npz);
    free(p);
}

void rv_synth_params_report(const rv_synth_params *p, rv_synth_report *report)
{
    report->sample_rate = (int)p->sample_rate;
    report->frames = p->frames;
    for (size_t i = 0; i < p->frames; i++)
        report->voiced += hertz(p, i) > 0;
}
