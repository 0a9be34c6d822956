/* soundfont.h - a soundfont (SF2, SF3) plays one instrument's events, by FluidSynth.
 *
 * Equal events give equal bits with one version of FluidSynth: each call plays on a synthesiser
 * that is new, without reverb, chorus or dither. Events act on the grid of FluidSynth's blocks,
 * RV_SYNTH_BLOCK frames: they are put to the nearest, so all instruments shift alike.
 *
 * FluidSynth has two states of the process: a function for messages (switched to nothing here, for
 * all its users in the process) and a cache of samples, which shares a soundfont's samples between
 * all that have it open. In version 2.3 its counter is not locked, so rv_soundfont_open() and
 * rv_soundfont_free() must not run in two threads at a time; each object is of one thread. */
#ifndef DATA_SOUNDFONT_H
#define DATA_SOUNDFONT_H

#include "ravel/base.h"

#include <stdbool.h>

enum { RV_SYNTH_BLOCK = 64, RV_SYNTH_RATE_MIN = 8000, RV_SYNTH_RATE_MAX = 96000 };

typedef struct rv_synth_event {
    int64_t frame;  /* not below the one before */
    uint8_t status; /* 0x80 to 0xEF; the channel does not matter */
    uint8_t data[2];
} rv_synth_event;

typedef struct rv_synth_part {
    int program;  /* 0 to 127, or RV_GM_DRUMS */
    int drum_set; /* with RV_GM_DRUMS: 0 to 127 */
    const rv_synth_event *events;
    size_t n;
    int64_t end; /* frame at which all notes are let go */
} rv_synth_part;

typedef struct rv_soundfont rv_soundfont;

/* Whether this Ravel has FluidSynth; it says what is missing if not. */
RV_NODISCARD rv_status rv_synth_check(rv_error *err);

RV_NODISCARD rv_status rv_soundfont_open(rv_soundfont **out, const char *path, int sample_rate,
                                         rv_error *err);
void rv_soundfont_free(rv_soundfont *s);

/* Adds to out[2][0 .. frames). */
RV_NODISCARD rv_status rv_soundfont_play(rv_soundfont *s, const rv_synth_part *part,
                                         float *const out[2], size_t frames, rv_error *err);

#endif
