/* test_loss_recipe.c - every option of every loss can be said in a recipe; what cannot be is
 * refused with the nearest key that can. */
#include "check.h"
#include "train/loss_recipe.h"

#include <stdlib.h>
#include <string.h>

/* The section `loss` with these terms, as JSON. */
static json_t *values_of(const char *terms)
{
    json_t *list = json_loads(terms, 0, NULL);
    CHECK_MSG(list, "no JSON: %s", terms);
    return json_pack("{s{sos[]}}", "loss", "terms", list, "stem_weights");
}

/* The only term of a loss. */
static rv_loss_term read_one(const char *term)
{
    char text[600];
    rv_error err = { 0 };
    rv_loss_config c;
    snprintf(text, sizeof text, "[{%s}]", term);
    json_t *values = values_of(text);
    CHECK_OK(rv_loss_read(&c, values, NULL, 2, &err), err);
    json_decref(values);
    CHECK(c.n == 1);
    return c.term[0];
}

static bool same_size(const rv_stft_size *a, const rv_stft_size *b)
{
    return a->n_fft == b->n_fft && a->hop == b->hop && a->window == b->window;
}

static bool same_si_sdr(const rv_si_sdr_options *a, const rv_si_sdr_options *b)
{
    return a->form == b->form && a->zero_mean == b->zero_mean && a->eps == b->eps;
}

static bool same_mrstft(const rv_mrstft_options *a, const rv_mrstft_options *b)
{
    bool same = a->n == b->n && a->w_sc == b->w_sc && a->w_log_mag == b->w_log_mag &&
                a->w_lin_mag == b->w_lin_mag && a->eps == b->eps && a->distance == b->distance &&
                a->sum == b->sum && a->a_weighting == b->a_weighting;
    for (size_t i = 0; same && i < a->n; i++)
        same = same_size(&a->size[i], &b->size[i]);
    return same;
}

static bool same_spectral(const rv_spectral_options *a, const rv_spectral_options *b)
{
    bool same = a->n == b->n && a->distance == b->distance && a->mag == b->mag &&
                a->delta_time == b->delta_time && a->delta_freq == b->delta_freq &&
                a->cumsum_freq == b->cumsum_freq && a->logmag == b->logmag &&
                a->loudness == b->loudness;
    for (size_t i = 0; same && i < a->n; i++)
        same = a->n_fft[i] == b->n_fft[i];
    return same;
}

static bool same_mel(const rv_mel_options *a, const rv_mel_options *b)
{
    return a->n_fft == b->n_fft && a->bands == b->bands && a->lowest == b->lowest &&
           a->highest == b->highest && a->eps == b->eps;
}

static void check_term(const char *text, const rv_loss_term *want)
{
    const rv_loss_term got = read_one(text);
    bool same = got.kind == want->kind && got.weight == want->weight;
    switch (want->kind) {
    case RV_LOSS_LOG_COSH:
        same = same && got.options.sharpness == want->options.sharpness;
        break;
    case RV_LOSS_SI_SDR:
        same = same && same_si_sdr(&got.options.si_sdr, &want->options.si_sdr);
        break;
    case RV_LOSS_SNR:
        same = same && got.options.least == want->options.least;
        break;
    case RV_LOSS_MRSTFT:
        same = same && same_mrstft(&got.options.mrstft, &want->options.mrstft);
        break;
    case RV_LOSS_SPECTRAL:
        same = same && same_spectral(&got.options.spectral, &want->options.spectral);
        break;
    case RV_LOSS_MEL:
        same = same && same_mel(&got.options.mel, &want->options.mel);
        break;
    case RV_LOSS_CENTROID:
    case RV_LOSS_TRANSPORT:
    case RV_LOSS_COMPLEX_STFT:
        same = same && same_size(&got.options.stft, &want->options.stft);
        break;
    default:
        break;
    }
    CHECK_MSG(same, "other options than expected of %s", text);
}

/* The table of keys and loss.h agree on the defaults. */
TEST(test_defaults)
{
    for (int kind = 0; kind < RV_LOSS_KINDS; kind++) {
        char text[60];
        if (kind == RV_LOSS_CREPE)
            continue; /* needs a file: test_loss_crepe.c */
        const rv_loss_term want = rv_loss_term_defaults((rv_loss_kind)kind);
        snprintf(text, sizeof text, "\"kind\": \"%s\"", rv_loss_name((rv_loss_kind)kind));
        check_term(text, &want);
    }
}

TEST(test_all_options)
{
    rv_loss_term t = { .kind = RV_LOSS_LOG_COSH, .weight = 0.5, .options.sharpness = 3 };
    check_term("\"kind\": \"log_cosh\", \"weight\": 0.5, \"sharpness\": 3", &t);
    t = (rv_loss_term){ .kind = RV_LOSS_SI_SDR,
                        .weight = 1,
                        .options.si_sdr = { RV_SI_SDR_TORCHMETRICS, true, 1e-6 } };
    check_term("\"kind\": \"si_sdr\", \"zero_mean\": true, \"eps\": 1e-6", &t);
    t.options.si_sdr = (rv_si_sdr_options){ RV_SI_SDR_ASTEROID, true, 1e-8 };
    check_term("\"kind\": \"si_sdr\", \"form\": \"asteroid\"", &t);
    t = (rv_loss_term){ .kind = RV_LOSS_SNR, .weight = 1, .options.least = 0.02 };
    check_term("\"kind\": \"snr\", \"floor\": 0.02", &t);
    t = (rv_loss_term){ .kind = RV_LOSS_SPECTRAL,
                        .weight = 1,
                        .options.spectral = { .n = 2,
                                              .n_fft = { 512, 64 },
                                              .distance = RV_DISTANCE_COSINE,
                                              .mag = 2,
                                              .delta_time = 3,
                                              .delta_freq = 4,
                                              .cumsum_freq = 5,
                                              .logmag = 6,
                                              .loudness = 7 } };
    check_term("\"kind\": \"spectral\", \"n_fft\": [512, 64], \"distance\": \"cosine\", \"mag\": 2,"
               "\"delta_time\": 3, \"delta_freq\": 4, \"cumsum_freq\": 5, \"logmag\": 6,"
               "\"loudness\": 7",
               &t);
    t = (rv_loss_term){ .kind = RV_LOSS_MEL,
                        .weight = 1,
                        .options.mel = { 1024, 80, 20, 7000, 1e-3 } };
    check_term("\"kind\": \"mel\", \"n_fft\": 1024, \"bands\": 80, \"lowest\": 20,"
               "\"highest\": 7000, \"eps\": 1e-3",
               &t);
    t.options.mel = (rv_mel_options){ .n_fft = 2048, .bands = 64, .lowest = 80, .eps = 1e-5 };
    t.options.mel.added = true;
    check_term("\"kind\": \"mel\", \"floor\": \"added\"", &t);
    t = (rv_loss_term){ .kind = RV_LOSS_MEAN_CENTROID,
                        .weight = 1,
                        .options.stft = { 512, 128, 512 } };
    check_term("\"kind\": \"mean_centroid\", \"n_fft\": 512", &t);
    t = (rv_loss_term){ .kind = RV_LOSS_COMPLEX_STFT,
                        .weight = 1,
                        .options.stft = { 1024, 100, 800 } };
    check_term("\"kind\": \"complex_stft\", \"n_fft\": 1024, \"hop\": 100, \"window\": 800", &t);
    t = (rv_loss_term){ .kind = RV_LOSS_TRANSPORT,
                        .weight = 1,
                        .options.stft = { 1024, 256, 1024 } };
    check_term("\"kind\": \"transport\", \"n_fft\": 1024", &t);
}

/* Sizes stand for themselves; hops and windows that are not given follow from n_fft. */
TEST(test_resolutions)
{
    rv_loss_term t = rv_loss_term_defaults(RV_LOSS_MRSTFT);
    rv_mrstft_options *o = &t.options.mrstft;
    *o = (rv_mrstft_options){ .n = 2,
                              .size = { { 512, 100, 400 }, { 256, 60, 200 } },
                              .w_sc = 0,
                              .w_log_mag = 2,
                              .w_lin_mag = 3,
                              .eps = 1e-4,
                              .distance = RV_DISTANCE_L2,
                              .sum = true,
                              .a_weighting = true };
    check_term("\"kind\": \"mrstft\", \"n_fft\": [512, 256], \"hop\": [100, 60],"
               "\"window\": [400, 200], \"w_sc\": 0, \"w_log_mag\": 2, \"w_lin_mag\": 3,"
               "\"eps\": 1e-4, \"distance\": \"l2\", \"reduction\": \"sum\", \"a_weighting\": true",
               &t);
    *o = rv_mrstft_defaults();
    o->n = 1;
    o->size[0] = (rv_stft_size){ 300, 75, 300 };
    check_term("\"kind\": \"mrstft\", \"n_fft\": [300]", &t);
    *o = rv_mrstft_defaults();
    o->size[1].window = 2000;
    check_term("\"kind\": \"mrstft\", \"window\": [600, 2000, 240]", &t);
}

static void check_refused(const char *terms, const char *word)
{
    rv_error err = { 0 };
    rv_loss_config c;
    json_t *values = values_of(terms);
    const rv_status st = rv_loss_read(&c, values, NULL, 2, &err);
    CHECK_MSG(st == RV_ERR_FORMAT && strstr(err.text, word) && !strchr(err.text, '\n'),
              "%s: status %d, no \"%s\" in: %s", terms, st, word, err.text);
    json_decref(values);
}

TEST(test_what_is_refused)
{
    check_refused("[]", "1 to 8 terms");
    check_refused("[3]", "loss.terms.0");
    check_refused("[{\"weight\": 2}]", "loss.terms.0: must have a kind");
    check_refused("[{\"kind\": \"l3\"}]", "not 'l3'");
    check_refused("[{\"kind\": \"l1\", \"wieght\": 2}]", "\"loss.terms.0.weight\"");
    check_refused("[{\"kind\": \"l1\", \"weight\": 0}]", "loss.terms.0.weight");
    check_refused("[{\"kind\": \"l1\", \"n_fft\": 256}]", "unknown key \"loss.terms.0.n_fft\"");
    check_refused("[{\"kind\": \"l1\"}, {\"kind\": \"mrstft\", \"hops\": [1]}]",
                  "unknown key \"loss.terms.1.hops\"; the nearest known is \"loss.terms.1.hop\"");
    check_refused("[{\"kind\": \"mrstft\", \"distance\": \"cosine\"}]", "l1|l2");
    check_refused("[{\"kind\": \"mrstft\", \"n_fft\": [512], \"hop\": [1, 2]}]", "2 of hop");
    check_refused("[{\"kind\": \"mrstft\", \"n_fft\": [512], \"window\": [513]}]", "513");
    check_refused("[{\"kind\": \"mrstft\", \"n_fft\": [512.5]}]", "512.5");
    check_refused("[{\"kind\": \"spectral\", \"n_fft\": [4,4,4,4,4,4,4,4,4]}]", "9 sizes");
    check_refused("[{\"kind\": \"centroid\", \"n_fft\": 512, \"window\": 1024}]", "1024");
    check_refused("[{\"kind\": \"mel\", \"bands\": 0}]", "loss.terms.0.bands");
}

/* The recipe of a run is written with them. */
TEST(test_defaults_are_filled_in)
{
    rv_error err = { 0 };
    rv_loss_config c;
    json_t *values = values_of("[{\"kind\": \"mel\"}]");
    CHECK_OK(rv_loss_read(&c, values, NULL, 2, &err), err);
    const json_t *terms = json_object_get(json_object_get(values, "loss"), "terms");
    const json_t *term = json_array_get(terms, 0);
    CHECK(json_integer_value(json_object_get(term, "bands")) == 64);
    CHECK(json_object_size(term) == 8);
    json_decref(values);
}

TEST(test_help)
{
    char *text = rv_loss_help();
    CHECK(text && strstr(text, "kind mrstft") && strstr(text, "cumsum_freq: a number"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_all_options),
        cmocka_unit_test(test_resolutions),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_defaults_are_filled_in),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
