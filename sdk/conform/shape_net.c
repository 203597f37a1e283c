/* SPDX-License-Identifier: MIT
 * conform/shape_net.c - the networks, and how their values are read.
 */
#include "conform/shape_net.h"
#include "base/rng.h"
#include "conform/driver.h"
#include "plugin/channels.h"

static void add(struct ftk__shape_net *n, bool conv, uint32_t out, uint32_t in, uint32_t k,
                const char *name)
{
    ftk_layer *l = &n->layer[n->n];
    *l = (ftk_layer){
        .size = sizeof(*l),
        .type = conv ? FTK_LAYER_CONV2D : FTK_LAYER_LINEAR,
        .index = n->n,
        .shape = { out, in, k, k },
        .n = (uint64_t)out * in * k * k,
        .name = name,
    };
    l->nnz = l->n;
    n->order[n->n] = l;
    n->n++;
}

static void mark_ends(struct ftk__shape_net *n)
{
    n->layer[0].role |= FTK_ROLE_FIRST;
    n->layer[n->n - 1].role |= FTK_ROLE_LAST;
}

void ftk__shape_net_golden(const struct ftk__golden_erk *g, struct ftk__shape_net *ret)
{
    ret->n = 0;
    for (uint32_t i = 0; i < g->n; i++)
        add(ret, g->layer[i].conv, g->layer[i].shape[0], g->layer[i].shape[1], g->layer[i].shape[2],
            g->layer[i].name);
    mark_ends(ret);
}

void ftk__shape_net_odd(uint32_t which, struct ftk__shape_net *ret)
{
    ret->n = 0;
    if (which == 0)
        add(ret, false, 30, 20, 1, "a");
    if (which == 1)
        for (uint32_t i = 0; i < FTK__SHAPE_LAYERS; i++)
            add(ret, i % 2, 1 + i % 17, 1 + (i * 7) % 23, 1 + 2 * (i % 2), "a");
    if (which == 2) {
        add(ret, true, 16, 3, 3, "a");
        add(ret, true, 1, 1, 1, "b"); /* one weight */
        add(ret, false, 10, 64, 1, "c");
    }
    if (which == 3) { /* small layers that saturate beside a huge one */
        add(ret, false, 4, 4, 1, "a");
        add(ret, false, 8, 4, 1, "b");
        add(ret, false, 2000, 2000, 1, "c");
    }
    mark_ends(ret);
}

/* ---- reading ---------------------------------------------------------------------------------- */

enum { CHUNK = 1 << 14 };

struct view {
    const struct ftk__shape_net *n;
    struct ftk__kit_host *host;
    uint32_t channels;
    uint64_t *index; // [CHUNK] written at each read
    float *value;    // [CHUNK] of position modulo CHUNK
    uint32_t *age;   // [CHUNK]
    uint8_t *fired;  // [CHUNK]
};

static ftk_status net_read(const ftk_net *net, uint32_t layer, uint32_t which, uint32_t channels,
                           uint64_t cap, uint64_t *cursor, ftk_cand *ret)
{
    struct view *v = net->impl;
    const ftk_host *h = v->host->table;
    char names[FTK__CHANNEL_NAMES];
    if (layer >= v->n->n || (channels & ~v->channels) || cap == 0 ||
        (which != FTK_ACTIVE && which != FTK_INACTIVE))
        return h->fail(h, FTK_EINVAL, "read of layer %u, list %u, channels %s, at most %llu", layer,
                       which, ftk__channel_names(channels, names), (unsigned long long)cap);
    uint64_t n = which == FTK_ACTIVE ? v->n->order[layer]->n : 0; /* all are active */
    uint64_t at = *cursor % CHUNK;
    uint64_t count = *cursor < n ? n - *cursor : 0;
    if (count > CHUNK - at)
        count = CHUNK - at;
    if (count > cap)
        count = cap;
    for (uint64_t i = 0; i < count; i++)
        v->index[i] = *cursor + i;
    *ret = (ftk_cand){ .size = sizeof(*ret), .channels = channels, .count = count };
    ret->index = v->index;
    ret->weight = channels & FTK_CH_WEIGHT ? v->value + at : NULL;
    ret->grad = channels & FTK_CH_GRAD ? v->value + at : NULL;
    ret->momentum = channels & FTK_CH_MOMENTUM ? v->value + at : NULL;
    ret->age = channels & FTK_CH_AGE ? v->age + at : NULL;
    ret->fired = channels & FTK_CH_FIRED ? v->fired + at : NULL;
    *cursor += count;
    return FTK_OK;
}

static void make_values(struct view *v)
{
    ftk_rng r = { { 2101, 7 }, 0 };
    v->index = ftk__guard_new("index", CHUNK * sizeof(*v->index), 8, FTK__AT_END, 0);
    v->value = ftk__guard_new("values", CHUNK * sizeof(*v->value), 4, FTK__AT_END, 0);
    v->age = ftk__guard_new("age", CHUNK * sizeof(*v->age), 4, FTK__AT_END, 0);
    v->fired = ftk__guard_new("fired", CHUNK, 1, FTK__AT_END, 1);
    for (uint32_t i = 0; i < CHUNK; i++)
        v->value[i] = (float)ftk__rng_normal(&r);
    ftk__guard_read_only(v->value);
    ftk__guard_read_only(v->age);
    ftk__guard_read_only(v->fired);
}

const ftk_net *ftk__shape_net_view(struct ftk__case *c, const struct ftk__shape_net *n,
                                   struct ftk__kit_host *host, uint32_t channels)
{
    const struct ftk__how how = { 0 };
    struct view *v = ftk__kit_alloc(c, 1, sizeof(*v));
    *v = (struct view){ .n = n, .host = host, .channels = channels };
    if (channels)
        make_values(v);
    else
        v->index = ftk__guard_new("index", CHUNK * sizeof(*v->index), 8, FTK__AT_END, 0);
    const ftk_net net = {
        .size = sizeof(net), .n_layers = n->n, .layers = n->order, .impl = v, .read = net_read
    };
    return ftk__kit_struct("net", &net, sizeof(net), &how, false);
}
