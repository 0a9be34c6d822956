/* group_kind.h - what a processor of a group can be: its name, inputs, settings, and how it is
 * built. The table is in group_kind.c. */
#ifndef DDSP_GROUP_KIND_H
#define DDSP_GROUP_KIND_H

#include "ddsp/mod_delay.h"
#include "ddsp/synth_harmonic.h"
#include "ddsp/synth_noise.h"
#include "ddsp/synth_sinusoidal.h"
#include "ddsp/synth_wavetable.h"
#include "nn/nn.h"

enum { RV_GROUP_INPUTS = 8, RV_GROUP_SETTINGS = 8 };

typedef enum rv_group_port {
    RV_GROUP_AUDIO,  /* [B,N], of a processor or a control */
    RV_GROUP_FRAMES, /* [B,F,K] */
    RV_GROUP_FIXED,  /* does not change within a sound: responses, and what makes them */
} rv_group_port;

typedef enum rv_group_setting_kind {
    RV_GROUP_NUMBER,
    RV_GROUP_INTEGER,
    RV_GROUP_BOOL,   /* 0 or 1 */
    RV_GROUP_CHOICE, /* the index of one of `choices` */
} rv_group_setting_kind;

typedef struct rv_group_setting {
    const char *name;
    rv_group_setting_kind kind;
    double least, most, standard;
    const char *choices; /* "a|b|c" */
    const char *about;   /* one line */
} rv_group_setting;

typedef enum rv_group_kind_id {
    RV_GROUP_HARMONIC,
    RV_GROUP_SINUSOIDAL,
    RV_GROUP_NOISE,
    RV_GROUP_WAVETABLE,
    RV_GROUP_ADD,
    RV_GROUP_MULTIPLY,
    RV_GROUP_MIX,
    RV_GROUP_CROP,
    RV_GROUP_REVERB,
    RV_GROUP_REVERB_LEARNED,
    RV_GROUP_REVERB_DECAY,
    RV_GROUP_REVERB_NOISE,
    RV_GROUP_REVERB_WET,
    RV_GROUP_FIR,
    RV_GROUP_MOD_DELAY,
} rv_group_kind_id;

/* A processor with all that it is built from. */
typedef struct rv_group_call {
    nn_builder *b;
    const double *settings;
    double sample_rate;
    size_t samples, n_inputs;
    rv_node *in[RV_GROUP_INPUTS];
    rv_node *noise; /* out: its input, if it has one */
} rv_group_call;

typedef struct rv_group_input {
    const char *name;
    rv_group_port port;
} rv_group_input;

typedef struct rv_group_kind {
    rv_group_kind_id id;
    const char *name;
    size_t least, most; /* inputs: one of both, or `any` between */
    bool any;
    rv_group_input inputs[RV_GROUP_INPUTS];
    const rv_group_setting *settings;
    size_t n_settings;
    rv_node *(*build)(rv_group_call *c); /* the signal */
    /* A frame [1,1,W] of its stream from controls [1,1,K]; NULL: it takes none. */
    rv_node *(*frame)(rv_group_call *c);
    rv_node *(*response)(rv_group_call *c); /* of a reverb [1,M] or [B,M]; else NULL */
} rv_group_kind;

extern const rv_group_kind rv_group_kinds[];
extern const size_t rv_group_n_kinds;

/* NULL: there is none. */
const rv_group_kind *rv_group_find_kind(const char *name);

/* The settings as configs. */
rv_harmonic_config rv_group_harmonic(const rv_group_call *c);
rv_sinusoidal_config rv_group_sinusoidal(const rv_group_call *c);
rv_wavetable_config rv_group_wavetable(const rv_group_call *c);
rv_noise_config rv_group_noise(const rv_group_call *c);
rv_mod_delay_config rv_group_mod_delay(const rv_group_call *c);

/* The other settings, by their places. */
enum { RV_FIR_WINDOW, RV_FIR_SCALE };
enum { RV_CROP_SIZE, RV_CROP_PLACE };
enum { RV_ROOM_DRY, RV_ROOM_LENGTH, RV_ROOM_NOISE };

#endif
