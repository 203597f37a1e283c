/* SPDX-License-Identifier: MIT
 * test_lrplan.c - what an experiment fixes for its strategy, and learning rates step by step.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "config/oplist.h"
#include "config_case.h"
#include <math.h>
#include <stdlib.h>

static int make(void **state)
{
    struct config_case *c = calloc(1, sizeof *c);
    assert_non_null(c);
    config_case_init(c);
    *state = c;
    return 0;
}

static int clean(void **state)
{
    config_case_done(*state);
    free(*state);
    return 0;
}

static ftk_op train(double epochs)
{
    return (ftk_op){ .size = sizeof(ftk_op), .code = FTK_OP_TRAIN, .epochs = epochs };
}

static struct ftk__lr_plan plan_of(const struct ftk__experiment *x, uint64_t n_train,
                                   const ftk_op *op)
{
    ftk_run run = ftk__experiment_run(x, n_train);
    struct ftk__lr_plan p;
    assert_int_equal(ftk__lr_plan(x, &run, op, &p, NULL), FTK_OK);
    return p;
}

static void expect_lr(const struct ftk__lr_plan *p, uint64_t step, double want)
{
    double have = ftk__lr_at(p, step);
    if (!(fabs(have - want) <= 1e-12 * fabs(want)))
        fail_msg("rate of step %llu is %.17g, not %.17g", (unsigned long long)step, have, want);
}

static void a_run_is_what_the_experiment_fixes(void **state)
{
    const char *o[] = { "data.batch=100", "optim.milestones=[0.25, 0.5]", "optim.warmup=20it",
                        "optim.lr=0.3", NULL };
    const struct ftk__experiment *x = config_case_text(*state, config_case_base, o);
    ftk_run run = ftk__experiment_run(x, 1001);
    assert_int_equal(run.size, sizeof run);
    assert_int_equal(run.members, 2);
    assert_int_equal(run.steps_per_epoch, 11);
    assert_int_equal(ftk__experiment_run(x, 1000).steps_per_epoch, 10);
    assert_int_equal(ftk__experiment_run(x, 1).steps_per_epoch, 1);
    assert_int_equal(ftk__experiment_run(x, 0).steps_per_epoch, 0);
    assert_true(run.epochs == 10 && run.density == 0.2);
    assert_int_equal(run.lr.kind, FTK_LR_STEP);
    assert_true(run.lr.base == 0.3 && run.lr.gamma == 0.1);
    assert_int_equal(run.lr.n_milestones, 2);
    assert_true(run.lr.milestones[0] == 2.5 && run.lr.milestones[1] == 5);
    assert_true(run.lr.warmup_epochs == 20.0 / 11);
}

static void schedules_have_their_kind(void **state)
{
    const char *o[] = { "optim.schedule=cosine", NULL };
    ftk_lr lr = ftk__experiment_run(config_case_text(*state, config_case_base, o), 1280).lr;
    assert_int_equal(lr.kind, FTK_LR_COSINE);
    assert_int_equal(lr.n_milestones, 0);
    o[0] = "optim.schedule=constant";
    lr = ftk__experiment_run(config_case_text(*state, config_case_base, o), 1280).lr;
    assert_int_equal(lr.kind, FTK_LR_STEP);
    assert_int_equal(lr.n_milestones, 0);
    assert_true(lr.gamma == 1);
}

/* Milestones as fractions follow the length of the TRAIN. */
static void fractions_follow_the_train(void **state)
{
    const struct ftk__experiment *x = config_case_text(*state, config_case_base, NULL);
    const ftk_op op = train(4); /* 40 steps: cut before steps 20 and 30 */
    struct ftk__lr_plan p = plan_of(x, 1280, &op);
    assert_int_equal(p.n_milestones, 2);
    expect_lr(&p, 0, 0.1);
    expect_lr(&p, 19, 0.1);
    expect_lr(&p, 20, 0.01);
    expect_lr(&p, 29, 0.01);
    expect_lr(&p, 30, 0.001);
    expect_lr(&p, 39, 0.001);
}

static void steps_are_rounded_to_nearest(void **state)
{
    const char *o[] = { "optim.milestones=[0.25, 0.35]", NULL };
    const struct ftk__experiment *x = config_case_text(*state, config_case_base, o);
    const ftk_op op = train(1); /* 10 steps: 2.5 -> 3, 3.5 -> 4 (0.35 x 10 is 3.5 exactly) */
    struct ftk__lr_plan p = plan_of(x, 1280, &op);
    expect_lr(&p, 2, 0.1);
    expect_lr(&p, 3, 0.01);
    expect_lr(&p, 4, 0.001);
}

static void durations_do_not_follow_the_train(void **state)
{
    const char *o[] = { "optim.milestones=[\"2ep\", \"3ep\"]", NULL };
    const ftk_op op = train(4);
    struct ftk__lr_plan p = plan_of(config_case_text(*state, config_case_base, o), 1280, &op);
    expect_lr(&p, 19, 0.1);
    expect_lr(&p, 20, 0.01);
    expect_lr(&p, 30, 0.001);
    o[0] = "optim.milestones=[\"7it\"]";
    p = plan_of(config_case_text(*state, config_case_base, o), 1280, &op);
    expect_lr(&p, 6, 0.1);
    expect_lr(&p, 7, 0.01);
    o[0] = "optim.milestones=[\"0.1x\"]"; /* of 10 epochs */
    p = plan_of(config_case_text(*state, config_case_base, o), 1280, &op);
    expect_lr(&p, 9, 0.1);
    expect_lr(&p, 10, 0.01);
}

/* A TRAIN of a rewound network goes on in the schedule of the dense run: its rates are those that
 * the whole run has from there. */
static void parts_of_a_schedule_join(void **state)
{
    static const char *const schedules[] = { "optim.schedule=step", "optim.schedule=cosine",
                                             "optim.schedule=constant" };
    for (int i = 0; i < 3; i++) {
        const char *o[] = { schedules[i], "optim.warmup=1ep", NULL };
        const struct ftk__experiment *x = config_case_text(*state, config_case_base, o);
        const ftk_op whole = train(10);
        struct ftk__lr_plan all = plan_of(x, 1280, &whole);
        static const double from[] = { 0, 0.5, 1, 5, 5.1, 7.5, 9.9 };
        for (int k = 0; k < 7; k++) {
            ftk_op part = train(10 - from[k]);
            part.lr.from_epoch = from[k];
            struct ftk__lr_plan p = plan_of(x, 1280, &part); /* ends with this TRAIN */
            part.lr.of_epochs = 10;
            struct ftk__lr_plan q = plan_of(x, 1280, &part);
            uint64_t start = (uint64_t)llround(from[k] * 10);
            for (uint64_t s = start; s < 100; s++) {
                expect_lr(&p, s - start, ftk__lr_at(&all, s));
                expect_lr(&q, s - start, ftk__lr_at(&all, s));
            }
        }
    }
}

/* The first part of a longer schedule. */
static void a_schedule_may_outlast_its_train(void **state)
{
    const struct ftk__experiment *x = config_case_text(*state, config_case_base, NULL);
    ftk_op part = train(0.4);
    part.lr.of_epochs = 10;
    struct ftk__lr_plan p = plan_of(x, 1280, &part);
    expect_lr(&p, 3, 0.1);
    part.lr.of_epochs = 0;
    p = plan_of(x, 1280, &part);
    expect_lr(&p, 3, 0.001);
}

static void a_cosine_ends_with_its_length(void **state)
{
    const char *o[] = { "optim.schedule=cosine", "optim.lr=0.4", NULL };
    const struct ftk__experiment *x = config_case_text(*state, config_case_base, o);
    const ftk_op op = train(2);
    struct ftk__lr_plan p = plan_of(x, 1280, &op);
    assert_int_equal(p.kind, FTK_LR_COSINE);
    assert_int_equal(p.length, 20);
    expect_lr(&p, 0, 0.4);
    expect_lr(&p, 10, 0.2);
    expect_lr(&p, 5, 0.4 * (1 + sqrt(0.5)) / 2);
    assert_true(fabs(ftk__lr_at(&p, 20)) < 1e-15);
}

static void warmup_rises_by_step(void **state)
{
    const char *o[] = { "optim.warmup=4it", "optim.lr=0.4", NULL };
    const struct ftk__experiment *x = config_case_text(*state, config_case_base, o);
    const ftk_op op = train(2);
    struct ftk__lr_plan p = plan_of(x, 1280, &op);
    static const double want[] = { 0.1, 0.2, 0.3, 0.4, 0.4 };
    for (uint64_t s = 0; s < 5; s++)
        expect_lr(&p, s, want[s]);
    /* Inside the schedule's length. */
    const ftk_op brief = train(0.2);
    p = plan_of(x, 1280, &brief);
    assert_int_equal(p.warmup_steps, 2);
}

static void a_strategy_may_bring_its_own(void **state)
{
    const struct ftk__experiment *x = config_case_text(*state, config_case_base, NULL);
    ftk_op op = train(3);
    op.lr = (ftk_lr){ .kind = FTK_LR_STEP,
                      .n_milestones = 2,
                      .base = 0.5,
                      .gamma = 0.5,
                      .warmup_epochs = 0.2,
                      .milestones = { 1, 2.04 } };
    struct ftk__lr_plan p = plan_of(x, 1280, &op);
    expect_lr(&p, 0, 0.25);
    expect_lr(&p, 1, 0.5);
    expect_lr(&p, 9, 0.5);
    expect_lr(&p, 10, 0.25);
    expect_lr(&p, 20, 0.125);
    op.lr = (ftk_lr){ .kind = FTK_LR_COSINE, .base = 1, .final_fraction = 0.25 };
    p = plan_of(x, 1280, &op);
    expect_lr(&p, 0, 1);
    expect_lr(&p, 15, 0.625);
    expect_lr(&p, 30, 0.25);
    /* A milestone at the very start is passed before the first step. */
    op.lr = (ftk_lr){ .kind = FTK_LR_STEP, .n_milestones = 1, .base = 1, .gamma = 0.1 };
    p = plan_of(x, 1280, &op);
    assert_int_equal(p.n_milestones, 0);
    expect_lr(&p, 0, 0.1);
}

/* LTR of the paper: from epoch 12.5 of 250, milestones 125 and 187.5, 352 steps an epoch. */
static void the_papers_rewound_run(void **state)
{
    const char *o[] = { "epochs=250", NULL };
    const struct ftk__experiment *x = config_case_text(*state, config_case_base, o);
    ftk_op op = train(237.5);
    op.lr.from_epoch = 12.5;
    op.lr.of_epochs = 250;
    struct ftk__lr_plan p = plan_of(x, 45000, &op);
    assert_int_equal(p.offset, 4400);
    assert_int_equal(p.length, 88000);
    assert_int_equal(p.milestone[0], 44000 - 4400);
    assert_int_equal(p.milestone[1], 66000 - 4400);
}

static void only_a_train_has_a_rate(void **state)
{
    const struct ftk__experiment *x = config_case_text(*state, config_case_base, NULL);
    const ftk_run run = ftk__experiment_run(x, 1280);
    const ftk_op save = { .size = sizeof save, .code = FTK_OP_SAVE };
    struct ftk__lr_plan p = { .length = 77 };
    assert_int_equal(ftk__lr_plan(x, &run, &save, &p, NULL), FTK_EINVAL);
    assert_int_equal(p.length, 77);
    const ftk_op none = train(0);
    p = plan_of(x, 1280, &none);
    assert_int_equal(p.length, 0);
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_run_is_what_the_experiment_fixes),
        IN_FOLDER(schedules_have_their_kind),
        IN_FOLDER(fractions_follow_the_train),
        IN_FOLDER(steps_are_rounded_to_nearest),
        IN_FOLDER(durations_do_not_follow_the_train),
        IN_FOLDER(parts_of_a_schedule_join),
        IN_FOLDER(a_schedule_may_outlast_its_train),
        IN_FOLDER(a_cosine_ends_with_its_length),
        IN_FOLDER(warmup_rises_by_step),
        IN_FOLDER(a_strategy_may_bring_its_own),
        IN_FOLDER(the_papers_rewound_run),
        IN_FOLDER(only_a_train_has_a_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
