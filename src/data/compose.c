/* compose.c - from a seed to a song: style, key, metre, tempo; then everybody plays. */
#include "data/compose_impl.h"

#include "base/rng.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

const char *const *rv_compose_styles(void)
{
    static const char *const names[] = { "rock",       "pop",     "metal",  "funk",
                                         "disco",      "house",   "ballad", "jazz",
                                         "reggae",     "country", "folk",   "hip-hop",
                                         "electronic", "latin",   "blues",  NULL };
    return names;
}

static rv_status find_style(const rv_style **out, const rv_compose_options *opt, rv_error *err)
{
    rv_dice d = rv_dice_for(opt->seed, FOR_SONG, 0, 0, 0);
    *out = &rv_styles[rv_dice_roll(&d, rv_n_styles)];
    if (!opt->style)
        return RV_OK;
    for (int i = 0; i < rv_n_styles; i++)
        if (!strcmp(opt->style, rv_styles[i].name)) {
            *out = &rv_styles[i];
            return RV_OK;
        }
    char names[256] = "";
    for (int i = 0; i < rv_n_styles; i++)
        strcat(strcat(names, i ? ", " : ""), rv_styles[i].name);
    return RV_FAIL(err, RV_ERR_ARG, "no style '%s' to compose in: there are %s", opt->style, names);
}

/* Six eighths are felt as two beats: tempi of dotted quarters, those of fast styles halved. */
static int tempo_of(const rv_song *s, rv_dice *d)
{
    const int bpm = rv_dice_between(d, 100 * s->style->bpm[0], 100 * s->style->bpm[1]);
    if (s->metre != METRE_68)
        return bpm;
    return (bpm > 8800 ? bpm * 55 / 100 : bpm) * 3 / 2;
}

static void decide(rv_song *s, const rv_compose_options *opt)
{
    static const uint8_t steps[METRES] = { 16, 12, 12 }, beat[METRES] = { 4, 4, 6 };
    rv_dice d = rv_dice_for(s->seed, FOR_SONG, 1, 0, 0);
    s->metre = rv_dice_weighted(&d, s->style->metres, METRES);
    s->mode = rv_dice_weighted(&d, s->style->modes, MODES);
    s->tonic = rv_dice_roll(&d, 12);
    s->bpm = tempo_of(s, &d);
    s->steps = steps[s->metre];
    s->beat = beat[s->metre];
    s->bar_ticks = s->steps * TICKS_STEP;
    s->swing_unit =
        s->style->swing_unit == 8 && s->metre != METRE_68 ? TICKS_QUARTER / 2 : TICKS_STEP;
    const int swing = rv_dice_between(&d, s->style->swing[0], s->style->swing[1]);
    const bool straight =
        s->metre == METRE_68 || (s->style->swing[0] < 40 && rv_dice_chance(&d, 45));
    s->swing = straight ? 0 : s->swing_unit * swing / 300;
    s->pentatonic = rv_dice_chance(&d, s->style->pentatonic);
    s->sings = opt->vocals;
}

static void play(rv_song *s)
{
    static void (*const players[ROLES])(rv_song *, rv_part *) = {
        [ROLE_DRUMS] = rv_play_drums,     [ROLE_BASS] = rv_play_bass,
        [ROLE_LEAD] = rv_play_lead,       [ROLE_VOCALS] = rv_play_vocals,
        [ROLE_BACKING] = rv_play_backing,
    };
    /* the bass listens to the drums, lead and backing vocals to the singer */
    static const int first[] = { ROLE_DRUMS, ROLE_VOCALS };
    for (int i = 0; i < 2; i++)
        if (rv_song_part(s, first[i]))
            players[first[i]](s, rv_song_part(s, first[i]));
    for (int i = 0; i < s->n_parts; i++) {
        rv_part *p = &s->parts[i];
        if (p->role != ROLE_DRUMS && p->role != ROLE_VOCALS)
            (players[p->role] ? players[p->role] : rv_play_comping)(s, p);
    }
}

static double length_of(const rv_compose_options *opt)
{
    rv_dice d = rv_dice_for(opt->seed, FOR_SONG, 2, 0, 0);
    const double wanted = opt->seconds > 0 ? opt->seconds : rv_dice_between(&d, 90, 200);
    return opt->most > 0 && opt->most < wanted ? opt->most : wanted;
}

static void song_free(rv_song *s)
{
    for (int i = 0; s && i < s->n_parts; i++) {
        free(s->parts[i].notes);
        free(s->parts[i].controls);
    }
    free(s);
}

rv_status rv_compose(rv_midi **out, const rv_compose_options *opt, rv_error *err)
{
    const rv_style *style;
    if (!(opt->seconds >= 0 && opt->seconds <= 900))
        return RV_FAIL(err, RV_ERR_ARG, "a song of %g seconds: 0 to 900 are possible",
                       opt->seconds);
    RV_TRY(find_style(&style, opt, err));
    rv_song *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory");
    s->seed =
        rv_rng_bits(opt->seed, style->bit, 0); /* equal seeds are other songs in other styles */
    s->style = style;
    decide(s, opt);
    rv_song_form(s, length_of(opt));
    rv_song_band(s);
    rv_song_harmony(s);
    play(s);
    rv_status status = s->out_of_memory ? RV_FAIL(err, RV_ERR_NOMEM, "out of memory") : RV_OK;
    if (status == RV_OK)
        status = rv_song_perform(s, out, err);
    song_free(s);
    return status;
}
