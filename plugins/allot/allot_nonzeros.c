/* SPDX-License-Identifier: MIT
 * allot/nonzeros - a layer's share goes with the number of weights that are active after the drop.
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
        p.worth[l] = (double)net->layers[l]->nnz;
    if (st == FTK_OK)
        st = allot_share(h, &p, total, ret_count);
    return st;
}

static const ftk_allot_ops ops = {
    .size = sizeof(ops),
    .allot = allot,
};

static const ftk_algo nonzeros_allot = {
    .size = sizeof(nonzeros_allot),
    .kind = FTK_KIND_ALLOT,
    .name = "nonzeros",
    .summary = "grow where most active weights are left",
    .reference = "Mostafa and Wang 2019, arXiv:1902.05967",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.allot.nonzeros", "0.1.0", "MIT", &nonzeros_allot);
