/* check_track.h - one song: its files read once, in step, and measured. Where stems do not sum to
 * the mixture, the parts in which a stem sounds most are read again, to find shifts. */
#ifndef DATA_CHECK_TRACK_H
#define DATA_CHECK_TRACK_H

#include "data/check_findings.h"

typedef struct rv_check_task {
    const rv_track_list *list;
    size_t track;
    const rv_check_options *opt;
    rv_check_track *result;
    rv_check_audio *audio; /* [list->n_stems + 1] of the result */
    rv_findings *findings;
    /* Told how far it is, 0 to 1; true: stop. */
    bool (*tick)(void *ctx, size_t track, double fraction);
    void *tick_ctx;
} rv_check_task;

/* A file that is amiss is a finding; an error is lack of memory, or RV_ERR_CANCELLED. */
RV_NODISCARD rv_status rv_check_track_run(const rv_check_task *task, rv_error *err);

#endif
