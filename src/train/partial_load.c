/* partial_load.c - match tensors and spans by name.
 *
 * Files of others put a word in front of all names, or leave out one that the model has: of the
 * manners known, that counts by which most names are found. */
#include "train/partial_load.h"

#include "io/text.h"

#include <stdio.h>
#include <string.h>

enum { SHAPE_TEXT = 128, LINE = 512 };

typedef struct shape_text {
    char text[SHAPE_TEXT];
} shape_text;

static shape_text show_shape(const size_t *shape, int rank)
{
    shape_text s = { "[" };
    size_t at = 1;
    for (int i = 0; i < rank && at + 24 < sizeof s.text; i++)
        at += (size_t)snprintf(s.text + at, sizeof s.text - at, i ? ",%zu" : "%zu", shape[i]);
    snprintf(s.text + at, sizeof s.text - at, "]");
    return s;
}

/* A name in the file: `added` before that of the model, which has lost `lost` at its beginning. */
typedef struct manner {
    const char *added, *lost;
} manner;

static const manner manners[] = {
    { "", "" },
    { "module.", "" }, /* PyTorch's DataParallel, as in the weights of AST */
    { "", "v." },      /* a vision transformer by itself, as DeiT */
    { "module.", "v." },
};

static const char *without(const char *name, const char *start)
{
    const size_t n = strlen(start);
    return strncmp(name, start, n) == 0 ? name + n : NULL;
}

/* NULL: the file has none that the manner makes of this name. */
static const rv_tensor *find(const rv_checkpoint *c, const manner *m, const char *name)
{
    char in_file[LINE];
    const char *rest = without(name, m->lost);
    if (!rest || (size_t)snprintf(in_file, sizeof in_file, "%s%s", m->added, rest) >= LINE)
        return NULL;
    return rv_checkpoint_find(c, in_file);
}

static const manner *best_manner(const rv_checkpoint *c, const rv_span *spans, size_t n)
{
    size_t most = 0, best = 0;
    for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
        size_t found = 0;
        for (size_t j = 0; j < n; j++)
            found += find(c, &manners[i], spans[j].name) != NULL;
        if (found > most) {
            most = found;
            best = i;
        }
    }
    return &manners[best];
}

static bool is_of(const manner *m, const char *in_file, const char *name)
{
    const char *of_file = without(in_file, m->added), *of_model = without(name, m->lost);
    return of_file && of_model && strcmp(of_file, of_model) == 0;
}

static void tell_misfit(const rv_tensor *t, const rv_span *s, rv_partial_fn *tell, void *ctx)
{
    char line[LINE];
    if (!t)
        snprintf(line, sizeof line, "\"%s\" is not in the checkpoint", s->name);
    else
        snprintf(line, sizeof line, "\"%s\" is %s in the checkpoint, %s in the model", s->name,
                 show_shape(t->shape, t->rank).text, show_shape(s->shape.d, s->shape.rank).text);
    tell(ctx, t ? RV_PARTIAL_MISFIT : RV_PARTIAL_MISSING, s->name, line);
}

static void tell_unused(const rv_checkpoint *c, const manner *m, const rv_span *spans, size_t n,
                        rv_partial_fn *tell, void *ctx)
{
    for (size_t i = 0; i < rv_checkpoint_count(c); i++) {
        const char *name = rv_checkpoint_tensor(c, i)->name;
        char line[LINE];
        size_t j = 0;
        while (j < n && !is_of(m, name, spans[j].name))
            j++;
        if (j < n)
            continue;
        snprintf(line, sizeof line, "\"%s\" of the checkpoint is not in the model",
                 rv_show(name, strlen(name)).text);
        tell(ctx, RV_PARTIAL_UNUSED, name, line);
    }
}

rv_status rv_partial_load(const rv_checkpoint *c, const rv_span *spans, size_t n, float *parameters,
                          size_t *loaded, rv_partial_fn *tell, void *ctx, rv_error *err)
{
    const manner *m = best_manner(c, spans, n);
    *loaded = 0;
    for (size_t i = 0; i < n; i++) {
        const rv_tensor *t = find(c, m, spans[i].name);
        if (t && rv_tensor_has_shape(t, spans[i].shape.rank, spans[i].shape.d) &&
            t->count == spans[i].count) {
            RV_TRY(rv_checkpoint_read(c, t, parameters + spans[i].offset, err));
            ++*loaded;
        } else if (tell) {
            tell_misfit(t, &spans[i], tell, ctx);
        }
    }
    if (tell)
        tell_unused(c, m, spans, n, tell, ctx);
    return RV_OK;
}
