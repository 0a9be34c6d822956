/* fuzz_tfrecord.c - any bytes as the example of a record: what is found lies inside the record. */
#include "io/tf_example.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(const rv_tf_list *list)
{
    float few[4];
    size_t n;
    int64_t value;
    const unsigned char *bytes;
    if (rv_tf_bytes(list, &bytes, &n) && (bytes < list->bytes || n > list->n))
        abort();
    if (rv_tf_floats(list, few, 4, &n) && n > list->n / sizeof *few)
        abort();
    rv_tf_integer(list, &value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = { "", "a", "audio/inputs", "audio/sample_rate" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        for (rv_tf_kind kind = RV_TF_BYTES; kind <= RV_TF_INTEGERS; kind++) {
            rv_tf_list list;
            if (!rv_tf_find(&list, data, size, keys[i], kind))
                continue;
            if (list.n > size || list.bytes < data || list.bytes + list.n > data + size)
                abort();
            check_list(&list);
        }
    return 0;
}
