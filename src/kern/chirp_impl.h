/* chirp_impl.h - oscillators whose frequencies change linearly:
 *
 *     turns(t) = phase + t step + t (t - 1) / 2 bend
 *
 * Float: turns are kept as integers of 32 bits, in which whole turns drop out by overflow and sums
 * are exact. A vector holds LANES samples side by side, and two additions lead to the next LANES.
 * The rounding of step and bend to 2^-32 turns adds up; so after CHIRP samples turns are computed
 * anew, in double, and it stays below 1e-7.
 *
 * sin(2 pi r) = r (1/4 - r^2) P(r^2), |r| <= 1/2: a fit of the absolute error, below 2e-9 before
 * rounding and 3e-7 with it. */

enum { CHIRP = 64, CHIRP_VECTORS = CHIRP / LANES };

#ifdef RV_DOUBLE
typedef vec turns;
typedef double turn;

INLINE turn turn_of(double x)
{
    return x;
}

INLINE vec sine_of_turns(turns x)
{
    const vec r = x - ((x + ROUNDER) - ROUNDER), size = (vec)((vec_bits)r & ~(vec_bits)splat(-0.0));
    const vec near = select((vec_bits)(size > 0.25), 0.5 - size, size);
    return sine_of_quarter((vec)((vec_bits)near | ((vec_bits)r & (vec_bits)splat(-0.0))));
}

INLINE vec cosine_of_turns(turns x)
{
    return sine_of_turns(x + 0.25);
}
#else
typedef vec_bits turns;
typedef kern_bits turn;
typedef int32_t vec_signed __attribute__((vector_size(KERN_BYTES)));

/* |x| < 2^18; in a sum with 1.5 * 2^52, the lower bits are x as an integer. */
INLINE turn turn_of(double x)
{
    const double sum = x * 4294967296.0 + 6755399441055744.0;
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    return (turn)bits;
}

INLINE vec sine_of_turns(turns x)
{
    const vec r = __builtin_convertvector((vec_signed)x, vec) * 0x1p-32f, z = r * r;
    vec sum = splat(-3.19337199f);
    sum = sum * z + 14.0655041f;
    sum = sum * z - 38.4984188f;
    sum = sum * z + 67.0767587f;
    sum = sum * z - 64.8358226f;
    sum = sum * z + 25.1327411f;
    return sum * (r * (0.25f - z));
}

INLINE vec cosine_of_turns(turns x)
{
    return sine_of_turns(x + 0x40000000u);
}
#endif

typedef struct chirp {
    turns phase, step, bend; /* of LANES samples; to the next LANES */
} chirp;

INLINE chirp chirp_start(double phase, double step, double bend)
{
    turns lane = { 0 }, triangle = { 0 };
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) {
        lane[i] = (turn)i;
        triangle[i] = (turn)(i * (i - 1) / 2);
    }
    return (chirp){
        .phase = lane * turn_of(step) + triangle * turn_of(bend) + turn_of(phase),
        .step =
            lane * turn_of(LANES * bend) + turn_of(LANES * step + LANES * (LANES - 1) / 2 * bend),
        .bend = (turns){ 0 } + turn_of(LANES * LANES * bend),
    };
}

INLINE void chirp_next(chirp *c)
{
    c->phase += c->step;
    c->step += c->bend;
}

/* 0, or NaN where the frequency is no number, as integers cannot say it. */
INLINE kern_real doubt(const kern_chirp *c)
{
    return (kern_real)((c->phase + c->step + c->bend) * 0);
}

/* LANES samples from sample `at` on. Adding 1.5 * 2^52 rounds to whole turns. */
INLINE chirp chirp_at(const kern_chirp *c, size_t at)
{
    const double t = (double)at, rounder = 6755399441055744.0;
    const double phase = c->phase + t * c->step + t * (t - 1) * 0.5 * c->bend;
    const double whole = (phase + rounder) - rounder;
    return chirp_start(phase - whole, c->step + t * c->bend, c->bend);
}

INLINE void load_samples(vec to[CHIRP_VECTORS], const kern_real *x, size_t n)
{
    for (size_t v = 0; v * LANES < n; v++)
        to[v] = load_some(x + v * LANES, n - v * LANES);
}

/* Samples [at, at + n), n at most CHIRP. */
static void some_chirps(kern_real *y, const kern_chirp *c, size_t count, const kern_real *share,
                        size_t at, size_t n)
{
    const size_t vectors = (n + LANES - 1) / LANES;
    vec shares[CHIRP_VECTORS], sums[CHIRP_VECTORS] = { 0 };
    load_samples(shares, share + at, n);
    for (; count--; c++) {
        chirp o = chirp_at(c, at);
        const vec first = splat(c->first + doubt(c)), rise = splat(c->second - c->first);
        for (size_t v = 0; v < vectors; v++) {
            sums[v] += (first + rise * shares[v]) * sine_of_turns(o.phase);
            chirp_next(&o);
        }
    }
    for (size_t v = 0; v < vectors; v++)
        store_some(y + at + v * LANES, sums[v], n - v * LANES);
}

static void chirps(kern_real *y, const kern_chirp *c, size_t count, const kern_real *share,
                   size_t n)
{
    for (size_t at = 0; at < n; at += CHIRP)
        some_chirps(y, c, count, share, at, n - at < CHIRP ? n - at : CHIRP);
}

INLINE double sum_of_lanes(vec v)
{
    kern_real lanes[LANES];
    store(lanes, v);
#pragma GCC unroll 4
    for (size_t half = LANES / 2; half; half /= 2)
        for (size_t i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
    return (double)lanes[0];
}

/* What slopes need of samples [at, at + vectors LANES), whatever the oscillator. */
typedef struct chirp_samples {
    size_t at, vectors;
    vec share[CHIRP_VECTORS], weight[CHIRP_VECTORS], index[CHIRP_VECTORS];
} chirp_samples;

INLINE void add_slopes(kern_chirp_slopes *to, const kern_chirp *c, const chirp_samples *s)
{
    chirp o = chirp_at(c, s->at);
    const vec amplitude = splat(c->first + doubt(c)), rise = splat(c->second - c->first);
    vec first = { 0 }, second = { 0 }, phase = { 0 }, step = { 0 }, bend = { 0 };
    for (size_t v = 0; v < s->vectors; v++) {
        const vec sine = sine_of_turns(o.phase) * s->weight[v], next = sine * s->share[v];
        const vec slope =
            cosine_of_turns(o.phase) * s->weight[v] * (amplitude + rise * s->share[v]);
        const vec times_index = slope * s->index[v];
        first += sine - next;
        second += next;
        phase += slope;
        step += times_index;
        bend += times_index * (s->index[v] - 1);
        chirp_next(&o);
    }
    const double two_pi = 6.283185307179586, t = (double)s->at;
    const double by_phase = two_pi * sum_of_lanes(phase), by_step = two_pi * sum_of_lanes(step);
    to->first += sum_of_lanes(first);
    to->second += sum_of_lanes(second);
    to->phase += by_phase;
    to->step += t * by_phase + by_step;
    to->bend += t * (t - 1) / 2 * by_phase + t * by_step + two_pi / 2 * sum_of_lanes(bend);
}

static void chirp_slopes(kern_chirp_slopes *slopes, const kern_chirp *c, size_t count,
                         const kern_real *share, const kern_real *weight, size_t n)
{
    chirp_samples s;
    for (size_t i = 0; i < CHIRP; i++)
        s.index[i / LANES][i % LANES] = (kern_real)i;
    for (s.at = 0; s.at < n; s.at += CHIRP) {
        const size_t some = n - s.at < CHIRP ? n - s.at : CHIRP;
        s.vectors = (some + LANES - 1) / LANES;
        load_samples(s.share, share + s.at, some);
        load_samples(s.weight, weight + s.at, some);
        for (size_t k = 0; k < count; k++)
            add_slopes(&slopes[k], &c[k], &s);
    }
}
