/* soundfont_file.h - what a soundfont's tables say, without playing it: its presets, and whose it
 * is. */
#ifndef DATA_SOUNDFONT_FILE_H
#define DATA_SOUNDFONT_FILE_H

#include "data/gm.h"
#include "io/text.h"

enum { RV_DRUM_SETS = 128 };

typedef struct rv_soundfont_info {
    char copyright[RV_SHOWN];     /* printable ASCII, one line; "" if it says nothing */
    bool program[RV_GM_PROGRAMS]; /* bank 0; RV_GM_DRUMS: drum set 0 */
    bool drum_set[RV_DRUM_SETS];  /* bank 128 */
} rv_soundfont_info;

/* Of the file's bytes. What is not there, or no soundfont at all, leaves its field empty. */
void rv_soundfont_info_read(rv_soundfont_info *info, const unsigned char *bytes, size_t n);

/* Bytes of the content of the first chunk `name` among those in p[0 .. n), 0: none; *at is where it
 * begins. For a LIST or RIFF, `kind` is what it holds ("" otherwise), and not of the content. */
size_t rv_soundfont_chunk(const unsigned char *p, size_t n, const char *name, const char *kind,
                          size_t *at);

#endif
