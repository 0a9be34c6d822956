/* eval_signals.h - the signals of tools/make_golden_eval.py, bit for bit. */
#ifndef TESTS_EVAL_SIGNALS_H
#define TESTS_EVAL_SIGNALS_H

#include "check.h"

#include <jansson.h>
#include <stdlib.h>

static inline float *new_plane(size_t n)
{
    float *x = calloc(n + 1, sizeof *x);
    CHECK(x != NULL);
    return x;
}

/* y[t] += gain noise[t - by] */
static inline void add_noise(float *y, uint32_t seed, size_t n, float gain, size_t by)
{
    uint64_t state = seed;
    for (size_t t = by; t < n; t++) {
        state = (1103515245 * state + 12345) % 2147483648;
        y[t] += gain * ((float)(state / 65536 % 32768) - 16384) / 32768;
    }
}

/* Coloured noise, partly common to both channels; y[t] += gain x[t - by] */
static inline void add_reference(float *y, size_t source, size_t channel, size_t n, float gain,
                                 size_t by)
{
    const uint32_t seeds[2] = { (uint32_t)(100 + 10 * source + channel), (uint32_t)(500 + source) };
    for (int i = 0; i < 2; i++) {
        add_noise(y, seeds[i], n, gain * 2 / 16, by);
        add_noise(y, seeds[i], n, gain * (float)(source + 1) / 16, by + 1 + source);
        add_noise(y, seeds[i], n, -gain / 16, by + 2);
    }
}

static inline void add_estimate(float *y, size_t source, size_t channel, size_t n, size_t sources)
{
    add_reference(y, source, channel, n, 0.5F, 0);
    add_reference(y, source, channel, n, 0.125F, 3);
    add_reference(y, (source + 1) % sources, channel, n, 0.125F, 0);
    add_noise(y, (uint32_t)(900 + 10 * source + channel), n, 1.0F / 64, 0);
}

enum { MOST_PLANES = 8 };

/* [sources * channels][frames] */
typedef struct eval_signals {
    float *references[MOST_PLANES], *estimates[MOST_PLANES];
    size_t sources, channels, frames;
} eval_signals;

static inline eval_signals new_signals(size_t sources, size_t channels, size_t frames)
{
    eval_signals s = { .sources = sources, .channels = channels, .frames = frames };
    for (size_t p = 0; p < sources * channels; p++) {
        s.references[p] = new_plane(frames);
        s.estimates[p] = new_plane(frames);
        add_reference(s.references[p], p / channels, p % channels, frames, 1, 0);
        add_estimate(s.estimates[p], p / channels, p % channels, frames, sources);
    }
    return s;
}

static inline void free_signals(eval_signals *s)
{
    for (size_t p = 0; p < s->sources * s->channels; p++) {
        free(s->references[p]);
        free(s->estimates[p]);
    }
}

/* tests/golden/eval.json */
static inline json_t *load_golden(void)
{
    char path[500];
    json_error_t error;
    snprintf(path, sizeof path, "%s/tests/golden/eval.json", getenv("RV_TEST_SOURCE"));
    json_t *golden = json_load_file(path, 0, &error);
    CHECK_MSG(golden != NULL, "%s: %s", path, error.text);
    return golden;
}

#endif
