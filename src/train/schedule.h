/* schedule.h - the learning rate at each step, and when to stop.
 *
 * All but the plateau are pure functions of the step, so nothing needs saving. The plateau and the
 * early stopping follow the validation loss; their state is plain numbers for the checkpoint. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "base/status.h"

#include <stdbool.h>

enum { RV_MAX_MILESTONES = 32 };

typedef enum rv_schedule_kind {
    RV_RATE_CONSTANT,
    RV_RATE_EXPONENTIAL, /* lr factor^(step / every) */
    RV_RATE_PLATEAU,     /* lr times factor after `patience` validations without progress */
    RV_RATE_COSINE,      /* from lr, at the end of the warm-up, to min_lr at total_steps */
    RV_RATE_MULTI_STEP,  /* lr times factor at each milestone */
} rv_schedule_kind;

typedef struct rv_schedule_config {
    rv_schedule_kind kind;
    double lr;             /* >= 0: the base rate */
    uint64_t warmup_steps; /* the first steps run at 1/w, 2/w, ... of the rate; any kind */
    double factor;         /* (0, 1] */
    uint64_t every;        /* exponential: steps for each factor, >= 1 */
    bool staircase;        /* exponential: the exponent is floor(step / every) */
    uint64_t total_steps;  /* cosine: above warmup_steps; min_lr afterwards */
    double min_lr;         /* plateau, cosine: in [0, lr] */
    uint64_t patience;     /* plateau: bad validations that are borne */
    double threshold;      /* plateau: progress is loss < best - threshold |best|, in [0, 1) */
    uint64_t cooldown;     /* plateau: validations after a reduction that do not count as bad */
    uint64_t milestones[RV_MAX_MILESTONES]; /* multi-step: ascending steps */
    size_t n_milestones;
} rv_schedule_config;

/* Factor 0.98 every 10,000 steps, smooth, for the exponential (DDSP's); 0.1, patience 10, threshold
 * 1e-4 and no cool-down for the plateau (PyTorch's); 0.1 for multi-step. */
rv_schedule_config rv_schedule_defaults(rv_schedule_kind kind, double lr);

/* Values out of their ranges: RV_ERR_ARG. */
RV_NODISCARD rv_status rv_schedule_check(const rv_schedule_config *c, rv_error *err);

/* torch.optim.lr_scheduler.ReduceLROnPlateau, mode "min", relative threshold (for losses above 0;
 * below, see schedule.c). */
typedef struct rv_plateau {
    double lr;    /* the rate now, without warm-up */
    double best;  /* loss; infinite at the start */
    uint64_t bad; /* validations in a row without progress */
    uint64_t cooldown;
} rv_plateau;

rv_plateau rv_plateau_start(const rv_schedule_config *c);
void rv_plateau_update(const rv_schedule_config *c, rv_plateau *p, double loss);

/* The rate for the step after `step` others. `p`: for RV_RATE_PLATEAU, else ignored. */
double rv_schedule_lr(const rv_schedule_config *c, const rv_plateau *p, uint64_t step);

/* Early stopping. */
typedef struct rv_stopping_config {
    uint64_t patience; /* bad validations in a row that are borne; UINT64_MAX: never stop */
    double threshold;  /* as above */
} rv_stopping_config;

typedef struct rv_stopping {
    double best;
    uint64_t bad; /* 0 after an update: this loss is the best so far */
} rv_stopping;

rv_stopping rv_stopping_start(void);

/* True: stop. A loss that is no number is bad. */
RV_NODISCARD bool rv_stopping_update(const rv_stopping_config *c, rv_stopping *s, double loss);

#endif
