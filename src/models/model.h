/* model.h - the table of models: from a checkpoint's class and arguments to a graph.
 *
 * A model is one row: how to read its configuration (the reference's constructor
 * arguments, as JSON-like values), how long an input it wants, and how to build it. */
#ifndef MODELS_MODEL_H
#define MODELS_MODEL_H

#include "nn/nn.h"

enum { RV_MAX_STEMS = 16, RV_STEM_NAME = 32 };

/* What all models share; the rest of a configuration is the model's own. */
typedef struct rv_model_info {
    char stems[RV_MAX_STEMS][RV_STEM_NAME];
    size_t n_stems;
    size_t channels;    /* of the audio */
    size_t sample_rate; /* Hz */
    double segment;     /* seconds it was trained on, the default for inference */
    size_t n_audio;     /* segment in samples, as the reference rounds it */
} rv_model_info;

/* One constructor argument. Lists hold what `sources` or `multi_freqs` hold. */
typedef enum rv_arg_kind {
    RV_ARG_NONE,
    RV_ARG_NUMBER,
    RV_ARG_BOOL,
    RV_ARG_TEXT,
    RV_ARG_LIST
} rv_arg_kind;
typedef struct rv_arg {
    const char *name;
    rv_arg_kind kind;
    double number;              /* also 0 or 1 for a BOOL, the length for a LIST */
    const char *text;           /* TEXT */
    const struct rv_arg *items; /* LIST: `number` of them, their names NULL */
} rv_arg;
typedef struct rv_args {
    const rv_arg *arg;
    size_t n;
} rv_args;

typedef struct rv_model_def rv_model_def;
struct rv_model_def {
    const char *name; /* "htdemucs" */
    const char *const
        *classes; /* of reference checkpoints, NULL-terminated: "demucs.htdemucs.HTDemucs" */
    const char *citation;
    const char *const
        *positional; /* names of the constructor's positional arguments, NULL-terminated */
    size_t config_size;
    bool adds_up;  /* the stems' sum is the mix, so they share its mean where that was taken out */
    bool features; /* its planes are features of sources, not sound: see mctn_model.c */

    /* Fill `config` (config_size bytes) and `info` from the arguments; what is absent takes
     * the reference's default. Unknown arguments and values that cannot be honoured are
     * errors that name the argument. */
    rv_status (*configure)(void *config, rv_model_info *info, const rv_args *args, rv_error *err);

    /* Shortest length >= n that the network takes for a segment of n samples (the
     * reference's valid_length); 0 if n is longer than it can take. */
    size_t (*valid_length)(const void *config, const rv_model_info *info, size_t n);

    /* mix [1,n_audio',channels] (n_audio' a valid length) -> [1,n_audio',stems*channels],
     * stem-major: channel index = stem * channels + c. */
    rv_node *(*build)(nn_builder *b, const void *config, const rv_model_info *info, rv_node *mix);

    /* Optional: the name that parameter `name` had in older checkpoints, to be tried where
     * `name` is missing. False if it never had another. */
    bool (*old_name)(const char *name, char *old, size_t room);
};

/* All models, NULL-terminated; and one by its name or by a reference class. NULL if unknown. */
extern const rv_model_def *const rv_models[];
const rv_model_def *rv_model_find(const char *name_or_class);

/* Read arguments by name, with a default: for configure(). The first bad one is kept in err. */
typedef struct rv_arg_reader {
    const char *model; /* named in errors */
    const rv_args *args;
    rv_error *err;
    rv_status status;
    uint64_t seen; /* bit i: argument i was asked for */
} rv_arg_reader;
double rv_arg_number(rv_arg_reader *r, const char *name, double fallback, double least,
                     double most);
size_t rv_arg_size(rv_arg_reader *r, const char *name, size_t fallback, size_t least, size_t most);
bool rv_arg_bool(rv_arg_reader *r, const char *name, bool fallback);
const char *rv_arg_text(rv_arg_reader *r, const char *name, const char *fallback);
const rv_arg *rv_arg_list(rv_arg_reader *r, const char *name); /* NULL if absent or None */
bool rv_arg_is_none(rv_arg_reader *r, const char *name);       /* given, and as None */
void rv_arg_ignore(rv_arg_reader *r, const char *name);        /* only matters in training */
/* Keep a failure (the first one stays): "<model>: argument <name> <text>". */
RV_PRINTF(4, 5)
void rv_arg_fail(rv_arg_reader *r, rv_status status, const char *name, const char *fmt, ...);
/* `sources`, `audio_channels` and `samplerate`; then `segment` in seconds, or
 * `segment_length` in samples. */
void rv_arg_audio(rv_arg_reader *r, rv_model_info *info);
void rv_arg_segment(rv_arg_reader *r, rv_model_info *info, double seconds);
void rv_arg_segment_length(rv_arg_reader *r, rv_model_info *info, size_t samples);
/* The widest of `depth` layers that start with `channels` and grow by `growth` is in reason. */
void rv_arg_check_width(rv_arg_reader *r, size_t channels, double growth, size_t depth);
/* RV_OK, or the first failure; an argument that nobody asked for is one. */
rv_status rv_arg_finish(rv_arg_reader *r);

#endif
