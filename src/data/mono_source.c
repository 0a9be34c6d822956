/* mono_source.c - see mono_source.h. */
#include "data/mono_source.h"

#include "base/status.h"
#include "dsp/resample.h"
#include "io/audio_read.h"

#include <stdlib.h>

enum { BLOCK = 16384 };

struct rv_mono {
    rv_audio_reader *reader;
    const rv_audio_info *info;
    rv_resampler *resampler; /* NULL: the file has the rate */
    int channel, rate;
    int64_t frames_read;
    float **planes;       /* [channels][BLOCK] */
    float *mean, *output; /* [BLOCK] */
    size_t used, n;       /* of mean: given to the resampler; there */
    bool ended;           /* no more to read */
};

static rv_status allocate(rv_mono *m, rv_error *err)
{
    m->planes = calloc((size_t)m->info->channels, sizeof *m->planes);
    m->mean = calloc(BLOCK, sizeof *m->mean);
    m->output = calloc(BLOCK, sizeof *m->output);
    bool good = m->planes && m->mean && m->output;
    for (int c = 0; good && c < m->info->channels; c++)
        good = (m->planes[c] = calloc(BLOCK, sizeof **m->planes)) != NULL;
    return good ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%d channels", m->info->channels);
}

static rv_status init(rv_mono *m, const rv_track_source *source, int rate, rv_error *err)
{
    RV_TRY(rv_audio_reader_open(&m->reader, source->path, source->stream, err));
    m->info = rv_audio_reader_info(m->reader);
    m->channel = source->channel;
    m->rate = rate ? rate : m->info->sample_rate;
    if (m->channel >= m->info->channels)
        return RV_FAIL(err, RV_ERR_ARG, "%s: channel %d of %d", source->path, m->channel + 1,
                       m->info->channels);
    RV_TRY(allocate(m, err));
    if (m->rate == m->info->sample_rate)
        return RV_OK;
    return rv_resampler_new(&m->resampler, 1, m->info->sample_rate, m->rate, err);
}

rv_status rv_mono_open(rv_mono **out, const rv_track_source *source, int rate, rv_error *err)
{
    rv_mono *m = calloc(1, sizeof *m);
    if (!m)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", source->path);
    const rv_status st = init(m, source, rate, err);
    if (st != RV_OK) {
        rv_mono_free(m);
        return st;
    }
    *out = m;
    return RV_OK;
}

void rv_mono_free(rv_mono *m)
{
    if (!m)
        return;
    for (int c = 0; m->planes && c < m->info->channels; c++)
        free(m->planes[c]);
    free(m->planes);
    free(m->mean);
    free(m->output);
    rv_resampler_free(m->resampler);
    rv_audio_reader_free(m->reader);
    free(m);
}

int rv_mono_rate(const rv_mono *m)
{
    return m->rate;
}

double rv_mono_progress(const rv_mono *m)
{
    const int64_t of = m->info->frames_about;
    return of > 0 && m->frames_read < of ? (double)m->frames_read / (double)of : of > 0;
}

static rv_status read_block(rv_mono *m, rv_error *err)
{
    size_t n = 0;
    RV_TRY(rv_audio_reader_read(m->reader, m->planes, BLOCK, &n, err));
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (int c = 0; c < m->info->channels; c++)
            sum += (double)m->planes[c][i];
        m->mean[i] = m->channel < 0 ? (float)(sum / m->info->channels) : m->planes[m->channel][i];
    }
    m->frames_read += (int64_t)n;
    m->used = 0;
    m->n = n;
    m->ended = n == 0;
    return RV_OK;
}

/* Read until the resampler has made something, or there is nothing more to make. */
static rv_status resample(rv_mono *m, size_t *made, rv_error *err)
{
    for (*made = 0; *made == 0;) {
        size_t used = 0;
        if (!m->ended && m->used == m->n)
            RV_TRY(read_block(m, err));
        const float *in = m->mean + m->used;
        RV_TRY(rv_resampler_process(m->resampler, m->ended ? NULL : &in, m->n - m->used, &used,
                                    &m->output, BLOCK, made, err));
        m->used += used;
        if (m->ended)
            break;
    }
    return RV_OK;
}

rv_status rv_mono_next(rv_mono *m, const float **samples, size_t *n, rv_error *err)
{
    *samples = m->resampler ? m->output : m->mean;
    if (m->resampler)
        return resample(m, n, err);
    if (!m->ended)
        RV_TRY(read_block(m, err));
    *n = m->n;
    return RV_OK;
}
