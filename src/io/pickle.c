/* pickle.c - read opcode, argument, run; until STOP. */
#include "io/bytes.h"
#include "io/pickle_impl.h"

#include <stdlib.h>
#include <string.h>

/* The next n bytes of the pickle. */
static rv_status take_bytes(rv_unpickler *u, const unsigned char **p, uint64_t n, rv_error *err)
{
    if (n > u->size - u->at)
        return rv_pk_fail(u, err, RV_ERR_FORMAT,
                          "%llu bytes are needed and %zu are left; is the file truncated?",
                          (unsigned long long)n, u->size - u->at);
    *p = u->data + u->at;
    u->at += (size_t)n;
    return RV_OK;
}

rv_status rv_pk_line(rv_unpickler *u, rv_error *err)
{
    const unsigned char *begin = u->data + u->at;
    const unsigned char *end = u->at < u->size ? memchr(begin, '\n', u->size - u->at) : NULL;
    if (!end)
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "a line does not end; is the file truncated?");
    u->text = (const char *)begin;
    u->number = (uint64_t)(end - begin);
    u->at += (size_t)u->number + 1;
    return RV_OK;
}

/* A number of 1, 2, 4 or 8 bytes, lowest first. */
static rv_status take_number(rv_unpickler *u, size_t bytes, rv_error *err)
{
    const unsigned char *p = NULL;
    RV_TRY(take_bytes(u, &p, bytes, err));
    u->number = 0;
    memcpy(&u->number, p, bytes);
    return RV_OK;
}

static rv_status take_text(rv_unpickler *u, size_t bytes, rv_error *err)
{
    const unsigned char *p = NULL;
    RV_TRY(take_number(u, bytes, err));
    RV_TRY(take_bytes(u, &p, u->number, err));
    u->text = (const char *)p;
    return RV_OK;
}

static rv_status take_argument(rv_unpickler *u, rv_argument argument, rv_error *err)
{
    switch (argument) {
    case RV_ARG_1:
    case RV_ARG_2:
    case RV_ARG_4:
    case RV_ARG_8:
        return take_number(u, (size_t)argument, err);
    case RV_ARG_TEXT1:
    case RV_ARG_TEXT4:
    case RV_ARG_TEXT8:
        return take_text(u, (size_t)argument - RV_ARG_TEXT, err);
    case RV_ARG_LINE:
        return rv_pk_line(u, err);
    default:
        return RV_OK;
    }
}

/* Run one opcode; *code tells which. */
static rv_status step(rv_unpickler *u, unsigned char *code, rv_error *err)
{
    const unsigned char *p = NULL;
    u->op_at = u->at;
    u->op = "opcode";
    RV_TRY(take_bytes(u, &p, 1, err));
    const rv_opcode *op = &rv_opcodes[*p];
    *code = *p;
    if (!op->name)
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "0x%02x is no opcode of a pickle", *p);
    u->op = op->name;
    if (!op->run)
        return rv_pk_fail(u, err, RV_ERR_UNSUPPORTED, "torch.save does not write this opcode");
    RV_TRY(take_argument(u, op->argument, err));
    return op->run(u, err);
}

static rv_status run(rv_unpickler *u, rv_error *err)
{
    for (unsigned char code = 0; code != '.';)
        RV_TRY(step(u, &code, err));
    return u->depth == 1 && !u->n_marks
               ? RV_OK
               : rv_pk_fail(u, err, RV_ERR_FORMAT, "%zu values are left instead of one", u->depth);
}

rv_status rv_unpickle(rv_value **out, rv_arena *arena, const char *what, const unsigned char *data,
                      size_t size, size_t *used, rv_value **storages, rv_error *err)
{
    rv_unpickler u = { .what = what, .arena = arena, .data = data, .size = size };
    const rv_status status = run(&u, err);
    if (status == RV_OK) {
        *out = u.stack[0];
        if (used)
            *used = u.at;
        if (storages)
            *storages = u.storages;
    }
    free(u.stack);
    free(u.marks);
    free(u.memo);
    return status;
}

bool rv_value_is(const rv_value *v, const char *text)
{
    const size_t n = strlen(text);
    return v && v->kind == RV_PK_TEXT && v->text.n == n && !memcmp(v->text.data, text, n);
}

const rv_value *rv_value_get(const rv_value *dict, const char *key)
{
    if (!dict || dict->kind != RV_PK_DICT)
        return NULL;
    for (size_t i = dict->list.n; i >= 2; i -= 2)
        if (rv_value_is(dict->list.items[i - 2], key))
            return dict->list.items[i - 1];
    return NULL;
}
