/* module.c - find a module's file and load it. */
#include "io/module.h"

#include "io/module_folders.h" /* made by the build: RV_BUILD_ROOT, RV_MODULES_BUILT, ..._INSTALLED */

#include <dlfcn.h>
#include <fenv.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool lies_below(const char *file, const char *folder)
{
    char real[PATH_MAX];
    if (!realpath(folder, real))
        return false;
    const size_t n = strlen(real);
    return strncmp(file, real, n) == 0 && file[n] == '/';
}

static bool is_shared_library(const char *file)
{
    return strncmp(strrchr(file, '/') + 1, "libravel.", 9) == 0;
}

/* By the file that this code was loaded from. The system knows a program by the name that it was
 * called by, so a name that is not absolute tells no more than whether it is the build's. */
static void find_folder(char *out, size_t room)
{
    Dl_info self = { 0 };
    char file[PATH_MAX];
    const bool known = dladdr((const void *)(uintptr_t)rv_module_open, &self) && self.dli_fname &&
                       realpath(self.dli_fname, file);
    if (known && lies_below(file, RV_BUILD_ROOT))
        snprintf(out, room, "%s", RV_MODULES_BUILT);
    else if (known && self.dli_fname[0] == '/' && is_shared_library(file))
        snprintf(out, room, "%.*s/ravel", (int)(strrchr(file, '/') - file), file);
    else
        snprintf(out, room, "%s", RV_MODULES_INSTALLED);
}

/* Libraries compiled with -ffast-math make the thread that loads them round small numbers to
 * zero: results would depend on which thread it was. */
static void *load(const char *path)
{
    fenv_t mode;
    fegetenv(&mode);
    void *handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    fesetenv(&mode);
    return handle;
}

rv_status rv_module_open(const rv_module_head **out, const char *name, size_t size, rv_error *err)
{
    char folder[PATH_MAX], path[PATH_MAX + 64];
    find_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/%s.so", folder, name);
    void *handle = load(path);
    if (!handle)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s", dlerror());
    const rv_module_head *head = dlsym(handle, "rv_module");
    dlclose(handle); /* what was counted; it stays */
    if (!head || head->version != RV_MODULE_VERSION || head->size != size)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: not a module of Ravel %d.%d.%d", path,
                       RV_VERSION_MAJOR, RV_VERSION_MINOR, RV_VERSION_PATCH);
    *out = head;
    return RV_OK;
}
