/* play_params.c - see play_params.h. */
#include "infer/play_params.h"

#include "base/status.h"
#include "io/npz_write.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[RV_PLAY_PARAMS] = { "f0_hz", "loudness_db", "amplitude",
                                                   "harmonic_distribution", "noise_magnitudes" };

rv_status rv_play_params_init(rv_play_params *p, const char *path, const rv_autoencoder_config *c,
                              rv_error *err)
{
    const size_t widths[] = { 1, 1, 1, c->decoder.n_harmonic, c->decoder.n_bands };
    *p = (rv_play_params){ .path = path };
    p->sample_rate = (double)c->sample_rate;
    p->frame_rate = p->sample_rate / (double)c->hop;
    for (int i = 0; i < RV_PLAY_PARAMS; i++) {
        p->columns[i].width = widths[i];
        RV_TRY(rv_spool_new(&p->columns[i].spool, path, widths[i], err));
    }
    return RV_OK;
}

void rv_play_params_fini(rv_play_params *p)
{
    for (int i = 0; i < RV_PLAY_PARAMS; i++)
        rv_spool_free(p->columns[i].spool);
    free(p->planes);
}

/* rows [n,width] as planes [width][n] to the spool */
static rv_status add(rv_play_params *p, int column, const float *rows, size_t n, rv_error *err)
{
    const size_t width = p->columns[column].width;
    const float **planes = malloc(width * sizeof *planes);
    if (!planes)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu columns", p->path, width);
    for (size_t k = 0; k < width; k++) {
        float *plane = p->planes + k * n;
        for (size_t i = 0; i < n; i++)
            plane[i] = rows[i * width + k];
        planes[k] = plane;
    }
    const rv_status st = rv_spool_write(p->columns[column].spool, planes, n, err);
    free((void *)planes);
    return st;
}

static rv_status make_room(rv_play_params *p, size_t n, rv_error *err)
{
    size_t width = 1;
    for (int i = 0; i < RV_PLAY_PARAMS; i++)
        width = p->columns[i].width > width ? p->columns[i].width : width;
    if (n <= p->most)
        return RV_OK;
    free(p->planes);
    p->planes = malloc(n * width * sizeof *p->planes);
    p->most = p->planes ? n : 0;
    return p->planes ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu frames", p->path, n);
}

rv_status rv_play_params_add(rv_play_params *p, const rv_play_controls *c, rv_error *err)
{
    const float *const rows[] = { c->f0, c->loudness, c->amplitude, c->distribution,
                                  c->magnitudes };
    RV_TRY(make_room(p, c->n, err));
    for (int i = 0; i < RV_PLAY_PARAMS; i++)
        RV_TRY(add(p, i, rows[i], c->n, err));
    p->frames += c->n;
    return RV_OK;
}

/* Writing ---------------------------------------------------------------------------------- */

typedef struct column_of {
    rv_play_params *params;
    int column;
} column_of;

static rv_status give_rows(void *ctx, size_t first, size_t n, void *out, rv_error *err)
{
    const column_of *of = ctx;
    rv_play_params *p = of->params;
    const size_t width = p->columns[of->column].width;
    float *to = out;
    (void)first; /* in order */
    for (size_t i = 0; i < n; i++, to += width) {
        if (p->columns[of->column].at == p->columns[of->column].in_block) {
            p->columns[of->column].at = 0;
            RV_TRY(rv_spool_read(p->columns[of->column].spool, &p->columns[of->column].block,
                                 &p->columns[of->column].in_block, err));
            if (p->columns[of->column].in_block == 0)
                return RV_FAIL(err, RV_ERR_IO, "%s: frames are missing", p->path);
        }
        for (size_t k = 0; k < width; k++)
            to[k] = p->columns[of->column].block[k][p->columns[of->column].at];
        p->columns[of->column].at++;
    }
    return RV_OK;
}

static rv_status give_number(void *ctx, size_t first, size_t n, void *out, rv_error *err)
{
    (void)first;
    (void)n;
    (void)err;
    memcpy(out, ctx, sizeof(double));
    return RV_OK;
}

rv_status rv_play_params_write(rv_play_params *p, rv_error *err)
{
    column_of of[RV_PLAY_PARAMS];
    rv_npz_array arrays[RV_PLAY_PARAMS + 2] = {
        { "sample_rate", "<f8", 0, { 0 }, give_number, &p->sample_rate },
        { "frame_rate", "<f8", 0, { 0 }, give_number, &p->frame_rate },
    };
    for (int i = 0; i < RV_PLAY_PARAMS; i++) {
        of[i] = (column_of){ p, i };
        arrays[2 + i] = (rv_npz_array){ .name = names[i],
                                        .type = "<f4",
                                        .rank = i < 3 ? 1 : 2,
                                        .shape = { p->frames, p->columns[i].width },
                                        .read = give_rows,
                                        .ctx = &of[i] };
    }
    return rv_npz_write(p->path, arrays, RV_PLAY_PARAMS + 2, err);
}
