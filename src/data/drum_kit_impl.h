/* drum_kit_impl.h - a drum kit inside: what drumkit.xml says, which piece plays a note, and the
 * samples that have been read. For the files drum_*.c. */
#ifndef DATA_DRUM_KIT_IMPL_H
#define DATA_DRUM_KIT_IMPL_H

#include "data/drum_kit.h"

#include <pthread.h>
#include <stdbool.h>

enum { DRUM_NOTES = 128, DRUM_NOTE_FIRST = 27, DRUM_NOTE_LAST = 87 };

/* A sample at one rate. */
typedef struct drum_sound drum_sound;
struct drum_sound {
    int rate;
    size_t frames;
    float *plane[2];
    drum_sound *next;
};

typedef struct drum_layer {
    char *file;         /* relative to the kit's folder, and inside of it */
    unsigned long line; /* in the XML */
    double min, max;    /* velocities, 0 to 1 */
    double gain, pitch; /* semitones */
    double component;   /* layers of different components sound together */
    drum_sound *sounds; /* guarded by the kit's lock */
} drum_layer;

/* Which of several layers that are equally near to a hit's velocity. */
typedef enum drum_selection { DRUM_FIRST, DRUM_IN_TURN, DRUM_AT_RANDOM } drum_selection;

typedef struct drum_instrument {
    char *name;
    char *file; /* of the oldest kits: one sample and no layers */
    unsigned long line;
    double volume, gain, left, right, pan;
    double mute_group, note; /* -1: none */
    bool muted, stops_itself, by_velocity;
    drum_selection selection;
    drum_layer *layer;
    size_t layers;
} drum_instrument;

typedef struct drum_component {
    double id, volume;
} drum_component;

struct rv_drum_kit {
    char *folder, *path; /* with all links resolved; of drumkit.xml */
    char *name, *license;
    size_t missing;      /* samples */
    char *first_missing; /* what was to be said about it, or NULL */
    drum_component *component;
    size_t components;
    drum_instrument *instrument;
    size_t instruments;
    int piece[DRUM_NOTES]; /* index of the instrument, -1: none */
    pthread_mutex_t lock;
};

/* An empty kit, or NULL. */
rv_drum_kit *rv_drum_kit_new(void);

/* Fills the kit from the text of the XML, which messages call k->path. */
RV_NODISCARD rv_status rv_drum_xml_read(rv_drum_kit *k, const char *text, size_t size,
                                        rv_error *err);

/* Fills piece[]. */
void rv_drum_pieces_find(rv_drum_kit *k);

/* The piece for a note, or the nearest that there is; -1: none. */
int rv_drum_piece_for(const rv_drum_kit *k, int note);

/* The sample files lie in the folder, and are mono or stereo. Layers without a file go. */
RV_NODISCARD rv_status rv_drum_sounds_check(rv_drum_kit *k, rv_error *err);

/* A layer's sample at a rate; read once. It lives as long as the kit. */
RV_NODISCARD rv_status rv_drum_sound_get(const rv_drum_kit *k, drum_layer *layer, int rate,
                                         const drum_sound **out, rv_error *err);
void rv_drum_sounds_free(drum_layer *layer);

/* The first `frames` of a sound, played `ratio` times as fast; rv_drum_sound_free() it. */
RV_NODISCARD rv_status rv_drum_sound_retune(drum_sound **out, const drum_sound *from, size_t frames,
                                            double ratio, rv_error *err);
void rv_drum_sound_free(drum_sound *s);

#endif
