/* cmd_train.c - ravel train RECIPE.yaml [KEY=VALUE...]. */
#include "cli.h"
#include "json_text.h"
#include "options.h"
#include "progress.h"

#include <ravel/train.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char examples[] =
    "  ravel train configs/conv_tasnet_small.yaml data.root=songs train.out=runs/first\n"
    "  ravel train configs/conv_tasnet_small.yaml data.root=songs --dry-run\n"
    "  ravel separate -m runs/first/best.safetensors song.wav\n";

typedef struct {
    progress_mode mode;
    double shown;
    bool drawn;
} display;

static void clear_line(display *d)
{
    if (d->drawn)
        fputs("\r\033[K", stderr);
    d->drawn = false;
}

static void draw(display *d, const rv_train_progress *p)
{
    const double most = 3600 * 9999.0,
                 time = p->seconds_per_step * (double)(p->last_step - p->step);
    const int left = (int)(time < most ? time : most);
    clear_line(d);
    fprintf(stderr,
            "epoch %llu, step %llu/%llu  loss %.5g  %.2f steps/s  %d:%02d:%02d left at most",
            (unsigned long long)p->epoch + 1,
            (unsigned long long)(p->step - p->epoch * p->steps_per_epoch),
            (unsigned long long)p->steps_per_epoch, p->loss,
            p->seconds_per_step > 0 ? 1 / p->seconds_per_step : 0, left / 3600, left / 60 % 60,
            left % 60);
    d->drawn = true;
}

static void draw_preparing(display *d, const rv_train_progress *p)
{
    clear_line(d);
    fprintf(stderr, "measuring pitch and loudness: %.0f %%", 100 * p->prepared);
    d->drawn = true;
}

static void print_json(const rv_train_progress *p)
{
    if (p->preparing) {
        fprintf(stderr, "{\"prepared\":%.4g}\n", p->prepared);
        return;
    }
    fprintf(stderr,
            "{\"epoch\":%llu,\"step\":%llu,\"last_step\":%llu,\"loss\":%.9g,\"lr\":%.9g,"
            "\"gradient_norm\":%.9g,\"seconds_per_step\":%.6g",
            (unsigned long long)p->epoch, (unsigned long long)p->step,
            (unsigned long long)p->last_step, p->loss, p->lr, p->gradient_norm,
            p->seconds_per_step);
    if (p->validated)
        fprintf(stderr, ",\"valid_loss\":%.9g", p->valid_loss);
    for (int i = 0; i < p->n_measures; i++)
        fprintf(stderr, ",\"valid_%s\":%.9g", p->measures[i].name, p->measures[i].value);
    if (p->validated)
        fprintf(stderr, ",\"best\":%s", p->best ? "true" : "false");
    fputs("}\n", stderr);
}

/* ", SI-SDR 7.31 dB" for each. */
static void print_measures(const rv_train_measure *m, int n)
{
    for (int i = 0; i < n; i++)
        printf(", %s %.2f%s%s", m[i].label, m[i].value, *m[i].unit ? " " : "", m[i].unit);
}

static void print_epoch(display *d, const rv_train_progress *p)
{
    clear_line(d);
    printf("epoch %llu: loss %.5g, validation loss %.5g", (unsigned long long)p->epoch + 1, p->loss,
           p->valid_loss);
    print_measures(p->measures, p->n_measures);
    puts(p->best ? ", the best so far" : "");
    fflush(stdout);
}

static int update(void *ctx, const rv_train_progress *p)
{
    display *d = ctx;
    const double now = progress_now();
    if (d->mode == PROGRESS_JSON) {
        print_json(p);
    } else if (p->validated) {
        print_epoch(d, p);
    } else if (d->mode == PROGRESS_AUTO && now - d->shown > 0.2) {
        d->shown = now;
        if (p->preparing)
            draw_preparing(d, p);
        else
            draw(d, p);
    }
    return cli_interrupted();
}

static void print_note(void *ctx, const char *line)
{
    display *d = ctx;
    clear_line(d);
    if (d->mode == PROGRESS_JSON) {
        fputs("{\"note\":", stderr);
        json_text(stderr, line);
        fputs("}\n", stderr);
    } else {
        puts(line);
        fflush(stdout);
    }
}

static void print_dry_run(const rv_train_report *r)
{
    printf("parameters        %llu\n", (unsigned long long)r->parameters);
    printf("songs             %llu to train on, %llu to validate (layout %s)\n",
           (unsigned long long)r->train_songs, (unsigned long long)r->valid_songs, r->layout);
    printf("steps per epoch   %llu\n", (unsigned long long)r->steps_per_epoch);
    printf("memory            %.0f MiB\n", (double)r->memory / 1048576);
    printf("time per step     %.3g s\n", r->seconds_per_step);
    printf("time per epoch    %.3g min\n", r->seconds_per_step * (double)r->steps_per_epoch / 60);
}

static void print_result(const rv_train_report *r)
{
    printf("%llu steps", (unsigned long long)r->steps);
    if (r->resumed_at)
        printf(", resumed at %llu", (unsigned long long)r->resumed_at);
    if (isfinite(r->best_loss)) {
        printf("; best validation loss %.5g", r->best_loss);
        print_measures(r->best_measures, r->n_measures);
    }
    putchar('\n');
}

static int train(const char *path, const char *const *overrides, size_t n, rv_train_options *opt,
                 progress_mode mode)
{
    rv_train_report report = { 0 };
    rv_error err = { 0 };
    display d = { .mode = mode };
    if (mode == PROGRESS_AUTO && !isatty(STDERR_FILENO))
        d.mode = PROGRESS_NONE;
    opt->progress = update;
    opt->progress_ctx = &d;
    opt->note = print_note;
    cli_catch_interrupt();
    const rv_status st = rv_train(path, overrides, n, opt, &report, &err);
    clear_line(&d);
    if (*report.warning)
        cli_complain("%s", report.warning);
    if (st != RV_OK) {
        cli_complain("%s", err.text);
        return st == RV_ERR_CANCELLED ? EXIT_INTERRUPTED : EXIT_SOME_FAILED;
    }
    if (opt->dry_run)
        print_dry_run(&report);
    else
        print_result(&report);
    return EXIT_OK;
}

static int print_keys(void)
{
    char *text = rv_train_help();
    if (!text)
        return EXIT_SOME_FAILED;
    fputs(text, stdout);
    rv_train_free_text(text);
    return EXIT_OK;
}

int cmd_train(int argc, char **argv)
{
    rv_train_options opt;
    bool dry_run = false, keys = false;
    int mode = PROGRESS_AUTO;
    rv_train_defaults(&opt);
    const option_row rows[] = {
        { 0, "dry-run", OPTION_FLAG, &dry_run, NULL, 0, 0,
          "take two steps, say parameters, memory and time; write nothing" },
        { 0, "keys", OPTION_FLAG, &keys, NULL, 0, 0, "list all keys of a recipe" },
        { 'j', "threads", OPTION_INT, &opt.threads, "N", 0, 1024,
          "threads (default 0: one for each core)" },
        { 0, "progress", OPTION_CHOICE, &mode, "auto|json|none", 0, 0,
          "a line on a terminal, JSON lines, or nothing (default auto)" },
        { 0 },
    };
    const option_table table = {
        "train", "RECIPE.yaml [KEY=VALUE...]",
        "Trains a model as the recipe says, or goes on with the run in its "
        "folder.\nKEY=VALUE changes the recipe: optimiser.lr=1e-3.",
        examples, rows
    };
    const int n = options_parse(&table, argc, argv);
    if (n < 0)
        return n == -1 ? EXIT_OK : EXIT_USAGE;
    if (keys)
        return print_keys();
    if (n == 0) {
        cli_complain("train: a recipe was expected; see ravel train --help");
        return EXIT_USAGE;
    }
    opt.dry_run = dry_run;
    return train(argv[1], (const char *const *)(argv + 2), (size_t)n - 1, &opt,
                 (progress_mode)mode);
}
