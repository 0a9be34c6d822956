/* report_page.h - the HTML file while it is written: text, JSON and files as base64.
 *
 * What stands in a <script> element must not hold "</script" or "<!--": JSON is written with every
 * "<" as \u003c, and base64 has none. */
#ifndef REPORT_REPORT_PAGE_H
#define REPORT_REPORT_PAGE_H

#include "io/audio_sink.h"

#include <jansson.h>

typedef struct rv_page {
    audio_sink sink;
    uint64_t bytes; /* written so far */
} rv_page;

/* All of them do nothing after a failure, which rv_sink_check(&p->sink) tells. */
void rv_page_bytes(rv_page *p, const void *bytes, size_t n);
RV_PRINTF(2, 3)
void rv_page_print(rv_page *p, const char *fmt, ...);

/* The file from its start. */
void rv_page_base64(rv_page *p, int fd);

/* False: no memory. */
RV_NODISCARD bool rv_page_json(rv_page *p, const json_t *value);

#endif
