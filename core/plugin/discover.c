/* SPDX-License-Identifier: MIT
 * plugin/discover.c - plugin files: where they are looked for, in which order, what became of each.
 *
 * Every file looked at leaves a record, loaded or not; a folder's files are taken by name, since
 * the order of a directory is not the same on two machines.
 */
#include "base/path.h"
#include "base/str.h"
#include "plugin/loader.h"
#include "plugin/registry_parts.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "out of memory for the list of plugins");
}

/* "cpu" of ".../backend_cpu.so"; *ret NULL for other files.  False without memory. */
static bool backend_of(struct ftk__arena *arena, const char *path, const char **ret)
{
    const char *base = ftk__path_base(path);
    *ret = NULL;
    if (!ftk__str_starts(base, "backend_") || !ftk__str_ends(base, ".so"))
        return true;
    const char *name = base + strlen("backend_");
    size_t n = strlen(name) - strlen(".so");
    char *copy = ftk__arena_alloc(arena, n + 1);
    if (copy)
        memcpy(copy, name, n);
    *ret = copy;
    return copy != NULL;
}

/* A new record at the end of the list; NULL without memory. */
static struct ftk__file_slot *add_file(struct ftk__registry *r, const char *path)
{
    if (r->n_files == r->cap_files) {
        uint64_t cap = r->cap_files > 0 ? 2 * r->cap_files : 32;
        struct ftk__file_slot **grown =
            ftk__realloc_array(r->files, r->n_files, cap, sizeof(struct ftk__file_slot *));
        if (!grown)
            return NULL;
        r->files = grown;
        r->cap_files = cap;
    }
    struct ftk__file_slot *slot = ftk__arena_alloc(&r->arena, sizeof(*slot));
    if (!slot)
        return NULL;
    slot->file.path = ftk__arena_strdup(&r->arena, path);
    if (!slot->file.path || !backend_of(&r->arena, path, &slot->backend))
        return NULL;
    r->files[r->n_files] = slot;
    r->n_files++;
    return slot;
}

/* A record of something that was looked at in vain. */
static ftk_status add_refused(struct ftk__registry *r, const char *path, const char *reason,
                              struct ftk_error *reterr)
{
    struct ftk__file_slot *slot = add_file(r, path);
    if (!slot)
        return no_memory(reterr);
    slot->file.reason = ftk__arena_strdup(&r->arena, reason);
    return slot->file.reason ? FTK_OK : no_memory(reterr);
}

struct adding {
    struct ftk__registry *registry;
    const struct ftk__file *file;
};

static ftk_status add_algo(const ftk_registry *table, const ftk_algo *algo)
{
    const struct adding *to = table->self;
    return ftk__registry_add_entry(to->registry, algo, to->file) ? FTK_OK : FTK_ENOMEM;
}

/* A refusal is kept as the file's reason; only want of memory is an error here. */
static ftk_status load_slot(struct ftk__registry *r, struct ftk__file_slot *slot,
                            struct ftk_error *reterr)
{
    struct adding to = { r, &slot->file };
    const ftk_registry table = {
        .size = sizeof(table),
        .abi_major = FTK_ABI_MAJOR,
        .abi_minor = FTK_ABI_MINOR,
        .self = &to,
        .add = add_algo,
    };
    uint64_t before = r->n_entries;
    struct ftk_error why;
    ftk_status st = ftk__plugin_load(slot->file.path, &table, &slot->file.stamp, &why);
    if (st == FTK_OK) {
        slot->file.deferred = false;
        return FTK_OK;
    }
    r->n_entries = before;
    if (st == FTK_ENOMEM)
        return no_memory(reterr);
    slot->file.deferred = false;
    slot->file.reason = ftk__arena_strdup(&r->arena, why.message);
    return slot->file.reason ? FTK_OK : no_memory(reterr);
}

static const struct ftk__file *seen(const struct ftk__registry *r, const struct stat *about)
{
    for (uint64_t i = 0; i < r->n_files; i++) {
        const struct ftk__file *f = &r->files[i]->file;
        if (f->inode != 0 && f->device == (uint64_t)about->st_dev &&
            f->inode == (uint64_t)about->st_ino)
            return f;
    }
    return NULL;
}

static ftk_status same_file(struct ftk__registry *r, const char *path,
                            const struct ftk__file *first, struct ftk_error *reterr)
{
    for (uint64_t i = 0; i < r->n_files; i++) {
        if (strcmp(r->files[i]->file.path, path) == 0)
            return FTK_OK;
    }
    struct ftk__str reason = { 0 };
    ftk__str_addf(&reason, "the same file as %s", first->path);
    ftk_status st = reason.failed ? no_memory(reterr) : add_refused(r, path, reason.text, reterr);
    ftk__str_done(&reason);
    return st;
}

static ftk_status look_at_file(struct ftk__registry *r, const char *path, struct ftk_error *reterr)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return add_refused(r, path, strerror(errno), reterr);
    const struct ftk__file *first = seen(r, &about);
    if (first)
        return same_file(r, path, first, reterr);
    struct ftk__file_slot *slot = add_file(r, path);
    if (!slot)
        return no_memory(reterr);
    slot->file.device = (uint64_t)about.st_dev;
    slot->file.inode = (uint64_t)about.st_ino;
    slot->file.deferred = slot->backend != NULL;
    if (slot->file.deferred)
        return FTK_OK;
    ftk_status st = load_slot(r, slot, reterr);
    if (st != FTK_OK)
        r->n_files--; /* not judged: a later scan shall look at it again          */
    return st;
}

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

struct names {
    struct ftk__arena arena;
    char **v; // [n]
    uint64_t n, cap;
};

static bool names_add(struct names *list, const char *name)
{
    if (list->n == list->cap) {
        uint64_t cap = list->cap > 0 ? 2 * list->cap : 64;
        char **grown = ftk__realloc_array(list->v, list->n, cap, sizeof(char *));
        if (!grown)
            return false;
        list->v = grown;
        list->cap = cap;
    }
    list->v[list->n] = ftk__arena_strdup(&list->arena, name);
    if (!list->v[list->n])
        return false;
    list->n++;
    return true;
}

/* Every *.so of an open folder, hidden ones left out. */
static bool read_names(DIR *dir, struct names *list)
{
    const struct dirent *d;
    while ((d = readdir(dir)) != NULL) {
        if (d->d_name[0] != '.' && ftk__str_ends(d->d_name, ".so") && !names_add(list, d->d_name))
            return false;
    }
    return true;
}

static ftk_status look_at_names(struct ftk__registry *r, const char *path, const struct names *list,
                                struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (uint64_t i = 0; i < list->n && st == FTK_OK; i++) {
        char *file = ftk__path_join(path, list->v[i]);
        st = file ? look_at_file(r, file, reterr) : no_memory(reterr);
        ftk__free(file);
    }
    return st;
}

/* FTK_ENOENT where the folder cannot be read. */
static ftk_status look_at_dir(struct ftk__registry *r, const char *path, struct ftk_error *reterr)
{
    DIR *dir = opendir(path);
    if (!dir)
        return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_CONFIG, "plugin folder %s: %s", path,
                              strerror(errno));
    struct names list = { 0 };
    ftk_status st = read_names(dir, &list) ? FTK_OK : no_memory(reterr);
    closedir(dir);
    if (st == FTK_OK) {
        if (list.n > 0)
            qsort(list.v, list.n, sizeof(*list.v), compare_names);
        st = look_at_names(r, path, &list, reterr);
    }
    ftk__arena_done(&list.arena);
    ftk__free(list.v);
    return st;
}

/* Why a file that was judged is refused; NULL where it is not. */
static const char *refusal(const struct ftk__registry *r, const char *path)
{
    for (uint64_t i = 0; i < r->n_files; i++) {
        const struct ftk__file *f = &r->files[i]->file;
        if (f->inode != 0 && strcmp(f->path, path) == 0)
            return f->reason;
    }
    return NULL;
}

/* One file that someone named: its refusal is an error, not a note. */
static ftk_status look_at_named(struct ftk__registry *r, const char *path, struct ftk_error *reterr)
{
    ftk_status st = look_at_file(r, path, reterr);
    const char *why = refusal(r, path);
    if (st == FTK_OK && why)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_CONFIG, "plugin %s: %s", path, why);
    return st;
}

/* A folder, or one file, that someone named. */
static ftk_status look_at_given(struct ftk__registry *r, const char *path, struct ftk_error *reterr)
{
    struct stat about;
    if (stat(path, &about) == 0 && !S_ISDIR(about.st_mode)) {
        if (ftk__str_ends(path, ".so"))
            return look_at_named(r, path, reterr);
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_CONFIG,
                              "%s is neither a folder nor a *.so file", path);
    }
    return look_at_dir(r, path, reterr);
}

/* A place that is looked at in any case: what is not there is noted, not an error. */
static ftk_status look_at_standing(struct ftk__registry *r, const char *path,
                                   struct ftk_error *reterr)
{
    struct ftk_error why;
    ftk_status st = look_at_given(r, path, &why);
    if (st == FTK_OK)
        return FTK_OK;
    if (st == FTK_ENOMEM)
        return no_memory(reterr);
    for (uint64_t i = 0; i < r->n_files; i++) {
        if (strcmp(r->files[i]->file.path, path) == 0)
            return FTK_OK;
    }
    return add_refused(r, path, why.message, reterr);
}

static ftk_status look_at_environment(struct ftk__registry *r, struct ftk_error *reterr)
{
    const char *at = getenv("FREETICKETS_PLUGIN_PATH");
    ftk_status st = FTK_OK;
    while (at && *at != '\0' && st == FTK_OK) {
        size_t n = strcspn(at, ":");
        /* An empty entry, which elsewhere means the current folder, means nothing here. */
        if (n > 0) {
            struct ftk__str path = { 0 };
            ftk__str_add_n(&path, at, n);
            st = path.failed ? no_memory(reterr) : look_at_standing(r, path.text, reterr);
            ftk__str_done(&path);
        }
        at += n + (at[n] == ':');
    }
    return st;
}

ftk_status ftk__registry_scan(struct ftk__registry *r, const char *const *dirs, uint64_t n_dirs,
                              struct ftk_error *reterr)
{
    ftk_status bad =
        FTK_OK; /* of the first that is wrong; the other places are looked at all the same */
    for (uint64_t i = 0; i < n_dirs; i++) {
        ftk_status st = look_at_given(r, dirs[i], bad == FTK_OK ? reterr : NULL);
        if (st == FTK_ENOMEM)
            return no_memory(reterr);
        if (bad == FTK_OK)
            bad = st;
    }
    ftk_status st = look_at_environment(r, bad == FTK_OK ? reterr : NULL);
    char *own = st == FTK_OK ? ftk__path_plugins() : NULL;
    if (st == FTK_OK)
        st = own ? look_at_standing(r, own, bad == FTK_OK ? reterr : NULL) : FTK_ENOMEM;
    ftk__free(own);
    if (st == FTK_ENOMEM)
        return no_memory(reterr);
    return bad == FTK_OK ? st : bad;
}

ftk_status ftk__registry_open_backends(struct ftk__registry *r, const char *name,
                                       struct ftk_error *reterr)
{
    const char *colon = name ? strrchr(name, ':') : NULL;
    const char *wanted = colon ? colon + 1 : name;
    ftk_status st = FTK_OK;
    for (uint64_t i = 0; i < r->n_files && st == FTK_OK; i++) {
        struct ftk__file_slot *slot = r->files[i];
        if (slot->file.deferred && (!wanted || strcmp(slot->backend, wanted) == 0))
            st = load_slot(r, slot, reterr);
    }
    return st;
}
