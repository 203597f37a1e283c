/* SPDX-License-Identifier: MIT
 * cli/run_rows.c - run.json and eval/report.json of finished runs, put together.
 */
#include "cli/run_rows.h"

#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/dense_run.h"
#include "cli/json_text.h"
#include "cli/run_folder.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_BYTES = 64 << 20 };

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for the table");
}

/* ---- one run --------------------------------------------------------------------------------- */

static ftk_status check_finished(const char *dir, const json_t *manifest, struct ftk_error *reterr)
{
    const char *why = json_string_value(json_object_get(manifest, "error"));
    const char *started = json_string_value(json_object_get(manifest, "started"));
    if (ftk__manifest_finished(manifest))
        return FTK_OK;
    if (why)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_NO_DATA, "%s is unfinished: %s", dir,
                              why);
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_NO_DATA,
                          "%s is unfinished: started %s and not ended", dir,
                          started ? started : "at an unknown time");
}

/* The set "test" of eval/report.json. */
static ftk_status read_test(const char *dir, json_t **ret, struct ftk_error *reterr)
{
    json_t *report = NULL;
    char *path = ftk__path_join(dir, "eval/report.json");
    if (!path)
        return no_memory(reterr);
    ftk_status st = ftk__json_read_file(path, REPORT_BYTES, &report, reterr);
    if (st >= 0) {
        json_t *test = json_object_get(json_object_get(report, "sets"), "test");
        if (json_is_object(test))
            *ret = json_incref(test);
        else
            st = ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA,
                                "%s has no results on the set test", path);
        json_decref(report);
    }
    if (st == FTK_ENOENT)
        ftk__error_context(reterr, "`freetickets run` with \"test\" in eval.on adds the results");
    ftk__free(path);
    return st;
}

/* What decided which state of a member was saved, from the lines of the run's identity. */
static json_t *keep_of(const json_t *manifest)
{
    static const char key[] = "ensemble.keep=\"";
    const json_t *lines = json_object_get(manifest, "identity");
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const char *line = json_string_value(json_array_get(lines, i));
        if (line && ftk__str_starts(line, key)) {
            const char *value = line + strlen(key);
            return json_stringn(value, strcspn(value, "\""));
        }
    }
    return json_null();
}

static json_t *copy_of(const json_t *doc, const char *key)
{
    json_t *value = json_object_get(doc, key);
    return value ? json_incref(value) : json_null();
}

/* Steals nothing; NULL without memory. */
static json_t *row_json(const char *dir, const json_t *manifest, json_t *test,
                        const struct ftk__cost *cost)
{
    json_t *diversity = json_object_get(test, "diversity");
    return json_pack(
        "{s:o, s:s, s:o, s:o, s:s, s:I, s:o, s:o, s:o, s:{s:O}, s:o, s:o, s:o, s:I}", "run_dir",
        ftk__json_text(dir), "status", "finished", "name", copy_of(manifest, "name"), "seed",
        copy_of(manifest, "seed"), "strategy", cost->strategy, "members", (json_int_t)cost->members,
        "sparsity", cost->sparsity >= 0 ? json_real(cost->sparsity) : json_null(), "train_images",
        copy_of(json_object_get(manifest, "data"), "n_train"), "keep", keep_of(manifest), "sets",
        "test", test, "diversity", diversity ? json_incref(diversity) : json_object(), "cost",
        ftk__cost_json(cost), "train_runs", copy_of(manifest, "train_runs"), "test_passes",
        (json_int_t)cost->members);
}

/* <output> of <output>/<name>-<hash8>/seed-<n>; NULL in *ret for a folder that --out named. */
static ftk_status output_of(const char *dir, char **ret, struct ftk_error *reterr)
{
    *ret = NULL;
    if (!ftk__str_starts(ftk__path_base(dir), "seed-"))
        return FTK_OK;
    char *above = ftk__path_dir(dir);
    const char *base = above ? ftk__path_base(above) : "";
    if (above && (strcmp(base, ".") == 0 || strcmp(base, "..") == 0)) {
        ftk__free(above);
        char *real = ftk__path_real(dir);
        above = real ? ftk__path_dir(real) : NULL;
        ftk__free(real);
    }
    *ret = above ? ftk__path_dir(above) : NULL;
    ftk__free(above);
    return *ret ? FTK_OK : no_memory(reterr);
}

static ftk_status add_finished(json_t *rows, const char *dir, const char *dense,
                               const json_t *manifest, struct ftk_error *reterr)
{
    struct ftk__cost cost;
    char *output = NULL;
    char *dense_dir = NULL;
    json_t *test = NULL;
    ftk_status st = output_of(dir, &output, reterr);
    if (st >= 0)
        st = ftk__dense_cost(output, dir, dense, manifest, &cost, &dense_dir, reterr);
    if (st < 0)
        ftk__error_context(reterr, "in the run %s", dir);
    if (st >= 0)
        st = read_test(dir, &test, reterr);
    if (st >= 0 && json_array_append_new(rows, row_json(dir, manifest, test, &cost)) != 0)
        st = no_memory(reterr);
    json_decref(test);
    ftk__free(dense_dir);
    ftk__free(output);
    return st;
}

static ftk_status add_run(json_t *rows, const char *dir, const char *dense,
                          struct ftk_error *reterr)
{
    json_t *manifest;
    ftk_status st = ftk__manifest_read(dir, &manifest, reterr);
    if (st < 0)
        return st;
    st = check_finished(dir, manifest, reterr);
    if (st >= 0)
        st = add_finished(rows, dir, dense, manifest, reterr);
    json_decref(manifest);
    return st;
}

/* ---- a folder of seeds ----------------------------------------------------------------------- */

/* "seed-12", but not "seed-12.old-1". */
static int is_seed(const struct dirent *e)
{
    int64_t seed;
    return ftk__str_starts(e->d_name, "seed-") && ftk__parse_i64(e->d_name + 5, &seed);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
    int64_t x = 0;
    int64_t y = 0;
    ftk__parse_i64((*a)->d_name + 5, &x);
    ftk__parse_i64((*b)->d_name + 5, &y);
    return (x > y) - (x < y);
}

static ftk_status add_seeds(json_t *rows, const char *dir, const char *dense,
                            struct ftk_error *reterr)
{
    struct dirent **list;
    int n = scandir(dir, &list, is_seed, by_number);
    ftk_status st = FTK_OK;
    if (n <= 0)
        st =
            ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA,
                           "%s holds no run: neither run.json nor a folder seed-<n> is there", dir);
    for (int i = 0; i < n; i++) {
        char *run = st >= 0 ? ftk__path_join(dir, list[i]->d_name) : NULL;
        if (run)
            st = add_run(rows, run, dense, reterr);
        else if (st >= 0)
            st = no_memory(reterr);
        ftk__free(run);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return st;
}

/* `run` as it is shown: without slashes at its end, and "." by its name. */
static char *tidy(const char *run)
{
    const char *base = ftk__path_base(run);
    if (strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
        return ftk__path_real(run);
    char *dir = ftk__strdup(run);
    for (size_t n = dir ? strlen(dir) : 0; n > 1 && dir[n - 1] == '/'; n--)
        dir[n - 1] = 0;
    return dir;
}

ftk_status ftk__run_rows_add(json_t *rows, const char *run, const char *dense,
                             struct ftk_error *reterr)
{
    if (!ftk__is_dir(run))
        return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA, "%s is no folder of a run",
                              run[0] ? run : "\"\"");
    char *dir = tidy(run);
    char *manifest = dir ? ftk__path_join(dir, "run.json") : NULL;
    ftk_status st = FTK_OK;
    if (!manifest)
        st = no_memory(reterr);
    else if (ftk__file_exists(manifest))
        st = add_run(rows, dir, dense, reterr);
    else
        st = add_seeds(rows, dir, dense, reterr);
    ftk__free(manifest);
    ftk__free(dir);
    return st;
}
