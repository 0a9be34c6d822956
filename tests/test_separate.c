/* test_separate.c - files to files with `classic`: lengths, sums, layouts, failures. */
#include "base/rng.h"
#include "check.h"
#include "io/audio_read.h"
#include "io/audio_write.h"
#include "io/checkpoint.h"
#include "ravel/separate.h"

#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEMS = 4 };
static const char *const stem_names[STEMS] = { "drums", "bass", "other", "vocals" };

static char folder[64];
static rv_model *classic;

typedef struct {
    int channels, rate;
    size_t frames;
    float *data; /* [channels][frames] */
} sound;

static const char *in_folder(char *path, const char *name)
{
    snprintf(path, 400, "%s/%.300s", folder, name);
    return path;
}

/* Tones, noise bursts and an offset, different in each channel. */
static sound make_sound(int channels, int rate, size_t frames, float level)
{
    sound s = { channels, rate, frames, calloc((size_t)channels * frames + 1, sizeof(float)) };
    for (size_t c = 0; c < (size_t)channels; c++)
        for (size_t t = 0; t < frames; t++) {
            const double time = (double)t / rate, beat = time * 4 - floor(time * 4);
            const double tone = sin(2 * 3.14159265 * (110 + 330 * (double)c) * time);
            s.data[c * frames + t] =
                level *
                (float)(0.5 * tone + 0.3 * exp(-20 * beat) * (rv_rng_uniform(3, c, t) - 0.5));
        }
    return s;
}

static void write_sound(const char *path, const sound *s, int bits)
{
    rv_error err = { 0 };
    rv_audio_writer *w = NULL;
    rv_audio_writer_options o = rv_audio_writer_defaults();
    const float *planes[8];
    o.channels = s->channels;
    o.sample_rate = s->rate;
    o.bits = bits;
    for (int c = 0; c < s->channels; c++)
        planes[c] = s->data + (size_t)c * s->frames;
    CHECK_OK(rv_audio_writer_open(&w, path, &o, &err), err);
    CHECK_OK(rv_audio_writer_write(w, planes, s->frames, &err), err);
    CHECK_OK(rv_audio_writer_commit(w, &err), err);
    rv_audio_writer_free(w);
}

static sound read_sound(const char *path)
{
    rv_error err = { 0 };
    rv_audio_reader *r = NULL;
    CHECK_OK(rv_audio_reader_open(&r, path, 0, &err), err);
    const rv_audio_info *info = rv_audio_reader_info(r);
    sound s = { info->channels, info->sample_rate, (size_t)info->frames, NULL };
    s.data = calloc((size_t)s.channels * s.frames + 1, sizeof *s.data);
    float *planes[8];
    size_t got;
    for (int c = 0; c < s.channels; c++)
        planes[c] = s.data + (size_t)c * s.frames;
    CHECK_OK(rv_audio_reader_read(r, planes, s.frames, &got, &err), err);
    CHECK(got == s.frames);
    rv_audio_reader_free(r);
    return s;
}

static rv_file_options options(const char *out, int bits)
{
    static char path[400];
    rv_file_options o;
    rv_file_defaults(&o);
    o.out_dir = in_folder(path, out);
    o.bits = bits;
    o.separate.threads = 2;
    return o;
}

static size_t count_files(const char *path)
{
    size_t n = 0;
    DIR *d = opendir(path);
    for (const struct dirent *e; d && (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    if (d)
        closedir(d);
    return n;
}

/* Separate a sound to float files and check format, length and that the stems add up to it. */
static void check_sum(const char *name, int channels, int rate, size_t frames, double tolerance)
{
    char path[400], out[400];
    rv_error err = { 0 };
    sound mix = make_sound(channels, rate, frames, 1);
    snprintf(out, sizeof out, "%s.wav", name);
    write_sound(in_folder(path, out), &mix, 32);
    const rv_file_options o = options("sum", 32);
    CHECK_OK(rv_separate_file(classic, path, &o, NULL, &err), err);
    for (size_t k = 0; k < STEMS; k++) {
        snprintf(path, sizeof path, "%s/sum/%s/%s.wav", folder, name, stem_names[k]);
        sound stem = read_sound(path);
        CHECK(stem.frames == frames && stem.rate == rate && stem.channels == channels);
        for (size_t i = 0; i < frames * (size_t)channels; i++)
            mix.data[i] -= stem.data[i];
        free(stem.data);
    }
    for (size_t i = 0; i < frames * (size_t)channels; i++)
        CHECK_CLOSE(mix.data[i], 0, tolerance);
    free(mix.data);
}

TEST(test_lengths_and_sum)
{
    static const int rates[] = { 8000, 44100, 48000, 96000 };
    char name[64];
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        snprintf(name, sizeof name, "one-%d", rates[i]);
        check_sum(name, 2, rates[i], 1, 1e-6);
        snprintf(name, sizeof name, "second-%d", rates[i]);
        check_sum(name, 2, rates[i], (size_t)rates[i], 2e-6);
    }
    check_sum("several segments", 1, 8000, 8000 * 53 + 7, 2e-6);
}

TEST(test_channels_and_names)
{
    check_sum("mono", 1, 16000, 5001, 2e-6);
    check_sum("six", 6, 16000, 5001, 2e-6);
    check_sum("Größe \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x8e\xb5.x", 2, 16000, 3000, 2e-6);
}

/* A rate below what classic takes goes through the resampler, there and back; 4001 frames become
 * 4573 at 8000 Hz and those 4002. */
TEST(test_resampled)
{
    char path[400];
    rv_error err = { 0 };
    sound mix = make_sound(2, 7000, 4001, 0.5F);
    write_sound(in_folder(path, "slow.wav"), &mix, 16);
    const rv_file_options o = options("slow", 16);
    rv_file_report report;
    CHECK_OK(rv_separate_file(classic, path, &o, &report, &err), err);
    CHECK(report.n_files == STEMS && report.frames == 4001 && report.sample_rate == 7000);
    for (size_t k = 0; k < STEMS; k++) {
        sound stem = read_sound(report.files[k]);
        CHECK(stem.frames == 4001 && stem.rate == 7000);
        free(stem.data);
    }
    rv_file_report_free(&report);
    free(mix.data);
}

TEST(test_silence)
{
    char path[400];
    rv_error err = { 0 };
    sound mix = make_sound(2, 44100, 30000, 0);
    write_sound(in_folder(path, "silence.wav"), &mix, 16);
    const rv_file_options o = options("silence", 32);
    rv_file_report report;
    CHECK_OK(rv_separate_file(classic, path, &o, &report, &err), err);
    for (size_t k = 0; k < STEMS; k++) {
        sound stem = read_sound(report.files[k]);
        for (size_t i = 0; i < 2 * stem.frames; i++)
            CHECK(stem.data[i] == 0);
        free(stem.data);
    }
    rv_file_report_free(&report);
    free(mix.data);
}

TEST(test_two_stems_and_selection)
{
    char path[400];
    rv_error err = { 0 };
    sound mix = make_sound(2, 16000, 9000, 0.5F);
    write_sound(in_folder(path, "two.wav"), &mix, 32);
    rv_file_options o = options("two", 32);
    o.two_stems = "vocals";
    o.filename = "{track}.{stem}.{ext}";
    rv_file_report report;
    CHECK_OK(rv_separate_file(classic, path, &o, &report, &err), err);
    CHECK(report.n_files == 2 && strstr(report.files[1], "/two/two.no_vocals.wav"));
    sound a = read_sound(report.files[0]), b = read_sound(report.files[1]);
    for (size_t i = 0; i < 2 * mix.frames; i++)
        CHECK_CLOSE(a.data[i] + b.data[i], mix.data[i], 2e-6);
    free(a.data);
    free(b.data);
    rv_file_report_free(&report);

    o = options("some", 16);
    o.stems = "bass,drums";
    CHECK_OK(rv_separate_file(classic, path, &o, &report, &err), err);
    CHECK(report.n_files == 2 && strstr(report.files[0], "drums"));
    rv_file_report_free(&report);
    o.stems = "bass,piano";
    CHECK(rv_separate_file(classic, path, &o, NULL, &err) == RV_ERR_ARG);
    CHECK(strstr(err.text, "piano") && strstr(err.text, "drums, bass, other, vocals"));
    free(mix.data);
}

static double peak_of(const char *path)
{
    sound s = read_sound(path);
    double peak = 0;
    for (size_t i = 0; i < (size_t)s.channels * s.frames; i++)
        peak = fmax(peak, fabs((double)s.data[i]));
    free(s.data);
    return peak;
}

static double highest(const rv_file_report *r)
{
    double peak = 0;
    for (size_t k = 0; k < r->n_files; k++)
        peak = fmax(peak, peak_of(r->files[k]));
    return peak;
}

TEST(test_clip_modes)
{
    char path[400];
    rv_error err = { 0 };
    sound mix = make_sound(1, 16000, 16000, 4);
    write_sound(in_folder(path, "loud.wav"), &mix, 32);
    static const char *const names[] = { "rescale", "clamp", "none" };
    static const double peaks[] = { 1 / 1.01, 0.99, 1 };
    for (int mode = 0; mode < 3; mode++) {
        rv_file_report report;
        rv_file_options o = options(names[mode], 24);
        o.clip = (rv_clip_mode)mode;
        CHECK_OK(rv_separate_file(classic, path, &o, &report, &err), err);
        CHECK_CLOSE(highest(&report), peaks[mode], 1e-5);
        CHECK(mode == RV_CLIP_RESCALE ? report.gain < 0.9 : report.gain == 1);
        rv_file_report_free(&report);
    }
    free(mix.data);
}

/* One gain for all stems: they still add up to the mix times the gain. */
TEST(test_rescaled_stems_add_up)
{
    char path[400];
    rv_error err = { 0 };
    rv_file_report report;
    sound mix = make_sound(2, 16000, 40000, 4);
    write_sound(in_folder(path, "sums.wav"), &mix, 32);
    const rv_file_options o = options("sums", 24);
    CHECK_OK(rv_separate_file(classic, path, &o, &report, &err), err);
    for (size_t i = 0; i < 2 * mix.frames; i++)
        mix.data[i] *= (float)report.gain;
    for (size_t k = 0; k < STEMS; k++) {
        sound stem = read_sound(report.files[k]);
        for (size_t i = 0; i < 2 * mix.frames; i++)
            mix.data[i] -= stem.data[i];
        free(stem.data);
    }
    for (size_t i = 0; i < 2 * mix.frames; i++)
        CHECK_CLOSE(mix.data[i], 0, 1e-6);
    rv_file_report_free(&report);
    free(mix.data);
}

TEST(test_existing)
{
    char path[400];
    rv_error err = { 0 };
    rv_file_report report;
    sound mix = make_sound(1, 16000, 1000, 0.5F);
    write_sound(in_folder(path, "there.wav"), &mix, 16);
    rv_file_options o = options("there", 16);
    CHECK_OK(rv_separate_file(classic, path, &o, NULL, &err), err);
    CHECK(rv_separate_file(classic, path, &o, NULL, &err) == RV_ERR_EXISTS);
    o.existing = RV_EXISTING_SKIP;
    CHECK_OK(rv_separate_file(classic, path, &o, &report, &err), err);
    CHECK(report.skipped && report.n_files == 0);
    o.existing = RV_EXISTING_OVERWRITE;
    CHECK_OK(rv_separate_file(classic, path, &o, &report, &err), err);
    CHECK(!report.skipped && report.n_files == STEMS);
    rv_file_report_free(&report);
    free(mix.data);
}

static int stop_at(void *ctx, const rv_progress *p)
{
    return p->fraction >= *(const double *)ctx;
}

TEST(test_cancelled_leaves_nothing)
{
    static double when[] = { 0, 0.3, 0.985 };
    char path[400], out[400];
    rv_error err = { 0 };
    sound mix = make_sound(1, 8000, 8000 * 60, 0.5F);
    write_sound(in_folder(path, "stop.wav"), &mix, 16);
    for (size_t i = 0; i < 3; i++) {
        rv_file_options o = options("stop", 16);
        o.separate.progress = stop_at;
        o.separate.progress_ctx = &when[i];
        CHECK(rv_separate_file(classic, path, &o, NULL, &err) == RV_ERR_CANCELLED);
        CHECK(count_files(in_folder(out, "stop/stop")) == 0);
    }
    free(mix.data);
}

TEST(test_bad_input)
{
    char path[400];
    rv_error err = { 0 };
    rv_file_options o = options("bad", 16);
    CHECK(rv_separate_file(classic, in_folder(path, "missing.wav"), &o, NULL, &err) == RV_ERR_IO);
    CHECK(strstr(err.text, "missing.wav") != NULL);
    FILE *f = fopen(in_folder(path, "text.wav"), "w");
    CHECK(f != NULL);
    fputs("this is no audio", f);
    fclose(f);
    CHECK(rv_separate_file(classic, path, &o, NULL, &err) != RV_OK);
    CHECK(strstr(err.text, "text.wav") != NULL);
    CHECK(count_files(in_folder(path, "bad/text")) == 0);
    o.filename = "{artist}.wav";
    CHECK(rv_separate_file(classic, path, &o, NULL, &err) == RV_ERR_ARG);
    CHECK(strstr(err.text, "{artist}") != NULL);
    o.filename = "{track}.{ext}";
    CHECK(rv_separate_file(classic, path, &o, NULL, &err) == RV_ERR_ARG);
    CHECK(strstr(err.text, "{stem}") != NULL);
}

/* A buffer, a stream in odd blocks and other numbers of threads give equal bits. */
TEST(test_buffer_and_stream)
{
    enum { FRAMES = 8000 * 40, BLOCK = 12345 };
    rv_error err = { 0 };
    sound mix = make_sound(2, 8000, FRAMES, 1);
    const float *in[] = { mix.data, mix.data + FRAMES };
    float *one = calloc(8 * FRAMES, sizeof *one), *two = calloc(8 * FRAMES, sizeof *two), *to[8];
    rv_separate_options o;
    rv_separate_defaults(&o);
    o.threads = 1;
    for (size_t p = 0; p < 8; p++)
        to[p] = one + p * FRAMES;
    CHECK_OK(rv_separate(classic, in, 2, 8000, FRAMES, to, &o, &err), err);
    o.threads = 3;
    o.jobs = 2;
    rv_separator *s = NULL;
    CHECK_OK(rv_separator_new(&s, classic, 2, 8000, &o, &err), err);
    CHECK(rv_separator_latency(s) == 25 * 8000);
    for (size_t at = 0, done = 0, made; done < FRAMES;) {
        const size_t n = FRAMES - at < BLOCK ? FRAMES - at : BLOCK;
        const float *from[] = { in[0] + at, in[1] + at };
        if (n > 0)
            CHECK_OK(rv_separator_push(s, from, n, &err), err);
        else
            rv_separator_finish(s);
        at += n;
        do {
            for (size_t p = 0; p < 8; p++)
                to[p] = two + p * FRAMES + done;
            CHECK_OK(
                rv_separator_pull(s, to, 4096 < FRAMES - done ? 4096 : FRAMES - done, &made, &err),
                err);
            done += made;
        } while (made > 0);
    }
    CHECK(memcmp(one, two, 8 * FRAMES * sizeof *one) == 0);
    rv_separator_free(s);
    free(one);
    free(two);
    free(mix.data);
}

TEST(test_unknown_models)
{
    rv_error err = { 0 };
    rv_model *m = NULL;
    CHECK(setenv("XDG_CACHE_HOME", folder, 1) == 0 && setenv("RAVEL_MODELS", folder, 1) == 0);
    CHECK(rv_model_open(&m, "htdemucs", &err) == RV_ERR_IO);
    CHECK(strstr(err.text, "955717e8-8726e21a.th") && strstr(err.text, "demucs#327"));
    CHECK(rv_model_open(&m, "htdemuks", &err) == RV_ERR_IO && strstr(err.text, "htdemucs_ft"));
    CHECK(rv_model_open(&m, "no/such.th", &err) == RV_ERR_IO && strstr(err.text, "no/such.th"));
}

/* A model from a folder of $RAVEL_MODELS, converted, gives the same stems as the original. */
TEST(test_converted_model)
{
    char path[400], out[400];
    rv_error err = { 0 };
    snprintf(path, sizeof path, "%s/tests/golden/htdemucs.th", getenv("RV_TEST_SOURCE"));
    CHECK(setenv("RAVEL_MODELS", folder, 1) == 0);
    CHECK_OK(rv_model_convert(path, in_folder(out, "tiny.safetensors"), NULL, &err), err);
    rv_model *models[2] = { NULL, NULL };
    CHECK_OK(rv_model_open(&models[0], path, &err), err);
    CHECK_OK(rv_model_open(&models[1], "tiny", &err), err);
    CHECK(strcmp(rv_model_about(models[1])->provenance, "converted from htdemucs.th") == 0);
    enum { FRAMES = 3000 };
    sound mix = make_sound(2, 8000, FRAMES, 1);
    const float *in[] = { mix.data, mix.data + FRAMES };
    float *memory[2], *to[8];
    for (size_t i = 0; i < 2; i++) {
        memory[i] = calloc(8 * FRAMES, sizeof(float));
        for (size_t p = 0; p < 8; p++)
            to[p] = memory[i] + p * FRAMES;
        CHECK_OK(rv_separate(models[i], in, 2, 8000, FRAMES, to, NULL, &err), err);
        rv_model_free(models[i]);
    }
    CHECK(memcmp(memory[0], memory[1], 8 * FRAMES * sizeof(float)) == 0);
    CHECK(memory[0][100] != 0);
    free(memory[0]);
    free(memory[1]);
    free(mix.data);
}

/* One stereo sound through a model; `level`: as loud as it is, whatever the model says. */
static float *separate_tiny(const char *path, const sound *mix, bool level)
{
    const size_t frames = mix->frames;
    const float *in[] = { mix->data, mix->data + frames };
    float *memory = calloc(8 * frames, sizeof *memory), *to[8];
    rv_error err = { 0 };
    rv_model *m = NULL;
    rv_separator *s = NULL;
    size_t made = 0;
    for (size_t p = 0; p < 8; p++)
        to[p] = memory + p * frames;
    CHECK_OK(rv_model_open(&m, path, &err), err);
    CHECK_OK(rv_separator_new(&s, m, 2, 8000, NULL, &err), err);
    if (level)
        rv_separator_level(s, 0, 1);
    CHECK_OK(rv_separator_push(s, in, frames, &err), err);
    rv_separator_finish(s);
    for (size_t done = 0; done < frames; done += made) {
        CHECK_OK(rv_separator_pull(s, to, frames - done, &made, &err), err);
        CHECK(made > 0);
        for (size_t p = 0; p < 8; p++)
            to[p] += made;
    }
    rv_separator_free(s);
    rv_model_free(m);
    return memory;
}

/* Convert, with another word in what the file says about itself. */
static rv_status convert_with(const char *normalise, const char *out, rv_error *err)
{
    char path[400], json[400];
    rv_checkpoint *c = NULL;
    snprintf(path, sizeof path, "%s/tests/golden/htdemucs.th", getenv("RV_TEST_SOURCE"));
    CHECK_OK(rv_checkpoint_open(&c, path, err), *err);
    json_t *config = json_deep_copy(rv_checkpoint_config(c));
    json_object_set_new(config, "normalise", json_string(normalise));
    CHECK(json_dump_file(config, in_folder(json, "config.json"), 0) == 0);
    json_decref(config);
    rv_checkpoint_free(c);
    return rv_model_convert(path, out, &(rv_convert_options){ .config = json }, err);
}

/* Audio is normalised unless the file of weights says that training did not do so. */
TEST(test_model_says_whether_audio_is_normalised)
{
    char raw[400], track[400], bag[400];
    rv_error err = { 0 };
    const size_t size = 8 * 1000 * sizeof(float);
    CHECK(convert_with("loud", in_folder(raw, "raw.safetensors"), &err) == RV_ERR_UNSUPPORTED);
    CHECK_MSG(strstr(err.text, "'loud'; expected none or track"), "%s", err.text);
    CHECK_OK(convert_with("none", raw, &err), err);
    CHECK_OK(convert_with("track", in_folder(track, "level.safetensors"), &err), err);
    sound mix = make_sound(2, 8000, 1000, 1);
    float *plain = separate_tiny(raw, &mix, false), *normalised = separate_tiny(track, &mix, false);
    float *forced = separate_tiny(track, &mix, true);
    CHECK(memcmp(plain, forced, size) == 0 && memcmp(plain, normalised, size) != 0);
    free(plain);
    free(normalised);
    free(forced);
    free(mix.data);
    rv_model *m = NULL;
    FILE *f = fopen(in_folder(bag, "mixed.yaml"), "w");
    CHECK(f && fputs("models: [raw, level]\n", f) >= 0 && fclose(f) == 0);
    const rv_status st = rv_model_open(&m, bag, &err);
    CHECK_MSG(st == RV_ERR_UNSUPPORTED || st == RV_OK, "%s", err.text);
    CHECK(!m || strcmp(rv_model_about(m)->architecture, "ensemble") == 0);
    rv_model_free(m);
}

/* What Asteroid saves says itself how to build the model; its sources have no names. */
TEST(test_asteroid_checkpoint)
{
    char path[400], out[400];
    rv_error err = { 0 };
    snprintf(path, sizeof path, "%s/tests/golden/conv_tasnet_skip.th", getenv("RV_TEST_SOURCE"));
    CHECK_OK(rv_model_convert(path, in_folder(out, "speech.safetensors"), NULL, &err), err);
    const char *const files[] = { path, out };
    for (size_t i = 0; i < 2; i++) {
        rv_model *model = NULL;
        CHECK_OK(rv_model_open(&model, files[i], &err), err);
        const rv_model_card *about = rv_model_about(model);
        CHECK(about->channels == 1 && about->sample_rate == 8000 && about->n_stems == 2);
        CHECK(!strcmp(about->stems[0], "source1") && !strcmp(about->stems[1], "source2"));
        rv_model_free(model);
    }
}

static int set_up(void **state)
{
    rv_error err;
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/ravel-separate-XXXXXX");
    return !mkdtemp(folder) || rv_model_open(&classic, "classic", &err) != RV_OK;
}

static int tear_down(void **state)
{
    char command[100];
    (void)state;
    rv_model_free(classic);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths_and_sum),
        cmocka_unit_test(test_channels_and_names),
        cmocka_unit_test(test_resampled),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_two_stems_and_selection),
        cmocka_unit_test(test_clip_modes),
        cmocka_unit_test(test_rescaled_stems_add_up),
        cmocka_unit_test(test_existing),
        cmocka_unit_test(test_cancelled_leaves_nothing),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_buffer_and_stream),
        cmocka_unit_test(test_unknown_models),
        cmocka_unit_test(test_converted_model),
        cmocka_unit_test(test_model_says_whether_audio_is_normalised),
        cmocka_unit_test(test_asteroid_checkpoint),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
