/* SPDX-License-Identifier: MIT
 * test_table.c - report/table.c: the table and the cost line as a person sees them.
 */
#include "oom.h"
#include "report/table.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* CMocka's own compares as float. */
#define assert_near(a, b, within) assert_true(fabs((a) - (b)) <= (within))

static const char report_text[] =
    "{\"sets\": {"
    "\"test\": {\"ensemble\": {\"accuracy\": 0.9118, \"ece@paper\": 0.01},"
    " \"members\": [{\"accuracy\": 0.9, \"ece@paper\": 0.02}, {\"accuracy\": 0.91}],"
    " \"mean\": {\"accuracy\": 0.905, \"ece@paper\": 0.015},"
    " \"diversity\": {\"disagreement\": 0.05, \"kl\": null}},"
    "\"validation\": {\"ensemble\": {\"accuracy\": 1}, \"members\": [], \"mean\": {},"
    " \"diversity\": {}}}}";

static const char report_table[] = "test        accuracy  ece@paper\n"
                                   "ensemble      0.9118     0.0100\n"
                                   "member 0      0.9000     0.0200\n"
                                   "member 1      0.9100          -\n"
                                   "mean          0.9050     0.0150\n"
                                   "diversity   disagreement 0.0500  kl -\n"
                                   "\n"
                                   "validation  accuracy\n"
                                   "ensemble      1.0000\n"
                                   "mean               -\n";

static json_t *parse(const char *text)
{
    json_t *doc = json_loads(text, 0, NULL);
    assert_non_null(doc);
    return doc;
}

static void a_row_each(void **state)
{
    (void)state;
    struct ftk__str out = { 0 };
    json_t *report = parse(report_text);
    assert_int_equal(ftk__table_print(report, &out), FTK_OK);
    assert_string_equal(out.text, report_table);
    ftk__str_done(&out);
    json_decref(report);
}

static void only_diversity(void **state)
{
    (void)state;
    struct ftk__str out = { 0 };
    json_t *report = parse("{\"sets\": {\"test\": {\"ensemble\": {}, \"members\": [{}, {}], "
                           "\"mean\": {}, \"diversity\": {\"kl\": 0.25}}}}");
    assert_int_equal(ftk__table_print(report, &out), FTK_OK);
    assert_string_equal(out.text, "test\ndiversity   kl 0.2500\n");
    ftk__str_done(&out);
    json_decref(report);
}

static const struct ftk__cost edst = {
    .strategy = "edst",
    .members = 7,
    .sparsity = 0.899996,
    .theory = 0.5712,
    .executed = 0.6,
    .params = 0.7,
    .wall_s = 131.4,
};

static void cost_alone(void **state)
{
    (void)state;
    struct ftk__str out = { 0 };
    ftk__cost_print(&edst, &out);
    assert_string_equal(out.text, "cost  EDST M=7 S=0.9  theory 0.57x  executed 0.60x  wall 131 s "
                                  "(no dense run to compare)  params 0.70x\n");
    ftk__str_done(&out);
    struct ftk__cost c = edst;
    c.sparsity = 0.9995;
    out = (struct ftk__str){ 0 };
    ftk__cost_print(&c, &out);
    assert_non_null(strstr(out.text, " S=0.9995 "));
    ftk__str_done(&out);
}

static void cost_beside_a_dense_run(void **state)
{
    (void)state;
    struct ftk__str out = { 0 };
    struct ftk__cost c = edst;
    c.dense_run = "runs/dense-1/seed-1";
    c.dense_wall_s = 200;
    c.wall_s = 4.25;
    ftk__cost_print(&c, &out);
    assert_string_equal(out.text, "cost  EDST M=7 S=0.9  theory 0.57x  executed 0.60x  wall 4.2 s "
                                  "(0.02x of runs/dense-1/seed-1)  params 0.70x\n");
    ftk__str_done(&out);
    json_t *doc = ftk__cost_json(&c);
    assert_near(json_number_value(json_object_get(doc, "wall")), 4.25 / 200, 1e-12);
    assert_string_equal(json_string_value(json_object_get(doc, "dense_run")), c.dense_run);
    json_decref(doc);
}

/* A run of no epochs: nothing to divide by; a dense one has no S. */
static void cost_of_nothing(void **state)
{
    (void)state;
    struct ftk__str out = { 0 };
    const struct ftk__cost c = { .strategy = "dense",
                                 .members = 1,
                                 .sparsity = -1,
                                 .theory = NAN,
                                 .executed = NAN,
                                 .params = 1,
                                 .wall_s = 0.125 };
    ftk__cost_print(&c, &out);
    assert_string_equal(out.text, "cost  DENSE M=1  theory -  executed -  wall 0.12 s "
                                  "(no dense run to compare)  params 1.00x\n");
    ftk__str_done(&out);
    json_t *doc = ftk__cost_json(&c);
    assert_true(json_is_null(json_object_get(doc, "theory")));
    assert_true(json_is_null(json_object_get(doc, "wall")));
    assert_near(json_number_value(json_object_get(doc, "params")), 1, 0);
    json_decref(doc);
}

static ftk_status print_all(void *report)
{
    struct ftk__str out = { 0 };
    ftk_status st = ftk__table_print(report, &out);
    ftk__cost_print(&edst, &out);
    if (out.failed)
        st = FTK_ENOMEM;
    ftk__str_done(&out);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    json_t *report = parse(report_text);
    assert_true(ftk_oom_sweep(print_all, report, 1) >= 1);
    json_decref(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_each),      cmocka_unit_test(only_diversity),
        cmocka_unit_test(cost_alone),      cmocka_unit_test(cost_beside_a_dense_run),
        cmocka_unit_test(cost_of_nothing), cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
