/* evaluation_write.c - figures as JSON and CSV (docs/evaluation.md).
 *
 * JSON: for each method "tracks" that are what museval 0.4 writes for one track each
 * (musdb.schema.json: "targets" of "name" and "frames" of "time", "duration", "metrics", rounded to
 * five decimals), with the name of the song, and figures of whole tracks as "metrics" of a target.
 */
#include "eval/comparison.h"
#include "io/audio_sink.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* JSON ------------------------------------------------------------------------------------ */

static json_t *number(double x)
{
    return isfinite(x) ? json_real(round(x * 1e5) / 1e5) : json_null();
}

/* null: not UTF-8, or NULL */
static json_t *text(const char *t)
{
    json_t *string = t ? json_string(t) : NULL;
    return string ? string : json_null();
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
    return json_pack("{s:o, s:s, s:o}", "name", text(song->name), "split", song->split, "targets",
                     targets);
}

typedef double over_songs(const rv_evaluation *e, size_t stem, rv_metric metric, size_t *n);

static json_t *summary(const rv_evaluation *e, over_songs *of)
{
    json_t *object = json_object();
    for (size_t s = 0; s < e->n_stems; s++) {
        json_t *stem = json_object();
        for (int m = 0; m < RV_METRICS; m++)
            if (rv_eval_wants(e->metrics, m))
                json_object_set_new(stem, rv_metric_name(m), number(of(e, s, m, NULL)));
        json_object_set_new(object, e->stems[s], stem);
    }
    return object;
}

static json_t *method(const rv_evaluation *e)
{
    static const char *const kinds[] = { "estimates", "model", "oracle" };
    rv_eval_report r;
    json_t *tracks = json_array();
    rv_evaluation_report(e, &r);
    for (size_t i = 0; i < e->n_songs; i++)
        json_array_append_new(tracks, track(e, &e->songs[i]));
    return json_pack("{s:o, s:s, s:I, s:I, s:o, s:o, s:o}", "name", text(e->method), "kind",
                     kinds[e->kind], "without_reference", (json_int_t)r.without_reference,
                     "silent_estimates", (json_int_t)r.silent_estimates, "medians",
                     summary(e, rv_evaluation_median), "means", summary(e, rv_evaluation_mean),
                     "tracks", tracks);
}

static json_t *metrics_of(const rv_evaluation *e)
{
    json_t *object = json_object();
    for (int m = 0; m < RV_METRICS; m++)
        if (rv_eval_wants(e->metrics, m))
            json_object_set_new(object, rv_metric_name(m),
                                json_pack("{s:s, s:s, s:s, s:b}", "about", rv_metric_about(m),
                                          "unit", rv_metric_unit(m), "better",
                                          rv_metric_better(m) > 0 ? "higher" : "lower", "by_frame",
                                          m < RV_FRAME_METRICS));
    return object;
}

static json_t *names_of_stems(const rv_evaluation *e)
{
    json_t *list = json_array();
    for (size_t s = 0; s < e->n_stems; s++)
        json_array_append_new(list, json_string(e->stems[s]));
    return list;
}

/* Differences of two methods ---------------------------------------------------------------- */

static json_t *difference(const rv_comparison *c, size_t first, size_t second, size_t stem, int m)
{
    const rv_eval_difference d = rv_comparison_difference(c, first, second, stem, (rv_metric)m);
    const char *better = d.better > 0 ? c->methods[first]->method : c->methods[second]->method;
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "songs", (json_int_t)d.songs, "mean",
                     number(d.mean), "median", number(d.median), "low", number(d.low), "high",
                     number(d.high), "better", text(d.better ? better : NULL));
}

static json_t *pair(const rv_comparison *c, size_t first, size_t second)
{
    const rv_evaluation *e = c->methods[0];
    json_t *stems = json_object();
    for (size_t s = 0; s < e->n_stems; s++) {
        json_t *object = json_object();
        for (int m = 0; m < RV_METRICS; m++)
            if (rv_eval_wants(e->metrics, (rv_metric)m))
                json_object_set_new(object, rv_metric_name(m), difference(c, first, second, s, m));
        json_object_set_new(stems, e->stems[s], object);
    }
    return json_pack("{s:o, s:o, s:o}", "first", text(c->methods[first]->method), "second",
                     text(c->methods[second]->method), "stems", stems);
}

static json_t *differences(const rv_comparison *c)
{
    json_t *pairs = json_array();
    for (size_t first = 0; first < c->n; first++)
        for (size_t second = first + 1; second < c->n; second++)
            json_array_append_new(pairs, pair(c, first, second));
    return json_pack("{s:f, s:i, s:I, s:o}", "confidence", 0.95, "resamples", c->resamples, "seed",
                     (json_int_t)c->seed, "pairs", pairs);
}

/* ------------------------------------------------------------------------------------------- */

static json_t *everything(const rv_comparison *c)
{
    const rv_evaluation *e = c->methods[0];
    json_t *methods = json_array();
    for (size_t i = 0; i < c->n; i++)
        json_array_append_new(methods, method(c->methods[i]));
    return json_pack("{s:s, s:o, s:o, s:I, s:I, s:o, s:o}", "schema", "ravel-eval/1", "stems",
                     names_of_stems(e), "metrics", metrics_of(e), "songs", (json_int_t)e->n_songs,
                     "songs_left_out", (json_int_t)e->without_estimates, "methods", methods,
                     "differences", differences(c));
}

rv_status rv_comparison_write_json(const rv_comparison *c, const char *path, rv_error *err)
{
    json_t *all = everything(c);
    const bool whole = json_array_size(json_object_get(all, "methods")) == c->n;
    char *text = whole ? json_dumps(all, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(all);
    if (!text)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    const rv_status status = rv_sink_store(path, text, strlen(text), err);
    free(text);
    return status;
}

/* A comparison of one, which has no differences. */
static rv_comparison alone(rv_evaluation **e)
{
    return (rv_comparison){ .methods = e, .n = 1 };
}

rv_status rv_evaluation_write_json(const rv_evaluation *e, const char *path, rv_error *err)
{
    rv_evaluation *one = (rv_evaluation *)e;
    const rv_comparison c = alone(&one);
    return rv_comparison_write_json(&c, path, err);
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

static void print_rows(FILE *f, const rv_evaluation *e)
{
    for (size_t i = 0; i < e->n_songs * e->n_stems; i++) {
        const rv_eval_song *song = &e->songs[i / e->n_stems];
        cell(f, e->method);
        fputc(',', f);
        cell(f, song->name);
        fprintf(f, ",%s,", song->split);
        cell(f, e->stems[i % e->n_stems]);
        for (int m = 0; m < RV_METRICS; m++)
            if (rv_eval_wants(e->metrics, m)) {
                fputc(',', f);
                decimal(f, song->stems[i % e->n_stems].values[m]);
            }
        fputc('\n', f);
    }
}

static void print_csv(FILE *f, const rv_comparison *c)
{
    fputs("method,track,split,stem", f);
    for (int m = 0; m < RV_METRICS; m++)
        if (rv_eval_wants(c->methods[0]->metrics, m))
            fprintf(f, ",%s", rv_metric_name(m));
    fputc('\n', f);
    for (size_t i = 0; i < c->n; i++)
        print_rows(f, c->methods[i]);
}

rv_status rv_comparison_write_csv(const rv_comparison *c, const char *path, rv_error *err)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (f)
        print_csv(f, c);
    const bool whole = f && !ferror(f);
    const bool good = f && fclose(f) == 0 && whole;
    const rv_status status = good ? rv_sink_store(path, text, n, err)
                                  : RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    free(text);
    return status;
}

rv_status rv_evaluation_write_csv(const rv_evaluation *e, const char *path, rv_error *err)
{
    rv_evaluation *one = (rv_evaluation *)e;
    const rv_comparison c = alone(&one);
    return rv_comparison_write_csv(&c, path, err);
}
