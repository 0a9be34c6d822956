/* ddsp_streams.c - one sound at 16 kHz from 250 frames a second: 100 harmonics or sinusoids,
 * filters of 65 bands, tables of 512 points, 25 ms of delay, a room of 2 s; and a group of
 * harmonics and noise in that room. */
#include "ddsp_streams.h"

#include "base/status.h"

#include "ddsp/stream_filter.h"
#include "ddsp/stream_group.h"
#include "ddsp/stream_harmonic.h"
#include "ddsp/stream_mod_delay.h"
#include "ddsp/stream_reverb.h"
#include "ddsp/stream_sinusoids.h"
#include "ddsp/stream_wavetable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { RATE = 16000, HOP = 64, OSCILLATORS = 100, BANDS = 65, POINTS = 512, ROOM = 32000 };
enum { WIDTH = 1024, LARGEST_BLOCK = 1024 };

static float response[ROOM];

static rv_status open_harmonic(rv_stream **s, rv_error *err)
{
    const rv_stream_harmonic_config c = { RATE, HOP, OSCILLATORS, RV_UPSAMPLE_LINEAR,
                                          RV_UPSAMPLE_HANN };
    return rv_stream_harmonic_new(s, &c, NULL, err);
}

static rv_status open_sinusoids(rv_stream **s, rv_error *err)
{
    const rv_stream_sinusoids_config c = { 1, HOP, OSCILLATORS, RV_UPSAMPLE_HANN };
    return rv_stream_sinusoids_new(s, &c, NULL, err);
}

static rv_status open_wavetable(rv_stream **s, rv_error *err)
{
    const rv_stream_wavetable_config c = { HOP, POINTS, rv_wavetable_defaults(RATE, 0) };
    return rv_stream_wavetable_new(s, &c, NULL, err);
}

static rv_status open_noise(rv_stream **s, rv_error *err)
{
    const rv_stream_noise_config c = { HOP, BANDS, rv_noise_defaults(), 1, 1 };
    return rv_stream_noise_new(s, &c, NULL, err);
}

static rv_status open_fir(rv_stream **s, rv_error *err)
{
    const rv_stream_fir_config c = { HOP, BANDS, 257, true };
    return rv_stream_fir_new(s, &c, NULL, err);
}

static rv_status open_mod_delay(rv_stream **s, rv_error *err)
{
    const rv_stream_mod_delay_config c = { HOP, RV_UPSAMPLE_LINEAR, rv_mod_delay_defaults(RATE) };
    return rv_stream_mod_delay_new(s, &c, NULL, err);
}

static rv_status open_reverb(rv_stream **s, rv_error *err)
{
    const rv_stream_reverb_config c = { response, ROOM, true };
    return rv_stream_reverb_new(s, &c, NULL, err);
}

static rv_status add_solo(rv_group *g, rv_error *err)
{
    RV_TRY(rv_group_add(g, "voice", "harmonic", 3, (const char *[]){ "amplitude", "shares", "f0" },
                        err));
    RV_TRY(rv_group_add(g, "air", "filtered_noise", 1, (const char *[]){ "magnitudes" }, err));
    RV_TRY(rv_group_add(g, "both", "add", 2, (const char *[]){ "voice", "air" }, err));
    return rv_group_add(g, "room", "reverb", 2, (const char *[]){ "both", "ir" }, err);
}

static rv_status open_group(rv_stream **s, rv_error *err)
{
    const rv_stream_group_value values[] = {
        { .width = 1 },
        { .width = OSCILLATORS },
        { .width = 1 },
        { .width = BANDS },
        { .shape = RV_SHAPE(1, ROOM), .data = response },
    };
    rv_group *g = NULL;
    RV_TRY(rv_group_new(&g, RATE, NULL, err));
    rv_status status = add_solo(g, err);
    const rv_stream_group_config c = { .group = g, .hop = HOP, .controls = values };
    if (status == RV_OK)
        status = rv_stream_group_new(s, &c, NULL, err);
    rv_group_free(g);
    return status;
}

static const struct {
    const char *name;
    rv_status (*open)(rv_stream **s, rv_error *err);
    size_t oscillators;
} kinds[] = {
    { "stream_harmonic", open_harmonic, OSCILLATORS },
    { "stream_sinusoids", open_sinusoids, OSCILLATORS },
    { "stream_wavetable", open_wavetable, 1 },
    { "stream_noise", open_noise, 0 },
    { "stream_fir", open_fir, 0 },
    { "stream_mod_delay", open_mod_delay, 0 },
    { "stream_reverb", open_reverb, 0 },
    { "stream_group", open_group, OSCILLATORS },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static size_t find(const char *name)
{
    size_t i = 0;
    while (i < KINDS && strcmp(name, kinds[i].name) != 0)
        i++;
    return i;
}

const char *bench_stream_name(size_t i)
{
    return i < KINDS ? kinds[i].name : NULL;
}

static double user(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)use.ru_utime.tv_sec + 1e-6 * (double)use.ru_utime.tv_usec;
}

static void make(rv_stream *s, size_t samples, size_t block, const float *frame)
{
    static float in[LARGEST_BLOCK], out[LARGEST_BLOCK];
    const float *const audio[] = { in };
    for (size_t t = 0; t < samples; t += block)
        for (size_t done = 0; done < block;) {
            done += rv_stream_process(s, audio, out, block - done);
            if (done < block)
                rv_stream_give(s, frame);
        }
}

static void bench_block(size_t kind, rv_stream *s, size_t block, size_t samples, int repeat)
{
    float frame[WIDTH];
    double least = 1e9;
    for (size_t i = 0; i < WIDTH; i++)
        frame[i] = i ? 0.02f : kinds[kind].open == open_sinusoids ? 0.01f : 200;
    for (int i = 0; i < repeat; i++) {
        const double before = user();
        rv_stream_reset(s);
        make(s, samples, block, frame);
        const double took = user() - before;
        least = took < least ? took : least;
    }
    printf("{\"model\": \"%s\", \"block\": %zu, \"latency\": %zu, \"processor_seconds\": %.4f, "
           "\"samples_per_second\": %.3g",
           kinds[kind].name, block, rv_stream_latency(s), least, (double)samples / least);
    if (kinds[kind].oscillators)
        printf(", \"oscillator_samples_per_second\": %.3g",
               (double)(samples * kinds[kind].oscillators) / least);
    printf("}\n");
    fflush(stdout);
}

void bench_stream(const char *name, size_t seconds, int repeat)
{
    static const size_t blocks[] = { 1, 16, 64, 256, 1024 };
    rv_error err = { 0 };
    rv_stream *s = NULL;
    const size_t kind = find(name);
    for (size_t i = 0; i < ROOM; i++)
        response[i] = 1e-3f * (float)rand() / (float)RAND_MAX;
    if (kinds[kind].open(&s, &err) != RV_OK) {
        fprintf(stderr, "bench_ddsp: %s\n", err.text);
        exit(1);
    }
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        bench_block(kind, s, blocks[i], seconds * RATE, repeat);
    rv_stream_free(s);
}
