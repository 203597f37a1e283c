/* SPDX-License-Identifier: MIT
 * plugin/params_check.c - a parameter table's own mistakes, before anything is filled by it.
 */
#include "plugin/params.h"
#include "plugin/params_parts.h"
#include <math.h>
#include <string.h>

enum { MAX_PARAMS = 1024 }; /* beyond this an end mark is taken to be missing */
enum {
    ALL_FLAGS =
        FTK_PF_REQUIRED | FTK_PF_OPEN_MIN | FTK_PF_OPEN_MAX | FTK_PF_DEPRECATED | FTK_PF_PATH
};
static const double BIGGEST_WHOLE = 9007199254740992.0; /* 2^53 */

static bool is_name(const char *s)
{
    if (s[0] < 'a' || s[0] > 'z')
        return false;
    return s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static ftk_status check_words(const ftk_param *p, struct ftk_error *reterr)
{
    if (!is_name(p->name))
        return ftk__fail(reterr, FTK_EINVAL, "parameter name '%s' is not [a-z][a-z0-9_]*", p->name);
    if (!p->help || p->help[0] == '\0')
        return ftk__fail(reterr, FTK_EINVAL, "parameter '%s' has no help", p->name);
    if (!p->unit)
        return ftk__fail(reterr, FTK_EINVAL, "parameter '%s': unit is NULL, should be \"\"",
                         p->name);
    if (ftk__ptype_bytes(p->type) == 0)
        return ftk__fail(reterr, FTK_EINVAL, "parameter '%s' is of unknown type %u", p->name,
                         p->type);
    if (p->flags & ~(uint32_t)ALL_FLAGS)
        return ftk__fail(reterr, FTK_EINVAL, "parameter '%s' has unknown flags 0x%x", p->name,
                         p->flags & ~(uint32_t)ALL_FLAGS);
    if ((p->flags & FTK_PF_PATH) && p->type != FTK_P_STR)
        return ftk__fail(reterr, FTK_EINVAL, "parameter '%s' is a path, but not a string", p->name);
    if (p->reserved != 0)
        return ftk__fail(reterr, FTK_EINVAL, "parameter '%s': reserved is %u, should be 0", p->name,
                         p->reserved);
    return FTK_OK;
}

static ftk_status check_choices(const ftk_param *p, struct ftk_error *reterr)
{
    uint64_t n = ftk__param_choices(p);
    if (p->type != FTK_P_ENUM && p->choices)
        return ftk__fail(reterr, FTK_EINVAL, "parameter '%s' has choices, but is no enum", p->name);
    if (p->type == FTK_P_ENUM && (n == 0 || n > INT32_MAX))
        return ftk__fail(reterr, FTK_EINVAL, "parameter '%s' has no choices", p->name);
    for (uint64_t i = 0; i < n; i++) {
        if (p->choices[i][0] == '\0')
            return ftk__fail(reterr, FTK_EINVAL, "parameter '%s': a choice is empty", p->name);
        for (uint64_t k = 0; k < i; k++) {
            if (strcmp(p->choices[i], p->choices[k]) == 0)
                return ftk__fail(reterr, FTK_EINVAL, "parameter '%s' has choice '%s' twice",
                                 p->name, p->choices[i]);
        }
    }
    return FTK_OK;
}

static ftk_status check_bounds(const ftk_param *p, struct ftk_error *reterr)
{
    if (p->type == FTK_P_STR)
        return FTK_OK;
    if (!isfinite(p->min) || !isfinite(p->max) || !isfinite(p->def))
        return ftk__fail(reterr, FTK_EINVAL,
                         "parameter '%s': default %g or bound %g, %g is not "
                         "finite",
                         p->name, p->def, p->min, p->max);
    if (p->min > p->max)
        return ftk__fail(reterr, FTK_EINVAL, "parameter '%s': minimum %g is above maximum %g",
                         p->name, p->min, p->max);
    if (p->type != FTK_P_I64)
        return FTK_OK;
    if (fabs(p->min) > BIGGEST_WHOLE || fabs(p->max) > BIGGEST_WHOLE)
        return ftk__fail(reterr, FTK_EINVAL, "parameter '%s': bound %g or %g is beyond 2^53",
                         p->name, p->min, p->max);
    if (p->min != floor(p->min) || p->max != floor(p->max) || p->def != floor(p->def))
        return ftk__fail(reterr, FTK_EINVAL,
                         "parameter '%s': default %g, minimum %g and maximum "
                         "%g are not all whole",
                         p->name, p->def, p->min, p->max);
    return FTK_OK;
}

static ftk_status check_default_text(const ftk_param *p, struct ftk_error *reterr)
{
    uint64_t n = 0;
    if (!p->def_str)
        return ftk__fail(reterr, FTK_EINVAL, "parameter '%s' has no default", p->name);
    if (!ftk__param_default_count(p, &n))
        return ftk__fail(reterr, FTK_EINVAL, "parameter '%s': default \"%s\" is no %s", p->name,
                         p->def_str, ftk__ptype_name(p->type));
    const char *at = p->def_str;
    ftk_duration d;
    while (ftk__duration_next(&at, FTK_UNIT_TRAIN, &d) == FTK__NEXT_FOUND) {
        if (!ftk__param_within(p, d.value))
            return ftk__fail(reterr, FTK_EINVAL, "parameter '%s': default %g is outside %g to %g",
                             p->name, d.value, p->min, p->max);
    }
    return FTK_OK;
}

static ftk_status check_default(const ftk_param *p, struct ftk_error *reterr)
{
    if (p->flags & FTK_PF_REQUIRED)
        return FTK_OK;
    switch (p->type) {
    case FTK_P_STR:
        if (!p->def_str)
            return ftk__fail(reterr, FTK_EINVAL, "parameter '%s' has no default", p->name);
        return FTK_OK;
    case FTK_P_BOOL:
        if (p->def != 0 && p->def != 1)
            return ftk__fail(reterr, FTK_EINVAL, "parameter '%s': default %g is not 0 or 1",
                             p->name, p->def);
        return FTK_OK;
    case FTK_P_ENUM:
        if (p->def < 0 || p->def != floor(p->def) || p->def >= (double)ftk__param_choices(p))
            return ftk__fail(reterr, FTK_EINVAL,
                             "parameter '%s': default %g is none of %llu "
                             "choices",
                             p->name, p->def, (unsigned long long)ftk__param_choices(p));
        return FTK_OK;
    case FTK_P_I64:
    case FTK_P_F64:
        if (!ftk__param_within(p, p->def))
            return ftk__fail(reterr, FTK_EINVAL, "parameter '%s': default %g is outside %g to %g",
                             p->name, p->def, p->min, p->max);
        return FTK_OK;
    default:
        return check_default_text(p, reterr);
    }
}

static ftk_status check_place(const struct ftk__param_table *t, const ftk_param *p,
                              struct ftk_error *reterr)
{
    uint64_t end = (uint64_t)p->offset + ftk__ptype_bytes(p->type);
    if (end > t->struct_size)
        return ftk__fail(reterr, FTK_EINVAL, "parameter '%s' ends at byte %llu of a struct of %u",
                         p->name, (unsigned long long)end, t->struct_size);
    if (p->offset % ftk__ptype_align(p->type) != 0)
        return ftk__fail(reterr, FTK_EINVAL, "parameter '%s': offset %u is no multiple of %u",
                         p->name, p->offset, ftk__ptype_align(p->type));
    return FTK_OK;
}

/* Against every parameter before it. */
static ftk_status check_pairs(const struct ftk__param_table *t, uint32_t i,
                              struct ftk_error *reterr)
{
    const ftk_param *p = ftk__param_at(t, i);
    for (uint32_t k = 0; k < i; k++) {
        const ftk_param *q = ftk__param_at(t, k);
        if (strcmp(p->name, q->name) == 0)
            return ftk__fail(reterr, FTK_EINVAL, "parameter '%s' is declared twice", p->name);
        if (p->offset < q->offset + ftk__ptype_bytes(q->type) &&
            q->offset < p->offset + ftk__ptype_bytes(p->type))
            return ftk__fail(reterr, FTK_EINVAL, "parameters '%s' and '%s' overlap at byte %u",
                             q->name, p->name, p->offset > q->offset ? p->offset : q->offset);
    }
    return FTK_OK;
}

ftk_status ftk__params_check(const struct ftk__param_table *t, struct ftk_error *reterr)
{
    if (!t->params)
        return FTK_OK;
    if (t->stride != sizeof(ftk_param))
        return ftk__fail(reterr, FTK_EABI, "param_stride is %u, this program's is %zu", t->stride,
                         sizeof(ftk_param));
    ftk_status st = FTK_OK;
    const ftk_param *p;
    for (uint32_t i = 0; st == FTK_OK && (p = ftk__param_at(t, i)) != NULL; i++) {
        if (i == MAX_PARAMS)
            return ftk__fail(reterr, FTK_EINVAL, "more than %d parameters: no end mark?",
                             MAX_PARAMS);
        st = check_words(p, reterr);
        if (st == FTK_OK)
            st = check_choices(p, reterr);
        if (st == FTK_OK)
            st = check_bounds(p, reterr);
        if (st == FTK_OK)
            st = check_default(p, reterr);
        if (st == FTK_OK)
            st = check_place(t, p, reterr);
        if (st == FTK_OK)
            st = check_pairs(t, i, reterr);
    }
    return st;
}
