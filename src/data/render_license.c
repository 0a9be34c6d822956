/* render_license.c - as Debian's copyright files and the projects' pages state them. */
#include "data/render_license.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *beginning, *license;
} known[] = {
    { "FluidR3", "MIT" },
    { "MuseScore_General", "MIT" },
    { "MuseScore_Basic", "MIT" },
    { "TimGM6mb", "GPL-2" },
};

const char *rv_soundfont_license(const char *path, const char *own)
{
    char real[PATH_MAX];
    const char *found = realpath(path, real) ? real : path;
    const char *slash = strrchr(found, '/'), *name = slash ? slash + 1 : found;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncasecmp(name, known[i].beginning, strlen(known[i].beginning)) == 0)
            return known[i].license;
    return *own ? own : "unknown: see where the soundfont comes from";
}
