/* SPDX-License-Identifier: MIT
 * conform/rules_select.c - how many a prune or grow rule takes, and which.
 */
#include "base/topk.h"
#include "conform/scene.h"
#include <math.h>
#include <string.h>

enum { LAYERS = 3, DRAWS = 1000 };

struct taken { /* of one selection                             */
    uint64_t total;
    uint64_t count[LAYERS];
    uint8_t *set[LAYERS]; // [n] of each layer
};

static void *fresh_state(struct ftk__case *c)
{
    return c->algo->state_bytes > 0
               ? ftk__guard_new("state", c->algo->state_bytes, 64, FTK__AT_END, 0)
               : NULL;
}

/* Level 1: the core's selection over the scores, the lowest for prune, the highest for grow. */
static ftk_status take_by_score(struct ftk__case *c, struct ftk__subject *s,
                                struct ftk__scene *scene, const uint64_t *budget, uint64_t round,
                                const struct ftk__how *how, struct taken *ret)
{
    const struct ftk__scorer op = ftk__scorer_of(c->algo);
    for (uint32_t k = 0; k < scene->n_layers; k++) {
        struct ftk_error err;
        uint64_t n;
        const uint64_t *list = ftk__scene_list(&scene->l[k], op.which, &n);
        float *score = ftk__kit_alloc(c, n, sizeof(*score));
        uint64_t *pos = ftk__kit_alloc(c, budget[k], sizeof(*pos));
        ftk_status st =
            ftk__score_list(c, s, &scene->l[k], list, n, round, how, fresh_state(c), score);
        if (st < 0)
            return st;
        if (ftk__topk(score, n, budget[k], op.which == FTK_INACTIVE, pos, &err) < 0)
            ftk__kit_fail(c, "layer '%s': %s", scene->l[k].name, err.message);
        ret->set[k] = ftk__kit_alloc(c, scene->l[k].layer.n + 1, 1);
        for (uint64_t i = 0; i < budget[k]; i++)
            ret->set[k][list[pos[i]]] = 1;
        ret->count[k] = budget[k];
        ret->total += budget[k];
    }
    return FTK_OK;
}

static ftk_status take(struct ftk__case *c, struct ftk__subject *s, struct ftk__scene *scene,
                       const uint64_t *budget, uint64_t round, const struct ftk__how *how,
                       struct taken *ret)
{
    *ret = (struct taken){ 0 };
    if (ftk__scorer_of(c->algo).score)
        return take_by_score(c, s, scene, budget, round, how, ret);
    struct ftk__view *v = ftk__kit_alloc(c, 1, sizeof(*v));
    ftk_status st = ftk__select_once(c, s, scene, budget, round, how, fresh_state(c), v);
    for (uint32_t k = 0; k < scene->n_layers; k++) {
        ret->set[k] = v->taken[k];
        ret->count[k] = v->took[k];
        ret->total += v->took[k];
    }
    return st;
}

static uint64_t room_of(const struct ftk__case *c, const struct ftk__scene_layer *l)
{
    return c->algo->kind == FTK_KIND_PRUNE ? l->layer.nnz : l->layer.n - l->layer.nnz;
}

static uint64_t set_budget(struct ftk__case *c, const struct ftk__scene *scene, double share,
                           uint64_t budget[LAYERS])
{
    uint64_t sum = 0;
    for (uint32_t k = 0; k < LAYERS; k++) {
        budget[k] = (uint64_t)ceil(share * (double)room_of(c, &scene->l[k]));
        sum += budget[k];
    }
    return sum;
}

/* ---- PRN-01, GRW-01 --------------------------------------------------------------------------- */

static void expected_count(struct ftk__case *c, struct ftk__subject *s, struct ftk__scene *scene,
                           const uint64_t *budget, uint64_t wanted)
{
    double sum = 0;
    double squares = 0;
    for (uint64_t t = 0; t < DRAWS; t++) {
        struct taken got;
        uint32_t mark = ftk__guard_mark();
        const struct ftk__how how = { .stream = 1000 + t };
        ftk_status st = take(c, s, scene, budget, 0, &how, &got);
        ftk__kit_must(c, s->host, "select", st);
        sum += (double)got.total;
        squares += (double)got.total * (double)got.total;
        ftk__guard_release(mark);
    }
    double mean = sum / DRAWS;
    double error = sqrt(fmax(0, squares / DRAWS - mean * mean) / DRAWS);
    if (fabs(mean - (double)wanted) > fmax(1, 5 * error))
        ftk__kit_fail(c, "EXPECTED is claimed: %.1f taken on average over %d draws, asked for %llu",
                      mean, DRAWS, (unsigned long long)wanted);
}

static void takes_its_budget(struct ftk__case *c)
{
    static const double shares[] = { 0.05, 0.3, 0.9 };
    const struct ftk__scorer op = ftk__scorer_of(c->algo);
    struct ftk__subject s;
    struct ftk__scene scene;
    ftk__subject_new(c, NULL, &s);
    ftk__scene_small(c, c->seed, &scene);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        struct taken got;
        uint64_t budget[LAYERS];
        uint64_t wanted = set_budget(c, &scene, shares[i], budget);
        if (op.count == FTK_COUNT_EXPECTED) {
            expected_count(c, &s, &scene, budget, wanted);
            continue;
        }
        ftk_status st = take(c, &s, &scene, budget, 0, &(struct ftk__how){ 0 }, &got);
        ftk__kit_must(c, s.host, "select", st);
        for (uint32_t k = 0; k < LAYERS && op.count == FTK_COUNT_EXACT; k++)
            ftk__kit_expect(c, got.count[k] == budget[k],
                            "layer '%s': %llu taken, asked for %llu (%llu of %llu in all)",
                            scene.l[k].name, (unsigned long long)got.count[k],
                            (unsigned long long)budget[k], (unsigned long long)got.total,
                            (unsigned long long)wanted);
    }
}

/* ---- PRN-02, GRW-02 --------------------------------------------------------------------------- */

static void takes_what_may_be(struct ftk__case *c)
{
    const struct ftk__how how = {
        .side = FTK__ROOMY, .tolerant = true, .may_fail = true, .keep = true
    };
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    ftk__driver_of(c)->act(c, &s, &how, NULL);
    if (s.host->wrong_take)
        ftk__kit_fail(c, "%s", s.host->wrong);
}

/* ---- PRN-03, GRW-03 --------------------------------------------------------------------------- */

/* Every weight of one sign, or zero: what a rule by signs must cope with. */
static void one_sign(struct ftk__scene *scene, float value)
{
    for (uint32_t k = 0; k < scene->n_layers; k++)
        for (uint64_t i = 0; i < scene->l[k].layer.n; i++)
            scene->l[k].weight[i] = value > 0   ? fabsf(scene->l[k].weight[i]) + 0.1f
                                    : value < 0 ? -fabsf(scene->l[k].weight[i]) - 0.1f
                                                : 0;
}

static void nothing_and_everything(struct ftk__case *c)
{
    static const float signs[] = { 2, 1, -1, 0 }; /* 2: as they are */
    const struct ftk__scorer op = ftk__scorer_of(c->algo);
    struct ftk__subject s;
    if (op.count == FTK_COUNT_FREE)
        ftk__kit_skip(c, "its count is FREE");
    ftk__subject_new(c, NULL, &s);
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        struct ftk__scene scene;
        struct taken got;
        uint64_t budget[LAYERS] = { 0 };
        ftk__scene_small(c, c->seed, &scene);
        if (signs[i] < 2)
            one_sign(&scene, signs[i]);
        ftk_status st = take(c, &s, &scene, budget, 0, &(struct ftk__how){ 0 }, &got);
        ftk__kit_must(c, s.host, op.score ? "score" : "select", st);
        ftk__kit_expect(c, got.total == 0, "budget 0, and %llu are taken",
                        (unsigned long long)got.total);
        uint64_t all = set_budget(c, &scene, 1, budget);
        st = take(c, &s, &scene, budget, 0, &(struct ftk__how){ 0 }, &got);
        ftk__kit_must(c, s.host, op.score ? "score" : "select", st);
        ftk__kit_expect(c, got.total == all, "asked for all %llu, %llu are taken%s",
                        (unsigned long long)all, (unsigned long long)got.total,
                        signs[i] < 2 ? ", all weights being of one sign or 0" : "");
    }
}

static void full_and_empty_layers(struct ftk__case *c)
{
    const struct ftk__scorer op = ftk__scorer_of(c->algo);
    struct ftk__subject s;
    struct ftk__scene scene;
    struct taken got;
    uint64_t budget[LAYERS] = { 0 };
    ftk__subject_new(c, NULL, &s);
    ftk__scene_small(c, c->seed, &scene);
    ftk__scene_mask(&scene.l[0], scene.l[0].layer.n, 1); /* full, budget 0 */
    ftk__scene_mask(&scene.l[1], 0, 1);                  /* empty, to be filled */
    budget[1] = scene.l[1].layer.n;
    ftk_status st = take(c, &s, &scene, budget, 0, &(struct ftk__how){ 0 }, &got);
    ftk__kit_must(c, s.host, op.score ? "score" : "select", st);
    if (op.count == FTK_COUNT_EXACT && got.total != budget[1])
        ftk__kit_fail(c, "an empty layer is to be filled with %llu, %llu are taken",
                      (unsigned long long)budget[1], (unsigned long long)got.total);
    if (!op.select || op.count != FTK_COUNT_EXACT)
        return;
    for (uint32_t k = 0; k < LAYERS; k++)
        budget[k] = scene.l[k].layer.n - scene.l[k].layer.nnz + 1;
    st = take(c, &s, &scene, budget, 0, &(struct ftk__how){ .tolerant = true }, &got);
    if (st != FTK_ERANGE)
        ftk__kit_fail(c, "asked for more than the room, it gives %s, not ERANGE",
                      ftk__status_name(st));
    ftk__kit_must_refuse(c, s.host, "select", st);
}

/* ---- PRN-04 ----------------------------------------------------------------------------------- */

static void equal_scores(struct ftk__case *c)
{
    const struct ftk__scorer op = ftk__scorer_of(c->algo);
    struct ftk__subject s;
    struct ftk__blob b = { 0 };
    if (!(op.props & FTK_PROP_ELEMENTWISE) || (op.props & FTK_PROP_RANDOM))
        ftk__kit_skip(c, "ELEMENTWISE without RANDOM is not claimed");
    ftk__subject_new(c, NULL, &s);
    ftk__driver_of(c)->act(c, &s, &(struct ftk__how){ .flat = true }, &b);
    for (uint32_t i = 0; i < b.n; i++) {
        const char *name;
        uint64_t n;
        const float *score = ftk__blob_get(&b, i, &name, NULL, &n);
        for (uint64_t j = 1; j < n; j++)
            if (memcmp(&score[j], &score[0], sizeof(*score)) != 0)
                ftk__kit_fail(c,
                              "%s: candidates 0 and %llu have equal channels, but scores %.9g "
                              "and %.9g",
                              name, (unsigned long long)j, (double)score[0], (double)score[j]);
    }
}

/* ---- PRN-05, GRW-05 --------------------------------------------------------------------------- */

static void any_reads(struct ftk__case *c)
{
    static const uint64_t caps[] = { 1, 7, 1000 };
    struct ftk__subject s;
    struct ftk__blob whole = { 0 };
    struct ftk__str why = { 0 };
    ftk__subject_new(c, NULL, &s);
    ftk__driver_of(c)->act(c, &s, &(struct ftk__how){ 0 }, &whole);
    for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
        struct ftk__blob cut = { 0 };
        ftk__driver_of(c)->act(c, &s, &(struct ftk__how){ .chunk = caps[i] }, &cut);
        if (!ftk__blob_same(&whole, &cut, &why))
            ftk__kit_fail(c, "with reads cut to %llu entries: %s", (unsigned long long)caps[i],
                          why.text);
        ftk__blob_done(&cut);
    }
}

static const struct ftk__rule rules[] = {
    { .id = "PRN-01",
      .level = 2,
      .kinds = FTK__ON_PRUNE,
      .needs = "MEM-03 DET-01 PRN-02",
      .title = "takes as many of each layer as its count says",
      .why = "the core decides how many, the plugin which",
      .fix = "take edit->budget[l] of each layer l; a rule that moves weights between layers is "
             "EXPECTED or FREE",
      .run = takes_its_budget },
    { .id = "GRW-01",
      .level = 2,
      .kinds = FTK__ON_GROW,
      .needs = "MEM-03 DET-01 GRW-02",
      .title = "takes as many of each layer as its count says",
      .why = "the core decides how many, the plugin which",
      .fix = "take edit->budget[l] of each layer l; a rule that moves weights between layers is "
             "EXPECTED or FREE",
      .run = takes_its_budget },
    { .id = "PRN-02",
      .level = 2,
      .kinds = FTK__ON_PRUNE2,
      .needs = "ABI-01 PAR-03 PAR-06",
      .title = "takes active entries only, none twice, in range",
      .why = "an inactive weight cannot be dropped",
      .fix = "take what net->read lists, each once",
      .run = takes_what_may_be },
    { .id = "GRW-02",
      .level = 2,
      .kinds = FTK__ON_GROW2,
      .needs = "ABI-01 PAR-03 PAR-06",
      .title = "takes inactive entries only, none twice, in range",
      .why = "an active weight cannot be grown",
      .fix = "take what net->read lists, each once",
      .run = takes_what_may_be },
    { .id = "PRN-03",
      .level = 2,
      .kinds = FTK__ON_PRUNE,
      .needs = "PRN-01 SCO-02",
      .title = "budget 0 takes nothing, budget nnz everything, whatever the signs",
      .why = "rates reach 0 and 1, and layers may hold one sign only",
      .fix = "when one sort of weight runs out take the rest from the other",
      .run = nothing_and_everything },
    { .id = "GRW-03",
      .level = 2,
      .kinds = FTK__ON_GROW,
      .needs = "GRW-01",
      .title = "a full layer with budget 0, an empty one filled, more than the room refused",
      .why = "layers saturate and run empty",
      .fix = "skip layers with budget 0; return FTK_ERANGE where the room is too small",
      .run = full_and_empty_layers },
    { .id = "PRN-04",
      .level = 2,
      .kinds = FTK__ON_SCORERS,
      .needs = "SCO-01 SCO-07 DET-06",
      .title = "equal channels, equal scores, so that ties go to the lowest index",
      .why = "a tie that is broken in secret makes results depend on the place of a weight",
      .fix = "leave ties to the core, or drop FTK_PROP_ELEMENTWISE",
      .run = equal_scores },
    { .id = "PRN-05",
      .level = 2,
      .kinds = FTK__ON_PRUNE2,
      .needs = "MEM-03 DET-01 PRN-02",
      .title = "reads cut to any size give the same result",
      .why = "read() gives at most cap entries, and may give fewer",
      .fix = "go on reading until count is 0",
      .run = any_reads },
    { .id = "GRW-05",
      .level = 2,
      .kinds = FTK__ON_GROW2,
      .needs = "MEM-03 DET-01 GRW-02",
      .title = "reads cut to any size give the same result",
      .why = "read() gives at most cap entries, and may give fewer",
      .fix = "go on reading until count is 0",
      .run = any_reads },
    { .id = "ALT-03",
      .level = 2,
      .kinds = FTK__ON_ALLOT,
      .needs = "MEM-03 DET-01",
      .title = "reads cut to any size give the same result",
      .why = "read() gives at most cap entries, and may give fewer",
      .fix = "go on reading until count is 0",
      .run = any_reads },
    { .id = "INI-06",
      .level = 2,
      .kinds = FTK__ON_INIT,
      .needs = "MEM-03 DET-01",
      .title = "reads cut to any size give the same result",
      .why = "read() gives at most cap entries, and may give fewer",
      .fix = "go on reading until count is 0",
      .run = any_reads },
};
const struct ftk__rule_family ftk__family_select = { rules, sizeof(rules) / sizeof(rules[0]) };
