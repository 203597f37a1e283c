/* SPDX-License-Identifier: MIT
 * conform/rules_init.c - densities that meet their target on networks of all shapes.
 */
#include "conform/golden_erk.h"
#include "conform/scene.h"
#include "conform/shape_net.h"
#include <math.h>
#include <string.h>

static ftk_status ask(struct ftk__case *c, struct ftk__subject *s, const struct ftk__shape_net *n,
                      double target, double *ret)
{
    const ftk_init_ops *op = c->algo->ops;
    const struct ftk__how how = { 0 };
    uint32_t mark = ftk__guard_mark();
    const ftk_net *net = ftk__shape_net_view(c, n, s->host, op->channels);
    void *state = ftk__guard_new("state", c->algo->state_bytes, 64, FTK__AT_END, 0);
    double *density = ftk__guard_new("density", n->n * sizeof(*density), 8, FTK__AT_END, 0xA5);
    ftk__kit_note(c, "target %.17g, %u layers", target, n->n);
    ftk__kit_begin(s->host);
    ftk_status st = op->density(s->host->table, s->self, net,
                                ftk__scene_update(0, 0, &how, c->algo->state_bytes ? state : NULL),
                                target, density);
    st = ftk__kit_end(c, s->host, "density", false, st);
    memcpy(ret, density, n->n * sizeof(*density));
    ftk__guard_release(mark);
    return st;
}

static double all_weights(const struct ftk__shape_net *n)
{
    double sum = 0;
    for (uint32_t k = 0; k < n->n; k++)
        sum += (double)n->order[k]->n;
    return sum;
}

static void judge(struct ftk__case *c, const struct ftk__shape_net *n, double target,
                  const double *d)
{
    double sum = 0;
    for (uint32_t k = 0; k < n->n; k++) {
        if (!(d[k] >= 0 && d[k] <= 1))
            ftk__kit_fail(c, "density %.17g of layer %u is outside 0 to 1", d[k], k);
        sum += d[k] * (double)n->order[k]->n;
    }
    double wanted = target * all_weights(n);
    if (fabs(sum - wanted) > 1)
        ftk__kit_fail(c, "the densities make %.3f active weights, target are %.3f", sum, wanted);
}

/* Densities that are right, or ERANGE with a reason. */
static bool right_or_refused(struct ftk__case *c, struct ftk__subject *s,
                             const struct ftk__shape_net *n, double target)
{
    double d[FTK__SHAPE_LAYERS];
    ftk_status st = ask(c, s, n, target, d);
    if (st < 0) {
        if (st != FTK_ERANGE)
            ftk__kit_fail(c, "density() gives %s, not ERANGE", ftk__status_name(st));
        ftk__kit_must_refuse(c, s->host, "density", st);
        return false;
    }
    judge(c, n, target, d);
    return true;
}

/* INI-01: never refused above a target that was accepted, at 1, or at 0.1 on WRN-28-10. */
static void meets_its_target(struct ftk__case *c)
{
    static const double targets[] = { 0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.8, 0.95, 1 };
    struct ftk__shape_net *n = ftk__kit_alloc(c, 1, sizeof(*n));
    struct ftk__subject s;
    bool accepted = false;
    ftk__subject_new(c, NULL, &s);
    ftk__shape_net_golden(&ftk__golden_wrn_28_10, n);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        bool now = right_or_refused(c, &s, n, targets[i]);
        if (accepted && !now)
            ftk__kit_fail(c, "a lower target was accepted, this one is refused: %s",
                          s.host->reason);
        if (!now && targets[i] >= 0.1)
            ftk__kit_fail(c, "refused on WRN-28-10: %s", s.host->reason);
        accepted = now;
    }
}

static void odd_networks(struct ftk__case *c)
{
    struct ftk__shape_net *n = ftk__kit_alloc(c, 1, sizeof(*n));
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    for (uint32_t which = 0; which < FTK__ODD_NETS; which++) {
        ftk__shape_net_odd(which, n);
        const double targets[] = { 0, 1 / all_weights(n), 0.001, 0.3, 0.999, 1 };
        for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
            if (!right_or_refused(c, &s, n, targets[i]) && targets[i] >= 1)
                ftk__kit_fail(c, "density 1 is refused: %s", s.host->reason);
    }
}

/* INI-03: the layers listed from the last to the first; index and role move along. */
static void any_order(struct ftk__case *c)
{
    struct ftk__shape_net *n = ftk__kit_alloc(c, 1, sizeof(*n));
    struct ftk__shape_net *reversed = ftk__kit_alloc(c, 1, sizeof(*n));
    double a[FTK__SHAPE_LAYERS], b[FTK__SHAPE_LAYERS];
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    ftk__shape_net_golden(&ftk__golden_wrn_28_10, n);
    *reversed = *n;
    for (uint32_t k = 0; k < n->n; k++) {
        reversed->layer[k] = n->layer[n->n - 1 - k];
        reversed->layer[k].index = k;
        reversed->order[k] = &reversed->layer[k];
    }
    ftk__kit_must(c, s.host, "density", ask(c, &s, n, 0.2, a));
    ftk__kit_must(c, s.host, "density", ask(c, &s, reversed, 0.2, b));
    for (uint32_t k = 0; k < n->n; k++)
        if (fabs(a[k] - b[n->n - 1 - k]) >= 1e-12)
            ftk__kit_fail(c, "layer '%s' has density %.17g, listed in reverse %.17g",
                          n->order[k]->name, a[k], b[n->n - 1 - k]);
}

static void rises_with_target(struct ftk__case *c)
{
    struct ftk__shape_net *n = ftk__kit_alloc(c, 1, sizeof(*n));
    double before[FTK__SHAPE_LAYERS] = { 0 };
    double d[FTK__SHAPE_LAYERS];
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    ftk__shape_net_golden(&ftk__golden_wrn_28_10, n);
    for (int i = 1; i <= 20; i++) {
        double target = i / 20.0;
        if (ask(c, &s, n, target, d) < 0)
            continue;
        for (uint32_t k = 0; k < n->n; k++) {
            if (d[k] < before[k] - 1e-12)
                ftk__kit_fail(c, "the density of layer '%s' falls from %.6f to %.6f",
                              n->order[k]->name, before[k], d[k]);
            before[k] = d[k];
        }
    }
}

static void compare_golden(struct ftk__case *c, struct ftk__subject *s,
                           const struct ftk__golden_erk *g)
{
    struct ftk__shape_net *n = ftk__kit_alloc(c, 1, sizeof(*n));
    double d[FTK__SHAPE_LAYERS];
    ftk__shape_net_golden(g, n);
    for (uint32_t t = 0; t < FTK__GOLDEN_TARGETS; t++) {
        ftk__kit_must(c, s->host, "density", ask(c, s, n, ftk__golden_targets[t], d));
        for (uint32_t k = 0; k < g->n; k++)
            if (fabs(d[k] - g->layer[k].density[t]) > 1e-6)
                ftk__kit_fail(c, "layer '%s' of %s at density %g: %.9f, published %.9f",
                              g->layer[k].name, g->name, ftk__golden_targets[t], d[k],
                              g->layer[k].density[t]);
    }
}

static void golden_erk(struct ftk__case *c)
{
    struct ftk__subject s;
    if (strcmp(c->algo->name, "erk") != 0)
        ftk__kit_skip(c, "it is not called erk");
    ftk__subject_new(c, NULL, &s);
    compare_golden(c, &s, &ftk__golden_wrn_28_10);
    compare_golden(c, &s, &ftk__golden_resnet_50);
}

/* INI-01 at level 2: of the dense network it takes its budget. */
static void takes_its_budget(struct ftk__case *c)
{
    static const double shares[] = { 0, 0.1, 0.5, 1 };
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        struct ftk__scene scene;
        struct ftk__view *v = ftk__kit_alloc(c, 1, sizeof(*v));
        uint64_t budget[3];
        uint64_t wanted = 0;
        uint64_t got = 0;
        ftk__scene_small(c, c->seed, &scene);
        for (uint32_t k = 0; k < 3; k++) {
            ftk__scene_mask(&scene.l[k], scene.l[k].layer.n, 1);
            budget[k] = (uint64_t)llround(shares[i] * (double)scene.l[k].layer.n);
            wanted += budget[k];
        }
        void *state = ftk__guard_new("state", c->algo->state_bytes, 64, FTK__AT_END, 0);
        ftk_status st = ftk__select_once(c, &s, &scene, budget, 0, &(struct ftk__how){ 0 },
                                         c->algo->state_bytes ? state : NULL, v);
        ftk__kit_must(c, s.host, "select", st);
        for (uint32_t k = 0; k < 3; k++)
            got += v->took[k];
        if (got != wanted)
            ftk__kit_fail(c, "%llu entries are active, asked for %llu", (unsigned long long)got,
                          (unsigned long long)wanted);
    }
}

static void target_or_budget(struct ftk__case *c)
{
    if (ftk__kit_kind_bit(c->algo) == FTK__ON_INIT1)
        meets_its_target(c);
    else
        takes_its_budget(c);
}

static const struct ftk__rule rules[] = {
    { .id = "INI-01",
      .level = 2,
      .kinds = FTK__ON_INIT,
      .needs = "MEM-03 SCO-04",
      .title = "densities lie in 0 to 1 and meet the target, or it is refused",
      .why = "the target is what an experiment states and papers compare",
      .fix = "rescale what is not fixed; FTK_ERANGE below what fixed layers need",
      .run = target_or_budget },
    { .id = "INI-02",
      .level = 2,
      .kinds = FTK__ON_INIT1,
      .needs = "INI-01",
      .title = "so they do at 0, 1/n, 0.001, 0.999 and 1, on one layer, on 200, with layers that "
               "saturate",
      .why = "a layer that is full must hand on what it cannot hold",
      .fix = "cut at 1 and share out the rest anew, until nothing changes",
      .run = odd_networks },
    { .id = "INI-03",
      .level = 2,
      .kinds = FTK__ON_INIT1,
      .needs = "INI-01",
      .title = "the order of layers does not matter",
      .why = "the same network listed in another order is the same network",
      .fix = "use shapes and roles, not positions",
      .run = any_order },
    { .id = "INI-04",
      .level = 2,
      .kinds = FTK__ON_INIT1,
      .flags = FTK__RULE_WARN,
      .needs = "INI-01",
      .title = "no density falls as the target rises",
      .why = "a sweep over densities is easier to read if it does not",
      .fix = "scale all densities together",
      .run = rises_with_target },
    { .id = "INI-05",
      .level = 2,
      .kinds = FTK__ON_INIT1,
      .needs = "INI-01",
      .title = "erk gives the published densities on WRN-28-10 and ResNet-50",
      .why = "every paper on dynamic sparse training starts from them",
      .fix = "see Evci et al. 2020, arXiv:1911.11134, appendix: kernel sizes are part of the sum",
      .run = golden_erk },
};
const struct ftk__rule_family ftk__family_init = { rules, sizeof(rules) / sizeof(rules[0]) };
