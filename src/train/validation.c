/* validation.c - see validation.h. */
#include "train/validation.h"

#include "base/status.h"
#include "data/track_level.h"
#include "train/stem_distance.h"

#include <stdlib.h>
#include <string.h>

/* Of a stem of a song. */
typedef struct {
    rv_stem_energies of;
    double s; /* sum of the target */
    size_t n;
} energies;

typedef struct {
    rv_learner *learner;
    const rv_separation *separation;
    const rv_track_cache *songs;
    int sample_rate;
    size_t channels, stems, frames, most;
    float **planes;      /* [1 + stems][channels][frames]: mix, stems */
    float *memory;       /* of the planes */
    float *mix, *target; /* channels last */
    energies stem[RV_STEMS_MAX];
    double loss, si_sdr;
    size_t n_loss, n_si_sdr;
} validation;

static rv_status take_memory(validation *v, rv_error *err)
{
    const size_t planes = (1 + v->stems) * v->channels;
    v->planes = calloc(planes, sizeof *v->planes);
    v->memory = calloc(planes * v->frames, sizeof *v->memory);
    v->mix = calloc(v->channels * v->frames, sizeof *v->mix);
    v->target = calloc(v->stems * v->channels * v->frames, sizeof *v->target);
    if (!v->planes || !v->memory || !v->mix || !v->target)
        return RV_FAIL(err, RV_ERR_NOMEM, "validation of %zu frames", v->frames);
    for (size_t p = 0; p < planes; p++)
        v->planes[p] = v->memory + p * v->frames;
    return RV_OK;
}

/* planes [n][frames] -> x [frames,n] */
static void interleave(float *x, float *const *planes, size_t n, size_t frames)
{
    for (size_t p = 0; p < n; p++)
        for (size_t t = 0; t < frames; t++)
            x[t * n + p] = planes[p][t];
}

static rv_status read_segment(validation *v, size_t song, int64_t start, rv_error *err)
{
    const size_t c = v->channels, planes = v->stems * c;
    rv_track_part part = { .track = song,
                           .sample_rate = v->sample_rate,
                           .channels = (int)c,
                           .start = start,
                           .frames = v->frames };
    for (part.stem = 0; part.stem < v->stems; part.stem++)
        RV_TRY(rv_track_read(v->songs, &part, v->planes + (1 + part.stem) * c, err));
    RV_TRY(rv_track_read_mixture(v->songs, &part, v->planes, err));
    interleave(v->mix, v->planes, c, v->frames);
    interleave(v->target, v->planes + c, planes, v->frames);
    return RV_OK;
}

/* Frames [from, to) of a segment. */
static void add_energies(validation *v, const float *estimate, size_t from, size_t to)
{
    const size_t row = v->stems * v->channels;
    for (size_t t = from; t < to; t++)
        for (size_t p = 0; p < row; p++) {
            energies *e = &v->stem[p / v->channels];
            rv_stem_energies_add(&e->of, estimate[t * row + p], v->target[t * row + p]);
            e->s += (double)v->target[t * row + p];
            e->n++;
        }
}

/* Silence is a constant, and not 0, where the level of the song was brought to another one. */
static bool is_silent(const energies *e)
{
    return e->n == 0 || e->of.ss - e->s * e->s / (double)e->n < 1e-9;
}

static void add_si_sdr(validation *v)
{
    for (size_t i = 0; i < v->stems; i++) {
        if (is_silent(&v->stem[i]))
            continue;
        v->si_sdr += rv_stem_si_sdr(&v->stem[i].of);
        v->n_si_sdr++;
    }
}

static rv_status add_song(validation *v, size_t song, rv_error *err)
{
    const size_t length = rv_track_length(&v->songs->tracks[song], v->sample_rate);
    const size_t scored = rv_separation_scored(v->separation), first = (v->frames - scored) / 2;
    const size_t part = v->most && v->most < length ? v->most : length;
    const size_t begin = (length - part) / 2, end = begin + part;
    memset(v->stem, 0, sizeof v->stem);
    for (size_t at = begin; at + first < end; at += scored) {
        const size_t rest = end - at - first, n = rest < scored ? rest : scored;
        const float *estimate;
        RV_TRY(read_segment(v, song, (int64_t)at, err));
        v->loss +=
            rv_learner_estimate(v->learner, (const float *[]){ v->mix, v->target }, &estimate);
        v->n_loss++;
        add_energies(v, estimate, first, first + n);
    }
    add_si_sdr(v);
    return RV_OK;
}

rv_status rv_validate(rv_validation_result *out, rv_learner *l, const rv_separation *separation,
                      const rv_track_cache *songs, int sample_rate, size_t most, rv_error *err)
{
    validation v = { .learner = l,
                     .separation = separation,
                     .songs = songs,
                     .sample_rate = sample_rate,
                     .channels = separation->info->channels,
                     .stems = songs->list->n_stems,
                     .frames = separation->frames,
                     .most = most };
    rv_status st = take_memory(&v, err);
    for (size_t i = 0; i < songs->list->n && st == RV_OK; i++)
        if (!songs->tracks[i].all_silent)
            st = add_song(&v, i, err);
    free(v.planes);
    free(v.memory);
    free(v.mix);
    free(v.target);
    out->loss = v.n_loss ? v.loss / (double)v.n_loss : 0;
    out->si_sdr = v.n_si_sdr ? v.si_sdr / (double)v.n_si_sdr : 0;
    return st;
}
