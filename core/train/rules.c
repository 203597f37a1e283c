/* SPDX-License-Identifier: MIT
 * train/rules.c - the plugins of an experiment as instances, and the program they need.
 */
#include "sparse/topology.h"
#include "train/trainer.h"
#include <string.h>

static ftk_status make(const struct ftk__algo_use *use, struct ftk__instance *ret,
                       struct ftk_error *reterr)
{
    return ftk__instance_new(use->entry, use->params, ret, reterr);
}

ftk_status ftk__rules_init(const struct ftk__experiment *x, struct ftk__rules *ret,
                           struct ftk_error *reterr)
{
    struct ftk__rules r = { 0 };
    ftk_status st = make(&x->strategy, &r.strategy, reterr);
    if (st >= 0 && !x->init_builtin)
        st = make(&x->init, &r.init, reterr);
    if (st >= 0)
        st = make(&x->prune, &r.prune, reterr);
    if (st >= 0)
        st = make(&x->grow, &r.grow, reterr);
    if (st >= 0)
        st = make(&x->allot, &r.allot, reterr);
    if (st < 0)
        ftk__rules_done(&r);
    else
        *ret = r;
    return st;
}

void ftk__rules_done(struct ftk__rules *r)
{
    ftk__instance_done(&r->allot);
    ftk__instance_done(&r->grow);
    ftk__instance_done(&r->prune);
    ftk__instance_done(&r->init);
    ftk__instance_done(&r->strategy);
}

ftk_status ftk__rules_topology(const struct ftk__experiment *x, const struct ftk__model *m,
                               struct ftk__rules *r, struct ftk__arena *arena,
                               struct ftk__topology **ret, struct ftk_error *reterr)
{
    uint64_t n = x->sparsity.n_layers;
    struct ftk__density_override *o = ftk__arena_alloc(arena, n * sizeof(*o));
    if (!o)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for %llu layer densities",
                         (unsigned long long)n);
    for (uint64_t i = 0; i < n; i++) {
        o[i].match = x->sparsity.layers[i].match;
        o[i].density = x->sparsity.layers[i].density;
    }
    const struct ftk__topology_setup setup = {
        .layers = m->layers,
        .n_layers = m->n_layers,
        .seed = (uint64_t)x->seed,
        .options = &x->topology,
        .init = x->init_builtin ? NULL : &r->init,
        .prune = &r->prune,
        .grow = &r->grow,
        .allot = &r->allot,
        .overrides = o,
        .n_overrides = n,
    };
    return ftk__topology_new(&setup, ret, reterr);
}

static uint32_t optimiser_of(const struct ftk__experiment *x)
{
    const char *name = x->optimiser.builtin->name;
    if (strcmp(name, "adam") == 0)
        return FTK_OPT_ADAM;
    return strcmp(name, "adamw") == 0 ? FTK_OPT_ADAMW : FTK_OPT_SGD;
}

ftk_status ftk__train_compile(const struct ftk__experiment *x, const struct ftk__model *m,
                              uint32_t channels, struct ftk__engine *e, struct ftk_error *reterr)
{
    return ftk__train_compile_for(x, m, channels, NULL, e, reterr);
}

ftk_status ftk__train_compile_for(const struct ftk__experiment *x, const struct ftk__model *m,
                                  uint32_t channels, const char *kernels, struct ftk__engine *e,
                                  struct ftk_error *reterr)
{
    bool dense_momentum = x->topology.inactive_momentum == FTK__INACTIVE_ACCUMULATE;
    const ftk_build build = {
        .size = sizeof(build),
        .n_nodes = m->n_nodes,
        .max_batch = (uint32_t)x->data.batch,
        .optimiser = optimiser_of(x),
        .channels = channels & (FTK_CH_WEIGHT | FTK_CH_GRAD | FTK_CH_MOMENTUM),
        .members = 1,
        .flags = dense_momentum ? FTK_BUILD_DENSE_MOMENTUM : 0,
        .nodes = m->nodes,
        .kernels = kernels,
    };
    return ftk__engine_compile(e, &build, reterr);
}
