/* SPDX-License-Identifier: MIT
 * conform/rules_score.c - what a level-1 rule writes: every score, no NaN out of numbers, and of nothing
 * but its own channels.
 */
#include "conform/scene.h"
#include <math.h>
#include <string.h>

/* Scores of a whole list with `how`. */
static float *scores(struct ftk__case *c, struct ftk__subject *s, struct ftk__scene_layer *l,
                     const struct ftk__how *how, uint64_t *ret_n, ftk_status *ret_st)
{
    const uint64_t *list = ftk__scene_list(l, ftk__scorer_of(c->algo).which, ret_n);
    float *score = ftk__kit_alloc(c, *ret_n, sizeof(*score));
    void *state = NULL;
    if (c->algo->state_bytes > 0)
        state = ftk__guard_new("state", c->algo->state_bytes, 64, FTK__AT_END, 0);
    *ret_st = ftk__score_list(c, s, l, list, *ret_n, 0, how, state, score);
    return score;
}

/* SCO-01: what equals the pattern it had before, for two patterns, was not written. */
static void every_score(struct ftk__case *c)
{
    static const uint8_t fills[2] = { 0xA5, 0x5A };
    struct ftk__subject s;
    struct ftk__scene scene;
    ftk__subject_new(c, NULL, &s);
    ftk__scene_small(c, c->seed, &scene);
    for (uint32_t k = 0; k < scene.n_layers; k++) {
        float *got[2];
        uint64_t n;
        for (int i = 0; i < 2; i++) {
            ftk_status st;
            got[i] = scores(c, &s, &scene.l[k], &(struct ftk__how){ .fill = fills[i] }, &n, &st);
            ftk__kit_must(c, s.host, "score", st);
        }
        for (uint64_t i = 0; i < n; i++)
            if (memcmp(&got[0][i], &got[1][i], sizeof(float)) != 0)
                ftk__kit_fail(c, "score %llu of %llu of layer '%s' was not written",
                              (unsigned long long)i, (unsigned long long)n, scene.l[k].name);
    }
}

static void no_nan(struct ftk__case *c)
{
    static const enum ftk__scene_values kinds[] = { FTK__VALUES_ODD, FTK__VALUES_TIES };
    struct ftk__subject s;
    struct ftk__scene scene;
    ftk__subject_new(c, NULL, &s);
    ftk__scene_small(c, c->seed, &scene);
    for (uint32_t i = 0; i < 2; i++) {
        ftk__scene_fill(&scene, c->seed + i, kinds[i]);
        for (uint32_t k = 0; k < scene.n_layers; k++) {
            uint64_t n;
            ftk_status st;
            const struct ftk__scene_layer *l = &scene.l[k];
            float *got = scores(c, &s, &scene.l[k], &(struct ftk__how){ 0 }, &n, &st);
            ftk__kit_must(c, s.host, "score", st);
            for (uint64_t j = 0; j < n; j++)
                if (isnan(got[j]))
                    ftk__kit_fail(c,
                                  "score %llu of layer '%s' is NaN for weight %g, grad %g, "
                                  "momentum %g, age %u",
                                  (unsigned long long)j, l->name, (double)l->weight[l->list[j]],
                                  (double)l->grad[l->list[j]], (double)l->momentum[l->list[j]],
                                  l->age[l->list[j]]);
        }
    }
}

/* ---- SCO-03 ----------------------------------------------------------------------------------- */

static void poison(struct ftk__scene_layer *l, uint64_t at, float value)
{
    l->weight[at] = value;
    l->grad[at] = value;
    l->momentum[at] = value;
}

static void compare_others(struct ftk__case *c, const float *before, const float *after, uint64_t n,
                           uint64_t but, float value)
{
    for (uint64_t i = 0; i < n; i++)
        if (i != but && memcmp(&before[i], &after[i], sizeof(float)) != 0)
            ftk__kit_fail(c, "%g in candidate %llu changes the score of candidate %llu",
                          (double)value, (unsigned long long)but, (unsigned long long)i);
}

static void not_finite(struct ftk__case *c)
{
    static const float values[] = { NAN, INFINITY, -INFINITY };
    bool elementwise = ftk__scorer_of(c->algo).props & FTK_PROP_ELEMENTWISE;
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
        struct ftk__scene scene;
        uint64_t n;
        ftk_status st;
        ftk__scene_small(c, c->seed, &scene);
        struct ftk__scene_layer *l = &scene.l[1];
        float *before = scores(c, &s, l, &(struct ftk__how){ 0 }, &n, &st);
        ftk__kit_must(c, s.host, "score", st);
        poison(l, l->list[3], values[v]);
        float *after = scores(c, &s, l, &(struct ftk__how){ 0 }, &n, &st);
        if (st < 0)
            ftk__kit_must_refuse(c, s.host, "score", st);
        else if (elementwise)
            compare_others(c, before, after, n, 3, values[v]);
    }
}

/* ---- SCO-05 ----------------------------------------------------------------------------------- */

static void one_size(struct ftk__case *c, struct ftk__subject *s, uint64_t n, uint64_t nnz)
{
    const struct ftk__scene_shape shape = { .n = &n, .n_layers = 1 };
    struct ftk__scene scene;
    uint64_t count;
    ftk_status st;
    ftk__kit_note(c, "a layer of %llu, %llu active", (unsigned long long)n,
                  (unsigned long long)nnz);
    ftk__scene_new(c, &shape, c->seed, &scene);
    ftk__scene_mask(&scene.l[0], nnz, c->seed);
    scores(c, s, &scene.l[0], &(struct ftk__how){ .fill = 0xA5 }, &count, &st);
    ftk__kit_must(c, s->host, "score", st);
}

/* Candidates far out in a layer that is larger than memory: only positions are. */
static void far_out(struct ftk__case *c, struct ftk__subject *s)
{
    const struct ftk__how how = { 0 };
    const struct ftk__scorer op = ftk__scorer_of(c->algo);
    const uint64_t base = UINT64_C(1) << 40;
    struct ftk__scene scene;
    uint64_t n;
    ftk__kit_note(c, "positions near 2^40");
    ftk__scene_small(c, c->seed, &scene);
    struct ftk__scene_layer *l = &scene.l[1];
    const uint64_t *list = ftk__scene_list(l, op.which, &n);
    ftk_cand *cand = ftk__scene_cand(l, list, 0, n, op.channels, &how);
    uint64_t *index = ftk__guard_new("index", n * sizeof(*index), 8, FTK__AT_END, 0);
    for (uint64_t i = 0; i < n; i++)
        index[i] = base - n + i;
    ftk_cand moved = *cand;
    moved.index = index;
    l->layer.n = base;
    l->layer.nnz = op.which == FTK_ACTIVE ? n : base - n;
    l->layer.shape[0] = 1u << 20;
    l->layer.shape[1] = 1u << 20;
    l->layer.shape[2] = 1;
    l->layer.shape[3] = 1;
    float *score = ftk__guard_new("score", n * sizeof(*score), 4, FTK__AT_END, 0);
    void *state = ftk__guard_new("state", c->algo->state_bytes, 64, FTK__AT_END, 0);
    ftk__kit_begin(s->host);
    ftk_status st = op.score(s->host->table, s->self, ftk__scene_layer(l, &how),
                             ftk__kit_struct("candidates", &moved, sizeof(moved), &how, false),
                             ftk__scene_update(0, 0, &how, state), score);
    ftk__kit_must(c, s->host, "score", ftk__kit_end(c, s->host, "score", false, st));
}

static void odd_sizes(struct ftk__case *c)
{
    static const uint64_t sizes[][2] = { { 1, 1 },  { 1, 0 },   { 2, 1 },   { 2, 2 },
                                         { 64, 0 }, { 64, 64 }, { 65, 64 }, { 1 << 20, 1 << 19 } };
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        one_size(c, &s, sizes[i][0], sizes[i][1]);
    far_out(c, &s);
}

/* ---- SCO-06 ----------------------------------------------------------------------------------- */

static void any_chunks(struct ftk__case *c)
{
    static const uint64_t chunks[] = { 1, 7, 1000 };
    struct ftk__subject s;
    struct ftk__scene scene;
    ftk__subject_new(c, NULL, &s);
    ftk__scene_small(c, c->seed, &scene);
    for (uint32_t k = 0; k < scene.n_layers; k++) {
        uint64_t n;
        ftk_status st;
        float *whole = scores(c, &s, &scene.l[k], &(struct ftk__how){ 0 }, &n, &st);
        ftk__kit_must(c, s.host, "score", st);
        for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
            const struct ftk__how how = { .chunk = chunks[i] };
            float *cut = scores(c, &s, &scene.l[k], &how, &n, &st);
            ftk__kit_must(c, s.host, "score", st);
            for (uint64_t j = 0; j < n; j++)
                if (memcmp(&whole[j], &cut[j], sizeof(float)) != 0)
                    ftk__kit_fail(c,
                                  "score %llu of layer '%s' is %.9g whole, %.9g in chunks of "
                                  "%llu",
                                  (unsigned long long)j, scene.l[k].name, (double)whole[j],
                                  (double)cut[j], (unsigned long long)chunks[i]);
        }
    }
}

static const struct ftk__rule rules[] = {
    { .id = "SCO-01",
      .level = 2,
      .kinds = FTK__ON_SCORERS,
      .needs = "MEM-03 DET-01",
      .title = "every score is written",
      .why = "a score that is not written ranks a weight by what lay in memory",
      .fix = "write score[i] for each i below count",
      .run = every_score },
    { .id = "SCO-02",
      .level = 2,
      .kinds = FTK__ON_SCORERS,
      .needs = "SCO-01",
      .title = "no NaN out of finite numbers",
      .why = "NaN has no place in an order; the core refuses it and the run ends",
      .fix = "guard divisions by 0 and differences of what may overflow; 1 + c->age[i] is 0 where a "
             "weight never was active",
      .run = no_nan },
    { .id = "SCO-03",
      .level = 2,
      .kinds = FTK__ON_SCORERS,
      .needs = "SCO-01 SCO-07",
      .title = "NaN or Inf in a channel: scores or a reason, and others' scores stay",
      .why = "a run that diverges must end with the core's message",
      .fix = "let ELEMENTWISE scores depend on their own candidate alone",
      .run = not_finite },
    { .id = "SCO-05",
      .level = 2,
      .kinds = FTK__ON_SCORERS,
      .needs = "SCO-01 MEM-02",
      .title = "0, 1, 2 and 2^20 candidates, full and empty layers, positions near 2^40",
      .why = "layers come in all sizes, and the last chunk may be empty",
      .fix = "use uint64_t for counts and positions; divide by no count that can be 0; a refusal "
             "fails too: layers of these sizes occur, and state has no room for each weight",
      .timeout_ms = 20000,
      .run = odd_sizes },
    { .id = "SCO-06",
      .level = 2,
      .kinds = FTK__ON_SCORERS,
      .needs = "SCO-01 SCO-07 DET-01",
      .title = "the same scores for any size of chunk",
      .why = "candidates come in chunks whose size is the core's",
      .fix = "let no score depend on count or on the place in the chunk",
      .run = any_chunks },
};
const struct ftk__rule_family ftk__family_score = { rules, sizeof(rules) / sizeof(rules[0]) };
