/* fixed.c - see fixed.h. */
#include "nn/fixed.h"

void nn_fix(const nn_builder *b, const float *const *values)
{
    for (const nn_param *p = b->params; p; p = p->next, values++) {
        const size_t n = rv_shape_count(&p->node->shape);
        real *copy = rv_graph_take(b->graph, n * sizeof *copy);
        for (size_t i = 0; copy && i < n; i++)
            copy[i] = (real)(*values)[i];
        p->node->leaf = RV_CONSTANT;
        p->node->constant = copy;
    }
}
