/* test_drum_ways.c - which of several recordings a hit gets, and kits that are tuned, damped,
 * louder, and silent in part. */
#include "tiny_drum_kit.h"

/* Three samples for hits from 0.5 on, and one for softer ones. */
static rv_drum_kit *open_selection(const char *selection)
{
    char text[1000];
    snprintf(text, sizeof text,
             "<instrument><name>Snare</name><applyVelocity>false</applyVelocity>%s"
             "<layer><filename>open.wav</filename><max>0.5</max></layer>"
             "<layer><filename>kick.wav</filename><min>0.5</min></layer>"
             "<layer><filename>closed.wav</filename><min>0.5</min></layer>"
             "<layer><filename>deep/tom.wav</filename><min>0.5</min></layer></instrument>",
             selection);
    return open_instruments(text);
}

/* Which of the samples plays from frame `at` on; 0: none of them, or several. */
static uint64_t key_at(size_t at)
{
    for (uint64_t key = 1; key < 8; key++) {
        size_t same = 0;
        for (size_t t = 0; t < LENGTH; t++)
            same += fabs((double)out[0][at + t] - (double)sample(key, 0, t)) < 1e-6;
        if (same == LENGTH)
            return key;
    }
    return 0;
}

#define SELECTION(name) "<sampleSelectionAlgo>" name "</sampleSelectionAlgo>"

/* In the order of time, whatever the order in which they are given. */
TEST(test_layers_are_taken_in_turn)
{
    const rv_drum_hit hits[] = { { 0.25, 38, 1 }, { 0, 38, 1 }, { 0.125, 38, 0.9 } };
    rv_drum_kit *k = open_selection(SELECTION("ROUND_ROBIN"));
    for (int again = 0; again < 2; again++) { /* a kit that has played begins anew */
        CHECK(play(k, hits, 3) == 0);
        CHECK(key_at(0) == 1 && key_at(1000) == 5 && key_at(2000) == 6);
    }
    const rv_drum_hit between[] = { { 0, 38, 1 }, { 0.125, 38, 0.2 }, { 0.25, 38, 1 } };
    CHECK(play(k, between, 3) == 0);
    CHECK(key_at(0) == 1 && key_at(1000) == 4 && key_at(2000) == 6);
    rv_drum_kit_free(k);
    static const char *const others[] = { "", SELECTION("VELOCITY"), SELECTION("unheard") };
    for (int i = 0; i < 3; i++) {
        k = open_selection(others[i]);
        CHECK(play(k, hits, 3) == 0);
        CHECK(key_at(0) == 1 && key_at(1000) == 1 && key_at(2000) == 1);
        rv_drum_kit_free(k);
    }
}

/* 30 hits: each of three layers some times, and the same ones again. */
TEST(test_layers_are_taken_at_random)
{
    enum { HITS = 30 };
    static float first[2][HITS * LENGTH], again[2][HITS * LENGTH];
    rv_drum_hit hits[HITS];
    rv_error err = { 0 };
    int times[8] = { 0 };
    for (int i = 0; i < HITS; i++)
        hits[i] = (rv_drum_hit){ 0.125 * i, 38, 1 };
    rv_drum_kit *k = open_selection(SELECTION("RANDOM"));
    CHECK_OK(rv_drum_kit_play(k, (float *[]){ first[0], first[1] }, HITS * LENGTH, RATE, hits, HITS,
                              NULL, &err),
             err);
    CHECK_OK(rv_drum_kit_play(k, (float *[]){ again[0], again[1] }, HITS * LENGTH, RATE, hits, HITS,
                              NULL, &err),
             err);
    CHECK(memcmp(first, again, sizeof first) == 0);
    for (int i = 0; i < HITS; i++) {
        memcpy(out[0], first[0] + i * LENGTH, LENGTH * sizeof(float));
        times[key_at(0)]++;
    }
    CHECK_MSG(times[1] > 2 && times[5] > 2 && times[6] > 2 && !times[0], "%d %d %d", times[1],
              times[5], times[6]);
    rv_drum_kit_free(k);
}

static void play_as(const rv_drum_kit *k, const rv_drum_way *way, const rv_drum_hit *hits, size_t n)
{
    rv_error err = { 0 };
    memset(out, 0, sizeof out);
    CHECK_OK(rv_drum_kit_play_as(k, way, (float *const[2]){ out[0], out[1] }, ROOM, RATE, hits, n,
                                 NULL, &err),
             err);
}

TEST(test_gain_and_damping)
{
    rv_drum_kit *k = open_instruments(tiny);
    const rv_drum_hit hit = { 0.05, 38, 1 };
    play_as(k, &(rv_drum_way){ .gain = 20 * log10(0.5) }, &hit, 1);
    check_sample(3, true, 400, 0.5, 0.5);
    play_as(k, &(rv_drum_way){ .decay = 0.0625 }, &hit, 1); /* 500 frames for 60 dB */
    for (size_t t = 0; t < LENGTH; t++)
        CHECK_CLOSE(out[1][400 + t], (double)sample(3, 1, t) * pow(10, -3.0 * (double)t / 500),
                    1e-7);
    play_as(k, &(rv_drum_way){ .gain = 0 }, &hit, 1);
    check_sample(3, true, 400, 1, 1);
    rv_drum_kit_free(k);
}

/* A sine of 500 Hz three semitones up and down, as long as that makes it, or cut where it is
 * damped; and the kit as it is afterwards. */
TEST(test_tuning)
{
    static float wave[LENGTH];
    const double pi = 3.14159265358979323846;
    const rv_drum_hit hits[] = { { 0, 36, 1 }, { 0, 36, 1 } }; /* the second from memory */
    for (size_t t = 0; t < LENGTH; t++)
        wave[t] = (float)(0.5 * sin(2 * pi * 500 * (double)t / RATE));
    write_planes("tuned.wav", (float *const[1]){ wave }, 1, RATE, LENGTH);
    rv_drum_kit *k = open_instruments("<instrument><name>Kick</name><layer><filename>tuned.wav"
                                      "</filename></layer></instrument>");
    for (int semitones = -3; semitones <= 3; semitones += 3) {
        const double ratio = round(RATE * pow(2, semitones / 12.0)) / RATE; /* whole Hz */
        const size_t end = (size_t)(LENGTH / ratio);
        play_as(k, &(rv_drum_way){ .tuning = semitones }, hits, 2);
        for (size_t t = 200; t < end - 200; t++)
            CHECK_CLOSE(out[0][t], sin(2 * pi * 500 * ratio * (double)t / RATE), 1e-3);
        CHECK(out[0][end + 2] == 0);
    }
    play_as(k, &(rv_drum_way){ .tuning = 3, .decay = 0.01 }, hits, 1);
    CHECK(fabsf(out[0][30]) > 1e-3f && out[0][300] == 0);
    rv_drum_kit_free(k);
}

/* What another kit plays ends the open hi-hat, and takes no turn. */
TEST(test_silent_hits)
{
    const rv_drum_hit hats[] = { { 0, 46, 1 }, { 0.0625, 42, 1 } };
    rv_drum_kit *k = open_instruments(tiny);
    play_as(k, &(rv_drum_way){ .silent = (const bool[]){ false, true } }, hats, 2);
    for (size_t t = 0; t < ROOM; t++)
        CHECK(t >= 500 ? t < 660 || out[0][t] == 0 : out[0][t] == sample(4, 0, t));
    rv_drum_kit_free(k);
    const rv_drum_hit hits[] = { { 0, 38, 1 }, { 0.125, 38, 1 }, { 0.25, 38, 1 } };
    k = open_selection(SELECTION("ROUND_ROBIN"));
    play_as(k, &(rv_drum_way){ .silent = (const bool[]){ false, true, false } }, hits, 3);
    CHECK(key_at(0) == 1 && key_at(2000) == 5 && out[0][1500] == 0);
    rv_drum_kit_free(k);
}

TEST(test_wrong_ways)
{
    static const rv_drum_way wrong[] = {
        { .tuning = 13 }, { .tuning = NAN }, { .decay = -1 }, { .decay = NAN }, { .gain = INFINITY }
    };
    rv_drum_kit *k = open_instruments(tiny);
    rv_error err = { 0 };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(rv_drum_kit_play_as(k, &wrong[i], (float *const[2]){ out[0], out[1] }, ROOM, RATE,
                                  NULL, 0, NULL, &err) == RV_ERR_ARG);
    CHECK(strstr(err.text, "at inf dB"));
    rv_drum_kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers_are_taken_in_turn),
        cmocka_unit_test(test_layers_are_taken_at_random),
        cmocka_unit_test(test_gain_and_damping),
        cmocka_unit_test(test_tuning),
        cmocka_unit_test(test_silent_hits),
        cmocka_unit_test(test_wrong_ways),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
