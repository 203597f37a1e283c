/* SPDX-License-Identifier: MIT
 * train/plan.c - the dry run of a whole experiment, down to the single step.
 */
#include "train/plan.h"

#include "sparse/budget.h"
#include "sparse/topology.h"
#include "train/mask_file.h"
#include "train/schedule.h"
#include "train/trainer.h"
#include <math.h>
#include <string.h>

struct walk { /* a network as densities                       */
    const struct ftk__experiment *x;
    const struct ftk__model *m;
    struct ftk__plan *plan;
    double *target;               // [n_layers] what a sparse INIT aims at
    double *init;                 // [n_layers] after a sparse INIT
    bool sparse_init;             /* the network's; a dense one gives no targets  */
    double *now;                  // [n_layers]
    double *slot[FTK__MAX_SLOTS]; // [n_layers] each, or NULL
    uint64_t n_train, batches;
    bool update_grad, cut_grad; /* whether those read gradients of inactive weights */
    bool init_grad;             /* whether INIT reads gradients of the dense network */
};

static uint64_t images_of(const struct walk *w, uint64_t t)
{
    uint64_t batch = (uint64_t)w->x->data.batch;
    uint64_t before = t % w->batches * batch;
    return w->n_train - before < batch ? w->n_train - before : batch;
}

static void set_density(struct walk *w, const double *from)
{
    memcpy(w->now, from, w->m->n_layers * sizeof(*from));
    ftk__ledger_densities(&w->plan->ledger, w->now, NULL);
}

/* A cut to `density`: over the network the layers' shares are not known before the weights are. */
static void set_equal_density(struct walk *w, double density)
{
    for (uint32_t l = 0; l < w->m->n_layers; l++)
        w->now[l] = density;
    w->plan->approximate = w->plan->approximate || density < 1;
    ftk__ledger_note(&w->plan->ledger, FTK__LEDGER_CUT);
    ftk__ledger_densities(&w->plan->ledger, w->now, NULL);
}

/* An update at `rate`, inside a TRAIN or as an ESCAPE, and what `regrow = forbidden` takes from
 * it. */
static void walk_update(struct walk *w, double rate, enum ftk__ledger_event event)
{
    const struct ftk__topology_options *o = &w->x->topology;
    uint64_t active = 0, room = 0;
    uint32_t limited = 0;
    bool less;
    for (uint32_t l = 0; l < w->m->n_layers; l++) {
        uint64_t n = w->m->layers[l].n;
        uint64_t nnz = (uint64_t)llround(w->now[l] * (double)n);
        if (w->sparse_init && w->target[l] >= 1 && o->dense_layers == FTK__DENSE_EXEMPT)
            continue;
        ftk__budget_update(o, rate, nnz, n - nnz, &less);
        limited += less;
        active += nnz;
        room += n - nnz;
    }
    if (o->scope == FTK__SCOPE_NETWORK) {
        ftk__budget_update(o, rate, active, room, &less);
        limited = less;
    }
    w->plan->limited = limited > w->plan->limited ? limited : w->plan->limited;
    w->plan->approximate = w->plan->approximate || o->scope == FTK__SCOPE_NETWORK;
    ftk__ledger_note(&w->plan->ledger, event);
}

static void walk_step(struct walk *w, const struct ftk__train_schedule *when, uint64_t t)
{
    enum ftk__event event = ftk__event_at(when, t);
    bool escapes = t == when->end && when->keep_last_gradient;
    bool updates = event == FTK__EVENT_UPDATE || escapes;
    bool cuts = event == FTK__EVENT_CUT;
    bool grad = (updates && w->update_grad) || (cuts && w->cut_grad);
    bool skipped = event == FTK__EVENT_UPDATE && when->replaces && !grad;
    bool dense = grad || w->x->topology.inactive_momentum == FTK__INACTIVE_ACCUMULATE;
    if (skipped)
        ftk__ledger_note(&w->plan->ledger, FTK__LEDGER_SKIPPED);
    else
        ftk__ledger_step(&w->plan->ledger, images_of(w, t - 1), dense);
    if (event == FTK__EVENT_UPDATE)
        walk_update(w, ftk__rate_at(when, t), FTK__LEDGER_UPDATE);
    if (event == FTK__EVENT_CUT)
        set_equal_density(w, ftk__cut_density(when, t));
}

static void walk_train(struct walk *w, uint32_t i)
{
    const struct ftk__op_effect *e = &w->plan->ops.v[i].effect;
    struct ftk__train_schedule when;
    ftk__train_schedule(w->x, &w->plan->run, &w->plan->ops, i, &when);
    for (uint64_t t = e->t_from + 1; t <= e->t_to; t++)
        walk_step(w, &when, t);
}

/* A gradient-only step on the batch after step t. */
static void walk_fresh_gradient(struct walk *w, uint64_t t)
{
    ftk__ledger_step(&w->plan->ledger, images_of(w, t), true);
    ftk__ledger_note(&w->plan->ledger, FTK__LEDGER_FRESH_GRADIENT);
}

/* That before an ESCAPE or a PRUNE. */
static void walk_gradient(struct walk *w, uint32_t i)
{
    const struct ftk__oplist *ops = &w->plan->ops;
    bool escape = ops->v[i].op.code == FTK_OP_ESCAPE;
    bool kept = escape && ftk__escape_by_last_batch(w->x, ops, i);
    bool wants = escape ? w->update_grad : w->cut_grad;
    if (wants && !kept)
        walk_fresh_gradient(w, ops->v[i].effect.t_from);
}

static void walk_save(struct walk *w)
{
    const struct ftk__model *m = w->m;
    double active = 0;
    for (uint32_t l = 0; l < m->n_layers; l++)
        active += w->now[l] * (double)m->layers[l].n;
    w->plan->flops_test += w->plan->ledger.image.theory;
    uint64_t dense = m->n_params - m->n_maskable;
    w->plan->params_active = (uint64_t)llround(active) + dense;
}

static void walk_init(struct walk *w, const ftk_op *op)
{
    for (uint32_t l = 0; l < w->m->n_layers; l++)
        w->now[l] = 1;
    ftk__ledger_densities(&w->plan->ledger, w->now, NULL);
    w->sparse_init = !(op->flags & FTK_INIT_DENSE);
    if (!w->sparse_init)
        return;
    if (w->init_grad)
        walk_fresh_gradient(w, 0);
    if (w->x->topology.count == FTK__COUNTING_BERNOULLI && !ftk__init_is_file(w->x))
        w->plan->approximate = true;
    set_density(w, w->init);
}

static void walk_escape(struct walk *w, uint32_t i, const ftk_op *op)
{
    if (!w->x->topology.enabled)
        return;
    walk_gradient(w, i);
    walk_update(w, op->rate, FTK__LEDGER_ESCAPE);
}

static void walk_op(struct walk *w, uint32_t i)
{
    const ftk_op *op = &w->plan->ops.v[i].op;
    ftk__ledger_operation(&w->plan->ledger, i);
    switch (op->code) {
    case FTK_OP_INIT:
        walk_init(w, op);
        break;
    case FTK_OP_TRAIN:
        walk_train(w, i);
        break;
    case FTK_OP_SAVE:
        walk_save(w);
        break;
    case FTK_OP_ESCAPE:
        walk_escape(w, i, op);
        break;
    case FTK_OP_PRUNE:
        walk_gradient(w, i);
        set_equal_density(w, op->density);
        break;
    case FTK_OP_REMEMBER:
        memcpy(w->slot[op->slot], w->now, w->m->n_layers * sizeof(double));
        break;
    default:
        if (!(op->flags & FTK_REWIND_KEEP_MASK))
            set_density(w, w->slot[op->slot]);
        break;
    }
}

/* The exact counts that INIT draws, as densities. */
static ftk_status init_densities(struct walk *w, struct ftk__topology *t, double density,
                                 struct ftk_error *reterr)
{
    uint32_t n = w->m->n_layers;
    uint64_t *sizes = ftk__alloc_array(n, sizeof(*sizes));
    uint64_t *count = ftk__alloc_array(n, sizeof(*count));
    ftk_status st = FTK_OK;
    if (!sizes || !count)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for %u layers", n);
    for (uint32_t l = 0; st >= 0 && l < n; l++)
        sizes[l] = w->m->layers[l].n;
    if (st >= 0)
        st = ftk__init_densities(w->x, w->m, t, density, w->target, reterr);
    if (st >= 0)
        st = ftk__budget_counts(w->target, sizes, n, count, reterr);
    for (uint32_t l = 0; st >= 0 && l < n; l++)
        w->init[l] = (double)count[l] / (double)sizes[l];
    ftk__free(sizes);
    ftk__free(count);
    return st;
}

static double sparse_init_density(const struct ftk__experiment *x, const struct ftk__oplist *ops)
{
    for (uint32_t i = 0; i < ops->n; i++) {
        const ftk_op *op = &ops->v[i].op;
        if (op->code == FTK_OP_INIT && !(op->flags & FTK_INIT_DENSE))
            return op->density > 0 ? op->density : x->sparsity.density;
    }
    return 0;
}

static ftk_status alloc_walk(struct walk *w, struct ftk_error *reterr)
{
    uint32_t n = w->m->n_layers;
    w->target = ftk__alloc_array(n, sizeof(*w->target));
    w->init = ftk__alloc_array(n, sizeof(*w->init));
    w->now = ftk__alloc_array(n, sizeof(*w->now));
    bool ok = w->target && w->init && w->now;
    for (uint32_t i = 0; i < FTK__MAX_SLOTS && ok; i++) {
        w->slot[i] = ftk__alloc_array(n, sizeof(*w->slot[i]));
        ok = w->slot[i] != NULL;
    }
    for (uint32_t l = 0; ok && l < n; l++)
        w->init[l] = 1;
    return ok ? FTK_OK : ftk__fail(reterr, FTK_ENOMEM, "no memory for a plan");
}

static void free_walk(struct walk *w)
{
    for (uint32_t i = 0; i < FTK__MAX_SLOTS; i++)
        ftk__free(w->slot[i]);
    ftk__free(w->target);
    ftk__free(w->init);
    ftk__free(w->now);
}

static ftk_status fill_layers(struct walk *w, struct ftk_error *reterr)
{
    struct ftk__plan *p = w->plan;
    const struct ftk__model *m = w->m;
    double active = 0;
    p->layers = ftk__alloc_array(m->n_layers, sizeof(*p->layers));
    if (!p->layers)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for %u layers", m->n_layers);
    p->n_layers = m->n_layers;
    for (uint32_t l = 0; l < m->n_layers; l++) {
        struct ftk__plan_layer *to = &p->layers[l];
        to->name = m->layers[l].name;
        to->n_dims = ftk__model_tensor_shape(m, m->layer_node[l], FTK_TENSOR_WEIGHT, to->dims);
        to->n = m->layers[l].n;
        to->density = w->init[l];
        to->nnz = (uint64_t)llround(to->density * (double)to->n);
        active += (double)to->nnz;
    }
    p->density = m->n_maskable ? active / (double)m->n_maskable : 1;
    return FTK_OK;
}

static uint64_t activations(const struct ftk__model *m)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < m->n_nodes; i++) {
        const uint32_t *s = m->nodes[i]->out_shape;
        n += (uint64_t)s[0] * s[1] * s[2];
    }
    return n;
}

/* A value, its momentum and two lists of positions an active weight; values and gradients of all
 * activations of a batch; the images as bytes. */
static void estimate_space(const struct walk *w, uint64_t n_test)
{
    const struct ftk__model *m = w->m;
    struct ftk__plan *p = w->plan;
    uint64_t image = (uint64_t)m->shape[0] * m->shape[1] * m->shape[2];
    uint64_t batch = (uint64_t)w->x->data.batch;
    p->memory_bytes = p->params_active * 24 + activations(m) * batch * 2 * sizeof(float) +
                      (w->n_train + n_test) * image;
    uint64_t member = m->n_params * sizeof(float) + m->n_maskable;
    p->disk_bytes = (uint64_t)w->x->members * (member + n_test * m->classes * sizeof(float));
}

static ftk_status walk_all(struct walk *w, struct ftk__topology *t, struct ftk_error *reterr)
{
    struct ftk__plan *p = w->plan;
    double density = sparse_init_density(w->x, &p->ops);
    ftk_status st = alloc_walk(w, reterr);
    if (st >= 0 && density > 0)
        st = init_densities(w, t, density, reterr);
    if (st >= 0)
        st = fill_layers(w, reterr);
    if (st >= 0)
        st = ftk__ledger_init(&p->ledger, w->m, p->ops.n, reterr);
    for (uint32_t i = 0; i < p->ops.n && st >= 0; i++)
        walk_op(w, i);
    if (st >= 0)
        ftk__ledger_settle(&p->ledger);
    return st;
}

ftk_status ftk__plan_make(const struct ftk__experiment *x, const struct ftk__model *m,
                          uint64_t n_train, uint64_t n_test, struct ftk__plan *ret,
                          struct ftk_error *reterr)
{
    struct ftk__plan p = { .run = ftk__experiment_run(x, n_train) };
    struct ftk__rules rules = { 0 };
    struct ftk__arena arena = { 0 };
    struct ftk__topology *topology = NULL;
    struct walk w = {
        .x = x, .m = m, .plan = &p, .n_train = n_train, .batches = p.run.steps_per_epoch
    };
    ftk_status st = ftk__rules_init(x, &rules, reterr);
    if (st >= 0)
        st = ftk__oplist_plan(&rules.strategy, &p.run, &p.ops, reterr);
    if (st >= 0)
        st = ftk__rules_topology(x, m, &rules, &arena, &topology, reterr);
    if (st >= 0) {
        w.update_grad = ftk__topology_wants_grad(topology);
        w.cut_grad = ftk__topology_cut_wants_grad(topology);
        w.init_grad = ftk__topology_init_channels(topology) & FTK_CH_GRAD;
        st = walk_all(&w, topology, reterr);
    }
    if (st >= 0) {
        p.params_total = m->n_params;
        p.flops_dense_run = ftk__ledger_dense_run(&p.ledger, x->epochs, n_train);
        p.epochs_total = p.ops.total_epochs;
        estimate_space(&w, n_test);
        *ret = p;
    } else {
        ftk__plan_done(&p);
    }
    free_walk(&w);
    ftk__topology_free(topology);
    ftk__arena_done(&arena);
    ftk__rules_done(&rules);
    return st;
}

void ftk__plan_done(struct ftk__plan *p)
{
    ftk__oplist_done(&p->ops);
    ftk__ledger_done(&p->ledger);
    ftk__free(p->layers);
    *p = (struct ftk__plan){ 0 };
}
