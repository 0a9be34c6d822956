/* audio_encoder.h - what turns interleaved samples into the bytes of a format. */
#ifndef IO_AUDIO_ENCODER_H
#define IO_AUDIO_ENCODER_H

#include "io/audio_sink.h"
#include "io/audio_write.h"

typedef struct audio_encoder audio_encoder;

struct audio_encoder {
    /* Samples are full-scale int32 for integer formats (the unused low bits are 0), else float.
     * `write` may change them. */
    bool integer;
    bool clamp; /* float samples are to be in [-1, 1] */
    rv_status (*write)(audio_encoder *e, void *interleaved, size_t frames, rv_error *err);
    rv_status (*finish)(audio_encoder *e, rv_error *err); /* all but closing the sink */
    void (*free)(audio_encoder *e);
};

/* RIFF/WAVE, RF64 above 4 GiB. opt->bits is 16, 24 or 32. */
rv_status rv_wav_encoder_new(audio_encoder **out, audio_sink *sink,
                             const rv_audio_writer_options *opt, rv_error *err);

/* opt->format is "flac", "ogg", "opus", "mp3" or "aiff". */
rv_status rv_sndfile_encoder_new(audio_encoder **out, audio_sink *sink,
                                 const rv_audio_writer_options *opt, rv_error *err);

enum { RV_WAV_HEADER_MAX = 128 };

/* The header of a WAV file with `data_bytes` bytes of samples; returns its length, which does not
 * depend on data_bytes. */
size_t rv_wav_header(unsigned char *header, const rv_audio_writer_options *opt,
                     uint64_t data_bytes);

#endif
