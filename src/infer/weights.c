/* weights.c - see weights.h. */
#include "infer/weights.h"

#include "base/status.h"

#include <stdlib.h>

static bool fits(const rv_tensor *t, const rv_shape *want)
{
    if (t->rank == 0)
        return rv_shape_count(want) == 1;
    bool same = t->rank == want->rank;
    for (int i = 0; same && i < t->rank; i++)
        same = t->shape[i] == want->d[i];
    return same;
}

/* Those missing or misshapen: how many, and the first one's name. */
static size_t count_faults(const rv_checkpoint *c, const nn_builder *nn, const char **first,
                           size_t *converted)
{
    size_t faults = 0;
    for (const nn_param *p = nn->params; p; p = p->next) {
        const rv_tensor *t = rv_checkpoint_find(c, p->name);
        const bool good = t && fits(t, &p->node->shape);
        if (!good && faults++ == 0)
            *first = p->name;
        if (good && !rv_checkpoint_view(c, t))
            *converted += t->count;
    }
    return faults;
}

rv_status rv_weights_take(rv_weights *w, const rv_checkpoint *c, const nn_builder *nn,
                          const char *path, rv_error *err)
{
    size_t converted = 0, i = 0;
    const char *first = NULL;
    const size_t faults = count_faults(c, nn, &first, &converted);
    if (faults > 0)
        return RV_FAIL(err, RV_ERR_SHAPE,
                       "%s: %zu of %zu tensors of the model are missing or of another shape, the "
                       "first is %s",
                       path, faults, nn->n_params, first);
    w->value = calloc(nn->n_params + 1, sizeof *w->value);
    float *next = w->converted = malloc((converted + 1) * sizeof *w->converted);
    if (!w->value || !next)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu parameters", path, nn_count(nn));
    for (const nn_param *p = nn->params; p; p = p->next, i++) {
        const rv_tensor *t = rv_checkpoint_find(c, p->name);
        w->value[i] = rv_checkpoint_view(c, t);
        if (w->value[i])
            continue;
        RV_TRY(rv_checkpoint_read(c, t, next, err));
        w->value[i] = next;
        next += t->count;
    }
    return RV_OK;
}

void rv_weights_free(rv_weights *w)
{
    free((void *)w->value);
    free(w->converted);
    *w = (rv_weights){ 0 };
}
