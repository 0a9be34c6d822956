/* synth_controls.c - from features as they are to what a model is told: at its rate of frames, with
 * a pitch in every frame, shifted, stretched in time, as loud as wanted.
 *
 * Between rows pitch moves on a straight line in semitones, all else on straight lines; where one
 * of two rows has no pitch the nearer one counts. Automatic loudness: y = (x - mean) / deviation,
 * of the rows not more than 60 dB below the loudest, in the mean and deviation of the training
 * data. */
#include "api/synth_controls.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

static const double quiet = 60;     /* dB */
static const float any_pitch = 220; /* Hz, where nothing has one */

/* Rows ------------------------------------------------------------------------------------- */

/* Row i, read in windows that go forward. */
static rv_status row_at(rv_synth_controls *c, size_t i, rv_raw_frame *out, rv_error *err)
{
    if (i < c->first || i >= c->first + c->n_rows) {
        const size_t left = c->features->frames - i;
        const size_t n = left < RV_SYNTH_WINDOW ? left : RV_SYNTH_WINDOW;
        c->n_rows = 0;
        RV_TRY(rv_synth_features_read(c->features, i, n, c->rows, err));
        c->first = i;
        c->n_rows = n;
    }
    *out = c->rows[i - c->first];
    return RV_OK;
}

/* The two rows around a place, and the share of the second; the last one stays. */
static double place(double at, size_t rows, size_t *low, size_t *high)
{
    const double last = (double)(rows - 1), x = at < last ? at : last;
    *low = (size_t)x;
    *high = *low + 1 < rows ? *low + 1 : *low;
    return x - floor(x);
}

static rv_raw_frame between(const rv_raw_frame *a, const rv_raw_frame *b, float share)
{
    const rv_raw_frame *near = share < 0.5F ? a : b;
    return (rv_raw_frame){
        .f0 = a->f0 > 0 && b->f0 > 0 ? a->f0 * powf(b->f0 / a->f0, share) : near->f0,
        .confidence = a->confidence + share * (b->confidence - a->confidence),
        .loudness = a->loudness + share * (b->loudness - a->loudness),
    };
}

static rv_status frame_at(rv_synth_controls *c, size_t frame, rv_raw_frame *out, rv_error *err)
{
    size_t low, high;
    rv_raw_frame a, b;
    const double share = place((double)frame * c->step, c->features->frames, &low, &high);
    RV_TRY(row_at(c, low, &a, err));
    *out = a;
    if (share <= 0)
        return RV_OK;
    RV_TRY(row_at(c, high, &b, err));
    *out = between(&a, &b, (float)share);
    return RV_OK;
}

/* Statistics ------------------------------------------------------------------------------- */

static bool has_pitch(const rv_synth_controls *c, const rv_raw_frame *r)
{
    const double hz = (double)r->f0 * c->shift;
    return r->f0 > 0 && (double)r->confidence >= c->options->threshold &&
           hz < (double)c->config->sample_rate / 2;
}

static rv_status measure_loudness(rv_synth_controls *c, rv_error *err)
{
    double most = -INFINITY, sum = 0, squares = 0, n = 0;
    rv_raw_frame r;
    for (size_t i = 0; i < c->features->frames; i++) {
        RV_TRY(row_at(c, i, &r, err));
        most = fmax(most, (double)r.loudness);
        if (!(c->held > 0) && has_pitch(c, &r))
            c->held = (float)((double)r.f0 * c->shift);
    }
    for (size_t i = 0; i < c->features->frames; i++) {
        RV_TRY(row_at(c, i, &r, err));
        const double x = (double)r.loudness - most;
        if (x < -quiet)
            continue;
        sum += x;
        squares += x * x;
        n++;
    }
    c->mean = most + sum / n;
    c->deviation = sqrt(fmax(squares / n - sum / n * (sum / n), 0));
    return RV_OK;
}

static rv_status set_loudness(rv_synth_controls *c, rv_error *err)
{
    const rv_autoencoder_config *model = c->config;
    const double least = 1e-3;
    c->scale = 1;
    c->offset = c->options->loudness;
    if (!c->options->auto_loudness)
        return RV_OK;
    if (!model->loudness_known)
        return RV_FAIL(err, RV_ERR_ARG,
                       "the model does not say how loud its training data was (loudness_mean, "
                       "loudness_std), which automatic loudness needs");
    c->scale = c->deviation > least ? model->loudness_std / c->deviation : 1;
    c->offset += model->loudness_mean - c->scale * c->mean;
    return RV_OK;
}

rv_status rv_synth_controls_init(rv_synth_controls *c, rv_synth_features *features,
                                 const rv_autoencoder_config *config,
                                 const rv_synth_options *options, rv_error *err)
{
    const double rate = (double)config->sample_rate / (double)config->hop;
    const double longer = options->stretch;
    *c = (rv_synth_controls){ .features = features, .config = config, .options = options };
    c->shift = exp2(options->pitch_shift / 12);
    c->step = features->rate / rate / longer;
    const double mfcc_rate = config->features.mfcc_rate > 0 ? config->features.mfcc_rate : rate;
    c->mfcc_step = features->mfcc_rate / mfcc_rate / longer;
    const double frames = ceil((double)features->frames / c->step - 1e-9);
    if (!(frames < 1e12))
        return RV_FAIL(err, RV_ERR_ARG, "%s: stretched to %g frames", features->path, frames);
    c->frames = frames > 1 ? (size_t)frames : 1;
    RV_TRY(measure_loudness(c, err));
    if (!(c->held > 0))
        c->held = any_pitch;
    return set_loudness(c, err);
}

/* Source ----------------------------------------------------------------------------------- */

static rv_status read(void *ctx, size_t first, size_t n, float *f0, float *loudness, float *voice,
                      rv_error *err)
{
    rv_synth_controls *c = ctx;
    rv_raw_frame r;
    for (size_t i = 0; i < n; i++) {
        RV_TRY(frame_at(c, first + i, &r, err));
        const bool sounds = has_pitch(c, &r);
        if (sounds) {
            c->held = (float)((double)r.f0 * c->shift);
            c->notes += 69 + 12 * log2((double)r.f0 / 440);
            c->voiced++;
        }
        f0[i] = c->held;
        voice[i] = sounds ? 1 : 0;
        loudness[i] = (float)(c->scale * (double)r.loudness + c->offset);
    }
    return RV_OK;
}

static rv_status read_mfcc(void *ctx, size_t first, size_t n, float *mfcc, rv_error *err)
{
    rv_synth_controls *c = ctx;
    float next[RV_AUTOENCODER_MFCC];
    for (size_t i = 0; i < n; i++, mfcc += RV_AUTOENCODER_MFCC) {
        size_t low, high;
        const double at = (double)(first + i) * c->mfcc_step;
        const float share = (float)place(at, c->features->mfcc_rows, &low, &high);
        RV_TRY(rv_synth_features_mfcc(c->features, low, mfcc, err));
        if (share <= 0)
            continue;
        RV_TRY(rv_synth_features_mfcc(c->features, high, next, err));
        for (int k = 0; k < RV_AUTOENCODER_MFCC; k++)
            mfcc[k] += share * (next[k] - mfcc[k]);
    }
    return RV_OK;
}

rv_play_source rv_synth_controls_source(rv_synth_controls *c)
{
    const double rows = (double)c->features->mfcc_rows;
    const double mfcc = rows > 0 ? fmax(ceil(rows / c->mfcc_step - 1e-9), 1) : 0;
    return (rv_play_source){ .frames = c->frames,
                             .read = read,
                             .mfcc_rows = (size_t)mfcc,
                             .read_mfcc = read_mfcc,
                             .ctx = c };
}
