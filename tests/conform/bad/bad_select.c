/* SPDX-License-Identifier: MIT
 * tests/conform/bad - a rule that selects, right as it stands; each define moves it one line away.
 *
 * It prunes the smallest weights; for rules of growing it grows the largest gradients, for rules of
 * init it keeps the largest weights of the dense network.  BAD_VARIANT_EXPECTED takes each entry with
 * the same probability instead.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

#if defined BAD_GRW_01 || defined BAD_GRW_02 || defined BAD_GRW_03 || defined BAD_GRW_05 ||        \
    defined BAD_VARIANT_GROW
#define KIND FTK_KIND_GROW
#elif defined BAD_INI_01 || defined BAD_INI_06
#define KIND FTK_KIND_INIT
#else
#define KIND FTK_KIND_PRUNE
#endif

enum { GROWS = KIND == FTK_KIND_GROW, MOST_AT_ONCE = 1 << 16 };
static const uint32_t which = GROWS ? FTK_INACTIVE : FTK_ACTIVE;
#if defined BAD_VARIANT_EXPECTED
#define CHANNEL 0
#else
#define CHANNEL (GROWS ? FTK_CH_GRAD : FTK_CH_WEIGHT)
#endif

struct list { /* the entries of a layer that may be taken      */
    uint64_t *index;
    float *score;
    uint64_t n;
};

static float score_of(const ftk_cand *c, uint64_t i)
{
    if (CHANNEL == 0)
        return 0;
    float x = GROWS ? c->grad[i] : c->weight[i];
#if defined BAD_SCO_07
    return fminf(fabsf(x), 1); /* not free of scale, as it claims */
#endif
    return fabsf(x);
}

static ftk_status read_all(const ftk_net *net, uint32_t layer, struct list *ret)
{
    uint64_t cursor = 0;
    ftk_cand c = { .size = sizeof(c) };
    uint32_t channels = CHANNEL;
#if defined BAD_SCO_04
    channels |= FTK_CH_MOMENTUM;
#endif
    ret->n = 0;
    do {
        ftk_status st = net->read(net, layer, which, channels, MOST_AT_ONCE, &cursor, &c);
        if (st < 0)
            return st;
        for (uint64_t i = 0; i < c.count; i++) {
            ret->index[ret->n] = c.index[i];
            ret->score[ret->n++] = score_of(&c, i);
        }
#if defined BAD_PRN_05 || defined BAD_GRW_05 || defined BAD_INI_06
        break; /* one read is taken for all */
#endif
    } while (c.count > 0);
    return FTK_OK;
}

static ftk_status make_list(const ftk_host *h, const ftk_net *net, uint32_t layer, struct list *ret)
{
    const ftk_layer *l = net->layers[layer];
    uint64_t room = GROWS ? l->n - l->nnz : l->nnz;
    ret->index = h->scratch(h, room * sizeof(*ret->index));
    ret->score = h->scratch(h, room * sizeof(*ret->score));
    if (!ret->index || !ret->score)
        return h->fail(h, FTK_ENOMEM, "layer '%s': no memory for %llu entries", l->name,
                       (unsigned long long)room);
    return read_all(net, layer, ret);
}

/* How many to take of `n`; more than there are is an error. */
static ftk_status count_of(const ftk_host *h, const ftk_layer *l, uint64_t n, uint64_t budget,
                           uint64_t *ret)
{
    *ret = budget;
#if defined BAD_GRW_03 && defined BAD_VARIANT_FULL
    if (n == 0)
        return h->fail(h, FTK_ERANGE, "layer '%s' is full", l->name);
#endif
#if defined BAD_GRW_03 && defined BAD_VARIANT_ROOM
    if (budget > n)
        *ret = n; /* as many as there are, and no word of it */
#endif
#if defined BAD_GRW_03 && defined BAD_VARIANT_STATUS
    if (budget > n)
        return h->fail(h, FTK_EINVAL, "layer '%s' has too few entries", l->name);
#endif
#if (defined BAD_PRN_01 || defined BAD_GRW_01 || defined BAD_INI_01) &&                            \
    !defined BAD_VARIANT_EXPECTED && !defined BAD_VARIANT_LAYER
    if (budget > 1)
        *ret = budget - 1;
#endif
    if (*ret > n)
        return h->fail(h, FTK_ERANGE, "layer '%s': %llu entries wanted of %llu", l->name,
                       (unsigned long long)budget, (unsigned long long)n);
    return FTK_OK;
}

#if defined BAD_PRN_02 || defined BAD_GRW_02
/* One more entry, which may not be taken. */
static void take_wrong(const ftk_net *net, const ftk_edit *edit, uint32_t layer, uint64_t first)
{
#if defined BAD_VARIANT_TWICE
    uint64_t at = first;
#elif defined BAD_VARIANT_RANGE
    uint64_t at = net->layers[layer]->n;
#else
    uint64_t cursor = 0;
    ftk_cand c = { .size = sizeof(c) };
    uint32_t others = GROWS ? FTK_ACTIVE : FTK_INACTIVE;
    if (net->read(net, layer, others, 0, 1, &cursor, &c) < 0 || c.count == 0)
        return;
    uint64_t at = c.index[0];
#endif
    (void)edit->take(edit, layer, &at, 1);
}
#endif

static ftk_status take_best(const ftk_host *h, const ftk_net *net, const ftk_edit *edit,
                            uint32_t layer, const struct list *all, uint64_t k)
{
    uint64_t *pos = h->scratch(h, k * sizeof(*pos));
    if (!pos)
        return h->fail(h, FTK_ENOMEM, "no memory for %llu positions", (unsigned long long)k);
    ftk_status st = KIND == FTK_KIND_PRUNE ? h->select_low(h, all->score, all->n, k, pos)
                                           : h->select_high(h, all->score, all->n, k, pos);
    for (uint64_t i = 0; i < k && st >= 0; i++)
        st = edit->take(edit, layer, &all->index[pos[i]], 1);
#if defined BAD_PRN_02 || defined BAD_GRW_02
    if (st >= 0 && k > 0)
        take_wrong(net, edit, layer, all->index[pos[0]]);
#endif
    return st;
}

/* Each with probability k / n. */
static ftk_status take_each(const ftk_host *h, ftk_update *u, const ftk_edit *edit, uint32_t layer,
                            const struct list *all, uint64_t k)
{
    double p = all->n > 0 ? (double)k / (double)all->n : 0;
    ftk_status st = FTK_OK;
#if defined BAD_PRN_01 || defined BAD_GRW_01
    p *= 0.8;
#endif
    for (uint64_t i = 0; i < all->n && st >= 0; i++)
        if (h->rng_uniform(&u->rng) < p)
            st = edit->take(edit, layer, &all->index[i], 1);
    return st;
}

static ftk_status check_values(const ftk_host *h, const ftk_layer *l, const struct list *all,
                               const ftk_update *u)
{
    float sum = 0;
    for (uint64_t i = 0; i < all->n; i++)
        sum += all->score[i];
#if defined BAD_SCO_08
    if (isnan(sum))
        return FTK_ENUMERIC;
#endif
#if defined BAD_PRN_03 && defined BAD_VARIANT_ZEROS
    if (!(sum > 0))
        return h->fail(h, FTK_ENUMERIC, "layer '%s': all weights are 0", l->name);
#endif
#if defined BAD_UPD_01
    if (u->rate > 0.5)
        return h->fail(h, FTK_ERANGE, "rate %g is too high", u->rate);
#endif
    return FTK_OK;
}

static ftk_status select_layer(const ftk_host *h, const ftk_net *net, ftk_update *u,
                               const ftk_edit *edit, uint32_t layer, uint64_t budget)
{
    struct list all = { 0 };
    uint64_t k = 0;
    ftk_status st = make_list(h, net, layer, &all);
    if (st >= 0)
        st = check_values(h, net->layers[layer], &all, u);
    if (st >= 0)
        st = count_of(h, net->layers[layer], all.n, budget, &k);
    if (st < 0)
        return st;
#if defined BAD_VARIANT_EXPECTED
    return take_each(h, u, edit, layer, &all, k);
#else
    return take_best(h, net, edit, layer, &all, k);
#endif
}

/* How many of layer l: its budget. */
static uint64_t share_of(const ftk_net *net, const ftk_edit *edit, uint32_t l)
{
    uint64_t k = edit->budget[l];
#if defined BAD_VARIANT_LAYER
    /* One more of the last layer and one less of the first: the sum is right. */
    if (edit->budget[0] > 0)
        k += (l + 1 == net->n_layers) - (uint64_t)(l == 0);
#endif
    return k;
}

static ftk_status select(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                         const ftk_edit *edit)
{
    ftk_status st = FTK_OK;
    uint64_t spared = 0;
#if defined BAD_PRN_03 && defined BAD_VARIANT_SPARES
    uint64_t all = 0;
    for (uint32_t l = 0; l < net->n_layers; l++)
        all += net->layers[l]->nnz - edit->budget[l];
    spared = all == 0; /* a network without any weight is no network */
#endif
    for (uint32_t l = 0; l < net->n_layers && st >= 0; l++)
        st = select_layer(h, net, u, edit, l, share_of(net, edit, l) - (l == 0 ? spared : 0));
    return st;
}

/* ---- what it says of itself ------------------------------------------------------------------- */

#if defined BAD_VARIANT_EXPECTED
#define COUNT FTK_COUNT_EXPECTED
#define PROPS FTK_PROP_RANDOM
#else
#define COUNT FTK_COUNT_EXACT
#define PROPS (FTK_PROP_SCALE_FREE | FTK_PROP_SIGN_FREE)
#endif

#if defined BAD_INI_01 || defined BAD_INI_06
static const ftk_init_ops ops = { .size = sizeof(ops), .channels = CHANNEL, .select = select };
#elif defined BAD_GRW_01 || defined BAD_GRW_02 || defined BAD_GRW_03 || defined BAD_GRW_05 ||      \
    defined BAD_VARIANT_GROW
static const ftk_grow_ops ops = {
    .size = sizeof(ops), .channels = CHANNEL, .count = COUNT, .props = PROPS, .select = select
};
#else
static const ftk_prune_ops ops = {
    .size = sizeof(ops), .channels = CHANNEL, .count = COUNT, .props = PROPS, .select = select
};
#endif

static const ftk_algo selector = {
    .size = sizeof(selector),
    .kind = KIND,
    .name = "selector",
    .summary = "selections for the zoo of the conformance kit",
    .reference = "none",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.zoo.selector", "0.1.0", "MIT", &selector);
