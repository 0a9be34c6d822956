/* gm.c - names and classes as in Slakh2100 (E. Manilow et al., "Cutting music source separation
 * some Slakh", WASPAA 2019), which spells the class of programs 119 to 127 as it is here. */
#include "data/gm.h"

#include <stddef.h>

static const char *const names[RV_GM_PROGRAMS] = {
    "Acoustic Grand Piano",
    "Bright Acoustic Piano",
    "Electric Grand Piano",
    "Honky-tonk Piano",
    "Electric Piano 1",
    "Electric Piano 2",
    "Harpsichord",
    "Clavinet",
    "Celesta",
    "Glockenspiel",
    "Music Box",
    "Vibraphone",
    "Marimba",
    "Xylophone",
    "Tubular Bells",
    "Dulcimer",
    "Drawbar Organ",
    "Percussive Organ",
    "Rock Organ",
    "Church Organ",
    "Reed Organ",
    "Accordion",
    "Harmonica",
    "Tango Accordion",
    "Acoustic Guitar (nylon)",
    "Acoustic Guitar (steel)",
    "Electric Guitar (jazz)",
    "Electric Guitar (clean)",
    "Electric Guitar (muted)",
    "Overdriven Guitar",
    "Distortion Guitar",
    "Guitar harmonics",
    "Acoustic Bass",
    "Electric Bass (finger)",
    "Electric Bass (pick)",
    "Fretless Bass",
    "Slap Bass 1",
    "Slap Bass 2",
    "Synth Bass 1",
    "Synth Bass 2",
    "Violin",
    "Viola",
    "Cello",
    "Contrabass",
    "Tremolo Strings",
    "Pizzicato Strings",
    "Orchestral Harp",
    "Timpani",
    "String Ensemble 1",
    "String Ensemble 2",
    "Synth Strings 1",
    "Synth Strings 2",
    "Choir Aahs",
    "Voice Oohs",
    "Synth Voice",
    "Orchestra Hit",
    "Trumpet",
    "Trombone",
    "Tuba",
    "Muted Trumpet",
    "French Horn",
    "Brass Section",
    "Synth Brass 1",
    "Synth Brass 2",
    "Soprano Sax",
    "Alto Sax",
    "Tenor Sax",
    "Baritone Sax",
    "Oboe",
    "English Horn",
    "Bassoon",
    "Clarinet",
    "Piccolo",
    "Flute",
    "Recorder",
    "Pan Flute",
    "Blown Bottle",
    "Shakuhachi",
    "Whistle",
    "Ocarina",
    "Lead 1 (square)",
    "Lead 2 (sawtooth)",
    "Lead 3 (calliope)",
    "Lead 4 (chiff)",
    "Lead 5 (charang)",
    "Lead 6 (voice)",
    "Lead 7 (fifths)",
    "Lead 8 (bass + lead)",
    "Pad 1 (new age)",
    "Pad 2 (warm)",
    "Pad 3 (polysynth)",
    "Pad 4 (choir)",
    "Pad 5 (bowed)",
    "Pad 6 (metallic)",
    "Pad 7 (halo)",
    "Pad 8 (sweep)",
    "FX 1 (rain)",
    "FX 2 (soundtrack)",
    "FX 3 (crystal)",
    "FX 4 (atmosphere)",
    "FX 5 (brightness)",
    "FX 6 (goblins)",
    "FX 7 (echoes)",
    "FX 8 (sci-fi)",
    "Sitar",
    "Banjo",
    "Shamisen",
    "Koto",
    "Kalimba",
    "Bag pipe",
    "Fiddle",
    "Shanai",
    "Tinkle Bell",
    "Agogo",
    "Steel Drums",
    "Woodblock",
    "Taiko Drum",
    "Melodic Tom",
    "Synth Drum",
    "Reverse Cymbal",
    "Guitar Fret Noise",
    "Breath Noise",
    "Seashore",
    "Bird Tweet",
    "Telephone Ring",
    "Helicopter",
    "Applause",
    "Gunshot",
    "Drums",
};

/* Each class begins at its first program. */
static const struct {
    int first;
    const char *name;
} classes[] = {
    { 0, "Piano" },
    { 8, "Chromatic Percussion" },
    { 16, "Organ" },
    { 24, "Guitar" },
    { 32, "Bass" },
    { 40, "Strings" },
    { 48, "Strings (continued)" },
    { 56, "Brass" },
    { 64, "Reed" },
    { 72, "Pipe" },
    { 80, "Synth Lead" },
    { 88, "Synth Pad" },
    { 96, "Sound Effects" },
    { 104, "Ethnic" },
    { 112, "Percussive" },
    { 119, "Sound effects" },
    { RV_GM_DRUMS, "Drums" },
};

/* Programs from..to stand for one another. */
static const struct {
    int from, to;
} kinds[] = {
    { 0, 3 },   { 4, 5 },   { 12, 13 }, { 16, 18 }, { 24, 25 }, { 26, 28 }, { 29, 30 },
    { 32, 35 }, { 36, 37 }, { 38, 39 }, { 48, 51 }, { 52, 54 }, { 56, 57 }, { 61, 63 },
    { 64, 67 }, { 72, 75 }, { 80, 81 }, { 82, 87 }, { 88, 95 },
};

const char *rv_gm_name(int program)
{
    return names[program];
}

const char *rv_gm_class(int program)
{
    size_t i = sizeof classes / sizeof *classes - 1;
    while (classes[i].first > program)
        i--;
    return classes[i].name;
}

int rv_gm_substitute(int program, double u)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (program < kinds[i].from || program > kinds[i].to)
            continue;
        const int other = kinds[i].from + (int)(u * (kinds[i].to - kinds[i].from));
        return other < program ? other : other + 1;
    }
    return program;
}
