/* test_mono_gate.c - decisions of the gate on frames made for them, and its tables. */
#include "check.h"
#include "data/mono_gate.h"
#include "data/segment_list.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RATE = 10, MOST = 400 };

/* Frames of a voice that is sure of itself. */
typedef struct {
    float confidence[MOST], voiced[MOST], harmonicity[MOST], residual[MOST];
    rv_gate_frames frames;
} voice;

static void sing(voice *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        v->confidence[i] = v->harmonicity[i] = 0.9F;
        v->residual[i] = 0.1F;
        v->voiced[i] = 1;
    }
    v->frames = (rv_gate_frames){ v->confidence, v->voiced, v->harmonicity, v->residual, n, RATE };
}

static rv_gate_track decide(const voice *v, const rv_mono_gate *gate)
{
    rv_gate_track t;
    rv_error err = { 0 };
    CHECK_OK(rv_mono_gate_decide(&t, gate, &v->frames, &err), err);
    return t;
}

/* 23 s: segments from 0, 5 and 10 s; the last 3 s are in none. */
TEST(test_where_segments_lie)
{
    const rv_mono_gate gate = rv_mono_gate_defaults();
    voice v;
    sing(&v, 230);
    rv_gate_track t = decide(&v, &gate);
    CHECK(t.n_segments == 3 && t.frames == 230 && t.voiced == 230 && t.mono == 230 && t.pass);
    for (size_t i = 0; i < 3; i++) {
        CHECK_CLOSE(t.segments[i].start, 5.0 * (double)i, 0);
        CHECK_CLOSE(t.segments[i].end, 5.0 * (double)i + 10, 0);
        CHECK(t.segments[i].voiced == 100 && t.segments[i].mono == 100 && t.segments[i].pass);
    }
    rv_gate_track_free(&t);
}

TEST(test_short_and_empty_tracks)
{
    const rv_mono_gate gate = rv_mono_gate_defaults();
    static const size_t frames[] = { 0, 1, 99, 100, 149, 150 }, segments[] = { 0, 1, 1, 1, 1, 2 };
    voice v;
    for (size_t i = 0; i < 6; i++) {
        sing(&v, frames[i]);
        rv_gate_track t = decide(&v, &gate);
        CHECK(t.n_segments == segments[i] && t.pass == (frames[i] > 0));
        CHECK(i != 2 || t.segments[0].end == 9.9);
        rv_gate_track_free(&t);
    }
}

/* Each threshold by itself, from the value that still passes. */
TEST(test_thresholds_of_frames)
{
    const rv_mono_gate gate = { .f0_conf_min = 0.5,
                                .harmonicity_ratio_min = 0.25,
                                .residual_energy_ratio_max = 0.75,
                                .mono_frame_fraction_min = 1,
                                .mono_track_fraction_min = 1,
                                .segment = 10,
                                .hop = 5 };
    for (int which = 0; which < 6; which++) {
        voice v;
        sing(&v, 100);
        float *const of[] = { v.confidence, v.harmonicity, v.residual };
        static const float edge[] = { 0.5F, 0.25F, 0.75F }, beyond[] = { 0.49F, 0.24F, 0.76F };
        of[which % 3][50] = (which < 3 ? edge : beyond)[which % 3];
        rv_gate_track t = decide(&v, &gate);
        CHECK(t.mono == (which < 3 ? 100 : 99));
        CHECK(t.pass == (which < 3) && t.segments[0].pass == (which < 3));
        rv_gate_track_free(&t);
    }
}

/* Fractions count voiced frames alone: 80 of 100 pass as a segment, 87 of 100 not as a track. */
TEST(test_fractions_count_voiced_frames)
{
    const rv_mono_gate gate = rv_mono_gate_defaults();
    static const size_t unsure[] = { 0, 12, 13, 20, 21 };
    for (size_t i = 0; i < 5; i++) {
        voice v;
        sing(&v, 100);
        for (size_t k = 0; k < unsure[i]; k++)
            v.confidence[k] = 0;
        rv_gate_track t = decide(&v, &gate);
        CHECK(t.pass == (unsure[i] <= 12) && t.segments[0].pass == (unsure[i] <= 20));
        rv_gate_track_free(&t);
        for (size_t k = 0; k < unsure[i]; k++)
            v.voiced[k] = 0;
        t = decide(&v, &gate);
        CHECK(t.pass && t.voiced == 100 - unsure[i] && t.segments[0].fraction == 1);
        rv_gate_track_free(&t);
    }
}

/* Nobody sings: nothing passes, not even where no frame need be mono. */
TEST(test_silence)
{
    rv_mono_gate gate = rv_mono_gate_defaults();
    gate.mono_frame_fraction_min = gate.mono_track_fraction_min = 0;
    voice v;
    sing(&v, 200);
    memset(v.voiced, 0, sizeof v.voiced);
    rv_gate_track t = decide(&v, &gate);
    CHECK(!t.pass && t.fraction == 0 && t.voiced == 0 && t.n_segments == 3);
    for (size_t i = 0; i < 3; i++)
        CHECK(!t.segments[i].pass);
    rv_gate_track_free(&t);
}

static void refused(rv_mono_gate gate, double rate, const char *text)
{
    rv_gate_track t;
    rv_error err = { 0 };
    voice v;
    sing(&v, 10);
    v.frames.rate = rate;
    CHECK(rv_mono_gate_decide(&t, &gate, &v.frames, &err) == RV_ERR_ARG);
    CHECK_MSG(strstr(err.text, text) != NULL, "%s: expected %s", err.text, text);
}

TEST(test_bad_values)
{
    rv_mono_gate gate = rv_mono_gate_defaults();
    refused(gate, 0, "0 frames a second");
    gate.f0_conf_min = 1.5;
    refused(gate, RATE, "f0_conf_min is 1.5");
    gate = rv_mono_gate_defaults();
    gate.mono_track_fraction_min = NAN;
    refused(gate, RATE, "mono_track_fraction_min");
    gate = rv_mono_gate_defaults();
    gate.hop = 0.01;
    refused(gate, RATE, "a hop of 0.01 s");
    gate.hop = 5;
    gate.segment = -1;
    refused(gate, RATE, "segments of -1 s");
}

/* What is written is what the list of segments reads. */
TEST(test_tables)
{
    const rv_mono_gate gate = rv_mono_gate_defaults();
    const char *name = "Nina, \"live\"";
    char path[] = "/tmp/rv_gate_XXXXXX";
    rv_error err = { 0 };
    rv_segment_list list;
    voice v;
    sing(&v, 200);
    for (size_t k = 0; k < 50; k++)
        v.confidence[k] = 0;
    rv_gate_track t = decide(&v, &gate);
    FILE *to = fdopen(mkstemp(path), "w");
    CHECK(to && rv_gate_segments_head(to) && rv_gate_segments_rows(to, name, &t));
    CHECK(fclose(to) == 0);
    CHECK_OK(rv_segment_list_read(&list, path, &err), err);
    CHECK(list.n == 2 && !strcmp(list.at[0].track, name));
    CHECK(list.at[0].start == 5 && list.at[1].start == 10 && list.at[1].end == 20);
    rv_segment_list_free(&list);
    unlink(path);
    char *text = NULL;
    size_t size;
    to = open_memstream(&text, &size);
    CHECK(rv_gate_tracks_head(to) && rv_gate_tracks_row(to, "a", &t) && fclose(to) == 0);
    CHECK(strstr(text, "\na,200,200,150,0.750000,False\n") != NULL);
    free(text);
    rv_gate_track_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_segments_lie),
        cmocka_unit_test(test_short_and_empty_tracks),
        cmocka_unit_test(test_thresholds_of_frames),
        cmocka_unit_test(test_fractions_count_voiced_frames),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
