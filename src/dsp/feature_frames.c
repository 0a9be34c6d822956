/* feature_frames.c - see feature_frames.h. */
#include "dsp/feature_frames.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t count(double step, bool centred, uint64_t samples)
{
    const double frames = (double)samples / step;
    if (samples == 0)
        return 0;
    return centred ? (uint64_t)floor(frames) + 1 : (uint64_t)ceil(frames);
}

/* Division last: exact where the rates are whole numbers and a frame falls on a sample. */
uint64_t rv_frames_count(const rv_feature_spec *spec, uint64_t samples)
{
    return count((double)spec->sample_rate / spec->frame_rate, spec->align == RV_FRAMES_CENTRED,
                 samples);
}

void rv_frames_init(rv_frames *f, const rv_feature_spec *spec)
{
    *f = (rv_frames){ .step = (double)spec->sample_rate / spec->frame_rate,
                      .window = (size_t)spec->window,
                      .centred = spec->align == RV_FRAMES_CENTRED };
}

void rv_frames_fini(rv_frames *f)
{
    free(f->kept);
    f->kept = NULL;
}

/* Sample with which a frame begins. */
static int64_t begin(const rv_frames *f, uint64_t frame)
{
    const int64_t at = (int64_t)floor((double)frame * f->step + 0.5);
    return f->centred ? at - (int64_t)(f->window / 2) : at;
}

/* Forget what lies before the next frame. */
static void drop(rv_frames *f)
{
    const int64_t useless = begin(f, f->next) - f->first;
    if (useless <= 0)
        return;
    const size_t n = (uint64_t)useless < f->n_kept ? (size_t)useless : f->n_kept;
    memmove(f->kept, f->kept + n, (f->n_kept - n) * sizeof *f->kept);
    f->n_kept -= n;
    f->first += (int64_t)n;
}

rv_status rv_frames_push(rv_frames *f, const float *samples, size_t n, rv_error *err)
{
    drop(f);
    if (n > SIZE_MAX / 4 / sizeof *samples - f->n_kept)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu samples", n);
    if (f->n_kept + n > f->room) {
        const size_t room = (f->n_kept + n) * 2;
        float *kept = realloc(f->kept, room * sizeof *kept);
        if (!kept)
            return RV_FAIL(err, RV_ERR_NOMEM, "%zu samples", room);
        f->kept = kept;
        f->room = room;
    }
    if (n > 0)
        memcpy(f->kept + f->n_kept, samples, n * sizeof *samples);
    f->n_kept += n;
    f->pushed += n;
    return RV_OK;
}

void rv_frames_finish(rv_frames *f)
{
    f->finished = true;
    f->total = count(f->step, f->centred, f->pushed);
}

bool rv_frames_next(rv_frames *f, float *out)
{
    const int64_t from = begin(f, f->next), end = f->first + (int64_t)f->n_kept;
    if (f->finished ? f->next >= f->total : from + (int64_t)f->window > end)
        return false;
    for (size_t i = 0; i < f->window; i++) {
        const int64_t at = from + (int64_t)i;
        out[i] = at < f->first || at >= end ? 0 : f->kept[at - f->first];
    }
    f->next++;
    return true;
}
