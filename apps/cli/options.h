/* options.h - a table of options: parsing, checks, help. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum option_kind {
    OPTION_FLAG,   /* bool *: set */
    OPTION_TEXT,   /* const char **: any text but "" */
    OPTION_CHOICE, /* int *: index of the word in `words` ("a|b|c") */
    OPTION_INT,    /* int *: least <= value <= most */
    OPTION_NUMBER, /* double *: least <= value <= most */
    OPTION_SEED,   /* uint64_t * */
    OPTION_EACH,   /* option_texts *: a word; each time it is given, one more */
    OPTION_TEXTS,  /* option_texts *: all words up to the next option; may be given again */
} option_kind;

/* Of a command line; its words live as long as that. */
typedef struct option_texts {
    const char **items; /* [n]; free() it */
    size_t n;
} option_texts;

typedef struct option_row {
    char letter; /* 0: none */
    const char *name;
    option_kind kind;
    void *value;
    const char *words; /* CHOICE: the words; else the name of the value in the help */
    double least, most;
    const char *help;
} option_row;

typedef struct option_table {
    const char *command;    /* "separate" */
    const char *usage;      /* "FILE|DIR..." */
    const char *about;      /* one or more lines */
    const char *examples;   /* lines */
    const option_row *rows; /* ended by a row without a name */
} option_table;

/* Rows that many commands have. */
#define ROW_CACHE(to)                                                       \
    {                                                                       \
        0, "cache", OPTION_TEXT, to, "DIR", 0, 0,                           \
            "of features (default $XDG_CACHE_HOME/ravel or ~/.cache/ravel)" \
    }
#define ROW_OVERWRITE(to)                                                             \
    {                                                                                 \
        0, "overwrite", OPTION_FLAG, to, NULL, 0, 0, "replace results that are there" \
    }
#define ROW_PROGRESS(to)                                                 \
    {                                                                    \
        0, "progress", OPTION_CHOICE, to, "auto|json|none", 0, 0,        \
            "a bar on a terminal, JSON lines, or nothing (default auto)" \
    }
#define ROW_JSON(to)                                                                        \
    {                                                                                       \
        0, "json", OPTION_FLAG, to, NULL, 0, 0, "what was done, as JSON on standard output" \
    }

/* Reads argv[1 .. argc), puts what is no option to the front of argv[1 ...] and returns how many
 * there are; -1: help was printed; -2: a mistake was reported. */
int options_parse(const option_table *table, int argc, char **argv);

#endif
