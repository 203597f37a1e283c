/* SPDX-License-Identifier: MIT
 * conform/rules_bkd_state.c - inactive weights, lists of candidates, the canonical state.
 */
#include "conform/rules_bkd.h"
#include <string.h>

enum { COUNT = 6, MANY_STEPS = 100 };

struct stage {
    struct ftk__bk bk;
    struct ftk__bk_graph g;
    ftk_prog *p;
};

static struct stage *stage_new(struct ftk__case *c)
{
    struct stage *s = ftk__kit_alloc(c, 1, sizeof(*s));
    ftk__bk_open(c, FTK__BK_AS_SET, &s->bk);
    ftk__bk_net(&s->g, true);
    s->p = ftk__bk_compile(&s->bk, &s->g, COUNT, 0);
    ftk__bk_fill(&s->bk, s->p, &s->g, 0.4, 5);
    return s;
}

/* ---- BKD-05 ------------------------------------------------------------------------------------ */

static void expect_zeros(struct stage *s)
{
    for (uint32_t l = 0; l < s->g.n_sparse; l++) {
        struct ftk__bk_list off;
        ftk__bk_read(&s->bk, s->p, &s->g, l, FTK_INACTIVE, FTK_CH_WEIGHT | FTK_CH_MOMENTUM, 100,
                     &off);
        ftk__kit_expect(s->bk.c, off.n > 0, "layer %u has no inactive weight any more", l);
        for (uint64_t i = 0; i < off.n; i++)
            ftk__kit_expect(
                s->bk.c, off.weight[i] == 0.0f && off.momentum[i] == 0.0f,
                "after %d steps inactive weight %llu of layer %u is %g, its momentum %g",
                MANY_STEPS, (unsigned long long)off.index[i], l, (double)off.weight[i],
                (double)off.momentum[i]);
    }
}

/* What it predicts is what the oracle makes of the active weights alone. */
static void predict_as_oracle(struct stage *s)
{
    struct ftk__bk ref;
    struct ftk__bk_snap snap;
    struct ftk__bk_tally t;
    const struct ftk__bk_batch *b = ftk__bk_batch(s->bk.c, &s->g, COUNT, 99);
    const float *z[2];
    ftk__bk_open_oracle(s->bk.c, &ref);
    ftk__bk_snap(&s->bk, s->p, &s->g, 1, &snap);
    ftk_prog *q = ftk__bk_compile(&ref, &s->g, COUNT, 0);
    ftk__bk_restore(&ref, q, &s->g, &snap);
    z[0] = ftk__bk_predict(&s->bk, s->p, &s->g, b);
    z[1] = ftk__bk_predict(&ref, q, &s->g, b);
    ftk__bk_tally(&t, &s->bk);
    ftk__bk_where(&t, "after %d steps", MANY_STEPS);
    ftk__bk_near(&t, "logits", z[0], z[1], (uint64_t)COUNT * ftk__bk_classes(&s->g));
}

static void stay_zero(struct ftk__case *c)
{
    struct stage *s = stage_new(c);
    ftk__bk_steps(&s->bk, s->p, &s->g, COUNT, MANY_STEPS, 1);
    expect_zeros(s);
    predict_as_oracle(s);
}

/* ---- BKD-06 ------------------------------------------------------------------------------------ */

static void mark_seen(struct stage *s, uint32_t layer, const struct ftk__bk_list *l, uint8_t *seen)
{
    for (uint64_t i = 0; i < l->n; i++) {
        ftk__kit_expect(s->bk.c, !seen[l->index[i]],
                        "index %llu of layer %u is both active and inactive",
                        (unsigned long long)l->index[i], layer);
        seen[l->index[i]] = 1;
    }
}

static void read_layer(struct stage *s, uint32_t layer, uint64_t cap)
{
    uint32_t node = ftk__bk_layer_node(&s->g, layer);
    uint64_t n = ftk__bk_weights(&s->g, node);
    uint8_t *seen = ftk__kit_alloc(s->bk.c, n, 1);
    struct ftk__bk_list on, off;
    uint64_t nnz = 0;
    ftk__bk_read(&s->bk, s->p, &s->g, layer, FTK_ACTIVE, FTK_CH_WEIGHT | FTK_CH_MOMENTUM, cap, &on);
    ftk__bk_read(&s->bk, s->p, &s->g, layer, FTK_INACTIVE, 0, cap, &off);
    mark_seen(s, layer, &on, seen);
    mark_seen(s, layer, &off, seen);
    for (uint64_t i = 0; i < n; i++)
        ftk__kit_expect(s->bk.c, seen[i],
                        "cap %llu: index %llu of layer %u is neither active nor inactive",
                        (unsigned long long)cap, (unsigned long long)i, layer);
    const float *w = ftk__bk_get(&s->bk, s->p, &s->g, node, FTK_TENSOR_WEIGHT, &nnz);
    const float *v =
        ftk__bk_get(&s->bk, s->p, &s->g, node, FTK_TENSOR_WEIGHT | FTK_TENSOR_MOMENT1, &nnz);
    ftk__kit_expect(s->bk.c, nnz == on.n, "layer %u: %llu active weights read, %llu by get()",
                    layer, (unsigned long long)on.n, (unsigned long long)nnz);
    for (uint64_t i = 0; i < nnz; i++)
        ftk__kit_expect(s->bk.c,
                        memcmp(&w[i], &on.weight[i], sizeof(*w)) == 0 &&
                            memcmp(&v[i], &on.momentum[i], sizeof(*v)) == 0,
                        "layer %u, active weight %llu: %g and momentum %g read, %g and %g by get()",
                        layer, (unsigned long long)on.index[i], (double)on.weight[i],
                        (double)on.momentum[i], (double)w[i], (double)v[i]);
}

/* A listing in progress, a few at a time, against one that was made in one go. */
struct listing {
    uint32_t layer, which;
    uint64_t cap, cursor, at;
    struct ftk__bk_list all;
};

/* The next few; false at the end. */
static bool read_on(struct stage *s, struct listing *l)
{
    ftk_cand c = { .size = sizeof(c) };
    if (l->which == FTK_ACTIVE)
        FTK__MUST(&s->bk, read_active, s->p, l->layer, FTK_CH_MOMENTUM, l->cap, &l->cursor, &c);
    else
        FTK__MUST(&s->bk, read_inactive, s->p, l->layer, FTK_CH_MOMENTUM, l->cap, &l->cursor, &c);
    for (uint64_t i = 0; i < c.count; i++, l->at++)
        ftk__kit_expect(s->bk.c, l->at < l->all.n && c.index[i] == l->all.index[l->at],
                        "lists of several layers by turns: layer %u gives index %llu out of place",
                        l->layer, (unsigned long long)c.index[i]);
    return c.count > 0;
}

static void interleave(struct stage *s)
{
    struct listing l[6];
    bool more = true;
    for (uint32_t i = 0; i < 6; i++) {
        l[i] = (struct listing){ .layer = i % s->g.n_sparse,
                                 .which = i < 3 ? FTK_ACTIVE : FTK_INACTIVE,
                                 .cap = 1 + i };
        ftk__bk_read(&s->bk, s->p, &s->g, l[i].layer, l[i].which, 0, 100000, &l[i].all);
    }
    while (more) {
        more = false;
        for (uint32_t i = 0; i < 6; i++)
            more = read_on(s, &l[i]) || more;
    }
    for (uint32_t i = 0; i < 6; i++)
        ftk__kit_expect(s->bk.c, l[i].at == l[i].all.n,
                        "lists of several layers by turns: layer %u ends after %llu of %llu",
                        l[i].layer, (unsigned long long)l[i].at, (unsigned long long)l[i].all.n);
}

static void refuse_reads(struct stage *s)
{
    ftk_cand c = { .size = sizeof(c) };
    uint64_t cursor = 0;
    FTK__REFUSED(&s->bk, read_active, s->p, s->g.n_sparse, FTK_CH_WEIGHT, 9, &cursor, &c);
    FTK__REFUSED(&s->bk, read_inactive, s->p, s->g.n_sparse, FTK_CH_WEIGHT, 9, &cursor, &c);
    FTK__REFUSED(&s->bk, read_active, s->p, 0, FTK_CH_AGE, 9, &cursor, &c);
    FTK__REFUSED(&s->bk, read_inactive, s->p, 0, FTK_CH_FIRED, 9, &cursor, &c);
}

static void lists(struct ftk__case *c)
{
    static const uint64_t caps[] = { 100000, 1, 7, 64 };
    struct stage *s = stage_new(c);
    ftk__bk_steps(&s->bk, s->p, &s->g, COUNT, 2, 1);
    for (uint32_t i = 0; i < 4; i++)
        for (uint32_t l = 0; l < s->g.n_sparse; l++)
            read_layer(s, l, caps[i]);
    interleave(s);
    refuse_reads(s);
}

/* ---- BKD-08 ------------------------------------------------------------------------------------ */

/* get() and put() of an array in pieces: the same floats; out of range: refused. */
static void pieces(struct stage *s, uint32_t i, const struct ftk__bk_array *a)
{
    float *part = ftk__kit_alloc(s->bk.c, a->n + 1, sizeof(*part));
    const char *name = ftk__bk_array_name(s->bk.c, &s->g, a->node, a->role);
    for (uint64_t from = 0; from < a->n; from += 3) {
        uint64_t few = a->n - from < 3 ? a->n - from : 3;
        FTK__MUST(&s->bk, get, s->p, i, from, few, part + from);
    }
    for (uint64_t k = 0; k < a->n; k++)
        ftk__kit_expect(s->bk.c, memcmp(&part[k], &a->v[k], sizeof(*part)) == 0,
                        "%s, entry %llu: %.9g by pieces of 3, %.9g by all at once", name,
                        (unsigned long long)k, (double)part[k], (double)a->v[k]);
    for (uint64_t k = 0; k < a->n; k++)
        part[k] = (float)k + 0.5f;
    for (uint64_t from = 0; from < a->n; from += 2) {
        uint64_t few = a->n - from < 2 ? a->n - from : 2;
        FTK__MUST(&s->bk, put, s->p, i, from, few, part + from);
    }
    float *again = ftk__kit_alloc(s->bk.c, a->n, sizeof(*again));
    FTK__MUST(&s->bk, get, s->p, i, 0, a->n, again);
    for (uint64_t k = 0; k < a->n; k++)
        ftk__kit_expect(s->bk.c, memcmp(&part[k], &again[k], sizeof(*part)) == 0,
                        "%s, entry %llu: %.9g was put in pieces of 2, get() gives %.9g", name,
                        (unsigned long long)k, (double)part[k], (double)again[k]);
    FTK__REFUSED(&s->bk, get, s->p, i, a->n, 1, again);
    FTK__REFUSED(&s->bk, put, s->p, i, 1, a->n, part);
    FTK__MUST(&s->bk, put, s->p, i, 0, a->n, a->v);
}

/* Roles and sizes that the network asks for, each once (a snapshot fails on twice). */
static void expect_arrays(struct stage *s, const struct ftk__bk_snap *snap)
{
    uint32_t due = 0;
    for (uint32_t node = 0; node < s->g.n_nodes; node++) {
        const ftk_node *n = &s->g.node[node];
        uint64_t weights = ftk__bk_weights(&s->g, node);
        bool norm = n->op == FTK_NODE_BATCHNORM;
        bool bias = norm || (n->flags & FTK_NODE_BIAS) != 0;
        const struct {
            uint32_t role;
            uint64_t n;
        } want[] = {
            { FTK_TENSOR_WEIGHT, weights },
            { FTK_TENSOR_WEIGHT | FTK_TENSOR_MOMENT1, weights },
            { FTK_TENSOR_BIAS, bias ? n->out_shape[0] : 0 },
            { FTK_TENSOR_BIAS | FTK_TENSOR_MOMENT1, bias ? n->out_shape[0] : 0 },
            { FTK_TENSOR_BN_MEAN, norm ? n->out_shape[0] : 0 },
            { FTK_TENSOR_BN_VAR, norm ? n->out_shape[0] : 0 },
        };
        for (uint32_t k = 0; weights > 0 && k < 6; k++) {
            const struct ftk__bk_array *a = ftk__bk_array(snap, node, want[k].role, 0);
            uint64_t floats = want[k].n;
            if (k < 2 && n->sparse)
                floats = snap->nnz[ftk__bk_layer(&s->g, node)];
            ftk__kit_expect(s->bk.c, a ? a->n == floats : want[k].n == 0,
                            "tensor() gives the %s %llu floats, %llu were due",
                            ftk__bk_array_name(s->bk.c, &s->g, node, want[k].role),
                            (unsigned long long)(a ? a->n : 0), (unsigned long long)floats);
            due += a != NULL;
        }
    }
    ftk__kit_expect(s->bk.c, snap->n == due, "tensor() lists %u arrays, the network has %u",
                    snap->n, due);
}

/* A new mask: nothing but zeros, also for the momentum, and exactly these positions. */
static void masks(struct stage *s)
{
    static const uint64_t chosen[3] = { 0, 5, 17 };
    static const uint64_t twice[2] = { 6, 6 };
    for (uint32_t l = 0; l < s->g.n_sparse; l++) {
        const uint64_t past[1] = { ftk__bk_weights(&s->g, ftk__bk_layer_node(&s->g, l)) };
        struct ftk__bk_list on;
        FTK__REFUSED(&s->bk, mask, s->p, l, twice, 2);
        FTK__REFUSED(&s->bk, mask, s->p, l, past, 1);
        FTK__MUST(&s->bk, mask, s->p, l, chosen, 3);
        ftk__bk_read(&s->bk, s->p, &s->g, l, FTK_ACTIVE, FTK_CH_WEIGHT | FTK_CH_MOMENTUM, 2, &on);
        ftk__kit_expect(s->bk.c, on.n == 3 && memcmp(on.index, chosen, sizeof(chosen)) == 0,
                        "mask() of 0, 5, 17 in layer %u leaves %llu weights active", l,
                        (unsigned long long)on.n);
        for (uint64_t i = 0; i < on.n; i++)
            ftk__kit_expect(s->bk.c, on.weight[i] == 0.0f && on.momentum[i] == 0.0f,
                            "after mask() weight %llu of layer %u is %g, its momentum %g",
                            (unsigned long long)on.index[i], l, (double)on.weight[i],
                            (double)on.momentum[i]);
    }
    FTK__MUST(&s->bk, mask, s->p, 0, NULL, 0);
    ftk__bk_steps(&s->bk, s->p, &s->g, COUNT, 1, 3);
    FTK__REFUSED(&s->bk, mask, s->p, s->g.n_sparse, chosen, 3);
}

/* A program made from another's arrays goes on as the other does. */
static void copies(struct stage *s, uint32_t flags)
{
    struct ftk__bk_snap snap, a, b;
    const ftk_build build = ftk__bk_build(&s->g, COUNT, flags);
    ftk_prog *p = NULL;
    ftk_status st = FTK__TRY(&s->bk, compile, s->bk.dev, &build, &p);
    if (ftk__bk_not_supported(&s->bk, "compile", st, flags != 0 && !ftk__bk_is_cpu(&s->bk)))
        return;
    ftk__bk_fill(&s->bk, p, &s->g, 0.4, 5);
    ftk__bk_steps(&s->bk, p, &s->g, COUNT, 4, 1);
    ftk__bk_snap(&s->bk, p, &s->g, 1, &snap);
    ftk_prog *copy = ftk__bk_compile(&s->bk, &s->g, COUNT, flags);
    ftk__bk_restore(&s->bk, copy, &s->g, &snap);
    ftk__bk_snap(&s->bk, copy, &s->g, 1, &b);
    ftk__bk_same(&s->bk, &s->g, &snap, &b, "a copy of a program");
    ftk__bk_steps(&s->bk, p, &s->g, COUNT, 4, 9);
    ftk__bk_steps(&s->bk, copy, &s->g, COUNT, 4, 9);
    ftk__bk_snap(&s->bk, p, &s->g, 1, &a);
    ftk__bk_snap(&s->bk, copy, &s->g, 1, &b);
    ftk__bkd_expect_same(&s->bk, &s->g, &a, &b, "four steps of a program and of its copy");
    s->bk.ops->release(copy);
    s->bk.ops->release(p);
}

/* To the oracle and back: the same bits. */
static void to_oracle(struct stage *s)
{
    struct ftk__bk ref;
    struct ftk__bk_snap snap, there, back;
    ftk__bk_open_oracle(s->bk.c, &ref);
    ftk__bk_snap(&s->bk, s->p, &s->g, 1, &snap);
    ftk_prog *q = ftk__bk_compile(&ref, &s->g, COUNT, 0);
    ftk__bk_restore(&ref, q, &s->g, &snap);
    ftk__bk_snap(&ref, q, &s->g, 1, &there);
    ftk_prog *p = ftk__bk_compile(&s->bk, &s->g, COUNT, 0);
    ftk__bk_restore(&s->bk, p, &s->g, &there);
    ftk__bk_snap(&s->bk, p, &s->g, 1, &back);
    ftk__bk_same(&s->bk, &s->g, &snap, &back, "to the oracle and back");
}

static void canonical_state(struct ftk__case *c)
{
    struct stage *s = stage_new(c);
    struct ftk__bk_snap snap, again;
    ftk__bk_steps(&s->bk, s->p, &s->g, COUNT, 2, 1);
    ftk__bk_snap(&s->bk, s->p, &s->g, 1, &snap);
    expect_arrays(s, &snap);
    for (uint32_t i = 0; i < snap.n; i++)
        pieces(s, i, &snap.array[i]);
    float v = 0.0f;
    FTK__REFUSED(&s->bk, get, s->p, snap.n + 1000, 0, 1, &v);
    FTK__REFUSED(&s->bk, put, s->p, snap.n + 1000, 0, 1, &v);
    ftk__bk_snap(&s->bk, s->p, &s->g, 1, &again);
    ftk__bk_same(&s->bk, &s->g, &snap, &again, "before and after get() and put() in pieces");
    to_oracle(s);
    masks(s);
    copies(s, 0);
    copies(s, FTK_BUILD_DENSE_MOMENTUM);
}

static const struct ftk__rule rules[] = {
    { .id = "BKD-05",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-02 BKD-04",
      .title = "inactive weights read 0 after 100 steps and play no part",
      .why = "a sparse network is its active weights; nothing else is saved",
      .fix = "let updates and decay touch active weights only",
      .timeout_ms = 30000,
      .run = stay_zero },
    { .id = "BKD-06",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-01",
      .title = "active and inactive lists name every index once, for any cap",
      .why = "what a list leaves out is never pruned, or never grown",
      .fix = "keep in the cursor all that says where a list is, and nothing in the program",
      .timeout_ms = 30000,
      .run = lists },
    { .id = "BKD-08",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-06 BKD-09",
      .title = "every array once, whole and in pieces; a copy goes on with the same bits",
      .why = "members, checkpoints and REWIND are made of these arrays",
      .fix = "list what an update moves; mask() clears values and state, put() fills them",
      .timeout_ms = 30000,
      .run = canonical_state },
};
const struct ftk__rule_family ftk__family_bkd_state = { rules, sizeof(rules) / sizeof(rules[0]) };
