/* fft_double.c - FFTW3 in double (Frigo & Johnson 2005), with estimated plans: see real_fft.c. */
#include "dsp/fft_double.h"

#include "base/arena.h"
#include "base/planner.h"
#include "base/status.h"

#include <fftw3.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, UNIT = ALIGN / sizeof(double) };

struct rv_fft_double {
    size_t size, row;
    fftw_plan forward, inverse;
};

static rv_status plan(rv_fft_double *f, rv_error *err)
{
    double *x = rv_fft_double_rows(f, 1);
    if (!x)
        return RV_FAIL(err, RV_ERR_NOMEM, "Fourier transform of %zu samples", f->size);
    rv_planner_lock();
    f->forward = fftw_plan_dft_r2c_1d((int)f->size, x, (fftw_complex *)x, FFTW_ESTIMATE);
    f->inverse = fftw_plan_dft_c2r_1d((int)f->size, (fftw_complex *)x, x, FFTW_ESTIMATE);
    rv_planner_unlock();
    rv_fft_double_drop(x);
    if (!f->forward || !f->inverse)
        return RV_FAIL(err, RV_ERR_NOMEM, "FFTW has no plan for %zu samples", f->size);
    return RV_OK;
}

rv_status rv_fft_double_new(rv_fft_double **out, size_t size, rv_error *err)
{
    if (size < 2 || size % 2 || size > (size_t)1 << 24)
        return RV_FAIL(err, RV_ERR_ARG,
                       "Fourier transform of %zu samples; expected an even number up to 2^24",
                       size);
    rv_fft_double *f = calloc(1, sizeof *f);
    if (!f)
        return RV_FAIL(err, RV_ERR_NOMEM, "Fourier transform of %zu samples", size);
    *f = (rv_fft_double){ .size = size, .row = (size + 2 + UNIT - 1) / UNIT * UNIT };
    const rv_status status = plan(f, err);
    if (status != RV_OK) {
        rv_fft_double_free(f);
        return status;
    }
    *out = f;
    return RV_OK;
}

void rv_fft_double_free(rv_fft_double *f)
{
    if (!f)
        return;
    rv_planner_lock();
    if (f->forward)
        fftw_destroy_plan(f->forward);
    if (f->inverse)
        fftw_destroy_plan(f->inverse);
    rv_planner_unlock();
    free(f);
}

size_t rv_fft_double_row(const rv_fft_double *f)
{
    return f->row;
}

double *rv_fft_double_rows(const rv_fft_double *f, size_t n)
{
    if (n > SIZE_MAX / sizeof(double) / f->row)
        return NULL;
    const size_t bytes = n * f->row * sizeof(double);
    double *rows = rv_alloc_default.alloc(NULL, bytes, ALIGN);
    return rows ? memset(rows, 0, bytes) : NULL;
}

void rv_fft_double_drop(double *rows)
{
    if (rows)
        rv_alloc_default.free(NULL, rows);
}

void rv_fft_double_forward(const rv_fft_double *f, double *row)
{
    fftw_execute_dft_r2c(f->forward, row, (fftw_complex *)row);
}

void rv_fft_double_inverse(const rv_fft_double *f, double *row)
{
    fftw_execute_dft_c2r(f->inverse, (fftw_complex *)row, row);
}
