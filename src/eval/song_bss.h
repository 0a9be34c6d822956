/* song_bss.h - BSS Eval of the stems of a song, in windows. */
#ifndef EVAL_SONG_BSS_H
#define EVAL_SONG_BSS_H

#include "eval/bss_eval.h"
#include "eval/evaluation.h"
#include "eval/song_audio.h"

/* Fills the frames of all stems and their medians. Stems without a reference or with a silent
 * estimate take no part and have no figures. "accompaniment" or "instrumental" is evaluated with
 * "vocals" alone, as museval does, since it is the sum of the others; so is "vocals" then.
 * window and hop of `opt` are set from the song's seconds. */
RV_NODISCARD rv_status rv_song_bss(rv_eval_song *song, char *const *names, const rv_song_audio *a,
                                   const rv_bss_options *opt, rv_error *err);

#endif
