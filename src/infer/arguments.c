/* arguments.c - JSON values as arguments. */
#include "infer/arguments.h"

#include "base/status.h"

static rv_status read_value(rv_arg *out, const char *name, const json_t *v, rv_arena *arena,
                            int depth, rv_error *err);

static rv_status read_list(rv_arg *out, const json_t *v, rv_arena *arena, int depth, rv_error *err)
{
    const size_t n = json_array_size(v);
    rv_arg *items = rv_arena_take(arena, (n + 1) * sizeof *items);
    if (!items)
        return RV_FAIL(err, RV_ERR_NOMEM, "the model's configuration");
    for (size_t i = 0; i < n; i++)
        RV_TRY(read_value(&items[i], NULL, json_array_get(v, i), arena, depth + 1, err));
    out->kind = RV_ARG_LIST;
    out->number = (double)n;
    out->items = items;
    return RV_OK;
}

static rv_status read_value(rv_arg *out, const char *name, const json_t *v, rv_arena *arena,
                            int depth, rv_error *err)
{
    *out = (rv_arg){ .name = name };
    if (json_is_number(v)) {
        out->kind = RV_ARG_NUMBER;
        out->number = json_number_value(v);
    } else if (json_is_boolean(v)) {
        out->kind = RV_ARG_BOOL;
        out->number = json_is_true(v);
    } else if (json_is_string(v)) {
        out->kind = RV_ARG_TEXT;
        out->text = json_string_value(v);
    } else if (json_is_array(v) && depth < 4) {
        return read_list(out, v, arena, depth, err);
    } else if (!json_is_null(v)) {
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "argument '%s' of the model is no number, text or list", name ? name : "?");
    }
    return RV_OK;
}

static rv_status read_positional(rv_args *out, rv_arg *arg, const json_t *list,
                                 const char *const *positional, rv_arena *arena, rv_error *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!positional || !*positional)
            return RV_FAIL(err, RV_ERR_FORMAT, "the model has %zu positional arguments, %zu known",
                           json_array_size(list), i);
        RV_TRY(read_value(&arg[out->n++], *positional++, json_array_get(list, i), arena, 0, err));
    }
    return RV_OK;
}

rv_status rv_arguments_read(rv_args *out, const json_t *config, const char *const *positional,
                            rv_arena *arena, rv_error *err)
{
    const json_t *list = json_object_get(config, "args");
    json_t *named = json_object_get(config, "kwargs");
    const size_t n = json_array_size(list) + json_object_size(named);
    rv_arg *arg = rv_arena_take(arena, (n + 1) * sizeof *arg);
    if (!arg)
        return RV_FAIL(err, RV_ERR_NOMEM, "the model's configuration");
    *out = (rv_args){ .arg = arg };
    RV_TRY(read_positional(out, arg, list, positional, arena, err));

    const char *name;
    json_t *value;
    json_object_foreach(named, name, value)
        RV_TRY(read_value(&arg[out->n++], name, value, arena, 0, err));
    return RV_OK;
}

rv_status rv_arguments_apply(rv_configure_fn *configure, void *to, json_t *named, rv_error *err)
{
    rv_arena arena;
    rv_args args;
    json_t *said = json_pack("{sO}", "kwargs", named);
    rv_arena_init(&arena, NULL);
    rv_status st = said ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "a model");
    if (st == RV_OK)
        st = rv_arguments_read(&args, said, NULL, &arena, err);
    if (st == RV_OK)
        st = configure(to, &args, err);
    rv_arena_fini(&arena);
    json_decref(said);
    return st;
}
