/* libav_read.c - any file with an audio stream, by FFmpeg's libavformat and libavcodec.
 *
 * libavcodec cuts off the encoder's delay (LAME tag, edit list, pre-skip) and, for most containers,
 * the padding at the end. It leaves the padding of mp4 and m4a, where the duration of the last
 * packet says how much of it is music: one frame is decoded ahead and the last one is shortened
 * here.
 *
 * Packets that cannot be decoded are passed over before the first frame and after the last (tags
 * and other litter); between frames they are an error, since what follows would be shifted. */
#include "base/status.h"
#include "io/audio_source.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <stdlib.h>
#include <string.h>

#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
#    define FRAME_DURATION(frame) ((frame)->duration)
#else
#    define FRAME_DURATION(frame) ((frame)->pkt_duration)
#endif

enum { MP4_SLACK = 4096 }; /* frames by which the length in an mp4 header may be off */

typedef struct {
    audio_source source;
    char *path;
    AVFormatContext *file;
    AVStream *stream;
    AVCodecContext *decoder;
    AVPacket *packet;
    AVFrame *frame, *ahead; /* being handed out; the one after it */
    int used;               /* samples of `frame` handed out */
    int64_t decoded;        /* samples of all frames up to and with `frame` */
    bool mp4;               /* end padding is ours to cut */
    bool damaged;           /* a packet could not be decoded since the last frame */
    bool drained, ended;    /* no more packets; no frame ahead */
} libav_source;

bool rv_libav_present(void)
{
    return true;
}

/* libav's log level is global to the process. It is turned down only where nobody chose it. */
static void quieten(void)
{
    if (av_log_get_level() == AV_LOG_INFO)
        av_log_set_level(AV_LOG_QUIET);
}

static rv_status av_fail(rv_error *err, const char *path, const char *what, int code)
{
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, text, sizeof text);
    const rv_status status = code == AVERROR(ENOMEM)       ? RV_ERR_NOMEM
                             : code == AVERROR_INVALIDDATA ? RV_ERR_FORMAT
                                                           : RV_ERR_IO;
    return RV_FAIL(err, status, "%s: %s: %s", path, what, text);
}

/* "file:" keeps names such as "a:b.mp4" from being taken for a protocol, and the whitelist keeps
 * playlists from reaching out to the network. */
static rv_status open_container(AVFormatContext **out, const char *path, rv_error *err)
{
    quieten();
    char *url = av_asprintf("file:%s", path);
    AVDictionary *options = NULL;
    av_dict_set(&options, "protocol_whitelist", "file", 0);
    int code = url ? avformat_open_input(out, url, NULL, &options) : AVERROR(ENOMEM);
    av_dict_free(&options);
    av_free(url);
    if (code < 0) {
        const rv_status status = code == AVERROR_INVALIDDATA ? RV_ERR_UNSUPPORTED : RV_ERR_FORMAT;
        char text[AV_ERROR_MAX_STRING_SIZE] = "";
        av_strerror(code, text, sizeof text);
        return RV_FAIL(err, status, "%s: FFmpeg: %s", path, text);
    }
    if ((code = avformat_find_stream_info(*out, NULL)) < 0)
        return av_fail(err, path, "FFmpeg finds no streams", code);
    return RV_OK;
}

static int count_audio(const AVFormatContext *file)
{
    int n = 0;
    for (unsigned i = 0; i < file->nb_streams; i++)
        n += file->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
    return n;
}

/* Finds audio stream `index`, and has the container skip all other streams. */
static rv_status choose_stream(libav_source *s, int index, rv_error *err)
{
    int n = 0;
    for (unsigned i = 0; i < s->file->nb_streams; i++) {
        AVStream *stream = s->file->streams[i];
        stream->discard = AVDISCARD_ALL;
        if (stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO && n++ == index) {
            s->stream = stream;
            stream->discard = AVDISCARD_DEFAULT;
        }
    }
    if (s->stream)
        return RV_OK;
    if (n == 0)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: holds no audio stream", s->path);
    return RV_FAIL(err, RV_ERR_ARG, "%s: no audio stream %d; it holds %d, counted from 0", s->path,
                   index, n);
}

static rv_status open_decoder(libav_source *s, rv_error *err)
{
    const AVCodec *codec = avcodec_find_decoder(s->stream->codecpar->codec_id);
    if (!codec)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: this FFmpeg has no decoder for %s", s->path,
                       avcodec_get_name(s->stream->codecpar->codec_id));
    s->decoder = avcodec_alloc_context3(codec);
    s->packet = av_packet_alloc();
    s->frame = av_frame_alloc();
    s->ahead = av_frame_alloc();
    if (!s->decoder || !s->packet || !s->frame || !s->ahead)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", s->path);
    int code = avcodec_parameters_to_context(s->decoder, s->stream->codecpar);
    s->decoder->pkt_timebase = s->stream->time_base;
    s->decoder->thread_count = 1;
    if (code < 0 || (code = avcodec_open2(s->decoder, codec, NULL)) < 0)
        return av_fail(err, s->path, codec->name, code);
    return RV_OK;
}

/* Feeds the decoder one packet of the stream, or the end. */
static rv_status feed(libav_source *s, rv_error *err)
{
    int code = av_read_frame(s->file, s->packet);
    if (code == AVERROR_EOF) {
        s->drained = true;
        avcodec_send_packet(s->decoder, NULL);
        return RV_OK;
    }
    if (code < 0)
        return av_fail(err, s->path, "cannot be read further", code);
    if (s->packet->stream_index == s->stream->index) {
        code = avcodec_send_packet(s->decoder, s->packet);
        s->damaged |= code < 0;
    }
    av_packet_unref(s->packet);
    return code == AVERROR(ENOMEM) ? av_fail(err, s->path, "decoder", code) : RV_OK;
}

/* Decodes the next frame into s->ahead, or sets s->ended. */
static rv_status decode(libav_source *s, rv_error *err)
{
    av_frame_unref(s->ahead);
    while (!s->ended) {
        const int code = avcodec_receive_frame(s->decoder, s->ahead);
        if (code >= 0 && s->ahead->nb_samples > 0)
            break;
        if (code == AVERROR_EOF || (code < 0 && s->drained))
            s->ended = true;
        else if (code == AVERROR(EAGAIN))
            RV_TRY(feed(s, err));
        else if (code < 0)
            s->damaged = true;
    }
    if (!s->ended && s->damaged && s->decoded > 0)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: damaged: cannot be decoded at frame %lld", s->path,
                       (long long)s->decoded);
    s->damaged = false;
    return RV_OK;
}

/* Music in the last frame of an mp4 track; `n` if it has no padding. */
static int without_padding(const libav_source *s, int n)
{
    const AVRational base = s->stream->time_base;
    const int64_t duration = FRAME_DURATION(s->frame);
    const bool exact = base.num == 1 && base.den == s->source.info.sample_rate;
    return s->mp4 && exact && duration > 0 && duration < n ? (int)duration : n;
}

/* The frame ahead becomes the one to hand out; its format must be the stream's. */
static rv_status advance(libav_source *s, rv_error *err)
{
    AVFrame *next = s->ahead;
    s->ahead = s->frame;
    s->frame = next;
    s->used = 0;
    const rv_audio_info *info = &s->source.info;
    if (next->nb_samples > 0 &&
        (next->ch_layout.nb_channels != info->channels || next->sample_rate != info->sample_rate))
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: changes from %d channels at %d Hz to %d at %d Hz at frame %lld",
                       s->path, info->channels, info->sample_rate, next->ch_layout.nb_channels,
                       next->sample_rate, (long long)s->decoded);
    s->decoded += next->nb_samples;
    RV_TRY(decode(s, err));
    if (s->ended && next->nb_samples > 0)
        next->nb_samples = without_padding(s, next->nb_samples);
    return RV_OK;
}

static float sample_at(const uint8_t *bytes, enum AVSampleFormat format, size_t i)
{
    switch (format) {
    case AV_SAMPLE_FMT_U8:
        return (float)(bytes[i] - 128) / 128.0f;
    case AV_SAMPLE_FMT_S16:
        return (float)((const int16_t *)bytes)[i] / 32768.0f;
    case AV_SAMPLE_FMT_S32:
        return (float)((const int32_t *)bytes)[i] / 2147483648.0f;
    case AV_SAMPLE_FMT_S64:
        return (float)((const int64_t *)bytes)[i] / 9223372036854775808.0f;
    case AV_SAMPLE_FMT_DBL:
        return (float)((const double *)bytes)[i];
    case AV_SAMPLE_FMT_FLT:
        return ((const float *)bytes)[i];
    default:
        return NAN;
    }
}

/* Samples [used, used + n) of the frame, planar or not -> x [n,C] */
static void interleave(const libav_source *s, float *x, size_t n)
{
    const enum AVSampleFormat format = (enum AVSampleFormat)s->frame->format;
    const enum AVSampleFormat packed = av_get_packed_sample_fmt(format);
    const size_t channels = (size_t)s->source.info.channels;
    const bool planar = av_sample_fmt_is_planar(format) != 0;
    for (size_t c = 0; c < channels; c++) {
        const uint8_t *from = s->frame->extended_data[planar ? c : 0];
        for (size_t t = 0; t < n; t++) {
            const size_t at = (size_t)s->used + t;
            x[t * channels + c] = sample_at(from, packed, planar ? at : at * channels + c);
        }
    }
}

static rv_status libav_read(audio_source *source, float *x, size_t frames, size_t *got,
                            rv_error *err)
{
    libav_source *s = (libav_source *)source;
    while (s->used >= s->frame->nb_samples) {
        if (s->ended) {
            *got = 0;
            return RV_OK;
        }
        RV_TRY(advance(s, err));
    }
    const size_t left = (size_t)(s->frame->nb_samples - s->used);
    const size_t n = left < frames ? left : frames;
    interleave(s, x, n);
    s->used += (int)n;
    *got = n;
    return RV_OK;
}

static void libav_close(audio_source *source)
{
    libav_source *s = (libav_source *)source;
    av_frame_free(&s->ahead);
    av_frame_free(&s->frame);
    av_packet_free(&s->packet);
    avcodec_free_context(&s->decoder);
    avformat_close_input(&s->file);
    free(s->path);
    free(s);
}

/* The stream's duration or else the file's, in frames; -1: neither is said. */
static int64_t container_length(const libav_source *s, int rate)
{
    if (s->stream->duration > 0)
        return av_rescale_q(s->stream->duration, s->stream->time_base, (AVRational){ 1, rate });
    return s->file->duration > 0 ? av_rescale(s->file->duration, rate, AV_TIME_BASE) : -1;
}

/* Rate and channels come from the first decoded frame: some headers (HE-AAC) tell half of it. */
static rv_status describe(libav_source *s, const audio_claim *claim, rv_error *err)
{
    RV_TRY(decode(s, err));
    if (s->ended)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: holds no audio that can be decoded", s->path);
    const int rate = s->ahead->sample_rate;
    if (rate <= 0)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: sample rate of %d Hz", s->path, rate);
    s->mp4 = strstr(s->file->iformat->name, "mp4") != NULL;
    s->source.info = (rv_audio_info){
        .channels = s->ahead->ch_layout.nb_channels,
        .sample_rate = rate,
        .frames = claim->frames,
        .frames_about = claim->about >= 0 ? claim->about : container_length(s, rate),
        .format = avcodec_get_name(s->stream->codecpar->codec_id),
    };
    s->source.least = claim->about >= 0 ? claim->about - claim->slack
                      : s->mp4          ? s->source.info.frames_about - MP4_SLACK
                                        : 0;
    return RV_OK;
}

rv_status rv_libav_open(audio_source **out, const char *path, int stream, const audio_claim *claim,
                        rv_error *err)
{
    libav_source *s = calloc(1, sizeof *s);
    if (!s || !(s->path = strdup(path))) {
        free(s);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    }
    s->source.read = libav_read;
    s->source.close = libav_close;
    rv_status status = open_container(&s->file, path, err);
    status = status == RV_OK ? choose_stream(s, stream, err) : status;
    status = status == RV_OK ? open_decoder(s, err) : status;
    status = status == RV_OK ? describe(s, claim, err) : status;
    if (status == RV_OK)
        *out = &s->source;
    else
        libav_close(&s->source);
    return status;
}

int rv_libav_stream_count(const char *path, rv_error *err)
{
    AVFormatContext *file = NULL;
    int n = 0;
    if (open_container(&file, path, err) == RV_OK && (n = count_audio(file)) == 0)
        (void)RV_FAIL(err, RV_ERR_FORMAT, "%s: holds no audio stream", path);
    avformat_close_input(&file);
    return n;
}
