/* synth_load.c - stands for synth_fluid.c where that is a module. */
#include "base/status.h"
#include "data/soundfont.h"
#include "data/synth_module.h"

static rv_status load(const rv_synth_table **out, rv_error *err)
{
    rv_error why = { 0 };
    const rv_module_head *head = NULL;
    if (rv_module_open(&head, "ravel_fluidsynth", sizeof(rv_synth_part), &why) != RV_OK)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "FluidSynth, which renders MIDI, cannot be loaded: %s: install its "
                       "libraries, or build Ravel again",
                       why.text);
    *out = (const rv_synth_table *)head;
    return RV_OK;
}

rv_status rv_synth_check(rv_error *err)
{
    const rv_synth_table *synth = NULL;
    return load(&synth, err);
}

rv_status rv_soundfont_open(rv_soundfont **out, const char *path, int sample_rate, rv_error *err)
{
    const rv_synth_table *synth = NULL;
    RV_TRY(load(&synth, err));
    return synth->open(out, path, sample_rate, err);
}

void rv_soundfont_free(rv_soundfont *s)
{
    const rv_synth_table *synth = NULL;
    if (s && load(&synth, NULL) == RV_OK)
        synth->free(s);
}

rv_status rv_soundfont_play(rv_soundfont *s, const rv_synth_part *part, float *const out[2],
                            size_t frames, rv_error *err)
{
    const rv_synth_table *synth = NULL;
    RV_TRY(load(&synth, err));
    return synth->play(s, part, out, frames, err);
}
