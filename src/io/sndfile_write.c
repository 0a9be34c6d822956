/* sndfile_write.c - FLAC, Ogg Vorbis, Opus, MP3 and AIFF by libsndfile, into an audio_sink. */
#include "base/status.h"
#include "io/audio_encoder.h"
#include "io/audio_order.h"

#include <errno.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    audio_encoder encoder;
    audio_sink *sink;
    SNDFILE *file;
    int channels;
    bool ogg;
} sndfile_encoder;

typedef struct {
    const char *name;
    int format, bits; /* libsndfile's; 0 bits: lossy, any */
    double quality;   /* default */
} sndfile_kind;

/* MP3 at its best is 320 kb/s at 44.1 kHz, which is what the reference writes. */
static const sndfile_kind kinds[] = {
    { "flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16, 0 },
    { "flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 24, 0 },
    { "aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 16, 0 },
    { "aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_24, 24, 0 },
    { "aiff", SF_FORMAT_AIFF | SF_FORMAT_FLOAT, 32, 0 },
    { "ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 0, 0.7 },
    { "opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 0, 0.6 },
    { "mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 0, 1 },
};

static sf_count_t sink_length(void *user)
{
    const audio_sink *s = user;
    const off_t here = lseek(s->fd, 0, SEEK_CUR), end = lseek(s->fd, 0, SEEK_END);
    lseek(s->fd, here, SEEK_SET);
    return end;
}

static sf_count_t sink_seek(sf_count_t offset, int whence, void *user)
{
    return lseek(((audio_sink *)user)->fd, offset, whence);
}

static sf_count_t sink_read(void *to, sf_count_t n, void *user)
{
    return read(((audio_sink *)user)->fd, to, (size_t)n);
}

static sf_count_t sink_write(const void *from, sf_count_t n, void *user)
{
    return rv_sink_write(user, from, (size_t)n) ? n : 0;
}

static sf_count_t sink_tell(void *user)
{
    return lseek(((audio_sink *)user)->fd, 0, SEEK_CUR);
}

static rv_status sndfile_write(audio_encoder *encoder, void *x, size_t frames, rv_error *err)
{
    sndfile_encoder *e = (sndfile_encoder *)encoder;
    if (e->ogg)
        rv_order_to_vorbis(x, frames, e->channels);
    const sf_count_t want = (sf_count_t)frames;
    const sf_count_t done =
        encoder->integer ? sf_writef_int(e->file, x, want) : sf_writef_float(e->file, x, want);
    RV_TRY(rv_sink_check(e->sink, err));
    if (done != want)
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot be encoded: %s", e->sink->path,
                       sf_strerror(e->file));
    return RV_OK;
}

static rv_status sndfile_finish(audio_encoder *encoder, rv_error *err)
{
    sndfile_encoder *e = (sndfile_encoder *)encoder;
    const int failed = sf_close(e->file);
    e->file = NULL;
    RV_TRY(rv_sink_check(e->sink, err));
    if (failed)
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot be completed: %s", e->sink->path,
                       sf_error_number(failed));
    return RV_OK;
}

static void sndfile_free(audio_encoder *encoder)
{
    sndfile_encoder *e = (sndfile_encoder *)encoder;
    if (e->file)
        sf_close(e->file);
    free(e);
}

static void set_quality(SNDFILE *file, const sndfile_kind *kind, double quality)
{
    double level = 1 - (quality < 0 ? kind->quality : quality > 1 ? 1 : quality);
    int mode = SF_BITRATE_MODE_CONSTANT;
    if ((kind->format & SF_FORMAT_TYPEMASK) == SF_FORMAT_MPEG)
        sf_command(file, SFC_SET_BITRATE_MODE, &mode, sizeof mode);
    if (kind->bits == 0)
        sf_command(file, SFC_SET_COMPRESSION_LEVEL, &level, sizeof level);
}

static const sndfile_kind *find_kind(const rv_audio_writer_options *opt)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, opt->format) == 0 &&
            (kinds[i].bits == 0 || kinds[i].bits == opt->bits))
            return &kinds[i];
    return NULL;
}

/* The PEAK chunk of a float file holds the time of day. Without it the header is shorter than what
 * is on the disk already, and the rest would be taken for samples; libsndfile writes it again. */
static void drop_peak_chunk(sndfile_encoder *e)
{
    sf_command(e->file, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
    if (ftruncate(e->sink->fd, 0) != 0)
        e->sink->failure = errno;
}

static rv_status open_file(sndfile_encoder *e, const sndfile_kind *kind,
                           const rv_audio_writer_options *opt, rv_error *err)
{
    static const SF_VIRTUAL_IO io = { sink_length, sink_seek, sink_read, sink_write, sink_tell };
    SF_INFO info = { .samplerate = opt->sample_rate,
                     .channels = opt->channels,
                     .format = kind->format };
    /* libsndfile only moves the pointer on */
    e->file = sf_open_virtual((SF_VIRTUAL_IO *)&io, SFM_WRITE, &info, e->sink);
    RV_TRY(rv_sink_check(e->sink, err));
    if (!e->file)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: cannot encode %d channels at %d Hz: %s",
                       e->sink->path, opt->channels, opt->sample_rate, sf_strerror(NULL));
    if ((kind->format & SF_FORMAT_SUBMASK) == SF_FORMAT_FLOAT)
        drop_peak_chunk(e);
    set_quality(e->file, kind, opt->quality);
    return rv_sink_check(e->sink, err);
}

rv_status rv_sndfile_encoder_new(audio_encoder **out, audio_sink *sink,
                                 const rv_audio_writer_options *opt, rv_error *err)
{
    const sndfile_kind *kind = find_kind(opt);
    if (!kind)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: %s does not hold %d-bit samples", sink->path,
                       opt->format, opt->bits);
    sndfile_encoder *e = calloc(1, sizeof *e);
    if (!e)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", sink->path);
    e->sink = sink;
    e->channels = opt->channels;
    e->ogg = (kind->format & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG;
    e->encoder = (audio_encoder){ kind->bits == 16 || kind->bits == 24, kind->bits == 0,
                                  sndfile_write, sndfile_finish, sndfile_free };
    *out = &e->encoder;
    return open_file(e, kind, opt, err);
}
