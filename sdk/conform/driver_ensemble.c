/* SPDX-License-Identifier: MIT
 * conform/driver_ensemble.c - every operation of a strategy for three members, asked in three rounds:
 * 0, 3, 6 ..., then 1, 4, 7 ..., then 2, 5, 8 ...
 */
#include "conform/strategy_case.h"
#include <string.h>

enum { ROUNDS = 3, MEMBERS = 3, MOST_OPS = 1000 };

void ftk__strategy_put(const ftk_op *op, uint32_t i, struct ftk__blob *ret)
{
    const uint32_t words[] = { op->size, op->code,     op->flags,   op->member,
                               op->slot, op->reserved, op->lr.kind, op->lr.n_milestones };
    const double numbers[] = { op->epochs,           op->rate,          op->density,
                               op->ramp_from,        op->ramp_to,       op->ramp_density,
                               op->lr.base,          op->lr.gamma,      op->lr.final_fraction,
                               op->lr.warmup_epochs, op->lr.from_epoch, op->lr.of_epochs };
    ftk__blob_put(ret, FTK__BLOB_U32, words, sizeof(words) / sizeof(words[0]),
                  "size, code, flags, member, slot, reserved, lr.kind, lr.n of operation %u", i);
    ftk__blob_put(ret, FTK__BLOB_F64, numbers, sizeof(numbers) / sizeof(numbers[0]),
                  "epochs, rate, density, ramp (3), lr (6) of operation %u", i);
    ftk__blob_put(ret, FTK__BLOB_F64, op->lr.milestones, 8, "milestones of operation %u", i);
    ftk__blob_put(ret, FTK__BLOB_U8, op->label, sizeof(op->label), "label of operation %u", i);
}

ftk_run ftk__strategy_run(uint32_t members, double density)
{
    return (ftk_run){
        .size = sizeof(ftk_run),
        .members = members,
        .steps_per_epoch = 10,
        .epochs = 12,
        .density = density,
        .lr = { .kind = FTK_LR_STEP,
                .n_milestones = 2,
                .base = 0.1,
                .gamma = 0.1,
                .milestones = { 6, 9 } },
    };
}

ftk_status ftk__strategy_ask(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run,
                             uint32_t i, const ftk_history *hist, const struct ftk__how *how,
                             ftk_op *ret)
{
    const ftk_ensemble_ops *ops = s->algo->ops;
    const ftk_history none = { .size = sizeof(none) };
    uint32_t mark = ftk__guard_mark();
    ftk_op *op = ftk__guard_new("operation", sizeof(*op), 8, how->side, how->fill);
    const ftk_run *r = ftk__kit_struct("run", run, sizeof(*run), how, false);
    const ftk_history *h = ftk__kit_struct("history", hist ? hist : &none, sizeof(*h), how, false);
    if (how->between)
        how->between(c, how->between_arg);
    ftk__kit_begin(s->host);
    ftk_status st = ops->op(s->host->table, s->self, r, i, h, op);
    st = ftk__kit_end(c, s->host, "op", true, st);
    if (st < 0 && !how->may_fail)
        ftk__kit_must(c, s->host, "op", st);
    if (st == FTK_OK)
        *ret = *op;
    if (!how->keep)
        ftk__guard_release(mark);
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
            if (st < 0)
                return st;
            if (st == FTK_DONE)
                break;
            ftk__strategy_put(&op, i, ret);
        }
    return FTK_OK;
}

const struct ftk__driver ftk__driver_ensemble = { FTK__ON_ENSEMBLE, ROUNDS, 1, act };
