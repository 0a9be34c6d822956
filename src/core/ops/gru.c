/* gru.c - one layer of gated recurrent units, in one direction or both.
 *
 *     r = sigmoid(Wi_r x[t] + bi_r + Wh_r h[t-1] + bh_r)             reset
 *     z = sigmoid(Wi_z x[t] + bi_z + Wh_z h[t-1] + bh_z)             update
 *     n = tanh(Wi_n x[t] + bi_n + r (Wh_n h[t-1] + bh_n))            new
 *     h[t] = (1 - z) n + z h[t-1]
 *
 * with h zero before the first step (K. Cho et al. 2014; as in PyTorch, r multiplies the
 * product and not h, and the weights lie in the order r, z, n). recurrent.c does all but
 * the cell. The pre-activations [4H] are those of r and z, then the two terms of n.
 *
 * Wi x + bi is a linear layer before it, so that the backward pass need not repeat it, or part of
 * it: then it is never in memory as a whole, and sooner done. */
#include "core/ops/recurrent.h"

static const recurrent_attr GRU = { .gates = 3, .joint = 2, .projected = true };
static const recurrent_attr WHOLE = { .gates = 3, .joint = 2 };

rv_node *rv_gru(rv_node *x, const rv_recurrent_weights *forward,
                const rv_recurrent_weights *backward)
{
    return recurrent_apply(&rv_op_gru, GRU, x, forward, backward, NULL);
}

rv_node *rv_gru_whole(rv_node *x, const rv_recurrent_weights *forward,
                      const rv_recurrent_weights *backward)
{
    return recurrent_apply(&rv_op_gru, WHOLE, x, forward, backward, NULL);
}

rv_node *rv_gru_from(rv_node *x, const rv_recurrent_weights *weights, rv_node *state)
{
    return recurrent_apply(&rv_op_gru, GRU, x, weights, NULL, state);
}

static void gru_run(const rv_call *c)
{
    recurrent_run(c, c->kern->gru_cell);
}

static void gru_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    recurrent_grad(n, dy, dx, &rv_op_gru_back);
}

const rv_op rv_op_gru = {
    .name = "gru",
    .n_in = 10,
    .attr_size = sizeof(recurrent_attr),
    .shape = recurrent_shape,
    .run = gru_run,
    .grad = gru_grad,
    .scratch_size = recurrent_scratch,
    .prepared_size = recurrent_prepared,
    .prepare = recurrent_prepare,
    .packed = RECURRENT_WEIGHTS,
};

/* gru_back: pre-activations, y, dy, and the weights of one direction -> dp [B,T,4H]
 * -------------------
 *
 * With u = Wh_n h[t-1] + bh_n and the gates computed again from x and y, from the last step
 * to the first:
 *     dh = dy[t] + z[t+1] dh[t+1] + Wh^T [dp_r, dp_z, dp_u][t+1],   dp_n = dh (1 - z) (1 - n^2)
 *     dp = [dp_n u r (1 - r), dh (h[t-1] - n) z (1 - z), dp_n, dp_u = dp_n r] */

static size_t gru_back_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    (void)kern;
    return recurrent_back_scratch(n, threads, 0);
}

static void gru_step(const recurrent_task *t, size_t step)
{
    const recurrent_view *v = t->view;
    const real *before = step ? recurrent_y(t, 0, step - 1) : NULL;
    t->call->kern->gru_cell_back(recurrent_row(t, 0, step), v->steps * v->row, t->state, before,
                                 v->steps * v->directions * v->units, t->n, v->units);
}

static void gru_back_run(const rv_call *c)
{
    recurrent_back_run(c, 0, NULL, gru_step);
}

const rv_op rv_op_gru_back = {
    .name = "gru_back",
    .n_in = 7,
    .attr_size = sizeof(recurrent_attr),
    .shape = recurrent_back_shape,
    .run = gru_back_run,
    .scratch_size = gru_back_scratch,
    .prepared_size = recurrent_back_prepared,
    .prepare = recurrent_back_prepare,
};

#ifdef RV_SELFTEST
/* Inputs of a direction of h units: nothing, Wh, nothing, bh. */
#    define WEIGHTS(h)                       \
        { 0 }, { 2, { 3 * (h), h } }, { 0 }, \
        {                                    \
            1,                               \
            {                                \
                3 * (h)                      \
            }                                \
        }

const rv_op_case rv_cases_gru[] = {
    { .label = "one direction",
      .op = &rv_op_gru,
      .attr = &GRU,
      .in = { { 3, { 2, 6, 6 } }, WEIGHTS(2) },
      .out = { 3, { 2, 6, 2 } } },
    { .label = "both directions",
      .op = &rv_op_gru,
      .attr = &GRU,
      .in = { { 3, { 2, 4, 18 } }, WEIGHTS(3), WEIGHTS(3) },
      .out = { 3, { 2, 4, 6 } } },
    { .label = "many sequences",
      .op = &rv_op_gru,
      .attr = &GRU,
      .in = { { 3, { 13, 7, 12 } }, WEIGHTS(2), WEIGHTS(2) },
      .out = { 3, { 13, 7, 4 } } },
    { .label = "a single step",
      .op = &rv_op_gru,
      .attr = &GRU,
      .in = { { 3, { 1, 1, 6 } }, WEIGHTS(2) },
      .out = { 3, { 1, 1, 2 } } },
    { .label = "inputs in the operation",
      .op = &rv_op_gru,
      .attr = &WHOLE,
      .in = { { 3, { 2, 6, 3 } }, RECURRENT_WEIGHTS(3, 3, 2), RECURRENT_WEIGHTS(3, 3, 2) },
      .out = { 3, { 2, 6, 4 } } },
    { .label = "many sequences, inputs in the operation",
      .op = &rv_op_gru,
      .attr = &WHOLE,
      .in = { { 3, { 13, 7, 2 } }, RECURRENT_WEIGHTS(3, 2, 3) },
      .out = { 3, { 13, 7, 3 } } },
    { .label = "adjoint, inputs in the operation",
      .op = &rv_op_gru_back,
      .attr = &(const recurrent_attr){ .gates = 3, .joint = 2 },
      .in = { { 3, { 2, 4, 5 } },
              { 3, { 2, 4, 3 } },
              { 3, { 2, 4, 3 } },
              RECURRENT_WEIGHTS(3, 5, 3) },
      .out = { 3, { 2, 4, 12 } } },
    { .label = "adjoint of the pre-activations",
      .op = &rv_op_gru_back,
      .attr = &(const recurrent_attr){ .gates = 3, .joint = 2, .projected = true, .direction = 1 },
      .in = { { 3, { 2, 4, 18 } }, { 3, { 2, 4, 6 } }, { 3, { 2, 4, 6 } }, WEIGHTS(3) },
      .out = { 3, { 2, 4, 12 } } },
    { 0 },
};
#endif
