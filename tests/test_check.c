/* test_check.c - every kind of finding, provoked in tiny data sets. Songs are noise at 8 kHz, four
 * stems and their sum. */
#include "song_files.h"

#include "data/check_shift.h"
#include "data/check_signal.h"
#include "ravel/dataset.h"

#include <math.h>
#include <unistd.h>

enum { FRAMES = 20000, RATE = 8000, STEMS = 4 };

/* A song before it is written; tests spoil it. */
typedef struct song {
    float x[STEMS + 1][2][FRAMES]; /* the mixture at last */
} song;

static song s;

static void make_song(uint64_t key)
{
    for (int c = 0; c < 2; c++)
        for (size_t t = 0; t < FRAMES; t++) {
            s.x[STEMS][c][t] = 0;
            for (size_t i = 0; i < STEMS; i++) {
                s.x[i][c][t] = song_sample(key + i, c, t);
                s.x[STEMS][c][t] += s.x[i][c][t];
            }
        }
}

static void save_audio(const char *name, const char *file, size_t i, size_t frames, int rate)
{
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    const float *const planes[] = { s.x[i][0], s.x[i][1] };
    char path[400];
    rv_audio_writer *w = NULL;
    rv_error err = { 0 };
    snprintf(path, sizeof path, "%s/%s/%s.wav", folder, name, file);
    opt.channels = 2;
    opt.sample_rate = rate;
    opt.bits = 32;
    CHECK_OK(rv_audio_writer_open(&w, path, &opt, &err), err);
    CHECK_OK(rv_audio_writer_write(w, planes, frames, &err), err);
    CHECK_OK(rv_audio_writer_commit(w, &err), err);
    rv_audio_writer_free(w);
}

static void save_song(const char *name)
{
    for (size_t i = 0; i < STEMS; i++)
        save_audio(name, stem_names[i], i, FRAMES, RATE);
    save_audio(name, "mixture", STEMS, FRAMES, RATE);
}

static rv_check_report *check(const char *root, const rv_check_options *opt)
{
    rv_check_report *r = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_dataset_check(&r, in_folder(root), opt, &err), err);
    return r;
}

static const rv_check_finding *find(const rv_check_report *r, const char *code, const char *track,
                                    const char *stem)
{
    for (size_t i = 0; i < r->n_findings; i++) {
        const rv_check_finding *f = &r->findings[i];
        if (strcmp(f->code, code) == 0 && strcmp(f->track, track) == 0 &&
            strcmp(f->stem, stem) == 0)
            return f;
    }
    return NULL;
}

/* The finding is there, is that bad, and says so. */
static const rv_check_finding *expect(const rv_check_report *r, rv_check_severity severity,
                                      const char *code, const char *track, const char *stem,
                                      const char *text)
{
    const rv_check_finding *f = find(r, code, track, stem);
    CHECK_MSG(f != NULL, "no finding %s of %s %s among %zu", code, track, stem, r->n_findings);
    CHECK_MSG(f->severity == severity, "%s: severity %d", code, (int)f->severity);
    CHECK_MSG(strstr(f->text, text) != NULL, "'%s' lacks '%s'", f->text, text);
    return f;
}

static void check_count(const rv_check_report *r, size_t n)
{
    for (size_t i = 0; i < r->n_findings && r->n_findings != n; i++)
        print_message("%s: %s: %s\n", r->findings[i].track, r->findings[i].stem,
                      r->findings[i].text);
    CHECK_MSG(r->n_findings == n, "%zu findings, not %zu", r->n_findings, n);
}

static const rv_check_audio *audio_of(const rv_check_report *r, size_t track, const char *stem)
{
    for (size_t i = 0; i <= r->n_stems; i++)
        if (strcmp(r->tracks[track].audio[i].name, stem) == 0)
            return &r->tracks[track].audio[i];
    CHECK_MSG(false, "no stem %s", stem);
    return NULL;
}

TEST(test_whole_songs)
{
    make_song(10);
    save_song("whole/train/a");
    make_song(20);
    save_song("whole/test/b");
    rv_check_report *r = check("whole", NULL);
    check_count(r, 0);
    CHECK(strcmp(r->layout, "songs") == 0 && r->n_tracks == 2 && r->n_stems == 4);
    CHECK(strcmp(r->tracks[0].name, "a") == 0 && strcmp(r->tracks[0].split, "train") == 0);
    CHECK(r->tracks[0].seconds == 2.5 && r->tracks[0].has_sum);
    CHECK(r->tracks[0].residual < -140 && fabs(r->tracks[0].gain - 1) < 1e-9);
    const rv_check_audio *a = audio_of(r, 1, "mixture");
    CHECK(a->files == 1 && a->readable && !a->lossy && a->channels == 2 && a->sample_rate == RATE);
    CHECK(a->frames == FRAMES && a->silent == 0 && a->clipped == 0 && a->not_finite == 0);
    double energy = 0, peak = 0;
    for (int c = 0; c < 2; c++)
        for (size_t t = 0; t < FRAMES; t++) {
            energy += (double)s.x[STEMS][c][t] * (double)s.x[STEMS][c][t];
            peak = fmax(peak, fabs((double)s.x[STEMS][c][t]));
        }
    CHECK_CLOSE(a->rms, sqrt(energy / (2 * FRAMES)), 1e-9);
    CHECK_CLOSE(a->peak, peak, 0);
    rv_check_report_free(r);
}

/* Sums and shifts */

TEST(test_residual)
{
    double energy = 0, noise = 0;
    make_song(30);
    for (int c = 0; c < 2; c++)
        for (size_t t = 0; t < FRAMES; t++) {
            const float more = 0.1f * song_sample(99, c, t);
            s.x[STEMS][c][t] += more;
            noise += (double)more * (double)more;
            energy += (double)s.x[STEMS][c][t] * (double)s.x[STEMS][c][t];
        }
    save_song("residual/a");
    const double level = 10 * log10(noise / energy);
    rv_check_options opt;
    rv_check_defaults(&opt);
    rv_check_report *r = check("residual", &opt);
    expect(r, RV_CHECK_WARNING, "sum", "a", "mixture", "residual -26");
    CHECK(fabs(r->tracks[0].residual - level) < 1e-3);
    check_count(r, 1);
    rv_check_report_free(r);
    opt.residual = level + 0.1;
    r = check("residual", &opt);
    check_count(r, 0);
    rv_check_report_free(r);
    static const char *const two[] = { "drums", "vocals" };
    opt = (rv_check_options){ .stems = two, .n_stems = 2, .residual = -40 };
    r = check("residual", &opt);
    check_count(r, 0);
    CHECK(r->n_stems == 2 && !r->tracks[0].has_sum);
    rv_check_report_free(r);
}

TEST(test_gain)
{
    make_song(40);
    for (int c = 0; c < 2; c++)
        for (size_t t = 0; t < FRAMES; t++)
            s.x[STEMS][c][t] *= 0.5f;
    save_song("gain/a");
    rv_check_report *r = check("gain", NULL);
    CHECK_CLOSE(expect(r, RV_CHECK_WARNING, "gain", "a", "mixture", "-6.02 dB")->value, 0.5, 1e-9);
    CHECK(r->tracks[0].residual_fitted < -100);
    CHECK_CLOSE(r->tracks[0].residual, 0, 1e-6);
    check_count(r, 1);
    rv_check_report_free(r);
}

/* The file of the stem holds it `by` samples earlier than the mixture. */
static void shift_stem(size_t stem, int by)
{
    for (int c = 0; c < 2; c++) {
        static float moved[FRAMES];
        for (int t = 0; t < FRAMES; t++)
            moved[t] = t + by >= 0 && t + by < FRAMES ? s.x[stem][c][t + by] : 0;
        memcpy(s.x[stem][c], moved, sizeof moved);
    }
}

TEST(test_shifted_stems)
{
    make_song(50);
    shift_stem(0, 137);
    save_song("shifted/a");
    make_song(60);
    shift_stem(3, -1);
    shift_stem(2, -2500);
    save_song("shifted/b");
    rv_check_report *r = check("shifted", NULL);
    const rv_check_finding *f =
        expect(r, RV_CHECK_WARNING, "misaligned", "a", "drums", "later in the mixture by 137");
    CHECK(f->value == 137 && strstr(f->text, "shift it by +137") != NULL);
    f = expect(r, RV_CHECK_WARNING, "misaligned", "b", "other", "earlier in the mixture by 2500");
    CHECK(f->value == -2500);
    expect(r, RV_CHECK_WARNING, "sum", "a", "mixture", "do not sum");
    expect(r, RV_CHECK_WARNING, "sum", "b", "mixture", "do not sum");
    CHECK(expect(r, RV_CHECK_WARNING, "misaligned", "b", "vocals", "by 1 sample (")->value == -1);
    check_count(r, 5);
    rv_check_report_free(r);
}

TEST(test_polarity)
{
    make_song(70);
    for (int c = 0; c < 2; c++)
        for (size_t t = 0; t < FRAMES; t++)
            s.x[1][c][t] *= -1;
    save_song("polarity/a");
    rv_check_report *r = check("polarity", NULL);
    CHECK(expect(r, RV_CHECK_WARNING, "polarity", "a", "bass", "multiply it by -1")->value < -0.3);
    check_count(r, 2);
    rv_check_report_free(r);
}

/* Longer than one part of the correlation, and coded on another grid in each file. */
TEST(test_shift_in_a_long_song)
{
    enum { LONG = 400000, BY = 4711 };
    float *x = calloc(3 * LONG, sizeof *x), *stem = x, *other = x + LONG, *mix = x + 2 * LONG;
    CHECK(x != NULL);
    for (size_t t = 0; t < LONG; t++) {
        stem[t] = t > 200000 ? song_sample(1, 0, t + BY) : 0;
        other[t] = song_sample(2, 0, t) * 0.9f;
        mix[t] = other[t] + (t > 200000 + BY ? song_sample(1, 0, t) : 0);
    }
    write_planes(in_folder("long/a/x.wav"), &(song_file){ "", "", 0, RATE, 1, LONG }, &stem);
    write_planes(in_folder("long/a/y.wav"), &(song_file){ "", "", 0, RATE, 1, LONG }, &other);
    write_planes(in_folder("long/a/mix.wav"), &(song_file){ "", "", 0, RATE, 1, LONG }, &mix);
    free(x);
    rv_check_report *r = check("long", NULL);
    CHECK(expect(r, RV_CHECK_WARNING, "misaligned", "a", "x", "later")->value == BY);
    CHECK(find(r, "misaligned", "a", "y") == NULL);
    CHECK_CLOSE(audio_of(r, 0, "x")->silent, 196608.0 / LONG, 1e-9);
    rv_check_report_free(r);
}

/* Stems of several files, and of one channel. */
TEST(test_sums_of_files)
{
    static const char *const stems[] = { "vocals", "accompaniment" };
    rv_check_options opt;
    rv_check_defaults(&opt);
    make_song(75);
    for (size_t i = 0; i < 3; i++)
        shift_stem(i, 50);
    save_song("sums/a");
    save_audio("mir/Wavfile", "b", 0, FRAMES, RATE);
    opt.layout = "musdb18hq";
    opt.stems = stems;
    opt.n_stems = 2;
    rv_check_report *r = check("sums", &opt);
    CHECK(expect(r, RV_CHECK_WARNING, "misaligned", "a", stems[1], "later")->value == 50);
    CHECK(audio_of(r, 0, stems[1])->files == 3 && r->n_findings == 1);
    rv_check_report_free(r);
    opt.layout = "mir1k";
    r = check("mir", &opt);
    check_count(r, 0);
    CHECK(audio_of(r, 0, stems[0])->channels == 1 && audio_of(r, 0, "mixture")->files == 0);
    CHECK(audio_of(r, 0, stems[0])->hash != audio_of(r, 0, stems[1])->hash);
    rv_check_report_free(r);
}

TEST(test_parts_where_a_stem_is_loudest)
{
    rv_check_parts p = { 0 };
    double stem = 0, mix = 0;
    for (uint64_t i = 0; i < 20; i++) {
        stem += i % 2 ? (double)i : 0;
        mix += i == 19 ? 1000 : (double)i + 1;
        rv_check_parts_add(&p, i, stem, mix);
    }
    uint64_t found = 0;
    for (size_t i = 0; i < p.n; i++)
        found |= 1ULL << p.at[i].start;
    CHECK(p.n == RV_PARTS && found == 0x2aaa8); /* 3, 5, ... 17 */
}

/* One signal */

TEST(test_clipping)
{
    make_song(80);
    for (size_t t = 0; t < 5; t++)
        s.x[0][0][8190 + t] = 1; /* across two blocks */
    for (size_t t = 0; t < 3; t++)
        s.x[0][1][FRAMES - 3 + t] = -32767.0f / 32768.0f;
    s.x[1][0][3] = s.x[1][0][4] = 1; /* too short */
    s.x[2][0][3] = s.x[2][0][4] = 1; /* beyond full scale, and no run */
    s.x[2][0][5] = 1.25f;
    save_song("clipped/a");
    rv_check_options opt;
    rv_check_defaults(&opt);
    opt.residual = 100;
    rv_check_report *r = check("clipped", &opt);
    const rv_check_audio *a = audio_of(r, 0, "drums");
    CHECK(a->clipped_runs == 2 && a->clipped == 8);
    expect(r, RV_CHECK_WARNING, "clipping", "a", "drums", "2 runs at full scale, 8 samples");
    check_count(r, 1);
    CHECK_CLOSE(audio_of(r, 0, "other")->peak, 1.25, 0);
    rv_check_report_free(r);
}

TEST(test_silence)
{
    make_song(90);
    memset(s.x[0], 0, sizeof s.x[0]);
    for (int c = 0; c < 2; c++)
        for (size_t t = 0; t < 2 * RV_CHECK_BLOCK; t++)
            s.x[1][c][t] = 0.0005f; /* 82 % */
    memset(s.x[2], 0, sizeof s.x[2]);
    s.x[2][0][FRAMES - 1] = 0.0009f;
    save_song("silent/a");
    memset(&s, 0, sizeof s);
    save_song("silent/b");
    unlink(in_folder("silent/b/mixture.wav"));
    make_song(100);
    memset(s.x[STEMS], 0, sizeof s.x[STEMS]);
    save_song("silent/c");
    rv_check_options opt;
    rv_check_defaults(&opt);
    opt.residual = 100;
    rv_check_report *r = check("silent", &opt);
    expect(r, RV_CHECK_NOTE, "silence", "a", "drums", "silent (2.5 s of zeros)");
    expect(r, RV_CHECK_NOTE, "silence", "a", "other", "silent for 100.0 %");
    CHECK(find(r, "silence", "a", "bass") == NULL);
    CHECK_CLOSE(audio_of(r, 0, "bass")->silent, 2.0 * RV_CHECK_BLOCK / FRAMES, 1e-9);
    expect(r, RV_CHECK_WARNING, "silence", "b", "", "all stems are silent");
    expect(r, RV_CHECK_NOTE, "missing", "b", "mixture", "no file, unlike in other songs");
    expect(r, RV_CHECK_WARNING, "silence", "c", "mixture", "leave the song out");
    expect(r, RV_CHECK_WARNING, "sum", "c", "mixture", "silent, but its stems are not");
    rv_check_report_free(r);
}

/* The writer refuses such samples. */
static void spoil_sample(const char *file, size_t channel, size_t frame, float value)
{
    FILE *f = fopen(in_folder(file), "r+");
    const long back = (long)((2 * (FRAMES - frame) - channel) * sizeof value);
    CHECK(f && fseek(f, -back, SEEK_END) == 0 && fwrite(&value, sizeof value, 1, f) == 1);
    fclose(f);
}

TEST(test_offset_and_not_finite)
{
    make_song(110);
    for (int c = 0; c < 2; c++)
        for (size_t t = 0; t < FRAMES; t++)
            s.x[0][c][t] += c ? 0.02f : -0.05f;
    save_song("offset/a");
    spoil_sample("offset/a/bass.wav", 0, 7, NAN);
    spoil_sample("offset/a/bass.wav", 1, 9000, INFINITY);
    rv_check_options opt;
    rv_check_defaults(&opt);
    opt.residual = 100;
    rv_check_report *r = check("offset", &opt);
    CHECK_CLOSE(expect(r, RV_CHECK_WARNING, "dc", "a", "drums", "DC offset")->value, -0.05, 0.002);
    CHECK(expect(r, RV_CHECK_ERROR, "nan", "a", "bass", "2 samples are NaN")->value == 2);
    CHECK(isfinite(r->tracks[0].residual));
    check_count(r, 2);
    rv_check_report_free(r);
}

/* Songs compared */

TEST(test_duplicates)
{
    make_song(120);
    save_song("twice/train/a");
    save_song("twice/test/b");
    save_song("twice/train/bb");
    make_song(130);
    memcpy(s.x[3], s.x[2], sizeof s.x[3]);
    save_song("twice/train/c");
    make_song(140);
    save_song("twice/train/d");
    make_song(140);
    save_song("twice/train/e");
    save_audio("twice/train/e", "bass", 0, FRAMES, RATE);
    rv_check_options opt;
    rv_check_defaults(&opt);
    opt.residual = 100;
    rv_check_report *r = check("twice", &opt);
    expect(r, RV_CHECK_ERROR, "leak", "test/b", "bass, drums, other, vocals, mixture",
           "as in train/a");
    expect(r, RV_CHECK_WARNING, "duplicate", "train/c", "vocals", "the same audio as other of");
    expect(r, RV_CHECK_WARNING, "duplicate", "train/e", "bass, drums, other, vocals, mixture",
           "in train/d");
    expect(r, RV_CHECK_ERROR, "leak", "train/bb", "bass, drums, other, vocals, mixture", "test/b");
    check_count(r, 4);
    rv_check_report_free(r);
}

TEST(test_odd_rate)
{
    make_song(150);
    save_song("rates/a");
    make_song(160);
    save_song("rates/b");
    make_song(170);
    for (size_t i = 0; i <= STEMS; i++)
        save_audio("rates/c", i < STEMS ? stem_names[i] : "mixture", i, FRAMES, 11025);
    make_song(180);
    save_song("rates/d");
    save_audio("rates/d", "vocals", 3, FRAMES, 16000);
    rv_check_report *r = check("rates", NULL);
    expect(r, RV_CHECK_NOTE, "rate", "c", "", "11025 Hz; most songs are of 8000 Hz");
    expect(r, RV_CHECK_ERROR, "rate", "d", "vocals", "16000 Hz, unlike");
    CHECK(!r->tracks[3].has_sum);
    check_count(r, 2);
    rv_check_report_free(r);
}

/* Files */

static void truncate_to(const char *file, off_t size)
{
    CHECK(truncate(in_folder(file), size) == 0);
}

TEST(test_bad_files)
{
    make_song(190);
    save_song("bad/a");
    truncate_to("bad/a/drums.wav", 50000);
    truncate_to("bad/a/other.wav", 0);
    make_song(200);
    save_song("bad/b");
    unlink(in_folder("bad/b/bass.wav"));
    save_audio("bad/b", "vocals", 3, FRAMES - 10, RATE);
    write_song_file(&(song_file){ "bad/b", "other.wav", 5, RATE, 1, FRAMES });
    rv_check_report *r = check("bad", NULL);
    expect(r, RV_CHECK_ERROR, "unreadable", "a", "drums", "truncated");
    expect(r, RV_CHECK_ERROR, "unreadable", "a", "other", "other.wav");
    expect(r, RV_CHECK_ERROR, "missing", "b", "bass", "no file");
    CHECK(expect(r, RV_CHECK_ERROR, "length", "b", "vocals", "19990 frames, -10")->value == -10);
    expect(r, RV_CHECK_ERROR, "channels", "b", "other", "1 channels, unlike");
    CHECK(!audio_of(r, 0, "drums")->readable && audio_of(r, 0, "bass")->readable);
    check_count(r, 5);
    rv_check_report_free(r);
}

/* Cut in the middle, so that only reading tells. */
TEST(test_truncated_flac)
{
    write_song("flac/a", 210, FRAMES, "flac");
    truncate_to("flac/a/vocals.flac", 30000);
    rv_check_report *r = check("flac", NULL);
    expect(r, RV_CHECK_ERROR, "unreadable", "a", "vocals", "vocals.flac");
    check_count(r, 1);
    rv_check_report_free(r);
}

TEST(test_song_that_lacks_a_file)
{
    make_song(220);
    save_song("hq/train/a");
    make_song(230);
    save_song("hq/train/b");
    unlink(in_folder("hq/train/b/bass.wav"));
    rv_check_options opt;
    rv_check_defaults(&opt);
    opt.layout = "musdb18hq";
    rv_check_report *r = check("hq", &opt);
    expect(r, RV_CHECK_ERROR, "metadata", "train/b", "", "bass: no such file");
    CHECK(r->n_tracks == 1);
    check_count(r, 1);
    rv_check_report_free(r);
    unlink(in_folder("hq/train/a/bass.wav"));
    r = check("hq", &opt);
    check_count(r, 2);
    CHECK(r->n_tracks == 0);
    rv_check_report_free(r);
}

TEST(test_lossy_streams)
{
    char command[1000];
    snprintf(command, sizeof command,
             "mkdir -p '%s/mp4' && cp '%s/tests/golden/tones.stem.mp4' "
             "'%s/mp4/a.stem.mp4'",
             folder, getenv("RV_TEST_SOURCE"), folder);
    CHECK(system(command) == 0);
    rv_check_report *r = check("mp4", NULL);
    CHECK(strcmp(r->layout, "musdb18") == 0 && r->n_tracks == 1);
    if (r->tracks[0].audio[0].readable) /* a build with FFmpeg */
        CHECK(r->tracks[0].audio[0].lossy && r->tracks[0].has_sum);
    rv_check_report_free(r);
}

/* The whole */

static bool same_reports(const rv_check_report *a, const rv_check_report *b)
{
    bool same = a->n_findings == b->n_findings && a->n_tracks == b->n_tracks;
    for (size_t i = 0; same && i < a->n_findings; i++)
        same = strcmp(a->findings[i].track, b->findings[i].track) == 0 &&
               strcmp(a->findings[i].stem, b->findings[i].stem) == 0 &&
               strcmp(a->findings[i].text, b->findings[i].text) == 0 &&
               a->findings[i].value == b->findings[i].value;
    return same;
}

TEST(test_any_number_of_threads)
{
    rv_check_options opt;
    rv_check_defaults(&opt);
    for (uint64_t i = 0; i < 6; i++) {
        char name[40];
        make_song(300 + 10 * (i % 4));
        shift_stem(i % 4, (int)i);
        snprintf(name, sizeof name, "many/%s/%c", i % 3 ? "train" : "test", (char)('f' - i));
        save_song(name);
    }
    opt.threads = 1;
    rv_check_report *one = check("many", &opt);
    opt.threads = 5;
    rv_check_report *five = check("many", &opt);
    CHECK(one->n_findings >= 10 && same_reports(one, five));
    rv_check_report_free(one);
    rv_check_report_free(five);
}

static int stop_late(void *ctx, const char *name, double fraction)
{
    double *last = ctx;
    CHECK(*name && fraction >= *last && fraction <= 1);
    *last = fraction;
    return fraction > 0.4;
}

TEST(test_progress_and_stopping)
{
    double last = 0;
    rv_check_options opt;
    rv_check_report *r = NULL;
    rv_error err = { 0 };
    make_song(400);
    save_song("stop/a");
    save_song("stop/b");
    rv_check_defaults(&opt);
    opt.progress = stop_late;
    opt.progress_ctx = &last;
    opt.threads = 1;
    CHECK(rv_dataset_check(&r, in_folder("stop"), &opt, &err) == RV_ERR_CANCELLED);
    CHECK(r == NULL && last > 0.4 && last < 0.6);
}

TEST(test_refusals)
{
    rv_check_report *r = NULL;
    rv_error err = { 0 };
    rv_check_options opt;
    rv_check_defaults(&opt);
    CHECK(rv_dataset_check(&r, "/nonexistent", NULL, &err) == RV_ERR_IO);
    opt.residual = NAN;
    CHECK(rv_dataset_check(&r, folder, &opt, &err) == RV_ERR_ARG);
    rv_check_defaults(&opt);
    opt.threads = -1;
    CHECK(rv_dataset_check(&r, folder, &opt, &err) == RV_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_songs),
        cmocka_unit_test(test_residual),
        cmocka_unit_test(test_gain),
        cmocka_unit_test(test_shifted_stems),
        cmocka_unit_test(test_polarity),
        cmocka_unit_test(test_shift_in_a_long_song),
        cmocka_unit_test(test_sums_of_files),
        cmocka_unit_test(test_parts_where_a_stem_is_loudest),
        cmocka_unit_test(test_clipping),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_offset_and_not_finite),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_odd_rate),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_truncated_flac),
        cmocka_unit_test(test_song_that_lacks_a_file),
        cmocka_unit_test(test_lossy_streams),
        cmocka_unit_test(test_any_number_of_threads),
        cmocka_unit_test(test_progress_and_stopping),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
