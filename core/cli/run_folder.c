/* SPDX-License-Identifier: MIT
 * cli/run_folder.c - finding, locking and judging the folder of a run.
 */
#include "cli/run_folder.h"

#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANIFEST_BYTES = 64 << 20 };

ftk_status ftk__manifest_read(const char *dir, json_t **ret, struct ftk_error *reterr)
{
    char *path = ftk__path_join(dir, "run.json");
    if (!path)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of run.json");
    ftk_status st = ftk__json_read_file(path, MANIFEST_BYTES, ret, reterr);
    if (st >= 0 && !json_is_object(*ret)) {
        json_decref(*ret);
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s is no object", path);
    }
    ftk__free(path);
    return st;
}

bool ftk__manifest_finished(const json_t *manifest)
{
    return strcmp(ftk__json_string(manifest, "status"), "finished") == 0;
}

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of a run's folder");
}

static char *folder_name(const struct ftk__experiment *x, const struct ftk__identity *id,
                         const struct ftk__options *o)
{
    struct ftk__str s = { 0 };
    if (o->out) {
        size_t n = strlen(o->out);
        while (n > 1 && o->out[n - 1] == '/')
            n--;
        ftk__str_add_n(&s, o->out, n);
    } else {
        ftk__str_addf(&s, "%s/%s-%s/seed-%lld", x->output, x->name, id->hash8, (long long)x->seed);
    }
    if (s.failed)
        ftk__str_done(&s);
    return s.text;
}

/* ---- siblings: the same name and seed under another hash ------------------------------------- */

static bool is_sibling(const char *entry, const char *name, const char *hash8)
{
    size_t n = strlen(name);
    if (strncmp(entry, name, n) != 0 || entry[n] != '-')
        return false;
    const char *hash = entry + n + 1;
    return strlen(hash) == 8 && strspn(hash, "0123456789abcdef") == 8 && strcmp(hash, hash8) != 0;
}

/* An unfinished run in `other` is an error; a folder without a readable run.json is none. */
static ftk_status judge_sibling(const char *other, const char *dir, const struct ftk__identity *id,
                                struct ftk__str *differences, struct ftk_error *reterr)
{
    json_t *manifest = NULL;
    uint64_t n;
    ftk_status st = ftk__manifest_read(other, &manifest, reterr);
    if (st < 0)
        return st == FTK_ENOMEM ? st : FTK_OK;
    if (!ftk__manifest_finished(manifest)) {
        st = ftk__identity_diff(id, manifest, differences, &n, reterr);
        if (st >= 0) {
            st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_CONFIG,
                                "%s holds an unfinished run of the same name and seed, of another "
                                "config than %s",
                                other, dir);
            ftk__error_context(reterr, "--new starts this one all the same");
        }
    }
    json_decref(manifest);
    return st;
}

static ftk_status check_siblings(const struct ftk__experiment *x, const struct ftk__identity *id,
                                 const char *dir, struct ftk__str *differences,
                                 struct ftk_error *reterr)
{
    struct dirent **list;
    int n = scandir(x->output, &list, NULL, alphasort);
    ftk_status st = FTK_OK;
    for (int i = 0; i < n; i++) {
        struct ftk__str other = { 0 };
        if (st >= 0 && is_sibling(list[i]->d_name, x->name, id->hash8)) {
            ftk__str_addf(&other, "%s/%s/seed-%lld", x->output, list[i]->d_name,
                          (long long)x->seed);
            st = other.failed ? no_memory(reterr)
                              : judge_sibling(other.text, dir, id, differences, reterr);
        }
        ftk__str_done(&other);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return st;
}

/* ---- the folder itself ----------------------------------------------------------------------- */

/* Nothing but a lock, and what an atomic write left behind. */
static ftk_status check_blank(const char *dir, struct ftk_error *reterr)
{
    DIR *d = opendir(dir);
    ftk_status st = FTK_OK;
    if (!d)
        return ftk__fail(reterr, FTK_EIO, "cannot read %s: %s", dir, strerror(errno));
    for (const struct dirent *e = readdir(d); e && st >= 0; e = readdir(d)) {
        const char *name = e->d_name;
        bool known = strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
                     strcmp(name, "lock") == 0 || ftk__str_ends(name, ".tmp");
        if (!known)
            st = ftk__fail_exit(reterr, FTK_EEXIST, FTK__EXIT_IN_USE,
                                "%s is not empty and holds no run: %s is there", dir, name);
    }
    closedir(d);
    return st;
}

static ftk_status refuse_other(const char *dir, struct ftk_error *reterr)
{
    ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_CONFIG,
                   "%s holds a run of another config than the one asked for", dir);
    ftk__error_context(reterr, "--new moves that one aside");
    return FTK_EINVAL;
}

/* Whether what is there is the same run; else why it is in the way. */
static ftk_status judge(const char *dir, const struct ftk__identity *id, const json_t *manifest,
                        struct ftk__str *differences, struct ftk_error *reterr)
{
    uint64_t n;
    ftk_status st = ftk__identity_diff(id, manifest, differences, &n, reterr);
    if (st < 0)
        return st;
    return n > 0 ? refuse_other(dir, reterr) : FTK_OK;
}

static ftk_status make_and_lock(struct ftk__run_folder *f, struct ftk_error *reterr)
{
    f->lock = -1;
    ftk_status st = ftk__mkdirs(f->dir, reterr);
    if (st >= 0)
        st = ftk__dir_lock(f->dir, &f->lock, reterr);
    return st;
}

/* The folder becomes "<dir>.old-<n>", a new one takes its place. */
static ftk_status move_aside(struct ftk__run_folder *f, struct ftk_error *reterr)
{
    struct ftk__str old = { 0 };
    for (unsigned n = 1;; n++) {
        ftk__str_done(&old);
        old = (struct ftk__str){ 0 };
        ftk__str_addf(&old, "%s.old-%u", f->dir, n);
        if (old.failed || !ftk__file_exists(old.text))
            break;
    }
    ftk_status st = FTK_OK;
    if (old.failed)
        st = no_memory(reterr);
    else if (rename(f->dir, old.text) != 0)
        st = ftk__fail(reterr, FTK_EIO, "cannot move %s to %s: %s", f->dir, old.text,
                       strerror(errno));
    if (st >= 0) {
        ftk__dir_unlock(old.text, f->lock);
        st = make_and_lock(f, reterr);
    }
    ftk__str_done(&old);
    return st;
}

static ftk_status enter(struct ftk__run_folder *f, const struct ftk__identity *id, bool fresh,
                        struct ftk__str *differences, struct ftk_error *reterr)
{
    struct ftk_error err;
    json_t *manifest = NULL;
    ftk_status st = ftk__manifest_read(f->dir, &manifest, &err);
    if (st == FTK_ENOENT)
        return check_blank(f->dir, reterr);
    if (fresh) {
        json_decref(st >= 0 ? manifest : NULL);
        return move_aside(f, reterr);
    }
    if (st < 0) {
        *reterr = err;
        return st;
    }
    st = judge(f->dir, id, manifest, differences, reterr);
    if (st < 0) {
        json_decref(manifest);
        return st;
    }
    f->finished = ftk__manifest_finished(manifest);
    f->manifest = manifest;
    return FTK_OK;
}

ftk_status ftk__run_folder_open(const struct ftk__experiment *x, const struct ftk__identity *id,
                                const struct ftk__options *o, struct ftk__run_folder *ret,
                                struct ftk__str *ret_differences, struct ftk_error *reterr)
{
    struct ftk__run_folder f = { .dir = folder_name(x, id, o), .lock = -1, .ours = !o->out };
    ftk_status st = f.dir ? FTK_OK : no_memory(reterr);
    if (st >= 0 && !o->out && !o->fresh)
        st = check_siblings(x, id, f.dir, ret_differences, reterr);
    if (st >= 0)
        st = make_and_lock(&f, reterr);
    if (st >= 0)
        st = enter(&f, id, o->fresh, ret_differences, reterr);
    if (st < 0)
        ftk__run_folder_close(&f);
    else
        *ret = f;
    return st;
}

/* Only empty folders: rmdir refuses all others. */
static void remove_empty(const char *dir)
{
    char *above = ftk__path_dir(dir);
    if (rmdir(dir) == 0 && above)
        rmdir(above);
    ftk__free(above);
}

void ftk__run_folder_close(struct ftk__run_folder *f)
{
    if (f->dir && f->lock >= 0) {
        ftk__dir_unlock(f->dir, f->lock);
        if (f->ours)
            remove_empty(f->dir);
    }
    ftk__free(f->dir);
    json_decref(f->manifest);
    *f = (struct ftk__run_folder){ .lock = -1 };
}
