/* baseline.c - every kernel as plain loops: the table that a CPU family improves on. */
#include "kern/arch.h"

#include <math.h>
#include <string.h>

static size_t packed_size(size_t k, size_t n)
{
    return k * n;
}

static void pack(kern_real *packed, const kern_real *b, size_t k, size_t n, size_t b_row,
                 size_t b_col)
{
    for (size_t p = 0; p < k; p++)
        for (size_t j = 0; j < n; j++)
            packed[p * n + j] = b[p * b_row + j * b_col];
}

static void gemm(const kern_gemm_args *g)
{
    for (size_t i = 0; i < g->m; i++) {
        kern_real *restrict y = g->y + i * g->y_row;
        const kern_real *a = g->a + i * g->a_row;
        if (!g->accumulate)
            for (size_t j = 0; j < g->n; j++)
                y[j] = g->bias ? g->bias[j] : 0;
        for (size_t p = 0; p < g->k; p++)
            for (size_t j = 0; j < g->n; j++)
                y[j] += a[p] * g->packed[p * g->n + j];
    }
}

#ifdef RV_DOUBLE
#    define MATH(name) name
#else
#    define MATH(name) name##f
#endif

static kern_real sigmoid_of(kern_real x)
{
    return 1 / (1 + MATH(exp)(-x));
}

static void map_exp(kern_real *y, const kern_real *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = MATH(exp)(x[i]);
}

static void map_tanh(kern_real *y, const kern_real *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = MATH(tanh)(x[i]);
}

static void map_sigmoid(kern_real *y, const kern_real *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = sigmoid_of(x[i]);
}

static void map_relu(kern_real *y, const kern_real *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i];
}

static kern_real normal_cdf(kern_real x)
{
    return (kern_real)0.5 * MATH(erfc)(-x * (kern_real)M_SQRT1_2);
}

static void map_gelu(kern_real *y, const kern_real *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * normal_cdf(x[i]);
}

static void map_gelu_grad(kern_real *y, const kern_real *x, size_t n)
{
    const kern_real peak = (kern_real)0.39894228040143267794; /* 1 / sqrt(2 pi) */
    for (size_t i = 0; i < n; i++)
        y[i] = normal_cdf(x[i]) + x[i] * peak * MATH(exp)((kern_real)-0.5 * x[i] * x[i]);
}

static void glu(kern_real *y, const kern_real *x, size_t m, size_t n)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            y[i * n + j] = x[2 * i * n + j] * sigmoid_of(x[(2 * i + 1) * n + j]);
}

static void softmax(kern_real *y, const kern_real *x, size_t m, size_t n)
{
    for (size_t i = 0; i < m; i++, x += n, y += n) {
        kern_real max = -(kern_real)INFINITY, sum = 0;
        for (size_t j = 0; j < n; j++)
            max = x[j] > max ? x[j] : max;
        for (size_t j = 0; j < n; j++)
            sum += y[j] = MATH(exp)(x[j] - max);
        for (size_t j = 0; j < n; j++)
            y[j] /= sum;
    }
}

static void moments(const kern_real *x, size_t n, double shift, double *sum, double *squares)
{
    double s = 0, q = 0;
    for (size_t i = 0; i < n; i++) {
        s += (double)x[i];
        q += ((double)x[i] - shift) * ((double)x[i] - shift);
    }
    *sum += s;
    *squares += q;
}

static void affine(kern_real *y, const kern_real *x, const kern_real *gain, const kern_real *bias,
                   size_t m, size_t n)
{
    for (size_t i = 0; i < m * n; i += n)
        for (size_t j = 0; j < n; j++)
            y[i + j] = x[i + j] * gain[j] + bias[j];
}

static void lstm_cell(kern_real *hidden, size_t hidden_row, kern_real *cell, const kern_real *gates,
                      size_t m, size_t h)
{
    for (size_t i = 0; i < m; i++, hidden += hidden_row, cell += h, gates += 4 * h)
        for (size_t j = 0; j < h; j++) {
            const kern_real input = sigmoid_of(gates[j]), forget = sigmoid_of(gates[h + j]);
            const kern_real output = sigmoid_of(gates[3 * h + j]);
            cell[j] = forget * cell[j] + input * MATH(tanh)(gates[2 * h + j]);
            hidden[j] = output * MATH(tanh)(cell[j]);
        }
}

static void depthwise(kern_real *y, const kern_real *x, const kern_real *w, const kern_real *bias,
                      size_t m, size_t n, size_t taps, size_t dilation)
{
    for (size_t t = 0; t < m; t++, y += n, x += n) {
        for (size_t c = 0; c < n; c++)
            y[c] = bias ? bias[c] : 0;
        for (size_t j = 0; j < taps; j++)
            for (size_t c = 0; c < n; c++)
                y[c] += w[j * n + c] * x[j * dilation * n + c];
    }
}

void kern_fill_c(kern_table *t)
{
    *t = (kern_table){ .isa = "c",
                       .packed_size = packed_size,
                       .pack = pack,
                       .gemm = gemm,
                       .exp = map_exp,
                       .tanh = map_tanh,
                       .sigmoid = map_sigmoid,
                       .relu = map_relu,
                       .gelu = map_gelu,
                       .gelu_grad = map_gelu_grad,
                       .glu = glu,
                       .softmax = softmax,
                       .moments = moments,
                       .affine = affine,
                       .lstm_cell = lstm_cell,
                       .depthwise = depthwise };
}
