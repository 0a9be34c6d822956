/* recurrent.h - what the recurrent layers (lstm.c, gru.c) share: shapes, packed weights, the
 * products with them, the order of the steps, and the cut into tasks. Internal to ops/.
 *
 * The pre-activations of a step are [R], in units of H:
 *     the joint gates: Wi x + bi + Wh h + bh;
 *     the others:      Wi x + bi,  and behind all gates, for each of the others, Wh h + bh.
 * LSTM: 4 gates, all joint. GRU: 3 gates, 2 of them joint. Both have R = 4H.
 *
 * Wi x + bi is computed inside, a few steps at a time: the pre-activations of an LSTM in both
 * directions are eight times its result, and those of Demucs would fill the memory. Of a
 * `projected` layer it is an operation before it, one product over all steps, which the backward
 * pass then has not to repeat. */
#ifndef CORE_OPS_RECURRENT_H
#define CORE_OPS_RECURRENT_H

#include "core/op.h"
#include "core/ops.h"

/* The attribute of the operations. */
typedef struct recurrent_attr {
    size_t gates, joint;
    bool projected;
    size_t direction; /* of a backward operation, which is for one of them */
} recurrent_attr;

/* Inputs 1 to 8: the weights, which are packed. */
enum { RECURRENT_WEIGHTS = 0x1fe };

/* Sizes: B sequences, T steps, I inputs, H units, D directions */
typedef struct recurrent_view {
    size_t items, steps, inputs, units, directions;
    bool projected;
    size_t gated, joint, apart, row;              /* reals: gates H, joint H, the rest, R */
    size_t block;                                 /* sequences in a task */
    size_t chunk;                                 /* steps whose inputs are projected at a time */
    size_t packed_in, packed_joint, packed_apart; /* reals of the packed weights */
} recurrent_view;

typedef struct recurrent_job recurrent_job;

/* One direction of the sequences [item, item + n). */
typedef struct recurrent_task {
    const recurrent_job *job;
    const rv_call *call;
    const recurrent_view *view;
    const real *weights; /* prepared */
    const real *bias;    /* [R] */
    real *pre;           /* forward: pre-activations [chunk,n,R] */
    real *state;         /* forward: [n,H]; backward: dh [n,H] and what else the cell keeps */
    size_t direction, item, n;
} recurrent_task;

/* Forward: in = x [B,T,I], then for each direction Wi [GH,I], Wh [GH,H], bi [GH], bh [GH]; in[9],
 * if given, is the state [B,H] before the first step of the only direction: no gradient goes there.
 * Projected: in[0] has Wi x + bi of the directions side by side [B,T,D GH], no Wi and bi follow. */
rv_node *recurrent_apply(const rv_op *op, recurrent_attr attr, rv_node *x,
                         const rv_recurrent_weights *forward, const rv_recurrent_weights *backward,
                         rv_node *state);
rv_status recurrent_shape(const rv_node *n, rv_shape *out, rv_error *err);
size_t recurrent_scratch(const rv_node *n, int threads, const kern_table *kern);
size_t recurrent_prepared(const rv_node *n, const kern_table *kern);
void recurrent_prepare(const rv_call *c);
void recurrent_run(const rv_call *c, kern_cell_fn *cell);
void recurrent_grad(rv_node *n, rv_node *dy, rv_node *dx[], const rv_op *back);

/* Sizes that follow from the attribute, x and Wh; directions, block and chunk are left. */
recurrent_view recurrent_sizes(const rv_node *n, const rv_node *weight);

/* Backward: in = x, y, dy, weights of a direction -> adjoint of its pre-activations [B,T,R].
 * `start` turns the pre-activations of all steps into the gates and computes what it wants of
 * the states; then `step`, from the last to the first, turns the gates of a step into the
 * adjoint of its pre-activations, and t->state, which is dh, into the part of the dh of the
 * step before that does not come through Wh. The cell has `extra` [block,H] behind dh. Without
 * `start`, `step` is given the pre-activations, and these are computed a few steps at a time, so
 * that they are still in the cache. */
typedef void recurrent_start_fn(const recurrent_task *t);
typedef void recurrent_step_fn(const recurrent_task *t, size_t step);
rv_status recurrent_back_shape(const rv_node *n, rv_shape *out, rv_error *err);
size_t recurrent_back_scratch(const rv_node *n, int threads, size_t extra);
size_t recurrent_back_prepared(const rv_node *n, const kern_table *kern);
void recurrent_back_prepare(const rv_call *c);
void recurrent_back_run(const rv_call *c, size_t extra, recurrent_start_fn *start,
                        recurrent_step_fn *step);

/* Backward: of sequence i of the task at a step, the row [R] of the result, and y [H]. */
real *recurrent_row(const recurrent_task *t, size_t i, size_t step);
const real *recurrent_y(const recurrent_task *t, size_t i, size_t step);

#ifdef RV_SELFTEST
/* Shapes of the weights of a direction with G gates, in a test case */
#    define RECURRENT_WEIGHTS(g, i, h)                                          \
        { 2, { (g) * (h), i } }, { 2, { (g) * (h), h } }, { 1, { (g) * (h) } }, \
        {                                                                       \
            1,                                                                  \
            {                                                                   \
                (g) * (h)                                                       \
            }                                                                   \
        }
#endif

#endif
