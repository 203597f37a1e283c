/* SPDX-License-Identifier: MIT
 * tests/conform/bad - redistribution, right as it stands; each define moves it one line away.
 *
 * A layer's share is by the sum of |momentum| over its active weights; what rounding and full layers
 * leave goes to the layers in turn.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

static ftk_status sum_of(const ftk_net *net, uint32_t layer, double *ret)
{
    uint64_t cursor = 0;
    ftk_cand c = { .size = sizeof(c) };
    uint32_t channels = FTK_CH_MOMENTUM;
#if defined BAD_SCO_04
    channels |= FTK_CH_GRAD;
#endif
    *ret = 0;
    do {
        ftk_status st = net->read(net, layer, FTK_ACTIVE, channels, 1 << 16, &cursor, &c);
        if (st < 0)
            return st;
        for (uint64_t i = 0; i < c.count; i++)
            *ret += fabs((double)c.momentum[i]);
#if defined BAD_ALT_03
        break; /* one read is taken for all */
#endif
    } while (c.count > 0);
    return FTK_OK;
}

static ftk_status sums(const ftk_host *h, const ftk_net *net, double *ret_share)
{
    double all = 0;
    ftk_status st = FTK_OK;
    for (uint32_t l = 0; l < net->n_layers && st >= 0; l++) {
        st = sum_of(net, l, &ret_share[l]);
        all += ret_share[l];
    }
#if defined BAD_ALT_04
    if (st >= 0 && !isfinite(all))
        return FTK_ENUMERIC; /* and not a word */
#endif
#if defined BAD_SCO_08
    if (net->n_layers == 2)
        return FTK_ENOTSUP;
#endif
    if (st >= 0 && !isfinite(all))
        return h->fail(h, FTK_ENUMERIC, "the momentum of the network sums to %g", all);
    for (uint32_t l = 0; l < net->n_layers && st >= 0; l++)
        ret_share[l] = all > 0 ? ret_share[l] / all : 1.0 / net->n_layers;
    return st;
}

static uint64_t at_most(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static ftk_status allot(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                        const uint64_t *lost, const uint64_t *room, uint64_t total,
                        uint64_t *ret_count)
{
    uint64_t left = total;
    uint32_t first = 0;
    double *share = h->scratch(h, net->n_layers * sizeof(*share));
    if (!share)
        return h->fail(h, FTK_ENOMEM, "no memory for %u shares", net->n_layers);
    ftk_status st = sums(h, net, share);
    if (st < 0)
        return st;
#if defined BAD_UPD_01
    if (u->rate > 0.5)
        return h->fail(h, FTK_ERANGE, "rate %g is too high", u->rate);
#endif
    for (uint32_t l = 0; l < net->n_layers; l++) {
        uint64_t part = (uint64_t)(share[l] * (double)total);
#if defined BAD_ALT_01 && defined BAD_VARIANT_ROOM
        ret_count[l] = at_most(part, left); /* whether there is room or not */
#else
        ret_count[l] = at_most(at_most(part, room[l]), left);
#endif
        left -= ret_count[l];
    }
#if defined BAD_ALT_01 && defined BAD_VARIANT_SUM
    return FTK_OK; /* what rounding left is lost */
#endif
#if defined BAD_ALT_02
    first = (uint32_t)h->rng_below(&u->rng, net->n_layers);
#endif
    for (uint32_t i = 0; i < net->n_layers; i++) {
        uint32_t l = (first + i) % net->n_layers;
        uint64_t have = ret_count[l] < room[l] ? room[l] - ret_count[l] : 0;
        uint64_t more = at_most(left, have);
        ret_count[l] += more;
        left -= more;
    }
    if (left > 0)
        return h->fail(h, FTK_ERANGE, "%llu weights are left and no layer has room",
                       (unsigned long long)left);
    return FTK_OK;
}

static const ftk_allot_ops ops = { .size = sizeof(ops),
                                   .channels = FTK_CH_MOMENTUM,
                                   .allot = allot };

static const ftk_algo shares = {
    .size = sizeof(shares),
    .kind = FTK_KIND_ALLOT,
    .name = "shares",
    .summary = "shares for the zoo of the conformance kit",
    .reference = "none",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.zoo.shares", "0.1.0", "MIT", &shares);
