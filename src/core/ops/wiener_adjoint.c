/* wiener_adjoint.c - the adjoint of the Wiener filter (wiener.c).
 *
 *     dy [1,T,F,2 S A], magnitudes [1,T,F,S A], mix [1,T,F,2A] -> [1,T,F,S A + 2A]: adjoints of the
 *     magnitudes, then of the mix
 *
 * Runs the filter again, keeps what every iteration began with, and goes back through
 * them. Written z^ for the adjoint dL/dRe z + i dL/dIm z of z, with q_j = R_j w, w = C^-1 x and
 * C the inverted sum, one iteration that gives y'_j = v_j q_j is
 *
 *     q_j^ = v_j y'_j^        w^ = sum_j R_j^H q_j^        x^ += u = C^-H w^       C^ = -u w^H
 *     R_j^ = sum_t q_j^ w^H + v_j C^      v_j^ = Re <q_j, y'_j^> + Re <R_j, C^> + n_j^
 *     n_j^ = -Re <R_j, R_j^> / n_j        y_j^ = (R_j^ + R_j^^H) y_j / n_j + 2 v_j^ y_j / A
 *
 * where n_j is the denominator of R_j. */
#include "wiener_filter.h"

#include "base/status.h"

/* Of one frequency and one worker. */
typedef struct {
    real *y;     /* [iterations + 1][frames,stems,audio,2] */
    real *slope; /* y^, of the iteration that is gone through */
    real *power; /* v^ [frames,stems] */
    real *mix;   /* x^ [frames,audio,2] of the scaled mix */
} memory;

static size_t adjoint_row(const job *j)
{
    return (j->attr->iterations + 2) * estimate_size(j) + j->frames * (j->stems + j->audio * 2);
}

static memory memory_of(const job *j, int worker)
{
    const size_t n = estimate_size(j);
    real *y = j->scratch + (size_t)worker * j->scratch_row;
    real *slope = y + (j->attr->iterations + 1) * n;
    return (memory){ y, slope, slope + n, slope + n + j->frames * j->stems };
}

static double real_product(double complex a, double complex b) /* Re conj(a) b */
{
    return creal(a) * creal(b) + cimag(a) * cimag(b);
}

/* w^ of a frame; adds the part of q^ to R^ and v^. */
static void leave_filter(const job *j, const frame_model *m, matrix *r, const real *slope,
                         real *power_slope, matrix *r_slope, double complex *w_slope)
{
    for (size_t s = 0; s < j->stems; s++) {
        double sum = 0;
        for (size_t a = 0; a < j->audio; a++) {
            const double complex of_y = get(slope + (s * j->audio + a) * 2), q = m->v[s] * of_y;
            sum += real_product(filtered(j, r[s], m->w, a), of_y);
            for (size_t b = 0; b < j->audio; b++) {
                r_slope[s][a][b] += q * conj(m->w[b]);
                w_slope[b] += conj(r[s][a][b]) * q;
            }
        }
        power_slope[s] = (real)sum;
    }
}

/* u, the part of x^; adds that of C^ to R^ and v^. */
static void leave_inverse(const job *j, const frame_model *m, matrix *r, real *power_slope,
                          matrix *r_slope, const double complex *w_slope, double complex *u)
{
    matrix transposed;
    for (size_t a = 0; a < j->audio; a++)
        for (size_t b = 0; b < j->audio; b++)
            transposed[a][b] = conj(m->sum[b][a]);
    solve(j->audio, transposed, w_slope, u);
    for (size_t s = 0; s < j->stems; s++) {
        double sum = 0;
        for (size_t a = 0; a < j->audio; a++)
            for (size_t b = 0; b < j->audio; b++) {
                const double complex of_sum = -u[a] * conj(m->w[b]);
                sum += real_product(r[s][a][b], of_sum);
                r_slope[s][a][b] += m->v[s] * of_sum;
            }
        power_slope[s] += (real)sum;
    }
}

/* y^ of stem s from R^ and v^ */
static void leave_place(const job *j, const real *y, size_t s, matrix r, double weight,
                        matrix r_slope, const memory *m)
{
    double weight_slope = 0;
    for (size_t a = 0; a < j->audio; a++)
        for (size_t b = 0; b < j->audio; b++)
            weight_slope -= real_product(r[a][b], r_slope[a][b]) / weight;
    for (size_t t = 0; t < j->frames; t++) {
        const size_t at = (t * j->stems + s) * j->audio * 2;
        const double v = (double)m->power[t * j->stems + s] + weight_slope;
        for (size_t a = 0; a < j->audio; a++) {
            double complex sum = 2 * v / (double)j->audio * get(y + at + 2 * a);
            for (size_t b = 0; b < j->audio; b++)
                sum += (r_slope[a][b] + conj(r_slope[b][a])) / weight * get(y + at + 2 * b);
            put(m->slope + at + 2 * a, sum);
        }
    }
}

/* y' ^ -> y^, in m->slope, of the iteration that began with y. */
static void iterate_back(const job *j, size_t f, const real *y, const memory *m)
{
    matrix r[MOST_STEMS], r_slope[MOST_STEMS] = { { { 0 } } };
    double weight[MOST_STEMS];
    const size_t row = j->stems * j->audio * 2;
    for (size_t s = 0; s < j->stems; s++)
        weight[s] = place_of_stem(j, y, s, r[s]);
    for (size_t t = 0; t < j->frames; t++) {
        double complex w_slope[MOST_AUDIO] = { 0 }, u[MOST_AUDIO];
        real *power_slope = m->power + t * j->stems, *x = m->mix + t * j->audio * 2;
        frame_model model;
        model_frame(j, f, t, r, y + t * row, &model);
        leave_filter(j, &model, r, m->slope + t * row, power_slope, r_slope, w_slope);
        leave_inverse(j, &model, r, power_slope, r_slope, w_slope, u);
        for (size_t a = 0; a < j->audio; a++)
            put(x + 2 * a, get(x + 2 * a) + u[a]);
    }
    for (size_t s = 0; s < j->stems; s++)
        leave_place(j, y, s, r[s], weight[s], r_slope[s], m);
}

/* Adjoint of the result, where all but the residual count; and dL / d scale of the end. */
static double start_back(const job *j, size_t f, const memory *m)
{
    const real *y = m->y + j->attr->iterations * estimate_size(j);
    double sum = 0;
    for (size_t t = 0; t < j->frames; t++) {
        const size_t given = j->given * j->audio * 2, row = j->stems * j->audio * 2;
        const real *dy = j->dy + ((j->first + t) * j->bins + f) * given;
        for (size_t i = 0; i < row; i++) {
            const double slope = i < given ? (double)dy[i] : 0;
            m->slope[t * row + i] = (real)(slope * j->scale);
            sum += slope * (double)y[t * row + i];
        }
    }
    return sum;
}

/* Through the first estimate of a frame and channel, into the result. */
static void write_slopes(const job *j, size_t f, size_t t, size_t c, const memory *m)
{
    const size_t row = (j->given + 2) * j->audio, at = t * j->stems * j->audio * 2 + c * 2;
    const real *size = j->magnitude + ((j->first + t) * j->bins + f) * j->given * j->audio + c;
    real *out = j->out + ((j->first + t) * j->bins + f) * row, *mix = out + j->given * j->audio;
    const double complex x = mix_at(j, t, f, c), phase = x / sqrt(square(x));
    const real *z = j->mix + (((j->first + t) * j->bins + f) * j->audio + c) * 2;
    double complex rest = 0, phase_slope = 0;
    if (j->stems > j->given)
        rest = get(m->slope + at + j->given * j->audio * 2) / j->scale;
    for (size_t s = 0; s < j->given; s++) {
        const double complex slope = get(m->slope + at + s * j->audio * 2) / j->scale - rest;
        out[s * j->audio + c] = (real)real_product(phase, slope);
        phase_slope += (double)size[s * j->audio] * slope;
    }
    const double complex turn = phase_slope - phase * real_product(phase, phase_slope);
    const double complex of_mix =
        rest + get(m->mix + (t * j->audio + c) * 2) / j->scale + turn / sqrt(square(x));
    put(mix + 2 * c, z[0] == 0 && z[1] == 0 ? 0 : of_mix);
}

/* dL / d scale of the start: estimates and mix are divided by it. */
static double scale_of_start(const job *j, size_t f, const memory *m)
{
    double sum = 0;
    for (size_t i = 0; i < estimate_size(j); i++)
        sum += (double)m->slope[i] * (double)m->y[i];
    for (size_t t = 0; t < j->frames; t++)
        for (size_t c = 0; c < j->audio; c++)
            sum +=
                real_product(mix_at(j, t, f, c) / j->scale, get(m->mix + (t * j->audio + c) * 2));
    return sum / j->scale;
}

static void go_back(const void *ctx, size_t from, size_t to, int worker)
{
    const job *j = ctx;
    const size_t n = estimate_size(j), iterations = j->attr->iterations;
    const memory m = memory_of(j, worker);
    for (size_t f = from; f < to; f++) {
        first_estimate(j, f, m.y);
        for (size_t i = 0; i < iterations; i++)
            iterate(j, f, m.y + i * n, m.y + (i + 1) * n);
        memset(m.mix, 0, j->frames * j->audio * 2 * sizeof *m.mix);
        const double end = start_back(j, f, &m);
        for (size_t i = iterations; i-- > 0;)
            iterate_back(j, f, m.y + i * n, &m);
        j->scale_slope[f] = (real)(end - scale_of_start(j, f, &m));
        for (size_t t = 0; t < j->frames; t++)
            for (size_t c = 0; c < j->audio; c++)
                write_slopes(j, f, t, c, &m);
    }
}

/* The scale is that of the loudest bin. */
static void add_to_peak(const job *j, const peak *most)
{
    const size_t row = (j->given + 2) * j->audio;
    const double complex x = mix_at(j, most->t, most->f, most->channel);
    real *out = j->out + ((j->first + most->t) * j->bins + most->f) * row + j->given * j->audio +
                most->channel * 2;
    double sum = 0;
    for (size_t f = 0; f < j->bins; f++)
        sum += (double)j->scale_slope[f];
    put(out, get(out) + sum / j->attr->loudest * x / sqrt(most->square));
}

static void adjoint_run(const rv_call *c)
{
    const wiener_attr *a = c->node->attr;
    const size_t total = rv_extent(c->node, 1);
    job j = job_of(a, c->node->in[1], c->node->in[2]);
    j.dy = c->in[0];
    j.magnitude = c->in[1];
    j.mix = c->in[2];
    j.out = c->out;
    j.scale_slope = c->scratch;
    j.scratch = c->scratch + j.bins;
    j.scratch_row = adjoint_row(&j);
    for (j.first = 0; j.first < total; j.first += j.frames) {
        j.frames = total - j.first < a->window ? total - j.first : a->window;
        const peak most = find_peak(&j);
        j.scale = scale_of(&j, &most);
        rv_parallel(c->pool, j.bins, 16, go_back, &j);
        if (j.scale > 1)
            add_to_peak(&j, &most);
    }
}

static size_t adjoint_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const job j = job_of(n->attr, n->in[1], n->in[2]);
    (void)kern;
    return (size_t)threads * adjoint_row(&j) + j.bins;
}

static rv_status adjoint_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    rv_shape y;
    RV_TRY(wiener_fits(n->attr, n->in[1], n->in[2], &y, err));
    if (!rv_shape_equal(&n->in[0]->shape, &y))
        return RV_FAIL(err, RV_ERR_SHAPE, "wiener_adjoint: dy does not fit the magnitudes");
    *out = n->in[1]->shape;
    out->d[3] += n->in[2]->shape.d[3];
    return RV_OK;
}

const rv_op rv_op_wiener_adjoint = {
    .name = "wiener_adjoint",
    .n_in = 3,
    .attr_size = sizeof(wiener_attr),
    .shape = adjoint_shape,
    .run = adjoint_run,
    .scratch_size = adjoint_scratch,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_wiener_adjoint[] = {
    { .label = "wiener_adjoint",
      .op = &rv_op_wiener_adjoint,
      .in = { { 4, { 1, 5, 2, 8 } }, { 4, { 1, 5, 2, 4 } }, { 4, { 1, 5, 2, 4 } } },
      .attr = &(const wiener_attr){ 2, 3, true, 0.1 },
      .out = { 4, { 1, 5, 2, 8 } },
      .positive = true },
    { 0 },
};
#endif
