/* render_sounds.c - what plays: soundfonts, soundfonts of single instruments, drum kits. All are
 * opened before anything is made. */
#include "base/status.h"
#include "data/render_impl.h"
#include "data/render_license.h"
#include "io/mapping.h"

#include <stdlib.h>
#include <string.h>

size_t rv_render_fonts(const rv_render *run)
{
    return run->opt->n_soundfonts + run->opt->n_instruments;
}

static const char *path_of(const rv_render *run, size_t font)
{
    const rv_render_options *o = run->opt;
    return font < o->n_soundfonts ? o->soundfonts[font] : o->instruments[font - o->n_soundfonts];
}

static rv_status read_info(rv_render_font *font, const char *path, rv_error *err)
{
    rv_mapping map = { 0 };
    RV_TRY(rv_mapping_open(&map, path, err));
    rv_soundfont_info_read(&font->info, map.data, map.size);
    rv_mapping_close(&map);
    font->name = rv_base_name(path);
    font->license = rv_soundfont_license(path, font->info.copyright);
    return RV_OK;
}

/* They stay open: their samples are shared with the threads that open them, too. */
static rv_status try_fonts(rv_render_worker *trial, rv_error *err)
{
    rv_render *run = trial->run;
    const size_t n = rv_render_fonts(run);
    run->font = calloc(n, sizeof *run->font);
    trial->fonts = calloc(n, sizeof *trial->fonts);
    if (!run->font || !trial->fonts)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        rv_soundfont *ignored = NULL;
        RV_TRY(rv_render_font_open(trial, i, &ignored, err));
        RV_TRY(read_info(&run->font[i], path_of(run, i), err));
    }
    return RV_OK;
}

static rv_status open_kits(rv_render *run, rv_error *err)
{
    const rv_render_options *opt = run->opt;
    run->kits = calloc(opt->n_drum_kits + 1, sizeof *run->kits);
    if (!run->kits)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < opt->n_drum_kits; i++)
        RV_TRY(rv_drum_kit_open(&run->kits[i], opt->drum_kits[i], err));
    return RV_OK;
}

rv_status rv_render_sounds_open(rv_render_worker *trial, rv_error *err)
{
    RV_TRY(try_fonts(trial, err));
    return open_kits(trial->run, err);
}

void rv_render_sounds_free(rv_render *run)
{
    for (size_t i = 0; run->kits && i < run->opt->n_drum_kits; i++)
        rv_drum_kit_free(run->kits[i]);
    free(run->kits);
    free(run->font);
}

rv_status rv_render_font_open(rv_render_worker *w, size_t font, rv_soundfont **out, rv_error *err)
{
    rv_status status = RV_OK;
    if (!w->fonts[font]) {
        pthread_mutex_lock(&w->run->fonts);
        status = rv_soundfont_open(&w->fonts[font], path_of(w->run, font), w->run->opt->sample_rate,
                                   err);
        pthread_mutex_unlock(&w->run->fonts);
    }
    *out = w->fonts[font];
    return status;
}

size_t rv_render_font_for(const rv_render *run, const rv_track_plan *plan, int program)
{
    const size_t first = run->opt->n_soundfonts, n = run->opt->n_instruments;
    size_t having = 0;
    for (size_t i = 0; i < n; i++)
        having += run->font[first + i].info.program[program];
    size_t chosen = rv_plan_instrument(plan->seed, program, having);
    for (size_t i = 0; i < n && chosen < having; i++) {
        if (run->font[first + i].info.program[program] && chosen-- == 0)
            return first + i;
    }
    return plan->soundfont;
}
