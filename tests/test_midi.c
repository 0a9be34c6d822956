/* test_midi.c - MIDI files are read as they are written, and what is wrong with one is said. */
#include "check.h"
#include "io/midi_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD(format, tracks, division) "MThd\0\0\0\6\0" format "\0" tracks division

static rv_midi *parse(const char *bytes, size_t n)
{
    rv_midi *m = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_midi_parse(&m, bytes, n, "song", &err), err);
    return m;
}

#define PARSE(text) parse(text, sizeof(text) - 1)

static void check_event(const rv_midi *m, size_t i, uint32_t tick, int track, int status, int first)
{
    CHECK(i < m->n);
    const rv_midi_event *e = &m->events[i];
    CHECK_MSG(e->tick == tick && e->track == track && e->status == status && e->data[0] == first,
              "event %zu: tick %u, track %u, 0x%02x, %u", i, e->tick, e->track, e->status,
              e->data[0]);
}

/* Two tracks: running status (over a meta event, too), a pause of two bytes, a long end. */
static const char two_tracks[] =
    HEAD("\1", "\2", "\0\x60") "MTrk\0\0\0\x0b\0\xff\x51\3\x03\xd0\x90\x60\xff\x2f\0"
                               "MTrk\0\0\0\x1a\0\x91\x3c\x40\x81\x00\x3c\0\0\xff\1\2hi\0\x3e\x41\0"
                               "\xc1\7\0\xff\x2f\0\0\0";

TEST(test_tracks_are_merged)
{
    rv_midi *m = PARSE(two_tracks);
    CHECK(m->format == 1 && m->n_tracks == 2 && m->ticks_per_quarter == 96 && m->n == 8);
    check_event(m, 0, 0, 0, 0xff, RV_MIDI_TEMPO);
    check_event(m, 1, 0, 1, 0x91, 60);
    check_event(m, 2, 96, 0, 0xff, RV_MIDI_END);
    check_event(m, 3, 128, 1, 0x91, 60);
    check_event(m, 4, 128, 1, 0xff, RV_MIDI_TEXT);
    check_event(m, 5, 128, 1, 0x91, 62);
    check_event(m, 6, 128, 1, 0xc1, 7);
    CHECK(m->events[4].n_bytes == 2 && memcmp(m->events[4].bytes, "hi", 2) == 0);
    CHECK(m->events[1].data[1] == 0x40 && m->events[3].data[1] == 0);
    rv_midi_free(m);
}

TEST(test_times_follow_the_tempo)
{
    rv_midi *m = NULL;
    rv_error err = { 0 };
    double seconds[5];
    CHECK_OK(rv_midi_new(&m, 100, 1, &err), err);
    static const uint32_t ticks[] = { 400, 0, 150, 200, 100 };
    for (int i = 0; i < 5; i++) { /* at 150 and 200: a second for a quarter, then a tenth of it */
        const uint8_t second[] = { 0x0f, 0x42, 0x40 }, tenth[] = { 0x01, 0x86, 0xa0 };
        rv_midi_event e = { .tick = ticks[i], .status = 0x90 };
        if (i == 2 || i == 3)
            e = (rv_midi_event){ .tick = ticks[i],
                                 .status = 0xff,
                                 .data = { RV_MIDI_TEMPO },
                                 .bytes = i == 2 ? second : tenth,
                                 .n_bytes = 3 };
        CHECK_OK(rv_midi_add(m, &e, &err), err);
    }
    rv_midi_sort(m);
    rv_midi_times(m, seconds);
    static const double want[] = { 0, 0.5, 0.75, 1.25, 1.45 };
    for (int i = 0; i < 5; i++)
        CHECK_CLOSE(seconds[i], want[i], 1e-12);
    rv_midi_free(m);
}

/* A note at byte 4 of 25 frames of 40 ticks is at 4 / 1000 s; 29.97 frames are slower. */
TEST(test_smpte_time)
{
    double seconds[4];
    rv_midi *m = PARSE(HEAD("\0", "\1", "\xe7\x28") "MTrk\0\0\0\x0f\4\x90\1\1\0\xff\x51\3\1\1\1"
                                                    "\4\x80\1\1");
    CHECK(m->n == 3); /* the tempo of the file does not hold */
    rv_midi_times(m, seconds);
    CHECK_CLOSE(seconds[1], 0.004, 1e-12);
    CHECK_CLOSE(seconds[2], 0.008, 1e-12);
    rv_midi_free(m);
    m = PARSE(HEAD("\0", "\1", "\xe3\1") "MTrk\0\0\0\4\x1e\x90\1\1");
    rv_midi_times(m, seconds);
    CHECK_CLOSE(seconds[1], 1.001, 1e-12);
    rv_midi_free(m);
    m = PARSE(HEAD("\0", "\1", "\xe7\1") "MTrk\0\0\0\4\x19\x90\1\1");
    CHECK(m->ticks_per_quarter == 25 && m->events[1].tick == 50); /* no halves of a tick */
    rv_midi_times(m, seconds);
    CHECK_CLOSE(seconds[1], 1, 1e-12);
    rv_midi_free(m);
}

TEST(test_formats_and_wrapping)
{
    rv_midi *m = PARSE(HEAD("\2", "\2", "\0\x60") "MTrk\0\0\0\4\5\x90\1\1Junk\0\0\0\1!"
                                                  "MTrk\0\0\0\4\1\x90\2\1");
    check_event(m, 0, 5, 0, 0x90, 1);
    check_event(m, 1, 6, 1, 0x90, 2);
    rv_midi_free(m);
    m = PARSE(
        "RIFF\x2e\0\0\0RMIDdata\x1a\0\0\0" HEAD("\0", "\1", "\0\x60") "MTrk\0\0\0\4\5\x90\1\1");
    CHECK(m->n == 1);
    rv_midi_free(m);
}

/* Events, each of another kind, added in no order. */
static rv_midi *some_song(void)
{
    rv_midi *m = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_midi_new(&m, 480, 3, &err), err);
    static const uint8_t text[] = "la", exclusive[] = { 1, 2, 0xf7 };
    const rv_midi_event events[] = {
        { .tick = 9000000, .track = 2, .status = 0x92, .data = { 60, 0 } },
        { .tick = 200, .track = 1, .status = 0xe1, .data = { 0, 64 } },
        { .tick = 200, .track = 0, .status = 0xff, .data = { 5 }, .bytes = text, .n_bytes = 2 },
        { .tick = 200, .track = 1, .status = 0xd1, .data = { 3 } },
        { .tick = 0, .track = 0, .status = 0xf0, .bytes = exclusive, .n_bytes = 3 },
        { .tick = 0, .track = 2, .status = 0xff, .data = { RV_MIDI_TRACK_NAME } },
        { .tick = 20, .track = 0, .status = 0xff, .data = { RV_MIDI_END } },
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        CHECK_OK(rv_midi_add(m, &events[i], &err), err);
    rv_midi_sort(m);
    return m;
}

static rv_midi *write_and_read(const rv_midi *m)
{
    char path[] = "/tmp/test-midi-XXXXXX";
    rv_midi *again = NULL;
    rv_error err = { 0 };
    close(mkstemp(path));
    CHECK_OK(rv_midi_write(m, path, &err), err);
    CHECK_OK(rv_midi_read(&again, path, &err), err);
    unlink(path);
    return again;
}

TEST(test_written_is_read)
{
    rv_midi *m = some_song(), *again = write_and_read(m);
    CHECK(again->format == 1 && again->n_tracks == 3 && again->ticks_per_quarter == 480);
    CHECK(again->n == 9); /* the end of each track; the first one's moved to its last event */
    check_event(again, 0, 0, 0, 0xf0, 0);
    check_event(again, 1, 0, 2, 0xff, RV_MIDI_TRACK_NAME);
    check_event(again, 2, 200, 0, 0xff, RV_MIDI_LYRIC);
    check_event(again, 3, 200, 0, 0xff, RV_MIDI_END);
    check_event(again, 4, 200, 1, 0xe1, 0);
    check_event(again, 5, 200, 1, 0xd1, 3);
    check_event(again, 7, 9000000, 2, 0x92, 60);
    CHECK(again->events[4].data[1] == 64 && memcmp(again->events[0].bytes, "\1\2\xf7", 3) == 0);
    rv_midi *third = write_and_read(again);
    CHECK(third->n == again->n);
    rv_midi_free(third);
    rv_midi_free(again);
    rv_midi_free(m);
}

static void check_bad(const char *bytes, size_t n, const char *words)
{
    rv_midi *m = NULL;
    rv_error err = { 0 };
    CHECK(rv_midi_parse(&m, bytes, n, "x.mid", &err) == RV_ERR_FORMAT && !m);
    CHECK_MSG(strncmp(err.text, "x.mid: byte ", 12) == 0 && strstr(err.text, words),
              "no \"%s\" in: %s", words, err.text);
}

#define BAD(text, words) check_bad(text, sizeof(text) - 1, words)

TEST(test_what_is_wrong_is_said)
{
    BAD("", "byte 0: not a MIDI file");
    BAD("MThd\0\0\0\6\0\1", "not a MIDI file");
    BAD(HEAD("\3", "\1", "\0\x60"), "format 3");
    BAD(HEAD("\1", "\0", "\0\x60"), "0 tracks");
    BAD(HEAD("\1", "\1", "\0\0"), "0 ticks");
    BAD(HEAD("\1", "\1", "\xc0\1"), "SMPTE time of 64 frames");
    BAD(HEAD("\1", "\1", "\0\x60"), "byte 14: the file ends after 0 of 1");
    BAD(HEAD("\1", "\1", "\0\x60") "MTrk\0\0\0\5\0", "a chunk 'MTrk' of 5 bytes");
    BAD(HEAD("\1", "\1", "\0\x60") "MTrk\0\0\0\1\0", "byte 23: the track 1 is cut short");
    BAD(HEAD("\1", "\1", "\0\x60") "MTrk\0\0\0\3\0\x90\1", "byte 25: the track 1 is cut short");
    BAD(HEAD("\1", "\1", "\0\x60") "MTrk\0\0\0\2\0\1", "0x01 where an event should begin");
    BAD(HEAD("\1", "\1", "\0\x60") "MTrk\0\0\0\4\0\x90\1\x80", "0x80 where a data byte");
    BAD(HEAD("\1", "\1", "\0\x60") "MTrk\0\0\0\2\0\xf4", "event 0xf4");
    BAD(HEAD("\1", "\1", "\0\x60") "MTrk\0\0\0\5\xff\xff\xff\xff\1", "more than four bytes");
    BAD(HEAD("\1", "\1", "\0\x60") "MTrk\0\0\0\5\0\xff\1\5x", "an event of 5 bytes");
    for (size_t n = 0; n + 14 < sizeof two_tracks; n++) { /* cut anywhere */
        rv_midi *m = NULL;
        rv_error err = { 0 };
        CHECK(rv_midi_parse(&m, two_tracks, n, "x.mid", &err) == RV_ERR_FORMAT);
    }
}

TEST(test_no_bad_files_are_written)
{
    rv_midi *m = NULL;
    rv_error err = { 0 };
    CHECK(rv_midi_new(&m, 0, 1, &err) == RV_ERR_ARG && rv_midi_new(&m, 96, 0, &err) == RV_ERR_ARG);
    CHECK_OK(rv_midi_new(&m, 96, 1, &err), err);
    CHECK_OK(rv_midi_add(m, &(rv_midi_event){ .tick = 5, .status = 0x90 }, &err), err);
    CHECK(rv_midi_write(m, "/dev/null/x.mid", &err) == RV_ERR_IO);
    CHECK_OK(rv_midi_add(m, &(rv_midi_event){ .tick = 4, .status = 0x90 }, &err), err);
    CHECK(rv_midi_write(m, "/tmp/x.mid", &err) == RV_ERR_ARG && strstr(err.text, "order of time"));
    rv_midi_sort(m);
    m->events[0].track = 1;
    CHECK(rv_midi_write(m, "/tmp/x.mid", &err) == RV_ERR_ARG && strstr(err.text, "no track"));
    rv_midi_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tracks_are_merged),
        cmocka_unit_test(test_times_follow_the_tempo),
        cmocka_unit_test(test_smpte_time),
        cmocka_unit_test(test_formats_and_wrapping),
        cmocka_unit_test(test_written_is_read),
        cmocka_unit_test(test_what_is_wrong_is_said),
        cmocka_unit_test(test_no_bad_files_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
