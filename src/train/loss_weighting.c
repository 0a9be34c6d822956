/* loss_weighting.c - A-weighting (IEC 61672-1), as a gain of bins and as a filter.
 *
 *     |H(f)| = g f4^2 f^4 / ((f^2 + f1^2) sqrt((f^2 + f2^2) (f^2 + f3^2)) (f^2 + f4^2))
 *
 * The filter has linear phase. Its amplitude A(w) = sum over n <= M of a[n] cos(n w) fits |H| in
 * the least-squares sense, where |H| is taken after the bilinear transform (f = tan(w/2) fs / pi)
 * at 512 points, w = pi k / 512, and joined by lines from each even point to the next; the
 * intervals between are left out. So does auraloss, by way of SciPy's bilinear, freqz and firls. */
#include "train/loss_spectrum.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

enum { POINTS = 512, HALF = RV_A_WEIGHTING_TAPS / 2, UNKNOWNS = HALF + 1 };

static const double corner[4] = { 20.598997, 107.65265, 737.86223, 12194.217 }; /* f1 to f4 in Hz */

/* Without the gain g that makes it 1 at 1 kHz. */
static double response(double f)
{
    const double s = f * f, c1 = corner[0] * corner[0], c2 = corner[1] * corner[1];
    const double c3 = corner[2] * corner[2], c4 = corner[3] * corner[3];
    return c4 * s * s / ((s + c1) * sqrt((s + c2) * (s + c3)) * (s + c4));
}

double rv_a_weighting_db(double frequency)
{
    const double db = 2 + 20 * log10(response(frequency));
    return db > -80 ? db : -80;
}

/* Integral of cos(n w) from 0 to w */
static double integral_cos(int n, double w)
{
    return n ? sin(n * w) / n : w;
}

/* Integral of w cos(n w) from 0 to w */
static double integral_w_cos(int n, double w)
{
    return n ? w * sin(n * w) / n + (cos(n * w) - 1) / ((double)n * n) : w * w / 2;
}

/* Normal equations: matrix[i][j] = integral of cos(i w) cos(j w) over the intervals, and
 * right[i] = integral of cos(i w) D(w), D the lines. */
typedef struct {
    double matrix[UNKNOWNS][UNKNOWNS], right[UNKNOWNS];
} equations;

static void add_interval(equations *e, double q[2 * UNKNOWNS], double w0, double d0, double w1,
                         double d1)
{
    const double slope = (d1 - d0) / (w1 - w0), offset = d0 - slope * w0;
    for (int n = 0; n < 2 * UNKNOWNS; n++)
        q[n] += integral_cos(n, w1) - integral_cos(n, w0);
    for (int n = 0; n < UNKNOWNS; n++)
        e->right[n] += offset * (integral_cos(n, w1) - integral_cos(n, w0)) +
                       slope * (integral_w_cos(n, w1) - integral_w_cos(n, w0));
}

/* |H| at point k of 0 to POINTS */
static double desired(int k, double sample_rate)
{
    const double f = tan(M_PI * k / POINTS / 2) * sample_rate / M_PI;
    return pow(10, 1.9997 / 20) * response(f);
}

static void make_equations(equations *e, double sample_rate)
{
    double q[2 * UNKNOWNS] = { 0 };
    memset(e, 0, sizeof *e);
    for (int k = 0; k < POINTS; k += 2)
        add_interval(e, q, M_PI * k / POINTS, desired(k, sample_rate), M_PI * (k + 1) / POINTS,
                     desired(k + 1, sample_rate));
    for (int i = 0; i < UNKNOWNS; i++)
        for (int j = 0; j < UNKNOWNS; j++)
            e->matrix[i][j] = (q[i > j ? i - j : j - i] + q[i + j]) / 2;
}

/* Gaussian elimination; the matrix is positive definite, so no pivots are sought. */
static void solve(equations *e)
{
    for (int k = 0; k < UNKNOWNS; k++)
        for (int i = k + 1; i < UNKNOWNS; i++) {
            const double f = e->matrix[i][k] / e->matrix[k][k];
            for (int j = k; j < UNKNOWNS; j++)
                e->matrix[i][j] -= f * e->matrix[k][j];
            e->right[i] -= f * e->right[k];
        }
    for (int i = UNKNOWNS - 1; i >= 0; i--) {
        for (int j = i + 1; j < UNKNOWNS; j++)
            e->right[i] -= e->matrix[i][j] * e->right[j];
        e->right[i] /= e->matrix[i][i];
    }
}

void rv_a_weighting_taps(double taps[RV_A_WEIGHTING_TAPS], double sample_rate)
{
    equations e;
    make_equations(&e, sample_rate);
    solve(&e);
    taps[HALF] = e.right[0];
    for (int n = 1; n <= HALF; n++)
        taps[HALF - n] = taps[HALF + n] = e.right[n] / 2;
}

rv_node *rv_loss_a_weighting(rv_node *x, double sample_rate)
{
    double taps[RV_A_WEIGHTING_TAPS];
    const size_t rows = rv_extent(x, 0), time = rv_extent(x, 1);
    if (!(sample_rate > 0) || !isfinite(sample_rate))
        return rv_poison(x->graph, RV_ERR_ARG, __func__, "A-weighting at %g Hz", sample_rate);
    rv_a_weighting_taps(taps, sample_rate);
    rv_node *w = rv_constant(x->graph, RV_SHAPE(1, 1, RV_A_WEIGHTING_TAPS));
    for (size_t i = 0; w->constant && i < RV_A_WEIGHTING_TAPS; i++)
        w->constant[i] = (real)taps[i];
    rv_node *y = rv_conv_time(rv_reshape(x, RV_SHAPE(rows, time, 1)), w, NULL,
                              (rv_conv_axis){ .before = HALF, .after = HALF });
    return rv_reshape(y, RV_SHAPE(rows, time));
}
