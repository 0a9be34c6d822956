/* fuzz_feature_store.c - any bytes as a file of the feature cache: refused, or read to its end. The
 * hash of the header would keep almost everything out, so it is put right. */
#include "data/feature_store.h"
#include "io/hash64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t number(const unsigned char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* bytes [size], at least 48 */
static void set_hash(unsigned char *bytes, size_t size)
{
    const uint64_t key = number(bytes + 8), width = number(bytes + 16), frames = number(bytes + 24);
    uint64_t floats;
    if (key > size - 48 || __builtin_mul_overflow(width, frames, &floats) || floats > size / 4 ||
        48 + key + floats * 4 > size)
        return;
    const size_t table = 48 + key + floats * 4;
    uint64_t hash = rv_hash64(bytes, 40, 0);
    hash = rv_hash64(bytes + 48, key, hash);
    hash = rv_hash64(bytes + table, size - table, hash);
    memcpy(bytes + 40, &hash, sizeof hash);
}

static void read_all(rv_store *s, const char *path)
{
    rv_error err = { .text = "" };
    float *row = malloc(s->width * sizeof *row);
    for (size_t i = 0; row && i < s->frames; i++)
        if (rv_store_read(s, path, i, 1, row, &err) == RV_ERR_ARG)
            abort();
    free(row);
    rv_store_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    rv_error err = { .text = "" };
    rv_feature_key key = { .size = 0 };
    rv_store s;
    unsigned char *bytes = malloc(size + 1);
    snprintf(path, sizeof path, "/tmp/fuzz-store-%ld", (long)getpid());
    FILE *f = bytes ? fopen(path, "wb") : NULL;
    if (f) {
        if (size > 0)
            memcpy(bytes, data, size);
        if (size >= 48)
            set_hash(bytes, size);
        if (size >= 48 && number(bytes + 8) <= RV_FEATURE_KEY_MAX && number(bytes + 8) <= size - 48)
            memcpy(key.bytes, bytes + 48, key.size = number(bytes + 8));
        fwrite(bytes, 1, size, f);
        fclose(f);
        if (rv_store_open(&s, path, &key, &err) == RV_OK)
            read_all(&s, path);
        else if (!strstr(err.text, "fuzz-store") || strchr(err.text, '\n'))
            abort();
        unlink(path);
    }
    free(bytes);
    return 0;
}
