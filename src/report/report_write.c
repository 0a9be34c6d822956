/* report_write.c - the page from its head to its scripts.
 *
 * The sound of each lane is an element of its own, so that the page decodes what is listened to,
 * and none of it stays in memory here; pictures follow song by song; one JSON text holds all the
 * rest, and comes last, when all is known. src/report/page shows it. */
#include "report/report_write.h"

#include "report/report_embedded.h"
#include "report/report_read.h"
#include "report/report_sound.h"
#include "report/report_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Base64 of the sound that a report is to stay near if nobody says how many seconds. */
static const double audio_budget = 64e6, seconds_least = 10;

typedef struct writer {
    const rv_report_options *opt;
    const char *path;
    rv_page page;
    rv_report_songs songs;
    rv_report_summary summary;
    json_t *data;            /* for the page */
    size_t lanes_done;       /* of all songs */
    const char *song, *stem; /* now */
} writer;

static rv_status no_memory(const writer *w, rv_error *err)
{
    return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", w->path);
}

static rv_status update(void *ctx, double fraction, rv_error *err)
{
    const writer *w = ctx;
    const rv_report_progress now = {
        w->song, w->stem, ((double)w->lanes_done + fraction) / (double)w->summary.lanes
    };
    if (w->opt->progress && w->opt->progress(w->opt->progress_ctx, &now) != 0)
        return RV_FAIL(err, RV_ERR_CANCELLED, "%s: interrupted", w->path);
    return RV_OK;
}

/* Head and tail -------------------------------------------------------------------------- */

/* Files of the page whose names end so, one after the other. */
static void write_files(writer *w, const char *ending)
{
    for (const rv_embedded *f = rv_report_embedded; f->name; f++) {
        const size_t n = strlen(f->name), m = strlen(ending);
        if (n > m && strcmp(f->name + n - m, ending) == 0)
            rv_page_bytes(&w->page, f->bytes, f->n);
    }
}

static const char *title(const writer *w)
{
    if (w->opt->title)
        return w->opt->title;
    if (w->songs.n == 1)
        return w->songs.songs[0].name;
    return w->songs.n > 0 || w->opt->n_evaluations > 0 ? "Separated songs"
           : w->opt->n_runs > 0                        ? "Training"
                                                       : "Model";
}

/* The policy keeps the page off the network, whatever a name in it may hold. */
static rv_status write_head(writer *w, rv_error *err)
{
    char *name = NULL;
    RV_TRY(rv_text_html(&name, title(w), err));
    rv_page_print(&w->page,
                  "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
                  "<meta name=\"generator\" content=\"ravel %d.%d.%d\">\n<title>%s</title>\n"
                  "<style>\n",
                  RV_VERSION_MAJOR, RV_VERSION_MINOR, RV_VERSION_PATCH, name);
    free(name);
    write_files(w, ".css");
    rv_page_print(&w->page, "</style>\n</head>\n");
    write_files(w, ".html");
    return rv_sink_check(&w->page.sink, err);
}

static rv_status write_tail(writer *w, rv_error *err)
{
    rv_page_print(&w->page, "<script type=\"application/json\" id=\"data\">");
    if (!rv_page_json(&w->page, w->data))
        return no_memory(w, err);
    rv_page_print(&w->page, "</script>\n<script>\n");
    write_files(w, ".js");
    rv_page_print(&w->page, "</script>\n</body>\n</html>\n");
    return rv_sink_check(&w->page.sink, err);
}

/* Songs ---------------------------------------------------------------------------------- */

/* *seconds 0: all of it. */
static void choose_seconds(const writer *w, double *seconds)
{
    const double room = audio_budget / rv_sound_bytes_per_second(RV_REPORT_OGG);
    *seconds = w->opt->max_seconds;
    if (*seconds == 0 && w->summary.lanes > 0)
        *seconds = fmax(seconds_least, floor(room / (double)w->summary.lanes));
}

static double decibels(double x)
{
    return x > 0 ? fmax(-200, 20 * log10(x)) : -200;
}

static json_t *lane_json(const rv_report_lane *lane, const rv_sound *s)
{
    double point = 0, column = 0;
    const size_t points = rv_picture_points(s->picture, &point);
    const size_t columns = rv_picture_columns(s->picture, &column);
    return json_pack("{so, sI, sf, si, si, sf, sf, s{sI, sf}, s{sI, si, sf}, ss?, sf, sf, sI}",
                     "stem", rv_name_json(lane->stem), "group", (json_int_t)lane->group, "seconds",
                     rv_picture_seconds(s->picture), "rate", s->rate, "channels", s->channels,
                     "peak", decibels(rv_picture_peak(s->picture)), "rms",
                     decibels(rv_picture_rms(s->picture)), "wave", "n", (json_int_t)points,
                     "seconds", point, "spectrogram", "n", (json_int_t)columns, "bands",
                     RV_PICTURE_BANDS, "seconds", column, "type", s->type, "from", s->from,
                     "length", s->length, "bytes", (json_int_t)s->bytes);
}

/* An element with the waveform and, after a blank, the spectrogram. */
static rv_status write_picture(writer *w, const rv_picture *p, double loudest, size_t song,
                               size_t lane, rv_error *err)
{
    double unused;
    const size_t n = 6 * rv_picture_points(p, &unused);
    const size_t m = RV_PICTURE_BANDS * rv_picture_columns(p, &unused);
    char *text = malloc(n + m + 1);
    if (!text)
        return no_memory(w, err);
    rv_picture_write_wave(p, text);
    text[n] = ' ';
    rv_picture_write_spectrogram(p, loudest, text + n + 1);
    rv_page_print(&w->page, "<script type=\"text/plain\" id=\"picture-%zu-%zu\">", song, lane);
    rv_page_bytes(&w->page, text, n + m + 1);
    rv_page_print(&w->page, "</script>\n");
    free(text);
    return rv_sink_check(&w->page.sink, err);
}

static rv_status write_lanes(writer *w, rv_sound_job *job, size_t index, rv_sound *sounds,
                             json_t *lanes, rv_error *err)
{
    const rv_report_song *song = &w->songs.songs[index];
    double loudest = 0;
    char id[64];
    for (size_t i = 0; i < song->n_lanes; i++) {
        w->stem = song->lanes[i].stem;
        snprintf(id, sizeof id, "sound-%zu-%zu", index, i);
        RV_TRY(rv_sound_write(&sounds[i], job, &song->lanes[i], id, err));
        loudest = fmax(loudest, rv_picture_power(sounds[i].picture));
        w->summary.audio_bytes += sounds[i].bytes;
        w->summary.seconds = fmax(w->summary.seconds, sounds[i].length);
        w->lanes_done++;
        if (json_array_append_new(lanes, lane_json(&song->lanes[i], &sounds[i])) != 0)
            return no_memory(w, err);
    }
    for (size_t i = 0; i < song->n_lanes; i++)
        RV_TRY(write_picture(w, sounds[i].picture, loudest, index, i, err));
    return RV_OK;
}

static rv_status write_song(writer *w, rv_sound_job *job, size_t index, json_t *list, rv_error *err)
{
    const rv_report_song *song = &w->songs.songs[index];
    rv_sound *sounds = calloc(song->n_lanes + 1, sizeof *sounds);
    json_t *lanes = json_array();
    json_t *value = json_pack("{so, so, so}", "name", rv_name_json(song->name), "split",
                              rv_name_json(song->split), "lanes", lanes);
    w->song = song->name;
    rv_status status =
        sounds && value && json_array_append(list, value) == 0 ? RV_OK : no_memory(w, err);
    if (status == RV_OK)
        status = write_lanes(w, job, index, sounds, lanes, err);
    for (size_t i = 0; sounds && i < song->n_lanes; i++)
        rv_picture_free(sounds[i].picture);
    free(sounds);
    json_decref(value);
    return status;
}

static rv_status write_songs(writer *w, rv_error *err)
{
    json_t *list = json_array(), *groups = json_array();
    json_object_set_new(w->data, "songs", list);
    json_object_set_new(w->data, "groups", groups);
    rv_sound_job job = { &w->page, w->path, w->opt->audio, w->opt->start, 0, update, w };
    choose_seconds(w, &job.seconds);
    for (size_t i = 0; i < w->songs.n_groups; i++)
        if (json_array_append_new(groups, rv_name_json(w->songs.groups[i])) != 0)
            return no_memory(w, err);
    for (size_t i = 0; i < w->songs.n; i++)
        RV_TRY(write_song(w, &job, i, list, err));
    return list && groups ? RV_OK : no_memory(w, err);
}

/* Figures -------------------------------------------------------------------------------- */

typedef rv_status opener(json_t **out, const char *path, rv_error *err);

static rv_status read_files(writer *w, const char *key, const char *const *paths, size_t n,
                            opener *open, rv_error *err)
{
    json_t *list = json_array();
    if (json_object_set_new(w->data, key, list) != 0)
        return no_memory(w, err);
    for (size_t i = 0; i < n; i++) {
        json_t *value = NULL;
        RV_TRY(open(&value, paths[i], err));
        if (json_array_append_new(list, value) != 0)
            return no_memory(w, err);
    }
    return RV_OK;
}

static rv_status read_figures(writer *w, rv_error *err)
{
    const rv_report_options *o = w->opt;
    RV_TRY(
        read_files(w, "evaluations", o->evaluations, o->n_evaluations, rv_report_open_eval, err));
    RV_TRY(read_files(w, "runs", o->runs, o->n_runs, rv_report_open_run, err));
    return read_files(w, "cards", &o->card, o->card != NULL, rv_report_open_card, err);
}

/* All ------------------------------------------------------------------------------------ */

static rv_status describe(writer *w, rv_error *err)
{
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", RV_VERSION_MAJOR, RV_VERSION_MINOR,
             RV_VERSION_PATCH);
    const bool good =
        json_object_set_new(w->data, "title", rv_name_json(title(w))) == 0 &&
        json_object_set_new(w->data, "version", json_string(version)) == 0 &&
        json_object_set_new(w->data, "leftOut", json_integer((json_int_t)w->songs.left_out)) == 0 &&
        json_object_set_new(w->data, "range", json_real(rv_picture_range)) == 0 &&
        (!w->opt->command ||
         json_object_set_new(w->data, "command", rv_name_json(w->opt->command)) == 0);
    return good ? RV_OK : no_memory(w, err);
}

/* How large the file is becomes part of it: what is written so far, and what is still to come but
 * for the digits themselves. */
static rv_status note_size(writer *w, rv_error *err)
{
    const size_t rest = json_dumpb(w->data, NULL, 0, JSON_COMPACT | JSON_REAL_PRECISION(7));
    uint64_t bytes = w->page.bytes + rest;
    for (const rv_embedded *f = rv_report_embedded; f->name; f++)
        bytes += strstr(f->name, ".js") ? f->n : 0;
    const bool good = json_object_set_new(w->data, "bytes", json_integer((json_int_t)bytes)) == 0 &&
                      json_object_set_new(w->data, "audioBytes",
                                          json_integer((json_int_t)w->summary.audio_bytes)) == 0;
    return good ? RV_OK : no_memory(w, err);
}

static rv_status write_page(writer *w, rv_error *err)
{
    RV_TRY(write_head(w, err));
    RV_TRY(write_songs(w, err));
    RV_TRY(describe(w, err));
    RV_TRY(note_size(w, err));
    RV_TRY(write_tail(w, err));
    RV_TRY(rv_sink_commit(&w->page.sink, err));
    w->summary.bytes = w->page.bytes;
    return RV_OK;
}

static rv_status prepare(writer *w, rv_error *err)
{
    const rv_report_options *o = w->opt;
    if (o->n_folders + o->n_evaluations + o->n_runs == 0 && !o->references && !o->mix && !o->card)
        return RV_FAIL(err, RV_ERR_ARG,
                       "%s: nothing to show; expected stems, references, an evaluation, a run or a "
                       "model",
                       w->path);
    if (!(o->start >= 0) || !(o->max_seconds >= 0) || o->audio >= RV_REPORT_AUDIOS)
        return RV_FAIL(err, RV_ERR_ARG, "%s: start and seconds must be 0 or more", w->path);
    w->data = json_object();
    RV_TRY(w->data ? RV_OK : no_memory(w, err));
    RV_TRY(read_figures(w, err)); /* soon done, so that mistakes show before the songs are read */
    RV_TRY(rv_report_songs_find(&w->songs, o, err));
    w->summary.songs = w->songs.n;
    w->summary.songs_left_out = w->songs.left_out;
    for (size_t i = 0; i < w->songs.n; i++)
        w->summary.lanes += w->songs.songs[i].n_lanes;
    return RV_OK;
}

rv_status rv_report_make(const char *path, const rv_report_options *opt, rv_report_summary *summary,
                         rv_error *err)
{
    writer w = { .opt = opt, .path = path };
    rv_status status = prepare(&w, err);
    if (status == RV_OK && (status = rv_sink_open(&w.page.sink, path, err)) == RV_OK) {
        status = write_page(&w, err);
        rv_sink_discard(&w.page.sink);
    }
    if (status == RV_OK && summary)
        *summary = w.summary;
    rv_report_songs_fini(&w.songs);
    json_decref(w.data);
    return status;
}
