/* SPDX-License-Identifier: MIT
 * conform/driver_ensemble.c - every operation of a strategy for three members, asked in three rounds:
 * 0, 3, 6 ..., then 1, 4, 7 ..., then 2, 5, 8 ...; the first of them also with the results of all
 * operations before.
 */
#include "conform/strategy_case.h"

enum { ROUNDS = 3, MEMBERS = 3, MOST_OPS = 1000 };

/* With results made up: each operation's are better than those of the one before. */
static ftk_status ask_with_results(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run,
                                   uint32_t i, const struct ftk__how *how, struct ftk__blob *ret)
{
    double value[FTK__MOST_PAST];
    const struct ftk__past past = { i, value };
    ftk_op op;
    if (i > FTK__MOST_PAST)
        return FTK_OK;
    for (uint32_t k = 0; k < i; k++)
        value[k] = 0.25 + 0.01 * k;
    ftk_status st = ftk__strategy_ask(c, s, run, i, &past, how, &op);
    if (st == FTK_OK)
        ftk__strategy_put(&op, i, ret);
    return st;
}

static ftk_status act(struct ftk__case *c, struct ftk__subject *s, const struct ftk__how *how,
                      struct ftk__blob *ret)
{
    const ftk_run run = ftk__strategy_run(MEMBERS, 0.2);
    uint32_t last = how->rounds > 0 ? how->from_round + how->rounds : ROUNDS;
    for (uint32_t r = how->from_round; r < last; r++)
        for (uint32_t i = r; i < MOST_OPS; i += ROUNDS) {
            ftk_op op;
            ftk_status st = ftk__strategy_ask(c, s, &run, i, NULL, how, &op);
            if (st == FTK_DONE)
                break;
            if (st == FTK_OK) {
                ftk__strategy_put(&op, i, ret);
                st = ask_with_results(c, s, &run, i, how, ret);
            }
            if (st < 0)
                return st;
        }
    return FTK_OK;
}

const struct ftk__driver ftk__driver_ensemble = { FTK__ON_ENSEMBLE, ROUNDS, 1, act };
