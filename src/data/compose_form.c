/* compose_form.c - the row of sections, the band, and who plays in which section. */
#include "data/compose_impl.h"

#include <string.h>

/* How lively a section is, and in percent how often a role plays in it. */
static const uint8_t energy_of[KINDS] = { 40, 52, 64, 84, 60, 78, 40, 25, 45 };

static const uint8_t play_chance[ROLES][KINDS] = {
    /*                I   V    P    C    B    S    K   A   O */
    [ROLE_DRUMS] = { 55, 97, 98, 100, 85, 99, 25, 0, 85 },
    [ROLE_BASS] = { 60, 97, 98, 100, 88, 99, 45, 0, 90 },
    [ROLE_STRUM] = { 55, 75, 75, 92, 65, 75, 40, 0, 75 },
    [ROLE_POWER] = { 50, 50, 65, 98, 55, 90, 15, 0, 70 },
    [ROLE_PICK] = { 65, 75, 60, 45, 65, 30, 55, 0, 65 },
    [ROLE_MUTE] = { 45, 70, 75, 70, 50, 65, 30, 0, 50 },
    [ROLE_KEYS] = { 70, 80, 80, 85, 75, 75, 60, 5, 80 },
    [ROLE_ORGAN] = { 35, 45, 60, 85, 60, 75, 40, 0, 60 },
    [ROLE_PAD] = { 55, 45, 65, 75, 75, 55, 70, 5, 75 },
    [ROLE_STRINGS] = { 30, 25, 55, 80, 70, 50, 50, 5, 60 },
    [ROLE_BRASS] = { 25, 25, 45, 75, 45, 45, 15, 0, 35 },
    [ROLE_ARP] = { 65, 55, 65, 80, 50, 65, 65, 0, 55 },
    [ROLE_LEAD] = { 62, 40, 25, 50, 45, 100, 30, 0, 60 },
    [ROLE_VOCALS] = { 0, 100, 100, 100, 92, 0, 12, 100, 25 },
    [ROLE_BACKING] = { 4, 22, 40, 92, 50, 15, 10, 85, 35 },
};

typedef struct seat {
    const char *name;
    uint8_t low, high, volume, pan, spread; /* pan: centre, and how far to either side */
    bool single;
    int8_t late; /* ticks */
} seat;

static const seat seats[ROLES] = {
    [ROLE_DRUMS] = { "Drums", 27, 87, 108, 64, 0, false, 0 },
    [ROLE_BASS] = { "Bass", 28, 60, 106, 64, 0, true, 3 },
    [ROLE_STRUM] = { "Rhythm guitar", 40, 80, 84, 64, 44, false, 2 },
    [ROLE_POWER] = { "Power chords", 40, 72, 84, 64, 44, false, 1 },
    [ROLE_PICK] = { "Picked guitar", 40, 80, 88, 64, 30, false, 2 },
    [ROLE_MUTE] = { "Muted guitar", 40, 76, 82, 64, 40, false, 0 },
    [ROLE_KEYS] = { "Keys", 36, 86, 88, 64, 24, false, 2 },
    [ROLE_ORGAN] = { "Organ", 48, 79, 68, 64, 30, false, 0 },
    [ROLE_PAD] = { "Pad", 48, 79, 74, 64, 0, false, 0 },
    [ROLE_STRINGS] = { "Strings", 48, 91, 76, 64, 20, false, 8 },
    [ROLE_BRASS] = { "Brass", 52, 82, 84, 64, 24, false, 4 },
    [ROLE_ARP] = { "Arpeggio", 52, 91, 72, 64, 30, false, 0 },
    [ROLE_LEAD] = { "Lead", 55, 89, 96, 64, 14, true, 4 },
    [ROLE_VOCALS] = { "Vocals", 45, 81, 112, 64, 0, true, 6 },
    [ROLE_BACKING] = { "Backing vocals", 48, 84, 84, 64, 28, true, 8 },
};

rv_part *rv_song_part(rv_song *s, int role)
{
    for (int i = 0; i < s->n_parts; i++)
        if (s->parts[i].role == role)
            return &s->parts[i];
    return NULL;
}

bool rv_part_plays(const rv_song *s, const rv_part *p, int bar)
{
    const rv_section *at = &s->sections[s->bars[bar].section];
    const int part = (int)(p - s->parts);
    return at->plays[part] && bar >= at->bar + at->enters[part];
}

/* ---- form ---- */

static int kind_of(char letter)
{
    const char *at = strchr(rv_section_letters, letter);
    return at ? (int)(at - rv_section_letters) : VERSE;
}

static int usual_bars(const rv_song *s, int kind, rv_dice *d)
{
    static const uint8_t eighths[KINDS] = { 4, 8, 4, 8, 8, 8, 4, 4, 4 };
    if (s->style->bars == 12)
        return kind == INTRO || kind == OUTRO || kind == BREAK ? 4 : kind == A_CAPPELLA ? 4 : 12;
    const int bars = s->style->bars * eighths[kind] / 8;
    const bool fast = s->bpm / s->beat > 3600; /* beats of fast songs: longer sections */
    return kind == VERSE && (fast || rv_dice_chance(d, 15)) ? 2 * bars : bars;
}

static void append(rv_song *s, int kind, int bars, int nth)
{
    if (s->n_sections == SECTIONS_MAX || s->n_bars + bars > BARS_MAX || bars < 1)
        return;
    for (int i = 0; i < bars; i++)
        s->bars[s->n_bars + i].section = s->n_sections;
    s->sections[s->n_sections++] =
        (rv_section){ .kind = kind, .nth = nth, .bar = s->n_bars, .bars = bars, .tonic = s->tonic };
    s->n_bars += bars;
}

/* A last chorus or two a tone higher. */
static void modulate(rv_song *s, rv_dice *d)
{
    const uint32_t usual = POP | BALLAD | COUNTRY | DISCO;
    if (!(s->style->bit & usual) || !rv_dice_chance(d, 18))
        return;
    const int up = rv_dice_between(d, 1, 2);
    int from = s->n_sections - 1;
    while (from > 0 && s->sections[from].kind != CHORUS)
        from--;
    for (int i = from; i < s->n_sections && from > 2; i++)
        s->sections[i].tonic = (s->tonic + up) % 12;
}

static void fill_form(rv_song *s, rv_dice *d, int bars_wanted)
{
    const char *form = s->style->forms[rv_dice_roll(d, 4)];
    const int short_song = bars_wanted < 24;
    const int outro = short_song ? 2 : rv_dice_chance(d, 25) ? 8 : 4;
    int lengths[KINDS], nth[KINDS] = { 0 };
    for (int k = 0; k < KINDS; k++)
        lengths[k] = usual_bars(s, k, d);
    append(s, INTRO, short_song ? 2 : lengths[INTRO], 0);
    for (int i = 0; s->n_bars + outro < bars_wanted && s->n_bars < BARS_MAX - 64; i++) {
        int kind = kind_of(form[(size_t)i % strlen(form)]);
        if (kind == A_CAPPELLA && !s->sings)
            kind = BREAK;
        const int left = bars_wanted - outro - s->n_bars;
        int bars = lengths[kind] < left ? lengths[kind] : left;
        if (left - bars < 4) /* no stub behind it */
            bars = left;
        append(s, kind, bars, nth[kind]++);
    }
    append(s, OUTRO, outro, 0);
}

void rv_song_form(rv_song *s, double seconds)
{
    rv_dice d = rv_dice_for(s->seed, FOR_FORM, 0, 0, 0);
    const double bar_seconds = (double)s->bar_ticks / TICKS_QUARTER * 6000.0 / s->bpm;
    const int wanted = (int)(seconds / bar_seconds + 0.5);
    fill_form(s, &d, wanted < 6 ? 6 : wanted - wanted % 2);
    modulate(s, &d);
    for (int i = 0; i < s->n_sections; i++) {
        rv_section *at = &s->sections[i];
        rv_dice own = rv_dice_for(s->seed, FOR_FORM, at->kind, 1, 0);
        at->energy =
            energy_of[at->kind] + rv_dice_between(&own, -10, 10) + 4 * (at->nth > 2 ? 2 : at->nth);
        const bool may =
            at->kind == BRIDGE || at->kind == BREAK || (at->kind == VERSE && at->nth == 0);
        at->half_time = s->metre == METRE_44 && may && rv_dice_chance(&own, 12);
    }
}

/* ---- band ---- */

static int pick_program(rv_dice *d, const uint8_t *programs, int room)
{
    int n = 0;
    while (n < room && programs[n])
        n++;
    return n ? programs[rv_dice_roll(d, n)] - 1 : 0;
}

static void hire(rv_song *s, const rv_player *player, rv_dice *d)
{
    const seat *at = &seats[player->role];
    rv_part *p = &s->parts[s->n_parts];
    const bool drums = player->role == ROLE_DRUMS;
    const int side = rv_dice_chance(d, 50) ? 1 : -1;
    *p = (rv_part){ .name = at->name, .role = player->role, .low = at->low, .high = at->high };
    p->channel = drums ? DRUM_CHANNEL : s->n_parts - 1 + (s->n_parts - 1 >= DRUM_CHANNEL);
    p->program = drums ? pick_program(d, s->style->kits, 4) : pick_program(d, player->programs, 7);
    p->volume = at->volume + rv_dice_between(d, -8, 8);
    p->pan = at->pan + side * rv_dice_between(d, at->spread / 2, at->spread);
    p->single = at->single;
    p->loose = s->style->loose * s->bpm / 12500; /* ms to ticks: 480 bpm / 60000 */
    p->late = p->loose ? at->late + rv_dice_between(d, -p->loose, p->loose) / 3 : 0;
    s->n_parts++;
}

static void set_plays(rv_song *s, rv_section *at, int part)
{
    const int role = s->parts[part].role;
    rv_dice usual = rv_dice_for(s->seed, FOR_BAND, role, at->kind, 1);
    rv_dice now = rv_dice_for(s->seed, FOR_BAND, role, at->kind, 2 + at->nth);
    const bool rhythm = role == ROLE_DRUMS || role == ROLE_BASS || role == ROLE_VOCALS;
    int chance = play_chance[role][at->kind];
    if (at->kind == VERSE && at->nth == 0 && !rhythm)
        chance -= 15; /* the second verse has more */
    at->plays[part] = rv_dice_chance(rhythm ? &now : &usual, chance);
    if (!rhythm && rv_dice_chance(&now, 12))
        at->plays[part] = !at->plays[part] && chance > 0;
    const bool builds = at->kind == INTRO || at->kind == BREAK || (at->kind == VERSE && !rhythm);
    if (builds && role != ROLE_VOCALS && rv_dice_chance(&now, at->kind == VERSE ? 20 : 45))
        at->enters[part] = at->bars / 2;
}

/* Nobody plays: bass and the first of the others do. */
static void avoid_silence(const rv_song *s, rv_section *at)
{
    int first = -1, playing = 0;
    for (int i = 0; i < s->n_parts; i++) {
        const int role = s->parts[i].role;
        const bool chords = role >= ROLE_STRUM && role <= ROLE_ARP;
        first = chords && first < 0 ? i : first;
        playing += at->plays[i] && (chords || role == ROLE_VOCALS) && !at->enters[i];
    }
    if (playing == 0 && first >= 0) {
        at->plays[first] = true;
        at->enters[first] = 0;
    }
}

static int bars_of(const rv_song *s, int part)
{
    int n = 0;
    for (int i = 0; i < s->n_sections; i++)
        n += s->sections[i].plays[part] ? s->sections[i].bars - s->sections[i].enters[part] : 0;
    return n;
}

/* Drums and bass rest for a third of a song at most. */
static void keep_rhythm(rv_song *s, int part)
{
    for (int i = 0; i < s->n_sections && bars_of(s, part) * 3 < s->n_bars * 2; i++) {
        rv_section *at = &s->sections[i];
        at->plays[part] = at->plays[part] || at->kind != A_CAPPELLA;
        at->enters[part] = 0;
    }
}

static void share_out(rv_song *s)
{
    for (int i = 0; i < s->n_sections; i++) {
        for (int part = 0; part < s->n_parts; part++)
            set_plays(s, &s->sections[i], part);
        avoid_silence(s, &s->sections[i]);
    }
    for (int part = 0; part < s->n_parts; part++)
        if (s->parts[part].role == ROLE_DRUMS || s->parts[part].role == ROLE_BASS)
            keep_rhythm(s, part);
}

void rv_song_band(rv_song *s)
{
    rv_dice d = rv_dice_for(s->seed, FOR_BAND, 0, 0, 0);
    int chords = 0;
    for (int i = 0; i < PLAYERS_MAX && s->style->players[i].chance; i++) {
        const rv_player *player = &s->style->players[i];
        const bool voice = player->role == ROLE_VOCALS || player->role == ROLE_BACKING;
        const bool is_chords = player->role >= ROLE_STRUM && player->role <= ROLE_ARP;
        const bool comes = rv_dice_chance(&d, player->role == ROLE_VOCALS ? 100 : player->chance);
        if ((comes || (player->role == ROLE_LEAD && !s->sings && !chords)) && (!voice || s->sings))
            hire(s, player, &d);
        chords += comes && is_chords;
    }
    if (!chords)
        hire(s, &(rv_player){ ROLE_KEYS, 100, { 1, 5 } }, &d);
    share_out(s);
}
