/* recipe_values.c - see recipe_values.h. */
#include "train/recipe_values.h"

#include <math.h>
#include <string.h>

json_t *rv_recipe_value(json_t *values, const char *path)
{
    json_t *v = values;
    for (const char *at = path; v && *at;) {
        const size_t n = strcspn(at, ".");
        char key[64];
        memcpy(key, at, n < sizeof key - 1 ? n : sizeof key - 1);
        key[n < sizeof key - 1 ? n : sizeof key - 1] = '\0';
        v = json_object_get(v, key);
        at += n + (at[n] == '.');
    }
    return v;
}

double rv_recipe_number(json_t *values, const char *path)
{
    return json_number_value(rv_recipe_value(values, path));
}

uint64_t rv_recipe_integer(json_t *values, const char *path)
{
    return (uint64_t)json_integer_value(rv_recipe_value(values, path));
}

bool rv_recipe_flag(json_t *values, const char *path)
{
    return json_is_true(rv_recipe_value(values, path));
}

const char *rv_recipe_text(json_t *values, const char *path)
{
    const char *t = json_string_value(rv_recipe_value(values, path));
    return t && *t ? t : NULL;
}

size_t rv_recipe_choice(json_t *values, const char *path, const char *const *names)
{
    const char *text = rv_recipe_text(values, path);
    size_t i = 0;
    while (text && names[i] && strcmp(names[i], text) != 0)
        i++;
    return i;
}

size_t rv_recipe_frames(json_t *values, const char *path)
{
    return (size_t)llround(rv_recipe_number(values, path) *
                           rv_recipe_number(values, "data.sample_rate"));
}
