/* gemm_impl.h - matrix product with a packed right-hand side.
 *
 * b is packed in panels of PANEL columns, each [k, PANEL]; the last is half as wide if that
 * is enough. A tile of ROWS x PANEL results stays in registers over a block of k. Blocks are
 * chosen so that one panel's block stays in the first cache level and a block of rows of a in
 * the second (K. Goto, R. van de Geijn: Anatomy of High-Performance Matrix Multiplication,
 * ACM TOMS 34(3), 2008); unlike there, a is read in place, which lets its rows overlap. Where
 * b is too large for the second level, each panel is fetched while the one before is used, and
 * each tile of results while the one above is computed.
 *
 * Every result is start + a[0] b[0] + a[1] b[1] + ... in this order: a tile starts from what
 * the block before stored. So bits depend neither on blocks nor on the place in a tile. */
enum {
    PANEL = 2 * LANES,
    ROWS = KERN_ROWS,
    BLOCK_K = 24576 / (PANEL * (int)sizeof(kern_real)), /* 24 KiB of b */
    BLOCK_M = ROWS * (96 / ROWS),
    LARGE_B = 262144 / (int)sizeof(kern_real), /* 256 KiB, half of a second level */
    CACHE_LINE = 64,
};

/* How wide the panel is that holds the last so many columns. */
static size_t panel_width(size_t columns)
{
    return columns > LANES ? PANEL : LANES;
}

/* Where a tile is. Rows of all three arrays are full panels. */
typedef struct tile_args {
    kern_real *y;
    const kern_real *a, *b, *start;
    size_t y_row, a_row, start_row;
    size_t b_panel; /* from a panel of b to the next */
    size_t k;       /* of a piece, in this block */
    size_t pieces;
    ptrdiff_t a_jump;      /* from the end of a piece to the next */
    const kern_real *next; /* the block of b after this one; NULL: nothing is fetched ahead */
} tile_args;

/* y [rows, panels * vecs * LANES]. The three counts are constants where this is inlined, so
 * that all loops but the one over k unroll and the sums are registers. */
INLINE void tile(const tile_args *t, const size_t rows, const size_t panels, const size_t vecs)
{
    const size_t columns = panels * vecs, k = t->k;
    const size_t a_row = t->a_row, y_row = t->y_row, b_panel = t->b_panel;
    kern_real *const y = t->y;
    const kern_real *a = t->a, *b = t->b;
    vec sum[2 * ROWS], b_p[8];
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t c = 0; c < columns; c++)
            sum[r * columns + c] = load(t->start + r * t->start_row + c * LANES);
    for (size_t q = 0; q < t->pieces; q++, a += t->a_jump)
        for (size_t p = 0; p < k; p++, a++, b += vecs * LANES) {
#pragma GCC unroll 8
            for (size_t c = 0; c < columns; c++)
                b_p[c] = load(b + c / vecs * b_panel + c % vecs * LANES);
#pragma GCC unroll 16
            for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
                for (size_t c = 0; c < columns; c++)
                    sum[r * columns + c] += splat(a[r * a_row]) * b_p[c];
        }
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t c = 0; c < columns; c++)
            store(y + r * y_row + c * LANES, sum[r * columns + c]);
}

#define TILE(name, rows, panels, vecs)     \
    static void name(const tile_args *t)   \
    {                                      \
        tile(t, (rows), (panels), (vecs)); \
    }
TILE(tile_full, ROWS, 1, 2)
TILE(tile_4, 4, 1, 2)
TILE(tile_2, 2, 1, 2)
TILE(tile_1, 1, 1, 2)
TILE(half_tile_full, ROWS, 1, 1)
TILE(half_tile_4, 4, 1, 1)
TILE(half_tile_2, 2, 1, 1)
TILE(half_tile_1, 1, 1, 1)
TILE(tile_1_over_4, 1, 4, 2)
TILE(tile_2_over_2, 2, 2, 2)

typedef struct tile_kind {
    size_t rows;
    void (*run)(const tile_args *t);
} tile_kind;

static const tile_kind tiles[] = {
    { ROWS, tile_full }, { 4, tile_4 }, { 2, tile_2 }, { 1, tile_1 }
};
static const tile_kind half_tiles[] = {
    { ROWS, half_tile_full }, { 4, half_tile_4 }, { 2, half_tile_2 }, { 1, half_tile_1 }
};

INLINE void copy_columns(kern_real *y, const kern_real *x, size_t n)
{
    size_t done = 0;
    for (; n - done >= LANES; done += LANES)
        store(y + done, load(x + done));
    copy_part(y + done, x + done, n - done);
}

/* A tile of n columns, fewer than its width: through a buffer of the full width. */
static void edge_tile(const tile_args *t, const tile_kind *kind, size_t n)
{
    kern_real buffer[ROWS * PANEL] = { 0 };
    const size_t width = panel_width(n), start_rows = t->start_row ? kind->rows : 1;
    tile_args u = *t;
    u.y = buffer;
    u.y_row = width;
    u.start = buffer;
    u.start_row = t->start_row ? width : 0;
    for (size_t r = 0; r < start_rows; r++)
        copy_columns(buffer + r * width, t->start + r * t->start_row, n);
    kind->run(&u);
    for (size_t r = 0; r < kind->rows; r++)
        copy_columns(t->y + r * t->y_row, buffer + r * width, n);
}

/* Fetch the tile below, where there are m rows left, and `lines` of the next block of b. */
static void fetch_ahead(tile_args *t, size_t m, size_t lines)
{
    for (size_t r = ROWS; r < 2 * ROWS && r < m; r++)
        __builtin_prefetch(t->y + r * t->y_row, 1, 3);
    for (size_t i = 0; i < lines; i++, t->next += CACHE_LINE / sizeof *t->next)
        __builtin_prefetch(t->next, 0, 2);
}

/* `m` rows of results in one panel, n columns of which are used. */
static void column(tile_args t, size_t m, size_t n)
{
    const size_t width = panel_width(n), tile_count = (m + ROWS - 1) / ROWS;
    const size_t lines = t.pieces * t.k * PANEL * sizeof(kern_real) / CACHE_LINE / tile_count + 1;
    for (const tile_kind *kind = width == PANEL ? tiles : half_tiles; m; kind++)
        for (; m >= kind->rows; m -= kind->rows) {
            if (t.next)
                fetch_ahead(&t, m, lines);
            if (n >= width)
                kind->run(&t);
            else
                edge_tile(&t, kind, n);
            t.y += kind->rows * t.y_row;
            t.a += kind->rows * t.a_row;
            t.start += kind->rows * t.start_row;
        }
}

/* Rows i .. i + m of y and a part of the sums: p .. p + k of each of the pieces from q on. */
typedef struct gemm_block {
    size_t i, m, q, pieces, p, k;
} gemm_block;

static const kern_real zeros[4 * PANEL];

static tile_args tile_at(const kern_gemm_args *g, const gemm_block *block, size_t j)
{
    const size_t i = block->i, b_k = g->k * (g->b_pieces > 1 ? g->b_pieces : 1);
    const size_t b_row = (g->first + block->q) * g->k + block->p;
    tile_args t = { .y = g->y + i * g->y_row + j,
                    .a = g->a + i * g->a_row + (ptrdiff_t)block->q * g->a_piece + block->p,
                    .b = g->packed + j * b_k + b_row * panel_width(g->n - j),
                    .start = zeros,
                    .y_row = g->y_row,
                    .a_row = g->a_row,
                    .b_panel = PANEL * b_k,
                    .k = block->k,
                    .pieces = block->pieces,
                    .a_jump = g->a_piece - (ptrdiff_t)block->k };
    if (g->accumulate || block->q > 0 || block->p > 0) {
        t.start = t.y;
        t.start_row = t.y_row;
    } else if (g->bias) {
        t.start = g->bias + j;
    }
    if (g->n * b_k > LARGE_B && block->m > BLOCK_M / 8 && g->n - j > PANEL)
        t.next = t.b + (size_t)PANEL * b_k;
    return t;
}

/* With few rows, tiles span panels: enough sums are under way to hide their latency. */
static size_t few_rows(const kern_gemm_args *g, const gemm_block *block)
{
    const size_t step = PANEL * 4 / block->m;
    size_t j = 0;
    for (; g->n - j >= step; j += step) {
        const tile_args t = tile_at(g, block, j);
        if (block->m == 1)
            tile_1_over_4(&t);
        else
            tile_2_over_2(&t);
    }
    return j;
}

static void gemm_of_block(const kern_gemm_args *g, const gemm_block *block)
{
    for (size_t j = block->m <= 2 ? few_rows(g, block) : 0; j < g->n; j += PANEL)
        column(tile_at(g, block, j), block->m, g->n - j);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t at_least_one(size_t n)
{
    return n ? n : 1;
}

/* How large equal parts of n are, as few as are not above `most`. */
static size_t part_of(size_t n, size_t most)
{
    const size_t parts = at_least_one((n + most - 1) / most);
    return at_least_one((n + parts - 1) / parts);
}

/* Blocks are parts of one piece, or several pieces if these are short. */
static void gemm(const kern_gemm_args *g)
{
    const size_t pieces = at_least_one(g->pieces), step = part_of(g->k, BLOCK_K);
    const size_t together = part_of(pieces, at_least_one(BLOCK_K / at_least_one(g->k)));
    for (size_t i = 0; i < g->m; i += BLOCK_M)
        for (size_t q = 0; q < pieces; q += together)
            for (size_t p = 0; p < at_least_one(g->k); p += step) {
                const gemm_block block = { .i = i,
                                           .m = smaller(BLOCK_M, g->m - i),
                                           .q = q,
                                           .pieces = smaller(together, pieces - q),
                                           .p = p,
                                           .k = smaller(step, g->k - p) };
                gemm_of_block(g, &block);
            }
}

static size_t packed_size(size_t k, size_t n)
{
    const size_t rest = n % PANEL;
    return k * (n - rest + (rest ? panel_width(rest) : 0));
}

_Static_assert(KERN_PACK_COLUMNS % PANEL == 0, "parts of a matrix are whole panels");

static void pack_part(kern_real *packed, const kern_real *b, const kern_part *part, size_t b_row,
                      size_t b_col)
{
    const size_t k = part->k;
    packed += part->first * k;
    for (size_t j = 0; j < part->columns; j += PANEL) {
        const size_t left = part->n - part->first - j;
        const size_t width = panel_width(left), used = smaller(width, left);
        for (size_t p = 0; p < k; p++, packed += width) {
            if (b_col == 1)
                copy_columns(packed, b + p * b_row + j, used);
            for (size_t c = 0; c < used && b_col != 1; c++)
                packed[c] = b[p * b_row + (j + c) * b_col];
            memset(packed + used, 0, (width - used) * sizeof *packed);
        }
    }
}

static void pack(kern_real *packed, const kern_real *b, size_t k, size_t n, size_t b_row,
                 size_t b_col)
{
    pack_part(packed, b, &(kern_part){ k, n, 0, n }, b_row, b_col);
}
