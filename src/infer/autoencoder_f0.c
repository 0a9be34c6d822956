/* autoencoder_f0.c - the pitch of a signal of any length by a model's own encoder, which normalises
 * over time, and was trained on some seconds. So it hears windows of four seconds that overlap by
 * half, and of each the middle half counts; of the first one what is before it, too, and of the
 * last one, which ends with the signal, what is behind:
 *
 *     window |   counts   |     |
 *                   |     |  counts   |     |
 *
 * Nothing fades: where two windows hear different octaves, what is between them is no pitch. */
#include "infer/autoencoder_f0.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static const double window_seconds = 4;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t window_of(const rv_autoencoder_config *c, size_t frames)
{
    const double rate = (double)c->sample_rate / (double)c->hop;
    const size_t usual = (size_t)(window_seconds * rate / 4) * 4;
    return smaller(usual > 4 ? usual : 4, frames);
}

/* f0 [frames], window by window; sound [window hop] is the one that is heard. */
static rv_status find(const rv_autoencoder_pitch *window, size_t hop, const rv_f0_source *source,
                      float *sound, size_t frames, float *f0, rv_error *err)
{
    const size_t n = window->frames, last = frames - n;
    size_t start = 0, known = 0, heard = 0; /* heard: frames of `sound` from the one before */
    for (;;) {
        RV_TRY(source->read(source->ctx, sound + heard * hop, (n - heard) * hop, err));
        memcpy(window->audio, sound, n * hop * sizeof *sound);
        rv_autoencoder_piece_run(window->piece);
        const size_t to = start == last ? frames : start + n - n / 4;
        memcpy(f0 + known, window->f0 + (known - start), (to - known) * sizeof *f0);
        if (start == last)
            return RV_OK;
        const size_t next = smaller(start + n / 2, last);
        heard = n - (next - start);
        memmove(sound, sound + (next - start) * hop, heard * hop * sizeof *sound);
        known = to;
        start = next;
    }
}

rv_status rv_autoencoder_find_f0(const rv_autoencoder_network *n, const rv_f0_source *source,
                                 size_t frames, float *f0, rv_pool *pool, rv_error *err)
{
    const rv_autoencoder_config *c = rv_autoencoder_network_config(n);
    rv_autoencoder_pitch window;
    if (frames == 0)
        return RV_OK;
    RV_TRY(rv_autoencoder_pitch_init(&window, n, window_of(c, frames), pool, err));
    float *sound = calloc(window.frames, c->hop * sizeof *sound);
    const rv_status st =
        sound ? find(&window, c->hop, source, sound, frames, f0, err)
              : RV_FAIL(err, RV_ERR_NOMEM, "%zu frames of %zu samples", window.frames, c->hop);
    free(sound);
    rv_autoencoder_piece_free(window.piece);
    return st;
}
