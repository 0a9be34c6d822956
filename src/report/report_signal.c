/* report_signal.c - see report_signal.h. */
#include "report/report_signal.h"

#include "base/status.h"
#include "io/audio_read.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = RV_SIGNAL_BLOCK };

struct rv_signal {
    const rv_track_sources *sources;
    rv_audio_reader **readers; /* [sources->n] */
    float *memory;             /* what the planes point into */
    float *in[RV_AUDIO_CHANNELS_MAX];
    float *out[2];
    int rate, channels;
    int64_t length;
};

/* Channels of a source in the sum. */
static int channels_of(const rv_track_source *s, const rv_audio_info *info)
{
    return s->channel == RV_ALL_CHANNELS && info->channels > 1 ? 2 : 1;
}

static rv_status open_source(rv_signal *s, size_t i, int *most, rv_error *err)
{
    const rv_track_source *source = &s->sources->at[i];
    RV_TRY(rv_audio_reader_open(&s->readers[i], source->path, source->stream, err));
    const rv_audio_info *info = rv_audio_reader_info(s->readers[i]);
    if (source->channel >= info->channels)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: channel %d of %d", source->path,
                       source->channel + 1, info->channels);
    if (i > 0 && info->sample_rate != s->rate)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: sample rate of %d Hz; expected %d Hz as in %s",
                       source->path, info->sample_rate, s->rate, s->sources->at[0].path);
    const int channels = channels_of(source, info);
    s->rate = info->sample_rate;
    s->channels = channels > s->channels ? channels : s->channels;
    s->length = info->frames_about > s->length ? info->frames_about : s->length;
    *most = info->channels > *most ? info->channels : *most;
    return RV_OK;
}

static rv_status init(rv_signal *s, rv_error *err)
{
    int most = 1;
    const size_t n = s->sources->n;
    s->readers = calloc(n + 1, sizeof(rv_audio_reader *));
    if (!s->readers)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu files", n);
    for (size_t i = 0; i < n; i++)
        RV_TRY(open_source(s, i, &most, err));
    s->memory = calloc((size_t)most + 2, BLOCK * sizeof(float));
    if (!s->memory)
        return RV_FAIL(err, RV_ERR_NOMEM, "%d channels", most);
    for (int c = 0; c < most + 2; c++)
        *(c < most ? &s->in[c] : &s->out[c - most]) = s->memory + (size_t)c * BLOCK;
    return RV_OK;
}

rv_status rv_signal_open(rv_signal **out, const rv_track_sources *sources, rv_error *err)
{
    rv_signal *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory for a stem");
    s->sources = sources;
    s->length = -1;
    const rv_status status = init(s, err);
    if (status == RV_OK)
        *out = s;
    else
        rv_signal_free(s);
    return status;
}

void rv_signal_free(rv_signal *s)
{
    if (!s)
        return;
    for (size_t i = 0; s->readers && i < s->sources->n; i++)
        rv_audio_reader_free(s->readers[i]);
    free(s->readers);
    free(s->memory);
    free(s);
}

int rv_signal_rate(const rv_signal *s)
{
    return s->rate;
}

int rv_signal_channels(const rv_signal *s)
{
    return s->channels;
}

int64_t rv_signal_length(const rv_signal *s)
{
    return s->length;
}

/* out [channels, got] += what the source has next */
static rv_status add(rv_signal *s, size_t i, size_t *got, rv_error *err)
{
    const rv_track_source *source = &s->sources->at[i];
    const rv_audio_info *info = rv_audio_reader_info(s->readers[i]);
    RV_TRY(rv_audio_reader_read(s->readers[i], s->in, BLOCK, got, err));
    for (int c = 0; c < s->channels; c++) {
        const int from = source->channel != RV_ALL_CHANNELS ? source->channel
                         : info->channels == 1              ? 0
                                                            : c;
        for (size_t t = 0; t < *got; t++)
            s->out[c][t] += s->in[from][t];
    }
    return RV_OK;
}

rv_status rv_signal_next(rv_signal *s, float *const **planes, size_t *n, rv_error *err)
{
    *n = 0;
    for (int c = 0; c < s->channels; c++)
        memset(s->out[c], 0, BLOCK * sizeof(float));
    for (size_t i = 0; i < s->sources->n; i++) {
        size_t got = 0;
        RV_TRY(add(s, i, &got, err));
        *n = got > *n ? got : *n;
    }
    *planes = s->out;
    return RV_OK;
}
