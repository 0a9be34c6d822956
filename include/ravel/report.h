/* SPDX-License-Identifier: MIT */
/**
 * @file ravel/report.h
 * @brief One HTML file to listen to stems and to look at figures (docs/report.md).
 */
#ifndef RV_REPORT_H
#define RV_REPORT_H

#include <ravel/base.h>

RV_BEGIN_DECLS

/** What sound is embedded as. Values are part of the ABI: append, never renumber. */
typedef enum rv_report_audio {
    RV_REPORT_OGG,  /**< Ogg Vorbis, about 100 kbit/s */
    RV_REPORT_FLAC, /**< without loss, 16 bits: five to ten times as large */
    RV_REPORT_NONE, /**< pictures only */
    RV_REPORT_AUDIOS
} rv_report_audio;

/** Where a report is. */
typedef struct rv_report_progress {
    const char *song, *stem;
    double fraction; /**< of all work, 0 to 1 */
} rv_report_progress;

/** Not 0: stop. Called in the thread of the caller. */
typedef int rv_report_progress_fn(void *ctx, const rv_report_progress *progress);

/** Fill with rv_report_defaults() first. Texts are borrowed for the call. All inputs may be left
 *  out, but not all at once. */
typedef struct rv_report_options {
    const char *title;   /**< NULL: from the songs (default NULL) */
    const char *command; /**< what was run, shown at the end; NULL: nothing (default NULL) */

    /** Stems: each a folder of audio files, or a folder of such folders, one for each song. Folders
     *  with songs of one name are shown side by side. */
    const char *const *folders;
    size_t n_folders;
    const char *references; /**< data set in any layout of docs/datasets.md; NULL: none */
    const char *layout;     /**< of the references; NULL: found out */
    const char *split;      /**< "train", "valid", "test"; NULL: all songs of the references */
    const char *mix;        /**< an audio file, or a folder of SONG.wav or SONG/mixture.wav */

    const char *const *evaluations; /**< JSON files of rv_evaluation_write_json() or museval */
    size_t n_evaluations;
    const char *const *runs; /**< folders of rv_train() */
    size_t n_runs;
    const char *card; /**< Markdown, or a file of weights; NULL: none */

    rv_report_audio audio; /**< (default RV_REPORT_OGG) */
    double start;          /**< seconds of each song before its sound begins (default 0) */
    double max_seconds;    /**< of sound of each song; 0: as much as keeps the sound of an Ogg
                                report near 64 MB, at least 10 s (default 0) */
    int max_songs;         /**< with sound and pictures; figures of all are shown (default 20) */

    rv_report_progress_fn *progress; /**< may be NULL (default NULL) */
    void *progress_ctx;
    uint32_t reserved[16];
} rv_report_options;

RV_API void rv_report_defaults(rv_report_options *opt);

/** What was written. */
typedef struct rv_report_summary {
    uint64_t bytes;       /**< of the file */
    uint64_t audio_bytes; /**< of these, sound */
    size_t songs, lanes;  /**< with sound or pictures; a lane is a stem of a song, or its mix */
    size_t songs_left_out;
    double seconds; /**< of sound of each song, at most; 0: none */
} rv_report_summary;

/**
 * Write a report: one HTML file that needs no network and no other file.
 *
 * The same inputs and options give the same bytes. The file appears when it is whole; one that is
 * there is replaced. Memory does not grow with the length of songs.
 *
 * @param[out] summary may be NULL
 * @retval RV_ERR_ARG       no inputs; a mix that fits no song
 * @retval RV_ERR_IO        a file or folder is missing or cannot be read; or the report not written
 * @retval RV_ERR_FORMAT    a file that is damaged or of another kind; the text names it
 * @retval RV_ERR_NOMEM
 * @retval RV_ERR_CANCELLED the callback asked to stop
 */
RV_API RV_NODISCARD rv_status rv_report_write(const char *path, const rv_report_options *opt,
                                              rv_report_summary *summary, rv_error *err);

RV_END_DECLS

#endif /* RV_REPORT_H */
