/* bag_none.c - a build without libyaml reads no bags. */
#include "io/bag.h"

rv_status rv_bag_open(rv_bag **out, const char *path, rv_error *err)
{
    (void)out;
    return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: this build has no libyaml to read bags of models",
                   path);
}
