/* SPDX-License-Identifier: MIT
 * conform/shape_net.h - dense networks of real size, of which only shapes are kept: for rules of init.
 */
#ifndef FTK__SHAPE_NET_H
#define FTK__SHAPE_NET_H
#include "conform/golden_erk.h"
#include "conform/kit_host.h"

enum { FTK__SHAPE_LAYERS = 200, FTK__ODD_NETS = 4 };

struct ftk__shape_net {
    ftk_layer layer[FTK__SHAPE_LAYERS];
    const ftk_layer *order[FTK__SHAPE_LAYERS];
    uint32_t n;
};
void ftk__shape_net_golden(const struct ftk__golden_erk *g, struct ftk__shape_net *ret);
/* Networks that are odd in one way each; `which` below FTK__ODD_NETS. */
void ftk__shape_net_odd(uint32_t which, struct ftk__shape_net *ret);
/* As a plugin that declares `channels` sees it.  Values are made up as they are read: a function of
 * the position alone, so that layers can change places.  In guarded memory. */
const ftk_net *ftk__shape_net_view(struct ftk__case *c, const struct ftk__shape_net *n,
                                   struct ftk__kit_host *host, uint32_t channels);
#endif
