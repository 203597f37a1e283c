/* SPDX-License-Identifier: MIT
 * sparse/topology.c - the topology's life and what can be asked of it.
 */
#include "sparse/topology.h"
#include "base/str.h"
#include "sparse/bits.h"
#include "sparse/topology_impl.h"
#include <inttypes.h>

enum { STATE_ALIGN = 64 };

/* What a rule's kind says of it. */
static void read_ops(struct ftk__rule *r)
{
    const ftk_algo *algo = r->inst->entry->algo;
    if (algo->kind == FTK_KIND_PRUNE) {
        const ftk_prune_ops *ops = algo->ops;
        r->channels = ops->channels;
        r->count = ops->count;
        r->formula = ops->formula;
        r->score = ops->score;
        r->select = ops->select;
    } else if (algo->kind == FTK_KIND_GROW) {
        const ftk_grow_ops *ops = algo->ops;
        r->channels = ops->channels;
        r->count = ops->count;
        r->formula = ops->formula;
        r->score = ops->score;
        r->select = ops->select;
    } else if (algo->kind == FTK_KIND_INIT) {
        const ftk_init_ops *ops = algo->ops;
        r->channels = ops->channels;
        r->select = ops->select;
    } else {
        const ftk_allot_ops *ops = algo->ops;
        r->channels = ops->channels;
    }
}

static ftk_status add_rule(struct ftk__topology *t, struct ftk__rule *r, struct ftk__instance *inst,
                           enum ftk__purpose purpose, struct ftk_error *reterr)
{
    r->inst = inst;
    r->purpose = purpose;
    if (!inst)
        return FTK_OK;
    read_ops(r);
    const ftk_algo *algo = inst->entry->algo;
    if (t->options->strict && r->count == FTK_COUNT_FREE)
        return ftk__fail(reterr, FTK_EINVAL,
                         "%s rule '%s' decides itself how many weights it "
                         "takes, which topology.strict refuses",
                         ftk__kind_name((ftk_kind)algo->kind), algo->name);
    if (algo->state_bytes == 0)
        return FTK_OK;
    /* A block a layer for those that are called by layer. */
    uint64_t blocks = r->score ? t->n_layers : 1;
    r->stride = (algo->state_bytes + (uint64_t)STATE_ALIGN - 1) / STATE_ALIGN * STATE_ALIGN;
    r->state_bytes = blocks * r->stride;
    r->state = ftk__alloc(r->state_bytes);
    if (!r->state)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the state of %s rule '%s'",
                         ftk__kind_name((ftk_kind)algo->kind), algo->name);
    return FTK_OK;
}

static ftk_status add_rules(struct ftk__topology *t, const struct ftk__topology_setup *setup,
                            struct ftk_error *reterr)
{
    ftk_status st = add_rule(t, &t->init, setup->init, FTK__FOR_INIT_PLUGIN, reterr);
    if (st == FTK_OK)
        st = add_rule(t, &t->prune, setup->prune, FTK__FOR_PRUNE_PLUGIN, reterr);
    if (st == FTK_OK)
        st = add_rule(t, &t->grow, setup->grow, FTK__FOR_GROW_PLUGIN, reterr);
    if (st == FTK_OK)
        st = add_rule(t, &t->allot, setup->allot, FTK__FOR_ALLOT_PLUGIN, reterr);
    return st;
}

/* sparsity.layers by layer; of several globs that match the last one counts. */
static ftk_status match_overrides(struct ftk__topology *t, const struct ftk__topology_setup *setup,
                                  struct ftk_error *reterr)
{
    for (uint32_t l = 0; l < t->n_layers; l++)
        t->fixed[l] = -1;
    for (uint64_t i = 0; i < setup->n_overrides; i++) {
        const struct ftk__density_override *o = &setup->overrides[i];
        bool any = false;
        if (!(o->density >= 0 && o->density <= 1))
            return ftk__fail(reterr, FTK_EINVAL,
                             "density %g of '%s' in sparsity.layers is outside "
                             "0 to 1",
                             o->density, o->match);
        for (uint32_t l = 0; l < t->n_layers; l++) {
            if (!ftk__glob_match(o->match, t->layers[l].name))
                continue;
            t->fixed[l] = o->density;
            any = true;
        }
        if (!any)
            return ftk__fail(reterr, FTK_EINVAL, "'%s' in sparsity.layers matches no layer",
                             o->match);
    }
    return FTK_OK;
}

/* All channels that any rule reads, the core's own included. */
static uint32_t rule_channels(const struct ftk__topology *t)
{
    return t->init.channels | t->prune.channels | t->grow.channels | t->allot.channels;
}

static ftk_status add_arrays(struct ftk__topology *t, const struct ftk__topology_setup *setup,
                             struct ftk_error *reterr)
{
    const uint32_t n = setup->n_layers;
    t->layers = ftk__alloc_array(n, sizeof(*t->layers));
    t->first = ftk__alloc_array((uint64_t)n + 1, sizeof(*t->first));
    t->target = ftk__alloc_array(n, sizeof(*t->target));
    t->fixed = ftk__alloc_array(n, sizeof(*t->fixed));
    if (!t->layers || !t->first || !t->target || !t->fixed)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for a topology of %" PRIu32 " layers", n);
    for (uint32_t l = 0; l < n; l++) {
        t->layers[l] = setup->layers[l];
        t->layers[l].nnz = t->layers[l].n;
        t->layers[l].density_target = 0;
        t->first[l + 1] = t->first[l] + t->layers[l].n;
    }
    t->fired = ftk__alloc_array(ftk__bits_words(t->first[n]), sizeof(*t->fired));
    if (rule_channels(t) & FTK_CH_AGE)
        t->born = ftk__alloc_array(t->first[n], sizeof(*t->born));
    if (!t->fired || (!t->born && (rule_channels(t) & FTK_CH_AGE)))
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for a topology of %" PRIu64 " weights",
                         t->first[n]);
    return FTK_OK;
}

ftk_status ftk__topology_new(const struct ftk__topology_setup *setup, struct ftk__topology **ret,
                             struct ftk_error *reterr)
{
    struct ftk__topology *t = ftk__alloc(sizeof(*t));
    if (!t)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for a topology");
    t->options = setup->options;
    t->seed = setup->seed;
    t->n_layers = setup->n_layers;
    ftk_status st = add_rules(t, setup, reterr);
    if (st == FTK_OK)
        st = add_arrays(t, setup, reterr);
    if (st == FTK_OK)
        st = match_overrides(t, setup, reterr);
    if (st < 0) {
        ftk__topology_free(t);
        return st;
    }
    *ret = t;
    return FTK_OK;
}

void ftk__topology_free(struct ftk__topology *t)
{
    if (!t)
        return;
    ftk__free(t->init.state);
    ftk__free(t->prune.state);
    ftk__free(t->grow.state);
    ftk__free(t->allot.state);
    ftk__free(t->layers);
    ftk__free(t->first);
    ftk__free(t->target);
    ftk__free(t->fixed);
    ftk__free(t->fired);
    ftk__free(t->born);
    ftk__free(t);
}

uint32_t ftk__topology_channels(const struct ftk__topology *t)
{
    uint32_t channels = rule_channels(t) & FTK__CH_BACKEND;
    /* The published threshold drops weights that are exactly 0. */
    if (t->options->ties == FTK__TIES_THRESHOLD)
        channels |= FTK_CH_WEIGHT;
    return channels;
}

bool ftk__topology_wants_grad(const struct ftk__topology *t)
{
    uint32_t channels = t->prune.channels | t->grow.channels | t->allot.channels;
    return t->options->enabled && (channels & FTK_CH_GRAD);
}

bool ftk__topology_cut_wants_grad(const struct ftk__topology *t)
{
    return t->prune.channels & FTK_CH_GRAD;
}

uint32_t ftk__topology_init_channels(const struct ftk__topology *t)
{
    return t->init.channels;
}

const ftk_layer *ftk__topology_layers(const struct ftk__topology *t)
{
    return t->layers;
}

uint64_t ftk__topology_nnz(const struct ftk__topology *t)
{
    uint64_t nnz = 0;
    for (uint32_t l = 0; l < t->n_layers; l++)
        nnz += t->layers[l].nnz;
    return nnz;
}

static double share_of_all(const struct ftk__topology *t, uint64_t n)
{
    uint64_t all = t->first[t->n_layers];
    return all ? (double)n / (double)all : 0;
}

double ftk__topology_density(const struct ftk__topology *t)
{
    return share_of_all(t, ftk__topology_nnz(t));
}

double ftk__topology_explored(const struct ftk__topology *t)
{
    return share_of_all(t, ftk__bits_count(t->fired, t->first[t->n_layers]));
}

uint64_t ftk__topology_updates(const struct ftk__topology *t)
{
    return t->updates;
}

uint32_t ftk__topology_arrays(struct ftk__topology *t, struct ftk__topology_array *ret,
                              uint32_t cap)
{
    const uint64_t all = t->first[t->n_layers];
    const struct ftk__topology_array list[] = {
        { "updates", &t->updates, sizeof(t->updates) },
        { "density_target", t->target, t->n_layers * sizeof(*t->target) },
        { "fired", t->fired, ftk__bits_words(all) * sizeof(*t->fired) },
        { "age", t->born, t->born ? all * sizeof(*t->born) : 0 },
        { "state.init", t->init.state, t->init.state_bytes },
        { "state.prune", t->prune.state, t->prune.state_bytes },
        { "state.grow", t->grow.state, t->grow.state_bytes },
        { "state.allot", t->allot.state, t->allot.state_bytes },
    };
    uint32_t n = 0;
    for (uint32_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        if (!list[i].data)
            continue;
        if (n < cap)
            ret[n] = list[i];
        n++;
    }
    return n;
}

ftk_status ftk__topology_sync(struct ftk__topology *t, struct ftk__engine *e,
                              struct ftk_error *reterr)
{
    for (uint32_t l = 0; l < t->n_layers; l++) {
        uint64_t nnz;
        ftk_status st = ftk__topology_mark(t, e, l, &nnz, reterr);
        if (st < 0)
            return st;
        t->layers[l].nnz = nnz;
        t->layers[l].density_target = t->target[l];
    }
    return FTK_OK;
}
