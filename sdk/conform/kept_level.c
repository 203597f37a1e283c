/* SPDX-License-Identifier: MIT
 * conform/kept_level.c - verdict documents on disk.  They are valid for one content of the file and
 * one set of rules: both hashes stand in the document.
 */
#include "conform/kept_level.h"
#include "base/io.h"
#include "base/path.h"
#include "conform/kit_reports.h"
#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_LIMIT = 16 * 1024 * 1024 };

static char *beside(const char *path)
{
    struct ftk__str s = { 0 };
    ftk__str_addf(&s, "%s.conform.json", path);
    return s.text;
}

/* The folder that caches stand in, as the XDG base directory specification has it; NULL where there is no home. */
static const char *cache_home(const char **ret_below)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    bool own = cache && cache[0] == '/';
    *ret_below = own ? "" : ".cache/";
    if (own)
        return cache;
    return home && home[0] == '/' ? home : NULL;
}

static bool has_cache(void)
{
    const char *below;
    return cache_home(&below) != NULL;
}

/* The cache's folder with a / at its end; NULL where there is no home or no memory. */
static char *cache_folder(void)
{
    struct ftk__str s = { 0 };
    const char *below;
    const char *home = cache_home(&below);
    if (home)
        ftk__str_addf(&s, "%s/%sfreetickets/conform/", home, below);
    return s.text;
}

static char *in_cache(const char *sha256)
{
    struct ftk__str s = { 0 };
    char *folder = cache_folder();
    if (folder)
        ftk__str_addf(&s, "%s%s.json", folder, sha256);
    ftk__free(folder);
    return s.text;
}

static void keep(const char *path, const json_t *doc)
{
    const char *sha256 = json_string_value(json_object_get(doc, "sha256"));
    char *name = beside(path);
    if (!sha256 || !name) {
        ftk__free(name);
        return;
    }
    if (ftk__json_write_file(name, doc, NULL) < 0) {
        char *folder = cache_folder();
        ftk__free(name);
        name = in_cache(sha256);
        if (folder && name && ftk__mkdirs(folder, NULL) >= 0)
            (void)ftk__json_write_file(name, doc, NULL);
        ftk__free(folder);
    }
    ftk__free(name);
}

void ftk__levels_keep(const struct ftk__conform_run *r)
{
    if (r->o->only || r->algo || r->timeout_s > 0 || r->broken > 0)
        return;
    for (uint32_t i = 0; i < r->n_files; i++) {
        json_t *doc = r->file[i].n_algos > 0 ? ftk__report_json(r, i) : NULL;
        if (doc)
            keep(r->file[i].real, doc);
        json_decref(doc);
    }
}

/* The level that a document states, 0 where there is no such document or it speaks of other rules or
 * another content. */
static ftk_status level_in(const char *name, const char *sha256, int *ret, struct ftk_error *reterr)
{
    json_t *doc;
    struct ftk__sha256 rules;
    *ret = 0;
    ftk_status st = ftk__rules_hash(&rules, reterr);
    if (st < 0)
        return st;
    st = ftk__json_read_file(name, DOCUMENT_LIMIT, &doc, reterr);
    if (st == FTK_ENOMEM)
        return st;
    if (st < 0)
        return FTK_OK;
    const char *file = json_string_value(json_object_get(doc, "sha256"));
    const char *by =
        json_string_value(json_object_get(json_object_get(doc, "kit"), "rules_sha256"));
    if (file && by && strcmp(file, sha256) == 0 && strcmp(by, rules.hex) == 0)
        *ret = (int)json_integer_value(json_object_get(doc, "level"));
    json_decref(doc);
    return FTK_OK;
}

/* The same of a name that was allocated, and is NULL where that failed. */
static ftk_status level_in_taken(char *name, const char *sha256, int *ret, struct ftk_error *reterr)
{
    ftk_status st = name ? level_in(name, sha256, ret, reterr)
                         : ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of a level");
    ftk__free(name);
    return st;
}

ftk_status ftk__level_kept(const char *path, const char *sha256, int *ret, struct ftk_error *reterr)
{
    *ret = 0;
    ftk_status st = level_in_taken(beside(path), sha256, ret, reterr);
    if (st < 0 || *ret > 0 || !has_cache())
        return st;
    return level_in_taken(in_cache(sha256), sha256, ret, reterr);
}
