/* mono_gate.h - see mono_gate.c */
#ifndef DATA_MONO_GATE_H
#define DATA_MONO_GATE_H

#include "base/status.h"

#include <stdbool.h>
#include <stdio.h>

/* Thresholds are inclusive; their names are those of DDSP-Demucs' configs/base.yaml. */
typedef struct rv_mono_gate {
    double f0_conf_min;               /* of a frame (default 0.65) */
    double harmonicity_ratio_min;     /* (0.65) */
    double residual_energy_ratio_max; /* (0.38) */
    double mono_frame_fraction_min;   /* of a segment's voiced frames (0.8) */
    double mono_track_fraction_min;   /* of a track's voiced frames (0.88) */
    double segment, hop;              /* seconds (10, 5) */
} rv_mono_gate;

rv_mono_gate rv_mono_gate_defaults(void);

/* What `ravel features` calls f0_confidence, voiced, harmonicity and residual. */
typedef struct rv_gate_frames {
    const float *confidence, *voiced, *harmonicity, *residual; /* [n] */
    size_t n;
    double rate; /* frames a second */
} rv_gate_frames;

typedef struct rv_gate_segment {
    double start, end; /* seconds */
    size_t voiced, mono;
    double fraction; /* mono / voiced, or 0 */
    bool pass;
} rv_gate_segment;

typedef struct rv_gate_track {
    size_t frames, voiced, mono;
    double fraction;
    bool pass;
    rv_gate_segment *segments; /* [n_segments] in order; neighbours may overlap */
    size_t n_segments;
} rv_gate_track;

RV_NODISCARD rv_status rv_mono_gate_decide(rv_gate_track *out, const rv_mono_gate *gate,
                                           const rv_gate_frames *frames, rv_error *err);
void rv_gate_track_free(rv_gate_track *t); /* what it holds */

/* Rows for data/segment_list.h, below one of names: track, start_s, end_s, voiced_frames,
 * mono_voiced_frames, mono_fraction, segment_pass. And one for the track: track, frames,
 * voiced_frames, mono_voiced_frames, mono_track_fraction, track_pass. False where writing fails. */
bool rv_gate_segments_head(FILE *to);
bool rv_gate_segments_rows(FILE *to, const char *name, const rv_gate_track *t);
bool rv_gate_tracks_head(FILE *to);
bool rv_gate_tracks_row(FILE *to, const char *name, const rv_gate_track *t);

#endif
