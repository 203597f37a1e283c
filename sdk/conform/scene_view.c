/* SPDX-License-Identifier: MIT
 * conform/scene_view.c - ftk_net and ftk_edit over a scene, as strict as the core's own.
 *
 * What a read lends is unmapped at the next one, so that whoever keeps it is caught; but for rules that
 * look for other mistakes.
 */
#include "conform/scene.h"
#include "plugin/channels.h"
#include <stdarg.h>
#include <string.h>

static ftk_status refuse(struct ftk__view *v, bool *which, ftk_status st, const char *fmt, ...)
    FTK_PRINTF(4, 5);

static ftk_status refuse(struct ftk__view *v, bool *which, ftk_status st, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (!v->host->wrong_read && !v->host->wrong_take)
        ftk__format(v->host->wrong, sizeof(v->host->wrong), "%s", text);
    *which = true;
    return v->host->table->fail(v->host->table, st, "%s", text);
}

static void drop_lent(struct ftk__view *v)
{
    if (v->how->keep)
        v->n_lent = 0;
    while (v->n_lent > 0)
        ftk__guard_drop(v->lent[--v->n_lent]);
}

/* Keeps note of every array of `c`, to be dropped at the next read. */
static void note_lent(struct ftk__view *v, ftk_cand *c)
{
    const void *arrays[] = { c, c->index, c->weight, c->grad, c->momentum, c->age, c->fired };
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        if (arrays[i])
            v->lent[v->n_lent++] = (void *)(uintptr_t)arrays[i];
}

static ftk_status net_read(const ftk_net *net, uint32_t layer, uint32_t which, uint32_t channels,
                           uint64_t cap, uint64_t *cursor, ftk_cand *ret)
{
    struct ftk__view *v = net->impl;
    char undeclared[FTK__CHANNEL_NAMES], declared[FTK__CHANNEL_NAMES];
    uint64_t n;
    if (layer >= v->s->n_layers)
        return refuse(v, &v->host->wrong_read, FTK_ERANGE, "read of layer %u, the network has %u",
                      layer, v->s->n_layers);
    if (which != FTK_ACTIVE && which != FTK_INACTIVE)
        return refuse(v, &v->host->wrong_read, FTK_EINVAL,
                      "read of list %u, which is neither active nor inactive", which);
    if (channels & ~v->channels)
        return refuse(v, &v->host->wrong_read, FTK_EINVAL, "read of channel %s, declared: %s",
                      ftk__channel_names(channels & ~v->channels, undeclared),
                      ftk__channel_names(v->channels, declared));
    if (cap == 0)
        return refuse(v, &v->host->wrong_read, FTK_EINVAL, "read of at most 0 entries");
    const uint64_t *list = ftk__scene_list(&v->s->l[layer], which, &n);
    if (*cursor > n)
        return refuse(v, &v->host->wrong_read, FTK_EINVAL, "read from entry %llu of %llu",
                      (unsigned long long)*cursor, (unsigned long long)n);
    uint64_t count = n - *cursor < cap ? n - *cursor : cap;
    if (v->how->chunk > 0 && count > v->how->chunk)
        count = v->how->chunk;
    drop_lent(v);
    ftk_cand *c = ftk__scene_cand(&v->s->l[layer], list, *cursor, count, channels, v->how);
    note_lent(v, c);
    memcpy(ret, c, sizeof(*ret));
    ret->size = sizeof(*ret);
    *cursor += count;
    v->reads++;
    return FTK_OK;
}

static ftk_status edit_take(const ftk_edit *e, uint32_t layer, const uint64_t *index, uint64_t n)
{
    struct ftk__view *v = e->impl;
    if (layer >= v->s->n_layers)
        return refuse(v, &v->host->wrong_take, FTK_ERANGE, "take in layer %u, the network has %u",
                      layer, v->s->n_layers);
    const struct ftk__scene_layer *l = &v->s->l[layer];
    for (uint64_t i = 0; i < n; i++) {
        unsigned long long at = index[i];
        if (index[i] >= l->layer.n)
            return refuse(v, &v->host->wrong_take, FTK_ERANGE,
                          "weight %llu taken in layer '%s', which has %llu", at, l->name,
                          (unsigned long long)l->layer.n);
        if (v->taken[layer][index[i]])
            return refuse(v, &v->host->wrong_take, FTK_EINVAL,
                          "weight %llu of layer '%s' taken twice", at, l->name);
        if (l->active[index[i]] != (v->which == FTK_ACTIVE))
            return refuse(v, &v->host->wrong_take, FTK_EINVAL,
                          "weight %llu of layer '%s' taken, which is %s", at, l->name,
                          v->which == FTK_ACTIVE ? "not active" : "active");
        v->taken[layer][index[i]] = 1;
        v->took[layer]++;
    }
    return FTK_OK;
}

static void make_edit(struct ftk__view *v, const uint64_t *budget)
{
    uint32_t n = v->s->n_layers;
    v->budget = ftk__guard_new("budget", n * sizeof(*budget), 8, v->how->side, 0);
    memcpy(v->budget, budget, n * sizeof(*budget));
    ftk__guard_read_only(v->budget);
    const ftk_edit e = {
        .size = sizeof(e), .n_layers = n, .budget = v->budget, .impl = v, .take = edit_take
    };
    v->edit = ftk__kit_struct("edit", &e, sizeof(e), v->how, false);
}

void ftk__view_open(struct ftk__case *c, struct ftk__scene *s, struct ftk__kit_host *host,
                    const struct ftk__how *how, uint32_t channels, uint32_t which,
                    const uint64_t *budget, struct ftk__view *ret)
{
    uint32_t n = s->n_layers;
    *ret = (struct ftk__view){
        .c = c, .s = s, .host = host, .how = how, .channels = channels, .which = which
    };
    ret->took = ftk__kit_alloc(c, n, sizeof(*ret->took));
    ret->taken = ftk__kit_alloc(c, n, sizeof(*ret->taken));
    const ftk_layer **layers = ftk__guard_new("layers", n * sizeof(*layers), 8, how->side, 0);
    for (uint32_t k = 0; k < n; k++) {
        layers[k] = ftk__scene_layer(&s->l[k], how);
        ret->taken[k] = ftk__kit_alloc(c, s->l[k].layer.n + 1, 1);
    }
    ftk__guard_read_only(layers);
    const ftk_net net = {
        .size = sizeof(net), .n_layers = n, .layers = layers, .impl = ret, .read = net_read
    };
    ret->net = ftk__kit_struct("net", &net, sizeof(net), how, false);
    if (budget)
        make_edit(ret, budget);
}

void ftk__view_close(struct ftk__view *v, const char *call, ftk_status st)
{
    drop_lent(v);
    bool wrong = v->host->wrong_read || v->host->wrong_take;
    if (wrong && st >= 0 && !v->how->tolerant)
        ftk__kit_fail(v->c, "%s(): %s", call, v->host->wrong);
}
