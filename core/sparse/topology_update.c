/* SPDX-License-Identifier: MIT
 * sparse/topology_update.c - one topology update: prune, allot, grow, edit.
 */
#include "sparse/budget.h"
#include "sparse/topology_grow.h"
#include "sparse/topology_impl.h"
#include <inttypes.h>

/* How many weights each layer is to lose; at network scope the sum counts, shared out in
 * proportion for rules that want a budget by layer. */
static ftk_status find_k(struct ftk__work *w, double rate, uint64_t *nnz, uint64_t *ret_k,
                         struct ftk_error *reterr)
{
    const struct ftk__topology *t = w->t;
    const struct ftk__topology_options *o = t->options;
    uint64_t active = 0, room = 0;
    uint32_t limited = 0;
    for (uint32_t l = 0; l < t->n_layers; l++) {
        const ftk_layer *layer = &w->layers[l];
        bool exempt = ftk__topology_exempt(t, l);
        nnz[l] = exempt ? 0 : layer->nnz;
        uint64_t free_here = exempt ? 0 : layer->n - layer->nnz;
        bool less;
        ret_k[l] = ftk__budget_update(o, rate, nnz[l], free_here, &less);
        limited += less;
        active += nnz[l];
        room += free_here;
    }
    w->limited = limited;
    if (o->scope == FTK__SCOPE_LAYER)
        return FTK_OK;
    bool less;
    uint64_t k = ftk__budget_update(o, rate, active, room, &less);
    w->limited = less;
    return ftk__work_apportion(w, k, nnz, ret_k, reterr);
}

static ftk_status prune(struct ftk__work *w, double rate, struct ftk_error *reterr)
{
    const struct ftk__topology_options *o = w->t->options;
    uint64_t *nnz = ftk__alloc_array(w->t->n_layers, sizeof(*nnz));
    uint64_t *k = ftk__alloc_array(w->t->n_layers, sizeof(*k));
    ftk_status st = FTK_OK;
    if (!nnz || !k)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the budgets of an update");
    if (st == FTK_OK)
        st = find_k(w, rate, nnz, k, reterr);
    if (st == FTK_OK)
        st = ftk__work_prune(w, k, o->scope == FTK__SCOPE_NETWORK, o->ties == FTK__TIES_THRESHOLD,
                             reterr);
    ftk__free(nnz);
    ftk__free(k);
    return st;
}

static ftk_status check_event(const struct ftk__topology *t, const struct ftk__topology_event *ev,
                              struct ftk_error *reterr)
{
    if (!t->prune.inst || !t->grow.inst)
        return ftk__fail(reterr, FTK_EINVAL, "a topology update needs a prune and a grow plugin");
    if (!(ev->rate >= 0 && ev->rate <= 1))
        return ftk__fail(reterr, FTK_EINVAL, "topology rate %g is outside 0 to 1", ev->rate);
    return FTK_OK;
}

ftk_status ftk__topology_update(struct ftk__topology *t, struct ftk__engine *e,
                                const struct ftk__topology_event *ev,
                                struct ftk__topology_report *ret, struct ftk_error *reterr)
{
    struct ftk__work w;
    if (!t->options->enabled) {
        *ret = (struct ftk__topology_report){ .nnz = ftk__topology_nnz(t) };
        return FTK_OK;
    }
    ftk_status st = check_event(t, ev, reterr);
    if (st < 0)
        return st;
    st = ftk__work_init(&w, t, e, ev, reterr);
    if (st < 0)
        return st;
    st = prune(&w, ev->rate, reterr);
    if (st == FTK_OK)
        st = ftk__work_grow(&w, reterr);
    if (st == FTK_OK)
        st = ftk__work_edit(&w, ret, reterr);
    if (st == FTK_OK)
        t->updates++;
    else
        ftk__error_context(reterr, "at topology update %" PRIu64, t->updates + 1);
    ftk__work_done(&w);
    return st;
}
