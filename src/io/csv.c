/* csv.c - see csv.h. */
#include "io/csv.h"

#include "io/mapping.h"
#include "io/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Reads from a text that ends in a zero, and writes unquoted cells over it. */
typedef struct csv_parser {
    rv_csv *csv;
    char *at;
    size_t line, cells, room; /* line of the file; cells so far */
} csv_parser;

static rv_status add_cell(csv_parser *p, char *cell, rv_error *err)
{
    if (p->cells == p->room) {
        const size_t room = 2 * p->room + 64;
        char **grown = realloc(p->csv->cells, room * sizeof *grown);
        if (!grown)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", p->csv->path);
        p->csv->cells = grown;
        p->room = room;
    }
    p->csv->cells[p->cells++] = cell;
    return RV_OK;
}

/* "say ""no""" -> say "no"; *end is where the cell ends, and p->at is behind the quote. */
static rv_status take_quoted(csv_parser *p, char **end, rv_error *err)
{
    const size_t line = p->line;
    char *to = p->at;
    for (char *from = p->at + 1; *from; from++) {
        if (*from == '"' && from[1] != '"') {
            *end = to;
            p->at = from + 1;
            return RV_OK;
        }
        from += *from == '"';
        p->line += *from == '\n';
        *to++ = *from;
    }
    return RV_FAIL(err, RV_ERR_FORMAT, "%s:%zu: a quote is not closed", p->csv->path, line);
}

/* One cell and what separates it from the next; *last: it ends its row. */
static rv_status take_cell(csv_parser *p, bool *last, rv_error *err)
{
    char *cell = p->at, *end = NULL;
    if (*p->at == '"') {
        RV_TRY(take_quoted(p, &end, err));
    } else {
        p->at += strcspn(p->at, ",\r\n");
        end = p->at;
    }
    p->at += *p->at == '\r' && (p->at[1] == '\n' || !p->at[1]);
    const char separator = *p->at;
    if (separator && separator != ',' && separator != '\n')
        return RV_FAIL(err, RV_ERR_FORMAT, "%s:%zu: expected a comma or the end of the line",
                       p->csv->path, p->line);
    p->at += separator != '\0';
    *end = '\0';
    *last = separator != ',';
    p->line += separator == '\n';
    return add_cell(p, cell, err);
}

static rv_status take_row(csv_parser *p, rv_error *err)
{
    const size_t first = p->cells, line = p->line;
    for (bool last = false; !last;)
        RV_TRY(take_cell(p, &last, err));
    const size_t n = p->cells - first;
    if (p->csv->n_columns == 0)
        p->csv->n_columns = n;
    if (n != p->csv->n_columns)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s:%zu: %zu cells; expected %zu, as in the first line",
                       p->csv->path, line, n, p->csv->n_columns);
    return RV_OK;
}

static rv_status parse(rv_csv *c, rv_error *err)
{
    const bool marked = strncmp(c->text, "\xef\xbb\xbf", 3) == 0;
    csv_parser p = { .csv = c, .at = c->text + (marked ? 3 : 0), .line = 1 };
    while (*p.at)
        RV_TRY(take_row(&p, err));
    if (p.cells == 0)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: empty; expected a line with names of columns",
                       c->path);
    c->names = c->cells;
    c->n_rows = p.cells / c->n_columns - 1;
    return RV_OK;
}

rv_status rv_csv_parse(rv_csv **out, const char *text, size_t n, const char *path, rv_error *err)
{
    rv_csv *c = calloc(1, sizeof *c);
    if (!c)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    c->path = strdup(path);
    c->text = malloc(n + 1);
    if (!c->path || !c->text) {
        rv_csv_free(c);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    }
    if (n > 0)
        memcpy(c->text, text, n);
    c->text[n] = '\0';
    const rv_status status =
        strlen(c->text) == n ? parse(c, err)
                             : RV_FAIL(err, RV_ERR_FORMAT, "%s: no text: it has a zero byte", path);
    if (status == RV_OK)
        *out = c;
    else
        rv_csv_free(c);
    return status;
}

rv_status rv_csv_read(rv_csv **out, const char *path, rv_error *err)
{
    rv_mapping file;
    RV_TRY(rv_mapping_open(&file, path, err));
    const rv_status status = rv_csv_parse(out, (const char *)file.data, file.size, path, err);
    rv_mapping_close(&file);
    return status;
}

void rv_csv_free(rv_csv *c)
{
    if (!c)
        return;
    free(c->path);
    free(c->cells);
    free(c->text);
    free(c);
}

rv_status rv_csv_column(const rv_csv *c, const char *name, size_t *column, rv_error *err)
{
    for (size_t i = 0; i < c->n_columns; i++)
        if (strcmp(c->names[i], name) == 0) {
            *column = i;
            return RV_OK;
        }
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: the first line names no column \"%s\"", c->path, name);
}

const char *rv_csv_cell(const rv_csv *c, size_t row, size_t column)
{
    return c->cells[(row + 1) * c->n_columns + column];
}

rv_status rv_csv_number(const rv_csv *c, size_t row, size_t column, double *out, rv_error *err)
{
    const char *text = rv_csv_cell(c, row, column);
    if (rv_number(text, strlen(text), out))
        return RV_OK;
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: row %zu, column \"%s\": expected a number, not \"%s\"",
                   c->path, row + 1, c->names[column], rv_show(text, strlen(text)).text);
}
