/* fuzz_drum_kit.c - any bytes as drumkit.xml: read or refused with one line of text. What is read
 * names samples in its folder only, and finds its pieces. */
#include "data/drum_kit_impl.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_layer(const drum_layer *layer)
{
    const char *file = layer->file;
    if (!file || *file == '/' || strcmp(file, "..") == 0 || strncmp(file, "../", 3) == 0 ||
        strstr(file, "/../"))
        abort();
    if (!(layer->min >= 0 && layer->min <= layer->max && layer->max <= 1))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rv_error err = { .text = "" };
    rv_drum_kit *k = rv_drum_kit_new();
    if (!k || size > 1 << 20 || !(k->path = strdup("fuzz")))
        abort();
    const rv_status status = rv_drum_xml_read(k, (const char *)data, size, &err);
    if (status != RV_OK && (strncmp(err.text, "fuzz", 4) != 0 || strchr(err.text, '\n')))
        abort();
    for (size_t i = 0; status == RV_OK && i < k->instruments; i++) {
        for (size_t l = 0; l < k->instrument[i].layers; l++)
            check_layer(&k->instrument[i].layer[l]);
    }
    rv_drum_pieces_find(k);
    for (int note = -1; note <= DRUM_NOTES; note++) {
        const int piece = rv_drum_piece_for(k, note);
        if (piece >= (int)k->instruments || (piece >= 0 && k->instrument[piece].layers == 0))
            abort();
    }
    rv_drum_kit_free(k);
    return 0;
}
