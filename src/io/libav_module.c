/* libav_module.c - makes a module of libav_read.c. */
#include "io/libav_module.h"

RV_API extern const rv_libav_table rv_module;

const rv_libav_table rv_module = {
    .head = { RV_MODULE_VERSION, sizeof(audio_source) },
    .open = rv_libav_open,
    .stream_count = rv_libav_stream_count,
};
