/* loss_features.c - how far pitch and loudness of the sources of a mix are from what they should
 * be:
 *
 *     (1 - a) mean |loudness - target| + a mean |f0 - target|
 *
 * as T. Skverer and A. Zukier train MCTN (github.com/TalSk/cs236781-project), a = 0.1: in Hz, and
 * in all frames, whether they have a pitch or not. An error in Hz counts a semitone at 1 kHz as
 * much as an octave at 60 Hz, and what a pitch tracker says of frames without a pitch is noise: so
 * pitch can be measured in semitones, by the likelihood (as J. Engel et al., "Self-supervised Pitch
 * Detection by Inverse Audio Synthesis", 2020, compare sinusoids), and in voiced frames alone. */
#include "train/loss_features.h"

#include "ddsp/controls.h"

/* Of pitches [B,F,S,depth] against f0 [B,F,S] -> [B,F,S] */
static rv_node *surprise(const rv_feature_loss *l, const rv_mctn_config *c, rv_node *pitches,
                         rv_node *f0)
{
    const rv_shape all = pitches->shape;
    rv_node *centres = rv_constant(f0->graph, RV_SHAPE(1, 1, 1, c->depth));
    const double low = rv_note_of(c->f0_min), range = rv_note_of(c->f0_max) - low;
    for (size_t k = 0; centres->constant && k < c->depth; k++)
        centres->constant[k] = (real)(low + range * (double)k / (double)(c->depth - 1));
    rv_node *note = rv_reshape(rv_hz_to_midi(f0), RV_SHAPE(all.d[0], all.d[1], all.d[2], 1));
    rv_node *density = rv_log_mixture(note, rv_broadcast_to(centres, all), pitches, l->deviation);
    return rv_scale(rv_reshape(density, f0->shape), -1, 0);
}

/* -> [B,F,S] */
static rv_node *pitch_distance(const rv_feature_loss *l, const rv_mctn_config *c,
                               const rv_mctn_features *found, rv_node *f0)
{
    switch (l->measure) {
    case RV_PITCH_SEMITONES:
        return rv_abs(rv_sub(rv_hz_to_midi(found->f0), rv_hz_to_midi(f0)));
    case RV_PITCH_LIKELIHOOD:
        return surprise(l, c, found->pitches, f0);
    default:
        return rv_abs(rv_sub(found->f0, f0));
    }
}

rv_node *rv_loss_features(const rv_feature_loss *l, const rv_mctn_config *c,
                          const rv_mctn_features *found, const rv_feature_targets *target)
{
    rv_node *pitch = pitch_distance(l, c, found, target->f0);
    pitch = l->voiced ? rv_div(rv_sum(rv_mul(pitch, target->voiced)),
                               rv_maximum(rv_sum(target->voiced), 1))
                      : rv_mean(pitch);
    rv_node *level = rv_mean(rv_abs(rv_sub(found->loudness, target->loudness)));
    return rv_add(rv_scale(level, 1 - l->f0_weight, 0), rv_scale(pitch, l->f0_weight, 0));
}
