/* test_crepe_f0.c - the contour of a recording by CREPE: what torchcrepe's filters and thresholds
 * make of the tracker's frames, kept in the cache of features. */
#include "check.h"
#include "crepe_files.h"
#include "data/feature_cache.h"
#include "infer/crepe_f0.h"
#include "io/audio_write.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { RATE = 16000, N = 20000, HOP = 160, FRAMES = N / HOP + 1 };

static char folder[64], weights[100], song[100];
static float sound[N];

/* Noise, and silence from frame 80 on. */
static int set_up(void **state)
{
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    rv_audio_writer *w = NULL;
    rv_error err = { 0 };
    (void)state;
    strcpy(folder, "/tmp/ravel-crepe-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(weights, sizeof weights, "%s/weights.safetensors", folder);
    snprintf(song, sizeof song, "%s/song.wav", folder);
    write_crepe(weights, 1, 0);
    crepe_formula(sound, N, "song", 0.5, 0);
    memset(sound + (size_t)80 * HOP, 0, (N - (size_t)80 * HOP) * sizeof *sound);
    for (size_t i = 0; i < N; i++)
        sound[i] = rintf(sound[i] * 8192) / 8192;
    opt.channels = 1;
    opt.sample_rate = RATE;
    CHECK_OK(rv_audio_writer_open(&w, song, &opt, &err), err);
    CHECK_OK(rv_audio_writer_write(w, (const float *const[]){ sound }, N, &err), err);
    CHECK_OK(rv_audio_writer_commit(w, &err), err);
    rv_audio_writer_free(w);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static rv_crepe_options options(void)
{
    rv_crepe_options o;
    rv_crepe_defaults(&o);
    o.model = weights;
    o.threads = 1;
    return o;
}

static rv_feature_spec spec_of(rv_feature_name feature)
{
    rv_feature_spec s;
    rv_feature_defaults(&s, feature, RATE, (double)RATE / HOP);
    s.f0_method = RV_F0_CREPE;
    return s;
}

static rv_status get(const rv_crepe_options *o, const rv_feature_spec *spec, rv_feature_counts *n,
                     float *values, rv_error *err)
{
    rv_track_source file = { song, 0, RV_ALL_CHANNELS };
    const rv_track_sources sources = { &file, 1 };
    char path[100];
    rv_crepe_f0 *crepe = NULL;
    rv_feature_cache *cache = NULL;
    rv_feature_rows *rows = NULL;
    snprintf(path, sizeof path, "%s/cache", folder);
    CHECK_OK(rv_feature_cache_open(&cache, path, err), *err);
    rv_status st = o ? rv_crepe_f0_new(&crepe, o, err) : RV_OK;
    if (crepe)
        rv_feature_cache_set_engine(cache, rv_crepe_f0_engine(crepe));
    if (st == RV_OK)
        st = rv_feature_get(cache, &sources, spec, NULL, &rows, err);
    if (st == RV_OK && values)
        CHECK_OK(rv_feature_rows_read(rows, 0, rv_feature_rows_count(rows), values, err), *err);
    if (n)
        *n = rv_feature_cache_counts(cache);
    if (st == RV_OK)
        CHECK(rv_feature_rows_count(rows) == rv_feature_frames(spec, N));
    rv_feature_rows_free(rows);
    rv_feature_cache_free(cache);
    rv_crepe_f0_free(crepe);
    return st;
}

static void track(const rv_crepe_options *o, const rv_feature_spec *spec, float *f0,
                  float *periodicity)
{
    rv_pitch_options p;
    rv_pitch *pitch = NULL;
    rv_error err = { 0 };
    rv_pitch_defaults(&p, RATE);
    p.frame_rate = spec->frame_rate;
    p.path = o->path;
    p.average = o->average;
    p.f0_min = spec->f0_min;
    p.f0_max = spec->f0_max;
    CHECK_OK(rv_pitch_open(&pitch, weights, &p, &err), err);
    CHECK_OK(rv_pitch_push(pitch, sound, N, &err), err);
    CHECK_OK(rv_pitch_finish(pitch, &err), err);
    CHECK(rv_pitch_pull(pitch, f0, periodicity, FRAMES + 9) == FRAMES);
    rv_pitch_free(pitch);
}

static float middle(const float *x)
{
    float y[FRAMES];
    rv_error err = { 0 };
    CHECK_OK(rv_pitch_median(y, x, FRAMES, 2 * FRAMES + 1, &err), err);
    return y[0];
}

/* In torchcrepe's order; each step changes something. */
TEST(test_the_contour_of_a_file)
{
    float f0[FRAMES + 9], p[FRAMES + 9], mended[FRAMES], contour[FRAMES], smooth[FRAMES];
    float rows[FRAMES * 3];
    rv_error err = { 0 };
    rv_crepe_options o = options();
    const rv_feature_spec spec = spec_of(RV_FEATURE_F0);
    size_t voiced = 0;
    o.path = RV_PITCH_ARGMAX;
    o.average = RV_PITCH_LOCAL_TORCHCREPE;
    o.median = 3;
    o.mean = 5;
    o.silence = -60;
    track(&o, &spec, f0, p);
    CHECK_OK(rv_pitch_median(mended, p, FRAMES, 3, &err), err);
    o.threshold = (double)middle(mended);
    CHECK_OK(rv_pitch_silence(mended, FRAMES, sound, N, HOP, -60, &err), err);
    CHECK(mended[110] == 0 && p[110] > 0);
    memcpy(contour, f0, sizeof contour);
    rv_pitch_at(contour, mended, FRAMES, o.threshold);
    rv_pitch_mean(smooth, contour, FRAMES, 5);
    CHECK_OK(get(&o, &spec, NULL, rows, &err), err);
    for (size_t i = 0; i < FRAMES; i++) {
        const bool has = !isnan(smooth[i]);
        CHECK(rows[3 * i] == (has ? smooth[i] : f0[i]) && rows[3 * i + 1] == mended[i] &&
              (rows[3 * i + 2] > 0) == has);
        voiced += has;
    }
    CHECK(voiced > 20 && voiced < 100);
    o.hysteresis = 1;
    o.mean = 1;
    CHECK_OK(rv_pitch_hysteresis(memcpy(contour, f0, sizeof contour), mended, FRAMES, NULL, &err),
             err);
    CHECK_OK(get(&o, &spec, NULL, rows, &err), err);
    for (size_t i = 0; i < FRAMES; i++)
        CHECK((rows[3 * i + 2] > 0) == !isnan(contour[i]) && rows[3 * i] == f0[i]);
}

static void check_counts(const rv_crepe_options *o, const rv_feature_spec *spec, uint64_t found,
                         uint64_t measured)
{
    rv_feature_counts n;
    rv_error err = { 0 };
    CHECK_OK(get(o, spec, &n, NULL, &err), err);
    CHECK_MSG(n.found == found && n.measured == measured, "%llu found, %llu measured",
              (unsigned long long)n.found, (unsigned long long)n.measured);
}

TEST(test_kept_by_weights_and_options)
{
    rv_crepe_options o = options();
    rv_feature_spec spec = spec_of(RV_FEATURE_F0);
    char other[100];
    snprintf(other, sizeof other, "%s/other.safetensors", folder);
    check_counts(&o, &spec, 0, 1);
    o.threads = 2;
    check_counts(&o, &spec, 1, 0);
    o.threshold = 0.5;
    check_counts(&o, &spec, 0, 1);
    o.threshold = 0.21;
    o.average = RV_PITCH_BIN;
    check_counts(&o, &spec, 0, 1);
    o = options();
    spec.trough = 0.3; /* has no part in it */
    check_counts(&o, &spec, 1, 0);
    spec.f0_max = 1000;
    check_counts(&o, &spec, 0, 1);
    spec = spec_of(RV_FEATURE_HARMONICITY);
    check_counts(&o, &spec, 1, 1); /* follows the pitch found */
    spec = spec_of(RV_FEATURE_LOUDNESS);
    check_counts(NULL, &spec, 0, 1);
    check_counts(&o, &spec, 1, 0);
    CHECK(link(weights, other) == 0);
    o.model = other;
    spec = spec_of(RV_FEATURE_F0);
    check_counts(&o, &spec, 1, 0);
    CHECK(unlink(other) == 0);
    write_crepe(other, 2, 0);
    check_counts(&o, &spec, 0, 1);
}

/* As many frames as the other features have, whatever the rates. */
TEST(test_frames_are_those_of_other_features)
{
    static const double rates[] = { 250, 100, 44.1, 31.25, 3, 997.3 };
    rv_error err = { 0 };
    const rv_crepe_options o = options();
    rv_feature_spec spec = spec_of(RV_FEATURE_F0);
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        for (int align = 0; align < 2; align++) {
            spec.frame_rate = rates[i];
            spec.align = align ? RV_FRAMES_STARTED : RV_FRAMES_CENTRED;
            CHECK_OK(get(&o, &spec, NULL, NULL, &err), err);
        }
}

TEST(test_what_cannot_be)
{
    rv_error err = { 0 };
    rv_feature_spec spec = spec_of(RV_FEATURE_F0);
    rv_feature *f = NULL;
#define REFUSED(change, code, word)                        \
    do {                                                   \
        rv_crepe_options o = options();                    \
        change;                                            \
        CHECK(get(&o, &spec, NULL, NULL, &err) == (code)); \
        CHECK_MSG(strstr(err.text, word), "%s", err.text); \
    } while (0)
    REFUSED(o.model = NULL, RV_ERR_ARG, "needs a file with its weights");
    REFUSED(o.model = song, RV_ERR_FORMAT, "song.wav");
    REFUSED(o.model = "/nowhere.pth", RV_ERR_IO, "/nowhere.pth");
    REFUSED(o.median = 2, RV_ERR_ARG, "odd");
    REFUSED(o.mean = -1, RV_ERR_ARG, "odd");
    REFUSED(o.threshold = NAN, RV_ERR_ARG, "threshold");
    REFUSED(o.silence = NAN, RV_ERR_ARG, "silence");
    spec.f0_max = 20;
    REFUSED((void)o, RV_ERR_ARG, "20");
    spec = spec_of(RV_FEATURE_F0);
    spec.frame_rate = 90;
    REFUSED(o.silence = -60, RV_ERR_ARG, "a whole number of samples apart");
    CHECK(get(NULL, &spec, NULL, NULL, &err) == RV_ERR_ARG);
    CHECK_MSG(strstr(err.text, "song.wav: f0 by CREPE needs a file with its weights"), "%s",
              err.text);
    CHECK(rv_feature_new(&f, &spec, NULL, 0, &err) == RV_ERR_ARG);
    CHECK(strstr(err.text, "ravel/pitch.h"));
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_the_contour_of_a_file),
        IN_FOLDER(test_kept_by_weights_and_options),
        IN_FOLDER(test_frames_are_those_of_other_features),
        IN_FOLDER(test_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
