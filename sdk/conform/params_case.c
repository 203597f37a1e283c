/* SPDX-License-Identifier: MIT
 * conform/params_case.c - parameters by the core's own engine, from "key=value" texts.
 */
#include "conform/params_case.h"
#include "conform/guard.h"
#include "config/cfgtree.h"
#include <string.h>

static ftk_status first_issue(const struct ftk__issues *is, struct ftk_error *reterr)
{
    if (is->failed)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for parameters");
    if (is->n == 0)
        return FTK_OK;
    const struct ftk__issue *i = &is->v[0];
    return ftk__fail(reterr, FTK_EINVAL, "%s: %s%s%s", i->path, i->message, i->limit ? "; " : "",
                     i->limit ? i->limit : "");
}

ftk_status ftk__params_case(const ftk_algo *a, const char *const *pair, uint64_t n,
                            struct ftk__arena *arena, void **ret, struct ftk_error *reterr)
{
    const struct ftk__param_table t = { a->params, a->param_stride, a->params_size };
    struct ftk__setting root = { .type = FTK__SET_GROUP, .name = "", .file = "--set" };
    struct ftk__issues issues = { 0 };
    *ret = NULL;
    ftk_status st = ftk__tree_override(&root, pair, n, arena, reterr);
    if (st < 0 || (!a->params && root.n == 0))
        return st;
    void *params = ftk__guard_new("params", a->params_size, 8, FTK__AT_END, 0);
    ftk__params_fill(&t, &root, NULL, a->name, arena, params, &issues);
    st = first_issue(&issues, reterr);
    ftk__issues_done(&issues);
    if (st < 0) {
        ftk__guard_drop(params);
        return st;
    }
    ftk__guard_read_only(params);
    *ret = params;
    return FTK_OK;
}
