/* gemm_int16_impl.h - the product of gemm_impl.h in integers of 16 bits: faster where a CPU
 * multiplies them in pairs, and half the memory for b.
 *
 * Block floating point (J. H. Wilkinson: Rounding Errors in Algebraic Processes, 1963): GROUP
 * numbers along k share an exponent, those of a row of a and those of a column of b.
 *
 *     y[i,j] = start + sum over groups g of 2^(u[i,g] + v[g,j]) sum over p in g of A[i,p] B[p,j]
 *
 * |A| <= 2^ROW_BITS and sum over p in g of |B[p,j]| < 2^(31 - ROW_BITS): 32 bits hold the sum of a
 * group, whatever a is. b is rounded when it is packed, a on the way into a block of rows. Where
 * the largest of a group is, the steps are 2^-12 to 2^-13 of it.
 *
 * The sum of a group is exact, and powers of two round nothing. So every instruction set gives
 * the same bits, wherever vectors and blocks end.
 *
 * A packed panel of w columns is [groups,w] powers 2^v, then [ceil(k / 2),w] pairs (B[2 p,j],
 * B[2 p + 1,j]), which pair_products() wants. Narrow products stay as they are in gemm_impl.h:
 * there, rounding would take longer than is gained. */
#ifndef RV_DOUBLE

enum {
    GROUP = 128,
    ROW_BITS = 13,
    INT16_K = 4 * GROUP, /* of a block: 16 KiB of b in a panel of 16 columns */
    INT16_ROWS = 48,     /* of a block: 48 KiB of rounded rows */
    NARROW = 32,
    LEAST_EXPONENT = -100, /* of what is below 2^-100, little is left */
    NOT_FINITE = 129,
};

typedef int32_t vec_int __attribute__((vector_size(KERN_BYTES)));
typedef int32_t vec_int_unaligned
    __attribute__((vector_size(KERN_BYTES), aligned(sizeof(kern_real)), may_alias));
typedef int16_t vec_short __attribute__((vector_size(KERN_BYTES)));
typedef int16_t half_vec_unaligned
    __attribute__((vector_size(KERN_BYTES / 2), aligned(sizeof(int16_t)), may_alias));

INLINE vec_int splat_int(int32_t x)
{
    return x - (vec_int){ 0 };
}

INLINE vec_int load_int(const void *x)
{
    return *(const vec_int_unaligned *)x;
}

/* a0 b0 + a1 b1 for every pair of 16 bits. By builtins: the header of intrinsics declares the C
 * library's select(), too. */
INLINE vec_int pair_products(vec_int a, vec_int b)
{
#    if KERN_BYTES == 64 && defined(__clang__)
    return (vec_int)__builtin_ia32_pmaddwd512((vec_short)a, (vec_short)b);
#    elif KERN_BYTES == 64
    return (vec_int)__builtin_ia32_pmaddwd512_mask((vec_short)a, (vec_short)b, (vec_int){ 0 },
                                                   0xffff);
#    elif KERN_BYTES == 32
    return (vec_int)__builtin_ia32_pmaddwd256((vec_short)a, (vec_short)b);
#    elif defined(__SSE2__)
    return (vec_int)__builtin_ia32_pmaddwd128((vec_short)a, (vec_short)b);
#    else
    return ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
#    endif
}

static size_t groups_of(size_t k)
{
    return (k + GROUP - 1) / GROUP;
}

/* Rounding a row costs as much as its products with so many columns gain, and so does scaling a
 * sum compared with so many products in it. */
static bool is_narrow(size_t k, size_t n)
{
    return k * n <= NARROW * (k + n);
}

/* Rounding --------------------------------------------------------------------------- */

INLINE vec_int magnitude(vec x)
{
    return (vec_int)x & 0x7fffffff;
}

/* 2^exponent, -126 to 127 */
static float two_to(int exponent)
{
    const int32_t bits = (exponent + 127) << 23;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static int32_t bits_of(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* |x| is below 2 to this; NOT_FINITE: infinite or not a number. */
static int exponent_above(int32_t magnitude_bits)
{
    return (magnitude_bits >> 23) - 126;
}

/* The low 16 bits of this are x rounded to an integer, if |x| < 2^15. */
INLINE vec_int rounded(vec x)
{
    return (vec_int)(x + 12582912.0F); /* 1.5 2^23: the last bit stands for 1 */
}

/* Bits of the largest magnitude of x [n], at least `most`. As integers, they are in its order, NaN
 * above all. */
static int32_t largest(const float *x, size_t n, int32_t most)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t bits = bits_of(x[i]) & 0x7fffffff;
        most = bits > most ? bits : most;
    }
    return most;
}

/* y = x factor, rounded */
static void round_row(int16_t *y, const float *x, size_t n, float factor)
{
    size_t i = 0;
    for (; n - i >= LANES; i += LANES)
        *(half_vec_unaligned *)(y + i) =
            __builtin_convertvector(rounded(load(x + i) * factor), half_vec_unaligned);
    if (i < n) {
        const vec_int rest = rounded(load_some(x + i, n - i) * factor);
        for (size_t r = 0; i + r < n; r++)
            y[i + r] = (int16_t)rest[r];
    }
}

/* Packing ---------------------------------------------------------------------------- */

static size_t int16_packed_size(size_t k, size_t n)
{
    const size_t rest = n % PANEL;
    if (is_narrow(k, n))
        return packed_size(k, n);
    return (n - rest + (rest ? panel_width(rest) : 0)) * (groups_of(k) + (k + 1) / 2);
}

/* A group of a panel as it is in b: [GROUP,PANEL], zeros beyond its rows and columns. */
typedef struct int16_group {
    float b[GROUP * PANEL];
    float factor[PANEL];
} int16_group;

/* Choose the power of two of each column: both conditions at the top hold, rounding included. */
static void choose_factors(int16_group *group, float *scale, size_t rows, size_t width)
{
    for (size_t c = 0; c < width; c += LANES) {
        vec sum = { 0 };
        vec_int top = { 0 };
        for (size_t p = 0; p < rows; p++) {
            const vec_int bits = magnitude(load(group->b + p * PANEL + c));
            sum += (vec)bits;
            top = (vec_int)select((vec_bits)(bits > top), (vec)bits, (vec)top);
        }
        for (size_t i = 0; i < LANES; i++) {
            const int of_sum = 31 - ROW_BITS - exponent_above(bits_of(sum[i] * 1.001F));
            const int of_top = 15 - exponent_above(bits_of(((vec)top)[i] * 1.001F));
            const int least = of_sum < of_top ? of_sum : of_top;
            const int e = least < LEAST_EXPONENT    ? LEAST_EXPONENT
                          : least > -LEAST_EXPONENT ? -LEAST_EXPONENT
                                                    : least;
            group->factor[c + i] = two_to(e);
            scale[c + i] = exponent_above(top[i]) < NOT_FINITE ? two_to(-e) : sum[i];
        }
    }
}

static void round_group(int32_t *pairs, const int16_group *group, size_t rows, size_t width)
{
    for (size_t p = 0; p < rows; p += 2)
        for (size_t c = 0; c < width; c += LANES, pairs += LANES) {
            const vec factor = load(group->factor + c);
            const vec_int even = rounded(load(group->b + p * PANEL + c) * factor);
            const vec_int odd = rounded(load(group->b + (p + 1) * PANEL + c) * factor);
            *(vec_int_unaligned *)pairs = (even & 0xffff) | (vec_int)((vec_bits)odd << 16);
        }
}

static void fetch_group(int16_group *group, const float *b, size_t rows, size_t columns,
                        size_t b_row, size_t b_col)
{
    memset(group->b, 0, sizeof group->b);
    for (size_t p = 0; p < rows; p++)
        for (size_t c = 0; c < columns; c++)
            group->b[p * PANEL + c] = b[p * b_row + c * b_col];
}

static void int16_pack_part(kern_real *packed, const kern_real *b, const kern_part *part,
                            size_t b_row, size_t b_col)
{
    const size_t k = part->k, groups = groups_of(k);
    if (is_narrow(k, part->n)) {
        pack_part(packed, b, part, b_row, b_col);
        return;
    }
    packed += part->first * (groups + (k + 1) / 2);
    for (size_t j = 0; j < part->columns; j += PANEL) {
        const size_t left = part->n - part->first - j, width = panel_width(left);
        int32_t *const pairs = (int32_t *)(void *)(packed + groups * width);
        for (size_t i = 0; i < groups; i++) {
            const size_t p = i * GROUP, rows = smaller(GROUP, k - p);
            int16_group group;
            fetch_group(&group, b + p * b_row + j * b_col, rows, smaller(width, left), b_row,
                        b_col);
            choose_factors(&group, packed + i * width, rows, width);
            round_group(pairs + p / 2 * width, &group, rows, width);
        }
        packed += width * (groups + (k + 1) / 2);
    }
}

static void int16_pack(kern_real *packed, const kern_real *b, size_t k, size_t n, size_t b_row,
                       size_t b_col)
{
    int16_pack_part(packed, b, &(kern_part){ k, n, 0, n }, b_row, b_col);
}

/* Tiles ------------------------------------------------------------------------------ */

/* One group. Rows of y and start are full panels; those of a are INT16_K apart. */
typedef struct int16_tile {
    float *y;
    const float *start;
    const int16_t *a;
    const int32_t *b;
    const float *a_scale, *b_scale; /* of the rows, of the columns */
    size_t y_row, start_row, pairs;
} int16_tile;

typedef struct int16_rows {
    int16_t a[INT16_ROWS * INT16_K];
    float scale[(INT16_K / GROUP) * INT16_ROWS];
} int16_rows;

/* y [rows, vecs * LANES]. As in gemm_impl.h, the loops over constants unroll. */
INLINE void int16_sums(const int16_tile *t, const size_t rows, const size_t vecs)
{
    const size_t y_row = t->y_row, start_row = t->start_row, pairs = t->pairs;
    const float *const start = t->start, *const a_scale = t->a_scale;
    float *const y = t->y;
    const int16_t *a = t->a;
    const int32_t *b = t->b;
    vec_int sum[2 * ROWS] = { 0 }, b_p[2];
    vec b_scale[2];
#    pragma GCC unroll 2
    for (size_t p = 0; p < pairs; p++, a += 2, b += vecs * LANES) {
#    pragma GCC unroll 2
        for (size_t c = 0; c < vecs; c++)
            b_p[c] = load_int(b + c * LANES);
#    pragma GCC unroll 16
        for (size_t r = 0; r < rows; r++) {
            int32_t pair;
            memcpy(&pair, a + r * INT16_K, sizeof pair);
#    pragma GCC unroll 2
            for (size_t c = 0; c < vecs; c++)
                sum[r * vecs + c] += pair_products(splat_int(pair), b_p[c]);
        }
    }
#    pragma GCC unroll 2
    for (size_t c = 0; c < vecs; c++)
        b_scale[c] = load(t->b_scale + c * LANES);
#    pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++)
#    pragma GCC unroll 2
        for (size_t c = 0; c < vecs; c++)
            store(y + r * y_row + c * LANES, load(start + r * start_row + c * LANES) +
                                                 __builtin_convertvector(sum[r * vecs + c], vec) *
                                                     (splat(a_scale[r]) * b_scale[c]));
}

#    define INT16_TILE(name, rows, vecs)      \
        static void name(const int16_tile *t) \
        {                                     \
            int16_sums(t, (rows), (vecs));    \
        }
INT16_TILE(int16_full, ROWS, 2)
INT16_TILE(int16_4, 4, 2)
INT16_TILE(int16_2, 2, 2)
INT16_TILE(int16_1, 1, 2)
INT16_TILE(half_int16_full, ROWS, 1)
INT16_TILE(half_int16_4, 4, 1)
INT16_TILE(half_int16_2, 2, 1)
INT16_TILE(half_int16_1, 1, 1)

typedef struct int16_kind {
    size_t rows;
    void (*run)(const int16_tile *t);
} int16_kind;

static const int16_kind int16_tiles[] = {
    { ROWS, int16_full }, { 4, int16_4 }, { 2, int16_2 }, { 1, int16_1 }
};
static const int16_kind half_int16_tiles[] = {
    { ROWS, half_int16_full }, { 4, half_int16_4 }, { 2, half_int16_2 }, { 1, half_int16_1 }
};

/* A tile of n columns, fewer than its width: through a buffer of the full width. */
static void int16_edge_tile(const int16_tile *t, const int16_kind *kind, size_t n)
{
    float start[ROWS * PANEL] = { 0 }, y[ROWS * PANEL];
    const size_t width = panel_width(n);
    int16_tile u = *t;
    u.y = y;
    u.start = start;
    u.y_row = u.start_row = width;
    for (size_t r = 0; r < kind->rows; r++)
        copy_columns(start + r * width, t->start + r * t->start_row, n);
    kind->run(&u);
    for (size_t r = 0; r < kind->rows; r++)
        copy_columns(t->y + r * t->y_row, y + r * width, n);
}

/* Blocks ----------------------------------------------------------------------------- */

/* Rows i .. i + m of y, and the part from .. to of the sums. Numbers of a row of a are counted
 * through all pieces of b, as rows of b are. `base`: of its first group. */
typedef struct int16_block {
    size_t i, m, base, from, to;
} int16_block;

/* Numbers of a row that lie in one group, in runs: `first` from x on, then k at a time, `jump`
 * behind the one before. */
typedef struct int16_runs {
    size_t count, first, k;
    ptrdiff_t jump;
} int16_runs;

static size_t next_run(const int16_runs *runs, size_t done)
{
    return smaller(done ? runs->k : runs->first, runs->count - done);
}

/* Round them, and return their power of two. */
static float round_runs(int16_t *y, const float *x, const int16_runs *runs)
{
    const float *from = x;
    int32_t top = 0;
    for (size_t done = 0, n; done < runs->count; done += n, from += (ptrdiff_t)n + runs->jump) {
        n = next_run(runs, done);
        top = largest(from, n, top);
    }
    const int above = exponent_above(top), e = above < LEAST_EXPONENT ? LEAST_EXPONENT : above;
    if (above >= NOT_FINITE) {
        memset(y, 0, runs->count * sizeof *y);
        return __builtin_nanf("");
    }
    for (size_t done = 0, n; done < runs->count; done += n, x += (ptrdiff_t)n + runs->jump) {
        n = next_run(runs, done);
        round_row(y + done, x, n, two_to(ROW_BITS - e));
    }
    return two_to(e - ROW_BITS);
}

/* The part of a block that group s of it holds. */
static int16_block part_in_group(const int16_block *block, size_t s)
{
    int16_block part = *block;
    part.base = block->base + s * GROUP;
    part.from = block->from > part.base ? block->from : part.base;
    part.to = smaller(block->to, part.base + GROUP);
    return part;
}

static size_t group_count(const int16_block *block)
{
    return groups_of(block->to - block->base);
}

/* Group s of each row of a block; zeros where its ends leave a pair half empty. */
static void round_part(int16_rows *rows, const kern_gemm_args *g, const int16_block *block,
                       size_t s)
{
    const int16_block part = part_in_group(block, s);
    const size_t piece = part.from / g->k - g->first, at = part.from % g->k;
    const int16_runs runs = { .count = part.to - part.from,
                              .first = g->k - at,
                              .k = g->k,
                              .jump = g->a_piece - (ptrdiff_t)g->k };
    const float *x = g->a + block->i * g->a_row + (ptrdiff_t)piece * g->a_piece + at;
    int16_t *y = rows->a + (part.from - block->base);
    for (size_t r = 0; r < block->m; r++, x += g->a_row, y += INT16_K) {
        rows->scale[s * INT16_ROWS + r] = round_runs(y, x, &runs);
        if (part.from % 2)
            y[-1] = 0;
        if (part.to % 2)
            y[runs.count] = 0;
    }
}

static void round_rows(int16_rows *rows, const kern_gemm_args *g, const int16_block *block)
{
    for (size_t s = 0; s < group_count(block); s++)
        round_part(rows, g, block, s);
}

static size_t int16_depth(const kern_gemm_args *g)
{
    return g->k * at_least_one(g->b_pieces);
}

/* The tile of row i + r and column j on, for group s of the block. */
static int16_tile int16_tile_at(const kern_gemm_args *g, const int16_block *block,
                                const int16_rows *rows, size_t r, size_t j, size_t s)
{
    const int16_block part = part_in_group(block, s);
    const size_t depth = int16_depth(g), width = panel_width(g->n - j), p = part.from / 2;
    const float *panel = g->packed + j * (groups_of(depth) + (depth + 1) / 2);
    int16_tile t = { .y = g->y + (block->i + r) * g->y_row + j,
                     .start = zeros,
                     .a = rows->a + r * INT16_K + (2 * p - block->base),
                     .b = (const int32_t *)(const void *)(panel + groups_of(depth) * width) +
                          p * width,
                     .a_scale = rows->scale + s * INT16_ROWS + r,
                     .b_scale = panel + part.base / GROUP * width,
                     .y_row = g->y_row,
                     .pairs = (part.to + 1) / 2 - p };
    if (g->accumulate || part.from > g->first * g->k) {
        t.start = t.y;
        t.start_row = t.y_row;
    } else if (g->bias) {
        t.start = g->bias + j;
    }
    return t;
}

static void int16_column(const kern_gemm_args *g, const int16_block *block, const int16_rows *rows,
                         size_t j)
{
    const size_t n = g->n - j, width = panel_width(n);
    const int16_kind *kind = width == PANEL ? int16_tiles : half_int16_tiles;
    for (size_t r = 0; r < block->m; r += kind->rows) {
        while (block->m - r < kind->rows)
            kind++;
        for (size_t s = 0; s < group_count(block); s++) {
            const int16_tile t = int16_tile_at(g, block, rows, r, j, s);
            if (n >= width)
                kind->run(&t);
            else
                int16_edge_tile(&t, kind, n);
        }
    }
}

static void int16_gemm(const kern_gemm_args *g)
{
    int16_rows rows;
    const size_t first = g->first * g->k, behind = first + at_least_one(g->pieces) * g->k;
    if (is_narrow(int16_depth(g), g->n)) {
        gemm(g);
        return;
    }
    for (size_t i = 0; i < g->m; i += INT16_ROWS)
        for (size_t p = first - first % GROUP; p < behind; p += INT16_K) {
            const int16_block block = { .i = i,
                                        .m = smaller(INT16_ROWS, g->m - i),
                                        .base = p,
                                        .from = p > first ? p : first,
                                        .to = smaller(behind, p + INT16_K) };
            round_rows(&rows, g, &block);
            for (size_t j = 0; j < g->n; j += PANEL)
                int16_column(g, &block, &rows, j);
        }
}
#endif
