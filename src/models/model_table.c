/* model_table.c - the models, one line each. */
#include "models/model.h"

#include <string.h>

extern const rv_model_def rv_model_htdemucs, rv_model_hdemucs, rv_model_demucs, rv_model_demucs_v2,
    rv_model_conv_tasnet, rv_model_conv_tasnet_asteroid, rv_model_open_unmix, rv_model_ravel_s,
    rv_model_bsrnn, rv_model_mmdensenet, rv_model_mmdenselstm, rv_model_ast_ddsp,
    rv_model_ast_ddsp_paper, rv_model_mctn, rv_model_mctn_ddsp;

const rv_model_def *const rv_models[] = {
    &rv_model_htdemucs,             /* htdemucs.c */
    &rv_model_hdemucs,              /* hdemucs.c */
    &rv_model_demucs,               /* demucs.c */
    &rv_model_demucs_v2,            /* demucs_v2.c */
    &rv_model_conv_tasnet,          /* conv_tasnet.c */
    &rv_model_conv_tasnet_asteroid, /* conv_tasnet_paper.c */
    &rv_model_open_unmix,           /* open_unmix.c */
    &rv_model_ravel_s,              /* ravel_s.c */
    &rv_model_bsrnn,                /* bsrnn.c */
    &rv_model_mmdensenet,           /* mmdense.c */
    &rv_model_mmdenselstm,          /* mmdense.c */
    &rv_model_ast_ddsp,             /* ast_ddsp.c */
    &rv_model_ast_ddsp_paper,       /* ast_ddsp.c */
    &rv_model_mctn,                 /* mctn_model.c */
    &rv_model_mctn_ddsp,            /* mctn_ddsp.c */
    NULL,
};

static bool has_class(const rv_model_def *m, const char *name)
{
    for (const char *const *c = m->classes; *c; c++)
        if (!strcmp(*c, name))
            return true;
    return false;
}

const rv_model_def *rv_model_find(const char *name_or_class)
{
    for (const rv_model_def *const *m = rv_models; *m; m++)
        if (!strcmp((*m)->name, name_or_class) || has_class(*m, name_or_class))
            return *m;
    return NULL;
}
