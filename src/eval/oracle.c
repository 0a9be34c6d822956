/* oracle.c - the table of oracles, and which signals they work on; see oracle.h. */
#include "eval/oracle.h"

#include "base/status.h"
#include "eval/oracle_filter.h"
#include "eval/stem_names.h"
#include "ravel/eval.h"

#include <stdlib.h>
#include <string.h>

typedef enum { MIX, SILENCE, BINARY, RATIO, WIENER } oracle_kind;

static const struct {
    const char *name;
    oracle_kind kind;
    double alpha;
    const char *about;
} oracles[] = {
    { "mix", MIX, 0, "the mixture as every stem" },
    { "silence", SILENCE, 0, "nothing" },
    { "ibm1", BINARY, 1, "ideal binary mask of magnitudes (sigsep-mus-oracle)" },
    { "ibm2", BINARY, 2, "ideal binary mask of powers" },
    { "irm1", RATIO, 1, "ideal ratio mask of magnitudes (sigsep-mus-oracle)" },
    { "irm2", RATIO, 2, "ideal ratio mask of powers" },
    { "mwf", WIENER, 2, "multichannel Wiener filter with ideal parameters (sigsep-mus-oracle)" },
};
enum { ORACLES = sizeof oracles / sizeof *oracles };

static const double rest_share = 0.01;

const char *rv_oracle_name(int oracle)
{
    return oracle >= 0 && oracle < ORACLES ? oracles[oracle].name : NULL;
}

const char *rv_oracle_about(int oracle)
{
    return oracle >= 0 && oracle < ORACLES ? oracles[oracle].about : NULL;
}

rv_status rv_oracle_find(int *oracle, const char *name, rv_error *err)
{
    char list[100] = "";
    for (int i = 0; i < ORACLES; i++) {
        if (strcmp(oracles[i].name, name) == 0) {
            *oracle = i;
            return RV_OK;
        }
        strcat(strcat(list, i ? ", " : ""), oracles[i].name);
    }
    return RV_FAIL(err, RV_ERR_ARG, "there is no oracle '%s'; there are %s", name, list);
}

bool rv_oracle_wants_mixture(int oracle)
{
    return oracles[oracle].kind != SILENCE;
}

/* Sources --------------------------------------------------------------------------------- */

/* Signals that a filter works on: the stems but the sum of others, then the rest of the mixture. */
typedef struct signals {
    const rv_song_audio *audio;
    size_t sum, n;  /* number of that stem, or n_stems; sources */
    float **planes; /* [2][(n_stems + 1) * channels] sources, estimates */
    float *rest;    /* [2 * channels][frames] its source and its estimate, 0 where there is none */
} signals;

static void subtract(float *x, const float *y, size_t n)
{
    for (size_t t = 0; t < n; t++)
        x[t] -= y[t];
}

static double energy(const float *const *planes, size_t channels, size_t frames)
{
    double sum = 0;
    for (size_t c = 0; c < channels; c++)
        for (size_t t = 0; t < frames; t++)
            sum += (double)planes[c][t] * (double)planes[c][t];
    return sum;
}

/* One more source, the mixture less the others. */
static void add_rest(signals *s)
{
    const rv_song_audio *a = s->audio;
    float **from = s->planes + s->n * a->channels;
    for (size_t c = 0; c < a->channels; c++) {
        from[c] = s->rest + c * a->frames;
        from[(a->n_stems + 1) * a->channels + c] = s->rest + (a->channels + c) * a->frames;
        memcpy(from[c], a->mixture[c], a->frames * sizeof(float));
        for (size_t j = 0; j < s->n; j++)
            subtract(from[c], s->planes[j * a->channels + c], a->frames);
    }
    const double rest = energy((const float *const *)from, a->channels, a->frames);
    s->n += rest > rest_share * energy((const float *const *)a->mixture, a->channels, a->frames);
}

static rv_status open_signals(signals *s, const rv_song_audio *a, char *const *names, rv_error *err)
{
    const size_t planes = (a->n_stems + 1) * a->channels;
    *s = (signals){ .audio = a, .sum = rv_stem_sum((const char *const *)names, a->n_stems) };
    s->planes = calloc(2 * planes, sizeof *s->planes);
    s->rest = calloc(2 * a->channels, a->frames * sizeof *s->rest);
    if (!s->planes || !s->rest)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu frames", a->frames);
    for (size_t stem = 0; stem < a->n_stems; stem++) {
        if (stem == s->sum)
            continue;
        memcpy(s->planes + s->n * a->channels, a->references + stem * a->channels,
               a->channels * sizeof *s->planes);
        memcpy(s->planes + planes + s->n * a->channels, a->estimates + stem * a->channels,
               a->channels * sizeof *s->planes);
        s->n++;
    }
    add_rest(s);
    return RV_OK;
}

static void close_signals(signals *s)
{
    free(s->planes);
    free(s->rest);
}

/* ----------------------------------------------------------------------------------------- */

static void add(float *x, const float *y, size_t n)
{
    for (size_t t = 0; t < n; t++)
        x[t] += y[t];
}

/* The sum of the others: of all stems but the vocals, and of the rest. */
static void fill_sum(const signals *s, char *const *names)
{
    const rv_song_audio *a = s->audio;
    for (size_t c = 0; c < a->channels && s->sum < a->n_stems; c++) {
        float *to = a->estimates[s->sum * a->channels + c];
        for (size_t stem = 0; stem < a->n_stems; stem++)
            if (stem != s->sum && strcmp(names[stem], "vocals") != 0)
                add(to, a->estimates[stem * a->channels + c], a->frames);
        add(to, s->rest + (a->channels + c) * a->frames, a->frames);
    }
}

static rv_status filter(int oracle, const rv_song_audio *a, char *const *names, int (*stop)(void *),
                        void *stop_ctx, rv_error *err)
{
    signals s;
    rv_status status = open_signals(&s, a, names, err);
    const rv_oracle_input in = { (const float *const *)a->mixture,
                                 (const float *const *)s.planes,
                                 s.n,
                                 a->channels,
                                 a->frames,
                                 stop,
                                 stop_ctx };
    float *const *out = s.planes + (a->n_stems + 1) * a->channels;
    if (status == RV_OK)
        status = oracles[oracle].kind == WIENER
                     ? rv_oracle_wiener(out, &in, err)
                     : rv_oracle_mask(out, &in, oracles[oracle].kind == BINARY,
                                      oracles[oracle].alpha, err);
    if (status == RV_OK)
        fill_sum(&s, names);
    close_signals(&s);
    return status;
}

rv_status rv_oracle_estimate(int oracle, const rv_song_audio *a, char *const *stem_names,
                             int (*stop)(void *), void *stop_ctx, rv_error *err)
{
    const oracle_kind kind = oracles[oracle].kind;
    for (size_t p = 0; p < a->n_stems * a->channels && kind == MIX; p++)
        memcpy(a->estimates[p], a->mixture[p % a->channels], a->frames * sizeof(float));
    if (kind == MIX || kind == SILENCE)
        return RV_OK;
    return filter(oracle, a, stem_names, stop, stop_ctx, err);
}
