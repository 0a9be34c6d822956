/* layout_files.h - tiny data sets in the layouts of published ones, at 8 kHz. */
#ifndef TESTS_LAYOUT_FILES_H
#define TESTS_LAYOUT_FILES_H

#include "song_files.h"

enum { FRAMES = 500, RATE = 8000 };

static inline void write_text(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");
    CHECK_MSG(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, "%s", name);
}

static inline void write_file(const char *song, const char *file, uint64_t key, int channels,
                              size_t frames)
{
    write_song_file(&(song_file){ song, file, key, RATE, channels, frames });
}

/* The golden file of four tones, under this name. */
static inline void copy_tones(const char *name)
{
    char command[1000], path[400], *slash;
    snprintf(path, sizeof path, "%s", in_folder(name));
    slash = strrchr(path, '/');
    snprintf(command, sizeof command, "mkdir -p '%.*s' && cp '%s/tests/golden/tones.stem.mp4' '%s'",
             (int)(slash - path), path, getenv("RV_TEST_SOURCE"), path);
    CHECK(system(command) == 0);
}

static const char metadata[] =
    "UUID: 12345678901234567890123456789012\n"
    "audio_dir: stems\n"
    "normalized: true\n"
    "stems:\n"
    "  S00: {audio_rendered: true, inst_class: Drums, is_drum: true, integrated_loudness: -.inf,\n"
    "        program_num: 128}\n"
    "  S01: {audio_rendered: true, inst_class: Bass, is_drum: false, program_num: 33}\n"
    "  S02: {audio_rendered: true, inst_class: Synth Lead, is_drum: false, program_num: 80}\n"
    "  S03: {audio_rendered: true, inst_class: Strings (continued), is_drum: false,\n"
    "        program_num: !!int 48, plugin_name: x.nkm}\n"
    "  S04: {audio_rendered: false, inst_class: Piano, is_drum: false, program_num: 0}\n"
    "  S05: {audio_rendered: true, inst_class: Bass, is_drum: false, program_num: 38}\n";

/* Stems have the keys first + number. */
static inline void write_slakh(const char *song, uint64_t first, const char *ext)
{
    static const int rendered[] = { 0, 1, 2, 3, 5 };
    char name[200], file[40];
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "%s/stems", song);
        snprintf(file, sizeof file, "S%02d.%s", rendered[i], ext);
        write_file(name, file, first + (uint64_t)rendered[i], 1, FRAMES);
    }
    snprintf(file, sizeof file, "mix.%s", ext);
    write_file(song, file, first + 9, 1, FRAMES);
    snprintf(name, sizeof name, "%s/metadata.yaml", song);
    write_text(name, metadata);
}

/* drums: keys 1 and 2 (mono, 20 frames longer); bass: 3 (mono, 60 shorter); other_keys: 4 */
static inline void write_moises(const char *song)
{
    static const struct {
        const char *stem, *file;
        int channels;
        size_t frames;
    } files[] = { { "drums", "d1.wav", 2, FRAMES },
                  { "drums", "d2.wav", 1, FRAMES + 20 },
                  { "bass", "b1.wav", 1, FRAMES - 60 },
                  { "other_keys", "k1.wav", 2, FRAMES } };
    char name[200];
    for (uint64_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s/%s", song, files[i].stem);
        write_file(name, files[i].file, 1 + i, files[i].channels, files[i].frames);
    }
    snprintf(name, sizeof name, "%s/data.json", song);
    write_text(name,
               "{\"song\": \"S\", \"stems\": ["
               "{\"stemName\": \"drums\", \"tracks\": [{\"id\": \"d1\", \"extension\": \"wav\"}, "
               "{\"id\": \"d2\", \"extension\": \"wav\"}]},"
               "{\"stemName\": \"bass\", \"tracks\": [{\"id\": \"b1\", \"extension\": \"wav\"}]},"
               "{\"stemName\": \"other_keys\", \"tracks\": [{\"id\": \"k1\"}]}]}");
}

#endif
