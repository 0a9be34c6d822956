/* diffq.c - the lists of a state of DiffQ, and which parameter of the model each item is.
 *
 *   state      {"quantized": [item, ...], "float16": [tensor, ...], "others": [tensor, ...],
 *               "meta": {"klass": class of the quantiser, "init_kwargs": its arguments,
 *                        "packed": bool, "torch_pack": bool}}
 *   item       (codes, (low, high), bits of each group)    DiffQuantizer
 *              (codes, (low, high))                        UniformQuantizer
 *   codes      one tensor, or if packed by DiffQuantizer a list: [b - 1] has those of b bits
 *
 * A parameter is quantised if it has more elements than a limit, so the largest one that is not
 * tells the two apart. Facts from diffq 0.2.4. */
#include "io/diffq_impl.h"
#include "io/text.h"

#include <string.h>

enum { PARAMETERS_LIMIT = 1 << 14 };

typedef struct lists {
    rv_checkpoint *c;
    rv_quantized *q;
    rv_locate_fn *locate;
    void *ctx;
    rv_error *err;
} lists;

static bool is_true(const rv_value *v)
{
    return v && (v->kind == RV_PK_BOOL || v->kind == RV_PK_INT) && v->number;
}

static bool is_sequence(const rv_value *v)
{
    return v && (v->kind == RV_PK_LIST || v->kind == RV_PK_TUPLE);
}

bool rv_diffq_is(const rv_value *state)
{
    return is_true(rv_value_get(state, "__quantized")) ||
           (is_sequence(rv_value_get(state, "quantized")) &&
            is_sequence(rv_value_get(state, "others")));
}

static rv_status damaged(const lists *l, const char *what)
{
    return RV_FAIL(l->err, RV_ERR_FORMAT, "%s: weights quantised by DiffQ: %s", l->c->path, what);
}

static rv_status unsupported(const lists *l, const char *what)
{
    return RV_FAIL(l->err, RV_ERR_UNSUPPORTED,
                   "%s: weights quantised by DiffQ: %s is not supported", l->c->path, what);
}

/* The settings of the quantiser */

static bool number_of(const rv_value *v, double *out)
{
    if (v && v->kind == RV_PK_INT)
        *out = (double)v->number;
    else if (v && v->kind == RV_PK_FLOAT)
        *out = v->real;
    else
        return false;
    return true;
}

/* The number called `key`, or *out as it is; in [least, most], else an error. */
static rv_status read_setting(const lists *l, const rv_value *settings, const char *key,
                              double least, double most, double *out)
{
    const rv_value *v = rv_value_get(settings, key);
    if ((v && !number_of(v, out)) || !(*out >= least && *out <= most))
        return RV_FAIL(l->err, RV_ERR_FORMAT,
                       "%s: weights quantised by DiffQ: %s must be a number from %g to %g",
                       l->c->path, key, least, most);
    return RV_OK;
}

static bool ends_with(const rv_value *class, const char *name)
{
    if (!class || class->kind != RV_PK_CLASS)
        return false;
    const size_t n = strlen(class->name), end = strlen(name);
    return n >= end && !strcmp(class->name + n - end, name);
}

/* Older versions of DiffQ wrote no "meta"; their codes are not packed, and are taken for those of
 * DiffQuantizer. */
static rv_status read_meta(const lists *l, const rv_value *meta)
{
    const rv_value *settings = rv_value_get(meta, "init_kwargs");
    const rv_value *class = rv_value_get(meta, "klass"),
                   *exclude = rv_value_get(settings, "exclude");
    double bits = 8, least = 2, group = 1;
    l->q->uniform = ends_with(class, ".UniformQuantizer");
    if (meta && !l->q->uniform && !ends_with(class, ".DiffQuantizer"))
        return unsupported(l, "a quantiser other than DiffQuantizer and UniformQuantizer");
    if (is_sequence(exclude) && exclude->list.n)
        return unsupported(l, "a list of excluded parameters");
    l->q->packed = is_true(rv_value_get(meta, "packed"));
    RV_TRY(read_setting(l, settings, "bits", 1, RV_DIFFQ_BITS, &bits));
    RV_TRY(read_setting(l, settings, "min_bits", 0, RV_DIFFQ_BITS, &least));
    if (l->q->packed && !l->q->uniform)
        RV_TRY(read_setting(l, settings, "group_size", 1, 1 << 30, &group));
    l->q->uniform_bits = (float)bits;
    l->q->least_bits = (float)least;
    l->q->group = (size_t)group;
    return RV_OK;
}

/* Tensors and items */

/* Give the place of a tensor in the file, checked as any other tensor is. */
static rv_status take_tensor(const lists *l, const rv_value *v, rv_tensor *t)
{
    if (!v || v->kind != RV_PK_TENSOR)
        return damaged(l, "something else is where a tensor should be");
    t->name = "(quantised)";
    RV_TRY(rv_pytorch_tensor(v, l->locate, l->ctx, t, l->err));
    return rv_checkpoint_check(l->c, t, l->err);
}

static rv_status take_codes(const lists *l, const rv_value *v, rv_coded *p)
{
    if (!l->q->packed || l->q->uniform)
        return take_tensor(l, v, &p->codes[0]);
    if (!is_sequence(v) || v->list.n > RV_DIFFQ_BITS)
        return damaged(l, "the codes of a parameter are no list of at most 15 tensors");
    for (size_t i = 0; i < v->list.n; i++)
        if (v->list.items[i]->kind != RV_PK_NONE)
            RV_TRY(take_tensor(l, v->list.items[i], &p->codes[i]));
    return RV_OK;
}

static rv_status take_item(const lists *l, const rv_value *v, rv_coded *p)
{
    double low = 0, high = 0;
    if (!is_sequence(v) || v->list.n != (l->q->uniform ? 2 : 3))
        return damaged(l, "a parameter is no tuple of codes, range and bits");
    const rv_value *range = v->list.items[1];
    if (!is_sequence(range) || range->list.n != 2 || !number_of(range->list.items[0], &low) ||
        !number_of(range->list.items[1], &high))
        return damaged(l, "the range of a parameter is no pair of numbers");
    p->low = (float)low;
    p->range = (float)(high - low);
    RV_TRY(take_codes(l, v->list.items[0], p));
    return l->q->uniform ? RV_OK : take_tensor(l, v->list.items[2], &p->bits);
}

static rv_status take_room(const lists *l, const rv_value *list, size_t size, void *out)
{
    if (!is_sequence(list) || list->list.n > PARAMETERS_LIMIT)
        return damaged(l, "a list of parameters is missing or too long");
    void *room = rv_arena_take(&l->c->arena, list->list.n * size + 1);
    if (!room)
        return RV_FAIL(l->err, RV_ERR_NOMEM, "%s: out of memory for %zu parameters", l->c->path,
                       list->list.n);
    memcpy(out, &room, sizeof room);
    return RV_OK;
}

/* Without excluded parameters only one of the two lists is in use. */
static rv_status take_plain(const lists *l, const rv_value *state)
{
    const rv_value *list = rv_value_get(state, "others"), *half = rv_value_get(state, "float16");
    if (is_sequence(half) && half->list.n) {
        if (is_sequence(list) && list->list.n)
            return unsupported(l, "a mixture of float16 and others");
        list = half;
    }
    RV_TRY(take_room(l, list, sizeof *l->q->plain, &l->q->plain));
    for (size_t i = 0; i < list->list.n; i++)
        RV_TRY(take_tensor(l, list->list.items[i], &l->q->plain[l->q->n_plain++]));
    return RV_OK;
}

rv_status rv_diffq_collect(rv_checkpoint *c, const rv_value *state, rv_locate_fn *locate, void *ctx,
                           rv_error *err)
{
    const rv_value *list = rv_value_get(state, "quantized");
    rv_quantized *q = rv_arena_take(&c->arena, sizeof *q);
    if (!q)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", c->path);
    const lists l = { .c = c, .q = q, .locate = locate, .ctx = ctx, .err = err };
    RV_TRY(read_meta(&l, rv_value_get(state, "meta")));
    RV_TRY(take_plain(&l, state));
    RV_TRY(take_room(&l, list, sizeof *q->coded, &q->coded));
    for (size_t i = 0; i < list->list.n; i++)
        RV_TRY(take_item(&l, list->list.items[i], &q->coded[q->n_coded++]));
    if (q->n_coded + q->n_plain == 0)
        return damaged(&l, "there are no parameters");
    c->quantized = q;
    return RV_OK;
}

/* Naming */

static size_t count_of(const rv_expected *e)
{
    size_t n = 1;
    for (int i = 0; i < e->rank; i++)
        n *= e->shape[i];
    return n;
}

static rv_status fit_plain(const rv_checkpoint *c, const rv_expected *e, rv_tensor *t,
                           rv_error *err)
{
    if (t->rank != e->rank || memcmp(t->shape, e->shape, (size_t)e->rank * sizeof *e->shape) != 0)
        return RV_FAIL(err, RV_ERR_SHAPE,
                       "%s: weights quantised by DiffQ: the next one of %zu elements does not have "
                       "the shape of \"%s\"",
                       c->path, t->count, e->name);
    t->name = e->name;
    return RV_OK;
}

static rv_status decode(rv_checkpoint *c, const rv_coded *p, const rv_expected *e, rv_tensor *t,
                        rv_error *err)
{
    const size_t n = count_of(e);
    float *values = rv_arena_take(&c->arena, n * sizeof *values);
    if (!values)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory for \"%s\"", c->path, e->name);
    *t = (rv_tensor){ .name = e->name,
                      .dtype = RV_F32,
                      .rank = e->rank,
                      .storage = (const unsigned char *)values,
                      .storage_size = n * sizeof *values };
    size_t stride = 1;
    for (int i = e->rank - 1; i >= 0; i--) {
        t->shape[i] = e->shape[i];
        t->stride[i] = stride;
        stride *= e->shape[i];
    }
    return rv_diffq_decode(c, p, e->name, values, n, err);
}

static size_t largest_plain(const rv_quantized *q)
{
    size_t largest = 0;
    for (size_t i = 0; i < q->n_plain; i++)
        largest = q->plain[i].count > largest ? q->plain[i].count : largest;
    return largest;
}

static rv_status name_all(rv_checkpoint *c, const rv_expected *want, size_t n, rv_error *err)
{
    const rv_quantized *q = c->quantized;
    const size_t limit = largest_plain(q);
    size_t coded = 0, plain = 0;
    for (size_t i = 0; i < n; i++) {
        const bool large = count_of(&want[i]) > limit;
        rv_tensor t;
        if (large ? coded == q->n_coded : plain == q->n_plain)
            return RV_FAIL(err, RV_ERR_SHAPE,
                           "%s: weights quantised by DiffQ: the sizes are not those of the model, "
                           "from \"%s\" on",
                           c->path, want[i].name);
        if (large) {
            RV_TRY(decode(c, &q->coded[coded++], &want[i], &t, err));
        } else {
            t = q->plain[plain++];
            RV_TRY(fit_plain(c, &want[i], &t, err));
        }
        t.name = rv_checkpoint_keep(c, t.name, strlen(t.name));
        if (!t.name)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", c->path);
        RV_TRY(rv_checkpoint_add(c, &t, err));
    }
    return RV_OK;
}

bool rv_checkpoint_is_quantized(const rv_checkpoint *c)
{
    return c->quantized;
}

rv_status rv_checkpoint_name_quantized(rv_checkpoint *c, const rv_expected *want, size_t n,
                                       rv_error *err)
{
    if (!c->quantized || c->n)
        return RV_OK;
    if (c->quantized->n_coded + c->quantized->n_plain != n)
        return RV_FAIL(err, RV_ERR_SHAPE,
                       "%s: weights quantised by DiffQ: %zu parameters, but the model has %zu",
                       c->path, c->quantized->n_coded + c->quantized->n_plain, n);
    rv_status status = name_all(c, want, n, err);
    if (status == RV_OK)
        status = rv_checkpoint_index(c, err);
    if (status != RV_OK)
        c->n = 0;
    return status;
}
