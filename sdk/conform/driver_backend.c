/* SPDX-License-Identifier: MIT
 * conform/driver_backend.c - a backend's calls as one series: a device opened, a small network
 * compiled, masked, trained, read, edited, copied out, released and closed.
 */
#include "conform/backend_calls.h"
#include "conform/driver.h"
#include <string.h>

enum { BATCH = 3, CLASSES = 4, ACTIVE = 6, STEPS = 2 };

struct series {
    struct ftk__bk bk;
    const struct ftk__how *how;
    struct ftk__blob *ret; /* NULL: nobody asks                            */
    struct ftk__bk_graph g;
    ftk_prog *p;
    ftk_status st; /* of the first call that failed                */
    uint32_t mark;
};

static void put(struct series *s, enum ftk__blob_type type, const void *v, uint64_t n,
                const char *name)
{
    if (s->ret)
        ftk__blob_put(s->ret, type, v, n, "%s", name);
}

static void *in_struct(struct series *s, const char *name, const void *from, uint32_t size)
{
    return ftk__kit_struct(name, from, size, s->how, false);
}

static void *in_array(struct series *s, const char *name, const void *from, uint64_t bytes,
                      uint32_t align)
{
    void *p = ftk__guard_new(name, bytes, align, s->how->side, 0);
    if (bytes > 0)
        memcpy(p, from, bytes);
    ftk__guard_read_only(p);
    return p;
}

static void *out_array(struct series *s, const char *name, uint64_t bytes, uint32_t align)
{
    return ftk__guard_new(name, bytes, align, s->how->side, s->how->fill);
}

static void before(struct series *s)
{
    s->mark = ftk__guard_mark();
    if (s->how->between)
        s->how->between(s->bk.c, s->how->between_arg);
}

/* Buffers of the call go; false where the series ends here. */
static bool after(struct series *s, const char *call, ftk_status st)
{
    if (!s->how->keep)
        ftk__guard_release(s->mark);
    if (st >= 0)
        return true;
    if (!s->how->may_fail)
        ftk__bk_must(&s->bk, call, st);
    s->st = st;
    return false;
}

/* ---- device and program ------------------------------------------------------------------------ */

static bool open_device(struct series *s)
{
    struct ftk__bk *bk = &s->bk;
    ftk_open o = ftk__bk_options(bk->c);
    before(s);
    ftk_device d = { .size = sizeof(d) };
    ftk_device *ret = ftk__kit_struct("device", &d, sizeof(d), s->how, true);
    ftk__kit_begin(bk->host);
    ftk_status st = ftk__kit_end(bk->c, bk->host, "probe", true,
                                 bk->ops->probe(bk->host->table, o.device, ret));
    if (st == FTK_DONE)
        ftk__kit_skip(bk->c, "there is no device %u", o.device);
    if (st >= 0 && ret->score <= 0)
        ftk__kit_skip(bk->c, "device %u: %.127s", o.device, ret->reason);
    bk->caps = ret->caps;
    bk->precision = o.precision;
    if (!after(s, "probe", st))
        return false;
    before(s);
    o.isa = in_array(s, "isa", o.isa, strlen(o.isa) + 1, 1);
    const ftk_open *open = in_struct(s, "open", &o, sizeof(o));
    st = FTK__TRY(bk, open, bk->host->table, bk->params, open, &bk->dev);
    if (st < 0)
        bk->dev = NULL;
    return after(s, "open", st);
}

/* Nodes, their names and the list: all of them the caller's again. */
static const ftk_node *const *lend_nodes(struct series *s)
{
    const ftk_node *list[FTK__BK_NODES];
    for (uint32_t i = 0; i < s->g.n_nodes; i++) {
        ftk_node n = s->g.node[i];
        n.name = in_array(s, "node name", n.name, strlen(n.name) + 1, 1);
        list[i] = in_struct(s, "node", &n, sizeof(n));
    }
    return in_array(s, "nodes", list, s->g.n_nodes * sizeof(*list), 8);
}

static bool compile(struct series *s)
{
    struct ftk__bk *bk = &s->bk;
    ftk__bk_net(&s->g, true);
    before(s);
    ftk_build b = ftk__bk_build(&s->g, BATCH, 0);
    b.nodes = lend_nodes(s);
    const ftk_build *build = in_struct(s, "build", &b, sizeof(b));
    ftk_status st = FTK__TRY(bk, compile, bk->dev, build, &s->p);
    if (st < 0)
        s->p = NULL;
    return after(s, "compile", st);
}

static bool mask_layers(struct series *s)
{
    static const uint64_t active[ACTIVE] = { 0, 1, 5, 8, 11, 20 };
    bool ok = true;
    for (uint32_t l = 0; l < s->g.n_sparse && ok; l++) {
        before(s);
        const uint64_t *lent = in_array(s, "active", active, sizeof(active), 8);
        ok = after(s, "mask", FTK__TRY(&s->bk, mask, s->p, l, lent, ACTIVE));
    }
    return ok;
}

static bool tensor_at(struct series *s, uint32_t i, ftk_tensor *ret, bool *ret_done)
{
    struct ftk__bk *bk = &s->bk;
    before(s);
    const ftk_tensor empty = { .size = sizeof(empty) };
    ftk_tensor *t = ftk__kit_struct("tensor", &empty, sizeof(empty), s->how, true);
    ftk__kit_begin(bk->host);
    ftk_status st = ftk__kit_end(bk->c, bk->host, "tensor", true, bk->ops->tensor(s->p, i, t));
    *ret = *t;
    *ret_done = st == FTK_DONE;
    return after(s, "tensor", st);
}

/* Every array: what a hash of place and number gives, so that nothing is 0. */
static bool put_arrays(struct series *s)
{
    ftk_tensor t;
    bool done;
    for (uint32_t i = 0; tensor_at(s, i, &t, &done); i++) {
        if (done)
            return true;
        float *v = ftk__kit_alloc(s->bk.c, t.n, sizeof(*v));
        for (uint64_t k = 0; k < t.n; k++)
            v[k] = t.role == FTK_TENSOR_BN_VAR ? 1.0f : (float)((k * 7 + i * 3) % 11) / 8.0f - 0.5f;
        before(s);
        const float *lent = in_array(s, "array put", v, t.n * sizeof(*v), 4);
        if (!after(s, "put", FTK__TRY(&s->bk, put, s->p, i, 0, t.n, lent)))
            return false;
    }
    return false;
}

static bool get_arrays(struct series *s)
{
    ftk_tensor t;
    bool done;
    for (uint32_t i = 0; tensor_at(s, i, &t, &done); i++) {
        if (done)
            return true;
        before(s);
        float *v = out_array(s, "array got", t.n * sizeof(*v), 4);
        ftk_status st = FTK__TRY(&s->bk, get, s->p, i, 0, t.n, v);
        if (st >= 0)
            put(s, FTK__BLOB_F32, v, t.n, "array of get()");
        if (!after(s, "get", st))
            return false;
    }
    return false;
}

/* ---- batches ----------------------------------------------------------------------------------- */

static const ftk_batch *const *lend_batch(struct series *s, uint32_t count, uint64_t seed)
{
    const struct ftk__bk_batch *b = ftk__bk_batch(s->bk.c, &s->g, count, seed);
    ftk_batch copy = b->b;
    copy.x = in_array(s, "images", b->x, count * ftk__bk_floats(&s->g.node[0]) * sizeof(float), 4);
    copy.y = in_array(s, "labels", b->y, count * sizeof(*b->y), 4);
    const ftk_batch *list[1] = { in_struct(s, "batch", &copy, sizeof(copy)) };
    return in_array(s, "batches", list, sizeof(list), 8);
}

static bool train(struct series *s)
{
    for (uint32_t i = 0; i < STEPS; i++) {
        before(s);
        ftk_hyper h = ftk__bk_hyper(0.05, 0.9, 0.01, i > 0 ? FTK_STEP_KEEP_GRAD : 0);
        h.step = i + 1;
        uint32_t count = s->how->provoke ? BATCH + 1 : BATCH - i;
        const ftk_hyper *hy = in_struct(s, "hyper", &h, sizeof(h));
        const ftk_batch *const *list = lend_batch(s, count, i + s->how->stream);
        if (!after(s, "step", FTK__TRY(&s->bk, step, s->p, list, hy)))
            return false;
    }
    return true;
}

static bool predict(struct series *s)
{
    before(s);
    float *z = out_array(s, "logits", BATCH * CLASSES * sizeof(*z), 4);
    ftk_status st = FTK__TRY(&s->bk, predict, s->p, lend_batch(s, BATCH, 5), z);
    if (st >= 0)
        put(s, FTK__BLOB_F32, z, BATCH * CLASSES, "logits of predict()");
    return after(s, "predict", st);
}

static bool grad_input(struct series *s)
{
    uint64_t n = BATCH * ftk__bk_floats(&s->g.node[0]);
    before(s);
    float *dx = out_array(s, "input gradient", n * sizeof(*dx), 4);
    ftk_status st = FTK__TRY(&s->bk, grad_input, s->p, lend_batch(s, BATCH, 6), dx);
    if (st == FTK_ENOTSUP && !ftk__bk_is_cpu(&s->bk))
        st = FTK_OK;
    else if (st >= 0)
        put(s, FTK__BLOB_F32, dx, n, "gradient of grad_input()");
    return after(s, "grad_input", st);
}

static bool sync_stats(struct series *s)
{
    before(s);
    const ftk_stats empty = { .size = sizeof(empty) };
    ftk_stats *stats = ftk__kit_struct("stats", &empty, sizeof(empty), s->how, true);
    ftk_stats *const *list = in_array(s, "list of stats", &stats, sizeof(stats), 8);
    ftk_status st = FTK__TRY(&s->bk, sync, s->p, list);
    if (st >= 0) {
        const double loss[1] = { stats->loss_sum };
        const uint64_t count[3] = { stats->samples, stats->correct,
                                    (uint64_t)(int64_t)stats->bad_node };
        put(s, FTK__BLOB_F64, loss, 1, "loss of sync()");
        put(s, FTK__BLOB_U64, count, 3, "samples, correct and bad node of sync()");
    }
    return after(s, "sync", st);
}

/* ---- topology ---------------------------------------------------------------------------------- */

static bool read_some(struct series *s, uint32_t layer, uint32_t which, uint64_t *cursor,
                      uint64_t *ret_count)
{
    const uint32_t channels = FTK_CH_WEIGHT | FTK_CH_GRAD | FTK_CH_MOMENTUM;
    uint64_t cap = s->how->chunk > 0 ? s->how->chunk : 64;
    before(s);
    const ftk_cand empty = { .size = sizeof(empty) };
    ftk_cand *c = ftk__kit_struct("candidates", &empty, sizeof(empty), s->how, true);
    uint64_t *at = ftk__guard_new("cursor", sizeof(*at), 8, s->how->side, 0);
    *at = *cursor;
    ftk_status st = which == FTK_ACTIVE
                        ? FTK__TRY(&s->bk, read_active, s->p, layer, channels, cap, at, c)
                        : FTK__TRY(&s->bk, read_inactive, s->p, layer, channels, cap, at, c);
    *ret_count = st < 0 ? 0 : c->count;
    if (*ret_count > 0) {
        put(s, FTK__BLOB_U64, c->index, c->count, "indices read");
        put(s, FTK__BLOB_F32, c->weight, c->count, "weights read");
        put(s, FTK__BLOB_F32, c->grad, c->count, "gradients read");
        put(s, FTK__BLOB_F32, c->momentum, c->count, "momentum read");
    }
    *cursor = *at;
    return after(s, which == FTK_ACTIVE ? "read_active" : "read_inactive", st);
}

static bool read_layers(struct series *s)
{
    bool ok = true;
    for (uint32_t i = 0; i < 2 * s->g.n_sparse && ok; i++) {
        uint64_t cursor = 0;
        uint64_t count = 1;
        while (count > 0 && ok)
            ok = read_some(s, i / 2, i % 2 ? FTK_INACTIVE : FTK_ACTIVE, &cursor, &count);
    }
    return ok;
}

static bool edit_layer(struct series *s)
{
    static const uint64_t drop[2] = { 1, 8 };
    static const uint64_t add[3] = { 2, 8, 13 };
    static const float value[3] = { 0.5f, -0.25f, 0.0f };
    before(s);
    const ftk_change c = {
        .size = sizeof(c),
        .drop = in_array(s, "dropped", drop, sizeof(drop), 8),
        .add = in_array(s, "added", add, sizeof(add), 8),
        .n_drop = 2,
        .n_add = 3,
        .value = in_array(s, "values", value, sizeof(value), 4),
    };
    const ftk_change *change = in_struct(s, "change", &c, sizeof(c));
    return after(s, "edit", FTK__TRY(&s->bk, edit, s->p, 0, change));
}

/* Of a failed call the reason stays on record: the rules want to read it. */
static void finish(struct series *s)
{
    const ftk_backend_ops *ops = s->bk.ops;
    struct ftk__kit_host *h = s->bk.host;
    const bool reasoned = h->reasoned;
    char reason[sizeof(h->reason)];
    memcpy(reason, h->reason, sizeof(reason));
    if (s->p) {
        before(s);
        ftk__kit_begin(s->bk.host);
        ops->release(s->p);
        ftk__kit_end(s->bk.c, s->bk.host, "release", false, FTK_OK);
    }
    if (s->bk.dev)
        ftk__bk_close(&s->bk);
    h->reasoned = reasoned;
    memcpy(h->reason, reason, sizeof(reason));
}

static ftk_status act(struct ftk__case *c, struct ftk__subject *sub, const struct ftk__how *how,
                      struct ftk__blob *ret)
{
    struct series *s = ftk__kit_alloc(c, 1, sizeof(*s));
    uint32_t mark = ftk__guard_mark();
    ftk__bk_loaded(c, &s->bk);
    s->bk.host = sub->host;
    s->bk.params = sub->params;
    s->how = how;
    s->ret = ret;
    bool ok = open_device(s) && compile(s) && mask_layers(s) && put_arrays(s) && train(s) &&
              predict(s) && grad_input(s) && read_layers(s) && edit_layer(s) && get_arrays(s) &&
              sync_stats(s);
    finish(s);
    ftk__guard_release(mark);
    return ok ? FTK_OK : s->st;
}

const struct ftk__driver ftk__driver_backend = {
    .kinds = FTK__ON_BACKEND,
    .n_rounds = 1,
    .n_layers = 1,
    .act = act,
};
