/* math_f32_impl.h - exp, tanh, sigmoid, gelu and its derivative for vectors of float.
 *
 * Free of branches; relative error below 3e-7, of gelu's far tail below 4e-7. The coefficients are
 * weighted least-squares fits on Chebyshev points, reweighted until the relative error was level
 * (Lawson's algorithm). */

#define MAGIC 12582912.0f /* 1.5 * 2^23: adding it rounds to an integer, kept in the low bits */

INLINE vec absolute(vec x)
{
    return (vec)((vec_bits)x & 0x7fffffffu);
}

/* 2^n; the magic sum holds n in its low bits, -126 <= n <= 127 */
INLINE vec power_of_two(vec_bits n)
{
    return (vec)((n + 127u) << 23);
}

/* x + low = n ln 2 + r with |r| <= 0.47: returns expm1(r); |low| < 0.12 */
INLINE vec expm1_reduced(vec x, vec low, vec_bits *n)
{
    const vec sum = x * 1.44269504f + MAGIC, whole = sum - MAGIC;
    *n = (vec_bits)sum - (vec_bits)splat(MAGIC);
    const vec r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f + low;
    vec c = splat(0.00146376062f);
    c = c * r + 0.00837510589f;
    c = c * r + 0.0416552772f;
    c = c * r + 0.166664437f;
    c = c * r + 0.500000338f;
    return c * (r * r) + r;
}

/* exp(x + low). 2^n in two factors, for results that are denormal or beyond the range. */
INLINE vec exp_of_sum(vec x, vec low)
{
    vec_bits n;
    const vec y = expm1_reduced(at_least(at_most(x, 89), -104), low, &n) + 1;
    const vec_bits half = ((n + 256u) >> 1) - 128u;
    return y * power_of_two(half) * power_of_two(n - half);
}

INLINE vec vec_exp(vec x)
{
    return exp_of_sum(x, splat(0));
}

/* exp(x + low) for x <= 0: only the denormal side needs care. */
INLINE vec exp_of_negative_sum(vec x, vec low)
{
    vec_bits n;
    const vec y = expm1_reduced(at_least(x, -104), low, &n) + 1;
    return y * power_of_two(n + 24u) * 0x1p-24f;
}

/* exp(x) for x <= 0; 0 where that is below the normal numbers, as good for weights. */
INLINE vec vec_weight(vec x)
{
    vec_bits n;
    const vec y = expm1_reduced(x, splat(0), &n) + 1;
    return (vec)((vec_bits)(y * power_of_two(n)) & ~(vec_bits)(x < -87.0f));
}

/* With z = exp(-|x|): 1 / (1 + z), or z / (1 + z) for x < 0. */
INLINE vec vec_sigmoid(vec x)
{
    const vec z = exp_of_negative_sum(-absolute(x), splat(0));
    return select((vec_bits)(x < 0), z, splat(1)) / (z + 1);
}

/* With e = expm1(2 |x|): e / (e + 2), and the sign of x. */
INLINE vec vec_tanh(vec x)
{
    vec_bits n;
    const vec twice = at_most(absolute(x), 10) * 2;
    const vec reduced = expm1_reduced(twice, splat(0), &n), scale = power_of_two(n);
    const vec e = reduced * scale + (scale - 1);
    return (vec)((vec_bits)(e / (e + 2)) | ((vec_bits)x & 0x80000000u));
}

/* exp(-x^2 / 2). x^2 exactly: the square of the upper half of its bits, and the rest. */
INLINE vec gauss(vec x)
{
    const vec upper = (vec)((vec_bits)x & 0xfffff000u);
    return exp_of_negative_sum(upper * upper * -0.5f, (x - upper) * (x + upper) * -0.5f);
}

/* Phi(-x) exp(x^2 / 2) for 0 <= x <= 15: s times a polynomial in t = s - 0.75, where
 * s = 1 / (1 + 0.4 x). t is written so that the rounding of s matters less. */
INLINE vec scaled_tail(vec x)
{
    const vec s = 1.0f / (x * 0.4f + 1.0f), t = (0.25f - x * 0.3f) * s;
    vec c = splat(0.0322978074f);
    c = c * t + 0.0407596174f;
    c = c * t - 0.0261928234f;
    c = c * t - 0.0101631518f;
    c = c * t + 0.0593920663f;
    c = c * t - 0.0425988191f;
    c = c * t - 0.107301913f;
    c = c * t + 0.155807975f;
    c = c * t + 0.441154959f;
    c = c * t + 0.381761598f;
    return c * s;
}

/* Phi(x) for |x| < CENTRE, where the tail's rounding would show */
#define CENTRE 0.75f

INLINE vec central_cdf(vec x)
{
    const vec square = x * x;
    vec c = splat(1.01408146e-4f);
    c = c * square - 0.00117932298f;
    c = c * square + 0.00997150757f;
    c = c * square - 0.0664901601f;
    c = c * square + 0.398942273f;
    return c * x + 0.5f;
}

/* x Phi(x); beyond -15 it is 0. */
INLINE vec vec_gelu(vec x)
{
    const vec size = at_most(absolute(x), 15), tail = gauss(size) * scaled_tail(size);
    const vec outer = select((vec_bits)(x > 0), 1 - tail, tail);
    return at_least(x, -15) * select((vec_bits)(size < CENTRE), central_cdf(x), outer);
}

/* Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi) */
INLINE vec vec_gelu_grad(vec x)
{
    const vec size = at_most(absolute(x), 15), slope = size * 0.398942280f, bell = gauss(size);
    const vec tail = bell * (scaled_tail(size) - slope);
    const vec centre = central_cdf(-size) - bell * slope;
    const vec lower = select((vec_bits)(size < CENTRE), centre, tail);
    return select((vec_bits)(x > 0), 1 - lower, lower);
}

#undef CENTRE
#undef MAGIC
