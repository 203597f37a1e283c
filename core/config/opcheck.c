/* SPDX-License-Identifier: MIT
 * config/opcheck.c - rule ENS-04: each field within its range, unused ones 0.
 */
#include "config/opcheck.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

#define STEPS_MAX 1e13 /* of one TRAIN: 100,000 of them do not overflow */
enum { MILESTONES_MAX = 8 };

enum uses {
    USES_SLOT = 1,
    USES_EPOCHS = 2, /* with ramp and lr */
    USES_RATE = 4,
    USES_DENSITY = 8
};
static const struct code {
    const char *name;
    uint32_t flags; /* allowed */
    unsigned uses;
} codes[] = {
    [FTK_OP_INIT] = { "init", FTK_INIT_DENSE, USES_DENSITY },
    [FTK_OP_TRAIN] = { "train", FTK_TRAIN_DST | FTK_TRAIN_RAMP_GLOBAL | FTK_TRAIN_KEEP_OPTIM,
                       USES_EPOCHS },
    [FTK_OP_SAVE] = { "save", 0, 0 },
    [FTK_OP_ESCAPE] = { "escape", 0, USES_RATE },
    [FTK_OP_PRUNE] = { "prune", FTK_PRUNE_GLOBAL, USES_DENSITY },
    [FTK_OP_REMEMBER] = { "remember", 0, USES_SLOT },
    [FTK_OP_REWIND] = { "rewind", FTK_REWIND_KEEP_MASK | FTK_REWIND_RESEED, USES_SLOT },
};
enum { N_CODES = sizeof codes / sizeof codes[0] };

const char *ftk__opcode_name(uint32_t code)
{
    return code < N_CODES ? codes[code].name : NULL;
}

uint64_t ftk__op_steps(double epochs, uint32_t steps_per_epoch)
{
    double steps = round(epochs * steps_per_epoch);
    return steps > 0 ? (uint64_t)steps : 0;
}

static ftk_status check_range(const char *name, double v, double min, double max,
                              struct ftk_error *reterr)
{
    if (v >= min && v <= max)
        return FTK_OK;
    return ftk__fail(reterr, FTK_ERANGE, "%s is %g, allowed are %g to %g", name, v, min, max);
}

struct named_number {
    const char *name;
    double v;
};

static ftk_status check_zero(const struct named_number *f, unsigned n, const char *code,
                             struct ftk_error *reterr)
{
    for (unsigned i = 0; i < n; i++) {
        if (!(f[i].v >= 0 && f[i].v <= 0))
            return ftk__fail(reterr, FTK_EINVAL, "%s is %g, but %s does not use it", f[i].name,
                             f[i].v, code);
    }
    return FTK_OK;
}

/* What only a TRAIN may fill. */
static ftk_status check_no_train(const ftk_op *op, const char *code, struct ftk_error *reterr)
{
    const struct named_number f[] = {
        { "epochs", op->epochs },
        { "ramp_from", op->ramp_from },
        { "ramp_to", op->ramp_to },
        { "ramp_density", op->ramp_density },
        { "lr.kind", op->lr.kind },
        { "lr.n_milestones", op->lr.n_milestones },
        { "lr.base", op->lr.base },
        { "lr.gamma", op->lr.gamma },
        { "lr.final_fraction", op->lr.final_fraction },
        { "lr.warmup_epochs", op->lr.warmup_epochs },
        { "lr.from_epoch", op->lr.from_epoch },
        { "lr.of_epochs", op->lr.of_epochs },
    };
    ftk_status st = check_zero(f, sizeof f / sizeof f[0], code, reterr);
    for (unsigned i = 0; i < MILESTONES_MAX && st == FTK_OK; i++) {
        const struct named_number m = { "lr.milestones", op->lr.milestones[i] };
        st = check_zero(&m, 1, code, reterr);
    }
    return st;
}

static ftk_status check_milestones(const ftk_op *op, uint32_t steps_per_epoch,
                                   struct ftk_error *reterr)
{
    const ftk_lr *lr = &op->lr;
    if (lr->n_milestones > MILESTONES_MAX)
        return ftk__fail(reterr, FTK_ERANGE, "%u milestones, at most %d", lr->n_milestones,
                         (int)MILESTONES_MAX);
    for (uint32_t i = 0; i < MILESTONES_MAX; i++) {
        double m = lr->milestones[i];
        if (i >= lr->n_milestones) {
            const struct named_number rest = { "a milestone beyond n_milestones", m };
            ftk_status st = check_zero(&rest, 1, "it", reterr);
            if (st != FTK_OK)
                return st;
            continue;
        }
        if (!(m >= 0) || !isfinite(m) ||
            ftk__op_steps(m, steps_per_epoch) > ftk__op_steps(op->epochs, steps_per_epoch))
            return ftk__fail(reterr, FTK_ERANGE, "milestone %g lies outside its %g epochs", m,
                             op->epochs);
        if (i > 0 && !(m > lr->milestones[i - 1]))
            return ftk__fail(reterr, FTK_EINVAL, "milestone %g does not lie after %g", m,
                             lr->milestones[i - 1]);
    }
    return FTK_OK;
}

/* A TRAIN that follows `optim` says only where in that schedule it lies. */
static ftk_status check_experiment_lr(const ftk_op *op, uint32_t steps_per_epoch,
                                      struct ftk_error *reterr)
{
    const ftk_lr *lr = &op->lr;
    const struct named_number f[] = {
        { "lr.n_milestones", lr->n_milestones },
        { "lr.base", lr->base },
        { "lr.gamma", lr->gamma },
        { "lr.final_fraction", lr->final_fraction },
        { "lr.warmup_epochs", lr->warmup_epochs },
    };
    double max = STEPS_MAX / steps_per_epoch;
    ftk_status st = check_zero(f, sizeof f / sizeof f[0], "the experiment's schedule", reterr);
    if (st == FTK_OK)
        st = check_range("lr.from_epoch", lr->from_epoch, 0, max, reterr);
    if (st == FTK_OK)
        st = check_range("lr.of_epochs", lr->of_epochs, 0, max, reterr);
    if (st == FTK_OK)
        st = check_milestones(op, steps_per_epoch, reterr);
    if (st != FTK_OK || !(lr->of_epochs > 0))
        return st;
    double end = lr->from_epoch + op->epochs;
    if (ftk__op_steps(end, steps_per_epoch) > ftk__op_steps(lr->of_epochs, steps_per_epoch))
        return ftk__fail(reterr, FTK_ERANGE, "it ends at epoch %g of a schedule of %g", end,
                         lr->of_epochs);
    return FTK_OK;
}

static ftk_status check_own_lr(const ftk_op *op, uint32_t steps_per_epoch, struct ftk_error *reterr)
{
    const ftk_lr *lr = &op->lr;
    const struct named_number f[] = {
        { "lr.from_epoch", lr->from_epoch },
        { "lr.of_epochs", lr->of_epochs },
    };
    ftk_status st = check_zero(f, 2, "a schedule of its own", reterr);
    if (st == FTK_OK)
        st = check_range("lr.base", lr->base, 0, 1e6, reterr);
    if (st == FTK_OK)
        st = check_range("lr.gamma", lr->gamma, 0, 1e6, reterr);
    if (st == FTK_OK)
        st = check_range("lr.final_fraction", lr->final_fraction, 0, 1, reterr);
    if (st == FTK_OK)
        st = check_range("lr.warmup_epochs", lr->warmup_epochs, 0, op->epochs, reterr);
    return st == FTK_OK ? check_milestones(op, steps_per_epoch, reterr) : st;
}

/* Without an experiment's density the ramp of a strategy has none either; that is reported once,
 * about the key that is missing. */
static ftk_status check_ramp(const ftk_op *op, const struct ftk__opstate *s,
                             struct ftk_error *reterr)
{
    ftk_status st = check_range("ramp_density", op->ramp_density, 0, 1, reterr);
    if (st == FTK_OK)
        st = check_range("ramp_to", op->ramp_to, 0, op->epochs, reterr);
    if (st == FTK_OK)
        st = check_range("ramp_from", op->ramp_from, 0, op->ramp_to, reterr);
    if (st != FTK_OK || op->ramp_density > 0 || !(s->target_density > 0))
        return st;
    if (op->flags & FTK_TRAIN_RAMP_GLOBAL)
        return ftk__fail(reterr, FTK_EINVAL, "RAMP_GLOBAL without a ramp_density");
    if (op->ramp_to > 0)
        return ftk__fail(reterr, FTK_EINVAL, "ramp_to is %g without a ramp_density", op->ramp_to);
    return FTK_OK;
}

static ftk_status check_train(const ftk_op *op, const struct ftk__opstate *s,
                              struct ftk_error *reterr)
{
    ftk_status st = check_range("epochs", op->epochs, 0, STEPS_MAX / s->steps_per_epoch, reterr);
    if (st == FTK_OK)
        st = check_ramp(op, s, reterr);
    if (st != FTK_OK)
        return st;
    switch (op->lr.kind) {
    case FTK_LR_EXPERIMENT:
        return check_experiment_lr(op, s->steps_per_epoch, reterr);
    case FTK_LR_STEP:
    case FTK_LR_COSINE:
        return check_own_lr(op, s->steps_per_epoch, reterr);
    default:
        return ftk__fail(reterr, FTK_EINVAL, "lr.kind is %u, known are 0 to 2", op->lr.kind);
    }
}

static ftk_status check_label(const ftk_op *op, struct ftk_error *reterr)
{
    if (!memchr(op->label, 0, sizeof op->label))
        return ftk__fail(reterr, FTK_EINVAL, "its label of %zu characters is not terminated",
                         sizeof op->label);
    for (const char *c = op->label; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return ftk__fail(reterr, FTK_EINVAL, "its label holds byte 0x%02x",
                             (unsigned)(unsigned char)*c);
    }
    return FTK_OK;
}

static ftk_status check_head(const ftk_op *op, const struct ftk__opstate *s,
                             struct ftk_error *reterr)
{
    if (op->size != sizeof *op)
        return ftk__fail(reterr, FTK_EINVAL, "size is %u, that of ftk_op %zu", op->size,
                         sizeof *op);
    const char *name = ftk__opcode_name(op->code);
    if (!name)
        return ftk__fail(reterr, FTK_EINVAL, "code %u is unknown", op->code);
    uint32_t unknown = op->flags & ~codes[op->code].flags;
    if (unknown)
        return ftk__fail(reterr, FTK_EINVAL, "flags 0x%x are unknown to %s", unknown, name);
    if (op->reserved != 0)
        return ftk__fail(reterr, FTK_EINVAL, "reserved is %u, not 0", op->reserved);
    if (op->member >= s->members)
        return ftk__fail(reterr, FTK_ERANGE, "member %u is beyond the %u of the ensemble",
                         op->member, s->members);
    return check_label(op, reterr);
}

ftk_status ftk__op_check(const ftk_op *op, const struct ftk__opstate *s, struct ftk_error *reterr)
{
    ftk_status st = check_head(op, s, reterr);
    if (st != FTK_OK)
        return st;
    const char *name = codes[op->code].name;
    unsigned uses = codes[op->code].uses;
    const struct named_number slot = { "slot", op->slot };
    const struct named_number rate = { "rate", op->rate };
    const struct named_number density = { "density", op->density };
    if (uses & USES_SLOT)
        st = check_range("slot", op->slot, 0, FTK__MAX_SLOTS - 1, reterr);
    else
        st = check_zero(&slot, 1, name, reterr);
    if (st == FTK_OK && (uses & USES_RATE))
        st = check_range("rate", op->rate, 0, 1, reterr);
    else if (st == FTK_OK)
        st = check_zero(&rate, 1, name, reterr);
    if (st == FTK_OK && (uses & USES_DENSITY) && !(op->code == FTK_OP_INIT && op->flags))
        st = check_range("density", op->density, 0, 1, reterr);
    else if (st == FTK_OK)
        st = check_zero(&density, 1, uses & USES_DENSITY ? "a dense init" : name, reterr);
    if (st != FTK_OK)
        return st;
    return uses & USES_EPOCHS ? check_train(op, s, reterr) : check_no_train(op, name, reterr);
}

/* From `epochs` on there are only numbers, without gaps: they are compared by their bits. */
_Static_assert(offsetof(ftk_op, label) - offsetof(ftk_op, epochs) ==
                   6 * sizeof(double) + sizeof(ftk_lr),
               "no padding");
_Static_assert(sizeof(ftk_lr) == 2 * sizeof(uint32_t) + 14 * sizeof(double), "no padding");

bool ftk__op_equal(const ftk_op *a, const ftk_op *b)
{
    return a->code == b->code && a->flags == b->flags && a->member == b->member &&
           a->slot == b->slot &&
           memcmp(&a->epochs, &b->epochs, offsetof(ftk_op, label) - offsetof(ftk_op, epochs)) ==
               0 &&
           strncmp(a->label, b->label, sizeof(a->label)) == 0;
}
