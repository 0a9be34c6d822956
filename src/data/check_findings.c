/* check_findings.c - the list, and the findings in the numbers of a single song. */
#include "data/check_findings.h"

#include "base/status.h"
#include "data/check_signal.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double runs_per_minute = 6; /* of clipping: a few are found in most masters */
static const double offset_least = 0.001, offset_share = 0.05; /* of the RMS */
static const double mostly = 0.9;

rv_status rv_findings_add(rv_findings *f, const rv_check_finding *as, rv_error *err,
                          const char *fmt, ...)
{
    char *text = NULL, *stem = strdup(as->stem);
    va_list args;
    va_start(args, fmt);
    const bool printed = vasprintf(&text, fmt, args) >= 0;
    va_end(args);
    rv_check_finding *grown = realloc(f->at, (f->n + 1) * sizeof *grown);
    if (grown)
        f->at = grown;
    if (!grown || !stem || !printed) {
        free(stem);
        free(printed ? text : NULL);
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu findings", f->n + 1);
    }
    f->at[f->n] = *as;
    f->at[f->n].stem = stem;
    f->at[f->n].text = text;
    f->n++;
    return RV_OK;
}

void rv_findings_free(rv_findings *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free((char *)(uintptr_t)f->at[i].stem);
        free((char *)(uintptr_t)f->at[i].text);
    }
    free(f->at);
    *f = (rv_findings){ 0 };
}

/* One signal */

static rv_status find_clipping(rv_findings *f, const rv_check_audio *a, rv_error *err)
{
    const double minutes = (double)a->frames / a->sample_rate / 60;
    const bool often = (double)a->clipped_runs > fmax(runs_per_minute * minutes, 1);
    if (a->clipped_runs == 0)
        return RV_OK;
    return rv_findings_add(
        f,
        &(rv_check_finding){ often ? RV_CHECK_WARNING : RV_CHECK_NOTE, "clipping", NULL, a->name,
                             NULL, (double)a->clipped },
        err, "clipped (%llu runs at full scale, %llu samples, %.2g %%)%s",
        (unsigned long long)a->clipped_runs, (unsigned long long)a->clipped,
        100 * (double)a->clipped / ((double)a->frames * a->channels),
        often ? ", render it anew at a lower level" : ", harmless if it is in the master");
}

static rv_status find_silence(rv_findings *f, const rv_check_audio *a, bool mixture, rv_error *err)
{
    const rv_check_finding as = {
        mixture ? RV_CHECK_WARNING : RV_CHECK_NOTE, "silence", NULL, a->name, NULL, a->silent
    };
    if (a->peak == 0)
        return rv_findings_add(
            f, &as, err, "silent (%.1f s of zeros), %s", (double)a->frames / a->sample_rate,
            mixture ? "leave the song out" : "fine if the song has no such instrument");
    if (a->silent < mostly)
        return RV_OK;
    return rv_findings_add(f, &as, err, "silent for %.1f %% of %.1f s (below -60 dB), %s",
                           100 * a->silent, (double)a->frames / a->sample_rate,
                           mixture ? "leave the song out or cut it"
                                   : "fine if it hardly plays in the song");
}

static rv_status find_offset(rv_findings *f, const rv_check_audio *a, rv_error *err)
{
    if (fabs(a->offset) <= fmax(offset_least, offset_share * a->rms))
        return RV_OK;
    return rv_findings_add(
        f, &(rv_check_finding){ RV_CHECK_WARNING, "dc", NULL, a->name, NULL, a->offset }, err,
        "DC offset (mean %+.4f, RMS %.4f), take it out with a high-pass", a->offset, a->rms);
}

static rv_status find_in_audio(rv_findings *f, const rv_check_audio *a, bool mixture, rv_error *err)
{
    if (!a->readable || a->frames == 0)
        return RV_OK;
    if (a->not_finite > 0)
        RV_TRY(rv_findings_add(f,
                               &(rv_check_finding){ RV_CHECK_ERROR, "nan", NULL, a->name, NULL,
                                                    (double)a->not_finite },
                               err,
                               "%llu samples are NaN or infinite; training refuses the file, "
                               "replace it",
                               (unsigned long long)a->not_finite));
    RV_TRY(find_clipping(f, a, err));
    RV_TRY(find_silence(f, a, mixture, err));
    return find_offset(f, a, err);
}

/* The sum of the stems */

static bool any_lossy(const rv_check_track *t, size_t n_stems)
{
    bool lossy = false;
    for (size_t s = 0; s <= n_stems; s++)
        lossy |= t->audio[s].lossy;
    return lossy;
}

static rv_status find_sum(rv_findings *f, const rv_check_track *t, size_t n_stems,
                          const rv_check_options *opt, rv_error *err)
{
    const double allowed = any_lossy(t, n_stems) ? opt->residual_lossy : opt->residual;
    rv_check_finding as = { RV_CHECK_WARNING, "sum", NULL, "mixture", NULL, t->residual };
    if (!t->has_sum || t->residual <= allowed)
        return RV_OK;
    if (isinf(t->residual))
        return rv_findings_add(f, &as, err, "silent, but its stems are not; replace it");
    if (t->residual_fitted > allowed)
        return rv_findings_add(f, &as, err,
                               "the stems do not sum to it (residual %.1f dB, allowed %.1f dB), "
                               "look for a wrong or missing file",
                               t->residual, allowed);
    as.code = "gain";
    as.value = t->gain;
    return rv_findings_add(f, &as, err,
                           "the stems sum to it but for a gain (residual %.1f dB; times %.5g, "
                           "%+.2f dB, it is %.1f dB), rescale stems or mixture",
                           t->residual, t->gain, 20 * log10(fabs(t->gain)), t->residual_fitted);
}

/* Without a mixture, silent stems are all there is. */
static rv_status find_silent_song(rv_findings *f, const rv_check_track *t, size_t n_stems,
                                  rv_error *err)
{
    bool any = false;
    for (size_t s = 0; s <= n_stems; s++)
        any |= t->audio[s].peak > 0 || (t->audio[s].files > 0 && !t->audio[s].readable) ||
               (s == n_stems && t->audio[s].files > 0);
    if (any)
        return RV_OK;
    return rv_findings_add(f, &(rv_check_finding){ RV_CHECK_WARNING, "silence", NULL, "", NULL, 1 },
                           err, "all stems are silent (%.1f s), leave the song out", t->seconds);
}

rv_status rv_find_in_track(rv_findings *f, const rv_check_track *t, size_t n_stems,
                           const rv_check_options *opt, rv_error *err)
{
    for (size_t s = 0; s <= n_stems; s++)
        RV_TRY(find_in_audio(f, &t->audio[s], s == n_stems, err));
    RV_TRY(find_silent_song(f, t, n_stems, err));
    return find_sum(f, t, n_stems, opt, err);
}

rv_status rv_find_shift(rv_findings *f, const rv_check_audio *stem, const rv_alignment *found,
                        rv_error *err)
{
    rv_check_finding as = { RV_CHECK_WARNING, "misaligned", NULL, stem->name, NULL, found->lag };
    const double ms = 1000.0 * abs(found->lag) / stem->sample_rate;
    if (!found->found)
        return RV_OK;
    if (found->lag != 0 && fabs(found->peak) > 2 * found->in_place)
        return rv_findings_add(f, &as, err,
                               "%s in the mixture by %d sample%s (%.2f ms; correlation %.2f there, "
                               "%.2f in place), shift it by %+d",
                               found->lag > 0 ? "later" : "earlier", abs(found->lag),
                               abs(found->lag) == 1 ? "" : "s", ms, found->peak, found->in_place,
                               found->lag);
    as.code = "polarity";
    as.value = found->peak;
    if (found->lag == 0 && found->peak < 0)
        return rv_findings_add(f, &as, err,
                               "upside down in the mixture (correlation %.2f), multiply it by -1",
                               found->peak);
    return RV_OK;
}
