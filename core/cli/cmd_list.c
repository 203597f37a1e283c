/* SPDX-License-Identifier: MIT
 * cli/cmd_list.c - `freetickets list [KIND]`: plugins, built-ins, and every file looked at.
 */
#include "cli/commands.h"
#include "cli/builtin_entry.h"
#include "conform/kept_level.h"
#include "plugin/describe.h"
#include <string.h>

/* Unknown kinds are an error of usage that names the nearest. */
static ftk_status parse_kind(const char *word, ftk_kind *ret, struct ftk_error *reterr)
{
    static const char *const names[] = { "init",   "prune",   "grow", "allot", "ensemble",
                                         "metric", "backend", "data", "model", "optim" };
    enum { N = sizeof(names) / sizeof(names[0]) };
    if (ftk__kind_parse(word, ret))
        return FTK_OK;
    const char *nearest = ftk__str_nearest(word, names, N);
    ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "there is no kind '%s'%s%s%s", word,
                   nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    ftk__error_context(reterr, "kinds are init, prune, grow, allot, ensemble, metric, backend, "
                               "data, model, optim");
    return FTK_EINVAL;
}

static bool wanted(uint32_t kind, const ftk_algo *a)
{
    return kind == 0 || kind == a->kind;
}

static void print_builtins(uint32_t kind, struct ftk__str *out)
{
    struct ftk__builtin_entry b;
    for (uint32_t i = 0; ftk__builtin_entry(i, &b); i++) {
        if (wanted(kind, &b.algo))
            ftk__str_addf(out, "%-8s  %s  built in\n", ftk__kind_name((ftk_kind)b.algo.kind),
                          b.algo.name);
    }
}

static bool add_builtins(uint32_t kind, json_t *list)
{
    struct ftk__builtin_entry b;
    bool ok = true;
    for (uint32_t i = 0; ok && ftk__builtin_entry(i, &b); i++) {
        if (!wanted(kind, &b.algo))
            continue;
        json_t *row =
            json_pack("{s:s, s:s, s:n, s:s, s:n, s:n, s:s, s:n}", "kind",
                      ftk__kind_name((ftk_kind)b.algo.kind), "name", b.algo.name, "plugin",
                      "version", FTK_VERSION, "path", "sha256", "status", "built in", "reason");
        ok = json_array_append_new(list, row) == 0;
    }
    return ok;
}

/* The level of the conformance kit that a file has reached, 0: none known, as of a file that cannot be read. */
static ftk_status level_of(const struct ftk__file *f, int *ret, struct ftk_error *reterr)
{
    struct ftk__sha256 hash;
    *ret = 0;
    ftk_status st = ftk__file_hash(f, &hash, reterr);
    if (st < 0)
        return st == FTK_ENOMEM ? st : FTK_OK;
    return ftk__level_kept(f->path, hash.hex, ret, reterr);
}

static ftk_status print_levels(const struct ftk__registry *r, struct ftk__str *out,
                               struct ftk_error *reterr)
{
    bool first = true;
    for (uint64_t i = 0; i < ftk__registry_file_count(r); i++) {
        const struct ftk__file *f = ftk__registry_file(r, i);
        int level;
        ftk_status st = level_of(f, &level, reterr);
        if (st < 0)
            return st;
        if (level == 0)
            continue;
        ftk__str_addf(out, "%slevel %d   %s\n", first ? "\nproved by `conform`:\n" : "", level,
                      f->path);
        first = false;
    }
    return FTK_OK;
}

/* Built-ins have no file that a level could be kept of. */
static ftk_status add_levels(json_t *list, struct ftk_error *reterr)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *row = json_array_get(list, i);
        const char *path = json_string_value(json_object_get(row, "path"));
        const char *hash = json_string_value(json_object_get(row, "sha256"));
        int level = 0;
        ftk_status st = path && hash ? ftk__level_kept(path, hash, &level, reterr) : FTK_OK;
        if (st < 0)
            return st;
        json_t *value = level > 0 ? json_integer(level) : json_null();
        if (json_object_set_new(row, "conform_level", value) != 0)
            return ftk__fail(reterr, FTK_ENOMEM, "no memory for the list");
    }
    return FTK_OK;
}

static ftk_status print_json(const struct ftk__registry *r, uint32_t kind, struct ftk_error *reterr)
{
    json_t *list = ftk__list_json(r, kind);
    ftk_status st = FTK_OK;
    if (!list || !add_builtins(kind, list))
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the list");
    if (st >= 0)
        st = add_levels(list, reterr);
    if (st >= 0)
        st = ftk__json_print(stdout, list, reterr);
    json_decref(list);
    return st;
}

static ftk_status print_text(const struct ftk__registry *r, uint32_t kind, bool verbose,
                             struct ftk_error *reterr)
{
    struct ftk__str plugins = { 0 };
    struct ftk__str builtins = { 0 };
    print_builtins(kind, &builtins);
    ftk_status st = ftk__list_print(r, kind, verbose, &plugins, reterr);
    if (st >= 0 && verbose)
        st = print_levels(r, &plugins, reterr);
    if (st >= 0 && (builtins.failed || plugins.failed))
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the list");
    if (st >= 0) {
        fputs(builtins.text ? builtins.text : "", stdout);
        fputs(plugins.text ? plugins.text : "", stdout);
    }
    ftk__str_done(&builtins);
    ftk__str_done(&plugins);
    return st;
}

static ftk_status list_all(const struct ftk__options *o, struct ftk__registry *r,
                           struct ftk_error *reterr)
{
    ftk_kind kind = (ftk_kind)0;
    ftk_status st = FTK_OK;
    if (o->n_args > 0)
        st = parse_kind(o->args[0], &kind, reterr);
    if (st >= 0)
        st = ftk__registry_scan(r, NULL, 0, reterr);
    /* Backends bring heavy libraries: they are opened only where they alone are asked for. */
    if (st >= 0 && kind == FTK_KIND_BACKEND)
        st = ftk__registry_open_backends(r, NULL, reterr);
    if (st < 0)
        return st;
    if (o->json)
        return print_json(r, (uint32_t)kind, reterr);
    return print_text(r, (uint32_t)kind, o->verbose, reterr);
}

static int run(const struct ftk__options *o)
{
    struct ftk_error err;
    struct ftk__registry *r = ftk__registry_new();
    ftk_status st =
        r ? list_all(o, r, &err) : ftk__fail(&err, FTK_ENOMEM, "no memory for the plugins");
    ftk__registry_free(r);
    return st < 0 ? ftk__cli_fail(&err) : FTK__EXIT_OK;
}

const struct ftk__command ftk__command_list = {
    .name = "list",
    .args = "[KIND]",
    .summary = "Lists what is installed and what is built in",
    .details = "KIND: init, prune, grow, allot, ensemble, metric, backend, data, model or optim.\n"
               "With -v every file looked at, loaded or refused and why.",
    .takes = FTK__OPT_JSON | FTK__OPT_VERBOSE,
    .min_args = 0,
    .max_args = 1,
    .run = run,
    .words = "init prune grow allot ensemble metric backend data model optim",
};
