/* loss_time.c - losses on samples.
 *
 * SI-SDR (J. Le Roux et al., "SDR - half-baked or well done?", 2019, arXiv:1811.02508), for a
 * signal e and its target t, each of one channel:
 *
 *     p = t <e,t> / <t,t>,   SI-SDR = 10 log10(|p|^2 / |p - e|^2) dB
 *
 * SNR with a floor beneath both powers, so that silent targets count without ruling (S. Wisdom et
 * al., "What's all the fuss about free universal sound separation data?", 2021, arXiv:2011.00803,
 * with a floor of another form):
 *
 *     SNR = 10 log10((mean t^2 + floor) / (mean (e - t)^2 + floor)) dB */
#include "train/loss_spectrum.h"

#include "base/status.h"

#include <math.h>

rv_node *rv_loss_l1(rv_node *estimate, rv_node *target)
{
    rv_loss_check(estimate, target);
    return rv_mean_absolute(rv_sub(estimate, target));
}

rv_node *rv_loss_mse(rv_node *estimate, rv_node *target)
{
    rv_loss_check(estimate, target);
    return rv_mean_square(rv_sub(estimate, target));
}

rv_node *rv_loss_log_cosh(rv_node *estimate, rv_node *target, double a)
{
    rv_loss_check(estimate, target);
    if (!(a > 0))
        return rv_poison(estimate->graph, RV_ERR_ARG, __func__, "log_cosh: a = %g is not above 0",
                         a);
    rv_node *d = rv_scale(rv_sub(estimate, target), a, 0);
    return rv_scale(rv_mean(rv_log_cosh(d)), 1 / a, 0);
}

rv_si_sdr_options rv_si_sdr_defaults(void)
{
    return (rv_si_sdr_options){ .eps = 0x1p-23 };
}

/* a, b [R,T] -> [R,1] */
static rv_node *product(rv_node *a, rv_node *b)
{
    return rv_sum_to(rv_mul(a, b), RV_SHAPE(rv_extent(a, 0), 1));
}

static rv_node *plus(rv_node *x, double b)
{
    return rv_scale(x, 1, b);
}

static rv_node *signals(rv_node *x, bool zero_mean)
{
    rv_node *rows = rv_loss_rows(x);
    return zero_mean ? rv_sub(rows, rv_mean_to(rows, RV_SHAPE(rv_extent(rows, 0), 1))) : rows;
}

rv_node *rv_loss_si_sdr(rv_node *estimate, rv_node *target, const rv_si_sdr_options *options)
{
    rv_loss_check(estimate, target);
    const double eps = options->eps;
    const double above = options->form == RV_SI_SDR_TORCHMETRICS ? eps : 0; /* in numerators */
    if (!(eps > 0))
        return rv_poison(estimate->graph, RV_ERR_ARG, __func__, "si_sdr: eps = %g is not above 0",
                         eps);
    rv_node *e = signals(estimate, options->zero_mean), *t = signals(target, options->zero_mean);
    rv_node *p = rv_mul(t, rv_div(plus(product(e, t), above), plus(product(t, t), eps)));
    rv_node *noise = rv_sub(p, e);
    rv_node *ratio = rv_div(plus(product(p, p), above), plus(product(noise, noise), eps));
    return rv_scale(rv_mean(rv_log(plus(ratio, eps - above))), -10 / log(10), 0);
}

/* x [R,T] -> [R,1], mean squares */
static rv_node *powers(rv_node *x)
{
    return rv_mean_to(rv_mul(x, x), RV_SHAPE(rv_extent(x, 0), 1));
}

rv_node *rv_loss_snr(rv_node *estimate, rv_node *target, double least)
{
    rv_loss_check(estimate, target);
    if (!(least > 0))
        return rv_poison(estimate->graph, RV_ERR_ARG, __func__, "snr: floor = %g is not above 0",
                         least);
    rv_node *e = rv_loss_rows(estimate), *t = rv_loss_rows(target);
    rv_node *noise = rv_log(plus(powers(rv_sub(e, t)), least));
    rv_node *signal = rv_log(plus(powers(t), least));
    return rv_scale(rv_mean(rv_sub(noise, signal)), 10 / log(10), 0);
}
