/* norm_impl.h - what normalisation needs: softmax, sums in double, scale and shift. */

typedef double wide __attribute__((vector_size(KERN_BYTES)));
typedef kern_real narrow __attribute__((vector_size(WIDE * sizeof(kern_real))));

INLINE vec larger(vec a, vec b)
{
    return select((vec_bits)(b > a), b, a);
}

static kern_real row_max(const kern_real *x, size_t n)
{
    vec max[4] = { splat(x[0]), splat(x[0]), splat(x[0]), splat(x[0]) };
    size_t j = 0;
    for (; n - j >= 4 * LANES; j += 4 * LANES)
#pragma GCC unroll 4
        for (size_t c = 0; c < 4; c++)
            max[c] = larger(max[c], load(x + j + c * LANES));
    for (; j < n; j += LANES)
        max[0] = larger(max[0], n - j >= LANES ? load(x + j) : load_part(x + j, n - j, x[0]));
    max[0] = larger(larger(max[0], max[1]), larger(max[2], max[3]));
    for (size_t i = 1; i < LANES; i++)
        max[0][0] = max[0][i] > max[0][0] ? max[0][i] : max[0][0];
    return max[0][0];
}

/* y = exp(x - max); the sum of it. Lanes past the end add nothing. */
static kern_real row_exp(kern_real *y, const kern_real *x, size_t n, kern_real max)
{
    vec sum = splat(0);
    size_t j = 0;
    for (; n - j >= LANES; j += LANES) {
        const vec e = vec_weight(load(x + j) - max);
        store(y + j, e);
        sum += e;
    }
    if (j < n) {
        store_part(y + j, vec_weight(load_part(x + j, n - j, max) - max), n - j);
        sum += load_part(y + j, n - j, 0);
    }
    for (size_t i = 1; i < LANES; i++)
        sum[0] += sum[i];
    return sum[0];
}

static void softmax(kern_real *y, const kern_real *x, size_t m, size_t n)
{
    for (size_t i = 0; i < m && n; i++, x += n, y += n) {
        const kern_real sum = row_exp(y, x, n, row_max(x, n));
        for (size_t j = 0; j < n; j += LANES)
            store_some(y + j, load_some(y + j, n - j) / sum, n - j);
    }
}

/* M. Milakov, N. Gimelshein: Online normalizer calculation for softmax, arXiv:1805.02867. */
static void softmax_part(kern_real *x, size_t m, size_t n, kern_real *max, kern_real *sum,
                         kern_real *factor)
{
    for (size_t i = 0; i < m && n; i++, x += n) {
        const kern_real here = row_max(x, n), largest = here > max[i] ? here : max[i];
        factor[i] = vec_weight(splat(max[i] - largest))[0];
        sum[i] = sum[i] * factor[i] + row_exp(x, x, n, largest);
        max[i] = largest;
    }
}

INLINE wide load_wide(const kern_real *x)
{
    narrow v;
    memcpy(&v, x, sizeof v);
    return __builtin_convertvector(v, wide);
}

/* Four vectors of sums are under way; they are added in a fixed order at the end. */
static void moments(const kern_real *x, size_t n, double shift, double *sum, double *squares)
{
    wide s[4] = { 0 }, q[4] = { 0 };
    size_t i = 0;
    for (; n - i >= 4 * WIDE; i += 4 * WIDE)
#pragma GCC unroll 4
        for (size_t c = 0; c < 4; c++) {
            const wide v = load_wide(x + i + c * WIDE), d = v - shift;
            s[c] += v;
            q[c] += d * d;
        }
    wide s_all = (s[0] + s[1]) + (s[2] + s[3]), q_all = (q[0] + q[1]) + (q[2] + q[3]);
    for (; i < n; i++) {
        const double d = (double)x[i] - shift;
        s_all[0] += (double)x[i];
        q_all[0] += d * d;
    }
    for (size_t lane = 0; lane < WIDE; lane++) {
        *sum += s_all[lane];
        *squares += q_all[lane];
    }
}

static void affine(kern_real *y, const kern_real *x, const kern_real *gain, const kern_real *bias,
                   size_t m, size_t n)
{
    for (size_t i = 0; i < m; i++, x += n, y += n)
        for (size_t j = 0; j < n; j += LANES) {
            const size_t left = n - j;
            const vec v = load_some(x + j, left) * load_some(gain + j, left);
            store_some(y + j, v + load_some(bias + j, left), left);
        }
}
