/* SPDX-License-Identifier: MIT
 * config/expcheck.c - an experiment against the operations of its strategy: what cannot go
 * together, and keys that were given and that nothing reads.
 */
#include "config/opcheck.h"
#include "config/oplist.h"
#include "config/resolve.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* What the experiment's operations and choices leave unread. */
struct unread {
    bool optim_lr;   /* every TRAIN brings its own schedule */
    bool optim_base; /* and its own rate */
    bool milestones; /* the schedule has none */
    bool density, init;
    bool updates; /* neither updates nor escapes */
    bool regular; /* no updates by interval: escapes bring their own rate */
    bool count;   /* nothing is drawn */
    bool exempt;  /* no sparse INIT, or nothing changes after it */
    bool escapes;
    bool prune;    /* nothing is ever pruned */
    bool interval; /* neither updates nor ramps */
    bool rate_min;
    bool adam, nesterov;
};

static struct unread what_is_unread(const struct ftk__experiment *x, const struct ftk__oplist *ops)
{
    bool escapes = false;
    bool sparse_init = false;
    bool cuts = ops->any_ramp;
    for (uint32_t i = 0; i < ops->n; i++) {
        const ftk_op *op = &ops->v[i].op;
        escapes |= op->code == FTK_OP_ESCAPE;
        cuts |= op->code == FTK_OP_PRUNE;
        sparse_init |= op->code == FTK_OP_INIT && !(op->flags & FTK_INIT_DENSE);
    }
    bool updates = ops->any_dst || escapes;
    bool sgd = strcmp(x->optimiser.builtin->name, "sgd") == 0;
    return (struct unread){
        .optim_lr = !ops->uses_optim_lr,
        .optim_base = !ops->uses_optim_lr && !ops->uses_optim_base,
        .milestones = x->optim.schedule != FTK__LR_STEP,
        .density = !ops->any_sparse,
        .init = !sparse_init,
        .updates = !updates,
        .regular = !ops->any_dst,
        .count = !updates && !sparse_init,
        .exempt = !sparse_init || (!updates && !cuts),
        .escapes = !escapes,
        .prune = !updates && !cuts,
        .interval = !ops->any_dst && !ops->any_ramp,
        .rate_min = x->topology.schedule != FTK__RATE_COSINE,
        .adam = sgd,
        .nesterov = !sgd,
    };
}

/* "optim.lr: not used by ensemble edst", where the key was given. */
static void note(const struct ftk__experiment *x, bool is_unread, const char *path, const char *by,
                 const char *name, struct ftk__str *notes)
{
    if (is_unread && ftk__setting_find(x->tree, path))
        ftk__str_addf(notes, "%s: not used by %s %s\n", path, by, name);
}

static void note_unread(const struct ftk__experiment *x, const struct unread *u,
                        struct ftk__str *notes)
{
    const struct {
        bool is_unread;
        const char *path;
    } by_strategy[] = {
        { u->optim_base, "optim.lr" },
        { u->optim_lr, "optim.schedule" },
        { u->optim_lr, "optim.milestones" },
        { u->optim_lr, "optim.gamma" },
        { u->optim_lr, "optim.warmup" },
        { u->density, "sparsity.density" },
        { u->init, "sparsity.init" },
        { u->init, "sparsity.layers" },
        { u->prune, "topology.prune" },
        { u->updates, "topology.grow" },
        { u->updates, "topology.allot" },
        { u->updates, "topology.scope" },
        { u->regular, "topology.rate" },
        { u->regular, "topology.rate_min" },
        { u->regular, "topology.schedule" },
        { u->interval, "topology.interval" },
        { u->regular, "topology.stop" },
        { u->regular, "topology.quiet_end" },
        { u->updates, "topology.enabled" },
        { u->count, "topology.count" },
        { u->updates, "topology.ties" },
        { u->updates, "topology.round" },
        { u->exempt, "topology.dense_layers" },
        { u->density, "topology.inactive_momentum" },
        { u->updates, "topology.regrow" },
        { u->updates, "topology.grown_value" },
        { u->updates, "topology.grown_momentum" },
        { u->regular, "topology.update_step" },
        { u->escapes, "topology.escape_gradient" },
    };
    const char *strategy = x->strategy.entry->algo->name;
    const char *optimiser = x->optimiser.builtin->name;
    for (unsigned i = 0; i < sizeof by_strategy / sizeof by_strategy[0]; i++)
        note(x, by_strategy[i].is_unread, by_strategy[i].path, "ensemble", strategy, notes);
    if (x->init_builtin && !u->init) {
        note(x, true, "sparsity.layers", "init", x->init_builtin->name, notes);
        note(x, u->updates, "topology.count", "init", x->init_builtin->name, notes);
    }
    if (!u->optim_lr) {
        const char *schedule = x->optim.schedule == FTK__LR_COSINE ? "cosine" : "constant";
        note(x, u->milestones, "optim.milestones", "schedule", schedule, notes);
        note(x, u->milestones, "optim.gamma", "schedule", schedule, notes);
    }
    if (!u->regular)
        note(x, u->rate_min, "topology.rate_min", "schedule", "constant", notes);
    note(x, u->adam, "optim.beta2", "optim", optimiser, notes);
    note(x, u->adam, "optim.eps", "optim", optimiser, notes);
    note(x, u->nesterov, "optim.nesterov", "optim", optimiser, notes);
}

/* Where a key was given, else its section, else the file. */
static const struct ftk__setting *place_of(const struct ftk__experiment *x, const char *path)
{
    const struct ftk__setting *at = ftk__setting_find(x->tree, path);
    char section[32];
    if (at)
        return at;
    ftk__format(section, sizeof section, "%.*s", (int)strcspn(path, "."), path);
    at = ftk__setting_find(x->tree, section);
    return at ? at : x->tree;
}

void ftk__experiment_check_keep(const struct ftk__experiment *x, struct ftk__issues *issues)
{
    static const char path[] = "ensemble.keep";
    if (x->keep != FTK__KEEP_BEST_VALIDATION || x->data.validation > 0)
        return;
    /* Preset `freetickets` asks for it too. */
    const struct ftk__setting *at = ftk__setting_find(x->tree, path);
    ftk__issues_add(issues, at ? at : place_of(x, "topology.preset"), path,
                    "data.validation above 0, or keep = \"last\"", NULL,
                    "best_validation%s, but there is no validation split",
                    at ? "" : " by the preset");
}

static void check_density(const struct ftk__experiment *x, const struct ftk__oplist *ops,
                          struct ftk__issues *issues)
{
    if (!ops->any_sparse || x->sparsity.density > 0)
        return;
    ftk__issues_add(issues, place_of(x, "sparsity.density"), "sparsity.density",
                    "a number, above 0, at most 1", NULL,
                    "density is missing, and ensemble %s has sparse operations",
                    x->strategy.entry->algo->name);
}

static void check_interval(const struct ftk__experiment *x, const ftk_run *run,
                           const struct ftk__oplist *ops, struct ftk__issues *issues)
{
    const ftk_duration *d = &x->topology.interval;
    double steps = d->value;
    if (d->unit == FTK_UNIT_EPOCH)
        steps *= run->steps_per_epoch;
    else if (d->unit == FTK_UNIT_RUN)
        steps *= run->epochs * run->steps_per_epoch;
    bool read = (ops->any_dst || ops->any_ramp) && ops->total_steps > 0;
    if (read && round(steps) < 1)
        ftk__issues_add(issues, place_of(x, "topology.interval"), "topology.interval",
                        "at least 1 step", NULL, "interval is %g steps", steps);
}

/* Momentum of inactive weights: a grower that reads it needs it gathered, and only SGD gathers it. */
static void check_inactive_momentum(const struct ftk__experiment *x, const struct ftk__oplist *ops,
                                    struct ftk__issues *issues)
{
    static const char path[] = "topology.inactive_momentum";
    bool gathered = x->topology.inactive_momentum == FTK__INACTIVE_ACCUMULATE;
    const ftk_grow_ops *grow = x->grow.entry ? x->grow.entry->algo->ops : NULL;
    bool sgd = strcmp(x->optimiser.builtin->name, "sgd") == 0;
    if (ops->any_dst && grow && (grow->channels & FTK_CH_MOMENTUM) && !gathered)
        ftk__issues_add(issues, place_of(x, "topology.grow"), path,
                        "inactive_momentum = \"accumulate\"", NULL,
                        "grow '%s' reads the momentum of inactive weights, which is not gathered",
                        x->grow.entry->algo->name);
    if (gathered && !sgd)
        ftk__issues_add(issues, place_of(x, path), path, "optim.use = \"sgd\"", NULL,
                        "momentum of inactive weights goes with SGD, not with %s",
                        x->optimiser.builtin->name);
}

void ftk__experiment_check_size(const struct ftk__experiment *x, uint64_t n_train,
                                struct ftk__issues *issues)
{
    if ((uint64_t)x->data.batch > n_train)
        ftk__issues_add(
            issues, place_of(x, "data.batch"), "data.batch", "at most the training images", NULL,
            "batch = %" PRId64 " is above the %" PRIu64 " training images", x->data.batch, n_train);
}

ftk_status ftk__experiment_check(const struct ftk__experiment *x, const ftk_run *run,
                                 const struct ftk__oplist *ops, struct ftk__str *ret_notes,
                                 struct ftk__issues *issues)
{
    struct unread u = what_is_unread(x, ops);
    ftk__experiment_check_keep(x, issues);
    check_density(x, ops, issues);
    check_interval(x, run, ops, issues);
    check_inactive_momentum(x, ops, issues);
    note_unread(x, &u, ret_notes);
    return issues->failed || ret_notes->failed ? FTK_ENOMEM : FTK_OK;
}
