/* audio_read.h - read audio files as planar float, exactly as long as the track is.
 *
 * libsndfile reads WAV, AIFF, FLAC, Ogg Vorbis and Opus; FFmpeg's libav*, where it is built in,
 * reads MP3 and all else that has an audio stream (m4a, mp4, .stem.mp4, video). What an encoder
 * put before and after the track (delay, padding) is cut off, so that frame 0 is the first frame
 * that went into the encoder. A file that ends before the length in its header, or goes on after
 * it, is an error, never a shorter or longer result. Integer samples are scaled to [-1, 1); float
 * samples are passed through, and one that is NaN or infinite is an error.
 *
 * The records of a TFRecord file (io/tfrecord_audio.h) count as its audio streams. */
#ifndef IO_AUDIO_READ_H
#define IO_AUDIO_READ_H

#include "ravel/base.h"

enum { RV_AUDIO_CHANNELS_MAX = 64, RV_AUDIO_RATE_MIN = 1000, RV_AUDIO_RATE_MAX = 768000 };

typedef struct rv_audio_info {
    int channels;         /* 1 to RV_AUDIO_CHANNELS_MAX */
    int sample_rate;      /* Hz, RV_AUDIO_RATE_MIN to RV_AUDIO_RATE_MAX */
    int64_t frames;       /* -1: unknown until read; otherwise reading gives exactly this many */
    int64_t frames_about; /* frames, or the container's estimate (for progress), or -1 */
    const char *format;   /* name for people; lives as long as the reader */
} rv_audio_info;

typedef struct rv_audio_reader rv_audio_reader;

/* `stream` counts the audio streams of a file with several (.stem.mp4), 0 is the first. */
RV_NODISCARD rv_status rv_audio_reader_open(rv_audio_reader **out, const char *path, int stream,
                                            rv_error *err);
void rv_audio_reader_free(rv_audio_reader *r);

const rv_audio_info *rv_audio_reader_info(const rv_audio_reader *r);

/* From now on, samples that are NaN or infinite are handed out rather than being an error. */
void rv_audio_reader_allow_not_finite(rv_audio_reader *r);

/* The next `frames` frames into planar[channel][frame]; *got < frames only at the end of the
 * track, 0 after it. After a failure only rewinding or freeing makes sense. */
RV_NODISCARD rv_status rv_audio_reader_read(rv_audio_reader *r, float *const *planar, size_t frames,
                                            size_t *got, rv_error *err);

/* Back to frame 0: opens the file anew, so a second pass gives the same bits as the first. */
RV_NODISCARD rv_status rv_audio_reader_rewind(rv_audio_reader *r, rv_error *err);

/* Reading goes on at `frame` with the same samples as if all before it had been read. Fast for WAV,
 * AIFF and FLAC; other formats are decoded again from the start. Fails beyond the end. */
RV_NODISCARD rv_status rv_audio_reader_seek(rv_audio_reader *r, int64_t frame, rv_error *err);

/* Number of audio streams, 0 with `err` filled on failure. */
int rv_audio_stream_count(const char *path, rv_error *err);

#endif
