/* SPDX-License-Identifier: MIT
 * conform/strategy_past.c - what a strategy makes of the results of its operations.
 *
 * While operation i trains, the core asks for operation i + 1, to see whether SAVE or ESCAPE follows.
 */
#include "conform/strategy_case.h"
#include <math.h>

static const struct ftk__how plain;

/* With the results `value` of operations 0..n-1; a refusal has a reason. */
static ftk_status ask_with(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run,
                           uint32_t i, const double *value, uint32_t n, ftk_op *ret)
{
    const struct ftk__how how = { .may_fail = true };
    const struct ftk__past past = { n, value };
    ftk_status st = ftk__strategy_ask(c, s, run, i, &past, &how, ret);
    if (st < 0)
        ftk__kit_must_refuse(c, s->host, "op", st);
    return st;
}

/* The code, 0 for the end, -1 for a refusal. */
static int64_t code_of(ftk_status st, const ftk_op *op)
{
    if (st < 0)
        return -1;
    return st == FTK_DONE ? 0 : (int64_t)op->code;
}

static void fill(double *value, uint32_t n, double with)
{
    for (uint32_t k = 0; k < n; k++)
        value[k] = with;
}

static void static_at(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run, uint32_t i)
{
    static const double values[] = { 0.7, (double)NAN, 0 };
    double value[FTK__MOST_PAST];
    ftk_op none, other;
    ftk__strategy_ask(c, s, run, i, NULL, &plain, &none);
    for (int k = 0; k < 3; k++) {
        fill(value, i, values[k]);
        if (ask_with(c, s, run, i, value, i, &other) != FTK_OK)
            ftk__kit_fail(c, "STATIC is claimed, and with results of %g there is no operation %u",
                          values[k], i);
        ftk__strategy_must_match(c, &none, &other, i, "STATIC is claimed, but with results");
    }
}

/* Operation i's code, whatever the result of operation i - 1, or before it is known. */
static void adaptive_at(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run, uint32_t i)
{
    static const double last[] = { 0.1, 100, (double)NAN };
    double value[FTK__MOST_PAST];
    ftk_op op, other;
    fill(value, i, (double)NAN);
    ask_with(c, s, run, i, value, i, &op);
    fill(value, i, 0.7);
    int64_t code = code_of(ask_with(c, s, run, i, value, i, &op), &op);
    for (uint32_t n = 0; n < i; n++) {
        int64_t early = code_of(ask_with(c, s, run, i, value, n, &other), &other);
        if (n + 1 == i && code >= 0 && early >= 0 && code != early)
            ftk__kit_fail(c,
                          "the code of operation %u is %d, and %d as long as the result of "
                          "operation %u is not known",
                          i, (int)code, (int)early, i - 1);
    }
    for (int k = 0; k < 3 && i > 0; k++) {
        value[i - 1] = last[k];
        int64_t then = code_of(ask_with(c, s, run, i, value, i, &other), &other);
        if (code >= 0 && then >= 0 && code != then)
            ftk__kit_fail(c,
                          "the code of operation %u is %d where operation %u had the result 0.7, "
                          "and %d where it had %g",
                          i, (int)code, i - 1, (int)then, last[k]);
    }
}

void ftk__strategy_history(struct ftk__case *c)
{
    bool is_static = ((const ftk_ensemble_ops *)c->algo->ops)->flags & FTK_ENS_STATIC;
    const ftk_run run = ftk__strategy_run(3, 0.2);
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    uint32_t n = ftk__strategy_count(c, &s, &run);
    for (uint32_t i = 0; i < n && i <= FTK__MOST_PAST; i++) {
        if (is_static)
            static_at(c, &s, &run, i);
        else
            adaptive_at(c, &s, &run, i);
    }
}

void ftk__strategy_own_results(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run,
                               const ftk_op *list, uint32_t n)
{
    double value[FTK__MOST_PAST];
    for (uint32_t i = 1; i < n && i <= FTK__MOST_PAST; i++) {
        ftk_op a, b;
        fill(value, i, 0.7);
        ftk_status x = ask_with(c, s, run, i, value, i, &a);
        for (uint32_t k = 0; k < i; k++)
            if (list[k].member != list[i].member)
                value[k] = 0.1;
        ftk_status y = ask_with(c, s, run, i, value, i, &b);
        if (x != y)
            ftk__kit_fail(c,
                          "operation %u, of member %u, depends on other members' results: %s, %s",
                          i, list[i].member, ftk__status_name(x), ftk__status_name(y));
        if (x == FTK_OK)
            ftk__strategy_must_match(c, &a, &b, i, "with other results of other members");
    }
}
