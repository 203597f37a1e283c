/* SPDX-License-Identifier: MIT
 * plugin/loader.c - one plugin file: opened, judged by its stamp, asked what it offers.
 *
 * The file registers with a recorder first; only when all it offers has been checked does the
 * caller's registry see any of it.  A file is never closed: descriptors point into it.
 */
#include "plugin/loader.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "plugin/elf_check.h"
#include "plugin/load_guard.h"
#include <dlfcn.h>
#include <string.h>

struct recorder {
    ftk_registry table;
    const ftk_algo **algo; // [n]
    uint64_t n, cap;
    ftk_status failed; /* the first status other than FTK_OK given back */
};

typedef const ftk_stamp *(*stamp_fn)(void);
typedef ftk_status (*register_fn)(const ftk_registry *r);

static ftk_status record(const ftk_registry *r, const ftk_algo *algo)
{
    struct recorder *rec = r->self;
    if (!algo) {
        rec->failed = FTK_EINVAL;
        return rec->failed;
    }
    if (rec->n == rec->cap) {
        uint64_t cap = rec->cap > 0 ? 2 * rec->cap : 8;
        const ftk_algo **grown =
            ftk__realloc_array(rec->algo, rec->n, cap, sizeof(const ftk_algo *));
        if (!grown) {
            rec->failed = FTK_ENOMEM;
            return rec->failed;
        }
        rec->algo = grown;
        rec->cap = cap;
    }
    rec->algo[rec->n] = algo;
    rec->n++;
    return FTK_OK;
}

/* dlerror() starts with the path, which the caller knows. */
static ftk_status open_failed(const char *path, struct ftk_error *reterr)
{
    const char *text = dlerror();
    if (!text)
        text = "dlopen() gives no reason";
    size_t n = strlen(path);
    if (strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0)
        text += n + 2;
    return ftk__fail(reterr, FTK_EINVAL, "does not load: %s", text);
}

static bool is_plugin_name(const char *s)
{
    if (!s || s[0] < 'a' || s[0] > 'z' || !strchr(s, '.') || strstr(s, "..") ||
        ftk__str_ends(s, "."))
        return false;
    return s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-")] == '\0';
}

/* Three numbers with dots between; what may follow is left to the reader. */
static bool is_version(const char *s)
{
    for (int part = 0; s && part < 3; part++) {
        size_t digits = strspn(s, "0123456789");
        if (digits == 0 || (part < 2 && s[digits] != '.'))
            return false;
        s += digits + (part < 2);
    }
    return s && (*s == '\0' || *s == '-' || *s == '+');
}

ftk_status ftk__stamp_check(const ftk_stamp *s, struct ftk_error *reterr)
{
    if (!s)
        return ftk__fail(reterr, FTK_EABI, "ftk_plugin_stamp() returns NULL");
    if (s->magic != FTK_MAGIC)
        return ftk__fail(reterr, FTK_EABI, "magic 0x%08x of the stamp is not 0x%08x", s->magic,
                         FTK_MAGIC);
    if (s->abi_major != FTK_ABI_MAJOR || s->abi_minor != FTK_ABI_MINOR)
        return ftk__fail(reterr, FTK_EABI,
                         "built for plugin interface %u.%u, this program has "
                         "%u.%u: rebuild the plugin with the headers of freetickets " FTK_VERSION,
                         s->abi_major, s->abi_minor, FTK_ABI_MAJOR, FTK_ABI_MINOR);
    if (s->size != sizeof(*s) || s->reserved != 0)
        return ftk__fail(reterr, FTK_EABI,
                         "the stamp has size %u and reserved %u, should be %zu "
                         "and 0",
                         s->size, s->reserved, sizeof(*s));
    if (!is_plugin_name(s->name))
        return ftk__fail(reterr, FTK_EINVAL, "plugin name '%s' is not like org.example.name",
                         s->name ? s->name : "(null)");
    if (!is_version(s->version))
        return ftk__fail(reterr, FTK_EINVAL, "version '%s' is not like 1.0.0",
                         s->version ? s->version : "(null)");
    if (!s->license || s->license[0] == '\0')
        return ftk__fail(reterr, FTK_EINVAL, "the stamp names no license");
    return FTK_OK;
}

/* backend_<name>.so is opened only when asked for by that name: it must hold that and no more. */
static ftk_status check_file_name(const char *path, const ftk_algo *a, struct ftk_error *reterr)
{
    const char *base = ftk__path_base(path);
    if (!ftk__str_starts(base, "backend_"))
        return FTK_OK;
    const char *name = base + strlen("backend_");
    size_t n = strlen(a->name);
    bool named = strncmp(name, a->name, n) == 0 && strcmp(name + n, ".so") == 0;
    if (a->kind == FTK_KIND_BACKEND && named)
        return FTK_OK;
    return ftk__fail(reterr, FTK_EINVAL,
                     "%s holds %s '%s': a backend_NAME.so may hold only the "
                     "backend NAME",
                     base, ftk__kind_name((ftk_kind)a->kind), a->name);
}

static ftk_status check_offer(const char *path, const struct recorder *rec,
                              struct ftk_error *reterr)
{
    if (rec->n == 0)
        return ftk__fail(reterr, FTK_EINVAL, "registers no algorithm");
    for (uint64_t i = 0; i < rec->n; i++) {
        const ftk_algo *a = rec->algo[i];
        ftk_status st = ftk__algo_check(a, reterr);
        if (st == FTK_OK)
            st = check_file_name(path, a, reterr);
        if (st != FTK_OK)
            return st;
        for (uint64_t k = 0; k < i; k++) {
            if (rec->algo[k]->kind == a->kind && strcmp(rec->algo[k]->name, a->name) == 0)
                return ftk__fail(reterr, FTK_EEXIST, "registers %s '%s' twice",
                                 ftk__kind_name((ftk_kind)a->kind), a->name);
        }
    }
    return FTK_OK;
}

static ftk_status ask(const char *path, register_fn fn, struct recorder *rec,
                      struct ftk_error *reterr)
{
    ftk_status st = fn(&rec->table);
    if (rec->failed == FTK_ENOMEM)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory while it registers");
    if (rec->failed != FTK_OK)
        return ftk__fail(reterr, FTK_EINVAL, "registers NULL as an algorithm");
    if (st != FTK_OK)
        return ftk__fail(reterr, FTK_EINVAL, "ftk_plugin_register() returns %d (%s)", (int)st,
                         ftk__status_text(st));
    return check_offer(path, rec, reterr);
}

/* Everything that runs code of the file; the guard is up. */
static ftk_status open_and_ask(const char *path, struct ftk__load_guard *guard,
                               struct recorder *rec, const ftk_stamp **ret_stamp,
                               struct ftk_error *reterr)
{
    void *file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!file)
        return open_failed(path, reterr);
    ftk_status st = ftk__load_guard_check(guard, reterr);
    if (st != FTK_OK)
        return st;
    void *symbols[2] = { dlsym(file, "ftk_plugin_stamp"), dlsym(file, "ftk_plugin_register") };
    if (!symbols[0] || !symbols[1])
        return ftk__fail(reterr, FTK_EABI, "not a plugin: it exports no %s",
                         symbols[0] ? "ftk_plugin_register" : "ftk_plugin_stamp");
    stamp_fn stamp;
    register_fn offer;
    memcpy(&stamp, &symbols[0], sizeof(stamp)); /* ISO C has no such cast         */
    memcpy(&offer, &symbols[1], sizeof(offer));
    const ftk_stamp *judged = stamp();
    st = ftk__stamp_check(judged, reterr);
    if (st != FTK_OK)
        return st;
    *ret_stamp = judged;
    st = ask(path, offer, rec, reterr);
    if (st != FTK_OK)
        return st;
    return ftk__load_guard_check(guard, reterr);
}

static ftk_status load(const char *path, struct recorder *rec, const ftk_stamp **ret_stamp,
                       struct ftk_error *reterr)
{
    ftk_status st = ftk__elf_check(path, reterr);
    if (st != FTK_OK)
        return st;
    /* A name without a slash would send dlopen() looking through the library path. */
    char *real = ftk__path_real(path);
    if (!real)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for a path");
    struct ftk__load_guard guard;
    st = ftk__load_guard_begin(&guard, reterr);
    if (st == FTK_OK) {
        st = open_and_ask(real, &guard, rec, ret_stamp, reterr);
        ftk__load_guard_end(&guard);
    }
    ftk__free(real);
    return st;
}

ftk_status ftk__plugin_load(const char *path, const ftk_registry *reg, const ftk_stamp **ret_stamp,
                            struct ftk_error *reterr)
{
    struct recorder rec = {
        .table = { .size = sizeof(ftk_registry),
                   .abi_major = FTK_ABI_MAJOR,
                   .abi_minor = FTK_ABI_MINOR,
                   .add = record },
    };
    rec.table.self = &rec;
    const ftk_stamp *stamp = NULL;
    ftk_status st = load(path, &rec, &stamp, reterr);
    for (uint64_t i = 0; i < rec.n && st == FTK_OK; i++) {
        st = reg->add(reg, rec.algo[i]);
        if (st != FTK_OK)
            ftk__fail(reterr, st, "the registry refuses %s '%s': %s",
                      ftk__kind_name((ftk_kind)rec.algo[i]->kind), rec.algo[i]->name,
                      ftk__status_text(st));
    }
    ftk__free(rec.algo);
    if (st == FTK_OK)
        *ret_stamp = stamp;
    else
        ftk__error_context(reterr, "in plugin file %s", path);
    return st;
}
