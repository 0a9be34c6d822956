/* report_picture.c - see report_picture.h. */
#include "report/report_picture.h"

#include "dsp/feature_mel_bank.h"
#include "dsp/real_fft.h"
#include "dsp/window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BANDS = RV_PICTURE_BANDS, COLUMNS = RV_PICTURE_COLUMNS, POINTS = RV_PICTURE_POINTS };
enum { STEP = 128 }; /* samples of a point at first */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

typedef struct point {
    float least, most;
    double square; /* sum over samples and channels */
} point;

struct rv_picture {
    int rate, channels;
    uint64_t samples; /* added, of each channel */
    double square;    /* sum over all */

    point *points; /* [POINTS]: n_points, each of point_length samples, the last of point_filled */
    size_t n_points, point_length, point_filled;

    double *power; /* [COLUMNS, BANDS]: sums over the frames of a column */
    size_t n_columns, column_length, column_filled; /* frames */

    rv_fft *fft;
    rv_feature_spec spec;
    rv_mel_bank bank;
    size_t window, hop, filled;
    float *hann, *history[2], *frame; /* [window] each */
    float complex *bins;              /* [window / 2 + 1] */
    float *bin_power;
};

/* New and free --------------------------------------------------------------------------- */

static size_t window_of(int rate)
{
    size_t n = 64;
    while ((double)n < 0.07 * rate)
        n *= 2;
    return n;
}

static rv_feature_spec mel_spec(int rate, size_t window)
{
    const double half = rate / 2.0;
    return (rv_feature_spec){ .feature = RV_FEATURE_MEL,
                              .sample_rate = rate,
                              .window = (int)window,
                              .mel_scale = RV_MEL_SLANEY,
                              .power = 2,
                              .mel_floor = 1e-20,
                              .bands = BANDS,
                              .mel_min = fmin(30, half / 8),
                              .mel_max = fmin(16000, half) };
}

static float *aligned(size_t n)
{
    const size_t bytes = (n * sizeof(float) + RV_FFT_ALIGN - 1) / RV_FFT_ALIGN * RV_FFT_ALIGN;
    float *x = aligned_alloc(RV_FFT_ALIGN, bytes);
    if (x)
        memset(x, 0, bytes);
    return x;
}

static rv_status init(rv_picture *p, rv_error *err)
{
    const size_t n = p->window = window_of(p->rate);
    p->hop = n / 4;
    p->filled = n / 2; /* the first frame is centred at the first sample */
    p->spec = mel_spec(p->rate, n);
    RV_TRY(rv_fft_new(&p->fft, n, &rv_alloc_default, err));
    RV_TRY(rv_mel_bank_init(&p->bank, &p->spec, err));
    p->points = calloc(POINTS, sizeof *p->points);
    p->power = calloc(COLUMNS * BANDS, sizeof *p->power);
    p->hann = aligned(n);
    p->history[0] = aligned(n);
    p->history[1] = aligned(n);
    p->frame = aligned(rv_fft_row(p->fft));
    p->bins = (float complex *)aligned(rv_fft_row(p->fft));
    p->bin_power = aligned(n);
    if (!p->points || !p->power || !p->hann || !p->history[0] || !p->history[1] || !p->frame ||
        !p->bins || !p->bin_power)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory for a picture");
    rv_window_hann(p->hann, n);
    return RV_OK;
}

rv_status rv_picture_new(rv_picture **out, int sample_rate, int channels, rv_error *err)
{
    rv_picture *p = calloc(1, sizeof *p);
    if (!p)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory for a picture");
    p->rate = sample_rate;
    p->channels = channels;
    p->point_length = STEP;
    p->column_length = 1;
    const rv_status status = init(p, err);
    if (status == RV_OK)
        *out = p;
    else
        rv_picture_free(p);
    return status;
}

void rv_picture_free(rv_picture *p)
{
    if (!p)
        return;
    rv_fft_free(p->fft);
    rv_mel_bank_fini(&p->bank);
    free(p->points);
    free(p->power);
    free(p->hann);
    free(p->history[0]);
    free(p->history[1]);
    free(p->frame);
    free(p->bins);
    free(p->bin_power);
    free(p);
}

/* Waveform ------------------------------------------------------------------------------- */

static void halve_points(rv_picture *p)
{
    for (size_t i = 0; i < POINTS / 2; i++) {
        const point a = p->points[2 * i], b = p->points[2 * i + 1];
        p->points[i] =
            (point){ fminf(a.least, b.least), fmaxf(a.most, b.most), a.square + b.square };
    }
    p->n_points = POINTS / 2;
    p->point_length *= 2;
    p->point_filled = p->point_length;
}

static point *current_point(rv_picture *p)
{
    if (p->n_points > 0 && p->point_filled < p->point_length)
        return &p->points[p->n_points - 1];
    if (p->n_points == POINTS)
        halve_points(p);
    p->point_filled = 0;
    p->points[p->n_points] = (point){ INFINITY, -INFINITY, 0 };
    return &p->points[p->n_points++];
}

static void add_to_wave(rv_picture *p, float *const *planes, size_t n)
{
    for (size_t t = 0; t < n; t++) {
        point *at = current_point(p);
        for (int c = 0; c < p->channels; c++) {
            const float x = planes[c][t];
            at->least = fminf(at->least, x);
            at->most = fmaxf(at->most, x);
            at->square += (double)x * (double)x;
            p->square += (double)x * (double)x;
        }
        p->point_filled++;
    }
}

/* Spectrogram ---------------------------------------------------------------------------- */

static void halve_columns(rv_picture *p)
{
    for (size_t i = 0; i < COLUMNS / 2; i++)
        for (size_t b = 0; b < BANDS; b++)
            p->power[i * BANDS + b] =
                p->power[2 * i * BANDS + b] + p->power[(2 * i + 1) * BANDS + b];
    p->n_columns = COLUMNS / 2;
    p->column_length *= 2;
    p->column_filled = p->column_length;
}

static double *current_column(rv_picture *p)
{
    if (p->n_columns == 0 || p->column_filled == p->column_length) {
        if (p->n_columns == COLUMNS)
            halve_columns(p);
        p->column_filled = 0;
        memset(p->power + p->n_columns++ * BANDS, 0, BANDS * sizeof *p->power);
    }
    return p->power + (p->n_columns - 1) * BANDS;
}

static void transform(rv_picture *p, int channel)
{
    for (size_t i = 0; i < p->window; i++)
        p->frame[i] = p->history[channel][i] * p->hann[i];
    rv_fft_forward(p->fft, p->frame, p->bins, 1);
    for (size_t k = 0; k <= p->window / 2; k++) {
        const float re = crealf(p->bins[k]), im = cimagf(p->bins[k]);
        p->bin_power[k] += (re * re + im * im) / (float)p->channels;
    }
}

static void add_frame(rv_picture *p)
{
    double logs[BANDS];
    double *column = current_column(p);
    memset(p->bin_power, 0, (p->window / 2 + 1) * sizeof(float));
    for (int c = 0; c < p->channels; c++)
        transform(p, c);
    rv_mel_bank_measure(&p->bank, &p->spec, p->bin_power, logs);
    for (size_t b = 0; b < BANDS; b++)
        column[b] += exp(logs[b]);
    p->column_filled++;
}

/* planes NULL: zeros */
static void add_to_spectrogram(rv_picture *p, float *const *planes, size_t n)
{
    for (size_t done = 0; done < n;) {
        const size_t room = p->window - p->filled, take = n - done < room ? n - done : room;
        for (int c = 0; c < p->channels; c++) {
            float *to = p->history[c] + p->filled;
            if (planes)
                memcpy(to, planes[c] + done, take * sizeof *to);
            else
                memset(to, 0, take * sizeof *to);
        }
        done += take;
        p->filled += take;
        if (p->filled < p->window)
            continue;
        add_frame(p);
        p->filled -= p->hop;
        for (int c = 0; c < p->channels; c++)
            memmove(p->history[c], p->history[c] + p->hop, p->filled * sizeof(float));
    }
}

void rv_picture_add(rv_picture *p, float *const *planes, size_t n)
{
    p->samples += n;
    add_to_wave(p, planes, n);
    add_to_spectrogram(p, planes, n);
}

void rv_picture_end(rv_picture *p)
{
    add_to_spectrogram(p, NULL, p->window / 2);
}

/* Figures -------------------------------------------------------------------------------- */

double rv_picture_seconds(const rv_picture *p)
{
    return (double)p->samples / p->rate;
}

double rv_picture_peak(const rv_picture *p)
{
    double peak = 0;
    for (size_t i = 0; i < p->n_points; i++)
        peak = fmax(peak, (double)fmaxf(-p->points[i].least, p->points[i].most));
    return peak;
}

double rv_picture_rms(const rv_picture *p)
{
    return p->samples ? sqrt(p->square / ((double)p->samples * p->channels)) : 0;
}

/* Frames of column i: all have column_length but the last. */
static double frames_of(const rv_picture *p, size_t i)
{
    return (double)(i + 1 == p->n_columns ? p->column_filled : p->column_length);
}

double rv_picture_power(const rv_picture *p)
{
    double most = 0;
    for (size_t i = 0; i < p->n_columns * BANDS; i++)
        most = fmax(most, p->power[i] / frames_of(p, i / BANDS));
    return most;
}

size_t rv_picture_points(const rv_picture *p, double *seconds)
{
    *seconds = (double)p->point_length / p->rate;
    return p->n_points;
}

size_t rv_picture_columns(const rv_picture *p, double *seconds)
{
    *seconds = (double)(p->column_length * p->hop) / p->rate;
    return p->n_columns;
}

/* Text ----------------------------------------------------------------------------------- */

static char *put_sample(char *text, double x)
{
    const unsigned level = (unsigned)lrint((fmax(-1, fmin(1, x)) + 1) / 2 * 4095);
    *text++ = digits[level >> 6];
    *text++ = digits[level & 63];
    return text;
}

void rv_picture_write_wave(const rv_picture *p, char *text)
{
    for (size_t i = 0; i < p->n_points; i++) {
        const size_t n = i + 1 == p->n_points ? p->point_filled : p->point_length;
        text = put_sample(text, (double)p->points[i].least);
        text = put_sample(text, (double)p->points[i].most);
        text = put_sample(text, sqrt(p->points[i].square / ((double)n * p->channels)));
    }
}

void rv_picture_write_spectrogram(const rv_picture *p, double loudest, char *text)
{
    for (size_t row = 0; row < BANDS; row++) {
        for (size_t i = 0; i < p->n_columns; i++) {
            const double mean = p->power[i * BANDS + BANDS - 1 - row] / frames_of(p, i);
            const double db = mean > 0 && loudest > 0 ? 10 * log10(mean / loudest) : -1e9;
            const double level = fmax(0, fmin(63, 63 * (1 + db / rv_picture_range)));
            *text++ = digits[lrint(level)];
        }
    }
}
