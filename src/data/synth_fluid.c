/* synth_fluid.c - FluidSynth's library, driven block by block.
 *
 * A synthesiser keeps traces of what it played, even when reset, so each part gets a new one (3
 * ms); the soundfont, which takes long to read, is handed from one to the next. */
#include "base/status.h"
#include "data/gm.h"
#include "data/soundfont.h"
#include "data/soundfont_file.h"
#include "io/mapping.h"

#include <fluidsynth.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct rv_soundfont {
    char *path;
    fluid_settings_t *settings;
    fluid_synth_t *keeper; /* read the soundfont, and frees it */
    fluid_sfont_t *font;
};

enum { POLYPHONY = 512 };

static void say_nothing(int level, const char *message, void *data)
{
    (void)level;
    (void)message;
    (void)data;
}

rv_status rv_synth_check(rv_error *err)
{
    (void)err;
    return RV_OK;
}

static uint32_t size_at(const unsigned char *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The list of presets has one more, which ends it. Without presets, FluidSynth asks another library
 * (of DLS), which prints. */
static bool has_presets(const unsigned char *p, size_t n)
{
    enum { PRESET = 38 };
    size_t at = 0, inner = 0;
    const size_t tables = rv_soundfont_chunk(p + 12, n - 12, "LIST", "pdta", &at);
    return tables && rv_soundfont_chunk(p + 12 + at, tables, "phdr", "", &inner) >= 2 * PRESET;
}

static rv_status check_bytes(const char *path, const unsigned char *p, size_t n, rv_error *err)
{
    if (n < 12 || memcmp(p, "RIFF", 4) || memcmp(p + 8, "sfbk", 4))
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: not a soundfont: a file that begins with RIFF and sfbk was expected",
                       path);
    if (8 + (uint64_t)size_at(p + 4) > n)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: cut short: %zu of %llu bytes", path, n,
                       8 + (unsigned long long)size_at(p + 4));
    if (!has_presets(p, n))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: a soundfont without presets", path);
    return RV_OK;
}

/* A file that is cut short would be read by FluidSynth up to some samples of noise. */
static rv_status check_file(const char *path, rv_error *err)
{
    rv_mapping map = { 0 };
    RV_TRY(rv_mapping_open(&map, path, err));
    const rv_status status = check_bytes(path, map.data, map.size, err);
    rv_mapping_close(&map);
    return status;
}

static bool configure(fluid_settings_t *s, int sample_rate)
{
    static const struct {
        const char *name;
        int value;
    } rows[] = {
        { "synth.cpu-cores", 1 },     { "synth.reverb.active", 0 },
        { "synth.chorus.active", 0 }, { "synth.polyphony", POLYPHONY },
        { "synth.lock-memory", 0 },   { "synth.threadsafe-api", 0 },
    };
    bool done = fluid_settings_setnum(s, "synth.sample-rate", sample_rate) == FLUID_OK;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        done &= fluid_settings_setint(s, rows[i].name, rows[i].value) == FLUID_OK;
    return done && fluid_settings_setstr(s, "synth.midi-bank-select", "gm") == FLUID_OK;
}

static rv_status load(rv_soundfont *s, const char *path, int sample_rate, rv_error *err)
{
    for (int level = 0; level < LAST_LOG_LEVEL; level++)
        fluid_set_log_function(level, say_nothing, NULL);
    s->path = strdup(path);
    s->settings = new_fluid_settings();
    if (!s->path || !s->settings)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    if (!configure(s->settings, sample_rate))
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%d Hz: FluidSynth cannot be set up so",
                       sample_rate);
    s->keeper = new_fluid_synth(s->settings);
    const int id = s->keeper ? fluid_synth_sfload(s->keeper, path, 1) : FLUID_FAILED;
    fluid_sfont_t *font = id == FLUID_FAILED ? NULL : fluid_synth_get_sfont_by_id(s->keeper, id);
    if (!font || fluid_synth_remove_sfont(s->keeper, font) != FLUID_OK)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: not a soundfont that FluidSynth can read", path);
    s->font = font;
    return RV_OK;
}

rv_status rv_soundfont_open(rv_soundfont **out, const char *path, int sample_rate, rv_error *err)
{
    if (sample_rate < RV_SYNTH_RATE_MIN || sample_rate > RV_SYNTH_RATE_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "%d Hz: FluidSynth renders at %d to %d", sample_rate,
                       RV_SYNTH_RATE_MIN, RV_SYNTH_RATE_MAX);
    RV_TRY(check_file(path, err));
    rv_soundfont *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    const rv_status status = load(s, path, sample_rate, err);
    if (status == RV_OK)
        *out = s;
    else
        rv_soundfont_free(s);
    return status;
}

void rv_soundfont_free(rv_soundfont *s)
{
    if (!s)
        return;
    if (s->font)
        fluid_synth_add_sfont(s->keeper, s->font);
    delete_fluid_synth(s->keeper);
    delete_fluid_settings(s->settings);
    free(s->path);
    free(s);
}

static void send(fluid_synth_t *synth, int channel, const rv_synth_event *e)
{
    switch (e->status & 0xf0) {
    case 0x80:
        fluid_synth_noteoff(synth, channel, e->data[0]);
        break;
    case 0x90: /* velocity 0 ends the note */
        fluid_synth_noteon(synth, channel, e->data[0], e->data[1]);
        break;
    case 0xa0:
        fluid_synth_key_pressure(synth, channel, e->data[0], e->data[1]);
        break;
    case 0xb0:
        fluid_synth_cc(synth, channel, e->data[0], e->data[1]);
        break;
    case 0xd0:
        fluid_synth_channel_pressure(synth, channel, e->data[0]);
        break;
    case 0xe0:
        fluid_synth_pitch_bend(synth, channel, e->data[0] | e->data[1] << 7);
        break;
    default:
        break;
    }
}

/* Whole blocks up to the one nearest to `frame`, or what is left of `frames`. */
static bool advance(fluid_synth_t *synth, float *const out[2], size_t *at, size_t frames,
                    int64_t frame)
{
    const int64_t block = (frame + RV_SYNTH_BLOCK / 2) / RV_SYNTH_BLOCK * RV_SYNTH_BLOCK;
    const size_t end = block > 0 && (size_t)block < frames ? (size_t)block : block > 0 ? frames : 0;
    enum { MOST = 64 * RV_SYNTH_BLOCK };
    bool done = true;
    while (*at < end && done) {
        const size_t n = end - *at < MOST ? end - *at : MOST;
        float *planes[] = { out[0] + *at, out[1] + *at };
        done = fluid_synth_process(synth, (int)n, 0, NULL, 2, planes) == FLUID_OK;
        *at += n;
    }
    return done;
}

static bool play(fluid_synth_t *synth, const rv_synth_part *part, float *const out[2],
                 size_t frames)
{
    const bool drums = part->program == RV_GM_DRUMS;
    const int channel = drums ? RV_GM_DRUM_CHANNEL : 0;
    bool done = fluid_synth_program_change(synth, channel,
                                           drums ? part->drum_set : part->program) == FLUID_OK;
    size_t at = 0;
    for (size_t i = 0; i < part->n && done; i++) {
        done = advance(synth, out, &at, frames, part->events[i].frame);
        send(synth, channel, &part->events[i]);
    }
    done = done && advance(synth, out, &at, frames, part->end);
    fluid_synth_cc(synth, channel, 64, 0); /* the pedal */
    fluid_synth_all_notes_off(synth, channel);
    return done && advance(synth, out, &at, frames, (int64_t)frames + RV_SYNTH_BLOCK);
}

rv_status rv_soundfont_play(rv_soundfont *s, const rv_synth_part *part, float *const out[2],
                            size_t frames, rv_error *err)
{
    fluid_synth_t *synth = new_fluid_synth(s->settings);
    if (!synth)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: FluidSynth has no memory for a synthesiser",
                       s->path);
    bool done = fluid_synth_add_sfont(synth, s->font) != FLUID_FAILED;
    done = done && play(synth, part, out, frames);
    fluid_synth_remove_sfont(synth, s->font);
    delete_fluid_synth(synth);
    if (!done)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: FluidSynth cannot play the program %d", s->path,
                       part->program);
    return RV_OK;
}
