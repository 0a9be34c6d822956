/* report_signal.h - a lane of a song as one stream: the sum of its files, in mono or stereo. */
#ifndef REPORT_REPORT_SIGNAL_H
#define REPORT_REPORT_SIGNAL_H

#include "data/track_list.h"

enum { RV_SIGNAL_BLOCK = 16384 };

typedef struct rv_signal rv_signal;

/* All files must have one sample rate; of more than two channels the first two are taken. */
RV_NODISCARD rv_status rv_signal_open(rv_signal **out, const rv_track_sources *sources,
                                      rv_error *err);
void rv_signal_free(rv_signal *s);

int rv_signal_rate(const rv_signal *s);
int rv_signal_channels(const rv_signal *s);   /* 1 or 2 */
int64_t rv_signal_length(const rv_signal *s); /* frames, about; -1: not known */

/* The next *n <= RV_SIGNAL_BLOCK frames, planes[channel], in memory of the signal; 0 at the end. */
RV_NODISCARD rv_status rv_signal_next(rv_signal *s, float *const **planes, size_t *n,
                                      rv_error *err);

#endif
