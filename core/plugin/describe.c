/* SPDX-License-Identifier: MIT
 * plugin/describe.c - one algorithm: what it takes, for people and as a stanza for a config file.
 */
#include "plugin/describe.h"
#include "plugin/describe_parts.h"
#include "plugin/params_parts.h"
#include <string.h>

struct ftk__param_table ftk__table_of(const ftk_algo *a)
{
    return (struct ftk__param_table){ a->params, a->param_stride, a->params_size };
}

void *ftk__defaults_of(const ftk_algo *a, struct ftk__arena *arena)
{
    const struct ftk__param_table t = ftk__table_of(a);
    void *values = ftk__alloc(a->params_size > 0 ? a->params_size : 1);
    const ftk_param *p;
    for (uint32_t i = 0; values && (p = ftk__param_at(&t, i)) != NULL; i++) {
        if (!ftk__param_default(p, arena, values))
            values = ftk__free(values);
    }
    return values;
}

/* Columns as wide as their widest entry. */
struct widths {
    int name, type, value, range;
};

static int wider(int width, const struct ftk__str *text)
{
    return text->len > (uint64_t)width ? (int)text->len : width;
}

static void print_default(const ftk_param *p, const void *values, struct ftk__str *out)
{
    if (p->flags & FTK_PF_REQUIRED)
        ftk__str_add(out, "required");
    else if (p->type == FTK_P_F64)
        ftk__number_print(p->def, out); /* shorter than the exact form of a stanza    */
    else
        ftk__param_value_print(p, values, out);
}

static void print_takes(const ftk_param *p, struct ftk__str *out)
{
    if (p->type == FTK_P_ENUM)
        ftk__param_limit_print(p, out);
    else if (p->type == FTK_P_STR)
        ftk__str_add(out, (p->flags & FTK_PF_PATH) ? "a file" : "any");
    else if (p->type == FTK_P_BOOL)
        ftk__str_add(out, "true or false");
    else
        ftk__param_range_print(p, out);
}

/* One row; with `out` NULL only its widths are taken. */
static bool print_param(const ftk_param *p, const void *values, struct widths *w,
                        struct ftk__str *out)
{
    struct ftk__str value = { 0 };
    struct ftk__str range = { 0 };
    print_default(p, values, &value);
    print_takes(p, &range);
    bool fine = !value.failed && !range.failed;
    if (fine && out) {
        bool odd_unit = p->unit[0] != '\0' && strcmp(p->unit, "duration") != 0;
        ftk__str_addf(out, "  %-*s  %-*s  %-*s  %-*s  %s", w->name, p->name, w->type,
                      ftk__ptype_name(p->type), w->value, value.text, w->range, range.text,
                      p->help);
        if (odd_unit)
            ftk__str_addf(out, " (%s)", p->unit);
        if (p->flags & FTK_PF_DEPRECATED)
            ftk__str_add(out, " [deprecated]");
        ftk__str_add(out, "\n");
    } else if (fine) {
        int name = (int)strlen(p->name);
        int type = (int)strlen(ftk__ptype_name(p->type));
        w->name = name > w->name ? name : w->name;
        w->type = type > w->type ? type : w->type;
        w->value = wider(w->value, &value);
        w->range = wider(w->range, &range);
    }
    ftk__str_done(&value);
    ftk__str_done(&range);
    return fine;
}

static void print_heading(const struct ftk__entry *e, struct ftk__str *out)
{
    const ftk_algo *a = e->algo;
    ftk__str_addf(out, "%s %s - %s\n", ftk__kind_name((ftk_kind)a->kind), a->name, a->summary);
    if (a->reference[0] != '\0')
        ftk__str_addf(out, "reference  %s\n", a->reference);
    if (e->file) {
        const ftk_stamp *s = e->file->stamp;
        ftk__str_addf(out, "plugin     %s %s, %s\n", s->name, s->version, s->license);
        ftk__str_addf(out, "file       %s\n", e->file->path);
    } else {
        ftk__str_add(out, "plugin     built in\n");
    }
}

void ftk__describe_params(const ftk_algo *a, struct ftk__str *out)
{
    const struct ftk__param_table t = ftk__table_of(a);
    struct ftk__arena arena = { 0 };
    struct widths w = { 0 };
    void *values = ftk__defaults_of(a, &arena);
    bool fine = values != NULL;
    const ftk_param *p;
    for (uint32_t i = 0; fine && (p = ftk__param_at(&t, i)) != NULL; i++)
        fine = print_param(p, values, &w, NULL);
    for (uint32_t i = 0; fine && (p = ftk__param_at(&t, i)) != NULL; i++)
        fine = print_param(p, values, &w, out);
    if (!fine)
        out->failed = true;
    ftk__free(values);
    ftk__arena_done(&arena);
}

void ftk__describe_print(const struct ftk__entry *e, struct ftk__str *out)
{
    const struct ftk__param_table t = ftk__table_of(e->algo);
    print_heading(e, out);
    if (!ftk__param_at(&t, 0)) {
        ftk__str_add(out, "It takes no parameters.\n");
        return;
    }
    ftk__str_add(out, "parameters (name, type, default, range):\n");
    ftk__describe_params(e->algo, out);
}

/* Where a stanza belongs in an experiment file. */
static const char *enclosing_group(uint32_t kind)
{
    switch (kind) {
    case FTK_KIND_INIT:
        return "sparsity";
    case FTK_KIND_PRUNE:
    case FTK_KIND_GROW:
    case FTK_KIND_ALLOT:
        return "topology";
    default:
        return NULL;
    }
}

void ftk__describe_cfg(const struct ftk__entry *e, struct ftk__str *out)
{
    const ftk_algo *a = e->algo;
    const struct ftk__param_table t = ftk__table_of(a);
    struct ftk__arena arena = { 0 };
    void *values = ftk__defaults_of(a, &arena);
    if (!values) {
        ftk__arena_done(&arena);
        out->failed = true;
        return;
    }
    bool listed = a->kind == FTK_KIND_METRIC; /* `metrics` is a list of groups    */
    if (enclosing_group(a->kind))
        ftk__str_addf(out, "# inside %s = { ... };\n", enclosing_group(a->kind));
    if (listed)
        ftk__str_add(out, "metrics = ( {\n");
    else
        ftk__str_addf(out, "%s = {\n", ftk__kind_name((ftk_kind)a->kind));
    ftk__str_addf(out, "    use = \"%s\";\n", a->name);
    const ftk_param *p;
    for (uint32_t i = 0; (p = ftk__param_at(&t, i)) != NULL; i++) {
        if (p->flags & FTK_PF_REQUIRED) {
            ftk__str_addf(out, "    # %s is required: ", p->name);
            ftk__param_limit_print(p, out);
            ftk__str_add(out, "\n");
            continue;
        }
        ftk__str_addf(out, "    %s = ", p->name);
        ftk__param_value_print(p, values, out);
        ftk__str_add(out, ";\n");
    }
    ftk__str_add(out, listed ? "} );\n" : "};\n");
    ftk__free(values);
    ftk__arena_done(&arena);
}
