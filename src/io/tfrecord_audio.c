/* tfrecord_audio.c - see tfrecord_audio.h. */
#include "io/tfrecord_audio.h"

#include "io/tf_example.h"
#include "io/tfrecord.h"

#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 2 };

typedef struct tfrecord_source {
    audio_source base;
    rv_tfrecords *file;
    const unsigned char *channel[CHANNELS]; /* [frames] floats at any address */
    int64_t at;
} tfrecord_source;

bool rv_tfrecord_is(const char *path)
{
    const char *name = strrchr(path, '/');
    const char *end = strstr(name ? name : path, ".tfrecord");
    return end && (end[9] == '\0' || end[9] == '-');
}

static rv_status read_frames(audio_source *base, float *interleaved, size_t frames, size_t *got,
                             rv_error *err)
{
    (void)err;
    tfrecord_source *s = (tfrecord_source *)base;
    const size_t left = (size_t)(base->info.frames - s->at), n = frames < left ? frames : left;
    for (size_t t = 0; t < n; t++)
        for (size_t c = 0; c < CHANNELS; c++)
            memcpy(interleaved + t * CHANNELS + c,
                   s->channel[c] + ((size_t)s->at + t) * sizeof(float), sizeof(float));
    s->at += (int64_t)n;
    *got = n;
    return RV_OK;
}

static rv_status seek_frame(audio_source *base, int64_t frame, rv_error *err)
{
    (void)err;
    ((tfrecord_source *)base)->at = frame;
    return RV_OK;
}

static void close_source(audio_source *base)
{
    tfrecord_source *s = (tfrecord_source *)base;
    rv_tfrecords_free(s->file);
    free(s);
}

typedef struct record {
    const unsigned char *bytes;
    size_t n;
    rv_tfrecord_place place;
} record;

static rv_status find_samples(tfrecord_source *s, int c, const record *r, rv_error *err)
{
    static const char *const keys[CHANNELS] = { "audio/inputs", "audio/targets" };
    rv_tf_list list;
    size_t n = 0;
    if (!rv_tf_find(&list, r->bytes, r->n, keys[c], RV_TF_BYTES) ||
        !rv_tf_bytes(&list, &s->channel[c], &n))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: no bytes named \"%s\"", r->place.text, keys[c]);
    const int64_t frames = (int64_t)(n / sizeof(float));
    if (n % sizeof(float) || frames == 0 || (c > 0 && frames != s->base.info.frames))
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: \"%s\" has %zu bytes; expected floats, as many as \"%s\"",
                       r->place.text, keys[c], n, keys[1 - c]);
    s->base.info.frames = s->base.info.frames_about = frames;
    return RV_OK;
}

static rv_status find_rate(tfrecord_source *s, const record *r, rv_error *err)
{
    rv_tf_list list;
    int64_t rate = 0;
    if (!rv_tf_find(&list, r->bytes, r->n, "audio/sample_rate", RV_TF_INTEGERS) ||
        !rv_tf_integer(&list, &rate) || rate < RV_AUDIO_RATE_MIN || rate > RV_AUDIO_RATE_MAX)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: no \"audio/sample_rate\" from %d to %d Hz",
                       r->place.text, RV_AUDIO_RATE_MIN, RV_AUDIO_RATE_MAX);
    s->base.info.sample_rate = (int)rate;
    return RV_OK;
}

static rv_status fill(tfrecord_source *s, const char *path, int stream, rv_error *err)
{
    RV_TRY(rv_tfrecords_open(&s->file, path, err));
    if (stream < 0 || (size_t)stream >= rv_tfrecords_count(s->file))
        return RV_FAIL(err, RV_ERR_ARG, "%s: no record %d; it has %zu", path, stream,
                       rv_tfrecords_count(s->file));
    record r = { .place = rv_tfrecords_place(s->file, (size_t)stream) };
    RV_TRY(rv_tfrecords_get(s->file, (size_t)stream, &r.bytes, &r.n, err));
    RV_TRY(find_rate(s, &r, err));
    RV_TRY(find_samples(s, 0, &r, err));
    return find_samples(s, 1, &r, err);
}

rv_status rv_tfrecord_audio_open(audio_source **out, const char *path, int stream, rv_error *err)
{
    tfrecord_source *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    s->base = (audio_source){ .info = { .channels = CHANNELS, .format = "TFRecord" },
                              .read = read_frames,
                              .seek = seek_frame,
                              .close = close_source };
    const rv_status status = fill(s, path, stream, err);
    if (status == RV_OK)
        *out = &s->base;
    else
        close_source(&s->base);
    return status;
}
