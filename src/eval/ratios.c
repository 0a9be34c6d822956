/* ratios.c - see ratios.h for the formulas and where they come from. */
#include "eval/ratios.h"

#include "eval/mono.h"

#include <math.h>

static const double mdx_guard = 1e-7, si_guard = 1e-8;

bool rv_is_silent(const float *const *planes, size_t channels, size_t frames)
{
    for (size_t c = 0; c < channels; c++)
        for (size_t t = 0; t < frames; t++)
            if (planes[c][t] != 0)
                return false;
    return true;
}

/* Energies of the reference and of what is wrong in the estimate. */
static void energies(const rv_stem_pair *p, double *signal, double *error)
{
    *signal = *error = 0;
    for (size_t c = 0; c < p->channels; c++)
        for (size_t t = 0; t < p->frames; t++) {
            const double s = (double)p->reference[c][t], e = s - (double)p->estimate[c][t];
            *signal += s * s;
            *error += e * e;
        }
}

double rv_snr(const rv_stem_pair *p)
{
    double signal, error;
    energies(p, &signal, &error);
    if (signal == 0)
        return (double)NAN;
    return error == 0 ? HUGE_VAL : 10 * log10(signal / error);
}

double rv_sdr_mdx21(const rv_stem_pair *p)
{
    double signal, error;
    energies(p, &signal, &error);
    return signal == 0 ? (double)NAN : 10 * log10((signal + mdx_guard) / (error + mdx_guard));
}

static double mean(const float *x, size_t n)
{
    double sum = 0;
    for (size_t t = 0; t < n; t++)
        sum += (double)x[t];
    return sum / (double)n;
}

/* Summed sample by sample: from the three products alone, a good estimate's error would be the
 * difference of two large numbers. */
static double si_sdr_channel(const float *s, const float *e, size_t n)
{
    const double s_mean = mean(s, n), e_mean = mean(e, n);
    double product = 0, square = 0, target = 0, error = 0;
    for (size_t t = 0; t < n; t++) {
        const double x = (double)s[t] - s_mean;
        product += x * ((double)e[t] - e_mean);
        square += x * x;
    }
    const double scale = product / (square + si_guard);
    for (size_t t = 0; t < n; t++) {
        const double x = scale * ((double)s[t] - s_mean), off = (double)e[t] - e_mean - x;
        target += x * x;
        error += off * off;
    }
    return 10 * log10(target / (error + si_guard) + si_guard);
}

double rv_si_sdr(const rv_stem_pair *p)
{
    double sum = 0;
    size_t n = 0;
    for (size_t c = 0; c < p->channels; c++) {
        if (rv_is_silent(&p->reference[c], 1, p->frames))
            continue;
        sum += si_sdr_channel(p->reference[c], p->estimate[c], p->frames);
        n++;
    }
    return n > 0 ? sum / (double)n : (double)NAN;
}

double rv_sdr_mctn(const rv_stem_pair *p)
{
    double product = 0, square = 0, target = 0, error = 0;
    float s, e;
    for (size_t t = 0; t < p->frames; t++) {
        rv_mono(&s, p->reference, p->channels, t, 1);
        rv_mono(&e, p->estimate, p->channels, t, 1);
        product += (double)s * (double)e;
        square += (double)s * (double)s;
    }
    for (size_t t = 0; t < p->frames && square > 0; t++) {
        rv_mono(&s, p->reference, p->channels, t, 1);
        rv_mono(&e, p->estimate, p->channels, t, 1);
        const double x = (double)s * product / sqrt(square), off = (double)e - x;
        target += x * x;
        error += off * off;
    }
    return target > 0 ? 5 * log10(target / error) : (double)NAN;
}
