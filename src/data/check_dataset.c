/* check_dataset.c - see check_dataset.h. Each song has a list of findings of its own; they are put
 * together in the order of the songs, so the report does not depend on the threads. */
#include "data/check_dataset.h"

#include "base/pool.h"
#include "base/status.h"
#include "data/check_track.h"
#include "data/layout.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the report points to. */
typedef struct report {
    rv_check_report public; /* first: freed by its address */
    rv_track_list *list;
    rv_check_track *tracks;
    rv_check_audio *audio; /* [n_tracks][n_stems + 1] */
    rv_findings all;
    char **labels; /* [n_labels] "train/SONG" of the findings */
    size_t n_labels;
} report;

typedef struct job {
    report *report;
    const rv_check_options *opt;
    rv_findings broken;    /* of songs that are not in the list, as labels too */
    rv_findings *findings; /* [n_tracks] */
    pthread_mutex_t lock;  /* of what follows */
    double *done;          /* [n_tracks] 0 to 1 */
    double total;
    rv_error error; /* the first */
    atomic_bool stop;
} job;

void rv_check_report_free(rv_check_report *public)
{
    report *r = (report *)public;
    if (!r)
        return;
    rv_findings_free(&r->all);
    for (size_t i = 0; i < r->n_labels; i++)
        free(r->labels[i]);
    free(r->labels);
    free(r->tracks);
    free(r->audio);
    rv_track_list_free(r->list);
    free(r);
}

/* Finding the songs */

static rv_status add_label(report *r, const char *split, const char *song, rv_error *err)
{
    char *label = NULL, **grown = realloc(r->labels, (r->n_labels + 1) * sizeof *grown);
    if (grown)
        r->labels = grown;
    if (!grown || asprintf(&label, "%s%s%s", split, *split ? "/" : "", song) < 0)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", song);
    r->labels[r->n_labels++] = label;
    return RV_OK;
}

static rv_status note_broken(void *ctx, const char *song, const char *split, const rv_error *why,
                             rv_error *err)
{
    job *j = ctx;
    RV_TRY(add_label(j->report, split, song, err));
    RV_TRY(rv_findings_add(&j->broken,
                           &(rv_check_finding){ RV_CHECK_ERROR, "metadata", NULL, "", NULL, 0 },
                           err, "%s; the song was not checked, add or mend the file", why->text));
    j->broken.at[j->broken.n - 1].track = j->report->labels[j->report->n_labels - 1];
    return RV_OK;
}

static rv_status find_tracks(job *j, const char *root, rv_error *err)
{
    const rv_check_options *o = j->opt;
    report *r = j->report;
    const rv_track_query query = { .root = root,
                                   .layout = o->layout,
                                   .stems = o->stems,
                                   .n_stems = o->n_stems,
                                   .missing = RV_MISSING_SILENCE,
                                   .broken = note_broken,
                                   .broken_ctx = j };
    RV_TRY(rv_track_list_find(&r->list, &query, err));
    if (!r->list && j->broken.n == 0)
        return RV_FAIL(err, RV_ERR_IO, "%s: no songs", root);
    if (!r->list)
        return RV_OK;
    rv_check_report *p = &r->public;
    p->layout = r->list->layout->name;
    p->expects = r->list->layout->expects;
    p->stems = (const char *const *)r->list->stems;
    p->n_stems = r->list->n_stems;
    p->n_tracks = r->list->n;
    r->tracks = calloc(p->n_tracks, sizeof *r->tracks);
    r->audio = calloc(p->n_tracks, (p->n_stems + 1) * sizeof *r->audio);
    j->findings = calloc(p->n_tracks, sizeof *j->findings);
    j->done = calloc(p->n_tracks, sizeof *j->done);
    if (!r->tracks || !r->audio || !j->findings || !j->done)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu songs", p->n_tracks);
    p->tracks = r->tracks;
    for (size_t i = 0; i < p->n_tracks; i++)
        r->tracks[i] = (rv_check_track){ .name = r->list->tracks[i].name,
                                         .split = r->list->tracks[i].split,
                                         .audio = r->audio + i * (p->n_stems + 1) };
    return RV_OK;
}

/* Checking them */

static bool tick(void *ctx, size_t track, double fraction)
{
    job *j = ctx;
    pthread_mutex_lock(&j->lock);
    j->total += fraction - j->done[track];
    j->done[track] = fraction;
    if (j->opt->progress && !j->stop)
        j->stop = j->opt->progress(j->opt->progress_ctx, j->report->tracks[track].name,
                                   j->total / (double)j->report->public.n_tracks) != 0;
    pthread_mutex_unlock(&j->lock);
    return j->stop;
}

static void keep_error(job *j, const rv_error *err)
{
    pthread_mutex_lock(&j->lock);
    if (j->error.status == RV_OK)
        j->error = *err;
    j->stop = true;
    pthread_mutex_unlock(&j->lock);
}

static void check_track(void *ctx, size_t i, int worker)
{
    job *j = ctx;
    report *r = j->report;
    rv_error err = { 0 };
    (void)worker;
    const rv_check_task task = { .list = r->list,
                                 .track = i,
                                 .opt = j->opt,
                                 .result = &r->tracks[i],
                                 .audio = r->audio + i * (r->public.n_stems + 1),
                                 .findings = &j->findings[i],
                                 .tick = tick,
                                 .tick_ctx = j };
    if (j->stop)
        return;
    if (rv_check_track_run(&task, &err) != RV_OK)
        keep_error(j, &err);
    else if (tick(j, i, 1))
        keep_error(j, &(rv_error){ .status = RV_ERR_CANCELLED, .text = "stopped" });
}

static rv_status check_tracks(job *j, rv_error *err)
{
    rv_pool *pool = NULL;
    RV_TRY(rv_pool_new(&pool, j->opt->threads, NULL, err));
    rv_pool_run(pool, j->report->public.n_tracks, check_track, j);
    rv_pool_free(pool);
    if (j->error.status != RV_OK)
        return RV_FAIL(err, j->error.status, "%s", j->error.text);
    return RV_OK;
}

/* Putting it together: the findings move from the songs' lists into one. */
static rv_status move_findings(report *r, rv_findings *from, const char *label, rv_error *err)
{
    if (from->n == 0)
        return RV_OK;
    rv_check_finding *grown = realloc(r->all.at, (r->all.n + from->n) * sizeof *grown);
    if (!grown)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu findings", r->all.n + from->n);
    r->all.at = grown;
    for (size_t i = 0; i < from->n; i++) {
        r->all.at[r->all.n] = from->at[i];
        if (label)
            r->all.at[r->all.n].track = label;
        r->all.n++;
    }
    from->n = 0;
    return RV_OK;
}

static rv_status join_findings(job *j, rv_error *err)
{
    report *r = j->report;
    rv_check_report *p = &r->public;
    RV_TRY(move_findings(r, &j->broken, NULL, err));
    for (size_t i = 0; i < p->n_tracks; i++) {
        RV_TRY(add_label(r, p->tracks[i].split, p->tracks[i].name, err));
        RV_TRY(move_findings(r, &j->findings[i], r->labels[r->n_labels - 1], err));
    }
    p->findings = r->all.at;
    p->n_findings = r->all.n;
    return RV_OK;
}

static rv_status check_options(const rv_check_options *o, rv_error *err)
{
    if (o->threads < 0 || o->threads > 1024)
        return RV_FAIL(err, RV_ERR_ARG, "%d threads; expected 1 to 1024, or 0", o->threads);
    if (!(fabs(o->residual) <= 200 && fabs(o->residual_lossy) <= 200))
        return RV_FAIL(err, RV_ERR_ARG, "residuals of %g and %g dB; expected -200 to 200",
                       o->residual, o->residual_lossy);
    return RV_OK;
}

static rv_status run_all(job *j, const char *root, rv_error *err)
{
    const rv_check_report *p = &j->report->public;
    RV_TRY(check_options(j->opt, err));
    RV_TRY(find_tracks(j, root, err));
    if (p->n_tracks > 0) {
        RV_TRY(check_tracks(j, err));
        RV_TRY(rv_find_duplicates(j->findings, p->tracks, p->n_tracks, p->n_stems, err));
        RV_TRY(rv_find_odd_tracks(j->findings, p->tracks, p->n_tracks, p->n_stems, err));
    }
    return join_findings(j, err);
}

rv_status rv_check_run(rv_check_report **out, const char *root, const rv_check_options *opt,
                       rv_error *err)
{
    job j = { .opt = opt, .lock = PTHREAD_MUTEX_INITIALIZER };
    if (!(j.report = calloc(1, sizeof *j.report)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", root);
    const rv_status status = run_all(&j, root, err);
    for (size_t i = 0; j.findings && i < j.report->public.n_tracks; i++)
        rv_findings_free(&j.findings[i]);
    free(j.findings);
    rv_findings_free(&j.broken);
    free(j.done);
    pthread_mutex_destroy(&j.lock);
    if (status == RV_OK)
        *out = &j.report->public;
    else
        rv_check_report_free(&j.report->public);
    return status;
}
