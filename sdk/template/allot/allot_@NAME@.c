/* SPDX-License-Identifier: MIT
 * allot @NAME@ - grow where there is most room: each layer's share goes with its inactive weights.
 *
 * What all layers lost is shared out anew.  The shares are whole numbers that sum to the total, none
 * above its layer's room.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>

static ftk_status allot(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                        const uint64_t *lost, const uint64_t *room, uint64_t total,
                        uint64_t *ret_count)
{
    uint64_t room_left = 0;
    uint64_t left = total;
    (void)self;
    (void)u;
    (void)lost;
    for (uint32_t l = 0; l < net->n_layers; l++)
        room_left += room[l];
    if (total > room_left)
        return h->fail(h, FTK_ERANGE, "%llu weights are to be grown, there is room for %llu",
                       (unsigned long long)total, (unsigned long long)room_left);
    /* Each layer takes its part of what is left, rounded down; so no later one can overflow, and the
     * last one with room takes the rest. */
    for (uint32_t l = 0; l < net->n_layers; l++) {
        double share = room_left ? (double)room[l] / (double)room_left : 0;
        uint64_t count = (uint64_t)(share * (double)left);
        uint64_t others = room_left - room[l];
        if (count < left && left - count > others)
            count = left - others; /* the layers behind cannot hold more */
        ret_count[l] = count < room[l] ? count : room[l];
        left -= ret_count[l];
        room_left = others;
    }
    return FTK_OK;
}

static const ftk_allot_ops ops = { .size = sizeof(ops), .allot = allot };
static const ftk_algo rule = {
    .size = sizeof(rule),
    .kind = FTK_KIND_ALLOT,
    .name = "@NAME@",
    .summary = "grow where there is most room",
    .reference = "",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};
FTK_PLUGIN("org.example.allot.@NAME@", "0.1.0", "MIT", &rule);
