/* synth_none.c - stands for synth_fluid.c in a build without FluidSynth. */
#include "base/status.h"
#include "data/soundfont.h"

rv_status rv_synth_check(rv_error *err)
{
    return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                   "this Ravel was built without FluidSynth: install libfluidsynth-dev and build "
                   "again to render MIDI");
}

rv_status rv_soundfont_open(rv_soundfont **out, const char *path, int sample_rate, rv_error *err)
{
    (void)out;
    (void)path;
    (void)sample_rate;
    return rv_synth_check(err);
}

void rv_soundfont_free(rv_soundfont *s)
{
    (void)s;
}

rv_status rv_soundfont_play(rv_soundfont *s, const rv_synth_part *part, float *const out[2],
                            size_t frames, rv_error *err)
{
    (void)s;
    (void)part;
    (void)out;
    (void)frames;
    return rv_synth_check(err);
}
