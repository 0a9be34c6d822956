/* segment_list.h - parts of songs that are wanted, from a CSV file: columns track, start_s, end_s
 * (seconds) and, where there is one, segment_pass (true, True or 1: wanted). */
#ifndef DATA_SEGMENT_LIST_H
#define DATA_SEGMENT_LIST_H

#include "ravel/base.h"

typedef struct rv_segment {
    const char *track;
    double start, end; /* seconds; 0 <= start <= end */
} rv_segment;

typedef struct rv_segment_list {
    rv_segment *at; /* [n] in the order of the file */
    size_t n;
    struct rv_csv *csv; /* holds the names */
} rv_segment_list;

RV_NODISCARD rv_status rv_segment_list_read(rv_segment_list *out, const char *path, rv_error *err);
void rv_segment_list_free(rv_segment_list *l);

#endif
