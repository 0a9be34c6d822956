/* memory.c - lifetimes, sharing, placement.
 *
 * A value lives from the node that makes it to the last that reads it. A view has
 * the memory of its input; an operation that allows it takes over the memory of an
 * input that nothing reads afterwards, and gives back what it does not need of it. Scratch
 * lives while its node runs: seldom that for which most memory is wanted.
 * What remains is placed one by one, each at the lowest offset where it overlaps no
 * placed value that lives at the same time: largest first ("greedy by size": Y. Pisarchyk
 * and J. Lee, "Efficient memory management for deep neural net inference", 2020,
 * arXiv:2001.03288), or in the order of birth, which takes less where few values are large
 * and each makes room for the next. Either order is tried again several times, what ended
 * highest put before all others. */
#include "core/memory.h"

#include "core/op.h"

#include <stdlib.h>

enum { TRIES = 20 };

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

static void start_scratch(rv_life *l, int index, const rv_node *v, size_t bytes)
{
    const size_t size = (bytes + VALUE_ALIGN - 1) / VALUE_ALIGN * VALUE_ALIGN;
    *l = (rv_life){ .node = v,
                    .root = index,
                    .born = v->order,
                    .last_use = v->order,
                    .size = size,
                    .shrunk = INT32_MAX,
                    .small = size };
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
    return x->root - y->root;
}

static int earlier_first(const void *a, const void *b)
{
    const rv_life *x = *(const rv_life *const *)a, *y = *(const rv_life *const *)b;
    return x->born != y->born ? x->born - y->born : larger_first(a, b);
}

static int lower_rank_first(const void *a, const void *b)
{
    const rv_life *x = *(const rv_life *const *)a, *y = *(const rv_life *const *)b;
    return x->rank != y->rank ? x->rank - y->rank : larger_first(a, b);
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

/* Lives of a plan, and the best way to place them so far. */
typedef struct {
    rv_life *life;
    size_t n;
    const rv_life **list; /* [n] */
    size_t least;         /* bytes */
} placement;

static void place_all(placement *p, order_fn *order)
{
    size_t count = 0, bytes = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->life[i].size)
            p->list[count++] = &p->life[i];
    qsort((void *)p->list, count, sizeof *p->list, order);
    for (size_t i = 0; i < count; i++) /* maybe for the next time */
        p->life[p->list[i]->root].rank = order == lower_rank_first ? p->list[i]->rank : (int)i;
    for (size_t i = 0; i < count; i++) { /* the list's head becomes the placed, by offset */
        rv_life *l = &p->life[p->list[i]->root];
        l->offset = find_gap(l, p->list, i);
        bytes = l->offset + l->size > bytes ? l->offset + l->size : bytes;
        insert_by_offset(p->list, i, l);
    }
    for (size_t i = 0; i < p->n && bytes < p->least; i++)
        p->life[i].best_offset = p->life[i].offset;
    p->least = bytes < p->least ? bytes : p->least;
}

/* Place in an order, then again and again with what ended highest before all others. */
static void improve(placement *p, order_fn *order)
{
    place_all(p, order);
    for (int t = 1; t <= TRIES; t++) {
        rv_life *top = p->life;
        for (size_t i = 0; i < p->n; i++)
            if (p->life[i].size && p->life[i].offset + p->life[i].size > top->offset + top->size)
                top = &p->life[i];
        top->rank = -t;
        place_all(p, lower_rank_first);
    }
}

size_t rv_memory_plan(rv_life *life, const rv_node *first, size_t n, const bool *needed,
                      const size_t *scratch, const rv_life **list)
{
    for (const rv_node *v = first; v; v = v->next) {
        const size_t beside = n + (size_t)v->order;
        start_life(life, v, needed[v->order]);
        start_scratch(&life[beside], (int)beside, v, needed[v->order] ? scratch[v->order] : 0);
        if (is_view(v))
            join_view(life, v);
    }
    find_last_uses(life, first, needed);
    for (const rv_node *v = first; v; v = v->next)
        if (may_take_over(life, v))
            take_over(life, n, v);
    placement p = { life, 2 * n, list, SIZE_MAX };
    improve(&p, earlier_first);
    improve(&p, larger_first);
    for (size_t i = 0; i < 2 * n; i++)
        life[i].offset = life[i].best_offset;
    return p.least;
}
