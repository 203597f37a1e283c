/* SPDX-License-Identifier: MIT
 * ref_tensor.c - the canonical state as named arrays.
 *
 * The active values of a sparse layer appear in ascending order of their positions.
 */
#include <string.h>

#include "ref.h"

/* One array of the list. */
struct slot {
    float *value;
    const uint8_t *mask; /* NULL: every float counts                            */
    uint64_t stored, n;  /* floats in `value`, floats that count                */
    uint32_t node, role;
};

/* A node's arrays in order; those it does not have hold 0 floats. */
enum { SLOTS_A_NODE = 8 };

static struct slot slot_of(const ftk_prog *p, uint32_t node, uint32_t k)
{
    static const uint32_t roles[SLOTS_A_NODE] = {
        FTK_TENSOR_WEIGHT,
        FTK_TENSOR_MOMENT1 | FTK_TENSOR_WEIGHT,
        FTK_TENSOR_BIAS,
        FTK_TENSOR_MOMENT1 | FTK_TENSOR_BIAS,
        FTK_TENSOR_BN_MEAN,
        FTK_TENSOR_BN_VAR,
        FTK_TENSOR_MOMENT2 | FTK_TENSOR_WEIGHT,
        FTK_TENSOR_MOMENT2 | FTK_TENSOR_BIAS,
    };
    const struct ref_node *n = &p->node[node];
    struct slot s = { .node = node, .role = roles[k] };
    if (k < 4) {
        const struct ref_param *w = k < 2 ? &n->weight : &n->bias;
        bool moment = k % 2 == 1;
        s.value = moment ? w->moment : w->value;
        s.mask = moment && p->dense_momentum ? NULL : w->mask;
        s.stored = w->n;
        s.n = s.mask != NULL ? w->nnz : w->n;
    } else if (k >= 6) {
        const struct ref_param *w = k == 6 ? &n->weight : &n->bias;
        s.value = w->moment2;
        s.mask = w->mask;
        s.stored = w->moment2 != NULL ? w->n : 0;
        s.n = s.mask != NULL ? w->nnz : w->n;
    } else if (n->run_mean != NULL) {
        s.value = k == 4 ? n->run_mean : n->run_var;
        s.stored = n->n.out_shape[0];
        s.n = s.stored;
    }
    return s;
}

/* The i-th array that is there; false past the last. */
static bool find(const ftk_prog *p, uint32_t i, struct slot *ret_slot)
{
    for (uint32_t node = 0; node < p->n_nodes; node++) {
        for (uint32_t k = 0; k < SLOTS_A_NODE; k++) {
            struct slot s = slot_of(p, node, k);
            if (s.stored == 0) {
                continue;
            }
            if (i == 0) {
                *ret_slot = s;
                return true;
            }
            i--;
        }
    }
    return false;
}

ftk_status ref_tensor(ftk_prog *p, uint32_t i, ftk_tensor *ret)
{
    struct slot s;
    if (!find(p, i, &s)) {
        return FTK_DONE;
    }
    *ret = (ftk_tensor){ .size = sizeof(*ret), .role = s.role, .node = s.node, .n = s.n };
    return FTK_OK;
}

static ftk_status find_range(const ftk_prog *p, uint32_t i, uint64_t from, uint64_t n,
                             struct slot *ret_slot)
{
    const ftk_host *h = p->host;
    if (!find(p, i, ret_slot)) {
        return h->fail(h, FTK_ERANGE, "array %u does not exist", i);
    }
    if (from > ret_slot->n || n > ret_slot->n - from) {
        return h->fail(h, FTK_ERANGE, "array %u has %llu floats, not %llu from %llu", i,
                       (unsigned long long)ret_slot->n, (unsigned long long)n,
                       (unsigned long long)from);
    }
    return FTK_OK;
}

/* Where in `value` the `rank`-th float that counts lies, counting from `at`. */
static uint64_t seek(const struct slot *s, uint64_t at, uint64_t rank)
{
    if (s->mask == NULL) {
        return at + rank;
    }
    while (s->mask[at] == 0 || rank > 0) {
        rank -= s->mask[at] != 0;
        at++;
    }
    return at;
}

ftk_status ref_get(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, float *ret)
{
    struct slot s;
    ftk_status st = find_range(p, i, from, n, &s);
    uint64_t at = 0;
    for (uint64_t k = 0; st == FTK_OK && k < n; k++) {
        at = seek(&s, at, k == 0 ? from : 0);
        ret[k] = s.value[at++];
    }
    return st;
}

ftk_status ref_put(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, const float *v)
{
    struct slot s;
    ftk_status st = find_range(p, i, from, n, &s);
    uint64_t at = 0;
    for (uint64_t k = 0; st == FTK_OK && k < n; k++) {
        at = seek(&s, at, k == 0 ? from : 0);
        s.value[at++] = v[k];
    }
    return st;
}

ftk_status ref_mask(ftk_prog *p, uint32_t layer, const uint64_t *active, uint64_t n)
{
    struct ref_node *node = ref_layer(p, layer);
    if (node == NULL) {
        return FTK_ERANGE;
    }
    ftk_status st = ref_check_ascending(p, node, "active", active, n);
    if (st != FTK_OK) {
        return st;
    }
    struct ref_param *w = &node->weight;
    memset(w->mask, 0, w->n);
    memset(w->value, 0, w->n * sizeof(float));
    memset(w->moment, 0, w->n * sizeof(float));
    if (w->moment2 != NULL) {
        memset(w->moment2, 0, w->n * sizeof(float));
    }
    for (uint64_t k = 0; k < n; k++) {
        w->mask[active[k]] = 1;
    }
    w->nnz = n;
    return FTK_OK;
}
