/* cmd_separate.c - ravel separate: every input is tried, whatever becomes of the others. */
#include "cli.h"
#include "inputs.h"
#include "json_text.h"
#include "options.h"
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

typedef struct {
    option_texts models;
    const char *out;
    rv_file_options file;
    int clip, bits, format, mode, precision;
    bool overwrite, skip, json, verbose, params;
} settings;

static const char *const formats[] = { "wav", "flac", "ogg", "mp3", "opus", "aiff" };

static const char about[] =
    "Takes audio files apart into stems: OUT/MODEL/TRACK/STEM.wav, each as long as the input.\n"
    "Folders are searched for audio files.";

static const char examples[] =
    "  ravel separate song.mp3\n"
    "  ravel separate -m htdemucs --two-stems vocals --format flac -o stems album/\n"
    "  ravel separate -m model.safetensors --stems drums,bass --bits float song.wav\n"
    "  ravel separate -m htdemucs --precision int16 song.wav\n"
    "  ravel separate -m classic --wiener 1 song.wav\n"
    "  ravel separate -m classic --refine ddsp --params song.wav\n"
    "  ravel separate -m model.safetensors -m classic song.wav\n"
    "  ravel separate -m best-of-each.yaml song.wav   (docs/ensembles.md)\n";

static int parse(settings *s, int argc, char **argv)
{
    rv_separate_options *o = &s->file.separate;
    const option_row rows[] = {
        { 'm', "model", OPTION_EACH, &s->models, "NAME|FILE", 0, 0,
          "model, or its file (default ravel_s, or classic without its weights; see ravel models "
          "list); given again: the mean of what the models say of each stem" },
        { 'o', "out", OPTION_TEXT, &s->out, "DIR", 0, 0, "folder for results (default separated)" },
        { 0, "filename", OPTION_TEXT, &s->file.filename, "TEMPLATE", 0, 0,
          "below OUT/MODEL; {track} {trackext} {stem} {ext} {model} (default "
          "{track}/{stem}.{ext})" },
        { 0, "stems", OPTION_TEXT, &s->file.stems, "A,B", 0, 0, "write only these stems" },
        { 0, "two-stems", OPTION_TEXT, &s->file.two_stems, "STEM", 0, 0,
          "write STEM and no_STEM, the sum of the others" },
        { 0, "format", OPTION_CHOICE, &s->format, "wav|flac|ogg|mp3|opus|aiff", 0, 0,
          "of the results (default wav)" },
        { 0, "bits", OPTION_CHOICE, &s->bits, "16|24|float", 0, 0, "of samples (default 16)" },
        { 0, "quality", OPTION_NUMBER, &s->file.quality, "Q", 0, 1, "of lossy formats, 0 to 1" },
        { 0, "clip-mode", OPTION_CHOICE, &s->clip, "rescale|clamp|none", 0, 0,
          "samples beyond full scale: one gain for all stems of a track, limit, or leave "
          "(default rescale)" },
        { 0, "params", OPTION_FLAG, &s->params, NULL, 0, 0,
          "of models whose decoders play the stems, or with --refine: also STEM.npz with pitch, "
          "loudness, harmonics and noise, which ravel synth takes" },
        { 0, "shifts", OPTION_INT, &o->shifts, "N", 0, 1000,
          "random time shifts to average: better, N times slower (default 0)" },
        { 0, "wiener", OPTION_INT, &o->wiener, "N", 0, 1000,
          "iterations of a multichannel Wiener filter over the stems, which then have the mix's "
          "phase and add up to it (default 0: none)" },
        { 0, "refine", OPTION_CHOICE, &o->refine, "none|ddsp", 0, 0,
          "ddsp: fit models of the sources (pitch, harmonics, noise) to the mix and move the stems "
          "there (default none)" },
        { 0, "overlap", OPTION_NUMBER, &o->overlap, "F", 0, 0.95,
          "share of a segment that overlaps the next (default: the model's, 0.25)" },
        { 0, "segment", OPTION_NUMBER, &o->segment, "S", 0.01, 3600,
          "seconds of a segment: less takes less memory (default: the model's)" },
        { 0, "precision", OPTION_CHOICE, &s->precision, "float32|int16", 0, 0,
          "of a network's matrix products; int16: large models run faster with half the memory "
          "for weights, and stems change by -58 dB or less (docs/speed.md; default float32)" },
        { 'j', "threads", OPTION_INT, &o->threads, "N", 0, 1024,
          "threads (default 0: one for each core)" },
        { 0, "jobs", OPTION_INT, &o->jobs, "N", 1, 64,
          "segments at a time, each in one thread: takes memory for each, may help with many "
          "threads (default 1)" },
        { 0, "seed", OPTION_SEED, &o->seed, "N", 0, 0, "of the shifts (default 0)" },
        ROW_PROGRESS(&s->mode),
        ROW_OVERWRITE(&s->overwrite),
        { 0, "skip-existing", OPTION_FLAG, &s->skip, NULL, 0, 0,
          "leave tracks alone whose results are there" },
        ROW_JSON(&s->json),
        { 'v', "verbose", OPTION_FLAG, &s->verbose, NULL, 0, 0,
          "say what the model is, speed and peak memory" },
        { 0 },
    };
    const option_table table = { "separate", "FILE|DIR...", about, examples, rows };
    return options_parse(&table, argc, argv);
}

static bool check(const settings *s, int inputs)
{
    if (s->overwrite && s->skip)
        cli_complain("either --overwrite or --skip-existing, not both");
    else if (s->file.stems && s->file.two_stems)
        cli_complain("either --stems or --two-stems, not both");
    else if (inputs == 0)
        cli_complain("no files given; see ravel separate --help");
    else
        return true;
    return false;
}

/* Messages name the file first. */
static void complain_about(const char *file, const rv_error *err)
{
    if (strncmp(err->text, file, strlen(file)) == 0)
        cli_complain("%s", err->text);
    else
        cli_complain("%s: %s", file, err->text);
}

static double peak_memory(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024;
}

static void say_done(const settings *s, const rv_file_report *r, double seconds)
{
    for (size_t i = 0; i < r->n_files && !s->json; i++)
        printf("%s\n", r->files[i]);
    fflush(stdout);
    if (!s->verbose)
        return;
    const double length = r->sample_rate ? (double)r->frames / r->sample_rate : 0;
    fprintf(stderr,
            "%.1f s of audio (%d channels, %d Hz) in %.2f s: %.1f times real time; gain %.3f; peak "
            "memory %.0f MiB\n",
            length, r->channels, r->sample_rate, seconds, seconds > 0 ? length / seconds : 0,
            r->gain, peak_memory() / 1048576);
}

static void print_json(const input *in, rv_status st, const rv_file_report *r, const rv_error *err,
                       double seconds, bool first)
{
    printf("%s\n  {\"input\":", first ? "" : ",");
    json_text(stdout, in->path);
    if (st != RV_OK) {
        printf(",\"status\":\"%s\",\"error\":", st == RV_ERR_CANCELLED ? "interrupted" : "failed");
        json_text(stdout, err->text);
    } else if (r->skipped) {
        printf(",\"status\":\"skipped\"");
    } else {
        printf(",\"status\":\"ok\",\"frames\":%llu,\"sample_rate\":%d,\"channels\":%d,"
               "\"gain\":%.6g,\"seconds\":%.3f,\"outputs\":[",
               (unsigned long long)r->frames, r->sample_rate, r->channels, r->gain, seconds);
        for (size_t i = 0; i < r->n_files; i++) {
            fputs(i ? "," : "", stdout);
            json_text(stdout, r->files[i]);
        }
        putchar(']');
    }
    putchar('}');
}

static rv_status separate_one(settings *s, rv_model *model, const input *in, bool first)
{
    progress p;
    rv_error err = { 0 };
    rv_file_report report = { 0 };
    progress_begin(&p, (progress_mode)s->mode, in->path);
    s->file.separate.progress = progress_update;
    s->file.separate.progress_ctx = &p;
    s->file.track = in->track;
    const rv_status st = rv_separate_file(model, in->path, &s->file, &report, &err);
    progress_end(&p);
    const double seconds = progress_now() - p.start;
    if (st != RV_OK && st != RV_ERR_CANCELLED)
        complain_about(in->path, &err);
    else if (st == RV_OK && !report.skipped)
        say_done(s, &report, seconds);
    else if (st == RV_OK && s->verbose)
        fprintf(stderr, "%s: its results are there already\n", in->path);
    if (s->json)
        print_json(in, st, &report, &err, seconds, first);
    rv_file_report_free(&report);
    return st;
}

static void say_model(const rv_model_card *c)
{
    fprintf(stderr, "model %s (%s): ", c->name, c->architecture);
    for (size_t i = 0; i < c->n_stems; i++)
        fprintf(stderr, "%s%s", i ? ", " : "", c->stems[i]);
    fprintf(stderr, "; %llu parameters in %zu networks; segments of %g s\n",
            (unsigned long long)c->parameters, c->n_networks, c->segment);
}

/* Track names in a batch must differ, or results would replace each other. */
static bool is_repeated(const input_list *list, size_t i, const settings *s)
{
    if (strstr(s->file.filename, "{trackext}"))
        return false;
    for (size_t j = 0; j < i; j++) {
        const char *a = list->items[i].track, *b = list->items[j].track;
        if (a && b && strcmp(a, b) == 0) {
            cli_complain("%s: has the same track name as %s: use --filename with {trackext}",
                         list->items[i].path, list->items[j].path);
            return true;
        }
    }
    return false;
}

static int separate_all(settings *s, rv_model *model, const input_list *list)
{
    size_t failures = list->failures;
    bool first = true;
    if (s->json) {
        printf("{\"model\":");
        json_text(stdout, rv_model_about(model)->name);
        printf(",\"files\":[");
    }
    for (size_t i = 0; i < list->n && !cli_interrupted(); i++, first = false) {
        const bool repeated = is_repeated(list, i, s);
        failures += repeated || separate_one(s, model, &list->items[i], first) != RV_OK;
    }
    if (s->json)
        printf("],\"peak_memory\":%.0f}\n", peak_memory());
    if (cli_interrupted()) {
        cli_complain("interrupted");
        return EXIT_INTERRUPTED;
    }
    return failures ? EXIT_SOME_FAILED : EXIT_OK;
}

static bool open_models(rv_model **model, const option_texts *names)
{
    rv_error err = { 0 };
    if (rv_model_open_several(model, names->items, names->n, &err) == RV_OK)
        return true;
    cli_complain("%s", err.text);
    return false;
}

static bool open_model(rv_model **model, const char *name)
{
    const char *names[64] = { 0 };
    rv_known_model known;
    rv_error err = { 0 };
    if (rv_model_open(model, name, &err) == RV_OK)
        return true;
    for (size_t i = 0; i < 63 && rv_known_model_at(i, &known); i++)
        names[i] = known.name;
    const char *near = strchr(name, '/') ? NULL : cli_nearest(name, names);
    if (near && strcmp(near, name) != 0)
        cli_complain("%s (did you mean %s?)", err.text, near);
    else
        complain_about(name, &err);
    return false;
}

static const char *default_model(void)
{
    const char *name = rv_default_model();
    if (strcmp(name, "classic") == 0)
        cli_complain("the weights of ravel_s are not here, so classic separates, which has learnt "
                     "nothing; -m chooses another model, ravel models list shows them");
    return name;
}

static int run(settings *s, int n, char **names)
{
    rv_model *model = NULL;
    input_list list = { 0 };
    int code = EXIT_USAGE;
    const char *one = s->models.n ? s->models.items[0] : default_model();
    if (!(s->models.n > 1 ? open_models(&model, &s->models) : open_model(&model, one)))
        return EXIT_USAGE;
    const char *name = rv_model_about(model)->name;
    const size_t room = strlen(s->out) + strlen(name) + 2;
    char *out = malloc(room);
    bool good = out != NULL;
    if (good)
        snprintf(out, room, "%s/%s", s->out, name);
    for (int i = 0; good && i < n; i++)
        good = inputs_add(&list, names[i], s->out);
    if (good) {
        s->file.out_dir = out;
        if (s->verbose)
            say_model(rv_model_about(model));
        code = separate_all(s, model, &list);
    } else {
        cli_complain("out of memory");
    }
    inputs_free(&list);
    free(out);
    rv_model_free(model);
    return code;
}

static int start(settings *s, int n, char **names)
{
    static const int bits[] = { 16, 24, 32 };
    if (!check(s, n))
        return EXIT_USAGE;
    s->file.bits = bits[s->bits];
    s->file.format = formats[s->format];
    s->file.clip = (rv_clip_mode)s->clip;
    s->file.separate.precision = (rv_precision)s->precision;
    s->file.params = s->params;
    s->file.existing = s->overwrite ? RV_EXISTING_OVERWRITE
                       : s->skip    ? RV_EXISTING_SKIP
                                    : RV_EXISTING_FAIL;
    cli_catch_interrupt();
    return run(s, n, names);
}

int cmd_separate(int argc, char **argv)
{
    settings s = { .out = "separated" };
    rv_file_defaults(&s.file);
    const int n = parse(&s, argc, argv);
    const int code = n >= 0 ? start(&s, n, argv + 1) : n == -1 ? EXIT_OK : EXIT_USAGE;
    free((void *)s.models.items);
    return code;
}
