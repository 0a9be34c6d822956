/* test_train_layouts.c - a tiny model is trained on each published layout, as it lies on disk. */
#include "io/audio_source.h"
#include "layout_files.h"
#include "ravel/train.h"

#include <sys/stat.h>

static void write_recipe(void)
{
    write_text(
        "recipe.yaml",
        "model: {name: conv_tasnet, arguments: {N: 8, L: 16, B: 8, H: 8, P: 3, X: 1, R: 1}}\n"
        "data: {sample_rate: 8000, channels: 1, segment: 0.03, stride: 0.03, batch: 1}\n"
        "optimiser: {lr: 1e-3}\n"
        "train: {epochs: 1, log_every: 1}\n");
}

/* An epoch on the folder `set`; `more` overrides, or NULL. */
static rv_train_report train(const char *set, const char *stems, const char *more)
{
    char path[500], root[500], out[500], names[200];
    rv_train_report report;
    rv_error err = { 0 };
    snprintf(path, sizeof path, "%s", in_folder("recipe.yaml"));
    snprintf(root, sizeof root, "data.root=%s", in_folder(set));
    snprintf(out, sizeof out, "train.out=%s/out-%s", folder, set);
    snprintf(names, sizeof names, "data.stems=%s", stems);
    const char *const overrides[] = { root, out, names, more };
    CHECK_OK(rv_train(path, overrides, more ? 4 : 3, NULL, &report, &err), err);
    CHECK(report.steps == report.steps_per_epoch && report.steps > 0);
    return report;
}

static void check(rv_train_report r, const char *layout, uint64_t train_songs, uint64_t valid_songs)
{
    CHECK_MSG(!strcmp(r.layout, layout) && r.train_songs == train_songs &&
                  r.valid_songs == valid_songs,
              "%s: %s, %llu and %llu songs", layout, r.layout, (unsigned long long)r.train_songs,
              (unsigned long long)r.valid_songs);
}

TEST(test_train_on_musdb18)
{
    if (!rv_libav_present())
        skip();
    copy_tones("musdb/train/A.stem.mp4");
    copy_tones("musdb/train/B.stem.mp4");
    copy_tones("musdb/train/Leaf - Summerghost.stem.mp4");
    check(train("musdb", "[vocals, accompaniment]", NULL), "musdb18", 2, 1);
}

TEST(test_train_on_slakh)
{
    write_slakh("slakh/train/Track00001", 1, "flac");
    write_slakh("slakh/train/Track00002", 11, "flac");
    write_slakh("slakh/validation/Track00003", 21, "flac");
    check(train("slakh", "[drums, bass, lead, other]",
                "data.submix={lead: {classes: [Synth Lead], programs: [80-87, 90]}}"),
          "slakh", 2, 1);
}

TEST(test_train_on_moisesdb)
{
    write_moises("moises/u1");
    write_moises("moises/u2");
    write_moises("moises/u3");
    check(train("moises", "[drums, bass, other]", "data.valid_fraction=0.4"), "moisesdb", 2, 1);
}

TEST(test_train_on_the_others)
{
    write_song("dsd/Sources/Dev/A", 1, FRAMES, "wav");
    write_song("dsd/Sources/Dev/B", 5, FRAMES, "wav");
    write_file("dsd/Mixtures/Dev/A", "mixture.wav", 20, 2, FRAMES);
    write_file("dsd/Mixtures/Dev/B", "mixture.wav", 21, 2, FRAMES);
    check(train("dsd", "[drums, vocals]", "data.valid_songs=[B]"), "dsd100", 1, 1);
    write_file("mir/Wavfile", "a.wav", 1, 2, FRAMES);
    check(train("mir", "[accompaniment, vocals]", NULL), "mir1k", 1, 0);
    write_file("rows/drums", "a.wav", 1, 1, FRAMES);
    write_file("rows/bass", "a.wav", 2, 1, FRAMES);
    check(train("rows", "[drums, bass]", NULL), "stem_folders", 1, 0);
    write_song("hq/train/A", 1, FRAMES, "wav");
    write_song("hq/train/Young Griffo - Pennies", 5, FRAMES, "wav");
    write_file("hq/train/A", "mixture.wav", 20, 2, FRAMES);
    write_file("hq/train/Young Griffo - Pennies", "mixture.wav", 21, 2, FRAMES);
    check(train("hq", "[drums, bass, other, vocals]", NULL), "musdb18hq", 1, 1);
}

static void check_refused(const char *override, const char *word)
{
    char path[500], root[500], out[500];
    rv_error err = { 0 };
    snprintf(path, sizeof path, "%s", in_folder("recipe.yaml"));
    snprintf(root, sizeof root, "data.root=%s", in_folder("dsd"));
    snprintf(out, sizeof out, "train.out=%s/refused", folder);
    const char *const overrides[] = { root, out, override };
    CHECK_MSG(rv_train(path, overrides, 3, NULL, NULL, &err) != RV_OK && strstr(err.text, word),
              "no \"%s\" in: %s", word, err.text);
}

TEST(test_bad_keys)
{
    check_refused("data.submix={a: {class: [b]}}", "data.submix.a.class: unknown");
    check_refused("data.submix={a: {programs: [128]}}", "data.submix.a.programs: 0 to 127");
    check_refused("data.submix={a: {programs: [9-5]}}", "data.submix.a.programs");
    check_refused("data.submix={a: {programs: [x]}}", "data.submix.a.programs");
    check_refused("data.submix={a: {}}", "data.submix.a: no classes or programs");
    check_refused("data.submix={a: {classes: [1]}}", "data.submix.a.0: a text is expected");
    check_refused("data.layout=tape", "no layout 'tape'");
    check_refused("data.stems=[drums, accompaniment, instrumental]", "would both be all");
    check_refused("data.valid_songs=[Z]", "no song named 'Z'");
}

static int set_up(void **state)
{
    const int made = make_folder(state);
    write_recipe();
    return made;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train_on_musdb18),  cmocka_unit_test(test_train_on_slakh),
        cmocka_unit_test(test_train_on_moisesdb), cmocka_unit_test(test_train_on_the_others),
        cmocka_unit_test(test_bad_keys),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
