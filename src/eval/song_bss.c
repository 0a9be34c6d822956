/* song_bss.c - see song_bss.h. */
#include "eval/song_bss.h"

#include "eval/stem_names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Stems that are evaluated against each other; bits of their numbers. */
typedef struct group {
    uint32_t members, kept; /* of `kept`, the figures are taken */
} group;

static rv_status allocate_frames(rv_eval_song *song, size_t n_stems, rv_error *err)
{
    const size_t n = RV_FRAME_METRICS * song->n_frames;
    for (size_t s = 0; s < n_stems; s++) {
        double *frames = song->stems[s].frames = malloc((n + 1) * sizeof *frames);
        if (!frames)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu frames", song->name, song->n_frames);
        for (size_t i = 0; i < n; i++)
            frames[i] = (double)NAN;
    }
    return RV_OK;
}

static void keep(rv_eval_stem *stem, const rv_bss_result *r, size_t source)
{
    static const rv_metric metrics[RV_BSS_RATIOS] = { [RV_BSS_SDR] = RV_METRIC_SDR,
                                                      [RV_BSS_ISR] = RV_METRIC_ISR,
                                                      [RV_BSS_SIR] = RV_METRIC_SIR,
                                                      [RV_BSS_SAR] = RV_METRIC_SAR };
    for (size_t k = 0; k < RV_BSS_RATIOS; k++)
        memcpy(stem->frames + (size_t)metrics[k] * r->windows,
               r->values + (k * r->sources + source) * r->windows, r->windows * sizeof(double));
}

static rv_status evaluate_group(rv_eval_song *song, const rv_song_audio *a, group g,
                                const rv_bss_options *opt, rv_error *err)
{
    const size_t planes = a->n_stems * a->channels;
    const float **all = calloc(2 * planes, sizeof *all), **estimates = all + planes;
    size_t members[RV_STEMS_MAX], n = 0;
    if (!all)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", song->name);
    for (size_t s = 0; s < a->n_stems; s++) {
        if (!(g.members >> s & 1) || !song->stems[s].has_reference || song->stems[s].silent)
            continue;
        for (size_t c = 0; c < a->channels; c++) {
            all[n * a->channels + c] = a->references[s * a->channels + c];
            estimates[n * a->channels + c] = a->estimates[s * a->channels + c];
        }
        members[n++] = s;
    }
    const rv_bss_input in = { all, estimates, n, a->channels, a->frames };
    rv_bss_result result = { 0 };
    const rv_status status = n > 0 ? rv_bss_eval(&result, &in, opt, err) : RV_OK;
    for (size_t i = 0; i < n && status == RV_OK; i++)
        if (g.kept >> members[i] & 1)
            keep(&song->stems[members[i]], &result, i);
    rv_bss_result_free(&result);
    free((void *)all);
    return status;
}

static uint32_t bit(size_t stem, size_t n)
{
    return stem < n ? UINT32_C(1) << stem : 0;
}

static rv_status evaluate_groups(rv_eval_song *song, char *const *names, const rv_song_audio *a,
                                 const rv_bss_options *opt, rv_error *err)
{
    const char *const *list = (const char *const *)names;
    const uint32_t everything = (uint32_t)((UINT64_C(1) << a->n_stems) - 1);
    const uint32_t vocals = bit(rv_stem_named(list, a->n_stems, "vocals"), a->n_stems);
    const uint32_t rest = bit(rv_stem_rest(list, a->n_stems), a->n_stems);
    if (!vocals || !rest || a->n_stems == 2)
        return evaluate_group(song, a, (group){ everything, everything }, opt, err);
    const group stems = { everything & ~rest, everything & ~rest & ~vocals };
    RV_TRY(evaluate_group(song, a, stems, opt, err));
    return evaluate_group(song, a, (group){ vocals | rest, vocals | rest }, opt, err);
}

rv_status rv_song_bss(rv_eval_song *song, char *const *names, const rv_song_audio *a,
                      const rv_bss_options *opt, rv_error *err)
{
    rv_bss_options o = *opt;
    o.window = (size_t)(song->window * a->sample_rate);
    o.hop = (size_t)(song->hop * a->sample_rate);
    song->n_frames = rv_bss_windows(a->frames, o.window, o.hop);
    RV_TRY(allocate_frames(song, a->n_stems, err));
    RV_TRY(evaluate_groups(song, names, a, &o, err));
    for (size_t s = 0; s < a->n_stems; s++)
        RV_TRY(rv_eval_join_frames(&song->stems[s], song->n_frames, err));
    return RV_OK;
}
