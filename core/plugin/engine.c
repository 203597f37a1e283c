/* SPDX-License-Identifier: MIT
 * plugin/engine.c - choosing, opening and compiling a compute backend, and its state by name.
 */
#include "plugin/engine.h"
#include "base/str.h"

#include <string.h>

void ftk__engine_begin(struct ftk__engine *e)
{
    ftk__host_begin(e->host);
}

ftk_status ftk__engine_end(struct ftk__engine *e, ftk_status st, struct ftk_error *reterr)
{
    return ftk__host_end(e->host, st, e->entry, reterr);
}

/* The best device of one backend; score 0 with the reason where none can run. */
static ftk_status probe(const struct ftk__entry *entry, struct ftk__host *host, ftk_device *ret,
                        struct ftk_error *reterr)
{
    const ftk_backend_ops *ops = entry->algo->ops;
    *ret = (ftk_device){ .size = sizeof(*ret), .reason = "it offers no device" };
    for (uint32_t i = 0;; i++) {
        ftk_device d = { .size = sizeof(d) };
        ftk__host_begin(host);
        ftk_status st = ops->probe(ftk__host_table(host), i, &d);
        ftk_status ended = ftk__host_end(host, st, entry, reterr);
        if (ended < 0)
            return ended;
        if (st == FTK_DONE)
            return FTK_OK;
        if (i == 0 || d.score > ret->score)
            *ret = d;
    }
}

/* Among all backends in the registry; every reason is kept for the message. */
static ftk_status choose(struct ftk__registry *reg, struct ftk__host *host,
                         const struct ftk__entry **ret, struct ftk_error *reterr)
{
    struct ftk__str reasons = { 0 };
    const struct ftk__entry *best = NULL;
    int32_t best_score = 0;
    for (uint64_t i = 0; i < ftk__registry_count(reg); i++) {
        const struct ftk__entry *entry = ftk__registry_entry(reg, i);
        ftk_device d;
        if (entry->algo->kind != FTK_KIND_BACKEND)
            continue;
        ftk_status st = probe(entry, host, &d, reterr);
        if (st < 0) {
            ftk__str_done(&reasons);
            return st;
        }
        if (d.score <= 0)
            ftk__str_addf(&reasons, "; %s: %s", entry->algo->name, d.reason);
        if (d.score > best_score) {
            best = entry;
            best_score = d.score;
        }
    }
    ftk_status st = FTK_OK;
    if (best)
        *ret = best;
    else
        st = ftk__fail(reterr, FTK_ENODEV, "no compute backend can run here%s",
                       reasons.text ? reasons.text : ": none is installed");
    ftk__str_done(&reasons);
    return st;
}

static ftk_status default_params(const struct ftk__entry *entry, struct ftk__arena *arena,
                                 void **ret, struct ftk_error *reterr)
{
    const ftk_algo *algo = entry->algo;
    struct ftk__issues issues = { 0 };
    *ret = NULL;
    if (algo->params_size == 0)
        return FTK_OK;
    void *params = ftk__arena_alloc(arena, algo->params_size);
    if (!params)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the parameters of backend %s",
                         algo->name);
    const struct ftk__param_table table = { algo->params, algo->param_stride, algo->params_size };
    ftk__params_fill(&table, NULL, NULL, algo->name, arena, params, &issues);
    ftk_status st = FTK_OK;
    if (issues.n)
        st = ftk__fail(reterr, FTK_EINVAL, "backend %s has a required key: name it in `use`",
                       algo->name);
    else
        *ret = params;
    ftk__issues_done(&issues);
    return st;
}

static ftk_status find_backend(struct ftk__registry *reg, const char *use, struct ftk__host *host,
                               const struct ftk__entry **ret, struct ftk_error *reterr)
{
    bool automatic = strcmp(use, "auto") == 0;
    ftk_status st = ftk__registry_open_backends(reg, automatic ? NULL : use, reterr);
    if (st < 0)
        return st;
    if (automatic)
        return choose(reg, host, ret, reterr);
    return ftk__registry_find(reg, FTK_KIND_BACKEND, use, ret, reterr);
}

ftk_status ftk__engine_open(struct ftk__registry *reg, const char *use, void *params,
                            const ftk_open *open, struct ftk__arena *arena, struct ftk__engine *ret,
                            struct ftk_error *reterr)
{
    struct ftk__engine e = { .host = ftk__host_new() };
    if (!e.host)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory to open a backend");
    ftk_status st = find_backend(reg, use, e.host, &e.entry, reterr);
    if (st < 0)
        goto out;
    e.ops = e.entry->algo->ops;
    ftk__host_set_owner(e.host, e.entry);
    st = probe(e.entry, e.host, &e.device, reterr);
    if (st < 0)
        goto out;
    if (e.device.score <= 0) {
        st = ftk__fail(reterr, FTK_ENODEV, "backend %s cannot run here: %s", e.entry->algo->name,
                       e.device.reason);
        goto out;
    }
    e.params = params;
    if (!params)
        st = default_params(e.entry, arena, &e.params, reterr);
    if (st < 0)
        goto out;
    ftk__engine_begin(&e);
    st = e.ops->open(ftk__host_table(e.host), e.params, open, &e.dev);
    st = ftk__engine_end(&e, st, reterr);
out:
    if (st < 0)
        ftk__host_free(e.host);
    else
        *ret = e;
    return st;
}

static void release(struct ftk__engine *e)
{
    if (e->prog)
        e->ops->release(e->prog);
    e->prog = NULL;
}

ftk_status ftk__engine_compile(struct ftk__engine *e, const ftk_build *build,
                               struct ftk_error *reterr)
{
    release(e);
    for (uint32_t i = 0; i < build->n_nodes; i++) {
        ftk__engine_begin(e);
        ftk_status st = e->ops->supports(e->dev, build->nodes[i]);
        st = ftk__engine_end(e, st, reterr);
        if (st < 0) {
            ftk__error_context(reterr, "for node %s", build->nodes[i]->name);
            return st;
        }
    }
    ftk__engine_begin(e);
    ftk_status st = e->ops->compile(e->dev, build, &e->prog);
    st = ftk__engine_end(e, st, reterr);
    if (st < 0)
        return st;
    e->channels = build->channels;
    e->max_batch = build->max_batch;
    return FTK_OK;
}

ftk_status ftk__engine_kernels(struct ftk__engine *e, const char **ret, struct ftk_error *reterr)
{
    *ret = NULL;
    if (!e->prog || !e->ops->kernels)
        return FTK_OK;
    ftk__engine_begin(e);
    *ret = e->ops->kernels(e->prog);
    ftk_status st = ftk__engine_end(e, FTK_OK, reterr);
    if (*ret && !ftk__utf8_valid(*ret))
        *ret = NULL; /* neither JSON nor a log could hold it */
    return st;
}

void ftk__engine_close(struct ftk__engine *e)
{
    release(e);
    if (e->dev)
        e->ops->close(e->dev);
    ftk__host_free(e->host);
    *e = (struct ftk__engine){ 0 };
}

ftk_status ftk__engine_tensor(struct ftk__engine *e, uint32_t node, uint32_t role,
                              uint32_t *ret_index, uint64_t *ret_n, struct ftk_error *reterr)
{
    for (uint32_t i = 0;; i++) {
        ftk_tensor t = { .size = sizeof(t) };
        ftk__engine_begin(e);
        ftk_status st = e->ops->tensor(e->prog, i, &t);
        ftk_status ended = ftk__engine_end(e, st, reterr);
        if (ended < 0)
            return ended;
        if (st == FTK_DONE)
            return ftk__fail(reterr, FTK_ENOENT, "node %u has no array of role %u", node, role);
        if (t.node == node && t.role == role) {
            *ret_index = i;
            *ret_n = t.n;
            return FTK_OK;
        }
    }
}

ftk_status ftk__engine_get(struct ftk__engine *e, uint32_t index, uint64_t n, float **ret,
                           struct ftk_error *reterr)
{
    float *v = ftk__alloc_array(n, sizeof(*v));
    if (!v)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for an array of %llu numbers",
                         (unsigned long long)n);
    ftk__engine_begin(e);
    ftk_status st = e->ops->get(e->prog, index, 0, n, v);
    st = ftk__engine_end(e, st, reterr);
    if (st < 0)
        ftk__free(v);
    else
        *ret = v;
    return st;
}

ftk_status ftk__engine_put(struct ftk__engine *e, uint32_t index, uint64_t n, const float *v,
                           struct ftk_error *reterr)
{
    ftk__engine_begin(e);
    ftk_status st = e->ops->put(e->prog, index, 0, n, v);
    return ftk__engine_end(e, st, reterr);
}

static ftk_status append_active(struct ftk__engine *e, uint32_t layer, uint64_t **index,
                                uint64_t *n, struct ftk_error *reterr)
{
    uint64_t cursor = 0;
    for (;;) {
        ftk_cand c = { .size = sizeof(c) };
        ftk__engine_begin(e);
        ftk_status st = e->ops->read_active(e->prog, layer, 0, 65536, &cursor, &c);
        st = ftk__engine_end(e, st, reterr);
        if (st < 0 || c.count == 0)
            return st < 0 ? st : FTK_OK;
        uint64_t *more = ftk__realloc_array(*index, *n, *n + c.count, sizeof(**index));
        if (!more)
            return ftk__fail(reterr, FTK_ENOMEM, "no memory for the active set of layer %u", layer);
        memcpy(more + *n, c.index, c.count * sizeof(*more));
        *index = more;
        *n += c.count;
    }
}

ftk_status ftk__engine_active(struct ftk__engine *e, uint32_t layer, uint64_t **ret,
                              uint64_t *ret_n, struct ftk_error *reterr)
{
    uint64_t *index = ftk__alloc(0);
    uint64_t n = 0;
    if (!index)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the active set of layer %u", layer);
    ftk_status st = append_active(e, layer, &index, &n, reterr);
    if (st < 0) {
        ftk__free(index);
        return st;
    }
    *ret = index;
    *ret_n = n;
    return FTK_OK;
}
