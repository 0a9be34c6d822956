/* test_report.c - the parts of a report, and the whole: what it reads, what it writes, what it
 * refuses. The page itself is tested in a browser (tests/report). */
#include "io/ogg_serial.h"
#include "ravel/report.h"
#include "report/report_page.h"
#include "report/report_picture.h"
#include "report/report_read.h"
#include "report/report_text.h"
#include "song_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char *read_text(const char *name)
{
    char *text = NULL;
    size_t n = 0;
    rv_error err = { 0 };
    CHECK_OK(rv_file_text(&text, &n, in_folder(name), 1 << 28, &err), err);
    return text;
}

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "wb");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* Text ------------------------------------------------------------------------------------- */

TEST(test_html_is_escaped)
{
    char *html = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_text_html(&html, "</script> \"a\" & 'b' \xff", &err), err);
    assert_string_equal(html, "&lt;/script&gt; &quot;a&quot; &amp; &#39;b&#39; \xef\xbf\xbd");
    free(html);
}

TEST(test_text_that_is_no_utf8)
{
    static const char *const cases[][2] = {
        { "caf\xc3\xa9", "caf\xc3\xa9" },
        { "a\xc3", "a\xef\xbf\xbd" },                               /* not whole */
        { "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },                 /* too long a form */
        { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* a surrogate */
        { "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* too large */
        { "\xf0\x9f\x8e\xb5", "\xf0\x9f\x8e\xb5" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *text = rv_name_json(cases[i][0]);
        CHECK(text != NULL);
        assert_string_equal(json_string_value(text), cases[i][1]);
        json_decref(text);
    }
}

static rv_page open_page(const char *name)
{
    rv_page page = { 0 };
    rv_error err = { 0 };
    CHECK_OK(rv_sink_open(&page.sink, in_folder(name), &err), err);
    return page;
}

static char *close_page(rv_page *page, const char *name)
{
    rv_error err = { 0 };
    CHECK_OK(rv_sink_commit(&page->sink, &err), err);
    rv_sink_discard(&page->sink);
    char *text = read_text(name);
    CHECK(strlen(text) == page->bytes);
    return text;
}

/* Neither "</script" nor "<!--" can stand in the data of a page. */
TEST(test_json_in_a_page)
{
    rv_page page = open_page("json");
    json_t *value = json_pack("{ss}", "</script>", "<!--<script>");
    CHECK(rv_page_json(&page, value));
    char *text = close_page(&page, "json");
    assert_string_equal(text, "{\"\\u003c/script>\":\"\\u003c!--\\u003cscript>\"}");
    json_t *again = json_loads(text, 0, NULL);
    CHECK(json_equal(value, again));
    json_decref(again);
    json_decref(value);
    free(text);
}

TEST(test_base64)
{
    static const char *const cases[][2] = { /* RFC 4648, section 10 */
                                            { "", "" },
                                            { "f", "Zg==" },
                                            { "fo", "Zm8=" },
                                            { "foo", "Zm9v" },
                                            { "foob", "Zm9vYg==" },
                                            { "fooba", "Zm9vYmE=" },
                                            { "foobar", "Zm9vYmFy" }
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_text("bytes", cases[i][0]);
        rv_page page = open_page("base64");
        const int fd = open(in_folder("bytes"), O_RDONLY);
        rv_page_base64(&page, fd);
        close(fd);
        char *text = close_page(&page, "base64");
        assert_string_equal(text, cases[i][1]);
        free(text);
    }
}

/* Pictures ---------------------------------------------------------------------------------- */

enum { RATE = 8000 };

static int level(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, digit);
    CHECK(digit && at);
    return (int)(at - digits);
}

static double sample(const char *text)
{
    return (level(text[0]) * 64 + level(text[1])) / 4095.0 * 2 - 1;
}

/* One channel: silence, then from the middle a sine of amplitude 0.5; added in blocks. */
static rv_picture *draw(size_t n, double hertz, size_t block)
{
    rv_picture *p = NULL;
    rv_error err = { 0 };
    float *x = calloc(n, sizeof *x);
    CHECK(x != NULL);
    for (size_t i = n / 2; i < n; i++)
        x[i] = (float)(0.5 * sin(2 * M_PI * hertz * (double)i / RATE));
    CHECK_OK(rv_picture_new(&p, RATE, 1, &err), err);
    for (size_t i = 0; i < n; i += block)
        rv_picture_add(p, (float *[]){ x + i }, n - i < block ? n - i : block);
    rv_picture_end(p);
    free(x);
    return p;
}

TEST(test_wave)
{
    for (size_t n = 4 * RATE; n <= 400 * RATE; n *= 10) {
        rv_picture *p = draw(n, 1000, 3001);
        double seconds = 0;
        const size_t points = rv_picture_points(p, &seconds);
        char *text = calloc(1, 6 * points + 1);
        rv_picture_write_wave(p, text);
        CHECK(points <= RV_PICTURE_POINTS && points == (size_t)ceil((double)n / RATE / seconds));
        CHECK_CLOSE(rv_picture_seconds(p), (double)n / RATE, 1e-12);
        CHECK_CLOSE(rv_picture_peak(p), 0.5, 1e-6);
        CHECK_CLOSE(rv_picture_rms(p), 0.25, 1e-4);
        CHECK_CLOSE(sample(text + 6 * 10 + 2), 0, 1e-3);
        const char *late = text + 6 * (points - 10);
        CHECK_CLOSE(sample(late), -0.5, 1e-3);
        CHECK_CLOSE(sample(late + 2), 0.5, 1e-3);
        CHECK_CLOSE(sample(late + 4), 0.5 / sqrt(2), 1e-2);
        free(text);
        rv_picture_free(p);
    }
}

/* The band of the largest level in a column. */
static int brightest(const char *text, size_t columns, size_t column)
{
    int best = -1, most = 0;
    for (int row = 0; row < RV_PICTURE_BANDS; row++) {
        const int value = level(text[(size_t)row * columns + column]);
        if (value > most) {
            most = value;
            best = RV_PICTURE_BANDS - 1 - row;
        }
    }
    return best;
}

/* Slaney's mel scale from 30 Hz to 4 kHz: the band of which the middle is nearest. */
static int band_of(double hertz)
{
    const double low = 3 * 30 / 200.0, high = 15 + 27 * log(4) / log(6.4);
    const double mel = hertz < 1000 ? 3 * hertz / 200 : 15 + 27 * log(hertz / 1000) / log(6.4);
    return (int)lround((mel - low) / (high - low) * (RV_PICTURE_BANDS + 1)) - 1;
}

TEST(test_spectrogram)
{
    static const double tones[] = { 440, 1000, 3000 };
    for (size_t i = 0; i < 3; i++) {
        rv_picture *p = draw(40 * RATE, tones[i], 1000);
        double seconds = 0;
        const size_t columns = rv_picture_columns(p, &seconds);
        char *text = calloc(1, RV_PICTURE_BANDS * columns + 1);
        rv_picture_write_spectrogram(p, rv_picture_power(p), text);
        CHECK(columns <= RV_PICTURE_COLUMNS && columns >= RV_PICTURE_COLUMNS / 2);
        CHECK(fabs(seconds * (double)columns - 40) < 4 * seconds);
        CHECK(brightest(text, columns, columns / 4) == -1); /* silence */
        CHECK(abs(brightest(text, columns, columns * 3 / 4) - band_of(tones[i])) <= 1);
        free(text);
        rv_picture_free(p);
    }
}

TEST(test_picture_does_not_depend_on_blocks)
{
    char *text[2];
    for (int i = 0; i < 2; i++) {
        rv_picture *p = draw(11 * RATE + 17, 700, i ? 4096 : 77);
        double seconds;
        const size_t columns = rv_picture_columns(p, &seconds);
        CHECK((text[i] = calloc(1, RV_PICTURE_BANDS * columns + 1)) != NULL);
        rv_picture_write_spectrogram(p, 1, text[i]);
        rv_picture_free(p);
    }
    assert_string_equal(text[0], text[1]);
    free(text[0]);
    free(text[1]);
}

/* Figures ------------------------------------------------------------------------------------ */

static rv_status read_eval(json_t **out, const char *text, rv_error *err)
{
    return rv_report_read_eval(out, text, strlen(text), "out/m.json", err);
}

TEST(test_evaluation)
{
    json_t *e = NULL;
    rv_error err = { 0 };
    CHECK_OK(
        read_eval(&e,
                  "{\"tracks\": [{\"name\": null, \"split\": \"test\", \"new\": 1, \"targets\": "
                  "[{\"name\": \"bass\", \"metrics\": {\"SNR\": 2, \"SC\": null, \"x\": \"y\"}, "
                  "\"frames\": [{\"time\": 0, \"metrics\": {\"SDR\": 1.5}}, "
                  "{\"time\": 1, \"metrics\": {\"SDR\": null, \"SIR\": 3}}]}]}], \"more\": {}}",
                  &err),
        err);
    json_t *want = json_loads(
        "{\"metrics\": null, \"differences\": null, \"methods\": [{\"name\": \"m\", \"tracks\": "
        "[{\"name\": \"?\", \"split\": \"test\", \"stems\": "
        "[{\"name\": "
        "\"bass\", \"values\": {\"SNR\": 2.0, \"SC\": null}, \"times\": [0.0, 1.0], \"frames\": "
        "{\"SDR\": [1.5, null], \"SIR\": [null, 3.0]}}]}]}]}",
        0, NULL);
    CHECK(want && json_equal(e, want));
    json_decref(want);
    json_decref(e);
    e = NULL;
    CHECK_OK(read_eval(&e, "{\"targets\": []}", &err), err); /* museval's, of one track */
    const json_t *method = json_array_get(json_object_get(e, "methods"), 0);
    const json_t *track = json_array_get(json_object_get(method, "tracks"), 0);
    assert_string_equal(json_string_value(json_object_get(track, "name")), "m");
    json_decref(e);
}

TEST(test_evaluation_of_methods)
{
    json_t *e = NULL;
    rv_error err = { 0 };
    CHECK_OK(
        read_eval(&e,
                  "{\"schema\": \"ravel-eval/1\", \"metrics\": {\"SC\": {\"better\": "
                  "\"lower\"}}, \"methods\": [{\"name\": \"a\", \"tracks\": []}, {\"name\": "
                  "\"b\", \"tracks\": [{\"targets\": []}]}], \"differences\": {\"pairs\": []}}",
                  &err),
        err);
    const json_t *b = json_array_get(json_object_get(e, "methods"), 1);
    assert_string_equal(json_string_value(json_object_get(b, "name")), "b");
    CHECK(json_array_size(json_object_get(b, "tracks")) == 1);
    CHECK(json_is_object(json_object_get(json_object_get(e, "metrics"), "SC")));
    CHECK(json_is_array(json_object_get(json_object_get(e, "differences"), "pairs")));
    json_decref(e);
}

TEST(test_evaluations_that_are_none)
{
    static const char *const cases[][2] = {
        { "", "out/m.json, line 1: no JSON" },
        { "{\n\"tracks\": [,]}", "line 2" },
        { "[]", "no list of tracks" },
        { "{\"tracks\": 3}", "no list of tracks" },
        { "{\"methods\": [{}]}", "no list of tracks" },
        { "{\"tracks\": [{\"targets\": []}, {}]}", "track 2: no list of targets" },
        { "{\"tracks\": [{\"targets\": [{}]}]}", "track 1: a target without a name" },
        { "{\"tracks\": [{\"targets\": [{\"name\": \"a\", \"frames\": [1]}]}]}", "without a time" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *e = NULL;
        rv_error err = { 0 };
        CHECK(read_eval(&e, cases[i][0], &err) == RV_ERR_FORMAT && !e);
        CHECK_MSG(strstr(err.text, cases[i][1]) && strncmp(err.text, "out/m.json", 10) == 0, "%s",
                  err.text);
    }
}

static rv_status read_log(json_t **out, const char *text, rv_error *err)
{
    FILE *f = fmemopen((void *)text, strlen(text), "rb");
    CHECK(f != NULL);
    const rv_status status = rv_report_read_log(out, f, "log.jsonl", err);
    fclose(f);
    return status;
}

static double number_at(const json_t *series, const char *key, size_t i)
{
    return json_number_value(json_array_get(json_object_get(series, key), i));
}

TEST(test_log)
{
    json_t *log = NULL;
    rv_error err = { 0 };
    CHECK_OK(read_log(&log,
                      "{\"kind\":\"init\",\"step\":0,\"tensors\":3}\n"
                      "{\"kind\":\"train\",\"step\":10,\"epoch\":0,\"loss\":0.5,\"word\":\"x\"}\n"
                      "{\"kind\":\"valid\",\"step\":10,\"si_sdr\":-1}\n"
                      "{\"kind\":\"train\",\"step\":20,\"loss\":0.25}\n{\"kind\":\"tr",
                      &err),
             err);
    CHECK(json_array_size(log) == 2);
    const json_t *loss = json_array_get(log, 0);
    assert_string_equal(json_string_value(json_object_get(loss, "name")), "loss");
    CHECK(number_at(loss, "steps", 1) == 20 && number_at(loss, "values", 1) == 0.25);
    CHECK(number_at(loss, "least", 0) == 20 && number_at(loss, "most", 1) == 0.5);
    json_decref(log);
    log = NULL;
    CHECK(read_log(&log, "{}\nno\n", &err) == RV_ERR_FORMAT && !log);
    CHECK(strstr(err.text, "log.jsonl, line 2"));
}

/* A long log becomes means of neighbours. */
TEST(test_long_log)
{
    enum { LINES = 5000 };
    char *text = calloc(LINES, 48), *to = text;
    json_t *log = NULL;
    rv_error err = { 0 };
    for (int i = 0; i < LINES; i++)
        to += sprintf(to, "{\"kind\":\"train\",\"step\":%d,\"loss\":%d}\n", i, 2 * i);
    CHECK_OK(read_log(&log, text, &err), err);
    const json_t *loss = json_array_get(log, 0), *values = json_object_get(loss, "values");
    CHECK(json_array_size(values) == LINES / 8 && json_array_size(values) <= 1200);
    for (size_t i = 0; i < LINES / 8; i++)
        CHECK(number_at(loss, "steps", i) == 8 * (double)i + 3.5 &&
              number_at(loss, "values", i) == 2 * (8 * (double)i + 3.5));
    json_decref(log);
    free(text);
}

/* Reports ------------------------------------------------------------------------------------ */

static rv_status report(const char *out, const rv_report_options *opt, rv_error *err)
{
    char path[400];
    snprintf(path, sizeof path, "%s", in_folder(out));
    return rv_report_write(path, opt, NULL, err);
}

static rv_report_options with_folder(char path[400], const char *name)
{
    rv_report_options opt;
    static const char *folders[1];
    rv_report_defaults(&opt);
    snprintf(path, 400, "%s", in_folder(name));
    folders[0] = path;
    opt.folders = folders;
    opt.n_folders = 1;
    return opt;
}

static json_t *page_data(const char *page)
{
    const char *from = strstr(page, "id=\"data\">");
    CHECK(from != NULL);
    from += strlen("id=\"data\">");
    json_t *data = json_loadb(from, (size_t)(strstr(from, "</script>") - from), 0, NULL);
    CHECK(json_is_object(data));
    return data;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    while ((text = strstr(text, what)))
        n++, text++;
    return n;
}

static const char evil[] = "a<!--<script>\"'& b";

TEST(test_report_of_a_folder)
{
    char path[400], song[100];
    rv_error err = { 0 };
    snprintf(song, sizeof song, "sep/model/%s", evil);
    write_song(song, 1, 9000, "wav");
    write_song_file(&(song_file){ song, "mixture.wav", 9, 8000, 1, 9000 });
    rv_report_options opt = with_folder(path, song);
    CHECK_OK(report("one.html", &opt, &err), err);
    CHECK_OK(report("again.html", &opt, &err), err);
    char *page = read_text("one.html"), *again = read_text("again.html");
    assert_string_equal(page, again);
    json_t *data = page_data(page);
    const json_t *one = json_array_get(json_object_get(data, "songs"), 0);
    const json_t *lanes = json_object_get(one, "lanes");
    assert_string_equal(json_string_value(json_object_get(one, "name")), evil);
    CHECK(json_array_size(lanes) == 5 && count(page, "id=\"sound-0-") == 5);
    CHECK(count(page, "id=\"picture-0-") == 5);
    CHECK(json_number_value(json_object_get(json_array_get(lanes, 1), "length")) == 9000 / 8000.0);
    const json_t *group = json_array_get(json_object_get(data, "groups"), 2);
    assert_string_equal(json_string_value(group), "model");
    CHECK(!strstr(page, "<!--") && strstr(page, "a&lt;!--&lt;script&gt;&quot;&#39;&amp; b"));
    CHECK(!strstr(page, "http://") || count(page, "http://") == count(page, "http://www.w3.org/"));
    json_decref(data);
    free(page);
    free(again);
}

TEST(test_references_and_models)
{
    char paths[4][400];
    rv_error err = { 0 };
    write_song("refs/a", 1, 3000, "wav");
    write_song("refs/b", 1, 3000, "wav");
    write_song("m1/a", 5, 3000, "flac");
    write_song("m2/a", 9, 3000, "wav");
    static const char *const names[] = { "m1", "m2", "refs" };
    for (int i = 0; i < 3; i++)
        snprintf(paths[i], sizeof paths[i], "%s", in_folder(names[i]));
    rv_report_options opt;
    rv_report_defaults(&opt);
    opt.folders = (const char *[]){ paths[0], paths[1] };
    opt.n_folders = 2;
    opt.references = paths[2];
    opt.audio = RV_REPORT_NONE;
    rv_report_summary summary = { 0 };
    snprintf(paths[3], sizeof paths[3], "%s", in_folder("two.html"));
    CHECK_OK(rv_report_write(paths[3], &opt, &summary, &err), err);
    CHECK(summary.songs == 1 && summary.songs_left_out == 1 && summary.lanes == 13);
    char *page = read_text("two.html");
    CHECK(summary.bytes == strlen(page) && summary.audio_bytes == 0 &&
          !strstr(page, "id=\"sound-"));
    json_t *data = page_data(page);
    const double stated = json_number_value(json_object_get(data, "bytes"));
    CHECK(fabs(stated - (double)summary.bytes) < 200);
    const json_t *lanes =
        json_object_get(json_array_get(json_object_get(data, "songs"), 0), "lanes");
    static const int groups[] = { 0, 2, 3, 1, 2, 3, 1 }; /* mix, then vocals, drums ... */
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        CHECK(json_integer_value(json_object_get(json_array_get(lanes, i), "group")) == groups[i]);
    json_decref(data);
    free(page);
}

TEST(test_part_of_the_sound)
{
    char path[400];
    rv_error err = { 0 };
    write_song("part", 1, 24000, "wav");
    rv_report_options opt = with_folder(path, "part");
    opt.audio = RV_REPORT_FLAC;
    opt.start = 1;
    opt.max_seconds = 0.5;
    CHECK_OK(report("part.html", &opt, &err), err);
    char *page = read_text("part.html");
    json_t *data = page_data(page);
    const json_t *lane = json_array_get(
        json_object_get(json_array_get(json_object_get(data, "songs"), 0), "lanes"), 0);
    CHECK(json_number_value(json_object_get(lane, "seconds")) == 3);
    CHECK(json_number_value(json_object_get(lane, "from")) == 1);
    CHECK(json_number_value(json_object_get(lane, "length")) == 0.5);
    CHECK(strstr(page, "id=\"sound-0-0\">ZkxhQ")); /* "fLaC" */
    json_decref(data);
    free(page);
}

static int stop(void *ctx, const rv_report_progress *now)
{
    int *calls = ctx;
    CHECK(now->fraction >= 0 && now->fraction <= 1 && now->song && now->stem);
    return ++*calls == 2;
}

static bool exists(const char *name)
{
    return access(in_folder(name), F_OK) == 0;
}

TEST(test_refusals)
{
    char path[400], file[400];
    rv_error err = { 0 };
    rv_report_options opt = with_folder(path, "nowhere");
    CHECK(report("bad.html", &opt, &err) == RV_ERR_IO && strstr(err.text, "nowhere: is no folder"));
    CHECK(mkdir(in_folder("empty"), 0777) == 0);
    opt = with_folder(path, "empty");
    CHECK(report("bad.html", &opt, &err) == RV_ERR_IO && strstr(err.text, "holds no audio files"));
    write_song("fake", 1, 3000, "wav");
    write_text("fake/x.wav", "this is no sound");
    opt = with_folder(path, "fake");
    CHECK(report("bad.html", &opt, &err) == RV_ERR_FORMAT && strstr(err.text, "fake/x.wav"));
    rv_report_defaults(&opt);
    CHECK(report("bad.html", &opt, &err) == RV_ERR_ARG && strstr(err.text, "nothing to show"));
    opt.runs = (const char *[]){ path };
    opt.n_runs = 1;
    CHECK(report("bad.html", &opt, &err) == RV_ERR_IO && strstr(err.text, "fake/log.jsonl"));
    opt.n_runs = 0;
    snprintf(file, sizeof file, "%s", in_folder("fake/x.wav"));
    opt.card = file;
    CHECK(report("bad.html", &opt, &err) != RV_OK && strstr(err.text, "fake/x.wav"));
    CHECK(!exists("bad.html"));
}

TEST(test_interruption_leaves_nothing)
{
    char path[400];
    rv_error err = { 0 };
    int calls = 0;
    write_song("stop", 1, 3000, "wav");
    rv_report_options opt = with_folder(path, "stop");
    opt.progress = stop;
    opt.progress_ctx = &calls;
    CHECK(mkdir(in_folder("out"), 0777) == 0);
    CHECK(report("out/stopped.html", &opt, &err) == RV_ERR_CANCELLED && calls == 2);
    CHECK(rmdir(in_folder("out")) == 0); /* no hidden files either */
}

TEST(test_run_and_card)
{
    char run[500], card[400];
    rv_error err = { 0 };
    CHECK(mkdir(in_folder("first"), 0777) == 0);
    write_text("first/log.jsonl", "{\"kind\":\"train\",\"step\":1,\"loss\":1}\n");
    write_text("first/recipe.yaml", "model:\n  name: </script>\n");
    write_text("card.md", "# A model </script>\n");
    rv_report_options opt;
    rv_report_defaults(&opt);
    snprintf(run, sizeof run, "%s/", in_folder("first"));
    snprintf(card, sizeof card, "%s", in_folder("card.md"));
    opt.runs = (const char *[]){ run };
    opt.n_runs = 1;
    opt.card = card;
    opt.title = "</title><script>";
    CHECK_OK(report("run.html", &opt, &err), err);
    char *page = read_text("run.html");
    json_t *data = page_data(page);
    const json_t *first = json_array_get(json_object_get(data, "runs"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "name")), "first");
    CHECK(strstr(json_string_value(json_object_get(first, "recipe")), "</script>"));
    CHECK(count(page, "</script>") == 2 && count(page, "<script") == 2);
    json_decref(data);
    free(page);
}

/* A page of Ogg with a checksum from the format's description: CRC-32, 0x04c11db7. */
TEST(test_ogg_that_is_none)
{
    rv_error err = { 0 };
    write_text("none.ogg", "OggS is not enough");
    const int fd = open(in_folder("none.ogg"), O_RDWR);
    CHECK(rv_ogg_fix_serial(fd, "none.ogg", &err) == RV_ERR_FORMAT);
    CHECK(strstr(err.text, "none.ogg: no page of Ogg at byte 0"));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_html_is_escaped),
        cmocka_unit_test(test_text_that_is_no_utf8),
        cmocka_unit_test(test_json_in_a_page),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_wave),
        cmocka_unit_test(test_spectrogram),
        cmocka_unit_test(test_picture_does_not_depend_on_blocks),
        cmocka_unit_test(test_evaluation),
        cmocka_unit_test(test_evaluation_of_methods),
        cmocka_unit_test(test_evaluations_that_are_none),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_long_log),
        cmocka_unit_test(test_report_of_a_folder),
        cmocka_unit_test(test_references_and_models),
        cmocka_unit_test(test_part_of_the_sound),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_interruption_leaves_nothing),
        cmocka_unit_test(test_run_and_card),
        cmocka_unit_test(test_ogg_that_is_none),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
