/* kern.h - kernels: loops on plain arrays, and a table of the best for this CPU.
 *
 * A kernel knows no tensor, does not allocate and cannot fail. Its source is
 * <family>_impl.h, compiled once for each instruction set with that set's flags;
 * table.c picks. All arrays may be unaligned. y may equal x where both are given
 * and the comment says "in place". Results do not depend on the alignment or on
 * how a caller cuts the rows into blocks. */
#ifndef KERN_KERN_H
#define KERN_KERN_H

#include <stdbool.h>
#include <stddef.h>

#ifdef RV_DOUBLE
typedef double kern_real;
#else
typedef float kern_real;
#endif

/* Instruction sets beyond the baseline of the platform; a set implies the ones before. */
enum { KERN_ISA_NONE = 0, KERN_ISA_AVX2 = 1, KERN_ISA_AVX512 = 2, KERN_ISA_ALL = 0x7fffffff };

/* Matrix product with a right-hand side that was packed beforehand:
 *     y[i,j] = start + sum over p < k of a[i,p] b[p,j],   i < m, j < n
 * start = y[i,j] if `accumulate`, else bias[j], else 0 (bias NULL).
 * Row i of a begins at a + i * a_row and is contiguous; rows may overlap (a_row < k):
 * a convolution is a product of overlapping views. Row i of y begins at y + i * y_row.
 * With `pieces` above 1 a row of a is so many pieces of k numbers each, a_piece apart, whose
 * products with one matrix of b after the other are summed: b is [b_pieces,k,n], packed as one
 * [b_pieces k,n], of which those from `first` on are used. */
typedef struct kern_gemm_args {
    kern_real *y;
    const kern_real *a;
    const kern_real *packed; /* by kern_table.pack */
    const kern_real *bias;   /* [n] or NULL */
    size_t m, n, k;
    size_t y_row, a_row;
    bool accumulate;
    size_t pieces, b_pieces, first; /* 0, 0, 0 for one piece */
    ptrdiff_t a_piece;
} kern_gemm_args;

enum { KERN_PACK_COLUMNS = 32 };

/* Columns [first, first + columns) of a [k,n] matrix, `first` a multiple of KERN_PACK_COLUMNS, and
 * `columns`, too, unless these are the last. */
typedef struct kern_part {
    size_t k, n, first, columns;
} kern_part;

/* Reals needed to pack a [k,n] matrix; packing it, b[p,j] = b[p * b_row + j * b_col], or a part
 * of it after the other, b[p,first + j] = b[p * b_row + j * b_col], to the packed whole; and the
 * product with it. */
typedef struct kern_product {
    size_t (*packed_size)(size_t k, size_t n);
    void (*pack)(kern_real *packed, const kern_real *b, size_t k, size_t n, size_t b_row,
                 size_t b_col);
    void (*pack_part)(kern_real *packed, const kern_real *b, const kern_part *part, size_t b_row,
                      size_t b_col);
    void (*gemm)(const kern_gemm_args *args);
} kern_product;

/* y[i] = f(x[i]), i < n; in place allowed */
typedef void kern_map_fn(kern_real *y, const kern_real *x, size_t n);

/* One step of a recurrent layer for m sequences, from the pre-activations gates [m,4h] in
 * PyTorch's order: state [m,h] is updated, hidden [m,h] written with row stride hidden_row. */
typedef void kern_cell_fn(kern_real *hidden, size_t hidden_row, kern_real *state,
                          const kern_real *gates, size_t m, size_t h);

/* An oscillator sin(2 pi turns(t)), turns(t) = phase + t step + t (t - 1) / 2 bend; |step| below
 * 2^12. Its amplitude goes from `first` where the share is 0 to `second` where it is 1. */
typedef struct kern_chirp {
    double phase, step, bend;
    kern_real first, second;
} kern_chirp;

/* Derivatives with respect to all that describes a kern_chirp. */
typedef struct kern_chirp_slopes {
    double first, second, phase, step, bend;
} kern_chirp_slopes;

typedef struct kern_table {
    const char *isa; /* "c", "avx2", "avx512" */

    /* As in kern_product. */
    size_t (*packed_size)(size_t k, size_t n);
    void (*pack)(kern_real *packed, const kern_real *b, size_t k, size_t n, size_t b_row,
                 size_t b_col);
    void (*pack_part)(kern_real *packed, const kern_real *b, const kern_part *part, size_t b_row,
                      size_t b_col);
    void (*gemm)(const kern_gemm_args *args);

    /* Those four in integers of 16 bits (gemm_int16_impl.h): the same bits from every variant.
     * NULL where kern_real is double. */
    kern_product int16;

    /* Pointwise, each within 2 ulp-like error of libm (float: relative 3e-7, gelu 4e-7). */
    kern_map_fn *exp, *tanh, *sigmoid, *relu;
    kern_map_fn *gelu;      /* x Phi(x), exact form with erf */
    kern_map_fn *gelu_grad; /* d/dx of it */

    /* y[i,j] = x[i, j] sigmoid(x[i, n + j]); x [m,2n] -> y [m,n] */
    void (*glu)(kern_real *y, const kern_real *x, size_t m, size_t n);

    /* Row by row over x [m,n], in place: y = exp(x - max) / sum. */
    void (*softmax)(kern_real *y, const kern_real *x, size_t m, size_t n);

    /* The same for rows that come in parts x [m,n], but for the division: x = exp(x - max[i]), max
     * and sum of row i are those of all its parts so far (-infinity and 0 before the first), and
     * factor[i] is by how much max makes smaller what was gained from the parts before. */
    void (*softmax_part)(kern_real *x, size_t m, size_t n, kern_real *max, kern_real *sum,
                         kern_real *factor);

    /* Sums in double: *sum += sum x, *squares += sum (x - shift)^2. */
    void (*moments)(const kern_real *x, size_t n, double shift, double *sum, double *squares);

    /* y[i,j] = x[i,j] gain[j] + bias[j], x [m,n]; in place */
    void (*affine)(kern_real *y, const kern_real *x, const kern_real *gain, const kern_real *bias,
                   size_t m, size_t n);

    kern_cell_fn *lstm_cell; /* gates: input, forget, cell, output; state: the cell */
    kern_cell_fn *gru_cell;  /* gates: reset, update, new: input's term, state's term; state: h */

    /* Backward: gates [m,4h] of gru_cell become their adjoint, and dh [m,h], the adjoint of the
     * state after the step, what of it reaches the state before directly. That state is `before`
     * [m,h]; NULL: zeros. */
    void (*gru_cell_back)(kern_real *gates, size_t gates_row, kern_real *dh,
                          const kern_real *before, size_t before_row, size_t m, size_t h);

    /* Depthwise convolution along rows: y[t,c] = bias[c] + sum over j < taps of
     * w[j,c] x[t + j * dilation, c] for t < m; x has m + (taps - 1) * dilation rows of n. */
    void (*depthwise)(kern_real *y, const kern_real *x, const kern_real *w, const kern_real *bias,
                      size_t m, size_t n, size_t taps, size_t dilation);

    /* Additive synthesis. phase [n] in turns, from -2^20 to 2^20; sine(k) = sin(2 pi k phase[t]),
     * or the cosine:
     * harmonics: y[t] = sum over k = 1 .. count of first[k-1] sine(k); next[t] with second[k-1].
     * harmonic_weights: sums[k-1] += sum over t of weight[t] sine(k); scratch: count lanes reals.
     */
    void (*harmonics)(kern_real *y, kern_real *next, const kern_real *phase, size_t n,
                      const kern_real *first, const kern_real *second, size_t count, bool cosine);
    void (*harmonic_weights)(double *sums, const kern_real *phase, const kern_real *weight,
                             size_t n, size_t count, kern_real *scratch);
    size_t lanes; /* of a vector */

    /* y[t] = the sum of `count` chirps for t < n; share [n].
     * slopes [count] += those of the sum over t of weight[t] y[t]. */
    void (*chirps)(kern_real *y, const kern_chirp *c, size_t count, const kern_real *share,
                   size_t n);
    void (*chirp_slopes)(kern_chirp_slopes *slopes, const kern_chirp *c, size_t count,
                         const kern_real *share, const kern_real *weight, size_t n);

    /* x = x / 2 + 1, `rounds` times, for x = value, value + 1 ... value + 11, each in all lanes of
     * a register: as many as keep the CPU busy. value becomes the mean of all x; returns how many
     * additions and multiplications these were. */
    double (*multiply_adds)(size_t rounds, kern_real *value);

    /* y[i] = a[i] b[i], i < n, complex numbers as pairs (re, im); y is apart from both. */
    void (*complex_product)(kern_real *y, const kern_real *a, const kern_real *b, size_t n);
} kern_table;

/* The best kernels that this CPU can run, limited to the instruction sets in the
 * mask. A mask only takes away, so one machine can test every variant. */
void kern_table_init(kern_table *t, int mask);

/* Products are those of integers of 16 bits from now on. False where there are none. */
bool kern_table_use_int16(kern_table *t);

#endif
