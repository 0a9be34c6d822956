/* evaluation.c - names of figures, medians over frames and songs; see evaluation.h.
 *
 * As museval 0.4 does: infinite values are none, the figure of a song is the median of its frames,
 * that of a data set the median of its songs. */
#include "eval/evaluation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *unit;
    int better;
    const char *about;
} metrics[RV_METRICS] = {
    { "SDR", "dB", 1,
      "BSS Eval by frame (v4: as museval), median of frames: signal to distortion" },
    { "ISR", "dB", 1,
      "BSS Eval by frame (v4: as museval), median of frames: image to spatial distortion" },
    { "SIR", "dB", 1,
      "BSS Eval by frame (v4: as museval), median of frames: signal to interference" },
    { "SAR", "dB", 1, "BSS Eval by frame (v4: as museval), median of frames: signal to artifacts" },
    { "SI-SDR", "dB", 1, "scale-invariant SDR of the whole track (Le Roux 2019)" },
    { "SI-SDRi", "dB", 1, "SI-SDR less that of the mixture" },
    { "SDR-MDX21", "dB", 1, "SDR of the whole track, Music Demixing Challenge 2021" },
    { "SNR", "dB", 1, "signal to difference, whole track" },
    { "SC", "", -1, "spectral convergence (0 is perfect, silence has 1)" },
    { "LSD", "dB", -1, "log-spectral distance" },
    { "SDR-MCTN", "dB", 1, "formula of the report on MCTN + DDSP, for its numbers alone: no SDR" },
    { "MR-STFT", "", -1, "multi-resolution STFT distance, auraloss' by default" },
    { "MSS", "", -1, "multi-scale spectral distance of ddsp, 2048 to 64, L1 of mag and log mag" },
    { "LD-L1", "dB", -1, "mean distance of loudness, ddsp's" },
    { "F0-L1", "Hz", -1, "mean distance of pitch where the stem is voiced, by pYIN" },
    { "RPA", "", 1, "raw pitch accuracy: share of those frames within 50 cents" },
    { "logWMSE", "", 1, "log of the error as the ear weighs it (torch-log-wmse), best 73.7" },
};

static bool is_metric(int metric)
{
    return metric >= 0 && metric < RV_METRICS;
}

const char *rv_metric_name(int metric)
{
    return is_metric(metric) ? metrics[metric].name : NULL;
}

const char *rv_metric_about(int metric)
{
    return is_metric(metric) ? metrics[metric].about : NULL;
}

const char *rv_metric_unit(int metric)
{
    return is_metric(metric) ? metrics[metric].unit : NULL;
}

int rv_metric_better(int metric)
{
    return is_metric(metric) ? metrics[metric].better : 0;
}

bool rv_eval_wants(uint32_t wanted, rv_metric metric)
{
    return (wanted & RV_METRIC_BIT(metric)) != 0;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double rv_finite_median(double *values, size_t n, size_t *n_finite)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(values[i]))
            values[k++] = values[i];
    if (n_finite)
        *n_finite = k;
    if (k == 0)
        return (double)NAN;
    qsort(values, k, sizeof *values, by_size);
    return (values[(k - 1) / 2] + values[k / 2]) / 2;
}

rv_status rv_eval_join_frames(rv_eval_stem *s, size_t n_frames, rv_error *err)
{
    double *copy = malloc((n_frames + 1) * sizeof *copy);
    if (!copy)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu frames", n_frames);
    for (size_t m = 0; m < RV_FRAME_METRICS; m++) {
        memcpy(copy, s->frames + m * n_frames, n_frames * sizeof *copy);
        s->values[m] = rv_finite_median(copy, n_frames, NULL);
    }
    free(copy);
    return RV_OK;
}

/* Making and freeing ------------------------------------------------------------------------ */

static rv_status copy_names(rv_evaluation *e, const char *method, char *const *stems, size_t n,
                            rv_error *err)
{
    e->method = strdup(method);
    e->stems = calloc(n, sizeof *e->stems);
    if (!e->method || !e->stems)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: figures", method);
    for (; e->n_stems < n; e->n_stems++)
        if (!(e->stems[e->n_stems] = strdup(stems[e->n_stems])))
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: names of stems", method);
    return RV_OK;
}

rv_status rv_evaluation_new(rv_evaluation **out, const char *method, rv_method_kind kind,
                            char *const *stems, size_t n_stems, size_t songs, rv_error *err)
{
    rv_evaluation *e = calloc(1, sizeof *e);
    if (!e)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: figures", method);
    *e = (rv_evaluation){ .kind = kind, .capacity = songs };
    rv_status status = copy_names(e, method, stems, n_stems, err);
    if (status == RV_OK && !(e->songs = calloc(songs, sizeof *e->songs)))
        status = RV_FAIL(err, RV_ERR_NOMEM, "%s: figures of %zu songs", method, songs);
    if (status == RV_OK)
        *out = e;
    else
        rv_evaluation_free(e);
    return status;
}

rv_status rv_evaluation_add(rv_eval_song **song, rv_evaluation *e, const char *name,
                            const char *split, rv_error *err)
{
    rv_eval_song *s = &e->songs[e->n_songs++];
    s->name = strdup(name);
    s->split = strdup(split);
    s->stems = calloc(e->n_stems, sizeof *s->stems);
    if (!s->name || !s->split || !s->stems)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", name);
    for (size_t i = 0; i < e->n_stems * RV_METRICS; i++)
        s->stems[i / RV_METRICS].values[i % RV_METRICS] = (double)NAN;
    *song = s;
    return RV_OK;
}

static void free_song(rv_eval_song *s, size_t n_stems)
{
    for (size_t i = 0; s->stems && i < n_stems; i++)
        free(s->stems[i].frames);
    free(s->stems);
    free(s->name);
    free(s->split);
}

void rv_evaluation_free(rv_evaluation *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->n_songs; i++)
        free_song(&e->songs[i], e->n_stems);
    for (size_t s = 0; s < e->n_stems; s++)
        free(e->stems[s]);
    free(e->songs);
    free(e->stems);
    free(e->method);
    free(e);
}

/* Asking ------------------------------------------------------------------------------------ */

const char *rv_evaluation_method(const rv_evaluation *e)
{
    return e->method;
}

void rv_evaluation_report(const rv_evaluation *e, rv_eval_report *report)
{
    *report = (rv_eval_report){ .songs = e->n_songs,
                                .stems = e->n_stems,
                                .without_estimates = e->without_estimates,
                                .metrics = e->metrics };
    for (size_t i = 0; i < e->n_songs; i++)
        for (size_t s = 0; s < e->n_stems; s++) {
            const rv_eval_stem *stem = &e->songs[i].stems[s];
            report->without_reference += !stem->has_reference;
            report->silent_estimates += stem->has_reference && stem->silent;
        }
}

const char *rv_evaluation_song(const rv_evaluation *e, size_t song)
{
    return e->songs[song].name;
}

const char *rv_evaluation_stem(const rv_evaluation *e, size_t stem)
{
    return e->stems[stem];
}

double rv_evaluation_value(const rv_evaluation *e, size_t song, size_t stem, rv_metric metric)
{
    return e->songs[song].stems[stem].values[metric];
}

/* Sorting needs memory, and this cannot fail: the value below which half of them lie is looked for
 * by counting. */
static double ranked(const rv_evaluation *e, size_t stem, rv_metric metric, size_t rank)
{
    for (size_t i = 0; i < e->n_songs; i++) {
        const double x = rv_evaluation_value(e, i, stem, metric);
        size_t below = 0, equal = 0;
        for (size_t k = 0; k < e->n_songs && isfinite(x); k++) {
            const double y = rv_evaluation_value(e, k, stem, metric);
            below += isfinite(y) && y < x;
            equal += y == x;
        }
        if (below <= rank && rank < below + equal)
            return x;
    }
    return (double)NAN;
}

double rv_evaluation_median(const rv_evaluation *e, size_t stem, rv_metric metric, size_t *n)
{
    size_t finite = 0;
    for (size_t i = 0; i < e->n_songs; i++)
        finite += isfinite(rv_evaluation_value(e, i, stem, metric)) != 0;
    if (n)
        *n = finite;
    if (finite == 0)
        return (double)NAN;
    return (ranked(e, stem, metric, (finite - 1) / 2) + ranked(e, stem, metric, finite / 2)) / 2;
}

double rv_evaluation_mean(const rv_evaluation *e, size_t stem, rv_metric metric, size_t *n)
{
    double sum = 0;
    size_t finite = 0;
    for (size_t i = 0; i < e->n_songs; i++) {
        const double x = rv_evaluation_value(e, i, stem, metric);
        sum += isfinite(x) ? x : 0;
        finite += isfinite(x) != 0;
    }
    if (n)
        *n = finite;
    return finite > 0 ? sum / (double)finite : (double)NAN;
}
