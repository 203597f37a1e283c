/* SPDX-License-Identifier: MIT
 * sparse/select.h - what a level-1 rule chooses: candidates streamed through its score, the lowest
 * or highest kept, over a layer or over the network.  Order: score, then layer, then index.
 *
 * A rule that claims FTK_FORMULA_UNIFORM is sampled and never scored (sparse/draw.h).
 */
#ifndef FTK__SELECT_H
#define FTK__SELECT_H
#include "sparse/topology_impl.h"

struct ftk__choice {
    const struct ftk__rule *rule;
    uint32_t which;             /* FTK_ACTIVE: the lowest; FTK_INACTIVE: the highest */
    bool threshold;             /* all scores up to the k-th lowest, so k or more */
    bool bernoulli;             /* of a uniform rule: each with probability k / candidates */
};
/* Exactly k but for `threshold` and `bernoulli`; FTK_ERANGE where there are fewer.  A NaN is
 * FTK_ENUMERIC with layer and index.  `ret` is the caller's.                               */
ftk_status ftk__select_layer(struct ftk__work *w, const struct ftk__choice *c, uint32_t layer,
                             uint64_t k, struct ftk__picked *ret, struct ftk_error *reterr);
/* Over all layers but exempt ones; ret[n_layers], also on failure the caller's to free. */
ftk_status ftk__select_network(struct ftk__work *w, const struct ftk__choice *c, uint64_t k,
                               struct ftk__picked *ret, struct ftk_error *reterr);
#endif
