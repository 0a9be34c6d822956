/* render_mix.c - stems at their levels, the mix at its loudness, all on the grid of 16 bits.
 *
 * The mix is the sum of the stems as they are written, so they add up without any error. What keeps
 * its peaks below full scale is a limiter that all stems share: a gain that follows the peaks of
 * the mix and is the same for every stem at every time. */
#include "base/status.h"
#include "data/render_impl.h"
#include "io/audio_write.h"

#include <math.h>
#include <string.h>

static const double limiter_reach = 2; /* 6 dB: a mix that needs more stays quieter */
static const double attack_seconds = 0.005, release_seconds = 0.08; /* to fall and rise by 63 % */

static void add_up(rv_track_work *w)
{
    for (int c = 0; c < 2; c++) {
        memset(w->mix[c], 0, w->frames * sizeof(float));
        for (size_t s = 0; s < w->parts->n; s++) {
            const float gain = (float)w->stems[s].gain;
            for (size_t i = 0; i < w->frames && !w->stems[s].silent; i++)
                w->mix[c][i] += gain * w->stems[s].audio[c][i];
        }
    }
}

static rv_status loudness_of(const rv_track_work *w, float *const *audio, double *out,
                             rv_error *err)
{
    const float *planes[] = { audio[0], audio[1] };
    return rv_loudness_lufs(out, planes, 2, w->frames, w->worker->run->opt->sample_rate, err);
}

/* curve[i]: the largest of mix and stems at the frame i. Returns the largest of all. */
static float find_peaks(rv_track_work *w)
{
    float peak = 0;
    for (size_t i = 0; i < w->frames; i++)
        w->curve[i] = fmaxf(fabsf(w->mix[0][i]), fabsf(w->mix[1][i]));
    for (size_t s = 0; s < w->parts->n; s++) {
        const rv_stem *stem = &w->stems[s];
        const float gain = (float)stem->gain;
        for (size_t i = 0; i < w->frames && !stem->silent; i++)
            w->curve[i] = fmaxf(w->curve[i],
                                gain * fmaxf(fabsf(stem->audio[0][i]), fabsf(stem->audio[1][i])));
    }
    for (size_t i = 0; i < w->frames; i++)
        peak = fmaxf(peak, w->curve[i]);
    return peak;
}

/* From peaks to the limiter's gain: never above what a peak allows, rising slowly after it and
 * falling towards it beforehand. */
static void limit(rv_track_work *w)
{
    const int rate = w->worker->run->opt->sample_rate;
    const double rise = exp(-1 / (release_seconds * rate)),
                 fall = exp(-1 / (attack_seconds * rate));
    double gain = 1;
    for (size_t i = 0; i < w->frames; i++) {
        const double peak = w->gain * (double)w->curve[i];
        gain = fmin(peak > RV_MIX_PEAK ? RV_MIX_PEAK / peak : 1, 1 - (1 - gain) * rise);
        w->curve[i] = (float)gain;
    }
    for (size_t i = w->frames; i-- > 0;) {
        gain = fmin((double)w->curve[i], 1 - (1 - gain) * fall);
        w->curve[i] = (float)gain;
        w->reduction = fmin(w->reduction, gain);
    }
}

/* The gains of the stems, first beside each other, then for the loudness of the mix. */
static rv_status find_gains(rv_track_work *w, rv_error *err)
{
    double loudness;
    for (size_t s = 0; s < w->parts->n; s++)
        w->stems[s].gain = pow(10, (w->stems[s].plan.level - 20 - w->stems[s].loudness) / 20);
    add_up(w);
    RV_TRY(loudness_of(w, w->mix, &loudness, err));
    const double most = limiter_reach * RV_MIX_PEAK / fmax(1e-9, (double)find_peaks(w));
    if (!isfinite(loudness)) /* a song of an instant */
        loudness = w->plan.loudness;
    w->gain = fmin(most, pow(10, (w->plan.loudness - loudness) / 20));
    w->reduction = 1;
    limit(w);
    for (size_t s = 0; s < w->parts->n; s++) {
        rv_stem *stem = &w->stems[s];
        stem->gain *= w->gain;
        stem->silent |= stem->gain * (double)stem->peak < 0.5 / 32768;
    }
    return RV_OK;
}

/* To the grid, in place, and into the mix: integers below 2^24 add up exactly in float. */
static void quantise(rv_track_work *w, rv_stem *stem)
{
    for (int c = 0; c < 2; c++)
        for (size_t i = 0; i < w->frames; i++) {
            const double scaled = stem->gain * (double)w->curve[i] * (double)stem->audio[c][i];
            stem->audio[c][i] = (float)(rint(scaled * 32768) / 32768);
            w->mix[c][i] += stem->audio[c][i];
        }
}

static rv_status write_audio(const rv_track_work *w, const char *name, float *const *audio,
                             rv_error *err)
{
    char path[sizeof w->folder + 64];
    rv_audio_writer *writer = NULL;
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    opt.channels = 2;
    opt.sample_rate = w->worker->run->opt->sample_rate;
    snprintf(path, sizeof path, "%s/%s.flac", w->folder, name);
    RV_TRY(rv_audio_writer_open(&writer, path, &opt, err));
    rv_status status = rv_audio_writer_write(writer, (const float *const *)audio, w->frames, err);
    if (status == RV_OK)
        status = rv_audio_writer_commit(writer, err);
    rv_audio_writer_free(writer);
    return status;
}

rv_status rv_render_mix(rv_track_work *w, rv_error *err)
{
    RV_TRY(find_gains(w, err));
    for (int c = 0; c < 2; c++)
        memset(w->mix[c], 0, w->frames * sizeof(float));
    for (size_t s = 0; s < w->parts->n; s++) {
        char name[32];
        rv_stem *stem = &w->stems[s];
        stem->loudness = -HUGE_VAL;
        if (stem->silent)
            continue;
        quantise(w, stem);
        RV_TRY(loudness_of(w, stem->audio, &stem->loudness, err));
        snprintf(name, sizeof name, "stems/S%02zu", s);
        RV_TRY(write_audio(w, name, stem->audio, err));
    }
    RV_TRY(loudness_of(w, w->mix, &w->loudness, err));
    return write_audio(w, "mix", w->mix, err);
}
