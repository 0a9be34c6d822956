/* schedule.c - closed forms of torch.optim.lr_scheduler, and its plateau.
 *
 * Cosine: min_lr + (lr - min_lr) (1 + cos(pi t / T)) / 2 (Loshchilov and Hutter 2017,
 * arXiv:1608.03983, without restarts). */
#include "train/schedule.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* PyTorch ignores reductions smaller than this. */
static const double least_reduction = 1e-8;

rv_schedule_config rv_schedule_defaults(rv_schedule_kind kind, double lr)
{
    return (rv_schedule_config){
        .kind = kind,
        .lr = lr,
        .factor = kind == RV_RATE_EXPONENTIAL ? 0.98 : 0.1,
        .every = 10000,
        .total_steps = 100000,
        .patience = 10,
        .threshold = 1e-4,
    };
}

static rv_status check_milestones(const rv_schedule_config *c, rv_error *err)
{
    if (c->n_milestones > RV_MAX_MILESTONES)
        return RV_FAIL(err, RV_ERR_ARG, "schedule: %zu milestones, expected at most %d",
                       c->n_milestones, RV_MAX_MILESTONES);
    for (size_t i = 1; i < c->n_milestones; i++)
        if (c->milestones[i] <= c->milestones[i - 1])
            return RV_FAIL(err, RV_ERR_ARG, "schedule: milestone %llu does not ascend",
                           (unsigned long long)c->milestones[i]);
    return RV_OK;
}

rv_status rv_schedule_check(const rv_schedule_config *c, rv_error *err)
{
    if ((unsigned)c->kind > RV_RATE_MULTI_STEP)
        return RV_FAIL(err, RV_ERR_ARG, "schedule: there is no kind %d", (int)c->kind);
    if (!(c->lr >= 0 && isfinite(c->lr)))
        return RV_FAIL(err, RV_ERR_ARG, "schedule: lr is %g, expected at least 0", c->lr);
    if (!(c->factor > 0 && c->factor <= 1))
        return RV_FAIL(err, RV_ERR_ARG, "schedule: factor is %g, expected above 0 and at most 1",
                       c->factor);
    if (!(c->min_lr >= 0 && c->min_lr <= c->lr))
        return RV_FAIL(err, RV_ERR_ARG, "schedule: min_lr is %g, expected between 0 and lr %g",
                       c->min_lr, c->lr);
    if (!(c->threshold >= 0 && c->threshold < 1))
        return RV_FAIL(err, RV_ERR_ARG, "schedule: threshold is %g, expected in [0, 1)",
                       c->threshold);
    if (c->kind == RV_RATE_EXPONENTIAL && !c->every)
        return RV_FAIL(err, RV_ERR_ARG, "schedule: every is 0 steps, expected at least 1");
    if (c->kind == RV_RATE_COSINE && c->total_steps <= c->warmup_steps)
        return RV_FAIL(err, RV_ERR_ARG,
                       "schedule: total_steps %llu must be above warmup_steps %llu",
                       (unsigned long long)c->total_steps, (unsigned long long)c->warmup_steps);
    return check_milestones(c, err);
}

static double exponential(const rv_schedule_config *c, uint64_t step)
{
    const double exponent =
        c->staircase ? (double)(step / c->every) : (double)step / (double)c->every;
    return c->lr * pow(c->factor, exponent);
}

static double cosine(const rv_schedule_config *c, uint64_t step)
{
    const uint64_t done = step > c->warmup_steps ? step - c->warmup_steps : 0;
    if (step >= c->total_steps)
        return c->min_lr;
    const double part = (double)done / (double)(c->total_steps - c->warmup_steps);
    return c->min_lr + (c->lr - c->min_lr) * (1 + cos(pi * part)) / 2;
}

static double multi_step(const rv_schedule_config *c, uint64_t step)
{
    double lr = c->lr;
    for (size_t i = 0; i < c->n_milestones && c->milestones[i] <= step; i++)
        lr *= c->factor;
    return lr;
}

static double without_warmup(const rv_schedule_config *c, const rv_plateau *p, uint64_t step)
{
    switch (c->kind) {
    case RV_RATE_EXPONENTIAL:
        return exponential(c, step);
    case RV_RATE_PLATEAU:
        return p->lr;
    case RV_RATE_COSINE:
        return cosine(c, step);
    case RV_RATE_MULTI_STEP:
        return multi_step(c, step);
    case RV_RATE_CONSTANT:
        break;
    }
    return c->lr;
}

double rv_schedule_lr(const rv_schedule_config *c, const rv_plateau *p, uint64_t step)
{
    const double lr = without_warmup(c, p, step);
    return step < c->warmup_steps ? lr * ((double)(step + 1) / (double)c->warmup_steps) : lr;
}

/* Count a validation: 0 bad ones after progress. Losses below 0 (SI-SDR) have their margin on the
 * same side, where PyTorch takes slightly worse ones for progress. */
static void judge(double *best, uint64_t *bad, double loss, double threshold)
{
    if (loss < *best * (*best > 0 ? 1 - threshold : 1 + threshold)) {
        *best = loss;
        *bad = 0;
    } else {
        ++*bad;
    }
}

rv_plateau rv_plateau_start(const rv_schedule_config *c)
{
    return (rv_plateau){ .lr = c->lr, .best = (double)INFINITY };
}

void rv_plateau_update(const rv_schedule_config *c, rv_plateau *p, double loss)
{
    judge(&p->best, &p->bad, loss, c->threshold);
    if (p->cooldown) {
        p->cooldown--;
        p->bad = 0;
    }
    if (p->bad <= c->patience)
        return;
    const double lr = fmax(p->lr * c->factor, c->min_lr);
    p->lr = p->lr - lr > least_reduction ? lr : p->lr;
    p->cooldown = c->cooldown;
    p->bad = 0;
}

rv_stopping rv_stopping_start(void)
{
    return (rv_stopping){ .best = (double)INFINITY };
}

bool rv_stopping_update(const rv_stopping_config *c, rv_stopping *s, double loss)
{
    judge(&s->best, &s->bad, loss, c->threshold);
    return s->bad > c->patience;
}
