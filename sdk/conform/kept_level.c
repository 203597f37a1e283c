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

/* The cache's folder with a / at its end; NULL where there is no home. */
static char *cache_folder(void)
{
    struct ftk__str s = { 0 };
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (cache && cache[0] == '/')
        ftk__str_addf(&s, "%s/freetickets/conform/", cache);
    else if (home && home[0] == '/')
        ftk__str_addf(&s, "%s/.cache/freetickets/conform/", home);
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

static int level_in(const char *name, const char *sha256)
{
    json_t *doc;
    struct ftk__sha256 rules;
    int level = 0;
    if (!name || ftk__json_read_file(name, DOCUMENT_LIMIT, &doc, NULL) < 0)
        return 0;
    const char *file = json_string_value(json_object_get(doc, "sha256"));
    const char *by =
        json_string_value(json_object_get(json_object_get(doc, "kit"), "rules_sha256"));
    if (file && by && strcmp(file, sha256) == 0 && ftk__rules_hash(&rules, NULL) >= 0 &&
        strcmp(by, rules.hex) == 0)
        level = (int)json_integer_value(json_object_get(doc, "level"));
    json_decref(doc);
    return level;
}

int ftk__level_kept(const char *path, const char *sha256)
{
    char *name = beside(path);
    int level = level_in(name, sha256);
    ftk__free(name);
    if (level > 0)
        return level;
    name = in_cache(sha256);
    level = level_in(name, sha256);
    ftk__free(name);
    return level;
}
