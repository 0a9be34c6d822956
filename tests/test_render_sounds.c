/* test_render_sounds.c - who plays in a rendered data set: instruments beside the soundfont, and
 * drums put together of several kits. */
#include "data/drum_kit.h"
#include "render_folder.h"

/* A whole track's bytes in two sets. */
static bool is_same(const char *a, const char *b, int track)
{
    char command[1000];
    snprintf(command, sizeof command,
             "diff -rq '%s/%s/train/Track%05d' '%s/%s/train/Track%05d' >/dev/null", folder, a,
             track, folder, b, track);
    return system(command) == 0;
}

static const char *player_of(const json_t *data, const char *stem)
{
    const char *player = NULL;
    CHECK(json_unpack((json_t *)data, "{s:{s:{s:s}}}", "stems", stem, "plugin_name", &player) == 0);
    return player;
}

/* The piano is S00, the bass S01, the drums S02. "bass.sf2" has the program 33 and the drum set 8.
 */
static void check_bass(const json_t *data, bool played)
{
    const char *license = NULL;
    CHECK(strcmp(player_of(data, "S00"), "tiny.sf2") == 0);
    CHECK(strcmp(player_of(data, "S01"), played ? "bass.sf2" : "tiny.sf2") == 0);
    CHECK(strcmp(player_of(data, "S02"), "tiny.sf2") == 0);
    CHECK(!json_unpack((json_t *)data, "{s:{s:s}}", "licenses", "bass.sf2", &license) == played);
    CHECK(!played || strcmp(license, "CC0-1.0, A / B???? Samples") == 0);
}

/* Where it is not taken, the track is the same to the bit. */
TEST(test_instruments_play_programs_that_they_have)
{
    enum { TRACKS = 6 };
    rv_render_options o = options();
    int taken = 0;
    char path[200];
    const char *const one[] = { path };
    snprintf(path, sizeof path, "%s/bass.sf2", folder);
    tiny_soundfont_of(path, SIZE_MAX,
                      &(tiny_numbers){ 33, 8, 69, "CC0-1.0, A | B\n\t\xc3\xa9 Samples" });
    snprintf(midi_path, sizeof midi_path, "%s/midi/a.mid", folder);
    o.variants = TRACKS;
    render("plain", &o);
    o.instruments = one;
    o.n_instruments = 1;
    o.threads = 3;
    render("bass", &o);
    o.threads = 1;
    render("bass-1", &o);
    shell("diff -r '%s/bass' '%s/bass-1'", folder, folder);
    for (int track = 1; track <= TRACKS; track++) {
        char name[40];
        snprintf(name, sizeof name, "bass-1/train/Track%05d", track);
        json_t *data = metadata(name);
        const bool played = strcmp(player_of(data, "S01"), "bass.sf2") == 0;
        check_bass(data, played);
        CHECK(is_same("plain", "bass-1", track) == !played);
        taken += played;
        json_decref(data);
    }
    CHECK_MSG(taken > 0 && taken < TRACKS, "%d of %d", taken, TRACKS);
    shell("grep -q '^| bass.sf2 | CC0-1.0, A / B???? Samples |$' '%s/bass-1/README.md'%s", folder,
          "");
    check_error("plain", &o, RV_ERR_EXISTS, "made with other instruments");
    o.n_instruments = 0;
    check_error("bass-1", &o, RV_ERR_EXISTS, "made with other instruments");
    const char *const none[] = { in_folder("nowhere.sf2") };
    o.instruments = none;
    o.n_instruments = 1;
    check_error("none", &o, RV_ERR_IO, "nowhere.sf2: No such file");
}

static void write_drums(const char *name, const int notes[4])
{
    rv_midi *m = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_midi_new(&m, 100, 1, &err), err);
    for (uint32_t beat = 0; beat < 8; beat++)
        add(m, 25 * beat, 0x99, notes[beat % 4], 100);
    rv_midi_sort(m);
    CHECK_OK(rv_midi_write(m, in_folder(name), &err), err);
    rv_midi_free(m);
}

/* False in a build without expat. */
static bool make_kit(const char *name, const char *const pieces[2])
{
    char file[100], text[1000];
    rv_drum_kit *kit = NULL;
    rv_error err = { 0 };
    snprintf(text, sizeof text,
             "<drumkit_info><name>%s</name><license>CC0 of %s</license><instrumentList>"
             "<instrument><name>%s</name><filename>0.wav</filename></instrument>"
             "<instrument><name>%s</name><filename>1.wav</filename></instrument>"
             "</instrumentList></drumkit_info>",
             name, name, pieces[0], pieces[1]);
    for (int i = 0; i < 2; i++) {
        snprintf(file, sizeof file, "%s/%d.wav", name, i);
        write_noise(file, (uint64_t)(name[3] + i));
    }
    snprintf(file, sizeof file, "%s/drumkit.xml", name);
    FILE *f = fopen(in_folder(file), "wb");
    CHECK(f && fwrite(text, 1, strlen(text), f) == strlen(text) && fclose(f) == 0);
    const rv_status st = rv_drum_kit_open(&kit, in_folder(name), &err);
    CHECK_MSG(st == RV_OK || st == RV_ERR_UNSUPPORTED, "%s", err.text);
    rv_drum_kit_free(kit);
    return st == RV_OK;
}

static const int beat[] = { 36, 42, 38, 49 }; /* kick, closed hi-hat, snare, crash */

/* Neither kit has all: where kits play, both do. */
TEST(test_drums_are_mixed)
{
    enum { TRACKS = 8 };
    static const char *const low[] = { "Kick", "Snare" }, *const high[] = { "Closed HH", "Crash" };
    char paths[2][200];
    const char *const kits[] = { paths[0], paths[1] };
    rv_render_options o = options();
    int mixed = 0;
    for (int i = 0; i < 2; i++)
        snprintf(paths[i], sizeof paths[i], "%s/kit%d", folder, i + 1);
    write_drums("drums/a.mid", beat);
    snprintf(midi_path, sizeof midi_path, "%s/drums", folder);
    o.variants = TRACKS;
    o.mix_drums = 1;
    o.drum_kits = kits;
    o.n_drum_kits = make_kit("kit1", low) && make_kit("kit2", high) ? 2 : 0;
    o.threads = 3;
    render("mixed-3", &o);
    o.threads = 1;
    render("mixed-1", &o);
    shell("diff -r '%s/mixed-3' '%s/mixed-1'", folder, folder);
    for (int track = 1; track <= TRACKS; track++) {
        char name[40];
        const char *one = NULL, *other = NULL;
        snprintf(name, sizeof name, "mixed-1/train/Track%05d", track);
        json_t *data = metadata(name);
        const bool both = strcmp(player_of(data, "S00"), "kit1 + kit2") == 0;
        CHECK(both || strcmp(player_of(data, "S00"), "tiny.sf2") == 0);
        CHECK(!json_unpack(data, "{s:{s:s, s:s}}", "licenses", "kit1", &one, "kit2", &other) ==
              both);
        mixed += both;
        json_decref(data);
    }
    if (o.n_drum_kits) {
        CHECK_MSG(mixed > TRACKS / 3 && mixed < TRACKS, "%d of %d", mixed, TRACKS);
        shell("grep -q '| kit1 | CC0 of kit1 |' '%s/mixed-1/README.md' && "
              "grep -q '| kit2 | CC0 of kit2 |' '%s/mixed-1/README.md'",
              folder, folder);
    } else {
        print_message("# without expat no drum kits are mixed\n");
    }
    o.mix_drums = 0;
    check_error("mixed-1", &o, RV_ERR_EXISTS, "made with other drums");
}

/* A ride could stand for a crash, but another kit has one. */
TEST(test_kits_that_have_a_piece_play_it)
{
    enum { TRACKS = 16 };
    static const char *const ride[] = { "Snare", "Ride" }, *const crash[] = { "Snare", "Crash" };
    char paths[2][200];
    const char *const kits[] = { paths[0], paths[1] };
    rv_render_options o = options();
    for (int i = 0; i < 2; i++)
        snprintf(paths[i], sizeof paths[i], "%s/kit%d", folder, i + 3);
    write_drums("crash/a.mid", (const int[]){ 49, 49, 49, 49 });
    snprintf(midi_path, sizeof midi_path, "%s/crash", folder);
    o.variants = TRACKS;
    o.mix_drums = 1;
    o.drum_kits = kits;
    o.n_drum_kits = make_kit("kit3", ride) && make_kit("kit4", crash) ? 2 : 0;
    render("crashes", &o);
    shell("! grep -rq kit3 '%s/crashes/train' %s", folder, "");
    if (o.n_drum_kits)
        shell("grep -rq 'plugin_name: kit4$' '%s/crashes/train' %s", folder, "");
}

/* A soundfont whose only drum set is the 25: without the option it has no sound for drums. */
TEST(test_drum_sets)
{
    rv_render_options o = options();
    tiny_soundfont_of(in_folder("808.sf2"), SIZE_MAX, &(tiny_numbers){ 0, 25, 81, NULL });
    write_drums("sets/a.mid", beat);
    snprintf(midi_path, sizeof midi_path, "%s/sets", folder);
    snprintf(font_path, sizeof font_path, "%s/808.sf2", folder);
    CHECK(render("standard", &o).without_drums == 1);
    o.mix_drums = 1;
    CHECK(render("any", &o).without_drums == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instruments_play_programs_that_they_have),
        cmocka_unit_test(test_drums_are_mixed),
        cmocka_unit_test(test_kits_that_have_a_piece_play_it),
        cmocka_unit_test(test_drum_sets),
    };
    return cmocka_run_group_tests(tests, prepare, clean);
}
