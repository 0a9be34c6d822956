/* audio_wav.c - WAV files with the same bytes for the same samples.
 *
 * libsndfile's own writer dates float files and makes RF64 only for all or none. Here a JUNK chunk
 * keeps the place of the ds64 chunk, and the header is written again at the end: RF64 if a size
 * does not fit 32 bits (EBU Tech 3306), plain WAV otherwise. More than two channels need
 * WAVE_FORMAT_EXTENSIBLE; fewer do without, since many programs cannot read it. */
#include "base/status.h"
#include "io/audio_encoder.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    audio_encoder encoder;
    audio_sink *sink;
    rv_audio_writer_options opt;
    uint64_t data_bytes;
} wav_encoder;

static unsigned char *put(unsigned char *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *at++ = (unsigned char)(value >> 8 * i);
    return at;
}

static unsigned char *put_name(unsigned char *at, const char *name)
{
    memcpy(at, name, 4);
    return at + 4;
}

/* Speakers of the usual layouts of n channels (quad, 5.0, 5.1, 7.1), 0: not said. */
static unsigned speakers(int channels)
{
    static const unsigned mask[] = { 0, 0x4, 0x3, 0x7, 0x33, 0x37, 0x3f, 0x70f, 0x63f };
    return channels < (int)(sizeof mask / sizeof *mask) ? mask[channels] : 0;
}

static unsigned char *put_format(unsigned char *at, const rv_audio_writer_options *opt)
{
    const unsigned bytes = (unsigned)opt->bits / 8, channels = (unsigned)opt->channels;
    const unsigned rate = (unsigned)opt->sample_rate, kind = opt->bits == 32 ? 3 : 1;
    const bool extensible = channels > 2;
    at = put(put_name(at, "fmt "), extensible ? 40 : 16, 4);
    at = put(put(at, extensible ? 0xfffe : kind, 2), channels, 2);
    at = put(put(at, rate, 4), (uint64_t)rate * bytes * channels, 4);
    at = put(put(at, bytes * channels, 2), (uint64_t)opt->bits, 2);
    if (!extensible)
        return at;
    static const unsigned char guid_tail[] = { 0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113 };
    at = put(put(at, 22, 2), (uint64_t)opt->bits, 2);
    at = put(put(at, speakers(opt->channels), 4), kind, 2);
    memcpy(at, guid_tail, sizeof guid_tail);
    return at + sizeof guid_tail;
}

size_t rv_wav_header(unsigned char *header, const rv_audio_writer_options *opt, uint64_t data_bytes)
{
    const uint64_t frames = data_bytes / ((uint64_t)opt->bits / 8 * (uint64_t)opt->channels);
    const uint64_t fact = opt->bits == 32 ? 12 : 0, format = opt->channels > 2 ? 48 : 24;
    const uint64_t length = 12 + 36 + format + fact + 8;
    const uint64_t riff_bytes = length - 8 + data_bytes + (data_bytes & 1);
    const bool wide = riff_bytes > 0xffffffffu;
    unsigned char *at = put_name(header, wide ? "RF64" : "RIFF");
    at = put_name(put(at, wide ? 0xffffffffu : riff_bytes, 4), "WAVE");
    at = put(put_name(at, wide ? "ds64" : "JUNK"), 28, 4);
    at =
        put(put(put(at, wide ? riff_bytes : 0, 8), wide ? data_bytes : 0, 8), wide ? frames : 0, 8);
    at = put_format(put(at, 0, 4), opt);
    if (fact)
        at = put(put(put_name(at, "fact"), 4, 4), wide ? 0xffffffffu : frames, 4);
    at = put(put_name(at, "data"), wide ? 0xffffffffu : data_bytes, 4);
    return (size_t)(at - header);
}

/* Little-endian samples of `bytes` bytes, in place of the 32-bit ones: the top bytes of each. */
static rv_status wav_write(audio_encoder *encoder, void *interleaved, size_t frames, rv_error *err)
{
    wav_encoder *e = (wav_encoder *)encoder;
    enum { CHUNK = 1024 };
    unsigned char packed[CHUNK * 4];
    const unsigned char *from = interleaved;
    const int bytes = e->opt.bits / 8;
    for (size_t left = frames * (size_t)e->opt.channels; left > 0;) {
        const size_t n = left < CHUNK ? left : CHUNK;
        unsigned char *at = packed;
        for (size_t i = 0; i < n; i++, from += 4) {
            uint32_t word;
            memcpy(&word, from, 4);
            at = put(at, word >> (32 - 8 * bytes), bytes);
        }
        rv_sink_write(e->sink, packed, (size_t)(at - packed));
        e->data_bytes += (uint64_t)(at - packed);
        left -= n;
    }
    return rv_sink_check(e->sink, err);
}

static rv_status wav_finish(audio_encoder *encoder, rv_error *err)
{
    wav_encoder *e = (wav_encoder *)encoder;
    unsigned char header[RV_WAV_HEADER_MAX];
    const size_t n = rv_wav_header(header, &e->opt, e->data_bytes);
    if (e->data_bytes & 1)
        rv_sink_write(e->sink, "", 1); /* chunks are padded to even sizes */
    if (rv_sink_seek(e->sink, 0))
        rv_sink_write(e->sink, header, n);
    return rv_sink_check(e->sink, err);
}

static void wav_free(audio_encoder *encoder)
{
    free(encoder);
}

rv_status rv_wav_encoder_new(audio_encoder **out, audio_sink *sink,
                             const rv_audio_writer_options *opt, rv_error *err)
{
    unsigned char header[RV_WAV_HEADER_MAX];
    wav_encoder *e = malloc(sizeof *e);
    if (!e)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", sink->path);
    *e = (wav_encoder){ .sink = sink, .opt = *opt };
    e->encoder = (audio_encoder){ opt->bits != 32, false, wav_write, wav_finish, wav_free };
    *out = &e->encoder;
    rv_sink_write(sink, header, rv_wav_header(header, opt, 0));
    return rv_sink_check(sink, err);
}
