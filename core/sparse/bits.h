/* SPDX-License-Identifier: MIT
 * sparse/bits.h - bitmaps over flat weight positions: bit i is bit i mod 64 of word i / 64.
 */
#ifndef FTK__BITS_H
#define FTK__BITS_H
#include <stdbool.h>
#include <stdint.h>

static inline uint64_t ftk__bits_words(uint64_t n)
{
    return n / 64 + (n % 64 != 0);
}

static inline bool ftk__bits_get(const uint64_t *bits, uint64_t i)
{
    return (bits[i / 64] >> (i % 64)) & 1;
}

static inline void ftk__bits_set(uint64_t *bits, uint64_t i)
{
    bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void ftk__bits_clear(uint64_t *bits, uint64_t i)
{
    bits[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

/* The first set bit in [from, to), or `to`. */
static inline uint64_t ftk__bits_next(const uint64_t *bits, uint64_t from, uint64_t to)
{
    if (from >= to)
        return to;
    uint64_t at = from / 64;
    uint64_t word = bits[at] & (UINT64_MAX << (from % 64));
    while (word == 0) {
        at++;
        if (at * 64 >= to)
            return to;
        word = bits[at];
    }
    uint64_t found = at * 64 + (uint64_t)__builtin_ctzll(word);
    return found < to ? found : to;
}

/* Set bits of the first n; those beyond n in the last word must be 0. */
static inline uint64_t ftk__bits_count(const uint64_t *bits, uint64_t n)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < ftk__bits_words(n); i++)
        count += (uint64_t)__builtin_popcountll(bits[i]);
    return count;
}
#endif
