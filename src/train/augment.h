/* augment.h - new mixes from old stems: augmentation as in Demucs (arXiv 2111.03600, section 5).
 *
 * What happens to a batch of clips [B,S,C,L] (B examples of S stems) is drawn first, as a list of
 * choices, and then applied in one pass: a stem of the result is a clip of the same stem, perhaps
 * of another song (remix), from an offset on (shift), with its channels swapped, times a gain whose
 * sign may be negative or that is 0 (silence). All choices are functions of (seed, step) alone.
 * Pitch and tempo are changed before, clip by clip (train/repitch.h), and effects are applied
 * (train/retouch.h). */
#ifndef TRAIN_AUGMENT_H
#define TRAIN_AUGMENT_H

#include "ravel/base.h"

#include <stdbool.h>

enum { RV_AUGMENT_ATTEMPTS = 16 }; /* to find a song that lends a stem */

typedef struct rv_augment {
    double remix;              /* probability that a batch is remixed */
    size_t remix_group;        /* examples that exchange stems; divides the batch; 0: all of it */
    double gain;               /* probability that the stems of a batch get gains */
    double gain_min, gain_max; /* uniform between */
    bool swap_channels;        /* half of the stems; stereo only */
    bool flip_sign;            /* half of the stems */
    size_t shift;              /* frames; each stem by less than that; 0: none */
    bool shift_same;           /* all stems of an example alike */
    double silence;            /* probability of silence for a stem; never all of a mix */
    double borrow;             /* probability that a stem that a song lacks is another song's */
    double repitch;            /* probability that an example changes pitch and tempo */
    int pitch_max;             /* semitones, up or down, uniform */
    double tempo_max;          /* percent, faster or slower */
    double tempo_std;          /* percent, standard deviation before the limit */
    bool repitch_same;         /* all stems of an example alike */
    double effects;            /* probability of random effects for a stem; stereo only */
    double effects_gain;       /* dB, of their equaliser, up or down */
} rv_augment;

/* Where a stem of an example comes from, and what is done to it. */
typedef struct rv_choice {
    size_t from;   /* example of the batch */
    size_t offset; /* frames */
    float gain;
    bool swap;
} rv_choice;

typedef struct rv_repitch_choice {
    bool on;
    int semitones;
    double tempo; /* percent faster */
} rv_repitch_choice;

/* Sizes of a batch: S stems of C channels, clips of L frames, examples of T. */
typedef struct rv_batch_shape {
    size_t examples, stems, channels, clip_frames, frames;
} rv_batch_shape;

rv_augment rv_augment_none(void);

/* Demucs v4's: remix in groups of 4, gains 0.25 to 1.25, swaps, signs, shifts below 1 s; pitch and
 * tempo for every fifth example (2 semitones, 12 %). */
rv_augment rv_augment_demucs(int sample_rate);

/* True if clips stay as they are, so that a mixture file is still their mix. */
bool rv_augment_is_none(const rv_augment *a);

/* Ranges, whether groups divide the batch, and whether this build can change the pitch. */
RV_NODISCARD rv_status rv_augment_check(const rv_augment *a, size_t batch, rv_error *err);

/* Frames that an example of `frames` needs: before its shift, and before its change of tempo. */
size_t rv_augment_shift_frames(const rv_augment *a, size_t frames);
size_t rv_augment_clip_frames(const rv_augment *a, size_t frames);

/* Whether the clip'th clip since the start of training (example times stems + stem) is borrowed if
 * its song has no such stem; and the `attempt`th draw below n of an example that may lend it. */
bool rv_augment_borrows(const rv_augment *a, uint64_t seed, uint64_t clip);
size_t rv_augment_draw_lender(uint64_t seed, uint64_t clip, size_t attempt, size_t n);

/* Whether the clip'th clip gets effects. */
bool rv_augment_retouches(const rv_augment *a, uint64_t seed, uint64_t clip);

/* choices [B,S] of the step'th batch */
void rv_augment_draw(const rv_augment *a, uint64_t seed, uint64_t step, const rv_batch_shape *shape,
                     rv_choice *choices);

/* Of a stem of the example'th example since the start of training. */
rv_repitch_choice rv_augment_draw_repitch(const rv_augment *a, uint64_t seed, uint64_t example,
                                          size_t n_stems, size_t stem);

/* clips[(b S + s) C + c] is a plane of L frames -> mix [B,T,C], stems [B,T,S*C]; the mix is the sum
 * of the stems in their order. */
void rv_augment_apply(const rv_choice *choices, const rv_batch_shape *shape,
                      const float *const *clips, float *mix, float *stems);

#endif
