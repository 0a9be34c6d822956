/* stem_names.h - stems by name; and the one that is the sum of others. */
#ifndef EVAL_STEM_NAMES_H
#define EVAL_STEM_NAMES_H

#include <stddef.h>
#include <string.h>

/* n where there is none. */
static inline size_t rv_stem_named(const char *const *names, size_t n, const char *name)
{
    for (size_t s = 0; s < n; s++)
        if (strcmp(names[s], name) == 0)
            return s;
    return n;
}

/* "accompaniment" or "instrumental": all but the vocals. */
static inline size_t rv_stem_rest(const char *const *names, size_t n)
{
    const size_t rest = rv_stem_named(names, n, "accompaniment");
    return rest < n ? rest : rv_stem_named(names, n, "instrumental");
}

/* That one, where it stands beside the vocals and others of which it is the sum; else n. */
static inline size_t rv_stem_sum(const char *const *names, size_t n)
{
    return n > 2 && rv_stem_named(names, n, "vocals") < n ? rv_stem_rest(names, n) : n;
}

#endif
