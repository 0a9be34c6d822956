/* SPDX-License-Identifier: MIT */
/**
 * @file ravel/dataset.h
 * @brief Data sets for training: made, checked and stored.
 */
#ifndef RV_DATASET_H
#define RV_DATASET_H

#include <ravel/base.h>
#include <ravel/features.h>

RV_BEGIN_DECLS

/* Rendering --------------------------------------------------------------------------------- */

/** Where a rendering is. */
typedef struct rv_render_progress {
    uint64_t tracks_done;   /**< with those that were there already */
    uint64_t tracks_total;  /**< 0 while songs are being looked for */
    uint64_t tracks_before; /**< that were there already */
    double seconds_done;    /**< of audio, in this run */
    const char *note;       /**< NULL, or one line: a song that is left out, and why */
} rv_render_progress;

/** Called in the thread of the caller, a few times a second and once for each note. Not 0: stop,
 *  leaving whole tracks only. */
typedef int rv_render_progress_fn(void *ctx, const rv_render_progress *progress);

/** Fill with rv_render_defaults() first. Texts are borrowed for the call. */
typedef struct rv_render_options {
    const char *const *midi; /**< MIDI files, and folders that are searched for them */
    size_t n_midi;
    const char *const *soundfonts; /**< SF2 or SF3; at least one */
    size_t n_soundfonts;
    const char *const *drum_kits; /**< folders of Hydrogen's kits; may be none */
    size_t n_drum_kits;
    const char *const *instruments; /**< SF2 or SF3 with single programs; may be none */
    size_t n_instruments;
    int mix_drums;         /**< 1: drums are put together anew for each track (default 0) */
    int compose;           /**< songs to write, beside those of `midi`, 0 to 99999 (default 0) */
    const char *style;     /**< of those; NULL: each has its own (default NULL) */
    int variants;          /**< of each song, 1 to 1000 (default 1) */
    uint64_t seed;         /**< of all choices (default 0) */
    int sample_rate;       /**< Hz, 8000 to 96000 (default 44100) */
    double valid_fraction; /**< of the songs that are for validation (default 0) */
    double test_fraction;  /**< of the songs that are for tests (default 0) */
    double vary; /**< probability that another program of its kind plays a part (default 0) */
    int dry;     /**< 1: instruments as they are played, without effects (default 0) */
    double max_seconds;  /**< longer songs are left out, composed ones made to end by then,
                              about (default 1200) */
    int strict;          /**< 1: a song that cannot be read is an error (default 0) */
    int threads;         /**< tracks at a time; 0: one for each core (default 0) */
    const char *command; /**< for the card: how the data set was made (default NULL) */
    rv_render_progress_fn *progress; /**< may be NULL (default NULL) */
    void *progress_ctx;
    uint32_t reserved[8];
} rv_render_options;

RV_API void rv_render_defaults(rv_render_options *opt);

/** What was done. */
typedef struct rv_render_report {
    uint64_t songs;         /**< that are rendered */
    uint64_t broken;        /**< files that could not be read as songs */
    uint64_t duplicates;    /**< files with the content of another */
    uint64_t too_long;      /**< songs beyond max_seconds */
    uint64_t tracks;        /**< in the data set */
    uint64_t tracks_before; /**< of these, there already */
    uint64_t without_drums; /**< tracks */
    uint64_t without_bass;  /**< tracks */
    uint64_t silent_stems;  /**< not written: the soundfont has no sound for them */
    uint64_t quieter;       /**< tracks below the loudness they should have: their peaks leave no
                                 room */
    double seconds;         /**< of audio in the data set, a mix counted once */
} rv_render_report;

/**
 * Render songs to a data set with the layout of Slakh2100 (docs/rendering.md).
 *
 * Drums are played by a kit in half of the tracks, if there are kits. A program that one of the
 * instruments has (bank 0, drums: bank 128, program 0) is played by it in half of the tracks. With
 * mix_drums kits play in 0.7 of the tracks: each group of drums one of them, tuned and damped; in
 * the others one of the soundfont's sets does. Tracks "Vocals" and "Backing vocals" that have
 * lyrics are sung, if the program espeak-ng is there.
 *
 * A track gets its name when it is whole. A call with the same songs and options goes on where an
 * interrupted one stopped, and makes the same bytes, for any number of threads and the same
 * versions of the libraries. One call at a time in a process: FluidSynth has state of the process,
 * and its messages are switched off in it.
 *
 * @param      out    folder of the data set; made if missing
 * @param[out] report may be NULL
 * @retval RV_ERR_ARG, RV_ERR_IO, RV_ERR_FORMAT, RV_ERR_NOMEM
 * @retval RV_ERR_EXISTS      `out` holds a data set of other songs or options
 * @retval RV_ERR_UNSUPPORTED this build has no FluidSynth, libebur128 or libyaml
 * @retval RV_ERR_CANCELLED   the callback asked to stop
 */
RV_API RV_NODISCARD rv_status rv_dataset_render(const char *out, const rv_render_options *opt,
                                                rv_render_report *report, rv_error *err);

/* Gate -------------------------------------------------------------------------------------- */

/** Which frames, segments and tracks are one voice. Fill with rv_gate_defaults() first; thresholds
 * have the names and values of DDSP-Demucs, and count as passed where they are met exactly. */
typedef struct rv_gate_options {
    const char *layout; /**< of the data set; NULL: found out (default NULL) */
    const char *stem;   /**< that is heard (default "vocals") */
    const char *tracks; /**< also a CSV with a row for each track; NULL: none (default NULL) */
    const char *cache;  /**< of features; NULL: $XDG_CACHE_HOME/ravel or ~/.cache/ravel (default) */
    double f0_conf_min; /**< of a frame (default 0.65) */
    double harmonicity_ratio_min;     /**< of a frame (default 0.65) */
    double residual_energy_ratio_max; /**< of a frame (default 0.38) */
    double mono_frame_fraction_min;   /**< of a segment's voiced frames (default 0.8) */
    double mono_track_fraction_min;   /**< of a track's voiced frames (default 0.88) */
    double segment, hop;              /**< seconds (default 10 and 5) */
    int sample_rate;                  /**< Hz that audio is brought to (default 22050) */
    double frame_rate;                /**< frames a second (default 100) */
    rv_f0_method f0_method;           /**< (default RV_F0_PYIN) */
    double f0_min, f0_max;            /**< Hz (default 65.406, 2093.005) */
    rv_crepe_options crepe;           /**< with f0_method RV_F0_CREPE */
    int threads;                      /**< songs at a time; 0: one for each core (default 0) */
    int whole_tracks; /**< 1: segments pass only where their track does, too (default 0) */
    int overwrite;    /**< 1: replace tables that are there (default 0) */
    /** Called often, never by two threads at a time; not 0: stop. May be NULL. */
    int (*progress)(void *ctx, const char *song, double fraction);
    void *progress_ctx;
    uint32_t reserved[8];
} rv_gate_options;

RV_API void rv_gate_defaults(rv_gate_options *opt);

typedef struct rv_gate_report {
    uint64_t tracks, tracks_passed, segments, segments_passed;
    uint64_t found, measured; /**< features in the cache, and those that it lacked */
} rv_gate_report;

/**
 * Write the decisions on a stem of all songs of a data set, or of a folder of separated stems, as
 * CSV: track, start_s, end_s, voiced_frames, mono_voiced_frames, mono_fraction, segment_pass; which
 * is what rv_shards_options.segments reads. Songs without the stem are left out.
 *
 * @retval RV_ERR_ARG       an option, or there is no such stem
 * @retval RV_ERR_EXISTS    a table is there already
 * @retval RV_ERR_CANCELLED the callback asked to stop
 */
RV_API RV_NODISCARD rv_status rv_dataset_gate(const char *root, const char *out,
                                              const rv_gate_options *opt, rv_gate_report *report,
                                              rv_error *err);

/* Shards ------------------------------------------------------------------------------------ */

/** What rv_dataset_shards() makes of a data set. Fill with rv_shards_defaults() first. */
typedef struct rv_shards_options {
    const char *layout; /**< of the data set; NULL: found out (default NULL) */
    const char *stem;   /**< the target (default "vocals") */
    const char *inputs; /**< folder with estimates INPUTS/[SPLIT/]SONG/STEM.wav or .flac; NULL: the
                             mixture is the input (default NULL) */
    const char *segments; /**< CSV with columns track, start_s, end_s and, if it has one,
                               segment_pass; NULL: whole songs (default NULL) */
    int sample_rate;      /**< Hz (default 22050) */
    double window;        /**< seconds of an example (default 4) */
    double hop;           /**< seconds between their starts (default 1) */
    uint64_t per_shard; /**< examples; validation and test: half of it, at least 64 (default 512) */
    double valid_fraction; /**< of the training songs (default 0.1) */
    double level;          /**< examples in which input or target are below are left out, dB RMS
                                (default -50) */
    uint64_t seed;         /**< of the choice of validation songs (default 1337) */
    int overwrite;         /**< 1: replace the shards of an earlier call (default 0) */
    /** Called for each song; not 0: stop. May be NULL. */
    int (*progress)(void *ctx, const char *song, uint64_t done, uint64_t of);
    void *progress_ctx;
    uint32_t reserved[8];
} rv_shards_options;

RV_API void rv_shards_defaults(rv_shards_options *opt);

/** Numbers of training [0], validation [1] and test [2]. */
typedef struct rv_shards_report {
    uint64_t songs[3], examples[3], shards[3];
    uint64_t quiet;          /**< examples left out for their level */
    uint64_t without_inputs; /**< songs left out, of which there is no estimate */
} rv_shards_report;

/**
 * Cut a data set into examples for training, in TensorFlow's format:
 * OUT/{train,val,test}/SPLIT-NNNNN.tfrecord, mono, with the keys audio/inputs and audio/targets
 * (float32), audio/sample_rate, audio/length, meta/track, meta/subset, meta/start_sec,
 * meta/end_sec, meta/source and meta/stem. A shard appears when it is complete.
 *
 * @retval RV_ERR_ARG       an option, or OUT has shards already
 * @retval RV_ERR_FORMAT    a file of the data set, or the CSV: which, and where in it
 * @retval RV_ERR_IO        a file that cannot be read or written
 * @retval RV_ERR_CANCELLED the callback asked to stop
 */
RV_API RV_NODISCARD rv_status rv_dataset_shards(const char *root, const char *out,
                                                const rv_shards_options *opt,
                                                rv_shards_report *report, rv_error *err);

/** What rv_dataset_check() looks for. Fill with rv_check_defaults() first. */
typedef struct rv_check_options {
    const char *layout;       /**< of the data set; NULL: found out (default NULL) */
    const char *const *stems; /**< [n_stems]; none: those of the layout, and whether they sum to
                                   the mixture (default none) */
    size_t n_stems;
    int threads;           /**< songs are shared out among them; 0: one for each core (default 0) */
    double residual;       /**< of mixture - stems, above which it is a finding, dB relative to the
                                mixture (default -40) */
    double residual_lossy; /**< the same, where a file was coded lossily (default -15) */
    /** Called often, never by two threads at a time; not 0: stop. May be NULL. */
    int (*progress)(void *ctx, const char *song, double fraction);
    void *progress_ctx;
    uint32_t reserved[8];
} rv_check_options;

RV_API void rv_check_defaults(rv_check_options *opt);

/** How bad a finding is. Values are part of the ABI. */
typedef enum rv_check_severity {
    RV_CHECK_NOTE = 0, /**< worth knowing; harms nothing */
    RV_CHECK_WARNING,  /**< makes training worse */
    RV_CHECK_ERROR     /**< training refuses the song, or a score would be false */
} rv_check_severity;

/** A finding. */
typedef struct rv_check_finding {
    rv_check_severity severity;
    const char *code;  /**< "metadata", "unreadable", "missing", "rate", "channels", "length",
                            "nan", "sum", "gain", "misaligned", "polarity", "clipping", "silence",
                            "dc", "duplicate" or "leak" */
    const char *track; /**< "train/SONG" */
    const char *stem;  /**< or several: "bass, drums"; "mixture"; "" for the whole song */
    const char *text;  /**< what, with numbers, and what to do */
    double value;      /**< the number meant: dB of residuals, linear gain, samples of shift, ... */
} rv_check_finding;

/** A stem of a song, or its mixture. Without files all but the name is 0. */
typedef struct rv_check_audio {
    const char *name;
    int files;    /**< that are summed */
    int readable; /**< 1: to the end, and of one rate */
    int lossy;    /**< 1: one of them was coded lossily */
    int sample_rate, channels;
    uint64_t frames;
    double peak;                    /**< absolute, linear */
    double rms;                     /**< linear, over all channels */
    double offset;                  /**< mean of the channel in which it is farthest from 0 */
    double silent;                  /**< share below -60 dB peak, in parts of 8192 frames */
    uint64_t clipped_runs, clipped; /**< runs of three or more equal samples at full scale, and
                                         samples in them */
    uint64_t not_finite;            /**< samples that are NaN or infinite */
    uint64_t hash;                  /**< of the decoded samples, with rate and channels */
} rv_check_audio;

/** A song. */
typedef struct rv_check_track {
    const char *name, *split; /**< split: "train", "valid", "test", ... or "" */
    double seconds;
    const rv_check_audio *audio; /**< [n_stems + 1]: the stems, and the mixture at last */
    int has_sum;                 /**< 1: mixture and stems could be compared */
    double residual;             /**< of mixture - stems, dB relative to the mixture */
    double gain;                 /**< of the stems' sum, with which it fits the mixture best */
    double residual_fitted;      /**< with that gain, dB */
} rv_check_track;

/** What rv_dataset_check() found. */
typedef struct rv_check_report {
    const char *layout, *expects; /**< name, and the tree in a line */
    const char *const *stems;     /**< [n_stems] */
    size_t n_stems;
    const rv_check_track *tracks; /**< [n_tracks] sorted by name */
    size_t n_tracks;
    const rv_check_finding *findings; /**< [n_findings] in the order of the songs */
    size_t n_findings;
} rv_check_report;

/**
 * Look for what harms training: files that are missing, damaged or unlike their song's others;
 * stems that do not sum to the mixture, or are shifted against it; clipping, silence, offsets; and
 * songs that are there twice. Files are read once, a block at a time (stems that do not sum up:
 * parts of them again), so memory does not grow with their length.
 *
 * @retval RV_ERR_ARG       an option, or the layout is not clear
 * @retval RV_ERR_IO        no data set is there
 * @retval RV_ERR_CANCELLED the callback asked to stop
 */
RV_API RV_NODISCARD rv_status rv_dataset_check(rv_check_report **out, const char *root,
                                               const rv_check_options *opt, rv_error *err);
RV_API void rv_check_report_free(rv_check_report *report);

RV_END_DECLS

#endif /* RV_DATASET_H */
