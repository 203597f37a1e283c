/* SPDX-License-Identifier: MIT
 * conform/backend_snap.c - copies of a program's state, and how they compare.
 */
#include "conform/backend_snap.h"
#include "base/rng.h"
#include <math.h>
#include <string.h>

enum { MAX_ARRAYS = 4096, MOMENTS = FTK_TENSOR_MOMENT1 | FTK_TENSOR_MOMENT2 };

const char *ftk__bk_array_name(struct ftk__case *c, const struct ftk__bk_graph *g, uint32_t node,
                               uint32_t role)
{
    static const char *const roles[] = { "role 0", "weight", "bias", "BN mean", "BN variance" };
    uint32_t base = role & ~(uint32_t)MOMENTS;
    char text[128];
    const char *moment = role & FTK_TENSOR_MOMENT1   ? "momentum of the "
                         : role & FTK_TENSOR_MOMENT2 ? "second moment of the "
                                                     : "";
    ftk__format(text, sizeof(text), "%s%s of '%s'", moment, base < 5 ? roles[base] : "strange role",
                node < g->n_nodes ? g->name[node] : "no node");
    char *copy = ftk__arena_strdup(&c->arena, text);
    if (!copy)
        ftk__kit_broken("no memory for a name");
    return copy;
}

/* The i-th array; false past the last. */
static bool tensor_at(struct ftk__bk *bk, ftk_prog *p, uint32_t i, ftk_tensor *ret)
{
    *ret = (ftk_tensor){ .size = sizeof(*ret), .node = UINT32_MAX, .member = UINT32_MAX };
    ftk__kit_begin(bk->host);
    ftk_status st = ftk__kit_end(bk->c, bk->host, "tensor", true, bk->ops->tensor(p, i, ret));
    ftk__bk_must(bk, "tensor", st);
    ftk__kit_expect(bk->c, i < MAX_ARRAYS, "tensor() is not done after %d arrays", MAX_ARRAYS);
    return st == FTK_OK;
}

int64_t ftk__bk_find(struct ftk__bk *bk, ftk_prog *p, uint32_t node, uint32_t role, uint32_t member,
                     uint64_t *ret_n)
{
    ftk_tensor t;
    for (uint32_t i = 0; tensor_at(bk, p, i, &t); i++) {
        if (t.node == node && t.role == role && t.member == member) {
            *ret_n = t.n;
            return i;
        }
    }
    return -1;
}

float *ftk__bk_get(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, uint32_t node,
                   uint32_t role, uint64_t *ret_n)
{
    int64_t i = ftk__bk_find(bk, p, node, role, 0, ret_n);
    ftk__kit_expect(bk->c, i >= 0, "tensor() lists no %s",
                    ftk__bk_array_name(bk->c, g, node, role));
    float *v = ftk__kit_alloc(bk->c, *ret_n, sizeof(float));
    FTK__MUST(bk, get, p, (uint32_t)i, 0, *ret_n, v);
    return v;
}

void ftk__bk_put(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, uint32_t node,
                 uint32_t role, const float *v, uint64_t n)
{
    uint64_t have = 0;
    int64_t i = ftk__bk_find(bk, p, node, role, 0, &have);
    ftk__kit_expect(bk->c, i >= 0 && have == n, "tensor() has no %s of %llu floats",
                    ftk__bk_array_name(bk->c, g, node, role), (unsigned long long)n);
    FTK__MUST(bk, put, p, (uint32_t)i, 0, n, v);
}

/* ---- snapshots --------------------------------------------------------------------------------- */

const struct ftk__bk_array *ftk__bk_array(const struct ftk__bk_snap *s, uint32_t node,
                                          uint32_t role, uint32_t member)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->array[i].node == node && s->array[i].role == role && s->array[i].member == member)
            return &s->array[i];
    return NULL;
}

static void snap_array(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, uint32_t i,
                       const ftk_tensor *t, uint32_t members, struct ftk__bk_snap *s)
{
    ftk__kit_expect(bk->c, t->node < g->n_nodes && t->member < members && t->role > 0,
                    "tensor(%u) is role %u of node %u, member %u, of %u nodes and %u members", i,
                    t->role, t->node, t->member, g->n_nodes, members);
    ftk__kit_expect(bk->c, !ftk__bk_array(s, t->node, t->role, t->member),
                    "tensor() lists the %s twice", ftk__bk_array_name(bk->c, g, t->node, t->role));
    struct ftk__bk_array *a = &s->array[s->n];
    *a = (struct ftk__bk_array){ t->node, t->role, t->member, t->n, NULL };
    a->v = ftk__kit_alloc(bk->c, t->n, sizeof(float));
    FTK__MUST(bk, get, p, i, 0, t->n, a->v);
    s->n++;
}

void ftk__bk_snap(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, uint32_t members,
                  struct ftk__bk_snap *ret)
{
    struct ftk__bk_snap s = { .n_layers = g->n_sparse * members };
    ftk_tensor t;
    uint32_t n = 0;
    while (tensor_at(bk, p, n, &t))
        n++;
    s.array = ftk__kit_alloc(bk->c, n, sizeof(*s.array));
    for (uint32_t i = 0; i < n && tensor_at(bk, p, i, &t); i++)
        snap_array(bk, p, g, i, &t, members, &s);
    s.active = ftk__kit_alloc(bk->c, s.n_layers, sizeof(*s.active));
    s.nnz = ftk__kit_alloc(bk->c, s.n_layers, sizeof(*s.nnz));
    for (uint32_t l = 0; l < s.n_layers; l++) {
        struct ftk__bk_list list;
        uint32_t node = ftk__bk_layer_node(g, l % g->n_sparse);
        uint32_t member = l / g->n_sparse;
        ftk__bk_read(bk, p, g, l, FTK_ACTIVE, 0, ftk__bk_weights(g, node), &list);
        s.active[l] = list.index;
        s.nnz[l] = list.n;
        const struct ftk__bk_array *w = ftk__bk_array(&s, node, FTK_TENSOR_WEIGHT, member);
        ftk__kit_expect(bk->c, w && w->n == list.n,
                        "tensor() gives the weight of '%s' %llu floats, %llu are active",
                        g->name[node], (unsigned long long)(w ? w->n : 0),
                        (unsigned long long)list.n);
    }
    *ret = s;
}

void ftk__bk_restore(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g,
                     const struct ftk__bk_snap *s)
{
    for (uint32_t l = 0; l < s->n_layers; l++)
        FTK__MUST(bk, mask, p, l, s->active[l], s->nnz[l]);
    for (uint32_t i = 0; i < s->n; i++) {
        const struct ftk__bk_array *a = &s->array[i];
        uint64_t n = 0;
        int64_t at = ftk__bk_find(bk, p, a->node, a->role, a->member, &n);
        ftk__kit_expect(bk->c, at >= 0 && n == a->n, "tensor() has no %s of %llu floats",
                        ftk__bk_array_name(bk->c, g, a->node, a->role), (unsigned long long)a->n);
        FTK__MUST(bk, put, p, (uint32_t)at, 0, n, a->v);
    }
}

static void same_floats(struct ftk__bk *bk, const char *what, const float *a, const float *b,
                        uint64_t n, const char *when)
{
    if (n == 0 || memcmp(a, b, n * sizeof(*a)) == 0)
        return;
    uint64_t i = 0;
    while (memcmp(&a[i], &b[i], sizeof(*a)) == 0)
        i++;
    ftk__kit_fail(bk->c, "%s: %s, entry %llu: %.9g and %.9g", when, what, (unsigned long long)i,
                  (double)a[i], (double)b[i]);
}

void ftk__bk_same(struct ftk__bk *bk, const struct ftk__bk_graph *g, const struct ftk__bk_snap *a,
                  const struct ftk__bk_snap *b, const char *when)
{
    ftk__kit_expect(bk->c, a->n == b->n, "%s: %u and %u arrays", when, a->n, b->n);
    for (uint32_t l = 0; l < a->n_layers; l++)
        ftk__kit_expect(bk->c,
                        a->nnz[l] == b->nnz[l] &&
                            memcmp(a->active[l], b->active[l], a->nnz[l] * sizeof(uint64_t)) == 0,
                        "%s: the active weights of layer %u are others", when, l);
    for (uint32_t i = 0; i < a->n; i++) {
        const struct ftk__bk_array *x = &a->array[i];
        const struct ftk__bk_array *y = ftk__bk_array(b, x->node, x->role, x->member);
        const char *name = ftk__bk_array_name(bk->c, g, x->node, x->role);
        ftk__kit_expect(bk->c, y && y->n == x->n, "%s: %s is not there, or of another size", when,
                        name);
        same_floats(bk, name, x->v, y->v, x->n, when);
    }
}

/* ---- filling ----------------------------------------------------------------------------------- */

/* Keeps each weight of a layer with probability `density`, and one at least. */
static void fill_mask(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, uint32_t node,
                      uint32_t layer, double density, ftk_rng *rng)
{
    uint64_t n = ftk__bk_weights(g, node);
    uint64_t *active = ftk__kit_alloc(bk->c, n, sizeof(uint64_t));
    uint64_t nnz = 0;
    uint64_t sure = ftk__rng_below(rng, n);
    for (uint64_t i = 0; i < n; i++)
        if (ftk__rng_uniform(rng) < density || i == sure)
            active[nnz++] = i;
    FTK__MUST(bk, mask, p, layer, active, nnz);
}

static float fill_value(const struct ftk__bk_graph *g, const ftk_tensor *t, ftk_rng *rng)
{
    const ftk_node *n = &g->node[t->node];
    double normal = ftk__rng_normal(rng);
    switch (t->role) {
    case FTK_TENSOR_WEIGHT:
        if (n->op == FTK_NODE_BATCHNORM)
            return (float)(1.0 + 0.2 * normal);
        return (float)(normal / sqrt((double)t->n / n->out_shape[0]));
    case FTK_TENSOR_BN_VAR:
        return (float)exp(0.3 * normal);
    default:
        /* A second moment is a mean of squares. */
        return t->role & FTK_TENSOR_MOMENT2 ? (float)(0.01 * normal * normal)
                                            : (float)(0.1 * normal);
    }
}

void ftk__bk_fill_members(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g,
                          uint32_t members, double density, uint64_t seed)
{
    for (uint32_t m = 0; m < members; m++) {
        ftk_rng rng = { .key = { seed + m, 3 } };
        for (uint32_t node = 0; node < g->n_nodes; node++)
            if (g->node[node].sparse)
                fill_mask(bk, p, g, node, m * g->n_sparse + ftk__bk_layer(g, node), density, &rng);
    }
    ftk_tensor t;
    for (uint32_t i = 0; tensor_at(bk, p, i, &t); i++) {
        ftk__kit_expect(bk->c, t.node < g->n_nodes, "tensor(%u) is of node %u of %u", i, t.node,
                        g->n_nodes);
        /* Keyed by node and role: the order in which a backend lists its arrays is free. */
        ftk_rng own = { .key = { seed + t.member, UINT64_C(1000) * t.node + 100 + t.role } };
        float *v = ftk__kit_alloc(bk->c, t.n, sizeof(float));
        for (uint64_t j = 0; j < t.n; j++)
            v[j] = fill_value(g, &t, &own);
        FTK__MUST(bk, put, p, i, 0, t.n, v);
    }
}

void ftk__bk_fill(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, double density,
                  uint64_t seed)
{
    ftk__bk_fill_members(bk, p, g, 1, density, seed);
}
