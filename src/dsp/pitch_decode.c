/* pitch_decode.c - from CREPE's activations of 360 bins to Hz and periodicity, as torchcrepe does
 * (M. Morrison et al.) and, where it says so, CREPE itself.
 *
 *     Hz of bin i: 10 2^((20 i + 1997.3794) / 1200), 31.7 to 2006 Hz
 *     bin:         argmax; or the Viterbi path, where CREPE takes the argmax for an observation
 * that tells the bin with probability 0.1 and is any bin else, and torchcrepe takes
 *                  softmax(activations) for the probabilities
 *     pitch:       of the bin, or the mean in cents of bins - 4 .. + 4 around it, weighted
 *     periodicity: the activation of the bin
 *
 * torchcrepe adds triangular noise of up to 20 cents to bins; that is left out. */
#include "dsp/pitch_decode.h"

#include "base/status.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double cents_per_bin = 20, first_cents = 1997.3794084376191;
static const double self_emission = 0.1;

enum { BINS = RV_PITCH_BINS, AROUND = 4, DECIDE_EVERY = 64 };

struct rv_pitch_decoder {
    rv_pitch_path path;
    rv_pitch_average average;
    size_t low, high;          /* bins [low, high) */
    rv_pitch_viterbi *viterbi; /* NULL for argmax */
    float (*waiting)[BINS];    /* [RV_VITERBI_FRAMES]: activations of undecided frames */
    size_t n_waiting;
    unsigned short *bins; /* [RV_VITERBI_FRAMES] */
    float *f0, *periodicity;
    size_t n, pulled, room; /* of these two */
};

double rv_pitch_hertz(double bin)
{
    return 10 * exp2((cents_per_bin * bin + first_cents) / 1200);
}

/* Making --------------------------------------------------------------------------------- */

static double bin_of(double hertz)
{
    return (1200 * log2(hertz / 10) - first_cents) / cents_per_bin;
}

static rv_status set_range(rv_pitch_decoder *d, double low, double high, rv_error *err)
{
    if (!(low > 0 && low < high && high <= 1e6))
        return RV_FAIL(err, RV_ERR_ARG, "pitches from %g to %g Hz; expected 0 < low < high", low,
                       high);
    d->low = (size_t)fmin(fmax(floor(bin_of(low)), 0), BINS);
    d->high = (size_t)fmin(fmax(ceil(bin_of(high)), 0), BINS);
    if (d->low >= d->high)
        return RV_FAIL(err, RV_ERR_ARG,
                       "pitches from %g to %g Hz; CREPE knows those from 31.7 to 2006 Hz", low,
                       high);
    return RV_OK;
}

static rv_status init(rv_pitch_decoder *d, double low, double high, rv_error *err)
{
    RV_TRY(set_range(d, low, high, err));
    if (d->path == RV_PITCH_ARGMAX)
        return RV_OK;
    d->waiting = malloc(RV_VITERBI_FRAMES * sizeof *d->waiting);
    d->bins = malloc(RV_VITERBI_FRAMES * sizeof *d->bins);
    if (!d->waiting || !d->bins)
        return RV_FAIL(err, RV_ERR_NOMEM, "%d frames of pitch", RV_VITERBI_FRAMES);
    return rv_pitch_viterbi_new(&d->viterbi, d->path == RV_PITCH_VITERBI_TORCHCREPE, err);
}

rv_status rv_pitch_decoder_new(rv_pitch_decoder **out, rv_pitch_path path, rv_pitch_average average,
                               double low, double high, rv_error *err)
{
    if (path < RV_PITCH_ARGMAX || path > RV_PITCH_VITERBI_TORCHCREPE || average < RV_PITCH_BIN ||
        average > RV_PITCH_LOCAL_TORCHCREPE)
        return RV_FAIL(err, RV_ERR_ARG, "pitch path %d with average %d; both go from 0 to 2",
                       (int)path, (int)average);
    rv_pitch_decoder *d = calloc(1, sizeof *d);
    if (!d)
        return RV_FAIL(err, RV_ERR_NOMEM, "a pitch decoder");
    d->path = path;
    d->average = average;
    const rv_status st = init(d, low, high, err);
    if (st != RV_OK) {
        rv_pitch_decoder_free(d);
        return st;
    }
    *out = d;
    return RV_OK;
}

void rv_pitch_decoder_free(rv_pitch_decoder *d)
{
    if (!d)
        return;
    rv_pitch_viterbi_free(d->viterbi);
    free(d->waiting);
    free(d->bins);
    free(d->f0);
    free(d->periodicity);
    free(d);
}

/* Results ---------------------------------------------------------------------------------- */

static rv_status grow(rv_pitch_decoder *d, rv_error *err)
{
    const size_t room = 2 * d->room + 256;
    float *f0 = realloc(d->f0, room * sizeof *f0);
    d->f0 = f0 ? f0 : d->f0;
    float *periodicity = f0 ? realloc(d->periodicity, room * sizeof *periodicity) : NULL;
    if (!periodicity)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu frames of pitch", room);
    d->periodicity = periodicity;
    d->room = room;
    return RV_OK;
}

/* Place of the pitch around bin `at`. */
static double local_average(const rv_pitch_decoder *d, const float *activation, size_t at)
{
    const size_t first = at > d->low + AROUND ? at - AROUND : d->low;
    const size_t end = at + AROUND + 1 < d->high ? at + AROUND + 1 : d->high;
    double sum = 0, weights = 0;
    for (size_t i = first; i < end; i++) {
        const double p = (double)activation[i];
        const double w = d->average == RV_PITCH_LOCAL ? p : 1 / (1 + exp(-p));
        sum += w * (double)i;
        weights += w;
    }
    return weights > 0 ? sum / weights : (double)at;
}

static rv_status emit(rv_pitch_decoder *d, const float *activation, size_t bin, rv_error *err)
{
    if (d->n == d->room)
        RV_TRY(grow(d, err));
    const double place =
        d->average == RV_PITCH_BIN ? (double)bin : local_average(d, activation, bin);
    d->f0[d->n] = (float)rv_pitch_hertz(place);
    d->periodicity[d->n] = activation[bin];
    d->n++;
    return RV_OK;
}

size_t rv_pitch_decoder_pull(rv_pitch_decoder *d, float *f0, float *periodicity, size_t room)
{
    const size_t n = d->n - d->pulled < room ? d->n - d->pulled : room;
    if (n == 0)
        return 0;
    memcpy(f0, d->f0 + d->pulled, n * sizeof *f0);
    if (periodicity)
        memcpy(periodicity, d->periodicity + d->pulled, n * sizeof *periodicity);
    d->pulled += n;
    if (d->pulled == d->n)
        d->pulled = d->n = 0;
    return n;
}

/* Paths ------------------------------------------------------------------------------------ */

static size_t strongest(const rv_pitch_decoder *d, const float *activation)
{
    size_t best = d->low;
    for (size_t i = d->low + 1; i < d->high; i++)
        best = activation[i] > activation[best] ? i : best;
    return best;
}

/* log(softmax(x) + the least normal float), bins out of range having no share */
static void log_softmax(const rv_pitch_decoder *d, double *y, const float *x)
{
    const double most = (double)x[strongest(d, x)];
    double sum = 0;
    for (size_t i = d->low; i < d->high; i++)
        sum += exp((double)x[i] - most);
    const double shift = most + log(sum), none = log((double)FLT_MIN);
    for (size_t i = 0; i < BINS; i++)
        y[i] = i >= d->low && i < d->high ? (double)x[i] - shift : none;
}

/* log of the probability to observe the strongest bin, given each bin */
static void log_observation(const rv_pitch_decoder *d, double *y, const float *x)
{
    for (size_t i = 0; i < BINS; i++)
        y[i] = log((1 - self_emission) / BINS);
    y[strongest(d, x)] = log(self_emission + (1 - self_emission) / BINS);
}

static rv_status decide(rv_pitch_decoder *d, bool at_end, rv_error *err)
{
    const size_t n = rv_pitch_viterbi_decide(d->viterbi, d->bins, at_end);
    for (size_t i = 0; i < n; i++)
        RV_TRY(emit(d, d->waiting[i], d->bins[i], err));
    d->n_waiting -= n;
    memmove(d->waiting, d->waiting + n, d->n_waiting * sizeof *d->waiting);
    return RV_OK;
}

static rv_status push_to_path(rv_pitch_decoder *d, const float *activation, rv_error *err)
{
    double log_probability[BINS];
    if (d->path == RV_PITCH_VITERBI)
        log_observation(d, log_probability, activation);
    else
        log_softmax(d, log_probability, activation);
    rv_pitch_viterbi_push(d->viterbi, log_probability);
    memcpy(d->waiting[d->n_waiting++], activation, sizeof *d->waiting);
    return d->n_waiting % DECIDE_EVERY == 0 ? decide(d, false, err) : RV_OK;
}

rv_status rv_pitch_decoder_push(rv_pitch_decoder *d, const float *activation, size_t n,
                                rv_error *err)
{
    for (size_t i = 0; i < n; i++, activation += BINS)
        if (d->viterbi)
            RV_TRY(push_to_path(d, activation, err));
        else
            RV_TRY(emit(d, activation, strongest(d, activation), err));
    return RV_OK;
}

rv_status rv_pitch_decoder_finish(rv_pitch_decoder *d, rv_error *err)
{
    return d->viterbi ? decide(d, true, err) : RV_OK;
}
