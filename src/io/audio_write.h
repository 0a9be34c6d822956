/* audio_write.h - write planar float to an audio file that appears under its name only when whole.
 *
 * The writer makes missing parent folders and writes to a hidden file (.ravel-*) in the folder of
 * the final name; commit flushes it to the disk and renames it. Freeing a writer that is not
 * committed removes the hidden file. There is no global list of open files: a program that is
 * interrupted (SIGINT) sets a flag in its handler, leaves its loop and frees its writers.
 *
 * Integer formats: round(x 2^(bits-1)), ties to even, clamped to the range of the format and
 * without dither. It is the inverse of what the reader does, and what torchaudio (by SoX or
 * FFmpeg) makes of float samples. Lossy formats are clamped to [-1, 1]; float files hold the
 * samples as they are. Clipping policy is the caller's. NaN and infinity are errors. */
#ifndef IO_AUDIO_WRITE_H
#define IO_AUDIO_WRITE_H

#include "ravel/base.h"

typedef struct rv_audio_writer_options {
    const char *format; /* "wav", "flac", "ogg", "mp3", "opus", "aiff"; NULL: by the extension */
    int bits;           /* 16, 24, or 32 for float (WAV, AIFF); 0: 16. Lossy formats ignore it */
    int channels;       /* 1 to 64; fewer for some formats */
    int sample_rate;    /* Hz */
    double quality;     /* lossy formats: 0 (small) to 1 (best), < 0: the format's default */
} rv_audio_writer_options;

typedef struct rv_audio_writer rv_audio_writer;

/* 16 bits, default quality, format by the extension; channels and sample_rate are to be set. */
rv_audio_writer_options rv_audio_writer_defaults(void);

RV_NODISCARD rv_status rv_audio_writer_open(rv_audio_writer **out, const char *path,
                                            const rv_audio_writer_options *opt, rv_error *err);

/* Appends planar[channel][0..frames). */
RV_NODISCARD rv_status rv_audio_writer_write(rv_audio_writer *w, const float *const *planar,
                                             size_t frames, rv_error *err);

/* Completes the file and gives it its name, replacing what has it. Once; then only free. */
RV_NODISCARD rv_status rv_audio_writer_commit(rv_audio_writer *w, rv_error *err);

/* Instead of that: completes the file without a name. *fd reads it, from any place, until the
 * writer is freed, which removes it. */
RV_NODISCARD rv_status rv_audio_writer_hold(rv_audio_writer *w, int *fd, rv_error *err);

void rv_audio_writer_free(rv_audio_writer *w);

#endif
