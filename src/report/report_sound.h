/* report_sound.h - one lane into the page: its sound as base64, its pictures kept for later.
 *
 * The pictures of a song are written when all its lanes are known, because one level, that of its
 * loudest point, is the brightest in all of them. */
#ifndef REPORT_REPORT_SOUND_H
#define REPORT_REPORT_SOUND_H

#include "report/report_page.h"
#include "report/report_picture.h"
#include "report/report_songs.h"

/* Not RV_OK: stop; `fraction` of the lane is read. */
typedef rv_status rv_sound_progress_fn(void *ctx, double fraction, rv_error *err);

typedef struct rv_sound_job {
    rv_page *page;
    const char *path; /* of the page: sound is encoded in a hidden file beside it */
    rv_report_audio audio;
    double start, seconds; /* of what is to be heard; seconds 0: all */
    rv_sound_progress_fn *progress;
    void *ctx;
} rv_sound_job;

typedef struct rv_sound {
    rv_picture *picture; /* free it */
    const char *type;    /* "audio/ogg"; NULL: nothing is to be heard */
    int rate, channels;
    double from, length; /* seconds of the song that can be heard */
    uint64_t bytes;      /* in the page */
} rv_sound;

/* The sound goes into an element <script id="ID"> of the page, if there is any. */
RV_NODISCARD rv_status rv_sound_write(rv_sound *out, const rv_sound_job *job,
                                      const rv_report_lane *lane, const char *id, rv_error *err);

/* Bytes of base64 that a second of sound takes, about; 0 for none. */
double rv_sound_bytes_per_second(rv_report_audio audio);

#endif
