/* shards.c - split by split, song by song, window by window; see shards.h. */
#include "data/shards.h"

#include "data/entries.h"
#include "data/layout.h"
#include "data/segment_list.h"
#include "data/shard_writer.h"
#include "data/track_read.h"
#include "io/tf_example.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SPLITS = 3, LEAST_PER_SHARD = 64 };

typedef struct job {
    const rv_shards_options *opt;
    rv_shards_report *report;
    rv_segment_list segments; /* all NULL: whole songs */
    rv_shard_writer writer;
    rv_tf_example example;
    size_t window, hop;    /* frames */
    float *input, *target; /* [window] */
    const rv_track_cache *songs;
    size_t song;
    int64_t at; /* frame at which the buffers begin; -1: they hold nothing */
} job;

/* One window */

/* dB, with the reference's guards against silence. */
static double level(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return 20 * log10(sqrt(sum / (double)n + 1e-8) + 1e-8);
}

static rv_status read_part(const job *j, bool input, size_t from, rv_error *err)
{
    const rv_track_list *list = j->songs->list;
    const rv_track_part part = { .track = j->song,
                                 .stem = input ? list->n_stems : 0,
                                 .sample_rate = j->opt->sample_rate,
                                 .channels = 1,
                                 .start = j->at + (int64_t)from,
                                 .frames = j->window - from };
    float *const out[] = { (input ? j->input : j->target) + from };
    return rv_track_read(j->songs, &part, out, err);
}

/* Windows overlap: what the last one has in common with this one is kept. */
static rv_status read_window(job *j, int64_t at, rv_error *err)
{
    const bool follows = j->at >= 0 && at == j->at + (int64_t)j->hop && j->hop < j->window;
    const size_t kept = follows ? j->window - j->hop : 0;
    if (kept > 0) {
        memmove(j->input, j->input + j->hop, kept * sizeof(float));
        memmove(j->target, j->target + j->hop, kept * sizeof(float));
    }
    j->at = at;
    RV_TRY(read_part(j, true, kept, err));
    return read_part(j, false, kept, err);
}

static rv_status write_window(job *j, rv_error *err)
{
    const double rate = j->opt->sample_rate;
    const float start = (float)((double)j->at / rate);
    const float end = (float)((double)(j->at + (int64_t)j->window) / rate);
    rv_tf_example *e = &j->example;
    rv_tf_clear(e);
    rv_tf_add_bytes(e, "audio/inputs", j->input, j->window * sizeof(float));
    rv_tf_add_bytes(e, "audio/targets", j->target, j->window * sizeof(float));
    rv_tf_add_integer(e, "audio/sample_rate", j->opt->sample_rate);
    rv_tf_add_integer(e, "audio/length", (int64_t)j->window);
    rv_tf_add_text(e, "meta/track", j->songs->list->tracks[j->song].name);
    rv_tf_add_text(e, "meta/subset", j->writer.split);
    rv_tf_add_floats(e, "meta/start_sec", &start, 1);
    rv_tf_add_floats(e, "meta/end_sec", &end, 1);
    rv_tf_add_text(e, "meta/source", j->opt->inputs ? "estimate" : "mixture");
    rv_tf_add_text(e, "meta/stem", j->opt->stem);
    RV_TRY(rv_tf_finish(e, err));
    return rv_shard_add(&j->writer, e->bytes, e->n, err);
}

static rv_status add_window(job *j, int64_t at, rv_error *err)
{
    RV_TRY(read_window(j, at, err));
    const double least = j->opt->level;
    if (level(j->input, j->window) < least || level(j->target, j->window) < least) {
        j->report->quiet++;
        return RV_OK;
    }
    return write_window(j, err);
}

/* One song */

static rv_status add_segment(job *j, double start, double end, rv_error *err)
{
    const double rate = j->opt->sample_rate;
    const int64_t length =
        (int64_t)rv_track_length(&j->songs->tracks[j->song], j->opt->sample_rate);
    const int64_t last = end * rate < (double)length ? llround(end * rate) : length;
    for (int64_t at = llround(start * rate); at + (int64_t)j->window <= last; at += (int64_t)j->hop)
        RV_TRY(add_window(j, at, err));
    j->at = -1;
    return RV_OK;
}

static rv_status add_song(job *j, rv_error *err)
{
    if (!j->segments.csv)
        return add_segment(j, 0, HUGE_VAL, err);
    const char *name = j->songs->list->tracks[j->song].name;
    for (size_t i = 0; i < j->segments.n; i++)
        if (strcmp(j->segments.at[i].track, name) == 0)
            RV_TRY(add_segment(j, j->segments.at[i].start, j->segments.at[i].end, err));
    return RV_OK;
}

static rv_status add_songs(job *j, rv_error *err)
{
    const rv_track_list *list = j->songs->list;
    for (j->song = 0; j->song < list->n; j->song++) {
        if (j->opt->progress &&
            j->opt->progress(j->opt->progress_ctx, list->tracks[j->song].name, j->song, list->n))
            return RV_FAIL(err, RV_ERR_CANCELLED, "stopped");
        if (!j->songs->tracks[j->song].all_silent)
            RV_TRY(add_song(j, err));
    }
    return rv_shard_finish(&j->writer, err);
}

/* One split */

/* *path: FOLDER/[SPLIT/]SONG/STEM.wav or .flac; NULL if there is none. */
static rv_status find_estimate(char **path, const char *folder, const rv_track *t, const char *stem,
                               rv_error *err)
{
    char *song = NULL;
    RV_TRY(rv_path_join(&song, folder, t->name, "", err));
    const rv_status status = rv_find_audio(path, song, stem, err);
    free(song);
    return status;
}

static rv_status find_estimate_in_split(char **path, const char *inputs, const rv_track *t,
                                        const char *stem, rv_error *err)
{
    char *folder = NULL;
    RV_TRY(rv_path_join(&folder, inputs, t->split, "", err));
    const rv_status status = find_estimate(path, folder, t, stem, err);
    free(folder);
    return status;
}

/* The estimate takes the place of the mixture. */
static rv_status replace_mixture(rv_track *t, const rv_shards_options *opt, bool *found,
                                 rv_error *err)
{
    char *path = NULL;
    RV_TRY(find_estimate(&path, opt->inputs, t, opt->stem, err));
    if (!path && *t->split)
        RV_TRY(find_estimate_in_split(&path, opt->inputs, t, opt->stem, err));
    *found = path != NULL;
    if (!path)
        return RV_OK;
    rv_sources_free(&t->mixture);
    t->mixture = (rv_track_sources){ 0 };
    return rv_sources_add(&t->mixture, path, 0, RV_ALL_CHANNELS, err);
}

static rv_status find_inputs(const job *j, rv_track_list *list, char **missing, size_t *n,
                             rv_error *err)
{
    for (size_t i = 0; i < list->n; i++) {
        bool found = list->tracks[i].mixture.n > 0;
        if (j->opt->inputs)
            RV_TRY(replace_mixture(&list->tracks[i], j->opt, &found, err));
        if (found)
            continue;
        missing[*n] = strdup(list->tracks[i].name); /* the list is about to drop its own */
        if (!missing[(*n)++])
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", list->root);
    }
    return RV_OK;
}

/* Songs of which there is no estimate, or no mixture, are left out; *some: not all were. */
static rv_status choose_inputs(job *j, rv_track_list *list, bool *some, rv_error *err)
{
    char **missing = calloc(list->n, sizeof *missing);
    size_t n = 0;
    if (!missing)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", list->root);
    rv_status status = find_inputs(j, list, missing, &n, err);
    j->report->without_inputs += n;
    *some = n < list->n;
    if (status == RV_OK && n > 0 && *some)
        status = rv_track_list_filter(list, (const char *const *)missing, n, false, err);
    for (size_t i = 0; i < n; i++)
        free(missing[i]);
    free(missing);
    return status;
}

static rv_status write_songs(job *j, rv_track_list *list, int split, rv_error *err)
{
    rv_track_cache *songs = NULL;
    bool some = false;
    RV_TRY(choose_inputs(j, list, &some, err));
    if (!some)
        return RV_OK;
    j->report->songs[split] = list->n;
    RV_TRY(rv_track_cache_new(&songs, list, err));
    j->songs = songs;
    j->at = -1;
    rv_status status = rv_track_cache_check_sound(songs, err);
    if (status == RV_OK)
        status = add_songs(j, err);
    rv_shard_drop(&j->writer);
    rv_track_cache_free(songs);
    return status;
}

static rv_status write_split(job *j, const char *root, const char *out, int split, rv_error *err)
{
    static const char *const splits[SPLITS] = { "train", "valid", "test" }, *const names[SPLITS] = {
        "train", "val", "test"
    };
    const uint64_t half = j->opt->per_shard / 2;
    rv_track_list *list = NULL;
    const rv_track_query query = { .root = root,
                                   .layout = j->opt->layout,
                                   .stems = &j->opt->stem,
                                   .n_stems = 1,
                                   .split = splits[split],
                                   .valid_fraction = j->opt->valid_fraction,
                                   .seed = j->opt->seed,
                                   .may_be_empty = split != 0 };
    RV_TRY(rv_shard_clear(out, names[split], j->opt->overwrite, err));
    RV_TRY(rv_track_list_find(&list, &query, err));
    if (!list)
        return RV_OK;
    j->writer = (rv_shard_writer){ .out = out,
                                   .split = names[split],
                                   .per_shard = split == 0               ? j->opt->per_shard
                                                : half > LEAST_PER_SHARD ? half
                                                                         : LEAST_PER_SHARD };
    const rv_status status = write_songs(j, list, split, err);
    j->report->examples[split] = j->writer.examples;
    j->report->shards[split] = j->writer.shards;
    rv_track_list_free(list);
    return status;
}

static rv_status check_options(const rv_shards_options *o, rv_error *err)
{
    if (o->sample_rate < 1000 || o->sample_rate > 768000)
        return RV_FAIL(err, RV_ERR_ARG, "sample rate %d Hz; expected 1000 to 768000",
                       o->sample_rate);
    if (!(o->window >= 0.01 && o->window <= 600 && o->hop >= 0.01 && o->hop <= 600))
        return RV_FAIL(err, RV_ERR_ARG, "window %g s, hop %g s; expected 0.01 to 600", o->window,
                       o->hop);
    if (o->per_shard < 1 || !(o->valid_fraction >= 0 && o->valid_fraction < 1))
        return RV_FAIL(err, RV_ERR_ARG,
                       "%llu examples a shard, %g of the songs to validate on; expected at least "
                       "1, and 0 to below 1",
                       (unsigned long long)o->per_shard, o->valid_fraction);
    return RV_OK;
}

static rv_status begin(job *j, rv_error *err)
{
    const double rate = j->opt->sample_rate;
    j->window = (size_t)llround(j->opt->window * rate);
    j->hop = (size_t)llround(j->opt->hop * rate);
    j->input = calloc(j->window, sizeof(float));
    j->target = calloc(j->window, sizeof(float));
    if (!j->input || !j->target)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory for a window of %zu frames", j->window);
    return j->opt->segments ? rv_segment_list_read(&j->segments, j->opt->segments, err) : RV_OK;
}

rv_status rv_shards_write(const char *root, const char *out, const rv_shards_options *opt,
                          rv_shards_report *report, rv_error *err)
{
    job j = { .opt = opt, .report = report };
    *report = (rv_shards_report){ 0 };
    RV_TRY(check_options(opt, err));
    rv_status status = begin(&j, err);
    for (int split = 0; split < SPLITS && status == RV_OK; split++)
        status = write_split(&j, root, out, split, err);
    if (status == RV_OK && report->songs[0] + report->songs[1] + report->songs[2] == 0)
        status = RV_FAIL(err, RV_ERR_IO, "%s: no song of %s has an input here; expected %s",
                         opt->inputs ? opt->inputs : root, root,
                         opt->inputs ? "[SPLIT/]SONG/STEM.wav or .flac" : "files of the mixture");
    free(j.input);
    free(j.target);
    rv_tf_free(&j.example);
    rv_segment_list_free(&j.segments);
    return status;
}
