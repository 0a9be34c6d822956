/* demucs_blocks.c - what the layers of the Demucs family share.
 *
 *   A. Defossez, "Hybrid spectrogram and waveform source separation", ISMIR 2021 workshop
 *   on music source separation. arXiv:2111.03600
 *
 * DConv is a residual branch of dilated convolutions over few channels (section 3.2 of the
 * paper); from some depth on it also holds a bidirectional LSTM over frames of limited
 * length and a local attention whose scores fall off with the distance in time. */
#include "demucs_blocks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KERNEL = 3, LSTM_LAYERS = 2, LSTM_STEPS = 200, HEADS = 4, DECAYS = 4 };

rv_node *demucs_layer_scale(nn_builder *b, const char *name, rv_node *x, double init)
{
    const size_t mark = nn_enter(b, "%s", name);
    rv_node *scale =
        nn_param_new(b, "scale", RV_SHAPE(rv_extent(x, -1)), (nn_start){ NN_FILL, init });
    nn_leave(b, mark);
    return rv_mul(x, scale);
}

rv_node *demucs_norm(nn_builder *b, const char *name, rv_node *x, size_t groups)
{
    return groups ? nn_group_norm(b, name, x, groups, false) : x;
}

/* Weight and bias over sqrt(s / reference), where s = a / sqrt(3) is the deviation of U(-a, a). */
void demucs_rescale(nn_param *const *from, double reference)
{
    for (nn_param *p = *from; p && reference > 0; p = p->next) {
        if (p->node->shape.rank < 3 || p->start.kind != NN_UNIFORM)
            continue;
        const double scale = sqrt(p->start.value / sqrt(3.0) / reference);
        p->start.value /= scale;
        if (p->next && p->next->node->shape.rank == 1 && strstr(p->next->name, ".bias"))
            p->next->start.value /= scale;
    }
}

/* BLSTM ------------------------------------------------------------------------------ */

/* x [B,T,C] -> [B n,width,C], n frames that start every width / 2 steps and cover T; zeros
 * after the end. Frames of whole time steps are frames of the flat samples. */
static rv_node *cut_frames(rv_node *x, size_t width)
{
    const size_t batch = rv_extent(x, 0), steps = rv_extent(x, 1), channels = rv_extent(x, 2);
    const size_t stride = width / 2, n = (steps + stride - 1) / stride;
    const size_t padded = (n - 1) * stride + width;
    x = rv_pad(x, 1, 0, padded - steps, RV_PAD_ZERO);
    x = rv_reshape(x, RV_SHAPE(batch, padded * channels));
    x = rv_frame(x, width * channels, stride * channels);
    return rv_reshape(x, RV_SHAPE(batch * n, width, channels));
}

/* The reverse: [B n,width,C] -> [B,steps,C], from each frame its middle half, and the first
 * quarter of the first frame. (The last quarter of the last one lies beyond the end.) */
static rv_node *join_frames(rv_node *y, size_t width, size_t batch, size_t steps)
{
    const size_t channels = rv_extent(y, 2);
    const size_t stride = width / 2, limit = stride / 2, n = (steps + stride - 1) / stride;
    rv_node *frames = rv_reshape(y, RV_SHAPE(batch, n, width, channels));
    rv_node *first = rv_slice(rv_slice(frames, 1, 0, 1), 2, 0, limit);
    rv_node *middle = rv_slice(frames, 2, limit, stride);
    rv_node *parts[] = { rv_reshape(first, RV_SHAPE(batch, limit, channels)),
                         rv_reshape(middle, RV_SHAPE(batch, n * stride, channels)) };
    return rv_slice(rv_concat(1, 2, parts), 1, 0, steps);
}

rv_node *demucs_blstm(nn_builder *b, const char *name, rv_node *x, size_t layers, size_t max_steps,
                      bool skip)
{
    const size_t batch = rv_extent(x, 0), steps = rv_extent(x, 1), dim = rv_extent(x, 2);
    const bool framed = max_steps && steps > max_steps;
    const size_t mark = nn_enter(b, "%s", name);
    rv_node *y = framed ? cut_frames(x, max_steps) : x;
    y = nn_lstm(b, "lstm", y, dim, layers, true);
    y = nn_linear(b, "linear", y, dim, true);
    nn_leave(b, mark);
    if (framed)
        y = join_frames(y, max_steps, batch, steps);
    return skip ? rv_add(y, x) : y;
}

/* LocalState ------------------------------------------------------------------------- */

/* What a step of distance costs a query: [B,T,heads]
 *     slope[s,h] = sum over f = 1..D of f sigmoid(q[h,f,s]) / (2 sqrt(D)) */
static rv_node *decay_slope(nn_builder *b, rv_node *x)
{
    const size_t batch = rv_extent(x, 0), steps = rv_extent(x, 1);
    rv_node *weight = rv_constant(b->graph, RV_SHAPE(DECAYS));
    if (weight->constant)
        for (int f = 0; f < DECAYS; f++)
            weight->constant[f] = (real)((f + 1) / (2 * sqrt((double)DECAYS)));
    nn_param *const *first = b->tail;
    rv_node *q = nn_conv_time(b, "query_decay", x, HEADS * DECAYS, 1, (rv_conv_axis){ 0 }, true);
    if (*first && (*first)->next) { /* training starts with almost no decay */
        (*first)->start.value *= 0.01;
        (*first)->next->start = (nn_start){ NN_FILL, -2 };
    }
    q = rv_mul(rv_reshape(rv_sigmoid(q), RV_SHAPE(batch, steps, HEADS, DECAYS)), weight);
    return rv_reshape(rv_sum_to(q, RV_SHAPE(batch, steps, HEADS, 1)),
                      RV_SHAPE(batch, steps, HEADS));
}

/* x [B,T,C] -> [B,T,C] */
static rv_node *local_state(nn_builder *b, size_t index, rv_node *x)
{
    const rv_conv_axis plain = { 0 };
    const size_t channels = rv_extent(x, 2), mark = nn_enter(b, "%zu", index);
    rv_node *content = nn_conv_time(b, "content", x, channels, 1, plain, true);
    rv_node *query = nn_conv_time(b, "query", x, channels, 1, plain, true);
    rv_node *key = nn_conv_time(b, "key", x, channels, 1, plain, true);
    rv_node *slope = decay_slope(b, x);
    rv_node *y = rv_attention(query, key, content, slope, HEADS, true);
    y = nn_conv_time(b, "proj", y, channels, 1, plain, true);
    nn_leave(b, mark);
    return rv_add(x, y);
}

/* DConv ------------------------------------------------------------------------------ */

/* x [B,T,(F,)C]: the frequencies become batches for what works along time alone. */
static rv_node *recurrent(nn_builder *b, rv_node *x, size_t index, const dconv_config *c)
{
    const size_t batch = rv_extent(x, 0), steps = rv_extent(x, 1);
    const size_t bands = x->shape.rank == 4 ? rv_extent(x, 2) : 1, channels = rv_extent(x, -1);
    const rv_shape shape = x->shape;
    if (bands > 1)
        x = RV_PERMUTE(x, 0, 2, 1, 3);
    x = rv_reshape(x, RV_SHAPE(batch * bands, steps, channels));
    if (c->lstm) {
        char name[8];
        snprintf(name, sizeof name, "%zu", index++);
        x = demucs_blstm(b, name, x, LSTM_LAYERS, LSTM_STEPS, true);
    }
    if (c->attention)
        x = local_state(b, index, x);
    if (bands == 1)
        return rv_reshape(x, shape);
    return RV_PERMUTE(rv_reshape(x, RV_SHAPE(batch, bands, steps, channels)), 0, 2, 1, 3);
}

/* One residual block; the numbers are the places in the reference's sequence. */
static rv_node *residual(nn_builder *b, rv_node *x, size_t dilation, const dconv_config *c)
{
    const size_t channels = rv_extent(x, -1), hidden = (size_t)((double)channels / c->compress);
    const size_t pad = dilation * (KERNEL / 2), extra = (size_t)c->lstm + (size_t)c->attention;
    const bool each_frequency = x->shape.rank == 4;
    const rv_conv_axis dilated = { .dilation = dilation, .before = pad, .after = pad };
    char name[3][8];
    const size_t place[3] = { 3 + extra, 4 + extra, 6 + extra };
    for (int i = 0; i < 3; i++)
        snprintf(name[i], sizeof name[i], "%zu", place[i]);

    rv_node *y = nn_conv_time(b, "0", x, hidden, KERNEL, dilated, true);
    y = rv_gelu(nn_group_norm(b, "1", y, 1, each_frequency));
    if (extra)
        y = recurrent(b, y, 3, c);
    y = nn_conv_time(b, name[0], y, 2 * channels, 1, (rv_conv_axis){ 0 }, true);
    y = rv_glu(nn_group_norm(b, name[1], y, 1, each_frequency));
    return demucs_layer_scale(b, name[2], y, c->init);
}

rv_node *demucs_dconv(nn_builder *b, const char *name, rv_node *x, const dconv_config *c)
{
    for (size_t i = 0; i < c->depth; i++) {
        const size_t mark = nn_enter(b, "%s.layers.%zu", name, i);
        x = rv_add(x, residual(b, x, c->dilate ? (size_t)1 << i : 1, c));
        nn_leave(b, mark);
    }
    return x;
}
