/* pickle_impl.h - the machine (pickle.c) and the calls it may make (pickle_call.c). */
#ifndef IO_PICKLE_IMPL_H
#define IO_PICKLE_IMPL_H

#include "io/pickle.h"

typedef struct rv_unpickler {
    const char *what;
    rv_arena *arena;
    const unsigned char *data;
    size_t size, at;

    const char *op; /* name of the opcode at work, and where it stands */
    size_t op_at;
    uint64_t number;  /* its argument: a number, */
    const char *text; /* or text of `number` bytes */

    rv_value **stack;
    size_t depth, stack_capacity;
    size_t *marks; /* depths */
    size_t n_marks, marks_capacity;
    rv_value **memo;
    size_t memo_size, memo_next;
    rv_value *storages; /* newest first */
    size_t taken;       /* bytes, of RV_PK_LIMIT */
} rv_unpickler;

/* The argument that follows an opcode; text comes after its length of 1, 4 or 8 bytes. */
typedef enum rv_argument {
    RV_ARG_NONE,
    RV_ARG_1 = 1,
    RV_ARG_2 = 2,
    RV_ARG_4 = 4,
    RV_ARG_8 = 8,
    RV_ARG_TEXT = 16,
    RV_ARG_TEXT1 = RV_ARG_TEXT + 1,
    RV_ARG_TEXT4 = RV_ARG_TEXT + 4,
    RV_ARG_TEXT8 = RV_ARG_TEXT + 8,
    RV_ARG_LINE = 32,
} rv_argument;

typedef struct rv_opcode {
    const char *name;
    rv_argument argument;
    rv_status (*run)(rv_unpickler *u, rv_error *err); /* NULL: refused */
} rv_opcode;

extern const rv_opcode rv_opcodes[256];

/* Fill err; the text starts with the file, the place in the pickle and the opcode. */
RV_PRINTF(4, 5)
rv_status rv_pk_fail(const rv_unpickler *u, rv_error *err, rv_status status, const char *fmt, ...);

/* Zeroed memory that counts towards RV_PK_LIMIT. */
RV_NODISCARD rv_status rv_pk_take(rv_unpickler *u, void **out, size_t size, rv_error *err);

/* A new value. */
RV_NODISCARD rv_status rv_pk_new(rv_unpickler *u, rv_value **out, rv_value_kind kind,
                                 rv_error *err);

/* A new TUPLE, LIST, SET or DICT that holds a copy of items[0 .. n), or n
 * empty places if `items` is NULL. */
RV_NODISCARD rv_status rv_pk_sequence(rv_unpickler *u, rv_value **out, rv_value_kind kind,
                                      rv_value *const *items, size_t n, rv_error *err);

/* Room for entry `i` of an array of the machine; new entries are zero. */
RV_NODISCARD rv_status rv_pk_reserve(rv_unpickler *u, void **array, size_t *capacity, size_t i,
                                     size_t size, rv_error *err);

RV_NODISCARD rv_status rv_pk_append(rv_unpickler *u, rv_value *v, rv_value *const *items, size_t n,
                                    rv_error *err);
RV_NODISCARD rv_status rv_pk_push(rv_unpickler *u, rv_value *v, rv_error *err);

/* The lowest depth that may be popped: that of the last mark. */
size_t rv_pk_floor(const rv_unpickler *u);

/* Fails unless there are n values above the last mark. */
RV_NODISCARD rv_status rv_pk_need(const rv_unpickler *u, size_t n, rv_error *err);

/* The value `below` the top one. */
rv_value *rv_pk_top(const rv_unpickler *u, size_t below);

/* Remove the last mark; the n values above it, no longer on the stack, start at *items. */
RV_NODISCARD rv_status rv_pk_pop_mark(rv_unpickler *u, rv_value ***items, size_t *n, rv_error *err);

/* Read a line of the pickle into text and number (its length). */
RV_NODISCARD rv_status rv_pk_line(rv_unpickler *u, rv_error *err);

/* What calling `callee` with the tuple `args` gives: a value of the table, or an inert object. */
RV_NODISCARD rv_status rv_pk_call(rv_unpickler *u, rv_value **out, rv_value *callee, rv_value *args,
                                  rv_error *err);

/* What a persistent id stands for: the storage of a tensor, or the class of a module. */
RV_NODISCARD rv_status rv_pk_persistent(rv_unpickler *u, rv_value **out, const rv_value *id,
                                        rv_error *err);

#endif
