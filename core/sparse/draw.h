/* SPDX-License-Identifier: MIT
 * sparse/draw.h - uniform sampling: ranks by Floyd's algorithm or one by one, then their positions.
 *
 * Which rank an inactive weight has follows from the active ones alone, so that uniform growth
 * reads the short list and never the long one.
 */
#ifndef FTK__DRAW_H
#define FTK__DRAW_H
#include "sparse/select.h"

/* Sets k of n bits, all subsets equally likely: for j = n-k .. n-1 the one numbered below(j + 1),
 * or j if that is set (R. Floyd; J. Bentley, Programming Pearls, CACM 30(9), 1987).  `bits` is
 * zeroed; k <= n.                                                                          */
void ftk__draw_floyd(ftk_rng *rng, uint64_t n, uint64_t k, uint64_t *bits);
/* Each of n bits with probability p: one uniform number a bit. */
void ftk__draw_bernoulli(ftk_rng *rng, uint64_t n, double p, uint64_t *bits);
/* The numbers of the set bits among n, as a list of the caller's. */
ftk_status ftk__draw_list(const uint64_t *bits, uint64_t n, struct ftk__picked *ret,
                          struct ftk_error *reterr);

/* As ftk__select_layer and ftk__select_network do for a uniform rule. */
ftk_status ftk__draw_layer(struct ftk__work *w, const struct ftk__choice *c, uint32_t layer,
                           uint64_t k, struct ftk__picked *ret, struct ftk_error *reterr);
ftk_status ftk__draw_network(struct ftk__work *w, const struct ftk__choice *c, uint64_t k,
                             struct ftk__picked *ret, struct ftk_error *reterr);
#endif
