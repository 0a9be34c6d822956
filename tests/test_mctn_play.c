/* test_mctn_play.c - a feature separator and its decoders as one model: stems from files, buffers
 * and streams, the same bits for any cut; what its decoders were told plays the same; and files
 * that do not fit. */
#include "infer/ensemble.h"
#include "io/audio_read.h"
#include "io/audio_write.h"
#include "models/mctn.h"
#include "ravel/synth.h"
#include "tiny_autoencoder.h"

#include <math.h>
#include <unistd.h>

enum { STEMS = 2, SAMPLES = 30011, ODD = 777 };

static const char *const names[STEMS] = { "low", "high" };

/* A feature separator of two sources, for the tiny decoders. */
static void write_separator(const char *name, size_t hop)
{
    rv_error err = { 0 };
    rv_graph *g;
    nn_builder b;
    rv_mctn_config c;
    const rv_arg sources[] = { TINY_TEXT(NULL, "low"), TINY_TEXT(NULL, "high") };
    const rv_arg args[] = { { "sources", RV_ARG_LIST, STEMS, NULL, sources },
                            TINY_ARG("sample_rate", TINY_RATE),
                            TINY_ARG("hop", (double)hop),
                            TINY_ARG("N", 6),
                            TINY_ARG("B", 5),
                            TINY_ARG("H", 6),
                            TINY_ARG("X", 2),
                            TINY_ARG("segment", 1),
                            TINY_ARG("loudness_mean", -30) };
    const size_t n = sizeof args / sizeof *args;
    CHECK_OK(rv_mctn_configure(&c, &(rv_args){ args, n }, &err), err);
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    nn_begin(&b, g);
    rv_mctn(&b, &c, rv_input(g, RV_SHAPE(1, c.segment)));
    json_t *named = json_pack("{s:[ss]}", "sources", names[0], names[1]);
    for (size_t i = 1; i < n; i++)
        json_object_set_new(named, args[i].name, json_real(args[i].number));
    json_t *config = json_pack("{s:s, s:o}", "class", RV_MCTN_CLASS, "kwargs", named);
    write_network(name, &b, config, 8);
    json_decref(config);
    rv_graph_free(g);
}

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");
    fputs(text, f);
    CHECK(fclose(f) == 0);
}

static float mix[SAMPLES];

static int set_up(void **state)
{
    rv_error err = { 0 };
    rv_audio_writer *w = NULL;
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    const tiny_args room = tiny_arguments("ddsp", "learned", "none");
    const tiny_args dry = tiny_arguments("ddsp", "none", "none");
    const tiny_args z = tiny_arguments("ddsp", "none", "mfcc_rnn");
    if (make_folder(state) != 0)
        return -1;
    write_separator("features.safetensors", TINY_HOP);
    write_separator("slow.safetensors", 2 * TINY_HOP);
    write_tiny("low.safetensors", &room, NULL);
    write_tiny("high.safetensors", &dry, NULL);
    write_tiny("z.safetensors", &z, NULL);
    write_tiny("ddsp1.safetensors", &dry, json_pack("{ss}", "loudness", "ddsp1"));
    write_text("both.yaml", "features: features.safetensors\n"
                            "decoders: {low: low.safetensors, high: high.safetensors}\n");
    for (size_t t = 0; t < SAMPLES; t++)
        mix[t] = (float)(0.3 * sin((double)t * 0.05) + 0.2 * sin((double)t * (double)t * 1e-5));
    opt.channels = 1;
    opt.sample_rate = TINY_RATE;
    opt.bits = 32;
    CHECK_OK(rv_audio_writer_open(&w, in_folder("mix.wav"), &opt, &err), err);
    CHECK_OK(rv_audio_writer_write(w, (const float *const[]){ mix }, SAMPLES, &err), err);
    CHECK_OK(rv_audio_writer_commit(w, &err), err);
    rv_audio_writer_free(w);
    return 0;
}

static rv_model *open_both(void)
{
    rv_error err = { 0 };
    rv_model *m = NULL;
    CHECK_OK(rv_model_open(&m, in_folder("both.yaml"), &err), err);
    return m;
}

TEST(test_card)
{
    rv_model *m = open_both();
    const rv_model_card *c = rv_model_about(m);
    CHECK(!strcmp(c->name, "both") && !strcmp(c->architecture, "mctn") && c->n_networks == 1);
    CHECK(c->n_stems == STEMS && !strcmp(c->stems[0], "low") && !strcmp(c->stems[1], "high"));
    CHECK(c->channels == 1 && c->sample_rate == TINY_RATE && c->segment == 1);
    const uint64_t decoders = rv_autoencoder_network_parameters(m->decoders[0]) +
                              rv_autoencoder_network_parameters(m->decoders[1]);
    CHECK(c->parameters == m->cards[0].parameters + decoders);
    rv_model_free(m);
}

/* Streams -------------------------------------------------------------------------------------- */

typedef struct {
    float stems[STEMS][SAMPLES];
} sound;

static size_t pull(rv_separator *s, sound *y, size_t done)
{
    rv_error err = { 0 };
    for (size_t made = 1; made > 0; done += made) {
        float *to[STEMS] = { y->stems[0] + done, y->stems[1] + done };
        const size_t rest = SAMPLES - done;
        CHECK_OK(rv_separator_pull(s, to, rest < ODD ? rest : ODD, &made, &err), err);
    }
    return done;
}

static void stream(rv_separator *s, size_t block, sound *y)
{
    rv_error err = { 0 };
    size_t done = 0, first = 0;
    for (size_t at = 0; at < SAMPLES; at += block) {
        const float *from = mix + at;
        const size_t n = SAMPLES - at < block ? SAMPLES - at : block;
        CHECK_OK(rv_separator_push(s, &from, n, &err), err);
        done = pull(s, y, done);
        first = done > 0 && first == 0 ? at + n : first;
    }
    CHECK(first <= rv_separator_latency(s) + block);
    rv_separator_finish(s);
    CHECK(pull(s, y, done) == SAMPLES);
}

static sound *separate(rv_model *m, int threads)
{
    rv_error err = { 0 };
    rv_separate_options o;
    sound *y = calloc(1, sizeof *y);
    const float *from = mix;
    float *to[STEMS] = { y->stems[0], y->stems[1] };
    rv_separate_defaults(&o);
    o.threads = threads;
    CHECK_OK(rv_separate(m, &from, 1, TINY_RATE, SAMPLES, to, &o, &err), err);
    return y;
}

TEST(test_same_bits_for_any_threads_and_blocks)
{
    rv_error err = { 0 };
    rv_separator *s = NULL;
    rv_model *m = open_both();
    sound *one = separate(m, 1), *three = separate(m, 3), *parts = calloc(1, sizeof *parts);
    double power = 0;
    for (size_t t = 0; t < SAMPLES; t++)
        power += (double)one->stems[0][t] * (double)one->stems[0][t];
    CHECK(power > 0 && isfinite(power) && memcmp(one->stems[0], one->stems[1], sizeof mix) != 0);
    CHECK(!memcmp(one, three, sizeof *one));
    CHECK_OK(rv_separator_new(&s, m, 1, TINY_RATE, NULL, &err), err);
    stream(s, 1013, parts);
    CHECK(!memcmp(one, parts, sizeof *one));
    rv_separator_reset(s);
    memset(parts, 0, sizeof *parts);
    stream(s, 9001, parts);
    CHECK(!memcmp(one, parts, sizeof *one));
    rv_separator_free(s);
    rv_model_free(m);
    free(one), free(three), free(parts);
}

/* Files ---------------------------------------------------------------------------------------- */

static void read_sound(const char *name, float *x, size_t n)
{
    rv_error err = { 0 };
    rv_audio_reader *r = NULL;
    size_t got = 0;
    CHECK_OK(rv_audio_reader_open(&r, in_folder(name), 0, &err), err);
    CHECK(rv_audio_reader_info(r)->frames == (int64_t)n);
    for (size_t done = 0; done < n; done += got) {
        float *to = x + done;
        CHECK_OK(rv_audio_reader_read(r, &to, n - done, &got, &err), err);
        CHECK(got > 0);
    }
    rv_audio_reader_free(r);
}

/* A decoder plays what it was told once more, and it is the stem. */
static void check_plays_again(size_t stem)
{
    static float first[SAMPLES], again[SAMPLES];
    char model[40], npz[40], wav[40], out[500];
    rv_error err = { 0 };
    rv_synth_options o;
    rv_synth_defaults(&o);
    o.bits = 32;
    o.seed = stem;
    snprintf(model, sizeof model, "%s.safetensors", names[stem]);
    snprintf(npz, sizeof npz, "out/mix/%s.npz", names[stem]);
    snprintf(wav, sizeof wav, "out/mix/%s.wav", names[stem]);
    snprintf(out, sizeof out, "%s", in_folder("again.wav"));
    unlink(out);
    CHECK_OK(rv_synth_file(in_folder(model), in_folder(npz), out, &o, NULL, &err), err);
    read_sound(wav, first, SAMPLES);
    rv_audio_reader *r = NULL;
    CHECK_OK(rv_audio_reader_open(&r, out, 0, &err), err);
    const size_t n = (size_t)rv_audio_reader_info(r)->frames; /* whole frames */
    rv_audio_reader_free(r);
    CHECK(n >= SAMPLES && n < SAMPLES + TINY_HOP);
    float *all = calloc(n, sizeof *all);
    read_sound("again.wav", all, n);
    memcpy(again, all, sizeof again);
    free(all);
    CHECK(!memcmp(first, again, (SAMPLES - TINY_HOP) * sizeof *first));
}

TEST(test_files_and_what_decoders_were_told)
{
    rv_error err = { 0 };
    rv_file_options o;
    rv_file_report report;
    char out[500];
    rv_model *m = open_both();
    rv_file_defaults(&o);
    snprintf(out, sizeof out, "%s", in_folder("out"));
    o.out_dir = out;
    o.bits = 32;
    o.params = 1;
    CHECK_OK(rv_separate_file(m, in_folder("mix.wav"), &o, &report, &err), err);
    CHECK(report.n_files == STEMS && report.frames == SAMPLES);
    rv_file_report_free(&report);
    sound *y = separate(m, 1);
    static float x[SAMPLES];
    for (size_t s = 0; s < STEMS; s++) {
        read_sound(s ? "out/mix/high.wav" : "out/mix/low.wav", x, SAMPLES);
        CHECK(!memcmp(x, y->stems[s], sizeof x));
        check_plays_again(s);
    }
    unlink(in_folder("out/mix/low.wav")), unlink(in_folder("out/mix/high.wav"));
    CHECK(rv_separate_file(m, in_folder("mix.wav"), &o, NULL, &err) == RV_ERR_EXISTS);
    CHECK_MSG(strstr(err.text, ".npz: is there already"), "%s", err.text);
    free(y);
    rv_model_free(m);
}

TEST(test_parameters_want_decoders)
{
    rv_error err = { 0 };
    rv_file_options o;
    char out[500];
    rv_model *m = NULL;
    rv_file_defaults(&o);
    snprintf(out, sizeof out, "%s", in_folder("classic"));
    o.out_dir = out;
    o.params = 1;
    CHECK_OK(rv_model_open(&m, "classic", &err), err);
    CHECK(rv_separate_file(m, in_folder("mix.wav"), &o, NULL, &err) == RV_ERR_UNSUPPORTED);
    CHECK_MSG(strstr(err.text, "has no decoders"), "%s", err.text);
    rv_model_free(m);
}

/* What does not fit ---------------------------------------------------------------------------- */

static void check_refuses(const char *yaml, rv_status status, const char *text)
{
    rv_error err = { 0 };
    rv_model *m = NULL;
    write_text("bad.yaml", yaml);
    const rv_status st = rv_model_open(&m, in_folder("bad.yaml"), &err);
    CHECK_MSG(st == status && strstr(err.text, text), "status %d, %s", st, err.text);
}

#define DECODERS(low, high) "decoders: {low: " low ".safetensors, high: " high ".safetensors}\n"
#define GOOD                DECODERS("low", "high")

TEST(test_what_does_not_fit)
{
    rv_error err = { 0 };
    rv_model *m = NULL;
    check_refuses("features: slow.safetensors\n" GOOD, RV_ERR_UNSUPPORTED, "every 80");
    check_refuses("features: low.safetensors\n" GOOD, RV_ERR_UNSUPPORTED, "unknown class");
    check_refuses("features: features.safetensors\n" DECODERS("low", "z"), RV_ERR_UNSUPPORTED,
                  "wants timbre");
    check_refuses("features: features.safetensors\n" DECODERS("low", "ddsp1"), RV_ERR_UNSUPPORTED,
                  "loudness 'ddsp1'; features have 'ddsp'");
    check_refuses("features: features.safetensors\n" DECODERS("low", "features"),
                  RV_ERR_UNSUPPORTED, "a DDSP autoencoder");
    check_refuses("features: features.safetensors\ndecoders: {low: low.safetensors}\n",
                  RV_ERR_FORMAT, "no file for high");
    check_refuses("features: features.safetensors\n"
                  "decoders: {low: low.safetensors, high: low.safetensors, a: b}\n",
                  RV_ERR_FORMAT, "3 decoders for 2 sources");
    check_refuses(GOOD, RV_ERR_FORMAT, "expected `features`");
    check_refuses("features: features.safetensors\nweights: 1\n" GOOD, RV_ERR_FORMAT,
                  "unknown key 'weights'");
    check_refuses("features: gone.safetensors\n" GOOD, RV_ERR_IO, "gone.safetensors");
    CHECK(rv_model_open(&m, in_folder("features.safetensors"), &err) == RV_ERR_UNSUPPORTED);
    CHECK_MSG(strstr(err.text, "gives no sound"), "%s", err.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_card),
        cmocka_unit_test(test_same_bits_for_any_threads_and_blocks),
        cmocka_unit_test(test_files_and_what_decoders_were_told),
        cmocka_unit_test(test_parameters_want_decoders),
        cmocka_unit_test(test_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
