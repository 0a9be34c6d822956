/* test_audio_seek.c - reading from the middle gives the same samples as reading up to there. */
#include "base/rng.h"
#include "check.h"
#include "io/audio_read.h"
#include "io/audio_write.h"

#include <stdlib.h>
#include <string.h>

enum { FRAMES = 8111 };

static char folder[64];

static void write_noise(const char *path)
{
    static float x[2][FRAMES];
    for (size_t i = 0; i < 2 * FRAMES; i++)
        x[i / FRAMES][i % FRAMES] = (float)(rv_rng_uniform(1, 0, i) - 0.5);
    const float *const planes[] = { x[0], x[1] };
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    opt.channels = 2;
    opt.sample_rate = 44100;
    rv_audio_writer *w = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_audio_writer_open(&w, path, &opt, &err), err);
    CHECK_OK(rv_audio_writer_write(w, planes, FRAMES, &err), err);
    CHECK_OK(rv_audio_writer_commit(w, &err), err);
    rv_audio_writer_free(w);
}

/* Reads 100 frames from `place` on and compares them with the whole file. */
static void check_place(rv_audio_reader *r, int64_t place, float whole[2][FRAMES])
{
    float part[2][100];
    float *const planes[] = { part[0], part[1] };
    const size_t at = (size_t)place, left = FRAMES - at;
    size_t got = 0;
    rv_error err = { 0 };
    CHECK_OK(rv_audio_reader_seek(r, place, &err), err);
    CHECK_OK(rv_audio_reader_read(r, planes, 100, &got, &err), err);
    CHECK(got == (left < 100 ? left : 100));
    for (int c = 0; c < 2; c++)
        CHECK(memcmp(part[c], whole[c] + at, got * sizeof(float)) == 0);
}

static void check_format(const char *name)
{
    /* Forwards, backwards, to the ends of FLAC blocks (4096) and of the file. */
    static const int64_t places[] = { 5000, 1, 4096, 8110, 8111, 0, 4095, 8111, 3, 7 };
    static float whole[2][FRAMES];
    float *const planes[] = { whole[0], whole[1] };
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    write_noise(path);
    rv_audio_reader *r = NULL;
    rv_error err = { 0 };
    size_t got = 0;
    CHECK_OK(rv_audio_reader_open(&r, path, 0, &err), err);
    CHECK_OK(rv_audio_reader_read(r, planes, FRAMES, &got, &err), err);
    CHECK(got == FRAMES);
    for (size_t p = 0; p < sizeof places / sizeof *places; p++)
        check_place(r, places[p], whole);
    static const int64_t outside[] = { -1, FRAMES + 1, INT64_MAX };
    for (int i = 0; i < 3; i++)
        CHECK(rv_audio_reader_seek(r, outside[i], &err) == RV_ERR_ARG && strstr(err.text, path));
    rv_audio_reader_free(r);
}

TEST(test_formats_that_seek)
{
    check_format("a.wav");
    check_format("a.flac");
    check_format("a.aiff");
}

TEST(test_formats_decoded_from_the_start)
{
    check_format("a.ogg");
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-audio-seek-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats_that_seek),
        cmocka_unit_test(test_formats_decoded_from_the_start),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
