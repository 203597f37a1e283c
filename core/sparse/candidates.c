/* SPDX-License-Identifier: MIT
 * sparse/candidates.c - reading a layer's entries as they are after the drop.
 */
#include "sparse/candidates.h"
#include "sparse/bits.h"
#include "sparse/topology_impl.h"
#include <inttypes.h>

ftk_status ftk__reader_init(struct ftk__reader *r, struct ftk__work *w, struct ftk_error *reterr)
{
    *r = (struct ftk__reader){ .work = w };
    r->index = ftk__alloc_array(FTK__CHUNK, sizeof(*r->index));
    r->weight = ftk__alloc_array(FTK__CHUNK, sizeof(*r->weight));
    r->grad = ftk__alloc_array(FTK__CHUNK, sizeof(*r->grad));
    r->momentum = ftk__alloc_array(FTK__CHUNK, sizeof(*r->momentum));
    r->age = ftk__alloc_array(FTK__CHUNK, sizeof(*r->age));
    r->fired = ftk__alloc_array(FTK__CHUNK, sizeof(*r->fired));
    if (r->index && r->weight && r->grad && r->momentum && r->age && r->fired)
        return FTK_OK;
    ftk__reader_done(r);
    return ftk__fail(reterr, FTK_ENOMEM, "no memory to read candidates");
}

void ftk__reader_done(struct ftk__reader *r)
{
    ftk__free(r->index);
    ftk__free(r->weight);
    ftk__free(r->grad);
    ftk__free(r->momentum);
    ftk__free(r->age);
    ftk__free(r->fired);
    *r = (struct ftk__reader){ 0 };
}

/* Every position of a dense network of which nothing else is wanted. */
static void count_block(struct ftk__reader *r, uint64_t cap)
{
    uint64_t n = r->which == FTK_INACTIVE ? 0 : r->work->layers[r->layer].n;
    uint64_t left = n - (r->cursor < n ? r->cursor : n);
    r->block.count = left < cap ? left : cap;
    r->block.index = r->index;
    for (uint64_t i = 0; i < r->block.count; i++)
        r->index[i] = r->cursor + i;
    r->cursor += r->block.count;
}

static ftk_status read_block(struct ftk__reader *r, uint64_t cap, struct ftk_error *reterr)
{
    struct ftk__engine *e = r->work->engine;
    uint32_t channels = r->channels & FTK__CH_BACKEND;
    if (!e)
        return ftk__fail(reterr, FTK_ESTATE, "there is no network to read yet");
    ftk__engine_begin(e);
    ftk_status st;
    if (r->which == FTK_INACTIVE)
        st = e->ops->read_inactive(e->prog, r->layer, channels, cap, &r->cursor, &r->block);
    else
        st = e->ops->read_active(e->prog, r->layer, channels, cap, &r->cursor, &r->block);
    st = ftk__engine_end(e, st, reterr);
    if (st < 0)
        return st;
    if (r->block.count > cap)
        return ftk__fail(reterr, FTK_EINTERNAL,
                         "the backend lent %" PRIu64 " candidates of layer %s, %" PRIu64
                         " were asked for",
                         r->block.count, r->work->layers[r->layer].name, cap);
    return FTK_OK;
}

/* The next block of at most `cap`; its count is 0 at the end. */
static ftk_status load(struct ftk__reader *r, uint64_t cap, struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    r->from = r->cursor;
    r->at = 0;
    r->block = (ftk_cand){ .size = sizeof(r->block) };
    if (r->work->counted)
        count_block(r, cap);
    else
        st = read_block(r, cap, reterr);
    if (st < 0)
        r->block.count = 0;
    r->ended = r->block.count == 0;
    return st;
}

/* Whether the dropped change what is read. */
static bool is_merged(const struct ftk__reader *r)
{
    const struct ftk__work *w = r->work;
    bool forbidden = w->t->options->regrow == FTK__REGROW_FORBIDDEN;
    if (!w->dropped || w->drop[r->layer].picked.n == 0)
        return false;
    return r->which == FTK_ACTIVE || !forbidden;
}

/* Picks what active entries at the dropped positions say; both ascend. */
static ftk_status gather(struct ftk__reader *r, struct ftk__drop *d, struct ftk_error *reterr)
{
    uint64_t done = 0;
    do {
        ftk_status st = load(r, FTK__CHUNK, reterr);
        if (st < 0)
            return st;
        const ftk_cand *b = &r->block;
        for (uint64_t i = 0; i < b->count && done < d->picked.n; i++) {
            if (b->index[i] != d->picked.index[done])
                continue;
            if (r->channels & FTK_CH_GRAD)
                d->grad[done] = b->grad[i];
            if (r->channels & FTK_CH_MOMENTUM)
                d->momentum[done] = b->momentum[i];
            done++;
        }
    } while (!r->ended && done < d->picked.n);
    if (done < d->picked.n)
        return ftk__fail(reterr, FTK_EINTERNAL,
                         "weight %" PRIu64 " of layer %s was dropped but is not active",
                         d->picked.index[done], r->work->layers[r->layer].name);
    return FTK_OK;
}

/* Channels of the dropped that are not simply 0 once they are inactive: the gradient, and the
 * momentum where inactive weights keep theirs. */
static ftk_status fetch_dropped(struct ftk__reader *r, uint32_t layer, uint32_t channels,
                                struct ftk_error *reterr)
{
    struct ftk__drop *d = &r->work->drop[layer];
    uint32_t need = 0;
    if ((channels & FTK_CH_GRAD) && !d->grad)
        need |= FTK_CH_GRAD;
    if ((channels & FTK_CH_MOMENTUM) && !d->momentum)
        need |= FTK_CH_MOMENTUM;
    if (need & FTK_CH_GRAD)
        d->grad = ftk__alloc_array(d->picked.n, sizeof(*d->grad));
    if (need & FTK_CH_MOMENTUM)
        d->momentum = ftk__alloc_array(d->picked.n, sizeof(*d->momentum));
    if (((need & FTK_CH_GRAD) && !d->grad) || ((need & FTK_CH_MOMENTUM) && !d->momentum))
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for %" PRIu64 " dropped weights",
                         d->picked.n);
    if (r->work->t->options->inactive_momentum != FTK__INACTIVE_ACCUMULATE)
        need &= ~(uint32_t)FTK_CH_MOMENTUM; /* stays 0 */
    if (!need)
        return FTK_OK;
    r->layer = layer;
    r->which = FTK_ACTIVE;
    r->channels = need;
    r->cursor = 0;
    return gather(r, d, reterr);
}

ftk_status ftk__reader_start(struct ftk__reader *r, uint32_t layer, uint32_t which,
                             uint32_t channels, struct ftk_error *reterr)
{
    static const struct ftk__place start = { 0 };
    return ftk__reader_resume(r, layer, which, channels, &start, reterr);
}

ftk_status ftk__reader_resume(struct ftk__reader *r, uint32_t layer, uint32_t which,
                              uint32_t channels, const struct ftk__place *at,
                              struct ftk_error *reterr)
{
    const struct ftk__work *w = r->work;
    r->layer = layer;
    r->which = which;
    if (which == FTK_INACTIVE && is_merged(r) && (channels & (FTK_CH_GRAD | FTK_CH_MOMENTUM))) {
        ftk_status st = fetch_dropped(r, layer, channels, reterr);
        if (st < 0)
            return st;
    }
    r->which = which;
    if (which == FTK__OCCUPIED && w->t->options->regrow == FTK__REGROW_ALLOWED)
        r->which = FTK_ACTIVE;
    r->channels = channels;
    r->drop_at = at->drop_at;
    if (at->at < at->count) { /* within a block: it is read again */
        r->cursor = at->from;
        ftk_status st = load(r, FTK__CHUNK, reterr);
        r->at = at->at;
        return st;
    }
    r->from = at->from;
    r->cursor = at->cursor;
    r->ended = at->ended;
    r->at = 0;
    r->block = (ftk_cand){ .size = sizeof(r->block) };
    return FTK_OK;
}

void ftk__reader_leave(const struct ftk__reader *r, struct ftk__place *ret)
{
    ret->from = r->from;
    ret->cursor = r->cursor;
    ret->at = r->at;
    ret->count = r->block.count;
    ret->drop_at = r->drop_at;
    ret->ended = r->ended;
}

/* Copies the next entries of the block that lie below `next`, at most `limit`, to place `to` of our
 * own arrays; returns how many.  Inlined for each set of channels that it is called with: most
 * entries of a layer pass here at every update. */
static inline uint64_t copy_channels(const struct ftk__reader *r, uint64_t next, uint64_t limit,
                                     uint64_t to, bool weight, bool grad, bool momentum)
{
    uint64_t left = r->block.count - r->at;
    uint64_t most = left < limit ? left : limit;
    if (most == 0)
        return 0; /* there may be no block at all */
    const uint64_t *index = r->block.index + r->at;
    const float *from_weight = weight ? r->block.weight + r->at : NULL;
    const float *from_grad = grad ? r->block.grad + r->at : NULL;
    const float *from_momentum = momentum ? r->block.momentum + r->at : NULL;
    uint64_t *restrict to_index = r->index + to;
    float *restrict to_weight = r->weight + to;
    float *restrict to_grad = r->grad + to;
    float *restrict to_momentum = r->momentum + to;
    uint64_t i = 0;
    for (; i < most; i++) {
        uint64_t now = index[i];
        if (now >= next)
            break;
        to_index[i] = now;
        if (weight)
            to_weight[i] = from_weight[i];
        if (grad)
            to_grad[i] = from_grad[i];
        if (momentum)
            to_momentum[i] = from_momentum[i];
    }
    return i;
}

static uint64_t copy_below(struct ftk__reader *r, uint64_t next, uint64_t limit, uint64_t to)
{
    uint32_t channels = r->channels & FTK__CH_BACKEND;
    uint64_t n;
    if (channels == FTK_CH_GRAD)
        n = copy_channels(r, next, limit, to, false, true, false);
    else if (channels == 0)
        n = copy_channels(r, next, limit, to, false, false, false);
    else
        n = copy_channels(r, next, limit, to, channels & FTK_CH_WEIGHT, channels & FTK_CH_GRAD,
                          channels & FTK_CH_MOMENTUM);
    r->at += n;
    return n;
}

static void copy_dropped(struct ftk__reader *r, const struct ftk__drop *d, uint64_t to)
{
    uint64_t i = r->drop_at;
    r->index[to] = d->picked.index[i];
    if (r->channels & FTK_CH_WEIGHT)
        r->weight[to] = 0;
    if (r->channels & FTK_CH_GRAD)
        r->grad[to] = d->grad[i];
    if (r->channels & FTK_CH_MOMENTUM)
        r->momentum[to] = d->momentum[i];
    r->drop_at++;
}

/* Up to `cap` entries of both lists in order. */
static ftk_status merge(struct ftk__reader *r, uint64_t cap, uint64_t *ret_n,
                        struct ftk_error *reterr)
{
    const struct ftk__drop *d = &r->work->drop[r->layer];
    uint64_t n = 0;
    while (n < cap) {
        if (r->at == r->block.count && !r->ended) {
            ftk_status st = load(r, FTK__CHUNK, reterr);
            if (st < 0)
                return st;
        }
        bool more = r->drop_at < d->picked.n;
        uint64_t next = more ? d->picked.index[r->drop_at] : UINT64_MAX;
        n += copy_below(r, next, cap - n, n);
        if (n == cap || (r->at == r->block.count && !r->ended))
            continue;
        if (!more)
            break;
        copy_dropped(r, d, n);
        n++;
    }
    *ret_n = n;
    return FTK_OK;
}

/* Up to `cap` entries of the block's list that were not dropped. */
static ftk_status filter(struct ftk__reader *r, uint64_t cap, uint64_t *ret_n,
                         struct ftk_error *reterr)
{
    const struct ftk__picked *d = &r->work->drop[r->layer].picked;
    uint64_t n = 0;
    while (n < cap) {
        if (r->at == r->block.count && !r->ended) {
            ftk_status st = load(r, FTK__CHUNK, reterr);
            if (st < 0)
                return st;
        }
        if (r->ended)
            break;
        uint64_t next = r->drop_at < d->n ? d->index[r->drop_at] : UINT64_MAX;
        n += copy_below(r, next, cap - n, n);
        if (r->at < r->block.count && r->block.index[r->at] == next) {
            r->at++;
            r->drop_at++;
        }
    }
    *ret_n = n;
    return FTK_OK;
}

/* What the core keeps, for n entries. */
static void add_own_channels(const struct ftk__reader *r, const uint64_t *index, uint64_t n)
{
    const struct ftk__topology *t = r->work->t;
    const uint64_t first = t->first[r->layer];
    for (uint64_t i = 0; i < n && (r->channels & FTK_CH_FIRED); i++)
        r->fired[i] = ftk__bits_get(t->fired, first + index[i]);
    for (uint64_t i = 0; i < n && (r->channels & FTK_CH_AGE); i++) {
        uint32_t born = t->born[first + index[i]];
        r->age[i] = born ? (uint32_t)t->updates - (born - 1) : UINT32_MAX;
    }
}

ftk_status ftk__reader_next(struct ftk__reader *r, uint64_t cap, ftk_cand *ret,
                            struct ftk_error *reterr)
{
    ftk_cand c = { .size = sizeof(c), .channels = r->channels };
    ftk_status st;
    if (cap > FTK__CHUNK)
        cap = FTK__CHUNK;
    if (is_merged(r)) {
        st = r->which == FTK_INACTIVE ? merge(r, cap, &c.count, reterr)
                                      : filter(r, cap, &c.count, reterr);
        c.index = r->index;
        c.weight = r->channels & FTK_CH_WEIGHT ? r->weight : NULL;
        c.grad = r->channels & FTK_CH_GRAD ? r->grad : NULL;
        c.momentum = r->channels & FTK_CH_MOMENTUM ? r->momentum : NULL;
    } else {
        st = load(r, cap, reterr);
        c.count = r->block.count;
        c.index = r->block.index;
        c.weight = r->channels & FTK_CH_WEIGHT ? r->block.weight : NULL;
        c.grad = r->channels & FTK_CH_GRAD ? r->block.grad : NULL;
        c.momentum = r->channels & FTK_CH_MOMENTUM ? r->block.momentum : NULL;
        r->at = r->block.count;
    }
    if (st < 0)
        return st;
    add_own_channels(r, c.index, c.count);
    c.age = r->channels & FTK_CH_AGE ? r->age : NULL;
    c.fired = r->channels & FTK_CH_FIRED ? r->fired : NULL;
    *ret = c;
    return FTK_OK;
}
