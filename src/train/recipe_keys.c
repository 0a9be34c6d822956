/* recipe_keys.c - see recipe_keys.h. */
#include "train/recipe_keys.h"

#include "base/status.h"
#include "train/loss_recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const rv_config_key common[] = {
    { "model.name", RV_CONFIG_TEXT, 0, 0, NULL, NULL, "htdemucs, conv_tasnet, ..." },
    { "model.arguments", RV_CONFIG_MAPPING, 0, 0, NULL, "{}",
      "of the reference's constructor; stems, rate, channels and segment come from data" },
    { "data.root", RV_CONFIG_TEXT, 0, 0, NULL, NULL,
      "the data set: docs/datasets.md has the layouts" },
    { "data.layout", RV_CONFIG_TEXT, 0, 0, NULL, "auto", "auto, songs, musdb18, slakh, ..." },
    { "data.stems", RV_CONFIG_TEXTS, 0, 0, NULL, "[\"drums\", \"bass\", \"other\", \"vocals\"]",
      "names of files, classes of instruments, or submixes" },
    { "data.submix", RV_CONFIG_MAPPING, 0, 0, NULL, "{}",
      "what a stem is made of: {keys: {classes: [Piano, Organ], programs: [0-7]}}" },
    RV_KEY_CHOICE("data.missing", "auto|error|silence|skip", "auto", "songs that lack a stem"),
    { "data.train_split", RV_CONFIG_TEXT, 0, 0, NULL, "", "songs to train on, \"train\"; or all" },
    { "data.valid_split", RV_CONFIG_TEXT, 0, 0, NULL, "",
      "songs to validate on, \"valid\", or those published for it" },
    { "data.valid_songs", RV_CONFIG_TEXTS, 0, 0, NULL, "[]", "names of songs to validate on" },
    RV_KEY_NUMBER("data.valid_fraction", 0, 0.9, "0",
                  "of the songs, drawn by train.seed, to validate on"),
    RV_KEY_INTEGER("data.sample_rate", 1000, 768000, "44100",
                   "Hz; songs of other rates are resampled"),
    RV_KEY_NUMBER("data.segment", 0.01, 600, "10", "seconds of an example"),
    RV_KEY_NUMBER("data.stride", 0, 600, "1", "seconds between a song's examples; 0: segment"),
    RV_KEY_INTEGER("data.batch", 1, 4096, "4", "examples of a step"),
    RV_KEY_INTEGER("data.threads", 0, 64, "1", "that read ahead; 0: read when needed"),
    RV_KEY_BOOL("data.shuffle", "true", "another order in each epoch"),
    { "loss.terms", RV_CONFIG_ANY, 0, 0, NULL, "[{\"kind\": \"l1\"}]",
      "list of {kind, weight, ...}; kinds and their keys are at the end of this list" },
    RV_KEY_CHOICE("optimiser.kind", "adam|adamw|sgd", "adam", "PyTorch's formulas"),
    RV_KEY_NUMBER("optimiser.lr", 0, 100, "3e-4", "learning rate"),
    RV_KEY_NUMBER("optimiser.beta1", 0, 0.999999, "0.9", "Adam"),
    RV_KEY_NUMBER("optimiser.beta2", 0, 0.9999999, "0.999", "Adam"),
    RV_KEY_NUMBER("optimiser.eps", 0, 1, "1e-8", "Adam"),
    RV_KEY_NUMBER("optimiser.weight_decay", 0, 100, "0", "AdamW: decoupled"),
    RV_KEY_NUMBER("optimiser.momentum", 0, 0.999999, "0", "SGD"),
    RV_KEY_BOOL("optimiser.nesterov", "false", "SGD"),
    RV_KEY_NUMBER("optimiser.clip_norm", 0, 1e9, "0", "largest norm of all gradients; 0: any"),
    RV_KEY_CHOICE("schedule.kind", "constant|exponential|plateau|cosine|multi_step", "constant",
                  "of the learning rate"),
    RV_KEY_INTEGER("schedule.warmup_steps", 0, 1e9, "0", "linear, from 0"),
    RV_KEY_NUMBER("schedule.factor", 1e-9, 1, "", "exponential 0.98, plateau and multi_step 0.1"),
    RV_KEY_INTEGER("schedule.every", 1, 1e9, "10000", "exponential: steps for each factor"),
    RV_KEY_BOOL("schedule.staircase", "false", "exponential"),
    RV_KEY_INTEGER("schedule.total_steps", 0, 1e12, "100000", "cosine"),
    RV_KEY_NUMBER("schedule.min_lr", 0, 100, "0", "plateau, cosine"),
    RV_KEY_INTEGER("schedule.patience", 0, 1e6, "10",
                   "plateau: epochs without gain that are borne"),
    { "schedule.milestones", RV_CONFIG_NUMBERS, 0, 1e12, NULL, "[]", "multi_step: steps" },
    { "train.out", RV_CONFIG_TEXT, 0, 0, NULL, NULL, "folder of the run" },
    { "train.init", RV_CONFIG_TEXT, 0, 0, NULL, "", "checkpoint to start from, where names fit" },
    { "train.freeze", RV_CONFIG_TEXTS, 0, 0, NULL, "[]", "patterns of parameters' names" },
    RV_KEY_INTEGER("train.seed", 0, 9007199254740991, "0", "of weights, data and augmentation"),
    RV_KEY_INTEGER("train.epochs", 1, 1e9, "100", "at most"),
    RV_KEY_INTEGER("train.steps", 0, 1e12, "0", "of an epoch at most; 0: all the data has"),
    RV_KEY_INTEGER("train.accumulate", 1, 4096, "1", "batches for each step"),
    RV_KEY_BOOL(
        "train.recompute", "false",
        "compute values again for the gradient: the same bits in less memory and more time"),
    { "train.ema", RV_CONFIG_NUMBERS, 0, 0.9999999, NULL, "[]",
      "decays of averaged weights; the first is the one that is validated and released" },
    RV_KEY_INTEGER("train.patience", 0, 1e9, "0",
                   "epochs without gain before stopping; 0: never stop"),
    RV_KEY_INTEGER("train.save_every", 0, 1e12, "0", "steps; 0: at the end of epochs"),
    RV_KEY_INTEGER("train.log_every", 1, 1e9, "10", "steps"),
    { 0 },
};

static size_t count(const rv_config_key *rows)
{
    size_t n = 0;
    while (rows[n].path)
        n++;
    return n;
}

static const rv_config_key *find(const rv_config_key *rows, const char *path)
{
    for (; rows->path; rows++)
        if (!strcmp(rows->path, path))
            return rows;
    return NULL;
}

/* Common keys, as the task has them, and then those it has alone. */
static size_t join(rv_config_key *rows, const rv_task *task)
{
    size_t n = 0;
    for (size_t i = 0; common[i].path; i++) {
        const rv_config_key *own = find(task->keys, common[i].path);
        rows[n++] = own ? *own : common[i];
    }
    for (const rv_config_key *key = task->keys; key->path; key++)
        if (!find(common, key->path))
            rows[n++] = *key;
    return n;
}

rv_status rv_recipe_check(json_t *values, const json_t *origins, const rv_task *task, rv_error *err)
{
    rv_config_key *rows = malloc((count(common) + count(task->keys)) * sizeof *rows);
    if (!rows)
        return RV_FAIL(err, RV_ERR_NOMEM, "keys of a recipe");
    const rv_status st = rv_config_check(values, origins, rows, join(rows, task), err);
    free(rows);
    return st;
}

/* Help ---------------------------------------------------------------------------------- */

/* Takes the text, which may be NULL. */
static bool print(FILE *out, char *text)
{
    const bool ok = text && fputs(text, out) >= 0;
    free(text);
    return ok;
}

char *rv_recipe_help(void)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    bool ok = print(out, rv_config_help(common, count(common)));
    for (const rv_task *const *t = rv_tasks; ok && *t; t++)
        ok = fprintf(out, "  of %s:\n", (*t)->about) >= 0 &&
             print(out, rv_config_help((*t)->keys, count((*t)->keys)));
    ok = ok && print(out, rv_loss_help());
    if (!fclose(out) && ok)
        return text;
    free(text);
    return NULL;
}
