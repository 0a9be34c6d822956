/* module.h - a part of Ravel that stands on many libraries, in a file of its own, which is loaded
 * when it is first needed: the loader takes some 50 ms for FFmpeg's 130 libraries, and most runs
 * need none of them.
 *
 * A module exports one symbol, `rv_module`: a table that begins with an rv_module_head. It links
 * what it uses of Ravel (RV_FAIL and the like) itself. One that was loaded stays: its libraries
 * keep state of the process and are not made to be unloaded.
 *
 * Modules are looked for in one folder only, never in the current one or in one that the
 * environment names: beside the shared library, in `ravel/`; for code that runs in the folder it
 * was built in, there; for programs that hold the static library, where Ravel is installed. */
#ifndef IO_MODULE_H
#define IO_MODULE_H

#include "base/status.h"

typedef struct rv_module_head {
    uint32_t version; /* of Ravel */
    size_t size;      /* of a structure that both sides lay out */
} rv_module_head;

#define RV_MODULE_VERSION (RV_VERSION_MAJOR << 16 | RV_VERSION_MINOR << 8 | RV_VERSION_PATCH)

/* The head of the table of the module `name`. Fails with RV_ERR_UNSUPPORTED and the loader's
 * words, and where the module is another Ravel's. */
RV_NODISCARD rv_status rv_module_open(const rv_module_head **out, const char *name, size_t size,
                                      rv_error *err);

#endif
