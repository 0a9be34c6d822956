/* mono_source.c - see mono_source.h. */
#include "data/mono_source.h"

#include "base/status.h"
#include "dsp/resample.h"
#include "io/audio_read.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16384 };

typedef struct voice {
    const rv_track_source *source;
    rv_audio_reader *reader;
    const rv_audio_info *info;
    float **planes; /* [channels][BLOCK] */
} voice;

struct rv_mono {
    voice *voices; /* [n_voices] one for each source */
    size_t n_voices;
    rv_resampler *resampler; /* NULL: the files have the rate */
    int rate;
    int64_t frames_read;
    double *sum;          /* [BLOCK] */
    float *mean, *output; /* [BLOCK] */
    size_t used, n;       /* of mean: given to the resampler; there */
    bool ended;           /* no more to read */
};

static rv_status open_voice(voice *v, const rv_track_source *source, rv_error *err)
{
    v->source = source;
    RV_TRY(rv_audio_reader_open(&v->reader, source->path, source->stream, err));
    v->info = rv_audio_reader_info(v->reader);
    if (source->channel >= v->info->channels)
        return RV_FAIL(err, RV_ERR_ARG, "%s: channel %d of %d", source->path, source->channel + 1,
                       v->info->channels);
    v->planes = calloc((size_t)v->info->channels, sizeof *v->planes);
    bool good = v->planes != NULL;
    for (int c = 0; good && c < v->info->channels; c++)
        good = (v->planes[c] = calloc(BLOCK, sizeof **v->planes)) != NULL;
    return good ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%d channels", v->info->channels);
}

static void close_voice(voice *v)
{
    for (int c = 0; v->planes && c < v->info->channels; c++)
        free(v->planes[c]);
    free(v->planes);
    rv_audio_reader_free(v->reader);
}

static rv_status open_voices(rv_mono *m, const rv_track_sources *sources, rv_error *err)
{
    if (sources->n == 0)
        return RV_FAIL(err, RV_ERR_ARG, "a stem without files");
    if (!(m->voices = calloc(sources->n, sizeof *m->voices)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu files", sources->n);
    m->n_voices = sources->n;
    for (size_t i = 0; i < sources->n; i++) {
        const voice *first = &m->voices[0], *v = &m->voices[i];
        RV_TRY(open_voice(&m->voices[i], &sources->at[i], err));
        if (v->info->sample_rate != first->info->sample_rate)
            return RV_FAIL(err, RV_ERR_FORMAT, "%s: sample rate of %d Hz; expected %d Hz as in %s",
                           v->source->path, v->info->sample_rate, first->info->sample_rate,
                           first->source->path);
    }
    return RV_OK;
}

static rv_status init(rv_mono *m, const rv_track_sources *sources, int rate, rv_error *err)
{
    RV_TRY(open_voices(m, sources, err));
    const int file_rate = m->voices[0].info->sample_rate;
    m->rate = rate ? rate : file_rate;
    m->sum = calloc(BLOCK, sizeof *m->sum);
    m->mean = calloc(BLOCK, sizeof *m->mean);
    m->output = calloc(BLOCK, sizeof *m->output);
    if (!m->sum || !m->mean || !m->output)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", sources->at[0].path);
    if (m->rate == file_rate)
        return RV_OK;
    return rv_resampler_new(&m->resampler, 1, file_rate, m->rate, err);
}

rv_status rv_mono_open(rv_mono **out, const rv_track_sources *sources, int rate, rv_error *err)
{
    rv_mono *m = calloc(1, sizeof *m);
    if (!m)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu files: out of memory", sources->n);
    const rv_status st = init(m, sources, rate, err);
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
    for (size_t i = 0; i < m->n_voices; i++)
        close_voice(&m->voices[i]);
    free(m->voices);
    free(m->sum);
    free(m->mean);
    free(m->output);
    rv_resampler_free(m->resampler);
    free(m);
}

int rv_mono_rate(const rv_mono *m)
{
    return m->rate;
}

double rv_mono_progress(const rv_mono *m)
{
    const int64_t of = m->voices[0].info->frames_about;
    return of > 0 && m->frames_read < of ? (double)m->frames_read / (double)of : of > 0;
}

/* *n grows to what the voice has of the block. */
static rv_status add_voice(rv_mono *m, voice *v, size_t *n, rv_error *err)
{
    const int channel = v->source->channel, channels = v->info->channels;
    size_t got = 0;
    RV_TRY(rv_audio_reader_read(v->reader, v->planes, BLOCK, &got, err));
    for (size_t i = 0; i < got; i++) {
        double sum = 0;
        for (int c = 0; c < channels; c++)
            sum += (double)v->planes[c][i];
        m->sum[i] += channel < 0 ? sum / channels : (double)v->planes[channel][i];
    }
    *n = got > *n ? got : *n;
    return RV_OK;
}

static rv_status read_block(rv_mono *m, rv_error *err)
{
    size_t n = 0;
    memset(m->sum, 0, BLOCK * sizeof *m->sum);
    for (size_t i = 0; i < m->n_voices; i++)
        RV_TRY(add_voice(m, &m->voices[i], &n, err));
    for (size_t i = 0; i < n; i++)
        m->mean[i] = (float)m->sum[i];
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
