/* SPDX-License-Identifier: MIT
 * plugin/describe_list.c - everything that was found, as a table.
 */
#include "base/path.h"
#include "plugin/describe.h"
#include "plugin/describe_parts.h"
#include <string.h>

const uint32_t ftk__listed_kinds[] = { FTK_KIND_INIT,     FTK_KIND_PRUNE,
                                       FTK_KIND_GROW,     FTK_KIND_ALLOT,
                                       FTK_KIND_ENSEMBLE, FTK_KIND_METRIC,
                                       FTK_KIND_BACKEND,  0 };

const char *ftk__deferred_name(const struct ftk__file *f, int *ret_len)
{
    const char *name = ftk__path_base(f->path) + strlen("backend_");
    *ret_len = (int)(strlen(name) - strlen(".so"));
    return name;
}

const struct ftk__file *ftk__other_offer(const struct ftk__registry *r, const struct ftk__entry *e)
{
    for (uint64_t i = 0; i < ftk__registry_count(r); i++) {
        const struct ftk__entry *other = ftk__registry_entry(r, i);
        if (other != e && other->file && other->algo->kind == e->algo->kind &&
            strcmp(other->algo->name, e->algo->name) == 0)
            return other->file;
    }
    return NULL;
}

const char *ftk__file_status(const struct ftk__file *f)
{
    if (f->deferred)
        return "deferred";
    return f->reason ? "refused" : "loaded";
}

struct row {
    const char *kind, *name, *version, *where, *note;
    int name_len;
};
struct table {
    int name, version;    /* widths                                       */
    struct ftk__str *out; /* NULL: only measuring                         */
};

static void print_row(struct table *t, const struct row *row)
{
    int version = (int)strlen(row->version);
    if (t->out) {
        ftk__str_addf(t->out, "%-8s  %.*s%*s  %-*s  %s%s\n", row->kind, row->name_len, row->name,
                      t->name - row->name_len, "", t->version, row->version, row->where, row->note);
        return;
    }
    t->name = row->name_len > t->name ? row->name_len : t->name;
    t->version = version > t->version ? version : t->version;
}

static void print_kind(const struct ftk__registry *r, uint32_t kind, struct table *t)
{
    const char *kind_name = ftk__kind_name((ftk_kind)kind);
    for (uint64_t i = 0; i < ftk__registry_count(r); i++) {
        const struct ftk__entry *e = ftk__registry_entry(r, i);
        if (e->algo->kind != kind)
            continue;
        const struct row row = {
            .kind = kind_name,
            .name = e->algo->name,
            .name_len = (int)strlen(e->algo->name),
            .version = e->file ? e->file->stamp->version : FTK_VERSION,
            .where = e->file ? e->file->path : "built in",
            .note = ftk__other_offer(r, e) ? " (name taken twice: `use` needs its plugin)" : "",
        };
        print_row(t, &row);
    }
    for (uint64_t i = 0; i < ftk__registry_file_count(r) && kind == FTK_KIND_BACKEND; i++) {
        const struct ftk__file *f = ftk__registry_file(r, i);
        struct row row = {
            .kind = kind_name, .version = "-", .where = f->path, .note = " (not opened)"
        };
        if (!f->deferred)
            continue;
        row.name = ftk__deferred_name(f, &row.name_len);
        print_row(t, &row);
    }
}

static void print_all(const struct ftk__registry *r, uint32_t kind, struct table *t)
{
    for (uint32_t i = 0; ftk__listed_kinds[i] != 0; i++) {
        if (kind == 0 || kind == ftk__listed_kinds[i])
            print_kind(r, ftk__listed_kinds[i], t);
    }
}

static void print_files(const struct ftk__registry *r, struct ftk__str *out)
{
    ftk__str_add(out, "\nfiles looked at:\n");
    for (uint64_t i = 0; i < ftk__registry_file_count(r); i++) {
        const struct ftk__file *f = ftk__registry_file(r, i);
        ftk__str_addf(out, "%-8s  %s", ftk__file_status(f), f->path);
        if (f->reason)
            ftk__str_addf(out, ": %s", f->reason);
        else if (f->stamp)
            ftk__str_addf(out, ": %s %s, %s, built with %s", f->stamp->name, f->stamp->version,
                          f->stamp->license, f->stamp->built_with ? f->stamp->built_with : "?");
        else
            ftk__str_add(out, ": a backend is opened when it is asked for");
        ftk__str_add(out, "\n");
    }
}

ftk_status ftk__list_print(const struct ftk__registry *r, uint32_t kind, bool verbose,
                           struct ftk__str *out, struct ftk_error *reterr)
{
    struct table t = { .name = 4, .version = 5 };
    print_all(r, kind, &t);
    t.out = out;
    print_all(r, kind, &t);
    if (verbose)
        print_files(r, out);
    if (out->failed)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for the list of plugins");
    return FTK_OK;
}
