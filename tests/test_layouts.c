/* test_layouts.c - each published layout is recognised, split as published, and read as the sum of
 * what belongs to a stem; what is wrong with a data set is said with the name of the file. */
#include "data/layout.h"
#include "data/track_read.h"
#include "io/audio_source.h"
#include "layout_files.h"

#include <sys/stat.h>
#include <unistd.h>

static rv_track_list *find(rv_track_query q)
{
    rv_track_list *l = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_track_list_find(&l, &q, &err), err);
    return l;
}

static void check_error(rv_track_query q, const char *word, const char *other)
{
    rv_track_list *l = NULL;
    rv_error err = { 0 };
    const rv_status got = rv_track_list_find(&l, &q, &err);
    CHECK_MSG(got != RV_OK && !l && strstr(err.text, word) && strstr(err.text, other) &&
                  !strchr(err.text, '\n'),
              "no \"%s\", \"%s\" in: %d %s", word, other, got, err.text);
}

/* "a b" of the songs' names. */
static void check_names(rv_track_query q, const char *layout, const char *names)
{
    char got[400] = "";
    rv_track_list *l = find(q);
    for (size_t i = 0; i < l->n; i++) {
        strcat(got, i ? "|" : "");
        strcat(got, l->tracks[i].name);
    }
    CHECK_MSG(!strcmp(l->layout->name, layout) && !strcmp(got, names), "%s: %s, not %s: %s",
              l->layout->name, got, layout, names);
    rv_track_list_free(l);
}

/* A song's stem, or its mixture, is the sum of the files of these keys, 0 after the end of each. */
typedef struct expected {
    uint64_t keys[6];
    size_t frames[6]; /* 0: FRAMES */
    int channel[6];   /* -1: mono, on all channels; else from this channel on */
} expected;

static void check_sum(const rv_track_cache *c, size_t track, size_t stem, const expected *e)
{
    static float x[2][FRAMES + 100];
    const int channels = c->tracks[track].channels;
    rv_error err = { 0 };
    CHECK(c->tracks[track].frames <= FRAMES + 100);
    for (size_t start = 0; start < 40; start += 33) {
        const rv_track_part part = { track, stem, RATE, channels, (int64_t)start, FRAMES + 50 };
        float *planes[] = { x[0], x[1] };
        CHECK_OK(rv_track_read(c, &part, planes, &err), err);
        for (int k = 0; k < channels; k++)
            for (size_t t = 0; t < FRAMES + 50; t++) {
                float want = 0;
                for (int i = 0; i < 6 && e->keys[i]; i++)
                    if (start + t < (e->frames[i] ? e->frames[i] : FRAMES))
                        want += song_sample(e->keys[i], e->channel[i] < 0 ? 0 : e->channel[i] + k,
                                            start + t);
                CHECK_MSG(x[k][t] == want, "stem %zu, channel %d, frame %zu: %g, not %g", stem, k,
                          start + t, (double)x[k][t], (double)want);
            }
    }
}

static rv_track_cache *open_list(rv_track_query q)
{
    rv_track_cache *c = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_track_cache_new(&c, find(q), &err), err);
    return c;
}

/* MUSDB18 ---------------------------------------------------------------------------------- */

/* The part of the tone of that frequency in a stem, amplitude squared. */
static double tone_power(const rv_track_cache *c, size_t stem, double frequency)
{
    static float x[4000];
    float *planes[] = { x };
    rv_error err = { 0 };
    double re = 0, im = 0;
    const rv_track_part part = { 0, stem, RATE, 1, 0, 4000 };
    CHECK_OK(rv_track_read(c, &part, planes, &err), err);
    for (size_t t = 0; t < 4000; t++) {
        re += (double)x[t] * cos(6.283185307179586 * frequency * (double)t / RATE) / 2000;
        im += (double)x[t] * sin(6.283185307179586 * frequency * (double)t / RATE) / 2000;
    }
    return re * re + im * im;
}

static void check_tones(const rv_track_query *q, const int (*tones)[4])
{
    rv_track_cache *c = open_list(*q);
    CHECK(c->tracks[0].frames == 4000 && c->tracks[0].channels == 1 && c->tracks[0].silent == 0);
    for (size_t s = 0; s <= q->n_stems; s++)
        for (int i = 0; i < 4; i++) {
            const double power = tone_power(c, s, 200 << i) / 0.04;
            CHECK_MSG(fabs(power - tones[s][i]) < 0.1, "stem %zu, tone %d: %g", s, i, power);
        }
    free_songs(c);
}

TEST(test_musdb18)
{
    static const char *const two[] = { "vocals", "accompaniment" };
    static const int all[5][4] = {
        { 1, 0, 0, 0 }, { 0, 1, 0, 0 }, { 0, 0, 1, 0 }, { 0, 0, 0, 1 }, { 1, 1, 1, 1 }
    };
    static const int both[3][4] = { { 0, 0, 0, 1 }, { 1, 1, 1, 0 }, { 1, 1, 1, 1 } };
    copy_tones("musdb/train/A - One.stem.mp4");
    copy_tones("musdb/train/Leaf - Summerghost.stem.mp4");
    copy_tones("musdb/train/Johnny Lokke - Promises & Lies.stem.mp4");
    copy_tones("musdb/test/B - Two.stem.mp4");
    rv_track_query q = songs_query(strdup(in_folder("musdb")), "train");
    check_names(q, "musdb18", "A - One");
    q.split = "valid";
    check_names(q, "musdb18", "Johnny Lokke - Promises & Lies|Leaf - Summerghost");
    q.split = "test";
    check_names(q, "musdb18", "B - Two");
    q.split = NULL;
    if (rv_libav_present())
        check_tones(&q, all);
    free((char *)q.root);
    q.root = strdup(in_folder("musdb/test/B - Two.stem.mp4"));
    q.stems = two;
    q.n_stems = 2;
    check_names(q, "musdb18", "B - Two");
    if (rv_libav_present())
        check_tones(&q, both);
    free((char *)q.root);
}

TEST(test_musdb18hq_and_songs)
{
    rv_track_query q = songs_query(strdup(in_folder("hq")), NULL);
    write_song("hq/train/Meaxic - Take A Step", 1, FRAMES, "wav");
    write_song("hq/train/A", 5, FRAMES, "wav");
    write_song("hq/test/B", 9, FRAMES, "wav");
    check_names(q, "songs", "A|B|Meaxic - Take A Step");
    q.split = "valid";
    check_error(q, "no songs in the split 'valid'; there are 1 in test, 2 in train", "hq");
    q.may_be_empty = true;
    CHECK(!rv_track_list_find(&(rv_track_list *){ NULL }, &q, &(rv_error){ 0 }));
    write_file("hq/train/Meaxic - Take A Step", "mixture.wav", 30, 2, FRAMES);
    write_file("hq/train/A", "mixture.wav", 31, 2, FRAMES);
    check_names(q, "musdb18hq", "Meaxic - Take A Step");
    q.split = "train";
    check_names(q, "musdb18hq", "A");
    q.layout = "songs";
    check_names(q, "songs", "A|Meaxic - Take A Step");
    q.layout = "musdb18hq";
    CHECK(unlink(in_folder("hq/train/A/bass.wav")) == 0);
    check_error(q, "hq/train/A/bass: no such file", ".flac");
    q.layout = "vinyl";
    check_error(q, "no layout 'vinyl'", "");
    free((char *)q.root);
}

TEST(test_dsd100)
{
    rv_track_query q = songs_query(strdup(in_folder("dsd")), "train");
    write_song("dsd/Sources/Dev/051 - A", 1, FRAMES, "wav");
    write_song("dsd/Sources/Test/001 - B", 5, FRAMES, "wav");
    write_file("dsd/Mixtures/Dev/051 - A", "mixture.wav", 20, 2, FRAMES);
    write_file("dsd/Mixtures/Test/001 - B", "mixture.wav", 21, 2, FRAMES);
    check_names(q, "dsd100", "051 - A");
    q.split = "test";
    check_names(q, "dsd100", "001 - B");
    rv_track_cache *c = open_list(q);
    check_sum(c, 0, 1, &(expected){ .keys = { 6 } });
    check_sum(c, 0, 4, &(expected){ .keys = { 21 } });
    free_songs(c);
    CHECK(unlink(in_folder("dsd/Sources/Test/001 - B/vocals.wav")) == 0);
    check_error(q, "dsd/Sources/Test/001 - B/vocals: no such file", "");
    free((char *)q.root);
}

/* Slakh ------------------------------------------------------------------------------------ */

static void check_slakh_sums(rv_track_query q)
{
    static const char *const classes[] = { "Strings", "synth lead" };
    static const char *const by_class[] = { "strings", "bass", "synth_lead" };
    static const char *const own[] = { "other", "low", "melody" };
    const rv_submix submixes[] = {
        { .stem = "low", .programs = { (uint64_t)1 << 33 | (uint64_t)1 << 38 } },
        { .stem = "melody", .classes = classes, .n_classes = 2 },
    };
    q.split = "test";
    rv_track_cache *c = open_list(q);
    CHECK(c->tracks[0].silent == 1u << 3 && !c->tracks[0].all_silent);
    check_sum(c, 0, 0, &(expected){ .keys = { 10 } });
    check_sum(c, 0, 1, &(expected){ .keys = { 11, 15 } });
    check_sum(c, 0, 2, &(expected){ .keys = { 12, 13 } });
    check_sum(c, 0, 3, &(expected){ .keys = { 0 } });
    check_sum(c, 0, 4, &(expected){ .keys = { 19 } });
    free_songs(c);
    q.stems = by_class;
    q.n_stems = 3;
    c = open_list(q);
    check_sum(c, 0, 0, &(expected){ .keys = { 13 } });
    check_sum(c, 0, 2, &(expected){ .keys = { 12 } });
    free_songs(c);
    q.stems = own;
    q.submixes = submixes;
    q.n_submixes = 2;
    c = open_list(q);
    check_sum(c, 0, 0, &(expected){ .keys = { 10 } });
    check_sum(c, 0, 1, &(expected){ .keys = { 11, 15 } });
    check_sum(c, 0, 2, &(expected){ .keys = { 12, 13 } });
    free_songs(c);
}

TEST(test_slakh)
{
    static const char *const stems[] = { "drums", "vocals" };
    rv_track_query q = songs_query(strdup(in_folder("slakh")), "train");
    q.n_stems = 3;
    write_slakh("slakh/train/Track00001", 1, "flac");
    write_slakh("slakh/validation/Track00002", 1, "flac");
    write_slakh("slakh/test/Track01501", 10, "flac");
    write_slakh("slakh/omitted/Track02000", 1, "wav");
    check_names(q, "slakh", "Track00001");
    q.split = "valid";
    check_names(q, "slakh", "Track00002");
    q.layout = "slakh_orig";
    check_names(q, "slakh_orig", "Track01501");
    q.split = "test";
    check_names(q, "slakh_orig", "Track02000");
    q.layout = NULL;
    write_file("slakh/train/Track00003/stems", "S00.wav", 7, 1, FRAMES);
    write_text("slakh/train/Track00003/metadata.yaml", "stems: {S00: {inst_class: Vocals}}\n");
    q.split = NULL;
    q.n_stems = 4;
    rv_track_query test = q;
    test.split = "test";
    test.n_stems = 3;
    test.stems = stem_names;
    test.split = "all";
    check_names(test, "slakh", "Track00001|Track00002|Track00003|Track01501|Track02000");
    q.stems = stems;
    q.n_stems = 2;
    q.missing = RV_MISSING_SKIP;
    check_error(q, "such as 'drums'", "slakh");
    q.missing = RV_MISSING_ERROR;
    check_error(q, "slakh/train/Track00001: song 'Track00001' has no stem 'vocals'", "");
    q.missing = RV_MISSING_AUTO;
    q.split = "test";
    check_error(q, "no song has a stem 'vocals' (layout slakh)", "drums, Bass");
    free((char *)q.root);
}

TEST(test_slakh_sums)
{
    rv_track_query q = songs_query(strdup(in_folder("sums")), "test");
    write_slakh("sums/test/Track01501", 10, "flac");
    write_file("sums/test/Track01502/stems", "S00.wav", 7, 1, FRAMES);
    write_text("sums/test/Track01502/metadata.yaml", "stems: {S00: {inst_class: Vocals}}\n");
    check_slakh_sums(q);
    rv_track_cache *c = open_list(q);
    check_sum(c, 1, 3, &(expected){ .keys = { 7 } });
    check_sum(c, 1, 4, &(expected){ .keys = { 7 } });
    free_songs(c);
    CHECK(unlink(in_folder("sums/test/Track01501/stems/S05.flac")) == 0);
    check_error(q, "Track01501/stems/S05: no such file", "");
    write_text("sums/test/Track01501/metadata.yaml", "stems: {S00: {is_drum: false}}\n");
    check_error(q, "Track01501/metadata.yaml: stems.S00 has no inst_class", "");
    write_text("sums/test/Track01501/metadata.yaml", "stems: {../S00: {is_drum: true}}\n");
    check_error(q, "Track01501/metadata.yaml: stems.../S00", "");
    write_text("sums/test/Track01501/metadata.yaml", "stems: [\n");
    check_error(q, "Track01501/metadata.yaml:2:", "");
    free((char *)q.root);
}

TEST(test_moisesdb)
{
    rv_track_query q = songs_query(strdup(in_folder("moises")), NULL);
    write_moises("moises/v0.1/u1");
    q.n_stems = 3;
    check_names(q, "moisesdb", "u1");
    rv_track_cache *c = open_list(q);
    CHECK(c->tracks[0].channels == 2 && c->tracks[0].frames == FRAMES + 20);
    check_sum(c, 0, 0,
              &(expected){ .keys = { 1, 2 }, .frames = { 0, FRAMES + 20 }, .channel = { 0, -1 } });
    check_sum(c, 0, 1, &(expected){ .keys = { 3 }, .frames = { FRAMES - 60 }, .channel = { -1 } });
    check_sum(c, 0, 2, &(expected){ .keys = { 4 } });
    check_sum(c, 0, 3,
              &(expected){ .keys = { 1, 2, 3, 4 },
                           .frames = { 0, FRAMES + 20, FRAMES - 60, 0 },
                           .channel = { 0, -1, -1, 0 } });
    free_songs(c);
    CHECK(unlink(in_folder("moises/v0.1/u1/bass/b1.wav")) == 0);
    check_error(q, "moises/v0.1/u1/bass/b1.wav: no such file", "");
    write_text("moises/v0.1/u1/data.json", "{\"stems\": [{\"tracks\": []}]}");
    check_error(q, "moises/v0.1/u1/data.json: a stem without stemName", "");
    write_text("moises/v0.1/u1/data.json", "{\"stems\": [}");
    check_error(q, "moises/v0.1/u1/data.json:1:", "");
    free((char *)q.root);
}

TEST(test_stem_folders)
{
    rv_track_query q = songs_query(strdup(in_folder("rows")), "train");
    q.n_stems = 2;
    for (uint64_t i = 0; i < 3; i++) {
        static const char *const folders[] = { "rows/train/drums", "rows/train/bass",
                                               "rows/train/mix" };
        write_file(folders[i], "a.wav", 1 + i, 2, FRAMES);
        write_file(folders[i], "b.flac", 5 + i, 2, FRAMES);
    }
    write_file("rows/val/drums", "c.wav", 1, 2, FRAMES);
    write_file("rows/val/bass", "c.wav", 2, 2, FRAMES);
    check_names(q, "stem_folders", "a|b");
    rv_track_cache *c = open_list(q);
    check_sum(c, 1, 0, &(expected){ .keys = { 5 } });
    check_sum(c, 1, 2, &(expected){ .keys = { 7 } });
    free_songs(c);
    q.split = "valid";
    check_names(q, "stem_folders", "c");
    CHECK(unlink(in_folder("rows/val/bass/c.wav")) == 0);
    check_error(q, "rows/val: song 'c' has no stem 'bass'", "");
    free((char *)q.root);
}

TEST(test_mir1k)
{
    static const char *const names[] = { "vocals", "instrumental" };
    rv_track_query q = songs_query(strdup(in_folder("mir")), NULL);
    q.stems = names;
    q.n_stems = 2;
    write_file("mir/Wavfile", "amy_1.wav", 1, 2, FRAMES);
    check_names(q, "mir1k", "amy_1");
    rv_track_cache *c = open_list(q);
    CHECK(c->tracks[0].channels == 1);
    check_sum(c, 0, 0, &(expected){ .keys = { 1 }, .channel = { 1 } });
    check_sum(c, 0, 1, &(expected){ .keys = { 1 }, .channel = { 0 } });
    check_sum(c, 0, 2, &(expected){ .keys = { 1, 1 }, .channel = { 0, 1 } });
    free_songs(c);
    q.n_stems = 0;
    rv_track_list *l = find(q);
    CHECK(l->n_stems == 2 && strcmp(l->stems[0], "accompaniment") == 0);
    rv_track_list_free(l);
    write_file("mir/Wavfile", "mono.wav", 1, 1, FRAMES);
    l = find(q);
    rv_error err = { 0 };
    CHECK(rv_track_cache_new(&c, l, &err) == RV_ERR_FORMAT && strstr(err.text, "mono.wav: 1 ch"));
    rv_track_list_free(l);
    free((char *)q.root);
}

/* A folder of two layouts, and one of none: what was tried, and what each expects. */
TEST(test_doubt)
{
    rv_track_query q = songs_query(strdup(in_folder("both")), NULL);
    copy_tones("both/a.stem.mp4");
    write_file("both/Wavfile", "b.wav", 1, 2, FRAMES);
    check_error(q, "could be of layout musdb18 (ROOT/", "or mir1k (ROOT/Wavfile");
    q.layout = "mir1k";
    q.n_stems = 0;
    check_names(q, "mir1k", "b");
    q.layout = "dsd100";
    check_error(q, "no songs of layout dsd100; it expects ROOT/Mixtures", "both");
    free((char *)q.root);
    q = songs_query(strdup(in_folder("none/x")), NULL);
    CHECK(mkdir(in_folder("none"), 0700) == 0 && mkdir(in_folder("none/x"), 0700) == 0);
    check_error(q, "none/x: no songs", "; slakh (ROOT/");
    free((char *)q.root);
}

/* Splits ----------------------------------------------------------------------------------- */

static void check_disjoint(rv_track_query q, size_t n_valid)
{
    q.split = "valid";
    rv_track_list *valid = find(q);
    q.split = "train";
    rv_track_list *train = find(q);
    CHECK_MSG(valid->n == n_valid && train->n == 20 - n_valid, "%zu, %zu", valid->n, train->n);
    for (size_t i = 0; i < valid->n; i++)
        for (size_t k = 0; k < train->n; k++)
            CHECK(strcmp(valid->tracks[i].name, train->tracks[k].name) != 0);
    rv_track_list_free(valid);
    rv_track_list_free(train);
}

TEST(test_validation_songs)
{
    static const char *const named[] = { "s03", "s11" }, *const unknown[] = { "s99" };
    rv_track_query q = songs_query(strdup(in_folder("draw")), NULL);
    q.n_stems = 1;
    for (int i = 0; i < 20; i++) {
        char song[40];
        snprintf(song, sizeof song, "draw/s%02d", i);
        write_file(song, "drums.wav", 1, 1, 4);
    }
    q.valid_fraction = 0.15;
    check_disjoint(q, 3);
    rv_track_list *first, *second;
    q.split = "valid";
    first = find(q);
    q.seed = 1;
    second = find(q);
    CHECK(strcmp(first->tracks[0].name, second->tracks[0].name) != 0 ||
          strcmp(first->tracks[1].name, second->tracks[1].name) != 0);
    rv_track_list_free(first);
    rv_track_list_free(second);
    q.valid_songs = named;
    q.n_valid_songs = 2;
    check_disjoint(q, 2);
    q.valid_songs = unknown;
    q.n_valid_songs = 1;
    check_error(q, "no song named 's99' to validate on", "");
    q.n_valid_songs = 0;
    q.valid_fraction = 0;
    q.valid_split = "all";
    q.split = "train";
    check_error(q, "no songs are left to train on", "");
    q.valid_split = "holdout";
    q.split = "valid";
    q.may_be_empty = true;
    check_error(q, "no songs in the split 'holdout'", "");
    free((char *)q.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_musdb18),      cmocka_unit_test(test_musdb18hq_and_songs),
        cmocka_unit_test(test_dsd100),       cmocka_unit_test(test_slakh),
        cmocka_unit_test(test_slakh_sums),   cmocka_unit_test(test_moisesdb),
        cmocka_unit_test(test_stem_folders), cmocka_unit_test(test_mir1k),
        cmocka_unit_test(test_doubt),        cmocka_unit_test(test_validation_songs),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
