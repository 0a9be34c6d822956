/* shape.c - the same values in another order, or a part of them: reshape, detach,
 * permute, slice, concat. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <string.h>

enum { BLOCK = RV_BLOCK(1 << 15) }; /* elements of a task */

/* Negative axes count from the end. -1 if there is no such axis. */
static int find_axis(const rv_node *x, int axis)
{
    const int i = axis < 0 ? axis + x->shape.rank : axis;
    return i >= 0 && i < x->shape.rank ? i : -1;
}

static size_t product(const rv_shape *s, int from, int to)
{
    size_t n = 1;
    for (int i = from; i < to; i++)
        n *= s->d[i];
    return n;
}

/* reshape: a view ----------------------------------------------------------------- */

rv_node *rv_reshape(rv_node *x, rv_shape shape)
{
    return rv_shape_equal(&x->shape, &shape) ? x : RV_APPLY(&rv_op_reshape, &shape, x);
}

static rv_status reshape_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const rv_shape *to = n->attr;
    if (rv_shape_count(to) != rv_shape_count(&n->in[0]->shape))
        return RV_FAIL(err, RV_ERR_SHAPE, "reshape: %zu elements into %zu",
                       rv_shape_count(&n->in[0]->shape), rv_shape_count(to));
    *out = *to;
    return RV_OK;
}

static void reshape_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = rv_reshape(dy, n->in[0]->shape);
}

const rv_op rv_op_reshape = {
    .name = "reshape",
    .n_in = 1,
    .attr_size = sizeof(rv_shape),
    .shape = reshape_shape,
    .grad = reshape_grad,
};

/* detach: the same value, of which gradients know nothing ------------------------- */

rv_node *rv_detach(rv_node *x)
{
    return RV_APPLY(&rv_op_detach, NULL, x);
}

static rv_status detach_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    (void)err;
    *out = n->in[0]->shape;
    return RV_OK;
}

static void detach_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    (void)n, (void)dy, (void)dx;
}

const rv_op rv_op_detach = {
    .name = "detach",
    .n_in = 1,
    .shape = detach_shape,
    .grad = detach_grad,
};

/* permute: axis i of y is axis axes[i] of x --------------------------------------- */

typedef struct {
    int axes[RV_MAX_DIMS];
} permute_attr;

rv_node *rv_permute(rv_node *x, const int *axes)
{
    permute_attr a = { 0 };
    memcpy(a.axes, axes, sizeof *axes * (size_t)x->shape.rank);
    return RV_APPLY(&rv_op_permute, &a, x);
}

static rv_status permute_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const permute_attr *a = n->attr;
    const rv_shape *x = &n->in[0]->shape;
    unsigned seen = 0;
    out->rank = x->rank;
    for (int i = 0; i < x->rank; i++) {
        if (a->axes[i] < 0 || a->axes[i] >= x->rank || seen >> a->axes[i] & 1)
            return RV_FAIL(err, RV_ERR_SHAPE, "permute: axis %d of %d", a->axes[i], x->rank);
        seen |= 1u << a->axes[i];
        out->d[i] = x->d[a->axes[i]];
    }
    return RV_OK;
}

/* y without axes of extent 1, and with those as one that lie in x as in y. y is a list of matrices,
 * its last two axes; a task copies bands of GROUP rows of them. step[i]: of x along axis i. */
typedef struct {
    const rv_call *call;
    int rank; /* >= 2 */
    size_t extent[RV_MAX_DIMS + 2], step[RV_MAX_DIMS + 2], bands;
} permute_job;

enum { GROUP = RV_BLOCK(16) };

static permute_job permute_view(const rv_call *c)
{
    const permute_attr *a = c->node->attr;
    const rv_shape *x = &c->node->in[0]->shape, *y = &c->node->shape;
    permute_job j = { .call = c, .rank = 1, .extent = { 1 } };
    for (int i = 0; i < y->rank; i++) {
        const size_t step = product(x, a->axes[i] + 1, x->rank);
        if (y->d[i] == 1)
            continue;
        if (j.extent[j.rank - 1] > 1 && j.step[j.rank - 1] == step * y->d[i])
            j.extent[j.rank - 1] *= y->d[i];
        else
            j.extent[j.rank++] = y->d[i];
        j.step[j.rank - 1] = step;
    }
    if (j.rank == 1) /* a single value */
        j.extent[j.rank++] = 1;
    j.bands = (j.extent[j.rank - 2] + GROUP - 1) / GROUP;
    return j;
}

/* out[i,k] = x[i row + k step], for i < rows, k < n */
static void copy_band(real *out, const real *x, size_t rows, size_t n, size_t row, size_t step)
{
    if (step == 1 && n > GROUP)
        for (size_t i = 0; i < rows; i++)
            memcpy(out + i * n, x + i * row, n * sizeof *out);
    else
        for (size_t k = 0; k < n; k++)
            for (size_t i = 0; i < rows; i++)
                out[i * n + k] = x[i * row + k * step];
}

static void permute_bands(const void *ctx, size_t from, size_t to, int worker)
{
    const permute_job *j = ctx;
    const size_t *e = j->extent + j->rank - 2, *step = j->step + j->rank - 2;
    (void)worker;
    for (size_t band = from; band < to; band++) {
        const size_t first = band % j->bands * GROUP, rows = e[0] - first;
        const real *x = j->call->in[0] + first * step[0];
        size_t rest = band / j->bands;
        real *out = j->call->out + (rest * e[0] + first) * e[1];
        for (int i = j->rank - 3; i >= 0; i--) {
            x += rest % j->extent[i] * j->step[i];
            rest /= j->extent[i];
        }
        copy_band(out, x, rows < GROUP ? rows : GROUP, e[1], step[0], step[1]);
    }
}

static void permute_run(const rv_call *c)
{
    const permute_job j = permute_view(c);
    const size_t *e = j.extent + j.rank - 2, all = rv_shape_count(&c->node->shape);
    if (all)
        rv_parallel(c->pool, all / (e[0] * e[1]) * j.bands, 1 + BLOCK / (GROUP * e[1]),
                    permute_bands, &j);
}

static void permute_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    const permute_attr *a = n->attr;
    int back[RV_MAX_DIMS];
    for (int i = 0; i < n->shape.rank; i++)
        back[a->axes[i]] = i;
    dx[0] = rv_permute(dy, back);
}

const rv_op rv_op_permute = {
    .name = "permute",
    .n_in = 1,
    .attr_size = sizeof(permute_attr),
    .shape = permute_shape,
    .run = permute_run,
    .grad = permute_grad,
};

/* slice --------------------------------------------------------------------------- */

typedef struct {
    int axis;
    size_t start, length;
} slice_attr;

rv_node *rv_slice(rv_node *x, int axis, size_t start, size_t length)
{
    const int i = find_axis(x, axis);
    if (i >= 0 && start == 0 && length == x->shape.d[i])
        return x;
    return RV_APPLY(&rv_op_slice, (&(slice_attr){ i, start, length }), x);
}

static rv_status slice_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const slice_attr *a = n->attr;
    const rv_shape *x = &n->in[0]->shape;
    if (a->axis < 0)
        return RV_FAIL(err, RV_ERR_SHAPE, "slice: no such axis of %d", x->rank);
    if (a->start > x->d[a->axis] || a->length > x->d[a->axis] - a->start)
        return RV_FAIL(err, RV_ERR_SHAPE, "slice: %zu from %zu of %zu", a->length, a->start,
                       x->d[a->axis]);
    *out = *x;
    out->d[a->axis] = a->length;
    return RV_OK;
}

static void slice_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const slice_attr *a = c->node->attr;
    const rv_shape *x = &c->node->in[0]->shape;
    const size_t item = product(x, a->axis + 1, x->rank), n = a->length * item;
    (void)worker;
    for (size_t r = from; r < to; r++)
        memcpy(c->out + r * n, c->in[0] + (r * x->d[a->axis] + a->start) * item, n * sizeof(real));
}

static void slice_run(const rv_call *c)
{
    const slice_attr *a = c->node->attr;
    const rv_shape *x = &c->node->in[0]->shape;
    const size_t n = a->length * product(x, a->axis + 1, x->rank);
    rv_parallel(c->pool, product(x, 0, a->axis), 1 + BLOCK / (n ? n : 1), slice_rows, c);
}

static void slice_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    const slice_attr *a = n->attr;
    const size_t whole = n->in[0]->shape.d[a->axis];
    dx[0] = rv_pad(dy, a->axis, a->start, whole - a->start - a->length, RV_PAD_ZERO);
}

const rv_op rv_op_slice = {
    .name = "slice",
    .n_in = 1,
    .attr_size = sizeof(slice_attr),
    .shape = slice_shape,
    .run = slice_run,
    .grad = slice_grad,
};

/* concat -------------------------------------------------------------------------- */

typedef struct {
    int axis;
} concat_attr;

rv_node *rv_concat(int axis, size_t n, rv_node *const *x)
{
    if (n == 0 || n > RV_MAX_IN)
        return rv_poison(x[0]->graph, RV_ERR_ARG, __func__, "concat of %zu tensors", n);
    return rv_apply(&rv_op_concat, &(concat_attr){ find_axis(x[0], axis) }, (int)n, x);
}

static rv_status concat_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const concat_attr *a = n->attr;
    *out = n->in[0]->shape;
    if (a->axis < 0)
        return RV_FAIL(err, RV_ERR_SHAPE, "concat: no such axis of %d", out->rank);
    for (int i = 1; i < n->n_in; i++) {
        rv_shape other = n->in[i]->shape;
        const size_t more = a->axis < other.rank ? other.d[a->axis] : 0;
        other.d[a->axis] = out->d[a->axis];
        if (!rv_shape_equal(&other, out))
            return RV_FAIL(err, RV_ERR_SHAPE, "concat: input %d differs beside axis %d", i,
                           a->axis);
        out->d[a->axis] += more;
    }
    return RV_OK;
}

/* Row r of y has row r of each input, one after the other. */
static void concat_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const concat_attr *a = c->node->attr;
    const rv_shape *y = &c->node->shape;
    const size_t item = product(y, a->axis + 1, y->rank), row = y->d[a->axis] * item;
    size_t at = 0;
    (void)worker;
    for (int i = 0; i < c->node->n_in; i++) {
        const size_t n = c->node->in[i]->shape.d[a->axis] * item;
        for (size_t r = from; r < to; r++)
            memcpy(c->out + r * row + at, c->in[i] + r * n, n * sizeof(real));
        at += n;
    }
}

static void concat_run(const rv_call *c)
{
    const concat_attr *a = c->node->attr;
    const rv_shape *y = &c->node->shape;
    const size_t rows = product(y, 0, a->axis), row = product(y, a->axis, y->rank);
    rv_parallel(c->pool, rows, 1 + BLOCK / (row + 1), concat_rows, c);
}

static void concat_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    const concat_attr *a = n->attr;
    size_t at = 0;
    for (int i = 0; i < n->n_in; i++) {
        const size_t length = n->in[i]->shape.d[a->axis];
        dx[i] = rv_slice(dy, a->axis, at, length);
        at += length;
    }
}

const rv_op rv_op_concat = {
    .name = "concat",
    .n_in = 3,
    .attr_size = sizeof(concat_attr),
    .shape = concat_shape,
    .run = concat_run,
    .grad = concat_grad,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_shape[] = {
    { .label = "detach",
      .op = &rv_op_detach,
      .in = { { 2, { 3, 4 } } },
      .out = { 2, { 3, 4 } },
      .not_derived = 1 },
    { .label = "reshape",
      .op = &rv_op_reshape,
      .in = { { 2, { 4, 6 } } },
      .attr = &(const rv_shape){ 3, { 2, 3, 4 } },
      .out = { 3, { 2, 3, 4 } } },
    { .label = "permute",
      .op = &rv_op_permute,
      .in = { { 4, { 2, 3, 4, 5 } } },
      .attr = &(const permute_attr){ { 2, 0, 3, 1 } },
      .out = { 4, { 4, 2, 5, 3 } } },
    { .label = "slice of the middle axis",
      .op = &rv_op_slice,
      .in = { { 3, { 2, 5, 3 } } },
      .attr = &(const slice_attr){ .axis = 1, .start = 1, .length = 3 },
      .out = { 3, { 2, 3, 3 } } },
    { .label = "concat",
      .op = &rv_op_concat,
      .in = { { 3, { 2, 1, 3 } }, { 3, { 2, 4, 3 } }, { 3, { 2, 2, 3 } } },
      .attr = &(const concat_attr){ 1 },
      .out = { 3, { 2, 7, 3 } } },
    { 0 },
};
#endif
