/* oracle_mask.c - ideal binary and ideal ratio masks, as sigsep-mus-oracle (Liutkus & Stoter 2017)
 * defines IBM (theta = 1/2) and IRM; see oracle_filter.h. */
#include "base/status.h"
#include "eval/oracle_filter.h"
#include "eval/oracle_spectra.h"

#include <float.h>
#include <math.h>

static const double theta = 0.5;

static double power_of(const double *bin, double alpha)
{
    const double magnitude = hypot(bin[0], bin[1]);
    return alpha == 1 ? magnitude : pow(magnitude, alpha);
}

/* sources [n] rows after `mixture` become estimates. */
static void apply(const rv_oracle_spectra *s, size_t n, bool binary, double alpha)
{
    const double *mixture = rv_oracle_row(s, 0);
    for (size_t k = 0; k < 2 * RV_ORACLE_BINS; k += 2) {
        double sum = DBL_EPSILON + (binary ? power_of(mixture + k, alpha) : 0);
        for (size_t j = 1; j <= n && !binary; j++)
            sum += power_of(rv_oracle_row(s, j) + k, alpha);
        for (size_t j = 1; j <= n; j++) {
            double *bin = rv_oracle_row(s, j) + k, mask = power_of(bin, alpha) / sum;
            if (binary && mask != theta)
                mask = mask > theta ? 1 : 0;
            bin[0] = mask * mixture[k];
            bin[1] = mask * mixture[k + 1];
        }
    }
}

static rv_status filter_channel(float *const *out, const rv_oracle_input *in, size_t channel,
                                bool binary, double alpha, const rv_oracle_spectra *s,
                                rv_error *err)
{
    for (size_t f = 0; f < rv_oracle_frames(in->frames); f++) {
        if (f % 256 == 0 && in->stop && in->stop(in->stop_ctx))
            return RV_FAIL(err, RV_ERR_CANCELLED, "stopped");
        rv_oracle_analyse(s, rv_oracle_row(s, 0), in->mixture[channel], in->frames, f);
        for (size_t j = 0; j < in->n_sources; j++)
            rv_oracle_analyse(s, rv_oracle_row(s, j + 1), in->sources[j * in->channels + channel],
                              in->frames, f);
        apply(s, in->n_sources, binary, alpha);
        for (size_t j = 0; j < in->n_sources; j++)
            rv_oracle_synthesise(s, rv_oracle_row(s, j + 1), out[j * in->channels + channel],
                                 in->frames, f);
    }
    return RV_OK;
}

rv_status rv_oracle_mask(float *const *out, const rv_oracle_input *in, bool binary, double alpha,
                         rv_error *err)
{
    rv_oracle_spectra s;
    RV_TRY(rv_oracle_spectra_open(&s, in->n_sources + 1, err));
    rv_status status = RV_OK;
    for (size_t c = 0; c < in->channels && status == RV_OK; c++)
        status = filter_channel(out, in, c, binary, alpha, &s, err);
    rv_oracle_spectra_close(&s);
    return status;
}
