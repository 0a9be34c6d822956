/* json_text.h - text as a JSON string. */
#ifndef CLI_JSON_TEXT_H
#define CLI_JSON_TEXT_H

#include <stdio.h>

/* With its quotes; bytes that are no UTF-8 (file names may hold any) become U+FFFD. */
void json_text(FILE *f, const char *text);

#endif
