/* SPDX-License-Identifier: MIT
 * base/mem.h - every allocation of the core: checked sizes, 64-byte alignment, arenas.
 *
 * FREETICKETS_FAIL_ALLOC=n makes the n-th allocation (from 1) of the process fail, for the tests
 * that let each fail in turn; ftk__mem_stats tells how many there were and how many are alive.
 */
#ifndef FTK__MEM_H
#define FTK__MEM_H
#include <stddef.h>
#include <stdint.h>

void *ftk__alloc(size_t bytes);                  /* zeroed; 0 bytes give a pointer to free   */
void *ftk__alloc_array(uint64_t n, size_t size); /* zeroed; NULL where n * size overflows    */
/* Keeps the first min(old_n, n) elements; what is new is zeroed; `p` stays valid on failure. */
void *ftk__realloc_array(void *p, uint64_t old_n, uint64_t n, size_t size);
void *ftk__free(void *p);                        /* NULL is fine; returns NULL               */
char *ftk__strdup(const char *s);                /* NULL for NULL                            */

struct ftk__mem_stats {
    uint64_t calls, alive;
    uint64_t failed;            /* calls that gave NULL                         */
};
struct ftk__mem_stats ftk__mem_stats(void);
/* Programmatic form of FREETICKETS_FAIL_ALLOC: fail the n-th call from now; 0: none. */
void ftk__mem_fail_at(uint64_t n);

/* Many small things that live and die together. */
struct ftk__arena {
    struct ftk__arena_block *first;
};
void *ftk__arena_alloc(struct ftk__arena *a, size_t bytes); /* zeroed, 64-byte aligned      */
char *ftk__arena_strdup(struct ftk__arena *a, const char *s);
void ftk__arena_done(struct ftk__arena *a);      /* frees all; the arena may be used again   */
#endif
