/* test_compare.c - several methods side by side: the bootstrap of their differences, models run in
 * memory, which songs and mixtures they see, and what is refused. */
#include "eval/comparison.h"
#include "eval/contour_distance.h"
#include "eval/log_wmse.h"
#include "eval/spectral_distance.h"
#include "io/audio_read.h"
#include "ravel/separate.h"
#include "song_files.h"

#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bootstrap --------------------------------------------------------------------------------- */

enum { SONGS = 60, RESAMPLES = 4000 };

static double normal_of(size_t i)
{
    return 3 + 2 * rv_rng_normal(9, 0, i);
}

/* Of a mean of many values, the interval is nearly that of the normal distribution. */
TEST(test_bootstrap_interval)
{
    double x[SONGS], means[RESAMPLES], mean = 0, variance = 0;
    for (size_t i = 0; i < SONGS; i++)
        mean += (x[i] = normal_of(i)) / SONGS;
    for (size_t i = 0; i < SONGS; i++)
        variance += (x[i] - mean) * (x[i] - mean) / SONGS;
    const double half = 1.96 * sqrt(variance / SONGS);
    const rv_eval_difference d = rv_bootstrap(x, SONGS, RESAMPLES, 0, means);
    CHECK(d.songs == SONGS);
    CHECK_CLOSE(d.mean, mean, 1e-12);
    CHECK_CLOSE((d.low - mean) / half, -1, 0.08);
    CHECK_CLOSE((d.high - mean) / half, 1, 0.08);
    const rv_eval_difference same = rv_bootstrap(x, SONGS, RESAMPLES, 0, means);
    const rv_eval_difference other = rv_bootstrap(x, SONGS, RESAMPLES, 1, means);
    CHECK(same.low == d.low && same.high == d.high && other.low != d.low);
}

/* The interval holds the true mean in about 95 of 100 cases. */
TEST(test_bootstrap_coverage)
{
    enum { CASES = 300, SMALL = 500 };
    double x[SONGS], means[SMALL];
    int held = 0;
    for (size_t k = 0; k < CASES; k++) {
        for (size_t i = 0; i < SONGS; i++)
            x[i] = normal_of((k + 1) * SONGS + i);
        const rv_eval_difference d = rv_bootstrap(x, SONGS, SMALL, 0, means);
        held += d.low <= 3 && 3 <= d.high;
    }
    CHECK_MSG(held >= CASES * 90 / 100 && held <= CASES * 98 / 100, "%d of %d", held, CASES);
}

TEST(test_bootstrap_of_few)
{
    double x[] = { 1.5, 1.5, 1.5 }, means[100];
    const rv_eval_difference one = rv_bootstrap(x, 1, 100, 0, means);
    const rv_eval_difference three = rv_bootstrap(x, 3, 100, 0, means);
    CHECK(one.mean == 1.5 && isnan(one.low) && isnan(one.high));
    CHECK(three.low == 1.5 && three.high == 1.5);
}

/* Comparisons ------------------------------------------------------------------------------- */

static char *path_of(const char *name)
{
    static char paths[8][400];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, 400, "%s", in_folder(name));
    return path;
}

static const uint32_t wanted = RV_METRIC_BIT(RV_METRIC_SI_SDR) | RV_METRIC_BIT(RV_METRIC_SNR) |
                               RV_METRIC_BIT(RV_METRIC_SC) | RV_METRIC_BIT(RV_METRIC_SDR_MDX21);

static rv_eval_options options_of(size_t n_stems)
{
    rv_eval_options o;
    rv_eval_defaults(&o);
    o.metrics = wanted;
    o.stems = stem_names;
    o.n_stems = n_stems;
    o.threads = 1;
    o.resamples = 500;
    return o;
}

static rv_comparison *compare(const char *references, const rv_eval_method *methods, size_t n,
                              const rv_eval_options *o)
{
    rv_comparison *c = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_compare(&c, path_of(references), methods, n, o, &err), err);
    return c;
}

static char *text_of(const char *path)
{
    static char texts[2][300000];
    static int next;
    char *text = texts[next++ % 2];
    FILE *f = fopen(path, "r");
    CHECK_MSG(f != NULL, "%s", path);
    text[fread(text, 1, sizeof texts[0] - 1, f)] = '\0';
    fclose(f);
    return text;
}

/* Songs a to e, and estimates that are half as loud, or of which the bass is another's. */
static void write_set(void)
{
    for (uint64_t i = 0; i < 5; i++) {
        char song[40];
        snprintf(song, sizeof song, "set/%c", (char)('a' + i));
        write_song(song, 10 * i + 1, 2000, "wav");
        snprintf(song, sizeof song, "near/%c", (char)('a' + i));
        write_song(song, 10 * i + 1, 2000, "wav");
        write_song_file(&(song_file){ song, "bass.wav", 99 + i, 8000, 2, 2000 });
    }
}

static void check_differences(const rv_comparison *c)
{
    const rv_eval_difference bass = rv_comparison_difference(c, 0, 1, 1, RV_METRIC_SDR_MDX21);
    const rv_eval_difference drums = rv_comparison_difference(c, 0, 1, 0, RV_METRIC_SDR_MDX21);
    const rv_eval_difference sc = rv_comparison_difference(c, 0, 1, 0, RV_METRIC_SC);
    CHECK(drums.songs == 5 && drums.low > 40 && drums.better == 1 && drums.low <= drums.mean &&
          drums.mean <= drums.high);
    CHECK(sc.high < 0 && sc.better == 1); /* lower is better */
    CHECK(bass.better == 1 && bass.mean < drums.mean);
    int below = 0, same = 0;
    for (size_t i = 0; i < 5; i++) {
        const double x = rv_evaluation_value(rv_comparison_of(c, 0), i, 0, RV_METRIC_SC) -
                         rv_evaluation_value(rv_comparison_of(c, 1), i, 0, RV_METRIC_SC);
        below += x < sc.median;
        same += x == sc.median;
    }
    CHECK(below == 2 && same == 1);
    const rv_eval_difference back = rv_comparison_difference(c, 1, 0, 0, RV_METRIC_SC);
    CHECK(back.low == -sc.high && back.mean == -sc.mean && back.median == -sc.median &&
          back.better == -1);
    const rv_eval_difference self = rv_comparison_difference(c, 2, 2, 0, RV_METRIC_SC);
    CHECK(self.better == 0);
    /* The same estimates are infinitely good: not finite, no pair */
    CHECK(rv_comparison_difference(c, 0, 1, 0, RV_METRIC_SNR).songs == 0);
}

static void check_json(const rv_comparison *c, const char *path)
{
    json_t *all = json_load_file(path, 0, NULL), *methods = json_object_get(all, "methods");
    CHECK(all != NULL);
    CHECK(strcmp(json_string_value(json_object_get(all, "schema")), "ravel-eval/1") == 0);
    CHECK(json_integer_value(json_object_get(all, "songs")) == 5);
    CHECK(json_array_size(json_object_get(all, "stems")) == 4 && json_array_size(methods) == 3);
    const json_t *metric = json_object_get(json_object_get(all, "metrics"), "SC");
    CHECK(strcmp(json_string_value(json_object_get(metric, "better")), "lower") == 0);
    for (size_t i = 0; i < 3; i++) {
        const json_t *m = json_array_get(methods, i), *name = json_object_get(m, "name");
        CHECK(strcmp(json_string_value(name), rv_evaluation_method(rv_comparison_of(c, i))) == 0);
        CHECK(json_array_size(json_object_get(m, "tracks")) == 5);
        const json_t *means = json_object_get(json_object_get(m, "means"), "bass");
        CHECK_CLOSE(json_number_value(json_object_get(means, "SI-SDR")),
                    rv_evaluation_mean(rv_comparison_of(c, i), 1, RV_METRIC_SI_SDR, NULL), 1e-5);
    }
    const json_t *pairs = json_object_get(json_object_get(all, "differences"), "pairs");
    CHECK(json_array_size(pairs) == 3);
    const json_t *drums =
        json_object_get(json_object_get(json_array_get(pairs, 0), "stems"), "drums");
    const json_t *better = json_object_get(json_object_get(drums, "SC"), "better");
    CHECK(strcmp(json_string_value(better), "near") == 0);
    CHECK(json_is_null(json_object_get(json_object_get(drums, "SNR"), "better")));
    json_decref(all);
}

TEST(test_side_by_side)
{
    rv_error err = { 0 };
    write_set();
    rv_eval_options o = options_of(4);
    const rv_eval_method methods[] = { { RV_METHOD_ESTIMATES, path_of("near/"), NULL, 0 },
                                       { RV_METHOD_ORACLE, "mix", NULL, 0 },
                                       { RV_METHOD_ORACLE, "silence", "nothing", 0 } };
    rv_comparison *c = compare("set", methods, 3, &o);
    check_differences(c);
    CHECK_OK(rv_comparison_write_json(c, path_of("one.json"), &err), err);
    check_json(c, path_of("one.json"));
    CHECK_OK(rv_comparison_write_csv(c, path_of("one.csv"), &err), err);
    CHECK(strstr(text_of(path_of("one.csv")), "\nmix,a,,drums,") &&
          strstr(text_of(path_of("one.csv")), "\nnothing,e,,vocals,-80.00000,"));
    rv_comparison_free(c);
    o.threads = 3;
    c = compare("set", methods, 3, &o);
    CHECK_OK(rv_comparison_write_json(c, path_of("three.json"), &err), err);
    CHECK(strcmp(text_of(path_of("one.json")), text_of(path_of("three.json"))) == 0);
    rv_comparison_free(c);
}

/* Every figure is under its own name. */
static void check_figures(const rv_evaluation *e, const rv_stem_pair *p,
                          const float *const *mixture)
{
    const rv_stem_pair of_mixture = { p->reference, mixture, p->channels, p->frames };
    rv_spectral_distance spectral = { 0 };
    rv_pitch_distance pitch = { 0 };
    double mr_stft = 0, mss = 0, loudness = 0, log_wmse = 0;
    rv_error err = { 0 };
    CHECK_OK(rv_spectral_distance_of(&spectral, p, &err), err);
    CHECK_OK(rv_multi_resolution_stft(&mr_stft, p, &err), err);
    CHECK_OK(rv_multi_scale_spectral(&mss, p, &err), err);
    CHECK_OK(rv_loudness_distance(&loudness, p, 8000, &err), err);
    CHECK_OK(rv_pitch_distance_of(&pitch, p, 8000, &err), err);
    CHECK_OK(rv_log_wmse(&log_wmse, p, mixture, 8000, &err), err);
    const double want[] = { rv_si_sdr(p),
                            rv_si_sdr(p) - rv_si_sdr(&of_mixture),
                            rv_sdr_mdx21(p),
                            rv_snr(p),
                            spectral.convergence,
                            spectral.log_distance,
                            rv_sdr_mctn(p),
                            mr_stft,
                            mss,
                            loudness,
                            pitch.hertz,
                            pitch.accuracy,
                            log_wmse };
    for (int m = RV_METRIC_SI_SDR; m < RV_METRICS; m++) {
        const double got = rv_evaluation_value(e, 0, 0, (rv_metric)m);
        const double expected = want[m - RV_METRIC_SI_SDR];
        CHECK_MSG(fabs(got - expected) < 1e-6 || (isnan(got) && isnan(expected)), "%s: %g, not %g",
                  rv_metric_name(m), got, expected);
    }
}

TEST(test_every_figure)
{
    enum { N = 6000 };
    static float x[6][N]; /* stem, estimate, mixture */
    float *const stem[] = { x[0], x[1] }, *const estimate[] = { x[2], x[3] };
    const float *const mixture[] = { x[4], x[5] };
    for (int c = 0; c < 2; c++)
        for (size_t t = 0; t < N; t++) {
            const double turn = 2 * acos(-1) * 300 * (double)t / 8000;
            x[c][t] = rintf((float)(6000 * sin(turn) + 2000 * sin(3 * turn))) / 32768;
            x[2 + c][t] = x[c][t] / 2 + song_sample(5, c, t) / 4;
            x[2 + c][t] = rintf(x[2 + c][t] * 32768) / 32768;
            x[4 + c][t] = x[c][t] + song_sample(8, c, t);
        }
    const song_file vocals = { "every/a", "vocals.wav", 0, 8000, 2, N };
    const song_file other = { "every/a", "other.wav", 8, 8000, 2, N };
    write_planes(path_of("every/a/vocals.wav"), &vocals, stem);
    write_song_file(&other);
    write_planes(path_of("every_out/a/vocals.wav"), &vocals, estimate);
    static const char *const names[] = { "vocals" };
    rv_eval_options o = options_of(1);
    o.stems = names;
    o.metrics = RV_METRIC_BIT(RV_METRICS) - RV_METRIC_BIT(RV_METRIC_SI_SDR);
    const rv_eval_method method = { RV_METHOD_ESTIMATES, path_of("every_out"), NULL, 0 };
    rv_comparison *c = compare("every", &method, 1, &o);
    const rv_stem_pair p = { (const float *const *)stem, (const float *const *)estimate, 2, N };
    check_figures(rv_comparison_of(c, 0), &p, mixture);
    rv_comparison_free(c);
}

/* Mixtures ---------------------------------------------------------------------------------- */

static double mix_snr(const char *set, size_t n_stems)
{
    const rv_eval_options o = options_of(n_stems);
    const rv_eval_method mix = { RV_METHOD_ORACLE, "mix", NULL, 0 };
    rv_comparison *c = compare(set, &mix, 1, &o);
    const double snr = rv_evaluation_value(rv_comparison_of(c, 0), 0, 0, RV_METRIC_SNR);
    rv_comparison_free(c);
    return snr;
}

/* The mixture does not depend on which stems are compared, and a file of it counts. */
TEST(test_mixture)
{
    write_song("mixed/a", 1, 2000, "wav");
    const double all = mix_snr("mixed", 4);
    CHECK(mix_snr("mixed", 1) == all && mix_snr("mixed", 2) == all);
    write_song_file(&(song_file){ "mixed/a", "accompaniment.wav", 9, 8000, 2, 2000 });
    CHECK(mix_snr("mixed", 1) == all); /* it is in the others already */
    write_song_file(&(song_file){ "mixed/a", "mixture.wav", 1, 8000, 2, 2000 }); /* the drums */
    CHECK(isinf(mix_snr("mixed", 1)) && isinf(mix_snr("mixed", 4)));
}

/* Models ------------------------------------------------------------------------------------ */

static void separate_to_files(const char *model, const char *song)
{
    rv_model *m = NULL;
    rv_error err = { 0 };
    rv_file_options o;
    rv_file_defaults(&o);
    o.bits = 32;
    o.separate.threads = 1;
    char folder_of_stems[400], mixture[420];
    snprintf(folder_of_stems, sizeof folder_of_stems, "%s", in_folder("separated"));
    snprintf(mixture, sizeof mixture, "%s/mixture.wav", in_folder(song));
    o.out_dir = folder_of_stems;
    o.filename = "{stem}.{ext}";
    CHECK_OK(rv_model_open(&m, model, &err), err);
    CHECK_OK(rv_separate_file(m, mixture, &o, NULL, &err), err);
    rv_model_free(m);
}

static void read_stereo(float x[2][6000], const char *path)
{
    float *const planes[] = { x[0], x[1] };
    rv_audio_reader *r = NULL;
    rv_error err = { 0 };
    size_t n = 0;
    CHECK_OK(rv_audio_reader_open(&r, path, 0, &err), err);
    CHECK_OK(rv_audio_reader_read(r, planes, 6000, &n, &err), err);
    CHECK(n == 6000);
    rv_audio_reader_free(r);
}

/* In memory as through files; and what is kept is what was evaluated. */
TEST(test_model_as_files)
{
    float files[2][6000], memory[2][6000];
    write_song("modelled/a", 1, 6000, "wav");
    write_song_file(&(song_file){ "modelled/a", "mixture.wav", 7, 8000, 2, 6000 });
    rv_eval_options o = options_of(4);
    o.keep = path_of("kept");
    const rv_eval_method run[] = { { RV_METHOD_MODEL, "classic", NULL, 0 },
                                   { RV_METHOD_ORACLE, "irm1", NULL, 0 } };
    rv_comparison *now = compare("modelled", run, 2, &o);
    o.keep = NULL;
    const rv_eval_method read[] = { { RV_METHOD_ESTIMATES, path_of("kept/classic"), NULL, 0 },
                                    { RV_METHOD_ESTIMATES, path_of("kept/irm1"), NULL, 0 } };
    rv_comparison *kept = compare("modelled", read, 2, &o);
    for (size_t i = 0; i < 8; i++)
        CHECK(rv_evaluation_value(rv_comparison_of(now, i / 4), 0, i % 4, RV_METRIC_SI_SDR) ==
              rv_evaluation_value(rv_comparison_of(kept, i / 4), 0, i % 4, RV_METRIC_SI_SDR));
    rv_comparison_free(now);
    rv_comparison_free(kept);
    separate_to_files("classic", "modelled/a");
    for (size_t s = 0; s < 4; s++) {
        char path[100];
        snprintf(path, sizeof path, "kept/classic/a/%s.wav", stem_names[s]);
        read_stereo(memory, path_of(path));
        snprintf(path, sizeof path, "separated/%s.wav", stem_names[s]);
        read_stereo(files, path_of(path));
        CHECK(memcmp(files, memory, sizeof files) == 0);
    }
}

static void check_refused(const char *references, const rv_eval_method *methods, size_t n,
                          const rv_eval_options *o, rv_status status, const char *word,
                          const char *other)
{
    rv_comparison *c = NULL;
    rv_error err = { 0 };
    const rv_status got = rv_compare(&c, path_of(references), methods, n, o, &err);
    CHECK_MSG(got == status && strstr(err.text, word) && strstr(err.text, other) &&
                  !strchr(err.text, '\n'),
              "status %d, not %d, or no \"%s\", \"%s\" in: %s", got, status, word, other, err.text);
    CHECK(c == NULL);
}

TEST(test_model_stems)
{
    static const char *const rest[] = { "vocals", "accompaniment" }, *const odd[] = { "flute" };
    write_song("rest/a", 1, 6000, "wav");
    write_song_file(&(song_file){ "rest/a", "accompaniment.wav", 12, 8000, 2, 6000 });
    write_song_file(&(song_file){ "rest/a", "flute.wav", 13, 8000, 2, 6000 });
    write_song_file(&(song_file){ "rest/a", "mixture.wav", 7, 8000, 2, 6000 });
    const rv_eval_method classic = { RV_METHOD_MODEL, "classic", NULL, 0 };
    rv_eval_options o = options_of(2);
    o.stems = rest;
    o.keep = path_of("sums");
    rv_comparison_free(compare("rest", &classic, 1, &o));
    o = options_of(4);
    o.keep = path_of("parts");
    rv_comparison_free(compare("rest", &classic, 1, &o));
    static const char *const files[] = { "sums/classic/a/accompaniment.wav",
                                         "parts/classic/a/drums.wav", "parts/classic/a/bass.wav",
                                         "parts/classic/a/other.wav" };
    static float x[4][2][6000];
    for (size_t i = 0; i < 4; i++)
        read_stereo(x[i], path_of(files[i]));
    for (size_t t = 0; t < 6000; t++)
        CHECK_CLOSE(x[0][1][t], x[1][1][t] + x[2][1][t] + x[3][1][t], 1e-6);
    o = options_of(1);
    o.stems = odd;
    check_refused("rest", &classic, 1, &o, RV_ERR_ARG, "classic", "'flute'");
}

/* A mono model at 8 kHz, on stereo songs at another rate: its stems come on both channels. */
TEST(test_model_of_other_format)
{
    static const char *const stems[] = { "s1", "s2" };
    char model[500];
    snprintf(model, sizeof model, "%s/tests/golden/conv_tasnet_mono.th", getenv("RV_TEST_SOURCE"));
    for (int i = 0; i < 2; i++) {
        char file[20];
        snprintf(file, sizeof file, "s%d.wav", i + 1);
        write_song_file(&(song_file){ "other_rate/a", file, 30 + (uint64_t)i, 11025, 2, 5000 });
    }
    write_song_file(&(song_file){ "other_rate/a", "mixture.wav", 7, 11025, 2, 5000 });
    rv_eval_options o = options_of(2);
    o.stems = stems;
    o.keep = path_of("mono");
    const rv_eval_method tasnet = { RV_METHOD_MODEL, model, "tasnet", 0 };
    rv_comparison_free(compare("other_rate", &tasnet, 1, &o));
    separate_to_files(model, "other_rate/a");
    float kept[2][5000], file[5000];
    float *const planes[] = { kept[0], kept[1] }, *const one[] = { file };
    rv_audio_reader *r = NULL;
    rv_error err = { 0 };
    size_t n = 0;
    CHECK_OK(rv_audio_reader_open(&r, path_of("mono/tasnet/a/s2.wav"), 0, &err), err);
    CHECK_OK(rv_audio_reader_read(r, planes, 5000, &n, &err), err);
    CHECK(n == 5000 && memcmp(kept[0], kept[1], sizeof kept[0]) == 0);
    rv_audio_reader_free(r);
    CHECK_OK(rv_audio_reader_open(&r, path_of("separated/s2.wav"), 0, &err), err);
    CHECK_OK(rv_audio_reader_read(r, one, 5000, &n, &err), err);
    CHECK(rv_audio_reader_info(r)->channels == 1 && memcmp(kept[0], file, sizeof file) == 0);
    rv_audio_reader_free(r);
}

/* What is refused, and which songs are left out --------------------------------------------- */

TEST(test_songs_of_all_methods)
{
    write_song("some/a", 1, 1000, "wav");
    write_song("some/b", 11, 1000, "wav");
    write_song("some/c", 21, 1000, "wav");
    write_song("first/a", 31, 1000, "wav");
    write_song("first/b", 31, 1000, "wav");
    write_song("second/b", 31, 1000, "wav");
    write_song("second/c", 31, 1000, "wav");
    write_song("third/c", 31, 1000, "wav");
    const rv_eval_options o = options_of(4);
    const rv_eval_method methods[] = { { RV_METHOD_ESTIMATES, path_of("first"), NULL, 0 },
                                       { RV_METHOD_ESTIMATES, path_of("second"), NULL, 0 },
                                       { RV_METHOD_ESTIMATES, path_of("third"), NULL, 0 } };
    rv_comparison *c = compare("some", methods, 2, &o);
    rv_eval_report r;
    rv_evaluation_report(rv_comparison_of(c, 1), &r);
    CHECK(r.songs == 1 && r.without_estimates == 2);
    CHECK(strcmp(rv_evaluation_song(rv_comparison_of(c, 0), 0), "b") == 0);
    rv_comparison_free(c);
    check_refused("some", methods, 3, &o, RV_ERR_IO, "no song of", "all 3 folders");
}

TEST(test_bad_methods)
{
    write_song("few/a", 1, 1000, "wav");
    rv_eval_options o = options_of(4);
    const rv_eval_method twice[] = { { RV_METHOD_ORACLE, "mix", NULL, 0 },
                                     { RV_METHOD_ORACLE, "silence", "mix", 0 } };
    check_refused("few", twice, 2, &o, RV_ERR_ARG, "two methods are named 'mix'", "silence");
    check_refused("few", twice, 0, &o, RV_ERR_ARG, "0 methods", "1 to 64");
    const rv_eval_method unknown = { RV_METHOD_ORACLE, "irm9", NULL, 0 };
    check_refused("few", &unknown, 1, &o, RV_ERR_ARG, "'irm9'", "mwf");
    const rv_eval_method gone = { RV_METHOD_MODEL, "no-such-model", NULL, 0 };
    check_refused("few", &gone, 1, &o, RV_ERR_IO, "no-such-model", "");
    const rv_eval_method odd = { RV_METHOD_ORACLE, "mix", "../mix", 0 };
    check_refused("few", &odd, 1, &o, RV_ERR_ARG, "'../mix'", "'/'");
    o.resamples = 10;
    check_refused("few", twice, 1, &o, RV_ERR_ARG, "10 resamples", "100");
}

static void write_odd_reference(int rate, int channels, size_t frames)
{
    write_song("ref/a", 1, 500, "wav");
    write_song_file(&(song_file){ "ref/a", "bass.wav", 5, rate, channels, frames });
}

TEST(test_bad_references)
{
    const rv_eval_method mix = { RV_METHOD_ORACLE, "mix", NULL, 0 };
    const rv_eval_options o = options_of(4);
    write_odd_reference(8000, 2, 501);
    check_refused("ref", &mix, 1, &o, RV_ERR_FORMAT, "ref/a/bass.wav: 501 frames", "drums.wav");
    write_odd_reference(11025, 2, 500);
    check_refused("ref", &mix, 1, &o, RV_ERR_FORMAT, "ref/a/bass.wav", "11025 Hz");
    write_odd_reference(8000, 3, 500);
    check_refused("ref", &mix, 1, &o, RV_ERR_FORMAT, "ref/a/bass.wav: 3 channels", "drums.wav");
}

TEST(test_reference_not_a_number)
{
    static const unsigned char head[] = { 'R', 'I', 'F',  'F',  52,  0,   0,   0,    'W', 'A', 'V',
                                          'E', 'f', 'm',  't',  ' ', 16,  0,   0,    0,   3,   0,
                                          2,   0,   0x40, 0x1f, 0,   0,   0,   0xfa, 0,   0,   8,
                                          0,   32,  0,    'd',  'a', 't', 'a', 16,   0,   0,   0 };
    const float samples[4] = { 0.5F, 0.5F, (float)NAN, 0.5F };
    write_song("nan/a", 1, 2, "wav");
    FILE *f = fopen(path_of("nan/a/vocals.wav"), "wb");
    CHECK(f && fwrite(head, 1, sizeof head, f) == sizeof head &&
          fwrite(samples, 1, sizeof samples, f) == sizeof samples && fclose(f) == 0);
    const rv_eval_method mix = { RV_METHOD_ORACLE, "mix", NULL, 0 };
    const rv_eval_options o = options_of(4);
    check_refused("nan", &mix, 1, &o, RV_ERR_FORMAT, "nan/a/vocals.wav", "");
}

static int stop_at_once(void *ctx, const rv_eval_progress *now)
{
    (void)now;
    return ++*(int *)ctx > 1;
}

TEST(test_cancelled)
{
    int calls = 0;
    rv_eval_options o = options_of(4);
    write_song("stopped/a", 1, 1000, "wav");
    o.progress = stop_at_once;
    o.progress_ctx = &calls;
    const rv_eval_method mix = { RV_METHOD_ORACLE, "mix", NULL, 0 };
    check_refused("stopped", &mix, 1, &o, RV_ERR_CANCELLED, "stopped", "");
    CHECK(calls == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bootstrap_interval),
        cmocka_unit_test(test_bootstrap_coverage),
        cmocka_unit_test(test_bootstrap_of_few),
        cmocka_unit_test(test_side_by_side),
        cmocka_unit_test(test_every_figure),
        cmocka_unit_test(test_mixture),
        cmocka_unit_test(test_model_as_files),
        cmocka_unit_test(test_model_stems),
        cmocka_unit_test(test_model_of_other_format),
        cmocka_unit_test(test_songs_of_all_methods),
        cmocka_unit_test(test_bad_methods),
        cmocka_unit_test(test_bad_references),
        cmocka_unit_test(test_reference_not_a_number),
        cmocka_unit_test(test_cancelled),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
