/* SPDX-License-Identifier: MIT
 * sparse/topology_prune.c - the first half of an update: what each layer loses.
 */
#include "sparse/netview.h"
#include "sparse/select.h"

static ftk_status prune_scored(struct ftk__work *w, const struct ftk__choice *c, const uint64_t *k,
                               bool network, struct ftk__picked *ret, struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    uint64_t total = 0;
    for (uint32_t l = 0; l < w->t->n_layers; l++)
        total += k[l];
    if (network)
        return ftk__select_network(w, c, total, ret, reterr);
    for (uint32_t l = 0; l < w->t->n_layers && st == FTK_OK; l++) {
        if (!ftk__topology_exempt(w->t, l))
            st = ftk__select_layer(w, c, l, k[l], &ret[l], reterr);
    }
    return st;
}

ftk_status ftk__work_prune(struct ftk__work *w, const uint64_t *k, bool network, bool threshold,
                           struct ftk_error *reterr)
{
    const struct ftk__rule *rule = &w->t->prune;
    const uint32_t n = w->t->n_layers;
    struct ftk__choice c = { .rule = rule, .which = FTK_ACTIVE, .threshold = threshold };
    struct ftk__picked *lost = ftk__alloc_array(n, sizeof(*lost));
    if (!lost)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory to prune %u layers", n);
    ftk_status st = rule->select
                        ? ftk__netview_select(w, rule, FTK_ACTIVE, k, !network, lost, reterr)
                        : prune_scored(w, &c, k, network, lost, reterr);
    for (uint32_t l = 0; l < n; l++) {
        w->drop[l].picked = lost[l];
        w->layers[l].nnz -= lost[l].n;
    }
    w->dropped = true;
    ftk__free(lost);
    return st;
}
