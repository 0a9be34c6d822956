/* test_overfit.c - `ravel train` as a user starts it learns one example of four seconds by heart,
 * with each model. */
#include "check.h"
#include "io/audio_write.h"
#include "ravel/train.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RATE = 1000, FRAMES = 4 * RATE };

static char root[64] = "/tmp/ravel-overfit-XXXXXX";

/* Notes that die away, one each second, an octave and a half apart. */
static void write_stem(const char *name, double pitch)
{
    static float x[FRAMES];
    char path[200];
    rv_error err = { 0 };
    rv_audio_writer *w = NULL;
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    const float *const planar[] = { x };
    opt.channels = 1;
    opt.sample_rate = RATE;
    opt.bits = 32;
    for (size_t t = 0; t < FRAMES; t++) {
        const double time = (double)t / RATE;
        x[t] = (float)(0.5 * exp(floor(time) - time) * sin(6.283185307 * pitch * time));
    }
    snprintf(path, sizeof path, "%s/songs/train/one/%s.wav", root, name);
    CHECK_OK(rv_audio_writer_open(&w, path, &opt, &err), err);
    CHECK_OK(rv_audio_writer_write(w, planar, FRAMES, &err), err);
    CHECK_OK(rv_audio_writer_commit(w, &err), err);
    rv_audio_writer_free(w);
}

static const char recipe[] = "model: {name: conv_tasnet}\n"
                             "data:\n"
                             "  stems: [bass, lead]\n"
                             "  sample_rate: 1000\n"
                             "  channels: 1\n"
                             "  segment: 4\n"
                             "  stride: 4\n"
                             "  batch: 1\n"
                             "  threads: 0\n"
                             "optimiser: {lr: 3e-2}\n"
                             "schedule: {kind: exponential, factor: 0.1, every: 100}\n";

static int set_up(void **state)
{
    (void)state;
    char path[200], valid[200];
    if (!mkdtemp(root))
        return -1;
    write_stem("bass", 20);
    write_stem("lead", 57);
    snprintf(path, sizeof path, "%s/songs/train", root);
    snprintf(valid, sizeof valid, "%s/songs/valid", root);
    if (symlink(path, valid))
        return -1;
    snprintf(path, sizeof path, "%s/recipe.yaml", root);
    FILE *f = fopen(path, "w");
    fputs(recipe, f);
    return fclose(f);
}

static int tear_down(void **state)
{
    (void)state;
    char command[120];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

typedef struct {
    double first, valid; /* loss of the first step, and of the last validation */
} watcher;

static int watch(void *ctx, const rv_train_progress *p)
{
    watcher *w = ctx;
    w->first = p->step == 1 ? p->loss : w->first;
    w->valid = p->validated ? p->valid_loss : w->valid;
    return 0;
}

/* The loss falls by `factor` within `epochs` of a step each. */
static void check_learns_by(const char *loss, const char *model, const char *arguments, int epochs,
                            double factor)
{
    char path[200], name[100], given[300], data[200], out[200], last[60];
    watcher w = { 0 };
    rv_error err = { 0 };
    rv_train_options opt;
    rv_train_report report;
    rv_train_defaults(&opt);
    opt.threads = 1;
    opt.progress = watch;
    opt.progress_ctx = &w;
    snprintf(path, sizeof path, "%s/recipe.yaml", root);
    snprintf(name, sizeof name, "model.name=%s", model);
    snprintf(given, sizeof given, "model.arguments={%s}", arguments);
    snprintf(data, sizeof data, "data.root=%s/songs", root);
    snprintf(out, sizeof out, "train.out=%s/%s", root, model);
    snprintf(last, sizeof last, "train.epochs=%d", epochs);
    const char *const overrides[] = { loss, name, given, data, out, last };
    CHECK_OK(rv_train(path, overrides, 6, &opt, &report, &err), err);
    printf("# %-12s loss %.4f to %.4f in %d steps, a factor of %.1f\n", model, w.first, w.valid,
           epochs, w.first / w.valid);
    CHECK(report.train_songs == 1 && report.steps == (uint64_t)epochs);
    CHECK_MSG(w.valid * factor <= w.first, "%s: loss %.4g to %.4g", model, w.first, w.valid);
}

static void check_learns(const char *model, const char *arguments, int epochs, double factor)
{
    check_learns_by("loss.terms=[{kind: l1}]", model, arguments, epochs, factor);
}

TEST(test_conv_tasnet)
{
    check_learns("conv_tasnet", "N: 16, L: 16, B: 8, H: 16, P: 3, X: 3, R: 1", 40, 8);
}

TEST(test_demucs_v2)
{
    check_learns("demucs_v2", "channels: 8, depth: 2", 100, 8);
}

TEST(test_hdemucs)
{
    check_learns("hdemucs",
                 "channels: 4, depth: 4, nfft: 256, norm_starts: 2, dconv_depth: 1, dconv_comp: 2, "
                 "dconv_attn: 2, dconv_lstm: 2",
                 40, 8);
}

TEST(test_htdemucs)
{
    check_learns("htdemucs",
                 "channels: 4, depth: 2, nfft: 256, dconv_mode: 3, dconv_depth: 1, dconv_comp: 2, "
                 "bottom_channels: 12, t_layers: 2, t_heads: 2",
                 40, 8);
}

TEST(test_open_unmix)
{
    check_learns("open_unmix", "n_fft: 256, n_hop: 64, hidden_size: 24, nb_layers: 2", 100, 8);
}

TEST(test_ravel_s)
{
    check_learns("ravel_s",
                 "n_fft: 256, hop: 64, bands: 10, features: 16, blocks: 2, time_units: 16, "
                 "band_units: 8, hidden: 24, rank: 8",
                 100, 8);
}

TEST(test_bsrnn)
{
    check_learns("bsrnn", "n_fft: 256, hop: 64, bands: v7, fc_dim: 16, num_layers: 2", 60, 8);
}

TEST(test_mmdensenet)
{
    check_learns("mmdensenet", "n_fft: 128, hop: 64, width: 0.1", 40, 4);
}

TEST(test_mmdenselstm)
{
    check_learns("mmdenselstm", "n_fft: 128, hop: 64, width: 0.3", 50, 4);
}

/* Phases are not those of the mix: what is learned are magnitudes. */
#define MAGNITUDES "loss.terms=[{kind: mrstft, n_fft: [512, 128]}]"
#define TINY_AST                                                                         \
    "size: tiny, width: 12, heads: 2, layers: 1, n_fft: 256, mel_bands: 32, depth: 16, " \
    "sinusoids: 8, n_bands: 9, "

TEST(test_ast_ddsp)
{
    check_learns_by(MAGNITUDES, "ast_ddsp", TINY_AST "hop: 10", 60, 1.3);
}

TEST(test_ast_ddsp_paper)
{
    check_learns_by(MAGNITUDES, "ast_ddsp_paper", TINY_AST "hop: 32, steps: 40", 60, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv_tasnet),    cmocka_unit_test(test_demucs_v2),
        cmocka_unit_test(test_hdemucs),        cmocka_unit_test(test_htdemucs),
        cmocka_unit_test(test_open_unmix),     cmocka_unit_test(test_ravel_s),
        cmocka_unit_test(test_bsrnn),          cmocka_unit_test(test_mmdensenet),
        cmocka_unit_test(test_mmdenselstm),    cmocka_unit_test(test_ast_ddsp),
        cmocka_unit_test(test_ast_ddsp_paper),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
