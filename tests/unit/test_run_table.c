/* SPDX-License-Identifier: MIT
 * test_run_table.c - report/run_table.c: runs as aligned text, Markdown and CSV.
 */
#include "oom.h"
#include "report/run_table.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char two_runs[] =
    "{\"set\": \"test\", \"rows\": ["
    "{\"run_dir\": \"runs/d-1/seed-3\", \"strategy\": \"dense\", \"members\": 1,"
    " \"sparsity\": null, \"train_images\": 192, \"keep\": \"last\","
    " \"sets\": {\"test\": {\"ensemble\": {\"accuracy\": 0.5, \"ece@paper\": 0.25},"
    "  \"diversity\": {\"kl\": null}}, \"validation\": {\"ensemble\": {\"odd\": 1}}},"
    " \"cost\": {\"theory\": 1.0, \"executed\": 1.0, \"wall_s\": 0.125, \"wall\": null,"
    "  \"dense_run\": null, \"params\": 1.0}, \"train_runs\": 1, \"test_passes\": 1},"
    "{\"run_dir\": \"runs/e-1/seed-12\", \"strategy\": \"edst\", \"members\": 2,"
    " \"sparsity\": 0.75, \"train_images\": 192, \"keep\": \"best_validation\","
    " \"sets\": {\"test\": {\"ensemble\": {\"accuracy\": 1, \"nll\": 0.1},"
    "  \"diversity\": {\"kl\": 0.0625}}},"
    " \"cost\": {\"theory\": 0.5, \"executed\": 0.625, \"wall_s\": 131.4, \"wall\": 0.5,"
    "  \"dense_run\": \"runs/d-1/seed-3\", \"params\": null}, \"train_runs\": null,"
    " \"test_passes\": 2}]}";

static json_t *parse(const char *text)
{
    json_t *doc = json_loads(text, 0, NULL);
    assert_non_null(doc);
    return doc;
}

static void prints(const char *text, enum ftk__table_format format, const char *expect)
{
    struct ftk__str out = { 0 };
    json_t *doc = parse(text);
    assert_int_equal(ftk__run_table_print(doc, format, &out), FTK_OK);
    assert_string_equal(out.text, expect);
    ftk__str_done(&out);
    json_decref(doc);
}

static void aligned_text(void **state)
{
    (void)state;
    prints(
        two_runs, FTK__TABLE_TEXT,
        "run               strategy  members  sparsity  train_images  keep             accuracy  "
        "ece@paper     nll      kl  theory  executed  wall_s   wall  params  train_runs  "
        "test_passes  dense_run\n"
        "runs/d-1/seed-3   dense           1         -           192  last               0.5000  "
        "   0.2500       -       -   1.00x     1.00x    0.12      -   1.00x           1  "
        "          1  -\n"
        "runs/e-1/seed-12  edst            2      0.75           192  best_validation    1.0000  "
        "        -  0.1000  0.0625   0.50x     0.62x     131  0.50x       -           -  "
        "          2  runs/d-1/seed-3\n");
}

static void markdown(void **state)
{
    (void)state;
    prints(two_runs, FTK__TABLE_MARKDOWN,
           "| run | strategy | members | sparsity | train_images | keep | accuracy | ece@paper | "
           "nll | kl | theory | executed | wall_s | wall | params | train_runs | test_passes | "
           "dense_run |\n"
           "| --- | --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | "
           "---: | ---: | ---: | ---: | ---: | --- |\n"
           "| runs/d-1/seed-3 | dense | 1 | - | 192 | last | 0.5000 | 0.2500 | - | - | 1.00x | "
           "1.00x | 0.12 | - | 1.00x | 1 | 1 | - |\n"
           "| runs/e-1/seed-12 | edst | 2 | 0.75 | 192 | best_validation | 1.0000 | - | 0.1000 | "
           "0.0625 | 0.50x | 0.62x | 131 | 0.50x | - | - | 2 | runs/d-1/seed-3 |\n");
}

static void csv(void **state)
{
    (void)state;
    prints(two_runs, FTK__TABLE_CSV,
           "run,strategy,members,sparsity,train_images,keep,accuracy,ece@paper,nll,kl,theory,"
           "executed,wall_s,wall,params,train_runs,test_passes,dense_run\n"
           "runs/d-1/seed-3,dense,1,,192,last,0.5,0.25,,,1,1,0.125,,1,1,1,\n"
           "runs/e-1/seed-12,edst,2,0.75,192,best_validation,1,,0.10000000000000001,0.0625,0.5,"
           "0.625,131.40000000000001,0.5,,,2,runs/d-1/seed-3\n");
}

/* Folders may be called anything. */
static void odd_names(void **state)
{
    (void)state;
    static const char odd[] = "{\"set\": \"test\", \"rows\": [{\"run_dir\": \"a|b\\\\,\\\"\\n\"}]}";
    static const enum ftk__table_format formats[] = { FTK__TABLE_TEXT, FTK__TABLE_MARKDOWN,
                                                      FTK__TABLE_CSV };
    static const char *const cell[] = { "\na|b\\,\"?", "\n| a\\|b\\\\,\"? | -",
                                        "\n\"a|b\\,\"\"\n\",," };
    json_t *doc = parse(odd);
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct ftk__str out = { 0 };
        assert_int_equal(ftk__run_table_print(doc, formats[i], &out), FTK_OK);
        assert_non_null(strstr(out.text, cell[i]));
        ftk__str_done(&out);
    }
    json_decref(doc);
}

/* Two bytes, one column. */
static void widths_count_characters(void **state)
{
    (void)state;
    struct ftk__str out = { 0 };
    json_t *doc =
        parse("{\"set\": \"test\", \"rows\": [{\"run_dir\": \"\\u00e9\\u00e9\\u00e9\\u00e9\","
              " \"strategy\": \"dst\"}]}");
    assert_int_equal(ftk__run_table_print(doc, FTK__TABLE_TEXT, &out), FTK_OK);
    assert_true(strncmp(out.text, "run   strategy  ", 16) == 0);
    assert_non_null(strstr(out.text, "\n\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9  dst       "));
    ftk__str_done(&out);
    json_decref(doc);
}

static ftk_status print_all(void *doc)
{
    static const enum ftk__table_format formats[] = { FTK__TABLE_TEXT, FTK__TABLE_MARKDOWN,
                                                      FTK__TABLE_CSV };
    ftk_status st = FTK_OK;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]) && st >= 0; i++) {
        struct ftk__str out = { 0 };
        st = ftk__run_table_print(doc, formats[i], &out);
        ftk__str_done(&out);
    }
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    json_t *doc = parse(two_runs);
    assert_true(ftk_oom_sweep(print_all, doc, 1) > 6);
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligned_text),
        cmocka_unit_test(markdown),
        cmocka_unit_test(csv),
        cmocka_unit_test(odd_names),
        cmocka_unit_test(widths_count_characters),
        cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
