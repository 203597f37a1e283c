/* SPDX-License-Identifier: MIT
 * plugin/registry.c - algorithms by kind and name.
 *
 * A name is looked up, never guessed: unknown names list the nearest, names that two files offer
 * are refused with both, so that a result does not depend on what else lies in a folder.
 */
#include "plugin/registry.h"
#include "base/path.h"
#include "base/str.h"
#include "plugin/registry_parts.h"
#include <string.h>

static const struct kind_name {
    uint32_t kind;
    const char *name;
} kinds[] = {
    { FTK_KIND_INIT, "init" },         { FTK_KIND_PRUNE, "prune" },
    { FTK_KIND_GROW, "grow" },         { FTK_KIND_ALLOT, "allot" },
    { FTK_KIND_ENSEMBLE, "ensemble" }, { FTK_KIND_METRIC, "metric" },
    { FTK_KIND_BACKEND, "backend" },   { FTK__KIND_DATA, "data" },
    { FTK__KIND_MODEL, "model" },      { FTK__KIND_OPTIM, "optim" },
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

const char *ftk__kind_name(ftk_kind kind)
{
    for (uint32_t i = 0; i < N_KINDS; i++) {
        if (kinds[i].kind == (uint32_t)kind)
            return kinds[i].name;
    }
    return "unknown";
}

bool ftk__kind_parse(const char *name, ftk_kind *ret)
{
    for (uint32_t i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *ret = (ftk_kind)kinds[i].kind;
            return true;
        }
    }
    return false;
}

struct ftk__registry *ftk__registry_new(void)
{
    return ftk__alloc(sizeof(struct ftk__registry));
}

void ftk__registry_free(struct ftk__registry *r)
{
    if (!r)
        return;
    ftk__arena_done(&r->arena);
    ftk__free(r->files);
    ftk__free(r->entries);
    ftk__free(r);
}

bool ftk__registry_add_entry(struct ftk__registry *r, const ftk_algo *algo,
                             const struct ftk__file *file)
{
    if (r->n_entries == r->cap_entries) {
        uint64_t cap = r->cap_entries > 0 ? 2 * r->cap_entries : 32;
        struct ftk__entry **grown =
            ftk__realloc_array(r->entries, r->n_entries, cap, sizeof(struct ftk__entry *));
        if (!grown)
            return false;
        r->entries = grown;
        r->cap_entries = cap;
    }
    struct ftk__entry *e = ftk__arena_alloc(&r->arena, sizeof(*e));
    if (!e)
        return false;
    e->algo = algo;
    e->file = file;
    r->entries[r->n_entries] = e;
    r->n_entries++;
    return true;
}

uint64_t ftk__registry_count(const struct ftk__registry *r)
{
    return r->n_entries;
}

const struct ftk__entry *ftk__registry_entry(const struct ftk__registry *r, uint64_t i)
{
    return r->entries[i];
}

uint64_t ftk__registry_file_count(const struct ftk__registry *r)
{
    return r->n_files;
}

const struct ftk__file *ftk__registry_file(const struct ftk__registry *r, uint64_t i)
{
    return &r->files[i]->file;
}

ftk_status ftk__file_hash(const struct ftk__file *f, struct ftk__sha256 *ret,
                          struct ftk_error *reterr)
{
    return ftk__sha256_file(f->path, ret, reterr);
}

static bool is_among(const char *name, const char *const *names, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

const char **ftk__registry_names(const struct ftk__registry *r, ftk_kind kind, uint64_t *ret_n)
{
    const char **names = ftk__alloc_array(r->n_entries + r->n_files, sizeof(*names));
    if (!names)
        return NULL;
    uint64_t n = 0;
    for (uint64_t i = 0; i < r->n_entries; i++) {
        const ftk_algo *a = r->entries[i]->algo;
        if (a->kind == (uint32_t)kind && !is_among(a->name, names, n))
            names[n++] = a->name;
    }
    /* Backends that have not been opened are known by their files. */
    for (uint64_t i = 0; i < r->n_files && kind == FTK_KIND_BACKEND; i++) {
        const struct ftk__file_slot *slot = r->files[i];
        if (slot->file.deferred && !is_among(slot->backend, names, n))
            names[n++] = slot->backend;
    }
    *ret_n = n;
    return names;
}

/* `use` taken apart: "org.example.topk:magnitude", or only the name. */
struct wanted {
    const char *name;
    const char *plugin; /* not terminated                               */
    size_t plugin_len;  /* 0: any plugin                                */
};

static struct wanted take_apart(const char *use)
{
    const char *colon = strrchr(use, ':');
    if (!colon)
        return (struct wanted){ .name = use };
    return (struct wanted){ colon + 1, use, (size_t)(colon - use) };
}

static const char *plugin_of(const struct ftk__entry *e)
{
    return e->file ? e->file->stamp->name : "freetickets";
}

static const char *path_of(const struct ftk__entry *e)
{
    return e->file ? e->file->path : "the program itself";
}

static bool offers(const struct ftk__entry *e, ftk_kind kind, const struct wanted *w)
{
    if (e->algo->kind != (uint32_t)kind || strcmp(e->algo->name, w->name) != 0)
        return false;
    const char *plugin = plugin_of(e);
    return w->plugin_len == 0 ||
           (strncmp(plugin, w->plugin, w->plugin_len) == 0 && plugin[w->plugin_len] == '\0');
}

static ftk_status offered_twice(const struct ftk__entry *a, const struct ftk__entry *b,
                                struct ftk_error *reterr)
{
    const char *kind = ftk__kind_name((ftk_kind)a->algo->kind);
    ftk__fail_exit(reterr, FTK_EEXIST, FTK__EXIT_UNAVAILABLE,
                   "%s '%s' is offered by both %s and %s", kind, a->algo->name, path_of(a),
                   path_of(b));
    if (strcmp(plugin_of(a), plugin_of(b)) == 0)
        ftk__error_context(reterr, "both are plugin %s: leave one of the files out", plugin_of(a));
    else
        ftk__error_context(reterr, "pick one with use = \"%s:%s\" or \"%s:%s\"", plugin_of(a),
                           a->algo->name, plugin_of(b), b->algo->name);
    return FTK_EEXIST;
}

/* The file that by its name should hold what is missing, and was refused; or NULL. */
static const struct ftk__file *refused_file(const struct ftk__registry *r, const char *kind,
                                            const char *name)
{
    for (uint64_t i = 0; i < r->n_files; i++) {
        const struct ftk__file *f = &r->files[i]->file;
        const char *base = ftk__path_base(f->path);
        size_t n = strlen(kind);
        if (f->reason && strncmp(base, kind, n) == 0 && base[n] == '_' &&
            strncmp(base + n + 1, name, strlen(name)) == 0 &&
            strcmp(base + n + 1 + strlen(name), ".so") == 0)
            return f;
    }
    return NULL;
}

static ftk_status not_found(const struct ftk__registry *r, ftk_kind kind, const char *use,
                            struct ftk_error *reterr)
{
    const char *kind_text = ftk__kind_name(kind);
    struct wanted w = take_apart(use);
    const struct ftk__file *refused = refused_file(r, kind_text, w.name);
    if (refused)
        return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_UNAVAILABLE,
                              "no %s '%s': %s was refused: %s", kind_text, use, refused->path,
                              refused->reason);
    uint64_t n = 0;
    const char **names = ftk__registry_names(r, kind, &n);
    if (!names)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for the names of plugins");
    const char *nearest = ftk__str_nearest(w.name, names, n);
    struct ftk__str known = { 0 };
    for (uint64_t i = 0; i < n; i++)
        ftk__str_addf(&known, "%s%s", i > 0 ? ", " : "", names[i]);
    ftk_status st = FTK_ENOENT;
    if (known.failed)
        st = ftk__fail(reterr, FTK_ENOMEM, "out of memory for the names of plugins");
    else if (nearest)
        ftk__fail_exit(reterr, st, FTK__EXIT_UNAVAILABLE, "no %s '%s', the nearest is '%s'",
                       kind_text, use, nearest);
    else
        ftk__fail_exit(reterr, st, FTK__EXIT_UNAVAILABLE, "no %s '%s', there is %s", kind_text, use,
                       known.text ? known.text : "none");
    ftk__str_done(&known);
    ftk__free(names);
    return st;
}

ftk_status ftk__registry_find(const struct ftk__registry *r, ftk_kind kind, const char *use,
                              const struct ftk__entry **ret, struct ftk_error *reterr)
{
    struct wanted w = take_apart(use);
    const struct ftk__entry *found = NULL;
    for (uint64_t i = 0; i < r->n_entries; i++) {
        const struct ftk__entry *e = r->entries[i];
        if (!offers(e, kind, &w))
            continue;
        if (found)
            return offered_twice(found, e, reterr);
        found = e;
    }
    if (!found)
        return not_found(r, kind, use, reterr);
    *ret = found;
    return FTK_OK;
}
