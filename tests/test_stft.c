/* test_stft.c - Fourier transforms, windows and running medians. */
#include "base/rng.h"
#include "check.h"
#include "dsp/median.h"
#include "dsp/real_fft.h"
#include "dsp/spectra.h"
#include "dsp/window.h"

#include <stdlib.h>
#include <string.h>

static float *aligned_floats(size_t n)
{
    const size_t bytes = (n * sizeof(float) + RV_FFT_ALIGN) / RV_FFT_ALIGN * RV_FFT_ALIGN;
    float *x = aligned_alloc(RV_FFT_ALIGN, bytes);
    CHECK(x != NULL);
    memset(x, 0, bytes);
    return x;
}

static void fill_noise(float *x, size_t n, uint64_t stream)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)rv_rng_normal(1, stream, i);
}

/* Against the sum of the definition, and back. */
static void check_fft(size_t size)
{
    rv_error err = { 0 };
    rv_fft *f = NULL;
    CHECK_OK(rv_fft_new(&f, size, NULL, &err), err);
    const size_t row = rv_fft_row(f);
    CHECK(row >= size + 2 && row * sizeof(float) % RV_FFT_ALIGN == 0);
    float *x = aligned_floats(2 * row), *y = aligned_floats(2 * row);
    float complex *bins = (float complex *)aligned_floats(2 * row);
    fill_noise(x, 2 * row, size);
    rv_fft_forward(f, x, bins, 2);
    for (size_t r = 0; r < 2; r++)
        for (size_t k = 0; k <= size / 2; k++) {
            double complex sum = 0;
            for (size_t i = 0; i < size; i++)
                sum += (double complex)x[r * row + i] *
                       cexp(-2 * M_PI * (double complex)I * (double)(i * k % size) / (double)size);
            const double scale = sqrt((double)size);
            CHECK_CLOSE(creal(sum) / scale, (double)crealf(bins[r * row / 2 + k]) / scale, 2e-6);
            CHECK_CLOSE(cimag(sum) / scale, (double)cimagf(bins[r * row / 2 + k]) / scale, 2e-6);
        }
    rv_fft_inverse(f, bins, y, 2);
    for (size_t i = 0; i < size; i++)
        CHECK_CLOSE((double)y[row + i] / (double)size, x[row + i], 1e-6);
    free(x);
    free(y);
    free(bins);
    rv_fft_free(f);
}

TEST(test_fft_is_the_definition)
{
    const size_t sizes[] = { 2, 4, 6, 30, 64, 250, 256 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_fft(sizes[i]);
}

TEST(test_fft_refuses_odd_sizes)
{
    rv_error err = { 0 };
    rv_fft *f = NULL;
    CHECK(rv_fft_new(&f, 0, NULL, &err) == RV_ERR_ARG);
    CHECK(rv_fft_new(&f, 7, NULL, &err) == RV_ERR_ARG);
    CHECK(rv_fft_new(&f, ((size_t)1 << 24) + 2, NULL, &err) == RV_ERR_ARG);
    CHECK(f == NULL);
}

TEST(test_hann_squares_add_up)
{
    enum { N = 64 };
    float w[N];
    rv_window_hann(w, N);
    CHECK(w[0] == 0 && w[N / 2] == 1);
    for (size_t hop = N / 4; hop >= N / 16; hop /= 2)
        for (size_t i = 0; i < hop; i++) {
            double sum = 0;
            for (size_t j = i; j < N; j += hop)
                sum += (double)w[j] * (double)w[j];
            CHECK_CLOSE(sum, 3.0 * N / (double)hop / 8, 1e-6);
        }
}

/* y [samples] is rebuilt in two parts, as threads would share it. */
static void check_stft(rv_spectra *s, size_t samples)
{
    const size_t bins = rv_spectra_bins(s), frames = rv_spectra_frames(s, samples);
    float *x = aligned_floats(samples), *y = aligned_floats(samples);
    float *scratch = aligned_floats(rv_spectra_scratch(s));
    float complex *spectrum = (float complex *)aligned_floats(2 * bins);
    const size_t cut = samples / 3;
    fill_noise(x, samples, 7);
    for (size_t t = 0; t < frames; t++) {
        size_t begin, end;
        rv_spectra_frame(s, x, samples, t, spectrum, scratch);
        if (cut > 0)
            rv_spectra_add(s, spectrum, t, y, 0, cut, scratch);
        rv_spectra_span(s, cut, samples - cut, &begin, &end);
        CHECK(end == frames);
        if (t >= begin)
            rv_spectra_add(s, spectrum, t, y + cut, cut, samples - cut, scratch);
    }
    for (size_t i = 0; i < samples; i++)
        CHECK_CLOSE(y[i], x[i], 1e-6);
    free(x);
    free(y);
    free(scratch);
    free(spectrum);
}

TEST(test_stft_reconstructs)
{
    const size_t shapes[][2] = { { 64, 16 }, { 48, 16 }, { 256, 32 } };
    for (size_t i = 0; i < 3; i++) {
        rv_error err = { 0 };
        rv_spectra *s = NULL;
        CHECK_OK(rv_spectra_new(&s, shapes[i][0], shapes[i][1], NULL, &err), err);
        CHECK(rv_spectra_frames(s, 0) == 0);
        for (size_t samples = 1; samples < 300; samples += 1 + samples / 20)
            check_stft(s, samples);
        check_stft(s, 10007);
        rv_spectra_free(s);
    }
}

/* The energy of all frames is 3/8 size/hop times that of the buffer, times size. */
TEST(test_stft_keeps_energy)
{
    enum { SIZE = 128, HOP = 32, SAMPLES = 3001 };
    rv_error err = { 0 };
    rv_spectra *s = NULL;
    CHECK_OK(rv_spectra_new(&s, SIZE, HOP, NULL, &err), err);
    float *x = aligned_floats(SAMPLES), *scratch = aligned_floats(rv_spectra_scratch(s));
    float complex bins[SIZE / 2 + 1];
    double time = 0, frequency = 0;
    fill_noise(x, SAMPLES, 3);
    for (size_t i = 0; i < SAMPLES; i++)
        time += (double)x[i] * (double)x[i];
    for (size_t t = 0; t < rv_spectra_frames(s, SAMPLES); t++) {
        rv_spectra_frame(s, x, SAMPLES, t, bins, scratch);
        for (size_t k = 0; k <= SIZE / 2; k++) {
            const double a = (double)cabsf(bins[k]);
            frequency += a * a * (k == 0 || k == SIZE / 2 ? 1 : 2);
        }
    }
    CHECK_CLOSE(frequency / (time * SIZE * 3 / 8 * SIZE / HOP), 1, 1e-6);
    free(x);
    free(scratch);
    rv_spectra_free(s);
}

TEST(test_stft_refuses_bad_hops)
{
    rv_error err = { 0 };
    rv_spectra *s = NULL;
    CHECK(rv_spectra_new(&s, 64, 0, NULL, &err) == RV_ERR_ARG);
    CHECK(rv_spectra_new(&s, 64, 32, NULL, &err) == RV_ERR_ARG);
    CHECK(rv_spectra_new(&s, 64, 15, NULL, &err) == RV_ERR_ARG);
    CHECK(s == NULL);
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static float median_by_sorting(const float *x, size_t count, size_t width, size_t i)
{
    float window[64];
    const long period = 2 * (long)count;
    for (size_t j = 0; j < width; j++) {
        const long at = (((long)(i + j) - (long)(width / 2)) % period + period) % period;
        window[j] = x[at < (long)count ? at : period - 1 - at];
    }
    qsort(window, width, sizeof *window, by_value);
    return window[width / 2];
}

/* Few distinct values, so that ties are common; then many. */
TEST(test_median_is_the_middle)
{
    enum { MOST = 200 };
    for (size_t width = 1; width <= 63; width += 2)
        for (size_t count = 1; count <= MOST; count += 1 + count / 3) {
            float x[MOST], y[MOST];
            void *scratch = malloc(rv_median_scratch(count, width));
            for (size_t i = 0; i < count; i++)
                x[i] = (float)rv_rng_below(width, count, i, count % 2 ? 5 : 1 << 20);
            rv_median(y, x, count, width, scratch);
            for (size_t i = 0; i < count; i++)
                CHECK(y[i] == median_by_sorting(x, count, width, i));
            free(scratch);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fft_is_the_definition), cmocka_unit_test(test_fft_refuses_odd_sizes),
        cmocka_unit_test(test_hann_squares_add_up),   cmocka_unit_test(test_stft_reconstructs),
        cmocka_unit_test(test_stft_keeps_energy),     cmocka_unit_test(test_stft_refuses_bad_hops),
        cmocka_unit_test(test_median_is_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
