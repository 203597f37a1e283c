/* SPDX-License-Identifier: MIT
 * conform/rules_bkd_select.c - selection by a formula inside the backend: the core's own sets.
 */
#include "base/rng.h"
#include "base/topk.h"
#include "conform/rules_bkd.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { COUNT = 6 };

struct stage {
    struct ftk__bk bk;
    struct ftk__bk_graph g;
    ftk_prog *p;
    ftk_rng rng;
    const char *values; /* for messages: "ties"                             */
};

static const char *const formulas[] = { "", "ABS_WEIGHT", "ABS_GRAD", "ABS_MOMENTUM", "UNIFORM" };

static const float *channel_of(const struct ftk__bk_list *l, uint32_t formula)
{
    return formula == FTK_FORMULA_ABS_WEIGHT ? l->weight
           : formula == FTK_FORMULA_ABS_GRAD ? l->grad
                                             : l->momentum;
}

static uint32_t channel_bit(uint32_t formula)
{
    return formula == FTK_FORMULA_ABS_WEIGHT     ? FTK_CH_WEIGHT
           : formula == FTK_FORMULA_ABS_GRAD     ? FTK_CH_GRAD
           : formula == FTK_FORMULA_ABS_MOMENTUM ? FTK_CH_MOMENTUM
                                                 : 0;
}

/* Floyd's set of k among n positions. */
static void floyd(struct stage *s, uint64_t n, uint64_t k, uint64_t *ret)
{
    uint8_t *taken = ftk__kit_alloc(s->bk.c, n, 1);
    ftk_rng rng = s->rng;
    uint64_t at = 0;
    for (uint64_t j = n - k; j < n; j++) {
        uint64_t rank = ftk__rng_below(&rng, j + 1);
        taken[taken[rank] ? j : rank] = 1;
    }
    for (uint64_t i = 0; i < n; i++)
        if (taken[i])
            ret[at++] = i;
}

/* The core's k positions. */
static uint64_t *wanted(struct stage *s, const struct ftk__bk_list *l, uint32_t which,
                        uint32_t formula, uint64_t k)
{
    uint64_t *pos = ftk__kit_alloc(s->bk.c, k, sizeof(*pos));
    float *score = ftk__kit_alloc(s->bk.c, l->n, sizeof(*score));
    struct ftk_error err;
    if (formula == FTK_FORMULA_UNIFORM) {
        floyd(s, l->n, k, pos);
    } else {
        for (uint64_t i = 0; i < l->n; i++)
            score[i] = fabsf(channel_of(l, formula)[i]);
        if (ftk__topk(score, l->n, k, which == FTK_INACTIVE, pos, &err) < 0)
            ftk__kit_broken("selection of the kit: %s", err.message);
    }
    for (uint64_t i = 0; i < k; i++)
        pos[i] = l->index[pos[i]];
    return pos;
}

static ftk_status call(struct stage *s, uint32_t layer, uint32_t which, uint32_t formula,
                       uint64_t k, uint64_t *ret)
{
    return FTK__TRY(&s->bk, select, s->p, layer, which, formula, &s->rng, k, ret);
}

static void select_k(struct stage *s, uint32_t layer, uint32_t which, uint32_t formula,
                     const struct ftk__bk_list *l, uint64_t k)
{
    uint64_t *got = ftk__kit_alloc(s->bk.c, k + 1, sizeof(*got));
    const uint64_t *want = wanted(s, l, which, formula, k);
    const ftk_rng before = s->rng;
    got[k] = 77;
    ftk__kit_note(s->bk.c, "%s: layer %u, %s, %s, %llu of %llu", s->values, layer,
                  formulas[formula], which == FTK_ACTIVE ? "active" : "inactive",
                  (unsigned long long)k, (unsigned long long)l->n);
    ftk_status st = call(s, layer, which, formula, k, got);
    ftk__bk_must(&s->bk, "select", st);
    for (uint64_t i = 0; i < k; i++)
        ftk__kit_expect(
            s->bk.c, got[i] == want[i], "select() gives %llu in place %llu, the core %llu",
            (unsigned long long)got[i], (unsigned long long)i, (unsigned long long)want[i]);
    ftk__kit_expect(s->bk.c, got[k] == 77 && memcmp(&before, &s->rng, sizeof(before)) == 0,
                    "select() writes more than k indices, or its stream");
    if (k == l->n)
        return;
    st = call(s, layer, which, formula, l->n + 1, got);
    ftk__kit_must_refuse(s->bk.c, s->bk.host, "select", st);
    ftk__kit_expect(s->bk.c, st == FTK_ERANGE, "select() of %llu of %llu gave %s, ERANGE was due",
                    (unsigned long long)l->n + 1, (unsigned long long)l->n, ftk__status_name(st));
}

static void select_all(struct stage *s, uint32_t layer)
{
    for (uint32_t formula = FTK_FORMULA_ABS_WEIGHT; formula <= FTK_FORMULA_UNIFORM; formula++) {
        for (uint32_t which = FTK_ACTIVE; which <= FTK_INACTIVE; which++) {
            struct ftk__bk_list l;
            ftk__bk_read(&s->bk, s->p, &s->g, layer, which, channel_bit(formula), 1000, &l);
            const uint64_t ks[] = { 0, 1, l.n / 3, l.n > 0 ? l.n - 1 : 0, l.n };
            for (int i = 0; i < 5; i++)
                if (ks[i] <= l.n)
                    select_k(s, layer, which, formula, &l, ks[i]);
        }
    }
}

/* Weights and momentum of the sparse layers from a short list, so that many tie. */
static void put_from(struct stage *s, const float *value, uint32_t n_values, const char *name)
{
    struct ftk__bk_snap snap;
    s->values = name;
    ftk__bk_snap(&s->bk, s->p, &s->g, 1, &snap);
    for (uint32_t i = 0; i < snap.n; i++) {
        struct ftk__bk_array *a = &snap.array[i];
        if (!s->g.node[a->node].sparse || (a->role & FTK_TENSOR_WEIGHT) == 0)
            continue;
        for (uint64_t k = 0; k < a->n; k++)
            a->v[k] = value[(k * 7 + i) % n_values];
        ftk__bk_put(&s->bk, s->p, &s->g, a->node, a->role, a->v, a->n);
    }
}

static void expect_status(struct stage *s, ftk_status got, ftk_status want, const char *what)
{
    ftk__kit_must_refuse(s->bk.c, s->bk.host, "select", got);
    ftk__kit_expect(s->bk.c, got == want, "select() %s gave %s, %s was due", what,
                    ftk__status_name(got), ftk__status_name(want));
}

static void refusals(struct stage *s)
{
    uint64_t got[1] = { 0 };
    uint64_t n = 0;
    uint32_t node = ftk__bk_layer_node(&s->g, 0);
    const ftk_hyper hy = ftk__bk_hyper(0.01, 0.9, 0.0, 0);
    ftk__kit_note(s->bk.c, "refusals");
    expect_status(s, call(s, s->g.n_sparse, FTK_ACTIVE, FTK_FORMULA_ABS_WEIGHT, 1, got), FTK_ERANGE,
                  "in a layer past the last");
    ftk__kit_must_refuse(s->bk.c, s->bk.host, "select", call(s, 0, FTK_ACTIVE, 99, 1, got));
    ftk__kit_must_refuse(s->bk.c, s->bk.host, "select",
                         call(s, 0, 7, FTK_FORMULA_ABS_WEIGHT, 1, got));
    ftk__bk_step(&s->bk, s->p, &s->g, COUNT, &hy, 3);
    expect_status(s, call(s, 0, FTK_INACTIVE, FTK_FORMULA_ABS_GRAD, 1, got), FTK_ESTATE,
                  "by a gradient that was not kept");
    float *w = ftk__bk_get(&s->bk, s->p, &s->g, node, FTK_TENSOR_WEIGHT, &n);
    w[n - 1] = NAN;
    ftk__bk_put(&s->bk, s->p, &s->g, node, FTK_TENSOR_WEIGHT, w, n);
    expect_status(s, call(s, 0, FTK_ACTIVE, FTK_FORMULA_ABS_WEIGHT, 1, got), FTK_ENUMERIC,
                  "with a NaN");
}

/* Where select() is not supported, by NULL or by ENOTSUP, there is nothing to prove. */
static void skip_without(struct stage *s)
{
    if (!s->bk.ops->select)
        ftk__kit_skip(s->bk.c, "select is NULL");
    uint64_t got[1] = { 0 };
    ftk_status st = call(s, 0, FTK_ACTIVE, FTK_FORMULA_ABS_WEIGHT, 1, got);
    if (ftk__bk_not_supported(&s->bk, "select", st, true))
        ftk__kit_skip(s->bk.c, "select(): %s", s->bk.host->reason);
}

static void selections(struct ftk__case *c)
{
    static const float ties[] = { 0.5f, -0.5f, 0.25f, 0.5f, -0.25f };
    static const float odd[] = { 0.0f,    -0.0f,   1e-40f, -1e-40f,  FLT_MIN,
                                 FLT_MAX, -1e-41f, 0.0f,   -FLT_MAX, 1e-45f };
    struct stage *s = ftk__kit_alloc(c, 1, sizeof(*s));
    ftk__bk_open(c, FTK__BK_AS_SET, &s->bk);
    ftk__bk_net(&s->g, true);
    s->p = ftk__bk_compile(&s->bk, &s->g, COUNT, 0);
    s->rng = (ftk_rng){ .key = { c->seed, 12 }, .counter = 4 };
    ftk__bk_fill(&s->bk, s->p, &s->g, 0.4, 5);
    skip_without(s);
    const ftk_hyper hy = ftk__bk_hyper(0.05, 0.9, 0.01, FTK_STEP_KEEP_GRAD);
    ftk__bk_step(&s->bk, s->p, &s->g, COUNT, &hy, 1);
    s->values = "trained values";
    for (uint32_t l = 0; l < s->g.n_sparse; l++)
        select_all(s, l);
    put_from(s, ties, 5, "ties");
    select_all(s, 1);
    put_from(s, odd, 10, "zeros, denormals, extremes");
    select_all(s, 2);
    FTK__MUST(&s->bk, mask, s->p, 0, NULL, 0);
    s->values = "no active weight";
    select_all(s, 0);
    ftk__bk_fill(&s->bk, s->p, &s->g, 0.4, 5);
    refusals(s);
}

static const struct ftk__rule rules[] = {
    { .id = "BKD-12",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-06 BKD-13",
      .title = "select chooses the core's own set by every formula",
      .why = "native selection may save time, but no network may depend on it",
      .fix = "order by |value|, then index; -0 is +0; Floyd's sampling from the stream given",
      .timeout_ms = 30000,
      .run = selections },
};
const struct ftk__rule_family ftk__family_bkd_select = { rules, sizeof(rules) / sizeof(rules[0]) };
