/* SPDX-License-Identifier: MIT
 * sparse/topology_init.c - INIT: the first masks of a network.
 */
#include "sparse/bits.h"
#include "sparse/budget.h"
#include "sparse/densities.h"
#include "sparse/draw.h"
#include "sparse/netview.h"
#include <inttypes.h>
#include <string.h>

static void forget(struct ftk__topology *t)
{
    struct ftk__rule *rules[] = { &t->init, &t->prune, &t->grow, &t->allot };
    uint64_t all = t->first[t->n_layers];
    memset(t->fired, 0, ftk__bits_words(all) * sizeof(*t->fired));
    if (t->born)
        memset(t->born, 0, all * sizeof(*t->born));
    for (uint32_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i]->state)
            memset(rules[i]->state, 0, rules[i]->state_bytes);
    }
    for (uint32_t l = 0; l < t->n_layers; l++) {
        t->layers[l].density_target = 0;
        t->target[l] = 0;
    }
    t->updates = 0;
}

/* Replaces a layer's active set. */
static ftk_status set_mask(struct ftk__topology *t, struct ftk__engine *e, uint32_t layer,
                           const struct ftk__picked *active, struct ftk_error *reterr)
{
    ftk__engine_begin(e);
    ftk_status st = e->ops->mask(e->prog, layer, active->index, active->n);
    st = ftk__engine_end(e, st, reterr);
    if (st < 0)
        return st;
    t->layers[layer].nnz = active->n;
    ftk__topology_fire(t, layer, active->index, active->n, t->updates);
    return FTK_OK;
}

static ftk_status all_of(uint64_t n, struct ftk__picked *ret, struct ftk_error *reterr)
{
    uint64_t *v = ftk__alloc_array(n, sizeof(*v));
    if (!v)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for %" PRIu64 " weights", n);
    for (uint64_t i = 0; i < n; i++)
        v[i] = i;
    *ret = (struct ftk__picked){ v, n };
    return FTK_OK;
}

/* A random mask: exactly `count`, or each weight with probability `density`. */
static ftk_status draw_mask(const struct ftk__work *w, uint32_t layer, uint64_t count,
                            double density, struct ftk__picked *ret, struct ftk_error *reterr)
{
    const uint64_t n = w->layers[layer].n;
    ftk_rng rng = ftk__rng_stream(w->t->seed, FTK__FOR_MASK, w->at.member, layer, 0);
    if (density >= 1)
        return all_of(n, ret, reterr);
    uint64_t *bits = ftk__alloc_array(ftk__bits_words(n), sizeof(*bits));
    if (!bits)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for a mask of %" PRIu64, n);
    if (w->t->options->count == FTK__COUNTING_BERNOULLI)
        ftk__draw_bernoulli(&rng, n, density, bits);
    else
        ftk__draw_floyd(&rng, n, count, bits);
    ftk_status st = ftk__draw_list(bits, n, ret, reterr);
    ftk__free(bits);
    return st;
}

/* Level 1: positions are the core's. */
static ftk_status draw_masks(struct ftk__work *w, const double *density, const uint64_t *count,
                             struct ftk_error *reterr)
{
    struct ftk__topology *t = w->t;
    ftk_status st = FTK_OK;
    for (uint32_t l = 0; l < t->n_layers && st == FTK_OK; l++) {
        struct ftk__picked active = { 0 };
        st = draw_mask(w, l, count[l], density[l], &active, reterr);
        if (st == FTK_OK)
            st = set_mask(t, w->engine, l, &active, reterr);
        ftk__free(active.index);
        t->target[l] = density[l];
    }
    return st;
}

/* Level 2: positions are the rule's. */
static ftk_status choose_masks(struct ftk__work *w, const uint64_t *count, struct ftk_error *reterr)
{
    struct ftk__topology *t = w->t;
    /* The densities of layers are the rule's to choose, their sum is the experiment's. */
    ftk_status st = ftk__netview_select(w, &t->init, FTK_ACTIVE, count, false, w->add, reterr);
    for (uint32_t l = 0; l < t->n_layers && st == FTK_OK; l++) {
        st = set_mask(t, w->engine, l, &w->add[l], reterr);
        t->target[l] = (double)w->add[l].n / (double)t->layers[l].n;
    }
    return st;
}

/* A rule that reads weights or gradients needs the dense network that it is to thin out. */
static ftk_status check_dense(struct ftk__work *w, struct ftk_error *reterr)
{
    struct ftk__topology *t = w->t;
    w->counted = (t->init.channels & FTK__CH_BACKEND) == 0;
    for (uint32_t l = 0; l < t->n_layers; l++) {
        w->layers[l].density_target = 0;
        if (!w->counted && t->layers[l].nnz != t->layers[l].n)
            return ftk__fail(reterr, FTK_ESTATE,
                             "layer %s has %" PRIu64 " of %" PRIu64
                             " weights, the init plugin reads a dense network",
                             t->layers[l].name, t->layers[l].nnz, t->layers[l].n);
        w->layers[l].nnz = w->layers[l].n;
    }
    return FTK_OK;
}

static ftk_status init_sparse(struct ftk__work *w, double density, struct ftk_error *reterr)
{
    struct ftk__topology *t = w->t;
    const uint32_t n = t->n_layers;
    double *want = ftk__alloc_array(n, sizeof(*want));
    uint64_t *count = ftk__alloc_array(n, sizeof(*count));
    uint64_t *size = ftk__alloc_array(n, sizeof(*size));
    ftk_status st = FTK_OK;
    if (!want || !count || !size)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the masks of %" PRIu32 " layers", n);
    if (st == FTK_OK)
        st = check_dense(w, reterr);
    if (st == FTK_OK)
        st = ftk__densities(w, density, want, reterr);
    for (uint32_t l = 0; l < n && st == FTK_OK; l++)
        size[l] = w->layers[l].n;
    if (st == FTK_OK)
        st = ftk__budget_counts(want, size, n, count, reterr);
    if (st == FTK_OK)
        st = t->init.select ? choose_masks(w, count, reterr) : draw_masks(w, want, count, reterr);
    for (uint32_t l = 0; l < n && st == FTK_OK; l++)
        t->layers[l].density_target = t->target[l];
    ftk__free(want);
    ftk__free(count);
    ftk__free(size);
    return st;
}

static ftk_status init_dense(struct ftk__work *w, struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (uint32_t l = 0; l < w->t->n_layers && st == FTK_OK; l++) {
        struct ftk__picked active = { 0 };
        st = all_of(w->layers[l].n, &active, reterr);
        if (st == FTK_OK)
            st = set_mask(w->t, w->engine, l, &active, reterr);
        ftk__free(active.index);
    }
    return st;
}

ftk_status ftk__topology_init(struct ftk__topology *t, struct ftk__engine *e, uint32_t member,
                              double density, struct ftk_error *reterr)
{
    const struct ftk__topology_event ev = { .member = member };
    struct ftk__work w;
    forget(t);
    ftk_status st = ftk__work_init(&w, t, e, &ev, reterr);
    if (st < 0)
        return st;
    st = density > 0 ? init_sparse(&w, density, reterr) : init_dense(&w, reterr);
    if (st < 0)
        ftk__error_context(reterr, "at the INIT of member %" PRIu32, member);
    ftk__work_done(&w);
    return st;
}

ftk_status ftk__topology_init_masks(struct ftk__topology *t, struct ftk__engine *e,
                                    const struct ftk__topology_mask *mask, struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    forget(t);
    for (uint32_t l = 0; l < t->n_layers && st == FTK_OK; l++) {
        const struct ftk__picked active = { mask[l].index, mask[l].n };
        st = set_mask(t, e, l, &active, reterr);
        t->target[l] = (double)active.n / (double)t->layers[l].n;
        t->layers[l].density_target = t->target[l];
    }
    return st;
}

ftk_status ftk__topology_densities(struct ftk__topology *t, double density, double *ret_density,
                                   struct ftk_error *reterr)
{
    const struct ftk__topology_event ev = { 0 };
    struct ftk__work w;
    for (uint32_t l = 0; l < t->n_layers; l++)
        ret_density[l] = 1;
    if (!(density > 0))
        return FTK_OK;
    ftk_status st = ftk__work_init(&w, t, NULL, &ev, reterr);
    if (st < 0)
        return st;
    w.counted = (t->init.channels & FTK__CH_BACKEND) == 0;
    for (uint32_t l = 0; l < t->n_layers; l++) {
        w.layers[l].density_target = 0;
        w.layers[l].nnz = w.layers[l].n;
    }
    st = ftk__densities(&w, density, ret_density, reterr);
    ftk__work_done(&w);
    return st;
}
