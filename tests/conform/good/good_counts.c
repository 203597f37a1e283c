/* SPDX-License-Identifier: MIT
 * tests/conform/good - selections that take another number than the budget, as they say: below a
 * threshold whatever it is (FREE), each by chance (EXPECTED); and one that moves weights from layer
 * to layer, so that only their total is the budget (EXPECTED).
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

enum { AT_ONCE = 100 };

static ftk_status below_threshold(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                                  const ftk_edit *edit)
{
    ftk_status st = FTK_OK;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        uint64_t cursor = 0;
        ftk_cand c = { .size = sizeof(c) };
        do {
            st = net->read(net, l, FTK_ACTIVE, FTK_CH_WEIGHT, AT_ONCE, &cursor, &c);
            for (uint64_t i = 0; st >= 0 && i < c.count; i++)
                if (fabsf(c.weight[i]) < 0.25f)
                    st = edit->take(edit, l, &c.index[i], 1);
            if (st < 0)
                return st;
        } while (c.count > 0);
    }
    return FTK_OK;
}

static ftk_status each_by_chance(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                                 const ftk_edit *edit)
{
    ftk_status st = FTK_OK;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        uint64_t room = net->layers[l]->n - net->layers[l]->nnz;
        double p = room > 0 ? (double)edit->budget[l] / (double)room : 0;
        uint64_t cursor = 0;
        ftk_cand c = { .size = sizeof(c) };
        if (edit->budget[l] > room)
            return h->fail(h, FTK_ERANGE, "layer '%s' has room for %llu", net->layers[l]->name,
                           (unsigned long long)room);
        do {
            st = net->read(net, l, FTK_INACTIVE, 0, AT_ONCE, &cursor, &c);
            for (uint64_t i = 0; st >= 0 && i < c.count; i++)
                if (h->rng_uniform(&u->rng) < p)
                    st = edit->take(edit, l, &c.index[i], 1);
            if (st < 0)
                return st;
        } while (c.count > 0);
    }
    return FTK_OK;
}

/* The first that can be had, from the last layer to the first: right in total, in no layer. */
static ftk_status from_the_last(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                                const ftk_edit *edit)
{
    uint64_t left = 0;
    for (uint32_t l = 0; l < net->n_layers; l++)
        left += edit->budget[l];
    for (uint32_t l = net->n_layers; l > 0 && left > 0; l--) {
        uint64_t cursor = 0;
        ftk_cand c = { .size = sizeof(c) };
        do {
            ftk_status st = net->read(net, l - 1, FTK_INACTIVE, 0, left, &cursor, &c);
            if (st >= 0)
                st = edit->take(edit, l - 1, c.index, c.count);
            if (st < 0)
                return st;
            left -= c.count;
        } while (c.count > 0 && left > 0);
    }
    if (left > 0)
        return h->fail(h, FTK_ERANGE, "%llu more than the network has room for",
                       (unsigned long long)left);
    return FTK_OK;
}

static const ftk_prune_ops threshold_ops = { .size = sizeof(threshold_ops),
                                             .channels = FTK_CH_WEIGHT,
                                             .count = FTK_COUNT_FREE,
                                             .props = FTK_PROP_SIGN_FREE,
                                             .select = below_threshold };
static const ftk_grow_ops chance_ops = { .size = sizeof(chance_ops),
                                         .count = FTK_COUNT_EXPECTED,
                                         .props = FTK_PROP_RANDOM,
                                         .select = each_by_chance };
static const ftk_grow_ops last_ops = { .size = sizeof(last_ops),
                                       .count = FTK_COUNT_EXPECTED,
                                       .select = from_the_last };

#define ALGO(id, of_kind, with)                                                                    \
    static const ftk_algo id = { .size = sizeof(id),                                               \
                                 .kind = of_kind,                                                  \
                                 .name = #id,                                                      \
                                 .summary = "odd counts for the zoo",                              \
                                 .reference = "none",                                              \
                                 .flags = FTK_ALGO_REENTRANT,                                      \
                                 .ops = &with }
ALGO(below, FTK_KIND_PRUNE, threshold_ops);
ALGO(bernoulli, FTK_KIND_GROW, chance_ops);
ALGO(last_first, FTK_KIND_GROW, last_ops);

FTK_PLUGIN("freetickets.zoo.counts", "0.1.0", "MIT", &below, &bernoulli, &last_first);
