/* SPDX-License-Identifier: MIT
 * sparse/topology_cut.c - lowering the density by the prune rule: PRUNE and ramps.  Nothing grows.
 *
 * The count is always exact, whatever `ties` says: a ramp's last density is its target.
 */
#include "sparse/budget.h"
#include "sparse/topology_impl.h"
#include <inttypes.h>

/* The share of today's active weights that layers which are not exempt may keep. */
static ftk_status find_share(const struct ftk__work *w, double density, double *ret_share,
                             struct ftk_error *reterr)
{
    const struct ftk__topology *t = w->t;
    uint64_t all = t->first[t->n_layers];
    uint64_t exempt = 0, active = 0;
    for (uint32_t l = 0; l < t->n_layers; l++) {
        if (ftk__topology_exempt(t, l))
            exempt += w->layers[l].nnz;
        else
            active += w->layers[l].nnz;
    }
    uint64_t keep = ftk__budget_keep(density, all);
    if (!(density >= 0 && density <= 1))
        return ftk__fail(reterr, FTK_EINVAL, "density %g is outside 0 to 1", density);
    if (keep > active + exempt)
        return ftk__fail(reterr, FTK_ERANGE, "density %g is above the present %g", density,
                         (double)(active + exempt) / (double)all);
    if (keep < exempt)
        return ftk__fail(reterr, FTK_ERANGE, "density %g is below %g, which dense layers hold",
                         density, (double)exempt / (double)all);
    *ret_share = active ? (double)(keep - exempt) / (double)active : 0;
    return FTK_OK;
}

/* What each layer has to lose, so that the sum is exact. */
static ftk_status find_cuts(const struct ftk__work *w, double density, uint64_t *ret_k,
                            struct ftk_error *reterr)
{
    const struct ftk__topology *t = w->t;
    double share = 0;
    ftk_status st = find_share(w, density, &share, reterr);
    if (st < 0)
        return st;
    uint64_t *nnz = ftk__alloc_array(t->n_layers, sizeof(*nnz));
    double *keep = ftk__alloc_array(t->n_layers, sizeof(*keep));
    if (!nnz || !keep) {
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory to cut %" PRIu32 " layers", t->n_layers);
        goto out;
    }
    for (uint32_t l = 0; l < t->n_layers; l++) {
        nnz[l] = ftk__topology_exempt(t, l) ? 0 : w->layers[l].nnz;
        keep[l] = share;
    }
    st = ftk__budget_counts(keep, nnz, t->n_layers, ret_k, reterr);
    for (uint32_t l = 0; l < t->n_layers && st == FTK_OK; l++)
        ret_k[l] = nnz[l] - ret_k[l];
out:
    ftk__free(nnz);
    ftk__free(keep);
    return st;
}

static ftk_status cut(struct ftk__work *w, double density, bool global,
                      struct ftk__topology_report *ret, struct ftk_error *reterr)
{
    uint64_t k_all = 0;
    uint64_t *k = ftk__alloc_array(w->t->n_layers, sizeof(*k));
    if (!k)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory to cut %" PRIu32 " layers", w->t->n_layers);
    ftk_status st = find_cuts(w, density, k, reterr);
    if (st < 0)
        goto out;
    for (uint32_t l = 0; l < w->t->n_layers; l++)
        k_all += k[l];
    uint64_t nnz = ftk__topology_nnz(w->t);
    w->at.rate = nnz ? (double)k_all / (double)nnz : 0;
    st = ftk__work_prune(w, k, global, false, reterr);
    if (st == FTK_OK)
        st = ftk__work_edit(w, ret, reterr);
out:
    ftk__free(k);
    return st;
}

ftk_status ftk__topology_cut(struct ftk__topology *t, struct ftk__engine *e,
                             const struct ftk__topology_event *ev, double density, bool global,
                             struct ftk__topology_report *ret, struct ftk_error *reterr)
{
    struct ftk__work w;
    if (!t->prune.inst)
        return ftk__fail(reterr, FTK_EINVAL, "a cut needs a prune plugin");
    ftk_status st = ftk__work_init(&w, t, e, ev, reterr);
    if (st < 0)
        return st;
    /* A cut is no update and is not numbered as one, so its step keys what it draws. */
    w.stream = UINT64_C(1) << 63 | ev->step;
    st = cut(&w, density, global, ret, reterr);
    if (st < 0)
        ftk__error_context(reterr, "at the cut to density %g", density);
    ftk__work_done(&w);
    return st;
}
