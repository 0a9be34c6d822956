/* group_kind.c - the processors that a group can hold: each kind with its inputs, its settings, and
 * the builders of ddsp/ that make its signal, and a frame of what its stream takes. */
#include "ddsp/group_kind.h"

#include "ddsp/fir_filter.h"
#include "ddsp/reverb.h"
#include "ddsp/routing.h"

#include <string.h>

#define MODES   "hold|linear|hann"
#define LONGEST (1 << 22)

/* Settings, in the order of enums */

static const rv_group_setting harmonic_settings[] = {
    { "scale", RV_GROUP_BOOL, 0, 1, 1, NULL, "amplitudes and shares come from a network" },
    { "limit", RV_GROUP_BOOL, 0, 1, 1, NULL, "shares are those of harmonics below Nyquist" },
    { "leak", RV_GROUP_NUMBER, 0, 1, 0, NULL, "of harmonics above (ddsp_pytorch: 1e-4)" },
    { "frequency", RV_GROUP_CHOICE, 0, 0, RV_UPSAMPLE_LINEAR, MODES, "from frame to frame" },
    { "amplitude", RV_GROUP_CHOICE, 0, 0, RV_UPSAMPLE_HANN, MODES, "from frame to frame" },
};

rv_harmonic_config rv_group_harmonic(const rv_group_call *c)
{
    const double *s = c->settings;
    return (rv_harmonic_config){ .sample_rate = c->sample_rate,
                                 .samples = c->samples,
                                 .scale = s[0] > 0,
                                 .limit = s[1] > 0,
                                 .leak = s[2],
                                 .frequency = (rv_upsample_mode)s[3],
                                 .amplitude = (rv_upsample_mode)s[4] };
}

static const rv_group_setting sinusoidal_settings[] = {
    { "scale", RV_GROUP_BOOL, 0, 1, 1, NULL, "amplitudes come from a network" },
    { "frequencies", RV_GROUP_CHOICE, 0, 0, RV_SINUSOIDAL_SIGMOID, "hertz|sigmoid|softmax",
      "in Hz, or what a network says" },
    { "depth", RV_GROUP_INTEGER, 1, 1024, 1, NULL, "values of a network for each frequency" },
    { "hz_min", RV_GROUP_NUMBER, 0, 1e6, 0, NULL, "least frequency of a network" },
    { "hz_max", RV_GROUP_NUMBER, 1, 1e6, 8000, NULL, "largest frequency of a network" },
    { "amplitude", RV_GROUP_CHOICE, 0, 0, RV_UPSAMPLE_HANN, MODES, "from frame to frame" },
};

rv_sinusoidal_config rv_group_sinusoidal(const rv_group_call *c)
{
    const double *s = c->settings;
    return (rv_sinusoidal_config){ .sample_rate = c->sample_rate,
                                   .samples = c->samples,
                                   .scale = s[0] > 0,
                                   .frequencies = (rv_sinusoidal_scale)s[1],
                                   .depth = (size_t)s[2],
                                   .hz_min = s[3],
                                   .hz_max = s[4],
                                   .amplitude = (rv_upsample_mode)s[5] };
}

static const rv_group_setting wavetable_settings[] = {
    { "scale", RV_GROUP_BOOL, 0, 1, 1, NULL, "amplitudes and tables come from a network" },
    { "frequency", RV_GROUP_CHOICE, 0, 0, RV_UPSAMPLE_LINEAR, MODES, "from frame to frame" },
    { "amplitude", RV_GROUP_CHOICE, 0, 0, RV_UPSAMPLE_HANN, MODES, "from frame to frame" },
    { "table", RV_GROUP_CHOICE, 0, 0, RV_UPSAMPLE_LINEAR, MODES, "from frame to frame" },
};

rv_wavetable_config rv_group_wavetable(const rv_group_call *c)
{
    const double *s = c->settings;
    return (rv_wavetable_config){ .sample_rate = c->sample_rate,
                                  .samples = c->samples,
                                  .scale = s[0] > 0,
                                  .frequency = (rv_upsample_mode)s[1],
                                  .amplitude = (rv_upsample_mode)s[2],
                                  .table = (rv_upsample_mode)s[3] };
}

static const rv_group_setting noise_settings[] = {
    { "scale", RV_GROUP_BOOL, 0, 1, 1, NULL, "magnitudes come from a network" },
    { "bias", RV_GROUP_NUMBER, -100, 100, -5, NULL, "added to what a network says" },
    { "window", RV_GROUP_INTEGER, 0, 1 << 20, 257, NULL, "samples of a filter; 0: all" },
    { "wrapped", RV_GROUP_BOOL, 0, 1, 0, NULL, "filters end with their frames (ddsp_pytorch)" },
};

static rv_noise_config noise_of(const double *s)
{
    return (rv_noise_config){
        .scale = s[0] > 0, .bias = s[1], .window = (size_t)s[2], .wrapped = s[3] > 0
    };
}

rv_noise_config rv_group_noise(const rv_group_call *c)
{
    return noise_of(c->settings);
}

static const rv_group_setting fir_settings[] = {
    { "window", RV_GROUP_INTEGER, 0, 1 << 20, 257, NULL, "samples of a filter; 0: all" },
    { "scale", RV_GROUP_BOOL, 0, 1, 1, NULL, "magnitudes come from a network" },
};

static const rv_group_setting delay_settings[] = {
    { "centre_ms", RV_GROUP_NUMBER, 0, 10000, 15, NULL, "delay at phase 0, in milliseconds" },
    { "depth_ms", RV_GROUP_NUMBER, 0.01, 10000, 10, NULL, "more delay at phase 1" },
    { "scale", RV_GROUP_BOOL, 0, 1, 1, NULL, "gain and phase come from a network" },
    { "dry", RV_GROUP_BOOL, 0, 1, 1, NULL, "the audio itself is added" },
};

rv_mod_delay_config rv_group_mod_delay(const rv_group_call *c)
{
    const double *s = c->settings;
    return (rv_mod_delay_config){ .sample_rate = c->sample_rate,
                                  .centre_ms = s[0],
                                  .depth_ms = s[1],
                                  .scale = s[2] > 0,
                                  .dry = s[3] > 0 };
}

static const rv_group_setting mix_settings[] = {
    { "scale", RV_GROUP_BOOL, 0, 1, 1, NULL, "the level comes from a network" },
};

static const rv_group_setting crop_settings[] = {
    { "size", RV_GROUP_INTEGER, 0, LONGEST, 0, NULL, "samples cut, rounded down to even" },
    { "place", RV_GROUP_CHOICE, 0, 0, RV_CROP_BACK, "front|centre|back", "where" },
};

/* Of all rooms, as far as they need them. */
static const rv_group_setting room_settings[] = {
    { "dry", RV_GROUP_BOOL, 0, 1, 1, NULL, "the audio itself is added" },
    { "length", RV_GROUP_INTEGER, 1, LONGEST, 48000, NULL, "samples of the response" },
    { "scale", RV_GROUP_BOOL, 0, 1, 1, NULL, "magnitudes come from a network" },
    { "bias", RV_GROUP_NUMBER, -100, 100, -3, NULL, "added to what a network says" },
    { "window", RV_GROUP_INTEGER, 0, 1 << 20, 257, NULL, "samples of a filter; 0: all" },
    { "wrapped", RV_GROUP_BOOL, 0, 1, 0, NULL, "filters end with their frames" },
    { "frames", RV_GROUP_INTEGER, 1, 1 << 16, 1000, NULL, "of learned magnitudes" },
    { "bands", RV_GROUP_INTEGER, 2, 1 << 16, 16, NULL, "of learned magnitudes" },
};
enum { ROOM_FRAMES = RV_ROOM_NOISE + 4, ROOM_BANDS };

/* Synthesisers */

static rv_harmonic_controls harmonic_from(const rv_group_call *c)
{
    return (
        rv_harmonic_controls){ .amplitude = c->in[0], .distribution = c->in[1], .f0 = c->in[2] };
}

static rv_node *build_harmonic(rv_group_call *c)
{
    const rv_harmonic_config config = rv_group_harmonic(c);
    const rv_harmonic_controls from = harmonic_from(c);
    return rv_synth_harmonic(&config, &from);
}

static rv_node *frame_of_harmonic(rv_group_call *c)
{
    const rv_harmonic_config config = rv_group_harmonic(c);
    const rv_harmonic_controls from = harmonic_from(c);
    const rv_harmonic_controls to = rv_harmonic_get_controls(&config, &from);
    rv_node *const parts[] = { to.f0, rv_harmonic_amplitudes(&config, &to) };
    return rv_concat(2, 2, parts);
}

static rv_node *build_sinusoidal(rv_group_call *c)
{
    const rv_sinusoidal_config config = rv_group_sinusoidal(c);
    return rv_synth_sinusoidal(&config, &(rv_sinusoidal_controls){ c->in[0], c->in[1] });
}

static rv_node *frame_of_sinusoidal(rv_group_call *c)
{
    const rv_sinusoidal_config config = rv_group_sinusoidal(c);
    const rv_sinusoidal_controls to =
        rv_sinusoidal_get_controls(&config, &(rv_sinusoidal_controls){ c->in[0], c->in[1] });
    rv_node *const parts[] = { to.frequencies, to.amplitudes };
    return rv_concat(2, 2, parts);
}

static rv_node *build_wavetable(rv_group_call *c)
{
    const rv_wavetable_config config = rv_group_wavetable(c);
    const rv_wavetable_controls from = { c->in[0], c->in[1], c->in[2] };
    return rv_synth_wavetable(&config, &from);
}

static rv_node *frame_of_wavetable(rv_group_call *c)
{
    const rv_wavetable_config config = rv_group_wavetable(c);
    const rv_wavetable_controls to = rv_wavetable_get_controls(
        &config, &(rv_wavetable_controls){ c->in[0], c->in[1], c->in[2] });
    rv_node *const parts[] = { to.f0, to.amplitude, to.tables };
    return rv_concat(2, 3, parts);
}

static rv_node *build_noise(rv_group_call *c)
{
    const rv_noise_config config = rv_group_noise(c);
    c->noise = rv_input(c->b->graph, RV_SHAPE(rv_extent(c->in[0], 0), c->samples));
    return rv_synth_noise(&config, c->noise, c->in[0]);
}

/* The stream scales by itself. */
static rv_node *frame_of_magnitudes(rv_group_call *c)
{
    return c->in[c->n_inputs - 1];
}

/* What joins and cuts */

static rv_node *build_add(rv_group_call *c)
{
    rv_node *y = c->in[0];
    for (size_t i = 1; i < c->n_inputs; i++)
        y = rv_add(y, c->in[i]);
    return y;
}

static rv_node *build_multiply(rv_group_call *c)
{
    rv_node *y = c->in[0];
    for (size_t i = 1; i < c->n_inputs; i++)
        y = rv_mul(y, c->in[i]);
    return y;
}

static rv_node *build_mix(rv_group_call *c)
{
    return rv_mix(c->in[0], c->in[1], c->in[2], c->settings[0] > 0);
}

static rv_node *frame_of_mix(rv_group_call *c)
{
    return rv_mix_level(c->in[2], c->settings[0] > 0);
}

static rv_node *build_crop(rv_group_call *c)
{
    return rv_crop(c->in[0], (size_t)c->settings[RV_CROP_SIZE],
                   (rv_crop_place)c->settings[RV_CROP_PLACE]);
}

/* Rooms */

static rv_node *given_response(rv_group_call *c)
{
    return c->in[1];
}

static rv_node *learned_response(rv_group_call *c)
{
    return rv_reverb_learned(c->b, (size_t)c->settings[RV_ROOM_LENGTH]);
}

static rv_node *wet_response(rv_group_call *c)
{
    return rv_reverb_wet(c->b, (size_t)c->settings[RV_ROOM_LENGTH], c->sample_rate);
}

static rv_node *decay_response(rv_group_call *c)
{
    c->noise = rv_input(c->b->graph, RV_SHAPE(1, (size_t)c->settings[RV_ROOM_LENGTH]));
    return c->n_inputs == 1 ? rv_reverb_decay_learned(c->b, c->noise)
                            : rv_reverb_decay(c->noise, c->in[1], c->in[2]);
}

static rv_node *noise_response(rv_group_call *c)
{
    const double *s = c->settings;
    const rv_noise_config config = noise_of(s + RV_ROOM_NOISE);
    const bool learned = c->n_inputs == 1;
    const size_t batch = learned ? 1 : rv_extent(c->in[1], 0);
    c->noise = rv_input(c->b->graph, RV_SHAPE(batch, (size_t)s[RV_ROOM_LENGTH]));
    return learned ? rv_reverb_noise_learned(c->b, &config, c->noise, (size_t)s[ROOM_FRAMES],
                                             (size_t)s[ROOM_BANDS])
                   : rv_synth_noise(&config, c->noise, c->in[1]);
}

static rv_node *in_room(rv_group_call *c, rv_node *response)
{
    return rv_reverb(c->in[0], response, c->settings[RV_ROOM_DRY] > 0);
}

static rv_node *build_reverb(rv_group_call *c)
{
    return in_room(c, given_response(c));
}

static rv_node *build_reverb_learned(rv_group_call *c)
{
    return in_room(c, learned_response(c));
}

static rv_node *build_reverb_wet(rv_group_call *c)
{
    return in_room(c, wet_response(c));
}

static rv_node *build_reverb_decay(rv_group_call *c)
{
    return in_room(c, decay_response(c));
}

static rv_node *build_reverb_noise(rv_group_call *c)
{
    return in_room(c, noise_response(c));
}

/* Filters and delays */

static rv_node *build_fir(rv_group_call *c)
{
    const size_t window = (size_t)c->settings[RV_FIR_WINDOW];
    return c->settings[RV_FIR_SCALE] > 0 ? rv_fir_filter(c->in[0], c->in[1], window)
                                         : rv_frequency_filter(c->in[0], c->in[1], window);
}

/* Scaled in frames and then brought to samples, as ddsp brings controls there. */
static rv_mod_delay_controls delay_controls(const rv_group_call *c)
{
    const rv_mod_delay_config config = rv_group_mod_delay(c);
    return rv_mod_delay_get_controls(&config, &(rv_mod_delay_controls){ c->in[1], c->in[2] });
}

static rv_node *build_mod_delay(rv_group_call *c)
{
    const rv_mod_delay_config config = rv_group_mod_delay(c);
    rv_mod_delay_controls to = delay_controls(c);
    to.gain = rv_upsample(to.gain, c->samples, RV_UPSAMPLE_LINEAR);
    to.phase = rv_upsample(to.phase, c->samples, RV_UPSAMPLE_LINEAR);
    return rv_mod_delay_get_signal(&config, c->in[0], &to);
}

static rv_node *frame_of_mod_delay(rv_group_call *c)
{
    const rv_mod_delay_controls to = delay_controls(c);
    rv_node *const parts[] = { to.gain, to.phase };
    return rv_concat(2, 2, parts);
}

/* The table */

#define IN_AUDIO(name)       \
    {                        \
        name, RV_GROUP_AUDIO \
    }
#define IN_FRAMES(name)       \
    {                         \
        name, RV_GROUP_FRAMES \
    }
#define IN_FIXED(name)       \
    {                        \
        name, RV_GROUP_FIXED \
    }
#define SIGNALS                                                                            \
    {                                                                                      \
        IN_AUDIO("signal"), IN_AUDIO("signal"), IN_AUDIO("signal"), IN_AUDIO("signal"),    \
            IN_AUDIO("signal"), IN_AUDIO("signal"), IN_AUDIO("signal"), IN_AUDIO("signal") \
    }
#define SETTINGS(table, n) .settings = table, .n_settings = n
#define ALL(table)         SETTINGS(table, sizeof table / sizeof *table)

const rv_group_kind rv_group_kinds[] = {
    { RV_GROUP_HARMONIC, "harmonic", 3, 3,
      .inputs = { IN_FRAMES("amplitude"), IN_FRAMES("distribution"), IN_FRAMES("f0") },
      ALL(harmonic_settings), .build = build_harmonic, .frame = frame_of_harmonic },
    { RV_GROUP_SINUSOIDAL, "sinusoidal", 2, 2,
      .inputs = { IN_FRAMES("amplitudes"), IN_FRAMES("frequencies") }, ALL(sinusoidal_settings),
      .build = build_sinusoidal, .frame = frame_of_sinusoidal },
    { RV_GROUP_NOISE, "filtered_noise", 1, 1, .inputs = { IN_FRAMES("magnitudes") },
      ALL(noise_settings), .build = build_noise, .frame = frame_of_magnitudes },
    { RV_GROUP_WAVETABLE, "wavetable", 3, 3,
      .inputs = { IN_FRAMES("amplitude"), IN_FRAMES("tables"), IN_FRAMES("f0") },
      ALL(wavetable_settings), .build = build_wavetable, .frame = frame_of_wavetable },
    { RV_GROUP_ADD, "add", 2, RV_GROUP_INPUTS, true, .inputs = SIGNALS, .build = build_add },
    { RV_GROUP_MULTIPLY, "multiply", 2, RV_GROUP_INPUTS, true, .inputs = SIGNALS,
      .build = build_multiply },
    { RV_GROUP_MIX, "mix", 3, 3,
      .inputs = { IN_AUDIO("signal"), IN_AUDIO("signal"), IN_FRAMES("level") }, ALL(mix_settings),
      .build = build_mix, .frame = frame_of_mix },
    { RV_GROUP_CROP, "crop", 1, 1, .inputs = { IN_AUDIO("audio") }, ALL(crop_settings),
      .build = build_crop },
    { RV_GROUP_REVERB, "reverb", 2, 2, .inputs = { IN_AUDIO("audio"), IN_FIXED("response") },
      SETTINGS(room_settings, 1), .build = build_reverb, .response = given_response },
    { RV_GROUP_REVERB_LEARNED, "reverb_learned", 1, 1, .inputs = { IN_AUDIO("audio") },
      SETTINGS(room_settings, 2), .build = build_reverb_learned, .response = learned_response },
    { RV_GROUP_REVERB_DECAY, "reverb_decay", 1, 3,
      .inputs = { IN_AUDIO("audio"), IN_FIXED("gain"), IN_FIXED("decay") },
      SETTINGS(room_settings, 2), .build = build_reverb_decay, .response = decay_response },
    { RV_GROUP_REVERB_NOISE, "reverb_noise", 1, 2,
      .inputs = { IN_AUDIO("audio"), IN_FIXED("magnitudes") }, ALL(room_settings),
      .build = build_reverb_noise, .response = noise_response },
    { RV_GROUP_REVERB_WET, "reverb_wet", 1, 1, .inputs = { IN_AUDIO("audio") },
      SETTINGS(room_settings, 2), .build = build_reverb_wet, .response = wet_response },
    { RV_GROUP_FIR, "fir_filter", 2, 2, .inputs = { IN_AUDIO("audio"), IN_FRAMES("magnitudes") },
      ALL(fir_settings), .build = build_fir, .frame = frame_of_magnitudes },
    { RV_GROUP_MOD_DELAY, "mod_delay", 3, 3,
      .inputs = { IN_AUDIO("audio"), IN_FRAMES("gain"), IN_FRAMES("phase") }, ALL(delay_settings),
      .build = build_mod_delay, .frame = frame_of_mod_delay },
};
const size_t rv_group_n_kinds = sizeof rv_group_kinds / sizeof *rv_group_kinds;

const rv_group_kind *rv_group_find_kind(const char *name)
{
    for (size_t i = 0; i < rv_group_n_kinds; i++)
        if (!strcmp(rv_group_kinds[i].name, name))
            return &rv_group_kinds[i];
    return NULL;
}
