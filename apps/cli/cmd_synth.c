/* cmd_synth.c - ravel synth: a recording, or features of one, played by a trained model. */
#include "cli.h"
#include "json_text.h"
#include "options.h"
#include "progress.h"

#include <ravel/synth.h>

#include <stdio.h>
#include <string.h>

typedef struct settings {
    rv_synth_options options;
    const char *out;
    int mode, pitch, bits, clip, octave;
    bool auto_loudness, no_reverb, overwrite, json;
} settings;

static const char about[] =
    "Plays a DDSP autoencoder: the pitch and loudness of FILE in the timbre that the model was\n"
    "trained on. FILE is audio, or an .npz of `ravel features`. MODEL is what `ravel train` "
    "wrote,\n"
    "or ddsp_pytorch's state.pth with its config.yaml beside it; or `params`, which plays the\n"
    "parameters in an .npz of --params as they are.";

static const char examples[] =
    "  ravel synth violin.safetensors voice.wav -o violin.wav --octave 1 --auto-loudness\n"
    "  ravel synth sax.safetensors phrase.wav -o sax.flac --threshold 0.3 --noise-gain -6\n"
    "  ravel synth state.pth phrase.wav -o dry.wav --no-reverb --crepe full.pth\n"
    "  ravel features phrase.wav -o . && ravel synth sax.safetensors phrase.npz -o slow.wav "
    "--stretch 2\n"
    "  ravel synth params separated/classic/song/bass.npz -o bass.wav --octave -1\n";

static int parse(settings *s, int argc, char **argv)
{
    rv_synth_options *o = &s->options;
    const option_row rows[] = {
        { 'o', "out", OPTION_TEXT, &s->out, "FILE", 0, 0,
          "result: .wav, .flac, .ogg, .mp3, .opus or .aiff" },
        { 0, "pitch-shift", OPTION_NUMBER, &o->pitch_shift, "SEMITONES", -96, 96, "(default 0)" },
        { 0, "octave", OPTION_INT, &s->octave, "N", -8, 8, "12 semitones each (default 0)" },
        { 0, "loudness", OPTION_NUMBER, &o->loudness, "DB", -200, 200,
          "play louder, as the model knows loud sounds (default 0)" },
        { 0, "auto-loudness", OPTION_FLAG, &s->auto_loudness, NULL, 0, 0,
          "bring mean and spread of loudness to those of the training data" },
        { 0, "harmonics-gain", OPTION_NUMBER, &o->harmonics_gain, "DB", -200, 60, "(default 0)" },
        { 0, "noise-gain", OPTION_NUMBER, &o->noise_gain, "DB", -200, 60, "(default 0)" },
        { 0, "no-reverb", OPTION_FLAG, &s->no_reverb, NULL, 0, 0, "without the model's room" },
        { 0, "threshold", OPTION_NUMBER, &o->threshold, "X", 0, 1,
          "no harmonics where the confidence of f0 is lower (default 0)" },
        { 0, "stretch", OPTION_NUMBER, &o->stretch, "X", 0.01, 100,
          "2: twice as long, at the same pitch (default 1)" },
        { 0, "f0-method", OPTION_CHOICE, &s->pitch, "model|yin|pyin|crepe", 0, 0,
          "the model's own or as in training, or another (default model)" },
        { 0, "crepe", OPTION_TEXT, &o->crepe, "FILE", 0, 0, "weights of CREPE, for its pitch" },
        { 0, "config", OPTION_TEXT, &o->config, "YAML", 0, 0,
          "ddsp_pytorch's (default: config.yaml beside MODEL)" },
        { 0, "params", OPTION_TEXT, &o->params, "NPZ", 0, 0,
          "also write f0, amplitude, harmonic distribution and noise magnitudes" },
        { 0, "seed", OPTION_SEED, &o->seed, "N", 0, 0, "of the noise (default 0)" },
        { 'j', "threads", OPTION_INT, &o->threads, "N", 0, 1024,
          "0: one for each core (default 0)" },
        { 0, "bits", OPTION_CHOICE, &s->bits, "16|24|float", 0, 0, "of samples (default 16)" },
        { 0, "clip-mode", OPTION_CHOICE, &s->clip, "rescale|clamp|none", 0, 0,
          "what becomes of samples beyond full scale (default rescale)" },
        ROW_CACHE(&o->cache),
        ROW_OVERWRITE(&s->overwrite),
        ROW_PROGRESS(&s->mode),
        ROW_JSON(&s->json),
        { 0 },
    };
    const option_table table = { "synth", "MODEL FILE -o OUT", about, examples, rows };
    return options_parse(&table, argc, argv);
}

static void print_json(const settings *s, const char *in, const rv_synth_report *r)
{
    static const char *const methods[] = { "given", "yin", "pyin", "crepe", "model" };
    printf("{\"input\":");
    json_text(stdout, in);
    printf(",\"output\":");
    json_text(stdout, s->out);
    printf(",\"sample_rate\":%d,\"samples\":%llu,\"frames\":%llu,\"voiced\":%llu,"
           "\"parameters\":%llu,\"f0_method\":\"%s\",\"pitch_mean\":%.3f,\"loudness_mean\":%.3f,"
           "\"loudness_deviation\":%.3f,\"gain\":%.6g}\n",
           r->sample_rate, (unsigned long long)r->samples, (unsigned long long)r->frames,
           (unsigned long long)r->voiced, (unsigned long long)r->parameters, methods[r->pitch],
           r->pitch_mean, r->loudness_mean, r->loudness_deviation, r->gain);
}

static void take_choices(settings *s)
{
    static const int bits[] = { 16, 24, 32 };
    rv_synth_options *o = &s->options;
    o->pitch_shift += 12 * s->octave;
    o->auto_loudness = s->auto_loudness;
    o->reverb = !s->no_reverb;
    o->pitch = (rv_synth_pitch)s->pitch;
    o->bits = bits[s->bits];
    o->clip = (rv_clip_mode)s->clip;
    o->overwrite = s->overwrite;
}

static int synth(settings *s, const char *model, const char *in)
{
    progress p;
    rv_synth_report report;
    rv_error err = { 0 };
    progress_begin(&p, (progress_mode)s->mode, in);
    s->options.progress = progress_fraction;
    s->options.progress_ctx = &p;
    const rv_status st = rv_synth_file(model, in, s->out, &s->options, &report, &err);
    progress_end(&p);
    if (st == RV_ERR_CANCELLED) {
        cli_complain("interrupted");
        return EXIT_INTERRUPTED;
    }
    if (st != RV_OK) {
        cli_complain("%s", err.text);
        return EXIT_SOME_FAILED;
    }
    if (s->json)
        print_json(s, in, &report);
    else
        printf("%s\n", s->out);
    return EXIT_OK;
}

int cmd_synth(int argc, char **argv)
{
    settings s = { 0 };
    rv_synth_defaults(&s.options);
    const int n = parse(&s, argc, argv);
    if (n < 0)
        return n == -1 ? EXIT_OK : EXIT_USAGE;
    if (n != 2 || !s.out) {
        cli_complain("synth: MODEL, one FILE and -o OUT were expected; see ravel synth --help");
        return EXIT_USAGE;
    }
    take_choices(&s);
    cli_catch_interrupt();
    return synth(&s, argv[1], argv[2]);
}
