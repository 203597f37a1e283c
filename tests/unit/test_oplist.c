/* SPDX-License-Identifier: MIT
 * test_oplist.c - lists of operations judged by their counts: fields, order, densities, slots.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "config/oplist.h"
#include "config_case.h"
#include "oom.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A strategy that plays a script: its parameters are the list. */
struct script {
    uint32_t n;
    ftk_op op[16];
};

static ftk_status script_op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                            const ftk_history *hist, ftk_op *ret)
{
    const struct script *s = self;
    (void)h;
    (void)run;
    assert_int_equal(hist->n, 0);
    if (i >= s->n)
        return FTK_DONE;
    *ret = s->op[i];
    return FTK_OK;
}

static ftk_status endless_op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                             const ftk_history *hist, ftk_op *ret)
{
    (void)h;
    (void)self;
    (void)run;
    (void)hist;
    *ret = (ftk_op){ .size = sizeof *ret, .code = i == 0 ? FTK_OP_INIT : FTK_OP_ESCAPE };
    return FTK_OK;
}

static ftk_status failing_op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                             const ftk_history *hist, ftk_op *ret)
{
    (void)self;
    (void)run;
    (void)hist;
    *ret = (ftk_op){ .size = sizeof *ret, .code = FTK_OP_INIT };
    /* in parentheses: CMocka has a macro of that name */
    return i == 0 ? FTK_OK : (h->fail)(h, FTK_ERANGE, "no operation %u", i);
}

static ftk_status forgetful_op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                               const ftk_history *hist, ftk_op *ret)
{
    (void)h;
    (void)self;
    (void)run;
    (void)i;
    (void)hist;
    (void)ret;
    return FTK_OK;
}

static ftk_status create(const ftk_host *h, const void *params, void **ret_self)
{
    (void)h;
    *ret_self = (void *)(uintptr_t)params;
    return FTK_OK;
}

#define STRATEGY(name_, function)                                                                  \
    static const ftk_ensemble_ops name_##_ops = { .size = sizeof name_##_ops, .op = function };    \
    static const ftk_algo name_##_algo = { .size = sizeof name_##_algo,                            \
                                           .kind = FTK_KIND_ENSEMBLE,                              \
                                           .name = #name_,                                         \
                                           .summary = "made for tests",                            \
                                           .reference = "",                                        \
                                           .ops = &name_##_ops,                                    \
                                           .create = create };                                     \
    static const struct ftk__entry name_ = { &name_##_algo, NULL }
STRATEGY(scripted, script_op);
STRATEGY(endless, endless_op);
STRATEGY(failing, failing_op);
STRATEGY(forgetful, forgetful_op);

static const ftk_run run3 = {
    .size = sizeof(ftk_run), .members = 3, .steps_per_epoch = 10, .epochs = 8, .density = 0.2
};

static ftk_op op(uint32_t code)
{
    return (ftk_op){ .size = sizeof(ftk_op), .code = code };
}

static ftk_op train(double epochs, uint32_t flags)
{
    ftk_op o = op(FTK_OP_TRAIN);
    o.epochs = epochs;
    o.flags = flags;
    return o;
}

static ftk_op save(uint32_t member)
{
    ftk_op o = op(FTK_OP_SAVE);
    o.member = member;
    return o;
}

static ftk_op flagged(uint32_t code, uint32_t flags, double density)
{
    ftk_op o = op(code);
    o.flags = flags;
    o.density = density;
    return o;
}

static ftk_op ramp(double epochs, double from, double to, double density)
{
    ftk_op o = train(epochs, 0);
    o.ramp_from = from;
    o.ramp_to = to;
    o.ramp_density = density;
    return o;
}

static ftk_status plan(const struct ftk__entry *e, const struct script *s, const ftk_run *run,
                       struct ftk__oplist *ret, struct ftk_error *err)
{
    struct ftk__instance strategy;
    ftk_status st = ftk__instance_new(e, (void *)(uintptr_t)s, &strategy, err);
    if (st != FTK_OK)
        return st;
    st = ftk__oplist_plan(&strategy, run, ret, err);
    ftk__instance_done(&strategy);
    return st;
}

/* The list for one member must be refused with `want`. */
static void expect_refusal(const ftk_op *ops, uint32_t n, const char *want)
{
    struct script s = { .n = n };
    struct ftk__oplist l;
    struct ftk_error err = { 0 };
    ftk_run run = run3;
    run.members = 2;
    memcpy(s.op, ops, n * sizeof *ops);
    if (plan(&scripted, &s, &run, &l, &err) == FTK_OK) {
        ftk__oplist_done(&l);
        fail_msg("accepted, not \"%s\"", want);
    }
    assert_string_equal(err.message, want);
    assert_string_equal(err.context[err.n_context - 1], "in ensemble 'scripted'");
}
#define REFUSED(want, ...)                                                                         \
    do {                                                                                           \
        const ftk_op ops_[] = { __VA_ARGS__ };                                                     \
        expect_refusal(ops_, sizeof ops_ / sizeof ops_[0], want);                                  \
    } while (0)

static void order_is_checked(void **state)
{
    (void)state;
    const ftk_op init = op(FTK_OP_INIT);
    REFUSED("operation 0 (train): the first operation is an init", train(1, 0));
    REFUSED("operation 0 (save): the first operation is an init", save(0));
    REFUSED("operation 0 (prune): the first operation is an init", op(FTK_OP_PRUNE));
    REFUSED("operation 0 (remember): the first operation is an init", op(FTK_OP_REMEMBER));
    REFUSED("operation 1 (escape): the network is dense: there is no topology to change",
            flagged(FTK_OP_INIT, FTK_INIT_DENSE, 0), op(FTK_OP_ESCAPE));
    REFUSED("operation 2 (save): member 1 was saved by operation 1", init, save(1), save(1));
    REFUSED("operation 1 (save): member 2 is beyond the 2 of the ensemble", init, save(2));
    REFUSED("operation 1 (rewind): slot 0 was never remembered", init, op(FTK_OP_REWIND));
    REFUSED("the strategy ends after 2 operations and never saved member 1", init, save(0));
}

static void an_empty_list_saves_nobody(void **state)
{
    (void)state;
    const struct script s = { .n = 0 };
    struct ftk__oplist l;
    struct ftk_error err = { 0 };
    assert_int_equal(plan(&scripted, &s, &run3, &l, &err), FTK_EINVAL);
    assert_string_equal(err.message,
                        "the strategy ends after 0 operations and never saved member 0");
}

static void codes_flags_and_members_are_checked(void **state)
{
    (void)state;
    const ftk_op init = op(FTK_OP_INIT);
    ftk_op odd = op(8);
    REFUSED("operation 1 (?): code 8 is unknown", init, odd);
    odd = op(0);
    REFUSED("operation 1 (?): code 0 is unknown", init, odd);
    odd = flagged(FTK_OP_SAVE, 1, 0);
    REFUSED("operation 1 (save): flags 0x1 are unknown to save", init, odd);
    odd = train(1, 8);
    REFUSED("operation 1 (train): flags 0x8 are unknown to train", init, odd);
    odd = train(1, 0);
    odd.member = 2;
    REFUSED("operation 1 (train): member 2 is beyond the 2 of the ensemble", init, odd);
    odd = init;
    odd.reserved = 1;
    REFUSED("operation 0 (init): reserved is 1, not 0", odd);
    odd = init;
    memset(odd.label, 'x', sizeof odd.label);
    REFUSED("operation 0 (init): its label of 48 characters is not terminated", odd);
    odd = init;
    odd.label[0] = '\n';
    REFUSED("operation 0 (init): its label holds byte 0x0a", odd);
}

static void unused_fields_are_zero(void **state)
{
    (void)state;
    const ftk_op init = op(FTK_OP_INIT);
    ftk_op odd = save(0);
    odd.epochs = 1;
    REFUSED("operation 1 (save): epochs is 1, but save does not use it", init, odd);
    odd = save(0);
    odd.lr.milestones[3] = 2;
    REFUSED("operation 1 (save): lr.milestones is 2, but save does not use it", init, odd);
    odd = save(0);
    odd.lr.of_epochs = 2;
    REFUSED("operation 1 (save): lr.of_epochs is 2, but save does not use it", init, odd);
    odd = train(1, 0);
    odd.slot = 1;
    REFUSED("operation 1 (train): slot is 1, but train does not use it", init, odd);
    odd = train(1, 0);
    odd.rate = NAN;
    REFUSED("operation 1 (train): rate is nan, but train does not use it", init, odd);
    odd = op(FTK_OP_ESCAPE);
    odd.density = 0.5;
    REFUSED("operation 1 (escape): density is 0.5, but escape does not use it", init, odd);
    odd = flagged(FTK_OP_INIT, FTK_INIT_DENSE, 0.5);
    REFUSED("operation 0 (init): density is 0.5, but a dense init does not use it", odd);
    odd = train(1, 0);
    odd.lr.base = 0.1;
    REFUSED("operation 1 (train): lr.base is 0.1, but the experiment's schedule does not use it",
            init, odd);
    odd = train(1, 0);
    odd.lr.kind = FTK_LR_STEP;
    odd.lr.from_epoch = 1;
    REFUSED("operation 1 (train): lr.from_epoch is 1, but a schedule of its own does not use it",
            init, odd);
    odd = train(1, 0);
    odd.lr = (ftk_lr){ .kind = FTK_LR_STEP, .base = 0.1, .gamma = 1, .final_fraction = 0.5 };
    REFUSED(
        "operation 1 (train): lr.final_fraction is 0.5, but a schedule of steps does not use it",
        init, odd);
    odd.lr.kind = FTK_LR_COSINE;
    REFUSED("operation 1 (train): lr.gamma is 1, but a cosine does not use it", init, odd);
    odd.lr.gamma = 0;
    odd.lr.n_milestones = 1;
    REFUSED("operation 1 (train): lr.n_milestones is 1, but a cosine does not use it", init, odd);
}

static void numbers_are_finite_and_in_range(void **state)
{
    (void)state;
    const ftk_op init = op(FTK_OP_INIT);
    ftk_op odd = train(-1, 0);
    REFUSED("operation 1 (train): epochs is -1, allowed are 0 to 1e+12", init, odd);
    odd = train(NAN, 0);
    REFUSED("operation 1 (train): epochs is nan, allowed are 0 to 1e+12", init, odd);
    odd = train(INFINITY, 0);
    REFUSED("operation 1 (train): epochs is inf, allowed are 0 to 1e+12", init, odd);
    odd = op(FTK_OP_ESCAPE);
    odd.rate = 1.5;
    REFUSED("operation 1 (escape): rate is 1.5, allowed are 0 to 1", init, odd);
    odd = flagged(FTK_OP_PRUNE, 0, NAN);
    REFUSED("operation 1 (prune): density is nan, allowed are 0 to 1", init, odd);
    odd = flagged(FTK_OP_INIT, 0, 1.25);
    REFUSED("operation 0 (init): density is 1.25, allowed are 0 to 1", odd);
    odd = op(FTK_OP_REMEMBER);
    odd.slot = FTK__MAX_SLOTS;
    REFUSED("operation 1 (remember): slot is 16, allowed are 0 to 15", init, odd);
    odd = train(1, 0);
    odd.lr.kind = 3;
    REFUSED("operation 1 (train): lr.kind is 3, known are 0 to 2", init, odd);
    odd = train(1, 0);
    odd.lr.kind = FTK_LR_COSINE;
    odd.lr.final_fraction = 1.5;
    REFUSED("operation 1 (train): lr.final_fraction is 1.5, allowed are 0 to 1", init, odd);
    odd.lr.final_fraction = 0;
    odd.lr.base = -0.1;
    REFUSED("operation 1 (train): lr.base is -0.1, allowed are 0 to 1e+06", init, odd);
    odd.lr.base = 0.1;
    odd.lr.warmup_epochs = 2;
    REFUSED("operation 1 (train): lr.warmup_epochs is 2, allowed are 0 to 1", init, odd);
}

static void milestones_are_sorted_and_inside(void **state)
{
    (void)state;
    const ftk_op init = op(FTK_OP_INIT);
    ftk_op odd = train(4, 0);
    odd.lr = (ftk_lr){ .kind = FTK_LR_STEP, .n_milestones = 2, .base = 1, .gamma = 0.1 };
    odd.lr.milestones[0] = 2;
    odd.lr.milestones[1] = 1;
    REFUSED("operation 1 (train): milestone 1 does not lie after 2", init, odd);
    odd.lr.milestones[1] = 2;
    REFUSED("operation 1 (train): milestone 2 does not lie after 2", init, odd);
    odd.lr.milestones[1] = 5;
    REFUSED("operation 1 (train): milestone 5 lies outside its 4 epochs", init, odd);
    odd.lr.milestones[1] = NAN;
    REFUSED("operation 1 (train): milestone nan lies outside its 4 epochs", init, odd);
    odd.lr.milestones[1] = 3;
    odd.lr.milestones[2] = 3.5;
    REFUSED("operation 1 (train): a milestone beyond n_milestones is 3.5, but it does not use it",
            init, odd);
    odd.lr.n_milestones = 9;
    REFUSED("operation 1 (train): 9 milestones, at most 8", init, odd);
}

static void a_train_lies_inside_its_schedule(void **state)
{
    (void)state;
    const ftk_op init = op(FTK_OP_INIT);
    ftk_op late = train(4, 0);
    late.lr.from_epoch = 5;
    late.lr.of_epochs = 8;
    REFUSED("operation 1 (train): it ends at epoch 9 of a schedule of 8", init, late);
    late.lr.from_epoch = -1;
    REFUSED("operation 1 (train): lr.from_epoch is -1, allowed are 0 to 1e+12", init, late);
}

static void ramps_end_before_a_save(void **state)
{
    (void)state;
    const ftk_op dense = flagged(FTK_OP_INIT, FTK_INIT_DENSE, 0);
    REFUSED("operation 1 (train): ramp_to is 5, allowed are 0 to 4", dense, ramp(4, 1, 5, 0.2));
    REFUSED("operation 1 (train): ramp_from is 3, allowed are 0 to 2", dense, ramp(4, 3, 2, 0.2));
    REFUSED("operation 1 (train): ramp_density is 1.5, allowed are 0 to 1", dense,
            ramp(4, 1, 2, 1.5));
    REFUSED("operation 1 (train): ramp_to is 2 without a ramp_density", dense, ramp(4, 1, 2, 0));
    REFUSED("operation 1 (train): RAMP_GLOBAL without a ramp_density", dense,
            train(4, FTK_TRAIN_RAMP_GLOBAL));
    REFUSED("operation 2 (save): member 0 lies inside a ramp that has not reached its end", dense,
            ramp(4, 0, 0.01, 0.2), save(0));
    REFUSED("operation 2 (train): ramp_density 0.5 is above the present density 0.2", dense,
            ramp(4, 1, 2, 0.2), ramp(4, 1, 2, 0.5));
    REFUSED("operation 1 (train): ramp_density 0.3 is above the present density 0.2",
            op(FTK_OP_INIT), ramp(4, 1, 2, 0.3));
    REFUSED("operation 2 (prune): density 0.5 is above the present density 0.25", dense,
            flagged(FTK_OP_PRUNE, 0, 0.25), flagged(FTK_OP_PRUNE, FTK_PRUNE_GLOBAL, 0.5));
}

static void lists_that_are_no_lists_are_refused(void **state)
{
    (void)state;
    struct ftk__oplist l;
    struct ftk_error err = { 0 };
    assert_int_equal(plan(&endless, NULL, &run3, &l, &err), FTK_ERANGE);
    assert_string_equal(err.message, "operation 100000: a strategy has at most 100000 of them");
    assert_int_equal(plan(&failing, NULL, &run3, &l, &err), FTK_ERANGE);
    assert_string_equal(err.message, "no operation 1");
    assert_non_null(strstr(err.context[0], "'failing'"));
    assert_string_equal(err.context[1], "at operation 1 of the ensemble");
    assert_int_equal(plan(&forgetful, NULL, &run3, &l, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "operation 0 (?): size is 0, that of ftk_op "));
    ftk_run none = run3;
    none.steps_per_epoch = 0;
    assert_int_equal(plan(&endless, NULL, &none, &l, &err), FTK_ERANGE);
    assert_string_equal(err.message, "a run of 3 members and 0 steps an epoch");
}

/* Steps, densities and reseeds of a list in the manner of ltr. */
static void effects_are_counted(void **state)
{
    (void)state;
    struct script s = { .n = 12 };
    const ftk_op list[] = {
        flagged(FTK_OP_INIT, FTK_INIT_DENSE, 0),
        train(0.44, 0),
        op(FTK_OP_REMEMBER),
        ramp(7.5, 1, 6, 0.2),
        flagged(FTK_OP_REWIND, FTK_REWIND_KEEP_MASK | FTK_REWIND_RESEED, 0),
        train(2, FTK_TRAIN_KEEP_OPTIM),
        save(0),
        flagged(FTK_OP_REWIND, FTK_REWIND_KEEP_MASK | FTK_REWIND_RESEED, 0),
        save(1),
        flagged(FTK_OP_REWIND, 0, 0),
        flagged(FTK_OP_PRUNE, 0, 0.1),
        save(2),
    };
    static const struct {
        uint64_t steps, t_from, t_to;
        double from, to;
        uint32_t reseed;
    } want[] = {
        { 0, 0, 0, 1, 1, 0 },       { 4, 0, 4, 1, 1, 0 },      { 0, 4, 4, 1, 1, 0 },
        { 75, 4, 79, 1, 0.2, 0 },   { 0, 79, 4, 0.2, 0.2, 1 }, { 20, 4, 24, 0.2, 0.2, 1 },
        { 0, 24, 24, 0.2, 0.2, 1 }, { 0, 24, 4, 0.2, 0.2, 2 }, { 0, 4, 4, 0.2, 0.2, 2 },
        { 0, 4, 4, 0.2, 1, 0 },     { 0, 4, 4, 1, 0.1, 0 },    { 0, 4, 4, 0.1, 0.1, 0 },
    };
    memcpy(s.op, list, sizeof list);
    struct ftk__oplist l;
    assert_int_equal(plan(&scripted, &s, &run3, &l, NULL), FTK_OK);
    assert_int_equal(l.n, 12);
    for (uint32_t i = 0; i < l.n; i++) {
        const struct ftk__op_effect *e = &l.v[i].effect;
        assert_int_equal(e->steps, want[i].steps);
        assert_int_equal(e->t_from, want[i].t_from);
        assert_int_equal(e->t_to, want[i].t_to);
        assert_true(e->density_from == want[i].from && e->density_to == want[i].to);
        assert_int_equal(e->reseed, want[i].reseed);
    }
    assert_int_equal(l.total_steps, 99);
    assert_true(fabs(l.total_epochs - 9.94) < 1e-12);
    assert_true(l.any_sparse && l.any_ramp && !l.any_dst && l.uses_optim_lr);
    ftk__oplist_done(&l);
}

static void an_init_starts_anew(void **state)
{
    (void)state;
    struct ftk__opstate s;
    struct ftk__op_effect e;
    ftk_op own = flagged(FTK_OP_INIT, 0, 0.6);
    ftk_op plain = op(FTK_OP_INIT);
    ftk_op some = train(1.26, FTK_TRAIN_DST);
    assert_int_equal(ftk__opstate_init(&s, &run3, NULL), FTK_OK);
    assert_int_equal(ftk__opstate_step(&s, &own, &e, NULL), FTK_OK);
    assert_true(e.density_to == 0.6 && s.sparse);
    assert_int_equal(ftk__opstate_step(&s, &some, &e, NULL), FTK_OK);
    assert_int_equal(e.steps, 13);
    assert_int_equal(ftk__opstate_step(&s, &plain, &e, NULL), FTK_OK);
    assert_true(e.density_to == 0.2);
    assert_int_equal(s.t, 0);
    assert_int_equal(s.total_steps, 13);
    assert_int_equal(s.n_ops, 3);
    ftk__opstate_done(&s);
}

/* A refused operation changes nothing. */
static void a_refusal_leaves_the_state(void **state)
{
    (void)state;
    struct ftk__opstate s;
    struct ftk__op_effect e = { .steps = 77 };
    ftk_op init = op(FTK_OP_INIT);
    ftk_op bad = flagged(FTK_OP_PRUNE, 0, 0.5);
    assert_int_equal(ftk__opstate_init(&s, &run3, NULL), FTK_OK);
    assert_int_equal(ftk__opstate_step(&s, &init, &e, NULL), FTK_OK);
    e.steps = 77;
    assert_int_equal(ftk__opstate_step(&s, &bad, &e, NULL), FTK_EINVAL);
    assert_int_equal(e.steps, 77);
    assert_int_equal(s.n_ops, 1);
    assert_true(s.density == 0.2);
    ftk__opstate_done(&s);
}

/* The real strategies, by a configuration. */

struct planned {
    struct config_case c;
    ftk_run run;
    struct ftk__oplist ops;
    struct ftk__str notes;
};

static void plan_config(struct planned *p, const char *const *overrides)
{
    const struct ftk__experiment *x = config_case_text(&p->c, config_case_base, overrides);
    struct ftk__instance strategy;
    p->run = ftk__experiment_run(x, 1280);
    ftk__oplist_done(&p->ops);
    ftk__str_done(&p->notes);
    assert_int_equal(ftk__instance_new(x->strategy.entry, x->strategy.params, &strategy, NULL),
                     FTK_OK);
    struct ftk_error err = { 0 };
    if (ftk__oplist_plan(&strategy, &p->run, &p->ops, &err) != FTK_OK)
        fail_msg("%s", err.message);
    ftk__instance_done(&strategy);
    assert_int_equal(ftk__experiment_check(x, &p->run, &p->ops, &p->notes, &p->c.issues), FTK_OK);
}

static int make(void **state)
{
    struct planned *p = calloc(1, sizeof *p);
    assert_non_null(p);
    config_case_init(&p->c);
    *state = p;
    return 0;
}

static int clean(void **state)
{
    struct planned *p = *state;
    ftk__oplist_done(&p->ops);
    ftk__str_done(&p->notes);
    config_case_done(&p->c);
    free(p);
    return 0;
}

static void expect_codes(const struct planned *p, const char *want)
{
    static const char letters[] = "?ITSEPMW";
    char have[64] = "";
    for (uint32_t i = 0; i < p->ops.n; i++)
        have[i] = letters[p->ops.v[i].op.code];
    assert_string_equal(have, want);
}

static void every_strategy_is_accepted(void **state)
{
    struct planned *p = *state;
    static const struct {
        const char *use, *codes;
        uint64_t steps;
        bool sparse, dst, ramp, optim_lr;
    } want[] = {
        { "ensemble.use=edst", "ITTSETS", 100, true, true, false, false },
        { "ensemble.use=static", "ITSITS", 200, true, false, false, true },
        { "ensemble.use=dst", "ITSITS", 200, true, true, false, true },
        { "ensemble.use=dense", "ITSITS", 200, false, false, false, true },
        { "ensemble.use=pf", "ITPTSITPTS", 400, true, false, false, true },
        { "ensemble.use=ltr", "ITMTWTSWTS", 290, true, false, true, true },
        { "ensemble.use=snapshot", "ITSTS", 200, true, false, false, false },
    };
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        const char *overrides[] = { want[i].use, NULL };
        plan_config(p, overrides);
        expect_codes(p, want[i].codes);
        assert_int_equal(p->ops.total_steps, want[i].steps);
        assert_int_equal(p->ops.any_sparse, want[i].sparse);
        assert_int_equal(p->ops.any_dst, want[i].dst);
        assert_int_equal(p->ops.any_ramp, want[i].ramp);
        assert_int_equal(p->ops.uses_optim_lr, want[i].optim_lr);
        assert_int_equal(p->c.issues.n, 0);
    }
}

/* Lengths of 0 evaluate a network from elsewhere. */
static void lengths_may_be_zero(void **state)
{
    struct planned *p = *state;
    static const char *const uses[] = { "ensemble.use=ltr", "ensemble.use=dense",
                                        "ensemble.use=pf" };
    for (size_t i = 0; i < 3; i++) {
        const char *overrides[] = { uses[i], "epochs=0", NULL };
        plan_config(p, overrides);
        assert_int_equal(p->ops.total_steps, 0);
    }
}

static void a_missing_density_is_a_mistake_where_it_is_needed(void **state)
{
    struct planned *p = *state;
    static const char *const uses[] = { "ensemble.use=edst", "ensemble.use=static",
                                        "ensemble.use=pf", "ensemble.use=ltr" };
    const char *overrides[] = { NULL, "sparsity={ }", NULL };
    for (size_t i = 0; i < 4; i++) {
        overrides[0] = uses[i];
        plan_config(p, overrides);
        assert_non_null(strstr(config_case_issue(&p->c, "sparsity.density")->message,
                               "density is missing, and ensemble "));
    }
    overrides[0] = "ensemble.use=dense";
    plan_config(p, overrides);
    assert_int_equal(p->c.issues.n, 0);
}

static void what_cannot_go_together_is_a_mistake(void **state)
{
    struct planned *p = *state;
    const char *overrides[] = { "ensemble.keep=best_validation", NULL, NULL };
    plan_config(p, overrides);
    assert_string_equal(config_case_issue(&p->c, "ensemble.keep")->message,
                        "best_validation, but there is no validation split");
    overrides[0] = "topology.preset=freetickets";
    plan_config(p, overrides);
    assert_string_equal(config_case_issue(&p->c, "ensemble.keep")->message,
                        "best_validation by the preset, but there is no validation split");
    overrides[1] = "data.validation=100";
    plan_config(p, overrides);
    assert_int_equal(p->c.issues.n, 0);
    overrides[0] = "topology.interval=0.01ep";
    plan_config(p, overrides);
    assert_string_equal(config_case_issue(&p->c, "topology.interval")->message,
                        "interval is 0.1 steps");
    overrides[0] = "data.batch=1281";
    plan_config(p, overrides);
    assert_int_equal(p->c.issues.n, 0);
    ftk__experiment_check_size(p->c.x, 1281, &p->c.issues);
    assert_int_equal(p->c.issues.n, 0);
    ftk__experiment_check_size(p->c.x, 1280, &p->c.issues);
    assert_string_equal(config_case_issue(&p->c, "data.batch")->message,
                        "batch = 1281 is above the 1280 training images");
}

static void keys_that_nothing_reads_are_noted(void **state)
{
    struct planned *p = *state;
    const char *edst[] = { "optim.lr=0.2",    "optim.milestones=[0.5]", "topology.rate_min=0.1",
                           "optim.beta2=0.9", "optim.momentum=0.5",     NULL };
    plan_config(p, edst);
    assert_string_equal(p->notes.text, "optim.lr: not used by ensemble edst\n"
                                       "optim.milestones: not used by ensemble edst\n"
                                       "topology.rate_min: not used by schedule constant\n"
                                       "optim.beta2: not used by optim sgd\n");
    const char *dense[] = { "ensemble.use=dense",
                            "topology.rate=0.1",
                            "topology.prune={ }",
                            "topology.count=bernoulli",
                            "topology.ties=threshold",
                            "topology.dense_layers=updated",
                            "topology.inactive_momentum=accumulate",
                            "optim.schedule=cosine",
                            "optim.gamma=0.1",
                            "sparsity.init={ }",
                            NULL };
    plan_config(p, dense);
    assert_string_equal(p->notes.text, "sparsity.density: not used by ensemble dense\n"
                                       "sparsity.init: not used by ensemble dense\n"
                                       "topology.prune: not used by ensemble dense\n"
                                       "topology.rate: not used by ensemble dense\n"
                                       "topology.count: not used by ensemble dense\n"
                                       "topology.ties: not used by ensemble dense\n"
                                       "topology.dense_layers: not used by ensemble dense\n"
                                       "topology.inactive_momentum: not used by ensemble dense\n"
                                       "optim.gamma: not used by schedule cosine\n");
    const char *ltr[] = { "ensemble.use=ltr", "topology.prune={ }", "topology.interval=5it",
                          "topology.grow={ }", NULL };
    plan_config(p, ltr);
    assert_string_equal(p->notes.text, "topology.grow: not used by ensemble ltr\n");
    const char *snapshot[] = { "ensemble.use=snapshot", "topology.prune={ }",
                               "topology.grow={ }",     "optim.lr=0.2",
                               "optim.schedule=cosine", NULL };
    plan_config(p, snapshot);
    assert_string_equal(p->notes.text, "optim.schedule: not used by ensemble snapshot\n"
                                       "topology.prune: not used by ensemble snapshot\n"
                                       "topology.grow: not used by ensemble snapshot\n");
    const char *none[] = { "optim.momentum=0.5", NULL };
    plan_config(p, none);
    assert_null(p->notes.text);
}

static ftk_status plan_and_drop(void *arg)
{
    struct ftk__oplist l = { 0 };
    ftk_status st = plan(&scripted, arg, &run3, &l, NULL);
    ftk__oplist_done(&l);
    return st;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    struct script s = { .n = 4, .op = { op(FTK_OP_INIT), save(0), save(1), save(2) } };
    assert_true(ftk_oom_sweep(plan_and_drop, &s, 1) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_checked),
        cmocka_unit_test(an_empty_list_saves_nobody),
        cmocka_unit_test(codes_flags_and_members_are_checked),
        cmocka_unit_test(unused_fields_are_zero),
        cmocka_unit_test(numbers_are_finite_and_in_range),
        cmocka_unit_test(milestones_are_sorted_and_inside),
        cmocka_unit_test(a_train_lies_inside_its_schedule),
        cmocka_unit_test(ramps_end_before_a_save),
        cmocka_unit_test(lists_that_are_no_lists_are_refused),
        cmocka_unit_test(effects_are_counted),
        cmocka_unit_test(an_init_starts_anew),
        cmocka_unit_test(a_refusal_leaves_the_state),
        cmocka_unit_test_setup_teardown(every_strategy_is_accepted, make, clean),
        cmocka_unit_test_setup_teardown(lengths_may_be_zero, make, clean),
        cmocka_unit_test_setup_teardown(a_missing_density_is_a_mistake_where_it_is_needed, make,
                                        clean),
        cmocka_unit_test_setup_teardown(what_cannot_go_together_is_a_mistake, make, clean),
        cmocka_unit_test_setup_teardown(keys_that_nothing_reads_are_noted, make, clean),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
