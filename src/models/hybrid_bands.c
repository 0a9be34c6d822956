/* hybrid_bands.c - a layer of Hybrid Demucs with separate weights for each band of frequencies.
 *
 * Made so that equal weights in all bands give what the layer gives on all frequencies. So
 * the encoder's bands overlap by what its kernels share, and end where a kernel ends; the
 * decoder's bands meet, and its transposed convolutions overlap in the result by a stride,
 * where they are added (with one bias, not two). Padding and trimming are left to the ends. */
#include "hybrid_layers.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>

/* Half to even, as Python rounds. */
static size_t rounded(double x)
{
    return x > 0 ? (size_t)nearbyint(x) : 0;
}

static rv_node *no_room(rv_node *x, size_t band)
{
    return rv_poison(x->graph, RV_ERR_SHAPE, __func__, "no room for band %zu in %zu frequencies",
                     band, rv_extent(x, 2));
}

/* Where band i of the encoder ends, that starts at `start`; 0 if it cannot. */
static size_t encoder_end(const hybrid_layer *l, const hybrid_bands *bands, size_t i, size_t start,
                          size_t bins)
{
    if (i + 1 == bands->n)
        return bins;
    const size_t margin = start == 0 ? l->pad : 0;
    const double room = (double)rounded((double)bins * bands->ratio[i]) - (double)start;
    const size_t frames =
        rounded((room + (double)margin - (double)l->kernel) / (double)l->stride + 1);
    const size_t end = start + (frames - 1) * l->stride + l->kernel - margin;
    return frames > 0 && end <= bins ? end : 0;
}

rv_node *hybrid_encode_bands(nn_builder *b, const hybrid_layer *l, const hybrid_bands *bands,
                             rv_node *x)
{
    hybrid_layer inner = *l;
    rv_node *out[sizeof bands->ratio / sizeof *bands->ratio + 1];
    size_t start = 0;
    inner.pad = 0;
    for (size_t i = 0; i < bands->n; i++) {
        const size_t end = encoder_end(l, bands, i, start, rv_extent(x, 2));
        if (end <= start)
            return no_room(x, i);
        rv_node *y = rv_slice(x, 2, start, end - start);
        y = rv_pad(y, 2, i == 0 ? l->pad : 0, i + 1 == bands->n ? l->pad : 0, RV_PAD_ZERO);
        const size_t mark = nn_enter(b, "layers.%zu", i);
        out[i] = hybrid_encode(b, &inner, y, NULL);
        nn_leave(b, mark);
        start = end - l->kernel + l->stride;
    }
    return rv_concat(2, bands->n, out);
}

/* One band of the decoder, untrimmed, and without the bias where it is added to another. */
static rv_node *decode_band(nn_builder *b, const hybrid_layer *l, size_t i, rv_node *x,
                            rv_node *skip, rv_node **bias)
{
    char name[320];
    rv_node *unused;
    const size_t mark = nn_enter(b, "layers.%zu", i);
    rv_node *y = hybrid_decode(b, l, x, skip, 0, &unused);
    snprintf(name, sizeof name, "%sconv_tr.bias", b->scope);
    *bias = nn_find(b, name);
    nn_leave(b, mark);
    return y;
}

/* What stands between two bands: the last `stride` frequencies of one and the first of the
 * other, added. */
static rv_node *seam(rv_node *below, rv_node *above, rv_node *bias, size_t stride)
{
    rv_node *end = rv_slice(below, 2, rv_extent(below, 2) - stride, stride);
    return rv_add(end, rv_sub(rv_slice(above, 2, 0, stride), bias));
}

rv_node *hybrid_decode_bands(nn_builder *b, const hybrid_layer *l, const hybrid_bands *bands,
                             rv_node *x, rv_node *skip)
{
    hybrid_layer inner = *l;
    rv_node *parts[2 * (sizeof bands->ratio / sizeof *bands->ratio) + 1], *below = NULL, *bias;
    const size_t bins = rv_extent(skip, 2), stride = l->stride;
    size_t start = 0, n = 0;
    inner.pad = 0;
    inner.last = true;
    for (size_t i = 0; i < bands->n; i++) {
        const size_t end = i + 1 == bands->n ? bins : rounded((double)bins * bands->ratio[i]);
        if (end <= start)
            return no_room(skip, i);
        rv_node *part = x ? rv_slice(x, 2, start, end - start) : NULL;
        rv_node *y = decode_band(b, &inner, i, part, rv_slice(skip, 2, start, end - start), &bias);
        if (below)
            parts[n++] = seam(below, y, bias, stride);
        const size_t first = i == 0 ? stride / 2 : stride,
                     cut = i + 1 == bands->n ? (stride + 1) / 2 : stride;
        if (rv_extent(y, 2) > first + cut)
            parts[n++] = rv_slice(y, 2, first, rv_extent(y, 2) - first - cut);
        below = y;
        start = end;
    }
    rv_node *y = rv_concat(2, n, parts);
    return l->last ? y : rv_gelu(y);
}
