/* SPDX-License-Identifier: MIT
 * plugin/params_duration.c - durations as text: "12.5ep", "1000it", "0.75x", or a bare fraction.
 */
#include "plugin/params.h"
#include "plugin/params_parts.h"
#include <math.h>
#include <string.h>

static const struct unit {
    const char *suffix;
    uint32_t unit;
} units[] = {
    { "ep", FTK_UNIT_EPOCH },
    { "it", FTK_UNIT_STEP },
    { "x", FTK_UNIT_RUN },
};
enum { N_UNITS = sizeof(units) / sizeof(units[0]) };

static const char *digits_end(const char *s)
{
    while (*s >= '0' && *s <= '9')
        s++;
    return s;
}

/* Past a decimal number at the start of `s`, or `s`.  strtod() alone would take "0x1" for a
 * hexadecimal number and the "e" of "1ep" is no exponent.                                  */
static const char *number_end(const char *s)
{
    const char *at = s + (*s == '-' || *s == '+');
    const char *whole = digits_end(at);
    bool any = whole > at;
    at = whole;
    if (*at == '.') {
        const char *fraction = digits_end(at + 1);
        any = any || fraction > at + 1;
        at = fraction;
    }
    if (!any)
        return s;
    if (*at == 'e' || *at == 'E') {
        const char *exponent = at + 1;
        exponent += *exponent == '-' || *exponent == '+';
        if (digits_end(exponent) > exponent)
            at = digits_end(exponent);
    }
    return at;
}

bool ftk__duration_parse(const char *s, uint32_t bare, ftk_duration *ret, const char **ret_end)
{
    char number[64];
    const char *end = number_end(s);
    size_t n = (size_t)(end - s);
    if (n == 0 || n >= sizeof(number))
        return false;
    memcpy(number, s, n);
    number[n] = '\0';
    double value;
    if (!ftk__parse_f64(number, &value) || !isfinite(value))
        return false;
    uint32_t unit = bare;
    for (uint32_t i = 0; i < N_UNITS; i++) {
        if (ftk__str_starts(end, units[i].suffix)) {
            unit = units[i].unit;
            end += strlen(units[i].suffix);
            break;
        }
    }
    if (unit == 0)
        return false;
    *ret = (ftk_duration){ .value = value, .unit = unit };
    *ret_end = end;
    return true;
}

void ftk__duration_print(ftk_duration d, struct ftk__str *out)
{
    ftk__str_addf(out, "%.17g", d.value);
    for (uint32_t i = 0; i < N_UNITS; i++) {
        if (units[i].unit == d.unit)
            ftk__str_add(out, units[i].suffix);
    }
}

enum ftk__next ftk__duration_next(const char **at, uint32_t bare, ftk_duration *ret)
{
    const char *s = *at + strspn(*at, " ");
    if (*s == '\0')
        return FTK__NEXT_END;
    const char *end;
    ftk_duration d;
    if (!ftk__duration_parse(s, bare, &d, &end) || (*end != ' ' && *end != '\0'))
        return FTK__NEXT_BAD;
    *ret = d;
    *at = end;
    return FTK__NEXT_FOUND;
}
