/* SPDX-License-Identifier: MIT
 * cli/time_span.c - a number and its unit.
 */
#include "cli/time_span.h"

#include "base/str.h"
#include <math.h>
#include <string.h>

enum { LONGEST = 64 };

/* Seconds of the unit that the text ends with, 0 where it is none; *ret_digits: what is left. */
static double unit_of(const char *text, size_t *ret_digits)
{
    static const struct {
        char letter;
        double seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    size_t n = strlen(text);
    char last = n > 0 ? text[n - 1] : 0;
    *ret_digits = n;
    if (last == '.' || (last >= '0' && last <= '9'))
        return 1;
    *ret_digits = n > 0 ? n - 1 : 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (last == units[i].letter)
            return units[i].seconds;
    }
    return 0;
}

ftk_status ftk__time_span_parse(const char *option, const char *text, double *ret_seconds,
                                struct ftk_error *reterr)
{
    char number[LONGEST];
    size_t digits;
    double value = 0;
    double unit = unit_of(text, &digits);
    bool fits =
        ftk__format(number, sizeof(number), "%.*s", (int)(digits < LONGEST ? digits : 0), text);
    if (!fits || unit == 0 || !ftk__parse_f64(number, &value) || !(value * unit >= 0) ||
        isinf(value * unit))
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE,
                              "%s %s is no length of time: a number and s, m, h or d, as in 90s",
                              option, text);
    *ret_seconds = value * unit;
    return FTK_OK;
}
