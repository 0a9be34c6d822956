/* test_parts.c - songs are taken apart by who plays, and performed otherwise. */
#include "check.h"
#include "data/parts.h"
#include "data/perform.h"
#include "data/render_plan.h"

#include <stdlib.h>
#include <string.h>

static void add(rv_midi *m, uint32_t tick, int track, int status, int first, int second)
{
    rv_error err = { 0 };
    const rv_midi_event e = { .tick = tick,
                              .track = (uint16_t)track,
                              .status = (uint8_t)status,
                              .data = { (uint8_t)first, (uint8_t)second } };
    CHECK_OK(rv_midi_add(m, &e, &err), err);
}

static void add_meta(rv_midi *m, uint32_t tick, int track, int kind, const char *text)
{
    rv_error err = { 0 };
    const rv_midi_event e = { .tick = tick,
                              .track = (uint16_t)track,
                              .status = 0xff,
                              .data = { (uint8_t)kind },
                              .bytes = (const uint8_t *)text,
                              .n_bytes = (uint32_t)strlen(text) };
    CHECK_OK(rv_midi_add(m, &e, &err), err);
}

/* Track 0: channel 2 plays a piano, then a bass while the piano still sounds. Track 1: drums, and
 * the piano of channel 2 again. Track 2: vocals. 100 ticks are half a second. */
static rv_midi *some_song(void)
{
    rv_midi *m = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_midi_new(&m, 100, 3, &err), err);
    add(m, 0, 0, 0x92, 60, 100);
    add(m, 10, 0, 0xb2, 10, 30);
    add(m, 10, 0, 0xb2, 0, 5);
    add(m, 50, 0, 0xc2, 33, 0);
    add(m, 50, 0, 0x92, 40, 90);
    add(m, 100, 0, 0x92, 60, 0);
    add(m, 150, 0, 0x82, 40, 64);
    add(m, 20, 1, 0x99, 36, 120);
    add(m, 30, 1, 0x89, 36, 0);
    add(m, 30, 1, 0x92, 72, 80);
    add(m, 40, 1, 0x82, 72, 0);
    add_meta(m, 0, 2, RV_MIDI_TRACK_NAME, "Vocals");
    add_meta(m, 200, 2, RV_MIDI_LYRIC, "la");
    add(m, 200, 2, 0x93, 64, 70);
    add(m, 300, 2, 0x93, 65, 70);
    rv_midi_sort(m);
    return m;
}

static rv_parts *take_apart(const rv_midi *m)
{
    rv_parts *p = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_parts_new(&p, m, "song", &err), err);
    return p;
}

TEST(test_instruments)
{
    static const struct {
        int track, channel, program;
        bool sung;
        size_t notes;
    } want[] = { { 0, 2, 0, false, 1 },
                 { 0, 2, 33, false, 1 },
                 { 1, 2, 0, false, 1 },
                 { 1, 9, RV_GM_DRUMS, false, 1 },
                 { 2, 3, 0, true, 2 } };
    rv_midi *m = some_song();
    rv_parts *p = take_apart(m);
    CHECK(p->n == 5);
    for (size_t i = 0; i < p->n; i++) {
        const rv_part *part = &p->items[i];
        CHECK_MSG(part->track == want[i].track && part->channel == want[i].channel &&
                      part->program == want[i].program && part->sung == want[i].sung &&
                      part->notes == want[i].notes,
                  "part %zu: track %d, channel %d, program %d, %zu notes", i, part->track,
                  part->channel, part->program, part->notes);
        CHECK(part->panned == (part->channel == 2));
    }
    CHECK_CLOSE(p->end, 1.5, 1e-12);
    rv_parts_free(p);
    rv_midi_free(m);
}

TEST(test_notes_end_where_they_began)
{
    rv_midi *m = some_song();
    rv_parts *p = take_apart(m);
    static const double want[][2] = { { 0, 0.5 }, { 0.25, 0.5 }, { 0.15, 0.05 }, { 0.1, 0.05 } };
    rv_part_note notes[2];
    for (size_t i = 0; i < 4; i++) {
        rv_parts_notes(p, i, notes);
        CHECK_CLOSE(notes[0].start, want[i][0], 1e-12);
        CHECK_CLOSE(notes[0].duration, want[i][1], 1e-12);
        CHECK(notes[0].lyric == NULL);
    }
    rv_parts_notes(p, 4, notes); /* no end: at that of the song */
    CHECK(notes[0].key == 64 && notes[0].velocity == 70 && notes[0].tick == 200);
    CHECK_CLOSE(notes[0].duration, 0.5, 1e-12);
    CHECK(notes[0].lyric && memcmp(notes[0].lyric->bytes, "la", 2) == 0 && !notes[1].lyric);
    rv_parts_free(p);
    rv_midi_free(m);
}

/* Controllers are heard by all of a channel, but for the bank; notes by their part only. */
TEST(test_a_part_alone)
{
    rv_midi *m = some_song(), *alone = NULL;
    rv_parts *p = take_apart(m);
    rv_error err = { 0 };
    CHECK_OK(rv_parts_midi(&alone, p, 1, &err), err);
    static const uint8_t want[][3] = {
        { 0xc2, 33, 0 }, { 0xb2, 10, 30 }, { 0x92, 40, 90 }, { 0x82, 40, 64 }
    };
    CHECK(alone->n == 4 && alone->n_tracks == 1);
    for (size_t i = 0; i < 4; i++)
        CHECK(alone->events[i].status == want[i][0] && alone->events[i].data[0] == want[i][1] &&
              alone->events[i].data[1] == want[i][2]);
    rv_midi_free(alone);
    CHECK_OK(rv_parts_midi(&alone, p, 4, &err), err);
    CHECK(alone->n == 5 && alone->events[1].data[0] == RV_MIDI_TRACK_NAME);
    rv_midi_free(alone);
    rv_parts_free(p);
    rv_midi_free(m);
}

TEST(test_no_notes)
{
    rv_midi *m = NULL;
    rv_parts *p = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_midi_new(&m, 100, 1, &err), err);
    add(m, 0, 0, 0x90, 60, 0);
    CHECK(rv_parts_new(&p, m, "x.mid", &err) == RV_ERR_FORMAT &&
          strstr(err.text, "x.mid: no notes"));
    rv_midi_free(m);
}

static rv_parts *perform(rv_midi **out, const rv_midi *m, const rv_performance *p)
{
    rv_error err = { 0 };
    CHECK_OK(rv_perform(out, m, p, &err), err);
    return take_apart(*out);
}

TEST(test_performance)
{
    rv_midi *m = some_song(), *played = NULL;
    rv_part_note notes[2];
    const rv_performance faster = { .transposition = 3, .tempo = 1.25, .velocity = 1.5 };
    rv_parts *p = perform(&played, m, &faster);
    CHECK(p->n == 5);
    CHECK_CLOSE(p->end, 1.5 / 1.25, 1e-6);
    rv_parts_notes(p, 1, notes);
    CHECK(notes[0].key == 43 && notes[0].velocity == 127);
    CHECK_CLOSE(notes[0].duration, 0.4, 1e-6);
    rv_parts_notes(p, 3, notes); /* drums are not transposed */
    CHECK(notes[0].key == 36);
    rv_parts_free(p);
    rv_midi_free(played);
    rv_midi_free(m);
}

TEST(test_transposition_stays_in_range)
{
    rv_midi *m = NULL, *played = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_midi_new(&m, 100, 1, &err), err);
    add(m, 0, 0, 0x90, 126, 100);
    add(m, 9, 0, 0x90, 1, 1);
    rv_midi_sort(m);
    rv_part_note notes[2];
    rv_parts *p = perform(&played, m, &(rv_performance){ 3, 1, 0.2, 0, 0 });
    rv_parts_notes(p, 0, notes);
    CHECK(notes[0].key == 117 && notes[0].velocity == 20 && notes[1].velocity == 1);
    rv_parts_free(p);
    rv_midi_free(played);
    p = perform(&played, m, &(rv_performance){ -3, 1, 1, 0, 0 });
    rv_parts_notes(p, 0, notes);
    CHECK(notes[1].key == 10);
    rv_parts_free(p);
    rv_midi_free(played);
    rv_midi_free(m);
}

/* Always others: also for channels that say no program. */
TEST(test_other_programs)
{
    rv_midi *m = some_song(), *played = NULL;
    rv_parts *p = perform(&played, m, &(rv_performance){ 0, 1, 1, 1, 7 });
    CHECK(p->n == 5);
    CHECK(p->items[0].program >= 1 && p->items[0].program <= 3);
    CHECK(p->items[1].program != 33 && p->items[1].program >= 32 && p->items[1].program <= 35);
    CHECK(p->items[2].program == p->items[0].program && p->items[3].program == RV_GM_DRUMS);
    rv_parts_free(p);
    rv_midi_free(played);
    rv_midi_free(m);
    for (int program = 0; program < 128; program++)
        for (int u = 0; u < 10; u++) {
            const int other = rv_gm_substitute(program, u / 10.0);
            CHECK(other >= 0 && other < 128 && rv_gm_class(other) == rv_gm_class(program));
        }
}

TEST(test_names)
{
    CHECK(strcmp(rv_gm_name(0), "Acoustic Grand Piano") == 0);
    CHECK(strcmp(rv_gm_name(127), "Gunshot") == 0 && strcmp(rv_gm_name(RV_GM_DRUMS), "Drums") == 0);
    CHECK(strcmp(rv_gm_class(39), "Bass") == 0 && strcmp(rv_gm_class(40), "Strings") == 0);
    CHECK(strcmp(rv_gm_class(52), "Strings (continued)") == 0);
    CHECK(strcmp(rv_gm_class(RV_GM_DRUMS), "Drums") == 0);
}

/* Whatever the seed, class and sample rate: effects take what is planned. */
TEST(test_plans_are_within_range)
{
    static const int rates[] = { 8000, 44100, 96000 };
    for (uint64_t seed = 0; seed < 60; seed++) {
        const rv_track_plan track = rv_track_plan_make(seed, 3, 2, 0.5);
        CHECK(track.soundfont < 3 && track.drum_kit <= 2);
        CHECK(abs(track.performance.transposition) <= 3);
        CHECK(fabs(track.performance.tempo - 1) <= 0.1 && fabs(track.loudness + 16) <= 2);
        for (int program = 0; program <= RV_GM_DRUMS; program += 4) {
            rv_effects *effects = NULL;
            rv_error err = { 0 };
            const rv_part part = { .program = program, .sung = program == 52 };
            const int rate = rates[seed % 3];
            const rv_stem_plan plan = rv_stem_plan_make(&track, (size_t)program, &part, 1, rate);
            CHECK(plan.n_effects <= RV_PLAN_EFFECTS && plan.level < 7 && plan.level > -25);
            CHECK_OK(rv_effects_new(&effects, plan.effects, plan.n_effects, rate, &err), err);
            rv_effects_free(effects);
        }
    }
}

/* What a seed stands for stays: options that came later draw from streams of their own. */
TEST(test_choices_of_a_seed_stay)
{
    const rv_track_plan plan = rv_track_plan_make(7, 3, 2, 0.5);
    CHECK(plan.soundfont == 1 && plan.drum_kit == 2);
    CHECK(plan.performance.transposition == 2);
    CHECK_CLOSE(plan.performance.tempo, 1.0170606718391, 1e-12);
    CHECK_CLOSE(plan.performance.velocity, 1.1279569318749, 1e-12);
    CHECK_CLOSE(plan.loudness, -16.8865138907703, 1e-12);
}

TEST(test_instruments_are_taken_in_half_of_the_tracks)
{
    int times[4] = { 0 };
    for (uint64_t seed = 0; seed < 1000; seed++) {
        const size_t which = rv_plan_instrument(seed, 33, 3);
        CHECK(which <= 3 && which == rv_plan_instrument(seed, 33, 3));
        times[which]++;
        CHECK(rv_plan_instrument(seed, 33, 0) == 0);
    }
    CHECK_MSG(abs(times[3] - 500) < 50, "%d of 1000 without", times[3]);
    for (int i = 0; i < 3; i++)
        CHECK_MSG(abs(times[i] - 167) < 40, "%d: %d of 1000", i, times[i]);
}

TEST(test_mixed_drums)
{
    int kits = 0, damped = 0, chosen[3] = { 0 }, tuned[13] = { 0 };
    for (uint64_t seed = 0; seed < 1000; seed++) {
        const rv_drum_mix mix = rv_drum_mix_make(seed, 3), same = rv_drum_mix_make(seed, 3);
        CHECK(!rv_drum_mix_make(seed, 0).kits && mix.set >= 0 && mix.set < 1);
        kits += mix.kits;
        for (int g = 0; g < RV_DRUM_GROUPS; g++) {
            const rv_drum_way *way = &mix.group[g].way;
            CHECK(!memcmp(way, &same.group[g].way, sizeof *way));
            CHECK(mix.group[g].kit < 3 && fabs(way->tuning) <= 3 && fabs(way->gain) <= 4);
            CHECK(way->decay == 0 || (way->decay >= 0.15 && way->decay <= 1.2));
            CHECK(2 * way->tuning == floor(2 * way->tuning) && !way->silent);
            damped += way->decay > 0;
            chosen[mix.group[g].kit]++;
            tuned[(int)(2 * way->tuning + 6)]++;
        }
    }
    CHECK_MSG(abs(kits - 700) < 50 && abs(damped - 2500) < 150, "%d, %d", kits, damped);
    for (int i = 0; i < 13; i++)
        CHECK_MSG(abs(tuned[i] - 385) < 80 && abs(chosen[i % 3] - 1667) < 150, "%d", tuned[i]);
    const int groups[] = { 36, 0, 35, 0, 40, 1, 50, 2, 41, 2, 44, 3, 49, 4, 51, 4, 30, 4 };
    for (int i = 0; i < 18; i += 2)
        CHECK(rv_drum_group(groups[i]) == groups[i + 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instruments),
        cmocka_unit_test(test_notes_end_where_they_began),
        cmocka_unit_test(test_a_part_alone),
        cmocka_unit_test(test_no_notes),
        cmocka_unit_test(test_performance),
        cmocka_unit_test(test_transposition_stays_in_range),
        cmocka_unit_test(test_other_programs),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_plans_are_within_range),
        cmocka_unit_test(test_choices_of_a_seed_stay),
        cmocka_unit_test(test_mixed_drums),
        cmocka_unit_test(test_instruments_are_taken_in_half_of_the_tracks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
