/* synth_module.c - makes a module of synth_fluid.c. */
#include "data/synth_module.h"

RV_API extern const rv_synth_table rv_module;

const rv_synth_table rv_module = {
    .head = { RV_MODULE_VERSION, sizeof(rv_synth_part) },
    .open = rv_soundfont_open,
    .free = rv_soundfont_free,
    .play = rv_soundfont_play,
};
