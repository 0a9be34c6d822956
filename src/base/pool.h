/* pool.h - a fixed set of threads that share out the tasks of one job at a time.
 *
 * Determinism: a job is cut into tasks by its size alone, never by the number of
 * threads; which thread runs a task must not matter. `worker` is in
 * [0, rv_pool_threads()) and only selects scratch memory. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/arena.h"
#include "ravel/base.h"

typedef struct rv_pool rv_pool;

typedef void rv_task_fn(void *job, size_t task, int worker);

/* threads >= 1, the caller of rv_pool_run() counted in; 0: one for each core. */
RV_NODISCARD rv_status rv_pool_new(rv_pool **out, int threads, const rv_alloc *mem, rv_error *err);
void rv_pool_free(rv_pool *p);

/* 1 for NULL, which stands for running everything in the calling thread. */
int rv_pool_threads(const rv_pool *p);

/* Run fn(job, i, worker) for every i < n and wait for all. One caller at a time;
 * tasks must not call it for the same pool. */
void rv_pool_run(rv_pool *p, size_t n, rv_task_fn *fn, void *job);

#endif
