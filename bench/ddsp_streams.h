/* ddsp_streams.h - of bench_ddsp.c: streams in blocks of several sizes. */
#ifndef BENCH_DDSP_STREAMS_H
#define BENCH_DDSP_STREAMS_H

#include <stddef.h>

/* A JSON line for each size of blocks. */
void bench_stream(const char *name, size_t seconds, int repeat);

/* The names, one after the other; NULL: no more. */
const char *bench_stream_name(size_t i);

#endif
