/* SPDX-License-Identifier: MIT
 * conform/rules_bkd_members.c - several members in one program are as many programs.
 */
#include "conform/rules_bkd.h"
#include <math.h>
#include <string.h>

enum { MEMBERS = 3, COUNT = 6, STEPS = 4, SEED = 40 };

struct stage {
    struct ftk__bk bk;
    struct ftk__bk_graph g;
    ftk_prog *all, *one[MEMBERS];
    struct ftk__bk_snap of_all, of_one[MEMBERS];
};

/* Member m of a snapshot of all, as a snapshot of one. */
static struct ftk__bk_snap part(struct stage *s, uint32_t m)
{
    const struct ftk__bk_snap *from = &s->of_all;
    struct ftk__bk_snap to = { .n_layers = s->g.n_sparse,
                               .active = from->active + m * s->g.n_sparse,
                               .nnz = from->nnz + m * s->g.n_sparse };
    to.array = ftk__kit_alloc(s->bk.c, from->n, sizeof(*to.array));
    for (uint32_t i = 0; i < from->n; i++) {
        if (from->array[i].member != m)
            continue;
        to.array[to.n] = from->array[i];
        to.array[to.n++].member = 0;
    }
    return to;
}

static void expect_members(struct stage *s, const char *after)
{
    ftk__bk_snap(&s->bk, s->all, &s->g, MEMBERS, &s->of_all);
    for (uint32_t m = 0; m < MEMBERS; m++) {
        char when[80];
        struct ftk__bk_snap mine = part(s, m);
        ftk__bk_snap(&s->bk, s->one[m], &s->g, 1, &s->of_one[m]);
        ftk__format(when, sizeof(when), "%s, member %u and a program of its own", after, m);
        ftk__bkd_expect_same(&s->bk, &s->g, &mine, &s->of_one[m], when);
    }
}

/* Batches of their own, each in its own memory. */
static void step_all(struct stage *s, uint32_t i)
{
    const ftk_batch *list[MEMBERS];
    ftk_hyper hy = ftk__bk_hyper(0.05, 0.9, 0.01, i + 1 == STEPS ? FTK_STEP_KEEP_GRAD : 0);
    hy.step = i + 1;
    for (uint32_t m = 0; m < MEMBERS; m++) {
        const struct ftk__bk_batch *b = ftk__bk_batch(s->bk.c, &s->g, COUNT - i % 2, 10 * i + m);
        list[m] = &b->b;
        FTK__MUST(&s->bk, step, s->one[m], b->list, &hy);
    }
    FTK__MUST(&s->bk, step, s->all, list, &hy);
}

static void expect_stats(struct stage *s)
{
    ftk_stats *list[MEMBERS];
    for (uint32_t m = 0; m < MEMBERS; m++) {
        list[m] = ftk__kit_alloc(s->bk.c, 1, sizeof(**list) + 64 * m);
        list[m]->size = sizeof(**list);
    }
    FTK__MUST(&s->bk, sync, s->all, list);
    for (uint32_t m = 0; m < MEMBERS; m++) {
        ftk_stats one = ftk__bk_sync(&s->bk, s->one[m]);
        const ftk_stats *got = list[m];
        bool near = fabs(got->loss_sum - one.loss_sum) <= 1e-3 * one.loss_sum;
        ftk__kit_expect(
            s->bk.c,
            got->samples == one.samples && got->correct == one.correct && near &&
                got->bad_node == one.bad_node,
            "sync() of member %u: %llu samples, %llu correct, loss %g, bad node %d; its "
            "own program: %llu, %llu, %g, %d",
            m, (unsigned long long)got->samples, (unsigned long long)got->correct, got->loss_sum,
            got->bad_node, (unsigned long long)one.samples, (unsigned long long)one.correct,
            one.loss_sum, one.bad_node);
    }
}

static void expect_logits(struct stage *s)
{
    const uint64_t floats = (uint64_t)COUNT * ftk__bk_classes(&s->g);
    const ftk_batch *list[MEMBERS];
    float *all = ftk__kit_alloc(s->bk.c, MEMBERS * floats, sizeof(*all));
    struct ftk__bk_tally t;
    for (uint32_t m = 0; m < MEMBERS; m++)
        list[m] = &ftk__bk_batch(s->bk.c, &s->g, COUNT, 70 + m)->b;
    FTK__MUST(&s->bk, predict, s->all, list, all);
    ftk__bk_tally(&t, &s->bk);
    for (uint32_t m = 0; m < MEMBERS; m++) {
        const struct ftk__bk_batch *b = ftk__bk_batch(s->bk.c, &s->g, COUNT, 70 + m);
        ftk__bk_where(&t, "predict() of member %u", m);
        ftk__bk_near(&t, "logits", all + m * floats, ftk__bk_predict(&s->bk, s->one[m], &s->g, b),
                     floats);
    }
}

/* An edit of one member's layer, and the same in its own program; the others stay. */
static void edit_one(struct stage *s, uint32_t member, uint32_t layer)
{
    struct ftk__bk_list on, off;
    uint32_t at = member * s->g.n_sparse + layer;
    ftk__bk_read(&s->bk, s->all, &s->g, at, FTK_ACTIVE, 0, 100, &on);
    ftk__bk_read(&s->bk, s->all, &s->g, at, FTK_INACTIVE, FTK_CH_GRAD, 100, &off);
    const ftk_change c = {
        .size = sizeof(c), .drop = on.index, .add = off.index, .n_drop = 2, .n_add = 2
    };
    FTK__MUST(&s->bk, edit, s->all, at, &c);
    FTK__MUST(&s->bk, edit, s->one[member], layer, &c);
}

static void open_members(struct ftk__case *c, struct stage *s)
{
    ftk__bk_open(c, FTK__BK_AS_SET, &s->bk);
    ftk__bk_net(&s->g, true);
    ftk_build b = ftk__bk_build(&s->g, COUNT, 0);
    b.members = MEMBERS;
    ftk_status st = FTK__TRY(&s->bk, compile, s->bk.dev, &b, &s->all);
    if (ftk__bk_not_supported(&s->bk, "compile", st, true))
        ftk__kit_skip(c, "%d members: %s", MEMBERS, s->bk.host->reason);
    ftk__bk_fill_members(&s->bk, s->all, &s->g, MEMBERS, 0.4, SEED);
    for (uint32_t m = 0; m < MEMBERS; m++) {
        s->one[m] = ftk__bk_compile(&s->bk, &s->g, COUNT, 0);
        ftk__bk_fill(&s->bk, s->one[m], &s->g, 0.4, SEED + m);
    }
}

static void members(struct ftk__case *c)
{
    struct stage *s = ftk__kit_alloc(c, 1, sizeof(*s));
    open_members(c, s);
    expect_members(s, "after put()");
    for (uint32_t i = 0; i < STEPS; i++)
        step_all(s, i);
    expect_members(s, "after steps");
    expect_stats(s);
    expect_logits(s);
    edit_one(s, 1, 2);
    edit_one(s, 2, 0);
    expect_members(s, "after an edit");
    step_all(s, STEPS);
    expect_members(s, "after a step more");
    ftk_cand cand = { .size = sizeof(cand) };
    uint64_t cursor = 0;
    FTK__REFUSED(&s->bk, read_active, s->all, MEMBERS * s->g.n_sparse, 0, 9, &cursor, &cand);
}

static const struct ftk__rule rules[] = {
    { .id = "BKD-16",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-05 BKD-07 BKD-08",
      .title = "three members in one program are three programs",
      .why = "members trained together must be the members trained one by one",
      .fix = "layer = member x sparse layers + index; batches, stats, arrays are each member's own",
      .timeout_ms = 30000,
      .run = members },
};
const struct ftk__rule_family ftk__family_bkd_members = { rules, sizeof(rules) / sizeof(rules[0]) };
