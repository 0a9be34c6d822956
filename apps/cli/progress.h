/* progress.h - how far a file is, on standard error. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <ravel/separate.h>

#include <stdbool.h>

typedef enum progress_mode { PROGRESS_AUTO, PROGRESS_JSON, PROGRESS_NONE } progress_mode;

typedef struct progress {
    progress_mode mode; /* AUTO: a bar if standard error is a terminal */
    const char *file;
    double start; /* seconds */
    double shown; /* when something was printed last */
    bool drawn;   /* a bar is on the line */
} progress;

double progress_now(void);
void progress_begin(progress *p, progress_mode mode, const char *file);
void progress_end(progress *p); /* takes the bar away */

/* A rv_progress_fn: draws, and stops the work after Ctrl-C. */
int progress_update(void *ctx, const rv_progress *now);

/* The same for work that says no more than which part is done. */
int progress_fraction(void *ctx, double fraction);

#endif
