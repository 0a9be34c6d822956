/* pointwise_more.c - y[i] = f(x[i]) for what losses are made of: distances and logarithms.
 *
 * These have corners. The slope at a corner is the one that PyTorch takes, so that training
 * goes the same way. */
#include "core/op.h"
#include "core/ops.h"

#include <math.h>

enum { BLOCK = RV_BLOCK(1 << 14) }; /* elements of a task */

static const double log_of_2 = 0.693147180559945309417;

static rv_status same_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    (void)err;
    *out = n->in[0]->shape;
    return RV_OK;
}

static void run_blocks(const rv_call *c, rv_range_fn *fn)
{
    rv_parallel(c->pool, rv_shape_count(&c->node->shape), BLOCK, fn, c);
}

static double constant_of(const rv_call *c)
{
    return *(const double *)c->node->attr;
}

/* dx = dy slope(x) as an operation on (dy, x). Not differentiated again. */
#define BACK(operation, size)                                            \
    static void operation##_back_run(const rv_call *c)                   \
    {                                                                    \
        run_blocks(c, operation##_back_range);                           \
    }                                                                    \
    static const rv_op operation##_back = {                              \
        .name = #operation "_back",                                      \
        .n_in = 2,                                                       \
        .attr_size = size,                                               \
        .shape = same_shape,                                             \
        .run = operation##_back_run,                                     \
        .in_place = true,                                                \
    };                                                                   \
    static void operation##_grad(rv_node *n, rv_node *dy, rv_node *dx[]) \
    {                                                                    \
        dx[0] = RV_APPLY(&operation##_back, n->attr, dy, n->in[0]);      \
    }

#define FORWARD(operation, size)                  \
    static void operation##_run(const rv_call *c) \
    {                                             \
        run_blocks(c, operation##_range);         \
    }                                             \
    const rv_op rv_op_##operation = {             \
        .name = #operation,                       \
        .n_in = 1,                                \
        .attr_size = size,                        \
        .shape = same_shape,                      \
        .run = operation##_run,                   \
        .grad = operation##_grad,                 \
        .in_place = true,                         \
    }

/* abs: the slope is the sign, sign(0) = 0 --------------------------------------------- */

rv_node *rv_abs(rv_node *x)
{
    return RV_APPLY(&rv_op_abs, NULL, x);
}

static void abs_range(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    (void)worker;
    for (size_t i = from; i < to; i++)
        c->out[i] = c->in[0][i] < 0 ? -c->in[0][i] : c->in[0][i];
}

static void abs_back_range(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    (void)worker;
    for (size_t i = from; i < to; i++) {
        const real x = c->in[1][i];
        c->out[i] = c->in[0][i] * (real)((x > 0) - (x < 0));
    }
}

BACK(abs, 0)
FORWARD(abs, 0);

/* maximum: max(x, c) -------------------------------------------------------------------- */

rv_node *rv_maximum(rv_node *x, double c)
{
    return RV_APPLY(&rv_op_maximum, &c, x);
}

/* Written so that NaN stays. */
static void maximum_range(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *call = ctx;
    const real c = (real)constant_of(call);
    (void)worker;
    for (size_t i = from; i < to; i++)
        call->out[i] = call->in[0][i] < c ? c : call->in[0][i];
}

static void maximum_back_range(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *call = ctx;
    const real c = (real)constant_of(call);
    (void)worker;
    for (size_t i = from; i < to; i++)
        call->out[i] = call->in[1][i] < c ? 0 : call->in[0][i];
}

BACK(maximum, sizeof(double))
FORWARD(maximum, sizeof(double));

/* log_above: log(x) where x > 0, else log(c) ------------------------------------------------ */

rv_node *rv_log_above(rv_node *x, double c)
{
    return RV_APPLY(&rv_op_log_above, &c, x);
}

static void log_above_range(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *call = ctx;
    const double c = constant_of(call);
    (void)worker;
    for (size_t i = from; i < to; i++) {
        const double x = (double)call->in[0][i];
        call->out[i] = (real)log(x <= 0 ? c : x);
    }
}

static void log_above_back_range(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    (void)worker;
    for (size_t i = from; i < to; i++)
        c->out[i] = c->in[1][i] <= 0 ? 0 : c->in[0][i] / c->in[1][i];
}

BACK(log_above, sizeof(double))
FORWARD(log_above, sizeof(double));

/* log_cosh: log(cosh(x)) = |x| + log(1 + exp(-2|x|)) - log(2), slope tanh(x). The three terms
 * cancel near 0, where x^2/2 - x^4/12 + x^6/45 is exact to 1e-17. -------------------------- */

rv_node *rv_log_cosh(rv_node *x)
{
    return RV_APPLY(&rv_op_log_cosh, NULL, x);
}

static double log_cosh_of(double x)
{
    const double a = fabs(x), s = x * x;
    return a < 5e-3 ? s * (0.5 - s * (1.0 / 12 - s / 45)) : a + log1p(exp(-2 * a)) - log_of_2;
}

static void log_cosh_range(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    (void)worker;
    for (size_t i = from; i < to; i++)
        c->out[i] = (real)log_cosh_of((double)c->in[0][i]);
}

static void log_cosh_back_range(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    (void)worker;
    for (size_t i = from; i < to; i++)
        c->out[i] = (real)((double)c->in[0][i] * tanh((double)c->in[1][i]));
}

BACK(log_cosh, 0)
FORWARD(log_cosh, 0);

#ifdef RV_SELFTEST
#    define CASE(op_name, ...)                                                    \
        {                                                                         \
            .label = #op_name, .op = &rv_op_##op_name, .in = { { 2, { 2, 9 } } }, \
            .out = { 2, { 2, 9 } }, __VA_ARGS__                                   \
        }
const rv_op_case rv_cases_pointwise_more[] = {
    CASE(abs, .positive = false),
    CASE(maximum, .attr = &(const double){ 0.1 }),
    CASE(log_above, .attr = &(const double){ 0.5 }, .positive = true),
    { .label = "log_above, also of negative numbers",
      .op = &rv_op_log_above,
      .in = { { 1, { 7 } } },
      .attr = &(const double){ 0.5 },
      .out = { 1, { 7 } } },
    CASE(log_cosh, .positive = false),
    { 0 },
};
#endif
