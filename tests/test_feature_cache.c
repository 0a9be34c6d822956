/* test_feature_cache.c - features kept on disk, and files made of them. */
#include "check.h"

#include "data/f0_notes.h"
#include "data/feature_cache.h"
#include "data/feature_store.h"
#include "data/feature_table.h"
#include "data/mono_source.h"
#include "io/audio_write.h"
#include "io/midi_file.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static char *in_folder(const char *name)
{
    static char path[2][300];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/ravel-features-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* Two channels whose mean is a tone of `hz`. */
static void write_tone(const char *path, double hz, int rate, size_t n)
{
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    rv_audio_writer *w = NULL;
    rv_error err = { 0 };
    float *x[2] = { calloc(n + 1, sizeof(float)), calloc(n + 1, sizeof(float)) };
    opt.channels = 2;
    opt.sample_rate = rate;
    for (size_t i = 0; i < n; i++) {
        const float tone = (float)(0.5 * sin(2 * M_PI * hz * (double)i / rate));
        x[0][i] = tone + 0.25F;
        x[1][i] = tone - 0.25F;
    }
    CHECK_OK(rv_audio_writer_open(&w, path, &opt, &err), err);
    CHECK_OK(rv_audio_writer_write(w, (const float *const *)x, n, &err), err);
    CHECK_OK(rv_audio_writer_commit(w, &err), err);
    rv_audio_writer_free(w);
    free(x[0]);
    free(x[1]);
}

static rv_feature_cache *open_cache(void)
{
    rv_error err = { 0 };
    rv_feature_cache *c = NULL;
    CHECK_OK(rv_feature_cache_open(&c, in_folder("cache"), &err), err);
    return c;
}

static rv_feature_rows *get(rv_feature_cache *c, const char *path, const rv_feature_spec *spec)
{
    rv_track_source file = { (char *)path, 0, RV_ALL_CHANNELS };
    const rv_track_sources source = { &file, 1 };
    rv_feature_rows *rows = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_feature_get(c, &source, spec, NULL, &rows, &err), err);
    return rows;
}

static rv_feature_spec spec_of(rv_feature_name feature)
{
    rv_feature_spec s;
    rv_feature_defaults(&s, feature, 0, 100);
    return s;
}

static void check_counts(rv_feature_cache *c, uint64_t found, uint64_t measured, uint64_t damaged)
{
    const rv_feature_counts n = rv_feature_cache_counts(c);
    CHECK_MSG(n.found == found && n.measured == measured && n.damaged == damaged,
              "%llu found, %llu measured, %llu damaged", (unsigned long long)n.found,
              (unsigned long long)n.measured, (unsigned long long)n.damaged);
}

TEST(test_measured_once)
{
    rv_feature_spec s = spec_of(RV_FEATURE_RMS);
    write_tone(in_folder("a.wav"), 440, 16000, 16000);
    write_tone(in_folder("same.flac"), 440, 16000, 16000);
    write_tone(in_folder("other.wav"), 441, 16000, 16000);
    for (int i = 0; i < 2; i++) {
        rv_feature_cache *c = open_cache();
        rv_feature_rows_free(get(c, in_folder("a.wav"), &s));
        rv_feature_rows_free(get(c, in_folder("same.flac"), &s)); /* other name and format */
        check_counts(c, i ? 2 : 1, i ? 0 : 1, 0);
        s.f0_min = 70; /* has no part in the level */
        rv_feature_rows_free(get(c, in_folder("a.wav"), &s));
        check_counts(c, i ? 3 : 2, i ? 0 : 1, 0);
        rv_feature_rows_free(get(c, in_folder("other.wav"), &s));
        s.window = 1024;
        rv_feature_rows_free(get(c, in_folder("a.wav"), &s));
        s.window = 0;
        check_counts(c, i ? 5 : 2, i ? 0 : 3, 0);
        rv_feature_cache_free(c);
    }
}

TEST(test_a_changed_file_is_seen)
{
    rv_feature_cache *c = open_cache();
    const rv_feature_spec s = spec_of(RV_FEATURE_RMS);
    write_tone(in_folder("b.wav"), 100, 16000, 1000);
    rv_feature_rows_free(get(c, in_folder("b.wav"), &s));
    write_tone(in_folder("b.wav"), 200, 16000, 2000);
    rv_feature_rows *rows = get(c, in_folder("b.wav"), &s);
    CHECK(rv_feature_rows_count(rows) == 13);
    check_counts(c, 0, 2, 0);
    rv_feature_rows_free(rows);
    rv_feature_cache_free(c);
}

/* The values of the features of a whole signal; the mean of the channels is what is measured. */
TEST(test_values_and_ranges)
{
    rv_feature_cache *c = open_cache();
    rv_error err = { 0 };
    write_tone(in_folder("c.wav"), 440, 16000, 48000);
    for (int feature = 0; feature < RV_FEATURES; feature++) {
        const rv_feature_spec s = spec_of((rv_feature_name)feature);
        rv_feature_rows *rows = get(c, in_folder("c.wav"), &s);
        const size_t n = rv_feature_rows_count(rows), width = rv_feature_rows_width(rows);
        CHECK(n == 301 && rv_feature_rows_spec(rows)->sample_rate == 16000);
        float *all = calloc(n * width, sizeof *all), *part = calloc(n * width, sizeof *part);
        CHECK_OK(rv_feature_rows_read(rows, 0, n, all, &err), err);
        CHECK_OK(rv_feature_rows_read(rows, 99, 150, part, &err), err);
        CHECK(memcmp(part, all + 99 * width, 150 * width * sizeof *all) == 0);
        CHECK(rv_feature_rows_read(rows, 200, 102, part, &err) == RV_ERR_ARG);
        if (feature == RV_FEATURE_F0)
            CHECK_CLOSE(all[150 * 3], 440, 0.001);
        if (feature == RV_FEATURE_RMS)
            CHECK_CLOSE(all[150], sqrt(0.125), 0.001);
        if (feature == RV_FEATURE_RESIDUAL)
            CHECK(all[150] < 0.5F);
        free(all);
        free(part);
        rv_feature_rows_free(rows);
    }
    rv_feature_cache_free(c);
}

TEST(test_at_another_rate)
{
    rv_feature_cache *c = open_cache();
    rv_error err = { 0 };
    rv_feature_spec s = spec_of(RV_FEATURE_F0);
    float frame[3];
    write_tone(in_folder("r.wav"), 440, 44100, 44101);
    s.sample_rate = 16000;
    rv_feature_rows *rows = get(c, in_folder("r.wav"), &s);
    CHECK(rv_feature_rows_count(rows) == 101);
    CHECK_OK(rv_feature_rows_read(rows, 50, 1, frame, &err), err);
    CHECK_CLOSE(frame[0], 440, 0.001);
    rv_feature_rows_free(rows);
    rv_feature_cache_free(c);
}

/* The only file of the cache. */
static char *only_file(void)
{
    static char path[600];
    DIR *d = opendir(in_folder("cache/features"));
    struct dirent *e;
    size_t n = 0;
    while ((e = readdir(d)))
        if (e->d_name[0] != '.' && ++n)
            snprintf(path, sizeof path, "%s/%s", in_folder("cache/features"), e->d_name);
    closedir(d);
    CHECK_MSG(n == 1, "%zu files in the cache", n);
    return path;
}

static void flip(const char *path, long at)
{
    FILE *f = fopen(path, "r+b");
    CHECK(f != NULL && fseek(f, at, at < 0 ? SEEK_END : SEEK_SET) == 0);
    const int byte = fgetc(f);
    fseek(f, -1, SEEK_CUR);
    fputc(byte ^ 1, f);
    fclose(f);
}

/* One bit of the header, the key, the frames or the table; the rows are as they were. */
TEST(test_damage_is_found_and_mended)
{
    static const long places[] = { 3, 17, 24, 60, 400, 130000, -1 };
    const rv_feature_spec s = spec_of(RV_FEATURE_MEL);
    rv_error err = { 0 };
    float want[128], got[128];
    write_tone(in_folder("d.wav"), 440, 16000, 48000);
    rv_feature_cache *c = open_cache();
    rv_feature_rows *rows = get(c, in_folder("d.wav"), &s);
    CHECK_OK(rv_feature_rows_read(rows, 260, 1, want, &err), err);
    rv_feature_rows_free(rows);
    rv_feature_cache_free(c);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        flip(only_file(), places[i]);
        c = open_cache();
        rows = get(c, in_folder("d.wav"), &s);
        for (size_t frame = 0; frame < 301; frame++)
            CHECK_OK(rv_feature_rows_read(rows, frame, 1, got, &err), err);
        CHECK_OK(rv_feature_rows_read(rows, 260, 1, got, &err), err);
        CHECK(memcmp(want, got, sizeof want) == 0);
        CHECK_MSG(rv_feature_cache_counts(c).damaged == 1, "damage at %ld was not found",
                  places[i]);
        rv_feature_rows_free(rows);
        rv_feature_cache_free(c);
    }
    CHECK(truncate(only_file(), 1000) == 0);
    c = open_cache();
    rv_feature_rows_free(get(c, in_folder("d.wav"), &s));
    check_counts(c, 0, 1, 1);
    rv_feature_cache_free(c);
}

/* Damage elsewhere is not read. */
TEST(test_a_range_reads_its_blocks_only)
{
    const rv_feature_spec s = spec_of(RV_FEATURE_MEL);
    rv_error err = { 0 };
    float got[128];
    write_tone(in_folder("e.wav"), 440, 16000, 48000);
    rv_feature_cache *c = open_cache();
    rv_feature_rows_free(get(c, in_folder("e.wav"), &s));
    flip(only_file(), 400);
    rv_feature_rows *rows = get(c, in_folder("e.wav"), &s);
    CHECK_OK(rv_feature_rows_read(rows, 200, 1, got, &err), err);
    check_counts(c, 1, 1, 0);
    rv_feature_rows_free(rows);
    rv_feature_cache_free(c);
}

TEST(test_two_processes_at_once)
{
    const rv_feature_spec s = spec_of(RV_FEATURE_F0);
    write_tone(in_folder("p.wav"), 440, 16000, 16000);
    pid_t children[4];
    for (int i = 0; i < 4; i++)
        if ((children[i] = fork()) == 0) {
            rv_track_source file = { in_folder("p.wav"), 0, RV_ALL_CHANNELS };
            const rv_track_sources source = { &file, 1 };
            rv_feature_cache *c = NULL;
            rv_feature_rows *rows = NULL;
            float all[101 * 3];
            const bool good = rv_feature_cache_open(&c, in_folder("cache"), NULL) == RV_OK &&
                              rv_feature_get(c, &source, &s, NULL, &rows, NULL) == RV_OK &&
                              rv_feature_rows_read(rows, 0, 101, all, NULL) == RV_OK &&
                              all[150] > 439 && all[150] < 441 &&
                              rv_feature_cache_counts(c).damaged == 0;
            _exit(!good);
        }
    for (int i = 0; i < 4; i++) {
        int status = 0;
        CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
    }
    only_file();
}

static int stop(void *ctx, double fraction)
{
    (void)ctx;
    return fraction > 0.3;
}

TEST(test_stopped_work_leaves_nothing)
{
    const rv_feature_spec s = spec_of(RV_FEATURE_RMS);
    const rv_feature_watch watch = { stop, NULL };
    write_tone(in_folder("s.wav"), 440, 16000, 160000);
    rv_track_source file = { in_folder("s.wav"), 0, RV_ALL_CHANNELS };
    const rv_track_sources source = { &file, 1 };
    rv_feature_cache *c = open_cache();
    rv_feature_rows *rows = NULL;
    rv_error err = { 0 };
    CHECK(rv_feature_get(c, &source, &s, &watch, &rows, &err) == RV_ERR_CANCELLED);
    CHECK(rmdir(in_folder("cache/features")) == 0);
    rv_feature_cache_free(c);
}

static rv_mono *open_mono(rv_track_source *files, size_t n)
{
    const rv_track_sources sources = { files, n };
    rv_error err = { 0 };
    rv_mono *m = NULL;
    CHECK_OK(rv_mono_open(&m, &sources, 0, &err), err);
    return m;
}

TEST(test_one_channel_alone)
{
    rv_error err = { 0 };
    const float *x;
    size_t n;
    write_tone(in_folder("m.wav"), 0, 8000, 10);
    rv_track_source file = { in_folder("m.wav"), 0, 1 };
    rv_mono *m = open_mono(&file, 1);
    CHECK_OK(rv_mono_next(m, &x, &n, &err), err);
    CHECK(n == 10 && x[5] == -0.25F && rv_mono_progress(m) == 1);
    CHECK_OK(rv_mono_next(m, &x, &n, &err), err);
    CHECK(n == 0);
    rv_mono_free(m);
    file.channel = 2;
    CHECK(rv_mono_open(&m, &(rv_track_sources){ &file, 1 }, 0, &err) == RV_ERR_ARG);
    CHECK(rv_mono_open(&m, &(rv_track_sources){ 0 }, 0, &err) == RV_ERR_ARG);
}

/* A channel, a mean of 0, and a file that ends early. */
TEST(test_sources_are_added)
{
    char names[3][300];
    rv_error err = { 0 };
    const float *x;
    size_t n;
    for (int i = 0; i < 3; i++) {
        snprintf(names[i], sizeof names[i], "%s/%d.wav", folder, i);
        write_tone(names[i], 0, i == 2 ? 16000 : 8000, i ? 6 : 10);
    }
    rv_track_source files[] = {
        { names[0], 0, 0 }, { names[1], 0, RV_ALL_CHANNELS }, { names[1], 0, 0 }, { names[2], 0, 0 }
    };
    rv_mono *m = open_mono(files, 3);
    CHECK_OK(rv_mono_next(m, &x, &n, &err), err);
    CHECK(n == 10 && x[0] == 0.5F && x[5] == 0.5F && x[6] == 0.25F && x[9] == 0.25F);
    rv_mono_free(m);
    CHECK(rv_mono_open(&m, &(rv_track_sources){ files, 4 }, 0, &err) == RV_ERR_FORMAT);
    CHECK(strstr(err.text, "2.wav: sample rate of 16000 Hz; expected 8000 Hz as in"));
}

/* Files */

static unsigned char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    unsigned char *bytes = calloc(1 << 20, 1);
    CHECK(f != NULL);
    *n = fread(bytes, 1, (1 << 20) - 1, f);
    fclose(f);
    return bytes;
}

static rv_feature_table table_of(rv_feature_cache *c, rv_feature_rows **f0, rv_feature_rows **mel)
{
    rv_feature_table t = { 0 };
    rv_feature_spec s = spec_of(RV_FEATURE_MEL);
    write_tone(in_folder("t.wav"), 440, 16000, 1600);
    s.bands = 4;
    *mel = get(c, in_folder("t.wav"), &s);
    s = spec_of(RV_FEATURE_F0);
    *f0 = get(c, in_folder("t.wav"), &s);
    rv_feature_table_add(&t, *f0, false);
    rv_feature_table_add(&t, *mel, false);
    return t;
}

static const unsigned char *find(const unsigned char *bytes, size_t n, const char *text)
{
    return memmem(bytes, n, text, strlen(text));
}

TEST(test_npz)
{
    rv_feature_cache *c = open_cache();
    rv_feature_rows *f0, *mel;
    rv_error err = { 0 };
    const rv_feature_table t = table_of(c, &f0, &mel);
    size_t n, again;
    float want[4];
    const rv_status st = rv_feature_table_npz(&t, in_folder("new/t.npz"), &err);
    if (st == RV_ERR_UNSUPPORTED) { /* a build without libzip says so */
        CHECK(strstr(err.text, "libzip") != NULL);
        skip();
    }
    CHECK_OK(st, err);
    unsigned char *bytes = slurp(in_folder("new/t.npz"), &n);
    CHECK(memcmp(bytes, "PK\3\4", 4) == 0 && find(bytes, n, "f0_confidence.npy"));
    CHECK(find(bytes, n, "{'descr': '|b1', 'fortran_order': False, 'shape': (11,), }"));
    CHECK(find(bytes, n, "{'descr': '<i8', 'fortran_order': False, 'shape': (), }"));
    const unsigned char *head = find(bytes, n, "mel.npy") + 7;
    CHECK(memcmp(head, "\x93NUMPY\x01\x00\x76\x00", 10) == 0); /* 118 bytes follow */
    CHECK(memcmp(head + 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (11, 4), }", 60) ==
          0);
    CHECK(head[127] == '\n');
    CHECK_OK(rv_feature_rows_read(mel, 7, 1, want, &err), err);
    CHECK(memcmp(head + 128 + 7 * 16, want, 16) == 0);
    CHECK_OK(rv_feature_table_npz(&t, in_folder("new/t.npz"), &err), err);
    unsigned char *bytes_again = slurp(in_folder("new/t.npz"), &again);
    CHECK(again == n && memcmp(bytes, bytes_again, n) == 0);
    free(bytes);
    free(bytes_again);
    rv_feature_rows_free(f0);
    rv_feature_rows_free(mel);
    rv_feature_cache_free(c);
}

TEST(test_csv)
{
    rv_feature_cache *c = open_cache();
    rv_feature_rows *f0, *mel;
    rv_error err = { 0 };
    const rv_feature_table t = table_of(c, &f0, &mel);
    size_t n, lines = 0;
    float row[3];
    char want[100];
    CHECK_OK(rv_feature_table_csv(&t, in_folder("t.csv"), &err), err);
    unsigned char *bytes = slurp(in_folder("t.csv"), &n);
    CHECK(find(bytes, n, "time,f0_hz,f0_confidence,voiced,mel_0,mel_1,mel_2,mel_3\n") == bytes);
    for (size_t i = 0; i < n; i++)
        lines += bytes[i] == '\n';
    CHECK(lines == 12);
    CHECK_OK(rv_feature_rows_read(f0, 5, 1, row, &err), err);
    snprintf(want, sizeof want, "\n0.05,%.9g,%.9g,1,", (double)row[0], (double)row[1]);
    CHECK(find(bytes, n, want) != NULL);
    free(bytes);
    rv_feature_rows_free(f0);
    rv_feature_rows_free(mel);
    rv_feature_cache_free(c);
}

/* A held with vibrato, a gap too short to be one, C after a slide, and a blip. */
TEST(test_notes)
{
    enum { N = 400 };
    float hz[N] = { 0 }, level[N];
    for (int i = 0; i < N; i++) {
        const double a = 440 * exp2(0.3 / 12 * sin(i * 0.4)), c = 523.2511;
        const bool gap = i >= 60 && i < 63, rest = i >= 300;
        hz[i] = gap || rest ? 0 : (float)(i < 150 ? a : c);
        level[i] = i < 150 ? 1 : 0.1F;
    }
    hz[350] = hz[351] = 300;
    const rv_f0_curve curve = { hz, level, N, 100 };
    rv_f0_note *notes = NULL;
    size_t n = 0;
    rv_error err = { 0 };
    CHECK_OK(rv_f0_notes(&notes, &n, &curve, &err), err);
    CHECK_MSG(n == 2, "%zu notes", n);
    CHECK(notes[0].begin == 0 && notes[0].end == 150 && notes[0].key == 69);
    CHECK(notes[1].begin == 150 && notes[1].end == 300 && notes[1].key == 72);
    CHECK(notes[0].velocity == 127 && notes[1].velocity == 80);
    CHECK_OK(rv_f0_midi(&curve, notes, n, in_folder("n.mid"), &err), err);
    rv_midi *m = NULL;
    size_t on = 0, bends = 0;
    CHECK_OK(rv_midi_read(&m, in_folder("n.mid"), &err), err);
    for (size_t i = 0; i < m->n; i++) {
        const rv_midi_event *e = &m->events[i];
        bends += e->status == 0xE0;
        if (e->status == 0x90)
            CHECK(e->data[0] == (on++ ? 72 : 69) && e->tick == (on == 1 ? 0 : 1440));
    }
    CHECK(on == 2 && bends > 50 && bends < 160);
    rv_midi_free(m);
    free(notes);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_measured_once),
        IN_FOLDER(test_a_changed_file_is_seen),
        IN_FOLDER(test_values_and_ranges),
        IN_FOLDER(test_at_another_rate),
        IN_FOLDER(test_damage_is_found_and_mended),
        IN_FOLDER(test_a_range_reads_its_blocks_only),
        IN_FOLDER(test_two_processes_at_once),
        IN_FOLDER(test_stopped_work_leaves_nothing),
        IN_FOLDER(test_one_channel_alone),
        IN_FOLDER(test_sources_are_added),
        IN_FOLDER(test_npz),
        IN_FOLDER(test_csv),
        IN_FOLDER(test_notes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
