/* sndfile_read.c - WAV, AIFF, FLAC, Ogg Vorbis, Opus and more by libsndfile. */
#include "base/status.h"
#include "io/audio_order.h"
#include "io/audio_source.h"

#include <errno.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    audio_source source;
    SNDFILE *file;
    char *path;
    int64_t guess; /* MP3 without a Xing header: libsndfile reads no further than here, else -1 */
    int64_t position;
    bool ogg;
} sndfile_source;

static void sndfile_close(audio_source *source)
{
    sndfile_source *s = (sndfile_source *)source;
    if (s->file)
        sf_close(s->file);
    free(s->path);
    free(s);
}

static rv_status sndfile_read(audio_source *source, float *x, size_t frames, size_t *got,
                              rv_error *err)
{
    sndfile_source *s = (sndfile_source *)source;
    const sf_count_t n = sf_readf_float(s->file, x, (sf_count_t)frames);
    if (n < 0)
        return RV_FAIL(err, RV_ERR_IO, "%s: at frame %lld: %s", s->path, (long long)s->position,
                       sf_strerror(s->file));
    if (s->ogg)
        rv_order_from_vorbis(x, (size_t)n, s->source.info.channels);
    s->position += n;
    if (n == 0 && s->position == s->guess)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "%s: an MP3 file without a length header, which only FFmpeg reads to its "
                       "end; this is a build without FFmpeg",
                       s->path);
    *got = (size_t)n;
    return RV_OK;
}

static rv_status sndfile_seek(audio_source *source, int64_t frame, rv_error *err)
{
    sndfile_source *s = (sndfile_source *)source;
    if (sf_seek(s->file, frame, SEEK_SET) != frame)
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot seek to frame %lld: %s", s->path,
                       (long long)frame, sf_strerror(s->file));
    s->position = frame;
    return RV_OK;
}

/* Formats in which libsndfile's seeking gives the same samples as reading up to there. */
static bool seeks_exactly(const SF_INFO *info)
{
    switch (info->format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_WAV:
    case SF_FORMAT_WAVEX:
    case SF_FORMAT_RF64:
    case SF_FORMAT_AIFF:
    case SF_FORMAT_FLAC:
        return info->seekable && info->frames >= 0 && info->frames < SF_COUNT_MAX;
    default:
        return false;
    }
}

static const char *format_name(int format)
{
    static const struct {
        int type;
        const char *name;
    } names[] = {
        { SF_FORMAT_WAV, "WAV" },   { SF_FORMAT_WAVEX, "WAV" }, { SF_FORMAT_RF64, "RF64" },
        { SF_FORMAT_AIFF, "AIFF" }, { SF_FORMAT_FLAC, "FLAC" }, { SF_FORMAT_OGG, "Ogg" },
        { SF_FORMAT_MPEG, "MP3" },  { SF_FORMAT_CAF, "CAF" },   { SF_FORMAT_AU, "AU" },
        { SF_FORMAT_W64, "W64" },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((format & SF_FORMAT_TYPEMASK) == names[i].type)
            return names[i].name;
    return "audio";
}

/* A length that libsndfile does not know is SF_COUNT_MAX (FLAC from a pipe, Ogg without an end). */
static void describe(sndfile_source *s, const SF_INFO *info, const audio_claim *claim)
{
    const bool mpeg = (info->format & SF_FORMAT_TYPEMASK) == SF_FORMAT_MPEG;
    const bool known = info->frames >= 0 && info->frames < SF_COUNT_MAX;
    s->source.seek = seeks_exactly(info) ? sndfile_seek : NULL;
    s->ogg = (info->format & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG;
    s->source.info = (rv_audio_info){
        .channels = info->channels,
        .sample_rate = info->samplerate,
        .frames = mpeg    ? claim->frames
                  : known ? info->frames
                          : -1,
        .frames_about = known ? info->frames : -1,
        .format = format_name(info->format),
    };
    s->source.least = mpeg && claim->about >= 0 ? claim->about - claim->slack : 0;
    s->guess = mpeg && claim->frames < 0 ? info->frames : -1;
}

rv_status rv_sndfile_open(audio_source **out, const char *path, const audio_claim *claim,
                          rv_error *err)
{
    sndfile_source *s = calloc(1, sizeof *s);
    if (!s || !(s->path = strdup(path))) {
        free(s);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    }
    SF_INFO info = { 0 };
    s->source.read = sndfile_read;
    s->source.close = sndfile_close;
    s->file = sf_open(path, SFM_READ, &info);
    if (!s->file) {
        const int code = sf_error(NULL);
        sndfile_close(&s->source);
        return RV_FAIL(err, code == SF_ERR_UNRECOGNISED_FORMAT ? RV_ERR_UNSUPPORTED : RV_ERR_FORMAT,
                       "%s: %s", path, sf_error_number(code));
    }
    describe(s, &info, claim);
    *out = &s->source;
    return RV_OK;
}
