/* report_embedded.h - the files of src/report/page, put into the library by tools/embed.py. */
#ifndef REPORT_REPORT_EMBEDDED_H
#define REPORT_REPORT_EMBEDDED_H

#include <stddef.h>

typedef struct rv_embedded {
    const char *name; /* "report.css" */
    const unsigned char *bytes;
    size_t n;
} rv_embedded;

/* In the order of the build's list; ended by a name of NULL. */
extern const rv_embedded rv_report_embedded[];

#endif
