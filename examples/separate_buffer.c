/* separate_buffer.c - take two seconds of made-up music apart in memory.
 *
 *     cc separate_buffer.c $(pkg-config --cflags --libs ravel) -lm
 *     ./a.out [MODEL]
 *
 * Prints how much of the energy went into each stem. */
#include <ravel/separate.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHANNELS = 2, RATE = 44100, FRAMES = 2 * RATE };

/* A tone on both sides and a click four times a second. */
static void make_music(float *mix)
{
    for (int c = 0; c < CHANNELS; c++)
        for (int t = 0; t < FRAMES; t++) {
            const double beat = fmod((double)t / RATE, 0.25);
            mix[c * FRAMES + t] = (float)(0.3 * sin(2 * 3.14159265 * 220 * t / RATE) +
                                          0.5 * exp(-200 * beat) * ((t * 7919) % 101 - 50) / 50);
        }
}

static double energy(const float *x)
{
    double sum = 0;
    for (int i = 0; i < CHANNELS * FRAMES; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

static rv_status separate(const rv_model_card *card, rv_model *model, float *mix, float *out,
                          float **planes, rv_error *err)
{
    const float *in[] = { mix, mix + FRAMES };
    for (size_t p = 0; p < card->n_stems * CHANNELS; p++)
        planes[p] = out + p * FRAMES;
    const rv_status st = rv_separate(model, in, CHANNELS, RATE, FRAMES, planes, NULL, err);
    for (size_t k = 0; st == RV_OK && k < card->n_stems; k++)
        printf("%-10s%5.1f %%\n", card->stems[k],
               100 * energy(out + k * CHANNELS * FRAMES) / energy(mix));
    return st;
}

int main(int argc, char **argv)
{
    rv_model *model = NULL;
    rv_error err = { 0 };
    rv_status st = rv_model_open(&model, argc > 1 ? argv[1] : "classic", &err);
    if (st == RV_OK) {
        const rv_model_card *card = rv_model_about(model);
        const size_t planes = card->n_stems * CHANNELS;
        float *mix = malloc(sizeof(float) * CHANNELS * FRAMES);
        float *out = malloc(sizeof(float) * planes * FRAMES),
              **place = calloc(planes, sizeof *place);
        if (mix && out && place) {
            make_music(mix);
            st = separate(card, model, mix, out, place, &err);
        }
        free(mix);
        free(out);
        free((void *)place);
    }
    rv_model_free(model);
    if (st != RV_OK)
        fprintf(stderr, "%s\n", err.text);
    return st != RV_OK;
}
