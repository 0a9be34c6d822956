/* test_losses.c - losses against the values of the reference packages (tools/make_golden_losses.py)
 * in float and in double; in double also their gradients against finite differences. */
#include "base/rng.h"
#include "check.h"
#include "io/checkpoint.h"
#include "train/loss.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    rv_graph *graph;
    rv_plan *plan;
    rv_node *estimate, *target, *loss, *gradient;
    size_t count; /* of samples in each signal */
} fixture;

static void begin(fixture *f, size_t batch, size_t time, size_t channels)
{
    rv_error err = { 0 };
    *f = (fixture){ .count = batch * time * channels };
    CHECK_OK(rv_graph_new(&f->graph, NULL, &err), err);
    f->estimate = rv_input(f->graph, RV_SHAPE(batch, time, channels));
    f->target = rv_input(f->graph, RV_SHAPE(batch, time, channels));
}

static void build(fixture *f, const rv_loss_config *c, size_t stems, double sample_rate)
{
    rv_error err = { 0 };
    f->loss = rv_output(rv_loss_build(c, f->estimate, f->target, stems, sample_rate));
    rv_grad(f->loss, &f->estimate, &f->gradient, 1);
    CHECK_OK(rv_plan_new(&f->plan, f->graph, NULL, &err), err);
}

static void end(fixture *f)
{
    rv_plan_free(f->plan);
    rv_graph_free(f->graph);
}

static double run(const fixture *f)
{
    rv_plan_run(f->plan);
    return (double)rv_value(f->plan, f->loss)[0];
}

/* Values of the references ---------------------------------------------------------------- */

/* Settings of the golden case `name`, as in the generator. */
static rv_loss_term golden_term(const char *name)
{
    char kind[32] = { 0 };
    snprintf(kind, sizeof kind, "%s", name);
    while (rv_loss_find(kind) == RV_LOSS_KINDS && strrchr(kind, '_'))
        *strrchr(kind, '_') = 0; /* "mrstft_sum" is an "mrstft" */
    rv_loss_term t = rv_loss_term_defaults(rv_loss_find(kind));
    if (t.kind == RV_LOSS_LOG_COSH)
        t.options.sharpness = 2;
    if (t.kind == RV_LOSS_MEL)
        t.options.mel.highest = 7600;
    if (t.kind >= RV_LOSS_CENTROID)
        t.options.stft = (rv_stft_size){ 512, 128, 400 };
    return t;
}

static rv_loss_term golden_si_sdr(const char *name)
{
    rv_loss_term t = golden_term(name);
    t.options.si_sdr.zero_mean = strcmp(name, "si_sdr") != 0;
    if (!strcmp(name, "si_sdr_asteroid")) {
        t.options.si_sdr.form = RV_SI_SDR_ASTEROID;
        t.options.si_sdr.eps = 1e-8;
    }
    return t;
}

static rv_loss_term golden_mrstft(const char *name)
{
    rv_loss_term t = golden_term(name);
    rv_mrstft_options *o = &t.options.mrstft;
    o->w_lin_mag = strcmp(name, "mrstft") ? 0.1 : 0;
    o->a_weighting = !strcmp(name, "mrstft_weighted");
    if (!strcmp(name, "mrstft_sum")) {
        o->sum = true;
        o->w_sc = 0;
    } else if (!strcmp(name, "mrstft_squares")) {
        o->w_sc = 0.5;
        o->w_log_mag = 1.5;
        o->w_lin_mag = 0.7;
        o->distance = RV_DISTANCE_L2;
    }
    return t;
}

static rv_loss_term golden_spectral(const char *name)
{
    rv_loss_term t = golden_term(name);
    rv_spectral_options *o = &t.options.spectral;
    o->distance = strstr(name, "l1")   ? RV_DISTANCE_L1
                  : strstr(name, "l2") ? RV_DISTANCE_L2
                                       : RV_DISTANCE_COSINE;
    o->delta_time = 0.5;
    o->delta_freq = 0.25;
    o->cumsum_freq = 0.125;
    o->logmag = 0.75;
    o->loudness = 0.0625;
    return t;
}

static const struct {
    const char *name;
    rv_loss_term (*term)(const char *name);
    double sample_rate;
} golden[] = {
    { "l1", golden_term, 16000 },
    { "mse", golden_term, 16000 },
    { "log_cosh", golden_term, 16000 },
    { "si_sdr", golden_si_sdr, 16000 },
    { "si_sdr_zero_mean", golden_si_sdr, 16000 },
    { "si_sdr_asteroid", golden_si_sdr, 16000 },
    { "mrstft", golden_mrstft, 16000 },
    { "mrstft_squares", golden_mrstft, 16000 },
    { "mrstft_weighted", golden_mrstft, 44100 },
    { "mrstft_sum", golden_mrstft, 16000 },
    { "spectral_l1", golden_spectral, 16000 },
    { "spectral_l2", golden_spectral, 16000 },
    { "spectral_cosine", golden_spectral, 16000 },
    { "mel", golden_term, 16000 },
    { "centroid", golden_term, 16000 },
    { "transport", golden_term, 16000 },
    { "complex_stft", golden_term, 16000 },
};
enum { GOLDEN = sizeof golden / sizeof *golden };

static rv_checkpoint *open_golden(void)
{
    char path[512];
    rv_error err = { 0 };
    rv_checkpoint *c = NULL;
    const char *root = getenv("RV_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/golden/losses.safetensors", root ? root : ".");
    CHECK_OK(rv_checkpoint_open(&c, path, &err), err);
    return c;
}

static float *read_tensor(const rv_checkpoint *c, const char *name, size_t count)
{
    rv_error err = { 0 };
    const rv_tensor *t = rv_checkpoint_find(c, name);
    CHECK_MSG(t && t->count == count, "no %s of %zu values", name, count);
    float *data = calloc(count, sizeof *data);
    CHECK_OK(rv_checkpoint_read(c, t, data, &err), err);
    return data;
}

static void load(const rv_checkpoint *c, const char *name, real *to, size_t count)
{
    float *data = read_tensor(c, name, count);
    for (size_t i = 0; i < count; i++)
        to[i] = (real)data[i];
    free(data);
}

TEST(test_values_are_those_of_the_references)
{
    rv_checkpoint *c = open_golden();
    for (size_t i = 0; i < GOLDEN; i++) {
        fixture f;
        real want;
        begin(&f, 2, 2400, 4);
        build(&f, &(rv_loss_config){ .n = 1, .term = { golden[i].term(golden[i].name) } }, 2,
              golden[i].sample_rate);
        load(c, "estimate", rv_value(f.plan, f.estimate), f.count);
        load(c, "target", rv_value(f.plan, f.target), f.count);
        load(c, golden[i].name, &want, 1);
        const double off = fabs(run(&f) / (double)want - 1);
        printf("# %-18s off by %.1e\n", golden[i].name, off);
        CHECK_MSG(off <= 1e-5, "%s is off by %.2g", golden[i].name, off);
        end(&f);
    }
    rv_checkpoint_free(c);
}

TEST(test_a_weighting_filter)
{
    rv_checkpoint *c = open_golden();
    double taps[RV_A_WEIGHTING_TAPS];
    float *want = read_tensor(c, "a_weighting", RV_A_WEIGHTING_TAPS);
    rv_a_weighting_taps(taps, 44100);
    for (size_t i = 0; i < RV_A_WEIGHTING_TAPS; i++)
        CHECK_CLOSE(taps[i], want[i], 1e-7);
    CHECK_CLOSE(rv_a_weighting_db(1000), 0, 1e-3);
    CHECK_CLOSE(rv_a_weighting_db(100), -19.1, 0.01);
    CHECK(rv_a_weighting_db(0) == -80);
    free(want);
    rv_checkpoint_free(c);
}

/* Small settings of every loss -------------------------------------------------------------- */

/* Variants: 0 as usual, 1 and 2 the other distances and forms. */
static rv_loss_term small_term(rv_loss_kind kind, int variant)
{
    rv_loss_term t = rv_loss_term_defaults(kind);
    if (kind == RV_LOSS_SI_SDR) {
        t.options.si_sdr.zero_mean = variant > 0;
        t.options.si_sdr.form = variant > 1 ? RV_SI_SDR_ASTEROID : RV_SI_SDR_TORCHMETRICS;
    }
    if (kind == RV_LOSS_MRSTFT) {
        const rv_mrstft_options small = { .n = 2,
                                          .size = { { 16, 4, 10 }, { 8, 3, 0 } },
                                          .w_sc = 1,
                                          .w_log_mag = 0.5,
                                          .w_lin_mag = 0.3,
                                          .eps = 1e-8,
                                          .distance = variant == 1,
                                          .a_weighting = variant == 2 };
        t.options.mrstft = small;
    }
    if (kind == RV_LOSS_SPECTRAL) {
        const rv_spectral_options small = { .n = 2,
                                            .n_fft = { 16, 8 },
                                            .distance = (rv_distance)variant,
                                            .mag = 1,
                                            .delta_time = 0.5,
                                            .delta_freq = 0.3,
                                            .cumsum_freq = 0.2,
                                            .logmag = 0.4,
                                            .loudness = 0.01 };
        t.options.spectral = small;
    }
    if (kind == RV_LOSS_MEL)
        t.options.mel = (rv_mel_options){ .n_fft = 16, .bands = 3, .lowest = 80, .eps = 1e-5 };
    if (kind >= RV_LOSS_CENTROID)
        t.options.stft = (rv_stft_size){ 16, 5, 12 };
    return t;
}

static void begin_small(fixture *f, rv_loss_kind kind, int variant)
{
    const rv_loss_config c = { .n = 1,
                               .term = { small_term(kind, variant) },
                               .stem_weights = { 1, variant == 1 ? 3 : 1 } };
    begin(f, 1, 30, 2);
    build(f, &c, 2, 16000);
}

static void noise(real *x, size_t n, uint64_t stream)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (real)(2 * rv_rng_uniform(5, stream, i) - 1);
}

#ifdef RV_DOUBLE
static double loss_beside(const fixture *f, real *x, double step)
{
    const real saved = *x;
    *x = (real)((double)saved + step);
    const double loss = run(f);
    *x = saved;
    return loss;
}

/* Differences of fourth order: logarithms of small magnitudes bend. Returns the largest error. */
static double gradient_error(const fixture *f)
{
    const double h = 1e-5;
    double worst = 0;
    for (size_t i = 0; i < f->count; i++) {
        real *x = rv_value(f->plan, f->estimate) + i;
        const double near = loss_beside(f, x, h) - loss_beside(f, x, -h);
        const double far = loss_beside(f, x, 2 * h) - loss_beside(f, x, -2 * h);
        const double want = (8 * near - far) / (12 * h);
        run(f);
        const double got = (double)rv_value(f->plan, f->gradient)[i];
        const double off = fabs(got - want) / (fabs(want) > 1 ? fabs(want) : 1);
        worst = off > worst ? off : worst;
    }
    return worst;
}

/* The last, crepe, hears with a network from a file: test_loss_crepe.c. */
TEST(test_gradients)
{
    for (int kind = 0; kind < RV_LOSS_CREPE; kind++)
        for (int variant = 0; variant < 3; variant++) {
            fixture f;
            begin_small(&f, (rv_loss_kind)kind, variant);
            noise(rv_value(f.plan, f.estimate), f.count, 1);
            noise(rv_value(f.plan, f.target), f.count, 2);
            const double off = gradient_error(&f);
            printf("# %-12s %d gradient off by %.1e\n", rv_loss_name((rv_loss_kind)kind), variant,
                   off);
            CHECK_MSG(off <= 1e-7, "%s: the gradient is off by %.2g",
                      rv_loss_name((rv_loss_kind)kind), off);
            end(&f);
        }
}
#endif

/* At equality the slope is 0, except where the norm of the signal itself counts. */
static bool has_its_minimum_at_equality(rv_loss_kind kind, int variant)
{
    return kind != RV_LOSS_SI_SDR && !(kind == RV_LOSS_SPECTRAL && variant == RV_DISTANCE_COSINE);
}

/* Silence against silence, noise against itself, and one of them silent. */
TEST(test_silence_and_equality)
{
    for (int kind = 0; kind < RV_LOSS_CREPE; kind++)
        for (int variant = 0; variant < 3; variant++)
            for (int which = 0; which < 4; which++) {
                fixture f;
                begin_small(&f, (rv_loss_kind)kind, variant);
                if (which & 1)
                    noise(rv_value(f.plan, f.estimate), f.count, 1);
                if (which & 2)
                    noise(rv_value(f.plan, f.target), f.count, 1);
                const double loss = run(&f);
                bool finite = isfinite(loss), zero = true;
                for (size_t i = 0; i < f.count; i++) {
                    const double slope = (double)rv_value(f.plan, f.gradient)[i];
                    finite = finite && isfinite(slope);
                    zero = zero && slope == 0;
                }
                CHECK_MSG(finite, "%s %d, signals %d: loss %g or its gradient",
                          rv_loss_name((rv_loss_kind)kind), variant, which, loss);
                if (which % 3 == 0 && has_its_minimum_at_equality((rv_loss_kind)kind, variant))
                    CHECK_MSG(zero && loss <= 1e-11, "%s %d, signals %d: loss %g with a slope",
                              rv_loss_name((rv_loss_kind)kind), variant, which, loss);
                end(&f);
            }
}

/* A signal of power 1 of which half is missing beside silence, which costs 3 dB once an error is as
 * loud as the floor. */
TEST(test_snr)
{
    rv_loss_config c = { .n = 1, .term = { rv_loss_term_defaults(RV_LOSS_SNR) } };
    c.term[0].options.least = 0.01;
    fixture f;
    begin(&f, 1, 30, 2);
    build(&f, &c, 2, 16000);
    real *e = rv_value(f.plan, f.estimate), *t = rv_value(f.plan, f.target);
    for (size_t i = 0; i < f.count; i += 2) { /* the first stem; the second stays silent */
        t[i] = (real)(i % 4 ? 1 : -1);
        e[i] = t[i] / 2;
    }
    CHECK_CLOSE(run(&f), 5 * log10(0.26 / 1.01), 1e-6);
    for (size_t i = 1; i < f.count; i += 2)
        e[i] = (real)0.1;
    CHECK_CLOSE(run(&f), 5 * log10(0.26 / 1.01) + 5 * log10(2), 1e-6);
    end(&f);
}

/* Where operations have a corner, PyTorch's slope. x -> y and dy/dx. */
static void check_corner(rv_node *(*apply)(rv_node *x), double x, double y, double slope)
{
    rv_error err = { 0 };
    fixture f = { 0 };
    CHECK_OK(rv_graph_new(&f.graph, NULL, &err), err);
    f.estimate = rv_input(f.graph, RV_SHAPE(1, 2));
    f.loss = rv_output(rv_sum(apply(f.estimate)));
    rv_grad(f.loss, &f.estimate, &f.gradient, 1);
    CHECK_OK(rv_plan_new(&f.plan, f.graph, NULL, &err), err);
    rv_value(f.plan, f.estimate)[0] = rv_value(f.plan, f.estimate)[1] = (real)x;
    CHECK_CLOSE(run(&f), y, 1e-6);
    for (size_t i = 0; i < 2; i++)
        CHECK_CLOSE(rv_value(f.plan, f.gradient)[i], slope, 1e-6);
    end(&f);
}

static rv_node *maximum_of_half(rv_node *x)
{
    return rv_maximum(x, 0.5);
}

static rv_node *log_above_tenth(rv_node *x)
{
    return rv_log_above(x, 0.1);
}

static rv_node *plain_magnitude(rv_node *x)
{
    return rv_magnitude(x, 0);
}

static rv_node *magnitude_above_one(rv_node *x)
{
    return rv_magnitude(x, 1);
}

TEST(test_corners)
{
    check_corner(rv_abs, 0, 0, 0);
    check_corner(rv_abs, -2, 4, -1);
    check_corner(maximum_of_half, 0.5, 1, 1);
    check_corner(maximum_of_half, 0.25, 1, 0);
    check_corner(log_above_tenth, 0, 2 * log(0.1), 0);
    check_corner(log_above_tenth, 0.05, 2 * log(0.05), 20);
    check_corner(plain_magnitude, 0, 0, 0);
    check_corner(plain_magnitude, 3, 3 * M_SQRT2, M_SQRT1_2);
    check_corner(magnitude_above_one, 0.5, 1, 0);
    check_corner(rv_log_cosh, 1e-4, 1e-8, 1e-4);
    check_corner(rv_log_cosh, 300, 2 * (300 - M_LN2), 1);
}

/* A sinusoid and one an octave above --------------------------------------------------------- */

enum { N_FFT = 256, HOP = 64, SAMPLES = 1024, GRAIN = 512, TARGET_BIN = 32 };

/* Frames that meet the grain, which lies in the middle of silence, out of all. */
static const double sounding = 11.0 / (1 + SAMPLES / HOP);

static double envelope(size_t i)
{
    const double at = (double)i - (SAMPLES - GRAIN) / 2;
    return at < 0 || at > GRAIN ? 0 : 0.5 - 0.5 * cos(2 * M_PI * at / GRAIN);
}

/* 2 pi t / N_FFT, t from the middle */
static double phase_per_bin(size_t i)
{
    return 2 * M_PI * ((double)i - SAMPLES / 2) / N_FFT;
}

/* The loss of a sinusoid at `bin`, and its derivative with respect to `bin`. */
static double slope_at(const fixture *f, double bin, double *loss)
{
    double slope = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        const double p = phase_per_bin(i), e = envelope(i);
        rv_value(f->plan, f->estimate)[i] = (real)(e * sin(bin * p));
        rv_value(f->plan, f->target)[i] = (real)(e * sin(TARGET_BIN * p));
    }
    *loss = run(f);
    for (size_t i = 0; i < SAMPLES; i++) {
        const double p = phase_per_bin(i);
        slope += (double)rv_value(f->plan, f->gradient)[i] * envelope(i) * cos(bin * p) * p;
    }
    return slope;
}

static void begin_sinusoids(fixture *f, rv_loss_term term)
{
    begin(f, 1, SAMPLES, 1);
    build(f, &(rv_loss_config){ .n = 1, .term = { term } }, 1, 8000);
}

static void begin_transport(fixture *f)
{
    rv_loss_term t = rv_loss_term_defaults(RV_LOSS_TRANSPORT);
    t.options.stft = (rv_stft_size){ N_FFT, HOP, N_FFT };
    begin_sinusoids(f, t);
}

static void begin_magnitudes(fixture *f)
{
    rv_loss_term t = rv_loss_term_defaults(RV_LOSS_MRSTFT);
    t.options.mrstft = (rv_mrstft_options){
        .n = 1, .size = { { N_FFT, HOP, N_FFT } }, .w_lin_mag = 1, .eps = 1e-8
    };
    begin_sinusoids(f, t);
}

/* Transport falls by one bin for each bin; the distance of magnitudes stays within 1 %. */
TEST(test_transport_has_a_slope_where_magnitudes_have_none)
{
    fixture transport, stft;
    begin_transport(&transport);
    begin_magnitudes(&stft);
    double first_loss;
    slope_at(&stft, TARGET_BIN / 2 + 0.3, &first_loss);
    for (double bin = 16.3; bin < 24; bin += 2.2) {
        double loss, plain_loss;
        const double slope = slope_at(&transport, bin, &loss);
        const double plain_slope = slope_at(&stft, bin, &plain_loss);
        printf("# bin %4.1f: transport %.4f, slope %.5f; magnitudes %.4f, slope %.1e\n", bin, loss,
               slope, plain_loss, plain_slope);
        CHECK_CLOSE(loss / sounding * N_FFT / 2, TARGET_BIN - bin, 0.1);
        CHECK_CLOSE(slope / sounding * N_FFT / 2, -1, 0.1);
        CHECK(fabs(plain_slope) < 0.02 * plain_loss);
        CHECK_CLOSE(plain_loss / first_loss, 1, 0.01);
    }
    end(&transport);
    end(&stft);
}

/* Where gradient descent takes a sinusoid of bin 16.3, in steps of 0.65 bins at first. */
static double descend(const fixture *f)
{
    double bin = TARGET_BIN / 2 + 0.3, loss;
    for (int i = 0; i < 40; i++)
        bin -= N_FFT / 2 * slope_at(f, bin, &loss);
    return bin;
}

TEST(test_transport_moves_a_sinusoid_by_an_octave)
{
    fixture transport;
    begin_transport(&transport);
    const double bin = descend(&transport);
    printf("# transport moves bin 16.3 to %.2f\n", bin);
    CHECK_CLOSE(bin, TARGET_BIN, 0.02);
    end(&transport);
}

/* Configurations ---------------------------------------------------------------------------------
 */

TEST(test_names)
{
    for (int kind = 0; kind < RV_LOSS_KINDS; kind++)
        CHECK(rv_loss_find(rv_loss_name((rv_loss_kind)kind)) == (rv_loss_kind)kind);
    CHECK(rv_loss_find("no such loss") == RV_LOSS_KINDS);
    CHECK(rv_loss_name(RV_LOSS_KINDS) == NULL);
}

/* Two stems: 1 and 3 off by 1 and 2 everywhere. */
TEST(test_terms_and_stems_are_weighted)
{
    rv_loss_config c = { .n = 2, .stem_weights = { 1, 3 } };
    c.term[0] = rv_loss_term_defaults(RV_LOSS_L1);
    c.term[1] = rv_loss_term_defaults(RV_LOSS_MSE);
    c.term[1].weight = 0.5;
    for (int equal = 0; equal < 2; equal++) {
        fixture f;
        if (equal)
            c.stem_weights[1] = 1;
        begin(&f, 1, 5, 2);
        build(&f, &c, 2, 16000);
        for (size_t i = 0; i < f.count; i++)
            rv_value(f.plan, f.estimate)[i] = (real)(i % 2 + 1);
        const double first = 1 + 0.5, second = 2 + 0.5 * 4;
        CHECK_CLOSE(run(&f), equal ? (first + second) / 2 : (first + 3 * second) / 4, 1e-6);
        end(&f);
    }
}

static void check_refused(const rv_loss_config *c, size_t stems, rv_shape target, rv_status want)
{
    fixture f;
    rv_error err = { 0 };
    begin(&f, 1, 30, 2);
    rv_loss_build(c, f.estimate, rv_input(f.graph, target), stems, 16000);
    CHECK_MSG(rv_graph_status(f.graph, &err) == want, "%d: %s", (int)err.status, err.text);
    CHECK((want == RV_OK) == (err.text[0] == 0));
    end(&f);
}

TEST(test_what_cannot_be_is_refused)
{
    const rv_shape like = RV_SHAPE(1, 30, 2);
    rv_loss_config c = { .n = 1, .term = { small_term(RV_LOSS_L1, 0) } };
    check_refused(&c, 2, like, RV_OK);
    check_refused(&c, 2, RV_SHAPE(1, 30, 1), RV_ERR_SHAPE);
    check_refused(&c, 3, like, RV_ERR_SHAPE);
    check_refused(&c, 0, like, RV_ERR_SHAPE);
    c.stem_weights[1] = -1;
    check_refused(&c, 2, like, RV_ERR_ARG);
    check_refused(&(rv_loss_config){ 0 }, 2, like, RV_ERR_ARG);
    c = (rv_loss_config){ .n = 1, .term = { { .kind = RV_LOSS_KINDS } } };
    check_refused(&c, 2, like, RV_ERR_ARG);
    c.term[0] = rv_loss_term_defaults(RV_LOSS_MRSTFT); /* longer than the signal */
    check_refused(&c, 2, like, RV_ERR_SHAPE);
    c.term[0] = rv_loss_term_defaults(RV_LOSS_SPECTRAL);
    c.term[0].options.spectral.n_fft[1] = 1000;
    check_refused(&c, 2, like, RV_ERR_ARG);
    c.term[0] = rv_loss_term_defaults(RV_LOSS_MEL);
    c.term[0].options.mel.highest = 9000;
    check_refused(&c, 2, like, RV_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_those_of_the_references),
        cmocka_unit_test(test_a_weighting_filter),
#ifdef RV_DOUBLE
        cmocka_unit_test(test_gradients),
#endif
        cmocka_unit_test(test_silence_and_equality),
        cmocka_unit_test(test_snr),
        cmocka_unit_test(test_corners),
        cmocka_unit_test(test_transport_has_a_slope_where_magnitudes_have_none),
        cmocka_unit_test(test_transport_moves_a_sinusoid_by_an_octave),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_terms_and_stems_are_weighted),
        cmocka_unit_test(test_what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
