/* SPDX-License-Identifier: MIT
 * plugin/params_fill.c - a group of settings into a struct of its reader, by a table.
 */
#include "base/path.h"
#include "plugin/params.h"
#include "plugin/params_parts.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

struct fill {
    const struct ftk__param_table *table;
    const char *path; /* of the group: "topology.prune"               */
    struct ftk__arena *arena;
    struct ftk__issues *issues;
    char *out; /* the struct that is filled                    */
};

enum { SHOWN_TEXT = 48 }; /* characters of a string value in a message    */

static void put(const struct fill *f, const ftk_param *p, const void *value)
{
    memcpy(f->out + p->offset, value, ftk__ptype_bytes(p->type));
}

/* An issue at `path`.`name`; `limit` may be NULL. */
static void complain(const struct fill *f, const struct ftk__setting *at, const char *name,
                     const struct ftk__str *limit, const char *nearest,
                     const struct ftk__str *message)
{
    struct ftk__str path = { 0 };
    if (f->path[0] != '\0')
        ftk__str_addf(&path, "%s.", f->path);
    ftk__str_add(&path, name);
    if (path.failed || message->failed || (limit && limit->failed))
        f->issues->failed = true;
    else
        ftk__issues_add(f->issues, at, path.text, limit ? limit->text : NULL, nearest, "%s",
                        message->text);
    ftk__str_done(&path);
}

/* "rate" or, inside a list, "milestones[2]". */
static void print_place(const ftk_param *p, uint64_t index, bool in_list, struct ftk__str *out)
{
    ftk__str_add(out, p->name);
    if (in_list)
        ftk__str_addf(out, "[%llu]", (unsigned long long)index);
}

/* Where a value stands: the parameter and, for an entry of a list, which. */
struct place {
    const ftk_param *param;
    const struct ftk__setting *at;
    uint64_t index;
    bool in_list;
};

static void print_value(const struct ftk__setting *s, struct ftk__str *out)
{
    switch (s->type) {
    case FTK__SET_BOOL:
        ftk__str_add(out, s->b ? "true" : "false");
        break;
    case FTK__SET_INT:
        ftk__str_addf(out, "%lld", (long long)s->i);
        break;
    case FTK__SET_FLOAT:
        ftk__number_print(s->f, out);
        if (isfinite(s->f) && s->f == floor(s->f) && fabs(s->f) < 1e6)
            ftk__str_add(out, ".0"); /* as written: an integer may be what is wanted   */
        break;
    case FTK__SET_STRING:
        ftk__str_addf(out, "\"%.*s\"", SHOWN_TEXT, s->s);
        break;
    default:
        ftk__str_add(out, ftk__setting_type_name(s->type));
        break;
    }
}

/* "rate = "abc" is a string", limit what the parameter takes. */
static void wrong_type(const struct fill *f, const struct place *where)
{
    struct ftk__str message = { 0 };
    struct ftk__str limit = { 0 };
    print_place(where->param, where->index, where->in_list, &message);
    if (where->at->type < FTK__SET_ARRAY) {
        ftk__str_add(&message, " = ");
        print_value(where->at, &message);
    }
    ftk__str_addf(&message, " is %s", ftk__setting_type_name(where->at->type));
    ftk__param_limit_print(where->param, &limit);
    complain(f, where->at, where->param->name, &limit, NULL, &message);
    ftk__str_done(&message);
    ftk__str_done(&limit);
}

/* "rate = 1.5", limit "0 to 1". */
static void wrong_value(const struct fill *f, const struct place *where, const char *limit_text,
                        const char *nearest)
{
    struct ftk__str message = { 0 };
    struct ftk__str limit = { 0 };
    print_place(where->param, where->index, where->in_list, &message);
    ftk__str_add(&message, " = ");
    print_value(where->at, &message);
    if (limit_text)
        ftk__str_add(&limit, limit_text);
    else if (where->param->type == FTK_P_ENUM)
        ftk__param_limit_print(where->param, &limit);
    else
        ftk__param_range_print(where->param, &limit);
    complain(f, where->at, where->param->name, &limit, nearest, &message);
    ftk__str_done(&message);
    ftk__str_done(&limit);
}

static bool take_number(const struct fill *f, const struct place *where, double *ret)
{
    if (where->at->type != FTK__SET_INT && where->at->type != FTK__SET_FLOAT) {
        wrong_type(f, where);
        return false;
    }
    double v = where->at->type == FTK__SET_INT ? (double)where->at->i : where->at->f;
    if (!isfinite(v)) {
        wrong_value(f, where, "a finite number", NULL);
        return false;
    }
    if (!ftk__param_within(where->param, v)) {
        wrong_value(f, where, NULL, NULL);
        return false;
    }
    *ret = v;
    return true;
}

static bool take_duration(const struct fill *f, const struct place *where, uint32_t bare,
                          ftk_duration *ret)
{
    if (where->at->type != FTK__SET_STRING) {
        double v;
        if (bare == 0) {
            wrong_type(f, where);
            return false;
        }
        if (!take_number(f, where, &v))
            return false;
        *ret = (ftk_duration){ .value = v, .unit = bare };
        return true;
    }
    const char *end;
    ftk_duration d;
    if (!ftk__duration_parse(where->at->s, bare, &d, &end) || *end != '\0') {
        wrong_value(f, where, "a number and ep, it or x, as in \"12.5ep\"", NULL);
        return false;
    }
    if (!ftk__param_within(where->param, d.value)) {
        wrong_value(f, where, NULL, NULL);
        return false;
    }
    *ret = d;
    return true;
}

static void fill_integer(const struct fill *f, const struct place *where)
{
    if (where->at->type != FTK__SET_INT) {
        wrong_type(f, where);
        return;
    }
    /* Compared as integers: 2^53 + 1 as a double would pass for 2^53. */
    const ftk_param *p = where->param;
    int64_t v = where->at->i;
    int64_t low = (int64_t)p->min + ((p->flags & FTK_PF_OPEN_MIN) ? 1 : 0);
    int64_t high = (int64_t)p->max - ((p->flags & FTK_PF_OPEN_MAX) ? 1 : 0);
    if (v < low || v > high) {
        wrong_value(f, where, NULL, NULL);
        return;
    }
    put(f, p, &v);
}

static void fill_choice(const struct fill *f, const struct place *where)
{
    const ftk_param *p = where->param;
    if (where->at->type != FTK__SET_STRING) {
        wrong_type(f, where);
        return;
    }
    uint64_t n = ftk__param_choices(p);
    for (uint64_t i = 0; i < n; i++) {
        if (strcmp(p->choices[i], where->at->s) == 0) {
            int32_t v = (int32_t)i;
            put(f, p, &v);
            return;
        }
    }
    wrong_value(f, where, NULL, ftk__str_nearest(where->at->s, p->choices, n));
}

/* A path as the config means it, absolute, so that it may be written down anywhere; NULL
 * without memory.  "" stays "": none given.                                              */
static char *resolve_path(const struct fill *f, const struct ftk__setting *at)
{
    if (at->s[0] == '\0')
        return ftk__arena_strdup(f->arena, "");
    char *seen = ftk__path_relative_to(at->file ? at->file : "", at->s);
    char *kept = NULL;
    if (seen && seen[0] == '/') {
        kept = ftk__arena_strdup(f->arena, seen);
    } else if (seen) {
        char here[4096];
        char *whole = getcwd(here, sizeof(here)) ? ftk__path_join(here, seen) : NULL;
        if (whole)
            kept = ftk__arena_strdup(f->arena, whole);
        ftk__free(whole);
    }
    ftk__free(seen);
    return kept;
}

static void fill_string(const struct fill *f, const struct place *where)
{
    const ftk_param *p = where->param;
    if (where->at->type != FTK__SET_STRING) {
        wrong_type(f, where);
        return;
    }
    const char *text = (p->flags & FTK_PF_PATH) ? resolve_path(f, where->at)
                                                : ftk__arena_strdup(f->arena, where->at->s);
    if (!text) {
        f->issues->failed = true;
        return;
    }
    put(f, p, &text);
}

/* F64S and DURATIONS: an array, a list, or one value where one is enough. */
static void fill_list(const struct fill *f, const struct place *where)
{
    const ftk_param *p = where->param;
    const struct ftk__setting *at = where->at;
    if (at->type == FTK__SET_GROUP) {
        wrong_type(f, where);
        return;
    }
    bool many = at->type == FTK__SET_ARRAY || at->type == FTK__SET_LIST;
    uint64_t n = many ? at->n : 1;
    ftk_duration *d = ftk__arena_alloc(f->arena, (size_t)n * sizeof(*d));
    double *v = ftk__arena_alloc(f->arena, (size_t)n * sizeof(*v));
    if (!d || !v) {
        f->issues->failed = true;
        return;
    }
    bool fine = true;
    for (uint64_t i = 0; i < n; i++) {
        struct place entry = { p, many ? at->child[i] : at, i, many };
        if (p->type == FTK_P_F64S)
            fine = take_number(f, &entry, &v[i]) && fine;
        else
            fine = take_duration(f, &entry, FTK_UNIT_TRAIN, &d[i]) && fine;
    }
    if (!fine)
        return;
    if (p->type == FTK_P_F64S)
        put(f, p, &(ftk_f64s){ .v = n > 0 ? v : NULL, .n = n });
    else
        put(f, p, &(ftk_durations){ .v = n > 0 ? d : NULL, .n = n });
}

static void fill_value(const struct fill *f, const ftk_param *p, const struct ftk__setting *at)
{
    struct place where = { p, at, 0, false };
    double v;
    ftk_duration d;
    switch (p->type) {
    case FTK_P_BOOL:
        if (at->type == FTK__SET_BOOL)
            put(f, p, &(int32_t){ at->b ? 1 : 0 });
        else
            wrong_type(f, &where);
        break;
    case FTK_P_I64:
        fill_integer(f, &where);
        break;
    case FTK_P_F64:
        if (take_number(f, &where, &v))
            put(f, p, &v);
        break;
    case FTK_P_ENUM:
        fill_choice(f, &where);
        break;
    case FTK_P_STR:
        fill_string(f, &where);
        break;
    case FTK_P_DURATION:
        if (take_duration(f, &where, 0, &d))
            put(f, p, &d);
        break;
    default:
        fill_list(f, &where);
        break;
    }
}

/* Required keys that are not there, defaults for all others, values for those given. */
static void fill_known(const struct fill *f, const struct ftk__setting *group)
{
    const ftk_param *p;
    for (uint32_t i = 0; (p = ftk__param_at(f->table, i)) != NULL; i++) {
        if (!ftk__param_default(p, f->arena, f->out))
            f->issues->failed = true;
        const struct ftk__setting *at = group ? ftk__setting_get(group, p->name) : NULL;
        if (at) {
            fill_value(f, p, at);
        } else if (p->flags & FTK_PF_REQUIRED) {
            struct ftk__str message = { 0 };
            struct ftk__str limit = { 0 };
            ftk__str_addf(&message, "%s is missing", p->name);
            ftk__param_limit_print(p, &limit);
            complain(f, group, p->name, &limit, NULL, &message);
            ftk__str_done(&message);
            ftk__str_done(&limit);
        }
    }
}

static bool is_among(const char *name, const char *const *names)
{
    for (uint64_t i = 0; names && names[i]; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* Every name that the group may hold: the table's and those of `skip`; NULL without memory. */
static const char **all_names(const struct fill *f, const char *const *skip, uint64_t *ret_n)
{
    uint32_t n_params = 0;
    uint64_t n_skip = 0;
    while (ftk__param_at(f->table, n_params))
        n_params++;
    while (skip && skip[n_skip])
        n_skip++;
    const char **names = ftk__alloc_array(n_params + n_skip, sizeof(*names));
    if (!names)
        return NULL;
    for (uint32_t i = 0; i < n_params; i++)
        names[i] = ftk__param_at(f->table, i)->name;
    for (uint64_t i = 0; i < n_skip; i++)
        names[n_params + i] = skip[i];
    *ret_n = n_params + n_skip;
    return names;
}

static void refuse_unknown(const struct fill *f, const struct ftk__setting *group,
                           const char *const *skip)
{
    uint64_t n = 0;
    const char **names = all_names(f, skip, &n);
    if (!names) {
        f->issues->failed = true;
        return;
    }
    for (uint64_t i = 0; i < group->n; i++) {
        const struct ftk__setting *at = group->child[i];
        if (ftk__param_named(f->table, at->name) || is_among(at->name, skip))
            continue;
        struct ftk__str message = { 0 };
        ftk__str_addf(&message, "unknown key '%s'", at->name);
        complain(f, at, at->name, NULL, ftk__str_nearest(at->name, names, n), &message);
        ftk__str_done(&message);
    }
    ftk__free(names);
}

void ftk__params_fill(const struct ftk__param_table *t, const struct ftk__setting *group,
                      const char *const *skip, const char *path, struct ftk__arena *arena,
                      void *ret_struct, struct ftk__issues *issues)
{
    struct fill f = { t, path, arena, issues, ret_struct };
    if (group && group->type != FTK__SET_GROUP) {
        ftk__issues_add(issues, group, path, "a group", NULL, "%s is %s", path,
                        ftk__setting_type_name(group->type));
        group = NULL;
    } else if (group) {
        refuse_unknown(&f, group, skip);
    }
    fill_known(&f, group);
}
