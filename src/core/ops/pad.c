/* pad.c - make an axis longer: with zeros, by reflection (without repeating the edge)
 * or by repeating the edge. The adjoint (unpad) adds each sample back to its source. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <string.h>

typedef struct {
    int axis;
    size_t before, after;
    rv_pad_mode mode;
} pad_attr;

rv_node *rv_pad(rv_node *x, int axis, size_t before, size_t after, rv_pad_mode mode)
{
    const int i = axis < 0 ? axis + x->shape.rank : axis;
    return before + after == 0 ? x
                               : RV_APPLY(&rv_op_pad, (&(pad_attr){ i, before, after, mode }), x);
}

static rv_status pad_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const pad_attr *a = n->attr;
    const rv_shape *x = &n->in[0]->shape;
    if (a->axis < 0 || a->axis >= x->rank)
        return RV_FAIL(err, RV_ERR_SHAPE, "pad: no axis %d of %d", a->axis, x->rank);
    const size_t len = x->d[a->axis], most = a->before > a->after ? a->before : a->after;
    if ((a->mode == RV_PAD_REFLECT && most >= len) || (a->mode == RV_PAD_REPLICATE && len == 0))
        return RV_FAIL(err, RV_ERR_SHAPE, "pad: %zu samples cannot be extended by %zu", len, most);
    *out = *x;
    if (__builtin_add_overflow(len, a->before, &out->d[a->axis]) ||
        __builtin_add_overflow(out->d[a->axis], a->after, &out->d[a->axis]))
        return RV_FAIL(err, RV_ERR_SHAPE, "pad: by %zu and %zu", a->before, a->after);
    return RV_OK;
}

/* Which of `len` samples stands at position i of the padded axis; len: none, a zero. */
static size_t source(const pad_attr *a, size_t i, size_t len)
{
    if (i >= a->before && i - a->before < len)
        return i - a->before;
    if (a->mode == RV_PAD_ZERO)
        return len;
    if (a->mode == RV_PAD_REPLICATE)
        return i < a->before ? 0 : len - 1;
    return i < a->before ? a->before - i : 2 * (len - 1) - (i - a->before);
}

/* rows x [len or padded] x item around the axis */
typedef struct {
    size_t rows, len, padded, item;
} layout;

static layout layout_of(const rv_shape *x, const pad_attr *a)
{
    layout l = { .rows = 1, .item = 1, .len = x->d[a->axis] };
    for (int i = 0; i < a->axis; i++)
        l.rows *= x->d[i];
    for (int i = a->axis + 1; i < x->rank; i++)
        l.item *= x->d[i];
    l.padded = l.len + a->before + a->after;
    return l;
}

static void pad_run(const rv_call *c)
{
    const pad_attr *a = c->node->attr;
    const layout l = layout_of(&c->node->in[0]->shape, a);
    const size_t inner = l.len * l.item;
    for (size_t r = 0; r < l.rows; r++) {
        real *y = c->out + r * l.padded * l.item;
        const real *x = c->in[0] + r * inner;
        memcpy(y + a->before * l.item, x, inner * sizeof *y);
        for (size_t k = 0; k < a->before + a->after; k++) {
            const size_t i = k < a->before ? k : k + l.len, from = source(a, i, l.len);
            if (from < l.len)
                memcpy(y + i * l.item, x + from * l.item, l.item * sizeof *y);
            else
                memset(y + i * l.item, 0, l.item * sizeof *y);
        }
    }
}

/* dy [.., padded, ..] -> dx [.., len, ..] */
static rv_status unpad_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const pad_attr *a = n->attr;
    (void)err;
    *out = n->in[0]->shape;
    out->d[a->axis] -= a->before + a->after;
    return RV_OK;
}

static void unpad_run(const rv_call *c)
{
    const pad_attr *a = c->node->attr;
    const layout l = layout_of(&c->node->shape, a);
    memset(c->out, 0, rv_shape_count(&c->node->shape) * sizeof(real));
    for (size_t r = 0; r < l.rows; r++)
        for (size_t i = 0; i < l.padded; i++) {
            const size_t to = source(a, i, l.len);
            const real *dy = c->in[0] + (r * l.padded + i) * l.item;
            real *dx = c->out + (r * l.len + to) * l.item;
            for (size_t k = 0; to < l.len && k < l.item; k++)
                dx[k] += dy[k];
        }
}

static void pad_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    const pad_attr *a = n->attr;
    if (a->mode == RV_PAD_ZERO)
        dx[0] = rv_slice(dy, a->axis, a->before, n->in[0]->shape.d[a->axis]);
    else
        dx[0] = RV_APPLY(&rv_op_unpad, a, dy);
}

const rv_op rv_op_pad = {
    .name = "pad",
    .n_in = 1,
    .attr_size = sizeof(pad_attr),
    .shape = pad_shape,
    .run = pad_run,
    .grad = pad_grad,
};

const rv_op rv_op_unpad = {
    .name = "unpad",
    .n_in = 1,
    .attr_size = sizeof(pad_attr),
    .shape = unpad_shape,
    .run = unpad_run,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_pad[] = {
    { .label = "pad with zeros",
      .op = &rv_op_pad,
      .in = { { 3, { 2, 3, 2 } } },
      .attr = &(const pad_attr){ 1, 1, 2, RV_PAD_ZERO },
      .out = { 3, { 2, 6, 2 } } },
    { .label = "pad by reflection",
      .op = &rv_op_pad,
      .in = { { 3, { 2, 4, 2 } } },
      .attr = &(const pad_attr){ 1, 3, 2, RV_PAD_REFLECT },
      .out = { 3, { 2, 9, 2 } } },
    { .label = "pad with the edge",
      .op = &rv_op_pad,
      .in = { { 2, { 2, 3 } } },
      .attr = &(const pad_attr){ 1, 2, 5, RV_PAD_REPLICATE },
      .out = { 2, { 2, 10 } } },
    { .label = "unpad",
      .op = &rv_op_unpad,
      .in = { { 2, { 2, 9 } } },
      .attr = &(const pad_attr){ 1, 3, 2, RV_PAD_REFLECT },
      .out = { 2, { 2, 4 } } },
    { 0 },
};
#endif
