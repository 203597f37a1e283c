/* SPDX-License-Identifier: MIT
 * cli/dense_run.c - run.json files, compared.
 */
#include "cli/dense_run.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/manifest.h"
#include "cli/run_folder.h"
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Whether the line is one that has to agree: all of data and model, and the length. */
static bool must_agree(const char *line)
{
    return ftk__str_starts(line, "data.") || ftk__str_starts(line, "model.") ||
           ftk__str_starts(line, "epochs=");
}

static bool has_line(const json_t *list, const char *line)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *other = json_string_value(json_array_get(list, i));
        if (other && strcmp(other, line) == 0)
            return true;
    }
    return false;
}

/* A line of `a` that has to be in `b` and is not; NULL: none. */
static const char *odd_line(const json_t *a, const json_t *b)
{
    for (size_t i = 0; i < json_array_size(a); i++) {
        const char *line = json_string_value(json_array_get(a, i));
        if (line && must_agree(line) && !has_line(b, line))
            return line;
    }
    return NULL;
}

static ftk_status check_backend(const json_t *ours, const json_t *theirs, struct ftk_error *reterr)
{
    static const char *const keys[] = { "name", "device", "threads", "precision", "isa" };
    const json_t *a = json_object_get(ours, "backend");
    const json_t *b = json_object_get(theirs, "backend");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const json_t *mine = json_object_get(a, keys[i]);
        bool unknown = strcmp(keys[i], "isa") == 0 && json_is_null(mine);
        if (!unknown && !json_equal(mine, json_object_get(b, keys[i])))
            return ftk__fail(reterr, FTK_EINVAL, "its backend.%s differs", keys[i]);
    }
    if (strcmp(ftk__json_string(ours, "host"), ftk__json_string(theirs, "host")) != 0)
        return ftk__fail(reterr, FTK_EINVAL, "it ran on %s", ftk__json_string(theirs, "host"));
    return FTK_OK;
}

ftk_status ftk__dense_check(const json_t *ours, const json_t *theirs, struct ftk_error *reterr)
{
    struct ftk__cost cost;
    if (!ftk__manifest_finished(theirs))
        return ftk__fail(reterr, FTK_EINVAL, "it is not finished");
    if (strcmp(ftk__json_string(theirs, "strategy"), "dense") != 0)
        return ftk__fail(reterr, FTK_EINVAL, "its strategy is %s",
                         ftk__json_string(theirs, "strategy"));
    ftk_status st = ftk__manifest_cost(theirs, &cost, reterr);
    if (st < 0)
        return st;
    if (cost.members != 1)
        return ftk__fail(reterr, FTK_EINVAL, "it has %llu members",
                         (unsigned long long)cost.members);
    if (!(fabs(cost.theory - 1) < 0.01))
        return ftk__fail(reterr, FTK_EINVAL, "it trained for %.2f of its `epochs`", cost.theory);
    const json_t *a = json_object_get(ours, "identity");
    const json_t *b = json_object_get(theirs, "identity");
    const char *odd = odd_line(a, b);
    if (!odd)
        odd = odd_line(b, a);
    if (odd)
        return ftk__fail(reterr, FTK_EINVAL, "it differs in %.*s", (int)strcspn(odd, "="), odd);
    return check_backend(ours, theirs, reterr);
}

struct search {
    const char *own;
    const json_t *ours;
    char *dir; /* found */
    double wall_s;
    bool same_seed;
    bool failed;
};

/* By the file system: one folder has many names. */
static bool same_folder(const char *a, const char *b)
{
    struct stat sa;
    struct stat sb;
    if (stat(a, &sa) != 0 || stat(b, &sb) != 0)
        return false;
    return sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static void consider(struct search *s, const char *dir)
{
    json_t *theirs;
    if (same_folder(dir, s->own))
        return;
    ftk_status st = ftk__manifest_read(dir, &theirs, NULL);
    s->failed = s->failed || st == FTK_ENOMEM;
    if (st < 0)
        return;
    bool same_seed = json_equal(json_object_get(s->ours, "seed"), json_object_get(theirs, "seed"));
    bool better = !s->dir || (same_seed && !s->same_seed);
    if (better && ftk__dense_check(s->ours, theirs, NULL) >= 0) {
        ftk__free(s->dir);
        s->dir = ftk__strdup(dir);
        s->failed = s->failed || !s->dir;
        s->wall_s = ftk__manifest_wall(theirs);
        s->same_seed = same_seed;
    }
    json_decref(theirs);
}

/* Calls itself once, for the folders of an experiment. */
static void walk(struct search *s, const char *dir, bool seeds)
{
    struct dirent **list;
    int n = scandir(dir, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;
        struct ftk__str path = { 0 };
        ftk__str_addf(&path, "%s/%s", dir, name);
        s->failed = s->failed || path.failed;
        if (!s->failed && !seeds && name[0] != '.')
            walk(s, path.text, true);
        else if (!s->failed && seeds && ftk__str_starts(name, "seed-") && !strchr(name, '.'))
            consider(s, path.text);
        ftk__str_done(&path);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
}

bool ftk__dense_find(const char *output, const char *own, const json_t *ours, char **ret_dir,
                     double *ret_wall_s)
{
    struct search s = { .own = own, .ours = ours };
    walk(&s, output, false);
    if (s.failed) {
        ftk__free(s.dir);
        return false;
    }
    *ret_dir = s.dir;
    *ret_wall_s = s.wall_s;
    return true;
}

static ftk_status set_dense(const char *dense, const json_t *ours, struct ftk__cost *ret,
                            struct ftk_error *reterr)
{
    json_t *theirs;
    ftk_status st = ftk__manifest_read(dense, &theirs, reterr);
    if (st < 0)
        return st;
    st = ftk__dense_check(ours, theirs, reterr);
    if (st >= 0) {
        ret->dense_run = dense;
        ret->dense_wall_s = ftk__manifest_wall(theirs);
    } else {
        ftk__error_context(reterr, "so %s cannot be compared with", dense);
    }
    json_decref(theirs);
    return st;
}

ftk_status ftk__dense_cost(const char *output, const char *own, const char *dense,
                           const json_t *ours, struct ftk__cost *ret, char **ret_dir,
                           struct ftk_error *reterr)
{
    *ret_dir = NULL;
    ftk_status st = ftk__manifest_cost(ours, ret, reterr);
    if (st < 0)
        return st;
    if (dense)
        return set_dense(dense, ours, ret, reterr);
    if (output && !ftk__dense_find(output, own, ours, ret_dir, &ret->dense_wall_s))
        return ftk__fail(reterr, FTK_ENOMEM, "no memory to look for a dense run");
    ret->dense_run = *ret_dir;
    return FTK_OK;
}
