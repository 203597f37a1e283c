/* SPDX-License-Identifier: MIT
 * conform/rules_bkd_step.c - what a step counts, keeps and leaves alone; dropout.
 */
#include "base/rng.h"
#include "conform/rules_bkd.h"
#include <math.h>
#include <string.h>

enum { COUNT = 6, CLASSES = 4 };

static const double loss_tolerance[] = { 1e-5, 1e-3, 3e-2 };  /* by precision */
static const double value_tolerance[] = { 1e-6, 1e-6, 1e-2 }; /* of elementwise operations */

/* An opened backend with the kit's network in it. */
struct stage {
    struct ftk__bk bk;
    struct ftk__bk_graph g;
    ftk_prog *p;
    struct ftk__bk_snap before, after;
};

static struct stage *stage_new(struct ftk__case *c, bool full)
{
    struct stage *s = ftk__kit_alloc(c, 1, sizeof(*s));
    ftk__bk_open(c, FTK__BK_AS_SET, &s->bk);
    ftk__bk_net(&s->g, full);
    s->p = ftk__bk_compile(&s->bk, &s->g, COUNT, 0);
    ftk__bk_fill(&s->bk, s->p, &s->g, 0.4, 8);
    return s;
}

static void step(struct stage *s, const ftk_hyper *hy, uint64_t seed)
{
    ftk__bk_step(&s->bk, s->p, &s->g, COUNT, hy, seed);
}

static void expect_no_counts(struct stage *s, const char *flag)
{
    ftk_stats t = ftk__bk_sync(&s->bk, s->p);
    ftk__kit_expect(s->bk.c, t.samples == 0 && t.correct == 0 && t.loss_sum == 0.0,
                    "after %s alone sync() counts %llu samples, %llu correct, loss %g", flag,
                    (unsigned long long)t.samples, (unsigned long long)t.correct, t.loss_sum);
}

/* ---- BKD-03 ------------------------------------------------------------------------------------ */

static void expect_counts(struct stage *s, const ftk_stats *got, uint64_t samples, uint64_t correct,
                          double loss)
{
    ftk__kit_expect(s->bk.c, got->samples == samples && got->correct == correct,
                    "sync() counts %llu samples and %llu correct, %llu and %llu were due",
                    (unsigned long long)got->samples, (unsigned long long)got->correct,
                    (unsigned long long)samples, (unsigned long long)correct);
    ftk__kit_expect(s->bk.c, fabs(got->loss_sum - loss) <= loss_tolerance[s->bk.precision] * loss,
                    "sync() gives a loss of %.9g, %.9g was due", got->loss_sum, loss);
    ftk__kit_expect(s->bk.c, got->bad_node == -1, "sync() calls node %d bad, all is finite",
                    got->bad_node);
}

/* A network that computes the same in training and evaluation: what predict() says before a step is
 * what the step counts. */
static void counts(struct ftk__case *c)
{
    struct stage *s = stage_new(c, false);
    const ftk_hyper hy = ftk__bk_hyper(0.1, 0.9, 0.0, 0);
    double loss = 0.0;
    uint64_t correct = 0;
    uint64_t samples = 0;
    for (uint32_t i = 0; i < 3; i++) {
        const struct ftk__bk_batch *b = ftk__bk_batch(c, &s->g, COUNT - i, 20 + i);
        uint64_t hits = 0;
        const float *z = ftk__bk_predict(&s->bk, s->p, &s->g, b);
        loss += ftk__bk_loss(&s->g, b, z, &hits) * b->b.count;
        correct += hits;
        samples += b->b.count;
        FTK__MUST(&s->bk, step, s->p, b->list, &hy);
    }
    ftk_stats got = ftk__bk_sync(&s->bk, s->p);
    expect_counts(s, &got, samples, correct, loss);
    got = ftk__bk_sync(&s->bk, s->p);
    expect_counts(s, &got, 0, 0, 0.0);
}

static void bad_node(struct stage *s, uint32_t node, float value)
{
    uint64_t n = 0;
    float *w = ftk__bk_get(&s->bk, s->p, &s->g, node, FTK_TENSOR_WEIGHT, &n);
    ftk_hyper hy = ftk__bk_hyper(0.1, 0.9, 0.0, 0);
    step(s, &hy, 1);
    (void)ftk__bk_sync(&s->bk, s->p);
    ftk__bk_snap(&s->bk, s->p, &s->g, 1, &s->before);
    w[n / 2] = value;
    ftk__bk_put(&s->bk, s->p, &s->g, node, FTK_TENSOR_WEIGHT, w, n);
    hy.step = 7;
    step(s, &hy, 2);
    hy.step = 8;
    step(s, &hy, 3);
    ftk_stats t = ftk__bk_sync(&s->bk, s->p);
    ftk__kit_expect(s->bk.c, t.bad_node == (int32_t)node && t.bad_step == 7,
                    "a weight of node %u is %g from step 7 on: sync() says node %d, step %llu",
                    node, (double)value, t.bad_node, (unsigned long long)t.bad_step);
    ftk__bk_restore(&s->bk, s->p, &s->g, &s->before);
    step(s, &hy, 4);
    t = ftk__bk_sync(&s->bk, s->p);
    ftk__kit_expect(s->bk.c, t.bad_node == -1, "all is finite again: sync() still says node %d",
                    t.bad_node);
}

static void statistics(struct ftk__case *c)
{
    counts(c);
    struct stage *s = stage_new(c, true);
    for (uint32_t node = 0; node < s->g.n_nodes; node++) {
        if (ftk__bk_weights(&s->g, node) == 0)
            continue;
        bad_node(s, node, NAN);
        bad_node(s, node, INFINITY);
    }
}

/* ---- BKD-13 ------------------------------------------------------------------------------------ */

static void expect_no_gradient(struct stage *s, const char *when)
{
    for (uint32_t which = FTK_ACTIVE; which <= FTK_INACTIVE; which++) {
        uint64_t cursor = 0;
        ftk_cand c = { .size = sizeof(c) };
        ftk_status st =
            which == FTK_ACTIVE
                ? FTK__TRY(&s->bk, read_active, s->p, 0, FTK_CH_GRAD, 10, &cursor, &c)
                : FTK__TRY(&s->bk, read_inactive, s->p, 0, FTK_CH_GRAD, 10, &cursor, &c);
        ftk__kit_must_refuse(s->bk.c, s->bk.host, "read of GRAD", st);
        ftk__kit_expect(s->bk.c, st == FTK_ESTATE, "read of GRAD %s gave %s, ESTATE was due", when,
                        ftk__status_name(st));
    }
}

static void expect_gradients(struct stage *s, const float *const *want, const char *when)
{
    for (uint32_t l = 0; l < s->g.n_sparse; l++) {
        uint64_t n = ftk__bk_weights(&s->g, ftk__bk_layer_node(&s->g, l));
        const float *got = ftk__bk_gradient(&s->bk, s->p, &s->g, l);
        bool same = memcmp(got, want[l], n * sizeof(*got)) == 0;
        if (!same && !(s->bk.caps & FTK_CAP_BITWISE)) {
            struct ftk__bk_tally t;
            ftk__bk_tally(&t, &s->bk);
            ftk__bk_where(&t, "%s", when);
            ftk__bk_near(&t, "kept gradient", got, want[l], n);
            continue;
        }
        uint64_t i = 0;
        while (!same && i < n && memcmp(&got[i], &want[l][i], sizeof(*got)) == 0)
            i++;
        ftk__kit_expect(s->bk.c, same, "gradient of layer %u, entry %llu, %s: %.9g, %.9g was due",
                        l, (unsigned long long)i, when, (double)(same ? 0 : got[i]),
                        (double)(same ? 0 : want[l][i]));
    }
}

/* The first active weight of a layer goes, its first inactive one comes. */
static void swap_one(struct stage *s, uint32_t layer)
{
    struct ftk__bk_list on, off;
    ftk__bk_read(&s->bk, s->p, &s->g, layer, FTK_ACTIVE, 0, 16, &on);
    ftk__bk_read(&s->bk, s->p, &s->g, layer, FTK_INACTIVE, 0, 16, &off);
    const ftk_change change = {
        .size = sizeof(change), .drop = on.index, .add = off.index, .n_drop = 1, .n_add = 1
    };
    FTK__MUST(&s->bk, edit, s->p, layer, &change);
}

static void no_update(struct stage *s)
{
    ftk_hyper hy = ftk__bk_hyper(0.1, 0.9, 0.01, 0);
    step(s, &hy, 1);
    (void)ftk__bk_sync(&s->bk, s->p);
    ftk__bk_snap(&s->bk, s->p, &s->g, 1, &s->before);
    for (uint32_t keep = 0; keep < 2; keep++) {
        hy.flags = FTK_STEP_NO_UPDATE | (keep ? FTK_STEP_KEEP_GRAD : 0u);
        step(s, &hy, 2);
        ftk__bk_snap(&s->bk, s->p, &s->g, 1, &s->after);
        ftk__bk_same(&s->bk, &s->g, &s->before, &s->after, "before and after NO_UPDATE");
    }
    expect_no_counts(s, "NO_UPDATE");
}

/* The gradient is that of the weights before the update, without decay: the same as without an
 * update; it outlives predict() and edit(), not the next step. */
static void kept_gradient(struct ftk__case *c)
{
    struct stage *s = stage_new(c, true);
    const float *want[3];
    expect_no_gradient(s, "before any step");
    ftk_hyper hy = ftk__bk_hyper(0.3, 0.9, 0.0, FTK_STEP_NO_UPDATE | FTK_STEP_KEEP_GRAD);
    step(s, &hy, 4);
    for (uint32_t l = 0; l < s->g.n_sparse; l++)
        want[l] = ftk__bk_gradient(&s->bk, s->p, &s->g, l);
    hy.flags = FTK_STEP_KEEP_GRAD;
    hy.weight_decay = 0.1; /* no part of the gradient */
    step(s, &hy, 4);
    expect_gradients(s, want, "after the update");
    (void)ftk__bk_predict(&s->bk, s->p, &s->g, ftk__bk_batch(c, &s->g, COUNT, 5));
    expect_gradients(s, want, "after predict()");
    swap_one(s, 2);
    expect_gradients(s, want, "after edit()");
    swap_one(s, 0);
    expect_gradients(s, want, "after edit()");
    hy.flags = 0;
    step(s, &hy, 4);
    expect_no_gradient(s, "after a step without KEEP_GRAD");
    no_update(s);
}

/* ---- BKD-14 ------------------------------------------------------------------------------------ */

static bool moves(uint32_t role)
{
    return role == FTK_TENSOR_BN_MEAN || role == FTK_TENSOR_BN_VAR;
}

/* `moved`: of a full step's statistics; all else is as before. */
static void expect_only_statistics(struct stage *s, const struct ftk__bk_snap *full)
{
    struct ftk__bk_tally t;
    uint32_t changed = 0;
    ftk__bk_tally(&t, &s->bk);
    ftk__bk_where(&t, "STATS_ONLY against a full step");
    for (uint32_t i = 0; i < s->after.n; i++) {
        const struct ftk__bk_array *a = &s->after.array[i];
        const struct ftk__bk_array *old = ftk__bk_array(&s->before, a->node, a->role, 0);
        const char *name = ftk__bk_array_name(s->bk.c, &s->g, a->node, a->role);
        bool same = memcmp(a->v, old->v, a->n * sizeof(*a->v)) == 0;
        ftk__kit_expect(s->bk.c, same || moves(a->role), "STATS_ONLY changes the %s", name);
        changed += !same;
        if (moves(a->role))
            ftk__bk_near(&t, name, a->v, ftk__bk_array(full, a->node, a->role, 0)->v, a->n);
    }
    ftk__kit_expect(s->bk.c, changed == 2, "STATS_ONLY moves %u arrays of 2", changed);
}

static void statistics_only(struct ftk__case *c)
{
    struct stage *s = stage_new(c, true);
    struct ftk__bk_snap full;
    ftk_hyper hy = ftk__bk_hyper(0.3, 0.9, 0.1, 0);
    ftk__bk_snap(&s->bk, s->p, &s->g, 1, &s->before);
    step(s, &hy, 6);
    ftk__bk_snap(&s->bk, s->p, &s->g, 1, &full);
    ftk__bk_restore(&s->bk, s->p, &s->g, &s->before);
    (void)ftk__bk_sync(&s->bk, s->p);
    hy.flags = FTK_STEP_STATS_ONLY;
    const struct ftk__bk_batch *b = ftk__bk_batch(c, &s->g, COUNT, 6);
    ftk_status st = FTK__TRY(&s->bk, step, s->p, b->list, &hy);
    if (ftk__bk_not_supported(&s->bk, "step", st, !ftk__bk_is_cpu(&s->bk)))
        ftk__kit_skip(c, "STATS_ONLY: %s", s->bk.host->reason);
    ftk__bk_snap(&s->bk, s->p, &s->g, 1, &s->after);
    expect_only_statistics(s, &full);
    expect_no_counts(s, "STATS_ONLY");
}

/* ---- BKD-15 ------------------------------------------------------------------------------------ */

static void dense_layer(struct stage *s, uint32_t layer, const ftk_hyper *hy)
{
    const uint32_t all = FTK_CH_WEIGHT | FTK_CH_GRAD | FTK_CH_MOMENTUM;
    struct ftk__bk_list was, now;
    char what[80];
    uint64_t n = 0;
    uint32_t node = ftk__bk_layer_node(&s->g, layer);
    ftk__bk_read(&s->bk, s->p, &s->g, layer, FTK_INACTIVE, FTK_CH_MOMENTUM, 9, &was);
    step(s, hy, 2 + layer);
    ftk__bk_read(&s->bk, s->p, &s->g, layer, FTK_INACTIVE, all, 9, &now);
    for (uint64_t i = 0; i < now.n; i++) {
        was.momentum[i] = (float)(hy->momentum * was.momentum[i] + now.grad[i]);
        ftk__kit_expect(s->bk.c, now.weight[i] == 0.0f, "inactive weight %llu of layer %u is %g",
                        (unsigned long long)now.index[i], layer, (double)now.weight[i]);
    }
    ftk__format(what, sizeof(what), "inactive momentum of layer %u against mu v + g", layer);
    ftk__bk_close_to(&s->bk, what, now.momentum, was.momentum, now.n, 1e-5);
    ftk__kit_expect(
        s->bk.c,
        ftk__bk_find(&s->bk, s->p, node, FTK_TENSOR_MOMENT1 | FTK_TENSOR_WEIGHT, 0, &n) >= 0 &&
            n == ftk__bk_weights(&s->g, node),
        "tensor() gives the momentum of layer %u %llu floats, it has %llu weights", layer,
        (unsigned long long)n, (unsigned long long)ftk__bk_weights(&s->g, node));
}

static void dense_momentum(struct ftk__case *c)
{
    struct stage *s = ftk__kit_alloc(c, 1, sizeof(*s));
    ftk__bk_open(c, FTK__BK_AS_SET, &s->bk);
    ftk__bk_net(&s->g, true);
    const ftk_build b = ftk__bk_build(&s->g, COUNT, FTK_BUILD_DENSE_MOMENTUM);
    ftk_status st = FTK__TRY(&s->bk, compile, s->bk.dev, &b, &s->p);
    if (ftk__bk_not_supported(&s->bk, "compile", st, !ftk__bk_is_cpu(&s->bk)))
        ftk__kit_skip(c, "DENSE_MOMENTUM: %s", s->bk.host->reason);
    ftk__bk_fill(&s->bk, s->p, &s->g, 0.4, 8);
    const ftk_hyper hy = ftk__bk_hyper(0.1, 0.8, 0.1, FTK_STEP_KEEP_GRAD);
    step(s, &hy, 1);
    for (uint32_t l = 0; l < s->g.n_sparse; l++)
        dense_layer(s, l, &hy);
}

/* ---- BKD-18 ------------------------------------------------------------------------------------ */

static const float rate = 0.375f;

/* relu(x), kept and scaled by the text of graph.h; `drop` is the node's index, `keep_all`: none. */
static float dropped(ftk_rng *rng, float x, bool keep_all)
{
    float y = fmaxf(x, 0.0f);
    if (keep_all)
        return y;
    return ftk__rng_uniform(rng) >= (double)rate ? y / (1.0f - rate) : 0.0f;
}

static void expect_pattern(struct stage *s, const struct ftk__bk_batch *b, const float *z,
                           uint32_t drop, bool keep_all)
{
    uint64_t n = b->b.count * ftk__bk_floats(&s->g.node[0]);
    ftk_rng rng = b->b.rng;
    rng.key[1] += drop;
    for (uint64_t i = 0; i < n; i++) {
        float want = dropped(&rng, b->x[i], keep_all);
        double most = value_tolerance[s->bk.precision] * (double)want;
        ftk__kit_expect(s->bk.c, fabs((double)z[i] - want) <= most,
                        "%s dropout, element %llu: %.9g, %.9g was due",
                        keep_all ? "predict() without" : "predict() with", (unsigned long long)i,
                        (double)z[i], (double)want);
    }
}

/* What a step does with dropout shows in its loss. */
static void expect_step_pattern(struct stage *s, const struct ftk__bk_batch *b, uint32_t drop)
{
    uint64_t n = b->b.count * ftk__bk_floats(&s->g.node[0]);
    float *z = ftk__kit_alloc(s->bk.c, n, sizeof(*z));
    const ftk_hyper hy = ftk__bk_hyper(0.0, 0.0, 0.0, 0);
    ftk_rng rng = b->b.rng;
    uint64_t correct = 0;
    rng.key[1] += drop;
    for (uint64_t i = 0; i < n; i++)
        z[i] = dropped(&rng, b->x[i], false);
    double want = ftk__bk_loss(&s->g, b, z, &correct) * b->b.count;
    (void)ftk__bk_sync(&s->bk, s->p);
    FTK__MUST(&s->bk, step, s->p, b->list, &hy);
    double loss = ftk__bk_sync(&s->bk, s->p).loss_sum;
    ftk__kit_expect(s->bk.c, fabs(loss - want) <= loss_tolerance[s->bk.precision] * want,
                    "loss of a step with dropout: %.9g, %.9g was due", loss, want);
}

/* A sample's logits do not depend on its batch. */
static void running_statistics(struct ftk__case *c)
{
    struct stage *s = stage_new(c, true);
    struct ftk__bk_batch *b = ftk__bk_batch(c, &s->g, COUNT, 3);
    struct ftk__bk_tally t;
    ftk__bk_tally(&t, &s->bk);
    ftk__bk_where(&t, "predict() of one sample and of its batch");
    const float *all = ftk__bk_predict(&s->bk, s->p, &s->g, b);
    b->b.count = 1;
    const float *one = ftk__bk_predict(&s->bk, s->p, &s->g, b);
    ftk__bk_near(&t, "logits", one, all, CLASSES);
}

static void dropout(struct ftk__case *c)
{
    struct stage *s = ftk__kit_alloc(c, 1, sizeof(*s));
    ftk__bk_open(c, FTK__BK_AS_SET, &s->bk);
    uint32_t at = ftk__bk_relu(&s->g, ftk__bk_input(&s->g, 3, 4, 5));
    uint32_t drop = ftk__bk_dropout(&s->g, at, rate);
    ftk__bk_xent(&s->g, ftk__bk_flatten(&s->g, drop), 0.0f);
    s->p = ftk__bk_compile(&s->bk, &s->g, COUNT, 0);
    for (uint32_t count = COUNT; count > 1; count -= 3) {
        struct ftk__bk_batch *b = ftk__bk_batch(c, &s->g, count, 12);
        b->b.rng.counter = 5;
        expect_pattern(s, b, ftk__bk_predict(&s->bk, s->p, &s->g, b), drop, true);
        expect_step_pattern(s, b, drop);
        b->b.flags = FTK_BATCH_DROPOUT;
        expect_pattern(s, b, ftk__bk_predict(&s->bk, s->p, &s->g, b), drop, false);
    }
    running_statistics(c);
}

static const struct ftk__rule rules[] = {
    { .id = "BKD-18",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-01",
      .title = "dropout keeps just the elements that the stream says; predict has nothing random",
      .why = "the same seed must train the same network on every backend",
      .fix =
          "element e is kept where number e of the stream is >= rate, the node's index in key[1]",
      .timeout_ms = 30000,
      .run = dropout },
    { .id = "BKD-03",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-01 BKD-02",
      .title = "samples, hits and loss since the last sync; the node that went bad first",
      .why = "a run that diverges must say where and when",
      .fix = "count on the device, clear at sync(); look at outputs in the order of nodes",
      .timeout_ms = 30000,
      .run = statistics },
    { .id = "BKD-13",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-03 BKD-09",
      .title = "NO_UPDATE changes nothing; KEEP_GRAD keeps the gradient before the update",
      .why = "growing by gradient follows the step that kept it",
      .fix = "compute weight gradients into their own buffers; FTK_ESTATE where there are none",
      .timeout_ms = 30000,
      .run = kept_gradient },
    { .id = "BKD-14",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-01 BKD-02 BKD-03",
      .title = "STATS_ONLY moves batch-norm statistics alone",
      .why = "statistics are renewed after weights were averaged or cut",
      .fix = "run the forward part of a step and stop; count nothing",
      .timeout_ms = 30000,
      .run = statistics_only },
    { .id = "BKD-15",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-04 BKD-13",
      .title = "with DENSE_MOMENTUM inactive momentum is mu v + g, weights still 0",
      .why = "SNFS and the published FreeTickets grow where momentum is large",
      .fix = "update the momentum of all weights, and the values of active ones",
      .timeout_ms = 30000,
      .run = dense_momentum },
};
const struct ftk__rule_family ftk__family_bkd_step = { rules, sizeof(rules) / sizeof(rules[0]) };
