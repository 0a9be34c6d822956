/* feature_table.h - features side by side, as numpy's .npz or as CSV. */
#ifndef DATA_FEATURE_TABLE_H
#define DATA_FEATURE_TABLE_H

#include "data/feature_cache.h"

typedef enum rv_column_kind {
    RV_COLUMN_VALUES, /* float */
    RV_COLUMN_VOICED, /* float, 0 where the last of the row is 0 */
    RV_COLUMN_BOOL
} rv_column_kind;

typedef struct rv_feature_column {
    const char *name;
    rv_feature_rows *rows;
    size_t first, width; /* of a row: the values taken */
    bool scalar;         /* width is 1 and the array has one axis */
    rv_column_kind kind;
} rv_feature_column;

enum { RV_FEATURE_COLUMNS_MAX = 16 };

typedef struct rv_feature_table {
    rv_feature_column columns[RV_FEATURE_COLUMNS_MAX];
    size_t n;
    size_t frames; /* of every feature */
    double frame_rate;
    int sample_rate;
} rv_feature_table;

/* The columns that the feature of these rows makes. everywhere: f0 in unvoiced frames, too. */
void rv_feature_table_add(rv_feature_table *t, rv_feature_rows *rows, bool everywhere);

/* Files that appear when they are whole; CSV: time in seconds first. */
RV_NODISCARD rv_status rv_feature_table_npz(const rv_feature_table *t, const char *path,
                                            rv_error *err);
RV_NODISCARD rv_status rv_feature_table_csv(const rv_feature_table *t, const char *path,
                                            rv_error *err);

#endif
