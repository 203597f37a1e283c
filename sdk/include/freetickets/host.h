/* SPDX-License-Identifier: MIT
 * freetickets/host.h - everything a plugin may ask of the core.
 *
 * A plugin links against nothing of ours: these pointers are the whole way in.
 * The table outlives every instance and every opened device, so it may be kept.
 * Thread tags: [any] from any thread, concurrently; [call] only inside a call
 * from the core, on the thread that made it.
 */
#ifndef FTK_HOST_H
#define FTK_HOST_H
#include <freetickets/abi.h>

typedef enum ftk_level { FTK_DEBUG, FTK_INFO, FTK_WARN, FTK_ERROR } ftk_level;

/* Counter-based: a stream is a value, not a place.  The core derives the key
 * from (experiment seed, plugin slot, member, layer, update), so the numbers do
 * not depend on thread count, layer order or what other plugins drew.
 *
 * Philox 4x32-10, words least significant first: key words = key[0]; counter words
 * = (block, key[1]), two each.  Number i of a stream is words 2(i mod 2) and
 * 2(i mod 2) + 1 of block i / 2, the first the lower half.  Block 0 of key {0, 0} is
 * 6627e8d5 e169c58d bc57ac4c 9b00dbd8, so its number 0 is e169c58d6627e8d5. */
typedef struct ftk_rng {
    uint64_t key[2];
    uint64_t counter;          /* the i that comes next                              */
} ftk_rng;

typedef struct ftk_host ftk_host;
struct ftk_host {
    uint32_t size;
    uint16_t abi_major, abi_minor;
    void *self;

    /* Record why the current call fails; returns `st`, so that a plugin writes
     *     return h->fail(h, FTK_ERANGE, "layer '%s': ...", name);           [call] */
    ftk_status (*fail)(const ftk_host *h, ftk_status st, const char *fmt, ...) FTK_PRINTF(3, 4);
    void (*log)(const ftk_host *h, ftk_level lv, const char *fmt, ...)         /* [any] */
        FTK_PRINTF(3, 4);

    /* 64-byte aligned, zeroed.  free(NULL) is a no-op.                         [any] */
    void *(*alloc)(const ftk_host *h, size_t bytes);
    void (*free)(const ftk_host *h, void *p);
    /* The same, until the current call returns; never freed by hand.          [call] */
    void *(*scratch)(const ftk_host *h, size_t bytes);

    uint64_t (*rng_u64)(ftk_rng *r);                     /* [any] on distinct streams */
    double (*rng_uniform)(ftk_rng *r);                   /* (u64 >> 11) * 2^-53       */
    double (*rng_normal)(ftk_rng *r); /* sqrt(-2 log(1 - u)) cos(2 pi v): two uniforms */
    uint64_t (*rng_below)(ftk_rng *r, uint64_t n); /* unbiased: u64 mod n, drawn again */
                               /* where u64 >= the largest multiple of n up to 2^64    */

    /* Deterministic selection of k out of n by score; ties go to the lower
     * index; a NaN is FTK_ENUMERIC.  ret_pos ascending.                       [call] */
    ftk_status (*select_low)(const ftk_host *h, const float *score, uint64_t n, uint64_t k,
                             uint64_t *ret_pos);
    ftk_status (*select_high)(const ftk_host *h, const float *score, uint64_t n, uint64_t k,
                              uint64_t *ret_pos);

    /* Optional facilities by id, "freetickets.<name>/<revision>"; NULL if absent.      [any] */
    const void *(*get_extension)(const ftk_host *h, const char *id);
};
#endif
