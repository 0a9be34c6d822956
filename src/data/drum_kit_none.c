/* drum_kit_none.c - stands for drum_kit_xml.c in a build without expat. */
#include "base/status.h"
#include "data/drum_kit_impl.h"

rv_status rv_drum_xml_read(rv_drum_kit *k, const char *text, size_t size, rv_error *err)
{
    (void)text;
    (void)size;
    return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                   "%s: this Ravel was built without expat, which reads drum kits: install "
                   "libexpat1-dev and build again",
                   k->path);
}
