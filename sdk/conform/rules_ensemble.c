/* SPDX-License-Identifier: MIT
 * conform/rules_ensemble.c - a strategy is a pure list of legal operations.
 *
 * What is legal is judged by config/oplist, the dry run that `check`, `plan` and a run use too.
 */
#include "conform/params_case.h"
#include "conform/strategy_case.h"
#include <math.h>
#include <string.h>

static const struct ftk__how plain;
static const uint32_t member_counts[] = { 1, 2, 3, 7 };
enum { N_MEMBER_COUNTS = 4 };

/* The number of operations; fails where it does not end. */
static uint32_t count_ops(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run)
{
    ftk_op op;
    for (uint32_t i = 0; i <= FTK__MAX_OPS; i++)
        if (ftk__strategy_ask(c, s, run, i, NULL, &plain, &op) == FTK_DONE)
            return i;
    ftk__kit_fail(c, "%u members: operation %u and no end", run->members, (uint32_t)FTK__MAX_OPS);
}

/* ---- ENS-01 ----------------------------------------------------------------------------------- */

static void ends(struct ftk__case *c, struct ftk__subject *s)
{
    for (int m = 0; m < N_MEMBER_COUNTS; m++) {
        const ftk_run run = ftk__strategy_run(member_counts[m], 0.2);
        uint32_t n = count_ops(c, s, &run);
        ftk_op op;
        for (uint32_t more = 0; more < 20; more++)
            if (ftk__strategy_ask(c, s, &run, n + more, NULL, &plain, &op) != FTK_DONE)
                ftk__kit_fail(c, "%u members: done at operation %u, but there is operation %u",
                              member_counts[m], n, n + more);
    }
}

/* A parameter at a bound, the others at their defaults; a set that check() refuses is passed over. */
static void ends_at_bound(struct ftk__case *c, const ftk_param *p, double value)
{
    char text[128];
    const char *pair = text;
    struct ftk_error err;
    struct ftk__subject s;
    void *params;
    const char *unit = p->type == FTK_P_DURATION ? "ep" : "";
    const char *quote = p->type == FTK_P_DURATION ? "\"" : "";
    if (!isfinite(value) ||
        (p->type != FTK_P_F64 && p->type != FTK_P_I64 && p->type != FTK_P_DURATION))
        return;
    if (p->type == FTK_P_DURATION && value > 1000)
        value = 1000; /* a thousand epochs are long enough */
    ftk__format(text, sizeof(text), "%s=%s%.17g%s%s", p->name, quote, value, unit, quote);
    ftk__kit_note(c, "with %s", text);
    struct ftk__kit_host *host = ftk__kit_host_new(0);
    if (ftk__params_case(c->algo, &pair, 1, &c->arena, &params, &err) < 0 ||
        ftk__subject_try(c, params, host, &s) < 0)
        return;
    ends(c, &s);
}

static void always_ends(struct ftk__case *c)
{
    const struct ftk__param_table t = { c->algo->params, c->algo->param_stride,
                                        c->algo->params_size };
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    ends(c, &s);
    for (uint32_t i = 0; ftk__param_at(&t, i); i++) {
        ends_at_bound(c, ftk__param_at(&t, i), ftk__param_at(&t, i)->min);
        ends_at_bound(c, ftk__param_at(&t, i), ftk__param_at(&t, i)->max);
    }
}

/* ---- ENS-02 ----------------------------------------------------------------------------------- */

static void must_match(struct ftk__case *c, const ftk_op *a, const ftk_op *b, uint32_t i,
                       const char *what)
{
    struct ftk__blob x = { 0 };
    struct ftk__blob y = { 0 };
    struct ftk__str why = { 0 };
    ftk__strategy_put(a, i, &x);
    ftk__strategy_put(b, i, &y);
    if (!ftk__blob_same(&x, &y, &why))
        ftk__kit_fail(c, "%s: %s", what, why.text);
}

static void is_pure(struct ftk__case *c)
{
    const struct ftk__how other_fill = { .fill = 0xA5 };
    const ftk_run run = ftk__strategy_run(3, 0.2);
    struct ftk__subject s, fresh;
    ftk__subject_new(c, NULL, &s);
    ftk__subject_new(c, NULL, &fresh);
    uint32_t n = count_ops(c, &s, &run);
    ftk_op *in_order = ftk__kit_alloc(c, n, sizeof(*in_order));
    for (uint32_t i = 0; i < n; i++)
        ftk__strategy_ask(c, &s, &run, i, NULL, &plain, &in_order[i]);
    for (uint32_t k = n; k > 0; k--) {
        ftk_op op;
        uint32_t i = k - 1;
        ftk__strategy_ask(c, &s, &run, i, NULL, &plain, &op);
        must_match(c, &in_order[i], &op, i, "asked from the last to the first");
        ftk__strategy_ask(c, &fresh, &run, i, NULL, &plain, &op);
        must_match(c, &in_order[i], &op, i, "asked of a fresh instance");
        ftk__strategy_ask(c, &s, &run, i, NULL, &other_fill, &op);
        must_match(c, &in_order[i], &op, i, "with another pattern in the struct before");
    }
}

/* ---- ENS-03, 04, 06, 08: the dry run ----------------------------------------------------------- */

static void dry_run(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run,
                    enum ftk__op_fault ours)
{
    struct ftk__opstate state;
    struct ftk__op_effect effect;
    struct ftk_error err;
    ftk_op op;
    ftk__kit_note(c, "%u members, density %g", run->members, run->density);
    if (ftk__opstate_init(&state, run, &err) < 0)
        ftk__kit_broken("%s", err.message);
    for (uint32_t i = 0; i < FTK__MAX_OPS; i++) {
        ftk_status st = ftk__strategy_ask(c, s, run, i, NULL, &plain, &op);
        if (st == FTK_DONE)
            break;
        if (ftk__opstate_step(&state, &op, &effect, &err) >= 0)
            continue;
        if (state.fault == ours)
            ftk__kit_fail(c, "%s", err.message);
        return; /* another rule's */
    }
    if (ours == FTK__FAULT_ORDER && ftk__opstate_end(&state, &err) < 0)
        ftk__kit_fail(c, "%s", err.message);
}

static void dry_runs(struct ftk__case *c, enum ftk__op_fault ours)
{
    static const double densities[] = { 0.1, 1 };
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    for (int m = 0; m < N_MEMBER_COUNTS; m++)
        for (int d = 0; d < 2; d++) {
            const ftk_run run = ftk__strategy_run(member_counts[m], densities[d]);
            dry_run(c, &s, &run, ours);
        }
}

static void legal_order(struct ftk__case *c)
{
    dry_runs(c, FTK__FAULT_ORDER);
}

static void legal_fields(struct ftk__case *c)
{
    dry_runs(c, FTK__FAULT_FIELDS);
}

static void legal_densities(struct ftk__case *c)
{
    dry_runs(c, FTK__FAULT_DENSITY);
}

/* Two returns to a slot must not repeat one another: RESEED, and each its own member. */
static void no_repeats(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run)
{
    ftk_op last[FTK__MAX_SLOTS], op;
    bool seen[FTK__MAX_SLOTS] = { false };
    for (uint32_t i = 0; i < FTK__MAX_OPS; i++) {
        if (ftk__strategy_ask(c, s, run, i, NULL, &plain, &op) == FTK_DONE)
            return;
        if (op.code != FTK_OP_REWIND || op.slot >= FTK__MAX_SLOTS)
            continue;
        const ftk_op *before = seen[op.slot] ? &last[op.slot] : NULL;
        if (before && !(op.flags & FTK_REWIND_RESEED) && op.member == before->member)
            ftk__kit_fail(c,
                          "operation %u returns to slot %u as another did, without RESEED and for "
                          "the same member %u: it would train the same network again",
                          i, op.slot, op.member);
        seen[op.slot] = true;
        last[op.slot] = op;
    }
}

static void legal_slots(struct ftk__case *c)
{
    struct ftk__subject s;
    dry_runs(c, FTK__FAULT_SLOT);
    ftk__subject_new(c, NULL, &s);
    const ftk_run run = ftk__strategy_run(3, 0.1);
    no_repeats(c, &s, &run);
}

/* ---- ENS-05 ----------------------------------------------------------------------------------- */

enum { RESULTS = 64 };
struct past {
    ftk_result result[RESULTS];
    const ftk_result *pointer[RESULTS];
};

static ftk_history make_history(struct past *p, uint32_t n, double value)
{
    for (uint32_t i = 0; i < RESULTS; i++) {
        p->result[i] = (ftk_result){ .size = sizeof(ftk_result),
                                     .op = i,
                                     .train_loss = value,
                                     .val_loss = value,
                                     .val_accuracy = value };
        p->pointer[i] = &p->result[i];
    }
    return (ftk_history){ .size = sizeof(ftk_history), .n = n, .results = p->pointer };
}

/* With results 0..i-1 of `value`; the result of op i-1 as `last`. */
static ftk_status ask_with(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run,
                           uint32_t i, double value, double last, ftk_op *ret)
{
    const struct ftk__how how = { .may_fail = true };
    struct past *p = ftk__kit_alloc(c, 1, sizeof(*p));
    ftk_history h = make_history(p, i < RESULTS ? i : RESULTS, value);
    if (h.n > 0)
        p->result[h.n - 1].val_accuracy = p->result[h.n - 1].train_loss = last;
    ftk_status st = ftk__strategy_ask(c, s, run, i, &h, &how, ret);
    if (st < 0)
        ftk__kit_must_refuse(c, s->host, "op", st);
    return st;
}

static void history_use(struct ftk__case *c)
{
    bool is_static = ((const ftk_ensemble_ops *)c->algo->ops)->flags & FTK_ENS_STATIC;
    const ftk_run run = ftk__strategy_run(3, 0.2);
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    uint32_t n = count_ops(c, &s, &run);
    for (uint32_t i = 0; i < n && i < RESULTS; i++) {
        ftk_op none, good, nan, bad;
        ftk__strategy_ask(c, &s, &run, i, NULL, &plain, &none);
        ftk_status a = ask_with(c, &s, &run, i, 0.7, 0.7, &good);
        ftk_status b = ask_with(c, &s, &run, i, (double)NAN, (double)NAN, &nan);
        ftk_status d = ask_with(c, &s, &run, i, 0.7, 0.1, &bad);
        if (is_static && (a != FTK_OK || b != FTK_OK))
            ftk__kit_fail(c, "STATIC is claimed, but operation %u depends on the history", i);
        if (is_static) {
            must_match(c, &none, &good, i, "STATIC is claimed, but with results");
            must_match(c, &none, &nan, i, "STATIC is claimed, but with results of NaN");
        }
        if (a == FTK_OK && d == FTK_OK && good.code != bad.code)
            ftk__kit_fail(c, "the code of operation %u depends on the result of operation %u", i,
                          i - 1);
    }
}

/* ---- ENS-07 ----------------------------------------------------------------------------------- */

/* Each member's operations alone, as if it were the only one. */
static void independent(struct ftk__case *c)
{
    const uint32_t members = 3;
    const ftk_run run = ftk__strategy_run(members, 0.2);
    struct ftk__subject s;
    ftk_op op;
    if (!(((const ftk_ensemble_ops *)c->algo->ops)->flags & FTK_ENS_INDEPENDENT))
        ftk__kit_skip(c, "INDEPENDENT is not claimed");
    ftk__subject_new(c, NULL, &s);
    uint32_t n = count_ops(c, &s, &run);
    for (uint32_t m = 0; m < members; m++) {
        struct ftk__opstate state;
        struct ftk__op_effect effect;
        struct ftk_error err;
        uint32_t saves = 0;
        if (ftk__opstate_init(&state, &run, &err) < 0)
            ftk__kit_broken("%s", err.message);
        for (uint32_t i = 0; i < n; i++) {
            ftk__strategy_ask(c, &s, &run, i, NULL, &plain, &op);
            if (op.member != m)
                continue;
            saves += op.code == FTK_OP_SAVE;
            if (ftk__opstate_step(&state, &op, &effect, &err) < 0)
                ftk__kit_fail(c, "member %u alone: operation %u: %s", m, i, err.message);
        }
        if (saves != 1)
            ftk__kit_fail(c, "member %u alone is saved %u times", m, saves);
    }
}

/* ---- ENS-09 ----------------------------------------------------------------------------------- */

static void steps_of_list(struct ftk__case *c, const char *pair, uint32_t steps_per_epoch,
                          double *ret_steps, uint32_t *ret_n)
{
    struct ftk_error err;
    struct ftk__subject s;
    void *params;
    ftk_op op;
    ftk_run run = ftk__strategy_run(2, 0.2);
    run.steps_per_epoch = steps_per_epoch;
    *ret_n = 0;
    struct ftk__kit_host *host = ftk__kit_host_new(0);
    if (ftk__params_case(c->algo, &pair, 1, &c->arena, &params, &err) < 0)
        return;
    if (ftk__subject_try(c, params, host, &s) < 0)
        return;
    for (uint32_t i = 0; i < 1000; i++) {
        if (ftk__strategy_ask(c, &s, &run, i, NULL, &plain, &op) == FTK_DONE)
            break;
        ret_steps[(*ret_n)++] = op.epochs * steps_per_epoch;
    }
}

static void same_in_any_unit(struct ftk__case *c, const ftk_param *p, uint32_t steps_per_epoch)
{
    const double epochs = 3; /* of 12: 0.25x */
    const char *units[] = { "ep", "it", "x" };
    const double values[] = { epochs, epochs * steps_per_epoch, epochs / 12 };
    double *steps[3];
    uint32_t n[3];
    for (int u = 0; u < 3; u++) {
        char text[128];
        steps[u] = ftk__kit_alloc(c, 1000, sizeof(double));
        ftk__format(text, sizeof(text), "%s=\"%.17g%s\"", p->name, values[u], units[u]);
        steps_of_list(c, text, steps_per_epoch, steps[u], &n[u]);
        for (uint32_t i = 0; i < n[u] && i < n[0]; i++)
            if (fabs(steps[u][i] - steps[0][i]) > 0.5)
                ftk__kit_fail(c, "%s gives operation %u %.2f steps, in epochs it is %.2f", text, i,
                              steps[u][i], steps[0][i]);
    }
}

static void units_agree(struct ftk__case *c)
{
    static const uint32_t steps[] = { 1, 3, 352 };
    const struct ftk__param_table t = { c->algo->params, c->algo->param_stride,
                                        c->algo->params_size };
    for (uint32_t i = 0; ftk__param_at(&t, i); i++)
        for (int k = 0; k < 3; k++)
            if (ftk__param_at(&t, i)->type == FTK_P_DURATION)
                same_in_any_unit(c, ftk__param_at(&t, i), steps[k]);
}

#define ENSEMBLE_RULE(id_, needs_, title_, why_, fix_, run_)                                       \
    {                                                                                              \
        .id = id_, .level = 2, .kinds = FTK__ON_ENSEMBLE, .needs = needs_, .title = title_,        \
        .why = why_, .fix = fix_, .run = run_                                                      \
    }

static const struct ftk__rule rules[] = {
    ENSEMBLE_RULE("ENS-01", "ABI-01 PAR-03",
                  "ends, and stays done, for any number of members and at every bound",
                  "a plan must be finite", "return FTK_DONE for every i past the last operation",
                  always_ends),
    ENSEMBLE_RULE("ENS-02", "ENS-01 MEM-03",
                  "operation i is the same, asked in any order, twice, of any instance; all fields "
                  "are written",
                  "a run resumes at any i, and `plan` asks without training",
                  "begin with *ret = (ftk_op){ .size = sizeof(*ret) }; keep no counters", is_pure),
    ENSEMBLE_RULE("ENS-03", "ENS-01 ENS-02",
                  "a legal order: INIT first, each member saved exactly once",
                  "check finds it in a second, not after two days of training",
                  "see config/oplist: what each operation needs before it", legal_order),
    ENSEMBLE_RULE("ENS-04", "ENS-01 ENS-02", "fields in range, and unused ones 0",
                  "a field that is not used today may mean something tomorrow",
                  "set only what the operation's code uses", legal_fields),
    ENSEMBLE_RULE("ENS-05", "ENS-01 ENS-02",
                  "history is used as declared, and survived when it is short or NaN",
                  "the core asks for operation i+1 while operation i trains",
                  "claim FTK_ENS_STATIC only where hist is never read", history_use),
    ENSEMBLE_RULE("ENS-06", "ENS-01 ENS-02 ENS-04",
                  "no cut above what the network has, no SAVE inside a ramp",
                  "weights that were cut do not come back by cutting",
                  "use fmin(density, run->density)", legal_densities),
    ENSEMBLE_RULE("ENS-07", "ENS-03 ENS-04", "INDEPENDENT: each member's operations stand alone",
                  "members may be trained on other threads or machines",
                  "give each member its own INIT and SAVE, or drop the flag", independent),
    ENSEMBLE_RULE("ENS-08", "ENS-01 ENS-02 ENS-04",
                  "REWIND to slots that were remembered, and no training twice the same",
                  "two returns to one state see the same images in the same order",
                  "REMEMBER first; set FTK_REWIND_RESEED and the member", legal_slots),
    ENSEMBLE_RULE("ENS-09", "ENS-01 ENS-02", "the same duration in it, ep or x: the same steps",
                  "a config may state a length in any unit",
                  "convert by run->steps_per_epoch and run->epochs", units_agree),
};
const struct ftk__rule_family ftk__family_ensemble = { rules, sizeof(rules) / sizeof(rules[0]) };
