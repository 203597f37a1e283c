/* SPDX-License-Identifier: MIT
 * test_paper_flops.c - train/paper_flops.c and cli/compare_paper.c: every row of the paper's FLOPs
 * column, counted and by the paper's rounded fractions.
 */
#include "base/str.h"
#include "cli/compare_paper.h"
#include "train/paper_flops.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct known {
    const char *table, *method, *counted, *rounded, *paper;
} known[] = {
    { "1 CIFAR-10", "DST M=3 S=0.8", "1.02", "1.01", "1.01" },
    { "1 CIFAR-10", "static M=3 S=0.8", "1.02", "1.01", "1.01" },
    { "1 CIFAR-10", "EDST M=3 S=0.8", "0.61", "0.61", "0.61" },
    { "1 CIFAR-10", "EDST M=7 S=0.9", "0.57", "0.57", "0.57" },
    { "2 CIFAR-100", "DST M=3 S=0.8", "1.01", "1.01", "1.01" },
    { "2 CIFAR-100", "static M=3 S=0.8", "1.01", "1.01", "1.01" },
    { "2 CIFAR-100", "EDST M=3 S=0.8", "0.61", "0.61", "0.61" },
    { "2 CIFAR-100", "EDST M=7 S=0.9", "0.57", "0.57", "0.57" },
    { "3 ImageNet", "DST M=2 S=0.8", "1.11", "1.12", "1.12" },
    { "3 ImageNet", "EDST M=2 S=0.8", "0.47", "0.48", "0.48" },
    { "3 ImageNet", "EDST M=4 S=0.8", "0.86", "0.87", "0.87" },
};
enum { N_KNOWN = sizeof known / sizeof known[0] };

static const struct ftk__paper_row *row_of(const char *table, const char *method)
{
    for (uint32_t i = 0; i < ftk__paper_n_rows; i++)
        if (strcmp(ftk__paper_rows[i].table, table) == 0 &&
            strcmp(ftk__paper_rows[i].method, method) == 0)
            return &ftk__paper_rows[i];
    fail_msg("no row %s, %s", table, method);
    return NULL;
}

static struct ftk__paper_count count(const struct ftk__paper_row *row)
{
    struct ftk__paper_count c;
    struct ftk_error err;
    if (ftk__compare_row(row, &c, &err) < 0)
        fail_msg("%s; %s", err.message, err.n_context ? err.context[0] : "");
    return c;
}

static void assert_prints(double v, const char *expected)
{
    char text[16];
    ftk__format(text, sizeof text, "%.2f", v);
    assert_string_equal(text, expected);
}

static void rows_are_as_known(void **state)
{
    (void)state;
    assert_int_equal(ftk__paper_n_rows, N_KNOWN + 2); /* and LTR, twice */
    for (uint32_t i = 0; i < N_KNOWN; i++) {
        const struct ftk__paper_row *row = row_of(known[i].table, known[i].method);
        struct ftk__paper_count c = count(row);
        assert_prints(c.counted, known[i].counted);
        assert_prints(c.rounded, known[i].rounded);
        assert_prints(row->printed, known[i].paper);
        assert_false(c.approximate);
    }
}

/* A member's 88,000 steps have 87 updates (none at the very end) that want the dense gradient of
 * their batch: 128 images, but 72 at step 44,000, the last of epoch 125. */
static void updates_are_counted_as_events(void **state)
{
    (void)state;
    double updating = count(row_of("1 CIFAR-10", "DST M=3 S=0.8")).counted;
    double resting = count(row_of("1 CIFAR-10", "static M=3 S=0.8")).counted;
    assert_true(fabs(resting - 3 * 0.339719) < 1e-5);
    double dense_gradient = (1 - resting / 3) / 3; /* of a dense step */
    double images = (updating - resting) / (3 * dense_gradient) * 250 * 45000;
    if (fabs(images - (86 * 128 + 72)) > 0.01)
        fail_msg("dense gradients of %g images, not 86 x 128 + 72", images);
}

static void a_dense_run_is_as_long_as_the_papers(void **state)
{
    (void)state;
    double cifar = count(row_of("1 CIFAR-10", "DST M=3 S=0.8")).dense_run;
    double imagenet = count(row_of("3 ImageNet", "DST M=2 S=0.8")).dense_run;
    assert_true(fabs(cifar / 3.54e17 - 1) < 2e-3);
    assert_true(fabs(imagenet / 4.73e18 - 1) < 5e-3);
}

static void ltr_is_our_own_count(void **state)
{
    (void)state;
    const struct ftk__paper_row *row = row_of("1 CIFAR-10", "LTR M=3 S=0.8");
    struct ftk__paper_count c = count(row);
    assert_true(row->printed == 1.75);
    assert_true(c.approximate);
    assert_true(c.rounded == 0);
    /* dense to epoch 40, the ramp's mean of 0.4 to 200, 0.2 to 250; three times 95 % at 0.2 */
    double f = 40.0 / 250 + 160.0 / 250 * 0.4 + 50.0 / 250 * 0.2 + 3 * 0.95 * 0.2;
    assert_true(fabs(c.counted - f) < 0.01);
}

static void the_document_has_all_rows(void **state)
{
    (void)state;
    json_t *doc = NULL;
    assert_int_equal(ftk__compare_paper(&doc), FTK__EXIT_OK);
    json_t *rows = json_object_get(doc, "rows");
    assert_int_equal(json_array_size(rows), ftk__paper_n_rows);
    json_t *dst = json_array_get(rows, 0);
    assert_string_equal(json_string_value(json_object_get(dst, "table")), "1 CIFAR-10");
    assert_prints(json_number_value(json_object_get(dst, "counted")), "1.02");
    assert_prints(json_number_value(json_object_get(dst, "rounded_fraction")), "1.01");
    assert_prints(json_number_value(json_object_get(dst, "paper")), "1.01");
    assert_true(json_is_null(json_object_get(json_array_get(rows, 4), "rounded_fraction")));
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_as_known),
        cmocka_unit_test(updates_are_counted_as_events),
        cmocka_unit_test(a_dense_run_is_as_long_as_the_papers),
        cmocka_unit_test(ltr_is_our_own_count),
        cmocka_unit_test(the_document_has_all_rows),
    };
    const char *plugins = getenv("FTK_TEST_PLUGINS");
    setenv("FREETICKETS_PLUGIN_PATH", plugins ? plugins : "", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
