/* drum_kit.c - a kit's life: open, what it is called, free. */
#include "base/status.h"
#include "data/drum_kit_impl.h"
#include "io/mapping.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { XML_SIZE_MAX = 4 << 20 };

rv_drum_kit *rv_drum_kit_new(void)
{
    rv_drum_kit *k = calloc(1, sizeof *k);
    if (k && pthread_mutex_init(&k->lock, NULL) != 0) {
        free(k);
        k = NULL;
    }
    return k;
}

static rv_status find_folder(rv_drum_kit *k, const char *folder, rv_error *err)
{
    static const char file[] = "/drumkit.xml";
    if (!(k->path = malloc(strlen(folder) + sizeof file)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: opening the drum kit", folder);
    strcpy(stpcpy(k->path, folder), file);
    if (!(k->folder = realpath(folder, NULL)))
        return RV_FAIL(err, RV_ERR_IO, "%s: %s; expected the folder of a drum kit", folder,
                       strerror(errno));
    return RV_OK;
}

static rv_status read_xml(rv_drum_kit *k, rv_error *err)
{
    rv_mapping file;
    RV_TRY(rv_mapping_open(&file, k->path, err));
    rv_status status = RV_OK;
    if (file.size > XML_SIZE_MAX)
        status = RV_FAIL(err, RV_ERR_FORMAT, "%s: %zu bytes; a drum kit's are at most %d", k->path,
                         file.size, XML_SIZE_MAX);
    else
        status = rv_drum_xml_read(k, (const char *)file.data, file.size, err);
    rv_mapping_close(&file);
    return status;
}

static rv_status open_kit(rv_drum_kit *k, const char *folder, rv_error *err)
{
    RV_TRY(find_folder(k, folder, err));
    RV_TRY(read_xml(k, err));
    RV_TRY(rv_drum_sounds_check(k, err));
    rv_drum_pieces_find(k);
    for (int note = 0; note < DRUM_NOTES; note++) {
        if (k->piece[note] >= 0)
            return RV_OK;
    }
    if (k->missing > 0)
        return RV_FAIL(err, RV_ERR_IO, "%s", k->first_missing);
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: no instrument is a known piece of a drum kit", k->path);
}

rv_status rv_drum_kit_open(rv_drum_kit **out, const char *folder, rv_error *err)
{
    rv_drum_kit *k = rv_drum_kit_new();
    if (!k)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: opening the drum kit", folder);
    const rv_status status = open_kit(k, folder, err);
    if (status == RV_OK)
        *out = k;
    else
        rv_drum_kit_free(k);
    return status;
}

static void free_instrument(drum_instrument *instrument)
{
    for (size_t i = 0; i < instrument->layers; i++) {
        rv_drum_sounds_free(&instrument->layer[i]);
        free(instrument->layer[i].file);
    }
    free(instrument->layer);
    free(instrument->name);
    free(instrument->file);
}

void rv_drum_kit_free(rv_drum_kit *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->instruments; i++)
        free_instrument(&k->instrument[i]);
    free(k->instrument);
    free(k->component);
    free(k->folder);
    free(k->path);
    free(k->name);
    free(k->license);
    free(k->first_missing);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

const char *rv_drum_kit_name(const rv_drum_kit *k)
{
    return k->name ? k->name : "";
}

const char *rv_drum_kit_license(const rv_drum_kit *k)
{
    return k->license ? k->license : "";
}

size_t rv_drum_kit_missing(const rv_drum_kit *k, const char **first)
{
    if (first)
        *first = k->first_missing;
    return k->missing;
}

const char *rv_drum_kit_piece(const rv_drum_kit *k, int note, int *exact)
{
    const int piece = rv_drum_piece_for(k, note);
    if (piece < 0)
        return NULL;
    if (exact)
        *exact = k->piece[note] == piece;
    return k->instrument[piece].name ? k->instrument[piece].name : "";
}
