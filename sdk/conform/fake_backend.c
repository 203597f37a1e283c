/* SPDX-License-Identifier: MIT
 * conform/fake_backend.c - flat arrays and a bitmap behind ftk_backend_ops.
 */
#include "conform/fake_backend.h"
#include <freetickets/backend.h>
#include <stdlib.h>
#include <string.h>

enum { LENT = 64 * 1024, WORD = 64 };

struct ftk_prog {
    struct fake_backend fake;
};

static ftk_status refuse(ftk_prog *p, ftk_status st, const char *why)
{
    const ftk_host *h = ftk__host_table(p->fake.engine.host);
    return h->fail(h, st, "%s", why);
}

/* Positions of a list from *cursor on, and of inactive ones value[position] in `to`; whole words
 * without a branch a position, for `index` and `to` have room for a word more. */
static uint64_t list_positions(const struct fake_layer *l, bool active, uint64_t cap,
                               uint64_t *cursor, uint64_t *restrict index, const float *value,
                               float *restrict to)
{
    const uint64_t flip = active ? 0 : UINT64_MAX;
    uint64_t n = 0;
    uint64_t i = *cursor;
    while (i < l->n && n < cap) {
        uint64_t word = (l->active[i / WORD] ^ flip) >> (i % WORD);
        uint64_t left = l->n - i < WORD - i % WORD ? l->n - i : WORD - i % WORD;
        if (left == WORD && n + WORD <= cap) {
            for (; active && word; word &= word - 1)
                index[n++] = i + (uint64_t)__builtin_ctzll(word);
            for (uint64_t b = 0; b < WORD && !active; b++) {
                index[n] = i + b;
                to[n] = value[i + b];
                n += (word >> b) & 1;
            }
            i += WORD;
            continue;
        }
        for (uint64_t b = 0; b < left && n < cap; b++, i++) {
            index[n] = i;
            to[n] = value[i];
            n += (word >> b) & 1;
        }
    }
    *cursor = i;
    return n;
}

static void pick(const float *from, const uint64_t *index, uint64_t n, float *to)
{
    for (uint64_t i = 0; i < n; i++)
        to[i] = from[index[i]];
}

static ftk_status read_list(ftk_prog *p, bool active, uint32_t layer, uint32_t channels,
                            uint64_t cap, uint64_t *cursor, ftk_cand *ret)
{
    struct fake_backend *f = &p->fake;
    const struct fake_layer *l = &f->layer[layer];
    if (layer >= f->n_layers)
        return refuse(p, FTK_ERANGE, "no such layer");
    if (channels & ~f->channels)
        return refuse(p, FTK_EINVAL, "a channel that was not asked for");
    if ((channels & FTK_CH_GRAD) && f->no_grad)
        return refuse(p, FTK_ESTATE, "the gradient was not kept");
    if (f->poison)
        memset(f->index, 0xa5, f->lent * sizeof(*f->index));
    if (f->most && cap > f->most)
        cap = f->most;
    ftk_cand c = { .size = sizeof(c), .channels = channels, .index = f->index };
    c.count =
        list_positions(l, active, cap < LENT ? cap : LENT, cursor, f->index, l->grad, f->grad);
    if (channels & FTK_CH_WEIGHT) {
        pick(l->weight, f->index, c.count, f->weight);
        c.weight = f->weight;
    }
    if (channels & FTK_CH_GRAD) {
        if (active)
            pick(l->grad, f->index, c.count, f->grad);
        c.grad = f->grad;
    }
    if (channels & FTK_CH_MOMENTUM) {
        pick(l->momentum, f->index, c.count, f->momentum);
        c.momentum = f->momentum;
    }
    f->lent = c.count;
    *ret = c;
    return FTK_OK;
}

static ftk_status read_active(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                              uint64_t *cursor, ftk_cand *ret)
{
    return read_list(p, true, layer, channels, cap, cursor, ret);
}

static ftk_status read_inactive(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                                uint64_t *cursor, ftk_cand *ret)
{
    struct fake_backend *f = &p->fake;
    uint32_t n = f->n_grad_order;
    if ((channels & FTK_CH_GRAD) && n < 256 && (n == 0 || f->grad_order[n - 1] != layer))
        f->grad_order[f->n_grad_order++] = layer;
    return read_list(p, false, layer, channels, cap, cursor, ret);
}

static ftk_status check_list(ftk_prog *p, const struct fake_layer *l, const uint64_t *index,
                             uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        if (index[i] >= l->n)
            return refuse(p, FTK_ERANGE, "edit out of range");
        if (i > 0 && index[i] <= index[i - 1])
            return refuse(p, FTK_EINVAL, "edit out of order");
    }
    return FTK_OK;
}

static ftk_status check_change(ftk_prog *p, const struct fake_layer *l, const ftk_change *c)
{
    ftk_status st = check_list(p, l, c->drop, c->n_drop);
    if (st == FTK_OK)
        st = check_list(p, l, c->add, c->n_add);
    if (st < 0)
        return st;
    for (uint64_t i = 0; i < c->n_drop; i++) {
        if (!fake_active(l, c->drop[i]))
            return refuse(p, FTK_EINVAL, "drop of an inactive weight");
    }
    uint64_t d = 0;
    for (uint64_t i = 0; i < c->n_add; i++) {
        while (d < c->n_drop && c->drop[d] < c->add[i])
            d++;
        bool dropped = d < c->n_drop && c->drop[d] == c->add[i];
        if (fake_active(l, c->add[i]) && !dropped)
            return refuse(p, FTK_EINVAL, "add of an active weight");
    }
    return FTK_OK;
}

static void add_one(struct fake_layer *l, const ftk_change *c, uint64_t a)
{
    fake_set_active(l, c->add[a], true);
    l->weight[c->add[a]] = c->value ? c->value[a] : 0;
    if (!(c->flags & FTK_EDIT_KEEP_MOMENTUM))
        l->momentum[c->add[a]] = 0;
}

/* Both lists in one pass, so that memory is walked once. */
static ftk_status edit(ftk_prog *p, uint32_t layer, const ftk_change *c)
{
    struct fake_backend *f = &p->fake;
    struct fake_layer *l = &f->layer[layer];
    if (layer == f->fail_edit)
        return refuse(p, FTK_EIO, "this edit was told to fail");
    ftk_status st = check_change(p, l, c);
    if (st < 0)
        return st;
    uint64_t a = 0;
    for (uint64_t d = 0; d < c->n_drop; d++) {
        for (; a < c->n_add && c->add[a] < c->drop[d]; a++)
            add_one(l, c, a);
        fake_set_active(l, c->drop[d], false);
        l->weight[c->drop[d]] = 0;
        if (!f->dense_momentum)
            l->momentum[c->drop[d]] = 0;
    }
    for (; a < c->n_add; a++)
        add_one(l, c, a);
    return FTK_OK;
}

static ftk_status mask(ftk_prog *p, uint32_t layer, const uint64_t *active, uint64_t n)
{
    struct fake_layer *l = &p->fake.layer[layer];
    ftk_status st = check_list(p, l, active, n);
    if (st < 0)
        return st;
    memset(l->active, 0, (l->n / WORD + 1) * sizeof(*l->active));
    memset(l->weight, 0, l->n * sizeof(*l->weight));
    memset(l->momentum, 0, l->n * sizeof(*l->momentum));
    for (uint64_t i = 0; i < n; i++)
        l->active[active[i] / WORD] |= UINT64_C(1) << (active[i] % WORD);
    l->nnz = n;
    return FTK_OK;
}

/* Two arrays a layer: its active weights and their momentum. */
static ftk_status tensor(ftk_prog *p, uint32_t i, ftk_tensor *ret)
{
    if (i / 2 >= p->fake.n_layers)
        return FTK_DONE;
    ret->role = FTK_TENSOR_WEIGHT | (i % 2 ? FTK_TENSOR_MOMENT1 : 0);
    ret->node = i / 2;
    ret->member = 0;
    ret->n = p->fake.layer[i / 2].nnz;
    return FTK_OK;
}

/* Copies entries [from, from + n) of array i out, or in where `in` is given. */
static ftk_status transfer(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, float *out,
                           const float *in)
{
    if (i / 2 >= p->fake.n_layers || from + n > p->fake.layer[i / 2].nnz)
        return refuse(p, FTK_ERANGE, "array out of range");
    struct fake_layer *l = &p->fake.layer[i / 2];
    float *array = i % 2 ? l->momentum : l->weight;
    uint64_t at = 0;
    for (uint64_t k = 0; k < l->n; k++) {
        if (!fake_active(l, k))
            continue;
        if (at >= from && at < from + n && in)
            array[k] = in[at - from];
        else if (at >= from && at < from + n)
            out[at - from] = array[k];
        at++;
    }
    return FTK_OK;
}

static ftk_status get(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, float *ret)
{
    return transfer(p, i, from, n, ret, NULL);
}

static ftk_status put(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, const float *v)
{
    return transfer(p, i, from, n, NULL, v);
}

static const ftk_backend_ops ops = {
    .size = sizeof(ops),
    .read_active = read_active,
    .read_inactive = read_inactive,
    .edit = edit,
    .mask = mask,
    .tensor = tensor,
    .get = get,
    .put = put,
};

static const ftk_algo fake = {
    .size = sizeof(fake),
    .kind = FTK_KIND_BACKEND,
    .name = "fake",
    .summary = "flat arrays",
    .reference = "",
    .ops = &ops,
};
static const struct ftk__entry entry = { .algo = &fake };

static bool layer_init(struct fake_layer *l, uint64_t n)
{
    l->n = n;
    l->nnz = n;
    l->weight = calloc(n + 1, sizeof(*l->weight));
    l->grad = calloc(n + 1, sizeof(*l->grad));
    l->momentum = calloc(n + 1, sizeof(*l->momentum));
    l->active = calloc(n / WORD + 1, sizeof(*l->active));
    if (!l->weight || !l->grad || !l->momentum || !l->active)
        return false;
    for (uint64_t i = 0; i < n; i++)
        l->active[i / WORD] |= UINT64_C(1) << (i % WORD);
    return true;
}

struct fake_backend *fake_backend_new(const uint64_t *n, uint32_t n_layers)
{
    ftk_prog *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    struct fake_backend *f = &p->fake;
    f->engine =
        (struct ftk__engine){ .entry = &entry, .ops = &ops, .prog = p, .host = ftk__host_new() };
    f->n_layers = n_layers;
    f->channels = FTK_CH_WEIGHT | FTK_CH_GRAD | FTK_CH_MOMENTUM;
    f->fail_edit = UINT32_MAX;
    f->layer = calloc(n_layers, sizeof(*f->layer));
    f->index = calloc(LENT + WORD, sizeof(*f->index));
    f->weight = calloc(LENT, sizeof(*f->weight));
    f->grad = calloc(LENT + WORD, sizeof(*f->grad));
    f->momentum = calloc(LENT, sizeof(*f->momentum));
    bool good = f->engine.host && f->layer && f->index && f->weight && f->grad && f->momentum;
    for (uint32_t l = 0; l < n_layers && good; l++)
        good = layer_init(&f->layer[l], n[l]);
    if (good)
        return f;
    fake_backend_free(f);
    return NULL;
}

void fake_backend_free(struct fake_backend *f)
{
    if (!f)
        return;
    for (uint32_t l = 0; l < f->n_layers && f->layer; l++) {
        free(f->layer[l].weight);
        free(f->layer[l].grad);
        free(f->layer[l].momentum);
        free(f->layer[l].active);
    }
    free(f->layer);
    free(f->index);
    free(f->weight);
    free(f->grad);
    free(f->momentum);
    ftk__host_free(f->engine.host);
    free(f->engine.prog); /* of which `f` is a part */
}
