/* quantized.c - sort a model's parameters as the reference registers them; name DiffQ's by that. */
#include "infer/quantized.h"

#include "base/status.h"
#include "models/registration.h"

#include <stdlib.h>
#include <string.h>

static int by_registration(const void *a, const void *b)
{
    const rv_expected *x = a, *y = b;
    return rv_registration_compare(x->name, y->name);
}

rv_status rv_name_quantized(rv_checkpoint *c, const rv_expected *want, size_t n, rv_error *err)
{
    if (!rv_checkpoint_is_quantized(c))
        return RV_OK;
    for (size_t i = 0; i < n; i++)
        if (!rv_registration_knows(want[i].name))
            return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                           "weights quantised by DiffQ: the place of \"%s\" is not known",
                           want[i].name);
    rv_expected *sorted = calloc(n + 1, sizeof *sorted);
    if (!sorted)
        return RV_FAIL(err, RV_ERR_NOMEM, "the names of %zu parameters", n);
    memcpy(sorted, want, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_registration);
    const rv_status status = rv_checkpoint_name_quantized(c, sorted, n, err);
    free(sorted);
    return status;
}
