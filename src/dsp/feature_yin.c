/* feature_yin.c - YIN (de Cheveigne & Kawahara, "YIN, a fundamental frequency estimator for speech
 * and music", 2002). Of a frame x [n]:
 *
 *     r(k)  = sum x[i] x[i + k]
 *     d(k)  = (2 r(0) - sum over i < k of x[i]^2 + x[n - 1 - i]^2 - 2 r(k)) / (n - k)
 *     d'(k) = d(k) k / sum over 0 < j <= k of d(j)
 *
 * d is the mean of (x[i] - x[i + k])^2. The period is the first trough of d' below the threshold,
 * or else its least value, refined by a parabola.
 *
 * librosa 0.11 does not take off the energy of the frame's end, and does not divide: it measures a
 * tone of which few periods fit into the frame some cents too high. spec->f0_librosa does so, too.
 */
#include "dsp/feature_yin.h"

#include "base/status.h"
#include "dsp/feature_kind.h"

#include <math.h>
#include <stdlib.h>

rv_status rv_yin_init(rv_yin *y, const rv_feature_spec *spec, rv_error *err)
{
    const size_t window = (size_t)spec->window;
    const size_t longest = (size_t)ceil(spec->sample_rate / spec->f0_min);
    const size_t last = longest < window - 1 ? longest : window - 1;
    size_t size = 2;
    y->spec = spec;
    y->shortest = (size_t)floor(spec->sample_rate / spec->f0_max);
    y->lags = last - y->shortest + 1;
    while (size < window + last + 1)
        size *= 2;
    RV_TRY(rv_fft_new(&y->fft, size, &rv_alloc_default, err));
    const size_t bytes = rv_fft_row(y->fft) * sizeof(float);
    y->samples = aligned_alloc(RV_FFT_ALIGN, bytes);
    y->bins = aligned_alloc(RV_FFT_ALIGN, bytes);
    y->difference = calloc(last + 1, sizeof *y->difference);
    return y->samples && y->bins && y->difference
               ? RV_OK
               : RV_FAIL(err, RV_ERR_NOMEM, "f0: %zu samples", size);
}

void rv_yin_fini(rv_yin *y)
{
    rv_fft_free(y->fft);
    free(y->samples);
    free(y->bins);
    free(y->difference);
}

/* samples: window, then zeros -> r times the transform's size */
static void autocorrelate(rv_yin *y, const float *window, size_t size)
{
    for (size_t i = 0; i < size; i++)
        y->samples[i] = i < (size_t)y->spec->window ? window[i] : 0;
    rv_fft_forward(y->fft, y->samples, y->bins, 1);
    for (size_t k = 0; k <= size / 2; k++) {
        const float re = crealf(y->bins[k]), im = cimagf(y->bins[k]);
        y->bins[k] = re * re + im * im;
    }
    rv_fft_inverse(y->fft, y->bins, y->samples, 1);
}

void rv_yin_measure(rv_yin *y, const float *window)
{
    const size_t last = y->shortest + y->lags - 1;
    size_t size = 2;
    while (size < (size_t)y->spec->window + last + 1)
        size *= 2;
    autocorrelate(y, window, size);
    const double all = (double)y->samples[0] / (double)size;
    const size_t n = (size_t)y->spec->window;
    double ends = 0, sum = 0;
    y->silent = all <= 0;
    for (size_t k = 1; k <= last; k++) {
        const double head = (double)window[k - 1], tail = (double)window[n - k];
        ends += y->spec->f0_librosa ? head * head : head * head + tail * tail;
        const double total = 2 * (all - (double)y->samples[k] / (double)size) - ends;
        const double d = y->spec->f0_librosa ? total : total / (double)(n - k);
        sum += d;
        if (k >= y->shortest)
            y->difference[k - y->shortest] = sum > 0 || sum < 0 ? d * (double)k / sum : 0;
    }
}

bool rv_yin_trough(const rv_yin *y, size_t i)
{
    const double *d = y->difference;
    const bool falls = i == 0 || d[i] < d[i - 1], last = i + 1 == y->lags;
    return falls && (last || (i == 0 ? d[0] < d[1] : d[i] <= d[i + 1]));
}

double rv_yin_hz(const rv_yin *y, size_t i)
{
    const double *d = y->difference;
    double shift = 0;
    if (i > 0 && i + 1 < y->lags) {
        const double bend = d[i + 1] + d[i - 1] - 2 * d[i], slope = (d[i + 1] - d[i - 1]) / 2;
        shift = fabs(slope) >= fabs(bend) ? 0 : -slope / bend;
    }
    return y->spec->sample_rate / ((double)(y->shortest + i) + shift);
}

/* The feature */

static size_t width(const rv_feature_spec *spec)
{
    (void)spec;
    return 3;
}

static void destroy(void *state)
{
    rv_yin_fini(state);
    free(state);
}

static rv_status create(void **state, const rv_feature_input *input, rv_error *err)
{
    rv_yin *y = calloc(1, sizeof *y);
    if (!y)
        return RV_FAIL(err, RV_ERR_NOMEM, "f0");
    const rv_status st = rv_yin_init(y, input->spec, err);
    if (st != RV_OK) {
        destroy(y);
        return st;
    }
    *state = y;
    return RV_OK;
}

/* The first trough below the threshold, else the least value. */
static size_t choose(const rv_yin *y, bool *voiced)
{
    size_t least = 0;
    for (size_t i = 0; i < y->lags; i++) {
        if (y->difference[i] < y->spec->trough && rv_yin_trough(y, i)) {
            *voiced = true;
            return i;
        }
        least = y->difference[i] < y->difference[least] ? i : least;
    }
    *voiced = false;
    return least;
}

static void frame(void *state, const float *window, float *out)
{
    rv_yin *y = state;
    bool voiced;
    rv_yin_measure(y, window);
    const size_t i = choose(y, &voiced);
    out[0] = y->silent ? 0 : (float)rv_yin_hz(y, i);
    out[1] = y->silent ? 0 : (float)fmin(fmax(1 - y->difference[i], 0), 1);
    out[2] = voiced && !y->silent;
}

const rv_feature_kind rv_feature_yin = {
    .width = width, .create = create, .destroy = destroy, .frame = frame
};
