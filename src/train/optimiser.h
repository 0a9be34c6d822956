/* optimiser.h - one step down the gradient: SGD, Adam, AdamW.
 *
 * The formulas, and the order of their roundings, are PyTorch's (torch.optim, 1.13), and so are
 * the defaults. Gradients are clipped by their global norm as torch.nn.utils.clip_grad_norm_ does.
 * Results are bit-identical for any number of threads. */
#ifndef TRAIN_OPTIMISER_H
#define TRAIN_OPTIMISER_H

#include "train/span.h"

typedef enum rv_optimiser_kind { RV_ADAM, RV_ADAMW, RV_SGD } rv_optimiser_kind;

typedef struct rv_optimiser_config {
    rv_optimiser_kind kind;
    double lr;           /* >= 0; where a schedule starts */
    double beta1, beta2; /* Adam: decay of the first and second moment, in [0, 1) */
    double eps;          /* Adam: >= 0 */
    double weight_decay; /* >= 0; AdamW: decoupled, else added to the gradient */
    double momentum;     /* SGD: in [0, 1); 0: none */
    bool nesterov;       /* SGD: needs momentum */
    double clip_norm;    /* largest norm of all gradients; 0: no clipping */
} rv_optimiser_config;

/* Adam 1e-3, (0.9, 0.999), 1e-8; AdamW the same with a decay of 0.01; SGD 1e-3, no momentum
 * (PyTorch gives SGD no default rate). */
rv_optimiser_config rv_optimiser_defaults(rv_optimiser_kind kind);

typedef struct rv_optimiser rv_optimiser;

/* Frozen spans are those at this moment; `spans` is not kept. mem NULL: malloc. A value out of
 * its range: RV_ERR_ARG. */
RV_NODISCARD rv_status rv_optimiser_new(rv_optimiser **out, const rv_optimiser_config *config,
                                        const rv_span *spans, size_t n_spans, const rv_alloc *mem,
                                        rv_error *err);
void rv_optimiser_free(rv_optimiser *o);

/* Change the parameters that are not frozen by one step at the rate `lr`. *norm (may be NULL): that
 * of their gradients before clipping, summed in double. False, and nothing is changed, if the norm
 * is no finite number. Does not allocate. */
RV_NODISCARD bool rv_optimiser_step(rv_optimiser *o, real *parameters, const real *gradients,
                                    double lr, rv_pool *pool, double *norm);

/* What a checkpoint must keep, beside the parameters: the blocks of the moments by PyTorch's names
 * ("exp_avg", "exp_avg_sq"; "momentum_buffer"), and the steps done. False when there is no
 * block i; `data` may be written, to resume. */
bool rv_optimiser_state(rv_optimiser *o, size_t i, const char **name, real **data, size_t *count);
uint64_t rv_optimiser_steps(const rv_optimiser *o);
void rv_optimiser_set_steps(rv_optimiser *o, uint64_t steps);

#endif
