/* SPDX-License-Identifier: MIT
 * conform/strategy_case.c - asking a strategy, with everything that it is handed guarded.
 */
#include "conform/strategy_case.h"
#include <string.h>

/* From here on nothing is guarded: mapping memory a hundred thousand times, to see that a list does
 * not end, would take seconds. */
enum { GUARDED_OPS = 1000 };

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

/* Results one behind the other, each as long as a grown one is, and the pointers to them. */
static const ftk_result *const *guard_results(const struct ftk__past *past,
                                              const struct ftk__how *how)
{
    uint32_t size = (uint32_t)sizeof(ftk_result) + how->grown;
    char *results = ftk__guard_new("results", (uint64_t)past->n * size, 8, how->side, 0);
    const ftk_result **pointer =
        ftk__guard_new("history", past->n * sizeof(*pointer), 8, how->side, 0);
    for (uint32_t k = 0; k < past->n; k++) {
        const ftk_result one = { .size = size,
                                 .op = k,
                                 .train_loss = past->value[k],
                                 .val_loss = past->value[k],
                                 .val_accuracy = past->value[k] };
        memcpy(results + (size_t)k * size, &one, sizeof(one));
        pointer[k] = (const ftk_result *)(const void *)(results + (size_t)k * size);
    }
    ftk__guard_read_only(results);
    ftk__guard_read_only(pointer);
    return pointer;
}

static ftk_status call(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run, uint32_t i,
                       const ftk_history *hist, const struct ftk__how *how, ftk_op *op)
{
    const ftk_ensemble_ops *ops = s->algo->ops;
    if (how->between)
        how->between(c, how->between_arg);
    ftk__kit_begin(s->host);
    ftk_status st = ops->op(s->host->table, s->self, run, i, hist, op);
    st = ftk__kit_end(c, s->host, "op", true, st);
    if (st < 0 && !how->may_fail)
        ftk__kit_must(c, s->host, "op", st);
    return st;
}

ftk_status ftk__strategy_ask(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run,
                             uint32_t i, const struct ftk__past *past, const struct ftk__how *how,
                             ftk_op *ret)
{
    ftk_history hist = { .size = sizeof(hist), .n = past ? past->n : 0 };
    if (i >= GUARDED_OPS && hist.n == 0) {
        ftk_op far;
        memset(&far, how->fill, sizeof(far));
        ftk_status st = call(c, s, run, i, &hist, how, &far);
        if (st == FTK_OK)
            *ret = far;
        return st;
    }
    uint32_t mark = ftk__guard_mark();
    if (hist.n > 0)
        hist.results = guard_results(past, how);
    ftk_op *op = ftk__guard_new("operation", sizeof(*op), 8, how->side, how->fill);
    const ftk_run *r = ftk__kit_struct("run", run, sizeof(*run), how, false);
    const ftk_history *h = ftk__kit_struct("history", &hist, sizeof(hist), how, false);
    ftk_status st = call(c, s, r, i, h, how, op);
    if (st == FTK_OK)
        *ret = *op;
    if (!how->keep)
        ftk__guard_release(mark);
    return st;
}

void ftk__strategy_put(const ftk_op *op, uint32_t i, struct ftk__blob *ret)
{
    const uint32_t words[] = { op->size, op->code,     op->flags,   op->member,
                               op->slot, op->reserved, op->lr.kind, op->lr.n_milestones };
    const double numbers[] = { op->epochs,           op->rate,          op->density,
                               op->ramp_from,        op->ramp_to,       op->ramp_density,
                               op->lr.base,          op->lr.gamma,      op->lr.final_fraction,
                               op->lr.warmup_epochs, op->lr.from_epoch, op->lr.of_epochs };
    char label[sizeof(op->label)] = "";
    memcpy(label, op->label, strnlen(op->label, sizeof(label)));
    ftk__blob_put(ret, FTK__BLOB_U32, words, sizeof(words) / sizeof(words[0]),
                  "size, code, flags, member, slot, reserved, lr.kind, lr.n of operation %u", i);
    ftk__blob_put(ret, FTK__BLOB_F64, numbers, sizeof(numbers) / sizeof(numbers[0]),
                  "epochs, rate, density, ramp (3), lr (6) of operation %u", i);
    ftk__blob_put(ret, FTK__BLOB_F64, op->lr.milestones, 8, "milestones of operation %u", i);
    ftk__blob_put(ret, FTK__BLOB_U8, label, sizeof(label), "label of operation %u", i);
}

uint32_t ftk__strategy_count(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run)
{
    const struct ftk__how plain = { 0 };
    ftk_op op;
    for (uint32_t i = 0; i <= FTK__MAX_OPS; i++)
        if (ftk__strategy_ask(c, s, run, i, NULL, &plain, &op) == FTK_DONE)
            return i;
    ftk__kit_fail(c, "%u members: operation %u and no end", run->members, (uint32_t)FTK__MAX_OPS);
}

ftk_op *ftk__strategy_list(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run,
                           uint32_t *ret_n)
{
    const struct ftk__how plain = { 0 };
    uint32_t n = ftk__strategy_count(c, s, run);
    ftk_op *list = ftk__kit_alloc(c, n, sizeof(*list));
    for (uint32_t i = 0; i < n; i++)
        if (ftk__strategy_ask(c, s, run, i, NULL, &plain, &list[i]) == FTK_DONE)
            ftk__kit_fail(c, "operation %u of %u is done when it is asked for again", i, n);
    *ret_n = n;
    return list;
}

void ftk__strategy_must_match(struct ftk__case *c, const ftk_op *a, const ftk_op *b, uint32_t i,
                              const char *what)
{
    struct ftk__blob x = { 0 };
    struct ftk__blob y = { 0 };
    struct ftk__str why = { 0 };
    ftk__strategy_put(a, i, &x);
    ftk__strategy_put(b, i, &y);
    if (!ftk__blob_same(&x, &y, &why))
        ftk__kit_fail(c, "%s: %s", what, why.text);
    ftk__blob_done(&x);
    ftk__blob_done(&y);
}
