/* SPDX-License-Identifier: MIT
 * conform/subject.c - an instance under test, from check() and create() to destroy().
 */
#include "conform/kit_host.h"

uint32_t ftk__kit_kind_bit(const ftk_algo *a)
{
    switch (a->kind) {
    case FTK_KIND_PRUNE:
        return ((const ftk_prune_ops *)a->ops)->score ? FTK__ON_PRUNE1 : FTK__ON_PRUNE2;
    case FTK_KIND_GROW:
        return ((const ftk_grow_ops *)a->ops)->score ? FTK__ON_GROW1 : FTK__ON_GROW2;
    case FTK_KIND_INIT:
        return ((const ftk_init_ops *)a->ops)->density ? FTK__ON_INIT1 : FTK__ON_INIT2;
    case FTK_KIND_ALLOT:
        return FTK__ON_ALLOT;
    case FTK_KIND_ENSEMBLE:
        return FTK__ON_ENSEMBLE;
    case FTK_KIND_METRIC:
        return FTK__ON_METRIC;
    case FTK_KIND_BACKEND:
        return FTK__ON_BACKEND;
    default:
        return 0;
    }
}

ftk_status ftk__subject_try(struct ftk__case *c, const void *params, struct ftk__kit_host *host,
                            struct ftk__subject *ret)
{
    const ftk_algo *a = c->algo;
    struct ftk__subject s = { .algo = a, .host = host, .params = params };
    ftk_status st = FTK_OK;
    if (a->kind != FTK_KIND_BACKEND && a->check) {
        ftk__kit_begin(host);
        st = ftk__kit_end(c, host, "check", false, a->check(host->table, params));
    }
    if (st < 0)
        return st;
    if (a->kind != FTK_KIND_BACKEND && a->create) {
        ftk__kit_begin(host);
        st = ftk__kit_end(c, host, "create", false, a->create(host->table, params, &s.self));
    } else {
        s.self = (void *)(uintptr_t)params; /* as the core does: self is params */
    }
    if (st >= 0)
        *ret = s;
    return st;
}

void ftk__subject_new(struct ftk__case *c, const void *params, struct ftk__subject *ret)
{
    struct ftk__kit_host *host = ftk__kit_host_new(0);
    ftk_status st = ftk__subject_try(c, params ? params : c->params, host, ret);
    ftk__kit_must(c, host, c->algo->create ? "create" : "check", st);
}

void ftk__subject_done(struct ftk__case *c, struct ftk__subject *s)
{
    if (s->algo->kind != FTK_KIND_BACKEND && s->algo->create && s->algo->destroy) {
        ftk__kit_begin(s->host);
        s->algo->destroy(s->host->table, s->self);
        ftk__kit_end(c, s->host, "destroy", false, FTK_OK);
    }
    ftk__kit_host_free(s->host);
    *s = (struct ftk__subject){ 0 };
}
