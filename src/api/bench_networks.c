/* bench_networks.c - networks at their published sizes, to be timed. */
#include "api/bench_networks.h"

#include <string.h>

#define NUMBER(key, value)                                  \
    {                                                       \
        .name = key, .kind = RV_ARG_NUMBER, .number = value \
    }
#define BOOL(key, value)                                  \
    {                                                     \
        .name = key, .kind = RV_ARG_BOOL, .number = value \
    }
#define STEM(value)                        \
    {                                      \
        .kind = RV_ARG_TEXT, .text = value \
    }
#define SOURCES                                                             \
    {                                                                       \
        .name = "sources", .kind = RV_ARG_LIST, .number = 4, .items = stems \
    }

static const rv_arg stems[] = { STEM("drums"), STEM("bass"), STEM("other"), STEM("vocals") };
static const rv_arg htdemucs[] = { SOURCES,
                                   NUMBER("channels", 48),
                                   NUMBER("depth", 4),
                                   NUMBER("bottom_channels", 512),
                                   NUMBER("t_layers", 5),
                                   NUMBER("dconv_mode", 3),
                                   NUMBER("segment", 7.8) };
static const rv_arg hdemucs[] = { SOURCES };
static const rv_arg demucs[] = { SOURCES, BOOL("rewrite", 0) };
static const rv_arg demucs_v2[] = { SOURCES };
static const rv_arg plain[] = { SOURCES };
static const rv_arg conv_tasnet[] = { SOURCES, NUMBER("X", 10) };
static const rv_arg speech_stems[] = { STEM("speaker1"), STEM("speaker2") };
static const rv_arg conv_tasnet_speech[] = {
    { .name = "sources", .kind = RV_ARG_LIST, .number = 2, .items = speech_stems },
    NUMBER("N", 512),
    NUMBER("L", 16),
    NUMBER("B", 128),
    NUMBER("H", 512),
    NUMBER("R", 3),
    NUMBER("audio_channels", 1),
    NUMBER("samplerate", 8000),
};

#define ARGS(list)                       \
    {                                    \
        list, sizeof list / sizeof *list \
    }
static const rv_bench_case cases[] = {
    { "htdemucs", "htdemucs", ARGS(htdemucs), 7.8 },
    { "hdemucs", "hdemucs", ARGS(hdemucs), 10 },
    { "demucs", "demucs", ARGS(demucs), 10 },
    { "demucs_v2", "demucs_v2", ARGS(demucs_v2), 10 },
    { "conv_tasnet", "conv_tasnet", ARGS(conv_tasnet), 8 },
    { "conv_tasnet_speech", "conv_tasnet", ARGS(conv_tasnet_speech), 4 },
    { "ravel_s", "ravel_s", ARGS(plain), 8 },
    { "open_unmix", "open_unmix", ARGS(plain), 6 },
};

const rv_bench_case *rv_bench_case_at(size_t i)
{
    return i < sizeof cases / sizeof *cases ? &cases[i] : NULL;
}

const rv_bench_case *rv_bench_case_find(const char *name)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, name) == 0)
            return &cases[i];
    return NULL;
}
