/* ddsp_encoders.c - what a DDSP autoencoder hears in audio beside loudness (Engel et al. 2020,
 * arXiv 2001.04643, appendix B.1).
 *
 *   timbre: MFCC, normalised over time each; GRU; linear layer
 *   pitch:  residual network on a spectrogram, a linear layer to p; with w = softplus(p) + 1e-3,
 *           note = 127 sum of w[i] i / N over the sum of w, MIDI notes
 *
 * and brought to the decoder's frames on straight lines. */
#include "models/ddsp_encoders.h"

#include "ddsp/controls.h"

enum { LAST_NOTE = 127 };

/* x [B,M,C] -> [B,frames,C] */
static rv_node *to_frames(rv_node *x, size_t frames)
{
    return rv_extent(x, 1) == frames ? x : rv_upsample(x, frames, RV_UPSAMPLE_LINEAR);
}

rv_node *rv_encode_timbre(nn_builder *b, rv_node *mfcc, size_t hidden, size_t z, size_t frames)
{
    if (mfcc->shape.rank != 3)
        return rv_poison(b->graph, RV_ERR_SHAPE, __func__, "encoder: expected MFCC [B,M,C]");
    rv_node *x = nn_group_norm(b, "norm", mfcc, rv_extent(mfcc, 2), false);
    x = nn_gru(b, "gru", x, hidden, 1, false);
    return to_frames(nn_linear(b, "dense_out", x, z, true), frames);
}

/* p [B,M,N] -> notes [B,M,1] */
static rv_node *mean_note(rv_node *p)
{
    const size_t bins = rv_extent(p, 2);
    rv_node *weight = rv_scale(rv_softplus(p), 1, 1e-3);
    rv_node *notes = rv_constant(p->graph, RV_SHAPE(1, bins));
    for (size_t i = 0; notes->constant && i < bins; i++)
        notes->constant[i] = (real)((double)LAST_NOTE * (double)i / (double)bins);
    const rv_shape one = RV_SHAPE(rv_extent(p, 0), rv_extent(p, 1), 1);
    return rv_div(rv_linear(weight, notes, NULL), rv_sum_to(weight, one));
}

rv_node *rv_encode_pitch(nn_builder *b, const rv_resnet_config *c, rv_node *mel, size_t bins,
                         size_t frames)
{
    const size_t batch = rv_extent(mel, 0), rows = rv_extent(mel, 1);
    if (mel->shape.rank != 3)
        return rv_poison(b->graph, RV_ERR_SHAPE, __func__, "encoder: expected mel bands [B,M,N]");
    const size_t mark = nn_enter(b, "resnet");
    rv_node *x = rv_resnet(b, c, rv_reshape(mel, RV_SHAPE(batch, rows, rv_extent(mel, 2), 1)));
    nn_leave(b, mark);
    x = rv_reshape(x, RV_SHAPE(batch, rows, rv_extent(x, 2) * rv_extent(x, 3)));
    x = nn_linear(b, "dense_out", x, bins, true);
    return rv_midi_to_hz(to_frames(mean_note(x), frames));
}
