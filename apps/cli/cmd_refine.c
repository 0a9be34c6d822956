/* cmd_refine.c - ravel refine: separated stems, brought nearer to what they were. Every input is
 * tried, whatever becomes of the others. */
#include "cli.h"
#include "inputs.h"
#include "json_text.h"
#include "options.h"
#include "progress.h"

#include <ravel/refine.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
    rv_refine_options options;
    const char *out, *stem;
    int mode, format, bits, clip;
    bool overwrite, json;
} settings;

static const char *const formats[] = { "wav", "flac", "aiff" };

static const char about[] =
    "Brings separated stems nearer to what they were, by a model that `ravel train` made of one\n"
    "of the recipes configs/ddsp_demucs_*.yaml. A folder is searched for stems: DIR/SONG/STEM.wav\n"
    "becomes OUT/SONG/STEM.wav.";

static const char examples[] =
    "  ravel refine eq.safetensors separated/htdemucs -o refined --stem vocals\n"
    "  ravel refine eq.safetensors vocals.wav -o refined --bits 24\n"
    "  ravel eval -r musdb18hq -e stem=separated/htdemucs refined=refined --stems vocals\n";

static int parse(settings *s, int argc, char **argv)
{
    rv_refine_options *o = &s->options;
    const option_row rows[] = {
        { 'o', "out", OPTION_TEXT, &s->out, "DIR", 0, 0, "folder for results" },
        { 0, "stem", OPTION_TEXT, &s->stem, "STEM", 0, 0,
          "of folders, only files of this name (default: all)" },
        { 0, "window", OPTION_NUMBER, &o->window, "S", 0.01, 600,
          "seconds that the network sees at a time, as in training (default 4)" },
        { 0, "crepe", OPTION_TEXT, &o->crepe, "FILE", 0, 0,
          "weights of CREPE, for models that learned from its pitch" },
        { 0, "seed", OPTION_SEED, &o->seed, "N", 0, 0, "of the noise (default 0)" },
        { 0, "format", OPTION_CHOICE, &s->format, "wav|flac|aiff", 0, 0, "(default wav)" },
        { 0, "bits", OPTION_CHOICE, &s->bits, "float|24|16", 0, 0,
          "of samples (default float; flac: 24)" },
        { 0, "clip-mode", OPTION_CHOICE, &s->clip, "rescale|clamp|none", 0, 0,
          "what becomes of samples beyond full scale (default rescale)" },
        ROW_CACHE(&o->cache),
        { 'j', "threads", OPTION_INT, &o->threads, "N", 0, 1024,
          "0: one for each core (default 0)" },
        ROW_OVERWRITE(&s->overwrite),
        ROW_PROGRESS(&s->mode),
        ROW_JSON(&s->json),
        { 0 },
    };
    const option_table table = { "refine", "MODEL FILE|DIR... -o DIR", about, examples, rows };
    return options_parse(&table, argc, argv);
}

static void take_choices(settings *s)
{
    static const int bits[] = { 32, 24, 16 };
    s->options.bits = s->format == 1 && s->bits == 0 ? 24 : bits[s->bits];
    s->options.clip = (rv_clip_mode)s->clip;
    s->options.overwrite = s->overwrite;
}

/* The file's name without folders and end is that of the stem. */
static bool is_wanted(const settings *s, const input *in)
{
    const char *slash = in->track ? strrchr(in->track, '/') : NULL;
    return !s->stem || !in->track || strcmp(slash ? slash + 1 : in->track, s->stem) == 0;
}

/* OUT/TRACK.FORMAT; free() it. */
static char *result_name(const settings *s, const input *in)
{
    char *track = input_result(in, s->out), *name = NULL;
    const size_t room = track ? strlen(track) + strlen(formats[s->format]) + 2 : 0;
    if (track && (name = malloc(room)))
        snprintf(name, room, "%s.%s", track, formats[s->format]);
    free(track);
    return name;
}

static void print_json(const input *in, const char *name, rv_status st, const rv_refine_report *r,
                       const rv_error *err, bool first)
{
    input_print_json(in, st, err, first);
    if (st == RV_OK) {
        printf(",\"status\":\"ok\",\"sample_rate\":%d,\"channels\":%d,\"frames\":%llu,"
               "\"parameters\":%llu,",
               r->sample_rate, r->channels, (unsigned long long)r->frames,
               (unsigned long long)r->parameters);
        printf(isfinite(r->change) ? "\"change_db\":%.3f,\"output\":"
                                   : "\"change_db\":null,"
                                     "\"output\":",
               r->change);
        json_text(stdout, name);
    }
    putchar('}');
}

static rv_status refine(settings *s, const char *model, const input *in, bool first)
{
    progress p;
    rv_refine_report report = { 0 };
    rv_error err = { 0 };
    char *name = result_name(s, in);
    if (!name) {
        cli_complain("%s: out of memory", in->path);
        return RV_ERR_NOMEM;
    }
    progress_begin(&p, (progress_mode)s->mode, in->path);
    s->options.progress = progress_fraction;
    s->options.progress_ctx = &p;
    const rv_status st = rv_refine_file(model, in->path, name, &s->options, &report, &err);
    progress_end(&p);
    if (st != RV_OK && st != RV_ERR_CANCELLED)
        cli_complain("%s", err.text);
    if (s->json)
        print_json(in, name, st, &report, &err, first);
    else if (st == RV_OK)
        printf("%s\n", name);
    free(name);
    return st;
}

static int refine_all(settings *s, const char *model, const input_list *list)
{
    size_t failures = list->failures, done = 0;
    if (s->json)
        printf("{\"files\":[");
    for (size_t i = 0; i < list->n && !cli_interrupted(); i++)
        if (is_wanted(s, &list->items[i]))
            failures += refine(s, model, &list->items[i], done++ == 0) != RV_OK;
    if (s->json)
        printf("]}\n");
    if (cli_interrupted()) {
        cli_complain("interrupted");
        return EXIT_INTERRUPTED;
    }
    if (done == 0 && list->failures == 0)
        cli_complain("refine: there is no file of the stem %s", s->stem ? s->stem : "");
    return failures || done == 0 ? EXIT_SOME_FAILED : EXIT_OK;
}

int cmd_refine(int argc, char **argv)
{
    settings s = { 0 };
    input_list list = { 0 };
    bool good = true;
    rv_refine_defaults(&s.options);
    const int n = parse(&s, argc, argv);
    if (n < 0)
        return n == -1 ? EXIT_OK : EXIT_USAGE;
    if (n < 2 || !s.out) {
        cli_complain("refine: MODEL, stems and -o DIR were expected; see ravel refine --help");
        return EXIT_USAGE;
    }
    take_choices(&s);
    cli_catch_interrupt();
    for (int i = 1; good && i < n; i++)
        good = inputs_add(&list, argv[1 + i], s.out);
    if (!good)
        cli_complain("out of memory");
    const int code = good ? refine_all(&s, argv[1], &list) : EXIT_SOME_FAILED;
    inputs_free(&list);
    return code;
}
