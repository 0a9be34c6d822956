/* pool.c - threads sleep on a condition, wake for a job, take tasks by an atomic counter. */
#include "base/pool.h"

#include "base/status.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

typedef struct {
    rv_pool *pool;
    int worker;
    pthread_t thread;
} pool_thread;

struct rv_pool {
    const rv_alloc *mem;
    int threads;
    pthread_mutex_t lock;
    pthread_cond_t wake, idle;
    unsigned long generation; /* counts jobs; a sleeper wakes when it changes */
    int busy;                 /* threads that have not finished the job */
    bool stop;
    rv_task_fn *fn;
    void *job;
    size_t n;
    atomic_size_t next;
    int started;
    pool_thread thread[];
};

static void take_tasks(rv_pool *p, int worker)
{
    for (;;) {
        const size_t i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
        if (i >= p->n)
            return;
        p->fn(p->job, i, worker);
    }
}

static void *thread_main(void *arg)
{
    const pool_thread *self = arg;
    rv_pool *p = self->pool;
    unsigned long seen = 0;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->stop && p->generation == seen)
            pthread_cond_wait(&p->wake, &p->lock);
        if (p->stop)
            break;
        seen = p->generation;
        pthread_mutex_unlock(&p->lock);
        take_tasks(p, self->worker);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0)
            pthread_cond_signal(&p->idle);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

rv_status rv_pool_new(rv_pool **out, int threads, const rv_alloc *mem, rv_error *err)
{
    mem = mem ? mem : &rv_alloc_default;
    if (threads < 0 || threads > 1024)
        return RV_FAIL(err, RV_ERR_ARG, "%d threads; expected 1 to 1024, or 0 for all cores",
                       threads);
    if (threads == 0) {
        const long cores = sysconf(_SC_NPROCESSORS_ONLN);
        threads = cores > 0 && cores < 1024 ? (int)cores : 1;
    }
    rv_pool *p = mem->alloc(mem->ctx, sizeof *p + (size_t)threads * sizeof *p->thread, 64);
    if (!p)
        return RV_FAIL(err, RV_ERR_NOMEM, "pool of %d threads", threads);
    *p = (rv_pool){ .mem = mem, .threads = threads };
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->idle, NULL);
    for (int i = 1; i < threads; i++) {
        p->thread[i] = (pool_thread){ .pool = p, .worker = i };
        if (pthread_create(&p->thread[i].thread, NULL, thread_main, &p->thread[i]) != 0) {
            rv_pool_free(p);
            return RV_FAIL(err, RV_ERR_NOMEM, "cannot start thread %d of %d", i, threads);
        }
        p->started++;
    }
    *out = p;
    return RV_OK;
}

void rv_pool_free(rv_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (int i = 1; i <= p->started; i++)
        pthread_join(p->thread[i].thread, NULL);
    pthread_cond_destroy(&p->idle);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    p->mem->free(p->mem->ctx, p);
}

int rv_pool_threads(const rv_pool *p)
{
    return p ? p->threads : 1;
}

void rv_pool_run(rv_pool *p, size_t n, rv_task_fn *fn, void *job)
{
    if (!p || p->threads == 1 || n <= 1) {
        for (size_t i = 0; i < n; i++)
            fn(job, i, 0);
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->job = job;
    p->n = n;
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    p->busy = p->threads - 1;
    p->generation++;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);

    take_tasks(p, 0);

    pthread_mutex_lock(&p->lock);
    while (p->busy > 0)
        pthread_cond_wait(&p->idle, &p->lock);
    pthread_mutex_unlock(&p->lock);
}
