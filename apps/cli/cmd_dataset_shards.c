/* cmd_dataset_shards.c - ravel dataset shards ROOT -o OUT. */
#include "cli.h"
#include "cmd_dataset.h"
#include "options.h"
#include "progress.h"

#include <ravel/dataset.h>

#include <stdio.h>
#include <unistd.h>

static const char examples[] =
    "  ravel dataset shards musdb18hq -o shards\n"
    "  ravel dataset shards musdb18hq -o shards --inputs separated/htdemucs --stem vocals\n"
    "  ravel dataset shards slakh -o shards --stem bass --window 2 --hop 2\n";

static int update(void *ctx, const char *song, uint64_t done, uint64_t of)
{
    const int mode = *(const int *)ctx;
    if (mode == PROGRESS_JSON)
        fprintf(stderr, "{\"song\":%llu,\"of\":%llu}\n", (unsigned long long)done + 1,
                (unsigned long long)of);
    else if (mode == PROGRESS_AUTO && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K%llu/%llu %.60s", (unsigned long long)done + 1,
                (unsigned long long)of, song);
    return cli_interrupted();
}

static void print_report(const rv_shards_report *r)
{
    static const char *const names[] = { "train", "val", "test" };
    for (int i = 0; i < 3; i++)
        printf("%-6s%llu songs, %llu examples in %llu shards\n", names[i],
               (unsigned long long)r->songs[i], (unsigned long long)r->examples[i],
               (unsigned long long)r->shards[i]);
    if (r->quiet)
        printf("%llu examples were left out because they are quiet\n",
               (unsigned long long)r->quiet);
    if (r->without_inputs)
        printf("%llu songs were left out because they have no input\n",
               (unsigned long long)r->without_inputs);
}

static void print_json(const rv_shards_report *r)
{
    static const char *const names[] = { "train", "val", "test" };
    putchar('{');
    for (int i = 0; i < 3; i++)
        printf("\"%s\":{\"songs\":%llu,\"examples\":%llu,\"shards\":%llu},", names[i],
               (unsigned long long)r->songs[i], (unsigned long long)r->examples[i],
               (unsigned long long)r->shards[i]);
    printf("\"quiet\":%llu,\"without_inputs\":%llu}\n", (unsigned long long)r->quiet,
           (unsigned long long)r->without_inputs);
}

static int shards(const char *root, const char *out, rv_shards_options *opt, int mode, bool json)
{
    rv_shards_report report = { 0 };
    rv_error err = { 0 };
    opt->progress = update;
    opt->progress_ctx = &mode;
    cli_catch_interrupt();
    const rv_status st = rv_dataset_shards(root, out, opt, &report, &err);
    if (mode == PROGRESS_AUTO && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (st != RV_OK) {
        cli_complain("%s", err.text);
        return st == RV_ERR_CANCELLED ? EXIT_INTERRUPTED : EXIT_SOME_FAILED;
    }
    if (json)
        print_json(&report);
    else
        print_report(&report);
    return EXIT_OK;
}

int cmd_dataset_shards(int argc, char **argv)
{
    rv_shards_options opt;
    const char *out = NULL;
    bool overwrite = false, json = false;
    int mode = PROGRESS_AUTO, per_shard = 512;
    rv_shards_defaults(&opt);
    const option_row rows[] = {
        { 'o', "out", OPTION_TEXT, &out, "DIR", 0, 0, "folder for train/, val/ and test/" },
        { 0, "layout", OPTION_TEXT, &opt.layout, "NAME", 0, 0,
          "of the data set (default: found out)" },
        { 0, "stem", OPTION_TEXT, &opt.stem, "STEM", 0, 0, "the target (default vocals)" },
        { 0, "inputs", OPTION_TEXT, &opt.inputs, "DIR", 0, 0,
          "estimates DIR/[SPLIT/]SONG/STEM.wav as inputs (default: the mixtures)" },
        { 0, "segments", OPTION_TEXT, &opt.segments, "FILE.csv", 0, 0,
          "only these parts: track,start_s,end_s[,segment_pass]" },
        { 0, "sample-rate", OPTION_INT, &opt.sample_rate, "HZ", 1000, 768000,
          "of the examples (default 22050)" },
        { 0, "window", OPTION_NUMBER, &opt.window, "S", 0.01, 600,
          "seconds of an example (default 4)" },
        { 0, "hop", OPTION_NUMBER, &opt.hop, "S", 0.01, 600,
          "seconds between their starts (default 1)" },
        { 0, "per-shard", OPTION_INT, &per_shard, "N", 1, 1000000,
          "examples in a file (default 512)" },
        { 0, "valid-fraction", OPTION_NUMBER, &opt.valid_fraction, "F", 0, 0.99,
          "of the training songs, for val/ (default 0.1)" },
        { 0, "level", OPTION_NUMBER, &opt.level, "DB", -200, 0,
          "leave out what is quieter, RMS (default -50)" },
        { 0, "seed", OPTION_SEED, &opt.seed, "N", 0, 0, "of the songs for val/ (default 1337)" },
        { 0, "overwrite", OPTION_FLAG, &overwrite, NULL, 0, 0, "replace shards that are there" },
        { 0, "progress", OPTION_CHOICE, &mode, "auto|json|none", 0, 0,
          "a line on a terminal, JSON lines, or nothing (default auto)" },
        { 0, "json", OPTION_FLAG, &json, NULL, 0, 0, "what was done, as JSON" },
        { 0 },
    };
    const option_table table = { "dataset shards", "ROOT -o OUT",
                                 "Cuts a data set into mono examples for training: TensorFlow's "
                                 "TFRecord files\nOUT/{train,val,test}/SPLIT-NNNNN.tfrecord.",
                                 examples, rows };
    const int n = options_parse(&table, argc, argv);
    if (n < 0)
        return n == -1 ? EXIT_OK : EXIT_USAGE;
    if (n != 1 || !out) {
        cli_complain("dataset shards: one data set and -o OUT were expected; see ravel dataset "
                     "shards --help");
        return EXIT_USAGE;
    }
    opt.overwrite = overwrite;
    opt.per_shard = (uint64_t)per_shard;
    return shards(argv[1], out, &opt, mode, json);
}
