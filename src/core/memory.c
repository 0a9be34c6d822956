/* memory.c - lifetimes, sharing, placement.
 *
 * A value lives from the node that makes it to the last that reads it. A view has
 * the memory of its input; an operation that allows it takes over the memory of an
 * input that nothing reads afterwards, and gives back what it does not need of it.
 * What remains is placed one by one, each at the lowest offset where it overlaps no
 * placed value that lives at the same time: largest first ("greedy by size": Y. Pisarchyk
 * and J. Lee, "Efficient memory management for deep neural net inference", 2020,
 * arXiv:2001.03288), or in the order of birth where that takes less, as it does where
 * few values are large and each makes room for the next. */
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
    l->shrunk = INT32_MAX;
    l->small = l->size;
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
    if (rv_shape_count(&v->in[0]->shape) < rv_shape_count(&v->shape)) /* it repeats input 0 */
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
    if (l->size < to->small && to->shrunk == INT32_MAX) {
        to->shrunk = v->order;
        to->small = l->size;
    }
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

static int earlier_first(const void *a, const void *b)
{
    const rv_life *x = *(const rv_life *const *)a, *y = *(const rv_life *const *)b;
    return x->born != y->born ? x->born - y->born : larger_first(a, b);
}

static bool live_together(const rv_life *a, const rv_life *b)
{
    const int a_end = a->keep ? INT32_MAX : a->last_use, b_end = b->keep ? INT32_MAX : b->last_use;
    return a->born <= b_end && b->born <= a_end;
}

/* What a needs while b lives. */
static size_t size_beside(const rv_life *a, const rv_life *b)
{
    return b->born > a->shrunk ? a->small : a->size;
}

/* The lowest offset at which l overlaps none of placed[0 .. n), sorted by offset, that lives with
 * it. If l shrinks, its size depends on which, and one that it fitted before may be in the way
 * further up. */
static size_t find_gap(const rv_life *l, const rv_life *const *placed, size_t n)
{
    const bool shrinks = l->small < l->size;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const rv_life *p = placed[i];
        const size_t end = p->offset + size_beside(p, l);
        if (!live_together(p, l) || end <= at)
            continue;
        if (at + size_beside(l, p) <= p->offset) {
            if (shrinks)
                continue;
            break;
        }
        at = end;
        if (shrinks)
            i = SIZE_MAX; /* from the first again */
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

typedef int order_fn(const void *a, const void *b);

static size_t place_all(rv_life *life, size_t n, const rv_life **list, order_fn *order)
{
    size_t count = 0, bytes = 0;
    for (size_t i = 0; i < n; i++)
        if (life[i].size)
            list[count++] = &life[i];
    qsort((void *)list, count, sizeof *list, order);
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
    const size_t by_birth = place_all(life, n, scratch, earlier_first);
    const size_t by_size = place_all(life, n, scratch, larger_first);
    return by_size <= by_birth ? by_size : place_all(life, n, scratch, earlier_first);
}
