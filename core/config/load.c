/* SPDX-License-Identifier: MIT
 * config/load.c - reads, changes by overrides, resolves.
 */
#include "config/load.h"
#include "config/cfgtree.h"
#include "config/resolve.h"
#include <string.h>

/* An issue borrows the name of its file, and an included file's name dies with the experiment:
 * so it moves behind the path, into the same block, which lives as long as the issue. */
static void keep_file(struct ftk__issues *issues, struct ftk__issue *is)
{
    size_t path_bytes = strlen(is->path ? is->path : "") + 1;
    size_t file_bytes = strlen(is->file) + 1;
    char *both = ftk__alloc(path_bytes + file_bytes);
    if (!both) {
        issues->failed = true;
        is->file = NULL;
        return;
    }
    memcpy(both, is->path ? is->path : "", path_bytes);
    memcpy(both + path_bytes, is->file, file_bytes);
    ftk__free(is->path);
    is->path = both;
    is->file = both + path_bytes;
}

static ftk_status read_tree(const struct ftk__config_request *q, struct ftk__experiment *x,
                            struct ftk_error *reterr)
{
    struct ftk__prescan p;
    struct ftk__setting *root = NULL;
    ftk_status st = q->text ? ftk__prescan_text(q->text, strlen(q->text), q->file, &p, reterr)
                            : ftk__prescan_file(q->file, &x->arena, &p, reterr);
    if (st == FTK_OK)
        st = ftk__tree_parse(&p, &x->arena, &root, reterr);
    if (st == FTK_OK) {
        x->source = ftk__arena_strdup(&x->arena, p.source.text ? p.source.text : "");
        if (!x->source)
            st = ftk__fail(reterr, FTK_ENOMEM, "out of memory while reading %s", q->file);
    }
    ftk__prescan_done(&p);
    if (st == FTK_OK)
        st = ftk__tree_override(root, q->overrides, q->n_overrides, &x->arena, reterr);
    x->tree = root;
    return st;
}

ftk_status ftk__config_load(const struct ftk__config_request *q, struct ftk__issues *issues,
                            struct ftk__experiment **ret, struct ftk_error *reterr)
{
    uint64_t before = issues->n;
    struct ftk__experiment *x = ftk__alloc(sizeof *x);
    if (!x)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory while reading %s", q->file);
    ftk_status st = FTK_OK;
    x->file = ftk__arena_strdup(&x->arena, q->file);
    if (!x->file)
        st = ftk__fail(reterr, FTK_ENOMEM, "out of memory while reading %s", q->file);
    if (st == FTK_OK)
        st = read_tree(q, x, reterr);
    if (st == FTK_OK) {
        struct ftk__resolver r = { .q = q, .root = x->tree, .x = x, .issues = issues };
        st = ftk__resolve(&r, reterr);
    }
    uint64_t found = issues->n - before;
    if (st == FTK_OK && found > 0)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_CONFIG, "%s: %u mistake%s", q->file,
                            (unsigned)found, found > 1 ? "s" : "");
    if (st != FTK_OK) {
        for (uint64_t i = before; i < issues->n; i++) {
            if (issues->v[i].file)
                keep_file(issues, &issues->v[i]);
        }
        ftk__experiment_free(x);
        return st;
    }
    *ret = x;
    return FTK_OK;
}

void ftk__experiment_free(struct ftk__experiment *x)
{
    if (!x)
        return;
    /* The experiment itself is not in its arena. */
    ftk__arena_done(&x->arena);
    ftk__free(x);
}
