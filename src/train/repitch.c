/* repitch.c - Rubber Band, version 2 engine, offline: study the clip, process it, take it out.
 *
 * Channels are stretched together, so that a stereo image stays. Blocks bound the memory in Rubber
 * Band; their size is fixed, since the result may depend on it. */
#include "train/repitch.h"

#include "base/planner.h"
#include "base/status.h"
#include "io/audio_read.h"

#include <math.h>
#include <rubberband/rubberband-c.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096 };

/* Where the output goes: y[channel][n_out], of which `done` are there; the rest is dropped. */
typedef struct outlet {
    RubberBandState state;
    int channels;
    float *y; /* [channels, n_out], then [BLOCK] per channel for what is dropped */
    size_t n_out, done;
} outlet;

bool rv_repitch_present(void)
{
    return true;
}

static void take_out(outlet *o)
{
    float *at[RV_AUDIO_CHANNELS_MAX];
    for (int ready; (ready = rubberband_available(o->state)) > 0;) {
        const size_t left = o->n_out - o->done, n = left > 0 && left < BLOCK ? left : BLOCK;
        const size_t channels = (size_t)o->channels;
        for (size_t c = 0; c < channels; c++)
            at[c] =
                left > 0 ? o->y + c * o->n_out + o->done : o->y + channels * o->n_out + c * BLOCK;
        const size_t want = (size_t)ready < n ? (size_t)ready : n;
        const size_t got = rubberband_retrieve(o->state, at, (unsigned)want);
        o->done += left > 0 ? got : 0;
        if (got == 0)
            break;
    }
}

/* study or process x[channel][0..n) block by block; the last one is marked. */
static void feed(outlet *o, float *const *x, size_t n, bool study)
{
    const float *at[RV_AUDIO_CHANNELS_MAX];
    for (size_t t = 0; t < n; t += BLOCK) {
        const unsigned m = (unsigned)(n - t < BLOCK ? n - t : BLOCK);
        for (int c = 0; c < o->channels; c++)
            at[c] = x[c] + t;
        const int final = t + m == n;
        if (study) {
            rubberband_study(o->state, at, m, final);
        } else {
            rubberband_process(o->state, at, m, final);
            take_out(o);
        }
    }
}

static RubberBandState new_state(const rv_repitch *r)
{
    const RubberBandOptions options =
        RubberBandOptionProcessOffline | RubberBandOptionEngineFaster |
        RubberBandOptionThreadingNever | RubberBandOptionChannelsTogether;
    rv_planner_lock(); /* some builds of it plan with FFTW */
    RubberBandState state = rubberband_new((unsigned)r->sample_rate, (unsigned)r->channels, options,
                                           1 / (1 + 0.01 * r->tempo), exp2(r->semitones / 12.0));
    rv_planner_unlock();
    return state;
}

static void free_state(RubberBandState state)
{
    rv_planner_lock();
    rubberband_delete(state);
    rv_planner_unlock();
}

rv_status rv_repitch_clip(const rv_repitch *r, float *const *x, size_t n, size_t n_out,
                          rv_error *err)
{
    const size_t channels = (size_t)r->channels;
    outlet o = { .channels = r->channels, .n_out = n_out };
    if (n_out > n || n == 0 || n > (size_t)1 << 30)
        return RV_FAIL(err, RV_ERR_ARG, "pitch change of %zu frames to %zu", n, n_out);
    if (!(o.y = calloc(channels, (n_out + BLOCK) * sizeof *o.y)))
        return RV_FAIL(err, RV_ERR_NOMEM, "pitch change of %zu frames", n);
    if (!(o.state = new_state(r))) {
        free(o.y);
        return RV_FAIL(err, RV_ERR_NOMEM, "pitch change at %d Hz", r->sample_rate);
    }
    rubberband_set_expected_input_duration(o.state, (unsigned)n);
    rubberband_set_max_process_size(o.state, BLOCK);
    feed(&o, x, n, true);
    feed(&o, x, n, false);
    for (size_t c = 0; c < channels; c++)
        memcpy(x[c], o.y + c * n_out, n_out * sizeof *o.y);
    free_state(o.state);
    free(o.y);
    return RV_OK;
}
