/* feature_table.c - see feature_table.h. */
#include "data/feature_table.h"

#include "base/status.h"
#include "io/audio_sink.h"
#include "io/npz_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[RV_FEATURES] = { [RV_FEATURE_LOUDNESS] = "loudness_db",
                                                [RV_FEATURE_RMS] = "rms",
                                                [RV_FEATURE_MEL] = "mel",
                                                [RV_FEATURE_MFCC] = "mfcc",
                                                [RV_FEATURE_CENTROID] = "centroid_hz",
                                                [RV_FEATURE_HARMONICITY] = "harmonicity",
                                                [RV_FEATURE_RESIDUAL] = "residual",
                                                [RV_FEATURE_STFT] = "stft" };

static void add(rv_feature_table *t, const rv_feature_column *column)
{
    if (t->n < RV_FEATURE_COLUMNS_MAX)
        t->columns[t->n++] = *column;
}

void rv_feature_table_add(rv_feature_table *t, rv_feature_rows *rows, bool everywhere)
{
    const rv_feature_spec *spec = rv_feature_rows_spec(rows);
    const size_t width = rv_feature_rows_width(rows);
    t->frames = rv_feature_rows_count(rows);
    t->frame_rate = spec->frame_rate;
    t->sample_rate = spec->sample_rate;
    if (spec->feature != RV_FEATURE_F0) {
        const bool many = spec->feature == RV_FEATURE_MEL || spec->feature == RV_FEATURE_MFCC ||
                          spec->feature == RV_FEATURE_STFT;
        add(t,
            &(rv_feature_column){ names[spec->feature], rows, 0, width, !many, RV_COLUMN_VALUES });
        return;
    }
    const rv_column_kind hz = everywhere ? RV_COLUMN_VALUES : RV_COLUMN_VOICED;
    add(t, &(rv_feature_column){ "f0_hz", rows, 0, 1, true, hz });
    add(t, &(rv_feature_column){ "f0_confidence", rows, 1, 1, true, RV_COLUMN_VALUES });
    add(t, &(rv_feature_column){ "voiced", rows, 2, 1, true, RV_COLUMN_BOOL });
}

/* values [n, column->width], from rows of the feature */
static rv_status read_values(const rv_feature_column *c, size_t first, size_t n, float *values,
                             rv_error *err)
{
    const size_t width = rv_feature_rows_width(c->rows);
    if (width == c->width)
        return rv_feature_rows_read(c->rows, first, n, values, err);
    float row[3];
    for (size_t i = 0; i < n; i++) {
        RV_TRY(rv_feature_rows_read(c->rows, first + i, 1, row, err));
        values[i] = c->kind == RV_COLUMN_VOICED && row[2] <= 0 ? 0 : row[c->first];
    }
    return RV_OK;
}

/* numpy */

static rv_status read_floats(void *ctx, size_t first, size_t n, void *out, rv_error *err)
{
    return read_values(ctx, first, n, out, err);
}

static rv_status read_bools(void *ctx, size_t first, size_t n, void *out, rv_error *err)
{
    unsigned char *flags = out;
    float value;
    for (size_t i = 0; i < n; i++) {
        RV_TRY(read_values(ctx, first + i, 1, &value, err));
        flags[i] = value > 0;
    }
    return RV_OK;
}

static rv_status read_number(void *ctx, size_t first, size_t n, void *out, rv_error *err)
{
    (void)first;
    (void)n;
    (void)err;
    memcpy(out, ctx, 8);
    return RV_OK;
}

rv_status rv_feature_table_npz(const rv_feature_table *t, const char *path, rv_error *err)
{
    rv_npz_array arrays[RV_FEATURE_COLUMNS_MAX + 2];
    int64_t sample_rate = t->sample_rate;
    double frame_rate = t->frame_rate;
    arrays[0] = (rv_npz_array){ "sample_rate", "<i8", 0, { 0 }, read_number, &sample_rate };
    arrays[1] = (rv_npz_array){ "frame_rate", "<f8", 0, { 0 }, read_number, &frame_rate };
    for (size_t i = 0; i < t->n; i++) {
        const rv_feature_column *c = &t->columns[i];
        const bool flags = c->kind == RV_COLUMN_BOOL;
        arrays[i + 2] = (rv_npz_array){ c->name,
                                        flags ? "|b1" : "<f4",
                                        c->scalar ? 1 : 2,
                                        { t->frames, c->width },
                                        flags ? read_bools : read_floats,
                                        (void *)c };
    }
    return rv_npz_write(path, arrays, t->n + 2, err);
}

/* CSV */

static void put(audio_sink *s, const char *text)
{
    rv_sink_write(s, text, strlen(text));
}

/* With '.' whatever the locale, which may have any text there. */
static void put_number(audio_sink *s, double value)
{
    char text[64], clean[64];
    size_t n = 0;
    snprintf(text, sizeof text, "%.9g", value);
    for (const char *c = text; *c; c++)
        if (strchr("+-0123456789e", *c))
            clean[n++] = *c;
        else if (n > 0 && clean[n - 1] != '.')
            clean[n++] = '.';
    clean[n] = '\0';
    put(s, clean);
}

static void put_names(audio_sink *s, const rv_feature_table *t)
{
    char name[64];
    put(s, "time");
    for (size_t i = 0; i < t->n; i++)
        for (size_t k = 0; k < t->columns[i].width; k++) {
            if (t->columns[i].scalar)
                snprintf(name, sizeof name, ",%s", t->columns[i].name);
            else
                snprintf(name, sizeof name, ",%s_%zu", t->columns[i].name, k);
            put(s, name);
        }
    put(s, "\n");
}

static rv_status put_row(audio_sink *s, const rv_feature_table *t, size_t frame, float *values,
                         rv_error *err)
{
    put_number(s, (double)frame / t->frame_rate);
    for (size_t i = 0; i < t->n; i++) {
        RV_TRY(read_values(&t->columns[i], frame, 1, values, err));
        for (size_t k = 0; k < t->columns[i].width; k++) {
            put(s, ",");
            put_number(s, (double)values[k]);
        }
    }
    put(s, "\n");
    return rv_sink_check(s, err);
}

rv_status rv_feature_table_csv(const rv_feature_table *t, const char *path, rv_error *err)
{
    audio_sink s;
    size_t width = 1;
    for (size_t i = 0; i < t->n; i++)
        width = t->columns[i].width > width ? t->columns[i].width : width;
    float *values = calloc(width, sizeof *values);
    if (!values)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    rv_status st = rv_sink_open(&s, path, err);
    if (st == RV_OK) {
        put_names(&s, t);
        for (size_t f = 0; st == RV_OK && f < t->frames; f++)
            st = put_row(&s, t, f, values, err);
        if (st == RV_OK)
            st = rv_sink_commit(&s, err);
        rv_sink_discard(&s);
    }
    free(values);
    return st;
}
