/* audio_claim.h - how long a file says it is, read from its header by ourselves.
 *
 * The decoding libraries do not tell a cut file from a whole one: libsndfile shortens a WAV or
 * AIFF to the bytes that are there, and guesses the length of an MP3 without a Xing header (and
 * then stops at the guess). So we read what the header claims and compare.
 *
 *   WAV, RF64   size of the `data` chunk against the size of the file; 0xffffffff: a stream
 *   AIFF        size of the `SSND` chunk, likewise
 *   MP3         Xing or Info frame: number of MPEG frames (some encoders count the Xing frame
 *               itself); LAME extension: encoder delay and padding, and then the count is exact
 *               (http://gabriel.mp3-tech.org/mp3infotag.html) */
#ifndef IO_AUDIO_CLAIM_H
#define IO_AUDIO_CLAIM_H

#include "ravel/base.h"

#include <stdbool.h>

typedef struct audio_claim {
    bool mpeg;      /* MPEG audio: MP3, ADTS AAC, MP3 in WAV; or what starts with an ID3 tag */
    int64_t frames; /* exactly, in the header's opinion; -1: it has none */
    int64_t about;  /* frames, or a count that may be off by `slack`; -1 */
    int64_t slack;
} audio_claim;

/* Fails for a file that is missing, no regular file, empty, or shorter than it claims. */
rv_status rv_audio_claim(audio_claim *out, const char *path, rv_error *err);

#endif
