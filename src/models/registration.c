/* registration.c - compare names part by part: numbers by value, words by their place in a list.
 *
 * One list serves all models: two words that are children of one module stand in the order in
 * which it registers them. Only the norms of a hybrid decoder's layers are the other way round
 * than those of an encoder's. Facts from demucs 4 (demucs.py, hdemucs.py, htdemucs.py,
 * transformer.py), demucs 2 (model.py, tasnet.py) and torch.nn. */
#include "models/registration.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
    /* of leaves; those of a recurrent layer are ranked by rank_of_lstm() */
    "weight",
    "bias",
    "gamma",
    "beta",
    "in_proj_weight",
    "in_proj_bias",
    "out_proj",
    "scale",
    "embedding",
    /* of models and of recurrent blocks */
    "encoder",
    "separator",
    "decoder",
    "lstm",
    "linear",
    "tencoder",
    "tdecoder",
    "freq_emb",
    "channel_upsampler",
    "channel_downsampler",
    "channel_upsampler_t",
    "channel_downsampler_t",
    "crosstransformer",
    /* of the separator */
    "network",
    "net",
    "conv1d_U",
    "basis_signals",
    /* of the transformer and its layers */
    "norm_in",
    "norm_in_t",
    "layers",
    "layers_t",
    "self_attn",
    "cross_attn",
    "linear1",
    "linear2",
    /* of encoder and decoder layers */
    "conv",
    "conv_tr",
    "norm1",
    "rewrite",
    "norm2",
    "norm3",
    "norm_out",
    "gamma_1",
    "gamma_2",
    "dconv",
    /* of local attention */
    "content",
    "query",
    "key",
    "query_freqs",
    "query_decay",
    "proj",
};

enum { N_WORDS = sizeof words / sizeof *words, UNKNOWN = 1 << 20 };

/* weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, the same with _reverse, then those of l1 */
static int rank_of_lstm(const char *part)
{
    static const char *const kinds[] = { "weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l" };
    for (int i = 0; i < 4; i++) {
        const size_t n = strlen(kinds[i]);
        if (strncmp(part, kinds[i], n) != 0 || part[n] < '0' || part[n] > '9')
            continue;
        char *end;
        const long layer = strtol(part + n, &end, 10);
        if ((*end && strcmp(end, "_reverse") != 0) || layer > 999)
            return UNKNOWN;
        return N_WORDS + (int)layer * 8 + (*end ? 4 : 0) + i;
    }
    return UNKNOWN;
}

static int rank_of_word(const char *part, bool decoder)
{
    if (decoder && !strcmp(part, "norm1"))
        part = "norm2";
    else if (decoder && !strcmp(part, "norm2"))
        part = "norm1";
    for (int i = 0; i < N_WORDS; i++)
        if (!strcmp(part, words[i]))
            return i;
    return rank_of_lstm(part);
}

static int rank_of(const char *part, bool decoder)
{
    if (*part < '0' || *part > '9')
        return rank_of_word(part, decoder);
    char *end;
    const long number = strtol(part, &end, 10);
    return *end || number >= UNKNOWN ? UNKNOWN : (int)number;
}

static bool in_decoder(const char *name)
{
    return !strncmp(name, "decoder.", 8) || !strncmp(name, "tdecoder.", 9);
}

/* The part at *name, which goes behind it; "" at the end or if it is too long. */
static const char *next_part(const char **name, char part[64])
{
    const size_t n = strcspn(*name, ".");
    snprintf(part, 64, "%.*s", n < 64 ? (int)n : 0, *name);
    *name += n + ((*name)[n] == '.');
    return part;
}

int rv_registration_compare(const char *a, const char *b)
{
    const bool decoder = in_decoder(a);
    char x[64], y[64];
    while (*a && *b) {
        next_part(&a, x);
        next_part(&b, y);
        if (strcmp(x, y) != 0) {
            const int i = rank_of(x, decoder), j = rank_of(y, decoder);
            return (i > j) - (i < j);
        }
    }
    return (*a != 0) - (*b != 0);
}

bool rv_registration_knows(const char *name)
{
    char part[64];
    while (*name)
        if (rank_of(next_part(&name, part), false) == UNKNOWN)
            return false;
    return true;
}
