/* SPDX-License-Identifier: MIT
 * conform/rules_update.c - a whole topology update by the core, with the plugin in its place.
 */
#include "conform/fake_backend.h"
#include "conform/scene.h"
#include "sparse/topology.h"
#include <math.h>

enum { LAYERS = 3 };
static const uint64_t sizes[LAYERS] = { 1003, 64, 7 };

/* What the other half of an update is done by: plain magnitude and gradient. */
static ftk_status score_magnitude(const ftk_host *h, void *self, const ftk_layer *l,
                                  const ftk_cand *c, ftk_update *u, float *score)
{
    (void)h;
    (void)self;
    (void)l;
    (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = fabsf(c->weight ? c->weight[i] : c->grad[i]);
    return FTK_OK;
}
static const ftk_prune_ops prune_ops = { .size = sizeof(prune_ops),
                                         .channels = FTK_CH_WEIGHT,
                                         .score = score_magnitude };
static const ftk_grow_ops grow_ops = { .size = sizeof(grow_ops),
                                       .channels = FTK_CH_GRAD,
                                       .score = score_magnitude };
static const ftk_algo plain_prune = { .size = sizeof(plain_prune),
                                      .kind = FTK_KIND_PRUNE,
                                      .name = "kit_magnitude",
                                      .summary = "",
                                      .reference = "",
                                      .ops = &prune_ops };
static const ftk_algo plain_grow = { .size = sizeof(plain_grow),
                                     .kind = FTK_KIND_GROW,
                                     .name = "kit_gradient",
                                     .summary = "",
                                     .reference = "",
                                     .ops = &grow_ops };

struct net {
    struct fake_backend *fake;
    struct ftk__topology *t;
    struct ftk__topology_options options;
    struct ftk__topology_setup setup;
    struct ftk__entry entry[3];
    struct ftk__instance inst[3]; /* prune, grow, allot                         */
    ftk_layer layer[LAYERS];
};

static void instance(struct ftk__case *c, struct net *n, int i, const ftk_algo *algo)
{
    struct ftk_error err;
    n->entry[i].algo = algo;
    void *params = algo == c->algo ? c->params : NULL;
    if (ftk__instance_new(&n->entry[i], params, &n->inst[i], &err) < 0)
        ftk__kit_fail(c, "%s", err.message);
}

static void fill(struct net *n, uint64_t seed)
{
    for (uint32_t k = 0; k < LAYERS; k++)
        for (uint64_t i = 0; i < sizes[k]; i++) {
            double x = (double)(i * 37 + seed * 11 + k);
            n->fake->layer[k].weight[i] = (float)(fake_active(&n->fake->layer[k], i) ? sin(x) : 0);
            n->fake->layer[k].grad[i] = (float)cos(x * 1.7);
            n->fake->layer[k].momentum[i] = (float)sin(x * 0.3);
        }
}

/* A network at density 0.4 with masks spread evenly. */
static void init_masks(struct ftk__case *c, struct net *n)
{
    struct ftk__topology_mask mask[LAYERS];
    struct ftk_error err;
    for (uint32_t k = 0; k < LAYERS; k++) {
        mask[k].index = ftk__kit_alloc(c, sizes[k], sizeof(uint64_t));
        mask[k].n = 0;
        for (uint64_t i = 0; i < sizes[k]; i++)
            if (i % 5 < 2)
                mask[k].index[mask[k].n++] = i;
    }
    if (ftk__topology_init_masks(n->t, &n->fake->engine, mask, &err) < 0)
        ftk__kit_fail(c, "%s", err.message);
}

static void open_net(struct ftk__case *c, struct net *n)
{
    struct ftk_error err;
    bool is_allot = c->algo->kind == FTK_KIND_ALLOT;
    n->fake = fake_backend_new(sizes, LAYERS);
    if (!n->fake)
        ftk__kit_broken("no memory for a network");
    n->fake->poison = true;
    n->fake->dense_momentum = true;
    for (uint32_t k = 0; k < LAYERS; k++)
        n->layer[k] = (ftk_layer){ .size = sizeof(ftk_layer),
                                   .type = FTK_LAYER_LINEAR,
                                   .index = k,
                                   .shape = { (uint32_t)sizes[k], 1, 1, 1 },
                                   .n = sizes[k],
                                   .density_target = 0.4,
                                   .name = k == 0   ? "a"
                                           : k == 1 ? "b"
                                                    : "c" };
    /* All zero is the paper's preset, but not strict: FREE counts are what a rule may claim. */
    n->options = (struct ftk__topology_options){ .enabled = 1,
                                                 .rate = 0.3,
                                                 .inactive_momentum = FTK__INACTIVE_ACCUMULATE };
    instance(c, n, 0, c->algo->kind == FTK_KIND_PRUNE ? c->algo : &plain_prune);
    instance(c, n, 1, c->algo->kind == FTK_KIND_GROW ? c->algo : &plain_grow);
    if (is_allot)
        instance(c, n, 2, c->algo);
    n->setup = (struct ftk__topology_setup){
        .layers = n->layer,
        .n_layers = LAYERS,
        .seed = c->seed,
        .options = &n->options,
        .prune = &n->inst[0],
        .grow = &n->inst[1],
        .allot = is_allot ? &n->inst[2] : NULL,
    };
    if (ftk__topology_new(&n->setup, &n->t, &err) < 0)
        ftk__kit_fail(c, "%s", err.message);
}

static void judge(struct ftk__case *c, struct net *n, const uint64_t *before, uint64_t nnz_before,
                  double rate)
{
    bool scores = c->algo->kind != FTK_KIND_ALLOT && ftk__scorer_of(c->algo).score;
    uint64_t nnz = ftk__topology_nnz(n->t);
    if (nnz != nnz_before)
        ftk__kit_fail(c, "an update at rate %g leaves %llu active weights of %llu", rate,
                      (unsigned long long)nnz, (unsigned long long)nnz_before);
    for (uint32_t k = 0; k < LAYERS && scores; k++)
        if (ftk__topology_layers(n->t)[k].nnz != before[k])
            ftk__kit_fail(c, "an update at rate %g leaves %llu of %llu weights in layer '%s'", rate,
                          (unsigned long long)ftk__topology_layers(n->t)[k].nnz,
                          (unsigned long long)before[k], n->layer[k].name);
}

static void whole_updates(struct ftk__case *c)
{
    static const double rates[] = { 0.3, 0.05, 0.8, 0 };
    bool exact =
        c->algo->kind == FTK_KIND_ALLOT || ftk__scorer_of(c->algo).count == FTK_COUNT_EXACT;
    struct net *n = ftk__kit_alloc(c, 1, sizeof(*n));
    open_net(c, n);
    init_masks(c, n);
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct ftk_error err;
        struct ftk__topology_report report;
        const struct ftk__topology_event ev = { .step = 10 * (i + 1), .rate = rates[i] };
        uint64_t before[LAYERS];
        uint64_t nnz = ftk__topology_nnz(n->t);
        for (uint32_t k = 0; k < LAYERS; k++)
            before[k] = ftk__topology_layers(n->t)[k].nnz;
        fill(n, c->seed + i);
        if (ftk__topology_update(n->t, &n->fake->engine, &ev, &report, &err) < 0)
            ftk__kit_fail(c, "an update at rate %g: %s", rates[i], err.message);
        if (exact)
            judge(c, n, before, nnz, rates[i]);
    }
}

static const struct ftk__rule rules[] = {
    { .id = "UPD-01",
      .level = 2,
      .kinds = FTK__ON_PRUNE | FTK__ON_GROW | FTK__ON_ALLOT,
      .needs = "MEM-03 DET-01 DET-02 PRN-03 GRW-03 ALT-01 SCO-02 SCO-03 SCO-05 SCO-06",
      .title = "a whole update keeps the number of active weights",
      .why = "dynamic sparse training moves weights; their number is the experiment's",
      .fix = "see PRN-01, GRW-01 and ALT-01",
      .run = whole_updates },
};
const struct ftk__rule_family ftk__family_update = { rules, sizeof(rules) / sizeof(rules[0]) };
