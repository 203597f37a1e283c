/* SPDX-License-Identifier: MIT
 * cli/cmd_data.c - `freetickets data list|fetch|verify`: the named data sets on this machine.
 */
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/commands.h"
#include "data/dataset.h"
#include "data/fetch.h"
#include "data/verify.h"
#include <string.h>
#include <unistd.h>

enum { MEGABYTE = 1000000 };

static const char *summary_of(const struct ftk__catalogue *set)
{
    for (size_t i = 0; ftk__data_builtins[i]; i++) {
        if (strcmp(ftk__data_builtins[i]->name, set->name) == 0)
            return ftk__data_builtins[i]->summary;
    }
    return set->place.title;
}

/* Where the set's first file lies; *ret is NULL where it lies nowhere. */
static ftk_status find_set(const struct ftk__catalogue *set, const char *dir, char **ret,
                           struct ftk_error *reterr)
{
    ftk_status st = FTK_ENOENT;
    for (uint32_t i = 0; i < set->n_files && st == FTK_ENOENT; i++)
        st = ftk__place_folder(&set->place, dir, set->files[i].name, ret, reterr);
    if (st != FTK_ENOENT)
        return st;
    *ret = NULL;
    return FTK_OK;
}

/* ---- list -------------------------------------------------------------------------------- */

static void print_row(const struct ftk__catalogue *set, const char *folder, struct ftk__str *out)
{
    ftk__str_addf(out, "%-13s  %s (%s)\n", set->name, summary_of(set), set->terms);
    if (folder)
        ftk__str_addf(out, "%-13s  in %s\n", "", folder);
    else
        ftk__str_addf(out, "%-13s  not here; get it by `%s`\n", "", set->place.get);
}

static bool add_row(json_t *list, const struct ftk__catalogue *set, const char *folder)
{
    json_t *row =
        json_pack("{s:s, s:s, s:s, s:s?, s:s}", "name", set->name, "summary", summary_of(set),
                  "terms", set->terms, "folder", folder, "get", set->place.get);
    return json_array_append_new(list, row) == 0;
}

static ftk_status list_sets(json_t *list, struct ftk__str *out, struct ftk_error *reterr)
{
    for (size_t i = 0; ftk__catalogue[i]; i++) {
        char *folder;
        ftk_status st = find_set(ftk__catalogue[i], "", &folder, reterr);
        if (st < 0)
            return st;
        bool ok = add_row(list, ftk__catalogue[i], folder);
        print_row(ftk__catalogue[i], folder, out);
        ftk__free(folder);
        if (!ok || out->failed)
            return ftk__fail(reterr, FTK_ENOMEM, "no memory for the list");
    }
    return FTK_OK;
}

/* ---- verify ------------------------------------------------------------------------------ */

/* What was said of one set's files: the exit code is that of the worst. */
struct findings {
    uint32_t wrong, missing;
};

static ftk_status verify_files(const struct ftk__catalogue *set, const char *folder, json_t *list,
                               struct ftk__str *out, struct findings *f, struct ftk_error *reterr)
{
    static const char *const words[] = { "ok", "missing", "wrong" };
    for (uint32_t i = 0; i < set->n_files; i++) {
        struct ftk__file_verdict v;
        const char *name = set->files[i].name;
        ftk_status st = ftk__verify_file(&set->files[i], folder, &v, reterr);
        if (st < 0)
            return st;
        f->wrong += v.state == FTK__FILE_WRONG;
        f->missing += v.state == FTK__FILE_MISSING;
        json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s}", "set", set->name, "folder", folder,
                                "file", name, "state", words[v.state], "why", v.why);
        if (json_array_append_new(list, row) != 0)
            return ftk__fail(reterr, FTK_ENOMEM, "no memory for the list");
        ftk__str_addf(out, "%-7s  %s/%s", words[v.state], folder, name);
        ftk__str_addf(out, v.state == FTK__FILE_MISSING ? "\n" : "  %s\n", v.why);
    }
    return FTK_OK;
}

static ftk_status verify_set(const struct ftk__options *o, const struct ftk__catalogue *set,
                             json_t *list, struct ftk__str *out, struct findings *f,
                             struct ftk_error *reterr)
{
    char *folder = NULL;
    ftk_status st = find_set(set, o->from ? o->from : "", &folder, reterr);
    if (st >= 0 && !folder) /* the error that says where it was looked for */
        return ftk__place_folder(&set->place, o->from ? o->from : "", set->files[0].name, &folder,
                                 reterr);
    if (st >= 0)
        st = verify_files(set, folder, list, out, f, reterr);
    ftk__free(folder);
    return st;
}

static ftk_status verdict(const struct findings *f, struct ftk_error *reterr)
{
    if (f->wrong > 0)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%u of the files are wrong",
                              f->wrong);
    if (f->missing > 0)
        return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA, "%u of the files are missing",
                              f->missing);
    return FTK_OK;
}

/* ---- fetch ------------------------------------------------------------------------------- */

/* One line of the terminal, of a download or none. */
struct line {
    bool shown;
    uint64_t last; /* megabytes when it was printed                */
};

static void show(void *arg, const char *name, uint64_t done, uint64_t total)
{
    struct line *l = arg;
    uint64_t now = done / MEGABYTE;
    if (l->shown && now == l->last)
        return;
    fprintf(stderr, "\r%s  %llu", name, (unsigned long long)now);
    if (total > 0)
        fprintf(stderr, " of %llu", (unsigned long long)(total / MEGABYTE));
    fputs(" MB ", stderr);
    l->shown = true;
    l->last = now;
}

static ftk_status fetch_set(const struct ftk__options *o, const struct ftk__catalogue *set,
                            const char *to, struct ftk__str *out, struct ftk_error *reterr)
{
    struct line line = { false, 0 };
    struct ftk__fetched got = { NULL, false };
    struct ftk__fetch f = { .set = set, .from = o->from, .to = to };
    if (isatty(STDERR_FILENO) && !o->quiet)
        f.progress = (struct ftk__progress){ show, &line };
    ftk_status st = ftk__fetch(&f, &got, reterr);
    if (line.shown)
        fputc('\n', stderr);
    if (st < 0)
        return st;
    ftk__str_addf(out, "%s: %s %s\n", set->name, got.was_there ? "already in" : "now in",
                  got.folder);
    ftk__free(got.folder);
    return FTK_OK;
}

/* ---- the command ------------------------------------------------------------------------- */

static ftk_status act(const struct ftk__options *o, const char *verb, const char *to, json_t *list,
                      struct ftk__str *out, struct ftk_error *reterr)
{
    struct findings found = { 0, 0 };
    ftk_status st = FTK_OK;
    if (strcmp(verb, "list") == 0)
        return list_sets(list, out, reterr);
    for (int i = 1; i < o->n_args && st >= 0; i++) {
        const struct ftk__catalogue *set;
        st = ftk__catalogue_find(o->args[i], &set, reterr);
        if (st >= 0 && strcmp(verb, "fetch") == 0)
            st = fetch_set(o, set, to, out, reterr);
        else if (st >= 0)
            st = verify_set(o, set, list, out, &found, reterr);
    }
    return st < 0 ? st : verdict(&found, reterr);
}

static ftk_status check_usage(const struct ftk__options *o, struct ftk_error *reterr)
{
    static const char *const verbs[] = { "list", "fetch", "verify" };
    enum { N = sizeof(verbs) / sizeof(verbs[0]) };
    const char *verb = o->args[0];
    bool is_list = strcmp(verb, "list") == 0;
    bool is_fetch = strcmp(verb, "fetch") == 0;
    if (!is_list && !is_fetch && strcmp(verb, "verify") != 0) {
        const char *nearest = ftk__str_nearest(verb, verbs, N);
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE,
                              "data does not know '%s'%s%s%s: list, fetch or verify", verb,
                              nearest ? "; did you mean '" : "", nearest ? nearest : "",
                              nearest ? "'" : "");
    }
    if (is_list && o->n_args > 1)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE,
                              "data list: '%s' is one argument too many", o->args[1]);
    if (!is_list && o->n_args < 2)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE,
                              "data %s needs the name of a set: see freetickets data list", verb);
    if ((o->from && is_list) || (o->to && !is_fetch))
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "data %s takes no --%s", verb,
                              o->from && is_list ? "from" : "to");
    if (o->json && is_fetch)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "data fetch takes no --json");
    return FTK_OK;
}

/* What was found is printed even where it is an error. */
static ftk_status print(const struct ftk__options *o, const json_t *list,
                        const struct ftk__str *out, struct ftk_error *reterr)
{
    if (o->json)
        return ftk__json_print(stdout, list, reterr);
    fputs(out->text ? out->text : "", stdout);
    return out->failed ? ftk__fail(reterr, FTK_ENOMEM, "no memory for the output") : FTK_OK;
}

static int run(const struct ftk__options *o)
{
    struct ftk__str out = { 0 };
    struct ftk_error err;
    struct ftk_error print_err;
    char *data = NULL;
    json_t *list = json_array();
    ftk_status st = check_usage(o, &err);
    if (st >= 0) {
        data = ftk__path_data();
        if (!data || !list)
            st = ftk__fail(&err, FTK_ENOMEM, "no memory for the list");
    }
    if (st >= 0) {
        st = act(o, o->args[0], o->to ? o->to : data, list, &out, &err);
        if (print(o, list, &out, &print_err) < 0 && st >= 0) {
            st = print_err.status;
            err = print_err;
        }
    }
    json_decref(list);
    ftk__free(data);
    ftk__str_done(&out);
    return st < 0 ? ftk__cli_fail(&err) : FTK__EXIT_OK;
}

const struct ftk__command ftk__command_data = {
    .name = "data",
    .args = "list|fetch|verify [SET...]",
    .summary = "Lists, downloads and checks data sets",
    .details = "list            the named sets, and where they lie here\n"
               "fetch SET...    downloads, checks and unpacks; an interrupted download continues\n"
               "verify SET...   compares sizes and checksums with the published ones",
    .takes = FTK__OPT_JSON | FTK__OPT_QUIET | FTK__OPT_FROM | FTK__OPT_TO,
    .min_args = 1,
    .max_args = 64,
    .run = run,
    .words = "list fetch verify fashion_mnist cifar10 cifar100 svhn",
};
