/* song_audio.c - see song_audio.h. */
#include "eval/song_audio.h"

#include "base/status.h"
#include "data/track_read.h"
#include "io/audio_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

rv_status rv_estimates_folder(char **folder, const char *root, const rv_track *t, rv_error *err)
{
    char *path = NULL, *split = NULL;
    RV_TRY(rv_path_join(&path, root, t->name, "", err));
    if (!rv_is_folder(path) && t->split[0]) {
        free(path);
        path = NULL;
        RV_TRY(rv_path_join(&split, root, t->split, "", err));
        const rv_status status = rv_path_join(&path, split, t->name, "", err);
        free(split);
        RV_TRY(status);
    }
    if (!rv_is_folder(path)) {
        free(path);
        path = NULL;
    }
    *folder = path;
    return RV_OK;
}

static rv_status allocate(rv_song_audio *a, const rv_track_info *t, const char *name,
                          bool with_mixture, rv_error *err)
{
    a->channels = (size_t)t->channels;
    a->frames = (size_t)t->frames;
    a->sample_rate = t->sample_rate;
    const size_t n = a->n_stems * a->channels, planes = 2 * n + (with_mixture ? a->channels : 0);
    float **all = a->references = calloc(planes, sizeof *all);
    const bool fits = a->frames < SIZE_MAX / sizeof(float) / planes;
    a->samples = fits ? calloc(planes * a->frames, sizeof(float)) : NULL;
    if (!all || !a->samples)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory for %zu planes of %zu frames", name,
                       planes, a->frames);
    for (size_t i = 0; i < planes; i++)
        all[i] = a->samples + i * a->frames;
    a->estimates = all + n;
    a->mixture = with_mixture ? all + 2 * n : NULL;
    return RV_OK;
}

static rv_status check_like(const rv_song_audio *a, const rv_audio_info *info, const char *path,
                            const char *reference, rv_error *err)
{
    if (info->sample_rate != a->sample_rate)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: sample rate of %d Hz; expected %d Hz as in %s",
                       path, info->sample_rate, a->sample_rate, reference);
    if ((size_t)info->channels != a->channels)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %d channels; expected %zu as in %s", path,
                       info->channels, a->channels, reference);
    if (info->frames >= 0 && (size_t)info->frames != a->frames)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %lld frames; expected %zu as in %s", path,
                       (long long)info->frames, a->frames, reference);
    return RV_OK;
}

static rv_status read_file(const rv_song_audio *a, float *const *planes, const char *path,
                           const char *reference, rv_error *err)
{
    rv_audio_reader *r = NULL;
    size_t got = 0;
    RV_TRY(rv_audio_reader_open(&r, path, 0, err));
    rv_status status = check_like(a, rv_audio_reader_info(r), path, reference, err);
    if (status == RV_OK)
        status = rv_audio_reader_read(r, planes, a->frames, &got, err);
    if (status == RV_OK && got != a->frames)
        status = RV_FAIL(err, RV_ERR_FORMAT, "%s: %zu frames; expected %zu as in %s", path, got,
                         a->frames, reference);
    rv_audio_reader_free(r);
    return status;
}

static rv_status read_estimate(const rv_song_audio *a, const rv_track_cache *c, size_t track,
                               size_t stem, const char *folder, rv_error *err)
{
    const rv_track *t = &c->list->tracks[track];
    char *path = NULL;
    RV_TRY(rv_find_audio(&path, folder, c->list->stems[stem], err));
    if (!path)
        return RV_FAIL(err, RV_ERR_IO,
                       "%s: there is no %s.wav or .flac; expected an estimate of %s", folder,
                       c->list->stems[stem], t->stems[stem].at[0].path);
    const rv_status status =
        read_file(a, a->estimates + stem * a->channels, path, t->stems[stem].at[0].path, err);
    free(path);
    return status;
}

rv_status rv_song_audio_estimates(const rv_song_audio *a, const rv_track_cache *c, size_t track,
                                  const char *folder, rv_error *err)
{
    for (size_t s = 0; s < a->n_stems; s++)
        if (c->list->tracks[track].stems[s].n > 0)
            RV_TRY(read_estimate(a, c, track, s, folder, err));
    return RV_OK;
}

void rv_song_audio_clear(const rv_song_audio *a)
{
    for (size_t p = 0; p < a->n_stems * a->channels; p++)
        memset(a->estimates[p], 0, a->frames * sizeof(float));
}

/* MUSDB18's stems, which are coded with loss, are rounded to 16 bits, as musdb decodes them. What
 * the coder leaves out is nearly 0 in all stems: without the noise of rounding the projections of
 * BSS Eval have no definite solution there, and SIR and SAR, museval's too, come out anyhow. */
static bool is_stem_file(const rv_track_sources *stem)
{
    const size_t n = strlen(stem->at[0].path);
    return n > 4 && strcasecmp(stem->at[0].path + n - 4, ".mp4") == 0;
}

static void round_to_16_bits(float *const *planes, size_t channels, size_t frames)
{
    for (size_t c = 0; c < channels; c++)
        for (size_t t = 0; t < frames; t++)
            planes[c][t] = fminf(fmaxf(rintf(planes[c][t] * 32768), -32768), 32767) / 32768;
}

static rv_status read_reference(const rv_song_audio *a, const rv_track_cache *c,
                                const rv_track_part *part, rv_error *err)
{
    const rv_track_sources *stem = &c->list->tracks[part->track].stems[part->stem];
    float *const *planes = a->references + part->stem * a->channels;
    if (stem->n == 0)
        return RV_OK;
    RV_TRY(rv_track_read(c, part, planes, err));
    if (is_stem_file(stem))
        round_to_16_bits(planes, a->channels, a->frames);
    return RV_OK;
}

static rv_status read_all(rv_song_audio *a, const rv_track_cache *c, size_t track,
                          const rv_mixtures *mixtures, rv_error *err)
{
    rv_track_part part = { .track = track,
                           .sample_rate = a->sample_rate,
                           .channels = (int)a->channels,
                           .frames = a->frames };
    for (part.stem = 0; part.stem < a->n_stems; part.stem++)
        RV_TRY(read_reference(a, c, &part, err));
    return mixtures ? rv_mixtures_read(mixtures, &part, a->mixture, err) : RV_OK;
}

rv_status rv_song_audio_read(rv_song_audio *out, const rv_track_cache *c, size_t track,
                             const rv_mixtures *mixtures, rv_error *err)
{
    rv_song_audio a = { .n_stems = c->list->n_stems };
    const char *name = c->list->tracks[track].name;
    rv_status status = allocate(&a, &c->tracks[track], name, mixtures != NULL, err);
    if (status == RV_OK)
        status = read_all(&a, c, track, mixtures, err);
    if (status == RV_OK)
        *out = a;
    else
        rv_song_audio_free(&a);
    return status;
}

void rv_song_audio_free(rv_song_audio *a)
{
    free((void *)a->references);
    free(a->samples);
    *a = (rv_song_audio){ 0 };
}

rv_stem_pair rv_song_audio_pair(const rv_song_audio *a, size_t stem)
{
    return (rv_stem_pair){ (const float *const *)a->references + stem * a->channels,
                           (const float *const *)a->estimates + stem * a->channels, a->channels,
                           a->frames };
}
