/* partial_load.c - match tensors and spans by name. */
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

static void tell_unused(const rv_checkpoint *c, const rv_span *spans, size_t n, rv_partial_fn *tell,
                        void *ctx)
{
    for (size_t i = 0; i < rv_checkpoint_count(c); i++) {
        const char *name = rv_checkpoint_tensor(c, i)->name;
        char line[LINE];
        size_t j = 0;
        while (j < n && strcmp(spans[j].name, name) != 0)
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
    *loaded = 0;
    for (size_t i = 0; i < n; i++) {
        const rv_tensor *t = rv_checkpoint_find(c, spans[i].name);
        if (t && rv_tensor_has_shape(t, spans[i].shape.rank, spans[i].shape.d) &&
            t->count == spans[i].count) {
            RV_TRY(rv_checkpoint_read(c, t, parameters + spans[i].offset, err));
            ++*loaded;
        } else if (tell) {
            tell_misfit(t, &spans[i], tell, ctx);
        }
    }
    if (tell)
        tell_unused(c, spans, n, tell, ctx);
    return RV_OK;
}
