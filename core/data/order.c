/* SPDX-License-Identifier: MIT
 * data/order.c - Fisher and Yates' shuffle, from the end (Durstenfeld 1964).
 */
#include "data/order.h"
#include "base/rng.h"

void ftk__order_draw(uint64_t seed, uint32_t member, uint64_t pass, uint32_t n, uint32_t *ret)
{
    ftk_rng rng = ftk__rng_stream(seed, FTK__FOR_ORDER, member, pass, 0);
    for (uint32_t i = 0; i < n; i++)
        ret[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = (uint32_t)ftk__rng_below(&rng, i);
        uint32_t moved = ret[i - 1];
        ret[i - 1] = ret[j];
        ret[j] = moved;
    }
}
