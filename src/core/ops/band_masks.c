/* band_masks.c - complex masks of low rank, band by band, and the spectra that they leave:
 *
 *     y[s,a,t,f] = (1/S + sum over i < r of c[k,t,s,i] B[f,a,i]) z[a,t,f],   f in band k
 *
 * with complex B. c [K,T,S,r], z [A,T,F,2] -> y [S A,T,F,2]; B [2 F A,r] has for each band the real
 * parts [width,A,r], then the imaginary ones. Where the c of all stems sum to zero, the y sum to z.
 *
 * The masks are S times as large as z, and are never in memory: those of a few frames and one band
 * stay in the first cache level until they are used. B is packed with its columns in the order
 * [A,width,2], that of z. No gradient goes to z. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <string.h>

enum {
    FRAMES = RV_BLOCK(24), /* of a task */
    LINES = 12             /* rows [t,s] whose masks are made at a time, about */
};

typedef struct {
    size_t n, edge[RV_BANDS_MOST + 1];
} masks_attr;

rv_node *rv_band_masks(rv_node *c, rv_node *basis, rv_node *z, size_t n, const size_t *edge)
{
    masks_attr a = { .n = n };
    if (n == 0 || n > RV_BANDS_MOST)
        return rv_poison(c->graph, RV_ERR_ARG, __func__, "masks of %zu bands", n);
    memcpy(a.edge, edge, (n + 1) * sizeof *edge);
    return RV_APPLY(&rv_op_band_masks, &a, c, basis, z);
}

static bool edges_rise(const masks_attr *a)
{
    bool rise = a->edge[0] == 0;
    for (size_t k = 0; k < a->n; k++)
        rise &= a->edge[k] < a->edge[k + 1];
    return rise;
}

static rv_status masks_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const masks_attr *a = n->attr;
    const rv_shape *c = &n->in[0]->shape, *z = &n->in[2]->shape;
    if (c->rank != 4 || z->rank != 4 || c->d[0] != a->n || c->d[1] != z->d[1] || z->d[3] != 2)
        return RV_FAIL(err, RV_ERR_SHAPE, "band_masks: %zu bands by a spectrum of rank %d", a->n,
                       z->rank);
    if (!edges_rise(a) || a->edge[a->n] != z->d[2])
        return RV_FAIL(err, RV_ERR_SHAPE, "band_masks: bands up to %zu of %zu bins", a->edge[a->n],
                       z->d[2]);
    if (!rv_shape_equal(&n->in[1]->shape, &RV_SHAPE(2 * z->d[2] * z->d[0], c->d[3])))
        return RV_FAIL(err, RV_ERR_SHAPE, "band_masks: the basis does not fit %zu bins of %zu",
                       z->d[2], z->d[0]);
    *out = RV_SHAPE(c->d[2] * z->d[0], z->d[1], z->d[2], 2);
    return RV_OK;
}

/* Sizes: bins of band k, K bands, T frames, S stems, A channels, F bins, r */
typedef struct {
    const rv_call *call;
    const size_t *edge;
    size_t bands, frames, stems, channels, bins, rank;
    size_t widest; /* columns of the band that has most: 2 A width */
    size_t room;   /* reals of scratch of a worker */
} masks_job;

static size_t columns_of(const masks_job *j, size_t k)
{
    return 2 * j->channels * (j->edge[k + 1] - j->edge[k]);
}

/* Frames whose masks are made at a time */
static size_t frames_together(const masks_job *j)
{
    return j->stems < LINES ? LINES / j->stems : 1;
}

static masks_job sizes_of(const rv_node *n)
{
    const masks_attr *a = n->attr;
    const rv_shape *c = &n->in[0]->shape, *z = &n->in[2]->shape;
    masks_job j = { .edge = a->edge,
                    .bands = a->n,
                    .frames = c->d[1],
                    .stems = c->d[2],
                    .channels = z->d[0],
                    .bins = z->d[2],
                    .rank = c->d[3] };
    for (size_t k = 0; k < j.bands; k++)
        j.widest = columns_of(&j, k) > j.widest ? columns_of(&j, k) : j.widest;
    j.room = frames_together(&j) * j.stems * j.widest;
    return j;
}

/* Prepared: 1/S and 0 in turn [widest], one band's basis in order [widest,r], the packed bands. */
static size_t masks_prepared(const rv_node *n, const kern_table *kern)
{
    const masks_job j = sizes_of(n);
    size_t size = j.widest * (1 + j.rank);
    for (size_t k = 0; k < j.bands; k++)
        size += kern->packed_size(j.rank, columns_of(&j, k));
    return size;
}

/* to [A,width,2,r] <- from [2,width,A,r] */
static void put_in_order(real *to, const real *from, size_t width, size_t channels, size_t rank)
{
    for (size_t a = 0; a < channels; a++)
        for (size_t f = 0; f < width; f++)
            for (size_t part = 0; part < 2; part++, to += rank)
                memcpy(to, from + ((part * width + f) * channels + a) * rank, rank * sizeof *to);
}

static void masks_prepare(const rv_call *c)
{
    const masks_job j = sizes_of(c->node);
    real *ordered = c->prepared + j.widest, *to = ordered + j.widest * j.rank;
    for (size_t i = 0; i < j.widest; i++)
        c->prepared[i] = i % 2 ? 0 : 1 / (real)j.stems;
    for (size_t k = 0; k < j.bands; k++) {
        const size_t n = columns_of(&j, k);
        put_in_order(ordered, c->in[1] + 2 * j.channels * j.edge[k] * j.rank,
                     j.edge[k + 1] - j.edge[k], j.channels, j.rank);
        c->kern->pack(to, ordered, j.rank, n, 1, j.rank);
        to += c->kern->packed_size(j.rank, n);
    }
}

/* Of the frames [t, t + count) and band k: masks [count,S,A,width,2], times z. */
static void apply_masks(const masks_job *j, const real *masks, size_t k, size_t t, size_t count)
{
    const rv_call *c = j->call;
    const size_t width = j->edge[k + 1] - j->edge[k];
    for (size_t i = t; i < t + count; i++)
        for (size_t row = 0; row < j->stems * j->channels; row++, masks += 2 * width) {
            const size_t y = (row * j->frames + i) * j->bins + j->edge[k];
            const size_t z = (row % j->channels * j->frames + i) * j->bins + j->edge[k];
            c->kern->complex_product(c->out + 2 * y, masks, c->in[2] + 2 * z, width);
        }
}

static void masks_frames(const void *ctx, size_t from, size_t to, int worker)
{
    const masks_job *j = ctx;
    const rv_call *c = j->call;
    const size_t step = frames_together(j), frame = j->stems * j->rank;
    kern_gemm_args g = { .y = c->scratch + (size_t)worker * j->room,
                         .packed = c->prepared + j->widest * (1 + j->rank),
                         .bias = c->prepared,
                         .k = j->rank,
                         .a_row = j->rank };
    for (size_t k = 0; k < j->bands; k++) {
        g.n = g.y_row = columns_of(j, k);
        for (size_t t = from; t < to; t += step) {
            const size_t count = to - t < step ? to - t : step;
            g.a = c->in[0] + (k * j->frames + t) * frame;
            g.m = count * j->stems;
            c->kern->gemm(&g);
            apply_masks(j, g.y, k, t, count);
        }
        g.packed += c->kern->packed_size(j->rank, g.n);
    }
}

static void masks_run(const rv_call *c)
{
    masks_job j = sizes_of(c->node);
    j.call = c;
    rv_parallel(c->pool, j.frames, FRAMES, masks_frames, &j);
}

static size_t masks_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    (void)kern;
    return (size_t)threads * sizes_of(n).room;
}

/* Adjoint of the masks' one part from parts of dy and z: [S,A,T,F,1], in the order [T,S,1,F,A]. */
static rv_node *part_adjoint(rv_node *sum)
{
    return RV_PERMUTE(sum, 2, 0, 4, 3, 1);
}

/* dm = conj(z) dy [T,S,2,F,A] */
static rv_node *mask_adjoint(const rv_node *n, rv_node *dy)
{
    const rv_shape *z = &n->in[2]->shape;
    dy = rv_reshape(dy, RV_SHAPE(n->in[0]->shape.d[2], z->d[0], z->d[1], z->d[2], 2));
    rv_node *of = rv_reshape(n->in[2], RV_SHAPE(1, z->d[0], z->d[1], z->d[2], 2));
    rv_node *x = rv_slice(of, 4, 0, 1), *y = rv_slice(of, 4, 1, 1);
    rv_node *re = rv_slice(dy, 4, 0, 1), *im = rv_slice(dy, 4, 1, 1);
    rv_node *parts[] = { part_adjoint(rv_add(rv_mul(re, x), rv_mul(im, y))),
                         part_adjoint(rv_sub(rv_mul(im, x), rv_mul(re, y))) };
    return rv_concat(2, 2, parts);
}

/* As rv_concat() on axis 0, of however many; x is used up. */
static rv_node *concat_all(size_t n, rv_node **x)
{
    while (n > 1) {
        size_t joined = 0;
        for (size_t i = 0; i < n; i += RV_MAX_IN)
            x[joined++] = rv_concat(0, n - i < RV_MAX_IN ? n - i : RV_MAX_IN, x + i);
        n = joined;
    }
    return x[0];
}

static void masks_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    const masks_job j = sizes_of(n);
    rv_node *dm = mask_adjoint(n, dy), *dc[RV_BANDS_MOST], *db[RV_BANDS_MOST];
    for (size_t k = 0; k < j.bands; k++) {
        const size_t rows = j.frames * j.stems, columns = columns_of(&j, k);
        rv_node *d = rv_slice(dm, 3, j.edge[k], j.edge[k + 1] - j.edge[k]);
        rv_node *c = rv_slice(n->in[0], 0, k, 1);
        d = rv_reshape(d, RV_SHAPE(rows, columns));
        c = rv_reshape(c, RV_SHAPE(rows, j.rank));
        dc[k] = rv_matmul(d, rv_slice(n->in[1], 0, 2 * j.channels * j.edge[k], columns));
        dc[k] = rv_reshape(dc[k], RV_SHAPE(1, j.frames, j.stems, j.rank));
        db[k] = rv_matmul_tn(d, c);
    }
    dx[0] = concat_all(j.bands, dc);
    dx[1] = concat_all(j.bands, db);
}

const rv_op rv_op_band_masks = {
    .name = "band_masks",
    .n_in = 3,
    .attr_size = sizeof(masks_attr),
    .shape = masks_shape,
    .run = masks_run,
    .grad = masks_grad,
    .scratch_size = masks_scratch,
    .prepared_size = masks_prepared,
    .prepare = masks_prepare,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_band_masks[] = {
    { .label = "three bands of two channels, three stems",
      .op = &rv_op_band_masks,
      .in = { { 4, { 3, 7, 3, 2 } }, { 2, { 24, 2 } }, { 4, { 2, 7, 6, 2 } } },
      .attr = &(const masks_attr){ 3, { 0, 1, 4, 6 } },
      .out = { 4, { 6, 7, 6, 2 } },
      .not_derived = 1 << 2 },
    { .label = "more stems than lines, one channel",
      .op = &rv_op_band_masks,
      .in = { { 4, { 2, 2, 13, 1 } }, { 2, { 6, 1 } }, { 4, { 1, 2, 3, 2 } } },
      .attr = &(const masks_attr){ 2, { 0, 2, 3 } },
      .out = { 4, { 13, 2, 3, 2 } },
      .not_derived = 1 << 2 },
    { 0 },
};
#endif
