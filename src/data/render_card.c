/* render_card.c - OUT/README.md, a data card: made from the metadata of all tracks, so that a run
 * that was interrupted ends with the card of one that was not. */
#include "base/status.h"
#include "data/render_impl.h"
#include "io/audio_sink.h"
#include "io/yaml_file.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    json_t *classes; /* { "Bass": seconds of audio of its stems } */
    json_t *fonts;   /* { "x.sf2": "MIT" } */
    double seconds[RV_RENDER_SPLITS];
    uint64_t tracks[RV_RENDER_SPLITS];
} sums;

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void add_to(json_t *sums_by_name, const char *name, double value)
{
    json_object_set_new(sums_by_name, name, json_real(number(sums_by_name, name) + value));
}

static void add_stems(sums *s, const json_t *track, rv_render_report *report)
{
    const char *name;
    json_t *stem;
    bool drums = false, bass = false;
    json_object_foreach(json_object_get(track, "stems"), name, stem)
    {
        const char *kind = json_string_value(json_object_get(stem, "inst_class"));
        if (!json_is_true(json_object_get(stem, "audio_rendered"))) {
            report->silent_stems++;
            continue;
        }
        drums |= json_is_true(json_object_get(stem, "is_drum"));
        bass |= kind && strcmp(kind, "Bass") == 0;
        add_to(s->classes, kind ? kind : "?", number(track, "seconds"));
    }
    report->without_drums += !drums;
    report->without_bass += !bass;
}

static rv_status add_track(sums *s, const rv_render *run, size_t track, rv_render_report *report,
                           rv_error *err)
{
    char folder[4096], path[4200];
    json_t *data = NULL;
    rv_render_folder(folder, sizeof folder, run, track, false);
    snprintf(path, sizeof path, "%s/metadata.yaml", folder);
    RV_TRY(rv_yaml_read_file(&data, path, err));
    const rv_render_split split = run->songs->items[track / (size_t)run->opt->variants].split;
    s->tracks[split]++;
    s->seconds[split] += number(data, "seconds");
    report->seconds += number(data, "seconds");
    report->quieter += number(data, "integrated_loudness") < number(data, "target_loudness") - 0.1;
    add_stems(s, data, report);
    json_object_update(s->fonts, json_object_get(data, "licenses"));
    json_decref(data);
    return RV_OK;
}

/* The text */

static void write_counts(FILE *f, const sums *s, const rv_render *run, const rv_render_report *r)
{
    fprintf(f,
            "# Rendered songs\n\nStems and mixes made from MIDI files by Ravel %d.%d.%d, in the "
            "layout of Slakh2100.\n\n",
            RV_VERSION_MAJOR, RV_VERSION_MINOR, RV_VERSION_PATCH);
    fprintf(f, "| | tracks | hours |\n|---|---|---|\n");
    for (int split = 0; split < RV_RENDER_SPLITS; split++)
        fprintf(f, "| %s | %llu | %.2f |\n", rv_render_split_name((rv_render_split)split),
                (unsigned long long)s->tracks[split], s->seconds[split] / 3600);
    fprintf(f,
            "\n%zu songs, %d of each; %d Hz, stereo, 16 bits. The stems add up to the mix without "
            "any error.\n",
            run->songs->n, run->opt->variants, run->opt->sample_rate);
    fprintf(f,
            "%llu tracks have no drums, %llu no bass. %llu mixes are quieter than they should be: "
            "their peaks leave no room. %llu stems are silent and have no file.\n",
            (unsigned long long)r->without_drums, (unsigned long long)r->without_bass,
            (unsigned long long)r->quieter, (unsigned long long)r->silent_stems);
    fprintf(f,
            "Left out: %llu files that are no readable songs, %llu that another file holds too, "
            "%llu longer than %g s.\n",
            (unsigned long long)r->broken, (unsigned long long)r->duplicates,
            (unsigned long long)r->too_long, run->opt->max_seconds);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_sorted(FILE *f, const json_t *object)
{
    const size_t n = json_object_size(object);
    const char **keys = calloc(n + 1, sizeof *keys), *key;
    json_t *value;
    size_t i = 0;
    if (!keys)
        return;
    json_object_foreach((json_t *)object, key, value) keys[i++] = key;
    qsort(keys, n, sizeof *keys, by_text);
    for (i = 0; i < n; i++) {
        value = json_object_get(object, keys[i]);
        if (json_is_real(value))
            fprintf(f, "| %s | %.2f |\n", keys[i], json_real_value(value) / 3600);
        else
            fprintf(f, "| %s | %s |\n", keys[i], json_string_value(value));
    }
    free(keys);
}

static void write_card(FILE *f, const sums *s, const rv_render *run, const rv_render_report *r)
{
    write_counts(f, s, run, r);
    fputs("\n## Hours of stems by class\n\n| class | hours |\n|---|---|\n", f);
    write_sorted(f, s->classes);
    fputs("\n## Sounds, and their licences\n\n| file | licence |\n|---|---|\n", f);
    write_sorted(f, s->fonts);
    fputs("\nThe licences of the songs are those of the MIDI files: `source` in each track's "
          "`metadata.yaml` names the file.\n\n## How it was made\n\n",
          f);
    fprintf(f,
            "Seed %llu; programs varied with probability %g; %s effects; %g of the songs for "
            "validation, %g for tests.\n",
            (unsigned long long)run->opt->seed, run->opt->vary, run->opt->dry ? "no" : "with",
            run->opt->valid_fraction, run->opt->test_fraction);
    if (run->opt->command)
        fprintf(f, "\n    %s\n", run->opt->command);
}

static rv_status store_card(const sums *s, const rv_render *run, const rv_render_report *report,
                            rv_error *err)
{
    char path[4096], *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory");
    write_card(f, s, run, report);
    snprintf(path, sizeof path, "%s/README.md", run->out);
    rv_status status = fclose(f) ? RV_FAIL(err, RV_ERR_NOMEM, "out of memory") : RV_OK;
    if (status == RV_OK)
        status = rv_sink_store(path, text, strlen(text), err);
    free(text);
    return status;
}

rv_status rv_render_card(const rv_render *run, rv_render_report *report, rv_error *err)
{
    sums s = { .classes = json_object(), .fonts = json_object() };
    rv_status status = RV_OK;
    for (size_t t = 0; t < rv_render_tracks(run) && status == RV_OK; t++)
        status = add_track(&s, run, t, report, err);
    if (status == RV_OK)
        status = store_card(&s, run, report, err);
    json_decref(s.classes);
    json_decref(s.fonts);
    return status;
}
