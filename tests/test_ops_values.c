/* test_ops_values.c - norms, attention, LSTM, GRU, depthwise convolution and STFT against
 * their definitions as plain loops in double, in the engine that ships (large blocks, float),
 * with equal bits for 1 and 3 threads. */
#include "ops_fixture.h"

static double *zeros(size_t n)
{
    return calloc(n, sizeof(double));
}

/* Norms ---------------------------------------------------------------------------- */

/* One group of values: `rows` runs of `width` values that are `step` apart. */
static void normalise(double *y, const float *x, size_t rows, size_t width, size_t step, double eps)
{
    double mean = 0, variance = 0;
    for (size_t i = 0; i < rows * width; i++)
        mean += (double)x[i / width * step + i % width] / (double)(rows * width);
    for (size_t i = 0; i < rows * width; i++) {
        const double d = (double)x[i / width * step + i % width] - mean;
        variance += d * d / (double)(rows * width);
    }
    for (size_t i = 0; i < rows * width; i++) {
        const size_t at = i / width * step + i % width;
        y[at] = ((double)x[at] - mean) / sqrt(variance + eps);
    }
}

static void check_group_norm(rv_shape shape, size_t groups, bool each_frequency)
{
    fixture f;
    set_up(&f);
    const size_t n = rv_shape_count(&shape), channels = shape.d[shape.rank - 1];
    rv_node *x = leaf(&f, shape), *gain = leaf(&f, RV_SHAPE(channels));
    rv_node *bias = leaf(&f, RV_SHAPE(channels));
    const size_t cells = (each_frequency ? shape.d[2] : 1) * groups, width = channels / groups;
    const size_t item = n / shape.d[0], rows = item / (cells * width);
    for (size_t i = 0; i < n; i++) /* an offset, and groups that differ */
        f.data[0][i] += 3 + (float)(i % channels);
    double *want = zeros(n);
    for (size_t b = 0; b < shape.d[0]; b++)
        for (size_t k = 0; k < cells; k++)
            normalise(want + b * item + k * width, f.data[0] + b * item + k * width, rows, width,
                      cells * width, 1e-3);
    for (size_t i = 0; i < n; i++)
        want[i] = want[i] * (double)f.data[1][i % channels] + (double)f.data[2][i % channels];
    finish(&f, rv_group_norm(x, gain, bias, groups, 1e-3, each_frequency), want, n, 1e-5);
}

TEST(group_norm_over_time)
{
    check_group_norm(RV_SHAPE(2, 1500, 48), 1, false);
    check_group_norm(RV_SHAPE(1, 1501, 48), 4, false);
    check_group_norm(RV_SHAPE(2, 31, 3, 140), 4, false);
}

TEST(group_norm_of_each_frequency)
{
    check_group_norm(RV_SHAPE(2, 30, 70, 36), 1, true);
    check_group_norm(RV_SHAPE(1, 31, 131, 36), 2, true);
    check_group_norm(RV_SHAPE(1, 200, 5, 6), 1, true);
}

TEST(layer_norm)
{
    fixture f;
    set_up(&f);
    rv_node *x = leaf(&f, RV_SHAPE(2, 41, 1000)), *gain = leaf(&f, RV_SHAPE(1000));
    rv_node *bias = leaf(&f, RV_SHAPE(1000));
    double *want = zeros(82000);
    for (size_t r = 0; r < 82; r++)
        normalise(want + r * 1000, f.data[0] + r * 1000, 1, 1000, 0, 1e-5);
    for (size_t i = 0; i < 82000; i++)
        want[i] = want[i] * (double)f.data[1][i % 1000] + (double)f.data[2][i % 1000];
    finish(&f, rv_layer_norm(x, gain, bias, 1e-5), want, 82000, 1e-5);
}

/* Attention -------------------------------------------------------------------------- */

typedef struct {
    size_t B, S, T, D, heads;
    bool slope, not_self;
} attention_case;

/* y [E] for one query of one head; k and v with rows D apart */
static void attend(double *y, const attention_case *a, const float *q, const float *k,
                   const float *v, const float *slope, size_t s)
{
    const size_t E = a->D / a->heads;
    double *score = zeros(a->T), sum = 0;
    for (size_t t = 0; t < a->T; t++) {
        for (size_t e = 0; e < E; e++)
            score[t] += (double)q[e] * (double)k[t * a->D + e] / sqrt((double)E);
        if (slope)
            score[t] -= (double)*slope * fabs((double)s - (double)t);
        if (a->not_self && s == t)
            score[t] = -100;
        sum += exp(score[t]);
    }
    for (size_t e = 0; e < E; e++) {
        y[e] = 0;
        for (size_t t = 0; t < a->T; t++)
            y[e] += exp(score[t]) / sum * (double)v[t * a->D + e];
    }
    free(score);
}

static void check_attention(attention_case a)
{
    fixture f;
    set_up(&f);
    rv_node *q = leaf(&f, RV_SHAPE(a.B, a.S, a.D)), *k = leaf(&f, RV_SHAPE(a.B, a.T, a.D));
    rv_node *v = leaf(&f, RV_SHAPE(a.B, a.T, a.D));
    rv_node *slope = a.slope ? leaf(&f, RV_SHAPE(a.B, a.S, a.heads)) : NULL;
    for (size_t i = 0; i < a.B * a.S * a.D; i++)
        f.data[0][i] *= 4;
    for (size_t i = 0; a.slope && i < a.B * a.S * a.heads; i++)
        f.data[3][i] = fabsf(f.data[3][i]) / 8;
    double *want = zeros(a.B * a.S * a.D);
    for (size_t r = 0; r < a.B * a.S * a.heads; r++) {
        const size_t row = r / a.heads, h = r % a.heads * (a.D / a.heads);
        const size_t at = row / a.S * a.T * a.D + h;
        attend(want + row * a.D + h, &a, f.data[0] + row * a.D + h, f.data[1] + at, f.data[2] + at,
               a.slope ? f.data[3] + r : NULL, row % a.S);
    }
    finish(&f, rv_attention(q, k, v, slope, a.heads, a.not_self), want, a.B * a.S * a.D, 1e-5);
}

TEST(attention)
{
    check_attention((attention_case){ 2, 70, 300, 48, 2, false, false });
    check_attention((attention_case){ 1, 33, 17, 10, 1, false, false });
}

TEST(attention_with_penalty_and_mask)
{
    check_attention((attention_case){ 2, 67, 67, 24, 4, true, true });
    check_attention((attention_case){ 1, 260, 260, 8, 2, true, false });
    check_attention((attention_case){ 1, 9, 5, 6, 2, false, true });
}

/* Penalties near 100 make the mask's score count, which otherwise vanishes. */
TEST(mask_is_a_score_of_minus_100)
{
    fixture f;
    set_up(&f);
    const attention_case a = { 1, 3, 3, 4, 1, true, true };
    rv_node *q = leaf(&f, RV_SHAPE(1, 3, 4)), *k = leaf(&f, RV_SHAPE(1, 3, 4));
    rv_node *v = leaf(&f, RV_SHAPE(1, 3, 4)), *slope = leaf(&f, RV_SHAPE(1, 3, 1));
    double *want = zeros(12);
    for (size_t s = 0; s < 3; s++) {
        f.data[3][s] += 100;
        attend(want + s * 4, &a, f.data[0] + s * 4, f.data[1], f.data[2], f.data[3] + s, s);
    }
    finish(&f, rv_attention(q, k, v, slope, 1, true), want, 12, 1e-4);
}

/* dq of one query with two keys, the first masked: it moves along the second alone. */
TEST(mask_has_no_gradient)
{
    fixture f;
    set_up(&f);
    rv_node *q = leaf(&f, RV_SHAPE(1, 1, 2)), *k = leaf(&f, RV_SHAPE(1, 2, 2)), *dq;
    rv_node *v = leaf(&f, RV_SHAPE(1, 2, 2)), *slope = leaf(&f, RV_SHAPE(1, 1, 1));
    f.data[3][0] = 100;
    const double K[] = { (double)f.data[1][2], (double)f.data[1][3] };
    const double V[] = { (double)f.data[2][0] + (double)f.data[2][1],
                         (double)f.data[2][2] + (double)f.data[2][3] };
    const double r = sqrt(0.5), dot = (double)f.data[0][0] * K[0] + (double)f.data[0][1] * K[1];
    const double a = 1 / (1 + exp(-r * dot)); /* weight of the second key */
    double *want = zeros(2);
    for (size_t e = 0; e < 2; e++)
        want[e] = r * a * (1 - a) * (V[1] - V[0]) * K[e];
    rv_grad(rv_sum(rv_attention(q, k, v, slope, 1, true)), &q, &dq, 1);
    finish(&f, dq, want, 2, 1e-5);
}

/* LSTM and GRU ------------------------------------------------------------------------- */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* One step of a cell with the weights w, at input x: h and c (GRU: unused) are updated. */
typedef void step_fn(double *h, double *c, const float *x, float *const *w, size_t I, size_t H);

/* a [rows] = Wi x + bi, u [rows] = Wh h + bh */
static void terms(double *a, double *u, size_t rows, const double *h, const float *x,
                  float *const *w, size_t I, size_t H)
{
    for (size_t j = 0; j < rows; j++) {
        a[j] = (double)w[2][j];
        u[j] = (double)w[3][j];
        for (size_t i = 0; i < I; i++)
            a[j] += (double)w[0][j * I + i] * (double)x[i];
        for (size_t i = 0; i < H; i++)
            u[j] += (double)w[1][j * H + i] * h[i];
    }
}

static void lstm_step(double *h, double *c, const float *x, float *const *w, size_t I, size_t H)
{
    double *a = zeros(4 * H), *u = zeros(4 * H);
    terms(a, u, 4 * H, h, x, w, I, H);
    for (size_t j = 0; j < 4 * H; j++)
        a[j] += u[j];
    for (size_t j = 0; j < H; j++) {
        c[j] = sigmoid(a[H + j]) * c[j] + sigmoid(a[j]) * tanh(a[2 * H + j]);
        h[j] = sigmoid(a[3 * H + j]) * tanh(c[j]);
    }
    free(a);
    free(u);
}

static void gru_step(double *h, double *c, const float *x, float *const *w, size_t I, size_t H)
{
    double *a = zeros(3 * H), *u = zeros(3 * H);
    (void)c;
    terms(a, u, 3 * H, h, x, w, I, H);
    for (size_t j = 0; j < H; j++) {
        const double reset = sigmoid(a[j] + u[j]), update = sigmoid(a[H + j] + u[H + j]);
        const double fresh = tanh(a[2 * H + j] + reset * u[2 * H + j]);
        h[j] = (1 - update) * fresh + update * h[j];
    }
    free(a);
    free(u);
}

typedef struct {
    const char *name;
    size_t gates;
    step_fn *step;
    rv_node *(*layer)(rv_node *x, const rv_recurrent_weights *forward,
                      const rv_recurrent_weights *backward);
} recurrent_kind;

static const recurrent_kind LSTM = { "lstm", 4, lstm_step, rv_lstm };
static const recurrent_kind GRU = { "gru", 3, gru_step, rv_gru };
static const recurrent_kind GRU_WHOLE = { "gru", 3, gru_step, rv_gru_whole };

static rv_recurrent_weights recurrent_weights(fixture *f, size_t rows, size_t I, size_t H)
{
    rv_recurrent_weights w;
    w.input = leaf(f, RV_SHAPE(rows, I));
    w.hidden = leaf(f, RV_SHAPE(rows, H));
    w.input_bias = leaf(f, RV_SHAPE(rows));
    w.hidden_bias = leaf(f, RV_SHAPE(rows));
    return w;
}

static void check_recurrent(const recurrent_kind *k, size_t B, size_t T, size_t I, size_t H,
                            size_t directions)
{
    fixture f;
    set_up(&f);
    rv_node *x = leaf(&f, RV_SHAPE(B, T, I));
    const rv_recurrent_weights forward = recurrent_weights(&f, k->gates * H, I, H);
    const rv_recurrent_weights backward =
        directions == 2 ? recurrent_weights(&f, k->gates * H, I, H) : forward;
    double *want = zeros(B * T * H * directions), *h = zeros(H), *c = zeros(H);
    for (size_t r = 0; r < B * directions; r++) {
        const size_t b = r / directions, d = r % directions;
        memset(h, 0, H * sizeof *h);
        memset(c, 0, H * sizeof *c);
        for (size_t step = 0; step < T; step++) {
            const size_t t = b * T + (d ? T - 1 - step : step);
            k->step(h, c, f.data[0] + t * I, f.data + 1 + 4 * d, I, H);
            memcpy(want + (t * directions + d) * H, h, H * sizeof *h);
        }
    }
    free(h);
    free(c);
    finish(&f, k->layer(x, &forward, directions == 2 ? &backward : NULL), want,
           B * T * H * directions, 2e-5);
}

static void check_few_sequences(const recurrent_kind *k)
{
    check_recurrent(k, 1, 130, 7, 5, 1);
    check_recurrent(k, 1, 131, 5, 19, 2);
    check_recurrent(k, 3, 70, 4, 3, 2);
}

static void check_many_sequences(const recurrent_kind *k)
{
    check_recurrent(k, 21, 9, 6, 10, 2);
    check_recurrent(k, 70, 5, 3, 4, 1);
}

/* Weights of another number of gates, or of other sizes, are refused. */
static void check_refusals(const recurrent_kind *k)
{
    for (int wrong = 0; wrong < 3; wrong++) {
        fixture f;
        set_up(&f);
        rv_error err = { 0 };
        rv_node *x = leaf(&f, RV_SHAPE(2, 5, 6));
        const size_t gates = wrong == 0 ? 7 - k->gates : k->gates;
        rv_recurrent_weights w = recurrent_weights(&f, gates * 12, wrong == 1 ? 5 : 6, 12);
        if (wrong == 2)
            w.hidden_bias = w.hidden;
        k->layer(x, &w, NULL);
        CHECK(rv_graph_status(f.graph, &err) == RV_ERR_SHAPE);
        CHECK_MSG(!strncmp(err.text, k->name, strlen(k->name)), "%s", err.text);
        for (int i = 0; i < f.n; i++)
            free(f.data[i]);
        rv_graph_free(f.graph);
    }
}

TEST(lstm)
{
    check_few_sequences(&LSTM);
    check_many_sequences(&LSTM);
    check_refusals(&LSTM);
}

static void check_gru(const recurrent_kind *k)
{
    check_few_sequences(k);
    check_many_sequences(k);
    check_refusals(k);
}

TEST(gru)
{
    check_gru(&GRU);
    check_gru(&GRU_WHOLE);
}

/* Masks of bands ------------------------------------------------------------------------ */

/* Of a stem at a frame, the mask's part (0 real, 1 imaginary) of one bin and channel. `at`: the
 * first row of its band in the basis. */
static double mask_of(const float *c, const float *basis, size_t at, size_t width, size_t channels,
                      const size_t place[3], size_t rank)
{
    double sum = 0;
    for (size_t i = 0; i < rank; i++)
        sum += (double)c[i] *
               (double)basis[(at + (place[0] * width + place[1]) * channels + place[2]) * rank + i];
    return sum;
}

static void check_masks(size_t K, const size_t *edge, size_t T, size_t S, size_t A, size_t r)
{
    fixture f;
    set_up(&f);
    const size_t F = edge[K];
    rv_node *c = leaf(&f, RV_SHAPE(K, T, S, r)), *basis = leaf(&f, RV_SHAPE(2 * F * A, r));
    rv_node *z = leaf(&f, RV_SHAPE(A, T, F, 2));
    double *want = zeros(S * A * T * F * 2);
    for (size_t k = 0; k < K; k++)
        for (size_t t = 0; t < T; t++)
            for (size_t i = 0; i < S * A * (edge[k + 1] - edge[k]); i++) {
                const size_t a = i % A, s = i / A % S, bin = i / A / S,
                             width = edge[k + 1] - edge[k];
                const size_t x = 2 * ((a * T + t) * F + edge[k] + bin);
                const size_t y = 2 * (((s * A + a) * T + t) * F + edge[k] + bin);
                const float *of = f.data[0] + ((k * T + t) * S + s) * r;
                const double re = 1 / (double)S + mask_of(of, f.data[1], 2 * A * edge[k], width, A,
                                                          (const size_t[]){ 0, bin, a }, r);
                const double im = mask_of(of, f.data[1], 2 * A * edge[k], width, A,
                                          (const size_t[]){ 1, bin, a }, r);
                want[y] = re * (double)f.data[2][x] - im * (double)f.data[2][x + 1];
                want[y + 1] = re * (double)f.data[2][x + 1] + im * (double)f.data[2][x];
            }
    finish(&f, rv_band_masks(c, basis, z, K, edge), want, S * A * T * F * 2, 1e-5);
}

TEST(band_masks)
{
    check_masks(3, (const size_t[]){ 0, 1, 30, 71 }, 61, 4, 2, 24);
    check_masks(2, (const size_t[]){ 0, 9, 10 }, 7, 15, 1, 3);
}

/* Depthwise convolution ------------------------------------------------------------------ */

static void check_depthwise(size_t B, size_t T, size_t C, size_t K, rv_conv_axis time)
{
    fixture f;
    set_up(&f);
    rv_node *x = leaf(&f, RV_SHAPE(B, T, C)), *w = leaf(&f, RV_SHAPE(C, 1, K));
    rv_node *bias = leaf(&f, RV_SHAPE(C));
    const size_t rows = T + time.before + time.after - time.dilation * (K - 1);
    double *want = zeros(B * rows * C);
    for (size_t i = 0; i < B * rows * C; i++) {
        const size_t b = i / C / rows, t = i / C % rows, c = i % C;
        want[i] = (double)f.data[2][c];
        for (size_t j = 0; j < K; j++) {
            const size_t at = t + j * time.dilation;
            if (at >= time.before && at - time.before < T)
                want[i] += (double)f.data[1][c * K + j] *
                           (double)f.data[0][(b * T + at - time.before) * C + c];
        }
    }
    finish(&f, rv_depthwise(x, w, bias, time), want, B * rows * C, 1e-6);
}

TEST(depthwise)
{
    check_depthwise(2, 1501, 24, 3, (rv_conv_axis){ 1, 128, 128, 128 });
    check_depthwise(1, 3000, 17, 5, (rv_conv_axis){ 1, 1, 2, 2 });
    check_depthwise(3, 10, 3, 4, (rv_conv_axis){ 1, 7, 21, 0 });
    check_depthwise(1, 50, 2, 3, (rv_conv_axis){ 1, 1, 0, 0 });
}

/* STFT -------------------------------------------------------------------------------------- */

static double hann(size_t m, size_t n)
{
    const double s = sin(M_PI * (double)m / (double)n);
    return s * s;
}

static void check_stft(size_t B, size_t N, size_t n, size_t hop)
{
    fixture f;
    set_up(&f);
    const size_t frames = (N - n) / hop + 1, bins = n / 2 + 1;
    rv_node *x = leaf(&f, RV_SHAPE(B, N));
    double *want = zeros(B * frames * bins * 2);
    for (size_t i = 0; i < B * frames * bins; i++) {
        const size_t b = i / bins / frames, start = i / bins % frames * hop, k = i % bins;
        for (size_t m = 0; m < n; m++) {
            const double angle = 2 * M_PI * (double)(k * m % n) / (double)n;
            const double value = 0.25 * hann(m, n) * (double)f.data[0][b * N + start + m];
            want[2 * i] += value * cos(angle);
            want[2 * i + 1] -= value * sin(angle);
        }
    }
    finish(&f, rv_stft(x, n, hop, 0.25), want, B * frames * bins * 2, 1e-6);
}

TEST(stft_is_the_windowed_dft)
{
    check_stft(2, 1003, 64, 16);
    check_stft(1, 200, 15, 7);
}

/* frame [n] += factor * the real signal whose half spectrum is z, windowed */
static void add_inverse(double *frame, const float *z, size_t n, double factor)
{
    for (size_t m = 0; m < n; m++)
        for (size_t k = 0; k < n; k++) { /* the full spectrum, by symmetry */
            const size_t half = k <= n / 2 ? k : n - k;
            const double sign = k <= n / 2 ? 1 : -1,
                         angle = 2 * M_PI * (double)(k * m % n) / (double)n;
            const bool real_bin = half == 0 || 2 * half == n;
            const double im = real_bin ? 0 : sign * (double)z[2 * half + 1];
            frame[m] += factor * hann(m, n) * ((double)z[2 * half] * cos(angle) - im * sin(angle));
        }
}

static void check_istft(size_t B, size_t frames, size_t n, size_t hop)
{
    fixture f;
    set_up(&f);
    const size_t bins = n / 2 + 1, N = (frames - 1) * hop + n;
    rv_node *z = leaf(&f, RV_SHAPE(B, frames, bins, 2));
    double *want = zeros(B * N), *envelope = zeros(N);
    for (size_t i = 0; i < B * frames; i++)
        add_inverse(want + i / frames * N + i % frames * hop, f.data[0] + i * bins * 2, n,
                    1 / (0.5 * (double)n));
    for (size_t i = 0; i < frames * n; i++)
        envelope[i / n * hop + i % n] += hann(i % n, n) * hann(i % n, n);
    for (size_t i = 0; i < B * N; i++)
        want[i] = envelope[i % N] > 1e-11 ? want[i] / envelope[i % N] : 0;
    free(envelope);
    finish(&f, rv_istft(z, n, hop, 0.5), want, B * N, 1e-5);
}

TEST(istft_is_the_least_squares_inverse)
{
    check_istft(2, 20, 32, 8);
    check_istft(1, 9, 15, 4);
    check_istft(1, 1100, 16, 8); /* more than one block of samples */
}

TEST(istft_undoes_stft)
{
    enum { LENGTH = 20000, SIZE = 512, HOP = 128 };
    fixture f;
    set_up(&f);
    rv_node *x = leaf(&f, RV_SHAPE(2, LENGTH));
    const double scale = 1 / sqrt((double)SIZE);
    rv_node *y = rv_istft(rv_stft(x, SIZE, HOP, scale), SIZE, HOP, scale);
    const size_t covered = rv_extent(y, 1), inside = covered - 2 * SIZE; /* the ends fade out */
    CHECK(covered > LENGTH - HOP);
    double *want = zeros(2 * inside);
    for (size_t i = 0; i < 2 * inside; i++)
        want[i] = (double)f.data[0][i / inside * LENGTH + SIZE + i % inside];
    finish(&f, rv_slice(y, 1, SIZE, inside), want, 2 * inside, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_norm_over_time),
        cmocka_unit_test(group_norm_of_each_frequency),
        cmocka_unit_test(layer_norm),
        cmocka_unit_test(attention),
        cmocka_unit_test(attention_with_penalty_and_mask),
        cmocka_unit_test(mask_is_a_score_of_minus_100),
        cmocka_unit_test(mask_has_no_gradient),
        cmocka_unit_test(lstm),
        cmocka_unit_test(gru),
        cmocka_unit_test(band_masks),
        cmocka_unit_test(depthwise),
        cmocka_unit_test(stft_is_the_windowed_dft),
        cmocka_unit_test(istft_is_the_least_squares_inverse),
        cmocka_unit_test(istft_undoes_stft),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
