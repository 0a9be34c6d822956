/* loss_mel.c - L1 distance of log mel spectra (ddsp/log_mel.c). */
#include "train/loss_spectrum.h"

#include "base/status.h"

rv_mel_options rv_mel_defaults(void)
{
    return (rv_mel_options){ .n_fft = 2048, .bands = 64, .lowest = 80, .eps = 1e-5 };
}

static rv_node *log_mel(rv_node *x, rv_node *weights, const rv_mel_options *o)
{
    rv_node *m = rv_magnitude(rv_spectrum_padded(rv_loss_rows(x), o->n_fft, o->n_fft / 4), 0);
    rv_node *bands = rv_linear(m, weights, NULL);
    return rv_log(o->added ? rv_scale(bands, 1, o->eps) : rv_maximum(bands, o->eps));
}

rv_node *rv_loss_mel(rv_node *estimate, rv_node *target, double sample_rate,
                     const rv_mel_options *o)
{
    const double highest = o->highest > 0 ? o->highest : sample_rate / 2;
    const rv_mel_config mel = { sample_rate, o->n_fft, o->n_fft / 4, o->bands, o->lowest, highest };
    rv_loss_check(estimate, target);
    if (!(o->eps > 0))
        return rv_poison(estimate->graph, RV_ERR_ARG, __func__, "mel: eps %g", o->eps);
    rv_node *weights = rv_mel_weights(estimate->graph, &mel);
    return rv_mean_absolute(rv_sub(log_mel(target, weights, o), log_mel(estimate, weights, o)));
}
