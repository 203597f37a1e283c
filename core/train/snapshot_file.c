/* SPDX-License-Identifier: MIT
 * train/snapshot_file.c - copies of a network to and from a checkpoint.
 */
#include "base/str.h"
#include "train/netfile.h"
#include "train/snapshot_impl.h"

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for a copy of the network");
}

static void array_name(char ret[FTK__NETFILE_NAME], const struct ftk__topology_array *a)
{
    ftk__format(ret, FTK__NETFILE_NAME, "topology.%s", a->name);
}

ftk_status ftk__snapshot_write(const struct ftk__snapshot *s, struct ftk__network *n,
                               const char *prefix, struct ftk__ftc_writer *w,
                               struct ftk_error *reterr)
{
    struct ftk__topology_array live[FTK__TOPOLOGY_ARRAYS];
    char name[FTK__NETFILE_NAME];
    ftk_status st = FTK_OK;
    for (uint32_t l = 0; l < s->n_layers && st >= 0; l++) {
        struct ftk__mask_out out;
        st = ftk__mask_out_begin(&out, n, prefix, l, s->mask[l].n, w, reterr);
        if (st < 0)
            return st;
        ftk__mask_out_add(&out, s->mask[l].active, s->mask[l].n);
        ftk__mask_out_end(&out);
    }
    for (uint32_t i = 0; i < s->n_tensors && st >= 0; i++) {
        const struct ftk__kept_tensor *k = &s->tensor[i];
        st = ftk__netfile_name(n->model, prefix, &k->tensor, name, reterr);
        if (st < 0)
            return st;
        ftk__ftc_begin(w, name, FTK__FTC_F32, k->tensor.n);
        ftk__ftc_put(w, k->v, k->tensor.n * sizeof(*k->v));
    }
    ftk__topology_arrays(n->topology, live, FTK__TOPOLOGY_ARRAYS); /* their lengths stay */
    for (uint32_t i = 0; i < s->n_arrays; i++) {
        array_name(name, &live[i]);
        ftk__netfile_put(w, prefix, name, FTK__FTC_U8, live[i].bytes, live[i].bytes, s->array[i]);
    }
    const struct ftk__net_counters c = { s->t, s->optim_from, s->reseed, s->n_tensors };
    ftk__netfile_put(w, prefix, "counters", FTK__FTC_U64, sizeof(c) / 8, sizeof(c), &c);
    return FTK_OK;
}

/* ---- and back -------------------------------------------------------------------------------- */

struct reading {
    const struct ftk__ftc_file *f;
    const char *prefix;
    struct ftk__snapshot *s;
};

static ftk_status read_masks(struct ftk__network *n, const struct reading *r,
                             struct ftk_error *reterr)
{
    struct ftk__snapshot *s = r->s;
    ftk_status st = FTK_OK;
    s->n_layers = n->model->n_layers;
    s->mask = ftk__alloc_array(s->n_layers, sizeof(*s->mask));
    if (!s->mask)
        return no_memory(reterr);
    for (uint32_t l = 0; l < s->n_layers && st >= 0; l++)
        st = ftk__netfile_mask(n->model, r->prefix, r->f, l, &s->mask[l].active, &s->mask[l].n,
                               reterr);
    return st;
}

/* What the live program calls by that node and role, as long as it was in the copy. */
static ftk_status read_tensor(struct ftk__network *n, uint32_t index, const ftk_tensor *t,
                              void *arg, struct ftk_error *reterr)
{
    const struct reading *r = arg;
    struct ftk__snapshot *s = r->s;
    uint32_t layer = ftk__network_layer_of(n, t->node, t->role);
    const struct ftk__ftc_array *a;
    (void)index;
    ftk_status st = ftk__netfile_find(n->model, r->prefix, r->f, t, &a, reterr);
    if (st < 0)
        return st;
    bool fits = layer == UINT32_MAX ? a->n == t->n
                                    : a->n == s->mask[layer].n || a->n == n->model->layers[layer].n;
    if (!fits)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: array '%s' has another length than this network's", r->f->path,
                              a->name);
    struct ftk__kept_tensor *more =
        ftk__realloc_array(s->tensor, s->n_tensors, s->n_tensors + 1, sizeof(*more));
    if (!more)
        return no_memory(reterr);
    s->tensor = more;
    struct ftk__kept_tensor *k = &s->tensor[s->n_tensors++];
    k->tensor = *t;
    k->tensor.n = a->n;
    k->v = ftk__alloc_array(a->n, sizeof(*k->v));
    return k->v ? ftk__ftc_read(r->f, a, 0, a->n, k->v, reterr) : no_memory(reterr);
}

static ftk_status read_topology(struct ftk__network *n, const struct reading *r,
                                struct ftk_error *reterr)
{
    struct ftk__topology_array live[FTK__TOPOLOGY_ARRAYS];
    struct ftk__snapshot *s = r->s;
    char name[FTK__NETFILE_NAME];
    ftk_status st = FTK_OK;
    s->n_arrays = ftk__topology_arrays(n->topology, live, FTK__TOPOLOGY_ARRAYS);
    s->array = ftk__alloc_array(s->n_arrays, sizeof(*s->array));
    if (!s->array)
        return no_memory(reterr);
    for (uint32_t i = 0; i < s->n_arrays && st >= 0; i++) {
        s->array[i] = ftk__alloc(live[i].bytes);
        array_name(name, &live[i]);
        st = s->array[i] ? ftk__netfile_exact(r->f, r->prefix, name, FTK__FTC_U8, live[i].bytes,
                                              s->array[i], reterr)
                         : no_memory(reterr);
    }
    return st;
}

static ftk_status read_counters(const struct reading *r, struct ftk_error *reterr)
{
    struct ftk__net_counters c;
    struct ftk__snapshot *s = r->s;
    ftk_status st =
        ftk__netfile_exact(r->f, r->prefix, "counters", FTK__FTC_U64, sizeof(c) / 8, &c, reterr);
    if (st >= 0 && c.tensors != s->n_tensors)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                            "%s: %s has %llu arrays, this backend %u", r->f->path, r->prefix,
                            (unsigned long long)c.tensors, s->n_tensors);
    if (st < 0)
        return st;
    s->t = c.t;
    s->optim_from = c.optim_from;
    s->reseed = (uint32_t)c.reseed;
    return FTK_OK;
}

ftk_status ftk__snapshot_read(struct ftk__network *n, const char *prefix,
                              const struct ftk__ftc_file *f, struct ftk__snapshot **ret,
                              struct ftk_error *reterr)
{
    struct reading r = { .f = f, .prefix = prefix, .s = ftk__alloc(sizeof(*r.s)) };
    if (!r.s)
        return no_memory(reterr);
    ftk_status st = read_masks(n, &r, reterr);
    if (st >= 0)
        st = ftk__network_each_tensor(n, read_tensor, &r, reterr);
    if (st >= 0)
        st = read_topology(n, &r, reterr);
    if (st >= 0)
        st = read_counters(&r, reterr);
    if (st < 0)
        ftk__snapshot_free(r.s);
    else
        *ret = r.s;
    return st;
}
