/* report_eval.c - figures of an evaluation; see report_read.h and docs/evaluation.md. */
#include "data/entries.h"
#include "io/text.h"
#include "report/report_read.h"
#include "report/report_text.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 29 };

typedef struct reader {
    const char *path;
    size_t track; /* from 1, for messages */
    rv_error *err;
} reader;

static rv_status wrong(const reader *r, const char *what)
{
    if (r->track == 0)
        return RV_FAIL(r->err, RV_ERR_FORMAT, "%s: %s, as ravel eval --json writes it", r->path,
                       what);
    return RV_FAIL(r->err, RV_ERR_FORMAT, "%s, track %zu: %s, as ravel eval --json writes it",
                   r->path, r->track, what);
}

static rv_status no_memory(const reader *r)
{
    return RV_FAIL(r->err, RV_ERR_NOMEM, "%s: out of memory", r->path);
}

/* What is no number is none: null. */
static json_t *number(const json_t *x)
{
    return json_is_number(x) ? json_real(json_number_value(x)) : json_null();
}

static rv_status take_values(const reader *r, json_t *stem, const json_t *metrics)
{
    const char *name;
    json_t *value, *values = json_object();
    json_object_set_new(stem, "values", values);
    json_object_foreach((json_t *)metrics, name, value)
    {
        if (!json_is_number(value) && !json_is_null(value))
            continue;
        if (json_object_set_new(values, name, number(value)) != 0)
            return no_memory(r);
    }
    return values ? RV_OK : no_memory(r);
}

/* A figure that only some frames have is null in the others. */
static rv_status append_frame(const reader *r, json_t *columns, size_t frame, const json_t *metrics)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)metrics, name, value)
    {
        json_t *column = json_object_get(columns, name);
        if (!column) {
            column = json_array();
            if (json_object_set_new(columns, name, column) != 0)
                return no_memory(r);
        }
        while (json_array_size(column) < frame)
            if (json_array_append_new(column, json_null()) != 0)
                return no_memory(r);
        if (json_array_append_new(column, number(value)) != 0)
            return no_memory(r);
    }
    return RV_OK;
}

static rv_status take_frames(const reader *r, json_t *stem, const json_t *frames)
{
    json_t *times = json_array(), *columns = json_object();
    json_object_set_new(stem, "times", times);
    json_object_set_new(stem, "frames", columns);
    if (!times || !columns)
        return no_memory(r);
    for (size_t f = 0; f < json_array_size(frames); f++) {
        const json_t *frame = json_array_get(frames, f);
        const json_t *time = json_object_get(frame, "time");
        const json_t *metrics = json_object_get(frame, "metrics");
        if (!json_is_number(time) || !json_is_object(metrics))
            return wrong(r, "a frame without a time and metrics; expected both");
        if (json_array_append_new(times, number(time)) != 0)
            return no_memory(r);
        RV_TRY(append_frame(r, columns, f, metrics));
    }
    return RV_OK;
}

static rv_status take_targets(const reader *r, json_t *stems, const json_t *targets)
{
    for (size_t i = 0; i < json_array_size(targets); i++) {
        const json_t *target = json_array_get(targets, i);
        const json_t *name = json_object_get(target, "name");
        if (!json_is_string(name))
            return wrong(r, "a target without a name; expected {\"name\": \"vocals\", ...}");
        json_t *stem = json_pack("{sO}", "name", name);
        if (json_array_append_new(stems, stem) != 0)
            return no_memory(r);
        RV_TRY(take_values(r, stem, json_object_get(target, "metrics")));
        RV_TRY(take_frames(r, stem, json_object_get(target, "frames")));
    }
    return RV_OK;
}

/* A track's name may be null: it is not UTF-8. */
static rv_status take_track(const reader *r, json_t *tracks, const json_t *from, const char *other)
{
    const char *name = json_string_value(json_object_get(from, "name"));
    const char *split = json_string_value(json_object_get(from, "split"));
    const json_t *targets = json_object_get(from, "targets");
    json_t *stems = json_array();
    json_t *track = json_pack("{so, ss, so}", "name", rv_name_json(name ? name : other), "split",
                              split ? split : "", "stems", stems);
    if (json_array_append_new(tracks, track) != 0)
        return no_memory(r);
    if (!json_is_array(targets))
        return wrong(r, "no list of targets; expected {\"name\": ..., \"targets\": [...]}");
    return take_targets(r, stems, targets);
}

/* "model" for "out/model.json" */
static json_t *name_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return rv_text_json(name, strlen(name) - (rv_ends_in(name, ".json") ? 5 : 0));
}

/* from: an object with "tracks", or museval's of one track with "targets". */
static rv_status take_method(reader *r, json_t *methods, const json_t *from)
{
    const json_t *given = json_object_get(from, "name");
    const json_t *list = json_object_get(from, "tracks");
    json_t *name = json_is_string(given) && list ? json_copy((json_t *)given) : name_of(r->path);
    json_t *tracks = json_array(), *method = json_pack("{so, so}", "name", name, "tracks", tracks);
    r->track = 0;
    if (json_array_append_new(methods, method) != 0)
        return no_memory(r);
    if (json_is_array(json_object_get(from, "targets")))
        return take_track(r, tracks, from, json_string_value(name));
    if (!json_is_array(list))
        return wrong(r, "no list of tracks; expected {\"tracks\": [...]}");
    for (size_t i = 0; i < json_array_size(list); i++) {
        r->track = i + 1;
        RV_TRY(take_track(r, tracks, json_array_get(list, i), "?"));
    }
    return RV_OK;
}

static rv_status take_methods(reader *r, json_t *methods, const json_t *root)
{
    const json_t *list = json_object_get(root, "methods");
    if (!json_is_array(list))
        return take_method(r, methods, root);
    for (size_t i = 0; i < json_array_size(list); i++)
        RV_TRY(take_method(r, methods, json_array_get(list, i)));
    return RV_OK;
}

/* value, or null if it is no object */
static json_t *object_of(json_t *value)
{
    return json_is_object(value) ? json_incref(value) : json_null();
}

static rv_status take_all(json_t **out, const json_t *root, reader *r)
{
    json_t *methods = json_array();
    json_t *eval = json_pack("{so, so, so}", "methods", methods, "metrics",
                             object_of(json_object_get(root, "metrics")), "differences",
                             object_of(json_object_get(root, "differences")));
    const rv_status status = eval ? take_methods(r, methods, root) : no_memory(r);
    if (status == RV_OK)
        *out = eval;
    else
        json_decref(eval);
    return status;
}

rv_status rv_report_read_eval(json_t **out, const char *text, size_t n, const char *path,
                              rv_error *err)
{
    json_error_t where;
    reader r = { path, 0, err };
    json_t *root = json_loadb(text, n, 0, &where);
    if (!root)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s, line %d: no JSON: %s", path, where.line,
                       rv_show(where.text, strlen(where.text)).text);
    const rv_status status = take_all(out, root, &r);
    json_decref(root);
    return status;
}

rv_status rv_report_open_eval(json_t **out, const char *path, rv_error *err)
{
    char *text = NULL;
    size_t n = 0;
    RV_TRY(rv_file_text(&text, &n, path, FILE_MAX, err));
    const rv_status status = rv_report_read_eval(out, text, n, path, err);
    free(text);
    return status;
}
