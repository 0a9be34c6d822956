/* source.c - file -> [mean of channels] -> resampler -> [channel repeated]. */
#include "infer/source.h"

#include "base/status.h"
#include "dsp/resample.h"

#include <stdlib.h>

enum { BLOCK = 32768, LEAST_RATE = 8000, MOST_RATE = 192000 };

struct rv_source {
    rv_audio_reader *reader;
    rv_resampler *resampler; /* NULL: equal rates */
    rv_source_format format;
    size_t lanes; /* planes that are resampled */
    float *memory;
    float **file, **out;  /* [file_channels][BLOCK], [lanes][BLOCK] */
    const float **planes; /* [channels], what the caller sees */
    const float **rest;   /* [lanes], of the file's block, not yet resampled */
    size_t held, used;    /* frames of the file's block */
    bool ended;
    uint64_t frames, whole; /* read in this pass; in a whole one */
};

static rv_status choose_format(rv_source *s, const char *path, size_t channels, int rate,
                               rv_error *err)
{
    const rv_audio_info *info = rv_audio_reader_info(s->reader);
    rv_source_format *f = &s->format;
    f->file_channels = (size_t)info->channels;
    f->channels = channels ? channels : f->file_channels;
    f->file_rate = info->sample_rate;
    f->rate = info->sample_rate;
    if (rate)
        f->rate = rate;
    else if (f->rate < LEAST_RATE || f->rate > MOST_RATE)
        f->rate = f->rate < LEAST_RATE ? LEAST_RATE : MOST_RATE;
    if (f->channels != f->file_channels && f->channels != 1 && f->file_channels != 1)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "%s: has %zu channels, the model takes %zu: mix it down first, or use -m "
                       "classic, which takes any",
                       path, f->file_channels, f->channels);
    s->lanes = f->channels == 1 || f->file_channels == 1 ? 1 : f->channels;
    return RV_OK;
}

static rv_status take_memory(rv_source *s, rv_error *err)
{
    const size_t n = s->format.file_channels + s->lanes;
    s->memory = malloc(n * BLOCK * sizeof *s->memory);
    s->file = calloc(n, sizeof *s->file);
    s->planes = calloc(s->format.channels, sizeof *s->planes);
    s->rest = calloc(s->lanes, sizeof *s->rest);
    if (!s->memory || !s->file || !s->planes || !s->rest)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu channels of audio", n);
    s->out = s->file + s->format.file_channels;
    for (size_t i = 0; i < n; i++)
        s->file[i] = s->memory + i * BLOCK;
    return RV_OK;
}

rv_status rv_source_open(rv_source **out, const char *path, size_t channels, int rate,
                         rv_error *err)
{
    rv_source *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "a source");
    rv_status st = rv_audio_reader_open(&s->reader, path, 0, err);
    if (st == RV_OK)
        st = choose_format(s, path, channels, rate, err);
    if (st == RV_OK)
        st = take_memory(s, err);
    if (st == RV_OK && s->format.rate != s->format.file_rate)
        st = rv_resampler_new(&s->resampler, (int)s->lanes, s->format.file_rate, s->format.rate,
                              err);
    if (st != RV_OK) {
        rv_source_free(s);
        return st;
    }
    *out = s;
    return RV_OK;
}

void rv_source_free(rv_source *s)
{
    if (!s)
        return;
    rv_audio_reader_free(s->reader);
    rv_resampler_free(s->resampler);
    free(s->memory);
    free((void *)s->file);
    free((void *)s->planes);
    free((void *)s->rest);
    free(s);
}

const rv_source_format *rv_source_format_of(const rv_source *s)
{
    return &s->format;
}

uint64_t rv_source_frames_read(const rv_source *s)
{
    return s->frames;
}

uint64_t rv_source_frames_about(const rv_source *s)
{
    const int64_t about = rv_audio_reader_info(s->reader)->frames_about;
    return s->whole ? s->whole : about > 0 ? (uint64_t)about : 0;
}

rv_status rv_source_rewind(rv_source *s, rv_error *err)
{
    RV_TRY(rv_audio_reader_rewind(s->reader, err));
    if (s->resampler)
        RV_TRY(rv_resampler_reset(s->resampler, err));
    s->held = s->used = 0;
    s->ended = false;
    s->frames = 0;
    return RV_OK;
}

/* The mean over the channels, into the first plane. */
static void mix_down(const rv_source *s, size_t frames)
{
    for (size_t t = 0; t < frames; t++) {
        float sum = 0;
        for (size_t c = 0; c < s->format.file_channels; c++)
            sum += s->file[c][t];
        s->file[0][t] = sum / (float)s->format.file_channels;
    }
}

static rv_status read_block(rv_source *s, rv_error *err)
{
    RV_TRY(rv_audio_reader_read(s->reader, s->file, BLOCK, &s->held, err));
    s->used = 0;
    s->frames += s->held;
    if (s->held == 0) {
        s->ended = true;
        s->whole = s->frames;
    }
    if (s->lanes < s->format.file_channels)
        mix_down(s, s->held);
    return RV_OK;
}

static rv_status resample(rv_source *s, size_t *made, rv_error *err)
{
    *made = 0;
    while (*made == 0) {
        size_t used = 0;
        if (s->used == s->held && !s->ended)
            RV_TRY(read_block(s, err));
        for (size_t i = 0; i < s->lanes; i++)
            s->rest[i] = s->file[i] + s->used;
        RV_TRY(rv_resampler_process(s->resampler, s->ended ? NULL : s->rest, s->held - s->used,
                                    &used, s->out, BLOCK, made, err));
        s->used += used;
        if (s->ended)
            break;
    }
    return RV_OK;
}

rv_status rv_source_next(rv_source *s, const float *const **planes, size_t *frames, rv_error *err)
{
    float **from = s->resampler ? s->out : s->file;
    if (s->resampler) {
        RV_TRY(resample(s, frames, err));
    } else {
        RV_TRY(read_block(s, err));
        *frames = s->held;
    }
    for (size_t c = 0; c < s->format.channels; c++)
        s->planes[c] = from[s->lanes == 1 ? 0 : c];
    *planes = s->planes;
    return RV_OK;
}
