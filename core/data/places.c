/* SPDX-License-Identifier: MIT
 * data/places.c - looks for the files of a named set.
 */
#include "data/places.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include <stdlib.h>

enum { MAX_PLACES = 3 };

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "out of memory for a file name");
}

/* *ret is NULL where there is neither the file nor its ".gz". */
static ftk_status find_file(const char *folder, const char *name, char **ret,
                            struct ftk_error *reterr)
{
    char gz[64];
    ftk__format(gz, sizeof gz, "%s.gz", name);
    const char *names[] = { name, gz };
    for (size_t i = 0; i < 2; i++) {
        char *path = ftk__path_join(folder, names[i]);
        if (!path)
            return no_memory(reterr);
        if (ftk__file_exists(path)) {
            *ret = path;
            return FTK_OK;
        }
        ftk__free(path);
    }
    *ret = NULL;
    return FTK_OK;
}

/* Where to look, in order; false without memory.  Entries are the caller's. */
static bool list_places(const struct ftk__place *p, const char *dir, char *ret[MAX_PLACES],
                        uint32_t *ret_n)
{
    uint32_t n = 0;
    if (*dir) {
        ret[n++] = ftk__path_join(dir, p->folder);
        ret[n++] = ftk__strdup(dir);
    } else {
        char *data = ftk__path_data();
        const char *env = getenv("FREETICKETS_DATA");
        ret[n++] = data ? ftk__path_join(data, p->folder) : NULL;
        ftk__free(data);
        if (env && *env)
            ret[n++] = ftk__strdup(env);
        if (p->package_folder)
            ret[n++] = ftk__strdup(p->package_folder);
    }
    *ret_n = n;
    bool ok = true;
    for (uint32_t i = 0; i < n; i++)
        ok = ok && ret[i];
    return ok;
}

static ftk_status not_found(const struct ftk__place *p, const char *where, const char *name,
                            struct ftk_error *reterr)
{
    return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA,
                          "no %s of %s in %s; get the files by `%s`, or name their folder in "
                          "data.dir",
                          name, p->title, where, p->get);
}

ftk_status ftk__place_folder(const struct ftk__place *p, const char *dir, const char *file,
                             char **ret, struct ftk_error *reterr)
{
    char *place[MAX_PLACES] = { NULL };
    uint32_t n;
    ftk_status st = FTK_OK;
    struct ftk__str tried = { 0 };
    char *folder = NULL;
    if (!list_places(p, dir, place, &n))
        st = no_memory(reterr);
    for (uint32_t i = 0; i < n && st == FTK_OK && !folder; i++) {
        char *found = NULL;
        st = find_file(place[i], file, &found, reterr);
        ftk__str_addf(&tried, "%s%s", i > 0 ? ", " : "", place[i]);
        if (found) {
            folder = place[i];
            place[i] = NULL;
        }
        ftk__free(found);
    }
    if (st == FTK_OK && tried.failed)
        st = no_memory(reterr);
    if (st == FTK_OK && !folder)
        st = not_found(p, tried.text, file, reterr);
    for (uint32_t i = 0; i < n; i++)
        ftk__free(place[i]);
    ftk__str_done(&tried);
    if (st == FTK_OK)
        *ret = folder;
    else
        ftk__free(folder);
    return st;
}

ftk_status ftk__place_file(const struct ftk__place *p, const char *folder, const char *file,
                           char **ret, struct ftk_error *reterr)
{
    char *path = NULL;
    ftk_status st = find_file(folder, file, &path, reterr);
    if (st == FTK_OK && !path)
        st = not_found(p, folder, file, reterr);
    if (st == FTK_OK)
        *ret = path;
    return st;
}

ftk_status ftk__place_find(const struct ftk__place *p, const char *dir, const char *file,
                           char **ret, struct ftk_error *reterr)
{
    char *folder;
    ftk_status st = ftk__place_folder(p, dir, file, &folder, reterr);
    if (st != FTK_OK)
        return st;
    st = ftk__place_file(p, folder, file, ret, reterr);
    ftk__free(folder);
    return st;
}
