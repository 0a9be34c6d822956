/* test_examples.c - batches are the right parts of the right songs, the same bits however they are
 * made, and different in each epoch. */
#include "data/track_level.h"
#include "song_files.h"
#include "train/example_order.h"
#include "train/examples.h"
#include "train/repitch.h"

#include <unistd.h>

enum { SONGS = 5, FRAMES = 1000, T = 100, B = 4, C = 2, S = 4, MIX = B * T * C };

typedef struct batch {
    float mix[MIX], stems[MIX * S];
} batch;

/* Songs "set/0" to "set/4"; keys of song i start at 1 + 10 i. */
static int make_set(void **state)
{
    if (make_folder(state) != 0)
        return -1;
    for (int i = 0; i < SONGS; i++) {
        char song[20];
        snprintf(song, sizeof song, "set/%d", i);
        write_song(song, (uint64_t)(1 + 10 * i), FRAMES, i % 2 ? "wav" : "flac");
    }
    return 0;
}

static rv_examples_config small(void)
{
    rv_examples_config c = rv_examples_defaults();
    c.sample_rate = 8000;
    c.segment = T;
    c.stride = 0;
    c.batch = B;
    c.seed = 3;
    return c;
}

/* All that Demucs does, but for pitch and tempo. */
static rv_examples_config augmented(void)
{
    rv_examples_config c = small();
    c.augment = rv_augment_demucs(50);
    c.augment.repitch = 0;
    c.augment.silence = 0.1;
    return c;
}

static rv_examples *open_examples(const rv_examples_config *c, const rv_track_cache *t, int threads)
{
    rv_examples *e = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_examples_new(&e, c, t, threads, &err), err);
    return e;
}

static void fill(rv_examples *e, uint64_t step, batch *b)
{
    rv_error err = { 0 };
    memset(b, 1, sizeof *b);
    CHECK_OK(rv_examples_fill(e, step, b->mix, b->stems, &err), err);
}

static void check_mix_is_sum(const batch *b)
{
    for (size_t i = 0; i < MIX; i++) {
        float sum = 0;
        for (size_t s = 0; s < S; s++)
            sum += b->stems[i / C * S * C + s * C + i % C];
        CHECK(b->mix[i] == sum);
    }
}

/* Which song and start the b'th example is, from stem s of it. */
static size_t find_place(const batch *x, size_t b, size_t s)
{
    for (size_t song = 0; song < SONGS; song++)
        for (size_t part = 0; part < FRAMES / T; part++) {
            size_t t = 0;
            while (t < T && x->stems[(b * T + t) * S * C + s * C + 1] ==
                                song_sample(1 + 10 * song + s, 1, part * T + t))
                t++;
            if (t == T)
                return song * (FRAMES / T) + part;
        }
    fail_msg("example %zu is no part of a song", b);
    return 0;
}

/* Each part of each song once in an epoch, all stems from the same; epochs differ. */
TEST(test_epochs_are_permutations)
{
    static batch x;
    rv_track_cache *t = open_songs("set");
    const rv_examples_config c = small();
    rv_examples *e = open_examples(&c, t, 2);
    const size_t n = rv_examples_count(e), steps = rv_examples_steps_per_epoch(e);
    CHECK(n == SONGS * FRAMES / T && steps == n / B);
    size_t order[2][SONGS * FRAMES / T], same = 0, sorted = 0;
    for (uint64_t epoch = 0; epoch < 2; epoch++) {
        unsigned seen[SONGS * FRAMES / T] = { 0 };
        for (size_t step = 0; step < steps; step++) {
            fill(e, epoch * steps + step, &x);
            check_mix_is_sum(&x);
            for (size_t b = 0; b < B; b++) {
                const size_t place = find_place(&x, b, 0);
                CHECK(find_place(&x, b, 3) == place && seen[place]++ == 0);
                order[epoch][step * B + b] = place;
            }
        }
    }
    for (size_t i = 0; i < steps * B; i++) {
        same += order[0][i] == order[1][i];
        sorted += order[0][i] == i;
    }
    CHECK(same < n / 4 && sorted < n / 4);
    rv_examples_free(e);
    free_songs(t);
}

TEST(test_without_shuffling)
{
    static batch x;
    rv_track_cache *t = open_songs("set");
    rv_examples_config c = small();
    c.shuffle = false;
    rv_examples *e = open_examples(&c, t, 1);
    const size_t steps = rv_examples_steps_per_epoch(e);
    for (size_t step = 0; step < 2 * steps; step++) {
        fill(e, step, &x);
        for (size_t b = 0; b < B; b++)
            CHECK(find_place(&x, b, 1) == step % steps * B + b);
    }
    rv_examples_free(e);
    free_songs(t);
}

static void check_same_bits(const rv_examples_config *c, const rv_track_cache *t)
{
    enum { STEPS = 14 };
    static const uint64_t seeks[] = { 13, 7, 8, 9, 0, 12, 11 };
    static batch first[STEPS], x;
    rv_examples *e = open_examples(c, t, 0);
    for (uint64_t step = 0; step < STEPS; step++)
        fill(e, step, &first[step]);
    rv_examples_free(e);
    for (int threads = 1; threads <= 3; threads++) {
        e = open_examples(c, t, threads);
        for (uint64_t step = 0; step < STEPS; step++) {
            fill(e, step, &x);
            CHECK(memcmp(&x, &first[step], sizeof x) == 0);
        }
        for (size_t i = 0; i < sizeof seeks / sizeof *seeks; i++) {
            fill(e, seeks[i], &x);
            CHECK(memcmp(&x, &first[seeks[i]], sizeof x) == 0);
        }
        rv_examples_free(e);
    }
    for (int step = 1; step < STEPS; step++)
        CHECK(memcmp(&first[0], &first[step], sizeof x) != 0);
}

TEST(test_same_bits_for_any_threads)
{
    rv_track_cache *t = open_songs("set");
    rv_examples_config c = small();
    check_same_bits(&c, t);
    c = augmented();
    check_same_bits(&c, t);
    c.sample_rate = 11025;
    check_same_bits(&c, t);
    free_songs(t);
}

TEST(test_seed)
{
    static batch x, y;
    rv_track_cache *t = open_songs("set");
    rv_examples_config c = augmented();
    rv_examples *a = open_examples(&c, t, 1);
    c.seed = 4;
    rv_examples *b = open_examples(&c, t, 1);
    fill(a, 2, &x);
    fill(b, 2, &y);
    CHECK(memcmp(&x, &y, sizeof x) != 0);
    rv_examples_free(a);
    rv_examples_free(b);
    free_songs(t);
}

TEST(test_augmented_mix_is_sum)
{
    static batch x;
    rv_track_cache *t = open_songs("set");
    const rv_examples_config c = augmented();
    rv_examples *e = open_examples(&c, t, 1);
    for (uint64_t step = 0; step < 12; step++) {
        fill(e, step, &x);
        check_mix_is_sum(&x);
    }
    rv_examples_free(e);
    free_songs(t);
}

/* Rubber Band takes its time to start (0.1 s), so: one stem, few examples. */
static void fill_one_stem(double probability, int threads, float *mix, int *n_equal)
{
    enum { STEPS = 2, SIZE = 2 * T * C };
    static float stem[STEPS * SIZE];
    rv_track_list *list = NULL;
    rv_track_cache *t = NULL;
    rv_error err = { 0 };
    rv_track_query query = songs_query(in_folder("set"), NULL);
    query.n_stems = 1;
    CHECK_OK(rv_track_list_find(&list, &query, &err), err);
    CHECK_OK(rv_track_cache_new(&t, list, &err), err);
    rv_examples_config c = small();
    c.batch = 2;
    c.seed = 5;
    c.augment.repitch = probability;
    rv_examples *e = open_examples(&c, t, threads);
    for (size_t step = 0; step < STEPS; step++)
        CHECK_OK(rv_examples_fill(e, step, mix + step * SIZE, stem + step * SIZE, &err), err);
    *n_equal = 0;
    for (size_t i = 0; i < STEPS * SIZE; i++)
        *n_equal += mix[i] == stem[i];
    rv_examples_free(e);
    free_songs(t);
}

TEST(test_repitched)
{
    enum { EXAMPLES = 4, SIZE = T * C };
    static float plain[EXAMPLES * SIZE], x[EXAMPLES * SIZE], again[EXAMPLES * SIZE];
    int n_equal = 0, changed = 0;
    if (!rv_repitch_present())
        skip();
    fill_one_stem(0, 0, plain, &n_equal);
    fill_one_stem(0.5, 0, x, &n_equal);
    CHECK(n_equal == EXAMPLES * SIZE);
    fill_one_stem(0.5, 2, again, &n_equal);
    CHECK(memcmp(x, again, sizeof x) == 0);
    for (size_t i = 0; i < EXAMPLES; i++)
        changed += memcmp(x + i * SIZE, plain + i * SIZE, SIZE * sizeof *x) != 0;
    CHECK_MSG(changed > 0 && changed < EXAMPLES, "%d of %d changed", changed, EXAMPLES);
}

/* Half of the stems, the same ones for any number of threads; the mix is their sum. */
TEST(test_effects)
{
    static batch plain, x, again;
    rv_track_cache *t = open_songs("set");
    rv_examples_config c = small();
    rv_examples *e = open_examples(&c, t, 0);
    fill(e, 0, &plain);
    rv_examples_free(e);
    c.augment.effects = 0.5;
    e = open_examples(&c, t, 0);
    fill(e, 0, &x);
    rv_examples_free(e);
    e = open_examples(&c, t, 2);
    fill(e, 0, &again);
    rv_examples_free(e);
    free_songs(t);
    int changed = 0;
    for (size_t i = 0; i < B * S; i++) {
        const size_t first = (i / S * T * S + i % S) * C; /* the stem's first frame */
        bool same = true;
        for (size_t frame = 0; frame < T; frame++)
            same &= x.stems[first + frame * S * C] == plain.stems[first + frame * S * C];
        changed += !same;
    }
    CHECK_MSG(changed > 2 && changed < B * S - 2, "%d of %d changed", changed, B * S);
    CHECK(memcmp(&x, &again, sizeof x) == 0);
    check_mix_is_sum(&x);
}

/* The file is used where it is there, unless stems are augmented. */
TEST(test_mixture_file)
{
    static batch x;
    write_song("with/a", 1, B * T, "wav");
    write_song_file(&(song_file){ "with/a", "mixture.wav", 77, 8000, 2, B * T });
    write_song("with/b", 11, B * T, "wav");
    rv_track_cache *t = open_songs("with");
    rv_examples_config c = small();
    c.shuffle = false;
    rv_examples *e = open_examples(&c, t, 1);
    fill(e, 0, &x);
    for (size_t i = 0; i < MIX; i++)
        CHECK(x.mix[i] == song_sample(77, (int)(i % C), i / C));
    fill(e, 1, &x);
    check_mix_is_sum(&x);
    rv_examples_free(e);
    c.augment.flip_sign = true;
    e = open_examples(&c, t, 1);
    fill(e, 0, &x);
    check_mix_is_sum(&x);
    rv_examples_free(e);
    free_songs(t);
}

/* Clips of songs that are normalised, the mixture file like the stems. */
TEST(test_normalised)
{
    static batch x, y;
    rv_error err = { 0 };
    rv_track_cache *t = open_songs("with");
    rv_examples_config c = small();
    c.shuffle = false;
    rv_examples *e = open_examples(&c, t, 0);
    fill(e, 0, &x);
    rv_examples_free(e);
    CHECK_OK(rv_track_normalise(t, &err), err);
    e = open_examples(&c, t, 0);
    fill(e, 0, &y);
    const rv_track_info *a = &t->tracks[0];
    for (size_t i = 0; i < MIX; i++)
        CHECK(y.mix[i] == (x.mix[i] - a->mean) / a->deviation);
    for (size_t i = 0; i < MIX * S; i++)
        CHECK(y.stems[i] == (x.stems[i] - a->mean) / a->deviation);
    rv_examples_free(e);
    free_songs(t);
}

/* Examples start `stride` apart; the last ends in zeros; a short song gives one. */
TEST(test_stride_and_short_songs)
{
    write_song("short/a", 1, 250, "wav");
    write_song("short/b", 11, 30, "wav");
    rv_track_cache *t = open_songs("short");
    rv_order_options opt = { .sample_rate = 8000, .length = 100, .stride = 40 };
    rv_example_order *s = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_example_order_new(&s, t, &opt, &err), err);
    CHECK(rv_example_order_count(s) == 5 + 1);
    rv_place p[6];
    rv_example_order_places(s, 0, 0, 6, p);
    CHECK(p[4].track == 0 && p[4].start == 160 && p[5].track == 1 && p[5].start == 0);
    rv_example_order_free(s);
    static batch x;
    rv_examples_config c = small();
    c.shuffle = false;
    rv_examples *e = open_examples(&c, t, 0);
    CHECK(rv_examples_count(e) == 4 && rv_examples_steps_per_epoch(e) == 1);
    fill(e, 0, &x);
    for (size_t i = 0; i < T; i++) {
        CHECK(x.stems[(2 * T + i) * S * C] == (i < 50 ? song_sample(1, 0, 200 + i) : 0));
        CHECK(x.stems[(3 * T + i) * S * C] == (i < 30 ? song_sample(11, 0, i) : 0));
    }
    rv_examples_free(e);
    free_songs(t);
}

/* Clips of stem 3 that sound, of the `steps` first batches. */
static size_t count_vocals(const rv_track_cache *t, double borrow, int threads, size_t steps)
{
    static batch x;
    rv_examples_config c = small();
    c.augment.borrow = borrow;
    rv_examples *e = open_examples(&c, t, threads);
    size_t sounding = 0;
    for (size_t step = 0; step < steps; step++) {
        fill(e, step, &x);
        check_mix_is_sum(&x);
        for (size_t b = 0; b < B; b++)
            if (x.stems[b * T * S * C + 3 * C] != 0) {
                CHECK(find_place(&x, b, 3) / (FRAMES / T) == 1); /* the song that has vocals */
                sounding++;
            }
    }
    rv_examples_free(e);
    return sounding;
}

/* Two of three songs have no vocals. */
TEST(test_borrowed_stems)
{
    enum { STEPS = 14 };
    for (size_t song = 0; song < 3; song++) {
        char name[20];
        snprintf(name, sizeof name, "some/%zu", song);
        write_song(name, 1 + 10 * song, FRAMES, "wav");
        if (song != 1)
            write_song_file(&(song_file){ name, "vocals.wav", 0, 8000, 2, FRAMES });
    }
    rv_track_cache *t = open_songs("some");
    const size_t none = count_vocals(t, 0, 0, STEPS), half = count_vocals(t, 0.5, 0, STEPS);
    CHECK_MSG(none >= 15 && none <= 20, "%zu of 56 sing", none); /* two epochs of 7 steps */
    CHECK_MSG(half > 28 && half < 48, "%zu of 56 sing", half);
    CHECK(count_vocals(t, 0.5, 2, STEPS) == half && count_vocals(t, 1, 0, STEPS) == STEPS * B);
    free_songs(t);
}

static void check_error(const rv_examples_config *c, const rv_track_cache *t, int threads,
                        rv_status status, const char *word)
{
    rv_examples *e = NULL;
    rv_error err = { 0 };
    const rv_status got = rv_examples_new(&e, c, t, threads, &err);
    CHECK_MSG(got == status && e == NULL && strstr(err.text, word),
              "status %d, not %d, or no \"%s\" in: %s", got, status, word, err.text);
}

TEST(test_bad_configurations)
{
    rv_track_cache *t = open_songs("set");
    rv_examples_config c = small();
    c.batch = 51;
    check_error(&c, t, 1, RV_ERR_ARG, "too small: 50 examples of 100 frames in 5 songs");
    c.batch = 0;
    check_error(&c, t, 1, RV_ERR_ARG, "batches of 0");
    c = small();
    c.segment = 0;
    check_error(&c, t, 1, RV_ERR_ARG, "segments of 0 frames");
    c = small();
    c.channels = 3;
    check_error(&c, t, 1, RV_ERR_FORMAT, "expected 1, or 3 or more");
    c = small();
    c.sample_rate = 10;
    check_error(&c, t, 1, RV_ERR_ARG, "10 Hz");
    c = small();
    check_error(&c, t, -1, RV_ERR_ARG, "-1 threads");
    c.augment.remix = 2;
    check_error(&c, t, 1, RV_ERR_ARG, "probability of remix");
    c = small();
    c.augment.effects = 1;
    c.channels = 1;
    check_error(&c, t, 1, RV_ERR_ARG, "effects for audio of 1 channels; expected stereo");
    free_songs(t);
}

/* Silent songs are left out. */
TEST(test_silent_song_is_left_out)
{
    write_song("hush/a", 1, B * T, "wav");
    for (int s = 0; s < S; s++) {
        char name[40];
        snprintf(name, sizeof name, "%s.wav", stem_names[s]);
        write_song_file(&(song_file){ "hush/b", name, 0, 8000, 2, B * T });
    }
    rv_track_cache *t = open_songs("hush");
    rv_examples_config c = small();
    rv_examples *e = open_examples(&c, t, 1);
    CHECK(rv_examples_count(e) == B);
    rv_examples_free(e);
    c.batch = B + 1;
    check_error(&c, t, 1, RV_ERR_ARG, "in 1 songs (1 silent ones left out)");
    free_songs(t);
}

TEST(test_file_lost_during_training)
{
    static batch x;
    write_song("lost/a", 1, B * T, "wav");
    rv_track_cache *t = open_songs("lost");
    const rv_examples_config c = small();
    for (int threads = 0; threads <= 2; threads++) {
        CHECK(threads > 0 || unlink(in_folder("lost/a/other.wav")) == 0);
        rv_examples *e = open_examples(&c, t, threads);
        rv_error err = { 0 };
        CHECK(rv_examples_fill(e, 0, x.mix, x.stems, &err) == RV_ERR_IO);
        CHECK(strstr(err.text, "lost/a/other.wav") != NULL);
        rv_examples_free(e);
    }
    write_song_file(&(song_file){ "lost/a", "other.wav", 3, 8000, 2, B * T - 1 });
    rv_examples *e = open_examples(&c, t, 1);
    rv_error err = { 0 };
    CHECK(rv_examples_fill(e, 0, x.mix, x.stems, &err) == RV_ERR_IO);
    CHECK(strstr(err.text, "other.wav: the file has changed") != NULL);
    rv_examples_free(e);
    free_songs(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epochs_are_permutations),
        cmocka_unit_test(test_without_shuffling),
        cmocka_unit_test(test_same_bits_for_any_threads),
        cmocka_unit_test(test_seed),
        cmocka_unit_test(test_augmented_mix_is_sum),
        cmocka_unit_test(test_repitched),
        cmocka_unit_test(test_effects),
        cmocka_unit_test(test_mixture_file),
        cmocka_unit_test(test_normalised),
        cmocka_unit_test(test_borrowed_stems),
        cmocka_unit_test(test_stride_and_short_songs),
        cmocka_unit_test(test_bad_configurations),
        cmocka_unit_test(test_silent_song_is_left_out),
        cmocka_unit_test(test_file_lost_during_training),
    };
    return cmocka_run_group_tests(tests, make_set, remove_folder);
}
