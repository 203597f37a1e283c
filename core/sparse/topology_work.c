/* SPDX-License-Identifier: MIT
 * sparse/topology_work.c - an update in the making: its memory, and calls into rules.
 */
#include "sparse/bits.h"
#include "sparse/budget.h"
#include "sparse/topology_impl.h"

ftk_status ftk__work_init(struct ftk__work *w, struct ftk__topology *t, struct ftk__engine *e,
                          const struct ftk__topology_event *ev, struct ftk_error *reterr)
{
    const uint32_t n = t->n_layers;
    *w = (struct ftk__work){ .t = t, .engine = e, .stream = t->updates };
    w->at = (ftk_update){ .size = sizeof(w->at),
                          .member = ev->member,
                          .step = ev->step,
                          .nth = t->updates,
                          .rate = ev->rate };
    w->layers = ftk__alloc_array(n, sizeof(*w->layers));
    w->layer = ftk__alloc_array(n, sizeof(*w->layer));
    w->drop = ftk__alloc_array(n, sizeof(*w->drop));
    w->add = ftk__alloc_array(n, sizeof(*w->add));
    w->score = ftk__alloc_array(FTK__CHUNK, sizeof(*w->score));
    w->shifted = ftk__alloc_array(FTK__CHUNK, sizeof(*w->shifted));
    ftk_status st = FTK_OK;
    if (!w->layers || !w->layer || !w->drop || !w->add || !w->score || !w->shifted)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for a topology update");
    else
        st = ftk__reader_init(&w->reader, w, reterr);
    if (st < 0) {
        ftk__work_done(w);
        return st;
    }
    for (uint32_t l = 0; l < n; l++) {
        w->layers[l] = t->layers[l];
        w->layer[l] = &w->layers[l];
    }
    return FTK_OK;
}

void ftk__work_done(struct ftk__work *w)
{
    for (uint32_t l = 0; w->t && l < w->t->n_layers; l++) {
        if (w->drop) {
            ftk__free(w->drop[l].picked.index);
            ftk__free(w->drop[l].grad);
            ftk__free(w->drop[l].momentum);
        }
        if (w->add)
            ftk__free(w->add[l].index);
    }
    ftk__reader_done(&w->reader);
    ftk__free(w->layers);
    ftk__free(w->layer);
    ftk__free(w->drop);
    ftk__free(w->add);
    ftk__free(w->score);
    ftk__free(w->shifted);
    *w = (struct ftk__work){ 0 };
}

ftk_update ftk__rule_update(const struct ftk__work *w, const struct ftk__rule *r, uint32_t layer)
{
    ftk_update u = w->at;
    bool whole = layer == FTK__WHOLE_NETWORK;
    bool by_update = r->purpose != FTK__FOR_INIT_PLUGIN;
    bool by_layer = r->purpose == FTK__FOR_PRUNE_PLUGIN || r->purpose == FTK__FOR_GROW_PLUGIN;
    uint64_t b = by_update ? w->stream : 0;
    /* No layer has the number that stands for the network. */
    uint64_t c = by_layer ? layer : 0;
    u.rng = ftk__rng_stream(w->t->seed, r->purpose, w->at.member, b, c);
    if (r->state)
        u.state = r->state + (whole ? 0 : layer * r->stride);
    return u;
}

const ftk_host *ftk__rule_begin(const struct ftk__rule *r)
{
    ftk__host_begin(r->inst->host);
    return ftk__host_table(r->inst->host);
}

ftk_status ftk__rule_end(const struct ftk__rule *r, ftk_status st, struct ftk_error *reterr)
{
    const ftk_host *h = ftk__host_table(r->inst->host);
    if (st > 0)
        st = h->fail(h, FTK_EINVAL, "status %d is no answer to this call", (int)st);
    return ftk__host_end(r->inst->host, st, r->inst->entry, reterr);
}

bool ftk__topology_exempt(const struct ftk__topology *t, uint32_t layer)
{
    return t->options->dense_layers == FTK__DENSE_EXEMPT && t->layers[layer].density_target >= 1;
}

uint64_t ftk__work_room(const struct ftk__work *w, uint32_t layer)
{
    const ftk_layer *l = &w->layers[layer];
    if (ftk__topology_exempt(w->t, layer))
        return 0;
    uint64_t room = l->n - l->nnz;
    if (w->dropped && w->t->options->regrow == FTK__REGROW_FORBIDDEN)
        room -= w->drop[layer].picked.n;
    return room;
}

ftk_status ftk__work_apportion(const struct ftk__work *w, uint64_t k, const uint64_t *weight,
                               uint64_t *ret_k, struct ftk_error *reterr)
{
    const uint32_t n = w->t->n_layers;
    uint64_t total = 0;
    for (uint32_t l = 0; l < n; l++)
        total += weight[l];
    double *share = ftk__alloc_array(n, sizeof(*share));
    if (!share)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for a topology update");
    for (uint32_t l = 0; l < n; l++)
        share[l] = weight[l] ? (double)k / (double)total : 0;
    ftk_status st = ftk__budget_counts(share, weight, n, ret_k, reterr);
    ftk__free(share);
    return st;
}

void ftk__topology_fire(struct ftk__topology *t, uint32_t layer, const uint64_t *index, uint64_t n,
                        uint64_t updates)
{
    const uint64_t first = t->first[layer];
    for (uint64_t i = 0; i < n; i++)
        ftk__bits_set(t->fired, first + index[i]);
    for (uint64_t i = 0; i < n && t->born; i++)
        t->born[first + index[i]] = (uint32_t)updates + 1;
}

/* Those that are active and known to be keep the age they have. */
static void mark_new(struct ftk__topology *t, uint32_t layer, const ftk_cand *c)
{
    const uint64_t first = t->first[layer];
    for (uint64_t i = 0; i < c->count; i++)
        ftk__bits_set(t->fired, first + c->index[i]);
    for (uint64_t i = 0; i < c->count && t->born; i++) {
        if (t->born[first + c->index[i]] == 0)
            t->born[first + c->index[i]] = (uint32_t)t->updates + 1;
    }
}

ftk_status ftk__topology_mark(struct ftk__topology *t, struct ftk__engine *e, uint32_t layer,
                              uint64_t *ret_nnz, struct ftk_error *reterr)
{
    uint64_t cursor = 0;
    uint64_t nnz = 0;
    for (;;) {
        ftk_cand c = { .size = sizeof(c) };
        ftk__engine_begin(e);
        ftk_status st = e->ops->read_active(e->prog, layer, 0, FTK__CHUNK, &cursor, &c);
        st = ftk__engine_end(e, st, reterr);
        if (st < 0)
            return st;
        if (c.count == 0)
            break;
        mark_new(t, layer, &c);
        nnz += c.count;
    }
    *ret_nnz = nnz;
    return FTK_OK;
}
