/* pickle.h - Python pickles as plain data: a reader that runs nothing.
 *
 * A pickle is a program for a stack machine, and Python's own reader lets it import and call
 * anything. This one builds values only. The few calls that torch.save needs (tensors, ordered
 * dicts, sizes, ...) are a fixed table in pickle_call.c; every other class or function becomes an
 * inert RV_PK_OBJECT that remembers its name. Protocols 0 to 5, as described by Python's
 * pickletools; what torch.save never writes is refused by name. Memory is bounded, see below; what
 * walks the values must bound its own depth, as they may share parts and contain themselves. */
#ifndef IO_PICKLE_H
#define IO_PICKLE_H

#include "base/arena.h"
#include "io/checkpoint.h"

/* Bytes of memory that the values of one pickle may take beyond its size, and entries of its stack
 * and its memo. A checkpoint of 1,000 tensors needs about 2 MB and 20,000 entries. */
enum { RV_PK_LIMIT = 128 << 20, RV_PK_ENTRIES = 1 << 20 };

typedef enum rv_value_kind {
    RV_PK_NONE,
    RV_PK_BOOL,
    RV_PK_INT,
    RV_PK_LONG, /* above 64 bits: two's complement in `text`, lowest byte first */
    RV_PK_FLOAT,
    RV_PK_TEXT,
    RV_PK_BYTES,
    RV_PK_TUPLE,
    RV_PK_LIST,
    RV_PK_SET,
    RV_PK_DICT,
    RV_PK_CLASS, /* a class or function by its name */
    RV_PK_OBJECT,
    RV_PK_STORAGE,
    RV_PK_TENSOR,
} rv_value_kind;

typedef struct rv_value rv_value;

struct rv_value {
    rv_value_kind kind;
    union {
        int64_t number; /* BOOL, INT */
        double real;    /* FLOAT */
        struct {
            const char *data; /* in the pickle; no zero at its end */
            size_t n;
        } text; /* TEXT (UTF-8 if the writer was right), BYTES, LONG */
        struct {
            rv_value **items; /* of a dict: key, value, key, value, ... */
            size_t n, capacity;
        } list;           /* TUPLE, LIST, SET, DICT */
        const char *name; /* CLASS: "module.Name", with a zero */
        struct {
            rv_value *class; /* NULL if what was called is no class */
            rv_value *args;  /* what it would have been called with */
            rv_value *state; /* what BUILD gave it, or NULL */
        } object;
        struct {
            rv_value *key; /* TEXT */
            rv_dtype dtype;
            size_t count, offset; /* elements; the offset of a view into the storage */
            rv_value *next;       /* the storage named before this one */
        } storage;
        struct {
            rv_value *storage;
            rv_value *shape, *stride; /* TUPLE of INT */
            size_t offset;            /* elements, that of the view included */
        } tensor;
    };
};

/* Read the one pickle at the start of data[0 .. size). Values live in the arena and point into
 * `data`. `what` stands in messages ("model.th: data.pkl"). *used gets its length, *storages the
 * last storage it names (a list, by `next`); both may be NULL. */
RV_NODISCARD rv_status rv_unpickle(rv_value **out, rv_arena *arena, const char *what,
                                   const unsigned char *data, size_t size, size_t *used,
                                   rv_value **storages, rv_error *err);

/* Is it this text? False for other kinds. */
bool rv_value_is(const rv_value *v, const char *text);

/* The JSON nearest to a value: tuples and sets are arrays, keys become text, what is not plain data
 * is {"__class__": "module.Name"}. Settings that hide in objects of argparse and OmegaConf are
 * taken out. Depth is bounded, and size by *budget (bytes), which is used up; `what` stands in
 * messages. */
enum { RV_JSON_BUDGET = 32 << 20 };

RV_NODISCARD rv_status rv_value_json(json_t **out, const rv_value *v, const char *what,
                                     size_t *budget, rv_error *err);

/* The value of a text key in a dict, the last if there are several; NULL if there is none, or if
 * `dict` is no dict. */
const rv_value *rv_value_get(const rv_value *dict, const char *key);

#endif
