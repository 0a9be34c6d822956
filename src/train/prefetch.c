/* prefetch.c - one lock, two conditions: work for the threads, a step for the caller. */
#include "train/prefetch.h"

#include "base/status.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

typedef enum { EMPTY, BUSY, READY, FAILED } slot_state;

typedef struct slot {
    slot_state state;
    uint64_t step;    /* unless EMPTY */
    atomic_bool stop; /* BUSY with a step that nobody waits for */
    void *data;
    rv_error error; /* FAILED */
} slot;

typedef struct worker {
    rv_prefetch *prefetch;
    pthread_t thread;
    int index;
} worker;

struct rv_prefetch {
    rv_prefetch_options opt;
    pthread_mutex_t lock;
    pthread_cond_t work, ready;
    uint64_t first; /* step of the window's start */
    bool started;   /* no step was asked for before: there is no window yet */
    bool ending;
    slot *slots;     /* [opt.slots] */
    worker *workers; /* [opt.threads] */
    int n_running;   /* threads that have been started */
};

static slot *slot_of(rv_prefetch *p, uint64_t step)
{
    return &p->slots[step % p->opt.slots];
}

static bool in_window(const rv_prefetch *p, uint64_t step)
{
    return step >= p->first && step - p->first < p->opt.slots;
}

/* The earliest step of the window that nobody makes yet, or NULL. */
static slot *next_work(rv_prefetch *p)
{
    for (uint64_t i = 0; i < p->opt.slots && p->started; i++) {
        slot *s = slot_of(p, p->first + i);
        if (s->state == EMPTY) {
            s->step = p->first + i;
            return s;
        }
    }
    return NULL;
}

/* Called with the lock held, which is let go while the step is made. */
static void make(rv_prefetch *p, slot *s, int index)
{
    s->state = BUSY;
    atomic_store(&s->stop, false);
    const uint64_t step = s->step;
    pthread_mutex_unlock(&p->lock);
    rv_error err = { 0 };
    const rv_status status = p->opt.produce(p->opt.user, step, s->data, index, &s->stop, &err);
    pthread_mutex_lock(&p->lock);
    s->state = status == RV_OK ? READY : FAILED;
    s->error = err;
    s->error.status = status;
    if (atomic_load(&s->stop))
        s->state = EMPTY;
}

static void *run_worker(void *arg)
{
    worker *w = arg;
    rv_prefetch *p = w->prefetch;
    pthread_mutex_lock(&p->lock);
    while (!p->ending) {
        slot *s = next_work(p);
        if (!s) {
            pthread_cond_wait(&p->work, &p->lock);
            continue;
        }
        make(p, s, w->index);
        pthread_cond_broadcast(&p->ready);
        if (s->state == EMPTY)
            pthread_cond_broadcast(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Forget steps outside the window. */
static void drop_others(rv_prefetch *p)
{
    for (size_t i = 0; i < p->opt.slots; i++) {
        slot *s = &p->slots[i];
        if (s->state == EMPTY || in_window(p, s->step))
            continue;
        if (s->state == BUSY)
            atomic_store(&s->stop, true);
        else
            s->state = EMPTY;
    }
}

static void move_window(rv_prefetch *p, uint64_t first)
{
    p->first = first;
    p->started = true;
    drop_others(p);
    pthread_cond_broadcast(&p->work);
}

static bool is_done(const slot *s, uint64_t step)
{
    return s->step == step && (s->state == READY || s->state == FAILED);
}

rv_status rv_prefetch_take(rv_prefetch *p, uint64_t step, const void **data, rv_error *err)
{
    pthread_mutex_lock(&p->lock);
    move_window(p, step);
    slot *s = slot_of(p, step);
    while (!is_done(s, step))
        if (p->opt.threads == 0) {
            s->step = step;
            make(p, s, 0);
        } else {
            pthread_cond_wait(&p->ready, &p->lock);
        }
    const rv_status status = s->state == READY ? RV_OK : s->error.status;
    if (status == RV_OK)
        *data = s->data;
    else if (err)
        *err = s->error;
    pthread_mutex_unlock(&p->lock);
    return status;
}

void rv_prefetch_give_back(rv_prefetch *p)
{
    pthread_mutex_lock(&p->lock);
    move_window(p, p->first + 1);
    pthread_mutex_unlock(&p->lock);
}

static rv_status make_slots(rv_prefetch *p, rv_error *err)
{
    p->slots = calloc(p->opt.slots, sizeof *p->slots);
    p->workers = calloc((size_t)p->opt.threads + 1, sizeof *p->workers);
    if (!p->slots || !p->workers)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu batches ahead", p->opt.slots);
    for (size_t i = 0; i < p->opt.slots; i++)
        if (!(p->slots[i].data = malloc(p->opt.slot_bytes)))
            return RV_FAIL(err, RV_ERR_NOMEM, "%zu batches of %zu bytes ahead", p->opt.slots,
                           p->opt.slot_bytes);
    return RV_OK;
}

static rv_status start_threads(rv_prefetch *p, rv_error *err)
{
    for (int i = 0; i < p->opt.threads; i++) {
        worker *w = &p->workers[i];
        *w = (worker){ .prefetch = p, .index = i };
        if (pthread_create(&w->thread, NULL, run_worker, w) != 0)
            return RV_FAIL(err, RV_ERR_NOMEM, "cannot start thread %d of %d that read ahead", i + 1,
                           p->opt.threads);
        p->n_running++;
    }
    return RV_OK;
}

rv_status rv_prefetch_new(rv_prefetch **out, const rv_prefetch_options *opt, rv_error *err)
{
    rv_prefetch *p = calloc(1, sizeof *p);
    if (!p)
        return RV_FAIL(err, RV_ERR_NOMEM, "reading ahead");
    p->opt = *opt;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->ready, NULL);
    rv_status status = make_slots(p, err);
    if (status == RV_OK)
        status = start_threads(p, err);
    if (status == RV_OK)
        *out = p;
    else
        rv_prefetch_free(p);
    return status;
}

static void end_threads(rv_prefetch *p)
{
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    for (size_t i = 0; p->slots && i < p->opt.slots; i++)
        atomic_store(&p->slots[i].stop, true);
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->n_running; i++)
        pthread_join(p->workers[i].thread, NULL);
}

void rv_prefetch_free(rv_prefetch *p)
{
    if (!p)
        return;
    end_threads(p);
    for (size_t i = 0; p->slots && i < p->opt.slots; i++)
        free(p->slots[i].data);
    pthread_cond_destroy(&p->ready);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p->workers);
    free(p->slots);
    free(p);
}
