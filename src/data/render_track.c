/* render_track.c - one track: all choices, stems, mix, MIDI, metadata, in a hidden folder that
 * gets its name when all is there. */
#include "base/rng.h"
#include "base/status.h"
#include "data/render_impl.h"
#include "io/folder.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const double tail_seconds = 3; /* after the last note, for what rings on */

uint64_t rv_render_tracks(const rv_render *run)
{
    return (uint64_t)run->songs->n * (uint64_t)run->opt->variants;
}

void rv_render_folder(char *path, size_t size, const rv_render *run, size_t track, bool hidden)
{
    const rv_render_song *song = &run->songs->items[track / (size_t)run->opt->variants];
    snprintf(path, size, "%s/%s/%sTrack%05zu", run->out, rv_render_split_name(song->split),
             hidden ? ".ravel-" : "", track + 1);
}

/* The song as it is played here. */
static rv_status prepare_song(rv_track_work *w, rv_error *err)
{
    const rv_render_options *opt = w->worker->run->opt;
    rv_midi *written = NULL;
    const uint64_t seed = rv_rng_bits(opt->seed, w->song->hash, w->variant);
    w->plan = rv_track_plan_make(seed, opt->n_soundfonts, opt->n_drum_kits, opt->vary);
    w->drums = rv_drum_mix_make(seed, opt->n_drum_kits);
    RV_TRY(rv_render_song_read(&written, w->song, err));
    const rv_status status = rv_perform(&w->midi, written, &w->plan.performance, err);
    rv_midi_free(written);
    RV_TRY(status);
    RV_TRY(rv_parts_new(&w->parts, w->midi, w->song->path, err));
    w->frames = (size_t)ceil((w->parts->end + tail_seconds) * opt->sample_rate);
    return RV_OK;
}

/* How many parts are of the class of this one. */
static size_t count_alike(const rv_parts *parts, size_t part)
{
    const rv_part *one = &parts->items[part];
    size_t n = 0;
    for (size_t i = 0; i < parts->n; i++)
        n += rv_gm_class(parts->items[i].program) == rv_gm_class(one->program) &&
             parts->items[i].sung == one->sung;
    return n;
}

static rv_status prepare_stems(rv_track_work *w, rv_error *err)
{
    const size_t n = w->parts->n, length = w->frames + RV_TRACK_MARGIN;
    w->stems = calloc(n, sizeof *w->stems);
    if (!w->stems || length > SIZE_MAX / ((2 * n + 3) * sizeof(float)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", w->song->path);
    const size_t size = (2 * n + 3) * length * sizeof(float);
    RV_TRY(rv_map_scratch(&w->map, size, w->folder, err));
    w->map_size = size;
    float *audio = w->map;
    for (size_t s = 0; s <= n; s++, audio += 2 * length) {
        float **planes = s < n ? w->stems[s].audio : w->mix;
        planes[0] = audio;
        planes[1] = audio + length;
    }
    w->curve = audio;
    const rv_render_options *opt = w->worker->run->opt;
    for (size_t s = 0; s < n; s++) {
        w->stems[s].plan = rv_stem_plan_make(&w->plan, s, &w->parts->items[s],
                                             count_alike(w->parts, s), opt->sample_rate);
        if (opt->dry)
            w->stems[s].plan.n_effects = 0;
    }
    return RV_OK;
}

static rv_status write_midi(const rv_track_work *w, rv_error *err)
{
    char path[sizeof w->folder + 64];
    snprintf(path, sizeof path, "%s/all_src.mid", w->folder);
    RV_TRY(rv_midi_write(w->midi, path, err));
    for (size_t s = 0; s < w->parts->n; s++) {
        rv_midi *part = NULL;
        RV_TRY(rv_parts_midi(&part, w->parts, s, err));
        snprintf(path, sizeof path, "%s/MIDI/S%02zu.mid", w->folder, s);
        const rv_status status = rv_midi_write(part, path, err);
        rv_midi_free(part);
        RV_TRY(status);
    }
    return RV_OK;
}

static rv_status make(rv_track_work *w, rv_error *err)
{
    RV_TRY(prepare_song(w, err));
    RV_TRY(prepare_stems(w, err));
    for (size_t s = 0; s < w->parts->n; s++) {
        if (atomic_load(&w->worker->run->stop))
            return RV_FAIL(err, RV_ERR_CANCELLED, "interrupted");
        RV_TRY(rv_render_stem(w, s, err));
    }
    RV_TRY(rv_render_mix(w, err));
    RV_TRY(write_midi(w, err));
    return rv_render_metadata(w, err);
}

static void release(rv_track_work *w)
{
    if (w->map)
        munmap(w->map, w->map_size);
    for (size_t s = 0; w->stems && s < w->parts->n; s++)
        free(w->stems[s].kits);
    free(w->stems);
    rv_parts_free(w->parts);
    rv_midi_free(w->midi);
}

static rv_status publish(const rv_track_work *w, const char *final, rv_error *err)
{
    if (rename(w->folder, final))
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot be named so: %s", final, strerror(errno));
    return rv_folder_sync(final, err);
}

rv_status rv_render_track(rv_render_worker *worker, size_t track, double *seconds, rv_error *err)
{
    const size_t variants = (size_t)worker->run->opt->variants;
    rv_track_work w = { .worker = worker,
                        .song = &worker->run->songs->items[track / variants],
                        .variant = track % variants };
    rv_error ignored;
    char final[sizeof w.folder];
    rv_render_folder(w.folder, sizeof w.folder, worker->run, track, true);
    rv_render_folder(final, sizeof final, worker->run, track, false);
    RV_TRY(rv_remove_tree(w.folder, err)); /* of a run that was killed */
    if (mkdir(w.folder, 0777))
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot be made: %s", w.folder, strerror(errno));
    rv_status status = make(&w, err);
    *seconds = (double)w.frames / worker->run->opt->sample_rate;
    release(&w);
    if (status == RV_OK)
        status = publish(&w, final, err);
    if (status != RV_OK && rv_remove_tree(w.folder, &ignored) != RV_OK)
        return status; /* the first failure is what matters */
    return status;
}
