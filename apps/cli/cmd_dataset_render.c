/* cmd_dataset_render.c - ravel dataset render: MIDI to a data set of stems. */
#include "cli.h"
#include "cmd_dataset.h"
#include "options.h"
#include "progress.h"

#include <ravel/dataset.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char about[] =
    "Renders songs with soundfonts to stems and mixes in the layout of Slakh2100: for each song a\n"
    "folder OUT/train/TrackNNNNN with stems/, MIDI/, mix.flac and metadata.yaml. The same command\n"
    "goes on where it was interrupted. OUT/README.md says what is in the data set.";

static const char examples[] =
    "  ravel dataset render songs --midi midi/ --soundfont FluidR3_GM.sf2\n"
    "  ravel dataset render songs --midi midi/ --soundfont a.sf2 b.sf3 --variants 5 \\\n"
    "      --valid-fraction 0.1 --vary 0.3 --seed 7\n"
    "  ravel dataset render sung --compose 100 --soundfont FluidR3_GM.sf2 --drum-kit kits/*\n";

typedef struct {
    rv_render_options render;
    option_texts midi, fonts, kits, instruments;
    int mode;
    bool dry, mix_drums, strict, json;
} settings;

typedef struct {
    progress_mode mode;
    double start, shown;
    bool drawn;
} display;

static void clear_line(display *d)
{
    if (d->drawn)
        fputs("\r\033[K", stderr);
    d->drawn = false;
}

/* By the tracks of this run; below 0 while that says nothing. */
static double seconds_left(const display *d, const rv_render_progress *p, double now)
{
    const double done = (double)(p->tracks_done - p->tracks_before);
    return done > 0 ? (now - d->start) / done * (double)(p->tracks_total - p->tracks_done) : -1;
}

static void draw(display *d, const rv_render_progress *p, double left)
{
    char time[24] = "--:--:--";
    if (left >= 0 && left < 3.6e6)
        snprintf(time, sizeof time, "%d:%02d:%02d", (int)left / 3600, (int)left / 60 % 60,
                 (int)left % 60);
    clear_line(d);
    fprintf(stderr, "track %llu of %llu  %.2f hours of audio  %s left",
            (unsigned long long)p->tracks_done, (unsigned long long)p->tracks_total,
            p->seconds_done / 3600, time);
    d->drawn = true;
}

static void print_progress(const rv_render_progress *p, double left)
{
    fprintf(stderr, "{\"tracks_done\":%llu,\"tracks_total\":%llu,\"seconds_done\":%.3f",
            (unsigned long long)p->tracks_done, (unsigned long long)p->tracks_total,
            p->seconds_done);
    if (left >= 0)
        fprintf(stderr, ",\"seconds_left\":%.1f", left);
    fputs("}\n", stderr);
}

static int update(void *ctx, const rv_render_progress *p)
{
    display *d = ctx;
    const double now = progress_now();
    if (p->note) {
        clear_line(d);
        cli_complain("%s", p->note);
    } else if (d->mode != PROGRESS_NONE && now - d->shown > 0.15) {
        const double left = seconds_left(d, p, now);
        d->shown = now;
        if (d->mode == PROGRESS_JSON)
            print_progress(p, left);
        else
            draw(d, p, left);
    }
    return cli_interrupted();
}

static void print_report(const rv_render_report *r)
{
    printf("%llu tracks of %llu songs, %.2f hours", (unsigned long long)r->tracks,
           (unsigned long long)r->songs, r->seconds / 3600);
    if (r->tracks_before)
        printf("; %llu were there", (unsigned long long)r->tracks_before);
    if (r->broken + r->duplicates + r->too_long)
        printf("; left out: %llu broken, %llu duplicates, %llu too long",
               (unsigned long long)r->broken, (unsigned long long)r->duplicates,
               (unsigned long long)r->too_long);
    if (r->without_drums + r->without_bass)
        printf("; %llu without drums, %llu without bass", (unsigned long long)r->without_drums,
               (unsigned long long)r->without_bass);
    putchar('\n');
}

static void print_json(const rv_render_report *r)
{
    const struct {
        const char *key;
        uint64_t value;
    } rows[] = {
        { "songs", r->songs },
        { "broken", r->broken },
        { "duplicates", r->duplicates },
        { "too_long", r->too_long },
        { "tracks", r->tracks },
        { "tracks_before", r->tracks_before },
        { "without_drums", r->without_drums },
        { "without_bass", r->without_bass },
        { "silent_stems", r->silent_stems },
        { "quieter", r->quieter },
    };
    putchar('{');
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        printf("\"%s\":%llu,", rows[i].key, (unsigned long long)rows[i].value);
    printf("\"seconds\":%.3f}\n", r->seconds);
}

static int render(settings *s, const char *out)
{
    rv_render_report report = { 0 };
    rv_error err = { 0 };
    display d = { .mode = (progress_mode)s->mode, .start = progress_now() };
    if (d.mode == PROGRESS_AUTO && !isatty(STDERR_FILENO))
        d.mode = PROGRESS_NONE;
    s->render.progress = update;
    s->render.progress_ctx = &d;
    cli_catch_interrupt();
    const rv_status st = rv_dataset_render(out, &s->render, &report, &err);
    clear_line(&d);
    if (st != RV_OK) {
        cli_complain("%s", err.text);
        return st == RV_ERR_CANCELLED ? EXIT_INTERRUPTED
               : st == RV_ERR_ARG     ? EXIT_USAGE
                                      : EXIT_SOME_FAILED;
    }
    if (s->json)
        print_json(&report);
    else
        print_report(&report);
    return EXIT_OK;
}

/* The command as it was typed, for the data card; argv[0] is "render". free() it. */
static char *join(int argc, char **argv)
{
    size_t size = sizeof "ravel dataset";
    for (int i = 0; i < argc; i++)
        size += strlen(argv[i]) + 1;
    char *text = malloc(size);
    if (text)
        strcpy(text, "ravel dataset");
    for (int i = 0; text && i < argc; i++)
        strcat(strcat(text, " "), argv[i]);
    return text;
}

static int parse(settings *s, int argc, char **argv)
{
    rv_render_options *o = &s->render;
    const option_row rows[] = {
        { 0, "midi", OPTION_TEXTS, &s->midi, "FILE|DIR...", 0, 0,
          "MIDI files, and folders that are searched for them" },
        { 0, "soundfont", OPTION_TEXTS, &s->fonts, "FILE...", 0, 0,
          "SF2 or SF3; one of them is chosen for each track" },
        { 0, "drum-kit", OPTION_TEXTS, &s->kits, "DIR...", 0, 0,
          "Hydrogen's drum kits, beside the soundfonts' drums" },
        { 0, "instrument", OPTION_TEXTS, &s->instruments, "FILE...", 0, 0,
          "SF2 or SF3 with single programs, which play these in half of the tracks" },
        { 0, "mix-drums", OPTION_FLAG, &s->mix_drums, NULL, 0, 0,
          "put drums together of several kits, tuned and damped, for each track" },
        { 0, "compose", OPTION_INT, &o->compose, "N", 0, 99999,
          "write N songs with words to sing, in addition (default 0)" },
        { 0, "style", OPTION_TEXT, &o->style, "NAME", 0, 0, "of those (default: each its own)" },
        { 0, "variants", OPTION_INT, &o->variants, "N", 1, 1000,
          "of each song, with other choices (default 1)" },
        { 0, "seed", OPTION_SEED, &o->seed, "N", 0, 0, "of all choices (default 0)" },
        { 0, "vary", OPTION_NUMBER, &o->vary, "P", 0, 1,
          "probability that another program of its kind plays a part (default 0)" },
        { 0, "dry", OPTION_FLAG, &s->dry, NULL, 0, 0, "without effects: instruments alone" },
        { 0, "valid-fraction", OPTION_NUMBER, &o->valid_fraction, "F", 0, 1,
          "of the songs: into OUT/validation (default 0)" },
        { 0, "test-fraction", OPTION_NUMBER, &o->test_fraction, "F", 0, 1,
          "of the songs: into OUT/test (default 0)" },
        { 0, "sample-rate", OPTION_INT, &o->sample_rate, "HZ", 8000, 96000, "(default 44100)" },
        { 0, "max-seconds", OPTION_NUMBER, &o->max_seconds, "S", 1, 36000,
          "leave out longer songs, end composed ones by then, about (default 1200)" },
        { 0, "strict", OPTION_FLAG, &s->strict, NULL, 0, 0,
          "a broken MIDI file is an error, not left out" },
        { 'j', "threads", OPTION_INT, &o->threads, "N", 0, 1024,
          "tracks at a time (default 0: one for each core)" },
        { 0, "progress", OPTION_CHOICE, &s->mode, "auto|json|none", 0, 0,
          "a line on a terminal, JSON lines, or nothing (default auto)" },
        ROW_JSON(&s->json),
        { 0 },
    };
    const option_table table = { "dataset render", "OUT --midi DIR... --soundfont FILE...", about,
                                 examples, rows };
    return options_parse(&table, argc, argv);
}

static int check_and_render(settings *s, int n, char **argv)
{
    if (n != 1)
        cli_complain("dataset render: one folder OUT was expected, before the options; see ravel "
                     "dataset render --help");
    else if (!s->midi.n && !s->render.compose)
        cli_complain("dataset render: no songs; --midi DIR names them, --compose N writes them");
    else if (!s->fonts.n)
        cli_complain("dataset render: --soundfont FILE was expected");
    else
        return render(s, argv[1]);
    return EXIT_USAGE;
}

int cmd_dataset_render(int argc, char **argv)
{
    settings s = { .mode = PROGRESS_AUTO };
    rv_render_defaults(&s.render);
    char *command = join(argc, argv);
    const int n = parse(&s, argc, argv);
    s.render.midi = s.midi.items;
    s.render.n_midi = s.midi.n;
    s.render.soundfonts = s.fonts.items;
    s.render.n_soundfonts = s.fonts.n;
    s.render.drum_kits = s.kits.items;
    s.render.n_drum_kits = s.kits.n;
    s.render.instruments = s.instruments.items;
    s.render.n_instruments = s.instruments.n;
    s.render.dry = s.dry;
    s.render.mix_drums = s.mix_drums;
    s.render.strict = s.strict;
    s.render.command = command;
    const int code = n == -1 ? EXIT_OK : n < 0 ? EXIT_USAGE : check_and_render(&s, n, argv);
    free(s.midi.items);
    free(s.fonts.items);
    free(s.kits.items);
    free(s.instruments.items);
    free(command);
    return code;
}
