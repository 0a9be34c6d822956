/* phrase_statistics.c - mean and deviation of the loudness and the range of the pitch of all that
 * is trained on: examples in order of songs and time, each counted as often as an epoch has it. */
#include "base/status.h"
#include "train/phrases_impl.h"

#include <math.h>
#include <stdlib.h>

typedef struct sums {
    double loudness, squares, octaves;
    rv_phrase_statistics *out;
} sums;

static void add_pitch(sums *s, double hz)
{
    rv_phrase_statistics *o = s->out;
    o->f0_min = o->voiced == 0 || hz < o->f0_min ? hz : o->f0_min;
    o->f0_max = hz > o->f0_max ? hz : o->f0_max;
    s->octaves += log2(hz);
    o->voiced++;
}

static void add_frames(sums *s, const rv_frame_values *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        s->loudness += (double)v->loudness[i];
        s->squares += (double)v->loudness[i] * (double)v->loudness[i];
        if (v->voiced[i])
            add_pitch(s, (double)v->f0[i]);
    }
    s->out->frames += n;
}

static void conclude(const sums *s)
{
    rv_phrase_statistics *o = s->out;
    const double n = o->frames > 0 ? (double)o->frames : 1;
    o->loudness_mean = s->loudness / n;
    o->loudness_deviation = sqrt(fmax(s->squares / n - o->loudness_mean * o->loudness_mean, 0));
    o->f0_mean = o->voiced > 0 ? exp2(s->octaves / (double)o->voiced) : 0;
}

static rv_status add_examples(rv_phrases *p, sums *s, const rv_frame_values *v, rv_error *err)
{
    for (size_t i = 0; i < rv_phrases_count(p); i++) {
        const rv_place *place = rv_example_order_place(p->order, i);
        const size_t first = rv_phrase_frame(&p->config, place);
        const size_t left = rv_song_features_count(p->features, place->track) - first;
        const size_t n = left < p->shape.frames ? left : p->shape.frames;
        RV_TRY(rv_song_features_read(p->features, place->track, first, n, v, err));
        add_frames(s, v, n);
    }
    return RV_OK;
}

rv_status rv_phrases_statistics(rv_phrases *p, rv_phrase_statistics *out, rv_error *err)
{
    const size_t n = p->shape.frames;
    float *values = calloc(3 * n, sizeof *values);
    bool *voiced = calloc(n, sizeof *voiced);
    const rv_frame_values v = { values, values + n, values + 2 * n, NULL, voiced };
    sums s = { .out = out };
    *out = (rv_phrase_statistics){ 0 };
    const rv_status st = values && voiced ? add_examples(p, &s, &v, err)
                                          : RV_FAIL(err, RV_ERR_NOMEM, "%zu frames", n);
    free(values);
    free(voiced);
    conclude(&s);
    return st;
}
