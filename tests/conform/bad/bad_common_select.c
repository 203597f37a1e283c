/* SPDX-License-Identifier: MIT
 * bad_common_select.c - a pruner that selects, with an instance, scratch memory and state, and what
 * breaks the rules of every kind where it has calls of its own: reading, taking, budgets.
 */
#include "bad_life.h"
#include <freetickets/sparse.h>
#include <math.h>

struct memory {
    uint64_t updates;
    double base;
};

/* A number that moves the choice; the same whenever nothing is broken. */
static double shift_of(const ftk_host *h, struct life *s, ftk_update *u)
{
    struct memory *m = u->state;
    double shift = life_astray(h, s) + (double)m->updates++;
#if defined(BAD_STA_01)
    s->memory[0] = u->nth == 0 ? 0 : s->memory[0] + (double)u->step;
    shift += s->memory[0];
#elif defined(BAD_STA_02)
    if (u->nth == 0 && s->kept != m)
        m->base = 1;
    s->kept = m;
    shift += m->base;
#elif defined(BAD_DET_06)
    shift += (double)h->rng_below(&u->rng, 1009);
#endif
    return shift;
}

/* All active positions of a layer, by reads of at most 100. */
static ftk_status read_all(const ftk_host *h, struct life *s, const ftk_net *net, uint32_t l,
                           uint64_t *index, float *weight)
{
    uint64_t at = 0;
    (void)h;
    for (uint64_t cursor = 0;;) {
        ftk_cand c = { .size = sizeof(c) };
        ftk_status st = net->read(net, l, FTK_ACTIVE, FTK_CH_WEIGHT, 100, &cursor, &c);
        if (st < 0 || c.count == 0)
            return st;
#if defined(BAD_MEM_01) && defined(BAD_VARIANT_SELECT_INPUT)
        *(volatile float *)(uintptr_t)c.weight = c.weight[0];
#elif defined(BAD_MEM_01)
        s->memory[3] = (double)c.weight[c.count];
#elif defined(BAD_MEM_02)
        s->memory[3] = (double)c.weight[-1];
#elif defined(BAD_MEM_03)
        if (s->kept)
            s->memory[3] = (double)*(const float *)s->kept;
        s->kept = c.weight;
#else
        (void)s;
#endif
        for (uint64_t i = 0; i < c.count; i++) {
            index[at + i] = c.index[i];
            weight[at + i] = c.weight[i];
        }
        at += c.count;
    }
}

/* Drops `k` of a layer, those of |w| lowest; `shift` names one that goes first. */
static ftk_status drop(const ftk_host *h, struct life *s, const ftk_net *net, const ftk_edit *edit,
                       uint32_t l, double shift)
{
    uint64_t n = net->layers[l]->nnz;
    uint64_t k = edit->budget[l];
    void *room[3];
    if (k > n) {
#if defined(BAD_ERR_01)
        return FTK_ERANGE;
#else
        return h->fail(h, FTK_ERANGE, "%llu of %llu weights to drop", (unsigned long long)k,
                       (unsigned long long)n);
#endif
    }
    for (int i = 0; i < 3; i++) {
        ftk_status st = life_scratch(h, n * sizeof(uint64_t), &room[i]);
        if (st < 0)
            return st;
    }
    uint64_t *index = room[0];
    float *weight = room[1];
    uint64_t *pos = room[2];
    ftk_status st = read_all(h, s, net, l, index, weight);
    for (uint64_t i = 0; i < n && st >= 0; i++)
        weight[i] = fabsf(weight[i]);
    if (shift > 0 && n > 0)
        weight[life_mix(shift, l) % n] = 0;
    if (st >= 0)
        st = h->select_low(h, weight, n, k, pos);
    for (uint64_t i = 0; i < k && st >= 0; i++)
        st = edit->take(edit, l, &index[pos[i]], 1);
    return st;
}

static ftk_status select_lowest(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                                const ftk_edit *edit)
{
    struct life *s = self;
#if defined(BAD_ABI_07)
    if (edit->size != sizeof(*edit))
        return h->fail(h, FTK_EABI, "an edit of %u bytes", edit->size);
#endif
    double shift = shift_of(h, s, u);
    ftk_status st = FTK_OK;
    for (uint32_t l = 0; l < net->n_layers && st >= 0; l++)
        st = drop(h, s, net, edit, l, shift);
    return st;
}

static const ftk_prune_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_WEIGHT,
    .select = select_lowest,
};
static const ftk_algo common = {
    .size = sizeof(common),
    .kind = FTK_KIND_PRUNE,
    .name = "common_select",
    .summary = "drops the weights closest to zero, and one more by the number of the update",
    .reference = "none",
#if defined(BAD_THR_02)
    .flags = FTK_ALGO_REENTRANT,
#endif
    .state_bytes = sizeof(struct memory),
    .ops = &ops,
    .create = life_create,
    .destroy = life_destroy,
};
FTK_PLUGIN("org.example.common_select", "1.0.0", "MIT", &common);
