/* render_plan.h - what is chosen by the seed for a track and its stems. */
#ifndef DATA_RENDER_PLAN_H
#define DATA_RENDER_PLAN_H

#include "data/drum_kit.h"
#include "data/parts.h"
#include "data/perform.h"
#include "dsp/effects.h"

enum { RV_PLAN_EFFECTS = 8 };

typedef struct rv_track_plan {
    uint64_t seed;
    size_t soundfont; /* of those given */
    size_t drum_kit;  /* of those given; their number: the soundfont's drums */
    rv_performance performance;
    double loudness; /* LUFS of the mix, if its peaks leave room */
} rv_track_plan;

typedef struct rv_stem_plan {
    rv_effect effects[RV_PLAN_EFFECTS];
    size_t n_effects;
    double level; /* dB beside the other stems */
    int voices;   /* that sing, 1 to 3 */
} rv_stem_plan;

/* Drums are played by a kit in half of the tracks, if there are kits. */
rv_track_plan rv_track_plan_make(uint64_t seed, size_t soundfonts, size_t drum_kits, double vary);

/* Which of `having` soundfonts of instruments plays a program; `having`: the track's soundfont. */
size_t rv_plan_instrument(uint64_t seed, int program, size_t having);

/* Drums that are put together for a track. */
enum { RV_DRUM_GROUPS = 5 };

typedef struct rv_drum_mix {
    bool kits; /* drum kits play, not the soundfont */
    struct {
        size_t kit; /* of those given */
        rv_drum_way way;
    } group[RV_DRUM_GROUPS]; /* kick, snare, toms, hi-hats, cymbals and the rest */
    double set;              /* which of a soundfont's sets, 0 to 1 */
} rv_drum_mix;

rv_drum_mix rv_drum_mix_make(uint64_t seed, size_t drum_kits);

/* Which group a note is of. */
int rv_drum_group(int note);

/* Of one of `alike` parts of a class, which share the room of one. */
rv_stem_plan rv_stem_plan_make(const rv_track_plan *track, size_t index, const rv_part *part,
                               size_t alike, int sample_rate);

/* "compressor", ..., and how many values it has. */
const char *rv_plan_effect_name(rv_effect_kind kind);
int rv_plan_effect_values(rv_effect_kind kind);

#endif
