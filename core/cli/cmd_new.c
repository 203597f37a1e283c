/* SPDX-License-Identifier: MIT
 * cli/cmd_new.c - `freetickets new KIND NAME`: a plugin project to start from.
 */
#include "base/mem.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/scaffold.h"
#include "plugin/registry.h"
#include <string.h>

static const char *const kinds[] = { "prune",    "grow",   "init",   "allot",
                                     "ensemble", "metric", "backend" };
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static ftk_status check_kind(const char *word, ftk_kind *ret, struct ftk_error *reterr)
{
    for (int i = 0; i < N_KINDS; i++)
        if (strcmp(kinds[i], word) == 0 && ftk__kind_parse(word, ret))
            return FTK_OK;
    const char *nearest = ftk__str_nearest(word, kinds, N_KINDS);
    ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "no plugin can be of kind '%s'%s%s%s", word,
                   nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    ftk__error_context(reterr, "kinds are prune, grow, init, allot, ensemble, metric, backend");
    return FTK_EINVAL;
}

/* A name as a plugin may have it, and no other plugin's: `use` must stay unambiguous. */
static ftk_status check_name(ftk_kind kind, const char *kind_name, const char *name,
                             struct ftk_error *reterr)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    const struct ftk__entry *taken;
    struct ftk_error ignored;
    if (name[0] < 'a' || name[0] > 'z' || name[strspn(name, letters)] != '\0')
        return ftk__fail_exit(
            reterr, FTK_EINVAL, FTK__EXIT_USAGE,
            "'%s' is no name: it must begin with a letter and hold a to z, 0 to 9 "
            "and _ alone",
            name);
    if ((kind == FTK_KIND_INIT && strcmp(name, "file") == 0) ||
        (kind == FTK_KIND_BACKEND && strcmp(name, "auto") == 0))
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "%s '%s' is built in", kind_name,
                              name);
    struct ftk__registry *r = ftk__registry_new();
    if (!r)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the list of plugins");
    ftk_status st = ftk__registry_scan(r, NULL, 0, &ignored);
    if (st >= 0 && kind == FTK_KIND_BACKEND)
        st = ftk__registry_open_backends(r, name, &ignored);
    st = FTK_OK;
    if (ftk__registry_find(r, kind, name, &taken, &ignored) == FTK_OK)
        st = ftk__fail_exit(reterr, FTK_EEXIST, FTK__EXIT_USAGE,
                            "%s '%s' is taken by %s: a config could not tell them apart", kind_name,
                            name, taken->file->path);
    ftk__registry_free(r);
    return st;
}

/* --level: which of two templates. */
static ftk_status check_level(ftk_kind kind, const char *level, bool *ret_selects,
                              struct ftk_error *reterr)
{
    *ret_selects = level && strcmp(level, "2") == 0;
    if (!level)
        return FTK_OK;
    if (!*ret_selects && strcmp(level, "1") != 0)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "--level is 1 or 2, not '%s'",
                              level);
    if (kind == FTK_KIND_PRUNE || kind == FTK_KIND_GROW)
        return FTK_OK;
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE,
                          "--level is for prune and grow, which score (1) or select (2)");
}

/* A word of a shell command. */
static void add_word(const char *word, struct ftk__str *out)
{
    bool plain = strpbrk(word, " \t\"'\\$`*?[](){}<>|&;!#~") == NULL;
    ftk__str_addf(out, plain ? "%s" : "\"%s\"", word);
}

/* Three commands that can be typed as they stand. */
static void add_commands(const struct ftk__scaffold *s, struct ftk__str *out)
{
    ftk__str_add(out, "build it, and run its tests:\n  cd ");
    add_word(s->dir, out);
    ftk__str_add(out, "\n  cmake -B build -DCMAKE_PREFIX_PATH=");
    add_word(s->prefix, out);
    ftk__str_add(out, "\n  cmake --build build && ctest --test-dir build\n");
    ftk__str_addf(out, "%s/README.md says the rest.\n", s->dir);
}

static ftk_status scaffold(const struct ftk__options *o, bool selects, struct ftk__str *out,
                           struct ftk_error *reterr)
{
    struct ftk__str dir = { 0 };
    struct ftk__str folder = { 0 };
    struct ftk__str files = { 0 };
    char *templates = ftk__path_share("template");
    char *prefix = ftk__path_share("../..");
    ftk_status st = FTK_OK;
    if (o->out)
        ftk__str_add(&dir, o->out);
    else
        ftk__str_addf(&dir, "%s_%s", o->args[0], o->args[1]);
    ftk__str_addf(&folder, "%s%s", o->args[0], selects ? "-2" : "");
    if (!templates || !prefix || dir.failed || folder.failed)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for a plugin project");
    const struct ftk__scaffold s = {
        .templates = templates,
        .prefix = prefix,
        .kind = o->args[0],
        .name = o->args[1],
        .folder = { folder.text, "common", selects ? "mock" : NULL },
        .dir = dir.text,
    };
    if (st >= 0)
        st = ftk__scaffold_write(&s, &files, reterr);
    if (st >= 0) {
        ftk__str_addf(out, "%s\n", files.text);
        add_commands(&s, out);
    }
    ftk__free(templates);
    ftk__free(prefix);
    ftk__str_done(&dir);
    ftk__str_done(&folder);
    ftk__str_done(&files);
    return st;
}

static int run(const struct ftk__options *o)
{
    struct ftk__str out = { 0 };
    struct ftk_error err;
    ftk_kind kind;
    bool selects = false;
    ftk_status st = check_kind(o->args[0], &kind, &err);
    if (st >= 0)
        st = check_level(kind, o->level, &selects, &err);
    if (st >= 0)
        st = check_name(kind, o->args[0], o->args[1], &err);
    if (st >= 0)
        st = scaffold(o, selects, &out, &err);
    if (st < 0) {
        ftk__str_done(&out);
        return ftk__cli_fail(&err);
    }
    return ftk__cli_print(&out);
}

const struct ftk__command ftk__command_new = {
    .name = "new",
    .args = "KIND NAME",
    .summary = "Makes a plugin project to start from",
    .details =
        "KIND is prune, grow, init, allot, ensemble, metric or backend.  The project lies in\n"
        "KIND_NAME, or where --out says: source, test, smoke experiment, CMakeLists.txt, README.\n"
        "The whole guide: share/doc/freetickets/writing-a-plugin.md under the prefix.",
    .takes = FTK__OPT_OUT | FTK__OPT_RULE_LEVEL,
    .min_args = 2,
    .max_args = 2,
    .run = run,
    .words = "prune grow init allot ensemble metric backend",
};
