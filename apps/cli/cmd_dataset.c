/* cmd_dataset.c - ravel dataset COMMAND: which one. */
#include "cmd_dataset.h"

#include "cli.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *about;
    int (*run)(int argc, char **argv);
} commands[] = {
    { "render", "songs from MIDI files, with soundfonts", cmd_dataset_render },
    { "check", "say what a data set holds, and what in it harms training", cmd_dataset_check },
    { "gate", "say which segments of a stem are one voice", cmd_dataset_gate },
    { "shards", "cut a data set into TFRecord files of examples", cmd_dataset_shards },
    { NULL, NULL, NULL },
};

static void print_help(void)
{
    puts(
        "usage: ravel dataset COMMAND [options] ...\n\nMakes, checks and stores data sets to train "
        "on.\n\ncommands:");
    for (size_t i = 0; commands[i].name; i++)
        printf("  %-12s%s\n", commands[i].name, commands[i].about);
    puts("\nravel dataset COMMAND --help says more");
}

static int no_such_command(const char *word)
{
    const char *names[sizeof commands / sizeof *commands] = { 0 };
    for (size_t i = 0; commands[i].name; i++)
        names[i] = commands[i].name;
    const char *near = cli_nearest(word, names);
    if (near)
        cli_complain("unknown command 'dataset %s'; did you mean '%s'?", word, near);
    else
        cli_complain("unknown command 'dataset %s'; see ravel dataset --help", word);
    return EXIT_USAGE;
}

int cmd_dataset(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "--help";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help();
        return argc > 1 ? EXIT_OK : EXIT_USAGE;
    }
    for (size_t i = 0; commands[i].name; i++)
        if (strcmp(commands[i].name, word) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return no_such_command(word);
}
