/* npz_write_none.c - a build without libzip. */
#include "io/npz_write.h"

rv_status rv_npz_write(const char *path, const rv_npz_array *arrays, size_t n, rv_error *err)
{
    (void)arrays;
    return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                   "%s: %zu arrays cannot be written: this build has no libzip (CSV works)", path,
                   n);
}
