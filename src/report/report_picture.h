/* report_picture.h - the waveform and the spectrogram of a stream, reduced while it is read.
 *
 * Both have columns of equal length in time. When their number reaches a bound, neighbours are
 * joined and columns become twice as long: memory does not grow with the song, and its length need
 * not be known. Streams of one length and rate get the same columns.
 *
 * A column of the waveform holds the least and the largest sample of all channels, and the mean
 * square. One of the spectrogram holds the mean power in mel bands (Slaney's, 30 Hz to 16 kHz) over
 * its frames: Hann windows of about 90 ms, a quarter apart, powers of the channels averaged. */
#ifndef REPORT_REPORT_PICTURE_H
#define REPORT_REPORT_PICTURE_H

#include "base/status.h"

enum {
    RV_PICTURE_BANDS = 96,
    RV_PICTURE_COLUMNS = 1200, /* of a spectrogram, at most */
    RV_PICTURE_POINTS = 2400   /* columns of a waveform, at most */
};

/* Decibels below the loudest point of a song that the darkest level stands for. */
static const double rv_picture_range = 80;

typedef struct rv_picture rv_picture;

RV_NODISCARD rv_status rv_picture_new(rv_picture **out, int sample_rate, int channels,
                                      rv_error *err);
void rv_picture_free(rv_picture *p);

/* planes [channels, n] */
void rv_picture_add(rv_picture *p, float *const *planes, size_t n);
void rv_picture_end(rv_picture *p); /* after the last samples */

/* Of what was added. */
double rv_picture_seconds(const rv_picture *p);
double rv_picture_peak(const rv_picture *p);  /* largest magnitude of a sample */
double rv_picture_rms(const rv_picture *p);   /* root mean square over all channels */
double rv_picture_power(const rv_picture *p); /* the largest of the spectrogram */

/* Columns, and seconds of each. */
size_t rv_picture_points(const rv_picture *p, double *seconds);
size_t rv_picture_columns(const rv_picture *p, double *seconds);

/* As digits of base64 (A: 0, /: 63), so that a page holds them as text.
 * Waveform: least, largest, root mean square for each column, 12 bits each, -1 to 1 as 0 to 4095:
 * text [6 points]. Spectrogram, a row of the picture after the other, the highest band first:
 * text [BANDS columns], 63 is `loudest`, 0 is rv_picture_range dB below it or less. No zero ends
 * them. */
void rv_picture_write_wave(const rv_picture *p, char *text);
void rv_picture_write_spectrogram(const rv_picture *p, double loudest, char *text);

#endif
