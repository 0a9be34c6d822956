/* stream_convolution.c - convolution in partitions (W. G. Gardner, "Efficient convolution without
 * input-output delay", JAES 43(3), 1995, with partitions of one size P).
 *
 * Partition 0 of the taps is applied as a sum, sample by sample. Partition j > 0 reaches back at
 * least P samples: with H[j] its spectrum, X[m] that of blocks m - 1 and m of the input, 2 P
 * samples,
 *
 *     what the partitions from 1 on say in block m + 1 = the later half of
 *     the inverse of  sum over j = 1 .. of H[j] X[m + 1 - j]
 *
 * is known as soon as block m is. */
#include "dsp/stream_convolution.h"

#include "base/status.h"
#include "dsp/real_fft.h"

#include <string.h>

enum { PARTITION = 128, LARGEST_PARTITION = 1 << 16, MOST_TAPS = 1 << 24 };

struct rv_stream_convolution {
    const rv_alloc *mem;
    rv_fft *fft;
    float *memory;
    size_t partition, n; /* of partitions beyond the first */
    size_t row;          /* floats of a spectrum */
    size_t at;           /* samples of this block that came in */
    size_t newest;       /* row of spectra that was written last */
    float *head;         /* [P]: taps of partition 0 */
    float *recent;       /* [2 P]: the block before and this one */
    float *taps;         /* [n, row]: H */
    float *spectra;      /* [n, row]: X, a ring */
    float *sum, *tail;   /* [row] each; the later half of tail is heard in this block */
};

static size_t rounded(size_t floats)
{
    const size_t unit = RV_FFT_ALIGN / sizeof(float);
    return (floats + unit - 1) / unit * unit;
}

static rv_status check_config(const rv_stream_convolution_config *c, size_t partition,
                              rv_error *err)
{
    if (c->n_taps - 1 >= MOST_TAPS)
        return RV_FAIL(err, RV_ERR_ARG, "convolution: %zu taps; expected 1 to 2^24", c->n_taps);
    if (partition < 2 || partition > LARGEST_PARTITION || (partition & (partition - 1)))
        return RV_FAIL(err, RV_ERR_ARG,
                       "convolution: partition of %zu; expected a power of two, 2 to 2^16",
                       partition);
    return RV_OK;
}

static rv_status take_memory(rv_stream_convolution *s, rv_error *err)
{
    const size_t p = s->partition, floats = rounded(p) + rounded(2 * p) + (2 * s->n + 2) * s->row;
    s->memory = s->mem->alloc(s->mem->ctx, floats * sizeof(float), RV_FFT_ALIGN);
    if (!s->memory)
        return RV_FAIL(err, RV_ERR_NOMEM, "convolution with %zu partitions of %zu", s->n + 1, p);
    memset(s->memory, 0, floats * sizeof(float));
    s->head = s->memory;
    s->recent = s->head + rounded(p);
    s->taps = s->recent + rounded(2 * p);
    s->spectra = s->taps + s->n * s->row;
    s->sum = s->spectra + s->n * s->row;
    s->tail = s->sum + s->row;
    return RV_OK;
}

/* The transform there and back multiplies by 2 P; the taps take that in. */
static void prepare_taps(rv_stream_convolution *s, const float *taps, size_t n)
{
    const size_t p = s->partition;
    memcpy(s->head, taps, (n < p ? n : p) * sizeof *taps);
    for (size_t j = 0; j < s->n; j++) {
        const size_t from = (j + 1) * p, some = n - from < p ? n - from : p;
        memset(s->sum, 0, s->row * sizeof *s->sum);
        for (size_t i = 0; i < some; i++)
            s->sum[i] = taps[from + i] / (float)(2 * p);
        rv_fft_forward(s->fft, s->sum, (float complex *)(void *)(s->taps + j * s->row), 1);
    }
}

rv_status rv_stream_convolution_new(rv_stream_convolution **out,
                                    const rv_stream_convolution_config *config, const rv_alloc *mem,
                                    rv_error *err)
{
    const size_t p = config->partition ? config->partition : PARTITION;
    RV_TRY(check_config(config, p, err));
    mem = mem ? mem : &rv_alloc_default;
    rv_stream_convolution *s = mem->alloc(mem->ctx, sizeof *s, _Alignof(rv_stream_convolution));
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "convolution");
    *s = (rv_stream_convolution){ .mem = mem, .partition = p, .n = (config->n_taps - 1) / p };
    rv_status status = rv_fft_new(&s->fft, 2 * p, mem, err);
    if (status == RV_OK) {
        s->row = rv_fft_row(s->fft);
        status = take_memory(s, err);
    }
    if (status != RV_OK) {
        rv_stream_convolution_free(s);
        return status;
    }
    prepare_taps(s, config->taps, config->n_taps);
    *out = s;
    return RV_OK;
}

void rv_stream_convolution_free(rv_stream_convolution *s)
{
    if (!s)
        return;
    rv_fft_free(s->fft);
    s->mem->free(s->mem->ctx, s->memory);
    s->mem->free(s->mem->ctx, s);
}

void rv_stream_convolution_reset(rv_stream_convolution *s)
{
    memset(s->recent, 0, 2 * s->partition * sizeof *s->recent);
    memset(s->spectra, 0, s->n * s->row * sizeof *s->spectra);
    memset(s->tail, 0, s->row * sizeof *s->tail);
    s->at = s->newest = 0;
}

/* sum += h x, spectra of P + 1 pairs (re, im) */
static void add_product(float *sum, const float *h, const float *x, size_t bins)
{
    for (size_t k = 0; k < bins; k++) {
        const float re = h[2 * k], im = h[2 * k + 1];
        sum[2 * k] += re * x[2 * k] - im * x[2 * k + 1];
        sum[2 * k + 1] += re * x[2 * k + 1] + im * x[2 * k];
    }
}

/* A block is full: what the partitions from 1 on say in the next one. */
static void finish_block(rv_stream_convolution *s)
{
    const size_t p = s->partition;
    if (s->n) {
        s->newest = s->newest + 1 < s->n ? s->newest + 1 : 0;
        rv_fft_forward(s->fft, s->recent,
                       (float complex *)(void *)(s->spectra + s->newest * s->row), 1);
        memset(s->sum, 0, s->row * sizeof *s->sum);
        for (size_t j = 0; j < s->n; j++) {
            const size_t from = (s->newest + s->n - j) % s->n;
            add_product(s->sum, s->taps + j * s->row, s->spectra + from * s->row, p + 1);
        }
        rv_fft_inverse(s->fft, (float complex *)(void *)s->sum, s->tail, 1);
    }
    memcpy(s->recent, s->recent + p, p * sizeof *s->recent);
    s->at = 0;
}

/* Tap by tap rather than sample by sample: neighbouring samples fit a vector. */
static void add_head(const rv_stream_convolution *s, float *y, size_t n)
{
    const float *x = s->recent + s->partition + s->at;
    for (size_t i = 0; i < s->partition; i++)
        for (size_t t = 0; t < n; t++)
            y[t] += s->head[i] * (x - i)[t];
}

void rv_stream_convolution_process(rv_stream_convolution *s, const float *in, float *out, size_t n)
{
    const size_t p = s->partition;
    for (size_t some; n; n -= some, in += some, out += some) {
        some = n < p - s->at ? n : p - s->at;
        memcpy(s->recent + p + s->at, in, some * sizeof *in);
        memcpy(out, s->tail + p + s->at, some * sizeof *out);
        add_head(s, out, some);
        s->at += some;
        if (s->at == p)
            finish_block(s);
    }
}
