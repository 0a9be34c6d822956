/* libav_load.c - stands for libav_read.c where that is a module. */
#include "base/status.h"
#include "io/audio_source.h"
#include "io/libav_module.h"

static const rv_libav_table *table(rv_error *err)
{
    const rv_module_head *head = NULL;
    return rv_module_open(&head, "ravel_libav", sizeof(audio_source), err) == RV_OK
               ? (const rv_libav_table *)head
               : NULL;
}

bool rv_libav_present(void)
{
    return table(NULL) != NULL;
}

static rv_status missing(const char *path, const rv_error *why, rv_error *err)
{
    return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                   "%s: not a file that libsndfile reads, and FFmpeg cannot be loaded: %s: install "
                   "its libraries, or build Ravel again",
                   path, why->text);
}

rv_status rv_libav_open(audio_source **out, const char *path, int stream, const audio_claim *claim,
                        rv_error *err)
{
    rv_error why = { 0 };
    const rv_libav_table *libav = table(&why);
    return libav ? libav->open(out, path, stream, claim, err) : missing(path, &why, err);
}

int rv_libav_stream_count(const char *path, rv_error *err)
{
    rv_error why = { 0 };
    const rv_libav_table *libav = table(&why);
    if (libav)
        return libav->stream_count(path, err);
    (void)missing(path, &why, err);
    return 0;
}
