/* oscillator_impl.h - harmonics of a phase: sines of all its multiples, without a sine for each.
 *
 * With r the phase in turns, s(k) = sin(2 pi k r) obeys
 *     d(k+1) = d(k) - u s(k),  s(k+1) = s(k) + d(k+1),  u = 4 sin^2(pi r)
 * (Reinsch's form of the recurrence of Goertzel and Clenshaw: Stoer and Bulirsch, Introduction to
 * Numerical Analysis, 1.3), and so do cosines. Its error grows with k only where r lies near a half
 * turn; so such r are reflected to 1/2 - r, which changes the sign of even sines and odd cosines
 * alone. */

#ifdef RV_DOUBLE
#    define ROUNDER 6755399441055744.0 /* 1.5 * 2^52: adding it rounds to an integer */
#else
#    define ROUNDER 12582912.0f /* 1.5 * 2^23 */
#endif

/* sin(2 pi r), |r| <= 1/4. Float: a fit of the relative error, below 6e-9 before rounding. Double:
 * the Taylor series, whose next term is below 1e-18. */
INLINE vec sine_of_quarter(vec r)
{
    const vec z = r * r;
#ifdef RV_DOUBLE
    static const kern_real coefficients[] = {
        0.0011309237482517954, -0.012031585942120619, 0.10422916220813978, -0.71812230177850012,
        3.8199525848482803,    -15.094642576822984,   42.058693944897634,  -76.705859753061361,
        81.605249276075043,    -41.341702240399755,   6.2831853071795862
    };
#else
    static const kern_real coefficients[] = { 39.7110748f, -76.5750122f, 81.6022339f, -41.3416786f,
                                              6.28318548f };
#endif
    vec sum = splat(coefficients[0]);
#pragma GCC unroll 12
    for (size_t i = 1; i < sizeof coefficients / sizeof *coefficients; i++)
        sum = sum * z + coefficients[i];
    return sum * r;
}

/* LANES phases: the recurrence's state at k = 1, and the sign of what reflection changes. */
typedef struct oscillator {
    vec u, value, step, sign;
} oscillator;

INLINE oscillator oscillator_start(vec phase, bool cosine)
{
    const vec r = phase - ((phase + ROUNDER) - ROUNDER);
    const vec_bits sign_bit = (vec_bits)splat((kern_real)-0.0), sign = (vec_bits)r & sign_bit;
    const vec size = (vec)((vec_bits)r & ~sign_bit);
    const vec_bits far = (vec_bits)(size > (kern_real)0.25);
    const vec near = (vec)((vec_bits)select(far, (kern_real)0.5 - size, size) | sign);
    const vec half = sine_of_quarter(near * (kern_real)0.5), u = half * half * 4;
    oscillator o = { .u = u, .sign = select(far, splat(-1), splat(1)) };
    o.value = cosine ? 1 - u * (kern_real)0.5 : sine_of_quarter(near);
    o.step = cosine ? u * (kern_real)-0.5 : o.value;
    return o;
}

INLINE void oscillator_next(oscillator *o)
{
    o->step -= o->u * o->value;
    o->value += o->step;
}

/* BESIDE vectors of phases at a time hide each other's latency. */
enum { BESIDE = 2 };

/* Sums over odd k and over even k are kept apart: reflection changes the sign of one of them. */
typedef struct harmonic_pair {
    vec odd[2], even[2];
} harmonic_pair;

INLINE void add_harmonic(vec sums[2], vec value, const kern_real *first, const kern_real *second,
                         size_t k)
{
    sums[0] += value * first[k];
    sums[1] += value * second[k];
}

INLINE void harmonics_of(harmonic_pair p[BESIDE], oscillator o[BESIDE], const kern_real *first,
                         const kern_real *second, size_t count)
{
    for (size_t k = 0; k + 1 < count; k += 2)
#pragma GCC unroll 2
        for (size_t b = 0; b < BESIDE; b++) {
            add_harmonic(p[b].odd, o[b].value, first, second, k);
            oscillator_next(&o[b]);
            add_harmonic(p[b].even, o[b].value, first, second, k + 1);
            oscillator_next(&o[b]);
        }
    if (count & 1)
        for (size_t b = 0; b < BESIDE; b++)
            add_harmonic(p[b].odd, o[b].value, first, second, count - 1);
}

static void harmonics(kern_real *y, kern_real *next, const kern_real *phase, size_t n,
                      const kern_real *first, const kern_real *second, size_t count, bool cosine)
{
    for (size_t i = 0; i < n; i += BESIDE * LANES) {
        harmonic_pair p[BESIDE] = { 0 };
        oscillator o[BESIDE];
        for (size_t b = 0; b < BESIDE; b++) {
            const size_t at = i + b * LANES;
            o[b] = oscillator_start(at < n ? load_some(phase + at, n - at) : splat(0), cosine);
        }
        harmonics_of(p, o, first, second, count);
        for (size_t b = 0; b < BESIDE && i + b * LANES < n; b++) {
            const size_t at = i + b * LANES;
            const vec odd_sign = cosine ? o[b].sign : splat(1),
                      even_sign = cosine ? splat(1) : o[b].sign;
            store_some(y + at, p[b].odd[0] * odd_sign + p[b].even[0] * even_sign, n - at);
            store_some(next + at, p[b].odd[1] * odd_sign + p[b].even[1] * even_sign, n - at);
        }
    }
}

/* lanes [count, LANES] += weight * sines */
static void add_weighted_sines(kern_real *lanes, const kern_real *phase, const kern_real *weight,
                               size_t n, size_t count)
{
    for (size_t i = 0; i < n; i += LANES) {
        oscillator o = oscillator_start(load_some(phase + i, n - i), false);
        const vec odd = load_some(weight + i, n - i), even = odd * o.sign;
        for (size_t k = 0; k < count; k++) {
            kern_real *sum = lanes + k * LANES;
            store(sum, load(sum) + o.value * (k & 1 ? even : odd));
            oscillator_next(&o);
        }
    }
}

/* scratch: count LANES reals. A block of phases at a time, so that sums stay short. */
static void harmonic_weights(double *sums, const kern_real *phase, const kern_real *weight,
                             size_t n, size_t count, kern_real *scratch)
{
    enum { STEP = 64 * LANES };
    for (size_t i = 0; i < n; i += STEP) {
        memset(scratch, 0, count * LANES * sizeof *scratch);
        add_weighted_sines(scratch, phase + i, weight + i, n - i < STEP ? n - i : STEP, count);
        for (size_t k = 0; k < count; k++)
            for (size_t lane = 0; lane < LANES; lane++)
                sums[k] += (double)scratch[k * LANES + lane];
    }
}
