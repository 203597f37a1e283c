/* SPDX-License-Identifier: MIT
 * prune/set - of each sign the half that is closest to zero: the smallest positive and the largest
 * negative weights go, as SET meant it.
 *
 * Of a budget k the ceil(k / 2) smallest positive and the floor(k / 2) largest negative weights are
 * taken; where one sign runs out the rest comes from the other.  A weight of exactly 0 has no sign; it is
 * closest of all and counts as positive, so that what was grown at zero and never moved goes first.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

enum { CHUNK = 64 * 1024 };

struct side {        /* the active weights of one sign */
    uint64_t *index; // [n] ascending
    float *size;     // [n] |weight|
    uint64_t n;
};

static ftk_status side_init(const ftk_host *h, uint64_t cap, struct side *ret)
{
    ret->n = 0;
    ret->index = h->scratch(h, cap * sizeof(*ret->index));
    ret->size = h->scratch(h, cap * sizeof(*ret->size));
    if (ret->index && ret->size)
        return FTK_OK;
    return h->fail(h, FTK_ENOMEM, "no memory for %llu weights", (unsigned long long)cap);
}

static ftk_status read_sides(const ftk_host *h, const ftk_net *net, uint32_t layer,
                             struct side side[2])
{
    uint64_t nnz = net->layers[layer]->nnz;
    uint64_t cursor = 0;
    ftk_status st = side_init(h, nnz, &side[0]);
    if (st == FTK_OK)
        st = side_init(h, nnz, &side[1]);
    while (st == FTK_OK) {
        ftk_cand c = { .size = sizeof(c) };
        st = net->read(net, layer, FTK_ACTIVE, FTK_CH_WEIGHT, CHUNK, &cursor, &c);
        if (st != FTK_OK || c.count == 0)
            break;
        for (uint64_t i = 0; i < c.count; i++) {
            struct side *s = &side[c.weight[i] < 0];
            s->index[s->n] = c.index[i];
            s->size[s->n] = fabsf(c.weight[i]);
            s->n++;
        }
    }
    return st;
}

static ftk_status take_smallest(const ftk_host *h, const ftk_edit *edit, uint32_t layer,
                                const struct side *s, uint64_t k)
{
    uint64_t *chosen = h->scratch(h, k * sizeof(*chosen));
    if (!chosen)
        return h->fail(h, FTK_ENOMEM, "no memory for %llu weights", (unsigned long long)k);
    ftk_status st = h->select_low(h, s->size, s->n, k, chosen);
    if (st != FTK_OK)
        return st;
    for (uint64_t i = 0; i < k; i++)
        chosen[i] = s->index[chosen[i]];
    return edit->take(edit, layer, chosen, k);
}

static ftk_status prune_layer(const ftk_host *h, const ftk_net *net, uint32_t layer,
                              const ftk_edit *edit)
{
    struct side side[2];
    uint64_t k = edit->budget[layer];
    ftk_status st = read_sides(h, net, layer, side);
    if (st != FTK_OK)
        return st;
    if (k > side[0].n + side[1].n)
        return h->fail(h, FTK_ERANGE, "layer '%s' has %llu active weights, not %llu",
                       net->layers[layer]->name, (unsigned long long)(side[0].n + side[1].n),
                       (unsigned long long)k);
    uint64_t from[2] = { k - k / 2, k / 2 };
    for (int s = 0; s < 2; s++) {
        if (from[s] <= side[s].n)
            continue;
        from[!s] += from[s] - side[s].n;
        from[s] = side[s].n;
    }
    st = take_smallest(h, edit, layer, &side[0], from[0]);
    if (st == FTK_OK)
        st = take_smallest(h, edit, layer, &side[1], from[1]);
    return st;
}

static ftk_status select_smallest(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                                  const ftk_edit *edit)
{
    ftk_status st = FTK_OK;
    (void)self;
    (void)u;
    for (uint32_t l = 0; l < net->n_layers && st == FTK_OK; l++)
        if (edit->budget[l] > 0)
            st = prune_layer(h, net, l, edit);
    return st;
}

static const ftk_prune_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_WEIGHT,
    .count = FTK_COUNT_EXACT,
    .props = FTK_PROP_SCALE_FREE,
    .select = select_smallest,
};

static const ftk_algo set = {
    .size = sizeof(set),
    .kind = FTK_KIND_PRUNE,
    .name = "set",
    .summary = "drop the smallest positive and the largest negative weights, half of each",
    .reference = "Mocanu et al. 2018, doi:10.1038/s41467-018-04316-3",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.prune.set", "0.1.0", "MIT", &set);
