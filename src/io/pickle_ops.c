/* pickle_ops.c - one small function per opcode, and the table of them.
 *
 * The semantics are those that Python's pickletools documents. Containers may be changed after
 * they were used elsewhere (the memo shares them), so values are held by pointer throughout. */
#include "io/pickle_impl.h"
#include "io/text.h"

#include <stdlib.h>
#include <string.h>

static rv_status push_new(rv_unpickler *u, rv_value **out, rv_value_kind kind, rv_error *err)
{
    RV_TRY(rv_pk_new(u, out, kind, err));
    return rv_pk_push(u, *out, err);
}

static rv_status op_mark(rv_unpickler *u, rv_error *err)
{
    RV_TRY(rv_pk_reserve(u, (void **)&u->marks, &u->marks_capacity, u->n_marks, sizeof *u->marks,
                         err));
    u->marks[u->n_marks++] = u->depth;
    return RV_OK;
}

static rv_status op_pop(rv_unpickler *u, rv_error *err)
{
    if (u->n_marks && u->depth == rv_pk_floor(u)) {
        u->n_marks--;
        return RV_OK;
    }
    RV_TRY(rv_pk_need(u, 1, err));
    u->depth--;
    return RV_OK;
}

static rv_status op_pop_mark(rv_unpickler *u, rv_error *err)
{
    rv_value **items = NULL;
    size_t n = 0;
    return rv_pk_pop_mark(u, &items, &n, err);
}

static rv_status op_dup(rv_unpickler *u, rv_error *err)
{
    RV_TRY(rv_pk_need(u, 1, err));
    return rv_pk_push(u, rv_pk_top(u, 0), err);
}

/* Plain values */

static rv_status op_nothing(rv_unpickler *u, rv_error *err)
{
    (void)u;
    (void)err;
    return RV_OK;
}

static rv_status op_proto(rv_unpickler *u, rv_error *err)
{
    return u->number <= 5 ? RV_OK
                          : rv_pk_fail(u, err, RV_ERR_UNSUPPORTED, "protocol %u is not known",
                                       (unsigned)u->number);
}

static rv_status op_none(rv_unpickler *u, rv_error *err)
{
    rv_value *v = NULL;
    return push_new(u, &v, RV_PK_NONE, err);
}

static rv_status push_number(rv_unpickler *u, rv_value_kind kind, int64_t number, rv_error *err)
{
    rv_value *v = NULL;
    RV_TRY(push_new(u, &v, kind, err));
    v->number = number;
    return RV_OK;
}

static rv_status op_true(rv_unpickler *u, rv_error *err)
{
    return push_number(u, RV_PK_BOOL, 1, err);
}

static rv_status op_false(rv_unpickler *u, rv_error *err)
{
    return push_number(u, RV_PK_BOOL, 0, err);
}

static rv_status op_small_int(rv_unpickler *u, rv_error *err)
{
    return push_number(u, RV_PK_INT, (int64_t)u->number, err);
}

static rv_status op_binint(rv_unpickler *u, rv_error *err)
{
    return push_number(u, RV_PK_INT, (int32_t)(uint32_t)u->number, err);
}

static rv_status push_real(rv_unpickler *u, double real, rv_error *err)
{
    rv_value *v = NULL;
    RV_TRY(push_new(u, &v, RV_PK_FLOAT, err));
    v->real = real;
    return RV_OK;
}

/* Protocol 0: "12", "12L", and "00" and "01" for False and True. Above 2^53 a float. */
static rv_status op_int_line(rv_unpickler *u, rv_error *err)
{
    size_t n = (size_t)u->number;
    if (n == 2 && u->text[0] == '0' && (u->text[1] == '0' || u->text[1] == '1'))
        return push_number(u, RV_PK_BOOL, u->text[1] == '1', err);
    if (n && u->text[n - 1] == 'L')
        n--;
    double value;
    if (!rv_number(u->text, n, &value))
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "\"%s\" is no number", rv_show(u->text, n).text);
    return value >= -0x1p53 && value <= 0x1p53 ? push_number(u, RV_PK_INT, (int64_t)value, err)
                                               : push_real(u, value, err);
}

static rv_status op_float_line(rv_unpickler *u, rv_error *err)
{
    double value;
    if (!rv_number(u->text, (size_t)u->number, &value))
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "\"%s\" is no number",
                          rv_show(u->text, (size_t)u->number).text);
    return push_real(u, value, err);
}

/* The only big-endian number of the format. */
static rv_status op_binfloat(rv_unpickler *u, rv_error *err)
{
    const uint64_t bits = __builtin_bswap64(u->number);
    double value;
    memcpy(&value, &bits, sizeof value);
    return push_real(u, value, err);
}

static rv_status push_text(rv_unpickler *u, rv_value_kind kind, rv_error *err)
{
    rv_value *v = NULL;
    RV_TRY(push_new(u, &v, kind, err));
    v->text.data = u->text;
    v->text.n = (size_t)u->number;
    return RV_OK;
}

static rv_status op_text(rv_unpickler *u, rv_error *err)
{
    return push_text(u, RV_PK_TEXT, err);
}

static rv_status op_bytes(rv_unpickler *u, rv_error *err)
{
    return push_text(u, RV_PK_BYTES, err);
}

/* Two's complement, lowest byte first. */
static rv_status op_long(rv_unpickler *u, rv_error *err)
{
    const size_t n = (size_t)u->number;
    if (n > 8)
        return push_text(u, RV_PK_LONG, err);
    uint64_t bits = n && u->text[n - 1] & 0x80 ? UINT64_MAX : 0;
    if (n)
        memcpy(&bits, u->text, n);
    return push_number(u, RV_PK_INT, (int64_t)bits, err);
}

/* Containers */

static rv_status push_sequence(rv_unpickler *u, rv_value_kind kind, rv_value *const *items,
                               size_t n, rv_error *err)
{
    rv_value *v = NULL;
    RV_TRY(rv_pk_sequence(u, &v, kind, items, n, err));
    return rv_pk_push(u, v, err);
}

static rv_status op_empty_tuple(rv_unpickler *u, rv_error *err)
{
    return push_sequence(u, RV_PK_TUPLE, NULL, 0, err);
}

static rv_status op_empty_list(rv_unpickler *u, rv_error *err)
{
    return push_sequence(u, RV_PK_LIST, NULL, 0, err);
}

static rv_status op_empty_set(rv_unpickler *u, rv_error *err)
{
    return push_sequence(u, RV_PK_SET, NULL, 0, err);
}

static rv_status op_empty_dict(rv_unpickler *u, rv_error *err)
{
    return push_sequence(u, RV_PK_DICT, NULL, 0, err);
}

static rv_status tuple_of(rv_unpickler *u, size_t n, rv_error *err)
{
    RV_TRY(rv_pk_need(u, n, err));
    u->depth -= n;
    return push_sequence(u, RV_PK_TUPLE, u->stack + u->depth, n, err);
}

static rv_status op_tuple1(rv_unpickler *u, rv_error *err)
{
    return tuple_of(u, 1, err);
}

static rv_status op_tuple2(rv_unpickler *u, rv_error *err)
{
    return tuple_of(u, 2, err);
}

static rv_status op_tuple3(rv_unpickler *u, rv_error *err)
{
    return tuple_of(u, 3, err);
}

static rv_status from_mark(rv_unpickler *u, rv_value_kind kind, rv_error *err)
{
    rv_value **items = NULL;
    size_t n = 0;
    RV_TRY(rv_pk_pop_mark(u, &items, &n, err));
    if (kind == RV_PK_DICT && n % 2)
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "a key of a dict has no value");
    return push_sequence(u, kind, items, n, err);
}

static rv_status op_tuple(rv_unpickler *u, rv_error *err)
{
    return from_mark(u, RV_PK_TUPLE, err);
}

static rv_status op_list(rv_unpickler *u, rv_error *err)
{
    return from_mark(u, RV_PK_LIST, err);
}

static rv_status op_dict(rv_unpickler *u, rv_error *err)
{
    return from_mark(u, RV_PK_DICT, err);
}

static rv_status op_frozenset(rv_unpickler *u, rv_error *err)
{
    return from_mark(u, RV_PK_SET, err);
}

/* Add to the container on top of the stack. Inert objects take items too, and forget them. */
static rv_status add_items(rv_unpickler *u, rv_value_kind kind, rv_value *const *items, size_t n,
                           rv_error *err)
{
    RV_TRY(rv_pk_need(u, 1, err));
    rv_value *v = rv_pk_top(u, 0);
    if (v->kind == RV_PK_OBJECT)
        return RV_OK;
    if (v->kind != kind || (kind == RV_PK_DICT && n % 2))
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "these items do not fit what is on the stack");
    return rv_pk_append(u, v, items, n, err);
}

static rv_status op_append(rv_unpickler *u, rv_error *err)
{
    RV_TRY(rv_pk_need(u, 2, err));
    u->depth -= 1;
    return add_items(u, RV_PK_LIST, u->stack + u->depth, 1, err);
}

static rv_status op_setitem(rv_unpickler *u, rv_error *err)
{
    RV_TRY(rv_pk_need(u, 3, err));
    u->depth -= 2;
    return add_items(u, RV_PK_DICT, u->stack + u->depth, 2, err);
}

static rv_status add_marked(rv_unpickler *u, rv_value_kind kind, rv_error *err)
{
    rv_value **items = NULL;
    size_t n = 0;
    RV_TRY(rv_pk_pop_mark(u, &items, &n, err));
    return add_items(u, kind, items, n, err);
}

static rv_status op_appends(rv_unpickler *u, rv_error *err)
{
    return add_marked(u, RV_PK_LIST, err);
}

static rv_status op_setitems(rv_unpickler *u, rv_error *err)
{
    return add_marked(u, RV_PK_DICT, err);
}

static rv_status op_additems(rv_unpickler *u, rv_error *err)
{
    return add_marked(u, RV_PK_SET, err);
}

/* The memo */

static rv_status remember(rv_unpickler *u, uint64_t i, rv_error *err)
{
    RV_TRY(rv_pk_need(u, 1, err));
    RV_TRY(rv_pk_reserve(u, (void **)&u->memo, &u->memo_size, (size_t)i, sizeof *u->memo, err));
    u->memo[i] = rv_pk_top(u, 0);
    return RV_OK;
}

static rv_status recall(rv_unpickler *u, uint64_t i, rv_error *err)
{
    if (i >= u->memo_size || !u->memo[i])
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "entry %llu of the memo was never set",
                          (unsigned long long)i);
    return rv_pk_push(u, u->memo[i], err);
}

static rv_status op_put(rv_unpickler *u, rv_error *err)
{
    return remember(u, u->number, err);
}

static rv_status op_get(rv_unpickler *u, rv_error *err)
{
    return recall(u, u->number, err);
}

static rv_status op_memoize(rv_unpickler *u, rv_error *err)
{
    return remember(u, u->memo_next++, err);
}

/* Protocol 0 writes the number of an entry as text. */
static rv_status memo_line(rv_unpickler *u, uint64_t *i, rv_error *err)
{
    double value;
    if (!rv_number(u->text, (size_t)u->number, &value) || !(value >= 0 && value < RV_PK_ENTRIES))
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "\"%s\" is no entry of the memo",
                          rv_show(u->text, (size_t)u->number).text);
    *i = (uint64_t)value;
    return RV_OK;
}

static rv_status op_put_line(rv_unpickler *u, rv_error *err)
{
    uint64_t i = 0;
    RV_TRY(memo_line(u, &i, err));
    return remember(u, i, err);
}

static rv_status op_get_line(rv_unpickler *u, rv_error *err)
{
    uint64_t i = 0;
    RV_TRY(memo_line(u, &i, err));
    return recall(u, i, err);
}

/* Classes and calls */

static rv_status push_class(rv_unpickler *u, const char *module, size_t n_module, const char *name,
                            size_t n_name, rv_error *err)
{
    rv_value *v = NULL;
    void *joined = NULL;
    if (n_module > 500 || n_name > 500)
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "the name of a class has more than 500 bytes");
    RV_TRY(rv_pk_take(u, &joined, n_module + n_name + 2, err));
    char *text = joined;
    memcpy(text, module, n_module);
    text[n_module] = '.';
    memcpy(text + n_module + 1, name, n_name);
    RV_TRY(push_new(u, &v, RV_PK_CLASS, err));
    v->name = text;
    return RV_OK;
}

/* Two lines: module, name. */
static rv_status op_global(rv_unpickler *u, rv_error *err)
{
    const char *module = u->text;
    const size_t n_module = (size_t)u->number;
    RV_TRY(rv_pk_line(u, err));
    return push_class(u, module, n_module, u->text, (size_t)u->number, err);
}

static rv_status op_stack_global(rv_unpickler *u, rv_error *err)
{
    RV_TRY(rv_pk_need(u, 2, err));
    const rv_value *module = rv_pk_top(u, 1), *name = rv_pk_top(u, 0);
    if (module->kind != RV_PK_TEXT || name->kind != RV_PK_TEXT)
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "module and name of a class are no text");
    u->depth -= 2;
    return push_class(u, module->text.data, module->text.n, name->text.data, name->text.n, err);
}

/* Replace the callee, its arguments and `more` values above them by the result. */
static rv_status call(rv_unpickler *u, size_t more, rv_error *err)
{
    RV_TRY(rv_pk_need(u, 2 + more, err));
    u->depth -= 2 + more;
    rv_value *result = NULL;
    RV_TRY(rv_pk_call(u, &result, u->stack[u->depth], u->stack[u->depth + 1], err));
    return rv_pk_push(u, result, err);
}

static rv_status op_reduce(rv_unpickler *u, rv_error *err)
{
    return call(u, 0, err);
}

static rv_status op_newobj_ex(rv_unpickler *u, rv_error *err)
{
    return call(u, 1, err);
}

/* Give an object its state. Attributes of plain values (the hooks of a tensor, the metadata of an
 * ordered dict) are not kept. */
static rv_status op_build(rv_unpickler *u, rv_error *err)
{
    RV_TRY(rv_pk_need(u, 2, err));
    u->depth--;
    if (rv_pk_top(u, 0)->kind == RV_PK_OBJECT)
        rv_pk_top(u, 0)->object.state = u->stack[u->depth];
    return RV_OK;
}

static rv_status op_binpersid(rv_unpickler *u, rv_error *err)
{
    RV_TRY(rv_pk_need(u, 1, err));
    u->depth--;
    rv_value *result = NULL;
    RV_TRY(rv_pk_persistent(u, &result, u->stack[u->depth], err));
    return rv_pk_push(u, result, err);
}

/* Without a function: torch.save never writes it. */
const rv_opcode rv_opcodes[256] = {
    ['('] = { "MARK", RV_ARG_NONE, op_mark },
    ['.'] = { "STOP", RV_ARG_NONE, op_nothing },
    ['0'] = { "POP", RV_ARG_NONE, op_pop },
    ['1'] = { "POP_MARK", RV_ARG_NONE, op_pop_mark },
    ['2'] = { "DUP", RV_ARG_NONE, op_dup },
    ['F'] = { "FLOAT", RV_ARG_LINE, op_float_line },
    ['I'] = { "INT", RV_ARG_LINE, op_int_line },
    ['J'] = { "BININT", RV_ARG_4, op_binint },
    ['K'] = { "BININT1", RV_ARG_1, op_small_int },
    ['L'] = { "LONG", RV_ARG_LINE, op_int_line },
    ['M'] = { "BININT2", RV_ARG_2, op_small_int },
    ['N'] = { "NONE", RV_ARG_NONE, op_none },
    ['P'] = { "PERSID", RV_ARG_LINE, NULL },
    ['Q'] = { "BINPERSID", RV_ARG_NONE, op_binpersid },
    ['R'] = { "REDUCE", RV_ARG_NONE, op_reduce },
    ['S'] = { "STRING", RV_ARG_LINE, NULL },
    ['T'] = { "BINSTRING", RV_ARG_TEXT4, op_text },
    ['U'] = { "SHORT_BINSTRING", RV_ARG_TEXT1, op_text },
    ['V'] = { "UNICODE", RV_ARG_LINE, op_text },
    ['X'] = { "BINUNICODE", RV_ARG_TEXT4, op_text },
    ['a'] = { "APPEND", RV_ARG_NONE, op_append },
    ['b'] = { "BUILD", RV_ARG_NONE, op_build },
    ['c'] = { "GLOBAL", RV_ARG_LINE, op_global },
    ['d'] = { "DICT", RV_ARG_NONE, op_dict },
    ['}'] = { "EMPTY_DICT", RV_ARG_NONE, op_empty_dict },
    ['e'] = { "APPENDS", RV_ARG_NONE, op_appends },
    ['g'] = { "GET", RV_ARG_LINE, op_get_line },
    ['h'] = { "BINGET", RV_ARG_1, op_get },
    ['i'] = { "INST", RV_ARG_LINE, NULL },
    ['j'] = { "LONG_BINGET", RV_ARG_4, op_get },
    ['l'] = { "LIST", RV_ARG_NONE, op_list },
    [']'] = { "EMPTY_LIST", RV_ARG_NONE, op_empty_list },
    ['o'] = { "OBJ", RV_ARG_NONE, NULL },
    ['p'] = { "PUT", RV_ARG_LINE, op_put_line },
    ['q'] = { "BINPUT", RV_ARG_1, op_put },
    ['r'] = { "LONG_BINPUT", RV_ARG_4, op_put },
    ['s'] = { "SETITEM", RV_ARG_NONE, op_setitem },
    ['t'] = { "TUPLE", RV_ARG_NONE, op_tuple },
    [')'] = { "EMPTY_TUPLE", RV_ARG_NONE, op_empty_tuple },
    ['u'] = { "SETITEMS", RV_ARG_NONE, op_setitems },
    ['G'] = { "BINFLOAT", RV_ARG_8, op_binfloat },
    ['B'] = { "BINBYTES", RV_ARG_TEXT4, op_bytes },
    ['C'] = { "SHORT_BINBYTES", RV_ARG_TEXT1, op_bytes },
    [0x80] = { "PROTO", RV_ARG_1, op_proto },
    [0x81] = { "NEWOBJ", RV_ARG_NONE, op_reduce },
    [0x82] = { "EXT1", RV_ARG_1, NULL },
    [0x83] = { "EXT2", RV_ARG_2, NULL },
    [0x84] = { "EXT4", RV_ARG_4, NULL },
    [0x85] = { "TUPLE1", RV_ARG_NONE, op_tuple1 },
    [0x86] = { "TUPLE2", RV_ARG_NONE, op_tuple2 },
    [0x87] = { "TUPLE3", RV_ARG_NONE, op_tuple3 },
    [0x88] = { "NEWTRUE", RV_ARG_NONE, op_true },
    [0x89] = { "NEWFALSE", RV_ARG_NONE, op_false },
    [0x8a] = { "LONG1", RV_ARG_TEXT1, op_long },
    [0x8b] = { "LONG4", RV_ARG_TEXT4, op_long },
    [0x8c] = { "SHORT_BINUNICODE", RV_ARG_TEXT1, op_text },
    [0x8d] = { "BINUNICODE8", RV_ARG_TEXT8, op_text },
    [0x8e] = { "BINBYTES8", RV_ARG_TEXT8, op_bytes },
    [0x8f] = { "EMPTY_SET", RV_ARG_NONE, op_empty_set },
    [0x90] = { "ADDITEMS", RV_ARG_NONE, op_additems },
    [0x91] = { "FROZENSET", RV_ARG_NONE, op_frozenset },
    [0x92] = { "NEWOBJ_EX", RV_ARG_NONE, op_newobj_ex },
    [0x93] = { "STACK_GLOBAL", RV_ARG_NONE, op_stack_global },
    [0x94] = { "MEMOIZE", RV_ARG_NONE, op_memoize },
    [0x95] = { "FRAME", RV_ARG_8, op_nothing },
    [0x96] = { "BYTEARRAY8", RV_ARG_TEXT8, op_bytes },
    [0x97] = { "NEXT_BUFFER", RV_ARG_NONE, NULL },
    [0x98] = { "READONLY_BUFFER", RV_ARG_NONE, NULL },
};
