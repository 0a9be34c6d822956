/* spool.h - planes of samples that wait on the disk, in a file without a name: it is gone with the
 * program, whatever happens. */
#ifndef INFER_SPOOL_H
#define INFER_SPOOL_H

#include "ravel/base.h"

typedef struct rv_spool rv_spool;

/* Beside the file `path`, in whose folder there is room for it. */
RV_NODISCARD rv_status rv_spool_new(rv_spool **out, const char *path, size_t planes, rv_error *err);
void rv_spool_free(rv_spool *s);

RV_NODISCARD rv_status rv_spool_write(rv_spool *s, const float *const *planes, size_t frames,
                                      rv_error *err);

/* The next block, in memory of the spool; 0 frames at the end. Not to be mixed with writing. */
RV_NODISCARD rv_status rv_spool_read(rv_spool *s, float *const **planes, size_t *frames,
                                     rv_error *err);
double rv_spool_share(const rv_spool *s); /* of the frames written, how many are read */

#endif
