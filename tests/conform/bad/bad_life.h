/* SPDX-License-Identifier: MIT
 * bad_life.h - an instance, and what breaks the rules of every kind in it, for the sources of bad/
 * whose calls are not a scorer's.  Without a define life_astray() is 0.
 */
#ifndef BAD_LIFE_H
#define BAD_LIFE_H
#include <freetickets/plugin.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct life {
    double *unit; /* 1, in a block of its own                    */
    void *lost;
    const void *kept;
    uint64_t calls, id;
    double memory[4];
    volatile double shared;
};

#if defined(BAD_LIF_02) || defined(BAD_DET_02)
static uint64_t life_instances;
#endif
#if defined(BAD_LIF_03)
static bool life_was_poor;
#endif
#if defined(BAD_THR_01)
static volatile double life_memo;
#endif

static inline ftk_status life_poor(const ftk_host *h)
{
#if defined(BAD_ERR_01)
    (void)h;
    return FTK_ENOMEM;
#else
    return h->fail(h, FTK_ENOMEM, "no memory");
#endif
}

static inline ftk_status life_create(const ftk_host *h, const void *params, void **ret_self)
{
    struct life *s = h->alloc(h, sizeof(*s));
    double *unit = h->alloc(h, sizeof(*unit));
    (void)params;
    if (!s || !unit) {
        h->free(h, s);
        h->free(h, unit);
        return life_poor(h);
    }
    *unit = 1;
    s->unit = unit;
#if defined(BAD_LIF_02) || defined(BAD_DET_02)
    s->id = life_instances++;
#endif
    *ret_self = s;
    return FTK_OK;
}

static inline void life_destroy(const ftk_host *h, void *self)
{
    struct life *s = self;
    if (!s)
        return;
#if defined(BAD_LIF_02)
    life_instances--;
#endif
#if !defined(BAD_LIF_01)
    h->free(h, s->unit);
#endif
    h->free(h, s);
}

/* Memory of this call: NULL where there is none, or where the host failed. */
static inline ftk_status life_scratch(const ftk_host *h, size_t bytes, void **ret)
{
    static _Thread_local char spare[1 << 16];
    *ret = h->scratch(h, bytes);
#if defined(BAD_LIF_03)
    life_was_poor = life_was_poor || !*ret;
#endif
#if defined(BAD_OOM_01)
    if (!*ret && bytes <= sizeof(spare))
        *ret = memset(spare, 0, sizeof(spare));
#else
    (void)spare;
#endif
    return *ret ? FTK_OK : life_poor(h);
}

#if defined(BAD_THR_01) || defined(BAD_THR_02)
static inline double life_meet(volatile double *shared)
{
    int mine; /* its address is the thread's */
    double mark = (double)((uintptr_t)&mine >> 12);
    *shared = mark;
    for (int i = 0; i < 20; i++)
        sched_yield();
    return *shared != mark;
}
#endif

/* Spreads what differs by little, so that no two give the same by chance; 0 stays 0. */
static inline uint64_t life_mix(double astray, uint64_t salt)
{
    uint64_t x;
    if (astray == 0)
        return 0;
    memcpy(&x, &astray, sizeof(x));
    x = (x ^ x >> 31 ^ salt) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ x >> 32;
}

/* 0 where nothing is broken; what else it is changes the result. */
static inline double life_astray(const ftk_host *h, struct life *s)
{
    (void)h;
    (void)s;
#if defined(BAD_LIF_02)
    return (double)(life_instances - 1);
#elif defined(BAD_LIF_03)
    return life_was_poor;
#elif defined(BAD_DET_01)
    return (double)(s->calls++ / 2);
#elif defined(BAD_DET_02)
    return (double)s->id;
#elif defined(BAD_DET_03)
    return (double)getpid();
#elif defined(BAD_DET_05)
    int drawn = rand();
    srand(1); /* as a fresh process has it */
    return (double)(drawn % 1009);
#elif defined(BAD_THR_01)
    return life_meet(&life_memo);
#elif defined(BAD_THR_02)
    return life_meet(&s->shared);
#elif defined(BAD_ENV_02)
    if (s->calls++ == 0)
        puts("called");
    return 0;
#else
    return 0;
#endif
}
#endif
