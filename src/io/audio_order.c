/* audio_order.c - channels of Ogg files into the order of WAV and back; see audio_order.h. */
#include "io/audio_order.h"

#include <string.h>

enum { CHANNELS_MAX = 8 };

/* WAV's channel i is Vorbis's channel order[i]. */
static const unsigned char *order_of(int channels)
{
    static const unsigned char orders[CHANNELS_MAX + 1][CHANNELS_MAX] = {
        [3] = { 0, 2, 1 },
        [5] = { 0, 2, 1, 3, 4 },
        [6] = { 0, 2, 1, 5, 3, 4 },
        [7] = { 0, 2, 1, 6, 5, 3, 4 },
        [8] = { 0, 2, 1, 7, 5, 6, 3, 4 },
    };
    return channels == 3 || (channels >= 5 && channels <= CHANNELS_MAX) ? orders[channels] : NULL;
}

void rv_order_from_vorbis(float *x, size_t frames, int channels)
{
    const unsigned char *order = order_of(channels);
    float y[CHANNELS_MAX];
    for (size_t t = 0; order && t < frames; t++, x += channels) {
        for (int c = 0; c < channels; c++)
            y[c] = x[order[c]];
        memcpy(x, y, (size_t)channels * sizeof *x);
    }
}

void rv_order_to_vorbis(float *x, size_t frames, int channels)
{
    const unsigned char *order = order_of(channels);
    float y[CHANNELS_MAX];
    for (size_t t = 0; order && t < frames; t++, x += channels) {
        for (int c = 0; c < channels; c++)
            y[order[c]] = x[c];
        memcpy(x, y, (size_t)channels * sizeof *x);
    }
}
