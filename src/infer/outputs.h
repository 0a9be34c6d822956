/* outputs.h - the files of one track: all or none, and one gain for all.
 *
 * Whether a track clips is known at its end. So where the gain may matter (integer and lossy
 * formats, RV_CLIP_RESCALE) samples wait in a spool, an unnamed file beside the outputs. */
#ifndef INFER_OUTPUTS_H
#define INFER_OUTPUTS_H

#include "io/audio_write.h"
#include "ravel/separate.h"

typedef struct rv_outputs rv_outputs;

/* Called while encoding, with the share done; not 0: stop with RV_ERR_CANCELLED. */
typedef int rv_outputs_watch(void *ctx, double share);

/* paths[n], copied. Opens all writers: folders that are missing are made. */
RV_NODISCARD rv_status rv_outputs_open(rv_outputs **out, char *const *paths, size_t n,
                                       const rv_audio_writer_options *format, rv_clip_mode clip,
                                       rv_error *err);

/* Removes everything that is not finished. */
void rv_outputs_free(rv_outputs *o);

/* planes[file * channels + channel][frames]; may change them. */
RV_NODISCARD rv_status rv_outputs_write(rv_outputs *o, float *const *planes, size_t frames,
                                        rv_error *err);

/* Encode what waits, and give the files their names. */
RV_NODISCARD rv_status rv_outputs_finish(rv_outputs *o, double *gain, rv_outputs_watch *watch,
                                         void *ctx, rv_error *err);

#endif
