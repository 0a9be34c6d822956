/* test_phrases.c - sound and its features side by side: of the right moment, the same bits however
 * they are made, and measured once. */
#include "data/track_read.h"
#include "song_files.h"
#include "train/phrases.h"

#include <dirent.h>
#include <math.h>
#include <unistd.h>

enum { RATE = 8000, HOP = 80, T = 4000, F = 50, B = 2 };

static const char *const lead[] = { "lead" };

typedef struct batch {
    float audio[B * T], f0[B * F], confidence[B * F], loudness[B * F], mfcc[B * F * RV_SONG_MFCC];
    bool voiced[B * F];
} batch;

static rv_phrase_batch view(batch *b)
{
    memset(b, 1, sizeof *b);
    return (rv_phrase_batch){ .audio = b->audio,
                              .f0 = b->f0,
                              .confidence = b->confidence,
                              .loudness = b->loudness,
                              .mfcc = b->mfcc,
                              .voiced = b->voiced };
}

/* Another pitch each half second. */
static double pitch_at(double seconds)
{
    return 150 * exp2(floor(2 * seconds) / 6);
}

/* Seconds of tones with four harmonics, from `sound` on; left is louder than right. Samples are
 * level / 4096 times whole numbers. */
static void write_melody(const char *song, const char *file, int rate, int channels, double seconds,
                         double sound, double level)
{
    song_file f = { song, file, 0, rate, channels, (size_t)(seconds * rate) };
    float *planes[2] = { calloc(f.frames, sizeof(float)), calloc(f.frames, sizeof(float)) };
    char path[300];
    double phase = 0;
    for (size_t t = 0; t < f.frames; t++) {
        const double at = (double)t / rate;
        phase += 2 * M_PI * pitch_at(at) / rate;
        for (int h = 1; h <= 4 && at >= sound; h++)
            for (int c = 0; c < 2; c++)
                planes[c][t] +=
                    (float)(level * rint(4096 * (c ? 0.5 : 1) * sin(h * phase) / h) / 4096);
    }
    snprintf(path, sizeof path, "%s/%s/%s", folder, song, file);
    write_planes(path, &f, planes);
    free(planes[0]);
    free(planes[1]);
}

static int make_set(void **state)
{
    if (make_folder(state) != 0)
        return -1;
    write_melody("set/a", "lead.wav", RATE, 2, 3, 0, 0.375);
    write_melody("set/b", "lead.wav", 16000, 1, 2.2, 1.1, 0.25); /* silent at first */
    write_melody("set/c", "lead.flac", RATE, 1, 0.3, 0, 0.125);  /* shorter than an example */
    write_song_file(&(song_file){ "set/d", "lead.wav", 0, RATE, 1, 9000 }); /* silent */
    return 0;
}

static rv_phrases_config small(void)
{
    rv_phrases_config c = rv_phrases_defaults();
    c.sample_rate = RATE;
    c.segment = T;
    c.stride = T / 2;
    c.frame_rate = (double)RATE / HOP;
    c.batch = B;
    c.seed = 5;
    c.f0_min = 80;
    c.f0_max = 800;
    c.threads = 2;
    return c;
}

typedef struct data {
    rv_track_list *songs;
    rv_feature_cache *cache;
    rv_phrases *phrases;
} data;

static rv_track_list *list_of(const rv_track_query *query)
{
    rv_track_list *list = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_track_list_find(&list, query, &err), err);
    return list;
}

static data open_data(const rv_phrases_config *c, int threads)
{
    rv_error err = { 0 };
    data d = { 0 };
    char cache[300];
    snprintf(cache, sizeof cache, "%s/cache", folder);
    char *root = strdup(in_folder("set"));
    d.songs = list_of(&(rv_track_query){ .root = root, .stems = lead, .n_stems = 1 });
    free(root);
    CHECK_OK(rv_feature_cache_open(&d.cache, cache, &err), err);
    CHECK_OK(rv_phrases_new(&d.phrases, c, d.songs, d.cache, threads, NULL, &err), err);
    return d;
}

static void close_data(data *d)
{
    rv_phrases_free(d->phrases);
    rv_feature_cache_free(d->cache);
    rv_track_list_free(d->songs);
}

static void get_example(const data *d, size_t song, size_t i, batch *b)
{
    const rv_phrase_batch out = view(b);
    rv_error err = { 0 };
    CHECK_OK(rv_phrases_example(d->phrases, song, i, &out, &err), err);
}

/* Song a has 6 half seconds, an example begins each quarter. */
TEST(test_sound_and_features_are_of_the_same_moment)
{
    const rv_phrases_config c = small();
    data d = open_data(&c, 0);
    batch b;
    size_t good = 0;
    CHECK(rv_phrases_of_song(d.phrases, 0) == 11);
    const rv_phrase_shape s = rv_phrases_shape(d.phrases);
    CHECK(s.batch == B && s.samples == T && s.frames == F);
    for (size_t i = 0; i < 11; i++) {
        get_example(&d, 0, i, &b);
        for (size_t k = 0; k < F; k++) {
            const double at = (double)i * 0.25 + (double)k / 100, hz = pitch_at(at);
            const bool steady = fmod(at + 1e-9, 0.5) > 0.07 && fmod(at + 1e-9, 0.5) < 0.43;
            CHECK(isfinite(b.f0[k]) && b.f0[k] > 0);
            CHECK_MSG(!steady || fabs(log2((double)b.f0[k] / hz)) < 0.01, "%g s: %g, not %g Hz", at,
                      (double)b.f0[k], hz);
            CHECK(!steady || b.voiced[k]);
            good += steady;
        }
        CHECK(b.loudness[10] > -40 && b.loudness[10] < 10 && b.confidence[30] > 0);
    }
    CHECK(good > 300);
    close_data(&d);
}

static rv_feature_rows *loudness_of(const data *d, size_t song, double frame_rate)
{
    rv_feature_rows *rows = NULL;
    rv_feature_spec spec;
    rv_error err = { 0 };
    rv_feature_defaults(&spec, RV_FEATURE_LOUDNESS, RATE, frame_rate);
    CHECK_OK(rv_feature_get(d->cache, &d->songs->tracks[song].stems[0], &spec, NULL, &rows, &err),
             err);
    return rows;
}

/* The mean of the channels, from the place where the frames are. */
TEST(test_audio_begins_at_a_frame)
{
    rv_phrases_config c = small();
    c.frame_rate = 93; /* frames are 86.02 samples apart */
    data d = open_data(&c, 0);
    const rv_phrase_shape s = rv_phrases_shape(d.phrases);
    rv_track_cache *tracks = NULL;
    rv_error err = { 0 };
    static float whole[3 * RATE + T], audio[T + 100], loudness[F];
    static batch b;
    CHECK(s.frames == 47 && s.samples == 4043); /* 46.5 is rounded up */
    CHECK_OK(rv_track_cache_new(&tracks, d.songs, &err), err);
    const rv_track_part all = { 0, 0, RATE, 1, 0, 3 * RATE + T };
    CHECK_OK(rv_track_read(tracks, &all, &(float *){ whole }, &err), err);
    rv_feature_rows *rows = loudness_of(&d, 0, 93);
    for (size_t i = 0; i + 1 < rv_phrases_of_song(d.phrases, 0); i++) {
        const long frame = lround((double)(i * T / 2) * 93 / RATE);
        const long start = lround((double)frame * RATE / 93);
        rv_phrase_batch out = view(&b);
        out.audio = audio;
        CHECK_OK(rv_phrases_example(d.phrases, 0, i, &out, &err), err);
        CHECK(memcmp(audio, whole + start, s.samples * sizeof *audio) == 0);
        CHECK_OK(rv_feature_rows_read(rows, (size_t)frame, s.frames, loudness, &err), err);
        CHECK(memcmp(b.loudness, loudness, s.frames * sizeof *loudness) == 0);
    }
    CHECK(rv_feature_cache_counts(d.cache).found == 1);
    rv_feature_rows_free(rows);
    rv_track_cache_free(tracks);
    close_data(&d);
}

/* Song b begins with 1.1 s of silence, song d has no sound. */
TEST(test_silence_is_left_out)
{
    rv_phrases_config c = small();
    data d = open_data(&c, 0);
    CHECK(rv_phrases_of_song(d.phrases, 1) == 8 - 2 && rv_phrases_of_song(d.phrases, 3) == 0);
    CHECK_MSG(rv_phrases_left_out(d.phrases) == 2, "%zu", rv_phrases_left_out(d.phrases));
    CHECK(rv_phrases_count(d.phrases) == 11 + 6 + 1);
    CHECK(rv_phrases_steps_per_epoch(d.phrases) == 9);
    close_data(&d);
    c.silence = -3;
    data none = { 0 };
    rv_error err = { 0 };
    none =
        (data){ list_of(&(rv_track_query){ .root = in_folder("set"), .stems = lead, .n_stems = 1 }),
                NULL, NULL };
    char cache[300];
    snprintf(cache, sizeof cache, "%s/cache", folder);
    CHECK_OK(rv_feature_cache_open(&none.cache, cache, &err), err);
    CHECK(rv_phrases_new(&none.phrases, &c, none.songs, none.cache, 0, NULL, &err) == RV_ERR_ARG);
    CHECK_MSG(strstr(err.text, "20 silent examples and 1 silent songs left out"), "%s", err.text);
    close_data(&none);
}

/* 0.3 s, then what silence is. */
TEST(test_short_songs_end_in_silence)
{
    rv_phrases_config c = small();
    c.mfcc = true;
    data d = open_data(&c, 0);
    static batch b;
    rv_feature_spec spec;
    rv_feature *f = NULL;
    rv_error err = { 0 };
    float quiet[RV_SONG_MFCC];
    const float zeros[100] = { 0 };
    rv_feature_defaults(&spec, RV_FEATURE_MFCC, RATE, c.frame_rate);
    CHECK_OK(rv_feature_new(&f, &spec, NULL, 0, &err), err);
    CHECK_OK(rv_feature_push(f, zeros, 100, &err), err);
    CHECK_OK(rv_feature_finish(f, &err), err);
    CHECK(rv_feature_pull(f, quiet, 1) == 1);
    rv_feature_free(f);
    get_example(&d, 2, 0, &b);
    CHECK(b.audio[2395] != 0 && b.audio[2400] == 0 && b.audio[T - 1] == 0);
    for (size_t k = 31; k < F; k++) { /* frame 30 lies at the end */
        CHECK(b.f0[k] == b.f0[30] && b.f0[k] > 0 && b.confidence[k] == 0 && b.loudness[k] == -80);
        CHECK(!b.voiced[k] && memcmp(b.mfcc + k * RV_SONG_MFCC, quiet, sizeof quiet) == 0);
    }
    CHECK(b.loudness[20] > -60 && b.mfcc[20 * RV_SONG_MFCC] != quiet[0]);
    close_data(&d);
}

TEST(test_same_bits_however_made)
{
    enum { STEPS = 30 };
    rv_phrases_config c = small();
    static batch want[STEPS], got;
    rv_error err = { 0 };
    c.mfcc = true;
    data d = open_data(&c, 0);
    for (uint64_t s = 0; s < STEPS; s++) {
        const rv_phrase_batch out = view(&want[s]);
        CHECK_OK(rv_phrases_fill(d.phrases, s, &out, &err), err);
    }
    CHECK(memcmp(&want[0], &want[9], sizeof got) != 0); /* another epoch, another order */
    close_data(&d);
    for (int threads = 1; threads <= 3; threads += 2) {
        d = open_data(&c, threads);
        for (uint64_t i = 0; i < STEPS; i++) {
            const uint64_t s = i < 10 ? 17 * i % STEPS : i; /* here and there, then in order */
            const rv_phrase_batch out = view(&got);
            CHECK_OK(rv_phrases_fill(d.phrases, s, &out, &err), err);
            CHECK(memcmp(&got, &want[s], sizeof got) == 0);
        }
        close_data(&d);
    }
    c.seed++;
    d = open_data(&c, 0);
    const rv_phrase_batch out = view(&got);
    CHECK_OK(rv_phrases_fill(d.phrases, 0, &out, &err), err);
    CHECK(memcmp(&got, &want[0], sizeof got) != 0);
    close_data(&d);
}

static void check_counts(const data *d, uint64_t found, uint64_t measured, uint64_t damaged)
{
    const rv_feature_counts n = rv_feature_cache_counts(d->cache);
    CHECK_MSG(n.found == found && n.measured == measured && n.damaged == damaged,
              "%llu found, %llu measured, %llu damaged", (unsigned long long)n.found,
              (unsigned long long)n.measured, (unsigned long long)n.damaged);
}

/* f0, loudness and level of three songs; then their MFCC. */
TEST(test_measured_once)
{
    rv_phrases_config c = small();
    c.seed = 1;
    c.frame_rate = 50;
    data d = open_data(&c, 0);
    check_counts(&d, 0, 9, 0);
    close_data(&d);
    c.stride = T;
    c.segment = T / 2;
    d = open_data(&c, 2);
    check_counts(&d, 9, 0, 0);
    close_data(&d);
    c.mfcc = true;
    d = open_data(&c, 2);
    check_counts(&d, 9, 3, 0);
    close_data(&d);
}

typedef struct watcher {
    double last, stop_at;
    int calls;
} watcher;

static int watch(void *ctx, double fraction)
{
    watcher *w = ctx;
    CHECK_MSG(fraction >= w->last && fraction <= 1, "%g after %g", fraction, w->last);
    w->last = fraction;
    w->calls++;
    return fraction > w->stop_at;
}

static rv_status open_watched(watcher *w, rv_feature_counts *counts)
{
    rv_phrases_config c = small();
    c.frame_rate = 40;
    char cache[300];
    snprintf(cache, sizeof cache, "%s/cache", folder);
    rv_track_list *songs =
        list_of(&(rv_track_query){ .root = in_folder("set"), .stems = lead, .n_stems = 1 });
    rv_feature_cache *f = NULL;
    rv_phrases *p = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_feature_cache_open(&f, cache, &err), err);
    const rv_status st = rv_phrases_new(&p, &c, songs, f, 0, &(rv_feature_watch){ watch, w }, &err);
    *counts = rv_feature_cache_counts(f);
    rv_phrases_free(p);
    rv_feature_cache_free(f);
    rv_track_list_free(songs);
    return st;
}

TEST(test_stopped_work_goes_on)
{
    watcher w = { .stop_at = 0.7 };
    rv_feature_counts first, second;
    CHECK(open_watched(&w, &first) == RV_ERR_CANCELLED);
    CHECK(first.measured > 0 && first.measured < 9);
    w = (watcher){ .stop_at = 2 };
    CHECK(open_watched(&w, &second) == RV_OK);
    CHECK(second.found == first.measured && second.measured == 9 - first.measured);
    CHECK_CLOSE(w.last, 1, 1e-9);
    CHECK(w.calls > 9);
}

/* Two files that sound like a third one: one entry of the cache. */
TEST(test_a_stem_of_several_files)
{
    static const char *const parts[] = { "bass", "lead" }, *const duo[] = { "duo" };
    const rv_submix submix = { .stem = "duo", .classes = parts, .n_classes = 2 };
    const rv_track_query query = { .root = strdup(in_folder("sum")),
                                   .layout = "songs",
                                   .stems = duo,
                                   .n_stems = 1,
                                   .submixes = &submix,
                                   .n_submixes = 1 };
    const rv_phrases_config c = small();
    rv_error err = { 0 };
    char cache[300];
    write_melody("sum/x", "lead.wav", RATE, 2, 2, 0, 0.125);
    write_melody("sum/x", "bass.wav", RATE, 2, 2, 0, 0.125); /* together as loud as the next */
    write_melody("sum/y", "bass.wav", RATE, 2, 2, 0, 0.25);
    data d = { .songs = list_of(&query) };
    CHECK(d.songs->n == 2 && d.songs->tracks[0].stems[0].n == 2);
    snprintf(cache, sizeof cache, "%s/sums", folder);
    CHECK_OK(rv_feature_cache_open(&d.cache, cache, &err), err);
    rv_phrases_config one = c;
    one.threads = 1;
    CHECK_OK(rv_phrases_new(&d.phrases, &one, d.songs, d.cache, 0, NULL, &err), err);
    check_counts(&d, 3, 3, 0);
    static batch sum, single;
    get_example(&d, 0, 3, &sum);
    get_example(&d, 1, 3, &single);
    CHECK(memcmp(&sum, &single, sizeof sum) == 0 && sum.audio[100] != 0);
    close_data(&d);
    free((char *)query.root);
}

static void check_statistics(const data *d, const rv_phrase_statistics *got)
{
    static const size_t of_song[] = { 301, 221, 31, 0 };
    double n = 0, sum = 0, squares = 0;
    static batch b;
    for (size_t song = 0; song < d->songs->n; song++)
        for (size_t i = 0; i < rv_phrases_of_song(d->phrases, song); i++) {
            get_example(d, song, i, &b);
            const size_t first = 25 * (song == 1 ? i + 2 : i), left = of_song[song] - first;
            const size_t frames = left < F ? left : F;
            for (size_t k = 0; k < frames; k++, n++) {
                sum += (double)b.loudness[k];
                squares += (double)b.loudness[k] * (double)b.loudness[k];
            }
        }
    CHECK_CLOSE(got->loudness_mean, sum / n, 1e-6);
    CHECK_CLOSE(got->loudness_deviation, sqrt(squares / n - sum / n * sum / n), 1e-6);
    CHECK_MSG((double)got->frames == n, "%llu frames, %g", (unsigned long long)got->frames, n);
}

/* What follows the end of a song does not count. */
TEST(test_statistics)
{
    rv_phrases_config c = small();
    data d = open_data(&c, 0), again;
    rv_phrase_statistics first, second;
    rv_error err = { 0 };
    CHECK_OK(rv_phrases_statistics(d.phrases, &first, &err), err);
    check_statistics(&d, &first);
    CHECK(first.f0_min > 140 && first.f0_min < 151 && first.f0_max > 266 && first.f0_max < 290);
    CHECK(first.f0_mean > 170 && first.f0_mean < 240);
    CHECK(first.voiced > first.frames / 2 && first.voiced <= first.frames);
    c.shuffle = false;
    c.threads = 1;
    again = open_data(&c, 2);
    CHECK_OK(rv_phrases_statistics(again.phrases, &second, &err), err);
    CHECK(memcmp(&first, &second, sizeof first) == 0);
    close_data(&again);
    close_data(&d);
}

/* The cache may lose files, or be damaged, while a model trains. */
TEST(test_a_damaged_cache_is_mended)
{
    rv_phrases_config c = small();
    c.frame_rate = 80;
    data d = open_data(&c, 0);
    static batch want, got;
    rv_error err = { 0 };
    char path[700];
    rv_phrase_batch out = view(&want);
    CHECK_OK(rv_phrases_fill(d.phrases, 0, &out, &err), err);
    DIR *dir = opendir(in_folder("cache/features"));
    for (struct dirent *e; (e = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%.200s", in_folder("cache/features"), e->d_name);
        if (e->d_name[0] != '.')
            CHECK((e->d_name[0] % 2 ? unlink(path) : truncate(path, 60)) == 0);
    }
    closedir(dir);
    out = view(&got);
    CHECK_OK(rv_phrases_fill(d.phrases, 0, &out, &err), err);
    CHECK(memcmp(&want, &got, sizeof got) == 0);
    CHECK(rv_feature_cache_counts(d.cache).measured > 9);
    close_data(&d);
}

static void check_error(const rv_phrases_config *c, const char *text)
{
    rv_error err = { 0 };
    rv_phrases *p = NULL;
    rv_feature_cache *f = NULL;
    char cache[300];
    snprintf(cache, sizeof cache, "%s/cache", folder);
    rv_track_list *songs =
        list_of(&(rv_track_query){ .root = in_folder("set"), .stems = lead, .n_stems = 1 });
    CHECK_OK(rv_feature_cache_open(&f, cache, &err), err);
    CHECK(rv_phrases_new(&p, c, songs, f, 0, NULL, &err) == RV_ERR_ARG);
    CHECK_MSG(strstr(err.text, text), "%s", err.text);
    rv_feature_cache_free(f);
    rv_track_list_free(songs);
}

TEST(test_values_out_of_range)
{
    rv_phrases_config c = small();
#define EXPECT(field, value, text) \
    c.field = (value);             \
    check_error(&c, text);         \
    c = small()
    EXPECT(frame_rate, 0, "0 frames a second");
    EXPECT(frame_rate, NAN, "frames a second");
    EXPECT(frame_rate, 9000, "9000 frames a second");
    EXPECT(segment, 0, "training segments of 0 samples");
    EXPECT(stride, SIZE_MAX, "training segments");
    EXPECT(batch, 0, "batches of 0 examples");
    EXPECT(batch, 19, "a batch needs 19");
    EXPECT(sample_rate, 10, "training data at 10 Hz");
    EXPECT(silence, 1, "silence below 1 dB");
    EXPECT(f0_max, 5000, "f0 from 80 to 5000 Hz");
    EXPECT(threads, -1, "-1 threads");
#undef EXPECT
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_and_features_are_of_the_same_moment),
        cmocka_unit_test(test_audio_begins_at_a_frame),
        cmocka_unit_test(test_silence_is_left_out),
        cmocka_unit_test(test_short_songs_end_in_silence),
        cmocka_unit_test(test_same_bits_however_made),
        cmocka_unit_test(test_measured_once),
        cmocka_unit_test(test_stopped_work_goes_on),
        cmocka_unit_test(test_a_stem_of_several_files),
        cmocka_unit_test(test_statistics),
        cmocka_unit_test(test_a_damaged_cache_is_mended),
        cmocka_unit_test(test_values_out_of_range),
    };
    return cmocka_run_group_tests(tests, make_set, remove_folder);
}
