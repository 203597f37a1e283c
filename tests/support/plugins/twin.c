/* SPDX-License-Identifier: MIT
 * twin.c - the same name from several files, told apart by the plugin's name alone.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>

static ftk_status select_none(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                              const ftk_edit *edit)
{
    (void)h;
    (void)self;
    (void)net;
    (void)u;
    (void)edit;
    return FTK_OK;
}

static const ftk_prune_ops ops = {
    .size = sizeof(ops),
    .count = FTK_COUNT_FREE,
    .select = select_none,
};
static const ftk_algo twin = {
    .size = sizeof(twin),
    .kind = FTK_KIND_PRUNE,
    .name = "twin",
    .summary = "drops nothing",
    .reference = "",
    .ops = &ops,
};
FTK_PLUGIN(TWIN_PLUGIN, "0.1.0", "MIT", &twin);
