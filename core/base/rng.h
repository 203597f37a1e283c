/* SPDX-License-Identifier: MIT
 * base/rng.h - counter-based random numbers: Philox 4x32-10 (Salmon et al. 2011) by Random123,
 * mapped as freetickets/host.h says.  A stream is a value; its key says what it is for.
 */
#ifndef FTK__RNG_H
#define FTK__RNG_H
#include <freetickets/host.h>

uint64_t ftk__rng_u64(ftk_rng *r);
double ftk__rng_uniform(ftk_rng *r);
double ftk__rng_normal(ftk_rng *r);
uint64_t ftk__rng_below(ftk_rng *r, uint64_t n); /* n > 0 */

/* What a stream is drawn for.  Never renumbered: results depend on it. */
enum ftk__purpose {
    FTK__FOR_WEIGHTS = 1,       /* a: member, b: node                           */
    FTK__FOR_MASK = 2,          /* a: member, b: layer                          */
    FTK__FOR_ORDER = 3,         /* a: member, b: pass (RESEED added)            */
    FTK__FOR_AUGMENT = 4,       /* a: member, b: pass, c: sample                */
    FTK__FOR_DROPOUT = 5,       /* a: member, b: step t (RESEED added)          */
    FTK__FOR_INIT_PLUGIN = 6,   /* a: member                                    */
    FTK__FOR_PRUNE_PLUGIN = 7,  /* a: member, b: nth update, c: layer           */
    FTK__FOR_GROW_PLUGIN = 8,   /* a: member, b: nth update, c: layer           */
    FTK__FOR_ALLOT_PLUGIN = 9,  /* a: member, b: nth update                     */
    FTK__FOR_SYNTHETIC = 10,    /* a: split, b: sample                          */
    FTK__FOR_INTERRUPTIONS = 11 /* of run --verify-resume                       */
};
/* The stream of (seed, purpose, a, b, c): key[0] mixes seed and purpose, key[1] a, b and c, each by
 * splitmix64, so that equal tuples and no others (but for 2^-64) give equal numbers.           */
ftk_rng ftk__rng_stream(uint64_t seed, enum ftk__purpose purpose, uint64_t a, uint64_t b,
                        uint64_t c);
#endif
