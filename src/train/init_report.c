/* init_report.c - see init_report.h. */
#include "train/init_report.h"

#include "base/status.h"

#include <stdio.h>

enum { LINE = 1600 };

static void collect(void *ctx, rv_partial_kind kind, const char *name, const char *why)
{
    rv_init_report *r = ctx;
    if (r->count[kind] < RV_INIT_SHOWN)
        snprintf(r->first[kind][r->count[kind]], RV_INIT_TEXT, "%s",
                 kind == RV_PARTIAL_MISFIT ? why : name);
    r->count[kind]++;
}

static rv_status load(rv_init_report *r, const rv_checkpoint *c, const char *path,
                      const rv_span *spans, size_t n, float *parameters, rv_error *err)
{
    if (rv_checkpoint_is_quantized(c))
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "%s: its weights are quantised; `ravel models convert` makes a file of it "
                       "that can be trained further",
                       path);
    RV_TRY(rv_partial_load(c, spans, n, parameters, &r->loaded, collect, r, err));
    if (r->loaded == 0)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: none of its tensors fits the model", path);
    return RV_OK;
}

rv_status rv_init_load(rv_init_report *out, const char *path, const rv_span *spans, size_t n,
                       float *parameters, rv_error *err)
{
    rv_checkpoint *c = NULL;
    *out = (rv_init_report){ .tensors = n };
    RV_TRY(rv_checkpoint_open(&c, path, err));
    const rv_status st = load(out, c, path, spans, n, parameters, err);
    rv_checkpoint_free(c);
    return st;
}

/* "2 WHAT: FIRST, SECOND" */
static void tell_kind(const rv_init_report *r, rv_partial_kind kind, const char *what,
                      rv_train_note_fn *note, void *ctx)
{
    char line[LINE];
    const size_t n = r->count[kind];
    size_t at = (size_t)snprintf(line, sizeof line, "  %zu %s", n, what);
    for (size_t i = 0; i < n && i < RV_INIT_SHOWN; i++)
        at += (size_t)snprintf(line + at, sizeof line - at, "%s%s", i ? ", " : ": ",
                               r->first[kind][i]);
    if (n > RV_INIT_SHOWN)
        snprintf(line + at, sizeof line - at, " and %zu more", n - RV_INIT_SHOWN);
    if (n > 0)
        note(ctx, line);
}

void rv_init_tell(const rv_init_report *r, const char *path, rv_train_note_fn *note, void *ctx)
{
    char line[LINE];
    snprintf(line, sizeof line, "%.1000s: %zu of the model's %zu tensors taken", path, r->loaded,
             r->tensors);
    note(ctx, line);
    tell_kind(r, RV_PARTIAL_MISSING, "are not in it", note, ctx);
    tell_kind(r, RV_PARTIAL_MISFIT, "have another shape", note, ctx);
    tell_kind(r, RV_PARTIAL_UNUSED, "of its own are left", note, ctx);
}

static json_t *list_first(const rv_init_report *r, rv_partial_kind kind)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->count[kind] && i < RV_INIT_SHOWN; i++)
        json_array_append_new(list, json_string(r->first[kind][i]));
    return list;
}

json_t *rv_init_json(const rv_init_report *r, const char *path)
{
    return json_pack(
        "{sssisisssIsIsIsIsIsososo}", "kind", "init", "step", 0, "epoch", 0, "checkpoint", path,
        "tensors", (json_int_t)r->tensors, "loaded", (json_int_t)r->loaded, "missing",
        (json_int_t)r->count[RV_PARTIAL_MISSING], "other_shape",
        (json_int_t)r->count[RV_PARTIAL_MISFIT], "unused", (json_int_t)r->count[RV_PARTIAL_UNUSED],
        "first_missing", list_first(r, RV_PARTIAL_MISSING), "first_other_shape",
        list_first(r, RV_PARTIAL_MISFIT), "first_unused", list_first(r, RV_PARTIAL_UNUSED));
}
