/* csv.h - a table of text: the first row names the columns (RFC 4180; also \n alone, and a byte
 * order mark before all). */
#ifndef IO_CSV_H
#define IO_CSV_H

#include "base/status.h"

typedef struct rv_csv {
    char *path;
    char **cells; /* [n_rows, n_columns], without the row of names */
    char **names; /* [n_columns] */
    size_t n_columns, n_rows;
    char *text; /* what the cells point into */
} rv_csv;

/* All rows must have as many cells as the first. Errors name the line. */
RV_NODISCARD rv_status rv_csv_parse(rv_csv **out, const char *text, size_t n, const char *path,
                                    rv_error *err);
RV_NODISCARD rv_status rv_csv_read(rv_csv **out, const char *path, rv_error *err);
void rv_csv_free(rv_csv *c);

/* A column that is not there is an error. */
RV_NODISCARD rv_status rv_csv_column(const rv_csv *c, const char *name, size_t *column,
                                     rv_error *err);
const char *rv_csv_cell(const rv_csv *c, size_t row, size_t column);

/* A cell as a number; errors name row and column. */
RV_NODISCARD rv_status rv_csv_number(const rv_csv *c, size_t row, size_t column, double *out,
                                     rv_error *err);

#endif
