/* SPDX-License-Identifier: MIT
 * conform/rules_bkd_fuzz.c - random networks, broken networks, odd batches: a result or a reason.
 */
#include "base/rng.h"
#include "conform/rules_bkd.h"
#include <math.h>
#include <string.h>
#include <time.h>

enum { BATCH = 4, CASES = 2000 };
static const double most_seconds = 0.8;

/* Random networks may be ill-conditioned, so only gross errors count here. */
static const double near_enough[] = { 1e-4, 1e-3, 3e-2 }; /* NMSE, by precision */

struct stage {
    struct ftk__bk bk[2];
    struct ftk__bk_graph g;
    ftk_prog *p[2];
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Small numbers, borders and giants. */
static uint32_t odd_number(ftk_rng *rng)
{
    static const uint32_t odd[] = { 0, 1, 2, 3, 7, 48, 1000, 1u << 20, INT32_MAX, UINT32_MAX };
    return odd[ftk__rng_below(rng, sizeof(odd) / sizeof(odd[0]))];
}

static float odd_scalar(ftk_rng *rng)
{
    static const float odd[] = { NAN, INFINITY, -1.0f, 1.0f, 2.0f, 0.0f };
    return odd[ftk__rng_below(rng, sizeof(odd) / sizeof(odd[0]))];
}

/* One field of one node is another. */
static const char *break_one(struct ftk__bk_graph *g, ftk_rng *rng)
{
    uint32_t at = (uint32_t)ftk__rng_below(rng, g->n_nodes);
    ftk_node *n = &g->node[at];
    uint32_t side = (uint32_t)ftk__rng_below(rng, 2);
    switch (ftk__rng_below(rng, 9)) {
    case 0:
        n->op = odd_number(rng);
        return "op";
    case 1:
        n->in[side] = odd_number(rng);
        return "input";
    case 2:
        n->out_shape[ftk__rng_below(rng, 3)] = odd_number(rng);
        return "shape";
    case 3:
        n->kernel[side] = odd_number(rng);
        return "kernel";
    case 4:
        n->stride[side] = odd_number(rng);
        return "stride";
    case 5:
        n->pad[side] = odd_number(rng);
        return "padding";
    case 6:
        n->flags = 1u << ftk__rng_below(rng, 32);
        return "flags";
    case 7:
        n->scalar[side] = odd_scalar(rng);
        return "scalar";
    default:
        n->sparse = 1 + odd_number(rng) % 3;
        return "sparse";
    }
}

static ftk_status compile(struct stage *s, int k, uint32_t max_batch)
{
    const ftk_build b = ftk__bk_build(&s->g, max_batch, 0);
    s->p[k] = NULL;
    ftk_status st = FTK__TRY(&s->bk[k], compile, s->bk[k].dev, &b, &s->p[k]);
    if (st < 0)
        ftk__kit_must_refuse(s->bk[k].c, s->bk[k].host, "compile", st);
    return st;
}

static void release(struct stage *s, int k)
{
    if (s->p[k])
        s->bk[k].ops->release(s->p[k]);
    s->p[k] = NULL;
}

/* supports() has an opinion on any node, and it is not a crash. */
static void ask_supports(struct stage *s)
{
    for (uint32_t i = 0; i < s->g.n_nodes; i++) {
        struct ftk__bk *bk = &s->bk[0];
        ftk_status st = FTK__TRY(bk, supports, bk->dev, s->g.list[i]);
        if (st < 0)
            ftk__kit_must_refuse(bk->c, bk->host, "supports", st);
    }
}

/* What the oracle refuses is no network, so nobody can run it. */
static void broken_graph(struct stage *s, ftk_rng *rng, uint32_t nth)
{
    const char *what = break_one(&s->g, rng);
    ftk__kit_note(s->bk[0].c, "case %u: a network whose %s is another", nth, what);
    ask_supports(s);
    ftk_status own = compile(s, 0, BATCH);
    if (own >= 0 && compile(s, 1, BATCH) < 0)
        ftk__kit_fail(s->bk[0].c, "compile() takes a network that the oracle refuses: %s",
                      s->bk[1].host->reason);
    release(s, 0);
    release(s, 1);
}

static bool all_finite(const float *v, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return false;
    return true;
}

static void near(struct stage *s, const char *what, const float *a, const float *b, uint64_t n)
{
    double nmse = ftk__bk_nmse(a, b, n);
    if (all_finite(b, n) && !(nmse <= near_enough[s->bk[0].precision]))
        ftk__kit_fail(s->bk[0].c, "%s off by NMSE %.3g: %.9g, in the oracle %.9g", what, nmse,
                      (double)a[0], (double)b[0]);
}

/* A network that is right: logits and the loss of a step are the oracle's. */
static void right_graph(struct stage *s, ftk_rng *rng, uint32_t nth)
{
    struct ftk__case *c = s->bk[0].c;
    uint32_t count = 1 + (uint32_t)ftk__rng_below(rng, BATCH);
    double density = ftk__rng_below(rng, 3) == 0 ? 1.0 : ftk__rng_uniform(rng);
    const ftk_hyper hy = ftk__bk_hyper(0.01, 0.9, 1e-3, (uint32_t)ftk__rng_below(rng, 4));
    const float *z[2];
    float loss[2];
    ftk__kit_note(c, "case %u: a random network, %u of %d samples, density %.3f", nth, count, BATCH,
                  density);
    if (compile(s, 0, BATCH) < 0)
        return;
    const struct ftk__bk_batch *b = ftk__bk_batch(c, &s->g, count, nth);
    for (int k = 0; k < 2; k++) {
        if (k > 0)
            compile(s, k, BATCH);
        if (!s->p[k])
            ftk__kit_broken("the oracle refuses random network %u: %s", nth, s->bk[k].host->reason);
        ftk__bk_fill(&s->bk[k], s->p[k], &s->g, density, nth);
        z[k] = ftk__bk_predict(&s->bk[k], s->p[k], &s->g, b);
        FTK__MUST(&s->bk[k], step, s->p[k], b->list, &hy);
        loss[k] = (float)ftk__bk_sync(&s->bk[k], s->p[k]).loss_sum;
    }
    near(s, "logits", z[0], z[1], (uint64_t)count * ftk__bk_classes(&s->g));
    near(s, "loss of a step", &loss[0], &loss[1], 1);
    release(s, 0);
    release(s, 1);
}

/* One thing about a batch that cannot be. */
static const char *break_batch(struct ftk__bk_batch *b, const struct ftk__bk_graph *g, ftk_rng *rng)
{
    switch (ftk__rng_below(rng, 6)) {
    case 0:
        b->b.count = 0;
        return "no sample";
    case 1:
        b->b.count = BATCH + 1 + odd_number(rng) / 2;
        return "more samples than max_batch";
    case 2:
        b->y[ftk__rng_below(rng, b->b.count)] = -1 - (int32_t)(odd_number(rng) / 4);
        return "a negative label";
    case 3:
        b->y[ftk__rng_below(rng, b->b.count)] = (int32_t)(ftk__bk_classes(g) + odd_number(rng) / 4);
        return "a label that is no class";
    case 4:
        b->b.flags = 1u << (1 + ftk__rng_below(rng, 31));
        return "an unknown flag";
    default:
        b->b.x = NULL;
        return "neither images nor samples";
    }
}

static void broken_batch(struct stage *s, ftk_rng *rng, uint32_t nth)
{
    struct ftk__bk *bk = &s->bk[0];
    if (compile(s, 0, BATCH) < 0)
        return;
    struct ftk__bk_batch *b = ftk__bk_batch(bk->c, &s->g, BATCH, nth);
    const ftk_hyper hy = ftk__bk_hyper(0.01, 0.9, 1e-3, 0);
    struct ftk__bk_snap before, after;
    ftk__bk_fill(bk, s->p[0], &s->g, 0.5, nth);
    ftk__bk_snap(bk, s->p[0], &s->g, 1, &before);
    const char *what = break_batch(b, &s->g, rng);
    ftk__kit_note(bk->c, "case %u: a batch with %s", nth, what);
    FTK__REFUSED(bk, step, s->p[0], b->list, &hy);
    ftk__bk_snap(bk, s->p[0], &s->g, 1, &after);
    ftk__bk_same(bk, &s->g, &before, &after, "a refused step");
    release(s, 0);
}

static void fuzz(struct ftk__case *c)
{
    struct stage *s = ftk__kit_alloc(c, 1, sizeof(*s));
    double start = now();
    ftk__bk_open(c, FTK__BK_AS_SET, &s->bk[0]);
    ftk__bk_open_oracle(c, &s->bk[1]);
    for (uint32_t i = 0; i < CASES && now() - start < most_seconds; i++) {
        ftk_rng rng = { .key = { c->seed, i } };
        ftk__bk_random(&s->g, c->seed * 1000 + i);
        if (i % 4 == 0)
            right_graph(s, &rng, i);
        else if (i % 4 == 1)
            broken_batch(s, &rng, i);
        else
            broken_graph(s, &rng, i);
    }
    ftk__kit_note(c, "%s", "");
}

static const struct ftk__rule rules[] = {
    { .id = "BKD-21",
      .level = 3,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-02 BKD-09",
      .title = "fuzzed networks, counts and labels give a result or a reason",
      .why = "a mistake in an experiment must end with a sentence",
      .fix = "check nodes before memory is made of them, batches before they are read",
      .timeout_ms = 30000,
      .run = fuzz },
};
const struct ftk__rule_family ftk__family_bkd_fuzz = { rules, sizeof(rules) / sizeof(rules[0]) };
