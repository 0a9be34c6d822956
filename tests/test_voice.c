/* test_voice.c - what a sung voice is made of, without a program that speaks: decoding, analysis of
 * signals whose source and filter are known, pitch curves, scores. */
#include "check.h"
#include "data/voice_analysis.h"
#include "data/voice_score.h"

#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

TEST(test_lyrics_are_cleaned)
{
    static const char *const cases[][2] = {
        { "Love", "love" },   { "beau-", "beau" },
        { "don't", "don't" }, { "<b>&amp;", "bamp" },
        { " \n-_\\/=+", "" }, { "'", "" },
        { "", "" },           { "\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9" },
    };
    char text[16];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rv_espeak_clean(text, sizeof text, cases[i][0]);
        CHECK_MSG(strcmp(text, cases[i][1]) == 0, "\"%s\" -> \"%s\"", cases[i][0], text);
    }
    rv_espeak_clean(text, sizeof text, NULL);
    CHECK(!*text);
    rv_espeak_clean(text, sizeof text, "abcdefghijklmnopqrstuvwxyz");
    CHECK(strlen(text) == sizeof text - 1);
}

/* A header as espeak-ng writes it to a pipe, and two samples. */
static const unsigned char wav[48] = "RIFF\x24\xf0\xff\x7fWAVEfmt \x10\0\0\0\1\0\1\0\x22\x56\0\0"
                                     "\x44\xac\0\0\2\0\x10\0data\0\xf0\xff\x7f\0\x40\0\xc0";

TEST(test_speech_is_decoded)
{
    rv_error err = { 0 };
    rv_speech speech = { 0 };
    CHECK_OK(rv_espeak_decode(&speech, wav, sizeof wav, &err), err);
    CHECK(speech.count == 2 && speech.rate == 22050);
    CHECK_CLOSE(speech.samples[0], 0.5, 0);
    CHECK_CLOSE(speech.samples[1], -0.5, 0);
    free(speech.samples);
    CHECK_OK(rv_espeak_decode(&speech, wav, 45, &err), err); /* half a sample is none */
    CHECK(speech.count == 0);
    free(speech.samples);
}

TEST(test_damaged_speech_is_refused)
{
    static const size_t places[] = { 0, 8, 20, 22, 27, 34, 36 };
    rv_error err = { 0 };
    rv_speech speech = { 0 };
    unsigned char bad[sizeof wav];
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        memcpy(bad, wav, sizeof wav);
        bad[places[i]] ^= 0x55;
        CHECK(rv_espeak_decode(&speech, bad, sizeof bad, &err) == RV_ERR_FORMAT);
    }
    CHECK(rv_espeak_decode(&speech, wav, 43, &err) == RV_ERR_FORMAT);
    CHECK(rv_espeak_decode(&speech, wav, 0, &err) == RV_ERR_FORMAT);
    CHECK(!speech.samples);
}

static double noise(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) * 0x1p-53 - 0.5;
}

/* Pulses at f0 (or noise for 0) through one resonance: y[t] = x[t] + a y[t-1] + b y[t-2]. */
static rv_speech vowel(double f0, double formant, double seconds)
{
    rv_speech s = { .count = (size_t)(22050 * seconds), .rate = 22050 };
    s.samples = calloc(s.count, sizeof *s.samples);
    CHECK(s.samples != NULL);
    const double r = exp(-pi * 120 / 22050), a = 2 * r * cos(2 * pi * formant / 22050), b = -r * r;
    double y1 = 0, y2 = 0, phase = 0;
    uint64_t state = 1;
    for (size_t t = 0; t < s.count; t++) {
        phase += f0 / 22050;
        const double x = f0 > 0 ? phase >= 1 : 0.2 * noise(&state);
        phase -= phase >= 1;
        const double y = x + a * y1 + b * y2;
        y2 = y1;
        y1 = y;
        s.samples[t] = (float)(0.05 * y);
    }
    return s;
}

/* ln of the resonance's power at `hz` */
static double resonance(double hz, double formant)
{
    const double r = exp(-pi * 120 / 22050), w = 2 * pi * hz / 22050, v = 2 * pi * formant / 22050;
    const double near = 1 - 2 * r * cos(w - v) + r * r, far = 1 - 2 * r * cos(w + v) + r * r;
    return -log(near * far);
}

static double envelope_at(const rv_voice_sound *s, size_t frame, double hz)
{
    return (double)
        s->envelope[frame * s->bins + (size_t)lround(hz / 11025 * (double)(s->bins - 1))];
}

/* On harmonics and half way between them, at every pitch: the filter, within 2.5 dB. */
TEST(test_envelope_shows_the_filter_not_the_harmonics)
{
    for (double f0 = 90; f0 < 240; f0 += 37) {
        rv_error err = { 0 };
        rv_speech speech = vowel(f0, 1500, 0.4);
        rv_voice_sound sound = { 0 };
        CHECK_OK(rv_voice_analyse(&sound, &speech, &err), err);
        const size_t middle = sound.count / 2;
        const double base = envelope_at(&sound, middle, 2 * f0) - resonance(2 * f0, 1500);
        for (double hz = 2 * f0; hz < 1200; hz += f0 / 2) {
            const double off = envelope_at(&sound, middle, hz) - base - resonance(hz, 1500);
            CHECK_MSG(fabs(off) < 0.58, "f0 %g: off by %.2f dB at %g Hz", f0, 4.343 * off, hz);
        }
        CHECK(sound.core_end - sound.core_begin > 60);
        const float *share = sound.frames[middle].noise;
        for (int band = 0; band < 3; band++)
            CHECK_MSG(share[band] < 0.15f, "f0 %g: noise %g in band %d", f0, (double)share[band],
                      band);
        rv_voice_sound_free(&sound);
        free(speech.samples);
    }
}

TEST(test_noise_has_no_pitch)
{
    rv_error err = { 0 };
    rv_speech speech = vowel(0, 5000, 0.3);
    rv_voice_sound sound = { 0 };
    CHECK_OK(rv_voice_analyse(&sound, &speech, &err), err);
    CHECK(sound.core_begin == sound.core_end);
    for (size_t i = 2; i + 2 < sound.count; i++)
        CHECK(sound.frames[i].noise[4] > 0.99f);
    double on = 0, off = 0;
    for (size_t i = 2; i + 2 < sound.count; i++) {
        on += envelope_at(&sound, i, 3500) / (double)(sound.count - 4);
        off += envelope_at(&sound, i, 1500) / (double)(sound.count - 4);
    }
    const double wanted = resonance(3500, 5000) - resonance(1500, 5000);
    CHECK_MSG(fabs(on - off - wanted) < 0.5, "%g dB, not %g", 4.343 * (on - off), 4.343 * wanted);
    rv_voice_sound_free(&sound);
    free(speech.samples);
}

/* No speech at all is a sound, too: a program may answer anything. */
TEST(test_silence_and_nothing_are_analysed)
{
    static const size_t lengths[] = { 0, 1, 100, 5000 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        rv_error err = { 0 };
        rv_speech speech = { .samples = calloc(lengths[i] + 1, sizeof(float)),
                             .count = lengths[i],
                             .rate = 22050 };
        rv_voice_sound sound = { 0 };
        CHECK_OK(rv_voice_analyse(&sound, &speech, &err), err);
        CHECK(sound.count >= 1 && sound.core_begin == sound.core_end);
        rv_voice_sound_free(&sound);
        free(speech.samples);
    }
}

static const rv_voice_take singer = {
    .seed = 3, .formant = 1, .vibrato_rate = 5.5, .vibrato_depth = 50
};

/* A rest, a step up without one, a long note. */
static const rv_sung_note melody[] = { { 0.5, 0.6, 60, 0.8, "la" },
                                       { 1.5, 0.5, 62, 0.8, "la" },
                                       { 2.0, 2.0, 69, 0.8, "la" } };

TEST(test_pitch_is_the_notes_pitch_then_vibrato)
{
    float cents[900];
    rv_voice_pitch(cents, 900, melody, 3, &singer);
    for (size_t i = 0; i < 3; i++) {
        const double wanted = 100 * (melody[i].pitch - 69);
        for (double t = melody[i].start + 0.15; t < melody[i].start + 0.24; t += RV_VOICE_STEP)
            CHECK(fabs((double)cents[lround(t / RV_VOICE_STEP)] - wanted) < 5.01);
    }
    double low = 0, high = 0, sum = 0;
    for (size_t i = 600; i < 780; i++) {
        low = fmin(low, (double)cents[i]);
        high = fmax(high, (double)cents[i]);
        sum += (double)cents[i] / 180;
    }
    CHECK_MSG(high - low > 40 && high - low < 130, "vibrato of %g cents", high - low);
    CHECK(fabs(sum) < 8);
}

/* Between the notes' pitches, without a jump. */
TEST(test_legato_notes_are_joined_by_a_glide)
{
    float cents[900];
    rv_voice_pitch(cents, 900, melody, 3, &singer);
    int moving = 0;
    for (size_t i = 380; i < 430; i++) {
        CHECK(fabsf(cents[i + 1] - cents[i]) < 200);
        moving += cents[i] > -690 && cents[i] < -10;
    }
    CHECK_MSG(moving >= 5 && moving <= 24, "a glide of %d ms", 5 * moving);
}

/* Ten frames of consonant, forty of vowel, ten of consonant. */
static rv_voice_sound made_up_sound(void)
{
    rv_voice_sound s = {
        .count = 60, .bins = 513, .rate = 22050, .core_begin = 10, .core_end = 50
    };
    s.envelope = calloc(s.count * s.bins, sizeof *s.envelope);
    s.frames = calloc(s.count, sizeof *s.frames);
    CHECK(s.envelope && s.frames);
    return s;
}

TEST(test_vowels_begin_on_the_beat_and_only_they_are_stretched)
{
    rv_error err = { 0 };
    rv_voice_sound sound = made_up_sound();
    const rv_voice_sound *sounds[3] = { &sound, &sound, NULL };
    rv_voice_control control[900];
    CHECK_OK(rv_voice_score(control, 900, melody, sounds, 3, &singer, &err), err);
    for (size_t i = 0; i < 900; i++) {
        const double t = (double)i * RV_VOICE_STEP;
        const bool sings = (t > 0.46 && t < 1.09) || (t > 1.46 && t < 3.99);
        if (sings)
            CHECK_MSG(control[i].sound && control[i].gain > 0, "silent at %g s", t);
        if (t < 0.44 || (t > 1.11 && t < 1.44) || t > 4.01)
            CHECK_MSG(!control[i].sound, "sings at %g s", t);
    }
    CHECK(fabsf(control[95].position - 5) < 1.01f);   /* 25 ms before the beat: the consonant */
    CHECK(fabsf(control[105].position - 15) < 2.01f); /* 25 ms after it: the vowel */
    for (size_t i = 340; i < 740; i++)                /* the melisma holds it */
        CHECK(control[i].position > 12 && control[i].position < 48);
    CHECK(fabsf(control[795].position - 55) < 1.01f);
    rv_voice_sound_free(&sound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lyrics_are_cleaned),
        cmocka_unit_test(test_speech_is_decoded),
        cmocka_unit_test(test_damaged_speech_is_refused),
        cmocka_unit_test(test_envelope_shows_the_filter_not_the_harmonics),
        cmocka_unit_test(test_noise_has_no_pitch),
        cmocka_unit_test(test_silence_and_nothing_are_analysed),
        cmocka_unit_test(test_pitch_is_the_notes_pitch_then_vibrato),
        cmocka_unit_test(test_legato_notes_are_joined_by_a_glide),
        cmocka_unit_test(test_vowels_begin_on_the_beat_and_only_they_are_stretched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
