/* tiny_soundfont.h - a soundfont of two sounds, made here: a looped tone as program 0, and noise as
 * the drums. Others than program 0 fall back on it. Or others of the kind, with other numbers. */
#ifndef TESTS_TINY_SOUNDFONT_H
#define TESTS_TINY_SOUNDFONT_H

#include "base/rng.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

enum { TINY_TONE = 100, TINY_NOISE = 2000, TINY_GAP = 46 }; /* frames; zeros follow a sample */

typedef struct tiny_numbers {
    uint32_t program, drum_set; /* of tone and noise */
    uint32_t key;               /* of the tone, as it was recorded; 81: 882 Hz */
    const char *copyright;      /* NULL: none */
} tiny_numbers;

typedef struct tiny_writer {
    uint8_t bytes[16384];
    size_t n;
} tiny_writer;

static inline void tiny_put(tiny_writer *w, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++, value >>= 8)
        w->bytes[w->n++] = (uint8_t)value;
}

static inline void tiny_text(tiny_writer *w, const char *text, size_t size)
{
    memset(w->bytes + w->n, 0, size);
    memcpy(w->bytes + w->n, text, strlen(text));
    w->n += size;
}

/* Begins a chunk; tiny_close() fills in its size. */
static inline size_t tiny_open(tiny_writer *w, const char *name, const char *kind)
{
    tiny_text(w, name, 4);
    tiny_put(w, 0, 4);
    const size_t start = w->n;
    tiny_text(w, kind, strlen(kind));
    return start;
}

static inline void tiny_close(tiny_writer *w, size_t start)
{
    const size_t size = w->n - start;
    for (int i = 0; i < 4; i++)
        w->bytes[start - 4 + i] = (uint8_t)(size >> 8 * i);
}

static inline void tiny_samples(tiny_writer *w)
{
    const size_t list = tiny_open(w, "LIST", "sdta"), samples = tiny_open(w, "smpl", "");
    for (int i = 0; i < TINY_TONE; i++)
        tiny_put(w, (uint16_t)lround(20000 * sin(6.283185307179586 * i / 50)), 2);
    tiny_text(w, "", 2 * TINY_GAP);
    for (int i = 0; i < TINY_NOISE; i++) {
        const double value = 20000 * rv_rng_normal(1, 2, (uint64_t)i) / 4 * exp(-i / 400.0);
        tiny_put(w, (uint16_t)lround(fmax(-30000, fmin(30000, value))), 2);
    }
    tiny_text(w, "", 2 * TINY_GAP);
    tiny_close(w, samples);
    tiny_close(w, list);
}

static inline void tiny_preset(tiny_writer *w, const char *name, uint32_t number, uint32_t bank,
                               uint32_t bag)
{
    tiny_text(w, name, 20);
    tiny_put(w, number, 2);
    tiny_put(w, bank, 2);
    tiny_put(w, bag, 2);
    tiny_text(w, "", 12);
}

static inline void tiny_sample(tiny_writer *w, const char *name, uint32_t key, uint32_t start,
                               uint32_t end)
{
    const uint32_t numbers[] = { start, end, start, end, 44100 };
    tiny_text(w, name, 20);
    for (int i = 0; i < 5; i++)
        tiny_put(w, end ? numbers[i] : 0, 4);
    tiny_put(w, key, 1);
    tiny_put(w, 0, 3);
    tiny_put(w, end ? 1 : 0, 2);
}

/* A table of pairs of numbers of 16 bits. */
static inline void tiny_pairs(tiny_writer *w, const char *name, const uint16_t *pairs, size_t n)
{
    const size_t chunk = tiny_open(w, name, "");
    for (size_t i = 0; i < 2 * n; i++)
        tiny_put(w, pairs[i], 2);
    tiny_close(w, chunk);
}

static inline void tiny_zeros(tiny_writer *w, const char *name, size_t size)
{
    const size_t chunk = tiny_open(w, name, "");
    tiny_text(w, "", size);
    tiny_close(w, chunk);
}

static inline void tiny_tables(tiny_writer *w, const tiny_numbers *numbers)
{
    static const uint16_t bags[] = { 0, 0, 1, 0, 2, 0 }, presets[] = { 41, 0, 41, 1, 0, 0 };
    static const uint16_t zones[] = { 0, 0, 2, 0, 3, 0 };
    static const uint16_t sounds[] = { 54, 1, 53, 0, 53, 1, 0, 0 };
    const size_t list = tiny_open(w, "LIST", "pdta");
    size_t chunk = tiny_open(w, "phdr", "");
    tiny_preset(w, "Tone", numbers->program, 0, 0);
    tiny_preset(w, "Noise", numbers->drum_set, 128, 1);
    tiny_preset(w, "EOP", 0, 0, 2);
    tiny_close(w, chunk);
    tiny_pairs(w, "pbag", bags, 3);
    tiny_zeros(w, "pmod", 10);
    tiny_pairs(w, "pgen", presets, 3);
    chunk = tiny_open(w, "inst", "");
    for (uint32_t i = 0; i < 3; i++) {
        tiny_text(w, i == 0 ? "Tone" : i == 1 ? "Noise" : "EOI", 20);
        tiny_put(w, i, 2);
    }
    tiny_close(w, chunk);
    tiny_pairs(w, "ibag", zones, 3);
    tiny_zeros(w, "imod", 10);
    tiny_pairs(w, "igen", sounds, 4);
    chunk = tiny_open(w, "shdr", "");
    tiny_sample(w, "tone", numbers->key, 0, TINY_TONE);
    tiny_sample(w, "noise", 81, TINY_TONE + TINY_GAP, TINY_TONE + TINY_GAP + TINY_NOISE);
    tiny_sample(w, "EOS", 0, 0, 0);
    tiny_close(w, chunk);
    tiny_close(w, list);
}

/* Only the first `most` bytes: a soundfont that is cut short. */
static inline void tiny_soundfont_of(const char *path, size_t most, const tiny_numbers *numbers)
{
    tiny_writer *w = calloc(1, sizeof *w);
    CHECK(w != NULL);
    const size_t riff = tiny_open(w, "RIFF", "sfbk"), info = tiny_open(w, "LIST", "INFO");
    size_t chunk = tiny_open(w, "ifil", "");
    tiny_put(w, 2 | 1 << 16, 4);
    tiny_close(w, chunk);
    chunk = tiny_open(w, "isng", "");
    tiny_text(w, "EMU8000", 8);
    tiny_close(w, chunk);
    chunk = tiny_open(w, "INAM", "");
    tiny_text(w, "Tiny", 6);
    tiny_close(w, chunk);
    if (numbers->copyright) {
        chunk = tiny_open(w, "ICOP", "");
        tiny_text(w, numbers->copyright, (strlen(numbers->copyright) + 2) / 2 * 2);
        tiny_close(w, chunk);
    }
    tiny_close(w, info);
    tiny_samples(w);
    tiny_tables(w, numbers);
    tiny_close(w, riff);
    FILE *f = fopen(path, "wb");
    const size_t n = w->n < most ? w->n : most;
    CHECK(f != NULL && fwrite(w->bytes, 1, n, f) == n && fclose(f) == 0);
    free(w);
}

static inline void tiny_soundfont(const char *path, size_t most)
{
    tiny_soundfont_of(path, most, &(tiny_numbers){ .key = 81 });
}

#endif
