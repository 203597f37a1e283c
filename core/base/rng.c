/* SPDX-License-Identifier: MIT
 * base/rng.c - Philox 4x32-10 streams; the mapping of words to numbers is that of host.h.
 *
 * J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw: Parallel random numbers: as easy as 1, 2, 3.
 * SC 2011.  splitmix64: G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014.
 */
#include "base/rng.h"
#include <Random123/philox.h>
#include <math.h>

uint64_t ftk__rng_u64(ftk_rng *r)
{
    uint64_t block = r->counter / 2;
    philox4x32_key_t key = { { (uint32_t)r->key[0], (uint32_t)(r->key[0] >> 32) } };
    philox4x32_ctr_t counter = { {
        (uint32_t)block,
        (uint32_t)(block >> 32),
        (uint32_t)r->key[1],
        (uint32_t)(r->key[1] >> 32),
    } };
    philox4x32_ctr_t out = philox4x32_R(10, counter, key);
    uint32_t first = 2 * (uint32_t)(r->counter % 2);
    r->counter++;
    return (uint64_t)out.v[first + 1] << 32 | out.v[first];
}

double ftk__rng_uniform(ftk_rng *r)
{
    return (double)(ftk__rng_u64(r) >> 11) * 0x1p-53;
}

double ftk__rng_normal(ftk_rng *r)
{
    const double two_pi = 6.283185307179586476925;
    double u = ftk__rng_uniform(r);
    double v = ftk__rng_uniform(r);
    return sqrt(-2.0 * log(1.0 - u)) * cos(two_pi * v); /* 1 - u is in (0, 1] */
}

uint64_t ftk__rng_below(ftk_rng *r, uint64_t n)
{
    uint64_t rest = (0 - n) % n; /* 2^64 mod n */
    uint64_t x;
    do {
        x = ftk__rng_u64(r);
    } while (x > UINT64_MAX - rest);
    return x % n;
}

static uint64_t splitmix64(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

ftk_rng ftk__rng_stream(uint64_t seed, enum ftk__purpose purpose, uint64_t a, uint64_t b,
                        uint64_t c)
{
    uint64_t what = splitmix64(splitmix64(seed) + (uint64_t)purpose);
    uint64_t where = splitmix64(splitmix64(splitmix64(a) + b) + c);
    return (ftk_rng){ .key = { what, where }, .counter = 0 };
}
