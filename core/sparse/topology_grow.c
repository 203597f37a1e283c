/* SPDX-License-Identifier: MIT
 * sparse/topology_grow.c - counts by layer, then the weights that become active.
 */
#include "sparse/topology_grow.h"
#include "sparse/netview.h"
#include "sparse/select.h"
#include <inttypes.h>

struct counts {
    uint64_t *lost, *room, *count; // [n_layers]
    uint64_t total;                /* to grow                                      */
};

static ftk_status counts_init(struct counts *c, const struct ftk__work *w, struct ftk_error *reterr)
{
    const uint32_t n = w->t->n_layers;
    uint64_t room = 0;
    *c = (struct counts){ .lost = ftk__alloc_array(n, sizeof(uint64_t)),
                          .room = ftk__alloc_array(n, sizeof(uint64_t)),
                          .count = ftk__alloc_array(n, sizeof(uint64_t)) };
    if (!c->lost || !c->room || !c->count)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory to share weights among %" PRIu32 " layers",
                         n);
    for (uint32_t l = 0; l < n; l++) {
        c->lost[l] = w->drop[l].picked.n;
        c->room[l] = ftk__work_room(w, l);
        c->total += c->lost[l];
        room += c->room[l];
    }
    /* Only where more fell than was asked for (ties, free rules) and may not come back. */
    if (c->total > room)
        c->total = room;
    return FTK_OK;
}

static void counts_done(struct counts *c)
{
    ftk__free(c->lost);
    ftk__free(c->room);
    ftk__free(c->count);
}

/* To each what it lost; what finds no room there goes to the first layers that have some. */
static void give_back(const struct ftk__work *w, struct counts *c)
{
    uint64_t left = c->total;
    for (uint32_t l = 0; l < w->t->n_layers; l++) {
        uint64_t some = c->lost[l] < c->room[l] ? c->lost[l] : c->room[l];
        c->count[l] = some < left ? some : left;
        left -= c->count[l];
    }
    for (uint32_t l = 0; l < w->t->n_layers && left; l++) {
        uint64_t some = c->room[l] - c->count[l];
        some = some < left ? some : left;
        c->count[l] += some;
        left -= some;
    }
}

static ftk_status check_allotted(const struct ftk__work *w, const struct counts *c,
                                 const ftk_host *h)
{
    uint64_t sum = 0;
    for (uint32_t l = 0; l < w->t->n_layers; l++) {
        if (c->count[l] > c->room[l])
            return h->fail(h, FTK_ERANGE,
                           "%" PRIu64 " weights for layer '%s', which has room for %" PRIu64,
                           c->count[l], w->layers[l].name, c->room[l]);
        sum += c->count[l]; /* no overflow: each is at most the layer's size */
    }
    if (sum != c->total)
        return h->fail(h, FTK_ERANGE, "the layers' counts sum to %" PRIu64 ", not to %" PRIu64, sum,
                       c->total);
    return FTK_OK;
}

static ftk_status allot(struct ftk__work *w, struct counts *c, struct ftk_error *reterr)
{
    const struct ftk__rule *rule = &w->t->allot;
    const ftk_allot_ops *ops = rule->inst->entry->algo->ops;
    struct ftk__netview view;
    ftk_status st = ftk__netview_init(&view, w, rule, reterr);
    if (st < 0)
        return st;
    ftk_update u = ftk__rule_update(w, rule, FTK__WHOLE_NETWORK);
    const ftk_host *h = ftk__rule_begin(rule);
    st = ops->allot(h, rule->inst->self, &view.net, &u, c->lost, c->room, c->total, c->count);
    if (st == FTK_OK && view.failed == FTK_OK)
        st = check_allotted(w, c, h);
    st = ftk__netview_end(&view, st, reterr);
    ftk__netview_done(&view);
    return st;
}

/* Last layer first: backends let go of a gradient that was read. */
static ftk_status grow_layers(struct ftk__work *w, const struct ftk__choice *choice,
                              const struct counts *c, struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (uint32_t l = w->t->n_layers; l-- > 0 && st == FTK_OK;) {
        if (c->count[l])
            st = ftk__select_layer(w, choice, l, c->count[l], &w->add[l], reterr);
    }
    return st;
}

ftk_status ftk__work_grow(struct ftk__work *w, struct ftk_error *reterr)
{
    const struct ftk__topology *t = w->t;
    const struct ftk__rule *rule = &t->grow;
    struct ftk__choice choice = { .rule = rule,
                                  .which = FTK_INACTIVE,
                                  .bernoulli = t->options->count == FTK__COUNTING_BERNOULLI };
    bool shared = t->options->scope == FTK__SCOPE_NETWORK && !t->allot.inst;
    struct counts c;
    ftk_status st = counts_init(&c, w, reterr);
    if (st < 0)
        goto out;
    if (t->allot.inst)
        st = allot(w, &c, reterr);
    else
        give_back(w, &c);
    if (st < 0)
        goto out;
    if (rule->select)
        st = ftk__netview_select(w, rule, FTK_INACTIVE, c.count, !shared, w->add, reterr);
    else if (shared)
        st = ftk__select_network(w, &choice, c.total, w->add, reterr);
    else
        st = grow_layers(w, &choice, &c, reterr);
out:
    counts_done(&c);
    return st;
}
