/* crepe_track.c - pitch of a stream: resampled to 16 kHz, cut into frames of 1024 samples of mean 0
 * and deviation 1, in batches through CREPE, decoded.
 *
 * Frame t begins at round(16000 t / frame_rate), after 512 zeros where frames are centred. Memory
 * is that of a batch. The last batch is filled up with what was there before. */
#include "base/status.h"
#include "dsp/pitch_decode.h"
#include "dsp/resample.h"
#include "infer/crepe_network.h"
#include "ravel/pitch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = RV_CREPE_WINDOW, HALF = WINDOW / 2, BATCH = 32, ROOM = 8 * WINDOW };

static const double least_deviation = 1e-10;

struct rv_pitch {
    rv_pitch_options options;
    rv_pool *pool;
    rv_crepe_network *network;
    rv_resampler *resampler;
    rv_pitch_decoder *decoder;
    float buffer[ROOM]; /* at 16 kHz */
    uint64_t origin;    /* of the buffer, in the padded stream */
    size_t held;        /* samples in it */
    uint64_t samples;   /* pushed, at the stream's rate */
    uint64_t next;      /* frame */
    uint64_t last;      /* frames in all, once they are known */
    size_t in_batch;    /* frames in the batch */
    uint64_t done;      /* frames through the network */
    bool finished;
};

/* Options ---------------------------------------------------------------------------------- */

void rv_pitch_defaults(rv_pitch_options *options, int sample_rate)
{
    *options = (rv_pitch_options){ .sample_rate = sample_rate,
                                   .frame_rate = 100,
                                   .path = RV_PITCH_VITERBI,
                                   .average = RV_PITCH_LOCAL,
                                   .f0_min = 50,
                                   .f0_max = 2006,
                                   .pad = 1 };
}

static uint64_t start_of(const rv_pitch_options *o, uint64_t frame)
{
    return (uint64_t)floor((double)frame * RV_CREPE_RATE / o->frame_rate + 0.5);
}

uint64_t rv_pitch_frames(const rv_pitch_options *o, uint64_t samples)
{
    if (samples == 0)
        return 0;
    if (o->pad)
        return (uint64_t)floor((double)samples * o->frame_rate / o->sample_rate) + 1;
    const uint64_t length = (uint64_t)floor((double)samples * RV_CREPE_RATE / o->sample_rate);
    if (length < WINDOW)
        return 0;
    uint64_t n = (uint64_t)floor((double)(length - WINDOW) * o->frame_rate / RV_CREPE_RATE) + 2;
    while (start_of(o, n - 1) + WINDOW > length)
        n--;
    return n;
}

static rv_status check(const rv_pitch_options *o, rv_error *err)
{
    if (o->sample_rate < 1 || o->sample_rate > 10000000)
        return RV_FAIL(err, RV_ERR_ARG, "a sample rate of %d Hz; expected 1 to 10000000",
                       o->sample_rate);
    if (!(o->frame_rate > 0 && o->frame_rate <= RV_CREPE_RATE))
        return RV_FAIL(err, RV_ERR_ARG, "%g frames a second; expected above 0, to %d",
                       o->frame_rate, RV_CREPE_RATE);
    if (o->threads < 0)
        return RV_FAIL(err, RV_ERR_ARG, "%d threads; expected 0 (one for each core) or more",
                       o->threads);
    return RV_OK;
}

/* Making ----------------------------------------------------------------------------------- */

static rv_status open_pitch(rv_pitch *p, const char *model, const rv_pitch_options *o,
                            rv_error *err)
{
    RV_TRY(check(o, err));
    RV_TRY(rv_pitch_decoder_new(&p->decoder, o->path, o->average, o->f0_min, o->f0_max, err));
    RV_TRY(rv_pool_new(&p->pool, o->threads, NULL, err));
    RV_TRY(rv_crepe_network_open(&p->network, model, BATCH, p->pool, err));
    RV_TRY(rv_resampler_new(&p->resampler, 1, o->sample_rate, RV_CREPE_RATE, err));
    p->options = *o;
    p->held = o->pad ? HALF : 0;
    p->last = UINT64_MAX;
    memset(rv_crepe_network_frames(p->network), 0, BATCH * WINDOW * sizeof(float));
    return RV_OK;
}

rv_status rv_pitch_open(rv_pitch **out, const char *model, const rv_pitch_options *options,
                        rv_error *err)
{
    rv_pitch *p = calloc(1, sizeof *p);
    if (!p)
        return RV_FAIL(err, RV_ERR_NOMEM, "a pitch tracker");
    const rv_status st = open_pitch(p, model, options, err);
    if (st != RV_OK) {
        rv_pitch_free(p);
        return st;
    }
    *out = p;
    return RV_OK;
}

void rv_pitch_free(rv_pitch *p)
{
    if (!p)
        return;
    rv_pitch_decoder_free(p->decoder);
    rv_resampler_free(p->resampler);
    rv_crepe_network_free(p->network);
    rv_pool_free(p->pool);
    free(p);
}

const char *rv_pitch_capacity(const rv_pitch *p)
{
    return rv_crepe_capacity(rv_crepe_network_config(p->network));
}

/* Frames ----------------------------------------------------------------------------------- */

/* (x - mean) / deviation, the unbiased one as in torchcrepe */
static void normalise(float *y, const float *x)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < WINDOW; i++)
        mean += (double)x[i] / WINDOW;
    for (size_t i = 0; i < WINDOW; i++) {
        const double d = (double)x[i] - mean;
        squares += d * d;
    }
    const double deviation = fmax(sqrt(squares / (WINDOW - 1)), least_deviation);
    for (size_t i = 0; i < WINDOW; i++)
        y[i] = (float)(((double)x[i] - mean) / deviation);
}

static rv_status run_batch(rv_pitch *p, rv_error *err)
{
    const size_t n = p->in_batch;
    p->in_batch = 0;
    RV_TRY(rv_pitch_decoder_push(p->decoder, rv_crepe_network_run(p->network), n, err));
    p->done += n;
    if (p->options.watch && p->options.watch(p->options.watch_ctx, p->done))
        return RV_FAIL(err, RV_ERR_CANCELLED, "stopped after %llu frames of pitch",
                       (unsigned long long)p->done);
    return RV_OK;
}

/* Forget samples before the next frame. */
static void drop_old(rv_pitch *p)
{
    const uint64_t start = start_of(&p->options, p->next);
    const uint64_t before = start > p->origin ? start - p->origin : 0;
    const size_t drop = before < p->held ? (size_t)before : p->held;
    p->origin += drop;
    p->held -= drop;
    memmove(p->buffer, p->buffer + drop, p->held * sizeof *p->buffer);
}

static rv_status take_frames(rv_pitch *p, rv_error *err)
{
    while (p->next < p->last) {
        const uint64_t start = start_of(&p->options, p->next);
        if (start + WINDOW > p->origin + p->held)
            break;
        normalise(rv_crepe_network_frames(p->network) + p->in_batch * WINDOW,
                  p->buffer + (start - p->origin));
        p->next++;
        if (++p->in_batch == BATCH)
            RV_TRY(run_batch(p, err));
    }
    drop_old(p);
    return RV_OK;
}

/* Samples at their own rate, or NULL: the end. */
static rv_status resample(rv_pitch *p, const float *samples, size_t n, rv_error *err)
{
    size_t used = 0, made = 1;
    while (used < n || (!samples && made > 0)) {
        const float *in = samples ? samples + used : NULL;
        float *out = p->buffer + p->held;
        size_t took = 0;
        RV_TRY(rv_resampler_process(p->resampler, samples ? &in : NULL, n - used, &took, &out,
                                    ROOM - p->held, &made, err));
        used += took;
        p->held += made;
        RV_TRY(take_frames(p, err));
    }
    return RV_OK;
}

rv_status rv_pitch_push(rv_pitch *p, const float *samples, size_t n, rv_error *err)
{
    if (p->finished)
        return RV_FAIL(err, RV_ERR_ARG, "samples after the end of the stream");
    p->samples += n;
    return resample(p, samples, n, err);
}

/* The zeros at the end. */
static rv_status pad_end(rv_pitch *p, rv_error *err)
{
    for (size_t left = HALF; left > 0;) {
        const size_t n = left < ROOM - p->held ? left : ROOM - p->held;
        memset(p->buffer + p->held, 0, n * sizeof *p->buffer);
        p->held += n;
        left -= n;
        RV_TRY(take_frames(p, err));
    }
    return RV_OK;
}

rv_status rv_pitch_finish(rv_pitch *p, rv_error *err)
{
    if (p->finished)
        return RV_OK;
    p->finished = true;
    p->last = rv_pitch_frames(&p->options, p->samples);
    if (p->samples == 0)
        return RV_OK;
    RV_TRY(resample(p, NULL, 0, err));
    if (p->options.pad)
        RV_TRY(pad_end(p, err));
    if (p->in_batch > 0)
        RV_TRY(run_batch(p, err));
    return rv_pitch_decoder_finish(p->decoder, err);
}

size_t rv_pitch_pull(rv_pitch *p, float *f0, float *periodicity, size_t room)
{
    return rv_pitch_decoder_pull(p->decoder, f0, periodicity, room);
}
