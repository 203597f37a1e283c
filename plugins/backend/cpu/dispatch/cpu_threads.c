/* SPDX-License-Identifier: MIT
 * dispatch/cpu_threads.c - a small pool: one loop at a time, items taken from a counter.
 */
#include "dispatch/cpu_threads.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

struct worker {
    struct cpu_threads *pool;
    uint32_t number;
    pthread_t thread;
};

struct cpu_threads {
    const ftk_host *host;
    uint32_t n, started;
    struct worker *worker;  /* [n - 1]                                    */
    pthread_mutex_t caller; /* one loop at a time                         */
    pthread_mutex_t lock;   /* guards what follows                        */
    pthread_cond_t begin, end;
    atomic_uint loops;  /* loops begun: what an idle thread watches   */
    atomic_uint inside; /* threads working in the loop                */
    int open;           /* threads may still join the loop            */
    int stop;
    cpu_work_fn fn;
    void *arg;
    uint32_t items;
    atomic_uint next;
};

/* About 20 microseconds: longer than the gap between two loops of a step. */
enum { SPINS = 500 };

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

static void take_items(struct cpu_threads *t, uint32_t thread)
{
    for (;;) {
        const uint32_t i = atomic_fetch_add(&t->next, 1);
        if (i >= t->items)
            return;
        t->fn(t->arg, i, thread);
    }
}

/* Joins the loop that is open, if one is; waits for the next after `seen` otherwise. */
static void *work(void *arg)
{
    struct worker *w = arg;
    struct cpu_threads *t = w->pool;
    unsigned seen = 0;
    for (;;) {
        for (int i = 0; i < SPINS && atomic_load(&t->loops) == seen; i++)
            relax();
        pthread_mutex_lock(&t->lock);
        while (atomic_load(&t->loops) == seen && !t->stop)
            pthread_cond_wait(&t->begin, &t->lock);
        seen = atomic_load(&t->loops);
        const int stop = t->stop;
        const int join = t->open;
        if (join)
            atomic_fetch_add(&t->inside, 1);
        pthread_mutex_unlock(&t->lock);
        if (stop)
            return NULL;
        if (!join)
            continue;
        take_items(t, w->number);
        pthread_mutex_lock(&t->lock);
        if (atomic_fetch_sub(&t->inside, 1) == 1)
            pthread_cond_signal(&t->end);
        pthread_mutex_unlock(&t->lock);
    }
}

static void run_loop(struct cpu_threads *t, uint32_t n, cpu_work_fn fn, void *arg)
{
    pthread_mutex_lock(&t->lock);
    t->fn = fn;
    t->arg = arg;
    t->items = n;
    atomic_store(&t->next, 0);
    t->open = 1;
    atomic_fetch_add(&t->loops, 1);
    pthread_cond_broadcast(&t->begin);
    pthread_mutex_unlock(&t->lock);
    take_items(t, 0);
    pthread_mutex_lock(&t->lock);
    t->open = 0;
    pthread_mutex_unlock(&t->lock);
    for (int i = 0; i < SPINS && atomic_load(&t->inside); i++)
        relax();
    pthread_mutex_lock(&t->lock);
    while (atomic_load(&t->inside))
        pthread_cond_wait(&t->end, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

void cpu_parallel(struct cpu_threads *t, uint32_t n, cpu_work_fn fn, void *arg)
{
    if (t->n == 1 || n <= 1) {
        for (uint32_t i = 0; i < n; i++)
            fn(arg, i, 0);
        return;
    }
    pthread_mutex_lock(&t->caller);
    run_loop(t, n, fn, arg);
    pthread_mutex_unlock(&t->caller);
}

static int start_workers(struct cpu_threads *t)
{
    sigset_t all;
    sigset_t old;
    int st = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (t->started + 1 < t->n && st == 0) {
        struct worker *w = &t->worker[t->started];
        w->pool = t;
        w->number = t->started + 1;
        st = pthread_create(&w->thread, NULL, work, w);
        t->started += st == 0;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return st;
}

ftk_status cpu_threads_start(const ftk_host *host, uint32_t n, struct cpu_threads **ret)
{
    struct cpu_threads *t = host->alloc(host, sizeof(*t));
    if (!t)
        return FTK_ENOMEM;
    t->host = host;
    t->n = n;
    pthread_mutex_init(&t->caller, NULL);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->begin, NULL);
    pthread_cond_init(&t->end, NULL);
    t->worker = host->alloc(host, n * sizeof(*t->worker));
    ftk_status st = t->worker ? FTK_OK : FTK_ENOMEM;
    if (st == FTK_OK && start_workers(t) != 0)
        st = FTK_EIO;
    if (st != FTK_OK) {
        cpu_threads_stop(t);
        return st;
    }
    *ret = t;
    return FTK_OK;
}

void cpu_threads_stop(struct cpu_threads *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->stop = 1;
    pthread_cond_broadcast(&t->begin);
    pthread_mutex_unlock(&t->lock);
    for (uint32_t i = 0; i < t->started; i++)
        pthread_join(t->worker[i].thread, NULL);
    pthread_cond_destroy(&t->end);
    pthread_cond_destroy(&t->begin);
    pthread_mutex_destroy(&t->lock);
    pthread_mutex_destroy(&t->caller);
    t->host->free(t->host, t->worker);
    t->host->free(t->host, t);
}

uint32_t cpu_threads_all(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    const int n = CPU_COUNT(&set);
    return n > 0 ? (uint32_t)n : 1;
}
