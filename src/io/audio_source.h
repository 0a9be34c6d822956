/* audio_source.h - what a decoding library provides to audio_read.c.
 *
 * An opener returns RV_ERR_UNSUPPORTED for a file of a kind it does not know, and RV_ERR_FORMAT
 * for a damaged one; its texts start with the file's name. */
#ifndef IO_AUDIO_SOURCE_H
#define IO_AUDIO_SOURCE_H

#include "io/audio_claim.h"
#include "io/audio_read.h"

#include <stdbool.h>

typedef struct audio_source audio_source;

struct audio_source {
    rv_audio_info info;
    int64_t least; /* a file that ends with fewer frames is truncated; 0: not known */
    /* Up to `frames` frames, interleaved; *got == 0 only at the end. */
    rv_status (*read)(audio_source *s, float *interleaved, size_t frames, size_t *got,
                      rv_error *err);
    /* Exactly to `frame`, which lies before the end; NULL: only by decoding from the start. */
    rv_status (*seek)(audio_source *s, int64_t frame, rv_error *err);
    void (*close)(audio_source *s);
};

rv_status rv_sndfile_open(audio_source **out, const char *path, const audio_claim *claim,
                          rv_error *err);

/* False in a build without FFmpeg, and where its module cannot be loaded: the two below fail with
 * RV_ERR_UNSUPPORTED then. */
bool rv_libav_present(void);
rv_status rv_libav_open(audio_source **out, const char *path, int stream, const audio_claim *claim,
                        rv_error *err);
int rv_libav_stream_count(const char *path, rv_error *err);

#endif
