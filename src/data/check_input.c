/* check_input.c - see check_input.h. */
#include "data/check_input.h"

#include "base/status.h"
#include "data/check_signal.h"

#include <stdlib.h>
#include <string.h>

/* Names of formats, of libsndfile's (io/sndfile_read.c) and of FFmpeg's, that keep all samples. */
static bool is_lossless(const char *format)
{
    static const char *const names[] = { "WAV",  "RF64", "AIFF",    "FLAC", "CAF", "AU",      "W64",
                                         "flac", "alac", "wavpack", "tta",  "ape", "TFRecord" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], format) == 0)
            return true;
    return strncmp(format, "pcm_", 4) == 0;
}

/* Lack of memory is not the file's fault. */
static rv_status report(rv_check_input *in, rv_findings *findings, const rv_error *why,
                        rv_error *err)
{
    in->failed = true;
    if (why->status == RV_ERR_NOMEM)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s", why->text);
    return rv_findings_add(
        findings, &(rv_check_finding){ RV_CHECK_ERROR, "unreadable", NULL, in->stem, NULL, 0 }, err,
        "%s; replace the file", why->text);
}

static rv_status report_difference(rv_check_input *in, rv_findings *findings, const char *path,
                                   int rate, rv_error *err)
{
    in->failed = true;
    return rv_findings_add(
        findings, &(rv_check_finding){ RV_CHECK_ERROR, "rate", NULL, in->stem, NULL, rate }, err,
        "%s: %d Hz, unlike the stem's first file (%d Hz); resample one of them", path, rate,
        in->sample_rate);
}

static rv_status check_opened(rv_check_input *in, size_t i, rv_findings *findings, rv_error *err)
{
    const rv_track_source *s = &in->sources->at[i];
    const rv_audio_info *info = rv_audio_reader_info(in->readers[i]);
    const int channels = s->channel == RV_ALL_CHANNELS ? info->channels : 1;
    rv_error why = { 0 };
    rv_audio_reader_allow_not_finite(in->readers[i]);
    in->lossy |= !is_lossless(info->format);
    in->channels = channels > in->channels ? channels : in->channels;
    in->most_channels = info->channels > in->most_channels ? info->channels : in->most_channels;
    if (in->sample_rate == 0)
        in->sample_rate = info->sample_rate;
    if (info->sample_rate != in->sample_rate)
        return report_difference(in, findings, s->path, info->sample_rate, err);
    if (info->frames != 0 && s->channel < info->channels)
        return RV_OK;
    if (info->frames == 0)
        (void)RV_FAIL(&why, RV_ERR_FORMAT, "%s: holds no audio", s->path);
    else
        (void)RV_FAIL(&why, RV_ERR_FORMAT, "%s: %d channels; expected %d at least", s->path,
                      info->channels, s->channel + 1);
    return report(in, findings, &why, err);
}

rv_status rv_check_input_open(rv_check_input *in, const char *stem, const rv_track_sources *sources,
                              rv_findings *findings, rv_error *err)
{
    *in = (rv_check_input){ .stem = stem, .sources = sources };
    in->readers = calloc(sources->n + 1, sizeof *in->readers);
    in->frames = calloc(sources->n + 1, sizeof *in->frames);
    if (!in->readers || !in->frames)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu files of a stem", sources->n);
    for (size_t i = 0; i < sources->n; i++) {
        const rv_track_source *s = &sources->at[i];
        rv_error why = { 0 };
        if (rv_audio_reader_open(&in->readers[i], s->path, s->stream, &why) != RV_OK)
            RV_TRY(report(in, findings, &why, err));
        else
            RV_TRY(check_opened(in, i, findings, err));
    }
    if (in->failed || (sources->n == 1 && sources->at[0].channel == RV_ALL_CHANNELS))
        return RV_OK;
    in->block = calloc((size_t)in->most_channels + 1, RV_CHECK_BLOCK * sizeof *in->block);
    return in->block ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu files of a stem", sources->n);
}

void rv_check_input_close(rv_check_input *in)
{
    for (size_t i = 0; in->readers && i < in->sources->n; i++)
        rv_audio_reader_free(in->readers[i]);
    free(in->readers);
    free(in->frames);
    free(in->block);
    *in = (rv_check_input){ 0 };
}

/* planes[channels][got] += what file i has; a mono file sounds on all channels */
static rv_status add_file(rv_check_input *in, size_t i, float *const *planes, size_t *got,
                          rv_error *why)
{
    const int channels = rv_audio_reader_info(in->readers[i])->channels;
    const int chosen = in->sources->at[i].channel;
    float *x[RV_AUDIO_CHANNELS_MAX];
    for (int c = 0; c < channels; c++)
        x[c] = in->block + (size_t)c * RV_CHECK_BLOCK;
    RV_TRY(rv_audio_reader_read(in->readers[i], x, RV_CHECK_BLOCK, got, why));
    for (int c = 0; c < in->channels; c++) {
        const float *from = chosen != RV_ALL_CHANNELS ? x[chosen] : x[c < channels ? c : 0];
        for (size_t t = 0; t < *got; t++)
            planes[c][t] += from[t];
    }
    return RV_OK;
}

static rv_status read_files(rv_check_input *in, float *const *planes, size_t *got, rv_error *why)
{
    *got = 0;
    if (!in->block) {
        RV_TRY(rv_audio_reader_read(in->readers[0], planes, RV_CHECK_BLOCK, got, why));
        in->frames[0] += (int64_t)*got;
        return RV_OK;
    }
    for (int c = 0; c < in->channels; c++)
        memset(planes[c], 0, RV_CHECK_BLOCK * sizeof *planes[c]);
    for (size_t i = 0; i < in->sources->n; i++) {
        size_t n = 0;
        RV_TRY(add_file(in, i, planes, &n, why));
        in->frames[i] += (int64_t)n;
        *got = n > *got ? n : *got;
    }
    return RV_OK;
}

rv_status rv_check_input_read(rv_check_input *in, float *const *planes, size_t *got,
                              rv_findings *findings, rv_error *err)
{
    rv_error why = { 0 };
    *got = 0;
    if (in->failed || in->sources->n == 0)
        return RV_OK;
    if (read_files(in, planes, got, &why) == RV_OK)
        return RV_OK;
    *got = 0;
    return report(in, findings, &why, err);
}

rv_status rv_check_input_seek(rv_check_input *in, int64_t frame, rv_error *err)
{
    for (size_t i = 0; i < in->sources->n; i++) {
        const int64_t end = in->frames[i];
        RV_TRY(rv_audio_reader_seek(in->readers[i], frame < end ? frame : end, err));
    }
    return RV_OK;
}

int64_t rv_check_input_about(const rv_check_input *in)
{
    int64_t most = 0;
    for (size_t i = 0; i < in->sources->n && in->readers[i]; i++) {
        const int64_t about = rv_audio_reader_info(in->readers[i])->frames_about;
        most = about > most ? about : most;
    }
    return most;
}
