/* SPDX-License-Identifier: MIT
 * plugin_net.c - a network of arrays, read in pieces, and an edit that remembers.
 */
#include "plugin_net.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Active entries only, in chunks of at most `cap` and `most`; channels not asked for are NULL. */
static ftk_status read_active(const ftk_net *net, uint32_t layer, uint32_t which, uint32_t channels,
                              uint64_t cap, uint64_t *cursor, ftk_cand *ret)
{
    struct plugin_net *n = net->impl;
    const struct pn_layer *l = &n->data[layer];
    uint64_t at = 0;
    assert_in_range(layer, 0, n->net.n_layers - 1);
    assert_int_equal(which, FTK_ACTIVE);
    assert_true(cap > 0);
    while (at < l->nnz && l->index[at] < *cursor)
        at++;
    uint64_t most = cap < n->most ? cap : n->most;
    uint64_t count = l->nnz - at < most ? l->nnz - at : most;
    n->channels |= channels;
    *ret = (ftk_cand){ .size = sizeof(*ret), .channels = channels, .count = count };
    ret->index = l->index + at;
    ret->weight = channels & FTK_CH_WEIGHT ? l->weight + at : NULL;
    ret->momentum = channels & FTK_CH_MOMENTUM ? l->momentum + at : NULL;
    *cursor = count > 0 ? l->index[at + count - 1] + 1 : l->n;
    return FTK_OK;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void assert_active(const struct pn_layer *l, uint64_t index)
{
    for (uint64_t i = 0; i < l->nnz; i++) {
        if (l->index[i] == index)
            return;
    }
    fail_msg("entry %llu is not active", (unsigned long long)index);
}

static ftk_status take(const ftk_edit *e, uint32_t layer, const uint64_t *index, uint64_t count)
{
    struct plugin_net *n = e->impl;
    assert_in_range(layer, 0, n->net.n_layers - 1);
    uint64_t *taken = n->taken[layer];
    for (uint64_t i = 0; i < count; i++) {
        assert_active(&n->data[layer], index[i]);
        assert_in_range(n->n_taken[layer], 0, PN_ENTRIES - 1);
        taken[n->n_taken[layer]++] = index[i];
    }
    qsort(taken, n->n_taken[layer], sizeof(*taken), by_value);
    for (uint64_t i = 1; i < n->n_taken[layer]; i++)
        assert_true(taken[i] > taken[i - 1]);
    return FTK_OK;
}

void plugin_net_init(struct plugin_net *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->most = UINT64_MAX;
    ret->net =
        (ftk_net){ .size = sizeof(ftk_net), .layers = ret->list, .impl = ret, .read = read_active };
    ret->edit =
        (ftk_edit){ .size = sizeof(ftk_edit), .budget = ret->budget, .impl = ret, .take = take };
}

void plugin_net_add(struct plugin_net *n, const struct pn_layer *l)
{
    uint32_t i = n->net.n_layers;
    assert_in_range(i, 0, PN_LAYERS - 1);
    n->data[i] = *l;
    n->layer[i] = (ftk_layer){ .size = sizeof(ftk_layer),
                               .type = FTK_LAYER_LINEAR,
                               .index = i,
                               .shape = { 1, (uint32_t)l->n, 1, 1 },
                               .n = l->n,
                               .nnz = l->nnz,
                               .name = "layer" };
    n->list[i] = &n->layer[i];
    n->net.n_layers++;
    n->edit.n_layers++;
}

void plugin_net_ask(struct plugin_net *n, const uint64_t *budget)
{
    memset(n->n_taken, 0, sizeof(n->n_taken));
    memcpy(n->budget, budget, n->net.n_layers * sizeof(*budget));
}

void plugin_net_assert(const struct plugin_net *n, uint32_t layer, const uint64_t *want,
                       uint64_t count)
{
    assert_int_equal(n->n_taken[layer], count);
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(n->taken[layer][i], want[i]);
}
