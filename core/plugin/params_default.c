/* SPDX-License-Identifier: MIT
 * plugin/params_default.c - the default of a parameter, as its field wants it.
 */
#include "plugin/params_parts.h"
#include <string.h>

bool ftk__param_default_count(const ftk_param *p, uint64_t *ret_n)
{
    const char *at = p->def_str;
    uint32_t bare = p->type == FTK_P_DURATION ? 0 : FTK_UNIT_TRAIN;
    uint64_t n = 0;
    ftk_duration d;
    enum ftk__next next;
    while ((next = ftk__duration_next(&at, bare, &d)) == FTK__NEXT_FOUND) {
        if (p->type == FTK_P_F64S && d.unit != FTK_UNIT_TRAIN)
            return false;
        n++;
    }
    if (next == FTK__NEXT_BAD || (p->type == FTK_P_DURATION && n != 1))
        return false;
    *ret_n = n;
    return true;
}

/* A list from its text; ftk__params_check() has seen that it parses. */
static bool default_list(const ftk_param *p, struct ftk__arena *arena, void *field)
{
    uint64_t n = 0;
    if (!p->def_str || !ftk__param_default_count(p, &n) || n == 0)
        return true;
    ftk_duration *d = ftk__arena_alloc(arena, (size_t)n * sizeof(*d));
    double *v = ftk__arena_alloc(arena, (size_t)n * sizeof(*v));
    if (!d || !v)
        return false;
    const char *at = p->def_str;
    for (uint64_t i = 0; i < n; i++) {
        ftk__duration_next(&at, FTK_UNIT_TRAIN, &d[i]);
        v[i] = d[i].value;
    }
    if (p->type == FTK_P_F64S)
        memcpy(field, &(ftk_f64s){ .v = v, .n = n }, sizeof(ftk_f64s));
    else
        memcpy(field, &(ftk_durations){ .v = d, .n = n }, sizeof(ftk_durations));
    return true;
}

static bool default_string(const ftk_param *p, struct ftk__arena *arena, void *field)
{
    bool given = p->def_str && !(p->flags & FTK_PF_REQUIRED);
    const char *text = ftk__arena_strdup(arena, given ? p->def_str : "");
    memcpy(field, &text, sizeof(text));
    return text != NULL;
}

static void default_duration(const ftk_param *p, void *field)
{
    const char *at = p->def_str ? p->def_str : "";
    ftk_duration d;
    if (ftk__duration_next(&at, 0, &d) == FTK__NEXT_FOUND)
        memcpy(field, &d, sizeof(d));
}

bool ftk__param_default(const ftk_param *p, struct ftk__arena *arena, void *ret_struct)
{
    void *field = (char *)ret_struct + p->offset;
    if (p->type == FTK_P_STR)
        return default_string(p, arena, field);
    if (p->flags & FTK_PF_REQUIRED)
        return true;
    switch (p->type) {
    case FTK_P_BOOL:
    case FTK_P_ENUM:
        memcpy(field, &(int32_t){ (int32_t)p->def }, sizeof(int32_t));
        return true;
    case FTK_P_I64:
        memcpy(field, &(int64_t){ (int64_t)p->def }, sizeof(int64_t));
        return true;
    case FTK_P_F64:
        memcpy(field, &p->def, sizeof(double));
        return true;
    case FTK_P_DURATION:
        default_duration(p, field);
        return true;
    default:
        return default_list(p, arena, field);
    }
}
