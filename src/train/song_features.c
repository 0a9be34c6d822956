/* song_features.c - see song_features.h. */
#include "train/song_features.h"

#include "base/pool.h"
#include "base/status.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 256 }; /* frames read at a time */

enum { F0, LOUDNESS, LEVEL, MFCC, KINDS };

static const rv_feature_name names[KINDS] = { RV_FEATURE_F0, RV_FEATURE_LOUDNESS, RV_FEATURE_RMS,
                                              RV_FEATURE_MFCC };

typedef struct member {
    rv_song_features *of;
    rv_feature_rows *rows[KINDS]; /* NULL: silent, or not wanted */
    pthread_mutex_t lock;         /* of the rows */
    double done;                  /* of its features: 0 to KINDS */
    int kind;                     /* being measured */
} member;

struct rv_song_features {
    rv_song_features_options opt;
    rv_feature_spec specs[KINDS];
    float quiet_loudness, quiet_mfcc[RV_SONG_MFCC]; /* of digital silence */
    const rv_track_cache *tracks;
    rv_feature_cache *cache;
    member *songs; /* [tracks->list->n] */
    size_t n_songs;
    rv_feature_watch watch; /* while they are measured */
    pthread_mutex_t lock;   /* of all below, and `done` of the songs */
    double done, all;       /* seconds of features */
    bool stop;
    rv_error error; /* the first */
};

/* What is measured ------------------------------------------------------------------------- */

static void fill_specs(rv_song_features *s)
{
    const rv_song_features_options *o = &s->opt;
    for (int k = 0; k < KINDS; k++) {
        rv_feature_spec *spec = &s->specs[k];
        rv_feature_defaults(spec, names[k], o->sample_rate, o->frame_rate);
        spec->align = o->align;
        spec->f0_method = o->f0_method;
        spec->f0_min = o->f0_min;
        spec->f0_max = o->f0_max;
        spec->loudness = o->loudness;
        spec->coefficients = RV_SONG_MFCC;
        if (o->loudness == RV_LOUDNESS_DDSP1) {
            spec->ref_db = 20.7;
            spec->range_db = 120;
        }
    }
}

/* The values of the first frame of silence. */
static rv_status measure_silence(const rv_feature_spec *spec, float *values, rv_error *err)
{
    static const float zeros[CHUNK];
    rv_feature *f = NULL;
    RV_TRY(rv_feature_new(&f, spec, NULL, 0, err));
    rv_status st = rv_feature_push(f, zeros, CHUNK, err);
    if (st == RV_OK)
        st = rv_feature_finish(f, err);
    if (st == RV_OK)
        rv_feature_pull(f, values, 1);
    rv_feature_free(f);
    return st;
}

/* Measuring -------------------------------------------------------------------------------- */

static bool is_silent(const rv_song_features *s, size_t at)
{
    return s->tracks->tracks[at].silent >> s->opt.stem & 1;
}

static double seconds_of(const rv_song_features *s, size_t at)
{
    const rv_track_info *t = &s->tracks->tracks[at];
    return is_silent(s, at) ? 0 : (double)t->frames / t->sample_rate;
}

static void keep_error(rv_song_features *s, const rv_error *err)
{
    pthread_mutex_lock(&s->lock);
    if (s->error.status == RV_OK)
        s->error = *err;
    s->stop = true;
    pthread_mutex_unlock(&s->lock);
}

/* Also called when damage is mended in training: then nobody watches. */
static int tell(void *ctx, double fraction)
{
    member *m = ctx;
    rv_song_features *s = m->of;
    const size_t at = (size_t)(m - s->songs);
    pthread_mutex_lock(&s->lock);
    s->done += (m->kind + fraction - m->done) * seconds_of(s, at);
    m->done = m->kind + fraction;
    if (s->watch.tell && !s->stop)
        s->stop = s->watch.tell(s->watch.ctx, fmin(s->done / s->all, 1)) != 0;
    const bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    return stop;
}

static rv_status measure(rv_song_features *s, size_t at, rv_error *err)
{
    member *m = &s->songs[at];
    const rv_track *track = &s->tracks->list->tracks[at];
    const rv_track_sources *sources =
        s->opt.of_mixture ? &track->mixture : &track->stems[s->opt.stem];
    const rv_feature_watch watch = { tell, m };
    for (m->kind = 0; m->kind < KINDS; m->kind++) {
        rv_feature_rows **rows = &m->rows[m->kind];
        if (m->kind == MFCC && !s->opt.mfcc)
            continue;
        RV_TRY(rv_feature_get(s->cache, sources, &s->specs[m->kind], &watch, rows, err));
        rv_feature_rows_rest(*rows);
    }
    return RV_OK;
}

static void measure_task(void *job, size_t at, int worker)
{
    rv_song_features *s = job;
    rv_error err = { 0 };
    (void)worker;
    pthread_mutex_lock(&s->lock);
    const bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    if (stop || is_silent(s, at))
        return;
    if (measure(s, at, &err) != RV_OK)
        keep_error(s, &err);
    else if (tell(&s->songs[at], 0))
        keep_error(s, &(rv_error){ .status = RV_ERR_CANCELLED, .text = "stopped" });
}

static rv_status measure_all(rv_song_features *s, rv_error *err)
{
    rv_pool *pool = NULL;
    for (size_t i = 0; i < s->n_songs; i++)
        s->all += KINDS * seconds_of(s, i);
    RV_TRY(rv_pool_new(&pool, s->opt.threads, NULL, err));
    rv_pool_run(pool, s->n_songs, measure_task, s);
    rv_pool_free(pool);
    s->watch = (rv_feature_watch){ 0 };
    if (s->error.status != RV_OK)
        return RV_FAIL(err, s->error.status, "%s", s->error.text);
    return RV_OK;
}

/* Making ----------------------------------------------------------------------------------- */

static rv_status make_songs(rv_song_features *s, rv_error *err)
{
    const size_t n = s->tracks->list->n;
    if (!(s->songs = calloc(n, sizeof *s->songs)))
        return RV_FAIL(err, RV_ERR_NOMEM, "features of %zu songs", n);
    for (; s->n_songs < n; s->n_songs++) {
        member *m = &s->songs[s->n_songs];
        m->of = s;
        if (pthread_mutex_init(&m->lock, NULL) != 0)
            return RV_FAIL(err, RV_ERR_NOMEM, "features of %zu songs", n);
    }
    return RV_OK;
}

static rv_status init(rv_song_features *s, rv_error *err)
{
    fill_specs(s);
    RV_TRY(measure_silence(&s->specs[LOUDNESS], &s->quiet_loudness, err));
    if (s->opt.mfcc)
        RV_TRY(measure_silence(&s->specs[MFCC], s->quiet_mfcc, err));
    RV_TRY(make_songs(s, err));
    return measure_all(s, err);
}

rv_status rv_song_features_new(rv_song_features **out, const rv_song_features_options *opt,
                               const rv_track_cache *tracks, rv_feature_cache *cache,
                               const rv_feature_watch *watch, rv_error *err)
{
    rv_song_features *s = calloc(1, sizeof *s);
    if (!s || pthread_mutex_init(&s->lock, NULL) != 0) {
        free(s);
        return RV_FAIL(err, RV_ERR_NOMEM, "features of %zu songs", tracks->list->n);
    }
    s->opt = *opt;
    s->tracks = tracks;
    s->cache = cache;
    s->watch = watch ? *watch : (rv_feature_watch){ 0 };
    const rv_status st = init(s, err);
    if (st == RV_OK)
        *out = s;
    else
        rv_song_features_free(s);
    return st;
}

void rv_song_features_free(rv_song_features *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_songs; i++) {
        for (int k = 0; k < KINDS; k++)
            rv_feature_rows_free(s->songs[i].rows[k]);
        pthread_mutex_destroy(&s->songs[i].lock);
    }
    free(s->songs);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* Reading ---------------------------------------------------------------------------------- */

size_t rv_song_features_count(const rv_song_features *s, size_t song)
{
    const rv_feature_rows *rows = s->songs[song].rows[F0];
    return rows ? rv_feature_rows_count(rows) : 0;
}

float rv_song_features_quiet(const rv_song_features *s)
{
    return s->quiet_loudness;
}

/* Of n frames from `first` on, those that the song has. */
static size_t frames_left(const rv_song_features *s, size_t song, size_t first, size_t n)
{
    const size_t count = rv_song_features_count(s, song), left = count > first ? count - first : 0;
    return n < left ? n : left;
}

/* rows [n,3] -> the values */
static void spread(const float *rows, size_t n, const rv_frame_values *out, size_t at)
{
    for (size_t i = 0; i < n; i++) {
        out->f0[at + i] = rows[3 * i];
        out->confidence[at + i] = rows[3 * i + 1];
        if (out->voiced)
            out->voiced[at + i] = rows[3 * i + 2] > 0;
    }
}

static rv_status read_f0(rv_feature_rows *rows, size_t first, size_t n, const rv_frame_values *out,
                         rv_error *err)
{
    float values[3 * CHUNK];
    for (size_t at = 0; at < n; at += CHUNK) {
        const size_t some = n - at < CHUNK ? n - at : CHUNK;
        RV_TRY(rv_feature_rows_read(rows, first + at, some, values, err));
        spread(values, some, out, at);
    }
    return RV_OK;
}

/* Frames without any guess keep the pitch before them. */
static void fill_gaps(const rv_song_features *s, float *f0, size_t n)
{
    float last = (float)sqrt(s->opt.f0_min * s->opt.f0_max);
    for (size_t i = 0; i < n; i++)
        if (isfinite(f0[i]) && f0[i] > 0) {
            last = f0[i];
            break;
        }
    for (size_t i = 0; i < n; i++)
        last = f0[i] = isfinite(f0[i]) && f0[i] > 0 ? f0[i] : last;
}

static void pad(const rv_song_features *s, const rv_frame_values *out, size_t from, size_t n)
{
    for (size_t i = from; i < n; i++) {
        out->f0[i] = 0;
        out->confidence[i] = 0;
        out->loudness[i] = s->quiet_loudness;
        if (out->mfcc)
            memcpy(out->mfcc + i * RV_SONG_MFCC, s->quiet_mfcc, sizeof s->quiet_mfcc);
        if (out->voiced)
            out->voiced[i] = false;
    }
}

static rv_status read_values(member *m, size_t first, size_t n, const rv_frame_values *out,
                             rv_error *err)
{
    RV_TRY(read_f0(m->rows[F0], first, n, out, err));
    RV_TRY(rv_feature_rows_read(m->rows[LOUDNESS], first, n, out->loudness, err));
    return out->mfcc ? rv_feature_rows_read(m->rows[MFCC], first, n, out->mfcc, err) : RV_OK;
}

static void rest(member *m)
{
    for (int k = 0; k < KINDS; k++)
        if (m->rows[k])
            rv_feature_rows_rest(m->rows[k]);
}

rv_status rv_song_features_read(rv_song_features *s, size_t at, size_t first, size_t n,
                                const rv_frame_values *out, rv_error *err)
{
    member *m = &s->songs[at];
    const size_t has = frames_left(s, at, first, n);
    rv_status st = RV_OK;
    pthread_mutex_lock(&m->lock);
    if (has > 0)
        st = read_values(m, first, has, out, err);
    rest(m);
    pthread_mutex_unlock(&m->lock);
    RV_TRY(st);
    pad(s, out, has, n);
    fill_gaps(s, out->f0, n);
    return RV_OK;
}

static rv_status find_level(rv_feature_rows *rows, size_t first, size_t n, float *level,
                            rv_error *err)
{
    float values[CHUNK];
    *level = 0;
    for (size_t at = 0; at < n; at += CHUNK) {
        const size_t some = n - at < CHUNK ? n - at : CHUNK;
        RV_TRY(rv_feature_rows_read(rows, first + at, some, values, err));
        for (size_t i = 0; i < some; i++)
            *level = fmaxf(*level, values[i]);
    }
    return RV_OK;
}

rv_status rv_song_features_level(rv_song_features *s, size_t at, size_t first, size_t n,
                                 float *level, rv_error *err)
{
    member *m = &s->songs[at];
    pthread_mutex_lock(&m->lock);
    const rv_status st =
        find_level(m->rows[LEVEL], first, frames_left(s, at, first, n), level, err);
    rest(m);
    pthread_mutex_unlock(&m->lock);
    return st;
}
