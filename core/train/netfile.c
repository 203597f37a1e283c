/* SPDX-License-Identifier: MIT
 * train/netfile.c - the live network to and from a checkpoint.
 */
#include "train/netfile.h"

#include "base/str.h"
#include "train/snapshot_impl.h"

/* A backend may have to seek for each piece, so these are not small; a MiB is still nothing. */
enum { PIECE = 256 * 1024 };

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for a checkpoint");
}

/* ---- the live network out -------------------------------------------------------------------- */

static ftk_status write_mask(struct ftk__network *n, const char *prefix, uint32_t layer,
                             struct ftk__ftc_writer *w, struct ftk_error *reterr)
{
    struct ftk__mask_out out;
    struct ftk__engine *e = n->engine;
    uint64_t nnz = ftk__topology_layers(n->topology)[layer].nnz;
    uint64_t cursor = 0;
    uint64_t seen = 0;
    ftk_status st = ftk__mask_out_begin(&out, n, prefix, layer, nnz, w, reterr);
    while (st >= 0) {
        ftk_cand c = { .size = sizeof(c) };
        ftk__engine_begin(e);
        st = e->ops->read_active(e->prog, layer, 0, 64 * 1024, &cursor, &c);
        st = ftk__engine_end(e, st, reterr);
        if (st < 0 || c.count == 0)
            break;
        ftk__mask_out_add(&out, c.index, c.count);
        seen += c.count;
    }
    if (st >= 0 && seen != nnz)
        st = ftk__fail(reterr, FTK_EINTERNAL, "layer %s has %llu active weights, not %llu",
                       n->model->layers[layer].name, (unsigned long long)seen,
                       (unsigned long long)nnz);
    if (st >= 0)
        ftk__mask_out_end(&out);
    return st;
}

struct tensors_out {
    struct ftk__ftc_writer *w;
    const char *prefix;
    float *piece; // [PIECE]
    uint64_t count;
};

static ftk_status write_tensor(struct ftk__network *n, uint32_t index, const ftk_tensor *t,
                               void *arg, struct ftk_error *reterr)
{
    struct tensors_out *o = arg;
    struct ftk__engine *e = n->engine;
    char name[FTK__NETFILE_NAME];
    ftk_status st = ftk__netfile_name(n->model, o->prefix, t, name, reterr);
    if (st < 0)
        return st;
    ftk__ftc_begin(o->w, name, FTK__FTC_F32, t->n);
    for (uint64_t from = 0; from < t->n && st >= 0;) {
        uint64_t count = t->n - from < PIECE ? t->n - from : PIECE;
        ftk__engine_begin(e);
        st = ftk__engine_end(e, e->ops->get(e->prog, index, from, count, o->piece), reterr);
        if (st >= 0)
            ftk__ftc_put(o->w, o->piece, count * sizeof(*o->piece));
        from += count;
    }
    o->count++;
    return st;
}

ftk_status ftk__network_write(struct ftk__network *n, const char *prefix, struct ftk__ftc_writer *w,
                              struct ftk_error *reterr)
{
    struct ftk__topology_array live[FTK__TOPOLOGY_ARRAYS];
    struct tensors_out out = { .w = w, .prefix = prefix };
    ftk_status st = FTK_OK;
    out.piece = ftk__alloc_array(PIECE, sizeof(*out.piece));
    if (!out.piece)
        return no_memory(reterr);
    for (uint32_t l = 0; l < n->model->n_layers && st >= 0; l++)
        st = write_mask(n, prefix, l, w, reterr);
    if (st >= 0)
        st = ftk__network_each_tensor(n, write_tensor, &out, reterr);
    ftk__free(out.piece);
    if (st < 0)
        return st;
    uint32_t n_arrays = ftk__topology_arrays(n->topology, live, FTK__TOPOLOGY_ARRAYS);
    for (uint32_t i = 0; i < n_arrays; i++) {
        char what[FTK__NETFILE_NAME];
        ftk__format(what, sizeof(what), "topology.%s", live[i].name);
        ftk__netfile_put(w, prefix, what, FTK__FTC_U8, live[i].bytes, live[i].bytes, live[i].data);
    }
    const struct ftk__net_counters c = { n->t, n->optim_from, n->reseed, out.count };
    ftk__netfile_put(w, prefix, "counters", FTK__FTC_U64, sizeof(c) / 8, sizeof(c), &c);
    return st;
}

/* ---- the live network in --------------------------------------------------------------------- */

static const char other_length[] = "has another length than this network's";

struct tensors_in {
    const struct ftk__ftc_file *f;
    const char *prefix;
    uint64_t count;
};

/* Of a layer's active entries where the program wants all, or the other way round: another backend
 * wrote it. */
static ftk_status put_other_form(struct ftk__network *n, const ftk_tensor *t, const float *v,
                                 const struct ftk__ftc_array *a, const struct ftk__ftc_file *f,
                                 struct ftk_error *reterr)
{
    uint32_t layer = ftk__network_layer_of(n, t->node, t->role);
    if (layer == UINT32_MAX) /* which has no other form */
        return ftk__netfile_refuse(f, a->name, other_length, reterr);
    uint64_t all_n = n->model->layers[layer].n;
    uint64_t *active;
    uint64_t n_active;
    ftk_status st = ftk__engine_active(n->engine, layer, &active, &n_active, reterr);
    if (st < 0)
        return st;
    if (a->n != all_n && a->n != n_active)
        st = ftk__netfile_refuse(f, a->name, other_length, reterr);
    else if (a->n == all_n)
        st = ftk__network_put_dense(n, t->node, t->role, v, reterr);
    else {
        float *all = ftk__alloc_array(all_n, sizeof(*all));
        for (uint64_t i = 0; all && i < n_active; i++)
            all[active[i]] = v[i];
        st = all ? ftk__network_put_dense(n, t->node, t->role, all, reterr) : no_memory(reterr);
        ftk__free(all);
    }
    ftk__free(active);
    return st;
}

static ftk_status read_tensor(struct ftk__network *n, uint32_t index, const ftk_tensor *t,
                              void *arg, struct ftk_error *reterr)
{
    struct tensors_in *in = arg;
    const struct ftk__ftc_array *a;
    ftk_status st = ftk__netfile_find(n->model, in->prefix, in->f, t, &a, reterr);
    if (st < 0)
        return st;
    float *v = ftk__alloc_array(a->n, sizeof(*v));
    st = v ? ftk__ftc_read(in->f, a, 0, a->n, v, reterr) : no_memory(reterr);
    if (st >= 0 && a->n == t->n)
        st = ftk__engine_put(n->engine, index, t->n, v, reterr);
    else if (st >= 0)
        st = put_other_form(n, t, v, a, in->f, reterr);
    ftk__free(v);
    in->count++;
    return st;
}

static ftk_status read_topology(struct ftk__network *n, const char *prefix,
                                const struct ftk__ftc_file *f, struct ftk_error *reterr)
{
    struct ftk__topology_array live[FTK__TOPOLOGY_ARRAYS];
    uint32_t n_arrays = ftk__topology_arrays(n->topology, live, FTK__TOPOLOGY_ARRAYS);
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < n_arrays && st >= 0; i++) {
        char what[FTK__NETFILE_NAME];
        ftk__format(what, sizeof(what), "topology.%s", live[i].name);
        st = ftk__netfile_exact(f, prefix, what, FTK__FTC_U8, live[i].bytes, live[i].data, reterr);
    }
    return st < 0 ? st : ftk__topology_sync(n->topology, n->engine, reterr);
}

ftk_status ftk__network_read(struct ftk__network *n, const char *prefix,
                             const struct ftk__ftc_file *f, struct ftk_error *reterr)
{
    struct ftk__net_counters c;
    struct tensors_in in = { .f = f, .prefix = prefix };
    ftk_status st =
        ftk__netfile_exact(f, prefix, "counters", FTK__FTC_U64, sizeof(c) / 8, &c, reterr);
    for (uint32_t l = 0; l < n->model->n_layers && st >= 0; l++) {
        uint64_t *active;
        uint64_t n_active;
        st = ftk__netfile_mask(n->model, prefix, f, l, &active, &n_active, reterr);
        if (st < 0)
            return st;
        st = ftk__network_mask(n, l, active, n_active, reterr);
        ftk__free(active);
    }
    if (st >= 0)
        st = ftk__network_each_tensor(n, read_tensor, &in, reterr);
    if (st >= 0 && in.count != c.tensors)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                            "%s: %s has %llu arrays, this backend %llu", f->path, prefix,
                            (unsigned long long)c.tensors, (unsigned long long)in.count);
    if (st >= 0)
        st = read_topology(n, prefix, f, reterr);
    if (st < 0)
        return st;
    n->t = c.t;
    n->optim_from = c.optim_from;
    n->reseed = (uint32_t)c.reseed;
    return FTK_OK;
}
