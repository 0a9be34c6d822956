/* test_shards.c - data sets cut into examples, the CSV that chooses among them, and shards as a
 * data set to train on. */
#include "song_files.h"

#include "data/segment_list.h"
#include "data/shards.h"
#include "data/track_read.h"
#include "io/csv.h"
#include "io/tfrecord.h"

#include <unistd.h>

enum { RATE = 8000, WINDOW = 4000 };

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");
    CHECK(f && fputs(text, f) >= 0);
    fclose(f);
}

static void write_mono(const char *song, const char *file, uint64_t key, size_t frames)
{
    write_song_file(&(song_file){ song, file, key, RATE, 1, frames });
}

/* Songs a (2.6 s), b (silent), c (1 s), t (1.5 s); estimates of a and t. */
static int make_data(void **state)
{
    static const struct {
        const char *song;
        uint64_t key;
        size_t frames;
    } songs[] = { { "set/train/a", 10, 20800 },
                  { "set/train/b", 0, 20800 },
                  { "set/train/c", 30, 8000 },
                  { "set/test/t", 40, 12000 } };
    if (make_folder(state))
        return -1;
    for (size_t i = 0; i < 4; i++) {
        write_mono(songs[i].song, "vocals.wav", songs[i].key, songs[i].frames);
        write_mono(songs[i].song, "mixture.wav", songs[i].key ? songs[i].key + 1 : 0,
                   songs[i].frames);
    }
    write_mono("estimates/a", "vocals.wav", 100, 20800);
    write_mono("estimates/t", "vocals.wav", 140, 12000);
    return 0;
}

static rv_shards_options options(void)
{
    return (rv_shards_options){ .stem = "vocals",
                                .sample_rate = RATE,
                                .window = 0.5,
                                .hop = 0.25,
                                .per_shard = 4,
                                .level = -50 };
}

static rv_shards_report cut(const char *out, const rv_shards_options *opt)
{
    char to[400];
    rv_error err = { 0 };
    rv_shards_report report;
    strcpy(to, in_folder(out));
    CHECK_OK(rv_shards_write(in_folder("set"), to, opt, &report, &err), err);
    return report;
}

static rv_track_cache *open_shards(const char *root, const char *split)
{
    static const char *const stem = "vocals";
    const rv_track_query query = {
        .root = in_folder(root), .layout = "shards", .split = split, .stems = &stem, .n_stems = 1
    };
    rv_track_list *list = NULL;
    rv_track_cache *cache = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_track_list_find(&list, &query, &err), err);
    CHECK_OK(rv_track_cache_new(&cache, list, &err), err);
    return cache;
}

static void check_window(const rv_track_cache *c, size_t track, uint64_t input, uint64_t target,
                         size_t start)
{
    float samples[WINDOW], *const out[] = { samples };
    rv_error err = { 0 };
    for (size_t stem = 0; stem < 2; stem++) {
        const rv_track_part part = { track, stem, RATE, 1, 0, WINDOW };
        CHECK_OK(rv_track_read(c, &part, out, &err), err);
        for (size_t t = 0; t < WINDOW; t++)
            CHECK(samples[t] == song_sample(stem == 0 ? target : input, 0, start + t));
    }
}

TEST(test_windows_of_mixtures)
{
    const rv_shards_options opt = options();
    const rv_shards_report r = cut("mixtures", &opt);
    CHECK(r.examples[0] == 9 + 3 && r.shards[0] == 3 && r.songs[0] == 3);
    CHECK(r.examples[1] == 0 && r.shards[1] == 0);
    CHECK(r.examples[2] == 5 && r.shards[2] == 1 && r.songs[2] == 1);
    CHECK(r.quiet == 0 && r.without_inputs == 0);
    CHECK(!access(in_folder("mixtures/train/train-00002.tfrecord"), F_OK));
    rv_track_cache *c = open_shards("mixtures", "train");
    CHECK(c->list->n == 12);
    CHECK(strcmp(c->list->tracks[5].name, "train-00001/1") == 0);
    for (size_t i = 0; i < 9; i++)
        check_window(c, i, 11, 10, i * WINDOW / 2);
    check_window(c, 9, 31, 30, 0);
    free_songs(c);
}

TEST(test_windows_of_estimates)
{
    rv_shards_options opt = options();
    char inputs[400];
    strcpy(inputs, in_folder("estimates"));
    opt.inputs = inputs;
    const rv_shards_report r = cut("refine", &opt);
    CHECK(r.examples[0] == 9 && r.songs[0] == 1 && r.without_inputs == 2);
    rv_track_cache *c = open_shards("refine", "test");
    check_window(c, 4, 140, 40, 2 * WINDOW);
    free_songs(c);
}

TEST(test_chosen_segments)
{
    rv_shards_options opt = options();
    char segments[400];
    write_text("segments.csv", "segment_pass,track,note,end_s,start_s\r\n"
                               "True,a,\"loud, \"\"good\"\"\",2.0,1.0\r\n"
                               "False,a,,1,0\nTrue,c,,1,0.4\ntrue,nobody,,9,1");
    strcpy(segments, in_folder("segments.csv"));
    opt.segments = segments;
    const rv_shards_report r = cut("chosen", &opt);
    CHECK(r.examples[0] == 3 + 1 && r.examples[2] == 0);
    rv_track_cache *c = open_shards("chosen", "train");
    check_window(c, 0, 11, 10, 8000);
    check_window(c, 3, 31, 30, 3200);
    free_songs(c);
}

TEST(test_quiet_windows_are_left_out)
{
    rv_shards_options opt = options();
    opt.level = -1;
    const rv_shards_report r = cut("quiet", &opt);
    CHECK(r.examples[0] == 0 && r.quiet == 12 + 5);
}

TEST(test_validation_songs)
{
    rv_shards_options opt = options();
    opt.valid_fraction = 0.34;
    const rv_shards_report r = cut("split", &opt), again = cut("split-again", &opt);
    CHECK(r.songs[0] == 2 && r.songs[1] == 1);
    CHECK(r.examples[0] + r.examples[1] == 12 && r.examples[1] == again.examples[1]);
}

static void check_refusal(const rv_shards_options *opt, const char *out, const char *what)
{
    char to[400];
    rv_error err = { 0 };
    rv_shards_report report;
    strcpy(to, in_folder(out));
    CHECK(rv_shards_write(in_folder("set"), to, opt, &report, &err) != RV_OK);
    CHECK_MSG(strstr(err.text, what), "%s", err.text);
}

TEST(test_refusals)
{
    rv_shards_options opt = options();
    cut("twice", &opt);
    check_refusal(&opt, "twice", "train-00000.tfrecord: there are shards already");
    opt.overwrite = 1;
    cut("twice", &opt);
    opt.window = 0;
    check_refusal(&opt, "none", "window 0 s");
    opt = options();
    opt.inputs = "/nonexistent";
    check_refusal(&opt, "none", "/nonexistent: no song of");
    opt.inputs = NULL;
    opt.stem = "theremin";
    check_refusal(&opt, "none", "set: no songs of these stems");
    write_mono("silence/train/a", "vocals.wav", 0, 8000);
    write_mono("silence/train/a", "mixture.wav", 0, 8000);
    rv_error err = { 0 };
    rv_shards_report report;
    char to[400];
    opt = options();
    strcpy(to, in_folder("none"));
    CHECK(rv_shards_write(in_folder("silence"), to, &opt, &report, &err) == RV_ERR_FORMAT);
    CHECK_MSG(strstr(err.text, "silence: all of its 1 songs are silent"), "%s", err.text);
}

static int stop_at_second(void *ctx, const char *song, uint64_t done, uint64_t of)
{
    (void)ctx;
    (void)song;
    return done == 2 && of == 3;
}

TEST(test_stopping_leaves_whole_shards_only)
{
    rv_shards_options opt = options();
    char to[400];
    rv_error err = { 0 };
    rv_shards_report report;
    opt.progress = stop_at_second;
    strcpy(to, in_folder("stopped"));
    CHECK(rv_shards_write(in_folder("set"), to, &opt, &report, &err) == RV_ERR_CANCELLED);
    rv_track_cache *c = open_shards("stopped", "train");
    CHECK(c->list->n == 8);
    free_songs(c);
}

TEST(test_damaged_shards)
{
    const rv_shards_options opt = options();
    rv_error err = { 0 };
    cut("damaged", &opt);
    const char *path = in_folder("damaged/train/train-00001.tfrecord");
    FILE *f = fopen(path, "r+");
    CHECK(f && !fseek(f, 500, SEEK_SET) && fputs("damage", f) >= 0);
    fclose(f);
    static const char *const stem = "vocals";
    const rv_track_query query = {
        .root = in_folder("damaged"), .split = "train", .stems = &stem, .n_stems = 1
    };
    rv_track_list *list = NULL;
    CHECK(rv_track_list_find(&list, &query, &err) == RV_ERR_FORMAT);
    CHECK_MSG(strstr(err.text, "train-00001.tfrecord: record 0 at byte 0: damaged"), "%s",
              err.text);
}

/* CSV */

static void check_csv_error(const char *text, const char *what)
{
    rv_csv *c = NULL;
    rv_error err = { 0 };
    CHECK(rv_csv_parse(&c, text, strlen(text), "t.csv", &err) == RV_ERR_FORMAT);
    CHECK_MSG(strstr(err.text, what), "%s", err.text);
}

TEST(test_csv)
{
    static const char text[] = "\xef\xbb\xbf"
                               "a,b c\n\"x\ny\",\n,\"\"\"\"\r\n";
    rv_csv *c = NULL;
    rv_error err = { 0 };
    size_t column;
    double number;
    CHECK_OK(rv_csv_parse(&c, text, sizeof text - 1, "t.csv", &err), err);
    CHECK(c->n_columns == 2 && c->n_rows == 2);
    CHECK_OK(rv_csv_column(c, "b c", &column, &err), err);
    CHECK(column == 1 && rv_csv_column(c, "d", &column, &err) == RV_ERR_FORMAT);
    CHECK(strcmp(rv_csv_cell(c, 0, 0), "x\ny") == 0 && strcmp(rv_csv_cell(c, 0, 1), "") == 0);
    CHECK(strcmp(rv_csv_cell(c, 1, 1), "\"") == 0);
    CHECK(rv_csv_number(c, 0, 0, &number, &err) == RV_ERR_FORMAT);
    rv_csv_free(c);
    check_csv_error("", "t.csv: empty");
    check_csv_error("a,b\n1\n", "t.csv:2: 1 cells; expected 2");
    check_csv_error("a\n\"x\n", "t.csv:2: a quote is not closed");
    check_csv_error("a\n\"x\"y\n", "t.csv:2: expected a comma");
    CHECK(rv_csv_parse(&c, "a\0b", 3, "t.csv", &err) == RV_ERR_FORMAT);
}

static void check_segments_error(const char *text, const char *what)
{
    rv_segment_list l;
    rv_error err = { 0 };
    write_text("bad.csv", text);
    CHECK(rv_segment_list_read(&l, in_folder("bad.csv"), &err) != RV_OK);
    CHECK_MSG(strstr(err.text, what), "%s", err.text);
}

TEST(test_bad_segments)
{
    check_segments_error("track,start_s\n", "no column \"end_s\"");
    check_segments_error("track,start_s,end_s\na,1,x\n",
                         "row 1, column \"end_s\": expected a number, not \"x\"");
    check_segments_error("track,start_s,end_s\na,2,1\n", "row 1: no segment lies from 2 to 1 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows_of_mixtures),
        cmocka_unit_test(test_windows_of_estimates),
        cmocka_unit_test(test_chosen_segments),
        cmocka_unit_test(test_quiet_windows_are_left_out),
        cmocka_unit_test(test_validation_songs),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_stopping_leaves_whole_shards_only),
        cmocka_unit_test(test_damaged_shards),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_bad_segments),
    };
    return cmocka_run_group_tests(tests, make_data, remove_folder);
}
