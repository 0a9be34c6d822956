/* segment_list.c - see segment_list.h. */
#include "data/segment_list.h"

#include "io/csv.h"

#include <stdbool.h>
#include <stdlib.h>
#include <strings.h>

typedef struct columns {
    size_t track, start, end, pass;
    bool has_pass;
} columns;

static rv_status find_columns(columns *c, const rv_csv *csv, rv_error *err)
{
    RV_TRY(rv_csv_column(csv, "track", &c->track, err));
    RV_TRY(rv_csv_column(csv, "start_s", &c->start, err));
    RV_TRY(rv_csv_column(csv, "end_s", &c->end, err));
    c->has_pass = rv_csv_column(csv, "segment_pass", &c->pass, NULL) == RV_OK;
    return RV_OK;
}

static bool passes(const columns *c, const rv_csv *csv, size_t row)
{
    const char *word = c->has_pass ? rv_csv_cell(csv, row, c->pass) : "1";
    return strcasecmp(word, "true") == 0 || (word[0] == '1' && !word[1]);
}

static rv_status add_row(rv_segment_list *l, const columns *c, size_t row, rv_error *err)
{
    rv_segment s = { .track = rv_csv_cell(l->csv, row, c->track) };
    RV_TRY(rv_csv_number(l->csv, row, c->start, &s.start, err));
    RV_TRY(rv_csv_number(l->csv, row, c->end, &s.end, err));
    if (!(s.start >= 0 && s.start <= s.end && s.end < 1e7))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: row %zu: no segment lies from %g to %g s",
                       l->csv->path, row + 1, s.start, s.end);
    l->at[l->n++] = s;
    return RV_OK;
}

static rv_status add_rows(rv_segment_list *l, rv_error *err)
{
    columns c = { 0 };
    RV_TRY(find_columns(&c, l->csv, err));
    l->at = calloc(l->csv->n_rows + 1, sizeof *l->at);
    if (!l->at)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", l->csv->path);
    for (size_t row = 0; row < l->csv->n_rows; row++)
        if (passes(&c, l->csv, row))
            RV_TRY(add_row(l, &c, row, err));
    return RV_OK;
}

rv_status rv_segment_list_read(rv_segment_list *out, const char *path, rv_error *err)
{
    *out = (rv_segment_list){ 0 };
    RV_TRY(rv_csv_read(&out->csv, path, err));
    const rv_status status = add_rows(out, err);
    if (status != RV_OK)
        rv_segment_list_free(out);
    return status;
}

void rv_segment_list_free(rv_segment_list *l)
{
    free(l->at);
    rv_csv_free(l->csv);
    *l = (rv_segment_list){ 0 };
}
