/* tiny_drum_kit.h - a tiny kit, written here: what its samples are is known, so is what must sound.
 */
#ifndef TESTS_TINY_DRUM_KIT_H
#define TESTS_TINY_DRUM_KIT_H

#include "base/rng.h"
#include "check.h"
#include "data/drum_kit.h"
#include "io/audio_write.h"

#include <stdlib.h>
#include <string.h>

enum { RATE = 8000, LENGTH = 1000 };

static char folder[64];

/* Sample `key` is noise on the grid of 16 bits; [channels][LENGTH] at 8 kHz. */
static inline float sample(uint64_t key, int channel, size_t frame)
{
    return (float)((double)rv_rng_below(key, (uint64_t)channel, frame, 1 << 14) - (1 << 13)) /
           32768.0f;
}

static inline const char *path_of(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline void write_planes(const char *name, float *const planes[], int channels, int rate,
                                size_t n)
{
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    rv_audio_writer *w = NULL;
    rv_error err = { 0 };
    opt.channels = channels;
    opt.sample_rate = rate;
    CHECK_OK(rv_audio_writer_open(&w, path_of(name), &opt, &err), err);
    CHECK_OK(rv_audio_writer_write(w, (const float *const *)planes, n, &err), err);
    CHECK_OK(rv_audio_writer_commit(w, &err), err);
    rv_audio_writer_free(w);
}

static inline void write_sample(const char *name, uint64_t key, int channels)
{
    static float plane[3][LENGTH];
    for (int c = 0; c < channels; c++) {
        for (size_t t = 0; t < LENGTH; t++)
            plane[c][t] = sample(key, c, t);
    }
    write_planes(name, (float *const[3]){ plane[0], plane[1], plane[2] }, channels, RATE, LENGTH);
}

static inline int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-drums-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    write_sample("kick.wav", 1, 1);
    write_sample("snare soft.wav", 2, 2);
    write_sample("snare.flac", 3, 2);
    write_sample("open.wav", 4, 2);
    write_sample("closed.wav", 5, 1);
    write_sample("deep/tom.wav", 6, 1);
    write_sample("many.wav", 7, 3);
    return 0;
}

static inline int remove_folder(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static inline rv_status open_xml(rv_drum_kit **k, const char *xml, rv_error *err)
{
    FILE *f = fopen(path_of("drumkit.xml"), "wb");
    CHECK(f && fwrite(xml, 1, strlen(xml), f) == strlen(xml) && fclose(f) == 0);
    return rv_drum_kit_open(k, folder, err);
}

#define HEAD "<drumkit_info>\n<name>Tiny</name><license>CC0</license>\n<instrumentList>\n"
#define TAIL "</instrumentList></drumkit_info>\n"

static inline rv_drum_kit *open_instruments(const char *instruments)
{
    char xml[8000];
    rv_drum_kit *k = NULL;
    rv_error err = { 0 };
    snprintf(xml, sizeof xml, HEAD "%s" TAIL, instruments);
    CHECK_OK(open_xml(&k, xml, &err), err);
    return k;
}

static const char tiny[] =
    "<instrument><name>BassDrum</name><filename>kick.wav</filename><volume>0.5</volume>"
    "<pan_L>1</pan_L><pan_R>0.25</pan_R></instrument>\n"
    "<instrument><name>Snare</name><gain>2</gain>"
    "<layer><filename>snare soft.wav</filename><min>0</min><max>0.4</max></layer>"
    "<layer><filename>snare.flac</filename><min>0.5</min><max>1</max><gain>0.5</gain></layer>"
    "</instrument>\n"
    "<instrument><name>Open HH</name><layer><filename>open.wav</filename></layer></instrument>\n"
    "<instrument><name>Closed "
    "HH</name><layer><filename>closed.wav</filename></layer></instrument>\n"
    "<instrument><name>Tom</name><layer><filename>deep/tom.wav</filename></layer></instrument>\n"
    "<instrument><name>Crash</name><isMuted>true</isMuted>"
    "<layer><filename>open.wav</filename></layer></instrument>\n"
    "<instrument><name>17</name></instrument>\n";

enum { ROOM = 3 * LENGTH };
static float out[2][ROOM];

static inline size_t play(const rv_drum_kit *k, const rv_drum_hit *hits, size_t n)
{
    rv_error err = { 0 };
    size_t left_out = 99;
    memset(out, 0, sizeof out);
    CHECK_OK(rv_drum_kit_play(k, (float *const[2]){ out[0], out[1] }, ROOM, RATE, hits, n,
                              &left_out, &err),
             err);
    return left_out;
}

/* out = gain[c] sample(key) from `at` on, and silence around it */
static inline void check_sample(uint64_t key, bool stereo, size_t at, double left, double right)
{
    for (size_t t = 0; t < ROOM; t++) {
        const bool sounds = t >= at && t < at + LENGTH;
        const double l = sounds ? left * (double)sample(key, 0, t - at) : 0;
        const double r = sounds ? right * (double)sample(key, stereo, t - at) : 0;
        CHECK_MSG(fabs((double)out[0][t] - l) < 1e-6 && fabs((double)out[1][t] - r) < 1e-6,
                  "frame %zu: %g %g, not %g %g", t, (double)out[0][t], (double)out[1][t], l, r);
    }
}

#endif
