/* render_stem.c - one part's audio: played dry, brought to a level that its effects expect, and
 * sent through them. */
#include "base/status.h"
#include "data/render_impl.h"
#include "data/sing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double effects_level = -20; /* LUFS at which the effects get a stem */
static const double fade_seconds = 1;    /* what still sounds at the end fades out */

static size_t collect(const rv_track_work *w, size_t part, rv_synth_event *events)
{
    const int rate = w->worker->run->opt->sample_rate;
    size_t n = 0;
    for (size_t i = 0; i < w->midi->n; i++) {
        const rv_midi_event *e = &w->midi->events[i];
        if (rv_parts_hears(w->parts, part, i))
            events[n++] = (rv_synth_event){ .frame = llround(w->parts->seconds[i] * rate),
                                            .status = e->status,
                                            .data = { e->data[0], e->data[1] } };
    }
    return n;
}

/* One of the sets of General MIDI level 2 that the soundfont has; 0: it has none. */
static int drum_set(const rv_track_work *w, size_t font)
{
    static const int sets[] = { 0, 8, 16, 24, 25, 32, 40 }; /* standard, room, power, ... */
    const rv_soundfont_info *info = &w->worker->run->font[font].info;
    int there[sizeof sets / sizeof *sets] = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (info->drum_set[sets[i]])
            there[n++] = sets[i];
    }
    return there[(size_t)(w->drums.set * (double)n)];
}

static rv_status play_font(rv_track_work *w, size_t part, rv_error *err)
{
    const rv_render_options *opt = w->worker->run->opt;
    const int program = w->parts->items[part].program;
    const size_t which = rv_render_font_for(w->worker->run, &w->plan, program);
    rv_soundfont *font = NULL;
    RV_TRY(rv_render_font_open(w->worker, which, &font, err));
    rv_synth_event *events = calloc(w->midi->n, sizeof *events);
    if (!events)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory for %zu events", w->midi->n);
    const rv_synth_part play = { .program = program,
                                 .drum_set = opt->mix_drums ? drum_set(w, which) : 0,
                                 .events = events,
                                 .n = collect(w, part, events),
                                 .end = llround(w->parts->end * opt->sample_rate) };
    w->stems[part].player = w->worker->run->font[which].name;
    w->stems[part].license = w->worker->run->font[which].license;
    const rv_status status = rv_soundfont_play(font, &play, w->stems[part].audio, w->frames, err);
    free(events);
    return status;
}

/* Notes that do not overlap, as a voice needs them; their syllables are put one after the other
 * into `text`. */
static size_t collect_sung(const rv_part_note *notes, size_t n, rv_sung_note *sung, char *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const double next = i + 1 < n ? notes[i + 1].start : HUGE_VAL;
        const double end = fmin(notes[i].start + notes[i].duration, next);
        if (end <= notes[i].start)
            continue;
        sung[kept++] = (rv_sung_note){ .start = notes[i].start,
                                       .duration = end - notes[i].start,
                                       .pitch = fmax(24, fmin(96, notes[i].key)),
                                       .velocity = notes[i].velocity / 127.0,
                                       .syllable = notes[i].lyric ? text : NULL };
        if (notes[i].lyric) {
            if (notes[i].lyric->n_bytes)
                memcpy(text, notes[i].lyric->bytes, notes[i].lyric->n_bytes);
            text += notes[i].lyric->n_bytes + 1; /* a zero is there already */
        }
    }
    return kept;
}

static size_t text_room(const rv_part_note *notes, size_t n)
{
    size_t room = 1;
    for (size_t i = 0; i < n; i++)
        room += notes[i].lyric ? notes[i].lyric->n_bytes + 1 : 0;
    return room;
}

static rv_status sing(rv_track_work *w, size_t part, rv_error *err)
{
    const size_t n = w->parts->items[part].notes;
    const rv_voice_options voice = { .seed = w->plan.seed + part,
                                     .breath = -1,
                                     .doubles = w->stems[part].plan.voices - 1 };
    rv_part_note *notes = calloc(n, sizeof *notes);
    rv_sung_note *sung = calloc(n, sizeof *sung);
    if (notes)
        rv_parts_notes(w->parts, part, notes);
    char *text = notes ? calloc(1, text_room(notes, n)) : NULL;
    rv_status status = RV_FAIL(err, RV_ERR_NOMEM, "out of memory for %zu notes", n);
    if (text && sung)
        status = rv_sing(w->stems[part].audio, w->frames, w->worker->run->opt->sample_rate, sung,
                         collect_sung(notes, n, sung, text), &voice, err);
    w->stems[part].player = "espeak-ng";
    w->stems[part].license = "GPL-3: the program, not what it speaks";
    free(notes);
    free(sung);
    free(text);
    return status;
}

/* Drums that no kit has a piece for are left to the soundfont. */
static rv_status play_drums(rv_track_work *w, size_t part, rv_error *err)
{
    const rv_render_options *opt = w->worker->run->opt;
    const bool kits = opt->mix_drums ? w->drums.kits : w->plan.drum_kit < opt->n_drum_kits;
    bool played = false;
    if (kits)
        RV_TRY(rv_render_kits(w, part, &played, err));
    return played ? RV_OK : play_font(w, part, err);
}

static rv_status play(rv_track_work *w, size_t part, rv_error *err)
{
    if (w->parts->items[part].program == RV_GM_DRUMS)
        return play_drums(w, part, err);
    if (w->parts->items[part].sung && w->worker->run->sings)
        return sing(w, part, err);
    return play_font(w, part, err);
}

static float find_peak(const rv_stem *s, size_t frames)
{
    float peak = 0;
    for (int c = 0; c < 2; c++)
        for (size_t i = 0; i < frames; i++)
            peak = fmaxf(peak, fabsf(s->audio[c][i]));
    return peak;
}

/* Short sounds have no loudness in the sense of BS.1770; their peak stands for it. */
static rv_status measure(rv_stem *s, size_t frames, int rate, rv_error *err)
{
    const float *planes[] = { s->audio[0], s->audio[1] };
    RV_TRY(rv_loudness_lufs(&s->loudness, planes, 2, frames, rate, err));
    s->peak = find_peak(s, frames);
    if (!isfinite(s->loudness))
        s->loudness = 20 * log10((double)s->peak + 1e-10) - 12;
    return RV_OK;
}

static void scale(rv_stem *s, size_t frames, double gain)
{
    for (int c = 0; c < 2; c++)
        for (size_t i = 0; i < frames; i++)
            s->audio[c][i] = (float)((double)s->audio[c][i] * gain);
}

static void fade(rv_stem *s, size_t frames, int rate)
{
    const size_t wanted = (size_t)(fade_seconds * rate), n = wanted < frames ? wanted : frames;
    for (int c = 0; c < 2; c++)
        for (size_t i = 0; i < n; i++)
            s->audio[c][frames - 1 - i] *= (float)i / (float)n;
}

/* Late effects get the margin as silence at the end; what is late is moved back. */
static rv_status apply(rv_stem *s, size_t frames, int rate, rv_error *err)
{
    rv_effects *effects = NULL;
    RV_TRY(rv_effects_new(&effects, s->plan.effects, s->plan.n_effects, rate, err));
    const size_t late = rv_effects_latency(effects);
    if (late <= RV_TRACK_MARGIN) {
        rv_effects_process(effects, s->audio, frames + late);
        for (int c = 0; c < 2; c++)
            memmove(s->audio[c], s->audio[c] + late, frames * sizeof(float));
    }
    rv_effects_free(effects);
    if (late > RV_TRACK_MARGIN)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "effects that are %zu frames late", late);
    return RV_OK;
}

rv_status rv_render_stem(rv_track_work *w, size_t stem, rv_error *err)
{
    const int rate = w->worker->run->opt->sample_rate;
    rv_stem *s = &w->stems[stem];
    RV_TRY(play(w, stem, err));
    RV_TRY(measure(s, w->frames, rate, err));
    s->silent = s->peak < 1e-6f;
    if (s->silent)
        return RV_OK;
    scale(s, w->frames, pow(10, (effects_level - s->loudness) / 20));
    RV_TRY(apply(s, w->frames, rate, err));
    fade(s, w->frames, rate);
    return measure(s, w->frames, rate, err);
}
