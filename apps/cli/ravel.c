/* ravel.c - the program: which command, and what all of them share. */
#include "cli.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name, *about;
    int (*run)(int argc, char **argv);
} commands[] = {
    { "separate", "take audio files apart into stems", cmd_separate },
    { "models", "list, describe and convert models", cmd_models },
    { "eval", "measure how good separated stems are", cmd_eval },
    { "report", "show stems, figures and trainings on a page, to listen to", cmd_report },
    { "train", "train a model on songs taken apart", cmd_train },
    { "dataset", "make, check and store data sets to train on", cmd_dataset },
    { "features", "measure pitch, loudness and spectra of audio files", cmd_features },
    { "refine", "bring separated stems nearer to what they were", cmd_refine },
    { "synth", "play a recording with a trained DDSP autoencoder", cmd_synth },
    { "bench", "time a network on this machine", cmd_bench },
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static volatile sig_atomic_t interrupts;

static void on_interrupt(int signal)
{
    (void)signal;
    if (interrupts++ > 0)
        _exit(EXIT_INTERRUPTED);
}

void cli_catch_interrupt(void)
{
    struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void)
{
    return interrupts > 0;
}

void cli_complain(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("ravel: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

/* Edit distance (Levenshtein 1966) of words below 64 characters; larger than any for others. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64];
    const size_t n = strlen(b);
    if (n >= 64)
        return 64;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t least = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            least = row[j] + 1 < least ? row[j] + 1 : least;
            row[j + 1] = row[j + 1] + 1 < least ? row[j + 1] + 1 : least;
        }
    }
    return row[n];
}

const char *cli_nearest(const char *word, const char *const *words)
{
    const char *best = NULL;
    size_t least = strlen(word) / 3 + 2;
    for (; *words; words++) {
        const size_t d = distance(word, *words);
        if (d < least) {
            least = d;
            best = *words;
        }
    }
    return best;
}

static void print_help(void)
{
    puts("usage: ravel COMMAND [options] ...\n\n"
         "Takes music apart into stems, and learns to.\n\ncommands:");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-12s%s\n", commands[i].name, commands[i].about);
    puts("\nravel COMMAND --help says more; ravel --version");
}

static int no_such_command(const char *word)
{
    const char *names[N_COMMANDS + 1] = { 0 };
    for (size_t i = 0; i < N_COMMANDS; i++)
        names[i] = commands[i].name;
    const char *near = cli_nearest(word, names);
    if (near)
        cli_complain("unknown command '%s'; did you mean '%s'?", word, near);
    else
        cli_complain("unknown command '%s'; see ravel --help", word);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "--help";
    if (strcmp(word, "--version") == 0) {
        printf("ravel %d.%d.%d\n", RV_VERSION_MAJOR, RV_VERSION_MINOR, RV_VERSION_PATCH);
        return EXIT_OK;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help();
        return argc > 1 ? EXIT_OK : EXIT_USAGE;
    }
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, word) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return no_such_command(word);
}
