/* cmd_dataset_check.c - ravel dataset check DIR. */
#include "cli.h"
#include "cmd_dataset.h"
#include "options.h"
#include "print_check.h"
#include "progress.h"

#include <stdlib.h>
#include <string.h>

static const char about[] =
    "Says what a data set holds, and what in it harms training: files that are missing, damaged\n"
    "or unlike their song's others, stems that do not sum to the mixture or are shifted against\n"
    "it, clipping, silence, offsets, and songs that are there twice.\n\n"
    "exit codes: 0 nothing that harms, 1 errors or warnings, 2 usage";

static const char examples[] = "  ravel dataset check musdb18hq\n"
                               "  ravel dataset check songs --stems vocals,drums -j 4\n"
                               "  ravel dataset check slakh --json > slakh.json\n";

static int update(void *ctx, const char *song, double fraction)
{
    progress *p = ctx;
    p->file = song;
    return progress_fraction(p, fraction);
}

static int check(const char *root, rv_check_options *opt, int mode, bool json)
{
    rv_check_report *report = NULL;
    rv_error err = { 0 };
    progress shown;
    progress_begin(&shown, (progress_mode)mode, root);
    opt->progress = update;
    opt->progress_ctx = &shown;
    cli_catch_interrupt();
    const rv_status st = rv_dataset_check(&report, root, opt, &err);
    progress_end(&shown);
    if (st != RV_OK) {
        cli_complain("%s", st == RV_ERR_CANCELLED ? "interrupted" : err.text);
        return st == RV_ERR_CANCELLED ? EXIT_INTERRUPTED : EXIT_SOME_FAILED;
    }
    bool harm = false;
    for (size_t i = 0; i < report->n_findings; i++)
        harm |= report->findings[i].severity != RV_CHECK_NOTE;
    if (json)
        print_check_json(report);
    else
        print_check_text(report);
    rv_check_report_free(report);
    return harm ? EXIT_SOME_FAILED : EXIT_OK;
}

/* "a,b" -> names, which lie in `copy` */
static size_t split_names(char *copy, const char **names, size_t room)
{
    size_t n = 0;
    char *rest = NULL;
    for (char *word = strtok_r(copy, ",", &rest); word && n < room;
         word = strtok_r(NULL, ",", &rest))
        names[n++] = word;
    return n;
}

static int check_stems(const char *root, rv_check_options *opt, const char *stems, int mode,
                       bool json)
{
    const char *names[33]; /* more than there may be: the library says so */
    char *copy = strdup(stems ? stems : "");
    if (!copy) {
        cli_complain("out of memory");
        return EXIT_SOME_FAILED;
    }
    opt->n_stems = split_names(copy, names, sizeof names / sizeof *names);
    opt->stems = names;
    const int code = check(root, opt, mode, json);
    free(copy);
    return code;
}

int cmd_dataset_check(int argc, char **argv)
{
    rv_check_options opt;
    const char *stems = NULL;
    bool json = false;
    int mode = PROGRESS_AUTO;
    rv_check_defaults(&opt);
    const option_row rows[] = {
        { 0, "layout", OPTION_TEXT, &opt.layout, "NAME", 0, 0,
          "of the data set (default: found out)" },
        { 0, "stems", OPTION_TEXT, &stems, "A,B", 0, 0,
          "only these; not whether they sum to the mixture" },
        { 0, "residual", OPTION_NUMBER, &opt.residual, "DB", -200, 200,
          "allowed for mixture - stems, relative to the mixture (default -40)" },
        { 0, "residual-lossy", OPTION_NUMBER, &opt.residual_lossy, "DB", -200, 200,
          "the same for lossy files, such as MUSDB18's (default -15)" },
        { 'j', "jobs", OPTION_INT, &opt.threads, "N", 1, 1024,
          "songs at a time (default: one for each core)" },
        ROW_PROGRESS(&mode),
        { 0, "json", OPTION_FLAG, &json, NULL, 0, 0, "the report as JSON, see docs/datasets.md" },
        { 0 },
    };
    const option_table table = { "dataset check", "DIR", about, examples, rows };
    const int n = options_parse(&table, argc, argv);
    if (n < 0)
        return n == -1 ? EXIT_OK : EXIT_USAGE;
    if (n != 1) {
        cli_complain("dataset check: one data set was expected; see ravel dataset check --help");
        return EXIT_USAGE;
    }
    return check_stems(argv[1], &opt, stems, mode, json);
}
