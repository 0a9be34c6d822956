/* test_drum_kit.c - a tiny kit, written here: what its samples are is known, so is what must sound.
 */
#include "tiny_drum_kit.h"

#include <unistd.h>

TEST(test_hits_sound)
{
    rv_drum_kit *k = open_instruments(tiny);
    CHECK(strcmp(rv_drum_kit_name(k), "Tiny") == 0 && strcmp(rv_drum_kit_license(k), "CC0") == 0);
    CHECK(rv_drum_kit_missing(k, NULL) == 0);
    CHECK(play(k, &(rv_drum_hit){ 0.05, 36, 0.5 }, 1) == 0);
    check_sample(1, false, 400, 0.25, 0.0625);
    CHECK(play(k, &(rv_drum_hit){ 0, 38, 0.3 }, 1) == 0);
    check_sample(2, true, 0, 0.6, 0.6);
    CHECK(play(k, &(rv_drum_hit){ 0, 38, 0.44 }, 1) == 0); /* in a gap: the nearest */
    check_sample(2, true, 0, 0.88, 0.88);
    CHECK(play(k, &(rv_drum_hit){ 0, 38, 0.46 }, 1) == 0);
    check_sample(3, true, 0, 0.46, 0.46);
    CHECK(play(k, &(rv_drum_hit){ 0, 38, 1 }, 1) == 0);
    check_sample(3, true, 0, 1, 1);
    CHECK(play(k, &(rv_drum_hit){ 100, 38, 1 }, 1) == 0); /* after the end */
    check_sample(3, true, 0, 0, 0);
    rv_drum_kit_free(k);
    rv_drum_kit_free(NULL);
}

TEST(test_hits_in_any_order_add_up)
{
    rv_drum_kit *k = open_instruments(tiny);
    const rv_drum_hit hits[] = { { 0.1, 36, 1 }, { 0, 38, 1 }, { 0.1, 45, 1 }, { 0.3, 36, 1 } };
    float one[2][ROOM] = { { 0 } };
    for (size_t i = 0; i < 4; i++) {
        CHECK(play(k, &hits[i], 1) == 0);
        for (size_t t = 0; t < 2 * ROOM; t++)
            one[t / ROOM][t % ROOM] += out[t / ROOM][t % ROOM];
    }
    CHECK(play(k, hits, 4) == 0);
    for (size_t t = 0; t < 2 * ROOM; t++)
        CHECK_CLOSE(out[t / ROOM][t % ROOM], one[t / ROOM][t % ROOM], 1e-6);
    rv_drum_kit_free(k);
}

/* A closed hi-hat at frame 500 ends an open one: 160 frames of fading. */
TEST(test_hi_hats_choke)
{
    rv_drum_kit *k = open_instruments(tiny);
    const rv_drum_hit hits[] = {
        { 0, 46, 1 }, { 0.0625, 42, 0 }, { 0.01, 46, 0 }, { 0.02, 38, 0 }
    };
    CHECK(play(k, hits, 4) == 0);
    for (size_t t = 0; t < LENGTH; t++) {
        const double whole = (double)sample(4, 0, t), got = (double)out[0][t];
        if (t < 500 || t >= 660)
            CHECK_CLOSE(got, t < 500 ? whole : 0, 1e-6);
        else
            CHECK_CLOSE(got, whole * (1 - (double)(t - 499) / 161), 1e-6);
    }
    rv_drum_kit_free(k);
}

static bool is_choked(const rv_drum_kit *k, int first, int second)
{
    const rv_drum_hit hits[] = { { 0, first, 1 }, { 0.0625, second, 0 } };
    CHECK(play(k, hits, 2) == 0);
    double rest = 0;
    for (size_t t = 700; t < LENGTH; t++)
        rest += fabs((double)out[0][t]);
    return rest == 0;
}

TEST(test_mute_groups)
{
    rv_drum_kit *k = open_instruments("<instrument><name>Snare</name><filename>kick.wav</"
                                      "filename><muteGroup>3</muteGroup></instrument>"
                                      "<instrument><name>Kick</name><filename>kick.wav</"
                                      "filename><muteGroup>3</muteGroup></instrument>"
                                      "<instrument><name>Clap</name><filename>kick.wav</"
                                      "filename><muteGroup>4</muteGroup></instrument>"
                                      "<instrument><name>Tom</name><filename>kick.wav</"
                                      "filename><isStopNote>true</isStopNote></instrument>");
    CHECK(is_choked(k, 38, 36) && is_choked(k, 36, 38) && is_choked(k, 45, 45));
    CHECK(!is_choked(k, 38, 39) && !is_choked(k, 38, 38) && !is_choked(k, 45, 38));
    rv_drum_kit_free(k);
}

static void check_piece(const rv_drum_kit *k, int note, const char *name, int is_exact)
{
    int exact = 0;
    const char *got = rv_drum_kit_piece(k, note, &exact);
    CHECK_MSG(got ? name && strcmp(got, name) == 0 && exact == is_exact : !name,
              "note %d: %s (%d), not %s", note, got ? got : "none", exact, name ? name : "none");
}

static rv_drum_kit *open_names(const char *const *names)
{
    char text[6000] = "";
    for (size_t i = 0, n = 0; names[i]; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "<instrument><name>%s</name><filename>kick.wav</filename>"
                              "</instrument>\n",
                              names[i]);
    return open_instruments(text);
}

static const char *const usual_names[] = { "Snare Roll",  "c3 - bass drum 1",
                                           "Kick 2",      "Rim Click (Snare)",
                                           "SD 1",        "Snare 2",
                                           "Hand Clap",   "Hi-Hat Closed (14&quot;)",
                                           "HH Pedal",    "Hat Op",
                                           "Floor Tom",   "Tom 1",
                                           "Tom 2",       "Crash Left",
                                           "crash20inch", "Ride Cup",
                                           "Ride",        "Paiste China",
                                           "Splash",      "Tambourine",
                                           "Cowbell",     "Conga 1",
                                           "Conga 2",     "Bongo Lo",
                                           "Triangle",    NULL };
static const struct {
    int note;
    const char *name;
    int exact;
} expected_pieces[] = {
    { 36, "c3 - bass drum 1", 1 },
    { 35, "Kick 2", 1 },
    { 37, "Rim Click (Snare)", 1 },
    { 38, "SD 1", 1 },
    { 40, "Snare 2", 1 },
    { 39, "Hand Clap", 1 },
    { 42, "Hi-Hat Closed (14\")", 1 },
    { 44, "HH Pedal", 1 },
    { 46, "Hat Op", 1 },
    { 41, "Floor Tom", 1 },
    { 43, "Floor Tom", 1 },
    { 45, "Tom 2", 1 },
    { 47, "Tom 2", 1 },
    { 48, "Tom 1", 1 },
    { 50, "Tom 1", 1 },
    { 49, "Crash Left", 1 },
    { 57, "crash20inch", 1 },
    { 53, "Ride Cup", 1 },
    { 51, "Ride", 1 },
    { 59, "Ride", 0 },
    { 52, "Paiste China", 1 },
    { 55, "Splash", 1 },
    { 54, "Tambourine", 1 },
    { 56, "Cowbell", 1 },
    { 63, "Conga 1", 1 },
    { 64, "Conga 2", 1 },
    { 62, "Conga 1", 0 },
    { 61, "Bongo Lo", 1 },
    { 60, "Bongo Lo", 0 },
    { 81, "Triangle", 1 },
    { 58, NULL, 0 },
    { 26, NULL, 0 },
    { 88, NULL, 0 },
    { -5, NULL, 0 },
    { 1000, NULL, 0 },
};

TEST(test_names_find_pieces)
{
    rv_drum_kit *k = open_names(usual_names);
    for (size_t i = 0; i < sizeof expected_pieces / sizeof *expected_pieces; i++)
        check_piece(k, expected_pieces[i].note, expected_pieces[i].name, expected_pieces[i].exact);
    rv_drum_kit_free(k);
}

TEST(test_toms_are_spread_by_pitch)
{
    static const char *const four[] = { "Tom Mid", "tomhi2", "Tom Hi", "Low Tom", "Drum", NULL };
    static const char *const numbered[] = { "Tom 2", "Tom 1", "Pearl Tom Floor", NULL };
    rv_drum_kit *k = open_names(four);
    check_piece(k, 41, "Low Tom", 1);
    check_piece(k, 43, "Low Tom", 1);
    check_piece(k, 45, "Tom Mid", 1);
    check_piece(k, 47, "tomhi2", 1);
    check_piece(k, 50, "Tom Hi", 1);
    rv_drum_kit_free(k);
    k = open_names(numbered);
    check_piece(k, 43, "Pearl Tom Floor", 1);
    check_piece(k, 45, "Tom 2", 1);
    check_piece(k, 50, "Tom 1", 1);
    rv_drum_kit_free(k);
}

TEST(test_nearest_pieces_and_those_left_out)
{
    rv_drum_kit *k = open_instruments(tiny);
    check_piece(k, 35, "BassDrum", 0);
    check_piece(k, 40, "Snare", 0);
    check_piece(k, 44, "Closed HH", 0);
    check_piece(k, 41, "Tom", 1);
    check_piece(k, 50, "Tom", 1);
    check_piece(k, 49, NULL, 0); /* the crash is muted */
    const rv_drum_hit hits[] = { { 0, 49, 1 }, { 0, 36, 1 }, { 0, 58, 1 }, { 0, 12, 1 } };
    CHECK(play(k, hits, 4) == 3);
    check_sample(1, false, 0, 0.5, 0.125);
    rv_drum_kit_free(k);
}

/* Numbers serve where names say nothing, unless they are all the same. */
TEST(test_numbers_find_the_rest)
{
    static const char form[] =
        "<instrument><name>Thing</name><midiOutNote>%d</midiOutNote><filename>kick.wav</filename>"
        "</instrument><instrument><name>Kick</name><midiOutNote>60</midiOutNote>"
        "<filename>kick.wav</filename></instrument>";
    char text[500];
    snprintf(text, sizeof text, form, 58);
    rv_drum_kit *k = open_instruments(text);
    check_piece(k, 58, "Thing", 1);
    check_piece(k, 36, "Kick", 1);
    check_piece(k, 60, NULL, 0);
    rv_drum_kit_free(k);
    snprintf(text, sizeof text, form, 60);
    k = open_instruments(text);
    check_piece(k, 60, NULL, 0);
    rv_drum_kit_free(k);
}

TEST(test_components_sound_together)
{
    rv_drum_kit *k = NULL;
    rv_error err = { 0 };
    CHECK_OK(
        open_xml(&k,
                 "<drumkit_info xmlns=\"http://www.hydrogen-music.org/drumkit\"><componentList>"
                 "<drumkitComponent><id>0</id><volume>0.5</volume></drumkitComponent>"
                 "<drumkitComponent><id>1</id></drumkitComponent></componentList><instrumentList>"
                 "<instrument><name>Kick</name><pan>-0.5</pan><applyVelocity>false</applyVelocity>"
                 "<instrumentComponent><component_id>0</component_id><gain>1.5</gain>"
                 "<layer><filename>kick.wav</filename></layer></instrumentComponent>"
                 "<instrumentComponent><component_id>1</component_id>"
                 "<layer><filename>closed.wav</filename></layer></instrumentComponent>"
                 "</instrument></instrumentList></drumkit_info>",
                 &err),
        err);
    CHECK(play(k, &(rv_drum_hit){ 0, 36, 0.2 }, 1) == 0);
    for (size_t t = 0; t < LENGTH; t++) {
        const double sum = 0.75 * (double)sample(1, 0, t) + (double)sample(5, 0, t);
        CHECK_CLOSE(out[0][t], sum, 1e-6);
        CHECK_CLOSE(out[1][t], sum / 2, 1e-6);
    }
    rv_drum_kit_free(k);
}

/* A sine of 500 Hz, an octave up by its layer's pitch, at another rate than the file's. */
TEST(test_rates_and_pitch)
{
    enum { FROM = 16000, TO = 24000, N = 8000 };
    static float wave[N], played[2][TO];
    const double pi = 3.14159265358979323846;
    rv_error err = { 0 };
    for (size_t t = 0; t < N; t++)
        wave[t] = (float)(0.5 * sin(2 * pi * 500 * (double)t / FROM));
    write_planes("sine.wav", (float *const[1]){ wave }, 1, FROM, N);
    rv_drum_kit *k = open_instruments("<instrument><name>Kick</name><layer><filename>sine.wav"
                                      "</filename><pitch>12</pitch></layer></instrument>");
    for (int pass = 0; pass < 2; pass++) { /* the second from memory */
        memset(played, 0, sizeof played);
        CHECK_OK(rv_drum_kit_play(k, (float *const[2]){ played[0], played[1] }, TO, TO,
                                  &(rv_drum_hit){ 0, 36, 1 }, 1, NULL, &err),
                 err);
        for (size_t t = 500; t < 5500; t++)
            CHECK_CLOSE(played[1][t], 0.5 * sin(2 * pi * 1000 * (double)t / TO), 1e-4);
        for (size_t t = N * TO / (2 * FROM); t < TO; t++)
            CHECK(played[0][t] == 0);
    }
    rv_drum_kit_free(k);
}

TEST(test_missing_samples_are_left_out)
{
    const char *text = NULL;
    rv_drum_kit *k =
        open_instruments("<instrument><name>Kick</name><filename>kick.wav</filename></instrument>\n"
                         "<instrument><name>Snare</name>\n<layer><filename>gone.wav</filename></"
                         "layer></instrument>");
    CHECK(rv_drum_kit_missing(k, &text) == 1);
    CHECK(strstr(text, "/drumkit.xml:6: sample \"gone.wav\": No such file"));
    check_piece(k, 38, NULL, 0);
    rv_drum_kit_free(k);
}

TEST(test_errors_name_file_and_line)
{
    static const struct {
        const char *xml, *text;
    } cases[] = {
        { HEAD "<instrument><volume>loud</volume>", "/drumkit.xml:4: <volume> is \"loud\"" },
        { HEAD "<instrument>\n<layer>\n<min>2</min>", "/drumkit.xml:6: <min> is \"2\"; expected" },
        { HEAD "<instrument>\n<layer></layer>", "/drumkit.xml:5: a <layer> without <filename>" },
        { HEAD "<instrument>\n</layer>", "/drumkit.xml:5: mismatched tag" },
        { HEAD, "/drumkit.xml:4: no element found" },
        { "", "/drumkit.xml:1: no element found" },
        { "\n<html/>", "/drumkit.xml:2: <html>; expected <drumkit_info>" },
        { "<!DOCTYPE x [<!ENTITY e SYSTEM \"/etc/passwd\">]>\n<drumkit_info/>",
          "/drumkit.xml:1: a DOCTYPE" },
        { "<drumkit_info/>", "/drumkit.xml: no instrument is a known piece" },
        { HEAD "<instrument><filename>../x.wav</filename></instrument>",
          "/drumkit.xml:4: the sample \"../x.wav\" is not in the folder" },
        { HEAD "<instrument><filename>/x.wav</filename></instrument>",
          "/drumkit.xml:4: the sample \"/x.wav\" is not in the folder" },
        { HEAD "<instrument><filename>link.wav</filename></instrument>" TAIL,
          "/drumkit.xml:4: sample \"link.wav\": is not in the folder" },
        { HEAD "<instrument><filename>drumkit.xml</filename></instrument>" TAIL,
          "/drumkit.xml:4: sample \"drumkit.xml\": /" },
        { HEAD "<instrument><filename>many.wav</filename></instrument>" TAIL,
          "/drumkit.xml:4: sample \"many.wav\": has more than two channels" },
        { HEAD "<instrument><name>Kick</name><filename>gone</filename></instrument>" TAIL,
          "/drumkit.xml:4: sample \"gone\": No such file" },
        { HEAD "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>", "nested more than 15 deep" },
    };
    CHECK(symlink("/dev/null", path_of("link.wav")) == 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rv_drum_kit *k = NULL;
        rv_error err = { 0 };
        CHECK_MSG(open_xml(&k, cases[i].xml, &err) != RV_OK && !k, "case %zu was read", i);
        CHECK_MSG(strstr(err.text, cases[i].text) && !strchr(err.text, '\n'), "%s\nis not: %s",
                  err.text, cases[i].text);
    }
    rv_drum_kit *k = NULL;
    rv_error err = { 0 };
    CHECK(rv_drum_kit_open(&k, path_of("nowhere"), &err) == RV_ERR_IO);
    CHECK(strstr(err.text, "nowhere: No such file or directory; expected the folder"));
}

TEST(test_wrong_hits)
{
    static const rv_drum_hit wrong[] = {
        { -1, 36, 1 }, { NAN, 36, 1 }, { 0, 36, 1.5 }, { 0, 36, NAN }
    };
    rv_drum_kit *k = open_instruments(tiny);
    rv_error err = { 0 };
    float *const planes[2] = { out[0], out[1] };
    for (size_t i = 0; i < 4; i++)
        CHECK(rv_drum_kit_play(k, planes, ROOM, RATE, &wrong[i], 1, NULL, &err) == RV_ERR_ARG);
    CHECK(strstr(err.text, "drum hit 0 at 0 s with velocity"));
    CHECK(rv_drum_kit_play(k, planes, ROOM, 0, NULL, 0, NULL, &err) == RV_ERR_ARG);
    CHECK(play(k, NULL, 0) == 0);
    rv_drum_kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hits_sound),
        cmocka_unit_test(test_hits_in_any_order_add_up),
        cmocka_unit_test(test_hi_hats_choke),
        cmocka_unit_test(test_mute_groups),
        cmocka_unit_test(test_names_find_pieces),
        cmocka_unit_test(test_toms_are_spread_by_pitch),
        cmocka_unit_test(test_nearest_pieces_and_those_left_out),
        cmocka_unit_test(test_numbers_find_the_rest),
        cmocka_unit_test(test_components_sound_together),
        cmocka_unit_test(test_rates_and_pitch),
        cmocka_unit_test(test_missing_samples_are_left_out),
        cmocka_unit_test(test_errors_name_file_and_line),
        cmocka_unit_test(test_wrong_hits),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
