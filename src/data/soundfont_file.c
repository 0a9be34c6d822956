/* soundfont_file.c - RIFF sfbk (SoundFont 2.04): LIST INFO with the copyright ICOP, and LIST pdta
 * whose phdr has a row for each preset, and one that ends it. */
#include "data/soundfont_file.h"

#include <stdint.h>
#include <string.h>

enum { HEADER = 12, PRESET = 38, PRESET_NUMBER = 20, PRESET_BANK = 22, DRUM_BANK = 128 };

static uint32_t size_at(const unsigned char *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The zero that follows an odd size in RIFF is missing in SF3 files of MuseScore. */
size_t rv_soundfont_chunk(const unsigned char *p, size_t n, const char *name, const char *kind,
                          size_t *at)
{
    const size_t skipped = strlen(kind);
    for (size_t i = 0; i + 8 <= n;) {
        const size_t size = size_at(p + i + 4);
        if (size > n - i - 8)
            return 0;
        if (memcmp(p + i, name, 4) == 0 && size >= skipped &&
            memcmp(p + i + 8, kind, skipped) == 0) {
            *at = i + 8 + skipped;
            return size - skipped;
        }
        i += 8 + size;
        i += size % 2 && i < n && p[i] == 0;
    }
    return 0;
}

/* A cell of the data card: its table has bars, and metadata is UTF-8, which this may not be. */
static void copy_text(char out[RV_SHOWN], const unsigned char *p, size_t n)
{
    const rv_shown shown = rv_show((const char *)p, strnlen((const char *)p, n));
    strcpy(out, shown.text);
    for (char *c = out; *c; c++) {
        if ((unsigned char)*c >= 0x7f)
            *c = '?';
        if (*c == '|')
            *c = '/';
    }
}

static void read_presets(rv_soundfont_info *info, const unsigned char *rows, size_t n)
{
    for (size_t i = 0; i + 1 < n / PRESET; i++) {
        const unsigned char *row = rows + i * PRESET;
        const int number = row[PRESET_NUMBER] | row[PRESET_NUMBER + 1] << 8;
        const int bank = row[PRESET_BANK] | row[PRESET_BANK + 1] << 8;
        if (bank == 0 && number < RV_GM_DRUMS)
            info->program[number] = true;
        if (bank == DRUM_BANK && number < RV_DRUM_SETS)
            info->drum_set[number] = true;
    }
    info->program[RV_GM_DRUMS] = info->drum_set[0];
}

void rv_soundfont_info_read(rv_soundfont_info *info, const unsigned char *bytes, size_t n)
{
    size_t list = 0, at = 0;
    *info = (rv_soundfont_info){ .copyright = "" };
    if (n < HEADER)
        return;
    const unsigned char *const p = bytes + HEADER;
    size_t size = rv_soundfont_chunk(p, n - HEADER, "LIST", "INFO", &list);
    size_t inner = rv_soundfont_chunk(p + list, size, "ICOP", "", &at);
    copy_text(info->copyright, p + list + at, inner);
    size = rv_soundfont_chunk(p, n - HEADER, "LIST", "pdta", &list);
    inner = rv_soundfont_chunk(p + list, size, "phdr", "", &at);
    read_presets(info, p + list + at, inner);
}
