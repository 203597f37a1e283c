/* SPDX-License-Identifier: MIT
 * cli/foresee.c - densities drawn up, a backend opened, and both let go again.
 */
#include "cli/foresee.h"

#include "cli/evaluate.h"
#include "sparse/topology.h"
#include "train/mask_file.h"
#include "train/trainer.h"

/* 0: no INIT of the strategy is sparse. */
static double first_density(const struct ftk__prepared *p)
{
    for (uint32_t i = 0; i < p->ops.n; i++) {
        const ftk_op *op = &p->ops.v[i].op;
        if (op->code == FTK_OP_INIT && !(op->flags & FTK_INIT_DENSE))
            return op->density > 0 ? op->density : p->x->sparsity.density;
    }
    return 0;
}

static ftk_status densities(const struct ftk__prepared *p, struct ftk__topology *t, double density,
                            struct ftk_error *reterr)
{
    uint32_t n = p->model->n_layers;
    double *share = ftk__alloc_array(n, sizeof(*share));
    ftk_status st = share ? ftk__init_densities(p->x, p->model, t, density, share, reterr)
                          : ftk__fail(reterr, FTK_ENOMEM, "no memory for %u layers", n);
    ftk__free(share);
    return st;
}

ftk_status ftk__foresee_rule(const struct ftk__experiment *x, uint32_t i, const char **ret_path,
                             struct ftk_error *reterr)
{
    const struct {
        const char *path;
        const struct ftk__algo_use *use;
    } rules[FTK__FORESEE_RULES] = {
        { "ensemble", &x->strategy },    { "sparsity.init", &x->init },
        { "topology.prune", &x->prune }, { "topology.grow", &x->grow },
        { "topology.allot", &x->allot },
    };
    const struct ftk__algo_use *use = rules[i].use;
    struct ftk__instance made = { 0 };
    struct ftk_error why;
    *ret_path = rules[i].path;
    ftk_status st = ftk__instance_new(use->entry, use->params, &made, &why);
    ftk__instance_done(&made);
    if (st < 0)
        return ftk__fail(reterr, st, "%s plugin '%s': %s",
                         ftk__kind_name((ftk_kind)use->entry->algo->kind), use->entry->algo->name,
                         why.message);
    return FTK_OK;
}

ftk_status ftk__foresee_densities(const struct ftk__prepared *p, struct ftk_error *reterr)
{
    struct ftk__rules rules = { 0 };
    struct ftk__arena arena = { 0 };
    struct ftk__topology *t = NULL;
    double density = first_density(p);
    if (!(density > 0))
        return FTK_OK;
    ftk_status st = ftk__rules_init(p->x, &rules, reterr);
    if (st >= 0)
        st = ftk__rules_topology(p->x, p->model, &rules, &arena, &t, reterr);
    if (st >= 0)
        st = densities(p, t, density, reterr);
    ftk__topology_free(t);
    ftk__arena_done(&arena);
    ftk__rules_done(&rules);
    return st;
}

ftk_status ftk__foresee_backend(struct ftk__prepared *p, struct ftk_error *reterr)
{
    struct ftk__engine engine = { 0 };
    ftk_status st = ftk__run_engine(p, &engine, reterr);
    if (st >= 0)
        st = ftk__train_compile(p->x, p->model, 0, &engine, reterr);
    ftk__engine_close(&engine);
    return st;
}
