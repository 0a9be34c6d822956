/* spectral_distance.c - see spectral_distance.h. */
#include "eval/spectral_distance.h"

#include "base/status.h"
#include "eval/frame_powers.h"

#include <math.h>

static const double least_power = 1e-8; /* of auraloss */

typedef void channel_fn(rv_frame_powers *p, const float *s, const float *e, size_t n, double *sums);

/* means [n_sums] of what `add` adds for each channel, over those in which the reference is not
 * silent; NaN if there is none. */
static rv_status over_channels(const rv_stem_pair *p, const rv_frame_size *size, channel_fn *add,
                               double *means, size_t n_sums, rv_error *err)
{
    rv_frame_powers powers;
    size_t n = 0;
    RV_TRY(rv_frame_powers_open(&powers, size, err));
    for (size_t i = 0; i < n_sums; i++)
        means[i] = 0;
    const size_t frames = rv_frame_powers_count(&powers, p->frames);
    for (size_t c = 0; c < p->channels && frames > 0; c++) {
        if (rv_is_silent(&p->reference[c], 1, p->frames))
            continue;
        add(&powers, p->reference[c], p->estimate[c], p->frames, means);
        n++;
    }
    rv_frame_powers_close(&powers);
    for (size_t i = 0; i < n_sums; i++)
        means[i] = n > 0 ? means[i] / (double)n : (double)NAN;
    return RV_OK;
}

/* SC and LSD ------------------------------------------------------------------------------ */

static double at_least(double power)
{
    return power > least_power ? power : least_power;
}

static void add_distance(rv_frame_powers *p, const float *s, const float *e, size_t n, double *sums)
{
    double error = 0, energy = 0, distance = 0;
    const size_t frames = rv_frame_powers_count(p, n), bins = rv_frame_powers_bins(p);
    for (size_t f = 0; f < frames; f++) {
        double squares = 0;
        rv_frame_powers_make(p, s, e, n, f);
        for (size_t k = 0; k < bins; k++) {
            const double x = at_least(p->reference[k]), y = at_least(p->estimate[k]);
            const double off = sqrt(x) - sqrt(y), ratio = 10 * log10(x / y);
            error += off * off;
            energy += x;
            squares += ratio * ratio;
        }
        distance += sqrt(squares / (double)bins);
    }
    sums[0] += sqrt(error / energy);
    sums[1] += distance / (double)frames;
}

rv_status rv_spectral_distance_of(rv_spectral_distance *out, const rv_stem_pair *p, rv_error *err)
{
    static const rv_frame_size size = { 2048, 512, 2048, .centred = true };
    double means[2];
    RV_TRY(over_channels(p, &size, add_distance, means, 2, err));
    *out = (rv_spectral_distance){ means[0], means[1] };
    return RV_OK;
}

/* MR-STFT --------------------------------------------------------------------------------- */

static void add_resolution(rv_frame_powers *p, const float *s, const float *e, size_t n,
                           double *sum)
{
    double error = 0, energy = 0, logs = 0;
    const size_t frames = rv_frame_powers_count(p, n), bins = rv_frame_powers_bins(p);
    for (size_t f = 0; f < frames; f++) {
        rv_frame_powers_make(p, s, e, n, f);
        for (size_t k = 0; k < bins; k++) {
            const double x = at_least(p->reference[k]), y = at_least(p->estimate[k]);
            const double off = sqrt(x) - sqrt(y);
            error += off * off;
            energy += x;
            logs += fabs(log(x / y)) / 2;
        }
    }
    *sum += sqrt(error / energy) + logs / (double)(frames * bins);
}

rv_status rv_multi_resolution_stft(double *out, const rv_stem_pair *p, rv_error *err)
{
    static const rv_frame_size sizes[] = { { 1024, 120, 600, .centred = true },
                                           { 2048, 240, 1200, .centred = true },
                                           { 512, 50, 240, .centred = true } };
    double sum = 0;
    for (size_t i = 0; i < 3; i++) {
        double mean;
        RV_TRY(over_channels(p, &sizes[i], add_resolution, &mean, 1, err));
        sum += mean / 3;
    }
    *out = sum;
    return RV_OK;
}

/* MSS ------------------------------------------------------------------------------------- */

static double log_of(double magnitude)
{
    return log(magnitude > 0 ? magnitude : 1e-5);
}

static void add_scale(rv_frame_powers *p, const float *s, const float *e, size_t n, double *sum)
{
    double linear = 0, logs = 0;
    const size_t frames = rv_frame_powers_count(p, n), bins = rv_frame_powers_bins(p);
    for (size_t f = 0; f < frames; f++) {
        rv_frame_powers_make(p, s, e, n, f);
        for (size_t k = 0; k < bins; k++) {
            const double x = sqrt(p->reference[k]), y = sqrt(p->estimate[k]);
            linear += fabs(x - y);
            logs += fabs(log_of(x) - log_of(y));
        }
    }
    *sum += (linear + logs) / (double)(frames * bins);
}

rv_status rv_multi_scale_spectral(double *out, const rv_stem_pair *p, rv_error *err)
{
    double sum = 0;
    for (size_t n_fft = 2048; n_fft >= 64; n_fft /= 2) {
        const rv_frame_size size = { n_fft, n_fft / 4, n_fft, .centred = false };
        double mean;
        RV_TRY(over_channels(p, &size, add_scale, &mean, 1, err));
        sum += mean;
    }
    *out = sum;
    return RV_OK;
}
