/* feature_harmonicity.c - how much of a frame's energy lies at the harmonics of its f0, as
 * DDSP-Demucs gates songs:
 *
 *     sum over h = 1 .. 20, h f0 < 0.97 top, of energy(bins within 3 % of h f0) / all energy
 *
 * where top is the highest bin. From the 17th harmonic on the ranges overlap, and their bins count
 * twice. The residual is 1 minus that. */
#include "dsp/feature_kind.h"

#include "base/status.h"
#include "dsp/feature_spectrum.h"

#include <math.h>
#include <stdlib.h>

enum { HARMONICS = 20 };
static const double tolerance = 0.03;

typedef struct harmonicity {
    const rv_feature_spec *spec;
    rv_spectrum spectrum;
    float *power; /* [bins] */
    const float *f0;
    size_t n_f0, next;
} harmonicity;

static size_t width(const rv_feature_spec *spec)
{
    (void)spec;
    return 1;
}

static void destroy(void *state)
{
    harmonicity *h = state;
    rv_spectrum_fini(&h->spectrum);
    free(h->power);
    free(h);
}

static rv_status create(void **state, const rv_feature_input *input, rv_error *err)
{
    harmonicity *h = calloc(1, sizeof *h);
    if (!h)
        return RV_FAIL(err, RV_ERR_NOMEM, "harmonicity");
    h->spec = input->spec;
    h->f0 = input->f0;
    h->n_f0 = input->n_f0;
    h->power = calloc((size_t)input->spec->window / 2 + 1, sizeof *h->power);
    const rv_status st = h->power ? rv_spectrum_init(&h->spectrum, input->spec->window, err)
                                  : RV_FAIL(err, RV_ERR_NOMEM, "harmonicity");
    if (st != RV_OK) {
        destroy(h);
        return st;
    }
    *state = h;
    return RV_OK;
}

/* Energy of the bins from low to high Hz. */
static double energy(const harmonicity *h, double low, double high)
{
    const double spacing = (double)h->spec->sample_rate / h->spec->window;
    const double last = fmin(floor(high / spacing), (double)h->spectrum.bins - 1);
    double sum = 0;
    for (double k = ceil(low / spacing); k <= last; k++)
        sum += (double)h->power[(size_t)k];
    return sum;
}

static double ratio(const harmonicity *h, double f0)
{
    const double top = h->spec->sample_rate / 2.0 * (1 - tolerance);
    double harmonic = 0, total = 1e-12;
    for (size_t k = 0; k < h->spectrum.bins; k++)
        total += (double)h->power[k];
    for (int i = 1; i <= HARMONICS && i * f0 < top; i++)
        harmonic += energy(h, i * f0 * (1 - tolerance), i * f0 * (1 + tolerance));
    return harmonic / total;
}

static void frame(void *state, const float *window, float *out)
{
    harmonicity *h = state;
    const double f0 = h->next < h->n_f0 ? (double)h->f0[h->next] : 0;
    h->next++;
    rv_spectrum_power(&h->spectrum, window, h->power);
    const double part = f0 > 0 ? ratio(h, f0) : 0;
    *out = (float)(h->spec->feature == RV_FEATURE_RESIDUAL ? 1 - part : part);
}

const rv_feature_kind rv_feature_harmonicity = {
    .width = width, .create = create, .destroy = destroy, .frame = frame
};
