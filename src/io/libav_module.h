/* libav_module.h - what the module ravel_libav (libav_read.c) exports. */
#ifndef IO_LIBAV_MODULE_H
#define IO_LIBAV_MODULE_H

#include "io/audio_source.h"
#include "io/module.h"

typedef struct rv_libav_table {
    rv_module_head head; /* its size: of audio_source */
    rv_status (*open)(audio_source **out, const char *path, int stream, const audio_claim *claim,
                      rv_error *err);
    int (*stream_count)(const char *path, rv_error *err);
} rv_libav_table;

#endif
