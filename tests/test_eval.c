/* test_eval.c - figures of whole tracks against the reference implementations
 * (tools/make_golden_eval.py), and the comparison of a data set. */
#include "eval/bss_eval.h"
#include "eval/evaluation.h"
#include "eval/song_audio.h"
#include "eval/spectral_distance.h"
#include "eval_signals.h"
#include "io/audio_source.h"
#include "song_files.h"

#include <sys/stat.h>
#include <unistd.h>

static double golden_number(json_t *golden, size_t source, const char *name)
{
    const json_t *x =
        json_object_get(json_array_get(json_object_get(golden, "whole"), source), name);
    CHECK_MSG(json_is_real(x), "no %s", name);
    return json_real_value(x);
}

TEST(test_agrees_with_references)
{
    json_t *golden = load_golden();
    eval_signals signals = new_signals(2, 2, 5000);
    for (size_t s = 0; s < 2; s++) {
        const rv_stem_pair p = { (const float *const *)signals.references + 2 * s,
                                 (const float *const *)signals.estimates + 2 * s, 2, 5000 };
        rv_spectral_distance d = { 0 };
        rv_error err = { 0 };
        CHECK_OK(rv_spectral_distance_of(&d, &p, &err), err);
        CHECK_CLOSE(rv_si_sdr(&p), golden_number(golden, s, "SI-SDR"), 1e-9);
        CHECK_CLOSE(rv_sdr_mdx21(&p), golden_number(golden, s, "SDR-MDX21"), 1e-9);
        CHECK_CLOSE(rv_snr(&p), golden_number(golden, s, "SNR"), 1e-9);
        CHECK_CLOSE(d.convergence, golden_number(golden, s, "SC"), 1e-9);
        CHECK_CLOSE(d.log_distance, golden_number(golden, s, "LSD"), 1e-9);
    }
    free_signals(&signals);
    json_decref(golden);
}

TEST(test_silence)
{
    eval_signals signals = new_signals(1, 2, 3000);
    float *zero = new_plane(3000);
    const float *const silent[] = { zero, zero };
    const float *const *sound = (const float *const *)signals.references;
    const rv_stem_pair no_reference = { silent, sound, 2, 3000 };
    const rv_stem_pair no_estimate = { sound, silent, 2, 3000 }, same = { sound, sound, 2, 3000 };
    rv_spectral_distance d = { 0 };
    rv_error err = { 0 };
    CHECK(isnan(rv_snr(&no_reference)) && isnan(rv_si_sdr(&no_reference)));
    CHECK(isnan(rv_sdr_mdx21(&no_reference)));
    CHECK_OK(rv_spectral_distance_of(&d, &no_reference, &err), err);
    CHECK(isnan(d.convergence) && isnan(d.log_distance));
    CHECK_CLOSE(rv_snr(&no_estimate), 0, 0);
    CHECK_CLOSE(rv_si_sdr(&no_estimate), -80, 1e-12);
    CHECK_OK(rv_spectral_distance_of(&d, &no_estimate, &err), err);
    CHECK_CLOSE(d.convergence, 1, 1e-3);
    CHECK(isinf(rv_snr(&same)) && rv_si_sdr(&same) > 80 && rv_sdr_mdx21(&same) > 80);
    free(zero);
    free_signals(&signals);
}

/* One channel without sound does not count in the mean over channels. */
TEST(test_silent_channel)
{
    eval_signals signals = new_signals(1, 2, 3000);
    memset(signals.references[1], 0, 3000 * sizeof(float));
    rv_stem_pair p = { (const float *const *)signals.references,
                       (const float *const *)signals.estimates, 2, 3000 };
    const double both = rv_si_sdr(&p);
    p.channels = 1;
    CHECK(both == rv_si_sdr(&p));
    free_signals(&signals);
}

TEST(test_median)
{
    double odd[] = { 3, (double)NAN, 1, HUGE_VAL, 2 }, even[] = { 4, 1, 3, 2 };
    size_t n = 0;
    CHECK(rv_finite_median(odd, 5, &n) == 2 && n == 3);
    CHECK(rv_finite_median(even, 4, &n) == 2.5 && n == 4);
    CHECK(isnan(rv_finite_median(odd, 0, &n)) && n == 0);
}

/* BSS Eval ---------------------------------------------------------------------------------- */

typedef struct bss_case {
    const char *name;
    size_t sources, channels, frames;
    rv_bss_options options;
} bss_case;

/* The estimates in reverse where there is something to permute. */
static rv_bss_result run_bss(const bss_case *k, rv_pool *pool)
{
    eval_signals s = new_signals(k->sources, k->channels, k->frames);
    const float *estimates[MOST_PLANES];
    rv_bss_options options = k->options;
    rv_bss_result r = { 0 };
    rv_error err = { 0 };
    for (size_t p = 0; p < k->sources * k->channels; p++) {
        const size_t source = p / k->channels, channel = p % k->channels;
        const size_t from = k->options.permute ? k->sources - 1 - source : source;
        estimates[p] = s.estimates[from * k->channels + channel];
    }
    options.taps = 512;
    options.pool = pool;
    const rv_bss_input in = { (const float *const *)s.references, estimates, k->sources,
                              k->channels, k->frames };
    CHECK_OK(rv_bss_eval(&r, &in, &options, &err), err);
    free_signals(&s);
    return r;
}

static void check_bss(const bss_case *k, const json_t *golden)
{
    static const char *const names[RV_BSS_RATIOS] = { "SDR", "ISR", "SIR", "SAR" };
    rv_bss_result r = run_bss(k, NULL);
    for (size_t i = 0; i < RV_BSS_RATIOS * r.sources * r.windows; i++) {
        const size_t ratio = i / (r.sources * r.windows), source = i / r.windows % r.sources;
        const json_t *list = json_array_get(json_object_get(golden, names[ratio]), source);
        if (k->options.sources && ratio == RV_BSS_ISR)
            continue;
        CHECK_MSG(json_array_size(list) == r.windows, "%s: %zu windows", k->name, r.windows);
        CHECK_CLOSE(r.values[i], json_real_value(json_array_get(list, i % r.windows)), 1e-8);
    }
    for (size_t i = 0; i < r.sources * r.windows; i++)
        CHECK(r.order[i] == (k->options.permute ? r.sources - 1 - i / r.windows : i / r.windows));
    rv_bss_result_free(&r);
}

static const bss_case bss_cases[] = {
    { "v4", 2, 2, 9000, { .window = 2000, .hop = 1500 } },
    { "v4_mono", 3, 1, 5000, { .window = 1000, .hop = 1000 } },
    { "v3_windows", 2, 2, 7000, { .window = 3000, .hop = 3000, .window_filters = true } },
    { "v3_sources", 3, 1, 5000, { .window_filters = true, .sources = true, .permute = true } },
    { "v3_images", 2, 2, 5000, { .window_filters = true, .permute = true } },
};
enum { BSS_CASES = sizeof bss_cases / sizeof *bss_cases };

TEST(test_bss_agrees_with_references)
{
    json_t *golden = load_golden();
    for (size_t i = 0; i < BSS_CASES; i++)
        check_bss(&bss_cases[i], json_object_get(golden, bss_cases[i].name));
    json_decref(golden);
}

TEST(test_bss_threads)
{
    rv_pool *pool = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_pool_new(&pool, 3, NULL, &err), err);
    for (size_t i = 0; i < BSS_CASES; i += 2) {
        rv_bss_result one = run_bss(&bss_cases[i], NULL), three = run_bss(&bss_cases[i], pool);
        CHECK_MSG(memcmp(one.values, three.values,
                         RV_BSS_RATIOS * one.sources * one.windows * sizeof(double)) == 0,
                  "%s: other bits", bss_cases[i].name);
        rv_bss_result_free(&one);
        rv_bss_result_free(&three);
    }
    rv_pool_free(pool);
}

/* Both channels alike: the system is singular, the figures are those of one channel. */
TEST(test_bss_mono_on_two_channels)
{
    eval_signals s = new_signals(2, 1, 6000);
    const float *r[4], *e[4];
    for (size_t p = 0; p < 4; p++) {
        r[p] = s.references[p / 2];
        e[p] = s.estimates[p / 2];
    }
    const rv_bss_options options = { .window = 2000, .hop = 2000, .taps = 512 };
    const rv_bss_input mono = { (const float *const *)s.references,
                                (const float *const *)s.estimates, 2, 1, 6000 };
    const rv_bss_input stereo = { r, e, 2, 2, 6000 };
    rv_bss_result one = { 0 }, two = { 0 };
    rv_error err = { 0 };
    CHECK_OK(rv_bss_eval(&one, &mono, &options, &err), err);
    CHECK_OK(rv_bss_eval(&two, &stereo, &options, &err), err);
    for (size_t i = 0; i < RV_BSS_RATIOS * 2 * 3; i++)
        CHECK_CLOSE(two.values[i], one.values[i], 1e-6);
    rv_bss_result_free(&one);
    rv_bss_result_free(&two);
    free_signals(&s);
}

/* In a window where a source is silent, no source has figures; in the others all have. */
TEST(test_bss_silent_window)
{
    eval_signals s = new_signals(2, 1, 6000);
    memset(s.references[1] + 2000, 0, 2000 * sizeof(float));
    const rv_bss_options options = { .window = 2000, .hop = 2000, .taps = 512 };
    const rv_bss_input in = { (const float *const *)s.references, (const float *const *)s.estimates,
                              2, 1, 6000 };
    rv_bss_result r = { 0 };
    rv_error err = { 0 };
    CHECK_OK(rv_bss_eval(&r, &in, &options, &err), err);
    for (size_t i = 0; i < RV_BSS_RATIOS * 2 * 3; i++)
        CHECK((isnan(r.values[i]) != 0) == (i % 3 == 1));
    rv_bss_result_free(&r);
    free_signals(&s);
}

/* Data sets --------------------------------------------------------------------------------- */

static void in_folder_to(char path[400], const char *name)
{
    snprintf(path, 400, "%s", in_folder(name));
}

static rv_status evaluate(rv_evaluation **e, const char *references, const char *estimates,
                          uint32_t metrics, int threads, rv_error *err)
{
    char root[400], folder_of_estimates[400];
    rv_eval_options opt;
    rv_eval_defaults(&opt);
    opt.window = opt.hop = 0.125;
    opt.metrics = metrics;
    opt.threads = threads;
    opt.stems = stem_names;
    opt.n_stems = 4;
    in_folder_to(root, references);
    in_folder_to(folder_of_estimates, estimates);
    return rv_evaluate(e, root, folder_of_estimates, &opt, err);
}

/* What a coder with loss leaves out must not decide on SIR and SAR. */
TEST(test_stem_files_have_16_bits)
{
    char command[1000];
    char root[400];
    snprintf(root, sizeof root, "%s", in_folder("stems"));
    rv_track_query query = songs_query(root, NULL);
    rv_track_list *list = NULL;
    rv_track_cache *songs = NULL;
    rv_song_audio audio;
    rv_error err = { 0 };
    double sum = 0;
    if (!rv_libav_present())
        return;
    snprintf(command, sizeof command,
             "mkdir '%s/stems' && cp '%s/tests/golden/tones.stem.mp4' '%s'", folder,
             getenv("RV_TEST_SOURCE"), in_folder("stems/a.stem.mp4"));
    CHECK(system(command) == 0);
    CHECK_OK(rv_track_list_find(&list, &query, &err), err);
    CHECK_OK(rv_track_cache_new(&songs, list, &err), err);
    CHECK_OK(rv_song_audio_read(&audio, songs, 0, NULL, &err), err);
    for (size_t i = 0; i < audio.n_stems * audio.channels * audio.frames; i++) {
        const float x = audio.references[0][i] * 32768;
        CHECK(x == rintf(x) && x >= -32768 && x <= 32767);
        sum += (double)fabsf(x);
    }
    CHECK(sum > 1e6);
    rv_song_audio_free(&audio);
    rv_track_cache_free(songs);
    rv_track_list_free(list);
}

static const uint32_t whole_metrics = RV_METRIC_BIT(RV_METRIC_SI_SDR) |
                                      RV_METRIC_BIT(RV_METRIC_SI_SDRI) |
                                      RV_METRIC_BIT(RV_METRIC_SNR) | RV_METRIC_BIT(RV_METRIC_SC);
static const uint32_t frame_metrics = RV_METRIC_BIT(RV_METRIC_SDR) | RV_METRIC_BIT(RV_METRIC_SAR);

static char *text_of(const char *path)
{
    static char text[20000];
    FILE *f = fopen(path, "r");
    CHECK_MSG(f != NULL, "%s", path);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

/* Estimates are stems of another song of the same length: any numbers, but known to differ. */
TEST(test_data_set)
{
    rv_evaluation *one = NULL, *three = NULL;
    rv_eval_report r;
    rv_error err = { 0 };
    size_t n = 0;
    char path[400];
    write_song("set/a", 1, 4000, "wav");
    write_song("set/b", 11, 4000, "wav");
    write_song("set/c", 21, 4000, "wav");
    write_song_file(&(song_file){ "set/a", "bass.wav", 0, 8000, 2, 4000 });
    write_song("est/a", 31, 4000, "wav");
    write_song("est/b", 11, 4000, "flac");
    write_song_file(&(song_file){ "est/b", "other.flac", 0, 8000, 2, 4000 });
    CHECK_OK(evaluate(&one, "set", "est", whole_metrics, 1, &err), err);
    CHECK_OK(evaluate(&three, "set", "est", whole_metrics, 3, &err), err);
    rv_evaluation_report(one, &r);
    CHECK(r.songs == 2 && r.stems == 4 && r.without_estimates == 1 && r.without_reference == 1 &&
          r.silent_estimates == 1 && r.metrics == whole_metrics);
    for (size_t s = 0; s < 4; s++)
        for (size_t i = 0; i < 2; i++) {
            const double x = rv_evaluation_value(one, i, s, RV_METRIC_SI_SDR);
            const double y = rv_evaluation_value(three, i, s, RV_METRIC_SI_SDR);
            CHECK(x == y || (isnan(x) && isnan(y)));
        }
    CHECK(isinf(rv_evaluation_value(one, 1, 0, RV_METRIC_SNR)));
    CHECK(rv_evaluation_value(one, 1, 2, RV_METRIC_SNR) == 0);
    CHECK(isnan(rv_evaluation_value(one, 0, 1, RV_METRIC_SI_SDR)));
    rv_evaluation_median(one, 1, RV_METRIC_SI_SDR, &n);
    CHECK(n == 1);
    rv_evaluation_median(one, 0, RV_METRIC_SI_SDRI, &n);
    CHECK(n == 2);
    in_folder_to(path, "figures.csv");
    CHECK_OK(rv_evaluation_write_csv(one, path, &err), err);
    CHECK(strncmp(text_of(path), "method,track,split,stem,SI-SDR,SI-SDRi,SNR,SC\nest,a,", 52) == 0);
    CHECK(strstr(text_of(path), "bass,,,,\n"));
    in_folder_to(path, "figures.json");
    CHECK_OK(rv_evaluation_write_json(one, path, &err), err);
    CHECK(strstr(text_of(path), "\"name\": \"bass\"") && strstr(text_of(path), "null"));
    rv_evaluation_free(one);
    rv_evaluation_free(three);
}

/* Stems that are silent take no part, and the others have their figures. */
TEST(test_data_set_by_frame)
{
    rv_evaluation *e = NULL;
    rv_error err = { 0 };
    char path[400];
    write_song("frames/a", 1, 4000, "wav");
    write_song_file(&(song_file){ "frames/a", "bass.wav", 0, 8000, 2, 4000 });
    write_song("frames_est/a", 31, 4000, "wav");
    CHECK_OK(evaluate(&e, "frames", "frames_est", frame_metrics, 2, &err), err);
    CHECK(isfinite(rv_evaluation_value(e, 0, 0, RV_METRIC_SDR)));
    CHECK(isfinite(rv_evaluation_value(e, 0, 3, RV_METRIC_SAR)));
    CHECK(isnan(rv_evaluation_value(e, 0, 1, RV_METRIC_SDR)));
    in_folder_to(path, "frames.json");
    CHECK_OK(rv_evaluation_write_json(e, path, &err), err);
    CHECK(strstr(text_of(path), "\"time\": 0.375"));
    CHECK(strstr(text_of(path), "\"duration\": 0.125") && !strstr(text_of(path), "\"time\": 0.5"));
    rv_evaluation_free(e);
}

/* A song without any sound is counted, not an error, even where there is no other. */
TEST(test_silent_data_set)
{
    rv_evaluation *e = NULL;
    rv_eval_report r;
    rv_error err = { 0 };
    char path[400];
    size_t n = 1;
    for (int s = 0; s < 4; s++) {
        char name[40];
        snprintf(name, sizeof name, "%s.wav", stem_names[s]);
        write_song_file(&(song_file){ "hush/a", name, 0, 8000, 2, 4000 });
    }
    write_song("hush_est/a", 31, 4000, "wav");
    CHECK_OK(evaluate(&e, "hush", "hush_est", whole_metrics | frame_metrics, 2, &err), err);
    rv_evaluation_report(e, &r);
    CHECK(r.songs == 1 && r.without_reference == 4 && r.silent_estimates == 0);
    CHECK(isnan(rv_evaluation_value(e, 0, 0, RV_METRIC_SNR)));
    CHECK(isnan(rv_evaluation_median(e, 0, RV_METRIC_SDR, &n)) && n == 0);
    in_folder_to(path, "hush.json");
    CHECK_OK(rv_evaluation_write_json(e, path, &err), err);
    CHECK(!strstr(text_of(path), "nan") && strstr(text_of(path), "null"));
    rv_evaluation_free(e);
}

static void check_refused(const char *references, const char *estimates, rv_status status,
                          const char *word, const char *other)
{
    rv_evaluation *e = NULL;
    rv_error err = { 0 };
    const rv_status got = evaluate(&e, references, estimates, whole_metrics, 1, &err);
    CHECK_MSG(got == status && strstr(err.text, word) && strstr(err.text, other) &&
                  !strchr(err.text, '\n'),
              "status %d, not %d, or no \"%s\", \"%s\" in: %s", got, status, word, other, err.text);
    CHECK(e == NULL);
}

static void replace(const char *file, int rate, int channels, size_t frames)
{
    write_song("odd_est/a", 31, 500, "wav");
    write_song_file(&(song_file){ "odd_est/a", file, 5, rate, channels, frames });
}

TEST(test_bad_estimates)
{
    write_song("odd/a", 1, 500, "wav");
    check_refused("odd", "nowhere", RV_ERR_IO, "nowhere", "not a folder");
    CHECK(mkdir(in_folder("none"), 0700) == 0);
    check_refused("odd", "none", RV_ERR_IO, "none", "such as 'a'");
    replace("bass.wav", 8000, 2, 501);
    check_refused("odd", "odd_est", RV_ERR_FORMAT, "odd_est/a/bass.wav: 501 frames",
                  "odd/a/bass.wav");
    replace("bass.wav", 8001, 2, 500);
    check_refused("odd", "odd_est", RV_ERR_FORMAT, "odd_est/a/bass.wav", "8001 Hz");
    replace("bass.wav", 8000, 1, 500);
    check_refused("odd", "odd_est", RV_ERR_FORMAT, "odd_est/a/bass.wav", "1 channels");
    replace("bass.wav", 8000, 2, 500);
    CHECK(unlink(in_folder("odd_est/a/drums.wav")) == 0);
    check_refused("odd", "odd_est", RV_ERR_IO, "odd_est/a", "drums");
}

TEST(test_not_a_number)
{
    float samples[2] = { 0.5F, (float)NAN }, *const planes[] = { samples, samples };
    write_song("nan/a", 1, 2, "wav");
    write_song("nan_est/a", 31, 2, "wav");
    char path[400];
    in_folder_to(path, "nan_est/a/vocals.wav");
    FILE *f = fopen(path, "wb");
    static const unsigned char head[] = { 'R', 'I', 'F',  'F',  52,  0,   0,   0,    'W', 'A', 'V',
                                          'E', 'f', 'm',  't',  ' ', 16,  0,   0,    0,   3,   0,
                                          2,   0,   0x40, 0x1f, 0,   0,   0,   0xfa, 0,   0,   8,
                                          0,   32,  0,    'd',  'a', 't', 'a', 16,   0,   0,   0 };
    CHECK(f && fwrite(head, 1, sizeof head, f) == sizeof head);
    for (int i = 0; i < 4; i++)
        CHECK(fwrite(&planes[i % 2][i / 2], 4, 1, f) == 1);
    CHECK(fclose(f) == 0);
    check_refused("nan", "nan_est", RV_ERR_FORMAT, "nan_est/a/vocals.wav", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_references),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_silent_channel),
        cmocka_unit_test(test_median),
        cmocka_unit_test(test_bss_agrees_with_references),
        cmocka_unit_test(test_bss_threads),
        cmocka_unit_test(test_bss_mono_on_two_channels),
        cmocka_unit_test(test_bss_silent_window),
        cmocka_unit_test(test_stem_files_have_16_bits),
        cmocka_unit_test(test_data_set),
        cmocka_unit_test(test_data_set_by_frame),
        cmocka_unit_test(test_silent_data_set),
        cmocka_unit_test(test_bad_estimates),
        cmocka_unit_test(test_not_a_number),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
