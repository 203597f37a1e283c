/* SPDX-License-Identifier: MIT
 * plugin/params_print.c - a filled struct back as text: for a config file, for the identity hash.
 */
#include "base/hash.h"
#include "plugin/params.h"
#include "plugin/params_parts.h"
#include <stdlib.h>
#include <string.h>

/* A float keeps a '.' or an exponent, so that it is read back as one: -0.0 as an integer would
 * lose its sign, and libconfig wants the entries of an array alike.                         */
static void print_float(double v, struct ftk__str *out)
{
    char text[40];
    ftk__format(text, sizeof(text), "%.17g", v);
    ftk__str_add(out, text);
    if (!strpbrk(text, ".en"))
        ftk__str_add(out, ".0");
}

static void print_integer(int64_t v, struct ftk__str *out)
{
    /* libconfig reads what does not fit an int only with the suffix. */
    bool wide = v > INT32_MAX || v < INT32_MIN;
    ftk__str_addf(out, "%lld%s", (long long)v, wide ? "L" : "");
}

void ftk__quoted_print(const char *text, struct ftk__str *out)
{
    ftk__str_add(out, "\"");
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\')
            ftk__str_addf(out, "\\%c", c);
        else if (c == '\n')
            ftk__str_add(out, "\\n");
        else if (c < 0x20 || c == 0x7f)
            ftk__str_addf(out, "\\x%02x", c);
        else
            ftk__str_add_n(out, at, 1);
    }
    ftk__str_add(out, "\"");
}

static void print_duration(ftk_duration d, struct ftk__str *out)
{
    if (d.unit == FTK_UNIT_TRAIN) {
        print_float(d.value, out);
        return;
    }
    ftk__str_add(out, "\"");
    ftk__duration_print(d, out);
    ftk__str_add(out, "\"");
}

static void print_durations(ftk_durations list, struct ftk__str *out)
{
    uint64_t bare = 0;
    for (uint64_t i = 0; i < list.n; i++)
        bare += list.v[i].unit == FTK_UNIT_TRAIN;
    /* Strings and numbers together are no array to libconfig, but a list. */
    bool mixed = bare > 0 && bare < list.n;
    ftk__str_add(out, mixed ? "( " : "[");
    for (uint64_t i = 0; i < list.n; i++) {
        if (i > 0)
            ftk__str_add(out, ", ");
        print_duration(list.v[i], out);
    }
    ftk__str_add(out, mixed ? " )" : "]");
}

static void print_floats(ftk_f64s list, struct ftk__str *out)
{
    ftk__str_add(out, "[");
    for (uint64_t i = 0; i < list.n; i++) {
        if (i > 0)
            ftk__str_add(out, ", ");
        print_float(list.v[i], out);
    }
    ftk__str_add(out, "]");
}

static const char *string_at(const void *field)
{
    const char *text;
    memcpy(&text, field, sizeof(text));
    return text ? text : "";
}

/* The 4-byte types; an index outside the choices is not printed as one of them. */
static void print_small(const ftk_param *p, const void *field, struct ftk__str *out)
{
    int32_t v;
    memcpy(&v, field, sizeof(v));
    if (p->type == FTK_P_BOOL)
        ftk__str_add(out, v ? "true" : "false");
    else if (v >= 0 && (uint64_t)v < ftk__param_choices(p))
        ftk__quoted_print(p->choices[v], out);
    else
        ftk__str_addf(out, "%d", (int)v);
}

void ftk__param_value_print(const ftk_param *p, const void *values, struct ftk__str *out)
{
    const char *field = (const char *)values + p->offset;
    int64_t whole;
    double real;
    ftk_duration duration;
    ftk_durations durations;
    ftk_f64s floats;
    switch (p->type) {
    case FTK_P_BOOL:
    case FTK_P_ENUM:
        print_small(p, field, out);
        break;
    case FTK_P_I64:
        memcpy(&whole, field, sizeof(whole));
        print_integer(whole, out);
        break;
    case FTK_P_F64:
        memcpy(&real, field, sizeof(real));
        print_float(real, out);
        break;
    case FTK_P_STR:
        ftk__quoted_print(string_at(field), out);
        break;
    case FTK_P_DURATION:
        memcpy(&duration, field, sizeof(duration));
        print_duration(duration, out);
        break;
    case FTK_P_F64S:
        memcpy(&floats, field, sizeof(floats));
        print_floats(floats, out);
        break;
    default:
        memcpy(&durations, field, sizeof(durations));
        print_durations(durations, out);
        break;
    }
}

void ftk__params_print(const struct ftk__param_table *t, const void *values, unsigned indent,
                       struct ftk__str *out)
{
    const ftk_param *p;
    for (uint32_t i = 0; (p = ftk__param_at(t, i)) != NULL; i++) {
        ftk__str_addf(out, "%*s%s = ", (int)indent, "", p->name);
        ftk__param_value_print(p, values, out);
        ftk__str_add(out, ";\n");
    }
}

static int compare_names(const void *a, const void *b)
{
    const ftk_param *const *left = a;
    const ftk_param *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

/* The content counts, not where the file lies. */
static ftk_status identity_of_path(const char *file, struct ftk__str *out, struct ftk_error *reterr)
{
    if (file[0] == '\0') {
        ftk__str_add(out, "\"\"");
        return FTK_OK;
    }
    struct ftk__sha256 hash;
    ftk_status st = ftk__sha256_file(file, &hash, reterr);
    if (st == FTK_OK)
        ftk__str_addf(out, "sha256:%s", hash.hex);
    return st;
}

ftk_status ftk__params_identity(const struct ftk__param_table *t, const void *values,
                                const char *path, struct ftk__str *out, struct ftk_error *reterr)
{
    uint32_t n = 0;
    while (ftk__param_at(t, n))
        n++;
    const ftk_param **sorted = ftk__alloc_array(n, sizeof(const ftk_param *));
    if (!sorted)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for the parameters of %s", path);
    for (uint32_t i = 0; i < n; i++)
        sorted[i] = ftk__param_at(t, i);
    qsort(sorted, n, sizeof(*sorted), compare_names);
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < n && st == FTK_OK; i++) {
        ftk__str_addf(out, "%s%s%s=", path, path[0] != '\0' ? "." : "", sorted[i]->name);
        if (sorted[i]->flags & FTK_PF_PATH)
            st = identity_of_path(string_at((const char *)values + sorted[i]->offset), out, reterr);
        else
            ftk__param_value_print(sorted[i], values, out);
        ftk__str_add(out, "\n");
    }
    ftk__free(sorted);
    if (st == FTK_OK && out->failed)
        st = ftk__fail(reterr, FTK_ENOMEM, "out of memory for the parameters of %s", path);
    return st;
}
