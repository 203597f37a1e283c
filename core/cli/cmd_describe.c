/* SPDX-License-Identifier: MIT
 * cli/cmd_describe.c - `freetickets describe KIND.NAME|FILE.so`: what it is and what it takes.
 */
#include "base/path.h"
#include "cli/builtin_entry.h"
#include "cli/commands.h"
#include "config/cfgschema.h"
#include "plugin/describe.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { NAME_CAP = 128 };

static ftk_status split(const char *word, ftk_kind *ret_kind, const char **ret_name,
                        struct ftk_error *reterr)
{
    char kind[NAME_CAP];
    const char *dot = strchr(word, '.');
    if (dot)
        ftk__format(kind, sizeof(kind), "%.*s", (int)(dot - word), word);
    if (!dot || dot[1] == 0 || !ftk__kind_parse(kind, ret_kind)) {
        ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "'%s' is not KIND.NAME", word);
        ftk__error_context(
            reterr, "as in prune.magnitude, data.synthetic, optim.sgd, or a file that ends in .so");
        return FTK_EINVAL;
    }
    *ret_name = dot + 1;
    return FTK_OK;
}

static bool is_builtin_kind(ftk_kind kind)
{
    return (uint32_t)kind >= FTK__KIND_DATA;
}

static ftk_status find_builtin(ftk_kind kind, const char *name, struct ftk__builtin_entry *ret,
                               struct ftk_error *reterr)
{
    const char *names[64];
    uint64_t n = 0;
    for (uint32_t i = 0; ftk__builtin_entry(i, ret) && n < 64; i++) {
        if (ret->algo.kind != (uint32_t)kind)
            continue;
        if (strcmp(ret->algo.name, name) == 0)
            return FTK_OK;
        names[n++] = ret->algo.name;
    }
    const char *nearest = ftk__str_nearest(name, names, n);
    return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_UNAVAILABLE, "no %s '%s'%s%s%s",
                          ftk__kind_name(kind), name, nearest ? "; did you mean '" : "",
                          nearest ? nearest : "", nearest ? "'?" : "");
}

static ftk_status find_plugin(struct ftk__registry *r, ftk_kind kind, const char *name,
                              const struct ftk__entry **ret, struct ftk_error *reterr)
{
    ftk_status st = ftk__registry_scan(r, NULL, 0, reterr);
    if (st >= 0 && kind == FTK_KIND_BACKEND)
        st = ftk__registry_open_backends(r, name, reterr);
    if (st >= 0)
        st = ftk__registry_find(r, kind, name, ret, reterr);
    return st;
}

/* The core's own keys of the group that holds the `use`, in the order of the file. */
static void print_core_keys(ftk_kind kind, struct ftk__str *out)
{
    static const struct {
        uint32_t kind;
        enum ftk__table_id table;
    } owned[] = {
        { FTK__KIND_DATA, FTK__TABLE_DATA },
        { FTK__KIND_DATA, FTK__TABLE_DATA_PLACE },
        { FTK__KIND_MODEL, FTK__TABLE_MODEL },
        { FTK__KIND_OPTIM, FTK__TABLE_OPTIM },
        { FTK_KIND_ENSEMBLE, FTK__TABLE_ENSEMBLE },
        { FTK_KIND_BACKEND, FTK__TABLE_BACKEND },
        { FTK_KIND_BACKEND, FTK__TABLE_BACKEND_PLACE },
    };
    bool first = true;
    for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) {
        struct ftk__param_table t = ftk__schema_table(owned[i].table);
        const ftk_algo keys = { .params = t.params,
                                .param_stride = t.stride,
                                .params_size = t.struct_size };
        if (owned[i].kind != (uint32_t)kind)
            continue;
        if (first)
            ftk__str_addf(out, "keys that every %s takes:\n", ftk__kind_name(kind));
        first = false;
        ftk__describe_params(&keys, out);
    }
}

static ftk_status print(const struct ftk__entry *e, const struct ftk__options *o,
                        struct ftk_error *reterr)
{
    struct ftk__str out = { 0 };
    ftk_status st = FTK_OK;
    if (o->json) {
        json_t *doc = ftk__describe_json(e);
        st = doc ? ftk__json_print(stdout, doc, reterr)
                 : ftk__fail(reterr, FTK_ENOMEM, "no memory for the description");
        json_decref(doc);
        return st;
    }
    if (o->cfg) {
        ftk__describe_cfg(e, &out);
    } else {
        ftk__describe_print(e, &out);
        print_core_keys((ftk_kind)e->algo->kind, &out);
    }
    if (out.failed)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the description");
    else
        fputs(out.text, stdout);
    ftk__str_done(&out);
    return st;
}

static ftk_status describe(const char *word, const struct ftk__options *o, struct ftk__registry *r,
                           struct ftk_error *reterr)
{
    ftk_kind kind;
    const char *name;
    const struct ftk__entry *plugin;
    struct ftk__builtin_entry builtin;
    ftk_status st = split(word, &kind, &name, reterr);
    if (st < 0)
        return st;
    st = find_builtin(kind, name, &builtin, reterr);
    if (st >= 0 || is_builtin_kind(kind)) {
        const struct ftk__entry entry = ftk__entry_of(&builtin);
        return st < 0 ? st : print(&entry, o, reterr);
    }
    st = find_plugin(r, kind, name, &plugin, reterr);
    return st < 0 ? st : print(plugin, o, reterr);
}

/* "mine" of ".../backend_mine.so": such files are opened by name alone. */
static void backend_name(const char *path, char ret[NAME_CAP])
{
    const char *base = ftk__path_base(path);
    ret[0] = '\0';
    if (ftk__str_starts(base, "backend_"))
        ftk__format(ret, NAME_CAP, "%.*s", (int)(strlen(base) - strlen("backend_.so")),
                    base + strlen("backend_"));
}

/* The algorithms of a file; as JSON in one array. */
static ftk_status print_all(const struct ftk__registry *r, const struct ftk__file *file,
                            const struct ftk__options *o, struct ftk_error *reterr)
{
    json_t *list = json_array();
    ftk_status st = list ? FTK_OK : ftk__fail(reterr, FTK_ENOMEM, "no memory for the description");
    uint32_t n = 0;
    for (uint64_t i = 0; i < ftk__registry_count(r) && st >= 0; i++) {
        const struct ftk__entry *e = ftk__registry_entry(r, i);
        if (e->file != file)
            continue;
        if (n++ > 0 && !o->json)
            fputs("\n", stdout);
        if (!o->json)
            st = print(e, o, reterr);
        else if (json_array_append_new(list, ftk__describe_json(e)) != 0)
            st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the description");
    }
    if (st >= 0 && o->json)
        st = ftk__json_print(stdout, list, reterr);
    json_decref(list);
    return st;
}

/* A plugin file, wherever it lies. */
static ftk_status describe_file(const char *path, const struct ftk__options *o,
                                struct ftk__registry *r, struct ftk_error *reterr)
{
    char backend[NAME_CAP];
    if (access(path, R_OK) != 0)
        return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_UNAVAILABLE, "%s: %s", path,
                              strerror(errno));
    ftk_status st = ftk__registry_scan(r, &path, 1, reterr);
    backend_name(path, backend);
    if (st >= 0 && backend[0] != '\0')
        st = ftk__registry_open_backends(r, backend, reterr);
    if (ftk__registry_file_count(r) == 0)
        return st;
    const struct ftk__file *file = ftk__registry_file(r, 0);
    if (file && file->reason)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_UNAVAILABLE, "%s: %s", path,
                              file->reason);
    return st < 0 ? st : print_all(r, file, o, reterr);
}

static int run(const struct ftk__options *o)
{
    struct ftk_error err;
    struct ftk__registry *r = ftk__registry_new();
    bool is_file = ftk__str_ends(o->args[0], ".so");
    ftk_status st = FTK_OK;
    if (!r)
        st = ftk__fail(&err, FTK_ENOMEM, "no memory for the plugins");
    else
        st = is_file ? describe_file(o->args[0], o, r, &err) : describe(o->args[0], o, r, &err);
    ftk__registry_free(r);
    return st < 0 ? ftk__cli_fail(&err) : FTK__EXIT_OK;
}

const struct ftk__command ftk__command_describe = {
    .name = "describe",
    .args = "KIND.NAME|FILE.so",
    .summary = "Describes a plugin or built-in and its parameters",
    .details = "KIND.NAME as in prune.magnitude, ensemble.edst, data.synthetic, model.lenet5;\n"
               "of FILE.so every algorithm, wherever the file lies.",
    .takes = FTK__OPT_JSON | FTK__OPT_CFG,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
