/* keep_stems.h - write estimates that were made in memory, as folders of estimates lie. */
#ifndef EVAL_KEEP_STEMS_H
#define EVAL_KEEP_STEMS_H

#include "eval/song_audio.h"

/* ROOT/METHOD/[SPLIT/]SONG/STEM.wav, in 32 bits; files that are there are replaced. */
RV_NODISCARD rv_status rv_keep_stems(const char *root, const char *method, const rv_song_audio *a,
                                     const rv_track_list *list, size_t track, rv_error *err);

#endif
