/* optimiser.c - the update as loops over pieces of the block.
 *
 *     Adam (Kingma and Ba 2015, arXiv:1412.6980), AdamW (Loshchilov and Hutter 2019,
 *     arXiv:1711.05101), SGD with momentum and Nesterov's form (Sutskever et al. 2013).
 *
 * What is not frozen is cut into pieces by its layout alone. A first pass sums the squares of each
 * piece's gradients, in double; the sums are added in the order of the pieces. A second pass
 * updates piece by piece: parameters, moments and gradients are read and written once. Factors are
 * computed in double and rounded to `real` once, as PyTorch does with its scalars. */
#include "train/optimiser.h"

#include "core/op.h"

#include <math.h>
#include <stdalign.h>
#include <string.h>

enum { MAX_MOMENTS = 2, LANES = 8 };

/* Enough work for one task; tiny where the tests want many pieces of a small model. */
static const size_t piece_size = RV_BLOCK(16384);

typedef struct piece {
    size_t from, count;
    double squares; /* of its gradients */
} piece;

struct rv_optimiser {
    rv_optimiser_config config;
    const rv_alloc *mem;
    size_t length; /* of the block of parameters */
    piece *pieces;
    size_t n_pieces;
    real *moments[MAX_MOMENTS];
    int n_moments;
    uint64_t steps;
};

static const char *const moment_names[][MAX_MOMENTS] = {
    [RV_ADAM] = { "exp_avg", "exp_avg_sq" },
    [RV_ADAMW] = { "exp_avg", "exp_avg_sq" },
    [RV_SGD] = { "momentum_buffer" },
};

rv_optimiser_config rv_optimiser_defaults(rv_optimiser_kind kind)
{
    return (rv_optimiser_config){
        .kind = kind,
        .lr = 1e-3,
        .beta1 = 0.9,
        .beta2 = 0.999,
        .eps = 1e-8,
        .weight_decay = kind == RV_ADAMW ? 0.01 : 0,
    };
}

/* Making one */

static rv_status check_range(const char *what, double value, double end, rv_error *err)
{
    return value >= 0 && value < end
               ? RV_OK
               : RV_FAIL(err, RV_ERR_ARG, "optimiser: %s is %g, expected at least 0 and below %g",
                         what, value, end);
}

static rv_status check_config(const rv_optimiser_config *c, rv_error *err)
{
    if ((unsigned)c->kind > RV_SGD)
        return RV_FAIL(err, RV_ERR_ARG, "optimiser: there is no kind %d", (int)c->kind);
    RV_TRY(check_range("lr", c->lr, (double)INFINITY, err));
    RV_TRY(check_range("beta1", c->beta1, 1, err));
    RV_TRY(check_range("beta2", c->beta2, 1, err));
    RV_TRY(check_range("eps", c->eps, (double)INFINITY, err));
    RV_TRY(check_range("weight_decay", c->weight_decay, (double)INFINITY, err));
    RV_TRY(check_range("momentum", c->momentum, 1, err));
    RV_TRY(check_range("clip_norm", c->clip_norm, (double)INFINITY, err));
    if (c->kind == RV_SGD && c->nesterov && c->momentum <= 0)
        return RV_FAIL(err, RV_ERR_ARG, "optimiser: nesterov needs a momentum above 0");
    return RV_OK;
}

/* Neighbours that are not frozen are cut as one stretch. Returns the number of pieces, which are
 * written if `pieces` is not NULL. */
static size_t cut(piece *pieces, const rv_span *spans, size_t n_spans)
{
    size_t n = 0;
    for (size_t i = 0; i < n_spans; i++) {
        const size_t from = spans[i].offset;
        size_t end = from + spans[i].count;
        if (spans[i].frozen)
            continue;
        while (i + 1 < n_spans && !spans[i + 1].frozen && spans[i + 1].offset == end)
            end += spans[++i].count;
        for (size_t at = from; at < end; at += piece_size, n++)
            if (pieces)
                pieces[n] =
                    (piece){ .from = at, .count = end - at < piece_size ? end - at : piece_size };
    }
    return n;
}

static void *take_zeros(const rv_alloc *mem, size_t n, size_t size)
{
    void *p = mem->alloc(mem->ctx, n ? n * size : size, 64);
    return p ? memset(p, 0, n * size) : NULL;
}

static bool allocate(rv_optimiser *o)
{
    o->pieces = take_zeros(o->mem, o->n_pieces, sizeof *o->pieces);
    if (!o->pieces)
        return false;
    for (int i = 0; i < o->n_moments; i++)
        if (!(o->moments[i] = take_zeros(o->mem, o->length, sizeof(real))))
            return false;
    return true;
}

rv_status rv_optimiser_new(rv_optimiser **out, const rv_optimiser_config *config,
                           const rv_span *spans, size_t n_spans, const rv_alloc *mem, rv_error *err)
{
    size_t length = 0;
    RV_TRY(check_config(config, err));
    RV_TRY(rv_spans_length(spans, n_spans, &length, err));
    mem = mem ? mem : &rv_alloc_default;
    rv_optimiser *o = mem->alloc(mem->ctx, sizeof *o, alignof(rv_optimiser));
    if (!o)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory for the optimiser");
    *o = (rv_optimiser){ .config = *config, .mem = mem, .length = length };
    o->n_pieces = cut(NULL, spans, n_spans);
    o->n_moments = config->kind != RV_SGD ? 2 : config->momentum > 0;
    if (!allocate(o)) {
        rv_optimiser_free(o);
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory for the moments of %zu parameters",
                       length);
    }
    cut(o->pieces, spans, n_spans);
    *out = o;
    return RV_OK;
}

void rv_optimiser_free(rv_optimiser *o)
{
    if (!o)
        return;
    const rv_alloc *mem = o->mem;
    for (int i = 0; i < o->n_moments; i++)
        if (o->moments[i])
            mem->free(mem->ctx, o->moments[i]);
    if (o->pieces)
        mem->free(mem->ctx, o->pieces);
    mem->free(mem->ctx, o);
}

bool rv_optimiser_state(rv_optimiser *o, size_t i, const char **name, real **data, size_t *count)
{
    if (i >= (size_t)o->n_moments)
        return false;
    *name = moment_names[o->config.kind][i];
    *data = o->moments[i];
    *count = o->length;
    return true;
}

uint64_t rv_optimiser_steps(const rv_optimiser *o)
{
    return o->steps;
}

void rv_optimiser_set_steps(rv_optimiser *o, uint64_t steps)
{
    o->steps = steps;
}

/* The norm */

typedef struct norm_job {
    rv_optimiser *o;
    const real *gradients;
} norm_job;

/* In lanes, so that the additions do not wait for each other. */
static double sum_squares(const real *x, size_t n)
{
    double lane[LANES] = { 0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += (double)x[i + j] * (double)x[i + j];
    for (size_t j = 0; i < n; i++, j++)
        lane[j] += (double)x[i] * (double)x[i];
    double sum = 0;
    for (size_t j = 0; j < LANES; j++)
        sum += lane[j];
    return sum;
}

static void norm_task(void *job, size_t task, int worker)
{
    const norm_job *j = job;
    piece *p = &j->o->pieces[task];
    (void)worker;
    p->squares = sum_squares(j->gradients + p->from, p->count);
}

static double global_norm(rv_optimiser *o, const real *gradients, rv_pool *pool)
{
    norm_job job = { o, gradients };
    double sum = 0;
    rv_pool_run(pool, o->n_pieces, norm_task, &job);
    for (size_t i = 0; i < o->n_pieces; i++)
        sum += o->pieces[i].squares;
    return sqrt(sum);
}

/* The update */

typedef struct factors {
    real scale; /* of the gradients: clipping */
    real decay; /* added to the gradient: decay times parameter */
    real keep;  /* AdamW: the parameter is multiplied by it first */
    real beta1, one_minus_beta1, beta2, one_minus_beta2;
    real root_correction2, eps, minus_step; /* Adam */
    real momentum, minus_lr;                /* SGD */
} factors;

typedef struct update_job {
    rv_optimiser *o;
    factors f;
    real *parameters;
    const real *gradients;
} update_job;

/* In the type itself: a detour over double would halve the speed. */
static inline real square_root(real x)
{
    return sizeof x == sizeof(float) ? (real)sqrtf((float)x) : (real)sqrt((double)x);
}

static void adam(real *restrict w, real *restrict m, real *restrict v, const real *restrict g,
                 size_t n, const factors *with)
{
    const factors f = *with;
    for (size_t i = 0; i < n; i++) {
        const real x = w[i] * f.keep, d = g[i] * f.scale + f.decay * x;
        const real m1 = m[i] * f.beta1 + f.one_minus_beta1 * d;
        const real v1 = v[i] * f.beta2 + f.one_minus_beta2 * (d * d);
        const real root = square_root(v1);
        m[i] = m1;
        v[i] = v1;
        w[i] = x + f.minus_step * m1 / (root / f.root_correction2 + f.eps);
    }
}

static void sgd(real *restrict w, const real *restrict g, size_t n, const factors *with)
{
    const factors f = *with;
    for (size_t i = 0; i < n; i++)
        w[i] += f.minus_lr * (g[i] * f.scale + f.decay * w[i]);
}

/* Nesterov steps along d + momentum b, else along b. The buffer starts at 0, so that the first step
 * sets it to the gradient, as PyTorch does. */
static void sgd_momentum(real *restrict w, real *restrict b, const real *restrict g, size_t n,
                         const factors *with, bool nesterov)
{
    const factors f = *with;
    const real now = nesterov ? 1 : 0, ahead = nesterov ? f.momentum : 1;
    for (size_t i = 0; i < n; i++) {
        const real d = g[i] * f.scale + f.decay * w[i];
        const real b1 = b[i] * f.momentum + d;
        b[i] = b1;
        w[i] += f.minus_lr * (now * d + ahead * b1);
    }
}

static void update_task(void *job, size_t task, int worker)
{
    const update_job *j = job;
    const rv_optimiser *o = j->o;
    const size_t from = o->pieces[task].from, n = o->pieces[task].count;
    real *w = j->parameters + from;
    const real *g = j->gradients + from;
    (void)worker;
    if (o->config.kind != RV_SGD)
        adam(w, o->moments[0] + from, o->moments[1] + from, g, n, &j->f);
    else if (o->n_moments)
        sgd_momentum(w, o->moments[0] + from, g, n, &j->f, o->config.nesterov);
    else
        sgd(w, g, n, &j->f);
}

static factors factors_of(const rv_optimiser_config *c, double lr, uint64_t step, double norm)
{
    const double clip = c->clip_norm / (norm + 1e-6), t = (double)step;
    const bool decoupled = c->kind == RV_ADAMW;
    return (factors){
        .scale = c->clip_norm > 0 && clip < 1 ? (real)clip : 1,
        .decay = decoupled ? 0 : (real)c->weight_decay,
        .keep = decoupled ? (real)(1 - lr * c->weight_decay) : 1,
        .beta1 = (real)c->beta1,
        .one_minus_beta1 = (real)(1 - c->beta1),
        .beta2 = (real)c->beta2,
        .one_minus_beta2 = (real)(1 - c->beta2),
        .root_correction2 = (real)sqrt(1 - pow(c->beta2, t)),
        .eps = (real)c->eps,
        .minus_step = (real)(-lr / (1 - pow(c->beta1, t))),
        .momentum = (real)c->momentum,
        .minus_lr = (real)-lr,
    };
}

bool rv_optimiser_step(rv_optimiser *o, real *parameters, const real *gradients, double lr,
                       rv_pool *pool, double *norm)
{
    const double length = global_norm(o, gradients, pool);
    if (norm)
        *norm = length;
    if (!isfinite(length))
        return false;
    o->steps++;
    update_job job = { o, factors_of(&o->config, lr, o->steps, length), parameters, gradients };
    rv_pool_run(pool, o->n_pieces, update_task, &job);
    return true;
}
