/* ast_ddsp.c - stems as sinusoids and noise that a transformer hears in the mix.
 *
 *   D. Gabrielli, "AST-DDSP: Audio Source Separation with DDSP", 2024
 *
 * ast_ddsp_paper: a clip of `segment` seconds at once, as published: mel powers -> AST -> mean of
 * its two tokens -> norm -> one matrix -> all sinusoids of the clip and one filter for its noise.
 * ast_ddsp: a step of sinusoids and noise from each column of patches, so that the head does not
 * grow with the clip (12 million parameters in place of 320), and clips may have any length:
 *
 *   spectrogram   logarithms; a hop of step / 10, so that patches are one step apart, each around
 *                 the beginning of its step
 *   head          norm, matrix, GELU of the vectors of all F' patches of a step [F' D] -> [D],
 *                 norm, matrix -> the step
 *
 *   masks         with `mask_n_fft`: not the sounds themselves, but shares of the mix (ast_masks.c)
 *
 * Stems are heads of one transformer; the reference trains a model for each. Its noise is drawn
 * anew each time; here it is one and the same, so that a run is a function of the mix. The paper
 * names log-mel, its code takes powers: `log_mel`. Of positions learned elsewhere (`grid`) the
 * reference exchanges time and frequency; here they fit. Audio is mono. */
#include "models/ast.h"
#include "models/ast_heads.h"
#include "models/ast_masks.h"
#include "models/ast_spectrogram.h"
#include "models/model.h"

#include "base/status.h"
#include "ddsp/synth_noise.h"

#include <math.h>
#include <string.h>

enum { STRIDE = 10 };

typedef struct {
    rv_ast_spectrogram_config spectrogram;
    rv_ast_config ast;
    rv_ast_head_config head;
    size_t step;           /* samples; 0: of clips */
    spectrum_config masks; /* n_fft 0: none */
} config;

/* Configuration -------------------------------------------------------------------------- */

static void read_transformer(rv_arg_reader *r, rv_ast_config *c)
{
    const char *size = rv_arg_text(r, "size", "base");
    *c = rv_ast_sized(size);
    if (c->width == 0) {
        rv_arg_fail(r, RV_ERR_ARG, "size", "is %s, one of tiny, small, base is expected", size);
        *c = rv_ast_sized("tiny");
    }
    c->layers = rv_arg_size(r, "layers", c->layers, 1, 64);
    c->heads = rv_arg_size(r, "heads", c->heads, 1, 64);
    c->width = rv_arg_size(r, "width", c->width, 1, 4096);
    c->colours = rv_arg_size(r, "patch_channels", 1, 1, 3);
    if (c->width % c->heads)
        rv_arg_fail(r, RV_ERR_ARG, "width", "is %zu, a multiple of the %zu heads is expected",
                    c->width, c->heads);
}

/* `grid`: patches along frequency and time that the positions were learned for */
static void read_grid(rv_arg_reader *r, rv_ast_config *c, size_t bands, size_t steps)
{
    const rv_arg *list = rv_arg_list(r, "grid");
    size_t n[2] = { bands, steps };
    const bool two = list && list->number == 2 && list->items[0].kind == RV_ARG_NUMBER &&
                     list->items[1].kind == RV_ARG_NUMBER;
    for (int i = 0; two && i < 2; i++) {
        const double x = list->items[i].number;
        n[i] = x >= 1 && x <= 4096 && x == floor(x) ? (size_t)x : 0;
    }
    if (n[0] == 0 || n[1] == 0 || (list && !two))
        rv_arg_fail(r, RV_ERR_ARG, "grid", "must list two whole numbers from 1 to 4096");
    c->grid_frequency = n[0];
    c->grid_time = n[1];
}

static void read_spectrogram(rv_arg_reader *r, const rv_model_info *info,
                             rv_ast_spectrogram_config *c, bool logarithm)
{
    c->sample_rate = (double)info->sample_rate;
    c->n_fft = rv_arg_size(r, "n_fft", 2048, 16, 65536);
    c->bands = rv_arg_size(r, "mel_bands", 128, 16, 1024);
    c->lowest = rv_arg_number(r, "lowest", 20, 1, 40);
    c->logarithm = rv_arg_bool(r, "log_mel", logarithm);
    if (c->n_fft & (c->n_fft - 1))
        rv_arg_fail(r, RV_ERR_ARG, "n_fft", "is %zu, a power of two is expected", c->n_fft);
}

static void read_head(rv_arg_reader *r, const rv_model_info *info, rv_ast_head_config *c)
{
    c->sample_rate = (double)info->sample_rate;
    c->sinusoids = rv_arg_size(r, "sinusoids", 100, 1, 1024);
    c->depth = rv_arg_size(r, "depth", 64, 2, 1024);
    c->bands = rv_arg_size(r, "n_bands", 65, 2, 1025);
    c->hz_min = rv_arg_number(r, "hz_min", 20, 1, 40);
}

static void read_common(rv_arg_reader *r, rv_model_info *info, config *c, bool logarithm)
{
    rv_arg_audio(r, info);
    rv_arg_segment(r, info, 2);
    if (info->channels != 1)
        rv_arg_fail(r, RV_ERR_UNSUPPORTED, "audio_channels", "is %zu, 1 is expected",
                    info->channels);
    read_transformer(r, &c->ast);
    read_spectrogram(r, info, &c->spectrogram, logarithm);
    read_head(r, info, &c->head);
}

static void finish_grid(rv_arg_reader *r, config *c, size_t frames)
{
    const size_t bands = rv_ast_patches(&c->ast, c->ast.stride_frequency, c->spectrogram.bands);
    const size_t steps = rv_ast_patches(&c->ast, c->ast.stride_time, frames);
    if (steps == 0)
        rv_arg_fail(r, RV_ERR_ARG, "segment", "has %zu frames, %zu at least are expected", frames,
                    c->ast.patch);
    read_grid(r, &c->ast, bands, steps ? steps : 1);
}

static rv_status configure_paper(void *out, rv_model_info *info, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = "ast_ddsp_paper", .args = args, .err = err };
    config *c = out;
    *c = (config){ .step = 0 };
    read_common(&r, info, c, false);
    c->spectrogram.hop = rv_arg_size(&r, "hop", 512, 1, 65536);
    c->head.steps = rv_arg_size(&r, "steps", 64, 1, 4096);
    if (info->n_audio <= c->spectrogram.n_fft / 2 || info->n_audio < c->head.steps)
        rv_arg_fail(&r, RV_ERR_ARG, "segment", "is %g s, too short for its spectrum or steps",
                    info->segment);
    finish_grid(&r, c, 1 + info->n_audio / c->spectrogram.hop);
    return rv_arg_finish(&r);
}

static size_t steps_of(const config *c, size_t samples)
{
    return (samples + c->step - 1) / c->step;
}

/* Frames under the patches of so many steps. */
static size_t frames_of(const config *c, size_t steps)
{
    return (steps - 1) * c->ast.stride_time + c->ast.patch;
}

static void read_masks(rv_arg_reader *r, const rv_model_info *info, spectrum_config *c)
{
    c->n_fft = rv_arg_size(r, "mask_n_fft", 0, 0, 65536);
    c->hop = c->n_fft / 4;
    if (c->n_fft % 8 || (c->n_fft && c->n_fft < 16))
        rv_arg_fail(r, RV_ERR_ARG, "mask_n_fft",
                    "is %zu, 0 or a multiple of 8 from 16 on is expected", c->n_fft);
    if (c->n_fft && info->n_stems < 2)
        rv_arg_fail(r, RV_ERR_ARG, "mask_n_fft",
                    "is %zu: masks share the mix among stems, "
                    "two at least are expected",
                    c->n_fft);
}

static rv_status configure_steps(void *out, rv_model_info *info, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = "ast_ddsp", .args = args, .err = err };
    config *c = out;
    *c = (config){ 0 };
    read_common(&r, info, c, true);
    c->spectrogram.hop = rv_arg_size(&r, "hop", 50, 1, 8192);
    c->step = c->spectrogram.hop * STRIDE;
    c->head.spread = rv_arg_bool(&r, "spread", false);
    read_masks(&r, info, &c->masks);
    finish_grid(&r, c, frames_of(c, steps_of(c, info->n_audio ? info->n_audio : 1)));
    return rv_arg_finish(&r);
}

static size_t valid_length(const void *cfg, const rv_model_info *info, size_t n)
{
    const config *c = cfg;
    if (c->step && c->masks.n_fft)
        n = spectrum_length(&c->masks, n);
    if (c->step)
        return steps_of(c, n ? n : 1) * c->step;
    return n <= info->n_audio ? info->n_audio : 0;
}

/* Graph ---------------------------------------------------------------------------------- */

/* [S,N], another row for each stem */
static rv_node *noise(nn_builder *b, size_t stems, size_t samples)
{
    rv_node *x = rv_constant(b->graph, RV_SHAPE(stems, samples));
    for (size_t s = 0; x->constant && s < stems; s++)
        rv_noise_fill(x->constant + s * samples, samples, 0, s);
    return x;
}

/* x [...,I] -> [...,out], the parameters name.0 and name.2 as those of AST's `mlp_head` */
static rv_node *norm_and_matrix(nn_builder *b, const char *name, rv_node *x, size_t out)
{
    const size_t mark = nn_enter(b, "%s", name);
    x = nn_linear(b, "2", nn_layer_norm(b, "0", x), out, true);
    nn_leave(b, mark);
    return x;
}

/* [S,N] -> [1,N,S] */
static rv_node *side_by_side(rv_node *y)
{
    const size_t stems = rv_extent(y, 0), samples = rv_extent(y, 1);
    return RV_PERMUTE(rv_reshape(y, RV_SHAPE(1, stems, samples)), 0, 2, 1);
}

/* mix [1,N] -> stems [1,N,S] */
static rv_node *of_clip(nn_builder *b, const config *c, rv_node *mix, size_t stems)
{
    const size_t size = rv_ast_clip_size(&c->head);
    const rv_ast_tokens heard = rv_ast(b, &c->ast, rv_ast_spectrogram(&c->spectrogram, mix));
    rv_node *x = norm_and_matrix(b, "mlp_head", heard.pooled, stems * size);
    x = rv_reshape(x, RV_SHAPE(stems, size));
    return side_by_side(rv_ast_clip_audio(&c->head, x, noise(b, stems, rv_extent(mix, 1))));
}

/* patches [1,F',T',D] -> [1,T',F' D] */
static rv_node *columns(rv_node *patches)
{
    const size_t bands = rv_extent(patches, 1), steps = rv_extent(patches, 2);
    const rv_shape rows = RV_SHAPE(1, steps, bands * rv_extent(patches, 3));
    return rv_reshape(RV_PERMUTE(patches, 0, 2, 1, 3), rows);
}

/* x [S,T',size] -> [1,N,S] */
static rv_node *masked(const config *c, rv_node *x, rv_node *mix)
{
    const rv_ast_controls controls = rv_ast_steps_controls(&c->head, x);
    mix = rv_reshape(mix, RV_SHAPE(1, rv_extent(mix, 1), 1));
    return rv_ast_masked(&c->masks, &c->head, &controls, mix);
}

/* mix [1,N] -> stems [1,N,S] */
static rv_node *of_steps(nn_builder *b, const config *c, rv_node *mix, size_t stems)
{
    const size_t size = rv_ast_step_size(&c->head), steps = steps_of(c, rv_extent(mix, 1));
    const size_t lead = (c->ast.patch - 1) / 2 * c->spectrogram.hop;
    rv_node *seen = rv_ast_spectrogram_padded(&c->spectrogram, mix, lead, frames_of(c, steps));
    rv_node *x = columns(rv_ast(b, &c->ast, seen).patches);
    x = rv_gelu(norm_and_matrix(b, "column", x, c->ast.width));
    x = norm_and_matrix(b, "step", x, stems * size);
    x = RV_PERMUTE(rv_reshape(x, RV_SHAPE(steps, stems, size)), 1, 0, 2);
    if (c->masks.n_fft)
        return masked(c, x, mix);
    return side_by_side(rv_ast_steps_audio(&c->head, x, noise(b, stems, rv_extent(mix, 1))));
}

static rv_node *build(nn_builder *b, const void *cfg, const rv_model_info *info, rv_node *mix)
{
    const config *c = cfg;
    const size_t samples = rv_extent(mix, 1);
    rv_node *x = rv_reshape(mix, RV_SHAPE(1, samples));
    return c->step ? of_steps(b, c, x, info->n_stems) : of_clip(b, c, x, info->n_stems);
}

static const char *const paper_classes[] = { "ast_ddsp_paper", NULL };
static const char *const step_classes[] = { "ast_ddsp", NULL };
static const char *const positional[] = { "sources", "segment", NULL };

const rv_model_def rv_model_ast_ddsp_paper = {
    .name = "ast_ddsp_paper",
    .classes = paper_classes,
    .citation = "Gabrielli, AST-DDSP: Audio Source Separation with DDSP, 2024",
    .positional = positional,
    .config_size = sizeof(config),
    .configure = configure_paper,
    .valid_length = valid_length,
    .build = build,
};

const rv_model_def rv_model_ast_ddsp = {
    .name = "ast_ddsp",
    .classes = step_classes,
    .citation = "after Gabrielli, AST-DDSP: Audio Source Separation with DDSP, 2024",
    .positional = positional,
    .config_size = sizeof(config),
    .configure = configure_steps,
    .valid_length = valid_length,
    .build = build,
};
