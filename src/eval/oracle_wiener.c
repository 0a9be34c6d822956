/* oracle_wiener.c - multichannel Wiener filter with ideal parameters (Duong, Vincent & Gribonval
 * 2010; Liutkus & Stoter 2017, sigsep-mus-oracle's MWF), for two channels.
 *
 * With y_j[t,f] the spectra of source j on both channels, for each frequency:
 *
 *     R_j = mean over t of y_j y_j^H / (eps + |y_j|^2 / 2), made to have the trace 2, + eps I
 *     P_j = tr(R_j^-1 y_j y_j^H) / 2
 *     estimate_j = P_j R_j (sum_i P_i R_i)^-1 x
 *
 * eps is added to determinants, too. sigsep-mus-oracle divides by a "trace" over the axes of
 * frequency and channel, so that its figures differ a little. Where channels are coherent (a mono
 * source on both) a determinant is rounding noise; there the mean power of the channels stands for
 * P_j, and the ratio of powers for the filter. One channel: the ratio of powers. */
#include "base/status.h"
#include "eval/oracle_filter.h"
#include "eval/oracle_spectra.h"

#include <complex.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

/* [[a, b], [conj b, d]] */
typedef struct covariance {
    double a, d;
    double complex b;
} covariance;

typedef struct wiener {
    const rv_oracle_input *in;
    rv_oracle_spectra spectra; /* rows: 2 of the mixture, then 2 of each source */
    covariance *spatial;       /* [n_sources][RV_ORACLE_BINS] R_j */
    double *power;             /* [n_sources] P_j of a bin */
} wiener;

static double complex bin_of(const wiener *w, size_t row, size_t k)
{
    const double *x = rv_oracle_row(&w->spectra, row) + 2 * k;
    return CMPLX(x[0], x[1]);
}

static double square(double complex z)
{
    return creal(z) * creal(z) + cimag(z) * cimag(z);
}

static double determinant(const covariance *c)
{
    return c->a * c->d - square(c->b);
}

static bool coherent(const covariance *c)
{
    return determinant(c) <= 1e-9 * c->a * c->d;
}

static void analyse_sources(const wiener *w, size_t frame)
{
    for (size_t p = 0; p < 2 * w->in->n_sources; p++)
        rv_oracle_analyse(&w->spectra, rv_oracle_row(&w->spectra, p + 2), w->in->sources[p],
                          w->in->frames, frame);
}

static rv_status check_stop(const wiener *w, size_t frame, rv_error *err)
{
    if (frame % 128 == 0 && w->in->stop && w->in->stop(w->in->stop_ctx))
        return RV_FAIL(err, RV_ERR_CANCELLED, "stopped");
    return RV_OK;
}

/* R_j ------------------------------------------------------------------------------------- */

static void add_frame(const wiener *w, size_t source)
{
    covariance *c = w->spatial + source * RV_ORACLE_BINS;
    for (size_t k = 0; k < RV_ORACLE_BINS; k++) {
        const double complex y1 = bin_of(w, 2 + 2 * source, k), y2 = bin_of(w, 3 + 2 * source, k);
        const double weight = 1 / (DBL_EPSILON + (square(y1) + square(y2)) / 2);
        c[k].a += square(y1) * weight;
        c[k].d += square(y2) * weight;
        c[k].b += y1 * conj(y2) * weight;
    }
}

static void normalise(covariance *c)
{
    const double trace = c->a + c->d, gain = trace > 0 ? 2 / trace : 0;
    *c = (covariance){ c->a * gain + DBL_EPSILON, c->d * gain + DBL_EPSILON, c->b * gain };
}

static rv_status learn(wiener *w, rv_error *err)
{
    for (size_t f = 0; f < rv_oracle_frames(w->in->frames); f++) {
        RV_TRY(check_stop(w, f, err));
        analyse_sources(w, f);
        for (size_t j = 0; j < w->in->n_sources; j++)
            add_frame(w, j);
    }
    for (size_t i = 0; i < w->in->n_sources * RV_ORACLE_BINS; i++)
        normalise(&w->spatial[i]);
    return RV_OK;
}

/* Filter ---------------------------------------------------------------------------------- */

static double power_of(const covariance *r, double complex y1, double complex y2)
{
    if (coherent(r))
        return (square(y1) + square(y2)) / 2;
    const double sum = r->d * square(y1) + r->a * square(y2) - 2 * creal(r->b * y2 * conj(y1));
    return sum / (DBL_EPSILON + determinant(r)) / 2;
}

/* The powers of a bin -> covariance of the mixture */
static covariance mixture_of(const wiener *w, size_t k)
{
    covariance sum = { 0 };
    for (size_t j = 0; j < w->in->n_sources; j++) {
        const covariance *r = &w->spatial[j * RV_ORACLE_BINS + k];
        const double p = power_of(r, bin_of(w, 2 + 2 * j, k), bin_of(w, 3 + 2 * j, k));
        sum.a += p * r->a;
        sum.d += p * r->d;
        sum.b += p * r->b;
        w->power[j] = p;
    }
    return sum;
}

static void put(const wiener *w, size_t row, size_t k, double complex z)
{
    double *x = rv_oracle_row(&w->spectra, row) + 2 * k;
    x[0] = creal(z);
    x[1] = cimag(z);
}

static void filter_bin(const wiener *w, size_t k)
{
    const covariance c = mixture_of(w, k);
    const double complex x1 = bin_of(w, 0, k), x2 = bin_of(w, 1, k);
    const double inverse = 1 / (DBL_EPSILON + determinant(&c));
    const double complex u1 = inverse * (c.d * x1 - c.b * x2);
    const double complex u2 = inverse * (c.a * x2 - conj(c.b) * x1);
    for (size_t j = 0; j < w->in->n_sources; j++) {
        const covariance *r = &w->spatial[j * RV_ORACLE_BINS + k];
        const double p = w->power[j], ratio = p * (r->a + r->d) / (c.a + c.d + DBL_EPSILON);
        const bool single = coherent(&c);
        put(w, 2 + 2 * j, k, single ? ratio * x1 : p * (r->a * u1 + r->b * u2));
        put(w, 3 + 2 * j, k, single ? ratio * x2 : p * (conj(r->b) * u1 + r->d * u2));
    }
}

static rv_status filter(const wiener *w, float *const *out, rv_error *err)
{
    const rv_oracle_input *in = w->in;
    for (size_t f = 0; f < rv_oracle_frames(in->frames); f++) {
        RV_TRY(check_stop(w, f, err));
        analyse_sources(w, f);
        for (size_t c = 0; c < 2; c++)
            rv_oracle_analyse(&w->spectra, rv_oracle_row(&w->spectra, c), in->mixture[c],
                              in->frames, f);
        for (size_t k = 0; k < RV_ORACLE_BINS; k++)
            filter_bin(w, k);
        for (size_t p = 0; p < 2 * in->n_sources; p++)
            rv_oracle_synthesise(&w->spectra, rv_oracle_row(&w->spectra, p + 2), out[p], in->frames,
                                 f);
    }
    return RV_OK;
}

rv_status rv_oracle_wiener(float *const *out, const rv_oracle_input *in, rv_error *err)
{
    if (in->channels == 1)
        return rv_oracle_mask(out, in, false, 2, err);
    if (in->channels != 2)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "mwf: %zu channels; expected 1 or 2", in->channels);
    wiener w = { .in = in,
                 .spatial = calloc(in->n_sources * RV_ORACLE_BINS, sizeof *w.spatial),
                 .power = calloc(in->n_sources, sizeof *w.power) };
    rv_status status = w.spatial && w.power ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "mwf");
    if (status == RV_OK)
        status = rv_oracle_spectra_open(&w.spectra, 2 + 2 * in->n_sources, err);
    if (status == RV_OK)
        status = learn(&w, err);
    if (status == RV_OK)
        status = filter(&w, out, err);
    rv_oracle_spectra_close(&w.spectra);
    free(w.spatial);
    free(w.power);
    return status;
}
