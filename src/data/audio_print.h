/* audio_print.h - what a stem sounds like, as a hash: of its mono samples at the files' rate. */
#ifndef DATA_AUDIO_PRINT_H
#define DATA_AUDIO_PRINT_H

#include "data/track_list.h"

typedef struct rv_audio_print {
    uint64_t hash, samples;
    int sample_rate;
} rv_audio_print;

typedef struct rv_print_watch {
    int (*tell)(void *ctx, double fraction); /* of the files read; not 0: stop. */
    void *ctx;
} rv_print_watch;

/* Prints of the last stems, so that files are decoded once while their features are asked for one
 * after the other. Files that were changed meanwhile are seen. Any number of threads at a time. */
typedef struct rv_print_memory rv_print_memory;

RV_NODISCARD rv_status rv_print_memory_new(rv_print_memory **out, rv_error *err);
void rv_print_memory_free(rv_print_memory *m);

/* Sources that are summed: the print of their sum. */
RV_NODISCARD rv_status rv_print_of(rv_print_memory *m, const rv_track_sources *sources,
                                   const rv_print_watch *watch, rv_audio_print *print,
                                   rv_error *err);

#endif
