/* audio_read.c - choose the decoder, check what it delivers, hand it out planar. */
#include "io/audio_read.h"

#include "base/status.h"
#include "io/audio_source.h"
#include "io/tfrecord_audio.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096 }; /* frames decoded at a time */

struct rv_audio_reader {
    audio_source *source;
    rv_audio_info info;
    char *path;
    int stream;
    float *interleaved; /* [BLOCK, channels] */
    int64_t position;   /* frames handed out */
    bool any_value;     /* also NaN and infinity */
};

/* Neither library could open the file: the message of the one that knew it best. */
static rv_status report_both(const char *path, const rv_error *sndfile, const rv_error *libav,
                             rv_error *err)
{
    const rv_error *best = sndfile->status != RV_ERR_UNSUPPORTED ? sndfile : libav;
    if (best->status != RV_ERR_UNSUPPORTED || !rv_libav_present())
        return RV_FAIL(err, best->status, "%s", best->text);
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: not an audio file that libsndfile or FFmpeg knows",
                   path);
}

/* libsndfile first, but not for MPEG streams: it guesses the length of those without a Xing
 * header, and libmpg123 below it writes warnings to stderr. */
static rv_status open_source(audio_source **out, const char *path, int stream, rv_error *err)
{
    audio_claim claim;
    if (rv_tfrecord_is(path))
        return rv_tfrecord_audio_open(out, path, stream, err);
    RV_TRY(rv_audio_claim(&claim, path, err));
    if (stream < 0)
        return RV_FAIL(err, RV_ERR_ARG, "%s: audio stream %d; expected 0 or more", path, stream);
    rv_error first = { .status = RV_ERR_UNSUPPORTED }, second = first;
    if (stream == 0 && !(claim.mpeg && rv_libav_present()) &&
        rv_sndfile_open(out, path, &claim, &first) == RV_OK)
        return RV_OK;
    if (rv_libav_open(out, path, stream, &claim, &second) == RV_OK)
        return RV_OK;
    return report_both(path, &first, &second, err);
}

static rv_status check_info(const rv_audio_info *info, const char *path, rv_error *err)
{
    if (info->channels < 1 || info->channels > RV_AUDIO_CHANNELS_MAX)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %d channels; expected 1 to %d", path,
                       info->channels, RV_AUDIO_CHANNELS_MAX);
    if (info->sample_rate < RV_AUDIO_RATE_MIN || info->sample_rate > RV_AUDIO_RATE_MAX)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: sample rate of %d Hz; expected %d to %d", path,
                       info->sample_rate, RV_AUDIO_RATE_MIN, RV_AUDIO_RATE_MAX);
    return RV_OK;
}

static rv_status fill_reader(rv_audio_reader *r, const char *path, rv_error *err)
{
    RV_TRY(open_source(&r->source, path, r->stream, err));
    r->info = r->source->info;
    RV_TRY(check_info(&r->info, path, err));
    r->path = strdup(path);
    r->interleaved = malloc(sizeof(float) * BLOCK * (size_t)r->info.channels);
    if (!r->path || !r->interleaved)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    return RV_OK;
}

rv_status rv_audio_reader_open(rv_audio_reader **out, const char *path, int stream, rv_error *err)
{
    rv_audio_reader *r = calloc(1, sizeof *r);
    if (!r)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    r->stream = stream;
    const rv_status status = fill_reader(r, path, err);
    if (status == RV_OK)
        *out = r;
    else
        rv_audio_reader_free(r);
    return status;
}

void rv_audio_reader_free(rv_audio_reader *r)
{
    if (!r)
        return;
    if (r->source)
        r->source->close(r->source);
    free(r->interleaved);
    free(r->path);
    free(r);
}

const rv_audio_info *rv_audio_reader_info(const rv_audio_reader *r)
{
    return &r->info;
}

void rv_audio_reader_allow_not_finite(rv_audio_reader *r)
{
    r->any_value = true;
}

rv_status rv_audio_reader_rewind(rv_audio_reader *r, rv_error *err)
{
    audio_source *again = NULL;
    RV_TRY(open_source(&again, r->path, r->stream, err));
    if (again->info.channels != r->info.channels ||
        again->info.sample_rate != r->info.sample_rate || again->info.frames != r->info.frames) {
        again->close(again);
        return RV_FAIL(err, RV_ERR_IO, "%s: the file has changed since it was opened", r->path);
    }
    r->source->close(r->source);
    r->source = again;
    r->info = again->info;
    r->position = 0;
    return RV_OK;
}

static bool all_finite(const float *x, size_t n)
{
    const uint32_t infinity = 0x7f800000;
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bits &= 0x7fffffff;
        most = bits > most ? bits : most;
    }
    return most < infinity;
}

/* x [n,C], of which a sample is not finite: which one. */
static rv_status report_sample(const rv_audio_reader *r, size_t n, rv_error *err)
{
    const size_t channels = (size_t)r->info.channels;
    const float *x = r->interleaved;
    size_t i = 0;
    while (i + 1 < n * channels && isfinite(x[i]))
        i++;
    return RV_FAIL(err, RV_ERR_FORMAT,
                   "%s: sample of channel %zu at frame %lld is %s; expected a number", r->path,
                   i % channels, (long long)(r->position + (int64_t)(i / channels)),
                   isnan(x[i]) ? "NaN" : "infinite");
}

/* x [n,C] interleaved -> planar[c][at..at+n) */
static rv_status hand_out(rv_audio_reader *r, float *const *planar, size_t at, size_t n,
                          rv_error *err)
{
    const size_t channels = (size_t)r->info.channels;
    const float *x = r->interleaved;
    if (!r->any_value && !all_finite(x, n * channels))
        return report_sample(r, n, err);
    for (size_t c = 0; c < channels; c++)
        for (size_t t = 0; t < n; t++)
            planar[c][at + t] = x[t * channels + c];
    r->position += (int64_t)n;
    return RV_OK;
}

static rv_status check_length(const rv_audio_reader *r, bool ended, rv_error *err)
{
    const int64_t expected = r->info.frames;
    if (expected >= 0 && ended && r->position < expected)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: truncated: the header says %lld frames, found %lld",
                       r->path, (long long)expected, (long long)r->position);
    if (ended && r->position < r->source->least)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: truncated: the header says about %lld frames, found %lld", r->path,
                       (long long)r->info.frames_about, (long long)r->position);
    if (expected >= 0 && r->position > expected)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: goes on after the %lld frames that its header says",
                       r->path, (long long)expected);
    return RV_OK;
}

rv_status rv_audio_reader_read(rv_audio_reader *r, float *const *planar, size_t frames, size_t *got,
                               rv_error *err)
{
    size_t done = 0;
    while (done < frames) {
        const size_t want = frames - done < BLOCK ? frames - done : BLOCK;
        size_t n = 0;
        RV_TRY(r->source->read(r->source, r->interleaved, want, &n, err));
        RV_TRY(hand_out(r, planar, done, n, err));
        RV_TRY(check_length(r, n == 0, err));
        done += n;
        if (n == 0)
            break;
    }
    *got = done;
    return RV_OK;
}

static rv_status skip_to(rv_audio_reader *r, int64_t frame, rv_error *err)
{
    if (frame < r->position)
        RV_TRY(rv_audio_reader_rewind(r, err));
    while (r->position < frame) {
        const int64_t left = frame - r->position;
        size_t n = 0;
        RV_TRY(r->source->read(r->source, r->interleaved, left < BLOCK ? (size_t)left : BLOCK, &n,
                               err));
        if (n == 0)
            break;
        r->position += (int64_t)n;
    }
    RV_TRY(check_length(r, r->position < frame, err));
    if (r->position < frame)
        return RV_FAIL(err, RV_ERR_ARG, "%s: cannot seek to frame %lld; it has %lld", r->path,
                       (long long)frame, (long long)r->position);
    return RV_OK;
}

rv_status rv_audio_reader_seek(rv_audio_reader *r, int64_t frame, rv_error *err)
{
    const int64_t frames = r->info.frames;
    if (frame < 0 || (frames >= 0 && frame > frames))
        return RV_FAIL(err, RV_ERR_ARG, "%s: cannot seek to frame %lld; expected 0 to %lld",
                       r->path, (long long)frame, (long long)frames);
    if (!r->source->seek || frames < 0 || frame == frames) /* libsndfile fails at the end of FLAC */
        return skip_to(r, frame, err);
    RV_TRY(r->source->seek(r->source, frame, err));
    r->position = frame;
    return RV_OK;
}

int rv_audio_stream_count(const char *path, rv_error *err)
{
    rv_error unused;
    audio_claim claim;
    audio_source *source = NULL;
    if (rv_audio_claim(&claim, path, err) != RV_OK)
        return 0;
    if (claim.mpeg && rv_libav_present())
        return rv_libav_stream_count(path, err);
    if (rv_sndfile_open(&source, path, &claim, &unused) == RV_OK) {
        source->close(source);
        return 1;
    }
    return rv_libav_stream_count(path, err);
}
