/* SPDX-License-Identifier: MIT
 * base/mem.c - allocation with checked sizes, alignment, counters and failure on demand.
 *
 * A block is calloc'ed with room for alignment and remembers where it really starts in the word
 * before it: so a large zeroed block costs no memory traffic until it is used, which aligned_alloc
 * and memset would.  The counters are the only state; they steer tests and nothing else.
 */
#include "base/mem.h"
#include "base/str.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, ARENA_BLOCK = 64 * 1024 };

static _Atomic uint64_t n_calls, n_alive, n_failed;
static _Atomic uint64_t fail_call; /* the call that fails, counted like n_calls; 0: none  */
static pthread_once_t environment_read = PTHREAD_ONCE_INIT;

static void read_environment(void)
{
    const char *text = getenv("FREETICKETS_FAIL_ALLOC");
    uint64_t n;
    if (text && ftk__parse_u64(text, &n))
        atomic_store(&fail_call, n);
}

static bool fails_now(void)
{
    pthread_once(&environment_read, read_environment);
    uint64_t call = atomic_fetch_add(&n_calls, 1) + 1;
    return call == atomic_load(&fail_call);
}

static void *fail_alloc(void)
{
    atomic_fetch_add(&n_failed, 1);
    return NULL;
}

void *ftk__alloc(size_t bytes)
{
    if (fails_now() || bytes > PTRDIFF_MAX - ALIGNMENT)
        return fail_alloc();
    /* calloc aligns to 16, so there is always room for the word in front. */
    _Static_assert(_Alignof(max_align_t) >= sizeof(void *), "room for the start of a block");
    char *start = calloc(1, bytes + ALIGNMENT);
    if (!start)
        return fail_alloc();
    char *block = start + (ALIGNMENT - (uintptr_t)start % ALIGNMENT);
    memcpy(block - sizeof start, &start, sizeof start);
    atomic_fetch_add(&n_alive, 1);
    return block;
}

void *ftk__alloc_array(uint64_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return fail_alloc();
    return ftk__alloc(bytes);
}

void *ftk__realloc_array(void *p, uint64_t old_n, uint64_t n, size_t size)
{
    void *grown = ftk__alloc_array(n, size);
    if (!grown)
        return NULL;
    uint64_t kept = old_n < n ? old_n : n;
    if (p && kept > 0)
        memcpy(grown, p, (size_t)kept * size);
    ftk__free(p);
    return grown;
}

void *ftk__free(void *p)
{
    if (!p)
        return NULL;
    char *start;
    memcpy(&start, (char *)p - sizeof start, sizeof start);
    free(start);
    atomic_fetch_sub(&n_alive, 1);
    return NULL;
}

char *ftk__strdup(const char *s)
{
    if (!s)
        return NULL;
    size_t bytes = strlen(s) + 1;
    char *copy = ftk__alloc(bytes);
    if (copy)
        memcpy(copy, s, bytes);
    return copy;
}

struct ftk__mem_stats ftk__mem_stats(void)
{
    return (struct ftk__mem_stats){
        .calls = atomic_load(&n_calls),
        .alive = atomic_load(&n_alive),
        .failed = atomic_load(&n_failed),
    };
}

void ftk__mem_fail_at(uint64_t n)
{
    /* First, or a later first allocation would overwrite what is asked for here. */
    pthread_once(&environment_read, read_environment);
    atomic_store(&fail_call, n > 0 ? atomic_load(&n_calls) + n : 0);
}

struct ftk__arena_block {
    struct ftk__arena_block *next;
    size_t used, cap; /* bytes of data                                */
    _Alignas(ALIGNMENT) char data[];
};

void *ftk__arena_alloc(struct ftk__arena *a, size_t bytes)
{
    if (bytes > PTRDIFF_MAX - ARENA_BLOCK)
        return NULL;
    size_t rounded = bytes > 0 ? (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
    struct ftk__arena_block *b = a->first;
    if (!b || b->cap - b->used < rounded) {
        bool large = rounded > ARENA_BLOCK / 4;
        size_t cap = large ? rounded : ARENA_BLOCK;
        struct ftk__arena_block *fresh = ftk__alloc(sizeof *fresh + cap);
        if (!fresh)
            return NULL;
        fresh->cap = cap;
        /* A large block goes behind the first, whose rest stays in use. */
        struct ftk__arena_block **at = large && b ? &b->next : &a->first;
        fresh->next = *at;
        *at = fresh;
        b = fresh;
    }
    void *p = b->data + b->used;
    b->used += rounded;
    return p;
}

char *ftk__arena_strdup(struct ftk__arena *a, const char *s)
{
    if (!s)
        return NULL;
    size_t bytes = strlen(s) + 1;
    char *copy = ftk__arena_alloc(a, bytes);
    if (copy)
        memcpy(copy, s, bytes);
    return copy;
}

void ftk__arena_done(struct ftk__arena *a)
{
    struct ftk__arena_block *next;
    for (struct ftk__arena_block *b = a->first; b; b = next) {
        next = b->next;
        ftk__free(b);
    }
    a->first = NULL;
}
