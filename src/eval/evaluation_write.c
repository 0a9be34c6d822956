/* evaluation_write.c - figures as JSON and CSV.
 *
 * JSON: an object whose "tracks" are what museval 0.4 writes for one track each (musdb.schema.json:
 * "targets" of "name" and "frames" of "time", "duration", "metrics", rounded to five decimals),
 * with the name of the song, and figures of whole tracks as "metrics" of a target. */
#include "eval/evaluation.h"
#include "io/audio_sink.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rv_status write_text(const char *path, const char *text, size_t n, rv_error *err)
{
    audio_sink sink = { 0 };
    RV_TRY(rv_sink_open(&sink, path, err));
    rv_sink_write(&sink, text, n);
    rv_status status = rv_sink_check(&sink, err);
    if (status == RV_OK)
        status = rv_sink_commit(&sink, err);
    rv_sink_discard(&sink);
    return status;
}

/* JSON ------------------------------------------------------------------------------------ */

static json_t *number(double x)
{
    return isfinite(x) ? json_real(round(x * 1e5) / 1e5) : json_null();
}

/* The order of museval's files. */
static json_t *frame_metrics(const rv_eval_stem *s, size_t n_frames, size_t frame)
{
    static const int order[] = { RV_METRIC_SDR, RV_METRIC_SIR, RV_METRIC_SAR, RV_METRIC_ISR };
    json_t *object = json_object();
    for (size_t i = 0; i < RV_FRAME_METRICS; i++)
        json_object_set_new(object, rv_metric_name(order[i]),
                            number(s->frames[(size_t)order[i] * n_frames + frame]));
    return object;
}

static json_t *frames_of(const rv_eval_song *song, const rv_eval_stem *s)
{
    json_t *list = json_array();
    for (size_t f = 0; f < song->n_frames && s->frames; f++)
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o}", "time", number((double)f * song->hop), "duration",
                            number(song->window), "metrics", frame_metrics(s, song->n_frames, f)));
    return list;
}

static json_t *whole_track(const rv_evaluation *e, const rv_eval_stem *s)
{
    json_t *object = json_object();
    for (int m = RV_FRAME_METRICS; m < RV_METRICS; m++)
        if (rv_eval_wants(e->metrics, m))
            json_object_set_new(object, rv_metric_name(m), number(s->values[m]));
    return object;
}

static json_t *track(const rv_evaluation *e, const rv_eval_song *song)
{
    json_t *targets = json_array();
    for (size_t s = 0; s < e->n_stems; s++)
        json_array_append_new(targets, json_pack("{s:s, s:o, s:o}", "name", e->stems[s], "frames",
                                                 frames_of(song, &song->stems[s]), "metrics",
                                                 whole_track(e, &song->stems[s])));
    json_t *name = json_string(song->name); /* NULL: not UTF-8 */
    return json_pack("{s:o, s:s, s:o}", "name", name ? name : json_null(), "split", song->split,
                     "targets", targets);
}

static json_t *medians(const rv_evaluation *e)
{
    json_t *object = json_object();
    for (size_t s = 0; s < e->n_stems; s++) {
        json_t *stem = json_object();
        for (int m = 0; m < RV_METRICS; m++)
            if (rv_eval_wants(e->metrics, m))
                json_object_set_new(stem, rv_metric_name(m),
                                    number(rv_evaluation_median(e, s, m, NULL)));
        json_object_set_new(object, e->stems[s], stem);
    }
    return object;
}

rv_status rv_evaluation_write_json(const rv_evaluation *e, const char *path, rv_error *err)
{
    json_t *tracks = json_array();
    for (size_t i = 0; i < e->n_songs; i++)
        json_array_append_new(tracks, track(e, &e->songs[i]));
    json_t *all = json_pack("{s:o, s:o}", "tracks", tracks, "medians", medians(e));
    char *text = all && json_array_size(tracks) == e->n_songs
                     ? json_dumps(all, JSON_INDENT(1) | JSON_REAL_PRECISION(12))
                     : NULL;
    json_decref(all);
    if (!text)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    const rv_status status = write_text(path, text, strlen(text), err);
    free(text);
    return status;
}

/* CSV, RFC 4180 ----------------------------------------------------------------------------- */

static void cell(FILE *f, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, f);
        return;
    }
    fputc('"', f);
    for (; *text; text++)
        fprintf(f, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', f);
}

/* Without the locale's decimal sign. */
static void decimal(FILE *f, double x)
{
    const double scaled = round(fabs(x) * 1e5);
    if (isfinite(x) && scaled < 9e15)
        fprintf(f, "%s%lld.%05lld", x < 0 && scaled > 0 ? "-" : "", (long long)scaled / 100000,
                (long long)scaled % 100000);
}

static void print_csv(FILE *f, const rv_evaluation *e)
{
    fputs("track,split,stem", f);
    for (int m = 0; m < RV_METRICS; m++)
        if (rv_eval_wants(e->metrics, m))
            fprintf(f, ",%s", rv_metric_name(m));
    for (size_t i = 0; i < e->n_songs * e->n_stems; i++) {
        const rv_eval_song *song = &e->songs[i / e->n_stems];
        fputc('\n', f);
        cell(f, song->name);
        fprintf(f, ",%s,", song->split);
        cell(f, e->stems[i % e->n_stems]);
        for (int m = 0; m < RV_METRICS; m++)
            if (rv_eval_wants(e->metrics, m)) {
                fputc(',', f);
                decimal(f, song->stems[i % e->n_stems].values[m]);
            }
    }
    fputc('\n', f);
}

rv_status rv_evaluation_write_csv(const rv_evaluation *e, const char *path, rv_error *err)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (f)
        print_csv(f, e);
    const bool whole = f && !ferror(f);
    const bool good = f && fclose(f) == 0 && whole;
    const rv_status status = good ? write_text(path, text, n, err)
                                  : RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    free(text);
    return status;
}
