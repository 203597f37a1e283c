/* SPDX-License-Identifier: MIT
 * grow @NAME@ - activate the weights with the largest gradients, and a share of them at random.
 *
 * A level-2 rule: it selects itself.  It reads through `net`, as many entries at a time as it likes,
 * and takes through `edit` exactly as many of each layer as that layer's budget says.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

enum { CHUNK = 4096 };

struct params {
    double random_share;
};
static const ftk_param params[] = {
    FTK_PARAM_F64(struct params, random_share, 0.25, 0, 1, "fraction",
                  "share of the budget that is drawn at random"),
    FTK_PARAM_END,
};

struct pool {        /* inactive entries of a layer that were not chosen yet */
    uint64_t *index; // [n] ascending
    float *size;     // [n] |gradient|
    uint64_t n;
};

static ftk_status read_pool(const ftk_host *h, const ftk_net *net, uint32_t layer, struct pool *ret)
{
    const ftk_layer *l = net->layers[layer];
    uint64_t room = l->n - l->nnz;
    uint64_t cursor = 0;
    ret->n = 0;
    ret->index = h->scratch(h, room * sizeof(*ret->index));
    ret->size = h->scratch(h, room * sizeof(*ret->size));
    if (!ret->index || !ret->size)
        return h->fail(h, FTK_ENOMEM, "no memory for %llu candidates", (unsigned long long)room);
    for (;;) {
        ftk_cand c = { .size = sizeof(c) };
        ftk_status st = net->read(net, layer, FTK_INACTIVE, FTK_CH_GRAD, CHUNK, &cursor, &c);
        if (st != FTK_OK || c.count == 0)
            return st;
        for (uint64_t i = 0; i < c.count; i++, ret->n++) {
            ret->index[ret->n] = c.index[i];
            ret->size[ret->n] = fabsf(c.grad[i]);
        }
    }
}

/* Takes the k largest and leaves the others in the pool, still ascending. */
static ftk_status take_largest(const ftk_host *h, const ftk_edit *edit, uint32_t layer,
                               struct pool *p, uint64_t k)
{
    uint64_t *chosen = h->scratch(h, k * sizeof(*chosen));
    if (!chosen)
        return h->fail(h, FTK_ENOMEM, "no memory for %llu weights", (unsigned long long)k);
    ftk_status st = h->select_high(h, p->size, p->n, k, chosen);
    if (st != FTK_OK)
        return st;
    uint64_t left = 0;
    for (uint64_t i = 0, c = 0; i < p->n; i++) {
        if (c < k && chosen[c] == i)
            chosen[c++] = p->index[i];
        else
            p->index[left++] = p->index[i];
    }
    p->n = left;
    return edit->take(edit, layer, chosen, k);
}

/* Draws k of the pool, each as likely as any other: the rest of a shuffle that stops early. */
static ftk_status take_random(const ftk_host *h, const ftk_edit *edit, uint32_t layer,
                              struct pool *p, uint64_t k, ftk_rng *rng)
{
    for (uint64_t i = 0; i < k; i++) {
        uint64_t at = i + h->rng_below(rng, p->n - i);
        uint64_t drawn = p->index[at];
        p->index[at] = p->index[i];
        p->index[i] = drawn;
    }
    return edit->take(edit, layer, p->index, k);
}

static ftk_status select_entries(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                                 const ftk_edit *edit)
{
    const struct params *p = self;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        struct pool pool;
        uint64_t k = edit->budget[l];
        uint64_t drawn = (uint64_t)floor(p->random_share * (double)k);
        if (k == 0)
            continue;
        ftk_status st = read_pool(h, net, l, &pool);
        if (st == FTK_OK && k > pool.n)
            st = h->fail(h, FTK_ERANGE, "layer '%s' has room for %llu weights, not %llu",
                         net->layers[l]->name, (unsigned long long)pool.n, (unsigned long long)k);
        if (st == FTK_OK)
            st = take_largest(h, edit, l, &pool, k - drawn);
        if (st == FTK_OK)
            st = take_random(h, edit, l, &pool, drawn, &u->rng);
        if (st != FTK_OK)
            return st;
    }
    return FTK_OK;
}

static const ftk_grow_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_GRAD,
    .count = FTK_COUNT_EXACT,
    .props = FTK_PROP_RANDOM | FTK_PROP_SCALE_FREE | FTK_PROP_SIGN_FREE,
    .select = select_entries,
};
static const ftk_algo rule = {
    .size = sizeof(rule),
    .kind = FTK_KIND_GROW,
    .name = "@NAME@",
    .summary = "activate the largest gradients, and a share of the weights at random",
    .reference = "",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct params, params),
    .ops = &ops,
};
FTK_PLUGIN("org.example.grow.@NAME@", "0.1.0", "MIT", &rule);
