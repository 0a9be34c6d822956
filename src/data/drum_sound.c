/* drum_sound.c - the samples of a kit: checked, read once for each rate, kept. */
#include "base/status.h"
#include "data/drum_kit_impl.h"
#include "dsp/resample.h"
#include "io/audio_read.h"
#include "io/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES_MAX = 1 << 25, CHUNK = 1 << 16 };

static rv_status fail_in(const rv_drum_kit *k, const drum_layer *layer, rv_status status,
                         const char *text, rv_error *err)
{
    return RV_FAIL(err, status, "%s:%lu: sample \"%s\": %s", k->path, layer->line,
                   rv_show(layer->file, strlen(layer->file)).text, text);
}

/* The file without symbolic links, below the folder; free() it. *missing: it does not exist. */
static rv_status find_file(char **out, bool *missing, const rv_drum_kit *k, const drum_layer *layer,
                           rv_error *err)
{
    const size_t n = strlen(k->folder);
    char *name = malloc(n + strlen(layer->file) + 2);
    if (!name)
        return fail_in(k, layer, RV_ERR_NOMEM, "out of memory", err);
    strcpy(stpcpy(stpcpy(name, k->folder), "/"), layer->file);
    char *real = realpath(name, NULL);
    const int code = errno;
    free(name);
    *missing = !real && code == ENOENT;
    if (!real)
        return fail_in(k, layer, RV_ERR_IO, strerror(code), err);
    if (n > 1 && (strncmp(real, k->folder, n) != 0 || real[n] != '/')) {
        free(real);
        return fail_in(k, layer, RV_ERR_FORMAT, "is not in the folder of the kit", err);
    }
    *out = real;
    return RV_OK;
}

static rv_status open_file(rv_audio_reader **out, bool *missing, const rv_drum_kit *k,
                           const drum_layer *layer, rv_error *err)
{
    char *path = NULL;
    rv_error inner = { .text = "" };
    RV_TRY(find_file(&path, missing, k, layer, err));
    const rv_status status = rv_audio_reader_open(out, path, 0, &inner);
    free(path);
    if (status != RV_OK)
        return fail_in(k, layer, status, inner.text, err);
    if (rv_audio_reader_info(*out)->channels > 2) {
        rv_audio_reader_free(*out);
        *out = NULL;
        return fail_in(k, layer, RV_ERR_FORMAT, "has more than two channels", err);
    }
    return RV_OK;
}

/* Kits lack samples of pieces that nobody missed: such layers go, the first one's error stays. */
static rv_status check_layer(rv_drum_kit *k, drum_layer *layer, bool *missing, rv_error *err)
{
    rv_audio_reader *r = NULL;
    rv_error inner = { .text = "" };
    const rv_status status = open_file(&r, missing, k, layer, &inner);
    rv_audio_reader_free(r);
    if (status != RV_OK && !*missing)
        return RV_FAIL(err, status, "%s", inner.text);
    if (*missing && k->missing++ == 0 && !(k->first_missing = strdup(inner.text)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: checking the samples", k->path);
    return RV_OK;
}

static rv_status check_instrument(rv_drum_kit *k, drum_instrument *instrument, rv_error *err)
{
    for (size_t i = 0; i < instrument->layers;) {
        bool missing = false;
        RV_TRY(check_layer(k, &instrument->layer[i], &missing, err));
        if (missing) {
            free(instrument->layer[i].file);
            memmove(&instrument->layer[i], &instrument->layer[i + 1],
                    (--instrument->layers - i) * sizeof *instrument->layer);
        } else {
            i++;
        }
    }
    return RV_OK;
}

rv_status rv_drum_sounds_check(rv_drum_kit *k, rv_error *err)
{
    for (size_t i = 0; i < k->instruments; i++)
        RV_TRY(check_instrument(k, &k->instrument[i], err));
    return RV_OK;
}

void rv_drum_sound_free(drum_sound *s)
{
    if (!s)
        return;
    free(s->plane[0]);
    free(s->plane[1]);
    free(s);
}

void rv_drum_sounds_free(drum_layer *layer)
{
    while (layer->sounds) {
        drum_sound *next = layer->sounds->next;
        rv_drum_sound_free(layer->sounds);
        layer->sounds = next;
    }
}

static bool grow(drum_sound *s, size_t frames)
{
    for (int c = 0; c < 2; c++) {
        float *plane = realloc(s->plane[c], (frames + 1) * sizeof *plane);
        if (!plane)
            return false;
        s->plane[c] = plane;
    }
    return true;
}

/* All of a file; a mono one stands in both planes. */
static rv_status read_all(drum_sound *s, rv_audio_reader *r, rv_error *err)
{
    const bool mono = rv_audio_reader_info(r)->channels == 1;
    size_t got = CHUNK;
    for (s->frames = 0; got == CHUNK; s->frames += got) {
        if (s->frames >= FRAMES_MAX)
            return RV_FAIL(err, RV_ERR_FORMAT, "longer than %d frames", FRAMES_MAX);
        if (!grow(s, s->frames + CHUNK))
            return RV_FAIL(err, RV_ERR_NOMEM, "out of memory");
        float *const at[2] = { s->plane[0] + s->frames, s->plane[1] + s->frames };
        RV_TRY(rv_audio_reader_read(r, at, CHUNK, &got, err));
        if (mono)
            memcpy(at[1], at[0], got * sizeof **at);
    }
    return RV_OK;
}

static rv_status pump(rv_resampler *r, const drum_sound *in, drum_sound *out, rv_error *err)
{
    const size_t room = out->frames;
    size_t taken = 0, used = 0, made = 0;
    bool ended = false;
    for (out->frames = 0; out->frames < room && !(ended && made == 0); out->frames += made) {
        const float *const from[2] = { in->plane[0] + taken, in->plane[1] + taken };
        float *const to[2] = { out->plane[0] + out->frames, out->plane[1] + out->frames };
        ended = taken == in->frames;
        RV_TRY(rv_resampler_process(r, ended ? NULL : from, in->frames - taken, &used, to,
                                    room - out->frames, &made, err));
        taken += used;
    }
    return RV_OK;
}

/* From in_rate to s->rate, in place. */
static rv_status resample(drum_sound *s, int in_rate, rv_error *err)
{
    rv_resampler *r = NULL;
    drum_sound out = { .frames = rv_resampled_length(s->frames, in_rate, s->rate) };
    if (in_rate == s->rate || s->frames == 0)
        return RV_OK;
    if (out.frames > FRAMES_MAX)
        return RV_FAIL(err, RV_ERR_FORMAT, "longer than %d frames", FRAMES_MAX);
    RV_TRY(rv_resampler_new(&r, 2, in_rate, s->rate, err));
    rv_status status = grow(&out, out.frames) ? pump(r, s, &out, err)
                                              : RV_FAIL(err, RV_ERR_NOMEM, "out of memory");
    rv_resampler_free(r);
    for (int c = 0; c < 2; c++) {
        float *const replaced = s->plane[c];
        s->plane[c] = out.plane[c];
        free(replaced);
    }
    s->frames = out.frames;
    return status;
}

rv_status rv_drum_sound_retune(drum_sound **out, const drum_sound *from, size_t frames,
                               double ratio, rv_error *err)
{
    drum_sound *s = calloc(1, sizeof *s);
    if (!s || !grow(s, frames)) {
        rv_drum_sound_free(s);
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory for %zu frames of a drum", frames);
    }
    s->rate = from->rate;
    s->frames = frames;
    for (int c = 0; c < 2; c++)
        memcpy(s->plane[c], from->plane[c], frames * sizeof *s->plane[c]);
    const rv_status status = resample(s, (int)lround(from->rate * ratio), err);
    if (status == RV_OK)
        *out = s;
    else
        rv_drum_sound_free(s);
    return status;
}

static rv_status load(drum_sound *s, const rv_drum_kit *k, const drum_layer *layer, rv_error *err)
{
    rv_audio_reader *r = NULL;
    rv_error inner = { .text = "" };
    bool missing;
    RV_TRY(open_file(&r, &missing, k, layer, err));
    /* playing the file as if its rate were higher raises its pitch */
    const double rate = rv_audio_reader_info(r)->sample_rate * pow(2, layer->pitch / 12);
    rv_status status = read_all(s, r, &inner);
    rv_audio_reader_free(r);
    if (status == RV_OK)
        status = resample(s, (int)lround(rate), &inner);
    return status == RV_OK ? RV_OK : fail_in(k, layer, status, inner.text, err);
}

static rv_status add_sound(const rv_drum_kit *k, drum_layer *layer, int rate, rv_error *err)
{
    drum_sound *s = calloc(1, sizeof *s);
    if (!s)
        return fail_in(k, layer, RV_ERR_NOMEM, "out of memory", err);
    s->rate = rate;
    const rv_status status = load(s, k, layer, err);
    if (status != RV_OK) {
        rv_drum_sound_free(s);
        return status;
    }
    s->next = layer->sounds;
    layer->sounds = s;
    return RV_OK;
}

static const drum_sound *find_sound(const drum_layer *layer, int rate)
{
    const drum_sound *s = layer->sounds;
    while (s && s->rate != rate)
        s = s->next;
    return s;
}

rv_status rv_drum_sound_get(const rv_drum_kit *k, drum_layer *layer, int rate,
                            const drum_sound **out, rv_error *err)
{
    pthread_mutex_t *const lock = (pthread_mutex_t *)&k->lock; /* reading is no change of the kit */
    rv_status status = RV_OK;
    pthread_mutex_lock(lock);
    if (!find_sound(layer, rate))
        status = add_sound(k, layer, rate, err);
    *out = find_sound(layer, rate);
    pthread_mutex_unlock(lock);
    return status;
}
