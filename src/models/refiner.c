/* refiner.c - from a separated stem and its features to a better stem: the three networks of
 * DDSP-Demucs (github.com/alehg/ddsp-demucs) with the same inputs, so that they are trained and
 * used alike.
 *
 * Frames are a whole number of samples apart, as in the reference, whose frame rate at 22,050 Hz is
 * 250.6 (a hop of 88) where it says 250. */
#include "models/refiner.h"

#include "base/status.h"

#include <string.h>

static const char citation[] = "DDSP-Demucs (github.com/alehg/ddsp-demucs), after Engel 2020, "
                               "arXiv:2001.04643";

const rv_refiner_def rv_refiner_defs[RV_REFINER_KINDS] = {
    { "ddsp_demucs_decoder", "ravel.ddsp_demucs.DDSPDecoder", citation },
    { "ddsp_demucs_residual", "ravel.ddsp_demucs.ResidualDDSPDecoder", citation },
    { "ddsp_demucs_mask_eq", "ravel.ddsp_demucs.SpectralMaskEQ", citation },
};

rv_refiner_kind rv_refiner_find(const char *name_or_class)
{
    int kind = 0;
    while (kind < RV_REFINER_KINDS && strcmp(name_or_class, rv_refiner_defs[kind].name) != 0 &&
           strcmp(name_or_class, rv_refiner_defs[kind].class) != 0)
        kind++;
    return (rv_refiner_kind)kind;
}

/* Arguments ---------------------------------------------------------------------------- */

enum { OWN = 5, ARGUMENTS = 32 };
static const char *const own[OWN] = { "f0_method", "f0_min", "f0_max", "loudness", "frame_rate" };

/* The arguments split into our own and the network's. */
typedef struct {
    rv_arg own[ARGUMENTS], rest[ARGUMENTS];
    rv_args own_args, rest_args;
} parts;

static bool is_own(const char *name, bool equaliser)
{
    const size_t n = equaliser ? OWN : OWN - 1; /* the decoder takes a frame_rate itself */
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, own[i]) == 0)
            return true;
    return false;
}

static rv_status split(parts *p, bool equaliser, const rv_args *args, rv_error *err)
{
    if (args->n > ARGUMENTS)
        return RV_FAIL(err, RV_ERR_ARG, "%zu arguments of a model, at most %d are possible",
                       args->n, ARGUMENTS);
    p->own_args = (rv_args){ p->own, 0 };
    p->rest_args = (rv_args){ p->rest, 0 };
    for (size_t i = 0; i < args->n; i++)
        if (is_own(args->arg[i].name, equaliser))
            p->own[p->own_args.n++] = args->arg[i];
        else
            p->rest[p->rest_args.n++] = args->arg[i];
    return RV_OK;
}

static int choice(rv_arg_reader *r, const char *name, const char *const *names, int standard)
{
    const char *text = rv_arg_text(r, name, names[standard]);
    for (int i = 0; names[i]; i++)
        if (text && strcmp(text, names[i]) == 0)
            return i;
    rv_arg_fail(r, RV_ERR_ARG, name, "is '%.40s', which is none of its values", text ? text : "");
    return standard;
}

/* What is said of the features; the frame rate of the equaliser, too. */
static rv_status read_features(rv_refiner_config *c, const rv_args *args, size_t *frame_rate,
                               rv_error *err)
{
    static const char *const methods[] = { "yin", "pyin", "crepe", NULL };
    static const char *const kinds[] = { "ddsp", "ddsp1", "ddsp-pytorch", NULL };
    rv_arg_reader r = { .model = rv_refiner_defs[c->kind].name, .args = args, .err = err };
    c->f0_method = (rv_f0_method)choice(&r, "f0_method", methods, RV_F0_PYIN);
    c->f0_min = rv_arg_number(&r, "f0_min", 65.406, 1, 20000);
    c->f0_max = rv_arg_number(&r, "f0_max", 2093.005, c->f0_min, 20000);
    c->loudness = (rv_loudness_kind)choice(&r, "loudness", kinds, RV_LOUDNESS_DDSP);
    if (c->kind == RV_REFINER_MASK_EQ)
        *frame_rate = rv_arg_size(&r, "frame_rate", 250, 1, c->sample_rate);
    return rv_arg_finish(&r);
}

rv_status rv_refiner_configure(rv_refiner_config *c, rv_refiner_kind kind, const rv_args *args,
                               rv_error *err)
{
    const bool equaliser = kind == RV_REFINER_MASK_EQ;
    parts p;
    *c = (rv_refiner_config){ .kind = kind };
    RV_TRY(split(&p, equaliser, args, err));
    if (equaliser)
        RV_TRY(rv_mask_eq_configure(&c->equaliser, &p.rest_args, err));
    else
        RV_TRY(rv_stem_decoder_configure(&c->decoder, &p.rest_args, err));
    c->sample_rate = equaliser ? c->equaliser.sample_rate : c->decoder.sample_rate;
    size_t frame_rate = c->decoder.frame_rate;
    RV_TRY(read_features(c, &p.own_args, &frame_rate, err));
    c->hop = c->sample_rate / frame_rate;
    if (kind == RV_REFINER_DECODER && c->decoder.identity_start)
        return RV_FAIL(err, RV_ERR_ARG, "%s: argument identity_start: it has no stem to start from",
                       rv_refiner_defs[kind].name);
    return RV_OK;
}

/* Network ------------------------------------------------------------------------------ */

rv_node *rv_refiner(nn_builder *b, const rv_refiner_config *c, const rv_refiner_inputs *in)
{
    if (c->kind == RV_REFINER_MASK_EQ)
        return rv_mask_eq(b, &c->equaliser, in->stem,
                          rv_mask_eq_mel(in->stem, &c->equaliser, c->hop), in->loudness);
    const rv_stem_decoder_inputs inputs = { .f0 = in->f0,
                                            .loudness = in->loudness,
                                            .noise = in->noise,
                                            .phase = in->phase,
                                            .stem =
                                                c->kind == RV_REFINER_RESIDUAL ? in->stem : NULL };
    return rv_stem_decoder(b, &c->decoder, &inputs);
}
