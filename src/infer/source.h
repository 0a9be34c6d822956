/* source.h - an audio file as blocks in the format of a model: channels mapped, resampled. */
#ifndef INFER_SOURCE_H
#define INFER_SOURCE_H

#include "io/audio_read.h"

#include <stdbool.h>

typedef struct rv_source rv_source;

typedef struct rv_source_format {
    size_t file_channels, channels; /* of the file, of the blocks */
    int file_rate, rate;            /* Hz */
} rv_source_format;

/* channels, rate: what the model takes, 0: what the file has (rates within 8 to 192 kHz). One
 * channel is repeated; for a model of one channel the mean is taken; else they must be equal. */
RV_NODISCARD rv_status rv_source_open(rv_source **out, const char *path, size_t channels, int rate,
                                      rv_error *err);
void rv_source_free(rv_source *s);

const rv_source_format *rv_source_format_of(const rv_source *s);

/* Frames of the file: read so far; and in all, 0 if that is not known and nothing says about how
 * many. After a whole pass both are exact. */
uint64_t rv_source_frames_read(const rv_source *s);
uint64_t rv_source_frames_about(const rv_source *s);

/* The next block, planes[channel][frames], in memory of the source; 0 frames at the end. */
RV_NODISCARD rv_status rv_source_next(rv_source *s, const float *const **planes, size_t *frames,
                                      rv_error *err);

RV_NODISCARD rv_status rv_source_rewind(rv_source *s, rv_error *err);

#endif
