/* SPDX-License-Identifier: MIT
 * config/resolve_use.c - groups that name a plugin or built-in and share their keys with it.
 */
#include "base/path.h"
#include "config/resolve.h"
#include "plugin/builtin_algo.h"
#include <string.h>

static uint32_t table_length(const struct ftk__param_table *t)
{
    uint32_t n = 0;
    while (ftk__param_at(t, n))
        n++;
    return n;
}

static uint64_t list_length(const char *const *names)
{
    uint64_t n = 0;
    while (names && names[n])
        n++;
    return n;
}

/* Names that part `own` is not to complain about; every key that is given, with `all`. */
static uint64_t collect(const struct ftk__setting *group, const struct ftk__part *part, unsigned n,
                        unsigned own, const char *const *extra, bool all, const char **ret)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < n; i++) {
        for (uint32_t k = 0; i != own && ftk__param_at(&part[i].table, k); k++)
            ret[count++] = ftk__param_at(&part[i].table, k)->name;
    }
    for (uint64_t i = 0; extra && extra[i]; i++)
        ret[count++] = extra[i];
    for (uint64_t i = 0; all && group && i < group->n; i++)
        ret[count++] = group->child[i]->name;
    ret[count] = NULL;
    return count;
}

void ftk__parts_fill(struct ftk__resolver *r, const struct ftk__setting *group, const char *path,
                     const struct ftk__part *part, unsigned n, const char *const *extra,
                     bool lenient)
{
    uint64_t room = list_length(extra) + (group ? group->n : 0) + 1;
    for (unsigned i = 0; i < n; i++)
        room += table_length(&part[i].table);
    const char **skip = ftk__alloc_array(room, sizeof *skip);
    if (!skip) {
        r->issues->failed = true;
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        collect(group, part, n, i, extra, lenient || i > 0, skip);
        ftk__params_fill(&part[i].table, group, skip, path, &r->x->arena, part[i].out, r->issues);
    }
    ftk__free(skip);
}

static void join(struct ftk__str *out, const char *const *names, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        ftk__str_addf(out, "%s%s", i > 0 ? ", " : "", names[i]);
}

void ftk__resolve_unknown(struct ftk__resolver *r, const struct ftk__setting *at, const char *path,
                          const char *const *names, uint64_t n, const char *word, const char *what)
{
    struct ftk__str limit = { 0 };
    join(&limit, names, n);
    if (limit.failed)
        r->issues->failed = true;
    else
        ftk__issues_add(r->issues, at, path, n > 0 ? limit.text : "none is known here",
                        ftk__str_nearest(word, names, n), "%s '%.60s'", what, word);
    ftk__str_done(&limit);
}

/* The value of `use`, or its default; NULL where there is none, which is reported. */
static const char *use_of(struct ftk__resolver *r, const struct ftk__use_group *u,
                          const struct ftk__setting **ret_at)
{
    const struct ftk__setting *use = ftk__setting_get(u->group, "use");
    char path[64];
    ftk__format(path, sizeof path, "%s.use", u->path);
    *ret_at = use ? use : u->group ? u->group : r->root;
    if (use && use->type == FTK__SET_STRING)
        return use->s;
    if (use)
        ftk__issues_add(r->issues, use, path, "a name in quotes", NULL, "use is %s",
                        ftk__setting_type_name(use->type));
    else if (!u->default_use)
        ftk__issues_add(r->issues, *ret_at, path, "a name in quotes", NULL, "use is missing");
    return use ? NULL : u->default_use;
}

/* Why a file that would hold the plugin was refused; NULL where there is no such file. */
static const char *refusal(const struct ftk__resolver *r, ftk_kind kind, const char *use)
{
    char file[300];
    ftk__format(file, sizeof file, "%s_%.200s.so", ftk__kind_name(kind), use);
    for (uint64_t i = 0; i < ftk__registry_file_count(r->q->registry); i++) {
        const struct ftk__file *f = ftk__registry_file(r->q->registry, i);
        if (f->reason && strcmp(ftk__path_base(f->path), file) == 0)
            return f->reason;
    }
    return NULL;
}

static const struct ftk__builtin *builtin_named(const struct ftk__resolver *r, const char *group,
                                                const char *use)
{
    for (uint64_t i = 0; i < r->q->n_builtins; i++) {
        const struct ftk__builtin *b = r->q->builtins[i];
        if (strcmp(b->group, group) == 0 && strcmp(b->name, use) == 0)
            return b;
    }
    return NULL;
}

/* Names of the built-ins of a group behind the n that are there; `ret` has room for all. */
static uint64_t add_builtins(const struct ftk__resolver *r, const char *group, const char **ret,
                             uint64_t n)
{
    for (uint64_t i = 0; i < r->q->n_builtins; i++) {
        if (strcmp(r->q->builtins[i]->group, group) == 0)
            ret[n++] = r->q->builtins[i]->name;
    }
    return n;
}

/* Of plugins and built-ins, [*ret_n]; NULL without memory. */
static const char **names_of(const struct ftk__resolver *r, ftk_kind kind, uint64_t *ret_n)
{
    uint64_t n = 0;
    const char **plugins = NULL;
    if (r->q->registry) {
        plugins = ftk__registry_names(r->q->registry, kind, &n);
        if (!plugins)
            return NULL;
    }
    const char **all = ftk__alloc_array(n + r->q->n_builtins + 1, sizeof *all);
    for (uint64_t i = 0; all && i < n; i++)
        all[i] = plugins[i];
    if (all)
        *ret_n = add_builtins(r, ftk__kind_name(kind), all, n);
    ftk__free(plugins);
    return all;
}

static void unknown_plugin(struct ftk__resolver *r, const struct ftk__setting *at, const char *path,
                           ftk_kind kind, const char *use)
{
    const char *reason = r->q->registry ? refusal(r, kind, use) : NULL;
    if (reason) {
        ftk__issues_add(r->issues, at, path, NULL, NULL, "%s plugin '%.60s' was refused: %s",
                        ftk__kind_name(kind), use, reason);
        return;
    }
    char what[64];
    uint64_t n = 0;
    const char **names = names_of(r, kind, &n);
    if (!names) {
        r->issues->failed = true;
        return;
    }
    ftk__format(what, sizeof what, "unknown %s plugin", ftk__kind_name(kind));
    ftk__resolve_unknown(r, at, path, names, n, use, what);
    ftk__free(names);
}

static const struct ftk__entry *find_plugin(struct ftk__resolver *r, const struct ftk__setting *at,
                                            const char *path, ftk_kind kind, const char *use)
{
    struct ftk__registry *registry = r->q->registry;
    const struct ftk__entry *entry = NULL;
    struct ftk_error err = { 0 };
    ftk_status st = registry ? FTK_OK : FTK_ENOENT;
    if (st == FTK_OK && kind == FTK_KIND_BACKEND)
        st = ftk__registry_open_backends(registry, use, &err);
    if (st == FTK_OK)
        st = ftk__registry_find(registry, kind, use, &entry, &err);
    if (st == FTK_ENOMEM)
        r->issues->failed = true;
    else if (st == FTK_ENOENT)
        unknown_plugin(r, at, path, kind, use);
    else if (st != FTK_OK)
        ftk__issues_add(r->issues, at, path, err.n_context > 0 ? err.context[0] : NULL, NULL, "%s",
                        err.message);
    return st == FTK_OK ? entry : NULL;
}

static void check_algo(struct ftk__resolver *r, const struct ftk__use_group *u,
                       const struct ftk__algo_use *a)
{
    const ftk_algo *algo = a->entry->algo;
    if (!algo->check)
        return;
    struct ftk_error err = { 0 };
    ftk__host_begin(r->host);
    ftk_status st = algo->check(ftk__host_table(r->host), a->params);
    st = ftk__host_end(r->host, st, a->entry, &err);
    if (st == FTK_ENOMEM)
        r->issues->failed = true;
    else if (st != FTK_OK)
        ftk__issues_add(r->issues, u->group ? u->group : r->root, u->path, NULL, NULL, "%s",
                        err.message);
}

/* Zeroed, of at least a byte, so that NULL means no memory. */
static void *params_struct(struct ftk__resolver *r, uint32_t bytes)
{
    void *p = ftk__arena_alloc(&r->x->arena, bytes > 0 ? bytes : 1);
    if (!p)
        r->issues->failed = true;
    return p;
}

/* Fills the core's parts and one of `table`; true where nothing was wrong with them. */
static bool fill_with(struct ftk__resolver *r, const struct ftk__use_group *u,
                      struct ftk__param_table table, void *params, bool lenient)
{
    struct ftk__part part[FTK__PARTS];
    uint64_t before = r->issues->n;
    for (unsigned i = 0; i < u->n; i++)
        part[i] = u->part[i];
    part[u->n] = (struct ftk__part){ table, params };
    ftk__parts_fill(r, u->group, u->path, part, u->n + 1, u->extra, lenient);
    return r->issues->n == before && !r->issues->failed;
}

void ftk__resolve_algo(struct ftk__resolver *r, const struct ftk__use_group *u, ftk_kind kind,
                       struct ftk__algo_use *ret)
{
    static const ftk_param none[] = { FTK_PARAM_END };
    const struct ftk__setting *at;
    char path[64];
    ftk__format(path, sizeof path, "%s.use", u->path);
    const char *use = use_of(r, u, &at);
    const struct ftk__entry *entry = use ? find_plugin(r, at, path, kind, use) : NULL;
    struct ftk__param_table table = { none, sizeof(ftk_param), 0 };
    if (entry && entry->algo->params)
        table = (struct ftk__param_table){ entry->algo->params, entry->algo->param_stride,
                                           entry->algo->params_size };
    void *params = params_struct(r, table.struct_size);
    const char *kept = ftk__arena_strdup(&r->x->arena, use ? use : "");
    if (!params || !kept) {
        r->issues->failed = true;
        return;
    }
    bool fine = fill_with(r, u, table, params, !entry);
    if (!entry)
        return;
    *ret = (struct ftk__algo_use){ entry, table.struct_size > 0 ? params : NULL, kept };
    if (fine)
        check_algo(r, u, ret);
}

static const struct ftk__builtin *find_builtin(struct ftk__resolver *r,
                                               const struct ftk__setting *at, const char *group,
                                               const char *use)
{
    const struct ftk__builtin *found = builtin_named(r, group, use);
    if (found)
        return found;
    const char **names = ftk__alloc_array(r->q->n_builtins, sizeof *names);
    if (!names) {
        r->issues->failed = true;
        return NULL;
    }
    uint64_t n = add_builtins(r, group, names, 0);
    char path[64];
    char what[64];
    ftk__format(path, sizeof path, "%s.use", group);
    ftk__format(what, sizeof what, "unknown %s", group);
    ftk__resolve_unknown(r, at, path, names, n, use, what);
    ftk__free(names);
    return NULL;
}

/* A struct filled for the built-in; NULL without memory.  Its own rules are checked last. */
static void *fill_builtin(struct ftk__resolver *r, const struct ftk__use_group *u,
                          const struct ftk__builtin *b)
{
    static const ftk_param none[] = { FTK_PARAM_END };
    struct ftk__param_table table = { none, sizeof(ftk_param), 0 };
    if (b && b->params)
        table = (struct ftk__param_table){ b->params, sizeof(ftk_param), b->params_size };
    void *params = params_struct(r, table.struct_size);
    if (!params)
        return NULL;
    bool fine = fill_with(r, u, table, params, !b);
    struct ftk_error err = { 0 };
    ftk_status st = fine && b && b->check ? b->check(params, &err) : FTK_OK;
    if (st == FTK_ENOMEM)
        r->issues->failed = true;
    else if (st != FTK_OK)
        ftk__issues_add(r->issues, u->group ? u->group : r->root, u->path, NULL, NULL, "%s",
                        err.message);
    return params;
}

void ftk__resolve_builtin(struct ftk__resolver *r, const struct ftk__use_group *u, const char *kind,
                          struct ftk__builtin_use *ret)
{
    const struct ftk__setting *at;
    const char *use = use_of(r, u, &at);
    const struct ftk__builtin *b = use ? find_builtin(r, at, kind, use) : NULL;
    void *params = fill_builtin(r, u, b);
    if (b && params)
        *ret = (struct ftk__builtin_use){ b, b->params_size > 0 ? params : NULL };
}

/* Dresses the built-in as an algorithm without a file, so that all that prints, hashes and lists
 * plugins takes it too. */
static void use_builtin(struct ftk__resolver *r, const struct ftk__use_group *u,
                        const struct ftk__builtin *b, struct ftk__algo_use *ret)
{
    ftk_algo *algo = ftk__arena_alloc(&r->x->arena, sizeof *algo);
    struct ftk__entry *entry = ftk__arena_alloc(&r->x->arena, sizeof *entry);
    void *params = fill_builtin(r, u, b);
    if (!algo || !entry || !params || !ftk__builtin_algo(b, algo)) {
        r->issues->failed = true;
        return;
    }
    entry->algo = algo;
    *ret = (struct ftk__algo_use){ entry, b->params_size > 0 ? params : NULL, b->name };
}

const struct ftk__builtin *ftk__resolve_either(struct ftk__resolver *r,
                                               const struct ftk__use_group *u, ftk_kind kind,
                                               struct ftk__algo_use *ret)
{
    const struct ftk__setting *use = ftk__setting_get(u->group, "use");
    const struct ftk__builtin *b = NULL;
    if (use && use->type == FTK__SET_STRING)
        b = builtin_named(r, ftk__kind_name(kind), use->s);
    if (b)
        use_builtin(r, u, b, ret);
    else
        ftk__resolve_algo(r, u, kind, ret);
    return b;
}

void ftk__resolve_named(struct ftk__resolver *r, const char *path, const struct ftk__setting *name,
                        ftk_kind kind, struct ftk__algo_use *ret)
{
    /* As if { use = "<name>"; } stood there. */
    static const char *const extra[] = { "use", NULL };
    struct ftk__setting use = *name;
    struct ftk__setting *const child[] = { &use };
    struct ftk__setting group = *name;
    use.name = "use";
    group.type = FTK__SET_GROUP;
    group.child = child;
    group.n = 1;
    struct ftk__use_group u = { .path = path, .group = &group, .extra = extra };
    ftk__resolve_algo(r, &u, kind, ret);
}
