/* feature_key.c - see feature_key.h. */
#include "data/feature_key.h"

#include "dsp/feature.h"

#include <string.h>

/* Raised whenever a feature's values change for the same spec. */
enum { VERSION = 1 };

static void add(rv_feature_key *key, uint64_t value)
{
    memcpy(key->bytes + key->size, &value, sizeof value);
    key->size += sizeof value;
}

static void add_real(rv_feature_key *key, double value)
{
    uint64_t bits;
    value = value == 0 ? 0 : value; /* -0 is 0 */
    memcpy(&bits, &value, sizeof bits);
    add(key, bits);
}

static void add_f0(rv_feature_key *key, const rv_feature_spec *s, uint64_t engine_print)
{
    add(key, s->f0_method);
    add(key, s->f0_librosa != 0);
    add_real(key, s->f0_min);
    add_real(key, s->f0_max);
    if (rv_feature_is_network(s->f0_method))
        add(key, engine_print);
    else
        add_real(key, s->trough);
}

static void add_mel(rv_feature_key *key, const rv_feature_spec *s)
{
    add(key, s->mel_scale);
    add(key, (uint64_t)s->power);
    add(key, s->decibels != 0);
    add_real(key, s->mel_floor);
    add(key, (uint64_t)s->bands);
    add_real(key, s->mel_min);
    add_real(key, s->mel_max);
    add(key, s->feature == RV_FEATURE_MFCC ? (uint64_t)s->coefficients : 0);
}

static void add_loudness(rv_feature_key *key, const rv_feature_spec *s)
{
    add(key, s->loudness);
    add_real(key, s->ref_db);
    add_real(key, s->range_db);
}

void rv_feature_key_of(rv_feature_key *key, const rv_audio_print *audio,
                       const rv_feature_spec *spec, uint64_t engine_print)
{
    key->size = 0;
    add(key, VERSION);
    add(key, audio->hash);
    add(key, audio->samples);
    add(key, (uint64_t)audio->sample_rate);
    add(key, spec->feature);
    add(key, (uint64_t)spec->sample_rate);
    add_real(key, spec->frame_rate);
    add(key, (uint64_t)spec->window);
    add(key, spec->align);
    switch (spec->feature) {
    case RV_FEATURE_F0:
    case RV_FEATURE_HARMONICITY:
    case RV_FEATURE_RESIDUAL:
        add_f0(key, spec, engine_print);
        break;
    case RV_FEATURE_MEL:
    case RV_FEATURE_MFCC:
        add_mel(key, spec);
        break;
    case RV_FEATURE_LOUDNESS:
        add_loudness(key, spec);
        break;
    default:
        break;
    }
}
