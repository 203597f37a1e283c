/* SPDX-License-Identifier: MIT
 * conform/rules_fuzz.c - thousands of random calls on buffers that are mapped once.
 *
 * Each case is a number: from it follow sizes, values and masks, so the smallest that fails can be
 * told and repeated.
 */
#include "base/rng.h"
#include "conform/process.h"
#include "conform/scene.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { CASES = 10000, MOST = 512, LAYERS = 3 };
#define SECONDS 2.0

static float any_float(ftk_rng *r)
{
    static const float special[] = { 0.0f,     -0.0f,    1e-45f,    FLT_MIN, FLT_MAX,
                                     -FLT_MAX, INFINITY, -INFINITY, NAN,     1.0f };
    uint64_t kind = ftk__rng_below(r, 16);
    if (kind < 2)
        return special[ftk__rng_below(r, sizeof(special) / sizeof(special[0]))];
    if (kind < 6)
        return (float)ftk__rng_below(r, 5) - 2;
    return (float)ftk__rng_normal(r);
}

/* ---- level 1 ---------------------------------------------------------------------------------- */

struct room { /* buffers against the end of a page, for any count up to MOST */
    uint64_t *index;
    float *weight, *grad, *momentum, *score;
    uint32_t *age;
    uint8_t *fired;
    void *state;
};

static void map_room(struct ftk__case *c, struct room *r)
{
    r->index = ftk__guard_new("index", MOST * sizeof(uint64_t), 8, FTK__AT_END, 0);
    r->weight = ftk__guard_new("weight", MOST * sizeof(float), 4, FTK__AT_END, 0);
    r->grad = ftk__guard_new("grad", MOST * sizeof(float), 4, FTK__AT_END, 0);
    r->momentum = ftk__guard_new("momentum", MOST * sizeof(float), 4, FTK__AT_END, 0);
    r->score = ftk__guard_new("score", MOST * sizeof(float), 4, FTK__AT_END, 0);
    r->age = ftk__guard_new("age", MOST * sizeof(uint32_t), 4, FTK__AT_END, 0);
    r->fired = ftk__guard_new("fired", MOST, 1, FTK__AT_END, 0);
    r->state = ftk__guard_new("state", c->algo->state_bytes, 64, FTK__AT_END, 0);
}

static void fill_room(struct room *r, uint64_t from, uint64_t n, bool active, ftk_rng *rng)
{
    uint64_t at = ftk__rng_below(rng, 100);
    for (uint64_t i = from; i < from + n; i++) {
        r->index[i] = at;
        at += 1 + ftk__rng_below(rng, 9);
        r->weight[i] = any_float(rng);
        r->grad[i] = any_float(rng);
        r->momentum[i] = any_float(rng);
        r->fired[i] = active || ftk__rng_below(rng, 2) == 1;
        r->age[i] = r->fired[i] ? (uint32_t)ftk__rng_u64(rng) / 2 : UINT32_MAX;
    }
}

static void score_case(struct ftk__case *c, struct ftk__subject *s, struct room *room,
                       uint64_t seed, uint64_t n)
{
    const struct ftk__scorer op = ftk__scorer_of(c->algo);
    ftk_rng rng = { { seed, 1 }, 0 };
    uint64_t from = MOST - n; /* so that the end is where the page ends */
    ftk__kit_note(c, "fuzz case %llu of seed %llu: %llu candidates",
                  (unsigned long long)(seed - c->seed), (unsigned long long)c->seed,
                  (unsigned long long)n);
    fill_room(room, from, n, op.which == FTK_ACTIVE, &rng);
    ftk_cand cand = { .size = sizeof(cand), .channels = op.channels, .count = n };
    cand.index = room->index + from;
    cand.weight = op.channels & FTK_CH_WEIGHT ? room->weight + from : NULL;
    cand.grad = op.channels & FTK_CH_GRAD ? room->grad + from : NULL;
    cand.momentum = op.channels & FTK_CH_MOMENTUM ? room->momentum + from : NULL;
    cand.age = op.channels & FTK_CH_AGE ? room->age + from : NULL;
    cand.fired = op.channels & FTK_CH_FIRED ? room->fired + from : NULL;
    const ftk_layer layer = { .size = sizeof(layer),
                              .type = FTK_LAYER_LINEAR,
                              .index = (uint32_t)ftk__rng_below(&rng, 4),
                              .shape = { 8192, 1, 1, 1 },
                              .n = 8192,
                              .nnz = op.which == FTK_ACTIVE ? n : 8192 - n,
                              .density_target = ftk__rng_uniform(&rng),
                              .name = "fuzz" };
    ftk_update u = { .size = sizeof(u),
                     .step = ftk__rng_u64(&rng) >> 20,
                     .nth = ftk__rng_below(&rng, 100),
                     .rate = ftk__rng_uniform(&rng),
                     .rng = { { seed, 2 }, 0 },
                     .state = c->algo->state_bytes ? room->state : NULL };
    memset(room->score + from, 0xA5, n * sizeof(float));
    ftk__kit_begin(s->host);
    ftk_status st = op.score(s->host->table, s->self, &layer, &cand, &u, room->score + from);
    st = ftk__kit_end(c, s->host, "score", false, st);
    if (st < 0)
        ftk__kit_must_refuse(c, s->host, "score", st);
}

/* ---- level 2, allot, init: a small network a case ---------------------------------------------- */

static void judge_counts(struct ftk__case *c, const struct ftk__scene *scene,
                         const uint64_t *budget, const uint64_t *took, bool by_layer)
{
    uint64_t wanted = 0;
    uint64_t got = 0;
    for (uint32_t k = 0; k < scene->n_layers; k++) {
        wanted += budget[k];
        got += took[k];
        ftk__kit_expect(c, !by_layer || took[k] == budget[k],
                        "layer '%s': %llu taken, asked for %llu", scene->l[k].name,
                        (unsigned long long)took[k], (unsigned long long)budget[k]);
    }
    ftk__kit_expect(c, got == wanted, "%llu taken, asked for %llu", (unsigned long long)got,
                    (unsigned long long)wanted);
}

static void call_select(struct ftk__case *c, struct ftk__subject *s, struct ftk__scene *scene,
                        ftk_rng *rng, void *state)
{
    uint64_t budget[LAYERS];
    struct ftk__view *v = ftk__kit_alloc(c, 1, sizeof(*v));
    bool grows = c->algo->kind == FTK_KIND_GROW;
    bool by_layer = c->algo->kind != FTK_KIND_INIT;
    for (uint32_t k = 0; k < scene->n_layers; k++) {
        const ftk_layer *l = &scene->l[k].layer;
        budget[k] = ftk__rng_below(rng, (grows ? l->n - l->nnz : l->nnz) + 2);
    }
    const struct ftk__how how = { .chunk = 1 + ftk__rng_below(rng, 40) };
    ftk_status st = ftk__select_once(c, s, scene, budget, 0, &how, state, v);
    if (st < 0) {
        ftk__kit_must_refuse(c, s->host, "select", st);
        return;
    }
    if (ftk__scorer_of(c->algo).count == FTK_COUNT_EXACT)
        judge_counts(c, scene, budget, v->took, by_layer);
}

static void call_allot(struct ftk__case *c, struct ftk__subject *s, struct ftk__scene *scene,
                       ftk_rng *rng, void *state)
{
    const ftk_allot_ops *op = c->algo->ops;
    const struct ftk__how how = { 0 };
    struct ftk__view *v = ftk__kit_alloc(c, 1, sizeof(*v));
    uint64_t lost[LAYERS], room[LAYERS], count[LAYERS];
    uint64_t total = 0;
    for (uint32_t k = 0; k < scene->n_layers; k++) {
        lost[k] = ftk__rng_below(rng, scene->l[k].layer.n + 1);
        room[k] = scene->l[k].layer.n - scene->l[k].layer.nnz;
        total += lost[k];
    }
    ftk__view_open(c, scene, s->host, &how, op->channels, 0, NULL, v);
    ftk__kit_begin(s->host);
    ftk_status st = op->allot(s->host->table, s->self, v->net, ftk__scene_update(0, 0, &how, state),
                              lost, room, total, count);
    st = ftk__kit_end(c, s->host, "allot", false, st);
    ftk__view_close(v, "allot", st);
    if (st < 0) {
        ftk__kit_must_refuse(c, s->host, "allot", st);
        return;
    }
    uint64_t sum = 0;
    for (uint32_t k = 0; k < scene->n_layers; k++) {
        sum += count[k];
        if (count[k] > room[k])
            ftk__kit_fail(c, "%llu weights for a room of %llu", (unsigned long long)count[k],
                          (unsigned long long)room[k]);
    }
    if (sum != total)
        ftk__kit_fail(c, "counts sum to %llu, not %llu", (unsigned long long)sum,
                      (unsigned long long)total);
}

static void call_density(struct ftk__case *c, struct ftk__subject *s, struct ftk__scene *scene,
                         ftk_rng *rng, void *state)
{
    const ftk_init_ops *op = c->algo->ops;
    const struct ftk__how how = { 0 };
    struct ftk__view *v = ftk__kit_alloc(c, 1, sizeof(*v));
    double density[LAYERS];
    double target = ftk__rng_uniform(rng);
    double sum = 0;
    double all = 0;
    ftk__view_open(c, scene, s->host, &how, op->channels, 0, NULL, v);
    ftk__kit_begin(s->host);
    ftk_status st = op->density(s->host->table, s->self, v->net,
                                ftk__scene_update(0, 0, &how, state), target, density);
    st = ftk__kit_end(c, s->host, "density", false, st);
    ftk__view_close(v, "density", st);
    if (st < 0)
        ftk__kit_must_refuse(c, s->host, "density", st);
    for (uint32_t k = 0; k < scene->n_layers && st >= 0; k++) {
        if (!(density[k] >= 0 && density[k] <= 1))
            ftk__kit_fail(c, "density %g of layer %u at target %g", density[k], k, target);
        sum += density[k] * (double)scene->l[k].layer.n;
        all += (double)scene->l[k].layer.n;
    }
    if (st >= 0 && fabs(sum - target * all) > 1)
        ftk__kit_fail(c, "densities make %.3f active weights, target are %.3f", sum, target * all);
}

static void net_case(struct ftk__case *c, struct ftk__subject *s, uint64_t seed)
{
    ftk_rng rng = { { seed, 3 }, 0 };
    uint64_t n[LAYERS];
    double density[LAYERS];
    const struct ftk__scene_shape shape = {
        .n = n, .density = density, .n_layers = 1 + (uint32_t)ftk__rng_below(&rng, LAYERS)
    };
    struct ftk__case mine = *c; /* memory of the case alone */
    struct ftk__scene scene;
    uint32_t mark = ftk__guard_mark();
    mine.arena = (struct ftk__arena){ 0 };
    ftk__kit_note(c, "fuzz case %llu of seed %llu: %u layers", (unsigned long long)(seed - c->seed),
                  (unsigned long long)c->seed, shape.n_layers);
    for (uint32_t k = 0; k < shape.n_layers; k++) {
        n[k] = 1 + ftk__rng_below(&rng, 60);
        density[k] = c->algo->kind == FTK_KIND_INIT ? 1 : ftk__rng_uniform(&rng);
    }
    ftk__scene_new(&mine, &shape, seed, &scene);
    for (uint32_t k = 0; k < shape.n_layers; k++)
        for (uint64_t i = 0; i < n[k]; i++) {
            scene.l[k].weight[i] = any_float(&rng);
            scene.l[k].grad[i] = any_float(&rng);
            scene.l[k].momentum[i] = any_float(&rng);
        }
    void *state = NULL;
    if (c->algo->state_bytes > 0)
        state = ftk__guard_new("state", c->algo->state_bytes, 64, FTK__AT_END, 0);
    if (c->algo->kind == FTK_KIND_ALLOT)
        call_allot(&mine, s, &scene, &rng, state);
    else if (ftk__kit_kind_bit(c->algo) == FTK__ON_INIT1)
        call_density(&mine, s, &scene, &rng, state);
    else
        call_select(&mine, s, &scene, &rng, state);
    ftk__guard_release(mark);
    ftk__arena_done(&mine.arena);
}

static void fuzz(struct ftk__case *c)
{
    struct ftk__subject s;
    struct room room;
    bool scores = ftk__kit_kind_bit(c->algo) & FTK__ON_SCORERS;
    double end = ftk__process_now() + SECONDS;
    ftk__subject_new(c, NULL, &s);
    map_room(c, &room);
    /* Small cases first: the first that fails is among the smallest. */
    for (uint64_t i = 0; i < CASES && ftk__process_now() < end; i++) {
        if (scores)
            score_case(c, &s, &room, c->seed + i, i * MOST / CASES);
        else
            net_case(c, &s, c->seed + i);
    }
}

static const struct ftk__rule rules[] = {
    { .id = "SCO-08",
      .level = 3,
      .kinds = FTK__ON_SPARSE,
      .needs =
          "MEM-03 SCO-03 SCO-05 ALT-01 ALT-04 INI-01 PRN-01 PRN-02 PRN-03 GRW-01 GRW-02 GRW-03 "
          "ERR-01",
      .title = "thousands of random calls: right, or refused with a reason",
      .why = "what nobody thought of happens in the third week of a run",
      .fix = "repeat the case that is named with --in-process in a debugger",
      .timeout_ms = 20000,
      .run = fuzz },
};
const struct ftk__rule_family ftk__family_fuzz = { rules, sizeof(rules) / sizeof(rules[0]) };
