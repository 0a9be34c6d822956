/* check_input.h - the files of a stem, or of the mixture, read in step and summed. A file that
 * cannot be read ends the input, and is a finding. */
#ifndef DATA_CHECK_INPUT_H
#define DATA_CHECK_INPUT_H

#include "data/check_findings.h"
#include "io/audio_read.h"

typedef struct rv_check_input {
    const char *stem;
    const rv_track_sources *sources;
    rv_audio_reader **readers; /* [sources->n] */
    int64_t *frames;           /* [sources->n] read so far, or lengths at the end */
    int channels, sample_rate; /* of the first file; channels: the most of all */
    int most_channels;         /* of a file, before one of them is chosen */
    bool failed, lossy;
    float *block; /* [most_channels][RV_CHECK_BLOCK] of a file before it is added; NULL: one file */
} rv_check_input;

/* Opens; what is wrong becomes a finding, and `failed`. */
RV_NODISCARD rv_status rv_check_input_open(rv_check_input *in, const char *stem,
                                           const rv_track_sources *sources, rv_findings *findings,
                                           rv_error *err);
void rv_check_input_close(rv_check_input *in);

/* The next RV_CHECK_BLOCK frames or, at the end, fewer, of all channels. */
RV_NODISCARD rv_status rv_check_input_read(rv_check_input *in, float *const *planes, size_t *got,
                                           rv_findings *findings, rv_error *err);

/* To a frame that was read before. Fails as the reader does. */
RV_NODISCARD rv_status rv_check_input_seek(rv_check_input *in, int64_t frame, rv_error *err);

/* Frames of all files, in their headers' opinion, or 0. */
int64_t rv_check_input_about(const rv_check_input *in);

#endif
