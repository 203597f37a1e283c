/* SPDX-License-Identifier: MIT
 * plugin/params.c - parameter tables: walking them, and what a parameter takes, in words.
 */
#include "plugin/params.h"
#include "plugin/params_parts.h"
#include <math.h>
#include <string.h>

const ftk_param *ftk__param_at(const struct ftk__param_table *t, uint32_t i)
{
    if (!t->params)
        return NULL;
    /* The stride is the writer's, so that a table stays readable when ftk_param grows. */
    const char *base = (const char *)t->params;
    const ftk_param *p = (const ftk_param *)(const void *)(base + (size_t)i * t->stride);
    return p->name ? p : NULL;
}

const ftk_param *ftk__param_named(const struct ftk__param_table *t, const char *name)
{
    const ftk_param *p;
    for (uint32_t i = 0; (p = ftk__param_at(t, i)) != NULL; i++) {
        if (strcmp(p->name, name) == 0)
            return p;
    }
    return NULL;
}

uint32_t ftk__ptype_bytes(uint32_t type)
{
    switch (type) {
    case FTK_P_BOOL:
    case FTK_P_ENUM:
        return sizeof(int32_t);
    case FTK_P_I64:
        return sizeof(int64_t);
    case FTK_P_F64:
        return sizeof(double);
    case FTK_P_STR:
        return sizeof(const char *);
    case FTK_P_DURATION:
        return sizeof(ftk_duration);
    case FTK_P_F64S:
        return sizeof(ftk_f64s);
    case FTK_P_DURATIONS:
        return sizeof(ftk_durations);
    default:
        return 0;
    }
}

uint32_t ftk__ptype_align(uint32_t type)
{
    switch (type) {
    case FTK_P_BOOL:
    case FTK_P_ENUM:
        return _Alignof(int32_t);
    case FTK_P_I64:
        return _Alignof(int64_t);
    case FTK_P_F64:
        return _Alignof(double);
    case FTK_P_STR:
        return _Alignof(const char *);
    case FTK_P_DURATION:
        return _Alignof(ftk_duration);
    case FTK_P_F64S:
        return _Alignof(ftk_f64s);
    case FTK_P_DURATIONS:
        return _Alignof(ftk_durations);
    default:
        return 1;
    }
}

const char *ftk__ptype_name(uint32_t type)
{
    switch (type) {
    case FTK_P_BOOL:
        return "bool";
    case FTK_P_I64:
        return "int";
    case FTK_P_F64:
        return "float";
    case FTK_P_ENUM:
        return "choice";
    case FTK_P_STR:
        return "string";
    case FTK_P_DURATION:
        return "duration";
    case FTK_P_F64S:
        return "floats";
    case FTK_P_DURATIONS:
        return "durations";
    default:
        return "unknown";
    }
}

bool ftk__ptype_is_number(uint32_t type)
{
    return type == FTK_P_I64 || type == FTK_P_F64;
}

uint64_t ftk__param_choices(const ftk_param *p)
{
    uint64_t n = 0;
    if (!p->choices)
        return 0;
    while (p->choices[n])
        n++;
    return n;
}

bool ftk__param_within(const ftk_param *p, double v)
{
    bool above = (p->flags & FTK_PF_OPEN_MIN) ? v > p->min : v >= p->min;
    bool below = (p->flags & FTK_PF_OPEN_MAX) ? v < p->max : v <= p->max;
    return above && below;
}

void ftk__number_print(double v, struct ftk__str *out)
{
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        double back;
        ftk__format(text, sizeof(text), "%.*g", digits, v);
        if (ftk__parse_f64(text, &back) && back == v)
            break;
    }
    ftk__str_add(out, text);
}

void ftk__param_range_print(const ftk_param *p, struct ftk__str *out)
{
    bool open_min = (p->flags & FTK_PF_OPEN_MIN) != 0;
    bool open_max = (p->flags & FTK_PF_OPEN_MAX) != 0;
    if (!open_min && !open_max) {
        ftk__number_print(p->min, out);
        ftk__str_add(out, " to ");
        ftk__number_print(p->max, out);
        return;
    }
    ftk__str_add(out, open_min ? "above " : "at least ");
    ftk__number_print(p->min, out);
    ftk__str_add(out, open_max ? ", below " : ", at most ");
    ftk__number_print(p->max, out);
}

static void choices_print(const ftk_param *p, struct ftk__str *out)
{
    uint64_t n = ftk__param_choices(p);
    for (uint64_t i = 0; i < n; i++) {
        if (i > 0)
            ftk__str_add(out, i + 1 < n ? ", " : " or ");
        ftk__str_add(out, p->choices[i]);
    }
}

void ftk__param_limit_print(const ftk_param *p, struct ftk__str *out)
{
    switch (p->type) {
    case FTK_P_BOOL:
        ftk__str_add(out, "true or false");
        return;
    case FTK_P_ENUM:
        choices_print(p, out);
        return;
    case FTK_P_STR:
        ftk__str_add(out, "a string");
        return;
    case FTK_P_I64:
        ftk__str_add(out, "a whole number, ");
        break;
    case FTK_P_F64:
        ftk__str_add(out, "a number, ");
        break;
    case FTK_P_DURATION:
        ftk__str_add(out, "a duration such as \"250ep\", \"1000it\" or \"0.75x\", ");
        break;
    case FTK_P_F64S:
        ftk__str_add(out, "numbers, each ");
        break;
    default:
        ftk__str_add(out, "fractions or durations such as \"12.5ep\", each ");
        break;
    }
    ftk__param_range_print(p, out);
}
