/* gate_tracks.c - see gate_tracks.h. Decisions are made song by song, on as many threads as are
 * wanted, and written in the order of the songs: the tables do not depend on the threads. */
#include "data/gate_tracks.h"

#include "base/pool.h"
#include "base/status.h"
#include "data/layout.h"
#include "data/mono_gate.h"
#include "io/audio_sink.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { F0, HARMONICITY, KINDS };

typedef struct job {
    const rv_gate_options *opt;
    rv_feature_cache *cache;
    rv_mono_gate gate;
    rv_feature_spec specs[KINDS];
    rv_track_list *list;
    rv_gate_track *tracks; /* [list->n] */
    double *done;          /* [list->n] 0 to KINDS */
    pthread_mutex_t lock;  /* of `done` and of what follows */
    double total;
    rv_error error; /* the first */
    atomic_bool stop;
} job;

/* One song, and how far it is. */
typedef struct member {
    job *job;
    size_t at;
    int kind; /* being measured */
} member;

/* Options ---------------------------------------------------------------------------------- */

static rv_mono_gate gate_of(const rv_gate_options *o)
{
    return (rv_mono_gate){ .f0_conf_min = o->f0_conf_min,
                           .harmonicity_ratio_min = o->harmonicity_ratio_min,
                           .residual_energy_ratio_max = o->residual_energy_ratio_max,
                           .mono_frame_fraction_min = o->mono_frame_fraction_min,
                           .mono_track_fraction_min = o->mono_track_fraction_min,
                           .segment = o->segment,
                           .hop = o->hop };
}

static void fill_specs(job *j)
{
    static const rv_feature_name names[KINDS] = { RV_FEATURE_F0, RV_FEATURE_HARMONICITY };
    for (int k = 0; k < KINDS; k++) {
        rv_feature_spec *s = &j->specs[k];
        rv_feature_defaults(s, names[k], j->opt->sample_rate, j->opt->frame_rate);
        s->f0_method = j->opt->f0_method;
        s->f0_min = j->opt->f0_min;
        s->f0_max = j->opt->f0_max;
    }
}

/* Thresholds are checked before anything is measured. */
static rv_status check_gate(const job *j, rv_error *err)
{
    const float none = 0;
    const rv_gate_frames frames = { &none, &none, &none, &none, 0, j->opt->frame_rate };
    rv_gate_track t;
    RV_TRY(rv_mono_gate_decide(&t, &j->gate, &frames, err));
    rv_gate_track_free(&t);
    return RV_OK;
}

static rv_status check_free(const char *path, int overwrite, rv_error *err)
{
    if (path && !overwrite && access(path, F_OK) == 0)
        return RV_FAIL(err, RV_ERR_EXISTS, "%s: is there already", path);
    return RV_OK;
}

/* One song --------------------------------------------------------------------------------- */

static int tell(void *ctx, double fraction)
{
    const member *m = ctx;
    job *j = m->job;
    const double done = m->kind + fraction;
    pthread_mutex_lock(&j->lock);
    j->total += (done - j->done[m->at]) / KINDS;
    j->done[m->at] = done;
    if (j->opt->progress && !j->stop)
        j->stop = j->opt->progress(j->opt->progress_ctx, j->list->tracks[m->at].name,
                                   j->total / (double)j->list->n) != 0;
    pthread_mutex_unlock(&j->lock);
    return j->stop;
}

static rv_status measure(member *m, rv_feature_rows *rows[KINDS], rv_error *err)
{
    job *j = m->job;
    const rv_feature_watch watch = { tell, m };
    for (m->kind = 0; m->kind < KINDS; m->kind++)
        RV_TRY(rv_feature_get(j->cache, &j->list->tracks[m->at].stems[0], &j->specs[m->kind],
                              &watch, &rows[m->kind], err));
    return RV_OK;
}

/* rows -> columns [4][n] in the order of rv_gate_frames */
static rv_status read_columns(rv_feature_rows *const rows[KINDS], float *columns, size_t n,
                              rv_error *err)
{
    float *confidence = columns, *voiced = columns + n, *harmonicity = columns + 2 * n;
    float f0[3], *residual = columns + 3 * n;
    RV_TRY(rv_feature_rows_read(rows[HARMONICITY], 0, n, harmonicity, err));
    for (size_t i = 0; i < n; i++) {
        RV_TRY(rv_feature_rows_read(rows[F0], i, 1, f0, err));
        confidence[i] = f0[1];
        voiced[i] = f0[2];
        residual[i] = 1 - harmonicity[i]; /* as RV_FEATURE_RESIDUAL */
    }
    return RV_OK;
}

static rv_status decide(job *j, size_t at, rv_feature_rows *const rows[KINDS], rv_error *err)
{
    const size_t n = rv_feature_rows_count(rows[F0]);
    float *columns = calloc(n + 1, 4 * sizeof *columns);
    const rv_gate_frames frames = { columns,         columns + n, columns + 2 * n,
                                    columns + 3 * n, n,           j->opt->frame_rate };
    rv_status st =
        columns ? read_columns(rows, columns, n, err) : RV_FAIL(err, RV_ERR_NOMEM, "%zu frames", n);
    if (st == RV_OK)
        st = rv_mono_gate_decide(&j->tracks[at], &j->gate, &frames, err);
    free(columns);
    return st;
}

static void keep_error(job *j, const rv_error *err)
{
    pthread_mutex_lock(&j->lock);
    if (j->error.status == RV_OK)
        j->error = *err;
    j->stop = true;
    pthread_mutex_unlock(&j->lock);
}

static void gate_task(void *ctx, size_t at, int worker)
{
    job *j = ctx;
    member m = { j, at, 0 };
    rv_feature_rows *rows[KINDS] = { NULL };
    rv_error err = { 0 };
    (void)worker;
    if (j->stop)
        return;
    rv_status st = measure(&m, rows, &err);
    if (st == RV_OK)
        st = decide(j, at, rows, &err);
    if (st == RV_OK && tell(&m, 0))
        st = RV_FAIL(&err, RV_ERR_CANCELLED, "stopped");
    if (st != RV_OK)
        keep_error(j, &err);
    for (int k = 0; k < KINDS; k++)
        rv_feature_rows_free(rows[k]);
}

static rv_status gate_all(job *j, rv_error *err)
{
    rv_pool *pool = NULL;
    RV_TRY(rv_pool_new(&pool, j->opt->threads, NULL, err));
    rv_pool_run(pool, j->list->n, gate_task, j);
    rv_pool_free(pool);
    if (j->error.status != RV_OK)
        return RV_FAIL(err, j->error.status, "%s", j->error.text);
    return RV_OK;
}

/* Tables ----------------------------------------------------------------------------------- */

static void reject_segments(rv_gate_track *t)
{
    for (size_t i = 0; i < t->n_segments; i++)
        t->segments[i].pass = false;
}

static void count(const job *j, rv_gate_report *r)
{
    r->tracks = j->list->n;
    for (size_t i = 0; i < j->list->n; i++) {
        const rv_gate_track *t = &j->tracks[i];
        if (j->opt->whole_tracks && !t->pass)
            reject_segments(&j->tracks[i]);
        r->tracks_passed += t->pass;
        r->segments += t->n_segments;
        for (size_t s = 0; s < t->n_segments; s++)
            r->segments_passed += t->segments[s].pass;
    }
}

static bool print_table(const job *j, bool of_tracks, FILE *to)
{
    bool ok = of_tracks ? rv_gate_tracks_head(to) : rv_gate_segments_head(to);
    for (size_t i = 0; ok && i < j->list->n; i++) {
        const char *name = j->list->tracks[i].name;
        ok = of_tracks ? rv_gate_tracks_row(to, name, &j->tracks[i])
                       : rv_gate_segments_rows(to, name, &j->tracks[i]);
    }
    return ok;
}

static rv_status write_table(const job *j, bool of_tracks, const char *path, rv_error *err)
{
    char *text = NULL;
    size_t n = 0;
    if (!path)
        return RV_OK;
    FILE *to = open_memstream(&text, &n);
    bool ok = to && print_table(j, of_tracks, to);
    ok = to && fclose(to) == 0 && ok;
    const rv_status st = ok ? rv_sink_store(path, text, n, err)
                            : RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    free(text);
    return st;
}

/* All -------------------------------------------------------------------------------------- */

static rv_status find_tracks(job *j, const char *root, rv_error *err)
{
    const rv_track_query query = { .root = root,
                                   .layout = j->opt->layout,
                                   .stems = &j->opt->stem,
                                   .n_stems = 1,
                                   .missing = RV_MISSING_SKIP };
    RV_TRY(rv_track_list_find(&j->list, &query, err));
    j->tracks = calloc(j->list->n, sizeof *j->tracks);
    j->done = calloc(j->list->n, sizeof *j->done);
    return j->tracks && j->done ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu songs", j->list->n);
}

static rv_status run(job *j, const char *root, const char *out, rv_gate_report *report,
                     rv_error *err)
{
    RV_TRY(check_gate(j, err));
    RV_TRY(check_free(out, j->opt->overwrite, err));
    RV_TRY(check_free(j->opt->tracks, j->opt->overwrite, err));
    RV_TRY(find_tracks(j, root, err));
    RV_TRY(gate_all(j, err));
    count(j, report);
    RV_TRY(write_table(j, false, out, err));
    return write_table(j, true, j->opt->tracks, err);
}

rv_status rv_gate_write(const char *root, const char *out, const rv_gate_options *opt,
                        rv_feature_cache *cache, rv_gate_report *report, rv_error *err)
{
    job j = { .opt = opt, .cache = cache, .gate = gate_of(opt) };
    if (pthread_mutex_init(&j.lock, NULL) != 0)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", root);
    fill_specs(&j);
    const rv_status st = run(&j, root, out, report, err);
    for (size_t i = 0; j.tracks && i < j.list->n; i++)
        rv_gate_track_free(&j.tracks[i]);
    free(j.tracks);
    free(j.done);
    rv_track_list_free(j.list);
    pthread_mutex_destroy(&j.lock);
    return st;
}
