/* SPDX-License-Identifier: MIT
 * allot/none - no redistribution: each layer gets back what it lost.
 *
 * Where a layer has less room than it lost (regrowth forbidden in a nearly full layer),
 * the rest goes to the first layers that have room, so that the network keeps its count.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <inttypes.h>

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How many of `total` weights find no room at all. */
static uint64_t homeless(const uint64_t *room, uint32_t n_layers, uint64_t total)
{
    uint64_t left = total;
    for (uint32_t l = 0; l < n_layers; l++)
        left -= smaller(left, room[l]);
    return left;
}

static ftk_status allot(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                        const uint64_t *lost, const uint64_t *room, uint64_t total,
                        uint64_t *ret_count)
{
    (void)self;
    (void)u;
    uint64_t left = homeless(room, net->n_layers, total);
    if (left)
        return h->fail(h, FTK_ERANGE, "%" PRIu64 " of %" PRIu64 " weights find no room", left,
                       total);
    left = total;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        ret_count[l] = smaller(left, smaller(lost[l], room[l]));
        left -= ret_count[l];
    }
    for (uint32_t l = 0; l < net->n_layers && left; l++) {
        uint64_t more = smaller(left, room[l] - ret_count[l]);
        ret_count[l] += more;
        left -= more;
    }
    return FTK_OK;
}

static const ftk_allot_ops ops = { .size = sizeof(ops), .allot = allot };

static const ftk_algo none = {
    .size = sizeof(none),
    .kind = FTK_KIND_ALLOT,
    .name = "none",
    .summary = "each layer gets back what it lost",
    .reference = "Mocanu et al. 2018, doi:10.1038/s41467-018-04316-3",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.allot.none", "0.1.0", "MIT", &none);
