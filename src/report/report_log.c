/* report_log.c - the log of a training as curves of bounded length; see report_read.h. */
#include "report/report_read.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SERIES_MAX = 64, POINTS = 1200, NAME = 48 };

/* Means of `each` values; when there are POINTS of them, neighbours are joined. */
typedef struct series {
    char kind[NAME], name[NAME];
    double steps[POINTS], values[POINTS]; /* sums over a point */
    size_t n, each, filled;               /* values in the last point */
    double least[2], most[2], last;       /* step, value */
} series;

typedef struct curves {
    series *at[SERIES_MAX];
    size_t n;
} curves;

static void halve(series *s)
{
    for (size_t i = 0; i < POINTS / 2; i++) {
        s->steps[i] = s->steps[2 * i] + s->steps[2 * i + 1];
        s->values[i] = s->values[2 * i] + s->values[2 * i + 1];
    }
    s->n = POINTS / 2;
    s->each *= 2;
    s->filled = s->each;
}

static void add(series *s, double step, double value)
{
    if (s->n == 0 || s->filled == s->each) {
        if (s->n == POINTS)
            halve(s);
        s->steps[s->n] = s->values[s->n] = 0;
        s->n++;
        s->filled = 0;
    }
    s->steps[s->n - 1] += step;
    s->values[s->n - 1] += value;
    s->filled++;
    s->last = value;
    if (s->least[0] < 0 || value < s->least[1])
        s->least[0] = step, s->least[1] = value;
    if (s->most[0] < 0 || value > s->most[1])
        s->most[0] = step, s->most[1] = value;
}

/* NULL in *out: the name is too long, or there are too many. */
static rv_status find(series **out, curves *c, const char *kind, const char *name, rv_error *err)
{
    *out = NULL;
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->at[i]->kind, kind) == 0 && strcmp(c->at[i]->name, name) == 0) {
            *out = c->at[i];
            return RV_OK;
        }
    if (c->n == SERIES_MAX || strlen(kind) >= NAME || strlen(name) >= NAME)
        return RV_OK;
    series *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory for a curve");
    strcpy(s->kind, kind);
    strcpy(s->name, name);
    s->each = 1;
    s->least[0] = s->most[0] = -1;
    c->at[c->n++] = *out = s;
    return RV_OK;
}

/* One whose sums over a log stay finite. */
static bool is_usable(const json_t *x)
{
    return json_is_number(x) && fabs(json_number_value(x)) < 1e200;
}

/* All numbers of an object but its place in the run. */
static rv_status take_line(curves *c, const json_t *line, rv_error *err)
{
    const char *name, *kind = json_string_value(json_object_get(line, "kind"));
    const json_t *step = json_object_get(line, "step");
    json_t *value;
    if (!kind || !is_usable(step) || json_number_value(step) < 0 || strcmp(kind, "init") == 0)
        return RV_OK;
    json_object_foreach((json_t *)line, name, value)
    {
        series *s = NULL;
        if (!is_usable(value) || strcmp(name, "step") == 0 || strcmp(name, "epoch") == 0)
            continue;
        RV_TRY(find(&s, c, kind, name, err));
        if (s)
            add(s, json_number_value(step), json_number_value(value));
    }
    return RV_OK;
}

static rv_status read_lines(curves *c, FILE *log, const char *path, rv_error *err)
{
    char *text = NULL;
    size_t room = 0, number = 1;
    rv_status status = RV_OK;
    for (ssize_t n; status == RV_OK && (n = getline(&text, &room, log)) > 0; number++) {
        json_t *line = json_loadb(text, (size_t)n, 0, NULL);
        if (json_is_object(line))
            status = take_line(c, line, err);
        else if (text[n - 1] == '\n')
            status = RV_FAIL(err, RV_ERR_FORMAT,
                             "%s, line %zu: not a log of ravel train: a line must be a JSON object",
                             path, number);
        json_decref(line);
    }
    free(text);
    if (status == RV_OK && ferror(log))
        status = RV_FAIL(err, RV_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    return status;
}

static json_t *series_json(const series *s)
{
    json_t *steps = json_array(), *values = json_array();
    for (size_t i = 0; i < s->n; i++) {
        const double each = (double)(i + 1 == s->n ? s->filled : s->each);
        json_array_append_new(steps, json_real(s->steps[i] / each));
        json_array_append_new(values, json_real(s->values[i] / each));
    }
    const bool whole = json_array_size(steps) == s->n && json_array_size(values) == s->n;
    json_t *out =
        json_pack("{s:s%, s:s%, s:o, s:o, s:f, s:[ff], s:[ff]}", "kind", s->kind, strlen(s->kind),
                  "name", s->name, strlen(s->name), "steps", steps, "values", values, "last",
                  s->last, "least", s->least[0], s->least[1], "most", s->most[0], s->most[1]);
    if (whole)
        return out;
    json_decref(out);
    return NULL;
}

rv_status rv_report_read_log(json_t **out, FILE *log, const char *path, rv_error *err)
{
    curves c = { .n = 0 };
    json_t *list = json_array();
    rv_status status = read_lines(&c, log, path, err);
    for (size_t i = 0; i < c.n; i++) {
        if (status == RV_OK && json_array_append_new(list, series_json(c.at[i])) != 0)
            status = RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
        free(c.at[i]);
    }
    if (status == RV_OK && list)
        *out = list;
    else
        json_decref(list);
    return list || status != RV_OK ? status : RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
}
