/* synth_module.h - what the module ravel_fluidsynth (synth_fluid.c) exports. */
#ifndef DATA_SYNTH_MODULE_H
#define DATA_SYNTH_MODULE_H

#include "data/soundfont.h"
#include "io/module.h"

typedef struct rv_synth_table {
    rv_module_head head; /* its size: of rv_synth_part */
    rv_status (*open)(rv_soundfont **out, const char *path, int sample_rate, rv_error *err);
    void (*free)(rv_soundfont *s);
    rv_status (*play)(rv_soundfont *s, const rv_synth_part *part, float *const out[2],
                      size_t frames, rv_error *err);
} rv_synth_table;

#endif
