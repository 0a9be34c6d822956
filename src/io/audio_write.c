/* audio_write.c - check what is asked for, convert samples, commit; see audio_write.h. */
#include "io/audio_write.h"

#include "base/status.h"
#include "io/audio_encoder.h"
#include "io/audio_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BLOCK = 4096 }; /* frames encoded at a time */

struct rv_audio_writer {
    audio_sink sink;
    audio_encoder *encoder;
    rv_audio_writer_options opt;
    bool may_be_empty;
    void *interleaved; /* [BLOCK, channels] of float or int32_t */
    int64_t position;  /* frames written */
};

/* What a format can hold; rates end with 0, none: any. */
typedef struct {
    const char *name, *extensions;
    int channels;
    int rates[10];
    bool empty; /* a file without frames is valid */
} format_limits;

static const format_limits formats[] = {
    { "wav", "wav wave", RV_AUDIO_CHANNELS_MAX, { 0 }, true },
    { "flac", "flac", 8, { 0 }, false },
    { "ogg", "ogg oga", RV_AUDIO_CHANNELS_MAX, { 0 }, true },
    { "mp3", "mp3", 2, { 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 0 }, false },
    { "opus", "opus", RV_AUDIO_CHANNELS_MAX, { 8000, 12000, 16000, 24000, 48000, 0 }, false },
    { "aiff", "aiff aif", RV_AUDIO_CHANNELS_MAX, { 0 }, true },
};

/* Whether `word` of n letters stands in a list of words separated by blanks. */
static bool in_list(const char *list, const char *word, size_t n)
{
    for (const char *at = list; *at; at += strcspn(at, " "), at += *at == ' ')
        if (strcspn(at, " ") == n && strncasecmp(at, word, n) == 0)
            return true;
    return false;
}

static rv_status find_format(const format_limits **out, const char *path, const char *asked,
                             rv_error *err)
{
    const char *name = strrchr(path, '/');
    const char *dot = strrchr(name ? name : path, '.');
    const char *word = asked ? asked : dot ? dot + 1 : "";
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (in_list(asked ? formats[i].name : formats[i].extensions, word, strlen(word))) {
            *out = &formats[i];
            return RV_OK;
        }
    }
    return RV_FAIL(err, RV_ERR_ARG,
                   "%s: no format for \"%s\"; expected wav, flac, ogg, mp3, opus or aiff", path,
                   word);
}

static rv_status check_rate(const format_limits *format, const char *path, int rate, rv_error *err)
{
    char allowed[200] = "";
    size_t n = 0;
    for (const int *r = format->rates; *r; r++) {
        if (*r == rate)
            return RV_OK;
        n += (size_t)snprintf(allowed + n, sizeof allowed - n, "%s%d", n ? ", " : "", *r);
    }
    if (n == 0 && rate >= RV_AUDIO_RATE_MIN && rate <= RV_AUDIO_RATE_MAX)
        return RV_OK;
    if (n == 0)
        return RV_FAIL(err, RV_ERR_ARG, "%s: sample rate of %d Hz; expected %d to %d", path, rate,
                       RV_AUDIO_RATE_MIN, RV_AUDIO_RATE_MAX);
    return RV_FAIL(err, RV_ERR_ARG, "%s: %s does not hold a sample rate of %d Hz; allowed are %s",
                   path, format->name, rate, allowed);
}

/* Fills in format and bits, and checks the rest against the format. */
static rv_status settle(rv_audio_writer *w, const char *path, rv_error *err)
{
    rv_audio_writer_options *opt = &w->opt;
    const format_limits *format = NULL;
    RV_TRY(find_format(&format, path, opt->format, err));
    opt->format = format->name;
    w->may_be_empty = format->empty;
    opt->bits = opt->bits ? opt->bits : 16;
    if (opt->bits != 16 && opt->bits != 24 && opt->bits != 32)
        return RV_FAIL(err, RV_ERR_ARG, "%s: %d bits; expected 16, 24 or 32 (float)", path,
                       opt->bits);
    if (opt->channels < 1 || opt->channels > format->channels)
        return RV_FAIL(err, RV_ERR_ARG, "%s: %s holds 1 to %d channels, not %d", path, format->name,
                       format->channels, opt->channels);
    if (isnan(opt->quality))
        return RV_FAIL(err, RV_ERR_ARG, "%s: quality is NaN; expected 0 to 1", path);
    return check_rate(format, path, opt->sample_rate, err);
}

rv_audio_writer_options rv_audio_writer_defaults(void)
{
    return (rv_audio_writer_options){ .bits = 16, .quality = -1 };
}

static rv_status fill_writer(rv_audio_writer *w, const char *path, rv_error *err)
{
    RV_TRY(settle(w, path, err));
    w->interleaved = malloc(sizeof(float) * BLOCK * (size_t)w->opt.channels);
    if (!w->interleaved)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    RV_TRY(rv_sink_open(&w->sink, path, err));
    if (strcmp(w->opt.format, "wav") == 0)
        return rv_wav_encoder_new(&w->encoder, &w->sink, &w->opt, err);
    return rv_sndfile_encoder_new(&w->encoder, &w->sink, &w->opt, err);
}

rv_status rv_audio_writer_open(rv_audio_writer **out, const char *path,
                               const rv_audio_writer_options *opt, rv_error *err)
{
    rv_audio_writer *w = malloc(sizeof *w);
    if (!w)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    *w = (rv_audio_writer){ .opt = *opt, .sink = { .fd = -1 } };
    const rv_status status = fill_writer(w, path, err);
    if (status == RV_OK)
        *out = w;
    else
        rv_audio_writer_free(w);
    return status;
}

void rv_audio_writer_free(rv_audio_writer *w)
{
    if (!w)
        return;
    if (w->encoder)
        w->encoder->free(w->encoder); /* before the sink: it may write its last bytes */
    rv_sink_discard(&w->sink);
    free(w->interleaved);
    free(w);
}

/* round(x 2^(bits-1)), clamped, in the top bits of 32 */
static int32_t quantise(float x, int bits)
{
    const double full = ldexp(1, bits - 1);
    const double y = nearbyint((double)x * full);
    const double clamped = y < -full ? -full : y > full - 1 ? full - 1 : y;
    return (int32_t)((uint32_t)(int32_t)clamped << (32 - bits));
}

static void store(const rv_audio_writer *w, size_t at, float x)
{
    if (w->encoder->integer)
        ((int32_t *)w->interleaved)[at] = quantise(x, w->opt.bits);
    else
        ((float *)w->interleaved)[at] = w->encoder->clamp ? fmaxf(-1, fminf(1, x)) : x;
}

/* planar[c][from..from+n) -> [n,C] as the encoder wants it */
static rv_status interleave(const rv_audio_writer *w, const float *const *planar, size_t from,
                            size_t n, rv_error *err)
{
    const size_t channels = (size_t)w->opt.channels;
    for (size_t c = 0; c < channels; c++) {
        for (size_t t = 0; t < n; t++) {
            const float x = planar[c][from + t];
            if (!isfinite(x))
                return RV_FAIL(err, RV_ERR_FORMAT,
                               "%s: sample of channel %zu at frame %lld is %s; expected a number",
                               w->sink.path, c, (long long)(w->position + (int64_t)t),
                               isnan(x) ? "NaN" : "infinite");
            store(w, t * channels + c, x);
        }
    }
    return RV_OK;
}

rv_status rv_audio_writer_write(rv_audio_writer *w, const float *const *planar, size_t frames,
                                rv_error *err)
{
    for (size_t done = 0; done < frames;) {
        const size_t n = frames - done < BLOCK ? frames - done : BLOCK;
        RV_TRY(interleave(w, planar, done, n, err));
        RV_TRY(w->encoder->write(w->encoder, w->interleaved, n, err));
        w->position += (int64_t)n;
        done += n;
    }
    return RV_OK;
}

static rv_status finish(rv_audio_writer *w, rv_error *err)
{
    if (w->position == 0 && !w->may_be_empty)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: %s does not hold a track of 0 frames",
                       w->sink.path, w->opt.format);
    return w->encoder->finish(w->encoder, err);
}

rv_status rv_audio_writer_commit(rv_audio_writer *w, rv_error *err)
{
    RV_TRY(finish(w, err));
    return rv_sink_commit(&w->sink, err);
}

rv_status rv_audio_writer_hold(rv_audio_writer *w, int *fd, rv_error *err)
{
    RV_TRY(finish(w, err));
    *fd = w->sink.fd;
    return rv_sink_check(&w->sink, err);
}
