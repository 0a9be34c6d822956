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

/* As in test_render.c: what libraries lose and lock. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libinstpatch\nleak:libgobject\n";
}

const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libgomp.so\nrace:libgomp.so\n";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instruments_play_programs_that_they_have),
    };
    return cmocka_run_group_tests(tests, prepare, clean);
}
