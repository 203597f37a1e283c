/* SPDX-License-Identifier: MIT
 * data/order.h - the order of the training images in a pass.
 */
#ifndef FTK__ORDER_H
#define FTK__ORDER_H
#include <stdint.h>

/* A permutation of 0..n-1 into ret[n]; `pass` has RESEED's addition in it. */
void ftk__order_draw(uint64_t seed, uint32_t member, uint64_t pass, uint32_t n, uint32_t *ret);
#endif
