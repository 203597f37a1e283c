/* SPDX-License-Identifier: MIT
 * sparse/topology_edit.c - the end of an update: one edit a layer, and what the core keeps of it.
 */
#include "sparse/topology_impl.h"
#include <inttypes.h>

/* Takes out of both lists what is in both: those weights stay as they are. */
static void keep_regrown(struct ftk__picked *drop, struct ftk__picked *add)
{
    uint64_t i = 0, j = 0, n_drop = 0, n_add = 0;
    while (i < drop->n || j < add->n) {
        bool in_drop = i < drop->n && (j == add->n || drop->index[i] <= add->index[j]);
        bool in_add = j < add->n && (i == drop->n || add->index[j] <= drop->index[i]);
        if (in_drop && !in_add)
            drop->index[n_drop++] = drop->index[i];
        if (in_add && !in_drop)
            add->index[n_add++] = add->index[j];
        i += in_drop;
        j += in_add;
    }
    drop->n = n_drop;
    add->n = n_add;
}

static ftk_status edit_layer(struct ftk__work *w, uint32_t layer, struct ftk_error *reterr)
{
    struct ftk__topology *t = w->t;
    struct ftk__engine *e = w->engine;
    const struct ftk__picked *drop = &w->drop[layer].picked;
    const struct ftk__picked *add = &w->add[layer];
    if (drop->n == 0 && add->n == 0)
        return FTK_OK;
    ftk_change c = { .size = sizeof(c),
                     .drop = drop->index,
                     .n_drop = drop->n,
                     .add = add->index,
                     .n_add = add->n };
    if (t->options->grown_momentum == FTK__MOMENTUM_KEEP)
        c.flags |= FTK_EDIT_KEEP_MOMENTUM;
    ftk__engine_begin(e);
    ftk_status st = e->ops->edit(e->prog, layer, &c);
    st = ftk__engine_end(e, st, reterr);
    if (st < 0)
        return st;
    uint64_t wanted = t->layers[layer].nnz - drop->n + add->n;
    uint64_t nnz = 0;
    ftk__topology_fire(t, layer, add->index, add->n, t->updates + 1);
    st = ftk__topology_mark(t, e, layer, &nnz, reterr);
    if (st < 0)
        return st;
    t->layers[layer].nnz = nnz;
    if (nnz != wanted)
        return ftk__fail(reterr, FTK_EINTERNAL,
                         "layer %s has %" PRIu64 " active weights after its edit, not %" PRIu64,
                         t->layers[layer].name, nnz, wanted);
    return FTK_OK;
}

ftk_status ftk__work_edit(struct ftk__work *w, struct ftk__topology_report *ret,
                          struct ftk_error *reterr)
{
    struct ftk__topology *t = w->t;
    struct ftk__topology_report report = { .limited = w->limited };
    for (uint32_t l = 0; l < t->n_layers; l++) {
        report.dropped += w->drop[l].picked.n;
        report.grown += w->add[l].n;
        if (t->options->grown_value == FTK__GROWN_KEEP_IF_REGROWN)
            keep_regrown(&w->drop[l].picked, &w->add[l]);
    }
    for (uint32_t l = 0; l < t->n_layers; l++) {
        ftk_status st = edit_layer(w, l, reterr);
        if (st < 0)
            return st;
    }
    report.nnz = ftk__topology_nnz(t);
    *ret = report;
    return FTK_OK;
}
