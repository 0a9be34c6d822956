/* hybrid.c - the U-Net of two branches that Hybrid Demucs and HT Demucs share.
 *
 *   A. Defossez, "Hybrid spectrogram and waveform source separation", 2021.
 *   arXiv:2111.03600 (figure 1)
 *
 * One branch goes along the frequencies of the spectrogram, one along the samples. At each
 * level both have their own skips. If the levels suffice to use up the frequencies, the
 * time branch ends there and is added to the other, and starts from it again in the
 * decoder. The result is the sum of both. */
#include "hybrid.h"

#include "demucs_signal.h"

/* The values that travel through the levels. */
typedef struct {
    rv_node *x, *xt; /* frequency branch [1,T,F,C], time branch [1,T',C] */
    rv_node *skip[HYBRID_MOST_DEPTH], *skip_time[HYBRID_MOST_DEPTH];
    size_t length[HYBRID_MOST_DEPTH], length_time[HYBRID_MOST_DEPTH]; /* before the level */
} branches;

/* Says to the first level where in the spectrum it is: x [1,T,F,C] + weight [F,C] */
static rv_node *embed_frequency(nn_builder *b, const hybrid_config *c, rv_node *x)
{
    const nn_start start = { NN_NORMAL, c->embedding_scale != 0 ? 1 / c->embedding_scale : 0 };
    rv_node *weight = nn_param_new(b, "freq_emb.embedding.weight",
                                   RV_SHAPE(rv_extent(x, 2), rv_extent(x, 3)), start);
    return rv_add(x, rv_scale(weight, c->embedding * c->embedding_scale, 0));
}

static void encode(nn_builder *b, const hybrid_config *c, size_t i, branches *s)
{
    rv_node *inject = NULL;
    if (i < c->time_depth) {
        const size_t mark = nn_enter(b, "tencoder.%zu", i);
        s->length_time[i] = rv_extent(s->xt, 1);
        s->xt = s->skip_time[i] = hybrid_encode(b, &c->time_encoder[i], s->xt, NULL);
        inject = c->time_encoder[i].empty ? s->xt : NULL;
        nn_leave(b, mark);
    }
    const size_t mark = nn_enter(b, "encoder.%zu", i);
    s->length[i] = rv_extent(s->x, 1);
    s->x = i < c->band_levels ? hybrid_encode_bands(b, &c->encoder[i], &c->bands, s->x)
                              : hybrid_encode(b, &c->encoder[i], s->x, inject);
    nn_leave(b, mark);
    if (i == 0 && c->embedding != 0)
        s->x = embed_frequency(b, c, s->x);
    s->skip[i] = s->x;
}

static void decode(nn_builder *b, const hybrid_config *c, size_t i, branches *s)
{
    rv_node *before = NULL, *unused;
    size_t mark = nn_enter(b, "decoder.%zu", c->depth - 1 - i);
    if (i < c->band_levels)
        s->x = hybrid_decode_bands(b, &c->decoder[i], &c->bands, s->x, s->skip[i]);
    else
        s->x = hybrid_decode(b, &c->decoder[i], s->x, s->skip[i], s->length[i], &before);
    nn_leave(b, mark);
    if (i >= c->time_depth)
        return;
    const hybrid_layer *l = &c->time_decoder[i];
    mark = nn_enter(b, "tdecoder.%zu", c->time_depth - 1 - i);
    if (l->empty) {
        rv_node *x = rv_reshape(before, RV_SHAPE(1, rv_extent(before, 1), rv_extent(before, -1)));
        s->xt = hybrid_decode(b, l, x, NULL, s->length_time[i], &unused);
    } else
        s->xt = hybrid_decode(b, l, s->xt, s->skip_time[i], s->length_time[i], &unused);
    nn_leave(b, mark);
}

rv_node *hybrid_build(nn_builder *b, const hybrid_config *c, rv_node *mix, hybrid_middle *middle,
                      const void *ctx)
{
    rv_node *z = hybrid_stft(c, mix);
    rv_node *input = c->complex_as_channels ? z : hybrid_magnitude(z);
    const demucs_level level = demucs_measure(input), level_time = demucs_measure(mix);
    branches s = { .x = demucs_normalise(input, &level) };
    if (c->hybrid)
        s.xt = demucs_normalise(mix, &level_time);

    nn_param *const *first = b->tail;
    for (size_t i = 0; i < c->depth; i++)
        encode(b, c, i, &s);
    demucs_rescale(first, c->rescale);
    middle(b, ctx, &s.x, &s.xt);
    first = b->tail;
    for (size_t i = c->depth; i-- > 0;)
        decode(b, c, i, &s);
    demucs_rescale(first, c->rescale);

    rv_node *y = hybrid_spectra(c, demucs_restore(s.x, &level), z);
    y = hybrid_istft(c, y, rv_extent(mix, 1));
    return c->hybrid ? rv_add(y, demucs_restore(s.xt, &level_time)) : y;
}
