/* checkpoint_match.c - all that is wrong with the tensors of a file, in one message. */
#include "io/checkpoint.h"
#include "io/checkpoint_impl.h"
#include "io/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct report {
    char text[1200]; /* a rv_error's text, less the path and what comes before */
    size_t n;
    size_t found, shown;
    const char *group; /* "missing", ... of the last item */
} report;

enum { TAIL = 40 }; /* bytes kept free for the end */

typedef struct shape_text {
    char text[RV_MAX_RANK * 21 + 3];
} shape_text;

static shape_text show_shape(int rank, const size_t *shape)
{
    shape_text s = { "[" };
    size_t n = 1;
    for (int i = 0; i < rank; i++)
        n += (size_t)snprintf(s.text + n, sizeof s.text - n, i ? ",%zu" : "%zu", shape[i]);
    snprintf(s.text + n, sizeof s.text - n, "]");
    return s;
}

/* Add "name detail" to a group, as long as nothing was left out and it fits. */
static void add(report *r, const char *group, const char *name, const char *detail)
{
    char item[RV_SHOWN + 2 * sizeof(shape_text) + 64];
    const bool opens = !r->group || strcmp(r->group, group);
    const int n =
        snprintf(item, sizeof item, "%s%s%s%s%s",
                 !opens ? ", "
                 : r->n ? "; "
                        : "",
                 opens ? group : "", opens ? " " : "", rv_show(name, strlen(name)).text, detail);
    r->found++;
    if (r->shown + 1 < r->found || r->n + (size_t)n + TAIL > sizeof r->text)
        return;
    memcpy(r->text + r->n, item, (size_t)n + 1);
    r->n += (size_t)n;
    r->group = group;
    r->shown++;
}

bool rv_tensor_has_shape(const rv_tensor *t, int rank, const size_t *shape)
{
    if (rank + t->rank == 1)
        return t->count == 1 && (rank == 0 || shape[0] == 1);
    return rank == t->rank && !memcmp(shape, t->shape, (size_t)rank * sizeof *shape);
}

static void add_missing(report *r, const rv_checkpoint *c, const rv_expected *want, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char detail[sizeof(shape_text) + 1];
        snprintf(detail, sizeof detail, " %s", show_shape(want[i].rank, want[i].shape).text);
        if (!rv_checkpoint_find(c, want[i].name))
            add(r, "missing", want[i].name, detail);
    }
}

static void add_misshapen(report *r, const rv_checkpoint *c, const rv_expected *want, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const rv_tensor *t = rv_checkpoint_find(c, want[i].name);
        if (!t || rv_tensor_has_shape(t, want[i].rank, want[i].shape))
            continue;
        char detail[2 * sizeof(shape_text) + 32];
        snprintf(detail, sizeof detail, " (expected %s, found %s)",
                 show_shape(want[i].rank, want[i].shape).text, show_shape(t->rank, t->shape).text);
        add(r, "misshapen", want[i].name, detail);
    }
}

static bool is_counter(const char *name)
{
    static const char end[] = "num_batches_tracked";
    const size_t n = strlen(name), m = sizeof end - 1;
    return n >= m && !strcmp(name + n - m, end);
}

static int by_name(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

static rv_status add_extra(report *r, const rv_checkpoint *c, const rv_expected *want, size_t n,
                           rv_error *err)
{
    const char **names = malloc((n + 1) * sizeof *names);
    if (!names)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", c->path);
    for (size_t i = 0; i < n; i++)
        names[i] = want[i].name;
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < c->n; i++) {
        const rv_tensor *t = &c->tensors[i];
        char detail[sizeof(shape_text) + 1];
        snprintf(detail, sizeof detail, " %s", show_shape(t->rank, t->shape).text);
        if (!bsearch(&t->name, names, n, sizeof *names, by_name) && !is_counter(t->name))
            add(r, "extra", t->name, detail);
    }
    free(names);
    return RV_OK;
}

rv_status rv_checkpoint_match(const rv_checkpoint *c, const rv_expected *want, size_t n,
                              rv_error *err)
{
    report r = { .n = 0 };
    add_missing(&r, c, want, n);
    RV_TRY(add_extra(&r, c, want, n, err));
    add_misshapen(&r, c, want, n);
    if (!r.found)
        return RV_OK;
    if (r.shown < r.found)
        snprintf(r.text + r.n, sizeof r.text - r.n, " ... and %zu more", r.found - r.shown);
    return RV_FAIL(err, RV_ERR_SHAPE, "%s: the tensors do not fit the model: %s",
                   rv_show(c->path, strlen(c->path)).text, r.text);
}
