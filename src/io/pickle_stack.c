/* pickle_stack.c - the memory of the machine: values from an arena with a limit, stack and marks.
 */
#include "io/pickle_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

rv_status rv_pk_fail(const rv_unpickler *u, rv_error *err, rv_status status, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return RV_FAIL(err, status, "%s, byte %zu, %s: %s", u->what, u->op_at, u->op, text);
}

/* Memory */

rv_status rv_pk_take(rv_unpickler *u, void **out, size_t size, rv_error *err)
{
    if (size > RV_PK_LIMIT + u->size - u->taken)
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "the values take more than the pickle and %d MB",
                          RV_PK_LIMIT >> 20);
    u->taken += size;
    *out = rv_arena_take(u->arena, size);
    return *out ? RV_OK : rv_pk_fail(u, err, RV_ERR_NOMEM, "out of memory");
}

rv_status rv_pk_new(rv_unpickler *u, rv_value **out, rv_value_kind kind, rv_error *err)
{
    void *v = NULL;
    RV_TRY(rv_pk_take(u, &v, sizeof **out, err));
    *out = v;
    (*out)->kind = kind;
    return RV_OK;
}

/* Room for `more` items. */
static rv_status grow_list(rv_unpickler *u, rv_value *v, size_t more, rv_error *err)
{
    if (more <= v->list.capacity - v->list.n)
        return RV_OK;
    const size_t twice = 2 * v->list.capacity, need = v->list.n + more;
    const size_t capacity = twice > need ? twice : need;
    void *items = NULL;
    RV_TRY(rv_pk_take(u, &items, capacity * sizeof *v->list.items, err));
    if (v->list.n)
        memcpy(items, v->list.items, v->list.n * sizeof *v->list.items);
    v->list.items = items;
    v->list.capacity = capacity;
    return RV_OK;
}

rv_status rv_pk_append(rv_unpickler *u, rv_value *v, rv_value *const *items, size_t n,
                       rv_error *err)
{
    RV_TRY(grow_list(u, v, n, err));
    if (items && n)
        memcpy(v->list.items + v->list.n, items, n * sizeof *items);
    v->list.n += n;
    return RV_OK;
}

rv_status rv_pk_sequence(rv_unpickler *u, rv_value **out, rv_value_kind kind,
                         rv_value *const *items, size_t n, rv_error *err)
{
    RV_TRY(rv_pk_new(u, out, kind, err));
    return rv_pk_append(u, *out, items, n, err);
}

/* Room for entry `i` of a growing array of the machine. */
rv_status rv_pk_reserve(rv_unpickler *u, void **array, size_t *capacity, size_t i, size_t size,
                        rv_error *err)
{
    if (i < *capacity)
        return RV_OK;
    if (i >= RV_PK_ENTRIES)
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "needs more than %d entries", RV_PK_ENTRIES);
    const size_t wanted = i < 128 ? 256 : 2 * i;
    void *larger = realloc(*array, wanted * size);
    if (!larger)
        return rv_pk_fail(u, err, RV_ERR_NOMEM, "out of memory");
    memset((char *)larger + *capacity * size, 0, (wanted - *capacity) * size);
    *array = larger;
    *capacity = wanted;
    return RV_OK;
}

/* The stack */

rv_status rv_pk_push(rv_unpickler *u, rv_value *v, rv_error *err)
{
    RV_TRY(
        rv_pk_reserve(u, (void **)&u->stack, &u->stack_capacity, u->depth, sizeof *u->stack, err));
    u->stack[u->depth++] = v;
    return RV_OK;
}

/* The lowest depth that may be popped: that of the last mark. */
size_t rv_pk_floor(const rv_unpickler *u)
{
    return u->n_marks ? u->marks[u->n_marks - 1] : 0;
}

/* Are there n values above the last mark? */
rv_status rv_pk_need(const rv_unpickler *u, size_t n, rv_error *err)
{
    return u->depth - rv_pk_floor(u) >= n
               ? RV_OK
               : rv_pk_fail(u, err, RV_ERR_FORMAT, "the stack holds too few values");
}

rv_value *rv_pk_top(const rv_unpickler *u, size_t below)
{
    return u->stack[u->depth - 1 - below];
}

/* Remove the last mark; the n values above it, no longer on the stack, start at *items. */
rv_status rv_pk_pop_mark(rv_unpickler *u, rv_value ***items, size_t *n, rv_error *err)
{
    if (!u->n_marks)
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "there is no mark on the stack");
    const size_t floor = u->marks[--u->n_marks];
    *n = u->depth - floor;
    *items = *n ? u->stack + floor : NULL;
    u->depth = floor;
    return RV_OK;
}
