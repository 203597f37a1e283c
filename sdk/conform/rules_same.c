/* SPDX-License-Identifier: MIT
 * conform/rules_same.c - same input, same bits: twice, in a fresh instance, in a fresh process, in any
 * order of layers, with others in between, and with structs that have grown.
 */
#include "conform/driver.h"
#include "conform/params_case.h"
#include "conform/scene.h"
#include <stdlib.h>

static void series(struct ftk__case *c, struct ftk__subject *s, const struct ftk__how *how,
                   struct ftk__blob *ret)
{
    *ret = (struct ftk__blob){ 0 };
    ftk__driver_of(c)->act(c, s, how, ret);
}

/* A series in an instance of its own. */
static void fresh_series(struct ftk__case *c, const struct ftk__how *how, struct ftk__blob *ret)
{
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    series(c, &s, how, ret);
    ftk__subject_done(c, &s);
}

static void must_be_same(struct ftk__case *c, const struct ftk__blob *a, const struct ftk__blob *b,
                         const char *what)
{
    struct ftk__str why = { 0 };
    if (!ftk__blob_same(a, b, &why))
        ftk__kit_fail(c, "%s: %s", what, why.text);
}

static void twice(struct ftk__case *c)
{
    struct ftk__subject s;
    struct ftk__blob a, b;
    ftk__subject_new(c, NULL, &s);
    /* Outputs begin with the same pattern: what was not written is SCO-01's. */
    series(c, &s, &(struct ftk__how){ .fill = 0xA5, .keep = true }, &a);
    series(c, &s, &(struct ftk__how){ .fill = 0xA5, .keep = true }, &b);
    must_be_same(c, &a, &b, "the same calls again");
}

static void fresh_instance(struct ftk__case *c)
{
    struct ftk__blob a, b;
    fresh_series(c, &(struct ftk__how){ 0 }, &a);
    fresh_series(c, &(struct ftk__how){ 0 }, &b);
    must_be_same(c, &a, &b, "in a fresh instance");
}

static void fresh_process(struct ftk__case *c)
{
    struct ftk__blob a;
    struct ftk__blob b = { 0 };
    fresh_series(c, &(struct ftk__how){ 0 }, &a);
    if (c->role)
        ftk__kit_hand_back(c, &a);
    ftk__kit_again(c, 1, NULL, &b);
    must_be_same(c, &a, &b, "in a fresh process");
}

static void any_order(struct ftk__case *c)
{
    struct ftk__blob a, b;
    fresh_series(c, &(struct ftk__how){ 0 }, &a);
    for (uint32_t order = 1; order < 3; order++) {
        fresh_series(c, &(struct ftk__how){ .order = order }, &b);
        must_be_same(c, &a, &b, "with the layers in another order");
    }
}

/* rand(), and the other algorithms of the file at work. */
static void others_at_work(struct ftk__case *c, void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        (void)rand();
    for (uint32_t i = 0; i < c->n_all; i++) {
        struct ftk__case other = *c;
        struct ftk__subject s;
        struct ftk_error err;
        other.algo = c->all[i];
        if (other.algo == c->algo || other.algo->kind == FTK_KIND_BACKEND ||
            ftk__params_case(other.algo, NULL, 0, &other.arena, &other.params, &err) < 0)
            continue;
        struct ftk__kit_host *host = ftk__kit_host_new(0);
        if (ftk__subject_try(&other, other.params, host, &s) < 0)
            continue;
        ftk__driver_of(&other)->act(&other, &s, &(struct ftk__how){ .may_fail = true }, NULL);
        ftk__subject_done(&other, &s);
    }
}

static void others_in_between(struct ftk__case *c)
{
    struct ftk__blob a, b;
    fresh_series(c, &(struct ftk__how){ 0 }, &a);
    fresh_series(c, &(struct ftk__how){ .between = others_at_work }, &b);
    must_be_same(c, &a, &b, "with rand() and other algorithms in between");
}

/* DET-06: whether results follow the stream, as FTK_PROP_RANDOM says. */
static void another_stream(struct ftk__case *c)
{
    struct ftk__blob a[2], b[2];
    struct ftk__str why = { 0 };
    bool selects = c->algo->kind == FTK_KIND_PRUNE || c->algo->kind == FTK_KIND_GROW;
    bool claims = selects && ftk__scorer_of(c->algo).props & FTK_PROP_RANDOM;
    bool same = true;
    for (int flat = 0; flat < 2; flat++) {
        fresh_series(c, &(struct ftk__how){ .flat = flat }, &a[flat]);
        fresh_series(c, &(struct ftk__how){ .flat = flat, .stream = 12345 }, &b[flat]);
        same = ftk__blob_same(&a[flat], &b[flat], &why) && same;
    }
    if (claims && same)
        ftk__kit_fail(c, "another stream of random numbers changes nothing, though RANDOM is "
                         "claimed");
    if (!claims && !same)
        ftk__kit_fail(c, "another stream of random numbers changes %s", why.text);
}

/* ABI-07: structs and host table with members that this plugin does not know, all 0. */
static void grown_structs(struct ftk__case *c)
{
    enum { GROWN = 64 };
    struct ftk__kit_host *host = ftk__kit_host_new(GROWN);
    struct ftk__subject s;
    struct ftk__blob a, b;
    fresh_series(c, &(struct ftk__how){ 0 }, &a);
    ftk_status st = ftk__subject_try(c, c->params, host, &s);
    ftk__kit_must(c, host, "create", st);
    series(c, &s, &(struct ftk__how){ .grown = GROWN }, &b);
    must_be_same(c, &a, &b, "with larger structs, their tails 0");
}

static const struct ftk__rule rules[] = {
    { .id = "ABI-07",
      .level = 2,
      .kinds = FTK__ON_ALL_BUT_BACKEND,
      .needs = "MEM-03 DET-01 DET-02",
      .title = "works with a larger host table and larger structs",
      .why = "members are appended to them in later versions",
      .fix = "do not compare a struct's size with sizeof; step through arrays of pointers",
      .run = grown_structs },
    { .id = "DET-01",
      .level = 2,
      .kinds = FTK__ON_ALL_BUT_BACKEND,
      .needs = "MEM-01 MEM-02",
      .title = "the same calls again give the same bits",
      .why = "same config, same seed, same bits",
      .fix = "keep no static variables; zero what is summed up",
      .run = twice },
    { .id = "DET-02",
      .level = 2,
      .kinds = FTK__ON_ALL_BUT_BACKEND,
      .needs = "MEM-03 DET-01",
      .title = "a fresh instance gives the same bits",
      .why = "a resumed run makes new instances",
      .fix = "keep no static variables and no counters of instances",
      .run = fresh_instance },
    { .id = "DET-03",
      .level = 2,
      .kinds = FTK__ON_ALL_BUT_BACKEND,
      .needs = "DET-01 DET-02",
      .title = "a fresh process with the file loaded elsewhere gives the same bits",
      .why = "results must not depend on addresses, times or process ids",
      .fix = "draw random numbers from the update's stream alone; order nothing by pointer",
      .run = fresh_process },
    { .id = "DET-04",
      .level = 2,
      .kinds = FTK__ON_SCORERS,
      .needs = "DET-01 DET-02",
      .title = "layers in any order give the same bits",
      .why = "layers are scored in any order, and in parallel",
      .fix = "let a score depend on its layer and candidate alone",
      .run = any_order },
    { .id = "DET-05",
      .level = 2,
      .kinds = FTK__ON_ALL_BUT_BACKEND,
      .needs = "DET-01 DET-02 DET-04",
      .title = "other algorithms and rand() in between change nothing",
      .why = "what else runs in the process is not the experiment's",
      .fix = "use the update's stream instead of rand(); share no static variables",
      .run = others_in_between },
    { .id = "DET-06",
      .level = 2,
      .kinds = FTK__ON_PRUNE | FTK__ON_GROW | FTK__ON_INIT1,
      .needs = "DET-01 DET-02",
      .title = "results follow the random stream if RANDOM is claimed, and only then",
      .why = "the claim decides what may be selected natively and what a seed changes",
      .fix = "claim FTK_PROP_RANDOM, or leave ftk_update.rng alone; densities are never random",
      .run = another_stream },
};
const struct ftk__rule_family ftk__family_same = { rules, sizeof(rules) / sizeof(rules[0]) };
