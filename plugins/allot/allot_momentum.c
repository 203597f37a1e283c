/* SPDX-License-Identifier: MIT
 * allot/momentum - a layer's share goes with the mean size of the momentum of its active weights.
 */
#include "allot_share.h"
#include <freetickets/plugin.h>

static ftk_status allot(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                        const uint64_t *lost, const uint64_t *room, uint64_t total,
                        uint64_t *ret_count)
{
    struct allot_problem p;
    (void)self;
    (void)u;
    (void)lost;
    ftk_status st = allot_problem_init(h, net, room, &p);
    for (uint32_t l = 0; l < net->n_layers && st == FTK_OK; l++)
        st = allot_mean_size(net, l, FTK_CH_MOMENTUM, &p.worth[l]);
    if (st == FTK_OK)
        st = allot_share(h, &p, total, ret_count);
    return st;
}

static const ftk_allot_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_MOMENTUM,
    .allot = allot,
};

static const ftk_algo momentum_allot = {
    .size = sizeof(momentum_allot),
    .kind = FTK_KIND_ALLOT,
    .name = "momentum",
    .summary = "grow where the mean momentum of active weights is largest",
    .reference = "Dettmers and Zettlemoyer 2019, arXiv:1907.04840",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.allot.momentum", "0.1.0", "MIT", &momentum_allot);
