/* SPDX-License-Identifier: MIT
 * prune/threshold - drop every active weight whose size is below a threshold, whatever their number.
 *
 * Dynamic sparse reparameterisation adapts one threshold for the whole network towards a number to
 * prune.  Here the threshold is the parameter, and the number is free (topology.strict = false).
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

enum { CHUNK = 4096 };

struct threshold_params {
    double threshold;
};

static const ftk_param params[] = {
    FTK_PARAM_F64(struct threshold_params, threshold, 0.001, 0, 1e6, "",
                  "weights of a smaller size are dropped"),
    FTK_PARAM_END,
};

/* Those of `c` below the threshold, compacted into small[count]. */
static uint64_t below(const ftk_cand *c, double threshold, uint64_t *small)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < c->count; i++)
        if ((double)fabsf(c->weight[i]) < threshold)
            small[n++] = c->index[i];
    return n;
}

static ftk_status prune_layer(const ftk_net *net, uint32_t layer, double threshold,
                              const ftk_edit *edit)
{
    uint64_t small[CHUNK];
    uint64_t cursor = 0;
    for (;;) {
        ftk_cand c = { .size = sizeof(c) };
        ftk_status st = net->read(net, layer, FTK_ACTIVE, FTK_CH_WEIGHT, CHUNK, &cursor, &c);
        if (st != FTK_OK || c.count == 0)
            return st;
        st = edit->take(edit, layer, small, below(&c, threshold, small));
        if (st != FTK_OK)
            return st;
    }
}

/* A layer without a budget is exempt, or nothing is asked of it. */
static ftk_status select_small(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                               const ftk_edit *edit)
{
    const struct threshold_params *p = self;
    ftk_status st = FTK_OK;
    (void)h;
    (void)u;
    for (uint32_t l = 0; l < net->n_layers && st == FTK_OK; l++)
        if (edit->budget[l] > 0)
            st = prune_layer(net, l, p->threshold, edit);
    return st;
}

static const ftk_prune_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_WEIGHT,
    .count = FTK_COUNT_FREE,
    .props = FTK_PROP_SIGN_FREE,
    .select = select_small,
};

static const ftk_algo threshold_pruning = {
    .size = sizeof(threshold_pruning),
    .kind = FTK_KIND_PRUNE,
    .name = "threshold",
    .summary = "drop all active weights below a size",
    .reference = "Mostafa and Wang 2019, arXiv:1902.05967",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct threshold_params, params),
    .ops = &ops,
};

FTK_PLUGIN("freetickets.prune.threshold", "0.1.0", "MIT", &threshold_pruning);
