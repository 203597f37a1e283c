/* SPDX-License-Identifier: MIT
 * conform/rules_claims.c - channels that are declared, properties and formulas that are claimed.
 */
#include "base/rng.h"
#include "base/topk.h"
#include "conform/scene.h"
#include <math.h>
#include <string.h>

/* The whole choice of a rule in one number array: scores at level 1, taken at level 2. */
static ftk_status act(struct ftk__case *c, struct ftk__subject *s, const struct ftk__how *how,
                      struct ftk__blob *ret)
{
    *ret = (struct ftk__blob){ 0 };
    return ftk__driver_of(c)->act(c, s, how, ret);
}

/* ---- SCO-04 ----------------------------------------------------------------------------------- */

static const struct {
    uint32_t bit;
    const char *name;
} channels[] = {
    { FTK_CH_WEIGHT, "WEIGHT" }, { FTK_CH_GRAD, "GRAD" },   { FTK_CH_MOMENTUM, "MOMENTUM" },
    { FTK_CH_AGE, "AGE" },       { FTK_CH_FIRED, "FIRED" },
};
enum { N_CHANNELS = sizeof(channels) / sizeof(channels[0]) };

static uint32_t declared(const ftk_algo *a)
{
    if (a->kind == FTK_KIND_ALLOT)
        return ((const ftk_allot_ops *)a->ops)->channels;
    return ftk__scorer_of(a).channels;
}

/* Undeclared channels are NULL and cannot be read; declared ones make a difference somewhere. */
static void declared_channels(struct ftk__case *c)
{
    struct ftk__subject s;
    struct ftk__blob plain, other;
    ftk__subject_new(c, NULL, &s);
    const struct ftk__how how = {
        .side = FTK__ROOMY, .tolerant = true, .may_fail = true, .keep = true
    };
    ftk_status st = act(c, &s, &how, &plain);
    if (s.host->wrong_read)
        ftk__kit_fail(c, "%s", s.host->wrong);
    if (st < 0)
        return; /* another rule's: there is nothing to compare */
    for (int i = 0; i < N_CHANNELS; i++) {
        struct ftk__how changed = how;
        if (!(declared(c->algo) & channels[i].bit))
            continue;
        changed.other_values = channels[i].bit;
        act(c, &s, &changed, &other);
        if (ftk__blob_same(&plain, &other, NULL))
            ftk__kit_warn(c, "channel %s is declared and makes no difference", channels[i].name);
    }
}

/* ---- SCO-07 ----------------------------------------------------------------------------------- */

enum { LAYERS = 3 }; /* of the small scene */

static float *scores(struct ftk__case *c, struct ftk__subject *s, struct ftk__scene_layer *l,
                     uint64_t *ret_n)
{
    const struct ftk__how how = { 0 };
    const uint64_t *list = ftk__scene_list(l, ftk__scorer_of(c->algo).which, ret_n);
    float *score = ftk__kit_alloc(c, *ret_n, sizeof(*score));
    void *state = NULL;
    if (c->algo->state_bytes > 0)
        state = ftk__guard_new("state", c->algo->state_bytes, 64, FTK__AT_END, 0);
    ftk__kit_must(c, s->host, "score",
                  ftk__score_list(c, s, l, list, *ret_n, 0, &how, state, score));
    return score;
}

/* All other candidates get new values; this one's score must stay. */
static void is_elementwise(struct ftk__case *c, struct ftk__subject *s)
{
    static const uint64_t spots[] = { 0, 1, 5, 11 };
    struct ftk__scene a, b;
    uint64_t n;
    ftk__scene_small(c, c->seed, &a);
    float *before = scores(c, s, &a.l[1], &n);
    for (size_t i = 0; i < sizeof(spots) / sizeof(spots[0]); i++) {
        uint64_t at = a.l[1].list[spots[i]];
        ftk__scene_small(c, c->seed, &b);
        ftk__scene_fill(&b, c->seed + 1 + i, FTK__VALUES_PLAIN);
        b.l[1].weight[at] = a.l[1].weight[at];
        b.l[1].grad[at] = a.l[1].grad[at];
        b.l[1].momentum[at] = a.l[1].momentum[at];
        b.l[1].age[at] = a.l[1].age[at];
        b.l[1].fired[at] = a.l[1].fired[at];
        float *after = scores(c, s, &b.l[1], &n);
        if (memcmp(&before[spots[i]], &after[spots[i]], sizeof(float)) != 0)
            ftk__kit_fail(c,
                          "ELEMENTWISE is claimed, but score %llu is %.9g, then %.9g with other "
                          "values in the other candidates",
                          (unsigned long long)spots[i], (double)before[spots[i]],
                          (double)after[spots[i]]);
    }
}

struct ranking { /* the scores of a whole network, layer after layer */
    float *score;
    uint64_t n;
    uint64_t first[LAYERS + 1]; /* of each layer                                */
};

/* Layer by layer, as the core asks; at network scope it compares them all. */
static struct ranking rank(struct ftk__case *c, struct ftk__subject *s, struct ftk__scene *scene)
{
    struct ranking r = { 0 };
    float *score[LAYERS];
    for (uint32_t k = 0; k < LAYERS; k++) {
        uint64_t n;
        score[k] = scores(c, s, &scene->l[k], &n);
        r.n += n;
        r.first[k + 1] = r.n;
    }
    r.score = ftk__kit_alloc(c, r.n, sizeof(*r.score));
    for (uint32_t k = 0; k < LAYERS; k++)
        memcpy(r.score + r.first[k], score[k], (r.first[k + 1] - r.first[k]) * sizeof(*r.score));
    return r;
}

/* "candidate 3 of layer 'b'" */
static void tell_place(const struct ranking *r, const struct ftk__scene *scene, uint64_t at,
                       char ret[64])
{
    uint32_t k = 0;
    while (at >= r->first[k + 1])
        k++;
    ftk__format(ret, 64, "candidate %llu of layer '%s'", (unsigned long long)(at - r->first[k]),
                scene->l[k].name);
}

/* The order of all pairs, ties included: sign of score[i] - score[j]. */
static void same_order(struct ftk__case *c, const struct ftk__scene *scene, const struct ranking *r,
                       const struct ranking *then, const char *what)
{
    const float *a = r->score;
    const float *b = then->score;
    for (uint64_t i = 0; i < r->n; i++)
        for (uint64_t j = 0; j < i; j++) {
            int x = (a[i] > a[j]) - (a[i] < a[j]);
            int y = (b[i] > b[j]) - (b[i] < b[j]);
            char one[64], other[64];
            if (x == y)
                continue;
            tell_place(r, scene, j, one);
            tell_place(r, scene, i, other);
            ftk__kit_fail(c, "%s changes the order of %s and %s: %.9g %.9g, then %.9g %.9g", what,
                          one, other, (double)a[j], (double)a[i], (double)b[j], (double)b[i]);
        }
}

static void multiply(struct ftk__scene *s, uint32_t channel, float by)
{
    for (uint32_t k = 0; k < s->n_layers; k++)
        for (uint64_t i = 0; i < s->l[k].layer.n; i++) {
            s->l[k].weight[i] *= channel & FTK_CH_WEIGHT ? by : 1;
            s->l[k].grad[i] *= channel & FTK_CH_GRAD ? by : 1;
            s->l[k].momentum[i] *= channel & FTK_CH_MOMENTUM ? by : 1;
        }
}

/* With channels times `by`, in all layers: the same order over the network (level 1), the same set
 * (level 2). */
static void keeps_choice(struct ftk__case *c, struct ftk__subject *s, uint32_t channel, float by,
                         const char *what)
{
    const struct ftk__scorer op = ftk__scorer_of(c->algo);
    struct ftk__scene a, b;
    ftk__scene_small(c, c->seed, &a);
    ftk__scene_small(c, c->seed, &b);
    ftk__scene_fill(&a, c->seed, FTK__VALUES_TIES);
    ftk__scene_fill(&b, c->seed, FTK__VALUES_TIES);
    multiply(&b, channel, by);
    if (op.score) {
        struct ranking x = rank(c, s, &a);
        struct ranking y = rank(c, s, &b);
        same_order(c, &a, &x, &y, what);
        return;
    }
    struct ftk__view *v[2] = { ftk__kit_alloc(c, 1, sizeof(*v[0])),
                               ftk__kit_alloc(c, 1, sizeof(*v[1])) };
    uint64_t budget[3];
    for (uint32_t k = 0; k < 3; k++)
        budget[k] = a.l[k].layer.nnz / 3;
    for (int i = 0; i < 2; i++) {
        void *state = ftk__guard_new("state", c->algo->state_bytes, 64, FTK__AT_END, 0);
        ftk_status st = ftk__select_once(c, s, i ? &b : &a, budget, 0, &(struct ftk__how){ 0 },
                                         c->algo->state_bytes ? state : NULL, v[i]);
        ftk__kit_must(c, s->host, "select", st);
    }
    for (uint32_t k = 0; k < 3; k++)
        if (memcmp(v[0]->taken[k], v[1]->taken[k], a.l[k].layer.n) != 0)
            ftk__kit_fail(c, "%s changes what is taken of layer '%s'", what, a.l[k].name);
}

static void claimed_properties(struct ftk__case *c)
{
    const struct ftk__scorer op = ftk__scorer_of(c->algo);
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    if (op.props & FTK_PROP_ELEMENTWISE)
        is_elementwise(c, &s);
    if (op.props & FTK_PROP_SCALE_FREE) {
        keeps_choice(c, &s, FTK_CH_WEIGHT, 8, "SCALE_FREE is claimed, but weights times 8");
        keeps_choice(c, &s, FTK_CH_GRAD, 0.125f, "SCALE_FREE is claimed, but grads times 1/8");
        keeps_choice(c, &s, FTK_CH_MOMENTUM, 4, "SCALE_FREE is claimed, but momentum times 4");
    }
    if (op.props & FTK_PROP_SIGN_FREE)
        keeps_choice(c, &s, FTK_CH_WEIGHT | FTK_CH_GRAD | FTK_CH_MOMENTUM, -1,
                     "SIGN_FREE is claimed, but flipping all signs");
}

/* ---- SCO-09 ----------------------------------------------------------------------------------- */

static float formula_of(const struct ftk__scene_layer *l, uint64_t at, uint32_t formula)
{
    if (formula == FTK_FORMULA_ABS_WEIGHT)
        return fabsf(l->weight[at]);
    return fabsf(formula == FTK_FORMULA_ABS_GRAD ? l->grad[at] : l->momentum[at]);
}

static bool same_float(float a, float b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    return !(a < b) && !(a > b); /* -0 is +0 */
}

static void absolute_values(struct ftk__case *c, struct ftk__subject *s, uint32_t formula)
{
    static const enum ftk__scene_values kinds[] = { FTK__VALUES_PLAIN, FTK__VALUES_ODD };
    for (uint32_t i = 0; i < 2; i++) {
        struct ftk__scene scene;
        uint64_t n;
        ftk__scene_small(c, c->seed, &scene);
        ftk__scene_fill(&scene, c->seed, kinds[i]);
        float *got = scores(c, s, &scene.l[0], &n);
        for (uint64_t j = 0; j < n; j++) {
            float right = formula_of(&scene.l[0], scene.l[0].list[j], formula);
            if (!same_float(got[j], right))
                ftk__kit_fail(c, "score %llu is %.9g, the formula that is claimed gives %.9g",
                              (unsigned long long)j, (double)got[j], (double)right);
        }
    }
}

enum { POOL = 12, TAKEN = 4, STREAMS = 10000 };

static void judge_share(struct ftk__case *c, uint32_t count, double p, const char *what)
{
    double expected = STREAMS * p;
    double sigma = sqrt(STREAMS * p * (1 - p));
    if (fabs(count - expected) > 5 * sigma)
        ftk__kit_fail(c,
                      "UNIFORM is claimed, but over %d streams %s were chosen %u times, expected "
                      "are %.0f, give or take %.0f",
                      STREAMS, what, count, expected, 5 * sigma);
}

/* Which of POOL candidates the lowest or highest TAKEN scores choose, over many streams. */
static void uniform_choice(struct ftk__case *c, struct ftk__subject *s)
{
    const struct ftk__scorer op = ftk__scorer_of(c->algo);
    const struct ftk__how how = { 0 };
    const uint64_t n = 2 * POOL;
    const double density = 0.5;
    const struct ftk__scene_shape shape = { .n = &n, .density = &density, .n_layers = 1 };
    struct ftk__scene scene;
    uint32_t single[POOL] = { 0 };
    uint32_t pair[POOL][POOL] = { { 0 } };
    uint64_t count;
    ftk__scene_new(c, &shape, c->seed, &scene);
    const uint64_t *list = ftk__scene_list(&scene.l[0], op.which, &count);
    const ftk_layer *layer = ftk__scene_layer(&scene.l[0], &how);
    const ftk_cand *cand = ftk__scene_cand(&scene.l[0], list, 0, POOL, op.channels, &how);
    float *score = ftk__guard_new("score", POOL * sizeof(*score), 4, FTK__AT_END, 0);
    void *state = ftk__guard_new("state", c->algo->state_bytes, 64, FTK__AT_END, 0);
    ftk_update *u = ftk__scene_update(0, 0, &how, c->algo->state_bytes > 0 ? state : NULL);
    for (uint64_t t = 0; t < STREAMS; t++) {
        uint64_t pos[TAKEN];
        struct ftk_error err;
        u->rng = (ftk_rng){ { c->seed, t }, 0 };
        ftk__kit_begin(s->host);
        ftk_status st = op.score(s->host->table, s->self, layer, cand, u, score);
        ftk__kit_must(c, s->host, "score", ftk__kit_end(c, s->host, "score", false, st));
        if (ftk__topk(score, POOL, TAKEN, op.which == FTK_INACTIVE, pos, &err) < 0)
            ftk__kit_fail(c, "%s", err.message);
        for (int i = 0; i < TAKEN; i++) {
            single[pos[i]]++;
            for (int j = 0; j < i; j++)
                pair[pos[j]][pos[i]]++;
        }
    }
    double one = (double)TAKEN / POOL;
    double two = one * (TAKEN - 1) / (POOL - 1);
    for (int i = 0; i < POOL; i++) {
        char what[64];
        ftk__format(what, sizeof(what), "candidate %d", i);
        judge_share(c, single[i], one, what);
        for (int j = 0; j < i; j++) {
            ftk__format(what, sizeof(what), "candidates %d and %d together", j, i);
            judge_share(c, pair[j][i], two, what);
        }
    }
}

static void claimed_formula(struct ftk__case *c)
{
    const struct ftk__scorer op = ftk__scorer_of(c->algo);
    struct ftk__subject s;
    if (op.formula == 0)
        ftk__kit_skip(c, "no formula is claimed");
    ftk__subject_new(c, NULL, &s);
    if (op.formula == FTK_FORMULA_UNIFORM)
        uniform_choice(c, &s);
    else
        absolute_values(c, &s, op.formula);
}

static const struct ftk__rule rules[] = {
    { .id = "SCO-04",
      .level = 2,
      .kinds = FTK__ON_SPARSE,
      .needs = "ABI-01 PAR-03 PAR-06",
      .title = "only declared channels are read, and each makes a difference",
      .why = "the core fetches what is declared: a dense gradient costs a whole backward pass",
      .fix = "declare in ops.channels what the rule reads, and nothing else",
      .run = declared_channels },
    { .id = "SCO-07",
      .level = 2,
      .kinds = FTK__ON_PRUNE | FTK__ON_GROW,
      .needs = "SCO-01 SCO-02 SCO-04 DET-01 DET-02 DET-06 PRN-01 GRW-01",
      .title = "claims of ELEMENTWISE, SCALE_FREE and SIGN_FREE hold",
      .why = "the core and backends rely on claims to select natively and in parallel",
      .fix = "drop the claim, or make it true; order is that of the whole network, which scope "
             "\"network\" compares",
      .run = claimed_properties },
    { .id = "SCO-09",
      .level = 2,
      .kinds = FTK__ON_SCORERS,
      .needs = "SCO-01 SCO-04 DET-01",
      .title = "the claimed formula is what the scores are",
      .why = "a backend may select by the formula and never call the plugin",
      .fix = "drop the formula, or compute exactly it: fabsf(), nothing added",
      .run = claimed_formula },
};
const struct ftk__rule_family ftk__family_claims = { rules, sizeof(rules) / sizeof(rules[0]) };
