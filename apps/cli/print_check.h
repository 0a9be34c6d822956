/* print_check.h - the report of ravel dataset check, for people and for programs. */
#ifndef CLI_PRINT_CHECK_H
#define CLI_PRINT_CHECK_H

#include <ravel/dataset.h>

void print_check_text(const rv_check_report *r);
void print_check_json(const rv_check_report *r);

#endif
