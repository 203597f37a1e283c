/* SPDX-License-Identifier: MIT
 * test_time_span.c - cli/time_span.c: 90s, 15m, 2h, 1d.
 */
#include "cli/time_span.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } good[] = { { "90s", 90 },    { "15m", 900 },  { "2h", 7200 }, { "1d", 86400 }, { "90", 90 },
                 { "1.5h", 5400 }, { "0s", 0 },     { "0", 0 },     { ".5s", 0.5 },  { "2.", 2 },
                 { "1e3s", 1000 }, { "0.25m", 15 }, { "+3s", 3 } };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        double s = -1;
        assert_int_equal(ftk__time_span_parse("--max-time", good[i].text, &s, NULL), FTK_OK);
        assert_true(fabs(s - good[i].seconds) < 1e-9);
    }
}

static void mistakes(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       "s",
                                       "h",
                                       "-1s",
                                       "1w",
                                       "2hours",
                                       "nan",
                                       "inf",
                                       "nans",
                                       "infh",
                                       "1 s",
                                       "s1",
                                       "1m5",
                                       "1e999",
                                       "--",
                                       "1e308d",
                                       "5ms",
                                       ("0000000000000000000000000000000000000000000000000000000000"
                                        "00000001s") };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct ftk_error err;
        double s = -1;
        assert_int_equal(ftk__time_span_parse("--max-time", bad[i], &s, &err), FTK_EINVAL);
        assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_USAGE);
        assert_true(s < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(units), cmocka_unit_test(mistakes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
