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

/* ---- ENS-01 ----------------------------------------------------------------------------------- */

static void ends(struct ftk__case *c, struct ftk__subject *s)
{
    for (int m = 0; m < N_MEMBER_COUNTS; m++) {
        const ftk_run run = ftk__strategy_run(member_counts[m], 0.2);
        uint32_t n = ftk__strategy_count(c, s, &run);
        ftk_op op;
        for (uint32_t more = 0; more < 20; more++)
            if (ftk__strategy_ask(c, s, &run, n + more, NULL, &plain, &op) != FTK_DONE)
                ftk__kit_fail(c, "%u members: done at operation %u, but there is operation %u",
                              member_counts[m], n, n + more);
        if (ftk__strategy_ask(c, s, &run, UINT32_MAX, NULL, &plain, &op) != FTK_DONE)
            ftk__kit_fail(c, "%u members: done at operation %u, but there is operation %u",
                          member_counts[m], n, UINT32_MAX);
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

static void is_pure(struct ftk__case *c)
{
    const struct ftk__how other_fill = { .fill = 0xA5 };
    const ftk_run run = ftk__strategy_run(3, 0.2);
    struct ftk__subject s, fresh;
    ftk__subject_new(c, NULL, &s);
    ftk__subject_new(c, NULL, &fresh);
    uint32_t n = ftk__strategy_count(c, &s, &run);
    ftk_op *in_order = ftk__kit_alloc(c, n, sizeof(*in_order));
    for (uint32_t i = 0; i < n; i++)
        ftk__strategy_ask(c, &s, &run, i, NULL, &plain, &in_order[i]);
    for (uint32_t k = n; k > 0; k--) {
        ftk_op op;
        uint32_t i = k - 1;
        ftk__strategy_ask(c, &s, &run, i, NULL, &plain, &op);
        ftk__strategy_must_match(c, &in_order[i], &op, i, "asked from the last to the first");
        ftk__strategy_ask(c, &fresh, &run, i, NULL, &plain, &op);
        ftk__strategy_must_match(c, &in_order[i], &op, i, "asked of a fresh instance");
        ftk__strategy_ask(c, &s, &run, i, NULL, &other_fill, &op);
        ftk__strategy_must_match(c, &in_order[i], &op, i,
                                 "with another pattern in the struct before");
    }
}

/* ---- ENS-09 ----------------------------------------------------------------------------------- */

enum { MOST_TIMES = 14, MOST_OPS = 200 };

/* All lengths and moments of an operation in epochs; they are taken out of it. */
static void take_times(ftk_op *op, double ret[MOST_TIMES])
{
    double *const fields[] = { &op->epochs,           &op->ramp_from,     &op->ramp_to,
                               &op->lr.warmup_epochs, &op->lr.from_epoch, &op->lr.of_epochs };
    for (int k = 0; k < MOST_TIMES; k++) {
        double *field = k < 6 ? fields[k] : &op->lr.milestones[k - 6];
        ret[k] = *field;
        *field = 0;
    }
    memset(op->label, 0, sizeof(op->label)); /* it may tell the length as it was given */
}

/* The list with one parameter as `pair` says; false where that is refused. */
static bool list_with(struct ftk__case *c, const char *pair, uint32_t steps_per_epoch, ftk_op **ret,
                      uint32_t *ret_n)
{
    struct ftk_error err;
    struct ftk__subject s;
    void *params;
    ftk_run run = ftk__strategy_run(2, 0.2);
    run.steps_per_epoch = steps_per_epoch;
    struct ftk__kit_host *host = ftk__kit_host_new(0);
    if (ftk__params_case(c->algo, &pair, 1, &c->arena, &params, &err) < 0 ||
        ftk__subject_try(c, params, host, &s) < 0)
        return false;
    *ret = ftk__strategy_list(c, &s, &run, ret_n);
    return true;
}

static void same_steps(struct ftk__case *c, const char *pair, uint32_t i, const ftk_op *a,
                       const ftk_op *b, uint32_t steps_per_epoch)
{
    double x[MOST_TIMES], y[MOST_TIMES];
    ftk_op p = *a;
    ftk_op q = *b;
    take_times(&p, x);
    take_times(&q, y);
    ftk__strategy_must_match(c, &p, &q, i, pair);
    for (int k = 0; k < MOST_TIMES; k++)
        if (!(fabs(y[k] - x[k]) * steps_per_epoch <= 0.5))
            ftk__kit_fail(c,
                          "with %s and %u steps an epoch operation %u has %.2f steps where the "
                          "same in epochs gives %.2f",
                          pair, steps_per_epoch, i, y[k] * steps_per_epoch, x[k] * steps_per_epoch);
}

static void same_in_any_unit(struct ftk__case *c, const ftk_param *p, uint32_t steps_per_epoch)
{
    const double epochs = 3; /* of 12: 0.25x */
    const char *units[] = { "ep", "it", "x" };
    const double values[] = { epochs, epochs * steps_per_epoch, epochs / 12 };
    bool list = p->type == FTK_P_DURATIONS;
    ftk_op *ops[3];
    uint32_t n[3];
    for (int u = 0; u < 3; u++) {
        char text[128];
        ftk__format(text, sizeof(text), "%s=%s\"%.17g%s\"%s", p->name, list ? "[" : "", values[u],
                    units[u], list ? "]" : "");
        ftk__kit_note(c, "with %s, %u steps an epoch", text, steps_per_epoch);
        if (!list_with(c, text, steps_per_epoch, &ops[u], &n[u]))
            return;
        if (n[u] != n[0])
            ftk__kit_fail(c, "%s gives %u operations, in epochs there are %u", text, n[u], n[0]);
        for (uint32_t i = 0; i < n[0] && i < MOST_OPS; i++)
            same_steps(c, text, i, &ops[0][i], &ops[u][i], steps_per_epoch);
    }
}

static void units_agree(struct ftk__case *c)
{
    static const uint32_t steps[] = { 1, 3, 352 };
    const struct ftk__param_table t = { c->algo->params, c->algo->param_stride,
                                        c->algo->params_size };
    for (uint32_t i = 0; ftk__param_at(&t, i); i++)
        for (int k = 0; k < 3; k++)
            if (ftk__param_at(&t, i)->type == FTK_P_DURATION ||
                ftk__param_at(&t, i)->type == FTK_P_DURATIONS)
                same_in_any_unit(c, ftk__param_at(&t, i), steps[k]);
}

#define ENSEMBLE_RULE(id_, needs_, title_, why_, fix_, run_)                                       \
    {                                                                                              \
        .id = id_, .level = 2, .kinds = FTK__ON_ENSEMBLE, .needs = needs_, .title = title_,        \
        .why = why_, .fix = fix_, .run = run_                                                      \
    }

static const struct ftk__rule rules[] = {
    ENSEMBLE_RULE("ENS-01", "ABI-01 PAR-03 MEM-03",
                  "ends, and stays done, for any number of members and at every bound",
                  "a plan must be finite", "return FTK_DONE for every i past the last operation",
                  always_ends),
    ENSEMBLE_RULE("ENS-02", "ENS-01 MEM-03 DET-02 DET-03",
                  "operation i is the same, asked in any order, twice, of any instance; all fields "
                  "are written",
                  "a run resumes at any i, and `plan` asks without training",
                  "begin with *ret = (ftk_op){ .size = sizeof(*ret) }; keep no counters", is_pure),
    ENSEMBLE_RULE("ENS-03", "ENS-01 ENS-02",
                  "a legal order: INIT first, each member saved exactly once",
                  "check finds it in a second, not after two days of training",
                  "see config/oplist: what each operation needs before it", ftk__strategy_order),
    ENSEMBLE_RULE("ENS-04", "ENS-01 ENS-02", "fields in range, and unused ones 0",
                  "a field that is not used today may mean something tomorrow",
                  "set only what the operation's code uses", ftk__strategy_fields),
    ENSEMBLE_RULE("ENS-05", "ENS-01 ENS-02",
                  "history is used as declared, and survived when it is short or NaN",
                  "the core asks for operation i+1 while operation i trains",
                  "claim FTK_ENS_STATIC only where hist is never read", ftk__strategy_history),
    ENSEMBLE_RULE("ENS-06", "ENS-01 ENS-02 ENS-04",
                  "no cut above what the network has, no SAVE inside a ramp",
                  "weights that were cut do not come back by cutting",
                  "use fmin(density, run->density)", ftk__strategy_densities),
    ENSEMBLE_RULE("ENS-07", "ENS-03 ENS-04 ENS-05 ENS-06 ENS-08", "INDEPENDENT: each member's operations stand alone",
                  "members may be trained on other threads or machines",
                  "give each member its own INIT and SAVE, or drop the flag",
                  ftk__strategy_independent),
    ENSEMBLE_RULE("ENS-08", "ENS-01 ENS-02 ENS-04",
                  "REWIND to slots that were remembered, and no training twice the same",
                  "two returns to one state see the same images in the same order",
                  "REMEMBER first; set FTK_REWIND_RESEED and the member", ftk__strategy_slots),
    ENSEMBLE_RULE("ENS-09", "ENS-01 ENS-02", "the same duration in it, ep or x: the same steps",
                  "a config may state a length in any unit",
                  "convert by run->steps_per_epoch and run->epochs", units_agree),
};
const struct ftk__rule_family ftk__family_ensemble = { rules, sizeof(rules) / sizeof(rules[0]) };
