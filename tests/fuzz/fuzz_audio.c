/* fuzz_audio.c - any bytes as an audio file: reading them must fail cleanly or give finite samples,
 * as many as were promised. */
#include "io/audio_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCK = 1000, BLOCKS_MAX = 200 }; /* enough: small files of silence may decode to hours */

static void expect(int ok)
{
    if (!ok)
        abort();
}

static void read_through(rv_audio_reader *r, float *memory)
{
    const rv_audio_info info = *rv_audio_reader_info(r);
    expect(info.channels >= 1 && info.channels <= RV_AUDIO_CHANNELS_MAX && info.frames >= -1);
    float *planar[RV_AUDIO_CHANNELS_MAX];
    for (int c = 0; c < info.channels; c++)
        planar[c] = memory + (size_t)c * BLOCK;
    rv_error err;
    int64_t total = 0;
    for (int block = 0; block < BLOCKS_MAX; block++) {
        size_t got = 0;
        if (rv_audio_reader_read(r, planar, BLOCK, &got, &err) != RV_OK)
            return;
        for (int c = 0; c < info.channels; c++)
            for (size_t t = 0; t < got; t++)
                expect(isfinite(planar[c][t]));
        total += (int64_t)got;
        if (got < BLOCK) {
            expect(info.frames == -1 || total == info.frames);
            return;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int fd = memfd_create("fuzz", 0);
    char path[64];
    rv_error err;
    rv_audio_reader *r = NULL;
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (rv_audio_reader_open(&r, path, 0, &err) == RV_OK) {
        float *memory = malloc(sizeof(float) * BLOCK * RV_AUDIO_CHANNELS_MAX);
        expect(memory != NULL);
        read_through(r, memory);
        if (rv_audio_reader_rewind(r, &err) == RV_OK)
            read_through(r, memory);
        free(memory);
    }
    rv_audio_reader_free(r);
    close(fd);
    return 0;
}
