/* options.c - see options.h. Accepts --name VALUE, --name=VALUE, -n VALUE, -nVALUE and --. */
#include "options.h"

#include "cli.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES = 64 };

static void print_row(const option_row *row)
{
    char left[64], letter[8] = "    ";
    if (row->letter)
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    snprintf(left, sizeof left, "  %s--%s", letter, row->name);
    if (row->kind != OPTION_FLAG && row->words) {
        const size_t at = strlen(left);
        snprintf(left + at, sizeof left - at, " %s", row->words);
    }
    if (strlen(left) < 30)
        printf("%-30s%s\n", left, row->help);
    else
        printf("%s\n%-30s%s\n", left, "", row->help);
}

static void print_help(const option_table *t)
{
    printf("usage: ravel %s [options] %s\n\n%s\n\noptions:\n", t->command, t->usage, t->about);
    for (const option_row *row = t->rows; row->name; row++)
        print_row(row);
    printf("  -h, --help                  this text\n\nexamples:\n%s", t->examples);
}

static const option_row *find_long(const option_table *t, const char *name, size_t n)
{
    for (const option_row *row = t->rows; row->name; row++)
        if (strlen(row->name) == n && strncmp(row->name, name, n) == 0)
            return row;
    return NULL;
}

static const option_row *find_letter(const option_table *t, char letter)
{
    for (const option_row *row = t->rows; row->name; row++)
        if (row->letter && row->letter == letter)
            return row;
    return NULL;
}

static bool unknown(const option_table *t, const char *name, size_t n)
{
    const char *names[NAMES + 1] = { 0 };
    char word[80];
    for (size_t i = 0; i < NAMES && t->rows[i].name; i++)
        names[i] = t->rows[i].name;
    snprintf(word, sizeof word, "%.*s", (int)(n < 79 ? n : 79), name);
    const char *near = cli_nearest(word, names);
    if (near)
        cli_complain("unknown option --%s; did you mean --%s?", word, near);
    else
        cli_complain("unknown option --%s; see ravel %s --help", word, t->command);
    return false;
}

static bool set_choice(const option_row *row, const char *text)
{
    const size_t n = strlen(text);
    int index = 0;
    for (const char *at = row->words; at; index++) {
        const size_t length = strcspn(at, "|");
        if (length == n && strncmp(at, text, n) == 0) {
            *(int *)row->value = index;
            return true;
        }
        at = at[length] ? at + length + 1 : NULL;
    }
    cli_complain("--%s %s: one of %s was expected", row->name, text, row->words);
    return false;
}

static bool set_number(const option_row *row, const char *text)
{
    char *end;
    const double value = strtod(text, &end);
    const bool whole =
        row->kind != OPTION_INT || (value > -1e9 && value < 1e9 && value == (double)(long)value);
    if (end == text || *end || !whole || !(value >= row->least && value <= row->most)) {
        cli_complain("--%s %s: a %snumber from %g to %g was expected", row->name, text,
                     row->kind == OPTION_INT ? "whole " : "", row->least, row->most);
        return false;
    }
    if (row->kind == OPTION_INT)
        *(int *)row->value = (int)value;
    else
        *(double *)row->value = value;
    return true;
}

static bool set_seed(const option_row *row, const char *text)
{
    char *end;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 0);
    if (end == text || *end || errno || *text == '-') {
        cli_complain("--%s %s: a whole number was expected", row->name, text);
        return false;
    }
    *(uint64_t *)row->value = value;
    return true;
}

static bool append(option_texts *texts, const char *text)
{
    const char **more = realloc(texts->items, (texts->n + 1) * sizeof *more);
    if (!more) {
        cli_complain("out of memory");
        return false;
    }
    texts->items = more;
    texts->items[texts->n++] = text;
    return true;
}

static bool set(const option_row *row, const char *text)
{
    switch (row->kind) {
    case OPTION_CHOICE:
        return set_choice(row, text);
    case OPTION_INT:
    case OPTION_NUMBER:
        return set_number(row, text);
    case OPTION_SEED:
        return set_seed(row, text);
    case OPTION_TEXT:
    case OPTION_EACH:
    case OPTION_TEXTS:
    case OPTION_FLAG:
        break;
    }
    if (!*text) {
        cli_complain("--%s: the text is empty", row->name);
        return false;
    }
    if (row->kind == OPTION_TEXTS || row->kind == OPTION_EACH)
        return append(row->value, text);
    *(const char **)row->value = text;
    return true;
}

/* Set a row from what is attached to the option or else from the next argument. */
static bool take(const option_row *row, const char *attached, int argc, char **argv, int *at)
{
    if (row->kind == OPTION_FLAG) {
        if (attached)
            cli_complain("--%s takes no value", row->name);
        *(bool *)row->value = true;
        return !attached;
    }
    if (!attached && *at + 1 >= argc) {
        cli_complain("--%s needs a value", row->name);
        return false;
    }
    bool good = set(row, attached ? attached : argv[++*at]);
    while (good && !attached && row->kind == OPTION_TEXTS && *at + 1 < argc &&
           argv[*at + 1][0] != '-')
        good = set(row, argv[++*at]);
    return good;
}

static bool take_long(const option_table *t, int argc, char **argv, int *at)
{
    const char *name = argv[*at] + 2;
    const size_t n = strcspn(name, "=");
    const option_row *row = find_long(t, name, n);
    return row ? take(row, name[n] ? name + n + 1 : NULL, argc, argv, at) : unknown(t, name, n);
}

static bool take_short(const option_table *t, int argc, char **argv, int *at)
{
    const char *word = argv[*at];
    for (size_t i = 1; word[i]; i++) {
        const option_row *row = find_letter(t, word[i]);
        if (!row) {
            cli_complain("unknown option -%c; see ravel %s --help", word[i], t->command);
            return false;
        }
        if (row->kind != OPTION_FLAG)
            return take(row, word[i + 1] ? word + i + 1 : NULL, argc, argv, at);
        *(bool *)row->value = true;
    }
    return true;
}

int options_parse(const option_table *table, int argc, char **argv)
{
    int n = 0;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool good = true;
        if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
            print_help(table);
            return -1;
        }
        if (strcmp(word, "--") == 0) {
            while (++i < argc)
                argv[++n] = argv[i];
        } else if (word[0] == '-' && word[1] == '-') {
            good = take_long(table, argc, argv, &i);
        } else if (word[0] == '-' && word[1]) {
            good = take_short(table, argc, argv, &i);
        } else {
            argv[++n] = argv[i];
        }
        if (!good)
            return -2;
    }
    return n;
}
