/* recompute.c - memory for time: the gradient's values are computed again where it reads them.
 *
 * The nodes up to the loss are cut into segments. What is made before a cut and read behind it
 * is kept. Of what the gradient reads otherwise only the last segment's values stay: for the
 * others the node, and those it depends on back to kept ones, is cloned, and the clones stand
 * right before the gradient that reads them first. As nodes run in their order, a segment's
 * values come back when its gradients begin and go with their last reader. (T. Chen, B. Xu,
 * C. Zhang and C. Guestrin, "Training deep nets with sublinear memory cost", 2016,
 * arXiv:1604.06174. There the cuts are nodes through which all paths run; here any set of values
 * is one, so skips and branches need no care.)
 *
 * Where to cut: let no segment hold more than a budget of values that the gradient reads, and of
 * those cuts take the ones that keep the fewest bytes, by dynamic programming over the last cut.
 * Of several budgets the one with the least sum of both is taken. */
#include "core/graph_impl.h"
#include "core/op.h"

enum { MAX_PARTS = 64 }; /* budgets tried: all that the gradient reads, over 1 ... MAX_PARTS */

/* A node up to the loss. A view has a root: the node that made its memory. */
typedef struct {
    rv_node *node;
    rv_node *again; /* what the gradient reads for it: itself if kept, a clone, or NULL: none yet */
    int root;       /* order of the root, maybe its own */
    int last_use;   /* up to the loss; of roots */
    size_t bytes;   /* 0 for leaves and views */
    bool read;      /* by the gradient; of roots */
    bool wanted;    /* its clone is about to be made */
} value;

/* The best cuts of the first nodes, of which the last is behind them. */
typedef struct {
    size_t kept;  /* bytes */
    size_t inner; /* bytes that the gradient reads in the largest segment */
    int before;   /* nodes before the last segment */
} cuts;

typedef struct {
    rv_graph *graph;
    int n;
    value *value; /* [n] */
    bool *needed; /* [nodes of the graph] */
    cuts *cuts;   /* [n + 1] */
} work;

static bool open_work(work *w, const rv_node *loss)
{
    rv_graph *g = loss->graph;
    const size_t n = (size_t)loss->order + 1;
    *w = (work){ .graph = g, .n = (int)n };
    w->value = rv_graph_take(g, n * sizeof *w->value);
    w->needed = rv_graph_take(g, (size_t)g->n_nodes * sizeof *w->needed);
    w->cuts = rv_graph_take(g, (n + 1) * sizeof *w->cuts);
    return !g->error.status;
}

static value *root_of(const work *w, const rv_node *v)
{
    return &w->value[w->value[v->order].root];
}

static void add_value(work *w, rv_node *v)
{
    value *x = &w->value[v->order];
    const bool view = v->op && !v->op->run;
    *x = (value){ .node = v, .root = v->order, .last_use = v->order };
    if (view)
        x->root = w->value[v->in[0]->order].root;
    else if (v->op)
        x->bytes = rv_shape_count(&v->shape) * sizeof(real);
}

/* Who reads what. */
static void survey(work *w)
{
    rv_mark_needed(w->graph, w->needed);
    for (rv_node *v = w->graph->first; v; v = v->next) {
        if (v->order < w->n)
            add_value(w, v);
        for (int i = 0; i < v->n_in; i++) {
            if (!v->in[i] || !w->needed[v->order] || v->in[i]->order >= w->n)
                continue;
            value *x = root_of(w, v->in[i]);
            if (v->order < w->n)
                x->last_use = v->order;
            else
                x->read = true;
        }
    }
}

/* Where to cut ------------------------------------------------------------------------- */

/* Cut behind `end` nodes: the segment before may start anywhere within the budget. */
static void cut_behind(work *w, int end, size_t budget)
{
    cuts *best = &w->cuts[end];
    size_t kept = 0, inner = 0;
    *best = (cuts){ .kept = SIZE_MAX };
    for (int i = end - 1; i >= 0; i--) {
        const value *x = &w->value[i];
        if (end < w->n && x->last_use >= end)
            kept += x->bytes;
        else if (x->read)
            inner += x->bytes;
        if (inner > budget && i < end - 1)
            break;
        const cuts *from = &w->cuts[i];
        if (from->kept + kept <= best->kept)
            *best = (cuts){ from->kept + kept, from->inner > inner ? from->inner : inner, i };
    }
}

static size_t cut_all(work *w, size_t budget)
{
    w->cuts[0] = (cuts){ 0 };
    for (int end = 1; end <= w->n; end++)
        cut_behind(w, end, budget);
    return w->cuts[w->n].kept + w->cuts[w->n].inner;
}

static void find_cuts(work *w)
{
    size_t all = 0, least = SIZE_MAX, best = 0;
    for (int i = 0; i < w->n; i++)
        all += w->value[i].read ? w->value[i].bytes : 0;
    for (size_t parts = 1; parts <= MAX_PARTS; parts++) {
        const size_t bytes = cut_all(w, all / parts);
        best = bytes < least ? all / parts : best;
        least = bytes < least ? bytes : least;
    }
    cut_all(w, best);
}

/* Leaves, outputs, the last segment, and what is read across a cut. */
static void mark_kept(work *w)
{
    for (int i = 0; i < w->n; i++) {
        value *x = &w->value[i], *root = &w->value[x->root];
        if (!x->node->op || x->node->keep || i >= w->cuts[w->n].before)
            root->again = root->node;
    }
    for (int cut = w->cuts[w->n].before; cut > 0; cut = w->cuts[cut].before)
        for (int i = 0; i < cut; i++)
            if (w->value[i].last_use >= cut)
                w->value[i].again = w->value[i].node;
    for (int i = 0; i < w->n; i++)
        if (root_of(w, w->value[i].node)->again)
            w->value[i].again = w->value[i].node;
}

/* Clones --------------------------------------------------------------------------------- */

static void insert(work *w, value *x, rv_node *before)
{
    rv_node *c = rv_graph_take(w->graph, sizeof *c);
    if (!c)
        return;
    *c = *x->node;
    for (int i = 0; i < c->n_in; i++)
        c->in[i] = c->in[i] ? w->value[c->in[i]->order].again : NULL;
    c->prev = before->prev;
    c->next = before;
    c->prev->next = c;
    before->prev = c;
    x->again = c;
}

/* How many of v's inputs are newly wanted. */
static int want_inputs(work *w, const rv_node *v)
{
    int more = 0;
    for (int i = 0; i < v->n_in; i++) {
        value *x = v->in[i] ? &w->value[v->in[i]->order] : NULL;
        if (!x || x->again || x->wanted)
            continue;
        x->wanted = true;
        more++;
    }
    return more;
}

/* Clone v and what it depends on, in their order. */
static void compute_again(work *w, const rv_node *v, rv_node *before)
{
    int first = v->order;
    w->value[first].wanted = true;
    for (int i = first, wanted = 1; wanted > 0; i--)
        if (w->value[i].wanted) {
            wanted += want_inputs(w, w->value[i].node) - 1;
            first = i;
        }
    for (int i = first; i <= v->order && !w->graph->error.status; i++)
        if (w->value[i].wanted) {
            insert(w, &w->value[i], before);
            w->value[i].wanted = false;
        }
}

static void redirect(work *w, rv_node *v)
{
    for (int i = 0; i < v->n_in && !w->graph->error.status; i++) {
        if (!v->in[i] || v->in[i]->order >= w->n)
            continue;
        const value *x = &w->value[v->in[i]->order];
        if (!x->again)
            compute_again(w, v->in[i], v);
        v->in[i] = x->again;
    }
}

void rv_recompute(rv_node *loss)
{
    rv_graph *g = loss->graph;
    work w;
    if (g->error.status || !open_work(&w, loss))
        return;
    survey(&w);
    find_cuts(&w);
    mark_kept(&w);
    for (rv_node *v = loss->next; v && !g->error.status; v = v->next)
        if (w.needed[v->order])
            redirect(&w, v);
    g->n_nodes = 0;
    for (rv_node *v = g->first; v; v = v->next)
        v->order = g->n_nodes++;
}
