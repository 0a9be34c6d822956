/* cmd_report.c - ravel report: one HTML file to listen to and look at. */
#include "cli.h"
#include "options.h"
#include "progress.h"

#include <ravel/report.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char about[] =
    "Writes one HTML file that opens from disk in any browser: players that start together,\n"
    "waveforms, spectrograms, figures, curves of a training, and what is known of a model.\n"
    "A DIR is a folder of stems (vocals.wav ...), or of such folders, one for each song. Several\n"
    "DIRs with songs of one name are shown side by side.";

static const char examples[] =
    "  ravel report separated/classic/song -o song.html\n"
    "  ravel report separated/classic separated/htdemucs --mix songs -o models.html\n"
    "  ravel report -o report.html --references musdb18hq --split test \\\n"
    "               --estimates separated/htdemucs --eval scores.json --run runs/x\n"
    "  ravel report --eval classic.json htdemucs.json -o scores.html\n"
    "  ravel report --run runs/first --card best.md -o training.html\n";

typedef struct settings {
    rv_report_options options;
    const char *out;
    option_texts estimates, evaluations, runs;
    int mode;  /* progress_mode */
    int audio; /* rv_report_audio */
    bool no_audio;
    progress bar;
    char *command;
    const char **folders;
} settings;

static int update(void *ctx, const rv_report_progress *now)
{
    settings *s = ctx;
    const rv_progress p = { .fraction = now->fraction };
    s->bar.file = now->song;
    return progress_update(&s->bar, &p);
}

/* Words with anything unusual in them get quotes, as a shell would take them. */
static void put_word(FILE *f, const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=+,:@%";
    if (*word && word[strspn(word, plain)] == '\0') {
        fputs(word, f);
        return;
    }
    fputc('\'', f);
    for (; *word; word++)
        fputs(*word == '\'' ? "'\\''" : (char[]){ *word, '\0' }, f);
    fputc('\'', f);
}

/* Before the options are parsed, which moves the words. */
static char *command_line(int argc, char **argv)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f)
        return NULL;
    fputs("ravel", f);
    for (int i = 0; i < argc; i++) {
        fputc(' ', f);
        put_word(f, argv[i]);
    }
    const bool whole = !ferror(f);
    if (fclose(f) == 0 && whole)
        return text;
    free(text);
    return NULL;
}

static void print_summary(const char *out, const rv_report_summary *r)
{
    const double million = 1e6;
    printf("%s: %.1f MB", out, (double)r->bytes / million);
    if (r->audio_bytes)
        printf(", of these %.1f MB sound", (double)r->audio_bytes / million);
    if (r->songs)
        printf("; %zu song%s, %zu lane%s", r->songs, r->songs == 1 ? "" : "s", r->lanes,
               r->lanes == 1 ? "" : "s");
    putchar('\n');
    if (r->songs_left_out)
        printf("%zu songs were left out: without stems here, or more than --max-songs\n",
               r->songs_left_out);
}

static int write_report(settings *s)
{
    rv_error err = { 0 };
    rv_report_summary summary = { 0 };
    rv_report_options *o = &s->options;
    o->audio = s->no_audio ? RV_REPORT_NONE : (rv_report_audio)s->audio;
    o->command = s->command;
    o->evaluations = s->evaluations.items;
    o->n_evaluations = s->evaluations.n;
    o->runs = s->runs.items;
    o->n_runs = s->runs.n;
    o->progress = update;
    o->progress_ctx = s;
    cli_catch_interrupt();
    progress_begin(&s->bar, (progress_mode)s->mode, s->out);
    const rv_status status = rv_report_write(s->out, o, &summary, &err);
    progress_end(&s->bar);
    if (status == RV_OK)
        print_summary(s->out, &summary);
    else
        cli_complain("%s", err.text);
    return status == RV_OK              ? EXIT_OK
           : status == RV_ERR_CANCELLED ? EXIT_INTERRUPTED
                                        : EXIT_SOME_FAILED;
}

static int parse(settings *s, int argc, char **argv)
{
    rv_report_options *o = &s->options;
    const option_row rows[] = {
        { 'o', "output", OPTION_TEXT, &s->out, "FILE", 0, 0,
          "the report (default report.html); one that is there is replaced" },
        { 'e', "estimates", OPTION_TEXTS, &s->estimates, "DIR...", 0, 0,
          "folders of stems, like those named without an option" },
        { 'r', "references", OPTION_TEXT, &o->references, "DIR", 0, 0,
          "data set with the true stems, in any layout" },
        { 0, "layout", OPTION_TEXT, &o->layout, "NAME", 0, 0,
          "of the references (default: found out)" },
        { 0, "split", OPTION_TEXT, &o->split, "NAME", 0, 0,
          "of the references: train, valid or test (default: all songs)" },
        { 0, "mix", OPTION_TEXT, &o->mix, "FILE|DIR", 0, 0,
          "the mix, or a folder of SONG.wav or SONG/mixture.wav" },
        { 0, "eval", OPTION_TEXTS, &s->evaluations, "FILE...", 0, 0,
          "figures that ravel eval --json wrote; several are compared" },
        { 0, "run", OPTION_TEXTS, &s->runs, "DIR...", 0, 0, "training runs (train.out)" },
        { 0, "card", OPTION_TEXT, &o->card, "FILE", 0, 0,
          "model card in Markdown, or a file of weights" },
        { 0, "title", OPTION_TEXT, &o->title, "TEXT", 0, 0, "of the page" },
        { 0, "audio", OPTION_CHOICE, &s->audio, "ogg|flac", 0, 0,
          "of the sound: about 100 kbit/s, or without loss (default ogg)" },
        { 0, "no-audio", OPTION_FLAG, &s->no_audio, NULL, 0, 0, "pictures and figures only" },
        { 0, "start", OPTION_NUMBER, &o->start, "S", 0, 1e6,
          "seconds of each song before its sound begins (default 0)" },
        { 0, "max-seconds", OPTION_NUMBER, &o->max_seconds, "S", 0, 1e6,
          "of sound of each song (default 0: as many as keep the file near 64 MB, 10 or more)" },
        { 0, "max-songs", OPTION_INT, &o->max_songs, "N", 0, 10000,
          "with sound and pictures (default 20)" },
        ROW_PROGRESS(&s->mode),
        { 0 },
    };
    const option_table table = { "report", "[DIR...]", about, examples, rows };
    return options_parse(&table, argc, argv);
}

/* The folders named without an option come first. */
static bool list_folders(settings *s, int n, char **named)
{
    rv_report_options *o = &s->options;
    s->folders = calloc((size_t)n + s->estimates.n + 1, sizeof *s->folders);
    for (int i = 0; s->folders && i < n; i++)
        s->folders[o->n_folders++] = named[i];
    for (size_t i = 0; s->folders && i < s->estimates.n; i++)
        s->folders[o->n_folders++] = s->estimates.items[i];
    o->folders = s->folders;
    return s->folders != NULL;
}

static bool has_input(const settings *s)
{
    const rv_report_options *o = &s->options;
    return o->n_folders + s->evaluations.n + s->runs.n > 0 || o->references || o->mix || o->card;
}

int cmd_report(int argc, char **argv)
{
    settings s = { .out = "report.html" };
    rv_report_defaults(&s.options);
    s.command = command_line(argc, argv);
    const int n = parse(&s, argc, argv);
    int code = n == -1 ? EXIT_OK : EXIT_USAGE;
    if (n >= 0 && (!s.command || !list_folders(&s, n, argv + 1)))
        cli_complain("out of memory");
    else if (n >= 0 && !has_input(&s))
        cli_complain("report: a folder of stems was expected, or --references, --eval, --run or "
                     "--card; see ravel report --help");
    else if (n >= 0)
        code = write_report(&s);
    free((void *)s.folders);
    free((void *)s.estimates.items);
    free((void *)s.evaluations.items);
    free((void *)s.runs.items);
    free(s.command);
    return code;
}
