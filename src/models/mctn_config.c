/* mctn_config.c - the arguments of the feature separator; all defaults are the published ones:
 *
 *   sources          names (bass, drums, vocals)
 *   sample_rate      Hz (16000)
 *   hop              samples between frames (1/250 s)
 *   encoder          "learned" (default): filters; "mel": bands, L being a power of two, 4 hops at
 *                    least, N 4 at least
 *   L, N             samples and number of the encoder's filters (hop, 128)
 *   B, H, P          channels of the bottleneck and of the blocks, taps (256, 512, 3)
 *   X, R             blocks of a repeat, repeats (8, 1)
 *   segment          seconds (4)
 *   pitch            "midi" (default) or "softmax"
 *   depth            pitches that f0 is a mean of (128)
 *   f0_min, f0_max   Hz (32.703, 2093.005): of the softmax
 *   loudness_mean, loudness_spread   dB (0, 1): loudness is mean + spread times what the network
 *                    says
 *   level            add the level of the masked mix to that (false), see mctn.c
 *   loudness         "ddsp" (default), "ddsp1", "ddsp-pytorch": see docs/features.md */
#include "models/mctn.h"

#include <stdio.h>
#include <string.h>

static void read_sources(rv_arg_reader *r, rv_mctn_config *c)
{
    static const char *const published[] = { "bass", "drums", "vocals" };
    const rv_arg *list = rv_arg_list(r, "sources");
    const double n = list ? list->number : 3;
    if (!(n >= 1 && n <= RV_MCTN_SOURCES)) {
        rv_arg_fail(r, RV_ERR_ARG, "sources", "has %g names, 1 to %d are expected", n,
                    RV_MCTN_SOURCES);
        return;
    }
    for (c->n_sources = 0; c->n_sources < (size_t)n; c->n_sources++) {
        const char *name = list ? list->items[c->n_sources].text : published[c->n_sources];
        if (!name || !*name || strlen(name) >= RV_STEM_NAME || strchr(name, '/')) {
            rv_arg_fail(r, RV_ERR_ARG, "sources", "holds what is no name of a source");
            return;
        }
        snprintf(c->sources[c->n_sources], RV_STEM_NAME, "%s", name);
    }
}

/* The place of the argument among n names. */
static int choice(rv_arg_reader *r, const char *name, const char *const *names, int n)
{
    char all[80] = "";
    const char *text = rv_arg_text(r, name, names[0]);
    for (int i = 0; i < n; i++) {
        const size_t used = strlen(all);
        if (!strcmp(text, names[i]))
            return i;
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    }
    rv_arg_fail(r, RV_ERR_ARG, name, "is %s, one of %s is expected", text, all);
    return 0;
}

static void read_encoder(rv_arg_reader *r, rv_mctn_config *c)
{
    static const char *const encoders[] = { "learned", "mel" };
    c->encoder = (rv_mctn_encoder)choice(r, "encoder", encoders, 2);
    c->kernel = rv_arg_size(r, "L", c->hop, c->hop, 1 << 16);
    c->filters = rv_arg_size(r, "N", 128, c->encoder == RV_MCTN_MEL ? 4 : 1, 4096);
    if (c->encoder == RV_MCTN_MEL && (c->kernel < 4 * c->hop || (c->kernel & (c->kernel - 1))))
        rv_arg_fail(r, RV_ERR_ARG, "L", "is %zu, a power of two from 4 hops (%zu) on is expected",
                    c->kernel, 4 * c->hop);
}

static void read_sizes(rv_arg_reader *r, rv_mctn_config *c)
{
    c->hop = rv_arg_size(r, "hop", c->sample_rate / 250, 1, 1 << 16);
    read_encoder(r, c);
    c->bottleneck = rv_arg_size(r, "B", 256, 1, 4096);
    c->hidden = rv_arg_size(r, "H", 512, 1, 4096);
    c->taps = rv_arg_size(r, "P", 3, 1, 63);
    c->blocks = rv_arg_size(r, "X", 8, 1, 16);
    c->repeats = rv_arg_size(r, "R", 1, 1, 64);
    if (c->taps % 2 == 0)
        rv_arg_fail(r, RV_ERR_ARG, "P", "is %zu, an odd number is expected", c->taps);
}

static void read_heads(rv_arg_reader *r, rv_mctn_config *c)
{
    static const char *const pitches[] = { "midi", "softmax" };
    static const char *const loudnesses[] = { "ddsp", "ddsp1", "ddsp-pytorch" };
    c->pitch = (rv_mctn_pitch)choice(r, "pitch", pitches, 2);
    c->depth = rv_arg_size(r, "depth", 128, 2, 4096);
    c->f0_min = rv_arg_number(r, "f0_min", 32.703, 1, 20000);
    c->f0_max = rv_arg_number(r, "f0_max", 2093.005, c->f0_min, 20000);
    c->loudness_mean = rv_arg_number(r, "loudness_mean", 0, -1000, 1000);
    c->loudness_spread = rv_arg_number(r, "loudness_spread", 1, 1e-3, 1000);
    c->level = rv_arg_bool(r, "level", false);
    c->loudness = (rv_loudness_kind)choice(r, "loudness", loudnesses, 3);
}

void rv_mctn_read_network(rv_arg_reader *r, rv_mctn_config *c)
{
    read_sizes(r, c);
    read_heads(r, c);
}

/* Whole frames, one at least. */
static void read_segment(rv_arg_reader *r, rv_mctn_config *c)
{
    const double seconds = rv_arg_number(r, "segment", 4, 1e-3, 600);
    const double frames = seconds * (double)c->sample_rate / (double)c->hop;
    c->segment = c->hop * (frames > 1 ? (size_t)(frames + 0.5) : 1);
}

rv_status rv_mctn_configure(rv_mctn_config *c, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = RV_MCTN_CLASS, .args = args, .err = err };
    *c = (rv_mctn_config){ 0 };
    read_sources(&r, c);
    c->sample_rate = rv_arg_size(&r, "sample_rate", 16000, 1000, 192000);
    rv_mctn_read_network(&r, c);
    read_segment(&r, c);
    return rv_arg_finish(&r);
}
