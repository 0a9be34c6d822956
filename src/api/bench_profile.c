/* bench_profile.c - times of a graph's operations, added up by kind and by layer. */
#include "api/bench_profile.h"

#include "core/op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rv_bench_count(void *ctx, const rv_node *node, double seconds)
{
    (void)node;
    (void)seconds;
    ++*(size_t *)ctx;
}

void rv_bench_add(void *ctx, const rv_node *node, double seconds)
{
    rv_bench_profile *p = ctx;
    p->node[p->at] = node;
    p->seconds[p->at++] += seconds;
}

/* Wi, where it is given, and Wh of each direction */
static double recurrent_weights(const rv_node *v)
{
    size_t count = 0;
    for (int i = 1; i < v->n_in && i < 9; i += 4)
        for (int k = i; k < i + 2; k++)
            count += v->in[k] ? rv_shape_count(&v->in[k]->shape) : 0;
    return (double)count;
}

double rv_bench_products(const rv_node *v)
{
    const double out = (double)rv_shape_count(&v->shape);
    const rv_shape *w = v->n_in > 1 && v->in[1] ? &v->in[1]->shape : NULL;
    if (v->op == &rv_op_linear)
        return out * (double)w->d[1];
    if (v->op == &rv_op_conv)
        return out * (double)rv_shape_count(w) / (double)w->d[0];
    if (v->op == &rv_op_conv_transpose)
        return (double)rv_shape_count(&v->in[0]->shape) * (double)rv_shape_count(w) /
               (double)w->d[0];
    if (v->op == &rv_op_attention)
        return 2 * out * (double)v->in[1]->shape.d[1];
    if (v->op == &rv_op_band_masks)
        return (double)rv_shape_count(&v->in[0]->shape) / (double)v->in[0]->shape.d[0] *
               (double)w->d[0];
    if (v->op == &rv_op_lstm || v->op == &rv_op_gru)
        return (double)(v->shape.d[0] * v->shape.d[1]) * recurrent_weights(v);
    return 0;
}

static double bytes_of(const rv_node *v)
{
    size_t count = rv_shape_count(&v->shape);
    for (int i = 0; i < v->n_in; i++)
        count += v->in[i] ? rv_shape_count(&v->in[i]->shape) : 0;
    return (double)count * sizeof(real);
}

/* The name of the first parameter that v reads, if it reads any; views are seen through. */
static const char *parameter_of(const rv_node *v, const nn_param *names)
{
    for (int i = 1; i < v->n_in; i++) {
        const rv_node *x = v->in[i];
        while (x && x->op && !x->op->run)
            x = x->in[0];
        for (const nn_param *p = names; p && x; p = p->next)
            if (p->node == x)
                return p->name;
    }
    return NULL;
}

/* "gelu [1,336,512,48]" */
static void name_by_shape(char *name, size_t room, const rv_node *v)
{
    size_t at = (size_t)snprintf(name, room, "%s [", v->op->name);
    for (int i = 0; i < v->shape.rank && at < room; i++)
        at += (size_t)snprintf(name + at, room - at, "%s%zu", i ? "," : "", v->shape.d[i]);
    if (at < room)
        snprintf(name + at, room - at, "]");
}

static void name_row(char *name, size_t room, const rv_node *v, const nn_param *names)
{
    const char *parameter = parameter_of(v, names),
               *end = parameter ? strrchr(parameter, '.') : NULL;
    if (!names)
        snprintf(name, room, "%s", v->op->name);
    else if (end)
        snprintf(name, room, "%.*s (%s)", (int)(end - parameter), parameter, v->op->name);
    else
        name_by_shape(name, room, v);
}

static int slower_first(const void *a, const void *b)
{
    const rv_bench_row *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

size_t rv_bench_rows(rv_bench_row *rows, const rv_bench_profile *p, const nn_param *names, int runs)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        size_t r = 0;
        memset(&rows[n], 0, sizeof rows[n]);
        name_row(rows[n].name, sizeof rows[n].name, p->node[i], names);
        while (strcmp(rows[r].name, rows[n].name) != 0)
            r++;
        n += r == n;
        rows[r].calls++;
        rows[r].seconds += p->seconds[i] / runs;
        rows[r].operations += 2 * rv_bench_products(p->node[i]);
        rows[r].bytes += bytes_of(p->node[i]);
    }
    qsort(rows, n, sizeof *rows, slower_first);
    return n;
}
