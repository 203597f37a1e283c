/* SPDX-License-Identifier: MIT
 * test_plugins_ops.c - the operations of every strategy here, as text, against lists
 * written by hand; purity; and what the strategies' checks refuse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backend_host.h"
#include "plugin_load.h"
#include <freetickets/ensemble.h>

enum { TEXT = 256 };

/* An instance whose parameters the test wrote: `params` must match the plugin's struct. */
struct strategy {
    struct bt_host host;
    const ftk_algo *algo;
    const ftk_ensemble_ops *ops;
    void *self;
};

static void strategy_open(struct strategy *s, const char *file, const void *params, size_t bytes)
{
    bt_host_init(&s->host);
    s->algo = plugin_load(file, FTK_KIND_ENSEMBLE);
    s->ops = s->algo->ops;
    s->self = NULL;
    assert_int_equal(s->algo->params_size, bytes);
    if (s->algo->check != NULL)
        assert_int_equal(s->algo->check(&s->host.table, params), FTK_OK);
    assert_null(s->algo->create);
    s->self = (void *)(uintptr_t)params;
}

static ftk_status ask(struct strategy *s, const ftk_run *run, uint32_t i, ftk_op *ret)
{
    const ftk_history none = { .size = sizeof(none) };
    memset(ret, 0xA5, sizeof(*ret)); // so that a field left unwritten shows
    return s->ops->op(&s->host.table, s->self, run, i, &none, ret);
}

/* What `text` of at most TEXT bytes holds, and a formatted piece after it. */
FTK_PRINTF(2, 3) static void append(char *text, const char *fmt, ...)
{
    size_t at = strlen(text);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text + at, TEXT - at, fmt, args);
    va_end(args);
}

static void append_lr(char *text, const ftk_lr *lr)
{
    if (lr->kind == FTK_LR_EXPERIMENT) {
        append(text, " lr=optim@%.10g", lr->from_epoch);
        if (lr->of_epochs > 0)
            append(text, "/%.10g", lr->of_epochs);
        assert_true(lr->base == 0 && lr->gamma == 0 && lr->n_milestones == 0);
    } else {
        append(text, lr->kind == FTK_LR_COSINE ? " cosine=%.10g" : " lr=%.10g", lr->base);
        if (lr->kind == FTK_LR_STEP)
            append(text, "*%.10g", lr->gamma);
        else
            assert_true(lr->gamma == 0 && lr->n_milestones == 0);
        assert_true(lr->from_epoch == 0 && lr->of_epochs == 0);
    }
    for (uint32_t m = 0; m < lr->n_milestones; m++)
        append(text, ",%.10g", lr->milestones[m]);
    for (uint32_t m = lr->n_milestones; m < 8; m++)
        assert_true(lr->milestones[m] == 0);
    if (lr->warmup_epochs > 0)
        append(text, " warmup=%.10g", lr->warmup_epochs);
    assert_true(lr->final_fraction == 0);
}

/* Every field that is not 0: "TRAIN flags=1 epochs=150 lr=0.1*1 'explore'". */
static void describe(const ftk_op *op, char *text)
{
    static const char *const name[] = { "?",      "INIT",  "TRAIN",    "SAVE",
                                        "ESCAPE", "PRUNE", "REMEMBER", "REWIND" };
    assert_int_equal(op->size, sizeof(*op));
    assert_in_range(op->code, FTK_OP_INIT, FTK_OP_REWIND);
    assert_int_equal(op->reserved, 0);
    text[0] = '\0';
    append(text, "%s %u", name[op->code], op->member);
    if (op->flags)
        append(text, " flags=%u", op->flags);
    if (op->slot)
        append(text, " slot=%u", op->slot);
    if (op->code == FTK_OP_TRAIN)
        append(text, " epochs=%.10g", op->epochs);
    else
        assert_true(op->epochs == 0 && op->lr.kind == 0 && op->lr.base == 0);
    if (op->rate > 0)
        append(text, " rate=%.10g", op->rate);
    if (op->density > 0)
        append(text, " density=%.10g", op->density);
    if (op->ramp_density > 0)
        append(text, " ramp=%.10g..%.10g to %.10g", op->ramp_from, op->ramp_to, op->ramp_density);
    if (op->code == FTK_OP_TRAIN)
        append_lr(text, &op->lr);
    if (op->label[0])
        append(text, " '%s'", op->label);
}

static void assert_list(struct strategy *s, const ftk_run *run, const char *const *want)
{
    uint32_t n = 0;
    for (; want[n] != NULL; n++) {
        ftk_op op;
        char text[TEXT];
        assert_int_equal(ask(s, run, n, &op), FTK_OK);
        describe(&op, text);
        assert_string_equal(text, want[n]);
    }
    for (uint32_t past = n; past < n + 5; past++) {
        ftk_op op;
        assert_int_equal(ask(s, run, past, &op), FTK_DONE);
    }
    ftk_op far;
    assert_int_equal(ask(s, run, UINT32_MAX, &far), FTK_DONE);
    assert_true(s->ops->flags & FTK_ENS_STATIC);
    bt_host_done(&s->host);
}

static ftk_run run_of(uint32_t members, double epochs)
{
    return (ftk_run){ .size = sizeof(ftk_run),
                      .members = members,
                      .steps_per_epoch = 352,
                      .epochs = epochs,
                      .density = 0.2,
                      .lr = { .kind = FTK_LR_STEP,
                              .n_milestones = 2,
                              .base = 0.1,
                              .gamma = 0.1,
                              .milestones = { epochs / 2, epochs * 3 / 4 } } };
}

static ftk_duration duration(double value, uint32_t unit)
{
    return (ftk_duration){ .value = value, .unit = unit };
}

struct solo_params {
    ftk_duration train;
};

static void test_dense(void **state)
{
    (void)state;
    const struct solo_params p = { duration(1, FTK_UNIT_RUN) };
    const ftk_run run = run_of(2, 250);
    struct strategy s;
    strategy_open(&s, "ensemble_dense", &p, sizeof(p));
    assert_list(
        &s, &run,
        (const char *const[]){ "INIT 0 flags=1", "TRAIN 0 epochs=250 lr=optim@0 'train 1/2'",
                               "SAVE 0", "INIT 1 flags=1",
                               "TRAIN 1 epochs=250 lr=optim@0 'train 2/2'", "SAVE 1", NULL });
}

static void test_static(void **state)
{
    (void)state;
    const struct solo_params p = { duration(88000, FTK_UNIT_STEP) };
    const ftk_run run = run_of(2, 250);
    struct strategy s;
    strategy_open(&s, "ensemble_static", &p, sizeof(p));
    assert_list(&s, &run,
                (const char *const[]){
                    "INIT 0", "TRAIN 0 epochs=250 lr=optim@0 'train 1/2'", "SAVE 0", "INIT 1",
                    "TRAIN 1 epochs=250 lr=optim@0 'train 2/2'", "SAVE 1", NULL });
}

static void test_dst(void **state)
{
    (void)state;
    const struct solo_params p = { duration(200, FTK_UNIT_EPOCH) };
    const ftk_run run = run_of(1, 150);
    struct strategy s;
    strategy_open(&s, "ensemble_dst", &p, sizeof(p));
    assert_list(&s, &run,
                (const char *const[]){ "INIT 0",
                                       "TRAIN 0 flags=1 epochs=200 lr=optim@0 'train 1/1'",
                                       "SAVE 0", NULL });
    assert_true(s.ops->flags & FTK_ENS_INDEPENDENT);
}

static void test_length_zero(void **state)
{
    (void)state;
    const struct solo_params p = { duration(0, FTK_UNIT_STEP) };
    const ftk_run run = run_of(1, 0);
    struct strategy s;
    strategy_open(&s, "ensemble_dst", &p, sizeof(p));
    assert_list(&s, &run,
                (const char *const[]){ "INIT 0", "TRAIN 0 flags=1 epochs=0 lr=optim@0 'train 1/1'",
                                       "SAVE 0", NULL });
}

struct edst_params {
    ftk_duration explore, refine, explore_warmup;
    double escape_rate, explore_lr, refine_lr;
    ftk_durations refine_milestones;
};

static const ftk_duration half[] = { { 0.5, FTK_UNIT_TRAIN, 0 } };

static struct edst_params edst_defaults(void)
{
    return (struct edst_params){ .explore = duration(150, FTK_UNIT_EPOCH),
                                 .refine = duration(100, FTK_UNIT_EPOCH),
                                 .explore_warmup = duration(0, FTK_UNIT_EPOCH),
                                 .escape_rate = 0.8,
                                 .explore_lr = 0.1,
                                 .refine_lr = 0.01,
                                 .refine_milestones = { half, 1 } };
}

static void test_edst(void **state)
{
    (void)state;
    const struct edst_params p = edst_defaults();
    const ftk_run run = run_of(3, 250);
    struct strategy s;
    strategy_open(&s, "ensemble_edst", &p, sizeof(p));
    assert_list(&s, &run,
                (const char *const[]){
                    "INIT 0", "TRAIN 0 flags=1 epochs=150 lr=0.1*1 'explore'",
                    "TRAIN 0 flags=5 epochs=100 lr=0.01*0.1,50 'refine 1/3'", "SAVE 0",
                    "ESCAPE 0 rate=0.8", "TRAIN 1 flags=5 epochs=100 lr=0.01*0.1,50 'refine 2/3'",
                    "SAVE 1", "ESCAPE 1 rate=0.8",
                    "TRAIN 2 flags=5 epochs=100 lr=0.01*0.1,50 'refine 3/3'", "SAVE 2", NULL });
    assert_false(s.ops->flags & FTK_ENS_INDEPENDENT);
}

static void test_edst_units(void **state)
{
    (void)state;
    const ftk_duration at[] = { { 0.1, FTK_UNIT_RUN, 0 }, { 0.2, FTK_UNIT_RUN, 0 } };
    struct edst_params p = edst_defaults();
    p.explore = duration(0.6, FTK_UNIT_RUN);
    p.explore_warmup = duration(1760, FTK_UNIT_STEP);
    p.refine = duration(35200, FTK_UNIT_STEP);
    p.refine_milestones = (ftk_durations){ at, 2 };
    const ftk_run run = run_of(1, 250);
    struct strategy s;
    strategy_open(&s, "ensemble_edst", &p, sizeof(p));
    assert_list(&s, &run,
                (const char *const[]){
                    "INIT 0", "TRAIN 0 flags=1 epochs=150 lr=0.1*1 warmup=5 'explore'",
                    "TRAIN 0 flags=5 epochs=100 lr=0.01*0.1,25,50 'refine 1/1'", "SAVE 0", NULL });
}

/* Milestones that no step passes are left out; a rise ends with its phase. */
static void test_edst_short(void **state)
{
    (void)state;
    const ftk_duration at[] = { { 1, FTK_UNIT_EPOCH, 0 },
                                { 2, FTK_UNIT_EPOCH, 0 },
                                { 3, FTK_UNIT_EPOCH, 0 } };
    struct edst_params p = edst_defaults();
    p.explore = duration(4, FTK_UNIT_EPOCH);
    p.explore_warmup = duration(5, FTK_UNIT_EPOCH);
    p.refine = duration(2, FTK_UNIT_EPOCH);
    p.refine_milestones = (ftk_durations){ at, 3 };
    const ftk_run run = run_of(1, 250);
    struct strategy s;
    strategy_open(&s, "ensemble_edst", &p, sizeof(p));
    assert_list(&s, &run,
                (const char *const[]){
                    "INIT 0", "TRAIN 0 flags=1 epochs=4 lr=0.1*1 warmup=4 'explore'",
                    "TRAIN 0 flags=5 epochs=2 lr=0.01*0.1,1 'refine 1/1'", "SAVE 0", NULL });
}

static void test_edst_zero(void **state)
{
    (void)state;
    struct edst_params p = edst_defaults();
    p.explore = duration(0, FTK_UNIT_RUN);
    p.refine = duration(0, FTK_UNIT_EPOCH);
    const ftk_run run = run_of(2, 250);
    struct strategy s;
    strategy_open(&s, "ensemble_edst", &p, sizeof(p));
    assert_list(&s, &run,
                (const char *const[]){ "INIT 0", "TRAIN 0 flags=1 epochs=0 lr=0.1*1 'explore'",
                                       "TRAIN 0 flags=5 epochs=0 lr=0.01*0.1 'refine 1/2'",
                                       "SAVE 0", "ESCAPE 0 rate=0.8",
                                       "TRAIN 1 flags=5 epochs=0 lr=0.01*0.1 'refine 2/2'",
                                       "SAVE 1", NULL });
}

static void assert_refused(const char *file, const void *params, ftk_status want,
                           const char *sentence)
{
    struct bt_host host;
    const ftk_algo *algo = plugin_load(file, FTK_KIND_ENSEMBLE);
    bt_host_init(&host);
    assert_int_equal(algo->check(&host.table, params), want);
    assert_string_equal(host.message, sentence);
    bt_host_done(&host);
}

static void test_edst_check(void **state)
{
    (void)state;
    ftk_duration v[9];
    struct edst_params p = edst_defaults();
    for (int i = 0; i < 9; i++)
        v[i] = duration((i + 1) / 10.0, FTK_UNIT_TRAIN);
    p.refine_milestones = (ftk_durations){ v, 9 };
    assert_refused("ensemble_edst", &p, FTK_ERANGE, "9 refine_milestones, at most 8");
    p.refine_milestones.n = 3;
    v[2].value = 0.2;
    assert_refused("ensemble_edst", &p, FTK_EINVAL,
                   "refine_milestones: 0.2 does not lie after 0.2");
    v[2] = duration(40, FTK_UNIT_EPOCH);
    assert_refused("ensemble_edst", &p, FTK_EINVAL,
                   "refine_milestones: 0.1 and 40 are in different units");
    v[2] = duration(1.5, FTK_UNIT_TRAIN);
    assert_refused("ensemble_edst", &p, FTK_ERANGE,
                   "refine_milestones: 1.5 is above 1, the end of a refinement");
}

struct ltr_params {
    double rewind, ramp_from, ramp_to;
};

static void test_ltr(void **state)
{
    (void)state;
    const struct ltr_params p = { 0.05, 0.16, 0.8 };
    const ftk_run run = run_of(2, 250);
    struct strategy s;
    strategy_open(&s, "ensemble_ltr", &p, sizeof(p));
    assert_list(
        &s, &run,
        (const char *const[]){
            "INIT 0 flags=1", "TRAIN 0 epochs=12.5 lr=optim@0/250 'to the rewind point'",
            "REMEMBER 0",
            "TRAIN 0 flags=6 epochs=237.5 ramp=27.5..187.5 to 0.2 lr=optim@12.5/250 'prune "
            "gradually'",
            "REWIND 0 flags=3", "TRAIN 0 flags=4 epochs=237.5 lr=optim@12.5/250 'retrain 1/2'",
            "SAVE 0", "REWIND 1 flags=3",
            "TRAIN 1 flags=4 epochs=237.5 lr=optim@12.5/250 'retrain 2/2'", "SAVE 1", NULL });
}

/* 0.05 of 3 epochs of 3 steps is 0.45 of a step: the rewind point is a whole step, here 0;
 * with 0.5 it is 4.5, and 5 lies past a ramp that starts at 4.5.                    */
static void test_ltr_whole_steps(void **state)
{
    (void)state;
    const struct ltr_params early = { 0.05, 0.16, 1 };
    const struct ltr_params late = { 0.5, 0.5, 1 };
    ftk_run run = run_of(1, 3);
    struct strategy s;
    ftk_op op;
    run.steps_per_epoch = 3;
    strategy_open(&s, "ensemble_ltr", &early, sizeof(early));
    assert_int_equal(ask(&s, &run, 1, &op), FTK_OK);
    assert_true(op.epochs == 0);
    assert_int_equal(ask(&s, &run, 3, &op), FTK_OK);
    assert_true(op.epochs == 3 && op.ramp_to == 3 && op.ramp_from == 0.16 * 3);
    strategy_open(&s, "ensemble_ltr", &late, sizeof(late));
    assert_int_equal(ask(&s, &run, 1, &op), FTK_OK);
    assert_true(op.epochs == 5.0 / 3);
    assert_int_equal(ask(&s, &run, 3, &op), FTK_OK);
    assert_true(op.ramp_from == 0 && op.ramp_to == op.epochs && op.epochs == 3 - 5.0 / 3);
}

static void test_ltr_check(void **state)
{
    (void)state;
    struct ltr_params p = { 0.2, 0.16, 0.8 };
    assert_refused("ensemble_ltr", &p, FTK_EINVAL, "rewind 0.2 lies after ramp_from 0.16");
    p = (struct ltr_params){ 0.05, 0.8, 0.8 };
    assert_refused("ensemble_ltr", &p, FTK_EINVAL, "ramp_from 0.8 does not lie before ramp_to 0.8");
}

struct pf_params {
    ftk_duration train, finetune;
    double finetune_lr;
};

static void test_pf(void **state)
{
    (void)state;
    const struct pf_params p = { duration(1, FTK_UNIT_RUN), duration(0.5, FTK_UNIT_RUN), 0.001 };
    const ftk_run run = run_of(2, 250);
    struct strategy s;
    strategy_open(&s, "ensemble_pf", &p, sizeof(p));
    assert_list(&s, &run,
                (const char *const[]){
                    "INIT 0 flags=1", "TRAIN 0 epochs=250 lr=optim@0 'train 1/2'",
                    "PRUNE 0 flags=1 density=0.2", "TRAIN 0 epochs=125 lr=0.001*1 'finetune 1/2'",
                    "SAVE 0", "INIT 1 flags=1", "TRAIN 1 epochs=250 lr=optim@0 'train 2/2'",
                    "PRUNE 1 flags=1 density=0.2", "TRAIN 1 epochs=125 lr=0.001*1 'finetune 2/2'",
                    "SAVE 1", NULL });
    assert_true(s.ops->flags & FTK_ENS_INDEPENDENT);
}

/* The network is never initialised again; cycles restart at the experiment's rate, warmup or not. */
static void test_snapshot(void **state)
{
    (void)state;
    const struct solo_params p = { duration(0.5, FTK_UNIT_RUN) };
    ftk_run run = run_of(3, 250);
    struct strategy s;
    run.lr.base = 0.2;
    run.lr.warmup_epochs = 5;
    strategy_open(&s, "ensemble_snapshot", &p, sizeof(p));
    assert_list(&s, &run,
                (const char *const[]){
                    "INIT 0", "TRAIN 0 flags=4 epochs=125 cosine=0.2 'cycle 1/3'", "SAVE 0",
                    "TRAIN 1 flags=4 epochs=125 cosine=0.2 'cycle 2/3'", "SAVE 1",
                    "TRAIN 2 flags=4 epochs=125 cosine=0.2 'cycle 3/3'", "SAVE 2", NULL });
    assert_false(s.ops->flags & FTK_ENS_INDEPENDENT);
}

/* A quarter of 250 epochs, in steps, as the paper splits a run; a cycle of no length is one too. */
static void test_snapshot_units(void **state)
{
    (void)state;
    struct solo_params p = { duration(22000, FTK_UNIT_STEP) };
    const ftk_run run = run_of(1, 250);
    struct strategy s;
    strategy_open(&s, "ensemble_snapshot", &p, sizeof(p));
    assert_list(&s, &run,
                (const char *const[]){ "INIT 0",
                                       "TRAIN 0 flags=4 epochs=62.5 cosine=0.1 'cycle 1/1'",
                                       "SAVE 0", NULL });
    p.train = duration(0, FTK_UNIT_EPOCH);
    strategy_open(&s, "ensemble_snapshot", &p, sizeof(p));
    assert_list(&s, &run,
                (const char *const[]){ "INIT 0", "TRAIN 0 flags=4 epochs=0 cosine=0.1 'cycle 1/1'",
                                       "SAVE 0", NULL });
}

/* Out of order, twice and from a second instance: the same fields. */
static void test_pure(void **state)
{
    (void)state;
    const struct edst_params p = edst_defaults();
    const ftk_run run = run_of(3, 250);
    struct strategy a;
    struct strategy b;
    ftk_op forward[10];
    strategy_open(&a, "ensemble_edst", &p, sizeof(p));
    strategy_open(&b, "ensemble_edst", &p, sizeof(p));
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(ask(&a, &run, i, &forward[i]), FTK_OK);
    for (uint32_t i = 10; i-- > 0;) {
        ftk_op again;
        assert_int_equal(ask(&a, &run, i, &again), FTK_OK);
        assert_memory_equal(&again, &forward[i], sizeof(again));
        assert_int_equal(ask(&b, &run, i, &again), FTK_OK);
        assert_memory_equal(&again, &forward[i], sizeof(again));
    }
}

/* The tables say what the documents promise. */
static void test_defaults(void **state)
{
    (void)state;
    static const struct {
        const char *file, *name, *text;
        double number;
    } want[] = {
        { "ensemble_dense", "train", "1.0x", 0 },
        { "ensemble_static", "train", "1.0x", 0 },
        { "ensemble_dst", "train", "1.0x", 0 },
        { "ensemble_snapshot", "train", "1.0x", 0 },
        { "ensemble_edst", "explore", "150ep", 0 },
        { "ensemble_edst", "refine", "100ep", 0 },
        { "ensemble_edst", "explore_warmup", "0ep", 0 },
        { "ensemble_edst", "escape_rate", NULL, 0.8 },
        { "ensemble_edst", "explore_lr", NULL, 0.1 },
        { "ensemble_edst", "refine_lr", NULL, 0.01 },
        { "ensemble_edst", "refine_milestones", "0.5", 0 },
        { "ensemble_ltr", "rewind", NULL, 0.05 },
        { "ensemble_ltr", "ramp_from", NULL, 0.16 },
        { "ensemble_ltr", "ramp_to", NULL, 0.8 },
        { "ensemble_pf", "train", "1.0x", 0 },
        { "ensemble_pf", "finetune", "1.0x", 0 },
        { "ensemble_pf", "finetune_lr", NULL, 0.001 },
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        const ftk_param *p = plugin_load(want[i].file, FTK_KIND_ENSEMBLE)->params;
        while (p->name != NULL && strcmp(p->name, want[i].name) != 0)
            p++;
        assert_non_null(p->name);
        assert_true(p->def == want[i].number);
        if (want[i].text != NULL)
            assert_string_equal(p->def_str, want[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense),
        cmocka_unit_test(test_static),
        cmocka_unit_test(test_dst),
        cmocka_unit_test(test_length_zero),
        cmocka_unit_test(test_edst),
        cmocka_unit_test(test_edst_units),
        cmocka_unit_test(test_edst_short),
        cmocka_unit_test(test_edst_zero),
        cmocka_unit_test(test_edst_check),
        cmocka_unit_test(test_ltr),
        cmocka_unit_test(test_ltr_whole_steps),
        cmocka_unit_test(test_ltr_check),
        cmocka_unit_test(test_pf),
        cmocka_unit_test(test_snapshot),
        cmocka_unit_test(test_snapshot_units),
        cmocka_unit_test(test_pure),
        cmocka_unit_test(test_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
