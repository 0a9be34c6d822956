/* bench_kern.c - speed of the kernels on one core: matrix products in GFLOP/s, beside the CPU's
 * ceiling and, where it was found, OpenBLAS; the others in elements per nanosecond.
 *
 *     bench_kern [mask]      instruction sets as in kern/kern.h, all of them by default
 *     bench_kern --short     each once, on few rows: to see that all of it runs */
#include "kern/kern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef BENCH_CBLAS
#    include <cblas.h>
#endif

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool is_short;

/* The best of several runs: what disturbs only ever slows down. */
static double best_time(void (*run)(void *job), void *job)
{
    double best = 1e30, start = seconds(), before, now = start;
    const int least = is_short ? 1 : 3, most = is_short ? 1 : 10000;
    for (int i = 0; i < least || (now - start < 0.3 && i < most); i++) {
        before = seconds();
        run(job);
        now = seconds();
        best = now - before < best ? now - before : best;
    }
    return best;
}

static float *values(size_t n)
{
    float *x = aligned_alloc(64, (n + 32) / 16 * 64);
    if (!x)
        exit(1);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(i * 2654435761u % 1000) / 500 - 1;
    return x;
}

/* A product that stays in the first cache level. */
static double ceiling(const kern_table *t)
{
    enum { M = 24, N = 32, K = 128 };
    float *a = values(M * K), *b = values(K * N), *y = values(M * N);
    float *packed = values(t->packed_size(K, N));
    t->pack(packed, b, K, N, N, 1);
    const kern_gemm_args g = {
        .y = y, .a = a, .packed = packed, .m = M, .n = N, .k = K, .y_row = N, .a_row = K
    };
    double best = 0;
    for (int repeat = 0; repeat < (is_short ? 1 : 20); repeat++) {
        const double start = seconds();
        for (int i = 0; i < 2000; i++)
            t->gemm(&g);
        const double rate = 2000.0 * 2 * M * N * K / (seconds() - start) * 1e-9;
        best = rate > best ? rate : best;
    }
    free(a);
    free(b);
    free(y);
    free(packed);
    return best;
}

typedef struct gemm_job {
    const kern_table *t;
    const float *b;
    kern_gemm_args args;
} gemm_job;

static void run_gemm(void *job)
{
    const gemm_job *g = job;
    g->t->gemm(&g->args);
}

#ifdef BENCH_CBLAS
static void run_cblas(void *job)
{
    const kern_gemm_args *g = &((gemm_job *)job)->args;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)g->m, (int)g->n, (int)g->k, 1, g->a,
                (int)g->a_row, ((gemm_job *)job)->b, (int)g->n, 0, g->y, (int)g->y_row);
}
#endif

static void bench_gemm(const kern_table *t, size_t m, size_t n, size_t k)
{
    float *a = values(m * k), *b = values(k * n), *y = values(m * n);
    float *packed = values(t->packed_size(k, n));
    t->pack(packed, b, k, n, n, 1);
    gemm_job job = {
        t, b, { .y = y, .a = a, .packed = packed, .m = m, .n = n, .k = k, .y_row = n, .a_row = k }
    };
    const double work = 2e-9 * (double)m * (double)n * (double)k;
    const double ours = work / best_time(run_gemm, &job);
    printf("%7zu %5zu %5zu  %8.1f", m, n, k, ours);
#ifdef BENCH_CBLAS
    const double theirs = work / best_time(run_cblas, &job);
    printf("  %8.1f  %5.2f", theirs, ours / theirs);
#endif
    printf("\n");
    free(a);
    free(b);
    free(y);
    free(packed);
}

static void bench_gemms(const kern_table *t)
{
    static const size_t shapes[][3] = {
        { 86000, 48, 16 },   { 21500, 96, 384 },   { 5376, 192, 768 },  { 1344, 384, 1536 },
        { 2688, 512, 512 },  { 2688, 2048, 512 },  { 2688, 512, 2048 }, { 172032, 96, 48 },
        { 172032, 12, 144 }, { 172032, 6, 96 },    { 86000, 24, 96 },   { 336, 1024, 2688 },
        { 512, 512, 512 },   { 1024, 1024, 1024 }, { 1, 2048, 512 },    { 1, 4096, 4096 },
        { 2, 2048, 512 },    { 4, 2048, 512 },     { 16, 2048, 512 },   { 86000, 1, 64 },
    };
    printf("tile in cache: %.1f GFLOP/s\n      m     n     k   GFLOP/s  OpenBLAS  ratio\n",
           ceiling(t));
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        bench_gemm(t, is_short ? 1 + shapes[i][0] % 16 : shapes[i][0], shapes[i][1], shapes[i][2]);
}

enum { M = 64, N = 512 };

typedef struct loop_job {
    const kern_table *t;
    float *x, *y, *w;
    kern_map_fn *map;
} loop_job;

static void run_map(void *job)
{
    const loop_job *j = job;
    j->map(j->y, j->x, M * N);
}

static void run_glu(void *job)
{
    const loop_job *j = job;
    j->t->glu(j->y, j->x, M, N);
}

static void run_softmax(void *job)
{
    const loop_job *j = job;
    j->t->softmax(j->y, j->x, M, N);
}

static void run_moments(void *job)
{
    const loop_job *j = job;
    double sum = 0, squares = 0;
    j->t->moments(j->x, M * N, 0.1, &sum, &squares);
    j->y[0] = (float)(sum + squares);
}

static void run_affine(void *job)
{
    const loop_job *j = job;
    j->t->affine(j->y, j->x, j->w, j->w, M, N);
}

static void run_lstm_cell(void *job)
{
    const loop_job *j = job;
    j->t->lstm_cell(j->y, N, j->w, j->x, M, N);
}

static void run_depthwise(void *job)
{
    const loop_job *j = job;
    j->t->depthwise(j->y, j->x, j->w, j->w, M, N, 3, 2);
}

static void bench_loop(const char *name, void (*run)(void *job), loop_job *job)
{
    printf("%-10s %7.3f elements per ns\n", name, M * N * 1e-9 / best_time(run, job));
}

static void bench_loops(const kern_table *t)
{
    loop_job job = { t, values(4 * M * N), values(M * N), values(M * N), NULL };
    const struct {
        const char *name;
        kern_map_fn *map;
    } maps[] = { { "exp", t->exp },   { "tanh", t->tanh }, { "sigmoid", t->sigmoid },
                 { "relu", t->relu }, { "gelu", t->gelu }, { "gelu_grad", t->gelu_grad } };
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        job.map = maps[i].map;
        bench_loop(maps[i].name, run_map, &job);
    }
    bench_loop("glu", run_glu, &job);
    bench_loop("softmax", run_softmax, &job);
    bench_loop("moments", run_moments, &job);
    bench_loop("affine", run_affine, &job);
    bench_loop("lstm_cell", run_lstm_cell, &job);
    bench_loop("depthwise", run_depthwise, &job);
    free(job.x);
    free(job.y);
    free(job.w);
}

int main(int count, char **args)
{
    kern_table t;
    is_short = count > 1 && strcmp(args[1], "--short") == 0;
    kern_table_init(&t, count > 1 && !is_short ? atoi(args[1]) : KERN_ISA_ALL);
    printf("kernels: %s\n", t.isa);
    bench_gemms(&t);
    bench_loops(&t);
    return 0;
}
