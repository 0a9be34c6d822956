/* submix_read.c - see submix_read.h. */
#include "data/submix_read.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

rv_status rv_texts_read(const char *const **out, size_t *n, const json_t *value, const char *key,
                        rv_arena *arena, rv_error *err)
{
    const bool one = json_is_string(value);
    *n = one ? 1 : json_array_size(value);
    const char **texts = rv_arena_take(arena, (*n + 1) * sizeof *texts);
    if (!texts)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu texts", key, *n);
    for (size_t i = 0; i < *n; i++)
        if (!(texts[i] = json_string_value(one ? value : json_array_get(value, i))) || !*texts[i])
            return RV_FAIL(err, RV_ERR_ARG, "%s.%zu: a text is expected", key, i);
    *out = texts;
    return RV_OK;
}

/* Programs as 7, "7" or "0-7". */
static bool read_range(const json_t *value, long *from, long *to)
{
    const char *text = json_string_value(value);
    char *end;
    *from = *to = (long)json_integer_value(value);
    if (!text)
        return json_is_integer(value);
    *from = *to = strtol(text, &end, 10);
    if (end != text && *end == '-')
        *to = strtol(end + 1, &end, 10);
    return end != text && *end == '\0';
}

static rv_status read_programs(rv_submix *s, const json_t *list, const char *key, rv_error *err)
{
    const size_t n = json_is_array(list) ? json_array_size(list) : list ? 1 : 0;
    for (size_t i = 0; i < n; i++) {
        long from = 0, to = 0;
        if (!read_range(json_is_array(list) ? json_array_get(list, i) : list, &from, &to) ||
            from < 0 || to > 127 || from > to)
            return RV_FAIL(err, RV_ERR_ARG,
                           "%s.%s.programs: 0 to 127, or ranges such as 0-7, are expected", key,
                           s->stem);
        for (long p = from; p <= to; p++)
            s->programs[p / 64] |= (uint64_t)1 << (p % 64);
    }
    return RV_OK;
}

static rv_status read_one(rv_submix *s, const char *stem, const json_t *value, const char *key,
                          rv_arena *arena, rv_error *err)
{
    const json_t *classes = json_is_object(value) ? json_object_get(value, "classes") : value;
    const char *inner;
    json_t *ignored;
    char place[300];
    s->stem = stem;
    snprintf(place, sizeof place, "%.100s.%.100s", key, stem);
    json_object_foreach((json_t *)value, inner, ignored)
    {
        if (strcmp(inner, "classes") != 0 && strcmp(inner, "programs") != 0)
            return RV_FAIL(err, RV_ERR_ARG, "%s.%.100s: unknown; classes and programs are known",
                           place, inner);
    }
    RV_TRY(rv_texts_read(&s->classes, &s->n_classes, classes, place, arena, err));
    RV_TRY(read_programs(s, json_object_get(value, "programs"), key, err));
    if (s->n_classes == 0 && !s->programs[0] && !s->programs[1])
        return RV_FAIL(err, RV_ERR_ARG, "%s: no classes or programs", place);
    return RV_OK;
}

rv_status rv_submix_read(const rv_submix **out, size_t *n, const json_t *value, const char *key,
                         rv_arena *arena, rv_error *err)
{
    rv_submix *all = rv_arena_take(arena, (json_object_size(value) + 1) * sizeof *all);
    const char *stem;
    json_t *one;
    *n = 0;
    if (!all)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", key);
    json_object_foreach((json_t *)value, stem, one)
    {
        RV_TRY(read_one(&all[(*n)++], stem, one, key, arena, err));
    }
    *out = all;
    return RV_OK;
}
