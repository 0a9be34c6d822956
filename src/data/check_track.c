/* check_track.c - see check_track.h. */
#include "data/check_track.h"

#include "base/status.h"
#include "data/check_input.h"
#include "data/check_shift.h"
#include "data/check_signal.h"
#include "data/layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct run {
    const rv_check_task *task;
    const rv_track *track;
    size_t n;                 /* stems and the mixture, which is the last */
    rv_check_input *inputs;   /* [n] */
    rv_check_signal *signals; /* [n] */
    rv_check_parts *parts;    /* [n] the loudest of each stem */
    bool *fits;               /* [n] rate and channels are the song's */
    int sample_rate, channels;
    bool summed; /* the stems should sum to the mixture */
    rv_check_sum sum;
    float *memory;
    float *stem[RV_AUDIO_CHANNELS_MAX], *mix[RV_AUDIO_CHANNELS_MAX];
    float *total[RV_AUDIO_CHANNELS_MAX]; /* [channels][RV_CHECK_BLOCK] */
} run;

static const rv_track_sources *sources_of(const run *r, size_t i)
{
    return i + 1 < r->n ? &r->track->stems[i] : &r->track->mixture;
}

static const char *name_of(const run *r, size_t i)
{
    return i + 1 < r->n ? r->task->list->stems[i] : "mixture";
}

static bool is_usable(const run *r, size_t i)
{
    return r->inputs[i].sources->n > 0 && !r->inputs[i].failed && r->fits[i];
}

/* Opening */

static bool has_source(const rv_track_sources *s, const rv_track_source *wanted)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->at[i].path, wanted->path) == 0 && s->at[i].stream == wanted->stream &&
            s->at[i].channel == wanted->channel)
            return true;
    return false;
}

/* Some layouts have no mixture but that of the pieces. */
static bool is_own_file(const run *r)
{
    for (size_t i = 0; i < r->track->mixture.n; i++) {
        bool found = false;
        for (size_t s = 0; s + 1 < r->n && !found; s++)
            found = has_source(&r->track->stems[s], &r->track->mixture.at[i]);
        if (!found)
            return true;
    }
    return false;
}

static rv_status open_inputs(run *r, rv_error *err)
{
    static const rv_track_sources none = { 0 };
    for (size_t i = 0; i < r->n; i++) {
        const rv_track_sources *s = sources_of(r, i);
        RV_TRY(rv_check_input_open(&r->inputs[i], name_of(r, i),
                                   i + 1 == r->n && !is_own_file(r) ? &none : s, r->task->findings,
                                   err));
        if (i + 1 < r->n && s->n == 0 && r->task->list->layout->missing == RV_MISSING_ERROR)
            RV_TRY(rv_findings_add(
                r->task->findings,
                &(rv_check_finding){ RV_CHECK_ERROR, "missing", NULL, name_of(r, i), NULL, 0 }, err,
                "no file; add it, or say what becomes of such songs with data.missing"));
    }
    return RV_OK;
}

/* What most files have; the mixture's where that is not clear, or the first one's. */
static int most_common(const run *r, bool rate)
{
    int best = 0;
    size_t most = 0;
    for (size_t k = r->n; k-- > 0;) {
        const rv_check_input *a = &r->inputs[k];
        size_t count = 0;
        for (size_t i = 0; i < r->n && a->sample_rate > 0; i++)
            count += rate ? r->inputs[i].sample_rate == a->sample_rate
                          : r->inputs[i].channels == a->channels;
        if (count > most) {
            most = count;
            best = rate ? a->sample_rate : a->channels;
        }
    }
    return best;
}

static rv_status compare_input(run *r, size_t i, rv_error *err)
{
    const rv_check_input *in = &r->inputs[i];
    const bool mono = in->channels == 1 && r->task->list->layout->mixed_channels;
    r->fits[i] = true;
    if (in->sample_rate == 0)
        return RV_OK;
    if (in->sample_rate != r->sample_rate) {
        r->fits[i] = false;
        RV_TRY(rv_findings_add(
            r->task->findings,
            &(rv_check_finding){ RV_CHECK_ERROR, "rate", NULL, in->stem, NULL, in->sample_rate },
            err, "%d Hz, unlike the song's other files (%d Hz); resample it", in->sample_rate,
            r->sample_rate));
    }
    if (in->channels == r->channels || mono)
        return RV_OK;
    r->fits[i] = false;
    return rv_findings_add(
        r->task->findings,
        &(rv_check_finding){ RV_CHECK_ERROR, "channels", NULL, in->stem, NULL, in->channels }, err,
        "%d channels, unlike the song's other files (%d); convert it", in->channels, r->channels);
}

static rv_status compare_inputs(run *r, rv_error *err)
{
    size_t stems = 0;
    r->sample_rate = most_common(r, true);
    r->channels = most_common(r, false);
    for (size_t i = 0; i < r->n && r->task->list->layout->mixed_channels; i++)
        r->channels = r->inputs[i].channels > r->channels ? r->inputs[i].channels : r->channels;
    for (size_t i = 0; i < r->n; i++)
        RV_TRY(compare_input(r, i, err));
    for (size_t i = 0; i + 1 < r->n; i++)
        stems += r->inputs[i].sources->n > 0;
    r->summed = r->task->opt->n_stems == 0 && stems >= 2;
    return RV_OK;
}

/* Reading */

static rv_status take_memory(run *r, rv_error *err)
{
    int most = 1;
    for (size_t i = 0; i < r->n; i++)
        most = r->inputs[i].channels > most ? r->inputs[i].channels : most;
    const size_t plane = RV_CHECK_BLOCK, third = (size_t)most * plane;
    if (!(r->memory = calloc(3 * third, sizeof *r->memory)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%d channels", most);
    for (size_t c = 0; c < (size_t)most; c++) {
        r->stem[c] = r->memory + c * plane;
        r->mix[c] = r->memory + third + c * plane;
        r->total[c] = r->memory + 2 * third + c * plane;
    }
    return RV_OK;
}

/* The block of stem i is measured and added to the total. *most: its length, if that is more. */
static rv_status read_stem(run *r, size_t i, size_t *most, rv_error *err)
{
    rv_check_input *in = &r->inputs[i];
    size_t got = 0;
    RV_TRY(rv_check_input_read(in, r->stem, &got, r->task->findings, err));
    rv_check_signal_add(&r->signals[i], r->stem, (size_t)in->channels, got);
    *most = got > *most ? got : *most;
    for (int c = 0; c < r->channels && r->fits[i]; c++) {
        const float *from = r->stem[c < in->channels ? c : 0];
        for (size_t t = 0; t < got; t++)
            r->total[c][t] += from[t];
    }
    return RV_OK;
}

static rv_status read_mixture(run *r, size_t *most, rv_error *err)
{
    rv_check_input *in = &r->inputs[r->n - 1];
    size_t got = 0;
    RV_TRY(rv_check_input_read(in, r->mix, &got, r->task->findings, err));
    rv_check_signal_add(&r->signals[r->n - 1], r->mix, (size_t)in->channels, got);
    *most = got > *most ? got : *most;
    if (!is_usable(r, r->n - 1) || !r->summed)
        return RV_OK;
    for (int c = 0; c < in->channels; c++) {
        memset(r->mix[c] + got, 0, (RV_CHECK_BLOCK - got) * sizeof *r->mix[c]);
        rv_check_sum_add(&r->sum, r->mix[c], r->total[c], *most);
    }
    return RV_OK;
}

static rv_status read_block(run *r, size_t *most, rv_error *err)
{
    *most = 0;
    for (int c = 0; c < r->channels; c++)
        memset(r->total[c], 0, RV_CHECK_BLOCK * sizeof *r->total[c]);
    for (size_t i = 0; i + 1 < r->n; i++)
        RV_TRY(read_stem(r, i, most, err));
    return read_mixture(r, most, err);
}

static void end_part(run *r, uint64_t start)
{
    for (size_t i = 0; i + 1 < r->n; i++)
        rv_check_parts_add(&r->parts[i], start, r->signals[i].energy, r->signals[r->n - 1].energy);
}

static rv_status read_all(run *r, rv_error *err)
{
    const rv_check_task *t = r->task;
    const uint64_t part = RV_ALIGN_WINDOW / RV_CHECK_BLOCK;
    int64_t about = 1;
    size_t got = 1;
    for (size_t i = 0; i < r->n; i++) {
        const int64_t length = rv_check_input_about(&r->inputs[i]);
        about = length > about ? length : about;
    }
    for (uint64_t block = 0; got > 0; block++) {
        RV_TRY(read_block(r, &got, err));
        if (got > 0 && (block + 1) % part != 0)
            continue;
        end_part(r, block / part * RV_ALIGN_WINDOW);
        const double done = (double)(block * RV_CHECK_BLOCK) / (double)about;
        if (t->tick && t->tick(t->tick_ctx, t->track, fmin(done, 1)))
            return RV_FAIL(err, RV_ERR_CANCELLED, "stopped");
    }
    return RV_OK;
}

/* Results */

static rv_check_audio describe(const run *r, size_t i)
{
    const rv_check_input *in = &r->inputs[i];
    const rv_check_signal *s = &r->signals[i];
    const size_t channels = (size_t)in->channels;
    return (rv_check_audio){
        .name = name_of(r, i),
        .files = (int)in->sources->n,
        .readable = in->sources->n > 0 && !in->failed,
        .lossy = in->lossy,
        .sample_rate = in->sample_rate,
        .channels = in->channels,
        .frames = s->frames,
        .peak = (double)s->peak,
        .rms = rv_check_signal_rms(s, channels),
        .offset = rv_check_signal_offset(s, channels),
        .silent = s->frames > 0 ? (double)s->silent / (double)s->frames : 0,
        .clipped_runs = s->clipped_runs,
        .clipped = s->clipped,
        .not_finite = s->not_finite,
        .hash = s->hash,
    };
}

static rv_status compare_length(run *r, size_t i, int64_t expected, rv_error *err)
{
    const rv_check_input *in = &r->inputs[i];
    const double allowed = r->task->list->layout->slack * r->sample_rate;
    for (size_t k = 0; k < in->sources->n && is_usable(r, i); k++) {
        const int64_t off = in->frames[k] - expected;
        if (fabs((double)off) <= allowed)
            continue;
        return rv_findings_add(
            r->task->findings,
            &(rv_check_finding){ RV_CHECK_ERROR, "length", NULL, in->stem, NULL, (double)off }, err,
            "%lld frames, %+lld against %s (%+.3f s), %s", (long long)in->frames[k], (long long)off,
            is_usable(r, r->n - 1) ? "the mixture" : "the longest stem",
            (double)off / r->sample_rate,
            off > 0 ? "cut it, or look whether it belongs to this song"
                    : "look whether it was cut off; else add silence");
    }
    return RV_OK;
}

static rv_status compare_lengths(run *r, rv_error *err)
{
    int64_t longest = is_usable(r, r->n - 1) ? (int64_t)r->signals[r->n - 1].frames : 0;
    for (size_t i = 0; i < r->n && !is_usable(r, r->n - 1); i++)
        if (is_usable(r, i) && (int64_t)r->signals[i].frames > longest)
            longest = (int64_t)r->signals[i].frames;
    for (size_t i = 0; i < r->n; i++)
        RV_TRY(compare_length(r, i, longest, err));
    return RV_OK;
}

static void conclude_sum(const run *r, rv_check_track *t)
{
    t->has_sum = r->summed && is_usable(r, r->n - 1);
    for (size_t i = 0; i + 1 < r->n; i++)
        t->has_sum = t->has_sum && (r->inputs[i].sources->n == 0 || is_usable(r, i));
    if (t->has_sum)
        rv_check_sum_result(&r->sum, &t->residual, &t->gain, &t->residual_fitted);
}

static rv_status conclude(run *r, rv_error *err)
{
    rv_check_track *t = r->task->result;
    for (size_t i = 0; i < r->n; i++) {
        rv_check_signal_end(&r->signals[i], (size_t)r->inputs[i].channels);
        rv_check_audio *a = &r->task->audio[i];
        *a = describe(r, i);
        const double seconds = a->frames ? (double)a->frames / a->sample_rate : 0;
        t->seconds = seconds > t->seconds ? seconds : t->seconds;
    }
    conclude_sum(r, t);
    RV_TRY(compare_lengths(r, err));
    return rv_find_in_track(r->task->findings, t, r->n - 1, r->task->opt, err);
}

/* Whether the stems are right where they are, as far as their sum tells. */
static bool is_explained(const run *r)
{
    const rv_check_track *t = r->task->result;
    const rv_check_options *o = r->task->opt;
    bool lossy = false;
    for (size_t i = 0; i < r->n; i++)
        lossy |= r->inputs[i].lossy;
    return t->has_sum && t->residual_fitted <= (lossy ? o->residual_lossy : o->residual);
}

static rv_status find_shifts(run *r, rv_error *err)
{
    rv_align *align = NULL;
    if (!is_usable(r, r->n - 1) || r->signals[r->n - 1].peak == 0 || is_explained(r))
        return RV_OK;
    RV_TRY(rv_align_new(&align, err));
    rv_status status = RV_OK;
    for (size_t i = 0; i + 1 < r->n && status == RV_OK; i++) {
        rv_alignment found = { 0 };
        if (!is_usable(r, i) || r->signals[i].peak == 0)
            continue;
        status =
            rv_check_shift(&found, align, &r->inputs[i], &r->inputs[r->n - 1], &r->parts[i], err);
        if (status == RV_OK)
            status = rv_find_shift(r->task->findings, &r->task->audio[i], &found, err);
    }
    rv_align_free(align);
    return status;
}

static rv_status run_all(run *r, rv_error *err)
{
    RV_TRY(open_inputs(r, err));
    RV_TRY(compare_inputs(r, err));
    RV_TRY(take_memory(r, err));
    RV_TRY(read_all(r, err));
    RV_TRY(conclude(r, err));
    return find_shifts(r, err);
}

rv_status rv_check_track_run(const rv_check_task *task, rv_error *err)
{
    const rv_track *track = &task->list->tracks[task->track];
    run r = { .task = task, .track = track, .n = task->list->n_stems + 1 };
    r.inputs = calloc(r.n, sizeof *r.inputs);
    r.signals = calloc(r.n, sizeof *r.signals);
    r.parts = calloc(r.n, sizeof *r.parts);
    r.fits = calloc(r.n, sizeof *r.fits);
    rv_status status = RV_OK;
    if (r.inputs && r.signals && r.parts && r.fits)
        status = run_all(&r, err);
    else
        status = RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", track->name);
    for (size_t i = 0; r.inputs && i < r.n; i++)
        rv_check_input_close(&r.inputs[i]);
    free(r.inputs);
    free(r.signals);
    free(r.parts);
    free(r.fits);
    free(r.memory);
    return status;
}
