/* measure.c - stem by stem what is of the whole track, then BSS Eval of all stems. */
#include "eval/measure.h"

#include "eval/contour_distance.h"
#include "eval/log_wmse.h"
#include "eval/song_bss.h"
#include "eval/spectral_distance.h"

#include <math.h>
#include <stdlib.h>

enum { TAPS = 512 }; /* of BSS Eval's filters, in all versions */

typedef struct stem_job {
    const rv_measure *m;
    rv_eval_stem *stems;
    rv_status *status; /* [n_stems] */
    rv_error *errors;  /* [n_stems] */
} stem_job;

bool rv_measure_wants_mixture(uint32_t metrics)
{
    return rv_eval_wants(metrics, RV_METRIC_SI_SDRI) || rv_eval_wants(metrics, RV_METRIC_LOG_WMSE);
}

/* One stem -------------------------------------------------------------------------------- */

static double si_sdr_of_mixture(const rv_measure *m, size_t stem)
{
    rv_stem_pair p = rv_song_audio_pair(m->audio, stem);
    p.estimate = (const float *const *)m->audio->mixture;
    if (isnan(m->mixture[stem]))
        m->mixture[stem] = rv_si_sdr(&p);
    return m->mixture[stem];
}

static void measure_ratios(const rv_measure *m, const rv_stem_pair *p, size_t stem, double *values)
{
    values[RV_METRIC_SI_SDR] = rv_si_sdr(p);
    if (rv_eval_wants(m->options->metrics, RV_METRIC_SI_SDRI))
        values[RV_METRIC_SI_SDRI] = values[RV_METRIC_SI_SDR] - si_sdr_of_mixture(m, stem);
    values[RV_METRIC_SDR_MDX21] = rv_sdr_mdx21(p);
    values[RV_METRIC_SNR] = rv_snr(p);
    values[RV_METRIC_SDR_MCTN] = rv_sdr_mctn(p);
}

static rv_status measure_spectra(const rv_stem_pair *p, uint32_t wanted, double *values,
                                 rv_error *err)
{
    rv_spectral_distance d = { (double)NAN, (double)NAN };
    if (rv_eval_wants(wanted, RV_METRIC_SC) || rv_eval_wants(wanted, RV_METRIC_LSD))
        RV_TRY(rv_spectral_distance_of(&d, p, err));
    values[RV_METRIC_SC] = d.convergence;
    values[RV_METRIC_LSD] = d.log_distance;
    if (rv_eval_wants(wanted, RV_METRIC_MR_STFT))
        RV_TRY(rv_multi_resolution_stft(&values[RV_METRIC_MR_STFT], p, err));
    if (rv_eval_wants(wanted, RV_METRIC_MSS))
        RV_TRY(rv_multi_scale_spectral(&values[RV_METRIC_MSS], p, err));
    return RV_OK;
}

static rv_status measure_contours(const rv_stem_pair *p, uint32_t wanted, int rate, double *values,
                                  rv_error *err)
{
    rv_pitch_distance d = { (double)NAN, (double)NAN };
    if (rv_eval_wants(wanted, RV_METRIC_LD_L1))
        RV_TRY(rv_loudness_distance(&values[RV_METRIC_LD_L1], p, rate, err));
    if (rv_eval_wants(wanted, RV_METRIC_F0_L1) || rv_eval_wants(wanted, RV_METRIC_RPA))
        RV_TRY(rv_pitch_distance_of(&d, p, rate, err));
    values[RV_METRIC_F0_L1] = d.hertz;
    values[RV_METRIC_RPA] = d.accuracy;
    return RV_OK;
}

static rv_status measure_stem(const rv_measure *m, size_t stem, rv_eval_stem *s, rv_error *err)
{
    const rv_stem_pair p = rv_song_audio_pair(m->audio, stem);
    const uint32_t wanted = m->options->metrics;
    const int rate = m->audio->sample_rate;
    s->has_reference = !rv_is_silent(p.reference, p.channels, p.frames);
    s->silent = rv_is_silent(p.estimate, p.channels, p.frames);
    if (rv_eval_wants(wanted, RV_METRIC_LOG_WMSE) && (m->present >> stem & 1))
        RV_TRY(rv_log_wmse(&s->values[RV_METRIC_LOG_WMSE], &p,
                           (const float *const *)m->audio->mixture, rate, err));
    if (!s->has_reference)
        return RV_OK;
    measure_ratios(m, &p, stem, s->values);
    RV_TRY(measure_spectra(&p, wanted, s->values, err));
    return measure_contours(&p, wanted, rate, s->values, err);
}

/* All stems ------------------------------------------------------------------------------- */

static void stem_task(void *job, size_t stem, int worker)
{
    const stem_job *j = job;
    (void)worker;
    j->status[stem] = measure_stem(j->m, stem, &j->stems[stem], &j->errors[stem]);
}

static rv_status measure_stems(const rv_measure *m, rv_eval_stem *stems, rv_error *err)
{
    const size_t n = m->audio->n_stems;
    stem_job j = { m, stems, calloc(n, sizeof *j.status), calloc(n, sizeof *j.errors) };
    rv_status status = RV_OK;
    if (j.status && j.errors)
        rv_pool_run(m->pool, n, stem_task, &j);
    else
        status = RV_FAIL(err, RV_ERR_NOMEM, "%zu stems", n);
    for (size_t s = 0; s < n && status == RV_OK; s++)
        if (j.status[s] != RV_OK)
            status = RV_FAIL(err, j.status[s], "%s", j.errors[s].text);
    free(j.status);
    free(j.errors);
    return status;
}

rv_status rv_measure_song(rv_eval_song *song, const rv_measure *m, rv_error *err)
{
    const rv_eval_options *o = m->options;
    const rv_bss_options opt = { .taps = TAPS,
                                 .window_filters = o->bss_version == 3,
                                 .pool = m->pool,
                                 .stop = m->stop,
                                 .stop_ctx = m->stop_ctx };
    RV_TRY(measure_stems(m, song->stems, err));
    song->window = o->window;
    song->hop = o->hop;
    if (!(o->metrics & (RV_METRIC_BIT(RV_FRAME_METRICS) - 1)))
        return RV_OK;
    return rv_song_bss(song, m->stem_names, m->audio, &opt, err);
}
