/* test_tracks.c - songs are found, checked and read; what is wrong with a data set is said. */
#include "data/track_level.h"
#include "dsp/resample.h"
#include "io/audio_read.h"
#include "song_files.h"

#include <sys/stat.h>
#include <unistd.h>

/* An error of finding or checking the songs below `root` that says all of the words. */
static void check_bad_set(const char *root, const char *subset, rv_status status, const char *word,
                          const char *other)
{
    rv_track_list *list = NULL;
    rv_track_cache *cache = NULL;
    rv_error err = { 0 };
    const rv_track_query query = songs_query(in_folder(root), subset);
    rv_status got = rv_track_list_find(&list, &query, &err);
    if (got == RV_OK)
        got = rv_track_cache_new(&cache, list, &err);
    CHECK_MSG(got == status && strstr(err.text, word) && strstr(err.text, other) &&
                  !strchr(err.text, '\n'),
              "%s: status %d, not %d, or no \"%s\", \"%s\" in: %s", root, got, status, word, other,
              err.text);
    rv_track_cache_free(cache);
    rv_track_list_free(list);
}

TEST(test_layouts)
{
    write_song("hq/train/b", 1, 10, "wav");
    write_song("hq/train/a", 5, 10, "flac");
    write_song("hq/valid/c", 9, 10, "wav");
    write_song_file(&(song_file){ "hq/train/a", "mixture.flac", 2, 8000, 2, 10 });
    rv_track_list *train = find_songs("hq", "train"), *valid = find_songs("hq", "valid");
    rv_track_list *all = find_songs("hq", NULL), *flat = find_songs("hq/train", "train");
    CHECK(train->n == 2 && valid->n == 1 && all->n == 3 && flat->n == 2);
    CHECK(strcmp(train->tracks[0].name, "a") == 0 && strcmp(train->tracks[1].name, "b") == 0);
    CHECK(strcmp(all->tracks[2].name, "c") == 0 && strcmp(all->tracks[2].split, "valid") == 0);
    CHECK(strcmp(train->tracks[0].stems[1].at[0].path, in_folder("hq/train/a/bass.flac")) == 0);
    CHECK(strcmp(train->tracks[0].mixture.at[0].path, in_folder("hq/train/a/mixture.flac")) == 0);
    CHECK(train->tracks[0].stems[1].n == 1 && train->tracks[1].mixture.n == 0);
    rv_track_list_free(train);
    rv_track_list_free(valid);
    rv_track_list_free(all);
    rv_track_list_free(flat);
    check_bad_set("hq", "test", RV_ERR_IO, "split 'test'; there are 2 in train, 1 in valid", "hq");
}

TEST(test_filter_by_name)
{
    static const char *const names[] = { "b", "a" }, *const unknown[] = { "a", "x" };
    for (int i = 0; i < 4; i++) {
        char song[20];
        snprintf(song, sizeof song, "named/%c", 'a' + i);
        write_song(song, 1, 4, "wav");
    }
    rv_error err = { 0 };
    rv_track_list *l = find_songs("named", "train");
    CHECK(rv_track_list_filter(l, unknown, 2, true, &err) == RV_ERR_ARG && strstr(err.text, "'x'"));
    CHECK(l->n == 4);
    CHECK_OK(rv_track_list_filter(l, names, 2, false, &err), err);
    CHECK(l->n == 2 && strcmp(l->tracks[0].name, "c") == 0);
    CHECK(rv_track_list_filter(l, names, 0, true, &err) == RV_ERR_ARG && l->n == 2);
    rv_track_list_free(l);
    l = find_songs("named", "train");
    CHECK_OK(rv_track_list_filter(l, names, 2, true, &err), err);
    CHECK(l->n == 2 && strcmp(l->tracks[1].name, "b") == 0);
    rv_track_list_free(l);
}

TEST(test_no_songs)
{
    check_bad_set("nowhere", "train", RV_ERR_IO, "nowhere", "not a folder");
    CHECK(mkdir(in_folder("empty"), 0700) == 0);
    check_bad_set("empty", "train", RV_ERR_IO, "empty", "no songs");
    check_bad_set("empty", "valid", RV_ERR_IO, "empty", "STEM.wav");
    write_song("part/a", 1, 10, "wav");
    CHECK(unlink(in_folder("part/a/other.wav")) == 0);
    check_bad_set("part", NULL, RV_ERR_IO, "part/a", "no stem 'other'");
}

/* A whole song, of which one file is replaced. */
static void check_odd_file(const char *root, const song_file *odd, const char *word)
{
    char song[40];
    snprintf(song, sizeof song, "%s/a", root);
    write_song(song, 1, 100, "wav");
    write_song_file(
        &(song_file){ song, odd->file, odd->key, odd->rate, odd->channels, odd->frames });
    check_bad_set(root, NULL, RV_ERR_FORMAT, odd->file, word);
}

TEST(test_songs_that_do_not_fit)
{
    check_odd_file("long", &(song_file){ "", "bass.wav", 7, 8000, 2, 101 }, "101 frames");
    check_odd_file("rate", &(song_file){ "", "vocals.wav", 7, 8001, 2, 100 }, "8001 Hz");
    check_odd_file("mono", &(song_file){ "", "other.wav", 7, 8000, 1, 100 }, "1 channels");
    check_odd_file("mixed", &(song_file){ "", "mixture.wav", 7, 8000, 2, 99 }, "99 frames");
    check_odd_file("void", &(song_file){ "", "drums.wav", 7, 8000, 2, 0 }, "no audio");
}

TEST(test_unreadable_file)
{
    write_song("broken/a", 1, 100, "wav");
    FILE *f = fopen(in_folder("broken/a/bass.wav"), "wb");
    CHECK(f != NULL && fputs("this is no audio", f) >= 0 && fclose(f) == 0);
    check_bad_set("broken", NULL, RV_ERR_FORMAT, "broken/a/bass.wav", "not an audio file");
}

TEST(test_silent_songs)
{
    write_song("quiet/a", 1, 9000, "wav");
    for (int s = 0; s < 4; s++) {
        char name[40];
        snprintf(name, sizeof name, "%s.wav", stem_names[s]);
        write_song_file(&(song_file){ "quiet/b", name, 0, 8000, 2, 9000 });
    }
    rv_error err = { 0 };
    rv_track_cache *silence = open_songs("quiet/b");
    CHECK(silence->n_silent == 1);
    CHECK(rv_track_cache_check_sound(silence, &err) == RV_ERR_FORMAT &&
          strstr(err.text, "quiet/b: all of its 1 songs are silent"));
    free_songs(silence);
    write_song_file(&(song_file){ "quiet/a", "other.wav", 0, 8000, 2, 9000 });
    rv_track_cache *c = open_songs("quiet");
    CHECK(c->n_silent == 1 && c->n_silent_stems == 1);
    CHECK_OK(rv_track_cache_check_sound(c, &err), err);
    CHECK(c->tracks[0].silent == 1u << 2 && !c->tracks[0].all_silent && c->tracks[1].all_silent);
    CHECK(c->tracks[0].frames == 9000 && c->tracks[0].sample_rate == 8000 &&
          c->tracks[0].channels == 2);
    free_songs(c);
}

static void read_part(const rv_track_cache *c, const rv_track_part *part, float (*x)[1000])
{
    float *planes[] = { x[0], x[1], x[2] };
    rv_error err = { 0 };
    CHECK_OK(rv_track_read(c, part, planes, &err), err);
}

TEST(test_parts_and_channels)
{
    static float x[3][1000];
    write_song("parts/a", 1, 5000, "flac");
    rv_track_cache *c = open_songs("parts");
    static const int64_t starts[] = { 0, 1234, 4500, 4999, 5000, 70000 };
    for (int i = 0; i < 6; i++) {
        read_part(c, &(rv_track_part){ 0, 3, 8000, 2, starts[i], 1000 }, x);
        for (size_t t = 0; t < 1000; t++)
            for (int k = 0; k < 2; k++) {
                const size_t at = (size_t)starts[i] + t;
                CHECK(x[k][t] == (at < 5000 ? song_sample(4, k, at) : 0));
            }
    }
    read_part(c, &(rv_track_part){ 0, 0, 8000, 1, 100, 1000 }, x);
    for (size_t t = 0; t < 1000; t++)
        CHECK_CLOSE(x[0][t], (song_sample(1, 0, 100 + t) + song_sample(1, 1, 100 + t)) / 2, 1e-7);
    rv_error err = { 0 };
    CHECK(rv_track_check_channels(c, 0, 3, &err) == RV_ERR_FORMAT && strstr(err.text, "parts/a"));
    free_songs(c);
}

/* The whole stem 0 at another rate, one channel. */
static float *resampled(const rv_track_cache *c, int rate, size_t *n)
{
    const rv_track_info *t = &c->tracks[0];
    *n = rv_track_length(t, rate);
    float *x = calloc(*n, sizeof *x), *in = calloc((size_t)t->frames, sizeof *in);
    CHECK(x != NULL && in != NULL);
    for (size_t i = 0; i < (size_t)t->frames; i++)
        in[i] = song_sample(1, 0, i);
    rv_resampler *r = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_resampler_new(&r, 1, t->sample_rate, rate, &err), err);
    for (size_t done = 0, taken = 0, made = 1, used = 0; made > 0 || used > 0;) {
        const float *from = in + taken;
        float *to = x + done;
        const bool ended = taken == (size_t)t->frames;
        if (done == *n)
            break;
        CHECK_OK(rv_resampler_process(r, ended ? NULL : &from, (size_t)t->frames - taken, &used,
                                      &to, *n - done, &made, &err),
                 err);
        taken += used;
        done += made;
    }
    rv_resampler_free(r);
    free(in);
    return x;
}

/* Mean over channels of what should be the mixture: keys first .. first + n - 1, summed. */
static float mono(uint64_t first, size_t n, size_t t)
{
    float x[2] = { 0, 0 };
    for (uint64_t key = first; key < first + n; key++)
        for (int c = 0; c < 2; c++)
            x[c] += song_sample(key, c, t);
    return (x[0] + x[1]) / 2;
}

static void check_level(const rv_track_info *t, uint64_t first, size_t n)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < t->frames; i++)
        sum += (double)mono(first, n, (size_t)i);
    const double mean = sum / (double)t->frames;
    for (int64_t i = 0; i < t->frames; i++)
        squares += pow((double)mono(first, n, (size_t)i) - mean, 2);
    const double deviation = sqrt(squares / (double)(t->frames - 1));
    CHECK_MSG(fabs((double)t->mean - mean) < 1e-9 &&
                  fabs((double)t->deviation - deviation) < 1e-7 * deviation + 2e-8,
              "mean %g, not %g; deviation %g, not %g", (double)t->mean, mean, (double)t->deviation,
              deviation);
}

/* The last 7 of 10 frames lie behind the end; keys as in check_level(). */
static void check_end(const rv_track_cache *c, size_t track, size_t stem, uint64_t first, size_t n)
{
    const rv_track_info *t = &c->tracks[track];
    const size_t start = (size_t)t->frames - 3;
    float x[2][10], *const out[] = { x[0], x[1] };
    rv_error err = { 0 };
    const rv_track_part part = { track, stem, 8000, 2, (int64_t)start, 10 };
    CHECK_OK(stem < 4 ? rv_track_read(c, &part, out, &err)
                      : rv_track_read_mixture(c, &part, out, &err),
             err);
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < 10; i++) {
            float want = 0;
            for (uint64_t key = first; i < 3 && key < first + n; key++)
                want += song_sample(key, k, start + i);
            CHECK(x[k][i] == (i < 3 ? (want - t->mean) / t->deviation : 0));
        }
}

/* Song a has a mixture of its own, b is longer than what is read at a time, c is silent. */
TEST(test_normalised_songs)
{
    write_song("level/a", 1, 100, "wav");
    write_song_file(&(song_file){ "level/a", "mixture.wav", 77, 8000, 2, 100 });
    write_song("level/b", 11, 70000, "flac");
    for (size_t s = 0; s < 4; s++) {
        char name[20];
        snprintf(name, sizeof name, "%s.wav", stem_names[s]);
        write_song_file(&(song_file){ "level/c", name, 0, 8000, 2, 100 });
    }
    rv_error err = { 0 };
    rv_track_cache *c = open_songs("level");
    CHECK(!c->normalised);
    CHECK_OK(rv_track_normalise(c, &err), err);
    CHECK(c->normalised && c->tracks[2].deviation == 1);
    check_level(&c->tracks[0], 77, 1);
    check_level(&c->tracks[1], 11, 4);
    check_end(c, 0, 2, 3, 1);
    check_end(c, 0, 4, 77, 1);
    check_end(c, 1, 1, 12, 1);
    check_end(c, 1, 4, 11, 4);
    free_songs(c);
}

TEST(test_parts_at_other_rates)
{
    static const int rates[] = { 11025, 16000, 3000 };
    static const int64_t starts[] = { 0, 777, 3500, 9000 };
    static float x[3][1000];
    write_song_file(&(song_file){ "rates/a", "drums.wav", 1, 8000, 1, 20000 });
    rv_track_list *list = NULL;
    rv_track_cache *c = NULL;
    rv_error err = { 0 };
    rv_track_query query = songs_query(in_folder("rates"), NULL);
    query.n_stems = 1;
    CHECK_OK(rv_track_list_find(&list, &query, &err), err);
    CHECK_OK(rv_track_cache_new(&c, list, &err), err);
    for (int r = 0; r < 3; r++) {
        size_t n = 0;
        float *whole = resampled(c, rates[r], &n);
        for (int i = 0; i < 4; i++) {
            read_part(c, &(rv_track_part){ 0, 0, rates[r], 2, starts[i], 1000 }, x);
            for (size_t t = 0; t < 1000; t++) {
                const size_t at = (size_t)starts[i] + t;
                CHECK_CLOSE(x[0][t], at < n ? whole[at] : 0, 2e-6);
                CHECK(x[1][t] == x[0][t]);
            }
        }
        free(whole);
    }
    free_songs(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_filter_by_name),
        cmocka_unit_test(test_no_songs),
        cmocka_unit_test(test_songs_that_do_not_fit),
        cmocka_unit_test(test_unreadable_file),
        cmocka_unit_test(test_silent_songs),
        cmocka_unit_test(test_parts_and_channels),
        cmocka_unit_test(test_normalised_songs),
        cmocka_unit_test(test_parts_at_other_rates),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
