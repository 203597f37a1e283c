/* SPDX-License-Identifier: MIT
 * train/step.c - a single step of the live network: its batch, what it costs, what the backend
 * counted.
 */
#include "base/rng.h"
#include "train/session.h"
#include <time.h>
#include <string.h>

double ftk__now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

uint64_t ftk__session_pass_key(const struct ftk__session *s)
{
    return (uint64_t)s->net.reseed << 32;
}

ftk_status ftk__session_batch(struct ftk__session *s, uint32_t member, ftk_batch *ret,
                              struct ftk_error *reterr)
{
    const struct ftk__network *n = &s->net;
    uint64_t batches = ftk__feed_batches(s->feed);
    const struct ftk__feed_key key = {
        .member = member,
        .pass = n->t / batches,
        .reseed = ftk__session_pass_key(s),
        .batch = n->t % batches,
    };
    const ftk_batch *b;
    double from = ftk__now();
    ftk_status st = ftk__feed_get(s->feed, &key, &b, reterr);
    s->seconds.data += ftk__now() - from;
    if (st < 0)
        return st;
    *ret = *b;
    ret->rng = ftk__rng_stream((uint64_t)s->x->seed, FTK__FOR_DROPOUT, member, n->t, n->reseed);
    return FTK_OK;
}

ftk_status ftk__session_step(struct ftk__session *s, const ftk_batch *b, double lr, uint32_t flags,
                             struct ftk_error *reterr)
{
    const struct ftk__optim_section *o = &s->x->optim;
    struct ftk__engine *e = s->net.engine;
    bool sgd = strcmp(s->x->optimiser.builtin->name, "sgd") == 0;
    const ftk_hyper hyper = {
        .size = sizeof(hyper),
        .flags = flags | (o->nesterov && sgd ? FTK_STEP_NESTEROV : 0),
        .step = s->net.t + 1 - s->net.optim_from,
        .lr = lr,
        .momentum = o->momentum,
        .beta2 = o->beta2,
        .eps = o->eps,
        .weight_decay = o->weight_decay,
    };
    double from = ftk__now();
    ftk__engine_begin(e);
    ftk_status st = ftk__engine_end(e, e->ops->step(e->prog, &b, &hyper), reterr);
    s->seconds.train += ftk__now() - from;
    if (st < 0)
        return st;
    bool dense = (flags & FTK_STEP_KEEP_GRAD) ||
                 s->x->topology.inactive_momentum == FTK__INACTIVE_ACCUMULATE;
    ftk__ledger_step(&s->ledger, b->count, dense);
    return FTK_OK;
}

static ftk_status diverged(const struct ftk__session *s, const ftk_stats *stats, double lr,
                           struct ftk_error *reterr)
{
    const char *name = "the loss";
    if ((uint32_t)stats->bad_node < s->net.model->n_nodes)
        name = s->net.model->nodes[stats->bad_node]->name;
    return ftk__fail_exit(reterr, FTK_ENUMERIC, FTK__EXIT_DIVERGED,
                          "diverged: a value is not finite at step %llu, layer %s (lr %g)",
                          (unsigned long long)(stats->bad_step + s->net.optim_from), name, lr);
}

ftk_status ftk__session_sync(struct ftk__session *s, double lr, ftk_stats *ret,
                             struct ftk_error *reterr)
{
    struct ftk__engine *e = s->net.engine;
    ftk_stats stats = { .size = sizeof(stats), .bad_node = -1 };
    ftk_stats *all[1] = { &stats };
    double from = ftk__now();
    ftk__engine_begin(e);
    ftk_status st = ftk__engine_end(e, e->ops->sync(e->prog, all), reterr);
    s->seconds.train += ftk__now() - from;
    if (st < 0)
        return st;
    if (stats.bad_node >= 0)
        return diverged(s, &stats, lr, reterr);
    *ret = stats;
    return FTK_OK;
}

ftk_status ftk__session_topology_changed(struct ftk__session *s, struct ftk_error *reterr)
{
    uint32_t n = s->net.model->n_layers;
    const ftk_layer *layers = ftk__topology_layers(s->net.topology);
    double *density = ftk__alloc_array(n, sizeof(*density));
    bool *dense = ftk__alloc_array(n, sizeof(*dense));
    ftk_status st = FTK_OK;
    if (!density || !dense)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory to count FLOPs");
    for (uint32_t l = 0; st >= 0 && l < n; l++)
        density[l] = (double)layers[l].nnz / (double)layers[l].n;
    if (st >= 0)
        st = ftk__ledger_kernels(s->net.engine, s->net.model, dense, reterr);
    if (st >= 0)
        ftk__ledger_densities(&s->ledger, density, dense);
    ftk__free(density);
    ftk__free(dense);
    return st;
}

/* Whose randomness the next batch is drawn with: the next TRAIN's, else that of operation i. */
static uint32_t next_member(const struct ftk__oplist *plan, uint32_t i)
{
    for (uint32_t j = i + 1; j < plan->n; j++) {
        const struct ftk__planned_op *o = &plan->v[j];
        if (o->op.code == FTK_OP_TRAIN && o->effect.steps > 0)
            return o->op.member;
        if (o->op.code == FTK_OP_INIT || o->op.code == FTK_OP_REWIND)
            break;
    }
    return plan->v[i].op.member;
}

ftk_status ftk__session_fresh_gradient(struct ftk__session *s, uint32_t i, struct ftk_error *reterr)
{
    ftk_batch batch;
    ftk_stats unused; /* a step without an update is in no epoch's loss */
    ftk_status st = ftk__session_batch(s, next_member(&s->plan, i), &batch, reterr);
    if (st >= 0)
        st = ftk__session_step(s, &batch, 0, FTK_STEP_NO_UPDATE | FTK_STEP_KEEP_GRAD, reterr);
    if (st < 0)
        return st;
    ftk__ledger_note(&s->ledger, FTK__LEDGER_FRESH_GRADIENT);
    return ftk__session_sync(s, 0, &unused, reterr);
}
