/* fuzz_csv.c - any bytes as a table: read or refused with one line of text. */
#include "io/csv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rv_csv *c = NULL;
    rv_error err = { .text = "" };
    size_t total = 0;
    if (rv_csv_parse(&c, (const char *)data, size, "fuzz", &err) != RV_OK) {
        if (strncmp(err.text, "fuzz", 4) != 0 || strchr(err.text, '\n'))
            abort();
        return 0;
    }
    for (size_t row = 0; row < c->n_rows; row++)
        for (size_t column = 0; column < c->n_columns; column++)
            total += strlen(rv_csv_cell(c, row, column)) + 1;
    if (total > size + 1)
        abort();
    rv_csv_free(c);
    return 0;
}
