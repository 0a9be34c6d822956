/* loss_build.c - the table of losses, and a sum of them from a configuration. */
#include "train/loss.h"

#include "base/status.h"

#include <string.h>

typedef rv_node *term_fn(const rv_loss_term *term, rv_node *e, rv_node *t, double sample_rate);

static rv_node *build_l1(const rv_loss_term *term, rv_node *e, rv_node *t, double sample_rate)
{
    (void)term;
    (void)sample_rate;
    return rv_loss_l1(e, t);
}

static rv_node *build_mse(const rv_loss_term *term, rv_node *e, rv_node *t, double sample_rate)
{
    (void)term;
    (void)sample_rate;
    return rv_loss_mse(e, t);
}

static rv_node *build_log_cosh(const rv_loss_term *term, rv_node *e, rv_node *t, double sample_rate)
{
    (void)sample_rate;
    return rv_loss_log_cosh(e, t, term->options.sharpness);
}

static rv_node *build_si_sdr(const rv_loss_term *term, rv_node *e, rv_node *t, double sample_rate)
{
    (void)sample_rate;
    return rv_loss_si_sdr(e, t, &term->options.si_sdr);
}

static rv_node *build_snr(const rv_loss_term *term, rv_node *e, rv_node *t, double sample_rate)
{
    (void)sample_rate;
    return rv_loss_snr(e, t, term->options.least);
}

static rv_node *build_mrstft(const rv_loss_term *term, rv_node *e, rv_node *t, double sample_rate)
{
    return rv_loss_multi_resolution_stft(e, t, sample_rate, &term->options.mrstft);
}

static rv_node *build_spectral(const rv_loss_term *term, rv_node *e, rv_node *t, double sample_rate)
{
    return rv_loss_spectral(e, t, sample_rate, &term->options.spectral);
}

static rv_node *build_mel(const rv_loss_term *term, rv_node *e, rv_node *t, double sample_rate)
{
    return rv_loss_mel(e, t, sample_rate, &term->options.mel);
}

static rv_node *build_centroid(const rv_loss_term *term, rv_node *e, rv_node *t, double sample_rate)
{
    (void)sample_rate;
    return rv_loss_centroid(e, t, &term->options.stft);
}

static rv_node *build_transport(const rv_loss_term *term, rv_node *e, rv_node *t,
                                double sample_rate)
{
    (void)sample_rate;
    return rv_loss_transport(e, t, &term->options.stft);
}

static rv_node *build_complex_stft(const rv_loss_term *term, rv_node *e, rv_node *t,
                                   double sample_rate)
{
    (void)sample_rate;
    return rv_loss_complex_stft(e, t, &term->options.stft);
}

static rv_node *build_mean_centroid(const rv_loss_term *term, rv_node *e, rv_node *t,
                                    double sample_rate)
{
    (void)sample_rate;
    return rv_loss_mean_centroid(e, t, &term->options.stft);
}

static rv_node *build_crepe(const rv_loss_term *term, rv_node *e, rv_node *t, double sample_rate)
{
    return rv_loss_crepe(e, t, sample_rate, &term->options.crepe);
}

static const struct {
    const char *name;
    term_fn *build;
} losses[RV_LOSS_KINDS] = {
    [RV_LOSS_L1] = { "l1", build_l1 },
    [RV_LOSS_MSE] = { "mse", build_mse },
    [RV_LOSS_LOG_COSH] = { "log_cosh", build_log_cosh },
    [RV_LOSS_SI_SDR] = { "si_sdr", build_si_sdr },
    [RV_LOSS_SNR] = { "snr", build_snr },
    [RV_LOSS_MRSTFT] = { "mrstft", build_mrstft },
    [RV_LOSS_SPECTRAL] = { "spectral", build_spectral },
    [RV_LOSS_MEL] = { "mel", build_mel },
    [RV_LOSS_CENTROID] = { "centroid", build_centroid },
    [RV_LOSS_TRANSPORT] = { "transport", build_transport },
    [RV_LOSS_COMPLEX_STFT] = { "complex_stft", build_complex_stft },
    [RV_LOSS_MEAN_CENTROID] = { "mean_centroid", build_mean_centroid },
    [RV_LOSS_CREPE] = { "crepe", build_crepe },
};

const char *rv_loss_name(rv_loss_kind kind)
{
    return (unsigned)kind < RV_LOSS_KINDS ? losses[kind].name : NULL;
}

rv_loss_kind rv_loss_find(const char *name)
{
    int kind = 0;
    while (kind < RV_LOSS_KINDS && strcmp(losses[kind].name, name) != 0)
        kind++;
    return (rv_loss_kind)kind;
}

rv_loss_term rv_loss_term_defaults(rv_loss_kind kind)
{
    rv_loss_term t = { .kind = kind, .weight = 1 };
    if (kind == RV_LOSS_LOG_COSH)
        t.options.sharpness = 1;
    else if (kind == RV_LOSS_SNR)
        t.options.least = 1e-3;
    else if (kind == RV_LOSS_SI_SDR)
        t.options.si_sdr = rv_si_sdr_defaults();
    else if (kind == RV_LOSS_MRSTFT)
        t.options.mrstft = rv_mrstft_defaults();
    else if (kind == RV_LOSS_SPECTRAL)
        t.options.spectral = rv_spectral_defaults();
    else if (kind == RV_LOSS_MEL)
        t.options.mel = rv_mel_defaults();
    else if (kind == RV_LOSS_CENTROID || kind == RV_LOSS_TRANSPORT || kind == RV_LOSS_COMPLEX_STFT)
        t.options.stft = (rv_stft_size){ 2048, 512, 2048 };
    else if (kind == RV_LOSS_MEAN_CENTROID)
        t.options.stft = (rv_stft_size){ 1024, 256, 1024 };
    else if (kind == RV_LOSS_CREPE)
        t.options.crepe = rv_crepe_loss_defaults();
    return t;
}

static rv_node *sum_of_terms(const rv_loss_config *c, rv_node *e, rv_node *t, double sample_rate)
{
    rv_node *sum = NULL;
    for (size_t i = 0; i < c->n; i++) {
        const rv_loss_term *term = &c->term[i];
        rv_node *y = losses[term->kind].build(term, e, t, sample_rate);
        y = rv_scale(y, term->weight, 0);
        sum = sum ? rv_add(sum, y) : y;
    }
    return sum;
}

static bool config_fits(const rv_loss_config *c, const rv_node *estimate, size_t stems)
{
    rv_graph *g = estimate->graph;
    const size_t channels = rv_extent(estimate, -1);
    if (c->n == 0 || c->n > RV_MAX_LOSS_TERMS)
        rv_poison(g, RV_ERR_ARG, __func__, "a loss of %zu terms, 1 to %d are possible", c->n,
                  RV_MAX_LOSS_TERMS);
    else if (stems == 0 || stems > RV_MAX_LOSS_STEMS || channels % stems)
        rv_poison(g, RV_ERR_SHAPE, __func__, "%zu stems (at most %d) in %zu channels", stems,
                  RV_MAX_LOSS_STEMS, channels);
    for (size_t i = 0; i < c->n && i < RV_MAX_LOSS_TERMS; i++)
        if (!rv_loss_name(c->term[i].kind))
            rv_poison(g, RV_ERR_ARG, __func__, "term %zu: no loss number %d", i,
                      (int)c->term[i].kind);
    for (size_t s = 0; s < stems && s < RV_MAX_LOSS_STEMS; s++)
        if (!(c->stem_weights[s] >= 0))
            rv_poison(g, RV_ERR_ARG, __func__, "weight %g of stem %zu is negative",
                      c->stem_weights[s], s);
    return rv_graph_status(g, NULL) == RV_OK;
}

rv_node *rv_loss_build(const rv_loss_config *c, rv_node *estimate, rv_node *target, size_t stems,
                       double sample_rate)
{
    if (!config_fits(c, estimate, stems))
        return rv_poison(estimate->graph, RV_ERR_ARG, __func__, "loss");
    bool equal = true;
    double total = 0;
    for (size_t s = 0; s < stems; s++) {
        equal = equal && c->stem_weights[s] == c->stem_weights[0];
        total += c->stem_weights[s];
    }
    if (equal)
        return sum_of_terms(c, estimate, target, sample_rate);
    const size_t width = rv_extent(estimate, -1) / stems;
    rv_node *sum = NULL;
    for (size_t s = 0; s < stems; s++) {
        if (c->stem_weights[s] == 0)
            continue;
        rv_node *y = sum_of_terms(c, rv_slice(estimate, 2, s * width, width),
                                  rv_slice(target, 2, s * width, width), sample_rate);
        y = rv_scale(y, c->stem_weights[s] / total, 0);
        sum = sum ? rv_add(sum, y) : y;
    }
    return sum;
}
