/* real_fft.c - FFTW3 in float (Frigo & Johnson 2005, "The design and implementation of FFTW3").
 * FFTW's planner is the one part of it that is not safe in threads (base/planner.h). */
#include "dsp/real_fft.h"

#include "base/planner.h"
#include "base/status.h"

#include <fftw3.h>

struct rv_fft {
    const rv_alloc *mem;
    size_t size, row;
    fftwf_plan forward, inverse;
};

/* Plan on arrays with the alignment that callers promise; their contents do not matter. */
static rv_status plan(rv_fft *f, rv_error *err)
{
    float *x = f->mem->alloc(f->mem->ctx, 2 * f->row * sizeof *x, RV_FFT_ALIGN);
    if (!x)
        return RV_FAIL(err, RV_ERR_NOMEM, "Fourier transform of %zu samples", f->size);
    fftwf_complex *bins = (fftwf_complex *)(x + f->row);
    rv_planner_lock();
    f->forward = fftwf_plan_dft_r2c_1d((int)f->size, x, bins, FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
    f->inverse = fftwf_plan_dft_c2r_1d((int)f->size, bins, x, FFTW_ESTIMATE);
    rv_planner_unlock();
    f->mem->free(f->mem->ctx, x);
    if (!f->forward || !f->inverse)
        return RV_FAIL(err, RV_ERR_NOMEM, "FFTW has no plan for %zu samples", f->size);
    return RV_OK;
}

rv_status rv_fft_new(rv_fft **out, size_t size, const rv_alloc *mem, rv_error *err)
{
    mem = mem ? mem : &rv_alloc_default;
    if (size < 2 || size % 2 || size > (size_t)1 << 24)
        return RV_FAIL(err, RV_ERR_ARG,
                       "Fourier transform of %zu samples; expected an even number up to 2^24",
                       size);
    rv_fft *f = mem->alloc(mem->ctx, sizeof *f, _Alignof(rv_fft));
    if (!f)
        return RV_FAIL(err, RV_ERR_NOMEM, "Fourier transform of %zu samples", size);
    const size_t unit = RV_FFT_ALIGN / sizeof(float);
    *f = (rv_fft){ .mem = mem, .size = size, .row = (size + 2 + unit - 1) / unit * unit };
    const rv_status status = plan(f, err);
    if (status != RV_OK) {
        rv_fft_free(f);
        return status;
    }
    *out = f;
    return RV_OK;
}

void rv_fft_free(rv_fft *f)
{
    if (!f)
        return;
    rv_planner_lock();
    if (f->forward)
        fftwf_destroy_plan(f->forward);
    if (f->inverse)
        fftwf_destroy_plan(f->inverse);
    rv_planner_unlock();
    f->mem->free(f->mem->ctx, f);
}

size_t rv_fft_row(const rv_fft *f)
{
    return f->row;
}

void rv_fft_forward(const rv_fft *f, const float *samples, float complex *bins, size_t count)
{
    for (size_t i = 0; i < count; i++) /* the plan keeps its input: the cast changes nothing */
        fftwf_execute_dft_r2c(f->forward, (float *)(uintptr_t)(samples + i * f->row),
                              (fftwf_complex *)(bins + i * f->row / 2));
}

void rv_fft_inverse(const rv_fft *f, float complex *bins, float *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fftwf_execute_dft_c2r(f->inverse, (fftwf_complex *)(bins + i * f->row / 2),
                              samples + i * f->row);
}
