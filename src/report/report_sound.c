/* report_sound.c - see report_sound.h. */
#include "report/report_sound.h"

#include "base/status.h"
#include "io/audio_write.h"
#include "io/ogg_serial.h"
#include "report/report_signal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Vorbis: about 100 kbit/s in stereo, at which differences of separations are heard. */
static const double quality = 0.4;

/* Rates that Vorbis knows how to encode. */
enum { VORBIS_RATE_MIN = 8000, VORBIS_RATE_MAX = 192000 };

typedef struct pass {
    const rv_sound_job *job;
    rv_signal *signal;
    rv_picture *picture;
    rv_audio_writer *writer; /* NULL: nothing is to be heard */
    bool ogg;
    int64_t from, end; /* frames to be heard */
    int64_t position, heard;
} pass;

double rv_sound_bytes_per_second(rv_report_audio audio)
{
    return audio == RV_REPORT_OGG ? 17000 : audio == RV_REPORT_FLAC ? 130000 : 0;
}

static rv_status open_writer(pass *p, rv_error *err)
{
    char *path = NULL;
    const int rate = rv_signal_rate(p->signal);
    p->ogg = p->job->audio == RV_REPORT_OGG && rate >= VORBIS_RATE_MIN && rate <= VORBIS_RATE_MAX;
    const rv_audio_writer_options opt = { .format = p->ogg ? "ogg" : "flac",
                                          .channels = rv_signal_channels(p->signal),
                                          .sample_rate = rate,
                                          .quality = quality };
    if (asprintf(&path, "%s.sound", p->job->path) < 0)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", p->job->path);
    const rv_status status = rv_audio_writer_open(&p->writer, path, &opt, err);
    free(path);
    return status;
}

static rv_status begin(pass *p, const rv_report_lane *lane, rv_error *err)
{
    RV_TRY(rv_signal_open(&p->signal, &lane->sources, err));
    const int rate = rv_signal_rate(p->signal);
    const double frames = p->job->seconds * rate;
    p->from = (int64_t)llrint(fmin(p->job->start * rate, 1e15));
    p->end = p->job->seconds > 0 && frames < 1e15 ? p->from + (int64_t)llrint(frames) : INT64_MAX;
    RV_TRY(rv_picture_new(&p->picture, rate, rv_signal_channels(p->signal), err));
    return p->job->audio == RV_REPORT_NONE ? RV_OK : open_writer(p, err);
}

/* What of the block lies in [from, end). */
static rv_status hear(pass *p, float *const *planes, size_t n, rv_error *err)
{
    const int64_t first = p->from > p->position ? p->from - p->position : 0;
    const int64_t left = p->end - p->position;
    const int64_t last = left < (int64_t)n ? left : (int64_t)n;
    if (!p->writer || first >= last)
        return RV_OK;
    const float *part[2] = { planes[0] + first, planes[rv_signal_channels(p->signal) - 1] + first };
    p->heard += last - first;
    return rv_audio_writer_write(p->writer, part, (size_t)(last - first), err);
}

static rv_status read_all(pass *p, rv_error *err)
{
    const int64_t of = rv_signal_length(p->signal);
    for (;;) {
        float *const *planes = NULL;
        size_t n = 0;
        RV_TRY(rv_signal_next(p->signal, &planes, &n, err));
        if (n == 0)
            break;
        rv_picture_add(p->picture, planes, n);
        RV_TRY(hear(p, planes, n, err));
        p->position += (int64_t)n;
        RV_TRY(p->job->progress(p->job->ctx, of > 0 ? fmin(1, (double)p->position / (double)of) : 0,
                                err));
    }
    rv_picture_end(p->picture);
    return RV_OK;
}

/* A song that ends before `start` has nothing to be heard. */
static rv_status embed(pass *p, rv_sound *out, const char *id, rv_error *err)
{
    rv_page *page = p->job->page;
    int fd = -1;
    if (!p->writer || p->heard == 0)
        return RV_OK;
    RV_TRY(rv_audio_writer_hold(p->writer, &fd, err));
    if (p->ogg)
        RV_TRY(rv_ogg_fix_serial(fd, p->job->path, err));
    rv_page_print(page, "<script type=\"text/plain\" id=\"%s\">", id);
    const uint64_t before = page->bytes;
    rv_page_base64(page, fd);
    out->bytes = page->bytes - before;
    rv_page_print(page, "</script>\n");
    out->type = p->ogg ? "audio/ogg" : "audio/flac";
    out->from = (double)p->from / rv_signal_rate(p->signal);
    out->length = (double)p->heard / rv_signal_rate(p->signal);
    return rv_sink_check(&page->sink, err);
}

rv_status rv_sound_write(rv_sound *out, const rv_sound_job *job, const rv_report_lane *lane,
                         const char *id, rv_error *err)
{
    pass p = { .job = job };
    *out = (rv_sound){ 0 };
    rv_status status = begin(&p, lane, err);
    if (status == RV_OK)
        status = read_all(&p, err);
    if (status == RV_OK)
        status = embed(&p, out, id, err);
    if (status == RV_OK) {
        out->picture = p.picture;
        out->rate = rv_signal_rate(p.signal);
        out->channels = rv_signal_channels(p.signal);
    } else {
        rv_picture_free(p.picture);
    }
    rv_audio_writer_free(p.writer);
    rv_signal_free(p.signal);
    return status;
}
