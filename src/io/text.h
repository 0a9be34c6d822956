/* text.h - text that comes from files: shown safely, and read as numbers. */
#ifndef IO_TEXT_H
#define IO_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { RV_SHOWN = 120 }; /* bytes of a rv_shown, with the zero */

typedef struct rv_shown {
    char text[RV_SHOWN];
} rv_shown;

/* What an error message may show of text[0 .. n): control characters become '?', and the end of
 * a long text "...", so that a message stays one readable line. */
rv_shown rv_show(const char *text, size_t n);

/* A decimal number that fills text[0 .. n) (below 64 bytes), with '.' whatever the locale. */
bool rv_number(const char *text, size_t n, double *out);

/* Levenshtein's edit distance of a[0 .. n) and b[0 .. m). */
size_t rv_edit_distance(const char *a, size_t n, const char *b, size_t m);

/* The one of n names that is nearest to `name`, for messages; NULL for none. */
const char *rv_nearest(const char *name, const char *const *names, size_t n);

#endif
