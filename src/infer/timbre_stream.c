/* timbre_stream.c - z of a signal of any length: the encoder normalises over time, and was trained
 * on some seconds. So it hears windows of four seconds that overlap by half, and fades from each to
 * the next: the start of a window, where its GRU has heard nothing yet, does not count. The last
 * window ends with the signal. */
#include "infer/timbre_stream.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double window_seconds = 4;

struct rv_timbre_stream {
    const rv_play_source *source;
    rv_autoencoder_timbre encoder;
    size_t width, hop; /* channels of z; frames between windows */
    double rows;       /* of MFCC for a frame */
    size_t at;         /* the next frame */
    size_t windows;    /* encoded */
    size_t start[2];   /* of the last window but one and the last, in frames */
    float *z[2];       /* [window,width] */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t rows_of(double rows, size_t frames)
{
    const size_t n = (size_t)floor((double)frames * rows + 0.5);
    return n > 0 ? n : 1;
}

static rv_status init(rv_timbre_stream *s, const rv_autoencoder_network *n, rv_pool *pool,
                      rv_error *err)
{
    const rv_autoencoder_config *c = rv_autoencoder_network_config(n);
    const double rate = (double)c->sample_rate / (double)c->hop;
    const size_t usual = (size_t)(window_seconds * rate / 2) * 2;
    const size_t window = smaller(usual > 2 ? usual : 2, s->source->frames);
    s->width = c->decoder.z;
    s->hop = window > 1 ? window / 2 : 1;
    s->rows = c->features.mfcc_rate > 0 ? c->features.mfcc_rate / rate : 1;
    for (int i = 0; i < 2; i++)
        if (!(s->z[i] = calloc(window * s->width, sizeof *s->z[i])))
            return RV_FAIL(err, RV_ERR_NOMEM, "timbre of %zu frames", window);
    const size_t rows = smaller(rows_of(s->rows, window), s->source->mfcc_rows);
    return rv_autoencoder_timbre_init(&s->encoder, n, rows, window, pool, err);
}

rv_status rv_timbre_stream_new(rv_timbre_stream **out, const rv_autoencoder_network *n,
                               const rv_play_source *source, rv_pool *pool, rv_error *err)
{
    rv_timbre_stream *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "a stream of timbre");
    s->source = source;
    const rv_status st = init(s, n, pool, err);
    if (st != RV_OK) {
        rv_timbre_stream_free(s);
        return st;
    }
    *out = s;
    return RV_OK;
}

void rv_timbre_stream_free(rv_timbre_stream *s)
{
    if (!s)
        return;
    rv_autoencoder_piece_free(s->encoder.piece);
    free(s->z[0]);
    free(s->z[1]);
    free(s);
}

/* The next window becomes the last one. */
static rv_status encode(rv_timbre_stream *s, rv_error *err)
{
    const size_t window = s->encoder.frames;
    const size_t start = smaller(s->windows * s->hop, s->source->frames - window);
    const size_t row = (size_t)floor((double)start * s->rows + 0.5);
    const size_t first = smaller(row, s->source->mfcc_rows - s->encoder.rows);
    RV_TRY(s->source->read_mfcc(s->source->ctx, first, s->encoder.rows, s->encoder.mfcc, err));
    rv_autoencoder_piece_run(s->encoder.piece);
    float *oldest = s->z[0];
    s->z[0] = s->z[1];
    s->z[1] = memcpy(oldest, s->encoder.z, window * s->width * sizeof *oldest);
    s->start[0] = s->start[1];
    s->start[1] = start;
    s->windows++;
    return RV_OK;
}

/* Frame s->at, between the last two windows. */
static void mix(const rv_timbre_stream *s, float *out)
{
    const size_t into = s->at - (s->windows - 1) * s->hop;
    const bool alone = s->windows == 1 || into >= s->hop;
    const float share = alone ? 1 : ((float)into + 0.5F) / (float)s->hop;
    const float *to = s->z[1] + (s->at - s->start[1]) * s->width;
    const float *from = alone ? to : s->z[0] + (s->at - s->start[0]) * s->width;
    for (size_t i = 0; i < s->width; i++)
        out[i] = from[i] + share * (to[i] - from[i]);
}

rv_status rv_timbre_stream_read(rv_timbre_stream *s, size_t n, float *out, rv_error *err)
{
    const size_t frames = s->source->frames;
    for (size_t i = 0; i < n; i++, s->at++, out += s->width) {
        if (s->at == frames)
            s->at--; /* the last frame stays */
        while (s->windows * s->hop <= s->at &&
               (s->windows == 0 || s->start[1] + s->encoder.frames < frames))
            RV_TRY(encode(s, err));
        mix(s, out);
    }
    return RV_OK;
}
