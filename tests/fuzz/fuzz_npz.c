/* fuzz_npz.c - any bytes as numpy's .npz: arrays are read to their ends, or refused with one line.
 */
#include "io/npz_read.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const rv_error *err)
{
    if (strncmp(err->text, "fuzz", 4) != 0 || strchr(err->text, '\n'))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "f0_hz", "loudness_db", "voiced", "sample_rate", "a" };
    rv_npz *z = NULL;
    rv_error err = { .text = "" };
    if (rv_npz_open_memory(&z, data, size, "fuzz", &err) != RV_OK) {
        check_error(&err);
        return 0;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const rv_npy *a = NULL;
        float last;
        if (rv_npz_find(&a, z, names[i], &err) != RV_OK)
            check_error(&err);
        for (size_t k = 0; a && k < a->count; k += 1 + a->count / 100)
            rv_npy_read(a, k, 1, &last);
        if (a && a->count > 0)
            rv_npy_read(a, a->count - 1, 1, &last);
    }
    rv_npz_free(z);
    return 0;
}
