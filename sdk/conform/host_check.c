/* SPDX-License-Identifier: MIT
 * conform/host_check.c - the generator against known numbers and against a plain Philox of the kit's.
 */
#include "conform/host_check.h"

/* Philox 4x32-10, written down from the paper's description. */
static void block_of(const uint32_t key_words[2], const uint32_t counter[4], uint32_t ret[4])
{
    uint32_t key[2] = { key_words[0], key_words[1] };
    uint32_t x[4] = { counter[0], counter[1], counter[2], counter[3] };
    for (int round = 0; round < 10; round++) {
        uint64_t a = UINT64_C(0xD2511F53) * x[0];
        uint64_t b = UINT64_C(0xCD9E8D57) * x[2];
        uint32_t next[4] = { (uint32_t)(b >> 32) ^ x[1] ^ key[0], (uint32_t)b,
                             (uint32_t)(a >> 32) ^ x[3] ^ key[1], (uint32_t)a };
        for (int i = 0; i < 4; i++)
            x[i] = next[i];
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    for (int i = 0; i < 4; i++)
        ret[i] = x[i];
}

static uint64_t number(const ftk_rng *r)
{
    uint64_t block = r->counter / 2;
    uint32_t key[2] = { (uint32_t)r->key[0], (uint32_t)(r->key[0] >> 32) };
    uint32_t counter[4] = { (uint32_t)block, (uint32_t)(block >> 32), (uint32_t)r->key[1],
                            (uint32_t)(r->key[1] >> 32) };
    uint32_t words[4];
    block_of(key, counter, words);
    uint32_t at = 2 * (uint32_t)(r->counter % 2);
    return words[at] | (uint64_t)words[at + 1] << 32;
}

ftk_status ftk__host_check(uint64_t (*next)(ftk_rng *r), struct ftk_error *reterr)
{
    static const uint64_t first = UINT64_C(0xe169c58d6627e8d5);
    static const ftk_rng streams[] = {
        { { 0, 0 }, 0 },
        { { UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210) }, 0 },
        { { UINT64_MAX, 1 }, UINT64_C(0x1fffffffe) },
    };
    ftk_rng zero = { { 0, 0 }, 0 };
    uint64_t got = next(&zero);
    if (got != first)
        return ftk__fail(reterr, FTK_EINTERNAL,
                         "HST-01: number 0 of key {0, 0} is %016llx, must be %016llx",
                         (unsigned long long)got, (unsigned long long)first);
    for (unsigned s = 0; s < sizeof(streams) / sizeof(streams[0]); s++) {
        ftk_rng r = streams[s];
        for (unsigned i = 0; i < 8; i++) {
            const ftk_rng before = r;
            uint64_t wanted = number(&before);
            got = next(&r);
            if (got != wanted || r.counter != before.counter + 1)
                return ftk__fail(reterr, FTK_EINTERNAL,
                                 "HST-01: number %llu of stream %u is %016llx, must be %016llx",
                                 (unsigned long long)before.counter, s, (unsigned long long)got,
                                 (unsigned long long)wanted);
        }
    }
    return FTK_OK;
}
