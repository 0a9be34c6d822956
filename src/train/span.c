/* span.c - checks of the layout, and freezing by name. */
#include "train/span.h"

#include <fnmatch.h>

rv_status rv_spans_length(const rv_span *spans, size_t n, size_t *length, rv_error *err)
{
    size_t end = 0;
    for (size_t i = 0; i < n; i++) {
        const rv_span *s = &spans[i];
        if (s->offset < end)
            return RV_FAIL(err, RV_ERR_ARG, "parameter \"%s\" overlaps the one before it", s->name);
        if (__builtin_add_overflow(s->offset, s->count, &end) || end > SIZE_MAX / 64)
            return RV_FAIL(err, RV_ERR_ARG, "parameter \"%s\" ends beyond all memory", s->name);
    }
    *length = end;
    return RV_OK;
}

static bool matches_any(const rv_span *spans, size_t n, const char *pattern)
{
    for (size_t i = 0; i < n; i++)
        if (!fnmatch(pattern, spans[i].name, 0))
            return true;
    return false;
}

rv_status rv_spans_freeze(rv_span *spans, size_t n, const char *const *patterns, size_t n_patterns,
                          rv_error *err)
{
    for (size_t p = 0; p < n_patterns; p++)
        if (!matches_any(spans, n, patterns[p]))
            return RV_FAIL(err, RV_ERR_ARG, "freeze: no parameter matches \"%s\"", patterns[p]);
    for (size_t p = 0; p < n_patterns; p++)
        for (size_t i = 0; i < n; i++)
            spans[i].frozen |= !fnmatch(patterns[p], spans[i].name, 0);
    return RV_OK;
}
