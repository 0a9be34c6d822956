/* render_folder.h - a folder with a soundfont, songs and what is rendered of them, all made here.
 */
#ifndef TESTS_RENDER_FOLDER_H
#define TESTS_RENDER_FOLDER_H

#include "io/audio_write.h"
#include "io/midi_file.h"
#include "io/yaml_file.h"
#include "ravel/dataset.h"
#include "tiny_soundfont.h"

/* For LeakSanitizer: the library of DLS files that FluidSynth starts, libinstpatch, loses some
 * hundred bytes. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libinstpatch\nleak:libgobject\n";
}

/* For ThreadSanitizer: FluidSynth reads samples with OpenMP, whose own locks it does not see. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libgomp.so\nrace:libgomp.so\n";
}

static char folder[64];

/* Two names can be in use at a time. */
static inline const char *in_folder(const char *name)
{
    static char paths[4][400];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline void shell(const char *format, const char *a, const char *b)
{
    char command[1000];
    snprintf(command, sizeof command, format, a, b);
    CHECK_MSG(system(command) == 0, "%s", command);
}

static inline void add(rv_midi *m, uint32_t tick, int status, int first, int second)
{
    rv_error err = { 0 };
    CHECK_OK(rv_midi_add(m,
                         &(rv_midi_event){ .tick = tick,
                                           .status = (uint8_t)status,
                                           .data = { (uint8_t)first, (uint8_t)second } },
                         &err),
             err);
}

/* Piano, bass (without it: none) and drums for a second. */
static inline void write_song(const char *name, int key, bool bass)
{
    rv_midi *m = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_midi_new(&m, 100, 1, &err), err);
    add(m, 0, 0xc1, 33, 0);
    for (uint32_t beat = 0; beat < 4; beat++) {
        add(m, 50 * beat, 0x90, key + 4 * (int)beat, 90);
        add(m, 50 * beat + 40, 0x80, key + 4 * (int)beat, 0);
        add(m, 50 * beat, 0x99, 38, 100);
        if (bass)
            add(m, 50 * beat, 0x91, key - 24, 100);
        if (bass)
            add(m, 50 * beat + 45, 0x91, key - 24, 0);
    }
    rv_midi_sort(m);
    CHECK_OK(rv_midi_write(m, in_folder(name), &err), err);
    rv_midi_free(m);
}

static inline int prepare(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-render-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    tiny_soundfont(in_folder("tiny.sf2"), SIZE_MAX);
    write_song("midi/a.mid", 60, true);
    write_song("midi/more/b.mid", 62, true);
    write_song("midi/c.mid", 64, false);
    return 0;
}

static inline int clean(void **state)
{
    (void)state;
    shell("rm -rf '%s'%s", folder, "");
    return 0;
}

static char font_path[100], midi_path[100];
static const char *fonts[] = { font_path }, *songs[] = { midi_path };

static inline rv_render_options options(void)
{
    rv_render_options o;
    rv_render_defaults(&o);
    snprintf(font_path, sizeof font_path, "%s/tiny.sf2", folder);
    snprintf(midi_path, sizeof midi_path, "%s/midi", folder);
    o.midi = songs;
    o.soundfonts = fonts;
    o.n_midi = o.n_soundfonts = 1;
    o.sample_rate = 8000;
    o.seed = 5;
    return o;
}

static inline rv_render_report render(const char *out, const rv_render_options *o)
{
    rv_render_report report = { 0 };
    rv_error err = { 0 };
    CHECK_OK(rv_dataset_render(in_folder(out), o, &report, &err), err);
    return report;
}

static inline void check_error(const char *out, const rv_render_options *o, rv_status want,
                               const char *words)
{
    rv_error err = { 0 };
    const rv_status got = rv_dataset_render(in_folder(out), o, NULL, &err);
    CHECK_MSG(got == want && strstr(err.text, words) && !strchr(err.text, '\n'),
              "status %d, not %d, or no \"%s\" in: %s", got, want, words, err.text);
}

static inline json_t *metadata(const char *track)
{
    char path[300];
    json_t *data = NULL;
    rv_error err = { 0 };
    snprintf(path, sizeof path, "%s/metadata.yaml", track);
    CHECK_OK(rv_yaml_read_file(&data, in_folder(path), &err), err);
    return data;
}

static inline void write_noise(const char *name, uint64_t key)
{
    static float x[2000];
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    rv_audio_writer *w = NULL;
    rv_error err = { 0 };
    for (size_t i = 0; i < 2000; i++)
        x[i] = (float)(rv_rng_normal(1, key, i) * 0.1 * exp(-(double)i / 300));
    opt.channels = 1;
    opt.sample_rate = 8000;
    CHECK_OK(rv_audio_writer_open(&w, in_folder(name), &opt, &err), err);
    CHECK_OK(rv_audio_writer_write(w, (const float *const[]){ x }, 2000, &err), err);
    CHECK_OK(rv_audio_writer_commit(w, &err), err);
    rv_audio_writer_free(w);
}

#endif
