/* memory.h - which values share memory, and where they lie: a part of plan.c. */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include "core/graph.h"

enum { VALUE_ALIGN = 64 }; /* bytes: a cache line, and the widest vector register */

/* Bytes after each value that nothing may write: the tests' engine watches them. */
#ifdef RV_SELFTEST
enum { VALUE_GUARD = 64 };
#else
enum { VALUE_GUARD = 0 };
#endif

typedef struct rv_life {
    const rv_node *node;
    int root;           /* index of the life whose memory this one uses, maybe its own */
    int born, last_use; /* of the memory, in orders of nodes; valid for roots */
    bool keep;          /* the memory is read after the run; valid for roots */
    size_t size;        /* bytes; 0 if the memory is not the plan's, or not a root */
    int shrunk;         /* after this node it holds a value that is smaller, of: */
    size_t small;       /* bytes */
    size_t offset;      /* bytes from the start of the block */
    size_t best_offset; /* in the best placement so far */
    int rank;           /* lower ones are placed first */
} rv_life;

/* Fill life[0 .. n) for the values of the n nodes from `first` on and life[n .. 2 n) for their
 * scratch, of scratch[order] bytes while they run, offsets included; returns the size of the block.
 * What is not `needed` does not run. `list` holds 2 n pointers. */
size_t rv_memory_plan(rv_life *life, const rv_node *first, size_t n, const bool *needed,
                      const size_t *scratch, const rv_life **list);

#endif
