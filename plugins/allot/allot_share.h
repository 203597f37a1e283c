/* SPDX-License-Identifier: MIT
 * allot/allot_share.h - a total shared out among layers in proportion to their worth, in whole weights,
 * none above its room.
 *
 * Layers that would overflow are filled and the rest is shared out among the others; of what remains by
 * rounding down the largest fractions get one each, the lower layer first among equals.
 */
#ifndef ALLOT_SHARE_H
#define ALLOT_SHARE_H
#include <freetickets/sparse.h>
#include <math.h>

/* worth[l] >= 0 and finite; where all layers with room are worth nothing they share by room. */
struct allot_problem {
    const uint64_t *room; // [n]
    double *worth;        // [n] changed: 0 for layers that are full
    double *fraction;     // [n] room for what rounding left
    uint32_t n;
};

static inline double allot_sum(const double *v, uint32_t n)
{
    double sum = 0;
    for (uint32_t l = 0; l < n; l++)
        sum += v[l];
    return sum;
}

/* Fills the layers whose share exceeds their room; what is left, and whether any was filled. */
static inline int allot_fill(const struct allot_problem *p, uint64_t *left, uint64_t *count)
{
    double sum = allot_sum(p->worth, p->n);
    double to_share = (double)*left;
    int filled = 0;
    for (uint32_t l = 0; l < p->n && sum > 0; l++) {
        uint64_t open = p->room[l] - count[l];
        if (p->worth[l] <= 0 || p->worth[l] / sum * to_share < (double)open)
            continue;
        uint64_t most = open < *left ? open : *left;
        count[l] += most;
        *left -= most;
        p->worth[l] = 0;
        filled = 1;
    }
    return filled;
}

/* One to the layer with the largest fraction that has room; 0 where none has. */
static inline int allot_one_more(const struct allot_problem *p, uint64_t *count)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t l = 0; l < p->n; l++)
        if (count[l] < p->room[l] && (best == UINT32_MAX || p->fraction[l] > p->fraction[best]))
            best = l;
    if (best == UINT32_MAX)
        return 0;
    count[best]++;
    p->fraction[best] -= 1;
    return 1;
}

/* The rest by room, first come first served: only where no worth is left. */
static inline void allot_by_room(const struct allot_problem *p, uint64_t left, uint64_t *count)
{
    for (uint32_t l = 0; l < p->n && left > 0; l++) {
        uint64_t open = p->room[l] - count[l];
        uint64_t more = open < left ? open : left;
        count[l] += more;
        left -= more;
    }
}

static inline ftk_status allot_share(const ftk_host *h, const struct allot_problem *p,
                                     uint64_t total, uint64_t *ret_count)
{
    uint64_t all = 0;
    uint64_t left = total;
    for (uint32_t l = 0; l < p->n; l++) {
        all += p->room[l];
        ret_count[l] = 0;
        p->fraction[l] = 0;
        if (!isfinite(p->worth[l]))
            return h->fail(h, FTK_ENUMERIC, "layer %u is worth %g: no share follows from it", l,
                           p->worth[l]);
        if (p->room[l] == 0)
            p->worth[l] = 0;
    }
    if (total > all)
        return h->fail(h, FTK_ERANGE, "%llu weights are to grow, there is room for %llu",
                       (unsigned long long)total, (unsigned long long)all);
    while (left > 0 && allot_fill(p, &left, ret_count))
        continue; /* each turn fills a layer */
    double sum = allot_sum(p->worth, p->n);
    if (!isfinite(sum))
        return h->fail(h, FTK_ENUMERIC, "the layers' worth sums to %g", sum);
    double to_share = (double)left;
    for (uint32_t l = 0; l < p->n && sum > 0; l++) {
        double share = p->worth[l] / sum * to_share;
        uint64_t whole = (uint64_t)share;
        whole = whole < left ? whole : left;
        p->fraction[l] = share - (double)whole;
        ret_count[l] += whole;
        left -= whole;
    }
    /* Fewer than a layer each. */
    for (uint32_t turn = 0; sum > 0 && left > 0 && turn < p->n; turn++)
        left -= (uint64_t)allot_one_more(p, ret_count);
    allot_by_room(p, left, ret_count);
    return FTK_OK;
}

/* Worth and fractions in scratch memory. */
static inline ftk_status allot_problem_init(const ftk_host *h, const ftk_net *net,
                                            const uint64_t *room, struct allot_problem *ret)
{
    size_t bytes = net->n_layers * sizeof(double);
    *ret = (struct allot_problem){ .room = room, .n = net->n_layers };
    ret->worth = (double *)h->scratch(h, bytes);
    ret->fraction = (double *)h->scratch(h, bytes);
    if (ret->worth && ret->fraction)
        return FTK_OK;
    return h->fail(h, FTK_ENOMEM, "no memory for %u layers", net->n_layers);
}

/* Mean size of a channel (FTK_CH_WEIGHT or FTK_CH_MOMENTUM) over a layer's active weights; 0 where it
 * has none. */
static inline ftk_status allot_mean_size(const ftk_net *net, uint32_t layer, uint32_t channel,
                                         double *ret)
{
    double sum = 0;
    uint64_t n = 0;
    uint64_t cursor = 0;
    for (;;) {
        ftk_cand c = { .size = sizeof(c) };
        ftk_status st = net->read(net, layer, FTK_ACTIVE, channel, 64 * 1024, &cursor, &c);
        if (st != FTK_OK)
            return st;
        if (c.count == 0)
            break;
        const float *v = channel == FTK_CH_WEIGHT ? c.weight : c.momentum;
        for (uint64_t i = 0; i < c.count; i++)
            sum += fabs((double)v[i]);
        n += c.count;
    }
    *ret = n > 0 ? sum / (double)n : 0;
    return FTK_OK;
}
#endif
