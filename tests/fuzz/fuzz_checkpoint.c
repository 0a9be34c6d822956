/* fuzz_checkpoint.c - any bytes as a file of weights: open it, read every tensor of moderate size,
 * walk the configuration. */
#include "io/checkpoint.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ELEMENTS = 1 << 16, TENSORS = 64 };

static void read_tensor(const rv_checkpoint *c, const rv_tensor *t)
{
    rv_error err;
    float *x = t->count <= ELEMENTS ? malloc((t->count + 1) * sizeof *x) : NULL;
    if (x && rv_checkpoint_read(c, t, x, &err) != RV_OK && !err.text[0])
        abort();
    const float *view = rv_checkpoint_view(c, t);
    volatile float last = view && t->count ? view[t->count - 1] : 0;
    (void)last;
    free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rv_error err = { .text = "" };
    rv_checkpoint *c;
    if (rv_checkpoint_open_memory(&c, data, size, "fuzz", &err) != RV_OK) {
        if (!err.text[0])
            abort();
        return 0;
    }
    for (size_t i = 0; i < rv_checkpoint_count(c) && i < TENSORS; i++)
        read_tensor(c, rv_checkpoint_tensor(c, i));
    const rv_status match = rv_checkpoint_match(c, NULL, 0, &err);
    (void)match;
    free(json_dumps(rv_checkpoint_config(c), JSON_COMPACT));
    rv_checkpoint_free(c);
    return 0;
}
