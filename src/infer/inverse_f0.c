/* inverse_f0.c - pitch of a stream by inverse synthesis, in the memory of a few seconds.
 *
 * The encoder normalises over time, and was trained on some seconds. So it hears windows that
 * overlap by half, and of each the middle half counts; of the first one what is before it, too, and
 * of the last one, which ends with the stream, what is behind:
 *
 *     window |   counts   |     |
 *                   |     |  counts   |     |
 *
 * What is between the model's frames is found along a line in semitones; frames more than a
 * semitone apart are two notes, of which the nearer counts.
 *
 *   confidence = H / (H + N + 1e-6)   of the powers of harmonics, A^2 sum of share^2 / 2, and of
 *                                     noise, mean of magnitude^2 / 3, that the model hears */
#include "infer/inverse_f0.h"

#include "base/status.h"
#include "dsp/resample.h"
#include "infer/inverse_network.h"
#include "io/hash64.h"
#include "io/mapping.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RESAMPLED = 4096 };

static const double window_seconds = 4, silence = 1e-6;

struct rv_inverse_f0 {
    rv_inverse_f0_options options;
    rv_f0_engine engine;
    char *model;
};

/* What is known of a frame of the model. */
typedef struct point {
    double hz, confidence;
} point;

typedef struct stream {
    const rv_inverse_f0_options *options;
    rv_feature_spec spec;
    rv_pool *pool;
    rv_inverse_network *network;
    rv_resampler *resampler;
    double rate;        /* of the model's frames */
    double offset;      /* of them, from where a row begins to what it tells of */
    size_t hop, window; /* samples of a frame, frames of a window: a multiple of 4 */
    float *sound;       /* [room], from frame `origin` on, at the model's rate */
    size_t room, held, origin;
    size_t next;      /* frame that the next window begins with */
    size_t known;     /* frames */
    point last;       /* frame known - 1 */
    uint64_t samples; /* at the stream's rate */
    float *rows;      /* [made, 3], of which `given` were pulled */
    size_t made, given, rows_room;
    uint64_t row; /* number of the next one */
} stream;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Rows -------------------------------------------------------------------------------------- */

static rv_status add_row(stream *s, point p, rv_error *err)
{
    if (s->made == s->rows_room) {
        const size_t room = 2 * s->rows_room + RESAMPLED;
        float *grown = realloc(s->rows, room * 3 * sizeof *grown);
        if (!grown)
            return RV_FAIL(err, RV_ERR_NOMEM, "pitch of %zu frames", room);
        s->rows = grown;
        s->rows_room = room;
    }
    float *row = s->rows + 3 * s->made++;
    const bool voiced =
        p.confidence >= s->options->threshold && p.hz >= s->spec.f0_min && p.hz <= s->spec.f0_max;
    row[0] = (float)p.hz;
    row[1] = (float)p.confidence;
    row[2] = voiced ? 1 : 0;
    s->row++;
    return RV_OK;
}

/* Share x of the way from a to b. */
static point between(point a, point b, double x)
{
    const double octaves = log2(b.hz / a.hz);
    const double hz = fabs(octaves) <= 1.0 / 12 ? a.hz * exp2(x * octaves) : x < 0.5 ? a.hz : b.hz;
    return (point){ hz, a.confidence + x * (b.confidence - a.confidence) };
}

/* Where the next row is, in frames of the model. */
static double place(const stream *s)
{
    return (double)s->row * s->rate / s->spec.frame_rate + s->offset;
}

/* Frame `known` of the model, and so the rows up to it. */
static rv_status add_point(stream *s, point p, rv_error *err)
{
    const point before = s->known > 0 ? s->last : p;
    const double start = (double)s->known - 1;
    for (double at = place(s); at <= (double)s->known; at = place(s))
        RV_TRY(add_row(s, between(before, p, at - start), err));
    s->last = p;
    s->known++;
    return RV_OK;
}

/* Windows ----------------------------------------------------------------------------------- */

static double mean_square(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return n > 0 ? sum / (double)n : 0;
}

static point point_of(const rv_inverse_config *c, const rv_inverse_heard *h, size_t frame)
{
    const size_t n = c->harmonic.n_harmonic, bands = c->sinusoidal.bands;
    const double amplitude = (double)h->amplitude[frame];
    const double shares = (double)n * mean_square(h->distribution + frame * n, n);
    const double harmonic = amplitude * amplitude * shares / 2;
    const double noise = mean_square(h->magnitudes + frame * bands, bands) / 3;
    return (point){ (double)h->f0[frame], harmonic / (harmonic + noise + silence) };
}

/* Frames of the window that begins with `start`, from the first unknown one up to `end`. */
static rv_status hear(stream *s, size_t start, size_t frames, size_t end, rv_error *err)
{
    const rv_inverse_config *c = rv_inverse_network_config(s->network);
    memcpy(rv_inverse_network_audio(s->network), s->sound + (start - s->origin) * s->hop,
           frames * s->hop * sizeof *s->sound);
    const rv_inverse_heard heard = rv_inverse_network_run(s->network);
    while (s->known < end)
        RV_TRY(add_point(s, point_of(c, &heard, s->known - start), err));
    return RV_OK;
}

/* Windows after which there is more. Half a window is kept: the last may begin so much earlier. */
static rv_status hear_windows(stream *s, rv_error *err)
{
    const size_t half = s->window / 2;
    while (s->held > (s->next - s->origin + s->window) * s->hop) {
        RV_TRY(hear(s, s->next, s->window, s->next + s->window - s->window / 4, err));
        s->next += half;
        const size_t drop = (s->next - half - s->origin) * s->hop;
        s->held -= drop;
        memmove(s->sound, s->sound + drop, s->held * sizeof *s->sound);
        s->origin = s->next - half;
    }
    return RV_OK;
}

static rv_status hear_last(stream *s, rv_error *err)
{
    const size_t frames = s->origin + (s->held + s->hop - 1) / s->hop;
    const size_t window = smaller(frames, s->window);
    memset(s->sound + s->held, 0, ((frames - s->origin) * s->hop - s->held) * sizeof *s->sound);
    if (window < s->window)
        RV_TRY(rv_inverse_network_plan(s->network, window, s->pool, err));
    return hear(s, frames - window, window, frames, err);
}

/* Samples at the stream's rate; NULL: the end. */
static rv_status take(stream *s, const float *samples, size_t n, rv_error *err)
{
    for (size_t used = 0, made = 1; used < n || (!samples && made > 0);) {
        size_t took = 0;
        const float *in = samples ? samples + used : NULL;
        RV_TRY(rv_resampler_process(s->resampler, samples ? &in : NULL, n - used, &took,
                                    &(float *){ s->sound + s->held }, s->room - s->held, &made,
                                    err));
        used += took;
        s->held += made;
        RV_TRY(hear_windows(s, err));
    }
    return RV_OK;
}

/* Streams ----------------------------------------------------------------------------------- */

static void close_stream(void *at)
{
    stream *s = at;
    if (!s)
        return;
    rv_inverse_network_free(s->network);
    rv_resampler_free(s->resampler);
    rv_pool_free(s->pool);
    free(s->sound);
    free(s->rows);
    free(s);
}

static rv_status start(stream *s, rv_error *err)
{
    RV_TRY(rv_pool_new(&s->pool, s->options->threads, NULL, err));
    RV_TRY(rv_inverse_network_open(&s->network, s->options->model, err));
    const rv_mel_config *mel = &rv_inverse_network_config(s->network)->sinusoidal.mel;
    s->hop = mel->hop;
    s->rate = mel->sample_rate / (double)mel->hop;
    s->window = (size_t)fmax(window_seconds * s->rate / 4, 1) * 4;
    if (s->spec.align == RV_FRAMES_STARTED)
        s->offset = (double)mel->n_fft / 2 / (double)mel->hop;
    s->room = (s->window + s->window / 2 + 1) * s->hop;
    if (!(s->sound = calloc(s->room, sizeof *s->sound)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu samples", s->room);
    RV_TRY(rv_inverse_network_plan(s->network, s->window, s->pool, err));
    return rv_resampler_new(&s->resampler, 1, s->spec.sample_rate, (int)mel->sample_rate, err);
}

static rv_status open_stream(void **out, const void *ctx, const rv_feature_spec *spec,
                             rv_error *err)
{
    const rv_inverse_f0 *c = ctx;
    if (!(spec->f0_min < spec->f0_max))
        return RV_FAIL(err, RV_ERR_ARG, "f0 from %g to %g Hz; the first is expected to be lower",
                       spec->f0_min, spec->f0_max);
    stream *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "a pitch tracker");
    s->options = &c->options;
    s->spec = *spec;
    const rv_status st = start(s, err);
    if (st == RV_OK)
        *out = s;
    else
        close_stream(s);
    return st;
}

static rv_status push(void *at, const float *samples, size_t n, rv_error *err)
{
    stream *s = at;
    s->samples += n;
    return take(s, samples, n, err);
}

static rv_status finish(void *at, rv_error *err)
{
    stream *s = at;
    const size_t rows = rv_feature_frames(&s->spec, s->samples);
    RV_TRY(take(s, NULL, 0, err));
    if (s->held > 0)
        RV_TRY(hear_last(s, err));
    while (s->known > 0 && s->row < rows) /* after the last frame */
        RV_TRY(add_row(s, s->last, err));
    return RV_OK;
}

static size_t pull(void *at, float *out, size_t room)
{
    stream *s = at;
    const size_t n = smaller(room, s->made - s->given);
    if (n > 0)
        memcpy(out, s->rows + 3 * s->given, 3 * n * sizeof *out);
    s->given += n;
    if (s->given == s->made)
        s->given = s->made = 0;
    return n;
}

/* The engine -------------------------------------------------------------------------------- */

static rv_status find_print(uint64_t *print, const rv_inverse_f0_options *o, rv_error *err)
{
    rv_mapping file = { 0 };
    RV_TRY(rv_mapping_open(&file, o->model, err));
    *print = rv_hash64(&o->threshold, sizeof o->threshold, rv_hash64(file.data, file.size, 0));
    rv_mapping_close(&file);
    return RV_OK;
}

static rv_status check(const rv_inverse_f0_options *o, rv_error *err)
{
    rv_inverse_network *n = NULL;
    if (!o->model)
        return RV_FAIL(err, RV_ERR_ARG, "f0 by ddsp_inv needs a model, as `ravel train` makes it");
    if (!(o->threshold >= 0 && o->threshold <= 1))
        return RV_FAIL(err, RV_ERR_ARG, "a threshold of f0 of %g; expected 0 to 1", o->threshold);
    RV_TRY(rv_inverse_network_open(&n, o->model, err));
    rv_inverse_network_free(n);
    return RV_OK;
}

static rv_status init(rv_inverse_f0 *c, const rv_inverse_f0_options *o, rv_error *err)
{
    RV_TRY(check(o, err));
    if (!(c->model = strdup(o->model)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", o->model);
    c->options = *o;
    c->options.model = c->model;
    c->engine = (rv_f0_engine){ .method = RV_F0_DDSP_INV,
                                .ctx = c,
                                .open = open_stream,
                                .push = push,
                                .finish = finish,
                                .pull = pull,
                                .close = close_stream };
    return find_print(&c->engine.print, o, err);
}

rv_status rv_inverse_f0_new(rv_inverse_f0 **out, const rv_inverse_f0_options *options,
                            rv_error *err)
{
    rv_inverse_f0 *c = calloc(1, sizeof *c);
    if (!c)
        return RV_FAIL(err, RV_ERR_NOMEM, "a pitch tracker");
    const rv_status st = init(c, options, err);
    if (st == RV_OK)
        *out = c;
    else
        rv_inverse_f0_free(c);
    return st;
}

void rv_inverse_f0_free(rv_inverse_f0 *c)
{
    if (!c)
        return;
    free(c->model);
    free(c);
}

const rv_f0_engine *rv_inverse_f0_engine(const rv_inverse_f0 *c)
{
    return &c->engine;
}
