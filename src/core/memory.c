/* memory.c - lifetimes, sharing, placement.
 *
 * A value lives from the node that makes it to the last that reads it. A view has
 * the memory of its input; an operation that allows it takes over the memory of an
 * input that nothing reads afterwards. What remains is placed largest first, each at
 * the lowest offset where it overlaps no placed value that lives at the same time
 * ("greedy by size": Y. Pisarchyk and J. Lee, "Efficient memory management for deep
 * neural net inference", 2020, arXiv:2001.03288). */
#include "core/memory.h"

#include "core/op.h"

#include <stdlib.h>

static bool is_view(const rv_node *v)
{
    return v->op && !v->op->run;
}

static rv_life *root_of(rv_life *life, const rv_node *v)
{
    return &life[life[v->order].root];
}

static void start_life(rv_life *life, const rv_node *v, bool needed)
{
    rv_life *l = &life[v->order];
    const size_t raw = rv_shape_count(&v->shape) * sizeof(real) + VALUE_GUARD;
    const bool planned = v->op ? needed : v->leaf == RV_INPUT;
    *l = (rv_life){
        .node = v, .root = v->order, .born = v->op ? v->order : 0, .last_use = v->order
    };
    l->keep = v->keep || v->leaf == RV_INPUT; /* inputs keep their value from run to run */
    l->size = planned ? (raw + VALUE_ALIGN - 1) / VALUE_ALIGN * VALUE_ALIGN : 0;
}

static void join_view(rv_life *life, const rv_node *v)
{
    rv_life *l = &life[v->order], *root = root_of(life, v->in[0]);
    l->root = root->node->order;
    l->size = 0;
    root->keep |= v->keep;
}

static void find_last_uses(rv_life *life, const rv_node *first, const bool *needed)
{
    for (const rv_node *v = first; v; v = v->next)
        for (int i = 0; i < v->n_in; i++)
            if (needed[v->order] && v->in[i] && root_of(life, v->in[i])->last_use < v->order)
                root_of(life, v->in[i])->last_use = v->order;
}

/* May v write its result over input 0? */
static bool may_take_over(rv_life *life, const rv_node *v)
{
    if (!v->op || !v->op->in_place || is_view(v) || !v->in[0])
        return false;
    const rv_life *from = root_of(life, v->in[0]);
    if (!from->size || from->keep || from->last_use != v->order)
        return false;
    if (rv_shape_count(&v->in[0]->shape) != rv_shape_count(&v->shape)) /* it repeats input 0 */
        return false;
    for (int i = 1; i < v->n_in; i++)
        if (v->in[i] && root_of(life, v->in[i]) == from)
            return false;
    return true;
}

/* Views of v were joined to v before: send them on to v's new root. */
static void take_over(rv_life *life, size_t n, const rv_node *v)
{
    rv_life *to = root_of(life, v->in[0]), *l = &life[v->order];
    to->last_use = l->last_use;
    to->keep |= l->keep;
    l->size = 0;
    for (size_t i = (size_t)v->order; i < n; i++)
        if (life[i].root == v->order)
            life[i].root = to->node->order;
}

static int larger_first(const void *a, const void *b)
{
    const rv_life *x = *(const rv_life *const *)a, *y = *(const rv_life *const *)b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return x->node->order - y->node->order;
}

static bool live_together(const rv_life *a, const rv_life *b)
{
    const int a_end = a->keep ? INT32_MAX : a->last_use, b_end = b->keep ? INT32_MAX : b->last_use;
    return a->born <= b_end && b->born <= a_end;
}

/* placed[0 .. n) is sorted by offset: the lowest gap that holds l. */
static size_t find_gap(const rv_life *l, const rv_life *const *placed, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (!live_together(placed[i], l))
            continue;
        if (at + l->size <= placed[i]->offset)
            break;
        const size_t end = placed[i]->offset + placed[i]->size;
        at = end > at ? end : at;
    }
    return at;
}

static void insert_by_offset(const rv_life **placed, size_t n, const rv_life *l)
{
    size_t i = n;
    for (; i > 0 && placed[i - 1]->offset > l->offset; i--)
        placed[i] = placed[i - 1];
    placed[i] = l;
}

static size_t place_all(rv_life *life, size_t n, const rv_life **list)
{
    size_t count = 0, bytes = 0;
    for (size_t i = 0; i < n; i++)
        if (life[i].size)
            list[count++] = &life[i];
    qsort((void *)list, count, sizeof *list, larger_first);
    for (size_t i = 0; i < count; i++) { /* the list's head becomes the placed, by offset */
        rv_life *l = &life[list[i]->node->order];
        l->offset = find_gap(l, list, i);
        bytes = l->offset + l->size > bytes ? l->offset + l->size : bytes;
        insert_by_offset(list, i, l);
    }
    return bytes;
}

size_t rv_memory_plan(rv_life *life, const rv_node *first, size_t n, const bool *needed,
                      const rv_life **scratch)
{
    for (const rv_node *v = first; v; v = v->next) {
        start_life(life, v, needed[v->order]);
        if (is_view(v))
            join_view(life, v);
    }
    find_last_uses(life, first, needed);
    for (const rv_node *v = first; v; v = v->next)
        if (may_take_over(life, v))
            take_over(life, n, v);
    return place_all(life, n, scratch);
}
