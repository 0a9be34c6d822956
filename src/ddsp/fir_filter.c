/* fir_filter.c - filters that are given by their magnitudes (frequency sampling; J. O. Smith,
 * Spectral Audio Signal Processing, "Windowing a desired impulse response"; Engel et al. 2020,
 * arXiv 2001.04643, 3.4):
 *
 *     h[n] = window[n] / S sum over k < S of magnitude[|k|] cos(2 pi k n / S),  S = 2 (K - 1)
 *
 * That is linear in the K magnitudes: a product with a constant [M,K], faster than a transform for
 * the sizes in use (65 bands). The windows and delays are those of ddsp and of ddsp_pytorch to the
 * sample, with what is odd about them: ddsp's odd windows peak one sample early, its filters
 * delay by one sample (or two, without an explicit window) more than the audio is advanced, and
 * ddsp_pytorch's do not respond ahead of time but late.
 *
 * Frames are filtered by products of spectra: also for frames of 64 samples and responses of 128
 * that takes half the time of sums. */
#include "ddsp/fir_filter.h"

#include "ddsp/controls.h"

#include <math.h>

/* Periodic where the length is even, as TensorFlow's. */
static double hann(size_t i, size_t length)
{
    const size_t period = length % 2 ? length - 1 : length;
    return period ? 0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)period) : 1;
}

/* to [K] = what magnitudes weigh in sample n of the response with zero phase, times `window` */
static void set_row(real *to, size_t bands, size_t n, double window)
{
    const size_t size = 2 * (bands - 1);
    for (size_t k = 0; k < bands; k++) {
        const double pair = k == 0 || k + 1 == bands ? 1 : 2;
        const double angle = 2 * M_PI * (double)(k * n % size) / (double)size;
        to[k] = (real)(window * pair * cos(angle) / (double)size);
    }
}

static bool check_magnitudes(rv_node *magnitudes)
{
    if (magnitudes->shape.rank == 3 && rv_extent(magnitudes, 2) >= 2)
        return true;
    rv_poison(magnitudes->graph, RV_ERR_SHAPE, __func__,
              "filter: expected magnitudes [B,F,K] with K >= 2, found rank %d and K %zu",
              magnitudes->shape.rank, rv_extent(magnitudes, 2));
    return false;
}

/* A window shorter than the response: `half` of it from time 0 back, less 2. */
static rv_node *short_window(rv_node *magnitudes, size_t size, size_t window)
{
    const size_t bands = rv_extent(magnitudes, 2), half = (window + 1) / 2, taps = 2 * half - 1;
    rv_node *weight = rv_constant(magnitudes->graph, RV_SHAPE(taps, bands));
    for (size_t j = 0; weight->constant && j < taps; j++) {
        const size_t n = (size - half + 2 + j) % size;
        const size_t right = window - half; /* samples of the window from time 0 on */
        const double w = n < right         ? hann(half + n, window)
                         : n < size - half ? 0
                                           : hann(n - (size - half), window);
        set_row(weight->constant + j * bands, bands, n, w);
    }
    return rv_linear(magnitudes, weight, NULL);
}

rv_node *rv_impulse_response(rv_node *magnitudes, size_t window)
{
    if (!check_magnitudes(magnitudes))
        return magnitudes;
    const size_t bands = rv_extent(magnitudes, 2), size = 2 * (bands - 1);
    if (window > 0 && window < size)
        return short_window(magnitudes, size, window);
    rv_node *weight = rv_constant(magnitudes->graph, RV_SHAPE(size, bands));
    for (size_t j = 0; weight->constant && j < size; j++)
        set_row(weight->constant + j * bands, bands, (j + size / 2) % size, hann(j, size));
    return rv_linear(magnitudes, weight, NULL);
}

rv_node *rv_impulse_response_wrapped(rv_node *magnitudes, size_t samples)
{
    if (!check_magnitudes(magnitudes))
        return magnitudes;
    const size_t bands = rv_extent(magnitudes, 2), size = 2 * (bands - 1);
    rv_node *weight = rv_constant(magnitudes->graph, RV_SHAPE(samples, bands));
    for (size_t j = 0; weight->constant && j < samples; j++) {
        const size_t at = (j + size / 2) % samples; /* in the causal form */
        if (at < size)
            set_row(weight->constant + j * bands, bands, (at + size / 2) % size, hann(at, size));
    }
    return rv_linear(magnitudes, weight, NULL);
}

/* Frames through responses ------------------------------------------------------------- */

static size_t hop_of(size_t samples, size_t frames)
{
    return (samples + frames - 1) / frames;
}

static bool check_frames(rv_node *x, const rv_node *h)
{
    const size_t samples = rv_extent(x, 1), frames = rv_extent(h, 1);
    if (x->shape.rank == 2 && h->shape.rank == 3 && rv_extent(x, 0) == rv_extent(h, 0) && samples &&
        frames && rv_extent(h, 2) && hop_of(samples, hop_of(samples, frames)) == frames)
        return true;
    rv_poison(x->graph, RV_ERR_SHAPE, __func__,
              "filter: %zu samples through %zu filters, expected [B,N] and [B,F,...] with F frames "
              "of ceil(N / F) samples",
              samples, frames);
    return false;
}

/* `delay` of y [B,all] cut, `samples` kept, with zeros at the end if there are fewer */
static rv_node *advance(rv_node *y, size_t delay, size_t samples)
{
    const size_t all = rv_extent(y, 1), missing = delay + samples > all ? delay + samples - all : 0;
    if (missing)
        y = rv_pad(y, 1, 0, missing, RV_PAD_ZERO);
    return rv_slice(y, 1, delay, samples);
}

rv_node *rv_filter_frames(rv_node *x, rv_node *h, size_t delay, bool tail)
{
    if (!check_frames(x, h))
        return x;
    const size_t batch = rv_extent(x, 0), samples = rv_extent(x, 1), frames = rv_extent(h, 1);
    const size_t hop = hop_of(samples, frames), taps = rv_extent(h, 2), whole = frames * hop;
    if (samples < whole)
        x = rv_pad(x, 1, 0, whole - samples, RV_PAD_ZERO);
    rv_node *y = rv_fft_convolve(rv_reshape(x, RV_SHAPE(batch * frames, hop)),
                                 rv_reshape(h, RV_SHAPE(batch * frames, taps)));
    if (!tail)
        return advance(rv_reshape(rv_slice(y, 1, 0, hop), RV_SHAPE(batch, whole)), delay, samples);
    y = rv_reshape(y, RV_SHAPE(batch, frames, hop + taps - 1));
    return advance(rv_overlap_add(y, hop, whole + taps - 1), delay, samples);
}

size_t rv_response_delay(size_t taps)
{
    const size_t middle = taps ? (taps - 1) / 2 : 0;
    return middle ? middle - 1 : 0;
}

rv_node *rv_frequency_filter(rv_node *audio, rv_node *magnitudes, size_t window)
{
    rv_node *h = rv_impulse_response(magnitudes, window);
    return rv_filter_frames(audio, h, rv_response_delay(rv_extent(h, 2)), true);
}

rv_node *rv_fir_filter(rv_node *audio, rv_node *magnitudes, size_t window)
{
    return rv_frequency_filter(audio, rv_scale_amplitude(magnitudes), window);
}
