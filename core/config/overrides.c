/* SPDX-License-Identifier: MIT
 * config/overrides.c - `-s path.to.key=value`.
 */
#include "config/cfgschema.h"
#include "config/cfgtree.h"
#include <string.h>

enum { PATH_MAX_CHARS = 255 };

static const char *const source_name = "-s";

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "out of memory for an override");
}

/* The value as libconfig text: `v = <value>;`.  FTK_EINVAL where it is none. */
static ftk_status parse_text(const char *text, struct ftk__arena *arena, struct ftk__setting **ret,
                             struct ftk_error *reterr)
{
    struct ftk__prescan p;
    struct ftk__setting *root = NULL;
    ftk_status st = ftk__prescan_text(text, strlen(text), source_name, &p, reterr);
    if (st == FTK_OK)
        st = ftk__tree_parse(&p, arena, &root, reterr);
    ftk__prescan_done(&p);
    if (st != FTK_OK)
        return st;
    if (root->n != 1)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "more than one value");
    *ret = root->child[0];
    return FTK_OK;
}

/* Settings of an override have no line. */
static void forget_lines(struct ftk__setting *s)
{
    s->file = source_name;
    s->line = 0;
    for (uint64_t i = 0; i < s->n; i++)
        forget_lines(s->child[i]);
}

static ftk_status bare_string(const char *value, struct ftk__arena *arena,
                              struct ftk__setting **ret, struct ftk_error *reterr)
{
    struct ftk__setting *s = ftk__arena_alloc(arena, sizeof *s);
    char *text = ftk__arena_strdup(arena, value);
    if (!s || !text)
        return no_memory(reterr);
    s->type = FTK__SET_STRING;
    s->s = text;
    *ret = s;
    return FTK_OK;
}

static ftk_status parse_value(const char *value, struct ftk__arena *arena,
                              struct ftk__setting **ret, struct ftk_error *reterr)
{
    struct ftk__str text = { 0 };
    if (value[0] == 0)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "no value (\"\" is empty text)");
    ftk__str_addf(&text, "v = %s;", value);
    ftk_status st = text.failed ? no_memory(reterr) : parse_text(text.text, arena, ret, reterr);
    ftk__str_done(&text);
    if (st == FTK_OK || st == FTK_ENOMEM)
        return st;
    /* What opens a string or a group and does not parse is no bare string; 1e400 neither. */
    bool begun = strchr("\"[({", value[0]) || ftk__looks_numeric(value);
    return begun || strpbrk(value, "\n;") ? st : bare_string(value, arena, ret, reterr);
}

/* The group at `name` of `parent`, made where there is none. */
static ftk_status enter(struct ftk__setting *parent, const char *name, struct ftk__arena *arena,
                        struct ftk__setting **ret, struct ftk_error *reterr)
{
    for (uint64_t i = 0; i < parent->n; i++) {
        struct ftk__setting *child = parent->child[i];
        if (strcmp(child->name, name) != 0)
            continue;
        if (child->type != FTK__SET_GROUP)
            return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "'%s' is %s, not a group",
                                  name, ftk__setting_type_name(child->type));
        *ret = child;
        return FTK_OK;
    }
    struct ftk__setting *made = ftk__arena_alloc(arena, sizeof *made);
    char *kept = ftk__arena_strdup(arena, name);
    if (!made || !kept)
        return no_memory(reterr);
    *made = (struct ftk__setting){ .type = FTK__SET_GROUP, .name = kept, .file = source_name };
    if (!ftk__tree_put(arena, parent, made))
        return no_memory(reterr);
    *ret = made;
    return FTK_OK;
}

/* The file's keys of a group that another plugin or built-in owned. */
static void drop_former(struct ftk__setting *group, const char *path, const char *use)
{
    const struct ftk__setting *former = ftk__setting_get(group, "use");
    const char *name =
        former && former->type == FTK__SET_STRING ? former->s : ftk__schema_default_use(path);
    if (!name || strcmp(name, use) == 0)
        return;
    uint64_t i = 0;
    while (i < group->n) {
        const struct ftk__setting *child = group->child[i];
        bool kept = strcmp(child->file, source_name) == 0 || strcmp(child->name, "use") == 0 ||
                    ftk__schema_owns(path, child->name);
        if (kept)
            i++;
        else
            ftk__tree_remove(group, child->name);
    }
}

static bool valid_path(const char *path)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *at = path;
    for (;;) {
        size_t n = strcspn(at, ".");
        if (n == 0 || !strchr(letters, at[0]))
            return false;
        for (size_t i = 0; i < n; i++) {
            if (!strchr(letters, at[i]) && !strchr("0123456789_-", at[i]))
                return false;
        }
        if (at[n] == 0)
            return true;
        at += n + 1;
    }
}

static ftk_status set(struct ftk__setting *root, const char *path, const char *value,
                      struct ftk__arena *arena, struct ftk_error *reterr)
{
    char part[PATH_MAX_CHARS + 1];
    struct ftk__setting *group = root;
    struct ftk__setting *s = NULL;
    const char *at = path;
    ftk_status st = parse_value(value, arena, &s, reterr);
    for (size_t n = strcspn(at, "."); st == FTK_OK && at[n] != 0; n = strcspn(at, ".")) {
        memcpy(part, at, n);
        part[n] = 0;
        st = enter(group, part, arena, &group, reterr);
        at += n + 1;
    }
    if (st != FTK_OK)
        return st;
    forget_lines(s);
    s->name = ftk__arena_strdup(arena, at);
    if (!s->name)
        return no_memory(reterr);
    if (strcmp(at, "use") == 0 && at > path && s->type == FTK__SET_STRING) {
        ftk__format(part, sizeof part, "%.*s", (int)(at - path - 1), path);
        drop_former(group, part, s->s);
    }
    return ftk__tree_put(arena, group, s) ? FTK_OK : no_memory(reterr);
}

ftk_status ftk__tree_override(struct ftk__setting *root, const char *const *overrides, uint64_t n,
                              struct ftk__arena *arena, struct ftk_error *reterr)
{
    for (uint64_t i = 0; i < n; i++) {
        char path[PATH_MAX_CHARS + 1];
        size_t len = strcspn(overrides[i], "=");
        bool fits = overrides[i][len] == '=' && len <= PATH_MAX_CHARS;
        if (fits)
            ftk__format(path, sizeof path, "%.*s", (int)len, overrides[i]);
        if (!fits || !valid_path(path))
            return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE,
                                  "-s %s: not path.to.key=value", overrides[i]);
        struct ftk_error why = { 0 };
        ftk_status st = set(root, path, overrides[i] + len + 1, arena, &why);
        if (st == FTK_ENOMEM)
            return no_memory(reterr);
        if (st != FTK_OK) {
            /* Place and text of a one-line value say nothing that the override does not. */
            const char *said = why.message + (ftk__str_starts(why.message, "-s:1: ") ? 6 : 0);
            const char *end = strstr(said, ": v = ");
            return ftk__fail_exit(reterr, st, FTK__EXIT_USAGE, "-s %s: %.*s", overrides[i],
                                  (int)(end ? (size_t)(end - said) : strlen(said)), said);
        }
    }
    return FTK_OK;
}
