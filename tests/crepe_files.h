/* crepe_files.h - CREPE's weights by a formula, in a file. */
#ifndef TESTS_CREPE_FILES_H
#define TESTS_CREPE_FILES_H

#include "crepe_formula.h"
#include "io/safetensors.h"
#include "models/crepe.h"

#include <string.h>

enum { MOST_CREPE_PARAMS = 64 };

static inline nn_builder build_crepe(rv_graph **graph, size_t width)
{
    rv_error err = { 0 };
    nn_builder b;
    const rv_crepe_config config = { width };
    CHECK_OK(rv_graph_new(graph, NULL, &err), err);
    nn_begin(&b, *graph);
    rv_crepe(&b, &config, rv_input(*graph, RV_SHAPE(1, RV_CREPE_WINDOW)));
    CHECK_OK(rv_graph_status(*graph, &err), err);
    return b;
}

/* As make_golden_crepe.py fills its state dict. */
static inline float *crepe_formula_of(const nn_param *p)
{
    const rv_shape *s = &p->node->shape;
    const size_t n = rv_shape_count(s);
    const double inputs = s->rank > 1 ? (double)n / (double)s->d[0] : 16;
    float *x = malloc(n * sizeof *x);
    if (strstr(p->name, "running_var"))
        crepe_formula(x, n, p->name, 0.4, 1);
    else
        crepe_formula(x, n, p->name, strstr(p->name, "BN.weight") ? 1 : 1.7 / sqrt(inputs), 0);
    return x;
}

/* Without the last `less` parameters. */
static inline void write_crepe(const char *path, size_t width, size_t less)
{
    rv_graph *graph;
    rv_error err = { 0 };
    const nn_builder b = build_crepe(&graph, width);
    rv_tensor_source tensors[MOST_CREPE_PARAMS];
    size_t n = 0;
    CHECK(b.n_params <= MOST_CREPE_PARAMS);
    for (const nn_param *p = b.params; p; p = p->next, n++) {
        const rv_shape *s = &p->node->shape;
        tensors[n] = (rv_tensor_source){
            .name = p->name, .dtype = RV_F32, .rank = s->rank, .data = crepe_formula_of(p)
        };
        memcpy(tensors[n].shape, s->d, (size_t)s->rank * sizeof *s->d);
    }
    json_t *config = json_object();
    CHECK_OK(rv_safetensors_write(path, tensors, n - less, config, &err), err);
    json_decref(config);
    for (size_t i = 0; i < n; i++)
        free((void *)(uintptr_t)tensors[i].data);
    rv_graph_free(graph);
}

#endif
