/* espeak.c - espeak-ng as a process. It is under the GPL, so its library is not linked; a syllable
 * costs about 15 ms, and a song has few different ones. */
#include "data/espeak.h"

#include "base/status.h"
#include "io/process.h"
#include "io/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 44, LONGEST_TEXT = 200, MOST_BYTES = 1 << 22 };

/* Of one syllable, on a machine however busy. */
static const rv_process_limits limits = { .bytes = MOST_BYTES, .seconds = 300 };

bool rv_espeak_found(void)
{
    const char *const argv[] = { "espeak-ng", "--version", NULL };
    unsigned char *data = NULL;
    size_t size = 0;
    const bool found = rv_process_run(&data, &size, argv, "", limits, NULL) == RV_OK;
    free(data);
    return found;
}

static bool spoken(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '\'' || c >= 0x80;
}

void rv_espeak_clean(char *out, size_t room, const char *lyric)
{
    size_t n = 0;
    bool letters = false;
    for (; lyric && *lyric && n + 1 < room; lyric++) {
        const unsigned char c = (unsigned char)*lyric;
        const unsigned char low = c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
        if (spoken(low))
            out[n++] = (char)low;
        letters = letters || (spoken(low) && low != '\'');
    }
    out[letters ? n : 0] = '\0';
}

static uint32_t number(const unsigned char *p, int bytes)
{
    uint32_t value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | p[i];
    return value;
}

rv_status rv_espeak_decode(rv_speech *out, const unsigned char *wav, size_t size, rv_error *err)
{
    if (size < HEADER || memcmp(wav, "RIFF", 4) != 0 || memcmp(wav + 8, "WAVEfmt ", 8) != 0 ||
        memcmp(wav + 36, "data", 4) != 0)
        return RV_FAIL(err, RV_ERR_FORMAT, "espeak-ng: %zu bytes that are not a WAV stream", size);
    const uint32_t kind = number(wav + 20, 2), channels = number(wav + 22, 2);
    const uint32_t rate = number(wav + 24, 4), bits = number(wav + 34, 2);
    if (kind != 1 || channels != 1 || bits != 16 || rate < 8000 || rate > 96000)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "espeak-ng: WAV of kind %u, %u channels, %u bits at %u Hz; expected 16 bit "
                       "PCM, mono, 8000 to 96000 Hz",
                       kind, channels, bits, rate);
    const size_t count = (size - HEADER) / 2;
    float *samples = malloc((count + 1) * sizeof *samples);
    if (!samples)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu samples of speech", count);
    for (size_t i = 0; i < count; i++)
        samples[i] = (float)(int16_t)number(wav + HEADER + 2 * i, 2) / 32768;
    *out = (rv_speech){ .samples = samples, .count = count, .rate = (int)rate };
    return RV_OK;
}

rv_status rv_espeak_speak(rv_speech *out, const char *voice, const char *text, rv_error *err)
{
    /* No intonation: what is measured of harmonics then is not blurred by their glides. */
    char ssml[LONGEST_TEXT + 80];
    const int length =
        snprintf(ssml, sizeof ssml, "<speak><prosody range=\"0%%\">%s</prosody></speak>\n", text);
    if (length < 0 || (size_t)length >= sizeof ssml)
        return RV_FAIL(err, RV_ERR_ARG, "syllable \"%s\": longer than %d bytes",
                       rv_show(text, strlen(text)).text, LONGEST_TEXT);
    const char *const argv[] = { "espeak-ng", "-v", voice, "-b",      "1",        "-s",
                                 "140",       "-m", "-z",  "--stdin", "--stdout", NULL };
    unsigned char *wav = NULL;
    size_t size = 0;
    rv_error why = { .text = "" };
    const rv_status status = rv_process_run(&wav, &size, argv, ssml, limits, &why);
    if (status == RV_ERR_UNSUPPORTED)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "sung vocals are made with the program espeak-ng, which was not found: "
                       "install it (Debian, Ubuntu: apt-get install espeak-ng), or render without "
                       "vocals");
    if (status != RV_OK)
        return RV_FAIL(err, status, "voice \"%s\", syllable \"%s\": %s",
                       rv_show(voice, strlen(voice)).text, rv_show(text, strlen(text)).text,
                       why.text);
    const rv_status decoded = rv_espeak_decode(out, wav, size, err);
    free(wav);
    return decoded;
}
