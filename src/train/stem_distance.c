/* stem_distance.c - see stem_distance.h. */
#include "train/stem_distance.h"

#include "base/status.h"
#include "dsp/real_fft.h"
#include "dsp/spectra.h"

#include <math.h>
#include <stdlib.h>

enum { SIZE = 1024, HOP = 256, BINS = SIZE / 2 + 1 };

void rv_stem_energies_add(rv_stem_energies *e, float estimate, float target)
{
    const double x = (double)estimate, s = (double)target;
    e->xs += x * s;
    e->ss += s * s;
    e->xx += x * x;
}

double rv_stem_si_sdr(const rv_stem_energies *e)
{
    const double target = e->xs * e->xs / e->ss, rest = e->xx - target;
    return 10 * log10((target + 1e-12) / ((rest > 0 ? rest : 0) + 1e-12));
}

/* Convergence ------------------------------------------------------------------------------ */

static void add_frame(const float complex *x, const float complex *s, double *off, double *all)
{
    for (size_t k = 0; k < BINS; k++) {
        const double want = (double)cabsf(s[k]), difference = want - (double)cabsf(x[k]);
        *off += difference * difference;
        *all += want * want;
    }
}

rv_status rv_stem_convergence(double *out, const float *estimate, const float *target, size_t n,
                              rv_error *err)
{
    float complex x[BINS], s[BINS];
    rv_spectra *spectra = NULL;
    double off = 0, all = 0;
    RV_TRY(rv_spectra_new(&spectra, SIZE, HOP, NULL, err));
    const size_t bytes = (rv_spectra_scratch(spectra) * sizeof(float) + RV_FFT_ALIGN - 1) /
                         RV_FFT_ALIGN * RV_FFT_ALIGN;
    float *scratch = aligned_alloc(RV_FFT_ALIGN, bytes);
    const rv_status st =
        scratch ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu bytes for spectra", bytes);
    for (size_t t = 0; scratch && t < rv_spectra_frames(spectra, n); t++) {
        rv_spectra_frame(spectra, estimate, n, t, x, scratch);
        rv_spectra_frame(spectra, target, n, t, s, scratch);
        add_frame(x, s, &off, &all);
    }
    rv_spectra_free(spectra);
    free(scratch);
    *out = all > 0 ? sqrt(off / all) : 0;
    return st;
}
