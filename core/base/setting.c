/* SPDX-License-Identifier: MIT
 * base/setting.c - look-up in a tree of settings, and the list of what is wrong with it.
 */
#include "base/setting.h"
#include "base/mem.h"
#include "base/str.h"
#include <stdarg.h>
#include <string.h>

static const struct ftk__setting *get_n(const struct ftk__setting *group, const char *name,
                                        size_t len)
{
    if (!group || group->type != FTK__SET_GROUP)
        return NULL;
    for (uint64_t i = 0; i < group->n; i++) {
        const char *have = group->child[i]->name;
        if (have && strlen(have) == len && memcmp(have, name, len) == 0)
            return group->child[i];
    }
    return NULL;
}

const struct ftk__setting *ftk__setting_get(const struct ftk__setting *group, const char *name)
{
    return get_n(group, name, strlen(name));
}

const struct ftk__setting *ftk__setting_find(const struct ftk__setting *root, const char *path)
{
    const struct ftk__setting *at = root;
    for (;;) {
        size_t len = strcspn(path, ".");
        at = get_n(at, path, len);
        if (!at || path[len] == 0)
            return at;
        path += len + 1;
    }
}

const char *ftk__setting_type_name(enum ftk__setting_type t)
{
    switch (t) {
    case FTK__SET_BOOL:
        return "a boolean";
    case FTK__SET_INT:
        return "an integer";
    case FTK__SET_FLOAT:
        return "a number";
    case FTK__SET_STRING:
        return "a string";
    case FTK__SET_ARRAY:
        return "an array";
    case FTK__SET_LIST:
        return "a list";
    case FTK__SET_GROUP:
        return "a group";
    }
    return "nothing";
}

static void issue_done(struct ftk__issue *is)
{
    ftk__free(is->path);
    ftk__free(is->message);
    ftk__free(is->limit);
    ftk__free(is->nearest);
}

static bool reserve(struct ftk__issues *is)
{
    if (is->n < is->cap)
        return true;
    uint64_t cap = is->cap > 0 ? 2 * is->cap : 16;
    struct ftk__issue *v = ftk__realloc_array(is->v, is->n, cap, sizeof *v);
    if (!v)
        return false;
    is->v = v;
    is->cap = cap;
    return true;
}

void ftk__issues_add(struct ftk__issues *is, const struct ftk__setting *at, const char *path,
                     const char *limit, const char *nearest, const char *fmt, ...)
{
    struct ftk__str message = { 0 };
    va_list args;
    va_start(args, fmt);
    ftk__str_vaddf(&message, fmt, args);
    va_end(args);

    struct ftk__issue one = {
        .file = at ? at->file : NULL,
        .line = at ? at->line : 0,
        .path = ftk__strdup(path),
        .message = message.text,
        .limit = ftk__strdup(limit),
        .nearest = ftk__strdup(nearest),
    };
    bool complete =
        !message.failed && !one.path == !path && !one.limit == !limit && !one.nearest == !nearest;
    if (!complete || !reserve(is)) {
        is->failed = true;
        issue_done(&one);
        return;
    }
    is->v[is->n++] = one;
}

void ftk__issues_done(struct ftk__issues *is)
{
    for (uint64_t i = 0; i < is->n; i++)
        issue_done(&is->v[i]);
    ftk__free(is->v);
    *is = (struct ftk__issues){ 0 };
}
