/* mctn_model.c - the feature separator as a row of the table of models, so that it runs over
 * tracks in segments as separators do: for each source a plane of MIDI notes and one of loudness in
 * dB, each value held for a frame. Notes, not Hz: where segments overlap their mean is taken. */
#include "base/status.h"
#include "ddsp/controls.h"
#include "models/mctn.h"

#include <stdio.h>
#include <string.h>

static rv_status configure(void *config, rv_model_info *info, const rv_args *args, rv_error *err)
{
    rv_mctn_config *c = config;
    RV_TRY(rv_mctn_configure(c, args, err));
    info->n_stems = 2 * c->n_sources;
    for (size_t s = 0; s < c->n_sources; s++) {
        snprintf(info->stems[2 * s], RV_STEM_NAME, "%s", c->sources[s]);
        snprintf(info->stems[2 * s + 1], RV_STEM_NAME, "%s", c->sources[s]);
    }
    info->channels = 1;
    info->sample_rate = c->sample_rate;
    info->n_audio = c->segment;
    info->segment = (double)c->segment / (double)c->sample_rate;
    return RV_OK;
}

static size_t valid_length(const void *config, const rv_model_info *info, size_t n)
{
    const size_t hop = ((const rv_mctn_config *)config)->hop;
    (void)info;
    return n > hop ? (n + hop - 1) / hop * hop : hop;
}

/* mix [1,T,1] -> [1,T,2S] */
static rv_node *build(nn_builder *b, const void *config, const rv_model_info *info, rv_node *mix)
{
    const size_t samples = rv_extent(mix, 1);
    const rv_mctn_features f = rv_mctn(b, config, rv_reshape(mix, RV_SHAPE(1, samples)));
    const size_t frames = rv_extent(f.f0, 1), n = rv_extent(f.f0, 2);
    const rv_shape column = RV_SHAPE(1, frames, n, 1);
    rv_node *note = rv_reshape(rv_hz_to_midi(f.f0), column);
    rv_node *both = rv_concat(3, 2, (rv_node *[]){ note, rv_reshape(f.loudness, column) });
    return rv_upsample(rv_reshape(both, RV_SHAPE(1, frames, info->n_stems)), samples,
                       RV_UPSAMPLE_HOLD);
}

static const char *const classes[] = { RV_MCTN_CLASS, NULL };
static const char *const positional[] = { NULL };

const rv_model_def rv_model_mctn = {
    .name = "mctn",
    .classes = classes,
    .citation = "Skverer and Zukier, github.com/TalSk/cs236781-project; Luo and Mesgarani, "
                "Conv-TasNet, IEEE/ACM TASLP 27(8), 2019, arXiv:1809.07454",
    .positional = positional,
    .config_size = sizeof(rv_mctn_config),
    .features = true,
    .configure = configure,
    .valid_length = valid_length,
    .build = build,
};
