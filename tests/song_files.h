/* song_files.h - tiny data sets on disk for the tests of training data.
 *
 * The sample at (song, stem, channel, frame) is a function of these numbers on the grid of 16 bits,
 * so a test knows what must come back from WAV and FLAC. */
#ifndef TESTS_SONG_FILES_H
#define TESTS_SONG_FILES_H

#include "base/rng.h"
#include "check.h"
#include "data/track_cache.h"
#include "io/audio_write.h"

#include <stdlib.h>
#include <string.h>

static char folder[64];

static const char *const stem_names[] = { "drums", "bass", "other", "vocals" };

typedef struct song_file {
    const char *song, *file; /* "train/a", "drums.wav" */
    uint64_t key;            /* 0: silence */
    int rate, channels;
    size_t frames;
} song_file;

static inline float song_sample(uint64_t key, int channel, size_t frame)
{
    const uint64_t value = rv_rng_below(key, (uint64_t)channel, frame, 1 << 14);
    return key == 0 ? 0 : (float)((double)value - (1 << 13)) / 32768.0f;
}

static inline const char *in_folder(const char *name)
{
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline void write_planes(const char *path, const song_file *f, float *const *planes)
{
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    opt.channels = f->channels;
    opt.sample_rate = f->rate;
    rv_audio_writer *w = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_audio_writer_open(&w, path, &opt, &err), err);
    CHECK_OK(rv_audio_writer_write(w, (const float *const *)planes, f->frames, &err), err);
    CHECK_OK(rv_audio_writer_commit(w, &err), err);
    rv_audio_writer_free(w);
}

static inline void write_song_file(const song_file *f)
{
    float *planes[8];
    char path[400];
    for (int c = 0; c < f->channels; c++) {
        CHECK((planes[c] = calloc(f->frames + 1, sizeof(float))) != NULL);
        for (size_t t = 0; t < f->frames; t++)
            planes[c][t] = song_sample(f->key, c, t);
    }
    snprintf(path, sizeof path, "%s/%s/%s", folder, f->song, f->file);
    write_planes(path, f, planes);
    for (int c = 0; c < f->channels; c++)
        free(planes[c]);
}

/* All stems of a song, stereo at 8 kHz; stem s has key first_key + s. */
static inline void write_song(const char *song, uint64_t first_key, size_t frames, const char *ext)
{
    for (size_t s = 0; s < 4; s++) {
        char name[40];
        snprintf(name, sizeof name, "%s.%s", stem_names[s], ext);
        write_song_file(&(song_file){ song, name, first_key + s, 8000, 2, frames });
    }
}

static inline rv_track_query songs_query(const char *root, const char *split)
{
    return (rv_track_query){ .root = root, .split = split, .stems = stem_names, .n_stems = 4 };
}

static inline rv_track_list *find_songs(const char *root, const char *subset)
{
    rv_track_list *list = NULL;
    rv_error err = { 0 };
    const rv_track_query query = songs_query(in_folder(root), subset);
    CHECK_OK(rv_track_list_find(&list, &query, &err), err);
    return list;
}

/* Of all songs below a folder; free_songs() frees both. */
static inline rv_track_cache *open_songs(const char *root)
{
    rv_track_cache *cache = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_track_cache_new(&cache, find_songs(root, NULL), &err), err);
    return cache;
}

static inline void free_songs(rv_track_cache *cache)
{
    rv_track_list *list = (rv_track_list *)cache->list; /* find_songs() made it */
    rv_track_cache_free(cache);
    rv_track_list_free(list);
}

static inline int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-songs-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

#endif
