/* report_text.h - text from outside (names, files) as JSON strings and as HTML. */
#ifndef REPORT_REPORT_TEXT_H
#define REPORT_REPORT_TEXT_H

#include "base/status.h"

#include <jansson.h>

/* text[0 .. n) as a JSON string; what is not UTF-8, and zeros, become U+FFFD. NULL: no memory. */
json_t *rv_text_json(const char *text, size_t n);

/* The same of a C string. */
json_t *rv_name_json(const char *text);

/* *out (free() it): text safe between tags and in quoted attributes of HTML. */
RV_NODISCARD rv_status rv_text_html(char **out, const char *text, rv_error *err);

/* *out (free() it), with a zero behind the *n bytes. A file above `most` bytes is an error. */
RV_NODISCARD rv_status rv_file_text(char **out, size_t *n, const char *path, size_t most,
                                    rv_error *err);

#endif
