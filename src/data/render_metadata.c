/* render_metadata.c - metadata.yaml with Slakh2100's keys, and ours after them. */
#include "base/status.h"
#include "data/render_impl.h"
#include "io/audio_sink.h"
#include "io/yaml_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* jansson keeps no number that is not finite: what is silent gets -120 dB. */
static double finite_level(double value)
{
    return isfinite(value) ? value : -120;
}

/* Three digits after the point say enough of an effect. */
static double rounded(double value)
{
    return round(value * 1000) / 1000;
}

static json_t *effects_json(const rv_stem_plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->n_effects; i++) {
        const rv_effect *e = &plan->effects[i];
        json_t *values = json_array();
        for (int v = 0; v < rv_plan_effect_values(e->kind); v++)
            json_array_append_new(values, json_real(rounded(e->value[v])));
        json_array_append_new(list, json_pack("{s:o}", rv_plan_effect_name(e->kind), values));
    }
    return list;
}

static json_t *stem_json(const rv_part *part, const rv_stem *stem, json_t *player)
{
    return json_pack(
        "{s:b, s:s, s:f, s:b, s:s, s:b, s:o, s:i, s:i, s:f, s:o}", "audio_rendered", !stem->silent,
        "inst_class", part->sung ? "Vocals" : rv_gm_class(part->program), "integrated_loudness",
        finite_level(stem->loudness), "is_drum", part->program == RV_GM_DRUMS, "midi_program_name",
        part->sung ? "Vocals" : rv_gm_name(part->program), "midi_saved", 1, "plugin_name", player,
        "program_num", part->program, "notes", (int)part->notes, "level", rounded(stem->plan.level),
        "effects", effects_json(&stem->plan));
}

/* What plays a stem, and its licence, into an object; several kits may. */
static json_t *players_json(const rv_render *run, const rv_stem *stem)
{
    json_t *players = json_object();
    for (size_t k = 0; stem->kits && k < run->opt->n_drum_kits; k++) {
        const char *license = rv_drum_kit_license(run->kits[k]);
        if (stem->kits[k])
            json_object_set_new(players, rv_drum_kit_name(run->kits[k]),
                                json_string(*license ? license : "unknown: the kit does not say"));
    }
    if (json_object_size(players) == 0)
        json_object_set_new(players, stem->player, json_string(stem->license));
    return players;
}

/* "A + B" */
static json_t *names_json(const json_t *players)
{
    json_t *names = NULL;
    const char *name;
    json_t *license;
    json_object_foreach((json_t *)players, name, license)
    {
        json_t *longer =
            names ? json_sprintf("%s + %s", json_string_value(names), name) : json_string(name);
        json_decref(names);
        names = longer;
    }
    return names;
}

static json_t *stems_json(const rv_track_work *w)
{
    json_t *stems = json_object();
    for (size_t s = 0; s < w->parts->n; s++) {
        char name[32];
        snprintf(name, sizeof name, "S%02zu", s);
        json_t *players = players_json(w->worker->run, &w->stems[s]);
        json_object_set_new(stems, name,
                            stem_json(&w->parts->items[s], &w->stems[s], names_json(players)));
        json_decref(players);
    }
    return stems;
}

/* Of those who play here. */
static json_t *licenses_json(const rv_track_work *w)
{
    json_t *licenses = json_object();
    for (size_t s = 0; s < w->parts->n; s++) {
        json_t *players = players_json(w->worker->run, &w->stems[s]);
        json_object_update(licenses, players);
        json_decref(players);
    }
    return licenses;
}

static json_t *track_json(const rv_track_work *w)
{
    char id[20], seed[20];
    const rv_performance *p = &w->plan.performance;
    const rv_render_options *opt = w->worker->run->opt;
    snprintf(id, sizeof id, "%016llx", (unsigned long long)w->song->hash);
    snprintf(seed, sizeof seed, "0x%016llx", (unsigned long long)w->plan.seed);
    return json_pack(
        "{s:s, s:s, s:s, s:b, s:f, s:o, s:f, s:s, s:s, s:i, s:s, s:i, s:f, s:f, s:f, s:f, s:f, "
        "s:f, s:i, s:o}",
        "UUID", id, "audio_dir", "stems", "midi_dir", "MIDI", "normalized", 1, "overall_gain",
        w->gain, "stems", stems_json(w), "target_peak", rounded(20 * log10(RV_MIX_PEAK)), "source",
        w->song->name, "split", rv_render_split_name(w->song->split), "variant", (int)w->variant,
        "seed", seed, "transposition", p->transposition, "tempo", p->tempo, "velocity", p->velocity,
        "integrated_loudness", finite_level(w->loudness), "target_loudness", w->plan.loudness,
        "limiter", rounded(20 * log10(w->reduction)), "seconds",
        (double)w->frames / opt->sample_rate, "sample_rate", opt->sample_rate, "licenses",
        licenses_json(w));
}

rv_status rv_render_metadata(const rv_track_work *w, rv_error *err)
{
    char path[sizeof w->folder + 32], *text = NULL;
    json_t *track = track_json(w);
    if (!track) /* a name that is no UTF-8 is the other reason */
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: no metadata can be made of this name",
                       w->song->path);
    rv_status status = rv_yaml_write(&text, track, err);
    json_decref(track);
    snprintf(path, sizeof path, "%s/metadata.yaml", w->folder);
    if (status == RV_OK)
        status = rv_sink_store(path, text, strlen(text), err);
    free(text);
    return status;
}
